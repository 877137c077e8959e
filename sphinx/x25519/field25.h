/* sphinx/x25519/field25.h - numbers modulo 2^255 - 19 in ten limbs of 26 and 25
 * bits in turn, by AVX2's multiplication of 32-bit halves; LANES is 4.
 *
 * Limb i counts 2^ceil(25.5 i); the product of two odd limbs therefore counts
 * twice, and what passes 2^255 comes back times 19.
 *
 * Bounds. A product is carried: even limbs below 2^26 + 2^12, odd ones below
 * 2^25 + 2^12. A factor is such a one, or a sum of two, or a difference with 2
 * p added: below 3 * 2^26 + 2^12 and 3 * 2^25 + 2^12. Then 19 times a limb,
 * and 4 times an odd one, stay below 2^32, which is what the multiplication
 * reads, and the columns below 2^62.2. */
#ifndef SPHINX_X25519_FIELD25_H
#define SPHINX_X25519_FIELD25_H
#include "sphinx/x25519/x25519_lanes.h"

enum { FE_LIMBS = 10 };
#define MASK26 ((1ULL << 26) - 1)
#define MASK25 ((1ULL << 25) - 1)

struct fe {
    vec v[FE_LIMBS];
};

ALWAYS int
fe_bits(int limb)
{
    return limb & 1 ? 25 : 26;
}

/* Multiply the low halves of the lanes. */
ALWAYS vec
vec_times32(vec a, vec b)
{
    return (vec)_mm256_mul_epu32((__m256i)a, (__m256i)b);
}

ALWAYS void
is_factor(const struct fe *a)
{
#ifdef BRUSIO_DEBUG
    EACH_LIMB(i)
    for (int l = 0; l < LANES; l++)
        assert(a->v[i][l] < (3ULL << fe_bits(i)) + (1ULL << 12));
#else
    (void)a;
#endif
}

/* Move the excess of limb i to limb i + 1. */
ALWAYS void
carry_one(vec h[FE_LIMBS], int i)
{
    h[i + 1] += h[i] >> fe_bits(i);
    h[i] &= vec_all(i & 1 ? MASK25 : MASK26);
}

/* Carry in two chains side by side, from limb 0 and from limb 5; each ends one
 * limb into the other. */
ALWAYS void
fe_carry(struct fe *o, const struct fe *a)
{
    vec h[FE_LIMBS], c;
    EACH_LIMB(i)
    h[i] = a->v[i];
    carry_one(h, 0);
#pragma GCC unroll 4
    for (int i = 1; i < 5; i++) {
        carry_one(h, i + 4);
        carry_one(h, i);
    }
    c = h[9] >> 25;
    h[9] &= vec_all(MASK25);
    h[0] += c + ((c << 1) + (c << 4));
    carry_one(h, 5);
    carry_one(h, 0);
    EACH_LIMB(i)
    o->v[i] = h[i];
}

ALWAYS void
fe_factor(struct fe *o, const struct fe *a)
{
    EACH_LIMB(i)
    o->v[i] = a->v[i];
}

APART void
fe_mul(struct fe *r, const struct fe *x, const struct fe *y)
{
    vec y19[FE_LIMBS], x2[FE_LIMBS];
    struct fe t;
    is_factor(x);
    is_factor(y);
    EACH_LIMB(i)
    {
        y19[i] = vec_times32(y->v[i], vec_all(19));
        x2[i] = x->v[i] + x->v[i];
    }
    EACH_LIMB(i)
    t.v[i] = vec_all(0);
    /* row by row: ten sums and one factor fit in the registers */
    EACH_LIMB(i)
#pragma GCC unroll 10
    for (int j = 0; j < FE_LIMBS; j++)
        t.v[(i + j) % FE_LIMBS] += vec_times32(
            i & j & 1 ? x2[i] : x->v[i], i + j < FE_LIMBS ? y->v[j] : y19[j]);
    fe_carry(r, &t);
}

APART void
fe_sqr(struct fe *r, const struct fe *x)
{
    vec x19[FE_LIMBS], x2[FE_LIMBS], x4[FE_LIMBS];
    struct fe t;
    is_factor(x);
    EACH_LIMB(i)
    {
        x19[i] = vec_times32(x->v[i], vec_all(19));
        x2[i] = x->v[i] + x->v[i];
        x4[i] = x2[i] + x2[i];
    }
    EACH_LIMB(i)
    t.v[i] = vec_all(0);
    EACH_LIMB(i)
#pragma GCC unroll 10
    for (int j = i; j < FE_LIMBS; j++) {
        int twice = (i != j) + (i & j & 1);
        vec left = twice == 0 ? x->v[i] : twice == 1 ? x2[i] : x4[i];
        t.v[(i + j) % FE_LIMBS] +=
            vec_times32(left, i + j < FE_LIMBS ? x->v[j] : x19[j]);
    }
    fe_carry(r, &t);
}

ALWAYS void
fe_sum(struct fe *o, const struct fe *a, const struct fe *b)
{
    EACH_LIMB(i)
    o->v[i] = a->v[i] + b->v[i];
}

/* Compute o = a - b + 2 p. */
ALWAYS void
fe_diff(struct fe *o, const struct fe *a, const struct fe *b)
{
    const vec k0 = vec_all(2 * (MASK26 - 18)), even = vec_all(2 * MASK26);
    const vec odd = vec_all(2 * MASK25);
    EACH_LIMB(i)
    o->v[i] = a->v[i] + ((i == 0 ? k0 : i & 1 ? odd : even) - b->v[i]);
}

/* Compute o = a + 121665 e, a factor of two factors: (A - 2) / 4 of curve25519.
 */
ALWAYS void
fe_mad_121665(struct fe *o, const struct fe *a, const struct fe *e)
{
    const vec k = vec_all(121665);
    struct fe r;
    EACH_LIMB(i)
    r.v[i] = a->v[i] + vec_times32(e->v[i], k);
    fe_carry(o, &r);
}
#endif
