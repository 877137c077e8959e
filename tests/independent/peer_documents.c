/* tests/independent/peer_documents.c - documents, certificates and the bodies that
 * they have (PROTOCOL.md 9.1, 9.2, 9.5). A body is read and written again. */
#include <stdlib.h>
#include <string.h>

#include "directory/vote.h"
#include "network/descriptor.h"
#include "network/diff.h"
#include "network/document.h"
#include "network/family.h"
#include "network/json.h"
#include "tests/independent/peer.h"

static enum document_kind
kind_get(struct peer *p)
{
    const char *name = peer_get_text(p, "kind");
    for (int kind = 1; kind < DOCUMENT_KINDS; kind++)
        if (strcmp(name, document_kind_name((enum document_kind)kind)) == 0)
            return (enum document_kind)kind;
    peer_fail(name, "is no kind of document");
}

/* Say what a writer made, and free it. */
static int
made_say(struct peer *p, int err, void *bytes, size_t len)
{
    if (!err)
        peer_say_bytes(p, "body", bytes, len);
    free(bytes);
    return err;
}

static int
consensus_again(struct peer *p, const uint8_t *body, size_t len)
{
    struct consensus *c = NULL;
    char where[JSON_WHERE_LEN], *out = NULL;
    size_t out_len = 0;
    int err = json_read_consensus(&c, body, len, where);
    if (!err)
        err = json_write_consensus(c, &out, &out_len);
    consensus_free(&c);
    return made_say(p, err, out, out_len);
}

static int
descriptor_again(struct peer *p, const uint8_t *body, size_t len)
{
    struct descriptor *d = peer_alloc(p, sizeof *d);
    char where[JSON_WHERE_LEN], *out = NULL;
    const size_t public_len = peer_get_number(p, "public_len", UINT16_MAX);
    size_t out_len = 0;
    int err = json_read_descriptor(d, public_len, body, len, where);
    if (!err)
        err = json_write_descriptor(d, public_len, &out, &out_len);
    return made_say(p, err, out, out_len);
}

static int
vote_again(struct peer *p, const uint8_t *body, size_t len)
{
    struct vote *v = peer_alloc(p, sizeof *v);
    char where[JSON_WHERE_LEN], *out = NULL;
    size_t out_len = 0;
    int err = json_read_vote(v, body, len, where);
    if (!err)
        err = json_write_vote(v, &out, &out_len);
    vote_free(v);
    return made_say(p, err, out, out_len);
}

/* What is read into a value and written from it. */
#define AGAIN(kind, type)                                                    \
    static int kind##_again(struct peer *p, const uint8_t *body, size_t len) \
    {                                                                        \
        type *value = peer_alloc(p, sizeof *value);                          \
        char where[JSON_WHERE_LEN], *out = NULL;                             \
        size_t out_len = 0;                                                  \
        int err = json_read_##kind(value, body, len, where);                 \
        if (!err)                                                            \
            err = json_write_##kind(value, &out, &out_len);                  \
        return made_say(p, err, out, out_len);                               \
    }
AGAIN(hello, struct hello)
AGAIN(claim, struct claim)
AGAIN(shares, struct shares)
AGAIN(signature, struct signature_note)
AGAIN(network, struct network)

static int
body_again(struct peer *p)
{
    static const struct {
        const char *kind;
        int (*run)(struct peer *p, const uint8_t *body, size_t len);
    } again[] = {
        {"consensus", consensus_again}, {"descriptor", descriptor_again},
        {"vote", vote_again},           {"hello", hello_again},
        {"claim", claim_again},         {"shares", shares_again},
        {"signature", signature_again}, {"network", network_again},
    };
    const char *kind = peer_get_text(p, "kind");
    size_t len;
    const uint8_t *body = peer_get_bytes(p, "body", &len);
    for (size_t i = 0; i < sizeof again / sizeof again[0]; i++)
        if (strcmp(again[i].kind, kind) == 0)
            return again[i].run(p, body, len);
    peer_fail(kind, "is no kind of body");
}

/* ---- certificates and families ---- */

