/* client/sealing.c - see sealing.h.
 *
 * State: of each conversation its session, and the keys of letters that have not come
 * while later ones have, SEALING_KEPT_MAX at most, the oldest first. They go when their
 * letter comes, or with the days of the chains (conversations_step()). In memory alone,
 * the keys of letters that came last, since two gets may bring one.
 * Timers: keys that were used are wiped RECENT_US after the last of them.
 * Failure modes: no memory or a full disk: a letter is not received, and comes again. */
#include "client/sealing.h"

#include <sodium.h>
#include <string.h>

#include "client/letters/chain.h"
#include "lib/secret.h"

enum { SEALING_KEPT_MAX = 2048, DAY_S = 86400 };
#define RECENT_US 120000000ULL /* longer than a get is under way */

static uint32_t
today(const struct client *c)
{
    return (uint32_t)(client_time_s(c) / DAY_S);
}

void
sealing_key(const struct client *c, const struct conversation *v,
            enum chain_way way, uint32_t period,
            uint8_t key[static LETTER_CHAIN_LEN])
{
    const uint32_t period_s = c->current ? c->current->params.period_s : DAY_S;
    chain_key(&v->chains[way], chain_day(period, period_s), key);
}

/* ---- sealing ---- */

struct session
sealing_copy(const struct conversation *v)
{
    return *v->session;
}

void
sealing_back(struct conversation *v, struct session *copy)
{
    *v->session = *copy;
    sodium_memzero(copy, sizeof *copy);
}

int
sealing_seal(struct client *c, struct conversation *v,
             const struct letter *letter, struct letter_place at, uint8_t *out)
{
    uint8_t key[LETTER_CHAIN_LEN];
    sealing_key(c, v, CHAIN_OUT, at.period, key);
    const int err =
        session_seal(v->session, letter, key, at, out, c->letter_len);
    sodium_memzero(key, sizeof key);
    return err;
}

uint32_t
sealing_generation(struct client *c, const struct conversation *v,
                   const struct out_letter *l)
{
    struct letter_head head;
    uint8_t key[LETTER_CHAIN_LEN];
    sealing_key(c, v, CHAIN_OUT, l->at.period, key);
    const int err = session_own_head(v->session, key, l->at, l->bytes,
                                     c->letter_len, &head);
    sodium_memzero(key, sizeof key);
    return err ? v->session->generation : head.generation;
}

bool
sealing_is_left(const struct conversation *v, const struct out_letter *l)
{
    return l->sequence > 0 && v->session->state == SESSION_OPEN &&
           l->generation < v->session->generation;
}

/* ---- opening ---- */

/* Find a letter's key among so many. */
static struct kept_key *
key_find(struct kept_key *of, size_t count, uint32_t generation, uint32_t step,
         uint32_t n)
{
    for (size_t i = 0; i < count; i++)
        if (of[i].generation == generation && of[i].step == step &&
            of[i].n == n)
            return &of[i];
    return NULL;
}

static struct kept_key *
kept_find(const struct conversation *v, uint32_t generation, uint32_t step,
          uint32_t n)
{
    return key_find(v->kept, v->n_kept, generation, step, n);
}

/* Find a key that was used of late. */
static const struct kept_key *
recent_find(const struct conversation *v, uint32_t generation, uint32_t step,
            uint32_t n)
{
    const size_t count = v->n_recent < RECENT_KEYS ? v->n_recent : RECENT_KEYS;
    return key_find(v->secrets->recent, count, generation, step, n);
}

/* Find the kept key that has opened a letter; NULL: it was another. */
static struct kept_key *
kept_of(const struct conversation *v, const struct session_step *step)
{
    return step->is_kept
               ? kept_find(v, step->generation, step->head.step, step->head.n)
               : NULL;
}

static bool
kept_read(void *ctx, uint32_t generation, uint32_t step, uint32_t n,
          uint8_t key[static LETTER_KEY_LEN])
{
    const struct kept_key *k = kept_find(ctx, generation, step, n);
    if (!k)
        k = recent_find(ctx, generation, step, n);
    if (k)
        memcpy(key, k->key, sizeof k->key);
    return k != NULL;
}

