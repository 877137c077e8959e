/* lib/rng.c - draws, and the buffered generator of the edges. */
#include "lib/rng.h"

#include <math.h>
#include <sodium.h>
#include <string.h>

uint64_t
rng_u64(struct env *env)
{
    uint64_t v;
    env_random_traffic(env, &v, sizeof v);
    return v;
}

__extension__ typedef unsigned __int128 uint128;

/* Lemire, "Fast random integer generation in an interval" (ACM TOMACS 2019):
 * the upper half of v * n, and v refused where its lower half is one of the
 * 2^64 mod n lowest, so that each result is as frequent. */
uint64_t
rng_below(struct env *env, uint64_t n)
{
    uint128 product = (uint128)rng_u64(env) * n;
    if ((uint64_t)product < n) {
        const uint64_t low = (0 - n) % n;
        while ((uint64_t)product < low)
            product = (uint128)rng_u64(env) * n;
    }
    return (uint64_t)(product >> 64);
}

double
rng_unit(struct env *env)
{
    return ((double)(rng_u64(env) >> 11) + 1) * 0x1p-53;
}

uint64_t
rng_exp_from(uint64_t bits, uint64_t mean_us)
{
    double u = ((double)(bits >> 11) + 1) * 0x1p-53;
    return (uint64_t)(-log(u) * (double)mean_us + 0.5);
}

uint64_t
rng_exp_us(struct env *env, uint64_t mean_us)
{
    return rng_exp_from(rng_u64(env), mean_us);
}

static void
os_refill(struct rng_os *r)
{
    static const uint8_t nonce[crypto_stream_chacha20_ietf_NONCEBYTES];
    uint8_t block[sizeof r->key + sizeof r->buffer];
    crypto_stream_chacha20_ietf(block, sizeof block, nonce, r->key);
    memcpy(r->key, block, sizeof r->key);
    memcpy(r->buffer, block + sizeof r->key, sizeof r->buffer);
    sodium_memzero(block, sizeof block);
    r->used = 0;
}

void
rng_os_init(struct rng_os *r)
{
    randombytes_buf(r->key, sizeof r->key);
    os_refill(r);
}

void
rng_os_bytes(struct rng_os *r, void *out, size_t len)
{
    uint8_t *p = out;
    while (len > 0) {
        if (r->used == sizeof r->buffer)
            os_refill(r);
        size_t n = sizeof r->buffer - r->used;
        if (n > len)
            n = len;
        memcpy(p, r->buffer + r->used, n);
        sodium_memzero(r->buffer + r->used, n);
        r->used += n;
        p += n;
        len -= n;
    }
}

void
rng_os_wipe(struct rng_os *r)
{
    sodium_memzero(r, sizeof *r);
}
