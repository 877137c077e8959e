/* lib/rng_seeded.h - the reproducible generator of tests, simulator and
 * brusio-sphinx. The generator stands in an archive of its own, and
 * tests/check-links.sh fails the build when a daemon contains that archive. */
#ifndef LIB_RNG_SEEDED_H
#define LIB_RNG_SEEDED_H
#include <stddef.h>
#include <stdint.h>

/* A stream of random bytes, made by ChaCha20. The same seed and label give the
 * same bytes, different labels independent ones. A stream belongs to one
 * thread. */
struct rng_seeded {
    uint8_t key[32];
    uint64_t block; /* next to be made, counted in 64 bytes */
    size_t used;
    uint8_t buffer[1024];
};

/* Start the stream r of seed and label. */
void rng_seeded_init(struct rng_seeded *r, const uint8_t seed[static 32],
                     const char *label);

/* Start the stream r of a number and label. */
void rng_seeded_init_u64(struct rng_seeded *r, uint64_t seed,
                         const char *label);

/* Fill out with the next len bytes of r. */
void rng_seeded_bytes(struct rng_seeded *r, void *out, size_t len);

/* Return the next 64 bits of r. */
uint64_t rng_seeded_u64(struct rng_seeded *r);
#endif