static void
certificate_of(const json_t *object, struct certificate *c)
{
    peer_unhex(object, "key", c->key, sizeof c->key);
    peer_unhex(object, "share_key", c->share_key, sizeof c->share_key);
    c->from_s = (uint64_t)json_integer_value(json_object_get(object, "from_s"));
    c->until_s =
        (uint64_t)json_integer_value(json_object_get(object, "until_s"));
    if (json_object_get(object, "signature"))
        peer_unhex(object, "signature", c->signature, sizeof c->signature);
}

static int
certify(struct peer *p)
{
    struct certificate c;
    certificate_of(p->in, &c);
    certificate_sign(&c, peer_get_exact(p, "seed", 32));
    peer_say_bytes(p, "signature", c.signature, sizeof c.signature);
    return 0;
}

static int
certificate_judge(struct peer *p)
{
    struct certificate c;
    certificate_of(p->in, &c);
    int err = certificate_check(
        &c, peer_get_exact(p, "identity", CERTIFICATE_ID_LEN));
    if (!err && peer_has(p, "at_s"))
        peer_say_number(
            p, "covers",
            certificate_covers(&c, peer_get_number(p, "at_s", INT64_MAX)));
    return err;
}

static int
family_make(struct peer *p)
{
    uint8_t family[FAMILY_LEN], signature[FAMILY_SIGNATURE_LEN];
    family_sign(peer_get_exact(p, "seed", 32),
                peer_get_exact(p, "identity", SPHINX_ID_LEN), family,
                signature);
    peer_say_bytes(p, "family", family, sizeof family);
    peer_say_bytes(p, "signature", signature, sizeof signature);
    return 0;
}

static int
family_judge(struct peer *p)
{
    return family_check(peer_get_exact(p, "family", FAMILY_LEN),
                        peer_get_exact(p, "identity", SPHINX_ID_LEN),
                        peer_get_exact(p, "signature", FAMILY_SIGNATURE_LEN));
}

/* ---- documents ---- */

/* Sign a body with each of "keys": seed, and identity and certificate if the key is
 * certified. */
static int
document_make(struct peer *p)
{
    struct document *d = peer_alloc(p, sizeof *d);
    const json_t *keys = peer_get_list(p, "keys");
    uint8_t *out = NULL;
    size_t len = 0;
    int err = 0;
    d->kind = kind_get(p);
    d->body = peer_get_bytes(p, "body", &d->body_len);
    for (size_t i = 0; i < json_array_size(keys) && !err; i++) {
        const json_t *item = json_array_get(keys, i);
        struct document_key key;
        struct certificate *cert = peer_alloc(p, sizeof *cert);
        uint8_t *seed = peer_alloc(p, DOCUMENT_SIGN_SEED_LEN);
        peer_unhex(item, "seed", seed, DOCUMENT_SIGN_SEED_LEN);
        document_key_direct(&key, seed);
        if (json_object_get(item, "certificate")) {
            certificate_of(json_object_get(item, "certificate"), cert);
            peer_unhex(item, "identity", key.identity, DOCUMENT_ID_LEN);
            key.cert = cert;
        }
        err = document_sign(d, &key);
    }
    if (!err)
        err = document_write(d, &out, &len);
    if (!err)
        peer_say_bytes(p, "document", out, len);
    free(out);
    return err;
}

/* The identities of a list of hex. */
static uint8_t (*identities_get(struct peer *p, const char *key,
                                size_t *n))[DOCUMENT_ID_LEN]
{
    const json_t *list = peer_get_list(p, key);
    *n = json_array_size(list);
    uint8_t *ids = peer_alloc(p, *n * DOCUMENT_ID_LEN);
    for (size_t i = 0; i < *n; i++)
        peer_unhex(json_array_get(list, i), "identity",
                   ids + i * DOCUMENT_ID_LEN, DOCUMENT_ID_LEN);
    return (uint8_t(*)[DOCUMENT_ID_LEN])(void *)ids;
}

/* The newest certificates, of "newest": identity and certificate. */
static struct certificates *
newest_get(struct peer *p)
{
    struct certificates *newest = peer_alloc(p, sizeof *newest);
    const json_t *list = peer_get_list(p, "newest");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        struct certificate c;
        uint8_t identity[CERTIFICATE_ID_LEN];
        peer_unhex(item, "identity", identity, sizeof identity);
        certificate_of(item, &c);
        certificates_note(newest, identity, &c, UINT64_MAX);
    }
    return newest;
}

