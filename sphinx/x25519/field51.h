/* sphinx/x25519/field51.h - numbers modulo 2^255 - 19 in five limbs of 51 bits,
 * by AVX-512 IFMA; LANES is 8 (512 bits) or 4 (256 bits, AVX-512 VL).
 *
 * IFMA multiplies 52-bit numbers and adds the low or the high 52 bits of the
 * product; a high half of column i counts in column i + 1 twice, since 2^52 =
 * 2 * 2^51.
 *
 * Bounds. A factor has limbs below 2^51 + 2^17, so below 2^52, which is what
 * IFMA reads. A product: with such factors each column is at most 5 low
 * halves, 10 high halves doubled and 19 times as much from above, below 124.5 *
 * 2^52 < 2^59. Sums of products, and differences with 256 p added, stay below
 * 2^61; one parallel carry brings them back. */
#ifndef SPHINX_X25519_FIELD51_H
#define SPHINX_X25519_FIELD51_H
#include "sphinx/x25519/x25519_lanes.h"

enum { FE_LIMBS = 5 };
#define MASK51 ((1ULL << 51) - 1)

struct fe {
    vec v[FE_LIMBS];
};

ALWAYS int
fe_bits(int limb)
{
    (void)limb;
    return 51;
}

#if LANES == 8
ALWAYS vec
vec_madd_lo(vec sum, vec a, vec b)
{
    return (vec)_mm512_madd52lo_epu64((__m512i)sum, (__m512i)a, (__m512i)b);
}
ALWAYS vec
vec_madd_hi(vec sum, vec a, vec b)
{
    return (vec)_mm512_madd52hi_epu64((__m512i)sum, (__m512i)a, (__m512i)b);
}
ALWAYS vec
vec_times64(vec a, vec b)
{
    return (vec)_mm512_mullo_epi64((__m512i)a, (__m512i)b);
}
#else
ALWAYS vec
vec_madd_lo(vec sum, vec a, vec b)
{
    return (vec)_mm256_madd52lo_epu64((__m256i)sum, (__m256i)a, (__m256i)b);
}
ALWAYS vec
vec_madd_hi(vec sum, vec a, vec b)
{
    return (vec)_mm256_madd52hi_epu64((__m256i)sum, (__m256i)a, (__m256i)b);
}
ALWAYS vec
vec_times64(vec a, vec b)
{
    return (vec)_mm256_mullo_epi64((__m256i)a, (__m256i)b);
}
#endif

/* Multiply by 19 a product column from above 2^255. */
ALWAYS vec
vec_times19(vec a)
{
    vec k = vec_all(19);
    __asm__("" : "+v"(k)); /* a multiplication, not the shifts gcc prefers */
    return vec_times64(a, k);
}

ALWAYS void
is_factor(const struct fe *a)
{
#ifdef BRUSIO_DEBUG
    EACH_LIMB(i)
    for (int l = 0; l < LANES; l++)
        assert(a->v[i][l] < (1ULL << 51) + (1ULL << 17));
#else
    (void)a;
#endif
}

/* Carry once, in all limbs at the same time. */
ALWAYS void
fe_carry(struct fe *o, const struct fe *a)
{
    const vec m = vec_all(MASK51);
    vec c0 = a->v[0] >> 51, c1 = a->v[1] >> 51, c2 = a->v[2] >> 51;
    vec c3 = a->v[3] >> 51, c4 = a->v[4] >> 51;
    o->v[0] = vec_madd_lo(a->v[0] & m, c4, vec_all(19));
    o->v[1] = (a->v[1] & m) + c0;
    o->v[2] = (a->v[2] & m) + c1;
    o->v[3] = (a->v[3] & m) + c2;
    o->v[4] = (a->v[4] & m) + c3;
    is_factor(o);
}

ALWAYS void
fe_factor(struct fe *o, const struct fe *a)
{
    fe_carry(o, a);
}

