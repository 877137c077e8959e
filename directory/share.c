/* directory/share.c - dealing, checking and opening shares. No state.
 *
 * What the dealer and the holders compute with secrets is libsodium's, in
 * constant time; loops run over public counts alone. */
#include "directory/share.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>

static const uint8_t *
share_generator(void)
{
    static const char label[] = "brusio/1 share generator";
    static _Thread_local uint8_t g[SHARE_LEN];
    static _Thread_local bool made;
    if (!made) {
        uint8_t hash[crypto_core_ristretto255_HASHBYTES];
        crypto_generichash(hash, sizeof hash, (const uint8_t *)label,
                           sizeof label - 1, NULL, 0);
        crypto_core_ristretto255_from_hash(g, hash);
        made = true;
    }
    return g;
}

static void
scalar_random(struct env *env, uint8_t out[static SHARE_LEN])
{
    uint8_t wide[crypto_core_ristretto255_NONREDUCEDSCALARBYTES];
    env_random_crypto(env, wide, sizeof wide);
    crypto_core_ristretto255_scalar_reduce(out, wide);
    sodium_memzero(wide, sizeof wide);
}

static void
scalar_small(uint8_t out[static SHARE_LEN], unsigned v)
{
    memset(out, 0, SHARE_LEN);
    out[0] = (uint8_t)v;
}

/* Compute a + b * c. */
static void
scalar_muladd(uint8_t *out, const uint8_t *a, const uint8_t *b,
              const uint8_t *c)
{
    uint8_t product[SHARE_LEN];
    crypto_core_ristretto255_scalar_mul(product, b, c);
    crypto_core_ristretto255_scalar_add(out, a, product);
    sodium_memzero(product, sizeof product);
}

/* Compute a P + b Q. Returns -1 when one of these is no point or the neutral
 * one. */
static int
point_sum(uint8_t *out, const uint8_t *a, const uint8_t *p, const uint8_t *b,
          const uint8_t *q)
{
    uint8_t x[SHARE_LEN], y[SHARE_LEN];
    return crypto_scalarmult_ristretto255(x, a, p) ||
           crypto_scalarmult_ristretto255(y, b, q) ||
           crypto_core_ristretto255_add(out, x, y);
}

/* Compute p(at) by Horner's rule. */
static void
polynomial_at(uint8_t *out, const uint8_t (*coefficient)[SHARE_LEN],
              unsigned degree, unsigned at)
{
    uint8_t x[SHARE_LEN];
    scalar_small(x, at);
    memcpy(out, coefficient[degree], SHARE_LEN);
    for (unsigned j = degree; j-- > 0;)
        scalar_muladd(out, coefficient[j], out, x);
}

/* Compute X = p(at) g from the commitments. */
static int
commitment_at(uint8_t *out, const struct share_dealing *d, unsigned at)
{
    uint8_t x[SHARE_LEN], y[SHARE_LEN];
    scalar_small(x, at);
    memcpy(out, d->commitment[d->degree], SHARE_LEN);
    for (unsigned j = d->degree; j-- > 0;)
        if (crypto_scalarmult_ristretto255(y, x, out) ||
            crypto_core_ristretto255_add(out, y, d->commitment[j]))
            return ERR_POINT;
    return 0;
}

static bool
shape_is_good(const struct share_dealing *d)
{
    if (d->n == 0 || d->n > SHARE_MAX || d->degree >= d->n)
        return false;
    for (size_t k = 0; k < d->n; k++)
        if (d->at[k] == 0 || d->at[k] > SHARE_MAX ||
            (k > 0 && d->at[k] <= d->at[k - 1]))
            return false;
    return true;
}

void
share_keypair(uint8_t key[static SHARE_LEN], uint8_t *secret,
              const uint8_t seed[static 32])
{
    static const char label[] = "brusio/1 share key";
    uint8_t wide[crypto_core_ristretto255_NONREDUCEDSCALARBYTES];
    crypto_generichash(wide, sizeof wide, (const uint8_t *)label,
                       sizeof label - 1, seed, 32);
    crypto_core_ristretto255_scalar_reduce(secret, wide);
    sodium_memzero(wide, sizeof wide);
    (void)crypto_scalarmult_ristretto255_base(key, secret); /* not 0 */
}

/* ---- proofs ---- */

/* Hash the challenge of a dealing's proof: everything public, and the
 * witnesses. */
