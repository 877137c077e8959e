/* sphinx/x25519/ladder.h - LANES X25519 side by side over any field (RFC 7748).
 *
 * Included after a field. Montgomery's ladder, branch-free; the division at
 * the end is one inversion for all groups of lanes. */
#ifndef SPHINX_X25519_LADDER_H
#define SPHINX_X25519_LADDER_H
#include "lib/secret.h"
#include "sphinx/x25519/x25519_lanes.h"

enum { GROUPS_MAX = X25519_BATCH_MAX / LANES };

APART void
factor_sqr_times(struct fe *o, const struct fe *a, int n)
{
    struct fe t = *a;
    for (int i = 0; i < n; i++) {
        fe_sqr(&t, &t);
        fe_factor(&t, &t);
    }
    *o = t;
}

APART void
factor_mul(struct fe *o, const struct fe *a, const struct fe *b)
{
    fe_mul(o, a, b);
    fe_factor(o, o);
}

/* Compute o = x^(p - 2), of factors, by the curve author's chain of 254
 * squarings and 11 multiplications; xN stands for x^(2^N - 1). */
static void
fe_invert(struct fe *o, const struct fe *x)
{
    struct fe two, nine, eleven, t, x5, x10, x20, x40, x50, x100;
    factor_sqr_times(&two, x, 1);
    factor_sqr_times(&t, &two, 2);
    factor_mul(&nine, &t, x);
    factor_mul(&eleven, &nine, &two);
    factor_sqr_times(&t, &eleven, 1);
    factor_mul(&x5, &t, &nine);
    factor_sqr_times(&t, &x5, 5);
    factor_mul(&x10, &t, &x5);
    factor_sqr_times(&t, &x10, 10);
    factor_mul(&x20, &t, &x10);
    factor_sqr_times(&t, &x20, 20);
    factor_mul(&x40, &t, &x20);
    factor_sqr_times(&t, &x40, 10);
    factor_mul(&x50, &t, &x10);
    factor_sqr_times(&t, &x50, 50);
    factor_mul(&x100, &t, &x50);
    factor_sqr_times(&t, &x100, 100);
    factor_mul(&t, &t, &x100);
    factor_sqr_times(&t, &t, 50);
    factor_mul(&t, &t, &x50);
    factor_sqr_times(&t, &t, 5);
    factor_mul(o, &t, &eleven);
}

ALWAYS vec
limb_mask(int i)
{
    return vec_all((1ULL << fe_bits(i)) - 1);
}

/* Carry from limb to limb, without the way back from the last. */
ALWAYS void
fe_ripple(struct fe *t)
{
    for (int i = 0; i < FE_LIMBS - 1; i++) {
        t->v[i + 1] += t->v[i] >> fe_bits(i);
        t->v[i] &= limb_mask(i);
    }
}

/* Compute the one representative below p of a number with limbs below 2^62. */
static void
fe_freeze(struct fe *o, const struct fe *a)
{
    const int last = FE_LIMBS - 1;
    struct fe t;
    fe_carry(&t, a);
    for (int pass = 0; pass < 2; pass++) {
        fe_ripple(&t);
        t.v[0] += (t.v[last] >> fe_bits(last)) * 19;
        t.v[last] &= limb_mask(last);
    }
    /* below 2^255 and a little: does adding 19 reach 2^255? */
    vec q = vec_all(19);
    EACH_LIMB(i)
    q = (t.v[i] + q) >> fe_bits(i);
    t.v[0] += q * 19;
    fe_ripple(&t);
    t.v[last] &= limb_mask(last);
    *o = t;
}

/* Load numbers from words, little endian; the top bit is ignored (RFC 7748). */
static void
fe_load(struct fe *o, const uint8_t (*row)[32])
{
    vec w[4];
    words_load(w, row);
#pragma GCC unroll 10
    for (int i = 0, at = 0; i < FE_LIMBS; at += fe_bits(i), i++) {
        int word = at / 64, shift = at % 64;
        vec x = w[word] >> shift;
        if (shift + fe_bits(i) > 64)
            x |= w[word + 1] << (64 - shift);
        o->v[i] = x & limb_mask(i);
    }
}

static void
fe_store(uint8_t (*row)[32], const struct fe *a)
{
    struct fe f;
    vec w[4] = {{0}};
    fe_freeze(&f, a);
#pragma GCC unroll 10
    for (int i = 0, at = 0; i < FE_LIMBS; at += fe_bits(i), i++) {
        int word = at / 64, shift = at % 64;
        w[word] |= f.v[i] << shift;
        if (shift + fe_bits(i) > 64)
            w[word + 1] |= f.v[i] >> (64 - shift);
    }
    words_store(row, w);
}

static void
fe_small(struct fe *o, uint64_t x)
{
    EACH_LIMB(i)
    o->v[i] = vec_all(i == 0 ? x : 0);
}

