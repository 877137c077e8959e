/* sphinx/x25519/x25519_lanes.h - one 64-bit word of each of LANES numbers in a
 * vector, and what the fields of x25519_ifma*.c and x25519_avx2.c have in
 * common.
 *
 * Internal to those files: each defines LANES, then includes a field
 * (field51.h or field25.h), ladder.h and comb.h. Numbers are modulo p = 2^255 -
 * 19, in FE_LIMBS limbs of fe_bits(i) bits. A field promises:
 *
 *   factor    what may be multiplied
 *   product   what a multiplication leaves; fe_factor() makes a factor of it
 *   fe_sum(), fe_diff()  of two products: a factor
 *   fe_carry()           of any of these: both a factor and a product
 *
 * Debug builds check that factors are within the field's bounds.
 *
 * Constant time: no branch and no address depends on a lane. There is no
 * pointer in memory here either, so a script can tell from the machine code
 * that whatever is loaded reaches no branch and no address (tests/ct). */
#ifndef SPHINX_X25519_X25519_LANES_H
#define SPHINX_X25519_X25519_LANES_H
#include <immintrin.h>
#include <stdint.h>
#include <string.h>
#ifdef BRUSIO_DEBUG
#include <assert.h>
#endif

#include "sphinx/x25519/x25519.h"

typedef uint64_t vec __attribute__((vector_size(8 * LANES)));

#define ALWAYS static inline __attribute__((always_inline))
#define APART  static __attribute__((noinline))
/* Unrolled always, so that a number is registers and no memory. */
#define EACH_LIMB(i) _Pragma("GCC unroll 10") for (int i = 0; i < FE_LIMBS; i++)

/* Return x in every lane. */
ALWAYS vec
vec_all(uint64_t x)
{
    return x - (vec){0};
}

/* Return, lane by lane, a where mask is all ones and b where mask is zero. */
ALWAYS vec
vec_pick(vec mask, vec a, vec b)
{
    return b ^ (mask & (a ^ b));
}

/* Load LANES rows of 32 bytes, little endian, as four words across the lanes;
 * store them. */
ALWAYS void
words_load(vec w[4], const uint8_t (*row)[32])
{
    for (int i = 0; i < 4; i++) {
        uint64_t x[LANES];
        for (int l = 0; l < LANES; l++)
            memcpy(&x[l], row[l] + 8 * i, 8);
        memcpy(&w[i], x, sizeof x);
    }
}

ALWAYS void
words_store(uint8_t (*row)[32], const vec w[4])
{
    for (int i = 0; i < 4; i++) {
        uint64_t x[LANES];
        memcpy(x, &w[i], sizeof x);
        for (int l = 0; l < LANES; l++)
            memcpy(row[l] + 8 * i, &x[l], 8);
    }
}

/* Load LANES scalars, clamped (RFC 7748, section 5). */
ALWAYS void
scalars_load(vec w[4], const uint8_t (*scalar)[32])
{
    words_load(w, scalar);
    w[0] &= vec_all(~7ULL);
    w[3] = (w[3] & vec_all(~0ULL >> 1)) | vec_all(1ULL << 62);
}
#endif
