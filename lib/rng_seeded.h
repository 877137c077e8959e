/* lib/rng_seeded.h - the reproducible generator of tests, simulator and
 * brusio-sphinx. It stands in an archive of its own, and tests/check-links.sh
 * fails the build when a daemon contains it. */
#ifndef LIB_RNG_SEEDED_H
#define LIB_RNG_SEEDED_H
#include <stddef.h>
#include <stdint.h>

/* A stream of ChaCha20 key stream. The same seed and label give the same
 * bytes; different labels independent ones. One thread each. */
struct rng_seeded {
    uint8_t key[32];
    uint64_t block; /* next to be made, counted in 64 bytes */
    size_t used;
    uint8_t buffer[1024];
};

void rng_seeded_init(struct rng_seeded *r, const uint8_t seed[static 32],
                     const char *label);
/* The same from a number. */
void rng_seeded_init_u64(struct rng_seeded *r, uint64_t seed,
                         const char *label);
void rng_seeded_bytes(struct rng_seeded *r, void *out, size_t len);
uint64_t rng_seeded_u64(struct rng_seeded *r);
#endif