/* The ladder's state: the sums and differences that the next step needs, so
 * that what a step leaves is carried once, not twice. */
struct ladder {
    struct fe a, b, c, d; /* x2 + z2, x2 - z2, x3 + z3, x3 - z3 */
    struct fe x1;
    vec scalar[4];
    vec before; /* the bit of the last step */
};

ALWAYS void
ladder_step(struct ladder *s, struct fe *x2, struct fe *z2, int t)
{
    struct fe p, q, da, cb, aa, bb, e, f, sum, diff, x3, z3;
    vec bit = (s->scalar[t >> 6] >> (t & 63)) & vec_all(1);
    vec swap = vec_all(0) - (bit ^ s->before);
    s->before = bit;
    EACH_LIMB(i)
    {
        p.v[i] = vec_pick(swap, s->c.v[i], s->a.v[i]);
        q.v[i] = vec_pick(swap, s->d.v[i], s->b.v[i]);
    }
    fe_mul(&da, &s->d, &s->a);
    fe_mul(&cb, &s->c, &s->b);
    fe_sum(&sum, &da, &cb);
    fe_diff(&diff, &da, &cb);
    fe_sqr(&aa, &p);
    fe_sqr(&bb, &q);
    fe_diff(&e, &aa, &bb);
    fe_factor(&aa, &aa);
    fe_factor(&bb, &bb);
    fe_sqr(&f, &diff);
    fe_factor(&diff, &f);
    fe_mad_121665(&f, &aa, &e);
    fe_mul(x2, &aa, &bb);
    fe_mul(z2, &e, &f);
    fe_sqr(&x3, &sum);
    fe_sum(&s->a, x2, z2);
    fe_diff(&s->b, x2, z2);
    fe_mul(&z3, &s->x1, &diff);
    fe_sum(&s->c, &x3, &z3);
    fe_diff(&s->d, &x3, &z3);
}

/* Compute (x : z) = scalar * point for one group, factors. The lowest scalar
 * bit is 0 after clamping, so no swap is left at the end. */
APART void
ladder_run(struct fe *x, struct fe *z, const uint8_t (*scalar)[32],
           const uint8_t (*point)[32])
{
    struct ladder s;
    struct fe one, nought;
    fe_small(&one, 1);
    fe_small(&nought, 0);
    scalars_load(s.scalar, scalar);
    s.before = vec_all(0);
    fe_load(&s.x1, point);
    /* (x2 : z2) = (1 : 0), (x3 : z3) = (u : 1) */
    fe_sum(&s.a, &one, &nought);
    fe_diff(&s.b, &one, &nought);
    fe_sum(&s.c, &s.x1, &one);
    fe_diff(&s.d, &s.x1, &one);
    for (int t = 254; t >= 0; t--)
        ladder_step(&s, x, z, t);
    fe_factor(x, x);
    fe_factor(z, z);
    secret_wipe(&s, sizeof s);
}

/* Set z = 1 and x = 0 in the lanes where z is zero (low order). */
static void
zero_mend(struct fe *x, struct fe *z)
{
    struct fe f;
    vec any = vec_all(0);
    fe_freeze(&f, z);
    EACH_LIMB(i)
    any |= f.v[i];
    vec zero = (vec)(any == vec_all(0));
    EACH_LIMB(i)
    {
        z->v[i] = vec_pick(zero, vec_all(i == 0), z->v[i]);
        x->v[i] &= ~zero;
    }
}

/* Compute out = x / z of 1 group or more, one inversion for all (Montgomery's
 * trick). */
static void
groups_finish(struct fe *x, struct fe *z, size_t groups, uint8_t (*out)[32])
{
    struct fe product[GROUPS_MAX], inverse, t;
    zero_mend(&x[0], &z[0]);
    product[0] = z[0];
    for (size_t g = 1; g < groups; g++) {
        zero_mend(&x[g], &z[g]);
        factor_mul(&product[g], &product[g - 1], &z[g]);
    }
    fe_invert(&inverse, &product[groups - 1]);
    for (size_t g = groups; g-- > 0;) {
        t = inverse;
        if (g > 0) {
            factor_mul(&t, &inverse, &product[g - 1]);
            factor_mul(&inverse, &inverse, &z[g]);
        }
        factor_mul(&t, &t, &x[g]);
        fe_store(out + LANES * g, &t);
    }
    secret_wipe(product, sizeof product);
}

static void
ladder_groups(const uint8_t (*scalar)[32], const uint8_t (*point)[32],
              uint8_t (*out)[32], size_t groups)
{
    struct fe x[GROUPS_MAX], z[GROUPS_MAX];
    for (size_t g = 0; g < groups; g++)
        ladder_run(&x[g], &z[g], scalar + LANES * g, point + LANES * g);
    groups_finish(x, z, groups, out);
    secret_wipe(x, sizeof x);
    secret_wipe(z, sizeof z);
}
#endif
