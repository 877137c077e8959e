/* directory/authority.c - the schedule of an epoch, and what is gathered.
 *
 * States of the epoch being prepared ("target"): OPEN (takes descriptors),
 * VOTED (votes are exchanged), SIGNED (signatures are gathered), DONE
 * (published). At the valid-after time of the target, the next one is opened,
 * whatever came of it.
 *
 * Timer: the next phase. Failure modes: too few votes or signatures (the epoch
 * is left out; counted as THRESHOLD); an authority that votes twice (excluded
 * for the epoch, counted as CONFLICT); no memory (likewise left out). */
#include "directory/authority.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "directory/descriptor.h"
#include "directory/listing.h"
#include "directory/tally.h"
#include "lib/secret.h"

enum state { OPEN = 1, VOTED, PASSED, SIGNED, DONE };

struct ballot {
    uint8_t *bytes; /* the signed vote */
    size_t len;
    bool excluded, fresh; /* fresh: not yet passed on */
    uint8_t *early;       /* its signature, come before the own tally */
    size_t early_len;
};

struct authority {
    struct authority_config config;
    struct network network;
    uint8_t *seed; /* guarded */
    uint8_t ids[AUTHORITIES_MAX][SPHINX_ID_LEN];
    size_t self; /* among the network's authorities */
    enum state state;
    uint32_t target;
    struct ballot ballot[AUTHORITIES_MAX];
    struct listing listing;
    /* the consensus being signed */
    uint8_t *body;
    size_t body_len;
    struct document *signing;
    /* the newest one published */
    struct consensus *newest;
    uint8_t *published;
    size_t published_len;
    struct authority_status status;
};

static uint64_t
valid_after_s(const struct authority *a, uint32_t epoch)
{
    return a->network.genesis_s +
           (uint64_t)(epoch - 1) * a->network.epoch_len_s;
}

/* Milliseconds of a phase before the target, as wall time. */
static uint64_t
phase_ms(const struct authority *a, unsigned permille)
{
    return valid_after_s(a, a->target) * 1000 -
           (uint64_t)a->network.epoch_len_s * permille;
}

static void
target_clear(struct authority *a)
{
    for (size_t i = 0; i < AUTHORITIES_MAX; i++) {
        free(a->ballot[i].bytes);
        free(a->ballot[i].early);
        a->ballot[i] = (struct ballot){0};
    }
    free(a->body);
    free(a->signing);
    a->body = NULL;
    a->signing = NULL;
}

static void
target_open(struct authority *a, uint32_t epoch)
{
    target_clear(a);
    a->target = epoch;
    a->state = OPEN;
    listing_prune(&a->listing, epoch);
}

/* The first epoch whose vote is still to come. */
static uint32_t
target_first(struct authority *a)
{
    uint64_t now_s = env_now_wall_s(a->config.env);
    uint32_t len = a->network.epoch_len_s;
    if (now_s < a->network.genesis_s)
        return 1;
    return (uint32_t)((now_s - a->network.genesis_s) / len) + 2;
}

static void
authority_arm(struct authority *a)
{
    static const unsigned permille[] = {0, 150, 125, 75, 0, 0};
    uint64_t at_ms = phase_ms(a, permille[a->state]);
    uint64_t now_ms = env_now_wall_s(a->config.env) * 1000;
    uint64_t wait_ms = at_ms > now_ms ? at_ms - now_ms : 0;
    /* the wall clock is known to the second, so look again soon */
    if (wait_ms > 100)
        wait_ms = wait_ms > 2000 ? wait_ms - 1000 : 100;
    env_timer(a->config.env,
              env_now_mono_us(a->config.env) + wait_ms * 1000 + 1000);
}

int
authority_new(struct authority **out, const struct authority_config *config)
{
    uint8_t id[SPHINX_ID_LEN], secret[crypto_sign_SECRETKEYBYTES];
    *out = NULL;
    struct authority *a = calloc(1, sizeof *a);
    if (!a)
        return ERR_NOMEM;
    a->config = *config;
    a->network = *config->network;
    a->self = SIZE_MAX;
    a->seed = secret_new(DOCUMENT_SIGN_SEED_LEN);
    if (!a->seed) {
        authority_free(&a);
        return ERR_NOMEM;
    }
    memcpy(a->seed, config->seed, DOCUMENT_SIGN_SEED_LEN);
    crypto_sign_seed_keypair(id, secret, a->seed);
    sodium_memzero(secret, sizeof secret);
    for (size_t i = 0; i < a->network.n_authorities; i++) {
        memcpy(a->ids[i], a->network.authorities[i].identity, SPHINX_ID_LEN);
        if (memcmp(id, a->ids[i], sizeof id) == 0)
            a->self = i;
    }
    if (a->self == SIZE_MAX) {
        authority_free(&a);
        return ERR_NOT_FOUND;
    }
    target_open(a, target_first(a));
    authority_arm(a);
    *out = a;
    return 0;
}

