/* directory/rounds.c - claims and votes as they come in, round by round;
 * rounds.h draws the states and names the failure modes.
 *
 * State: for each author up to ROUNDS_CLAIMS_MAX claims, each with the
 * signatures known for it, and its vote once it counts. A claim with k signers
 * has to be here by the end of round k, or it is late. What costs nothing is
 * judged first: a claim that counts already, and one of another epoch, are
 * answered before any signature is verified. Timers: none; the time comes
 * in. */
#include "directory/rounds.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static void
claim_clear(struct rounds_claim *c)
{
    free(c->sig);
    free(c->vote);
    *c = (struct rounds_claim){0};
}

static void
rounds_clear(struct rounds *r)
{
    for (size_t i = 0; i < AUTHORITIES_MAX; i++) {
        for (size_t k = 0; k < r->author[i].n; k++)
            claim_clear(&r->author[i].claim[k]);
        r->author[i].n = r->author[i].counted = 0;
    }
}

void
rounds_begin(struct rounds *r, uint32_t epoch)
{
    rounds_clear(r);
    r->epoch = epoch;
}

static size_t
authority_find(const struct rounds *r, const uint8_t *id)
{
    size_t i = 0;
    while (i < r->schedule.n && memcmp(r->ids[i], id, SPHINX_ID_LEN) != 0)
        i++;
    return i;
}

static unsigned
claim_signatures(const struct rounds_claim *c)
{
    return (unsigned)__builtin_popcount(c->signers);
}

static bool
is_late(const struct rounds *r, const struct rounds_claim *c, uint64_t now_ms)
{
    size_t k = claim_signatures(c), most = schedule_faults(r->schedule.n) + 1;
    return now_ms >=
           schedule_round_ms(&r->schedule, r->epoch, k < most ? k : most);
}

/* Has one of the claim's signers room left? Each may have signed two claims of
 * an author. */
static bool
has_room(const struct rounds *r, size_t author, uint32_t signers)
{
    if (r->author[author].n == ROUNDS_CLAIMS_MAX)
        return false;
    for (size_t i = 0; i < r->schedule.n; i++) {
        unsigned n = 0;
        if (!(signers >> i & 1))
            continue;
        for (size_t k = 0; k < r->author[author].n; k++)
            n += r->author[author].claim[k].signers >> i & 1;
        if (n < ROUNDS_COUNTED_MAX)
            return true;
    }
    return false;
}

/* Take over the signatures of authorities that c does not have yet. */
static int
signatures_merge(const struct rounds *r, struct rounds_claim *c,
                 const struct document *d)
{
    for (size_t i = 0; i < d->n_signers; i++) {
        size_t who = authority_find(r, d->sig[i].signer);
        if (who == r->schedule.n || c->signers >> who & 1)
            continue;
        struct document_signature *more =
            realloc(c->sig, (c->n_sig + 1) * sizeof *more);
        if (!more)
            return ERR_NOMEM;
        c->sig = more;
        c->sig[c->n_sig++] = d->sig[i];
        c->signers |= 1u << who;
    }
    return 0;
}

/* Open a claim: whose is it, of which vote? All certificates have to cover the
 * epoch, and none may be revoked by what a consensus has listed. All
 * authorities know alike what a consensus lists, while some do not know yet of
 * a certificate that came by itself; and the rounds rest on the same judgement
 * everywhere. */
static int
claim_open(const struct rounds *r, struct document *d, struct claim *c,
           const uint8_t *bytes, size_t len, size_t *author)
{
    char where[JSON_WHERE_LEN];
    const size_t n = r->schedule.n;
    int err = document_parse(d, DOCUMENT_CLAIM, bytes, len);
    if (!err)
        err = json_read_claim(c, d->body, d->body_len, where);
    if (!err && strcmp(c->network, r->network) != 0)
        err = ERR_FOREIGN;
    /* before the signatures: whoever has the claims of old epochs, which are
     * public, could have each of them verified again and again */
    if (!err && c->epoch != r->epoch)
        err = c->epoch < r->epoch ? ERR_STALE : ERR_FUTURE;
    if (!err)
        err = document_open(d, DOCUMENT_CLAIM, bytes, len, r->ids, n, 1);
    if (!err && document_signers_at(d, r->ids, n,
                                    schedule_valid_s(&r->schedule, r->epoch),
                                    r->certificates) != d->n_signers)
        err = ERR_PEER;
    if (err)
        return err;
    *author = authority_find(r, c->author);
    for (size_t i = 0; i < d->n_signers; i++)
        if (memcmp(d->sig[i].signer, c->author, SPHINX_ID_LEN) == 0)
            return 0;
    return ERR_PEER;
}