/* Make room for so many keys more. */
static int
kept_reserve(struct conversation *v, size_t more)
{
    size_t room = v->kept_room > 0 ? v->kept_room : 8;
    if (v->n_kept + more <= v->kept_room)
        return 0;
    while (room < v->n_kept + more)
        room *= 2;
    struct kept_key *kept = secret_new(room * sizeof *kept);
    if (!kept)
        return ERR_NOMEM;
    if (v->n_kept > 0)
        memcpy(kept, v->kept, v->n_kept * sizeof *kept);
    secret_free((void **)&v->kept);
    v->kept = kept;
    v->kept_room = room;
    return 0;
}

/* Take the n oldest keys out of the list. */
static void
kept_drop(struct conversation *v, size_t n)
{
    memmove(v->kept, v->kept + n, (v->n_kept - n) * sizeof v->kept[0]);
    sodium_memzero(v->kept + v->n_kept - n, n * sizeof v->kept[0]);
    v->n_kept -= n;
}

/* Count the oldest keys that go so that there is room for so many more, and those of days
 * before this one. */
static size_t
kept_over(const struct conversation *v, size_t more, uint32_t day)
{
    size_t n = 0;
    while (n < v->n_kept &&
           (v->n_kept - n + more > SEALING_KEPT_MAX || v->kept[n].day < day))
        n++;
    return n;
}

/* Journal that the n oldest keys go. */
static int
kept_delete(struct client *c, const struct conversation *v, size_t n)
{
    int err = 0;
    for (size_t i = 0; i < n && !err; i++)
        err = record_kept_delete(c->journal, v->id, &v->kept[i]);
    return err;
}

/* Forget the oldest keys, so that there is room for so many more. */
static int
kept_evict(struct client *c, struct conversation *v, size_t more)
{
    const size_t n = kept_over(v, more, 0);
    if (n == 0)
        return 0;
    journal_begin(c->journal);
    const int err = journal_finish(c->journal, kept_delete(c, v, n));
    if (!err)
        kept_drop(v, n);
    return err;
}

int
sealing_open(struct client *c, struct conversation *v, struct letter_place at,
             uint8_t *bytes, struct session_step *step)
{
    uint8_t key[LETTER_CHAIN_LEN];
    uint8_t fresh[RATCHET_KEY_LEN], fresh_share[MLKEM_SEED_LEN];
    const struct session_context context = {
        .day = today(c),
        .latest =
            client_time_is_known(c) ? (uint32_t)client_time_s(c) + DAY_S : 0,
        .fresh = fresh,
        .fresh_share = fresh_share,
        .kept = kept_read,
        .ctx = v};
    env_random_crypto(c->env, fresh, sizeof fresh);
    env_random_crypto(c->env, fresh_share, sizeof fresh_share);
    sealing_key(c, v, CHAIN_IN, at.period, key);
    int err =
        session_open(v->session, key, at, &context, bytes, c->letter_len, step);
    sodium_memzero(key, sizeof key);
    sodium_memzero(fresh, sizeof fresh);
    sodium_memzero(fresh_share, sizeof fresh_share);
    if (err)
        return err;
    size_t more = 1;
    for (size_t i = 0; i < 2; i++)
        more += step->gap[i].end - step->gap[i].n;
    err = kept_evict(c, v, more);
    return err ? err : kept_reserve(v, more);
}

/* Keep a key, behind all others. */
static int
kept_add(struct client *c, struct conversation *v, const struct kept_key *k)
{
    const int err = record_kept_save(c->journal, v->id, k);
    if (!err)
        v->kept[v->n_kept++] = *k;
    return err;
}

