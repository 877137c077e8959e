/* sphinx/x25519.c - choosing the means, cutting jobs into batches.
 *
 * One process-wide choice, made once; it depends on the processor alone. */
#include "sphinx/x25519.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/error.h"

static atomic_int chosen;

const char *
x25519_isa_name(enum x25519_isa isa)
{
    return isa == X25519_IFMA ? "ifma" : "generic";
}

bool
x25519_isa_works(enum x25519_isa isa)
{
    if (isa == X25519_GENERIC)
        return true;
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512ifma");
#else
    return false;
#endif
}

void
x25519_isa_use(enum x25519_isa isa)
{
    atomic_store(&chosen, (int)isa);
}

enum x25519_isa
x25519_isa(void)
{
    int isa = atomic_load(&chosen);
    if (isa)
        return (enum x25519_isa)isa;
    const char *wish = getenv("BRUSIO_ISA");
    isa =
        x25519_isa_works(X25519_IFMA) && !(wish && strcmp(wish, "generic") == 0)
            ? X25519_IFMA
            : X25519_GENERIC;
    atomic_store(&chosen, isa);
    return (enum x25519_isa)isa;
}

static void
batch_generic(struct x25519_job *jobs, size_t n)
{
    /* libsodium refuses exactly the zero result, and then writes nothing */
    for (size_t i = 0; i < n; i++) {
        struct x25519_job *j = &jobs[i];
        j->err = 0;
        if (crypto_scalarmult(j->out, j->scalar, j->point)) {
            memset(j->out, 0, crypto_scalarmult_BYTES);
            j->err = ERR_POINT;
        }
    }
}

#if defined(__x86_64__)
static void
batch_ifma(struct x25519_job *jobs, size_t n)
{
    const uint8_t *scalar[X25519_IFMA_MAX] = {NULL};
    const uint8_t *point[X25519_IFMA_MAX] = {NULL};
    uint8_t *out[X25519_IFMA_MAX] = {NULL};
    for (size_t i = 0; i < n; i++) {
        scalar[i] = jobs[i].scalar;
        point[i] = jobs[i].point;
        out[i] = jobs[i].out;
    }
    x25519_ifma(scalar, point, out, n);
    for (size_t i = 0; i < n; i++)
        jobs[i].err = sodium_is_zero(jobs[i].out, 32) ? ERR_POINT : 0;
}
#endif

void
x25519_batch(struct x25519_job *jobs, size_t n)
{
#if defined(__x86_64__)
    /* one alone is done sooner by libsodium than eight lanes are */
    while (x25519_isa() == X25519_IFMA && n > 1) {
        size_t m = n < X25519_IFMA_MAX ? n : X25519_IFMA_MAX;
        batch_ifma(jobs, m);
        jobs += m;
        n -= m;
    }
#endif
    batch_generic(jobs, n);
}
