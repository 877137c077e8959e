/* lib/rng.c - draws, and the buffered generator of the edges. */
#include "lib/rng.h"

#include <math.h>
#include <sodium.h>
#include <stdbool.h>
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
os_refill(struct rng_os *r, uint64_t now_ns, bool fresh)
{
    static const uint8_t nonce[crypto_stream_chacha20_ietf_NONCEBYTES];
    struct {
        uint64_t now_ns;
        uint8_t fresh[32];
    } in = {.now_ns = now_ns};
    uint8_t block[sizeof r->key + sizeof r->buffer], key[sizeof r->key];
    if (fresh) {
        randombytes_buf(in.fresh, sizeof in.fresh);
        r->fresh_ns = now_ns;
    }
    crypto_generichash(key, sizeof key, (const uint8_t *)&in, sizeof in, r->key,
                       sizeof r->key);
    crypto_stream_chacha20_ietf(block, sizeof block, nonce, key);
    memcpy(r->key, block, sizeof r->key);
    memcpy(r->buffer, block + sizeof r->key, sizeof r->buffer);
    sodium_memzero(block, sizeof block);
    sodium_memzero(key, sizeof key);
    sodium_memzero(&in, sizeof in);
    r->used = 0;
}

void
rng_os_init(struct rng_os *r, uint64_t now_ns)
{
    *r = (struct rng_os){0};
    os_refill(r, now_ns, true);
}

void
rng_os_bytes(struct rng_os *r, uint64_t now_ns, void *out, size_t len)
{
    uint8_t *p = out;
    const uint64_t age_ns =
        now_ns > r->fresh_ns ? now_ns - r->fresh_ns : r->fresh_ns - now_ns;
    if (age_ns >= RNG_STALE_NS)
        os_refill(r, now_ns, true);
    while (len > 0) {
        if (r->used == sizeof r->buffer)
            os_refill(r, now_ns, false);
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
