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

/* Put the operating system's randomness into the key. */
static void
os_stir(struct rng_os *r, uint64_t now_ns)
{
    uint8_t fresh[sizeof r->key];
    randombytes_buf(fresh, sizeof fresh);
    crypto_generichash(r->key, sizeof r->key, fresh, sizeof fresh, r->key,
                       sizeof r->key);
    sodium_memzero(fresh, sizeof fresh);
    r->fresh_ns = now_ns;
}

void
rng_os_init(struct rng_os *r, uint64_t now_ns)
{
    *r = (struct rng_os){0};
    os_stir(r, now_ns);
}

/* The stream of a key and a time is used for one draw: the first half of its first
 * block is the next key, what follows is given. */
void
rng_os_bytes(struct rng_os *r, uint64_t now_ns, void *out, size_t len)
{
    uint8_t nonce[crypto_stream_chacha20_ietf_NONCEBYTES] = {0};
    uint8_t block[2 * sizeof r->key], *p = out;
    const uint64_t age_ns =
        now_ns > r->fresh_ns ? now_ns - r->fresh_ns : r->fresh_ns - now_ns;
    if (age_ns >= RNG_STALE_NS)
        os_stir(r, now_ns);
    memcpy(nonce, &now_ns, sizeof now_ns);
    const size_t n = len < sizeof r->key ? len : sizeof r->key;
    crypto_stream_chacha20_ietf(block, sizeof block, nonce, r->key);
    if (len > n) {
        memset(p + n, 0, len - n);
        crypto_stream_chacha20_ietf_xor_ic(p + n, p + n, len - n, nonce, 1,
                                           r->key);
    }
    if (n > 0)
        memcpy(p, block + sizeof r->key, n);
    memcpy(r->key, block, sizeof r->key);
    sodium_memzero(block, sizeof block);
}

void
rng_os_wipe(struct rng_os *r)
{
    sodium_memzero(r, sizeof *r);
}
