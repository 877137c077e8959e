/* sphinx/x25519_ifma.c - eight X25519 at once with AVX-512 IFMA.
 *
 * One multiplication in each 64-bit lane of a vector; numbers mod p = 2^255 -
 * 19 in five limbs of 51 bits. IFMA multiplies 52-bit numbers and adds the low
 * or the high 52 bits of the product; a high half of column i counts in column
 * i + 1 twice, since 2^52 = 2 * 2^51.
 *
 * Bounds. A "carried" number has limbs below 2^51 + 2^17, so below 2^52, which
 * is what IFMA reads. A "raw" one is what a product leaves: with carried
 * factors each column is at most 5 low halves, 10 high halves doubled and 19
 * times as much from above, below 124.5 * 2^52 < 2^59. Sums of raw numbers, and
 * differences with 256 p added, stay below 2^61; one parallel carry brings them
 * back. Debug builds check it.
 *
 * Constant time: no branch and no address depends on scalars or points. */
#if defined(__x86_64__)
#include <assert.h>
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "lib/secret.h"
#include "sphinx/x25519.h"

enum { LANES = X25519_IFMA_LANES, GROUPS_MAX = X25519_IFMA_MAX / LANES };

typedef __m512i vec;
#define MASK51 ((1ULL << 51) - 1)
#define ALWAYS static inline __attribute__((always_inline))
#define APART  static __attribute__((noinline))

struct fe {
    vec v[5];
};

ALWAYS vec
all(uint64_t x)
{
    return _mm512_set1_epi64((long long)x);
}
ALWAYS vec
lo(vec sum, vec a, vec b)
{
    return _mm512_madd52lo_epu64(sum, a, b);
}
ALWAYS vec
hi(vec sum, vec a, vec b)
{
    return _mm512_madd52hi_epu64(sum, a, b);
}
ALWAYS vec
add(vec a, vec b)
{
    return _mm512_add_epi64(a, b);
}
ALWAYS vec
twice(vec a)
{
    return _mm512_add_epi64(a, a);
}
ALWAYS vec
shr(vec a, unsigned n)
{
    return _mm512_srli_epi64(a, n);
}
ALWAYS vec
shl(vec a, unsigned n)
{
    return _mm512_slli_epi64(a, n);
}
ALWAYS vec and (vec a, vec b)
{
    return _mm512_and_si512(a, b);
}
ALWAYS vec or (vec a, vec b)
{
    return _mm512_or_si512(a, b);
}

/* A product column from above 2^255 comes back times 19. */
ALWAYS vec
times19(vec a)
{
    vec k = all(19);
    __asm__("" : "+v"(k)); /* a multiplication, not the shifts gcc prefers */
    return _mm512_mullo_epi64(a, k);
}

ALWAYS void
is_carried(const struct fe *a)
{
#ifdef BRUSIO_DEBUG
    for (int i = 0; i < 5; i++)
        assert(_mm512_cmpge_epu64_mask(a->v[i],
                                       all((1ULL << 51) + (1ULL << 17))) == 0);
#else
    (void)a;
#endif
}

/* One parallel carry. */
ALWAYS void
carry(struct fe *o, const struct fe *r)
{
    const vec m = all(MASK51);
    vec c0 = shr(r->v[0], 51), c1 = shr(r->v[1], 51), c2 = shr(r->v[2], 51);
    vec c3 = shr(r->v[3], 51), c4 = shr(r->v[4], 51);
    o->v[0] = lo(and(r->v[0], m), c4, all(19));
    o->v[1] = add(and(r->v[1], m), c0);
    o->v[2] = add(and(r->v[2], m), c1);
    o->v[3] = add(and(r->v[3], m), c2);
    o->v[4] = add(and(r->v[4], m), c3);
    is_carried(o);
}

/* Fold nine columns and a tenth of high halves to five. */
ALWAYS void
fold(struct fe *r, const vec t[10])
{
    for (int i = 0; i < 5; i++)
        r->v[i] = add(t[i], times19(t[i + 5]));
}

/* r = x y, raw. All high halves first, doubled once, then the low ones. */
ALWAYS void
mul_raw(struct fe *r, const struct fe *x, const struct fe *y)
{
    vec t[10];
    for (int i = 0; i < 10; i++)
        t[i] = _mm512_setzero_si512();
#pragma GCC unroll 5
    for (int i = 0; i < 5; i++)
#pragma GCC unroll 5
        for (int k = 0; k < 5; k++)
            t[i + k + 1] = hi(t[i + k + 1], x->v[i], y->v[k]);
#pragma GCC unroll 9
    for (int i = 1; i < 10; i++)
        t[i] = twice(t[i]);
#pragma GCC unroll 5
    for (int i = 0; i < 5; i++)
#pragma GCC unroll 5
        for (int k = 0; k < 5; k++)
            t[i + k] = lo(t[i + k], x->v[i], y->v[k]);
    fold(r, t);
}