void
authority_free(struct authority **ap)
{
    struct authority *a = *ap;
    *ap = NULL;
    if (!a)
        return;
    target_clear(a);
    listing_free(&a->listing);
    free(a->published);
    consensus_free(&a->newest);
    secret_free((void **)&a->seed);
    free(a);
}

static int
bytes_copy(uint8_t **to, const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len + 1);
    if (!copy)
        return ERR_NOMEM;
    memcpy(copy, bytes, len);
    copy[len] = 0;
    free(*to);
    *to = copy;
    return 0;
}

/* ---- descriptors ---- */

int
authority_descriptor(struct authority *a, const uint8_t *bytes, size_t len,
                     char where[static JSON_WHERE_LEN])
{
    struct descriptor d;
    int err = descriptor_open(&d, a->config.params.geometry.public_len, bytes,
                              len, where);
    if (!err && memchr(bytes, 0, len))
        err = ERR_FORMAT;
    if (!err && strcmp(d.network, a->network.name) != 0)
        err = ERR_FOREIGN;
    if (!err && d.epoch + d.n_keys <= a->target)
        err = ERR_STALE;
    if (!err && d.epoch > a->target + 1)
        err = ERR_FUTURE;
    if (!err && a->config.admit && !a->config.admit(a->config.ctx, &d))
        err = ERR_COMMAND;
    if (!err)
        err = listing_put(&a->listing, &d, bytes, len, a->target);
    if (err)
        a->status.refused[-err]++;
    else if (a->state != OPEN)
        err = ERR_AGAIN;
    return err;
}

/* ---- votes ---- */

/* Signed bytes of a body under the own key. */
static int
body_sign(const struct authority *a, enum document_kind kind,
          const uint8_t *body, size_t body_len, uint8_t **out, size_t *len)
{
    struct document_key key;
    struct document *d = calloc(1, sizeof *d);
    if (!d)
        return ERR_NOMEM;
    d->kind = kind;
    d->body = body;
    d->body_len = body_len;
    document_key_direct(&key, a->seed);
    int err = document_sign(d, &key);
    if (!err)
        err = document_write(d, out, len);
    free(d);
    return err;
}

static int
vote_make(struct authority *a)
{
    struct vote v = {.epoch = a->target, .params = a->config.params};
    struct ballot *own = &a->ballot[a->self];
    char *body = NULL;
    size_t body_len;
    if (own->bytes)
        return 0; /* of an earlier life */
    memcpy(v.network, a->network.name, sizeof v.network);
    if (a->newest)
        memcpy(v.previous, a->newest->digest, sizeof v.previous);
    env_random_crypto(a->config.env, v.random, sizeof v.random);
    int err = listing_texts(&a->listing, a->target, &v.descriptors, &v.n);
    if (!err)
        err = json_write_vote(&v, &body, &body_len);
    if (!err)
        err = body_sign(a, DOCUMENT_VOTE, (uint8_t *)body, body_len,
                        &own->bytes, &own->len);
    free(v.descriptors);
    free(body);
    return err;
}

/* Whose vote, for which epoch? */
static int
vote_open(struct authority *a, const uint8_t *bytes, size_t len, struct vote *v,
          size_t *who)
{
    char where[JSON_WHERE_LEN];
    struct document *d = malloc(sizeof *d);
    if (!d)
        return ERR_NOMEM;
    int err = document_open(d, DOCUMENT_VOTE, bytes, len,
                            (const uint8_t(*)[DOCUMENT_ID_LEN])a->ids,
                            a->network.n_authorities, 1);
    if (!err && d->n_signers != 1)
        err = ERR_FORMAT;
    if (!err)
        err = json_read_vote(v, d->body, d->body_len, where);
    if (!err) {
        for (*who = 0;
             memcmp(a->ids[*who], d->sig[0].signer, SPHINX_ID_LEN) != 0;)
            ++*who;
        if (strcmp(v->network, a->network.name) != 0)
            err = ERR_FOREIGN;
        else if (v->epoch != a->target)
            err = v->epoch < a->target ? ERR_STALE : ERR_FUTURE;
        if (err)
            vote_free(v);
    }
    free(d);
    return err;
}