static void
deal_challenge(uint8_t *out, const struct share_dealing *d,
               const uint8_t *context, const uint8_t (*a)[SHARE_LEN],
               const uint8_t (*b)[SHARE_LEN])
{
    static const char label[] = "brusio/1 share deal";
    const uint8_t counts[2] = {d->degree, d->n};
    uint8_t wide[64];
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, sizeof wide);
    crypto_generichash_update(&h, (const uint8_t *)label, sizeof label - 1);
    crypto_generichash_update(&h, context, SHARE_CONTEXT_LEN);
    crypto_generichash_update(&h, counts, sizeof counts);
    for (size_t j = 0; j <= d->degree; j++)
        crypto_generichash_update(&h, d->commitment[j], SHARE_LEN);
    for (size_t k = 0; k < d->n; k++) {
        crypto_generichash_update(&h, &d->at[k], 1);
        crypto_generichash_update(&h, d->key[k], SHARE_LEN);
        crypto_generichash_update(&h, d->share[k], SHARE_LEN);
        crypto_generichash_update(&h, a[k], SHARE_LEN);
        crypto_generichash_update(&h, b[k], SHARE_LEN);
    }
    crypto_generichash_final(&h, wide, sizeof wide);
    crypto_core_ristretto255_scalar_reduce(out, wide);
}

static void
open_challenge(uint8_t *out, const struct share_dealing *d, size_t k,
               const uint8_t *point, const uint8_t *context, const uint8_t *a,
               const uint8_t *b)
{
    static const char label[] = "brusio/1 share open";
    uint8_t wide[64];
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, sizeof wide);
    crypto_generichash_update(&h, (const uint8_t *)label, sizeof label - 1);
    crypto_generichash_update(&h, context, SHARE_CONTEXT_LEN);
    crypto_generichash_update(&h, d->key[k], SHARE_LEN);
    crypto_generichash_update(&h, d->share[k], SHARE_LEN);
    crypto_generichash_update(&h, point, SHARE_LEN);
    crypto_generichash_update(&h, a, SHARE_LEN);
    crypto_generichash_update(&h, b, SHARE_LEN);
    crypto_generichash_final(&h, wide, sizeof wide);
    crypto_core_ristretto255_scalar_reduce(out, wide);
}

/* Compute w - c x. */
static void
response_make(uint8_t *out, const uint8_t *w, const uint8_t *c,
              const uint8_t *x)
{
    uint8_t product[SHARE_LEN];
    crypto_core_ristretto255_scalar_mul(product, c, x);
    crypto_core_ristretto255_scalar_sub(out, w, product);
    sodium_memzero(product, sizeof product);
}

/* ---- dealing ---- */

int
share_deal(struct share_dealing *d, struct env *env,
           const uint8_t context[static SHARE_CONTEXT_LEN])
{
    struct {
        uint8_t coefficient[SHARE_MAX][SHARE_LEN];
        uint8_t value[SHARE_MAX][SHARE_LEN], witness[SHARE_MAX][SHARE_LEN];
    } s;
    uint8_t a[SHARE_MAX][SHARE_LEN], b[SHARE_MAX][SHARE_LEN];
    int err = shape_is_good(d) ? 0 : ERR_ARG;
    for (size_t j = 0; !err && j <= d->degree; j++) {
        scalar_random(env, s.coefficient[j]);
        if (crypto_scalarmult_ristretto255(d->commitment[j], s.coefficient[j],
                                           share_generator()))
            err = ERR_CRYPTO; /* once in 2^252 */
    }
    for (size_t k = 0; !err && k < d->n; k++) {
        polynomial_at(s.value[k], (const uint8_t(*)[SHARE_LEN])s.coefficient,
                      d->degree, d->at[k]);
        scalar_random(env, s.witness[k]);
        if (crypto_scalarmult_ristretto255(d->share[k], s.value[k],
                                           d->key[k]) ||
            crypto_scalarmult_ristretto255(a[k], s.witness[k],
                                           share_generator()) ||
            crypto_scalarmult_ristretto255(b[k], s.witness[k], d->key[k]))
            err = ERR_POINT;
    }
    if (!err) {
        deal_challenge(d->challenge, d, context, (const uint8_t(*)[SHARE_LEN])a,
                       (const uint8_t(*)[SHARE_LEN])b);
        for (size_t k = 0; k < d->n; k++)
            response_make(d->response[k], s.witness[k], d->challenge,
                          s.value[k]);
    }
    sodium_memzero(&s, sizeof s);
    return err;
}