/* r = x^2, raw: column = 2 (2 H_off + H_diagonal + L_off) + L_diagonal. */
ALWAYS void
sqr_raw(struct fe *r, const struct fe *x)
{
    vec t[10];
    for (int i = 0; i < 10; i++)
        t[i] = _mm512_setzero_si512();
#pragma GCC unroll 5
    for (int i = 0; i < 5; i++)
#pragma GCC unroll 5
        for (int k = i + 1; k < 5; k++)
            t[i + k + 1] = hi(t[i + k + 1], x->v[i], x->v[k]);
#pragma GCC unroll 8
    for (int i = 2; i < 9; i++)
        t[i] = twice(t[i]);
#pragma GCC unroll 5
    for (int i = 0; i < 5; i++)
        t[2 * i + 1] = hi(t[2 * i + 1], x->v[i], x->v[i]);
#pragma GCC unroll 5
    for (int i = 0; i < 5; i++)
#pragma GCC unroll 5
        for (int k = i + 1; k < 5; k++)
            t[i + k] = lo(t[i + k], x->v[i], x->v[k]);
#pragma GCC unroll 9
    for (int i = 1; i < 10; i++)
        t[i] = twice(t[i]);
#pragma GCC unroll 5
    for (int i = 0; i < 5; i++)
        t[2 * i] = lo(t[2 * i], x->v[i], x->v[i]);
    fold(r, t);
}

ALWAYS void
add_carried(struct fe *o, const struct fe *a, const struct fe *b)
{
    struct fe r;
    for (int i = 0; i < 5; i++)
        r.v[i] = add(a->v[i], b->v[i]);
    carry(o, &r);
}

/* o = a - b + 256 p. */
ALWAYS void
sub_carried(struct fe *o, const struct fe *a, const struct fe *b)
{
    const vec k0 = all(256 * (MASK51 - 18)), k = all(256 * MASK51);
    struct fe r;
    for (int i = 0; i < 5; i++)
        r.v[i] = add(a->v[i], _mm512_sub_epi64(i == 0 ? k0 : k, b->v[i]));
    carry(o, &r);
}

/* o = a + 121665 e, for carried ones: (A - 2) / 4 of curve25519. */
ALWAYS void
mad_121665(struct fe *o, const struct fe *a, const struct fe *e)
{
    const vec k = all(121665), zero = _mm512_setzero_si512();
    struct fe r;
    r.v[0] = lo(lo(a->v[0], e->v[0], k), hi(zero, e->v[4], k), all(38));
#pragma GCC unroll 4
    for (int i = 1; i < 5; i++)
        r.v[i] = lo(add(a->v[i], twice(hi(zero, e->v[i - 1], k))), e->v[i], k);
    carry(o, &r);
}

APART void
sqr_times(struct fe *o, const struct fe *a, int n)
{
    struct fe t = *a, r;
    for (int i = 0; i < n; i++) {
        sqr_raw(&r, &t);
        carry(&t, &r);
    }
    *o = t;
}

APART void
mul(struct fe *o, const struct fe *a, const struct fe *b)
{
    struct fe r;
    mul_raw(&r, a, b);
    carry(o, &r);
}

/* o = x^(p - 2), the chain of 254 squarings and 11 multiplications of the
 * curve's author; xN stands for x^(2^N - 1). */
static void
invert(struct fe *o, const struct fe *x)
{
    struct fe two, nine, eleven, t, x5, x10, x20, x40, x50, x100;
    sqr_times(&two, x, 1);
    sqr_times(&t, &two, 2);
    mul(&nine, &t, x);
    mul(&eleven, &nine, &two);
    sqr_times(&t, &eleven, 1);
    mul(&x5, &t, &nine);
    sqr_times(&t, &x5, 5);
    mul(&x10, &t, &x5);
    sqr_times(&t, &x10, 10);
    mul(&x20, &t, &x10);
    sqr_times(&t, &x20, 20);
    mul(&x40, &t, &x20);
    sqr_times(&t, &x40, 10);
    mul(&x50, &t, &x10);
    sqr_times(&t, &x50, 50);
    mul(&x100, &t, &x50);
    sqr_times(&t, &x100, 100);
    mul(&t, &t, &x100);
    sqr_times(&t, &t, 50);
    mul(&t, &t, &x50);
    sqr_times(&t, &t, 5);
    mul(o, &t, &eleven);
}

