/* directory/authority.c - the schedule of an epoch, and what comes in.
 *
 * State: the phase that comes next for the epoch being prepared ("target").
 *
 *   HELLO -> VOTE -> OPEN -> SIGN -> PUBLISH -> VALID -> HELLO of the next one
 *
 *   HELLO    say hello, with the certificate
 *   VOTE     make the own vote, keep it, send its claim
 *   OPEN     the votes that count are fixed: read them, open the own shares
 *   SIGN     from here on, whenever shares or signatures come: compute, sign,
 *            keep, send; publish with signatures of more than two thirds
 *   PUBLISH  whoever has no consensus yet asks the others, now and then
 *   VALID    on to the next target, whatever came of this one
 *
 * Between, documents are taken at any time: claims and votes as the rounds have
 * it, shares and signatures even before the own clock says so, since clocks
 * differ; the first of each authority counts.
 *
 * A clock that is not believed stops all that; one that is believed and has
 * gone back to before a phase that is done begins the epoch it speaks of anew.
 *
 * Timers: the next phase; asking again. Failure modes: too few votes, shares or
 * signatures, and votes that cannot be made into a consensus (counted; the
 * epoch is left out unless the others publish); an authority that contradicts
 * itself (CONFLICT, with evidence); no memory (tried again as long as the phase
 * lasts); no disk (the phase is left out). */
#include "directory/authority.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "directory/authority_internal.h"
#include "lib/secret.h"

enum { ASK_PERMILLE = 20, ASK_MS = 250, LOOK_MS = 1000, RETRY_MS = 100 };

/* ---- life ---- */

static void
target_open(struct authority *a, uint32_t epoch)
{
    for (size_t i = 0; i < AUTHORITIES_MAX; i++) {
        struct colleague *c = &a->colleague[i];
        free(c->claim);
        free(c->shares);
        free(c->shares_doc);
        free(c->note_doc);
        *c = (struct colleague){
            .seen = c->seen, .has_cert = c->has_cert, .cert = c->cert};
    }
    votes_clear(a);
    free(a->body);
    a->body = NULL;
    a->hopeless = a->to_sign = false;
    a->retry_ms = 0;
    rounds_begin(&a->rounds, epoch);
    memset(a->recent, 0, sizeof a->recent); /* they were judged by another */
    a->target = epoch;
    a->next = SCHEDULE_HELLO;
    const uint32_t needed = newest_epoch(a) + 1;
    listing_prune(&a->listing, epoch,
                  a->newest && needed < epoch ? needed : epoch);
}

/* Prepare another epoch, with the votes that were kept of it, since it may have
 * been begun before. */
static void
target_move(struct authority *a, uint32_t epoch)
{
    target_open(a, epoch);
    /* those which it abstains from by a clock that was wrong */
    if (a->abstains > epoch + EPOCHS_USABLE)
        a->abstains = epoch + 1;
    if (a->config.recall &&
        authority_count(a, a->config.recall(a->config.ctx, epoch)))
        a->abstains = epoch;
}

static void
authority_arm(struct authority *a)
{
    struct env *env = a->config.env;
    const uint64_t now_ms = env_now_wall_ms(env),
                   mono_ms = env_now_mono_us(env) / 1000;
    const uint64_t at_ms = a->retry_ms
                               ? a->retry_ms
                               : schedule_ms(&a->schedule, a->target, a->next);
    /* the wall clock may be set, so look again soon */
    uint64_t wait_ms = !clock_look(a)   ? LOOK_MS
                       : at_ms > now_ms ? at_ms - now_ms
                                        : 0;
    if (a->ask_now)
        wait_ms = 0;
    else if (a->ask_ms && a->ask_ms < mono_ms + wait_ms)
        wait_ms = a->ask_ms > mono_ms ? a->ask_ms - mono_ms : 0;
    if (wait_ms > LOOK_MS)
        wait_ms = LOOK_MS;
    env_timer(env, env_now_mono_us(env) + wait_ms * 1000);
}

