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
 * own key, so that a later look at memory shows nothing of the past. One
 * thread each; keep it in memory that is wiped. */
struct rng_os {
    uint8_t key[32];
    size_t used;
    uint8_t buffer[992];
};
void rng_os_init(struct rng_os *r); /* seeded by the operating system */
void rng_os_bytes(struct rng_os *r, void *out, size_t len);
void rng_os_wipe(struct rng_os *r);
#endif