/* Keep the keys of letters that have not come. */
static int
gaps_keep(struct client *c, struct conversation *v,
          const struct session_step *step)
{
    struct kept_key k = {.generation = step->generation, .day = today(c)};
    int err = 0;
    for (size_t i = 0; i < 2 && !err; i++) {
        struct ratchet_gap gap = step->gap[i];
        k.step = gap.step;
        while (!err && ratchet_gap_next(&gap, &k.n, k.key))
            err = kept_add(c, v, &k);
        sodium_memzero(&gap, sizeof gap);
    }
    sodium_memzero(&k, sizeof k);
    return err;
}

int
sealing_take(struct client *c, struct conversation *v,
             const struct session_step *step, bool again)
{
    int err = 0;
    if (v->removed) { /* what is late is passed over */
        *v->session = step->next;
        return 0;
    }
    const struct kept_key *kept = kept_of(v, step);
    if (kept && !again)
        err = record_kept_delete(c->journal, v->id, kept);
    else if (step->by_ratchet && !step->is_kept) {
        struct kept_key k = {.generation = step->generation,
                             .step = step->head.step,
                             .n = step->head.n,
                             .day = today(c)};
        memcpy(k.key, step->key, sizeof k.key);
        err = gaps_keep(c, v, step);
        if (!err && again)
            err = kept_add(c, v, &k);
        sodium_memzero(&k, sizeof k);
    }
    *v->session = step->next;
    return err;
}

/* Remember a key that was used. */
static void
recent_add(struct client *c, struct conversation *v,
           const struct session_step *step)
{
    struct kept_key *k = &v->secrets->recent[v->n_recent++ % RECENT_KEYS];
    *k = (struct kept_key){.generation = step->generation,
                           .step = step->head.step,
                           .n = step->head.n};
    memcpy(k->key, step->key, sizeof k->key);
    v->recent_until_us = env_now_mono_us(c->env) + RECENT_US;
}

void
sealing_age(struct conversation *v, uint64_t now_us)
{
    if (v->n_recent == 0 || now_us < v->recent_until_us)
        return;
    sodium_memzero(v->secrets->recent, sizeof v->secrets->recent);
    v->n_recent = 0;
}

void
sealing_taken(struct client *c, struct conversation *v,
              const struct session_step *step, bool again)
{
    if (!step->by_ratchet || again)
        return;
    if (!recent_find(v, step->generation, step->head.step, step->head.n))
        recent_add(c, v, step);
    struct kept_key *k = kept_of(v, step);
    if (!k)
        return;
    const size_t i = (size_t)(k - v->kept);
    memmove(k, k + 1, (v->n_kept - i - 1) * sizeof *k);
    v->n_kept--;
    sodium_memzero(&v->kept[v->n_kept], sizeof *k);
}

/* ---- the disk ---- */

int
sealing_forget(struct client *c, struct conversation *v, uint32_t day)
{
    struct session *s = v->session;
    if (s->has_before && s->before_day < day) {
        sodium_memzero(&s->before, sizeof s->before);
        s->has_before = false;
    }
    if (s->expiry_h / 24 < day)
        session_uninvite(s);
    return kept_delete(c, v, kept_over(v, 0, day));
}

void
sealing_forgotten(struct conversation *v, uint32_t day)
{
    const size_t n = kept_over(v, 0, day);
    if (n > 0)
        kept_drop(v, n);
}

int
sealing_load(struct conversation *v, const struct record_key *key,
             const uint8_t *value, size_t len)
{
    struct kept_key k;
    int err = record_kept_read(&k, key, value, len);
    if (!err && v->n_kept >= SEALING_KEPT_MAX)
        err = ERR_FULL;
    if (!err)
        err = kept_reserve(v, 1);
    if (!err)
        v->kept[v->n_kept++] = k;
    sodium_memzero(&k, sizeof k);
    return err;
}

int
sealing_erase(struct client *c, const struct conversation *v)
{
    return kept_delete(c, v, v->n_kept);
}

void
sealing_empty(struct conversation *v)
{
    secret_free((void **)&v->kept);
    v->n_kept = v->kept_room = 0;
}
