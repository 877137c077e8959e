/* lib/rng_seeded.c - reproducible bytes; never in a daemon. */
#include "lib/rng_seeded.h"

#include <sodium.h>
#include <string.h>

void
rng_seeded_init(struct rng_seeded *r, const uint8_t seed[static 32],
                const char *label)
{
    crypto_generichash(r->key, sizeof r->key, (const uint8_t *)label,
                       strlen(label), seed, 32);
    r->block = 0;
    r->used = sizeof r->buffer;
}

void
rng_seeded_init_u64(struct rng_seeded *r, uint64_t seed, const char *label)
{
    uint8_t s[32] = {0};
    for (size_t i = 0; i < 8; i++)
        s[i] = (uint8_t)(seed >> (8 * i));
    rng_seeded_init(r, s, label);
}

static void
seeded_refill(struct rng_seeded *r)
{
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
    memset(r->buffer, 0, sizeof r->buffer);
    crypto_stream_chacha20_xor_ic(r->buffer, r->buffer, sizeof r->buffer, nonce,
                                  r->block, r->key);
    r->block += sizeof r->buffer / 64;
    r->used = 0;
}

void
rng_seeded_bytes(struct rng_seeded *r, void *out, size_t len)
{
    uint8_t *p = out;
    while (len > 0) {
        if (r->used == sizeof r->buffer)
            seeded_refill(r);
        size_t n = sizeof r->buffer - r->used;
        if (n > len)
            n = len;
        memcpy(p, r->buffer + r->used, n);
        r->used += n;
        p += n;
        len -= n;
    }
}

uint64_t
rng_seeded_u64(struct rng_seeded *r)
{
    uint64_t v;
    rng_seeded_bytes(r, &v, sizeof v);
    return v;
}