/* Carried to the one representative below p. */
static void
freeze(struct fe *o, const struct fe *a)
{
    const vec m = all(MASK51), k = all(19);
    struct fe t = *a;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < 4; i++) {
            t.v[i + 1] = add(t.v[i + 1], shr(t.v[i], 51));
            t.v[i] = and(t.v[i], m);
        }
        t.v[0] = lo(t.v[0], shr(t.v[4], 51), k);
        t.v[4] = and(t.v[4], m);
    }
    /* below 2^255 and a little: does adding 19 reach 2^255? */
    vec q = shr(add(t.v[0], k), 51);
    for (int i = 1; i < 5; i++)
        q = shr(add(t.v[i], q), 51);
    t.v[0] = lo(t.v[0], q, k);
    for (int i = 0; i < 4; i++) {
        t.v[i + 1] = add(t.v[i + 1], shr(t.v[i], 51));
        t.v[i] = and(t.v[i], m);
    }
    t.v[4] = and(t.v[4], m);
    *o = t;
}

/* Eight strings of 32 octets, little endian, as words across the lanes. */
static void
words_load(vec w[4], const uint8_t *const *p)
{
    uint64_t x[4][LANES];
    for (int l = 0; l < LANES; l++)
        for (int i = 0; i < 4; i++)
            memcpy(&x[i][l], p[l] + 8 * i, 8);
    for (int i = 0; i < 4; i++)
        w[i] = _mm512_loadu_si512(x[i]);
    secret_wipe(x, sizeof x);
}

/* The top bit is ignored (RFC 7748, section 5). */
static void
point_load(struct fe *o, const uint8_t *const *p)
{
    const vec m = all(MASK51);
    vec w[4];
    words_load(w, p);
    o->v[0] = and(w[0], m);
    o->v[1] = and(or (shr(w[0], 51), shl(w[1], 13)), m);
    o->v[2] = and(or (shr(w[1], 38), shl(w[2], 26)), m);
    o->v[3] = and(or (shr(w[2], 25), shl(w[3], 39)), m);
    o->v[4] = and(shr(w[3], 12), m);
}

static void
point_store(uint8_t *const *p, const struct fe *a)
{
    struct fe f;
    uint64_t x[4][LANES];
    freeze(&f, a);
    _mm512_storeu_si512(x[0], or (f.v[0], shl(f.v[1], 51)));
    _mm512_storeu_si512(x[1], or (shr(f.v[1], 13), shl(f.v[2], 38)));
    _mm512_storeu_si512(x[2], or (shr(f.v[2], 26), shl(f.v[3], 25)));
    _mm512_storeu_si512(x[3], or (shr(f.v[3], 39), shl(f.v[4], 12)));
    for (int l = 0; l < LANES; l++)
        for (int i = 0; i < 4; i++)
            memcpy(p[l] + 8 * i, &x[i][l], 8);
    secret_wipe(x, sizeof x);
}

/* The ladder's state: the sums and differences that the next step needs, so
 * that what a step leaves is carried once, not twice. */
struct ladder {
    struct fe a, b, c, d; /* x2 + z2, x2 - z2, x3 + z3, x3 - z3 */
    struct fe x1;
    vec scalar[4];
    __mmask8 before; /* the bit of the last step */
};

ALWAYS void
ladder_step(struct ladder *s, struct fe *x2, struct fe *z2, int t)
{
    struct fe p, q, da, cb, aa, bb, e, f, sum, diff, x3, z3;
    __mmask8 bit =
        _mm512_test_epi64_mask(s->scalar[t >> 6], all(1ULL << (t & 63)));
    __mmask8 swap = (__mmask8)(bit ^ s->before);
    s->before = bit;
    for (int i = 0; i < 5; i++) {
        p.v[i] = _mm512_mask_blend_epi64(swap, s->a.v[i], s->c.v[i]);
        q.v[i] = _mm512_mask_blend_epi64(swap, s->b.v[i], s->d.v[i]);
    }
    mul_raw(&da, &s->d, &s->a);
    mul_raw(&cb, &s->c, &s->b);
    add_carried(&sum, &da, &cb);
    sub_carried(&diff, &da, &cb);
    sqr_raw(&aa, &p);
    sqr_raw(&bb, &q);
    sub_carried(&e, &aa, &bb);
    carry(&aa, &aa);
    carry(&bb, &bb);
    sqr_raw(&f, &diff);
    carry(&diff, &f);
    mad_121665(&f, &aa, &e);
    mul_raw(x2, &aa, &bb);
    mul_raw(z2, &e, &f);
    sqr_raw(&x3, &sum);
    add_carried(&s->a, x2, z2);
    sub_carried(&s->b, x2, z2);
    mul_raw(&z3, &s->x1, &diff);
    add_carried(&s->c, &x3, &z3);
    sub_carried(&s->d, &x3, &z3);
}

