/* relay/board.c - tokens that wait, those that were listed, and making a list.
 *
 * State: an array of tokens that wait, of (BOARD_WAIT + 1) lists at most, since
 * whoever is further behind cannot come on any of them; of each epoch in which
 * a listed token's work may still count a hash set of 64 keyed bits a token;
 * the root of the list made last. Nothing is kept on a disk.
 *
 * Timers: the caller's, who closes an interval when it is over.
 *
 * Failure modes: more tokens than places (those worth least are given up and
 * counted); no memory to remember what is listed (the list has random entries
 * alone, and the tokens wait on). */
#include "relay/board.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "network/work.h"
#include "relay/moments.h"

enum {
    WAITING_MAX = (BOARD_WAIT + 1) * LIST_ENTRIES_MAX,
    /* a proof is made for an epoch before, of, or after that in which its token
     * is listed, and counts for WORK_EPOCHS */
    SETS = WORK_EPOCHS + 1,
    SET_MIN = 1024
};

struct waiting_token {
    uint8_t token[LIST_TOKEN_LEN];
    uint64_t since_ms; /* begin of the interval in which it came */
    uint32_t draw;     /* among those of one worth the highest is first */
    uint8_t worth;
};

/* The tokens listed in an epoch: open addressing, at most half full. */
struct used {
    uint32_t epoch;
    size_t n, room; /* room: a power of two, 0: nothing was listed */
    uint64_t *hash; /* 0: empty */
};

struct board {
    struct env *env;
    uint64_t begun_us;  /* by the steady clock, which no step moves */
    uint64_t listed_ms; /* begin of the interval listed last */
    struct moments listed;
    uint32_t epoch; /* of the root; 0: there is none */
    uint8_t root[LIST_ROOT_LEN];
    uint8_t key[crypto_shorthash_KEYBYTES];
    struct used used[SETS]; /* by epoch modulo SETS */
    size_t n;
    struct waiting_token waiting[WAITING_MAX];
};

int
board_new(struct board **out, struct env *env)
{
    struct board *b = calloc(1, sizeof *b);
    *out = b;
    if (!b)
        return ERR_NOMEM;
    b->env = env;
    b->begun_us = env_now_mono_us(env);
    env_random_crypto(env, b->key, sizeof b->key);
    return 0;
}

void
board_free(struct board **bp)
{
    struct board *b = *bp;
    *bp = NULL;
    if (!b)
        return;
    for (size_t i = 0; i < SETS; i++)
        free(b->used[i].hash);
    sodium_memzero(b, sizeof *b);
    free(b);
}

size_t
board_waiting(const struct board *b)
{
    return b->n;
}

/* ---- what was listed ---- */

static uint64_t
token_hash(const struct board *b, const uint8_t *token)
{
    uint64_t hash;
    crypto_shorthash((uint8_t *)&hash, token, LIST_TOKEN_LEN, b->key);
    return hash ? hash : 1;
}

/* Find the place of a hash, or the empty place where it would be. */
static size_t
used_find(const struct used *u, uint64_t hash)
{
    size_t at = (size_t)hash & (u->room - 1);
    while (u->hash[at] != 0 && u->hash[at] != hash)
        at = (at + 1) & (u->room - 1);
    return at;
}

static bool
board_has_listed(const struct board *b, uint32_t epoch, const uint8_t *token)
{
    const uint64_t hash = token_hash(b, token);
    for (size_t i = 0; i < SETS; i++) {
        const struct used *u = &b->used[i];
        if (u->room > 0 && u->epoch + SETS > epoch &&
            u->hash[used_find(u, hash)] == hash)
            return true;
    }
    return false;
}

/* Make room for n more in an epoch's set; the set of an epoch that is long past
 * is forgotten for that. */
static int
used_reserve(struct used *u, uint32_t epoch, size_t n)
{
    if (u->epoch != epoch) {
        free(u->hash);
        *u = (struct used){.epoch = epoch};
    }
    size_t room = u->room ? u->room : SET_MIN;
    while (room < 2 * (u->n + n))
        room *= 2;
    if (room == u->room)
        return 0;
    struct used more = {.epoch = epoch, .n = u->n, .room = room};
    more.hash = calloc(room, sizeof *more.hash);
    if (!more.hash)
        return ERR_NOMEM;
    for (size_t i = 0; i < u->room; i++)
        if (u->hash[i] != 0)
            more.hash[used_find(&more, u->hash[i])] = u->hash[i];
    free(u->hash);
    *u = more;
    return 0;
}

static void
used_add(struct used *u, uint64_t hash)
{
    const size_t at = used_find(u, hash);
    u->n += u->hash[at] == 0;
    u->hash[at] = hash;
}

/* ---- what waits ---- */

/* Compare two tokens; the greater one is listed first. */
static int
waiting_compare(const struct waiting_token *a, const struct waiting_token *b)
{
    if (a->worth != b->worth)
        return a->worth > b->worth ? 1 : -1;
    return a->draw > b->draw ? 1 : a->draw < b->draw ? -1 : 0;
}

static int
waiting_order(const void *a, const void *b)
{
    return waiting_compare(b, a);
}

