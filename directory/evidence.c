/* directory/evidence.c - see evidence.h. No state. */
#include "directory/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "directory/vote.h"

/* What one of the two documents says. */
struct word {
    enum document_kind kind;
    uint32_t epoch;
    uint8_t who[SPHINX_ID_LEN];
    uint8_t what[DOCUMENT_HASH_LEN]; /* digest or hash */
};

/* Find the length of the first of two documents: no body has a newline. */
static size_t
first_len(const uint8_t *bytes, size_t len)
{
    static const char head[] = "\nbrusio-";
    const uint8_t *second = memmem(bytes, len, head, sizeof head - 1);
    return second ? (size_t)(second - bytes) + 1 : 0;
}

static int
claim_read(const struct network *network, const struct document *d,
           struct word *w)
{
    char where[JSON_WHERE_LEN];
    struct claim c;
    int err = json_read_claim(&c, d->body, d->body_len, where);
    if (!err && strcmp(c.network, network->name) != 0)
        err = ERR_FOREIGN;
    for (size_t i = 0; i < d->n_signers && !err; i++) {
        uint8_t hash[DOCUMENT_HASH_LEN];
        if (memcmp(d->sig[i].signer, c.author, SPHINX_ID_LEN) != 0)
            continue;
        w->epoch = c.epoch;
        memcpy(w->who, c.author, sizeof w->who);
        memcpy(w->what, c.digest, sizeof c.digest);
        document_hash(d->kind, d->body, d->body_len, hash);
        return document_check(&d->sig[i], hash);
    }
    return err ? err : ERR_PEER;
}

static int
note_read(const struct network *network, const struct document *d,
          struct word *w)
{
    char where[JSON_WHERE_LEN];
    struct signature_note s;
    int err = json_read_signature(&s, d->body, d->body_len, where);
    if (!err && strcmp(s.network, network->name) != 0)
        err = ERR_FOREIGN;
    if (!err && d->n_signers != 1)
        err = ERR_FORMAT;
    if (err)
        return err;
    w->epoch = s.epoch;
    memcpy(w->who, d->sig[0].signer, sizeof w->who);
    memcpy(w->what, s.hash, sizeof w->what);
    return document_check(&d->sig[0], s.hash);
}

static int
word_read(const struct network *network, const uint8_t *bytes, size_t len,
          struct word *w)
{
    struct document *d = malloc(sizeof *d);
    if (!d)
        return ERR_NOMEM;
    *w = (struct word){.kind = document_kind_of(bytes, len)};
    int err = w->kind == DOCUMENT_CLAIM || w->kind == DOCUMENT_SIGNATURE
                  ? document_parse(d, w->kind, bytes, len)
                  : ERR_FORMAT;
    if (!err)
        err = w->kind == DOCUMENT_CLAIM ? claim_read(network, d, w)
                                        : note_read(network, d, w);
    free(d);
    return err;
}

int
evidence_check(const struct network *network, const uint8_t *bytes, size_t len,
               uint8_t who[static SPHINX_ID_LEN], uint32_t *epoch)
{
    const size_t first = first_len(bytes, len);
    struct word a, b;
    if (first == 0)
        return ERR_SHORT;
    int err = word_read(network, bytes, first, &a);
    if (!err)
        err = word_read(network, bytes + first, len - first, &b);
    if (err)
        return err;
    if (a.kind != b.kind || a.epoch != b.epoch ||
        memcmp(a.who, b.who, sizeof a.who) != 0 ||
        memcmp(a.what, b.what, sizeof a.what) == 0)
        return ERR_CONFLICT;
    for (size_t i = 0; i < network->n_authorities; i++)
        if (memcmp(network->authorities[i].identity, a.who, sizeof a.who) ==
            0) {
            memcpy(who, a.who, sizeof a.who);
            *epoch = a.epoch;
            return 0;
        }
    return ERR_PEER;
}