static int
id_order(const void *x, const void *y)
{
    return memcmp(x, y, SPHINX_ID_LEN);
}

int
authority_rekey(struct authority *a, const struct document_key *key,
                const uint8_t *const share_secret[AUTHORITY_SHARE_KEYS])
{
    uint8_t *seed, *share[AUTHORITY_SHARE_KEYS] = {0};
    if (!key->cert || !share_secret[0])
        return ERR_ARG;
    seed = secret_new(DOCUMENT_SIGN_SEED_LEN);
    bool good = seed != NULL;
    for (size_t i = 0; i < AUTHORITY_SHARE_KEYS && good; i++) {
        share[i] = share_secret[i] ? secret_new(SHARE_LEN) : NULL;
        good = !share_secret[i] || share[i];
        if (share[i])
            memcpy(share[i], share_secret[i], SHARE_LEN);
    }
    for (size_t i = 0; i < AUTHORITY_SHARE_KEYS; i++)
        secret_free((void **)(good ? &a->share_secret[i] : &share[i]));
    secret_free((void **)(good ? &a->seed : &seed));
    if (!good)
        return ERR_NOMEM;
    memcpy(seed, key->seed, DOCUMENT_SIGN_SEED_LEN);
    memcpy(a->share_secret, share, sizeof share);
    a->seed = seed;
    a->cert = *key->cert;
    a->key = *key;
    a->key.seed = a->seed;
    a->key.cert = &a->cert;
    a->colleague[a->self].has_cert = true;
    a->colleague[a->self].cert = a->cert;
    return 0;
}

int
authority_new(struct authority **out, const struct authority_config *config)
{
    *out = NULL;
    struct authority *a = calloc(1, sizeof *a);
    int err = a ? 0 : ERR_NOMEM;
    if (err)
        return err;
    a->config = *config;
    a->config.key = (struct document_key){0}; /* only copies from here on */
    memset(a->config.share_secret, 0, sizeof a->config.share_secret);
    a->network = *config->network;
    a->n = a->self = a->network.n_authorities;
    for (size_t i = 0; i < a->n; i++)
        memcpy(a->ids[i], a->network.authorities[i].identity, SPHINX_ID_LEN);
    qsort(a->ids, a->n, sizeof a->ids[0], id_order);
    for (size_t i = 0; i < a->n; i++)
        if (memcmp(config->key.identity, a->ids[i], SPHINX_ID_LEN) == 0)
            a->self = i;
    err = a->self == a->n
              ? ERR_NOT_FOUND
              : authority_rekey(a, &config->key, config->share_secret);
    if (err) {
        authority_free(&a);
        return err;
    }
    a->schedule =
        (struct schedule){a->network.genesis_s, a->network.epoch_len_s, a->n};
    a->rounds.schedule = a->schedule;
    a->rounds.ids = (const uint8_t(*)[SPHINX_ID_LEN])a->ids;
    a->rounds.self = a->self;
    a->rounds.certificates = &a->certificates;
    memcpy(a->rounds.network, a->network.name, sizeof a->rounds.network);
    target_open(a, clock_epoch(a));
    if (config->abstain)
        a->abstains = a->target;
    a->ask_now = true; /* for what was missed while it was away */
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
    target_open(a, 0);
    listing_free(&a->listing);
    free(a->hello);
    free(a->published);
    consensus_free(&a->newest);
    secret_free((void **)&a->seed);
    for (size_t i = 0; i < AUTHORITY_SHARE_KEYS; i++)
        secret_free((void **)&a->share_secret[i]);
    free(a);
}

/* ---- the schedule ---- */

