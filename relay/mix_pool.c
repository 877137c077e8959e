/* relay/mix_pool.c - mixes that keep a pool and let some of it go at once.
 *
 * State: one array. Its front is the pool; behind it stand those that a flush
 * has drawn and that have not been taken out yet; new ones go to the end of the
 * front, where one of the drawn makes room by moving to the very end. Timer:
 * the next multiple of the interval, from the first packet on, kept while the
 * pool is empty too, so that when it fires says nothing. Failure: full, or no
 * memory to grow; the caller keeps the packet. */
#include "relay/mix_pool.h"

#include <stdbool.h>
#include <stdlib.h>

#include "lib/rng.h"

enum { ROOM_FIRST = 64 };

struct mix_pool {
    struct mix_params params;
    struct env *env;
    struct mix_out *item;
    size_t pool, leaving; /* item[0 .. pool), then `leaving` more */
    size_t room, capacity;
    uint64_t flush_us; /* 0: the first packet sets it */
};

int
mix_pool_new(struct mix_pool **out, const struct mix_params *params,
             size_t capacity, struct env *env)
{
    const bool timed = params->strategy != MIX_THRESHOLD_POOL;
    *out = NULL;
    if (!env || (timed && params->interval_us == 0) ||
        (!timed && params->threshold == 0) ||
        (params->strategy == MIX_BINOMIAL &&
         (params->permille == 0 || params->permille > 1000)))
        return ERR_ARG;
    struct mix_pool *p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    p->params = *params;
    p->env = env;
    p->capacity = capacity;
    *out = p;
    return 0;
}

void
mix_pool_free(struct mix_pool **p)
{
    if (*p)
        free((*p)->item);
    free(*p);
    *p = NULL;
}

static void
mix_out_swap(struct mix_out *a, struct mix_out *b)
{
    struct mix_out t = *a;
    *a = *b;
    *b = t;
}

/* Draw k handles of the pool: each goes behind the front. */
static void
pool_draw(struct mix_pool *p, size_t k)
{
    for (; k > 0; k--) {
        mix_out_swap(&p->item[rng_below(p->env, p->pool)],
                     &p->item[p->pool - 1]);
        p->pool--;
        p->leaving++;
    }
}

static void
flush_binomial(struct mix_pool *p)
{
    for (size_t i = p->pool; i-- > 0;)
        if (rng_below(p->env, 1000) < p->params.permille) {
            mix_out_swap(&p->item[i], &p->item[p->pool - 1]);
            p->pool--;
            p->leaving++;
        }
}

static uint64_t
flush_after(const struct mix_pool *p, uint64_t now_us)
{
    return (now_us / p->params.interval_us + 1) * p->params.interval_us;
}

static void
flush_if_due(struct mix_pool *p, uint64_t now_us)
{
    if (p->params.strategy == MIX_THRESHOLD_POOL) {
        if (p->pool >= (size_t)p->params.keep + p->params.threshold)
            pool_draw(p, p->pool - p->params.keep);
        return;
    }
    if (p->flush_us == 0 || now_us < p->flush_us)
        return;
    /* one flush, however late: several at once would empty the pool */
    p->flush_us = flush_after(p, now_us);
    if (p->params.strategy == MIX_BINOMIAL)
        flush_binomial(p);
    else if (p->pool > p->params.keep)
        pool_draw(p, p->pool - p->params.keep);
}

int
mix_pool_push(struct mix_pool *p, struct mix_out x, uint64_t now_us)
{
    const size_t count = p->pool + p->leaving;
    if (count == p->capacity)
        return ERR_FULL;
    if (count == p->room) {
        size_t room = p->room ? 2 * p->room : ROOM_FIRST;
        if (room > p->capacity)
            room = p->capacity;
        struct mix_out *more = realloc(p->item, room * sizeof *more);
        if (!more)
            return ERR_NOMEM;
        p->item = more;
        p->room = room;
    }
    p->item[count] = p->item[p->pool]; /* itself when none is leaving */
    p->item[p->pool++] = x;
    if (p->params.strategy == MIX_THRESHOLD_POOL)
        flush_if_due(p, now_us);
    else if (p->flush_us == 0)
        p->flush_us = flush_after(p, now_us);
    return 0;
}

size_t
mix_pool_pop(struct mix_pool *p, uint64_t now_us, struct mix_out *out,
             size_t max)
{
    size_t n = 0;
    while (n < max) {
        if (p->leaving == 0)
            flush_if_due(p, now_us);
        if (p->leaving == 0)
            break;
        out[n++] = p->item[p->pool + --p->leaving];
    }
    return n;
}

uint64_t
mix_pool_next_due(const struct mix_pool *p)
{
    if (p->leaving > 0)
        return 0;
    if (p->params.strategy == MIX_THRESHOLD_POOL || p->flush_us == 0)
        return UINT64_MAX;
    return p->flush_us;
}

size_t
mix_pool_count(const struct mix_pool *p)
{
    return p->pool + p->leaving;
}
