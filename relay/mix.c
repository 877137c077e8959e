/* relay/mix.c - Poisson mixing by a delay wheel, and the way to the pools.
 *
 * State: the wheel, or a pool. Timers: the caller's one, set to mix_next_due().
 * Failure mode: full; the caller drops the packet and counts it. */
#include "relay/mix.h"

#include <stdlib.h>

#include "lib/wheel.h"
#include "relay/mix_pool.h"

enum { POP_BATCH = 64 };

struct mix {
    struct wheel *wheel;   /* poisson, or */
    struct mix_pool *pool; /* any other */
};

int
mix_new(struct mix **out, const struct mix_params *params, size_t capacity,
        struct env *env)
{
    *out = NULL;
    if (params->strategy < MIX_POISSON || params->strategy > MIX_BINOMIAL)
        return ERR_UNSUPPORTED;
    if (capacity == 0 || capacity >= UINT32_MAX)
        return ERR_ARG;
    struct mix *m = calloc(1, sizeof *m);
    if (!m)
        return ERR_NOMEM;
    int err = params->strategy == MIX_POISSON
                  ? wheel_new(&m->wheel, (uint32_t)capacity)
                  : mix_pool_new(&m->pool, params, capacity, env);
    if (err) {
        free(m);
        return err;
    }
    *out = m;
    return 0;
}

void
mix_free(struct mix **m)
{
    if (!*m)
        return;
    wheel_free(&(*m)->wheel);
    mix_pool_free(&(*m)->pool);
    free(*m);
    *m = NULL;
}

int
mix_push(struct mix *m, mix_handle handle, uint32_t next, uint64_t now_us,
         uint64_t delay_us)
{
    if (m->pool)
        return mix_pool_push(m->pool, (struct mix_out){handle, next}, now_us);
    return wheel_add(m->wheel, now_us + delay_us, handle, next);
}

void
mix_prefetch(const struct mix *m, uint64_t due_us)
{
    if (m->wheel)
        wheel_prefetch(m->wheel, due_us);
}

size_t
mix_pop_due(struct mix *m, uint64_t now_us, struct mix_out *out, size_t max)
{
    struct wheel_entry e[POP_BATCH];
    size_t n = 0, got;
    if (m->pool)
        return mix_pool_pop(m->pool, now_us, out, max);
    do {
        size_t want = max - n < POP_BATCH ? max - n : POP_BATCH;
        got = wheel_pop_due(m->wheel, now_us, e, want);
        for (size_t i = 0; i < got; i++)
            out[n++] = (struct mix_out){.handle = e[i].a, .next = e[i].b};
    } while (got == POP_BATCH && n < max);
    return n;
}

uint64_t
mix_next_due(const struct mix *m)
{
    return m->pool ? mix_pool_next_due(m->pool) : wheel_next_due_us(m->wheel);
}

size_t
mix_count(const struct mix *m)
{
    return m->pool ? mix_pool_count(m->pool) : wheel_count(m->wheel);
}
