/* sphinx/x25519/x25519.c - choosing the means, cutting jobs into batches.
 *
 * One process-wide choice, made once; it depends on the processor alone. */
#include "sphinx/x25519/x25519.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/error.h"
#include "lib/secret.h"

static atomic_int chosen;

const char *
x25519_isa_name(enum x25519_isa isa)
{
    static const char *const names[] = {[X25519_GENERIC] = "generic",
                                        [X25519_AVX2] = "avx2",
                                        [X25519_IFMA] = "ifma"};
    return names[isa];
}

bool
x25519_isa_works(enum x25519_isa isa)
{
#if defined(__x86_64__)
    if (isa == X25519_IFMA)
        return __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512ifma");
    if (isa == X25519_AVX2)
        return __builtin_cpu_supports("avx2");
#endif
    return isa == X25519_GENERIC;
}

void
x25519_isa_use(enum x25519_isa isa)
{
    atomic_store(&chosen, (int)isa);
}

/* Choose the best means that works, from the wish downwards. */
static enum x25519_isa
isa_choose(const char *wish)
{
    static const enum x25519_isa best[] = {X25519_IFMA, X25519_AVX2,
                                           X25519_GENERIC};
    enum { BEST = sizeof best / sizeof *best };
    size_t from = 0;
    while (wish && from < BEST &&
           strcmp(wish, x25519_isa_name(best[from])) != 0)
        from++;
    for (size_t i = from < BEST ? from : 0; i < BEST; i++)
        if (x25519_isa_works(best[i]))
            return best[i];
    return X25519_GENERIC;
}

enum x25519_isa
x25519_isa(void)
{
    int isa = atomic_load(&chosen);
    if (!isa) {
        isa = (int)isa_choose(getenv("BRUSIO_ISA"));
        atomic_store(&chosen, isa);
    }
    return (enum x25519_isa)isa;
}

static void
batch_generic(struct x25519_job *jobs, size_t n)
{
    /* libsodium refuses exactly the zero result, and then writes nothing */
    for (size_t i = 0; i < n; i++) {
        struct x25519_job *j = &jobs[i];
        int bad = 0;
        if (j->point)
            bad = crypto_scalarmult(j->out, j->scalar, j->point);
        else
            (void)crypto_scalarmult_base(j->out, j->scalar);
        secret_declassify(&bad, sizeof bad);
        j->err = 0;
        if (bad) {
            memset(j->out, 0, crypto_scalarmult_BYTES);
            j->err = ERR_POINT;
        }
    }
}

#if defined(__x86_64__)
/* Rows of a batch, next to each other for the lanes. */
struct rows {
    uint8_t scalar[X25519_BATCH_MAX][32], point[X25519_BATCH_MAX][32];
    uint8_t out[X25519_BATCH_MAX][32];
};

/* Do n jobs, X25519_BATCH_MAX at most, all on the base point or none. Lanes
 * without a job repeat the first one. */
static void
batch_lanes(const struct x25519_lanes *by, struct x25519_job *jobs, size_t n)
{
    struct rows r;
    size_t groups = (n + by->lanes - 1) / by->lanes;
    bool base = !jobs[0].point;
    for (size_t i = 0; i < groups * by->lanes; i++) {
        const struct x25519_job *j = &jobs[i < n ? i : 0];
        memcpy(r.scalar[i], j->scalar, 32);
        if (!base)
            memcpy(r.point[i], j->point, 32);
    }
    if (base)
        by->multiply_base((const uint8_t(*)[32])r.scalar, r.out, groups);
    else
        by->multiply((const uint8_t(*)[32])r.scalar,
                     (const uint8_t(*)[32])r.point, r.out, groups);
    for (size_t i = 0; i < n; i++) {
        memcpy(jobs[i].out, r.out[i], 32);
        int zero = sodium_is_zero(jobs[i].out, 32);
        secret_declassify(&zero, sizeof zero);
        jobs[i].err = zero ? ERR_POINT : 0;
    }
    sodium_memzero(&r, sizeof r);
}

/* Do jobs of one kind from the start of the list, as many as go well together.
 * Returns how many were done. */
static size_t
batch_some(enum x25519_isa isa, struct x25519_job *jobs, size_t n)
{
    size_t m = 1;
    while (m < n && m < X25519_BATCH_MAX && !jobs[m].point == !jobs[0].point)
        m++;
    if (isa == X25519_IFMA)
        batch_lanes(m > x25519_ifma4.lanes ? &x25519_ifma8 : &x25519_ifma4,
                    jobs, m);
    else if (m > 1 || !jobs[0].point)
        batch_lanes(&x25519_avx2, jobs, m);
    else /* one alone is done sooner by libsodium than four lanes are */
        batch_generic(jobs, m);
    return m;
}
#endif

void
x25519_batch(struct x25519_job *jobs, size_t n)
{
#if defined(__x86_64__)
    enum x25519_isa isa = x25519_isa();
    while (isa != X25519_GENERIC && n > 0) {
        size_t m = batch_some(isa, jobs, n);
        jobs += m;
        n -= m;
    }
#endif
    batch_generic(jobs, n);
}
