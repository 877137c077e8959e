/* sphinx/x25519/comb.h - LANES multiples of the base point side by side, a
 * quarter of a ladder's work. Included after a field and ladder.h.
 *
 * On the twisted Edwards curve -x^2 + y^2 = 1 + d x^2 y^2 that is
 * curve25519 in another form, with u = (1 + y) / (1 - y) (RFC 7748, section
 * 4.1). Extended coordinates and formulas of Hisil, Wong, Carter and Dawson
 * (ASIACRYPT 2008): complete, so no case is special.
 *
 * The scalar k is clamped, so a multiple of 8, and the base point B has the odd
 * order l, so k B = (k + l) B with an odd factor, which has just one form sum
 * (2 e_i - 15) 16^i over 64 digits e_i of 4 bits: those of e = (k + l - 1) / 2
 * + 2^255. All digits 2 e_i - 15 are odd, none is zero, and the 8 multiples
 * 1, 3, .. 15 and their negatives are all that is needed:
 *   k B = 16 sum_j (odd digit j) 256^j B + sum_j (even digit j) 256^j B.
 * The table has the 8 multiples of each 256^j B; picking one is a permutation
 * inside a register, the same for every digit. */
#ifndef SPHINX_X25519_COMB_H
#define SPHINX_X25519_COMB_H
#include <pthread.h>

#include "sphinx/x25519/ladder.h"

enum { COMB_PLACES = 32, COMB_MULTIPLES = 8 };

/* Extended coordinates, products: x = X/Z, y = Y/Z, xy = T/Z. */
struct point {
    struct fe x, y, z, t;
};

/* A point to be added: (y + x) / 2, (y - x) / 2, d x y of the affine one;
 * halves, which saves doubling Z. */
struct addend {
    struct fe plus, minus, dxy;
};

/* The same for 8 points, a word each, as comb_pick() reads them. */
struct comb_place {
    comb_word plus[FE_LIMBS][COMB_MULTIPLES];
    comb_word minus[FE_LIMBS][COMB_MULTIPLES];
    comb_word dxy[FE_LIMBS][COMB_MULTIPLES];
};

static struct comb_place comb[COMB_PLACES] __attribute__((aligned(64)));

/* Add q to p, or subtract q in the lanes of negative. */
ALWAYS void
point_add(struct point *p, const struct addend *q, vec negative)
{
    struct fe plus, minus, a, b, c, e, f, g, h, up, down;
    EACH_LIMB(i)
    {
        plus.v[i] = vec_pick(negative, q->minus.v[i], q->plus.v[i]);
        minus.v[i] = vec_pick(negative, q->plus.v[i], q->minus.v[i]);
    }
    fe_diff(&a, &p->y, &p->x);
    fe_mul(&a, &a, &minus);
    fe_sum(&b, &p->y, &p->x);
    fe_mul(&b, &b, &plus);
    fe_factor(&c, &p->t);
    fe_mul(&c, &c, &q->dxy);
    fe_diff(&e, &b, &a);
    fe_sum(&h, &b, &a);
    fe_diff(&down, &p->z, &c);
    fe_sum(&up, &p->z, &c);
    EACH_LIMB(i)
    {
        f.v[i] = vec_pick(negative, up.v[i], down.v[i]);
        g.v[i] = vec_pick(negative, down.v[i], up.v[i]);
    }
    fe_mul(&p->x, &e, &f);
    fe_mul(&p->y, &g, &h);
    fe_mul(&p->t, &e, &h);
    fe_mul(&p->z, &f, &g);
}

/* Double p: with A = X^2, B = Y^2, C = 2 Z^2, E = (X + Y)^2 - A - B, G = B - A,
 * F = G - C, H = -A - B; F and H with the other sign, which changes the sign of
 * all coordinates. */