int
authority_vote(struct authority *a, const uint8_t *bytes, size_t len)
{
    struct vote v;
    size_t who;
    int err =
        a->state >= SIGNED ? ERR_STALE : vote_open(a, bytes, len, &v, &who);
    if (err) {
        a->status.refused[-err]++;
        return err;
    }
    vote_free(&v);
    struct ballot *b = &a->ballot[who];
    if (!b->bytes) {
        err = bytes_copy(&b->bytes, bytes, len);
        b->len = len;
        b->fresh = true;
    } else if (b->len != len || memcmp(b->bytes, bytes, len) != 0) {
        b->excluded = who != a->self;
        err = ERR_CONFLICT;
    }
    if (err)
        a->status.refused[-err]++;
    return err;
}

static void
output(struct authority *a, enum authority_output what, const uint8_t *bytes,
       size_t len)
{
    a->config.publish(a->config.ctx, what, a->target, bytes, len);
}

static void
votes_pass(struct authority *a)
{
    for (size_t i = 0; i < a->network.n_authorities; i++) {
        struct ballot *b = &a->ballot[i];
        if (b->bytes && b->fresh && i != a->self)
            output(a, AUTHORITY_PASS, b->bytes, b->len);
        b->fresh = false;
    }
}

/* ---- the consensus ---- */

