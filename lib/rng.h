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

/* A ChaCha20 generator with fast key erasure: each draw replaces the generator's
 * own key, so that a later look at memory shows nothing of the past.
 *
 * A machine that is saved and started twice from there has the same memory
 * twice, and must not give the same numbers twice. So the time of each draw, to
 * the nanosecond, is in all that is drawn from there on, and nothing is drawn
 * ahead. Whenever RNG_STALE_NS have gone by since the last time, in whichever
 * direction, the operating system's randomness is mixed in as well. What two
 * copies have in common are draws within that time of the save at the very same
 * nanoseconds of both clocks.
 *
 * A generator belongs to one thread and lies in memory that is wiped. now_ns is
 * the wall clock in nanoseconds. */
enum { RNG_STALE_NS = 1000000 };
struct rng_os {
    uint8_t key[32];
    uint64_t fresh_ns; /* when the system was last asked */
};

/* Start r, with a key from the operating system. */
void rng_os_init(struct rng_os *r, uint64_t now_ns);

/* Fill out with len random bytes of r. */
void rng_os_bytes(struct rng_os *r, uint64_t now_ns, void *out, size_t len);

/* Wipe r. */
void rng_os_wipe(struct rng_os *r);
#endif