APART void
point_double(struct point *p)
{
    struct fe a, b, c, e, f, g, h, t;
    fe_factor(&t, &p->x);
    fe_sqr(&a, &t);
    fe_factor(&t, &p->y);
    fe_sqr(&b, &t);
    fe_factor(&t, &p->z);
    fe_sqr(&c, &t);
    fe_sum(&c, &c, &c);
    fe_carry(&c, &c);
    fe_sum(&t, &p->x, &p->y);
    fe_sqr(&e, &t);
    fe_sum(&h, &a, &b);
    fe_carry(&h, &h);
    fe_diff(&e, &e, &h);
    fe_diff(&g, &b, &a);
    fe_carry(&g, &g);
    fe_diff(&f, &c, &g);
    fe_mul(&p->x, &e, &f);
    fe_mul(&p->y, &g, &h);
    fe_mul(&p->t, &e, &h);
    fe_mul(&p->z, &f, &g);
}

static void
point_zero(struct point *p)
{
    fe_small(&p->x, 0);
    fe_small(&p->y, 1);
    fe_small(&p->z, 1);
    fe_small(&p->t, 0);
}

/* ---- the table, made once a process out of the base point alone ---- */

/* Load one number into every lane. */
static void
fe_same(struct fe *o, const uint8_t bytes[32])
{
    uint8_t row[LANES][32];
    for (int l = 0; l < LANES; l++)
        memcpy(row[l], bytes, 32);
    fe_load(o, (const uint8_t(*)[32])row);
}

static void
affine_addend(struct addend *o, const struct fe *x, const struct fe *y)
{
    static const uint8_t half[32] = /* 2^254 - 9 */
        {0xf7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f};
    static const uint8_t d[32] = /* -121665 / 121666 */
        {0xa3, 0x78, 0x59, 0x13, 0xca, 0x4d, 0xeb, 0x75, 0xab, 0xd8, 0x41,
         0x41, 0x4d, 0x0a, 0x70, 0x00, 0x98, 0xe8, 0x79, 0x77, 0x79, 0x40,
         0xc7, 0x8c, 0x73, 0xfe, 0x6f, 0x2b, 0xee, 0x6c, 0x03, 0x52};
    struct fe k, t;
    fe_same(&k, half);
    fe_sum(&t, y, x);
    factor_mul(&o->plus, &t, &k);
    fe_diff(&t, y, x);
    factor_mul(&o->minus, &t, &k);
    fe_same(&k, d);
    factor_mul(&t, x, y);
    factor_mul(&o->dxy, &t, &k);
}

static void
point_addend(struct addend *o, const struct point *p)
{
    struct fe inverse, x, y;
    fe_factor(&x, &p->z);
    fe_invert(&inverse, &x);
    fe_factor(&x, &p->x);
    factor_mul(&x, &x, &inverse);
    fe_factor(&y, &p->y);
    factor_mul(&y, &y, &inverse);
    affine_addend(o, &x, &y);
}

/* Make B, whose y is 4/5 (RFC 8032, section 5.1), in all lanes. */
static void
base_addend(struct addend *o)
{
    static const uint8_t at_x[32] = {
        0x1a, 0xd5, 0x25, 0x8f, 0x60, 0x2d, 0x56, 0xc9, 0xb2, 0xa7, 0x25,
        0x95, 0x60, 0xc7, 0x2c, 0x69, 0x5c, 0xdc, 0xd6, 0xfd, 0x31, 0xe2,
        0xa4, 0xc0, 0xfe, 0x53, 0x6e, 0xcd, 0xd3, 0x36, 0x69, 0x21};
    static const uint8_t at_y[32] = {
        0x58, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
        0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
        0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66};
    struct fe x, y;
    fe_same(&x, at_x);
    fe_same(&y, at_y);
    affine_addend(o, &x, &y);
}

/* Make B, 3 B, .. (2 LANES - 1) B, then as many more, one in each lane. */
static void
multiples_first(struct point group[COMB_MULTIPLES / LANES])
{
    struct addend b, b2;
    struct point p, next;
    const vec none = vec_all(0);
    base_addend(&b);
    point_zero(&p);
    point_add(&p, &b, none);
    next = p;
    point_add(&next, &b, none);
    point_addend(&b2, &next);
    for (int m = 0; m < COMB_MULTIPLES; m++) {
        struct point *o = &group[m / LANES];
        if (m % LANES == 0)
            *o = p;
        vec here = vec_all(0);
        here[m % LANES] = ~0ULL;
        EACH_LIMB(i)
        {
            o->x.v[i] = vec_pick(here, p.x.v[i], o->x.v[i]);
            o->y.v[i] = vec_pick(here, p.y.v[i], o->y.v[i]);
            o->z.v[i] = vec_pick(here, p.z.v[i], o->z.v[i]);
            o->t.v[i] = vec_pick(here, p.t.v[i], o->t.v[i]);
        }
        point_add(&p, &b2, none);
    }
}

