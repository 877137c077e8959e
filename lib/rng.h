/* lib/rng.h - draws from an environment's traffic stream, and the system's
 * generator for the edges.
 *
 * Samples are exact for their law up to the 53 bits of a double and are never
 * clamped near the mean: clamping biases rates and breaks memorylessness. */
#ifndef LIB_RNG_H
#define LIB_RNG_H
#include <stddef.h>
#include <stdint.h>

#include "lib/env.h"

/* Draw 64 uniform bits from env. */
uint64_t rng_u64(struct env *env);

/* Draw a number from 0 to n - 1, uniform without bias; n > 0. */
uint64_t rng_below(struct env *env, uint64_t n);

/* Draw a number uniform in (0, 1]. */
double rng_unit(struct env *env);

/* Draw a time, exponential with mean_us, rounded to whole microseconds. */
uint64_t rng_exp_us(struct env *env, uint64_t mean_us);

/* Compute the time that rng_exp_us() makes of these 64 bits:
 * -mean_us * ln(((bits >> 11) + 1) / 2^53). */
uint64_t rng_exp_from(uint64_t bits, uint64_t mean_us);

/* A buffered ChaCha20 generator with fast key erasure: each refill replaces the
 * generator's own key, so that a later look at memory shows nothing of the
 * past.
 *
 * A machine that is saved and started twice from there has the same memory
 * twice, and must not give the same numbers twice. So a refill mixes the time
 * into the key. Whenever RNG_STALE_NS have gone by since the last refill, in
 * whichever direction, what is left in the buffer is thrown away and the
 * operating system's randomness is mixed in as well: two copies have at most
 * that long in common.
 *
 * A generator belongs to one thread and lies in memory that is wiped. now_ns is
 * the wall clock in nanoseconds. */
enum { RNG_STALE_NS = 1000000 };
struct rng_os {
    uint8_t key[32];
    uint64_t fresh_ns; /* when the system was last asked */
    size_t used;
    uint8_t buffer[992];
};

/* Start r, with a key from the operating system. */
void rng_os_init(struct rng_os *r, uint64_t now_ns);

/* Fill out with len random bytes of r. */
void rng_os_bytes(struct rng_os *r, uint64_t now_ns, void *out, size_t len);

/* Wipe r. */
void rng_os_wipe(struct rng_os *r);
#endif