static int
hello_send(struct authority *a)
{
    struct hello h = {.epoch = a->target};
    char *body = NULL;
    uint8_t *doc;
    size_t len;
    memcpy(h.network, a->network.name, sizeof h.network);
    a->colleague[a->self].seen = a->target;
    int err = json_write_hello(&h, &body, &len);
    if (!err)
        err = authority_sign_body(a, DOCUMENT_HELLO, body, len, &doc, &len);
    if (err)
        return err;
    free(a->hello);
    a->hello = doc;
    a->hello_len = len;
    return authority_output(a, AUTHORITY_SEND, doc, len);
}

/* Has the own vote a chance to count everywhere, and was none cast yet? */
static bool
may_vote(struct authority *a, uint64_t now_ms)
{
    return newest_epoch(a) < a->target &&
           promises_allow(&a->promises[PROMISE_VOTE], a->target, NULL) &&
           !(a->abstains && a->target <= a->abstains) &&
           now_ms < schedule_round_ms(&a->schedule, a->target, 1);
}

static int
phase_do(struct authority *a, uint64_t now_ms)
{
    int err = 0;
    switch (a->next) {
    case SCHEDULE_HELLO:
        return hello_send(a);
    case SCHEDULE_VOTE:
        if (a->rounds.author[a->self].counted > 0)
            return vote_repeat(a);
        if (!may_vote(a, now_ms))
            return 0;
        /* where no relay is known, by a wrong clock say, the epoch's one vote
         * is not given away */
        return listing_serves(&a->listing, a->target) ? vote_make(a)
                                                      : ERR_NOT_FOUND;
    case SCHEDULE_OPEN:
        err = votes_open(a);
        return err ? err : shares_send(a);
    default:
        return 0;
    }
}

/* Has the clock gone back to before what was done by it, by more than clocks
 * may differ? */
static bool
clock_is_back(const struct authority *a, uint64_t now_ms)
{
    const uint64_t most_ms =
        now_ms + (uint64_t)a->network.epoch_len_s * SCHEDULE_MARGIN_PERMILLE;
    return schedule_epoch(&a->schedule, SCHEDULE_VALID, most_ms) < a->target ||
           (a->next > SCHEDULE_HELLO &&
            most_ms < schedule_ms(&a->schedule, a->target, a->next - 1));
}

static bool
phase_step(struct authority *a)
{
    const uint64_t now_ms = env_now_wall_ms(a->config.env);
    if (!clock_look(a)) {
        a->doubts = true;
        return false;
    }
    if (a->doubts) { /* what came meanwhile was not listened to */
        a->doubts = false;
        a->ask_now = true;
    }
    if (clock_is_back(a, now_ms)) {
        target_move(a, clock_epoch(a));
        a->ask_now = true; /* for what the others have of that epoch */
        return true;
    }
    if (now_ms >= schedule_ms(&a->schedule, a->target, SCHEDULE_VALID)) {
        if (newest_epoch(a) < a->target)
            a->status.refused[-ERR_THRESHOLD]++;
        target_move(a, clock_epoch(a));
        (void)authority_count(a, hello_send(a));
        return true;
    }
    if (now_ms < schedule_ms(&a->schedule, a->target, a->next) ||
        (now_ms < a->retry_ms && a->retry_ms - now_ms <= RETRY_MS))
        return false;
    int err = authority_count(a, phase_do(a, now_ms));
    const uint64_t retry_ms = now_ms + RETRY_MS;
    a->retry_ms =
        err == ERR_NOMEM &&
                retry_ms < schedule_ms(&a->schedule, a->target, a->next + 1)
            ? retry_ms
            : 0;
    if (a->retry_ms)
        return false;
    a->next++;
    (void)authority_count(a, consensus_step(a));
    return true;
}

/* Tell the epoch of the newest consensus that there could be, seen from
 * here. */
static uint32_t
epoch_due(const struct authority *a)
{
    return a->next > SCHEDULE_PUBLISH ? a->target : a->target - 1;
}