int
board_take(struct board *b, const struct consensus *c, uint32_t interval,
           const uint8_t token[static LIST_TOKEN_LEN], uint8_t worth)
{
    const size_t room = (BOARD_WAIT + 1u) * c->params.list_entries;
    struct waiting_token *least = NULL;
    struct waiting_token made = {
        .since_ms = list_interval_start_ms(&c->params, interval),
        .worth = worth};
    if (board_has_listed(b, c->epoch, token))
        return ERR_USED;
    for (size_t i = 0; i < b->n; i++) {
        struct waiting_token *w = &b->waiting[i];
        if (memcmp(w->token, token, LIST_ENTRY_LEN) == 0)
            return ERR_DUPLICATE;
        if (!least || waiting_compare(w, least) < 0)
            least = w;
    }
    memcpy(made.token, token, sizeof made.token);
    env_random_crypto(b->env, &made.draw, sizeof made.draw);
    if (b->n < room && b->n < WAITING_MAX) {
        b->waiting[b->n++] = made;
        return 0;
    }
    if (least && waiting_compare(&made, least) > 0)
        *least = made;
    return ERR_FULL;
}

/* Give up those that have waited for BOARD_WAIT lists after their first, now
 * that the interval that began at start_ms is listed. Returns how many. */
static uint32_t
waiting_expire(struct board *b, const struct params *p, uint64_t start_ms)
{
    const uint64_t wait_ms = (uint64_t)BOARD_WAIT * p->list_interval_ms;
    const size_t n = b->n;
    b->n = 0;
    for (size_t i = 0; i < n; i++)
        if (start_ms < b->waiting[i].since_ms + wait_ms)
            b->waiting[b->n++] = b->waiting[i];
    return (uint32_t)(n - b->n);
}

/* ---- a list ---- */

bool
board_may_list(const struct board *b, const struct params *p, uint32_t interval)
{
    const uint64_t start_ms = list_interval_start_ms(p, interval);
    const uint64_t lived_ms = (env_now_mono_us(b->env) - b->begun_us) / 1000;
    return interval > 0 && start_ms + lived_ms > env_now_wall_ms(b->env) &&
           !moments_has(&b->listed, start_ms);
}

static int
entry_order(const void *a, const void *b)
{
    return memcmp(a, b, LIST_ENTRY_LEN);
}

/* Draw the entries from `from` on, and sort all n. None may stand twice; of two
 * that are the same, it does not matter which is drawn again. */
static void
entries_finish(struct env *env, uint8_t *entry, size_t from, size_t n)
{
    bool again = true;
    env_random_crypto(env, entry + from * LIST_ENTRY_LEN,
                      (n - from) * LIST_ENTRY_LEN);
    while (again) {
        again = false;
        qsort(entry, n, LIST_ENTRY_LEN, entry_order);
        for (size_t i = 1; i < n; i++) {
            uint8_t *at = entry + i * LIST_ENTRY_LEN;
            if (entry_order(at - LIST_ENTRY_LEN, at) != 0)
                continue;
            env_random_crypto(env, at, LIST_ENTRY_LEN);
            again = true;
        }
    }
}

/* Put the tokens that came after the interval that began at start_ms behind the
 * others; such as came later than in the next one came by a clock that was wrong,
 * before now. Returns how many the others are: they are sorted, the first to be
 * listed first. */
static size_t
waiting_sort(struct board *b, const struct params *p, uint64_t start_ms)
{
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++)
        if (b->waiting[i].since_ms > start_ms + p->list_interval_ms)
            b->waiting[i].since_ms = start_ms;
    for (size_t i = 0; i < b->n; i++)
        if (b->waiting[i].since_ms <= start_ms) {
            const struct waiting_token w = b->waiting[i];
            b->waiting[i] = b->waiting[n];
            b->waiting[n++] = w;
        }
    if (n > 0)
        qsort(b->waiting, n, sizeof b->waiting[0], waiting_order);
    return n;
}

/* Take the first of the tokens that wait out, into entry[], and remember them.
 * Returns how many. */
static uint32_t
entries_take(struct board *b, const struct consensus *c, uint64_t start_ms,
             uint8_t *entry, bool *short_of_memory)
{
    struct used *used = &b->used[c->epoch % SETS];
    size_t n = waiting_sort(b, &c->params, start_ms);
    if (n > c->params.list_entries)
        n = c->params.list_entries;
    *short_of_memory = n > 0 && used_reserve(used, c->epoch, n) != 0;
    if (n == 0 || *short_of_memory)
        return 0;
    for (size_t i = 0; i < n; i++) {
        memcpy(entry + i * LIST_ENTRY_LEN, b->waiting[i].token, LIST_ENTRY_LEN);
        used_add(used, token_hash(b, b->waiting[i].token));
    }
    b->n -= n;
    memmove(b->waiting, b->waiting + n, b->n * sizeof b->waiting[0]);
    return (uint32_t)n;
}

void
board_close(struct board *b, const struct consensus *c, uint8_t index,
            uint32_t interval, const uint8_t seed[static SPHINX_SEED_LEN],
            uint8_t *list, struct board_closed *closed)
{
    uint8_t entry[LIST_ENTRIES_MAX * LIST_ENTRY_LEN];
    const size_t len = list_len(&c->params);
    const uint64_t start_ms = list_interval_start_ms(&c->params, interval);
    const bool goes_on = b->epoch == c->epoch && start_ms > b->listed_ms;
    const struct board_list l = {.interval = interval,
                                 .board = index,
                                 .before = goes_on ? b->root : NULL,
                                 .entries = entry};
    closed->listed =
        entries_take(b, c, start_ms, entry, &closed->short_of_memory);
    closed->lost = waiting_expire(b, &c->params, start_ms);
    entries_finish(b->env, entry, closed->listed, c->params.list_entries);
    list_write(list, &c->params, &l);
    list_sign(list, len, c, seed);
    list_root(list, len, b->root);
    b->epoch = c->epoch;
    b->listed_ms = start_ms;
    (void)moments_note(&b->listed, start_ms,
                       BOARD_NEAR * c->params.list_interval_ms);
}
