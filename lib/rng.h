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

/* 64 uniform bits. */
uint64_t rng_u64(struct env *env);

/* Uniform in 0..n-1 without bias; n > 0. */
uint64_t rng_below(struct env *env, uint64_t n);

/* Uniform in (0, 1]. */
double rng_unit(struct env *env);

/* Exponential with this mean, rounded to whole microseconds. */
uint64_t rng_exp_us(struct env *env, uint64_t mean_us);

/* The same from given bits: -mean * ln((bits >> 11) + 1) / 2^53. */
uint64_t rng_exp_from(uint64_t bits, uint64_t mean_us);

/* Buffered ChaCha20 generator with fast key erasure: each refill replaces its
 * own key, so that a later look at memory shows nothing of the past.
 *
 * A machine that is saved and started twice from there has twice the same
 * memory, and must not say the same twice. So a refill mixes the time into the
 * key, and whenever RNG_STALE_NS have gone by since the last one, in whichever
 * direction, what is left in the buffer is thrown away and the operating system's
 * randomness is mixed in as well: two copies have at most that long in common.
 *
 * One thread each; keep it in memory that is wiped. now_ns: the wall clock in
 * nanoseconds. */
enum { RNG_STALE_NS = 1000000 };
struct rng_os {
    uint8_t key[32];
    uint64_t fresh_ns; /* when the system was last asked */
    size_t used;
    uint8_t buffer[992];
};
void rng_os_init(struct rng_os *r, uint64_t now_ns);
void rng_os_bytes(struct rng_os *r, uint64_t now_ns, void *out, size_t len);
void rng_os_wipe(struct rng_os *r);
#endif