/* The votes that count, in the order of identities. */
static size_t
votes_gather(struct authority *a, struct vote *votes)
{
    size_t order[AUTHORITIES_MAX], n = 0, m = 0, who;
    static const uint8_t none[SPHINX_DIGEST_LEN];
    const uint8_t *previous = a->newest ? a->newest->digest : none;
    for (size_t i = 0; i < a->network.n_authorities; i++) {
        size_t k = n++;
        for (; k > 0 &&
               memcmp(a->ids[order[k - 1]], a->ids[i], SPHINX_ID_LEN) > 0;
             k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
    for (size_t i = 0; i < n; i++) {
        struct ballot *b = &a->ballot[order[i]];
        if (!b->bytes || b->excluded ||
            vote_open(a, b->bytes, b->len, &votes[m], &who))
            continue;
        if (memcmp(votes[m].previous, previous, SPHINX_DIGEST_LEN) != 0)
            vote_free(&votes[m]);
        else
            m++;
    }
    return m;
}

static int
consensus_make(struct authority *a)
{
    struct vote *votes = calloc(AUTHORITIES_MAX, sizeof *votes);
    struct consensus *c = NULL;
    char *body = NULL;
    if (!votes)
        return ERR_NOMEM;
    size_t n = votes_gather(a, votes);
    a->status.votes = n;
    int err = tally_votes(&c, votes, n, a->network.n_authorities, a->newest,
                          valid_after_s(a, a->target));
    if (!err)
        err = json_write_consensus(c, &body, &a->body_len);
    if (!err) {
        a->body = (uint8_t *)body;
        a->signing = calloc(1, sizeof *a->signing);
        err = a->signing ? 0 : ERR_NOMEM;
    }
    for (size_t i = 0; i < n; i++)
        vote_free(&votes[i]);
    free(votes);
    consensus_free(&c);
    if (err)
        return err;
    struct document_key key;
    a->signing->kind = DOCUMENT_CONSENSUS;
    a->signing->body = a->body;
    a->signing->body_len = a->body_len;
    document_key_direct(&key, a->seed);
    return document_sign(a->signing, &key);
}

static void
signature_send(struct authority *a)
{
    uint8_t *bytes = NULL;
    size_t len;
    if (document_write(a->signing, &bytes, &len) == 0)
        output(a, AUTHORITY_SIGNATURE, bytes, len);
    free(bytes);
}

/* Clocks differ: the first signature of each signer waits for the tally. */
static int
early_keep(struct authority *a, const struct document *d, const uint8_t *bytes,
           size_t len)
{
    for (size_t i = 0; i < a->network.n_authorities; i++) {
        struct ballot *b = &a->ballot[i];
        if (memcmp(a->ids[i], d->sig[0].signer, SPHINX_ID_LEN) != 0 || b->early)
            continue;
        b->early_len = len;
        return bytes_copy(&b->early, bytes, len);
    }
    return 0;
}

static int
signature_take(struct authority *a, const uint8_t *bytes, size_t len)
{
    struct document *d = malloc(sizeof *d);
    if (!d)
        return ERR_NOMEM;
    int err = document_open(d, DOCUMENT_CONSENSUS, bytes, len,
                            (const uint8_t(*)[DOCUMENT_ID_LEN])a->ids,
                            a->network.n_authorities, 1);
    if (!err && !a->signing) {
        err = early_keep(a, d, bytes, len);
        free(d);
        return err;
    }
    if (!err && (d->body_len != a->body_len ||
                 memcmp(d->body, a->body, a->body_len) != 0))
        err = ERR_CONFLICT;
    for (size_t i = 0; !err && i < d->n_signers; i++) {
        bool known = false;
        for (size_t k = 0; k < a->network.n_authorities; k++)
            known |= memcmp(a->ids[k], d->sig[i].signer, SPHINX_ID_LEN) == 0;
        if (known)
            (void)!document_add(a->signing, &d->sig[i]);
    }
    free(d);
    if (err)
        a->status.refused[-err]++;
    return err;
}

static void
early_take(struct authority *a)
{
    for (size_t i = 0; i < a->network.n_authorities && a->signing; i++)
        if (a->ballot[i].early)
            (void)!signature_take(a, a->ballot[i].early,
                                  a->ballot[i].early_len);
}

int
authority_signature(struct authority *a, const uint8_t *bytes, size_t len)
{
    int err = signature_take(a, bytes, len);
    if (!err)
        authority_tick(a);
    return err;
}

static int
consensus_take(struct authority *a, const uint8_t *bytes, size_t len)
{
    char where[JSON_WHERE_LEN];
    struct consensus *c = NULL;
    struct document *d = malloc(sizeof *d);
    size_t n = a->network.n_authorities;
    if (!d)
        return ERR_NOMEM;
    int err = document_open(d, DOCUMENT_CONSENSUS, bytes, len,
                            (const uint8_t(*)[DOCUMENT_ID_LEN])a->ids, n,
                            document_two_thirds(n));
    if (!err)
        err = json_read_consensus(&c, d->body, d->body_len, where);
    if (!err) {
        document_digest(d, c->digest);
        err = bytes_copy(&a->published, bytes, len);
    }
    free(d);
    if (err) {
        consensus_free(&c);
        return err;
    }
    a->published_len = len;
    consensus_free(&a->newest);
    a->newest = c;
    a->status.epoch = c->epoch;
    return 0;
}

static void
consensus_publish(struct authority *a)
{
    uint8_t *bytes = NULL;
    size_t len;
    if (document_write(a->signing, &bytes, &len))
        return;
    if (consensus_take(a, bytes, len) == 0) {
        output(a, AUTHORITY_CONSENSUS, bytes, len);
        a->state = DONE;
    }
    free(bytes);
}

/* ---- the schedule ---- */

static void
phase_fail(struct authority *a, int err)
{
    a->status.refused[-err]++;
    a->state = DONE;
}

static bool
phase_step(struct authority *a)
{
    uint64_t now_ms = env_now_wall_s(a->config.env) * 1000;
    int err = 0;
    if (a->state == OPEN && now_ms >= phase_ms(a, 150)) {
        a->state = VOTED;
        err = vote_make(a);
        if (!err)
            output(a, AUTHORITY_VOTE, a->ballot[a->self].bytes,
                   a->ballot[a->self].len);
    } else if (a->state == VOTED && now_ms >= phase_ms(a, 125)) {
        a->state = PASSED;
        votes_pass(a);
    } else if (a->state == PASSED && now_ms >= phase_ms(a, 75)) {
        votes_pass(a);
        err = consensus_make(a);
        a->state = SIGNED;
        if (!err) {
            signature_send(a);
            early_take(a);
        }
    } else if (a->state == SIGNED && now_ms >= phase_ms(a, 50) &&
               a->signing->n_signers >=
                   document_two_thirds(a->network.n_authorities)) {
        consensus_publish(a);
    } else if (now_ms >= phase_ms(a, 0)) {
        if (a->state != DONE)
            a->status.refused[-ERR_THRESHOLD]++;
        target_open(a, target_first(a));
    } else {
        return false;
    }
    if (err)
        phase_fail(a, err);
    return true;
}

void
authority_tick(struct authority *a)
{
    while (phase_step(a))
        ;
    authority_arm(a);
}

int
authority_load(struct authority *a, enum authority_output what,
               const uint8_t *bytes, size_t len)
{
    struct vote v;
    size_t who;
    if (what == AUTHORITY_CONSENSUS)
        return consensus_take(a, bytes, len);
    if (what != AUTHORITY_VOTE)
        return ERR_ARG;
    int err = vote_open(a, bytes, len, &v, &who);
    if (err)
        return err;
    vote_free(&v);
    if (who != a->self)
        return ERR_PEER;
    a->ballot[who].len = len;
    return bytes_copy(&a->ballot[who].bytes, bytes, len);
}

const uint8_t *
authority_identity(const struct authority *a)
{
    return a->ids[a->self];
}

const uint8_t *
authority_consensus(const struct authority *a, uint32_t *epoch, size_t *len)
{
    if (!a->published)
        return NULL;
    *epoch = a->newest->epoch;
    *len = a->published_len;
    return a->published;
}

void
authority_status(const struct authority *a, struct authority_status *out)
{
    *out = a->status;
    out->target = a->target;
    out->descriptors = a->listing.n;
    out->signatures = a->signing ? a->signing->n_signers : 0;
}