/* Find the claim of an author with this digest, or NULL. */
static struct rounds_claim *
claim_find(struct rounds *r, size_t author, const uint8_t *digest)
{
    for (size_t k = 0; k < r->author[author].n; k++)
        if (memcmp(r->author[author].claim[k].digest, digest, 32) == 0)
            return &r->author[author].claim[k];
    return NULL;
}

/* Find the claim, or make room for it. */
static int
claim_enter(struct rounds *r, const struct document *d, const struct claim *c,
            size_t author, bool always, struct rounds_claim **out)
{
    struct rounds_claim *k = claim_find(r, author, c->digest);
    uint32_t signers = 0;
    *out = k;
    if (k)
        return k->counted ? ERR_DUPLICATE : signatures_merge(r, k, d);
    for (size_t i = 0; i < d->n_signers; i++)
        signers |= 1u << authority_find(r, d->sig[i].signer);
    if (!always && !has_room(r, author, signers))
        return ERR_FULL;
    if (r->author[author].n == ROUNDS_CLAIMS_MAX)
        return ERR_FULL;
    k = &r->author[author].claim[r->author[author].n];
    *k = (struct rounds_claim){.len = c->len};
    memcpy(k->digest, c->digest, sizeof k->digest);
    document_digest(d, k->body);
    int err = signatures_merge(r, k, d);
    if (err) {
        claim_clear(k);
        return err;
    }
    r->author[author].n++;
    *out = k;
    return 0;
}

/* Does this claim count already? Most claims that come do; nothing of those
 * needs to be verified. */
static bool
claim_is_old(const struct rounds *r, struct document *d, const uint8_t *bytes,
             size_t len, size_t *author, size_t *claim)
{
    uint8_t body[32];
    if (document_parse(d, DOCUMENT_CLAIM, bytes, len))
        return false;
    document_digest(d, body);
    for (*author = 0; *author < r->schedule.n; ++*author)
        for (*claim = 0; *claim < r->author[*author].n; ++*claim) {
            const struct rounds_claim *k = &r->author[*author].claim[*claim];
            if (k->counted && memcmp(k->body, body, sizeof body) == 0)
                return true;
        }
    return false;
}

int
rounds_claim(struct rounds *r, const uint8_t *bytes, size_t len,
             uint64_t now_ms, size_t *author, size_t *claim)
{
    struct document *d = malloc(sizeof *d);
    struct rounds_claim *k = NULL;
    struct claim c;
    if (!d)
        return ERR_NOMEM;
    int err = claim_is_old(r, d, bytes, len, author, claim) ? ERR_DUPLICATE : 0;
    if (!err)
        err = claim_open(r, d, &c, bytes, len, author);
    if (err)
        goto out;
    const bool known = claim_find(r, *author, c.digest) != NULL;
    if (!known && r->author[*author].counted == ROUNDS_COUNTED_MAX)
        err = ERR_CONFLICT;
    if (!err)
        err = claim_enter(r, d, &c, *author, false, &k);
    assert(err || k);
    if (k)
        *claim = (size_t)(k - r->author[*author].claim);
    if (!err && is_late(r, k, now_ms))
        err = ERR_TIMEOUT;
    else if (!err && known)
        err = ERR_AGAIN;
out:
    free(d);
    return err;
}

static int
claim_count(struct rounds *r, size_t author, struct rounds_claim *k,
            const uint8_t *vote, size_t len)
{
    char *copy = malloc(len + 1);
    if (!copy)
        return ERR_NOMEM;
    memcpy(copy, vote, len);
    copy[len] = 0;
    k->vote = copy;
    k->counted = true;
    r->author[author].counted++;
    return 0;
}