/* (x : z) = scalar * point for one group. The lowest scalar bit is 0 after
 * clamping, so no swap is left at the end. */
APART void
ladder_run(struct fe *x, struct fe *z, const uint8_t *const *scalar,
           const uint8_t *const *point)
{
    struct ladder s;
    struct fe one = {{all(1)}}, nought = {{all(0)}};
    for (int i = 1; i < 5; i++)
        one.v[i] = nought.v[i] = all(0);
    words_load(s.scalar, scalar);
    s.scalar[0] = and(s.scalar[0], all(~7ULL));
    s.scalar[3] = or (and(s.scalar[3], all(~0ULL >> 1)), all(1ULL << 62));
    s.before = 0;
    point_load(&s.x1, point);
    /* (x2 : z2) = (1 : 0), (x3 : z3) = (u : 1) */
    add_carried(&s.a, &one, &nought);
    sub_carried(&s.b, &one, &nought);
    add_carried(&s.c, &s.x1, &one);
    sub_carried(&s.d, &s.x1, &one);
    for (int t = 254; t >= 0; t--)
        ladder_step(&s, x, z, t);
    carry(x, x);
    carry(z, z);
    secret_wipe(&s, sizeof s);
}

/* Groups whose z is zero in a lane (low order) get z = 1, x = 0 there. */
static void
zero_mend(struct fe *x, struct fe *z)
{
    struct fe f;
    freeze(&f, z);
    vec any = or (or (or (f.v[0], f.v[1]), or (f.v[2], f.v[3])), f.v[4]);
    __mmask8 zero = _mm512_cmpeq_epi64_mask(any, all(0));
    for (int i = 0; i < 5; i++) {
        z->v[i] = _mm512_mask_blend_epi64(zero, z->v[i], all(i == 0));
        x->v[i] = _mm512_mask_blend_epi64(zero, x->v[i], all(0));
    }
}

/* One inversion for all groups (Montgomery's trick). */
static void
groups_finish(struct fe *x, struct fe *z, size_t groups, uint8_t *const *out)
{
    struct fe product[GROUPS_MAX], inverse, t;
    for (size_t g = 0; g < groups; g++) {
        zero_mend(&x[g], &z[g]);
        if (g == 0)
            product[0] = z[0];
        else
            mul(&product[g], &product[g - 1], &z[g]);
    }
    invert(&inverse, &product[groups - 1]);
    for (size_t g = groups; g-- > 0;) {
        t = inverse;
        if (g > 0) {
            mul(&t, &inverse, &product[g - 1]);
            mul(&inverse, &inverse, &z[g]);
        }
        mul(&t, &t, &x[g]);
        point_store(out + LANES * g, &t);
    }
    secret_wipe(product, sizeof product);
}

void
x25519_ifma(const uint8_t *const *scalar, const uint8_t *const *point,
            uint8_t *const *out, size_t n)
{
    const uint8_t *k[X25519_IFMA_MAX], *u[X25519_IFMA_MAX];
    uint8_t *o[X25519_IFMA_MAX], spare[32];
    struct fe x[GROUPS_MAX], z[GROUPS_MAX];
    size_t groups = (n + LANES - 1) / LANES;
    for (size_t i = 0; i < groups * LANES; i++) {
        /* lanes without a job repeat the first one */
        k[i] = scalar[i < n ? i : 0];
        u[i] = point[i < n ? i : 0];
        o[i] = i < n ? out[i] : spare;
    }
    for (size_t g = 0; g < groups; g++)
        ladder_run(&x[g], &z[g], k + LANES * g, u + LANES * g);
    groups_finish(x, z, groups, o);
    secret_wipe(x, sizeof x);
    secret_wipe(z, sizeof z);
    secret_wipe(spare, sizeof spare);
}
#else
typedef int x25519_ifma_is_for_x86_64;
#endif
