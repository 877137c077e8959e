/* network/document.c - the envelope of signed documents: taking apart, judging,
 * signing, writing.
 *
 * A document is taken apart without a copy: head, body, lines of signatures.
 * Only then are signatures checked, over a hash of kind and body, and only
 * after that do others look into the body. There is one way to write a
 * document, and all else is refused. No state, no timers. Failure modes: the
 * bytes are no document (ERR_FORMAT, ERR_VERSION, ERR_SHORT, ERR_LONG), a
 * signer stands twice, a signature is wrong, too few have signed, no memory. */
#include "network/document.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codec.h"

enum { HEAD_MAX = 64 };

static const char *const kind_names[DOCUMENT_KINDS] = {
    "?",     "descriptor", "consensus", "hello",
    "claim", "shares",     "signature", "diff"};

const char *
document_kind_name(enum document_kind kind)
{
    return (unsigned)kind < DOCUMENT_KINDS ? kind_names[kind] : "?";
}

enum document_kind
document_kind_of(const uint8_t *bytes, size_t len)
{
    static const char prefix[] = "brusio-";
    const size_t skip = sizeof prefix - 1;
    if (len < skip || memcmp(bytes, prefix, skip) != 0)
        return 0;
    for (int kind = 1; kind < DOCUMENT_KINDS; kind++) {
        const size_t n = strlen(kind_names[kind]);
        if (len > skip + n && bytes[skip + n] == '/' &&
            memcmp(bytes + skip, kind_names[kind], n) == 0)
            return (enum document_kind)kind;
    }
    return 0;
}

/* Read the number after the head's blank: digits alone, no leading zero. */
static int
length_parse(const uint8_t *p, size_t len, size_t *out, size_t *used)
{
    size_t v = 0, i = 0;
    for (; i < len && p[i] >= '0' && p[i] <= '9'; i++) {
        v = v * 10 + (size_t)(p[i] - '0');
        if (v > DOCUMENT_BODY_MAX)
            return ERR_LONG;
    }
    if (i == 0 || (p[0] == '0' && i > 1))
        return ERR_FORMAT;
    if (i == len)
        return ERR_SHORT;
    if (p[i] != '\n')
        return ERR_FORMAT;
    *out = v;
    *used = i + 1;
    return 0;
}

static int
head_parse(struct document *d, struct codec_reader *in)
{
    char name[HEAD_MAX];
    size_t body_len, used;
    int n =
        snprintf(name, sizeof name, "brusio-%s/", document_kind_name(d->kind));
    const uint8_t *p = codec_read_bytes(in, (size_t)n);
    if (!p)
        return ERR_SHORT;
    if (memcmp(p, name, (size_t)n) != 0)
        return ERR_FORMAT;
    p = codec_read_bytes(in, 2);
    if (!p)
        return ERR_SHORT;
    if (p[0] != '1' || p[1] != ' ')
        return ERR_VERSION;
    int err = length_parse(in->at, in->left, &body_len, &used);
    if (err)
        return err;
    (void)codec_read_bytes(in, used);
    d->body = codec_read_bytes(in, body_len);
    d->body_len = body_len;
    uint8_t newline = codec_read8(in);
    if (in->err)
        return in->err;
    return newline == '\n' ? 0 : ERR_FORMAT;
}

/* ---- lines of signatures ---- */

static int
hex_read(const uint8_t **at, const uint8_t *end, uint8_t *out, size_t len)
{
    char hex[2 * DOCUMENT_SIGNATURE_LEN + 1];
    if ((size_t)(end - *at) < 1 + 2 * len)
        return ERR_SHORT;
    if (**at != ' ')
        return ERR_FORMAT;
    memcpy(hex, *at + 1, 2 * len);
    hex[2 * len] = 0;
    *at += 1 + 2 * len;
    /* one way to write a document, not two */
    if (strspn(hex, "0123456789abcdef") != 2 * len)
        return ERR_FORMAT;
    return codec_unhex(out, len, hex);
}

static int
number_read(const uint8_t **at, const uint8_t *end, uint64_t *out)
{
    uint8_t bytes[8];
    int err = hex_read(at, end, bytes, sizeof bytes);
    *out = err ? 0 : codec_get64(bytes);
    return err;
}

static int
certificate_read(struct certificate *c, const uint8_t **at, const uint8_t *end)
{
    int err = hex_read(at, end, c->key, sizeof c->key);
    if (!err)
        err = hex_read(at, end, c->share_key, sizeof c->share_key);
    if (!err)
        err = number_read(at, end, &c->from_s);
    if (!err)
        err = number_read(at, end, &c->until_s);
    if (!err)
        err = hex_read(at, end, c->signature, sizeof c->signature);
    return err;
}