int
share_check(const struct share_dealing *d,
            const uint8_t context[static SHARE_CONTEXT_LEN])
{
    uint8_t a[SHARE_MAX][SHARE_LEN], b[SHARE_MAX][SHARE_LEN];
    uint8_t x[SHARE_LEN], challenge[SHARE_LEN];
    if (!shape_is_good(d))
        return ERR_ARG;
    for (size_t k = 0; k < d->n; k++) {
        int err = commitment_at(x, d, d->at[k]);
        if (err)
            return err;
        if (point_sum(a[k], d->response[k], share_generator(), d->challenge,
                      x) ||
            point_sum(b[k], d->response[k], d->key[k], d->challenge,
                      d->share[k]))
            return ERR_POINT;
    }
    deal_challenge(challenge, d, context, (const uint8_t(*)[SHARE_LEN])a,
                   (const uint8_t(*)[SHARE_LEN])b);
    return sodium_memcmp(challenge, d->challenge, SHARE_LEN) == 0 ? 0
                                                                  : ERR_PROOF;
}

/* ---- opening ---- */

int
share_open(struct share_opened *o, const struct share_dealing *d, size_t k,
           const uint8_t *secret, struct env *env,
           const uint8_t context[static SHARE_CONTEXT_LEN])
{
    uint8_t key[SHARE_LEN], inverse[SHARE_LEN], w[SHARE_LEN];
    uint8_t a[SHARE_LEN], b[SHARE_LEN];
    int err = 0;
    if (k >= d->n || crypto_scalarmult_ristretto255_base(key, secret) ||
        memcmp(key, d->key[k], SHARE_LEN) != 0)
        return ERR_PEER;
    scalar_random(env, w);
    if (crypto_core_ristretto255_scalar_invert(inverse, secret) ||
        crypto_scalarmult_ristretto255(o->point, inverse, d->share[k]) ||
        crypto_scalarmult_ristretto255_base(a, w) ||
        crypto_scalarmult_ristretto255(b, w, o->point))
        err = ERR_POINT;
    if (!err) {
        open_challenge(o->challenge, d, k, o->point, context, a, b);
        response_make(o->response, w, o->challenge, secret);
    }
    sodium_memzero(inverse, sizeof inverse);
    sodium_memzero(w, sizeof w);
    return err;
}

int
share_open_check(const struct share_opened *o, const struct share_dealing *d,
                 size_t k, const uint8_t context[static SHARE_CONTEXT_LEN])
{
    uint8_t a[SHARE_LEN], b[SHARE_LEN], x[SHARE_LEN], y[SHARE_LEN];
    uint8_t challenge[SHARE_LEN];
    if (k >= d->n)
        return ERR_ARG;
    /* P = x B and Y = x S */
    if (crypto_scalarmult_ristretto255_base(x, o->response) ||
        crypto_scalarmult_ristretto255(y, o->challenge, d->key[k]) ||
        crypto_core_ristretto255_add(a, x, y) ||
        point_sum(b, o->response, o->point, o->challenge, d->share[k]))
        return ERR_POINT;
    open_challenge(challenge, d, k, o->point, context, a, b);
    return sodium_memcmp(challenge, o->challenge, SHARE_LEN) == 0 ? 0
                                                                  : ERR_PROOF;
}

/* Compute Lagrange's coefficient at 0 of the i-th of m holders: prod x_j / (x_j
 * - x_i). */
static int
share_lagrange(uint8_t *out, const struct share_dealing *d, const size_t *place,
               size_t m, size_t i)
{
    uint8_t top[SHARE_LEN], bottom[SHARE_LEN], inverse[SHARE_LEN];
    scalar_small(top, 1);
    scalar_small(bottom, 1);
    for (size_t j = 0; j < m; j++) {
        uint8_t x[SHARE_LEN], y[SHARE_LEN], difference[SHARE_LEN];
        if (j == i)
            continue;
        scalar_small(x, d->at[place[j]]);
        scalar_small(y, d->at[place[i]]);
        crypto_core_ristretto255_scalar_sub(difference, x, y);
        crypto_core_ristretto255_scalar_mul(top, top, x);
        crypto_core_ristretto255_scalar_mul(bottom, bottom, difference);
    }
    if (crypto_core_ristretto255_scalar_invert(inverse, bottom))
        return ERR_ARG; /* one holder twice */
    crypto_core_ristretto255_scalar_mul(out, top, inverse);
    return 0;
}

int
share_combine(uint8_t out[static SHARE_LEN], const struct share_dealing *d,
              const size_t *place, const uint8_t (*point)[SHARE_LEN])
{
    const size_t m = (size_t)d->degree + 1;
    for (size_t i = 0; i < m; i++) {
        uint8_t factor[SHARE_LEN], part[SHARE_LEN];
        if (place[i] >= d->n)
            return ERR_ARG;
        int err = share_lagrange(factor, d, place, m, i);
        if (err)
            return err;
        if (crypto_scalarmult_ristretto255(part, factor, point[i]))
            return ERR_POINT;
        if (i == 0)
            memcpy(out, part, SHARE_LEN);
        else if (crypto_core_ristretto255_add(out, out, part))
            return ERR_POINT;
    }
    return 0;
}