static void
ask_step(struct authority *a)
{
    const uint64_t now_ms = env_now_mono_us(a->config.env) / 1000;
    const uint64_t every_ms =
        (uint64_t)a->network.epoch_len_s * ASK_PERMILLE + ASK_MS;
    /* a consensus that others have may bear the clock out */
    if (a->n == 1 ||
        (!a->ask_now && newest_epoch(a) >= epoch_due(a) && clock_look(a))) {
        a->ask_now = false;
        a->ask_ms = 0;
        return;
    }
    if (!a->ask_now && now_ms < a->ask_ms)
        return;
    a->ask_now = false;
    a->ask_ms = now_ms + every_ms;
    (void)authority_count(a, authority_output(a, AUTHORITY_ASK, NULL, 0));
}

void
authority_tick(struct authority *a)
{
    while (phase_step(a))
        ;
    claims_again(a);
    (void)authority_count(a, consensus_step(a));
    ask_step(a);
    authority_arm(a);
}

/* ---- for those who ask ---- */

uint32_t
authority_target(const struct authority *a)
{
    return a->target;
}

bool
authority_is_sure(struct authority *a)
{
    return clock_look(a);
}

bool
authority_is_revoked(const struct authority *a)
{
    return certificates_revoke(&a->certificates, a->ids[a->self], &a->cert,
                               schedule_valid_s(&a->schedule, a->target));
}

uint32_t
authority_floor(struct authority *a)
{
    const uint32_t done = newest_epoch(a), most = AUTHORITY_VOTES_EPOCHS;
    const uint32_t old = a->target > most ? a->target - most : 0;
    return done > a->target ? a->target : done > old ? done : old;
}

bool
authority_lists(const struct authority *a,
                const uint8_t identity[static SPHINX_ID_LEN])
{
    return listing_has(&a->listing, identity, a->target);
}

void
authority_forget(struct authority *a,
                 const uint8_t identity[static SPHINX_ID_LEN])
{
    listing_drop(&a->listing, identity);
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

const struct consensus *
authority_newest(const struct authority *a)
{
    return a->newest;
}

const uint8_t *
authority_vote(const struct authority *a, const uint8_t digest[static 32],
               size_t *len)
{
    return (const uint8_t *)rounds_find(&a->rounds, digest, len);
}

void
authority_documents(struct authority *a,
                    void (*each)(void *ctx, const uint8_t *bytes, size_t len),
                    void *ctx)
{
    if (a->hello)
        each(ctx, a->hello, a->hello_len);
    for (size_t i = 0; i < a->n; i++) {
        const struct colleague *c = &a->colleague[i];
        for (size_t k = 0; k < a->rounds.author[i].n; k++) {
            uint8_t *bytes;
            size_t len;
            /* whoever asks and gets less asks again */
            if (!a->rounds.author[i].claim[k].counted ||
                authority_count(
                    a, rounds_write(&a->rounds, i, k, NULL, &bytes, &len)))
                continue;
            each(ctx, bytes, len);
            free(bytes);
        }
        if (c->shares_doc)
            each(ctx, c->shares_doc, c->shares_len);
        if (c->note_doc)
            each(ctx, c->note_doc, c->note_len);
    }
}

void
authority_status(const struct authority *a, struct authority_status *out)
{
    *out = a->status;
    out->target = a->target;
    out->descriptors = a->listing.n;
    out->n = a->n;
    for (size_t i = 0; i < a->n; i++) {
        const struct colleague *c = &a->colleague[i];
        memcpy(out->other[i].identity, a->ids[i], SPHINX_ID_LEN);
        out->other[i].seen = c->seen;
        out->other[i].voted = a->rounds.author[i].counted == 1;
        out->other[i].lies = c->evident || a->rounds.author[i].counted > 1;
        out->other[i].opened = c->shares != NULL;
        out->other[i].signed_ = c->has_note;
        out->other[i].until_s = c->has_cert ? c->cert.until_s : 0;
    }
}