/* Read the line of a signature at the start of text into *s; *used is the length
 * of the line. */
static int
document_read_line(struct document_signature *s, const uint8_t *text,
                   size_t len, size_t *used)
{
    const uint8_t *at = text + 3, *end = text + len;
    *s = (struct document_signature){0};
    if (len < 4)
        return ERR_SHORT;
    if (memcmp(text, "sig", 3) != 0)
        return ERR_FORMAT;
    int err = hex_read(&at, end, s->signer, sizeof s->signer);
    if (!err)
        err = hex_read(&at, end, s->signature, sizeof s->signature);
    if (!err && at < end && *at == ' ') {
        s->certified = true;
        err = certificate_read(&s->cert, &at, end);
    }
    if (!err && at == end)
        err = ERR_SHORT;
    if (!err && *at++ != '\n')
        err = ERR_FORMAT;
    *used = (size_t)(at - text);
    return err;
}

static char *
hex_write(char *out, const uint8_t *data, size_t len)
{
    *out++ = ' ';
    codec_hex(out, data, len);
    return out + 2 * len;
}

static char *
number_write(char *out, uint64_t v)
{
    uint8_t bytes[8];
    codec_put64(bytes, v);
    return hex_write(out, bytes, sizeof bytes);
}

/* Write the line of the signature s, with its final newline, to out. Returns the
 * length of the line. */
static size_t
document_write_line(const struct document_signature *s, char *out)
{
    char *at = out + 3;
    memcpy(out, "sig", 3);
    at = hex_write(at, s->signer, sizeof s->signer);
    at = hex_write(at, s->signature, sizeof s->signature);
    if (s->certified) {
        at = hex_write(at, s->cert.key, sizeof s->cert.key);
        at = hex_write(at, s->cert.share_key, sizeof s->cert.share_key);
        at = number_write(at, s->cert.from_s);
        at = number_write(at, s->cert.until_s);
        at = hex_write(at, s->cert.signature, sizeof s->cert.signature);
    }
    *at++ = '\n'; /* where codec_hex() put its 0 */
    return (size_t)(at - out);
}

/* ---- documents ---- */

int
document_parse(struct document *d, enum document_kind kind,
               const uint8_t *bytes, size_t len)
{
    struct codec_reader in;
    *d = (struct document){.kind = kind};
    codec_reader_init(&in, bytes, len);
    int err = head_parse(d, &in);
    while (!err && in.left > 0) {
        if (d->n_signers == DOCUMENT_SIGNERS_MAX)
            return ERR_LONG;
        struct document_signature *s = &d->sig[d->n_signers];
        size_t used;
        err = document_read_line(s, in.at, in.left, &used);
        if (err)
            break;
        int order = d->n_signers
                        ? memcmp(s[-1].signer, s->signer, DOCUMENT_ID_LEN)
                        : -1;
        if (order >= 0)
            return order == 0 ? ERR_DUPLICATE : ERR_FORMAT;
        (void)codec_read_bytes(&in, used);
        d->n_signers++;
    }
    return err;
}

/* Hash the kind, so that no body serves for another kind, and the body. Ed25519
 * wants one piece of memory, so signers sign this hash (BLAKE2b-512). */
void
document_hash(enum document_kind kind, const uint8_t *body, size_t body_len,
              uint8_t hash[static DOCUMENT_HASH_LEN])
{
    crypto_generichash_state state;
    char label[HEAD_MAX];
    int n = snprintf(label, sizeof label, "brusio/1 %s\n",
                     document_kind_name(kind));
    crypto_generichash_init(&state, NULL, 0, DOCUMENT_HASH_LEN);
    crypto_generichash_update(&state, (const uint8_t *)label,
                              (unsigned long long)n);
    crypto_generichash_update(&state, body, body_len);
    crypto_generichash_final(&state, hash, DOCUMENT_HASH_LEN);
}

int
document_check(const struct document_signature *s,
               const uint8_t hash[static DOCUMENT_HASH_LEN])
{
    int err = s->certified ? certificate_check(&s->cert, s->signer) : 0;
    if (!err && crypto_sign_verify_detached(
                    s->signature, hash, DOCUMENT_HASH_LEN,
                    s->certified ? s->cert.key : s->signer) != 0)
        err = ERR_SIGNATURE;
    return err;
}

static bool
signer_is_among(const struct document_signature *s,
                const uint8_t (*allowed)[DOCUMENT_ID_LEN], size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (memcmp(allowed[k], s->signer, DOCUMENT_ID_LEN) == 0)
            return true;
    return false;
}