static int
document_judge(struct peer *p)
{
    struct document *d = peer_alloc(p, sizeof *d);
    uint8_t digest[32];
    size_t len, n;
    const uint8_t *bytes = peer_get_bytes(p, "document", &len);
    uint8_t(*allowed)[DOCUMENT_ID_LEN] = identities_get(p, "allowed", &n);
    const size_t need = peer_get_number(p, "need", UINT16_MAX);
    const uint8_t(*ids)[DOCUMENT_ID_LEN] =
        (const uint8_t(*)[DOCUMENT_ID_LEN])allowed;
    int err = document_open(d, kind_get(p), bytes, len, ids, n, need);
    if (err)
        return err;
    if (peer_has(p, "at_s") &&
        document_signers_at(d, ids, n, peer_get_number(p, "at_s", INT64_MAX),
                            newest_get(p)) < need)
        return ERR_THRESHOLD;
    document_digest(d, digest);
    peer_say_bytes(p, "body", d->body, d->body_len);
    peer_say_bytes(p, "digest", digest, sizeof digest);
    peer_say_number(p, "signers", d->n_signers);
    return 0;
}

static int
descriptor_judge(struct peer *p)
{
    struct sphinx_geometry g;
    struct descriptor *d = peer_alloc(p, sizeof *d);
    char where[JSON_WHERE_LEN];
    size_t len;
    const uint8_t *bytes = peer_get_bytes(p, "document", &len);
    sphinx_geometry_default(&g);
    int err = descriptor_open(d, &g, bytes, len, where);
    if (!err)
        peer_say_bytes(p, "identity", d->relay.identity, SPHINX_ID_LEN);
    return err;
}

/* ---- diffs ---- */

/* Read the consensus of a document, whoever has signed it. */
static int
consensus_read(struct peer *p, const uint8_t *bytes, size_t len,
               struct consensus **out)
{
    struct document *d = peer_alloc(p, sizeof *d);
    char where[JSON_WHERE_LEN];
    int err = document_parse(d, DOCUMENT_CONSENSUS, bytes, len);
    if (!err)
        err = json_read_consensus(out, d->body, d->body_len, where);
    if (!err)
        document_digest(d, (*out)->digest);
    return err;
}

static int
consensus_of(struct peer *p, const char *key, struct consensus **out)
{
    size_t len;
    const uint8_t *bytes = peer_get_bytes(p, key, &len);
    return consensus_read(p, bytes, len, out);
}

static int
diff(struct peer *p)
{
    struct consensus *from = NULL, *to = NULL;
    uint8_t *out = NULL;
    size_t len, out_len = 0;
    const uint8_t *bytes = peer_get_bytes(p, "to", &len);
    int err = consensus_of(p, "from", &from);
    if (!err)
        err = consensus_of(p, "to", &to);
    if (!err)
        err = diff_make(from, to, bytes, len, &out, &out_len);
    if (!err)
        peer_say_bytes(p, "diff", out, out_len);
    free(out);
    consensus_free(&from);
    consensus_free(&to);
    return err;
}

/* Apply a diff, and read what it leads to. */
static int
patch(struct peer *p)
{
    struct consensus *from = NULL, *to = NULL;
    uint8_t *out = NULL;
    size_t len, out_len = 0;
    const uint8_t *bytes = peer_get_bytes(p, "diff", &len);
    int err = consensus_of(p, "from", &from);
    if (!err)
        err = diff_apply(from, bytes, len, &out, &out_len);
    if (!err)
        err = consensus_read(p, out, out_len, &to);
    if (!err)
        peer_say_bytes(p, "document", out, out_len);
    free(out);
    consensus_free(&from);
    consensus_free(&to);
    return err;
}

const struct peer_command peer_documents[] = {
    {"body_again", body_again},
    {"certify", certify},
    {"certificate_judge", certificate_judge},
    {"family_make", family_make},
    {"family_judge", family_judge},
    {"document_make", document_make},
    {"document_judge", document_judge},
    {"descriptor_judge", descriptor_judge},
    {"diff", diff},
    {"patch", patch},
    {NULL, NULL},
};