int
rounds_vote(struct rounds *r, const uint8_t *bytes, size_t len, uint64_t now_ms,
            size_t *author, size_t *claim)
{
    uint8_t digest[32];
    int err = ERR_NOT_FOUND;
    crypto_generichash(digest, sizeof digest, bytes, len, NULL, 0);
    for (size_t i = 0; i < r->schedule.n; i++) {
        struct rounds_claim *k = claim_find(r, i, digest);
        if (!k || k->counted || k->len != len)
            continue;
        if (is_late(r, k, now_ms))
            return ERR_TIMEOUT;
        if (r->author[i].counted == ROUNDS_COUNTED_MAX)
            return ERR_CONFLICT;
        err = claim_count(r, i, k, bytes, len);
        k->missed = err == ERR_NOMEM;
        *author = i;
        *claim = (size_t)(k - r->author[i].claim);
        break;
    }
    return err;
}

int
rounds_load(struct rounds *r, const uint8_t *claim, size_t claim_len,
            const uint8_t *vote, size_t vote_len)
{
    struct document *d = malloc(sizeof *d);
    struct rounds_claim *k = NULL;
    uint8_t digest[32];
    struct claim c;
    size_t author = 0;
    if (!d)
        return ERR_NOMEM;
    int err = claim_open(r, d, &c, claim, claim_len, &author);
    crypto_generichash(digest, sizeof digest, vote, vote_len, NULL, 0);
    if (!err && (c.len != vote_len || memcmp(digest, c.digest, 32) != 0))
        err = ERR_FORMAT;
    if (!err)
        err = claim_enter(r, d, &c, author, true, &k);
    if (!err && r->author[author].counted == ROUNDS_COUNTED_MAX)
        err = ERR_CONFLICT;
    if (!err)
        err = claim_count(r, author, k, vote, vote_len);
    if (!err)
        k->passed = true;
    free(d);
    return err;
}

void
rounds_forget(struct rounds *r, size_t author, size_t claim)
{
    struct rounds_claim *k = &r->author[author].claim[claim];
    r->author[author].counted -= k->counted;
    claim_clear(k);
    memmove(k, k + 1, (--r->author[author].n - claim) * sizeof *k);
    r->author[author].claim[r->author[author].n] = (struct rounds_claim){0};
}

int
rounds_write(struct rounds *r, size_t author, size_t claim,
             const struct document_key *key, uint8_t **out, size_t *len)
{
    struct rounds_claim *k = &r->author[author].claim[claim];
    struct document *d = calloc(1, sizeof *d);
    struct claim c = {.epoch = r->epoch, .len = k->len};
    char *body = NULL;
    *out = NULL;
    if (!d)
        return ERR_NOMEM;
    memcpy(c.network, r->network, sizeof c.network);
    memcpy(c.author, r->ids[author], sizeof c.author);
    memcpy(c.digest, k->digest, sizeof c.digest);
    int err = json_write_claim(&c, &body, &d->body_len);
    d->kind = DOCUMENT_CLAIM;
    d->body = (const uint8_t *)body;
    for (size_t i = 0; i < k->n_sig && !err; i++)
        err = document_add(d, &k->sig[i]);
    const bool sign = key && !(k->signers >> r->self & 1);
    if (!err && sign)
        err = document_sign(d, key);
    if (!err)
        err = document_write(d, out, len);
    if (!err && sign)
        err = signatures_merge(r, k, d);
    if (err) {
        free(*out);
        *out = NULL;
    }
    free(body);
    free(d);
    return err;
}

const char *
rounds_result(const struct rounds *r, size_t author, size_t *len)
{
    if (r->author[author].counted != 1)
        return NULL;
    for (size_t k = 0; k < r->author[author].n; k++)
        if (r->author[author].claim[k].counted) {
            *len = r->author[author].claim[k].len;
            return r->author[author].claim[k].vote;
        }
    return NULL;
}

const char *
rounds_find(const struct rounds *r, const uint8_t digest[static 32],
            size_t *len)
{
    for (size_t i = 0; i < r->schedule.n; i++)
        for (size_t k = 0; k < r->author[i].n; k++) {
            const struct rounds_claim *c = &r->author[i].claim[k];
            if (c->counted && memcmp(c->digest, digest, 32) == 0) {
                *len = c->len;
                return c->vote;
            }
        }
    return NULL;
}