int
document_open(struct document *d, enum document_kind kind, const uint8_t *bytes,
              size_t len, const uint8_t (*allowed)[DOCUMENT_ID_LEN], size_t n,
              size_t need)
{
    uint8_t hash[DOCUMENT_HASH_LEN];
    size_t good = 0;
    int err = document_parse(d, kind, bytes, len);
    if (err)
        return err;
    document_hash(kind, d->body, d->body_len, hash);
    for (size_t i = 0; i < d->n_signers; i++) {
        if (!signer_is_among(&d->sig[i], allowed, n))
            continue;
        err = document_check(&d->sig[i], hash);
        if (err)
            return err;
        good++;
    }
    return good >= need && good > 0 ? 0 : ERR_THRESHOLD;
}

size_t
document_signers_at(const struct document *d,
                    const uint8_t (*allowed)[DOCUMENT_ID_LEN], size_t n,
                    uint64_t at_s, const struct certificates *newest)
{
    size_t good = 0;
    for (size_t i = 0; i < d->n_signers; i++) {
        const struct document_signature *s = &d->sig[i];
        good += signer_is_among(s, allowed, n) &&
                (!s->certified ||
                 (certificate_covers(&s->cert, at_s) &&
                  !certificates_revoke(newest, s->signer, &s->cert, at_s)));
    }
    return good;
}

void
document_key_direct(struct document_key *key,
                    const uint8_t seed[static DOCUMENT_SIGN_SEED_LEN])
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    *key = (struct document_key){.seed = seed};
    crypto_sign_seed_keypair(key->identity, secret, seed);
    sodium_memzero(secret, sizeof secret);
}

void
document_sign_hash(struct document_signature *s,
                   const uint8_t hash[static DOCUMENT_HASH_LEN],
                   const struct document_key *key)
{
    uint8_t public[DOCUMENT_ID_LEN], secret[crypto_sign_SECRETKEYBYTES];
    *s = (struct document_signature){.certified = key->cert != NULL};
    if (key->cert)
        s->cert = *key->cert;
    memcpy(s->signer, key->identity, DOCUMENT_ID_LEN);
    crypto_sign_seed_keypair(public, secret, key->seed);
    crypto_sign_detached(s->signature, NULL, hash, DOCUMENT_HASH_LEN, secret);
    sodium_memzero(secret, sizeof secret);
}

int
document_sign(struct document *d, const struct document_key *key)
{
    uint8_t hash[DOCUMENT_HASH_LEN];
    struct document_signature s;
    document_hash(d->kind, d->body, d->body_len, hash);
    document_sign_hash(&s, hash, key);
    return document_add(d, &s);
}

int
document_add(struct document *d, const struct document_signature *s)
{
    size_t at = 0;
    while (at < d->n_signers &&
           memcmp(d->sig[at].signer, s->signer, DOCUMENT_ID_LEN) < 0)
        at++;
    if (at < d->n_signers &&
        memcmp(d->sig[at].signer, s->signer, DOCUMENT_ID_LEN) == 0)
        return ERR_DUPLICATE;
    if (d->n_signers == DOCUMENT_SIGNERS_MAX)
        return ERR_FULL;
    size_t rest = d->n_signers++ - at;
    memmove(&d->sig[at + 1], &d->sig[at], rest * sizeof d->sig[0]);
    d->sig[at] = *s;
    return 0;
}

int
document_write(const struct document *d, uint8_t **out, size_t *len)
{
    char head[HEAD_MAX];
    struct codec_writer w;
    int n = snprintf(head, sizeof head, "brusio-%s/1 %zu\n",
                     document_kind_name(d->kind), d->body_len);
    *out = NULL;
    *len = 0;
    if (d->body_len > DOCUMENT_BODY_MAX)
        return ERR_LONG;
    size_t room =
        (size_t)n + d->body_len + 1 + d->n_signers * DOCUMENT_SIG_LINE_MAX;
    uint8_t *bytes = malloc(room);
    if (!bytes)
        return ERR_NOMEM;
    codec_writer_init(&w, bytes, room);
    codec_write_bytes(&w, head, (size_t)n);
    codec_write_bytes(&w, d->body, d->body_len);
    codec_write8(&w, '\n');
    for (size_t i = 0; i < d->n_signers; i++) {
        char line[DOCUMENT_SIG_LINE_MAX + 1];
        codec_write_bytes(&w, line, document_write_line(&d->sig[i], line));
    }
    *out = bytes;
    *len = room - w.left;
    return w.err;
}

void
document_digest(const struct document *d, uint8_t digest[static 32])
{
    crypto_generichash(digest, 32, d->body, d->body_len, NULL, 0);
}