static void
words_keep(comb_word to[FE_LIMBS][COMB_MULTIPLES], const struct fe *a, int at)
{
    EACH_LIMB(i)
    for (int l = 0; l < LANES; l++)
        to[i][at + l] = (comb_word)a->v[i][l];
}

static void
comb_make(void)
{
    struct point group[COMB_MULTIPLES / LANES];
    multiples_first(group);
    for (int j = 0; j < COMB_PLACES; j++)
        for (int g = 0; g < COMB_MULTIPLES / LANES; g++) {
            struct addend q;
            point_addend(&q, &group[g]);
            words_keep(comb[j].plus, &q.plus, g * LANES);
            words_keep(comb[j].minus, &q.minus, g * LANES);
            words_keep(comb[j].dxy, &q.dxy, g * LANES);
            for (int i = 0; i < 8; i++)
                point_double(&group[g]);
        }
}

/* ---- multiplying ---- */

/* Compute e of the head of this file: half of the clamped scalar and (l - 1) /
 * 2 + 2^255. */
ALWAYS void
digits_load(vec e[4], const uint8_t (*scalar)[32])
{
    static const uint64_t offset[4] = {0x2c09318d2e7ae9f6, 0x0a6f7cef517bce6b,
                                       0, 0x8800000000000000};
    vec k[4], carry = vec_all(0);
    scalars_load(k, scalar);
    for (int i = 0; i < 4; i++) {
        vec half = i < 3 ? k[i] >> 1 | k[i + 1] << 63 : k[i] >> 1;
        vec a = half + vec_all(offset[i]);
        e[i] = a + carry;
        carry = ((vec)(a < half) | (vec)(e[i] < a)) & vec_all(1);
    }
}

/* Add to p the multiple of 256^(digit / 2) B that the digit names. */
ALWAYS void
comb_add(struct point *p, const vec e[4], int digit)
{
    const struct comb_place *c = &comb[digit / 2];
    struct addend q;
    vec d = (e[digit / 16] >> (4 * (digit % 16))) & vec_all(15);
    vec negative = (d >> 3) - vec_all(1);
    vec which = (d ^ negative) & vec_all(7);
    EACH_LIMB(i)
    {
        q.plus.v[i] = comb_pick(c->plus[i], which);
        q.minus.v[i] = comb_pick(c->minus[i], which);
        q.dxy.v[i] = comb_pick(c->dxy[i], which);
    }
    point_add(p, &q, negative);
}

/* Compute (x : z) = scalar * 9 for one group, factors. */
APART void
comb_run(struct fe *x, struct fe *z, const uint8_t (*scalar)[32])
{
    struct point p;
    vec e[4];
    digits_load(e, scalar);
    point_zero(&p);
    for (int i = 1; i < 2 * COMB_PLACES; i += 2)
        comb_add(&p, e, i);
    for (int i = 0; i < 4; i++)
        point_double(&p);
    for (int i = 0; i < 2 * COMB_PLACES; i += 2)
        comb_add(&p, e, i);
    fe_sum(x, &p.z, &p.y);
    fe_diff(z, &p.z, &p.y);
    secret_wipe(&p, sizeof p);
    secret_wipe(e, sizeof e);
}

static void
comb_groups(const uint8_t (*scalar)[32], uint8_t (*out)[32], size_t groups)
{
    static pthread_once_t made = PTHREAD_ONCE_INIT;
    struct fe x[GROUPS_MAX], z[GROUPS_MAX];
    pthread_once(&made, comb_make);
    for (size_t g = 0; g < groups; g++)
        comb_run(&x[g], &z[g], scalar + LANES * g);
    groups_finish(x, z, groups, out);
    secret_wipe(x, sizeof x);
    secret_wipe(z, sizeof z);
}
#endif