/* Fold the ten columns to five. */
ALWAYS void
fe_fold(struct fe *r, const vec t[10])
{
    for (int i = 0; i < 5; i++)
        r->v[i] = t[i] + vec_times19(t[i + 5]);
}

/* Multiply: all high halves first, doubled once, then the low ones. */
ALWAYS void
fe_mul(struct fe *r, const struct fe *x, const struct fe *y)
{
    vec t[10];
    for (int i = 0; i < 10; i++)
        t[i] = vec_all(0);
#pragma GCC unroll 5
    for (int i = 0; i < 5; i++)
#pragma GCC unroll 5
        for (int k = 0; k < 5; k++)
            t[i + k + 1] = vec_madd_hi(t[i + k + 1], x->v[i], y->v[k]);
#pragma GCC unroll 9
    for (int i = 1; i < 10; i++)
        t[i] += t[i];
#pragma GCC unroll 5
    for (int i = 0; i < 5; i++)
#pragma GCC unroll 5
        for (int k = 0; k < 5; k++)
            t[i + k] = vec_madd_lo(t[i + k], x->v[i], y->v[k]);
    fe_fold(r, t);
}

/* Square: column = 2 (2 H_off + H_diagonal + L_off) + L_diagonal. */
ALWAYS void
fe_sqr(struct fe *r, const struct fe *x)
{
    vec t[10];
    for (int i = 0; i < 10; i++)
        t[i] = vec_all(0);
#pragma GCC unroll 5
    for (int i = 0; i < 5; i++)
#pragma GCC unroll 5
        for (int k = i + 1; k < 5; k++)
            t[i + k + 1] = vec_madd_hi(t[i + k + 1], x->v[i], x->v[k]);
#pragma GCC unroll 8
    for (int i = 2; i < 9; i++)
        t[i] += t[i];
#pragma GCC unroll 5
    for (int i = 0; i < 5; i++)
        t[2 * i + 1] = vec_madd_hi(t[2 * i + 1], x->v[i], x->v[i]);
#pragma GCC unroll 5
    for (int i = 0; i < 5; i++)
#pragma GCC unroll 5
        for (int k = i + 1; k < 5; k++)
            t[i + k] = vec_madd_lo(t[i + k], x->v[i], x->v[k]);
#pragma GCC unroll 9
    for (int i = 1; i < 10; i++)
        t[i] += t[i];
#pragma GCC unroll 5
    for (int i = 0; i < 5; i++)
        t[2 * i] = vec_madd_lo(t[2 * i], x->v[i], x->v[i]);
    fe_fold(r, t);
}

ALWAYS void
fe_sum(struct fe *o, const struct fe *a, const struct fe *b)
{
    struct fe r;
    EACH_LIMB(i)
    r.v[i] = a->v[i] + b->v[i];
    fe_carry(o, &r);
}

/* Compute o = a - b + 256 p. */
ALWAYS void
fe_diff(struct fe *o, const struct fe *a, const struct fe *b)
{
    const vec k0 = vec_all(256 * (MASK51 - 18)), k = vec_all(256 * MASK51);
    struct fe r;
    EACH_LIMB(i)
    r.v[i] = a->v[i] + ((i == 0 ? k0 : k) - b->v[i]);
    fe_carry(o, &r);
}

/* Compute o = a + 121665 e, a factor of two factors: (A - 2) / 4 of curve25519.
 */
ALWAYS void
fe_mad_121665(struct fe *o, const struct fe *a, const struct fe *e)
{
    const vec k = vec_all(121665), zero = vec_all(0);
    struct fe r;
    r.v[0] = vec_madd_lo(vec_madd_lo(a->v[0], e->v[0], k),
                         vec_madd_hi(zero, e->v[4], k), vec_all(38));
#pragma GCC unroll 4
    for (int i = 1; i < FE_LIMBS; i++) {
        vec h = vec_madd_hi(zero, e->v[i - 1], k);
        r.v[i] = vec_madd_lo(a->v[i] + (h + h), e->v[i], k);
    }
    fe_carry(o, &r);
}
#endif
