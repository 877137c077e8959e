/* directory/share.h - a secret dealt out so that anybody can check the dealing.
 *
 * Publicly verifiable secret sharing (Schoenmakers, CRYPTO 1999, section 3)
 * over ristretto255 (RFC 9496). With B the base point, g a second generator
 * whose logarithm nobody knows, and keys P_i = x_i B, a dealer of the
 * polynomial p of degree t publishes
 *
 *   commitments  C_j = a_j g        for the coefficients a_0 .. a_t of p
 *   shares       Y_i = p(i) P_i     with a proof that p(i) is the one in
 *                                   X_i = sum_j i^j C_j
 *
 * The secret is p(0) B. The holder of x_i opens S_i = Y_i / x_i = p(i) B, with
 * a proof too; any t + 1 openings give the secret, t of them say nothing about
 * it. The proofs are those of equal logarithms (Chaum and Pedersen, CRYPTO
 * 1992), made non-interactive by hashing. So a dealing that checks is as good
 * as a reveal: nobody can withhold the secret.
 *
 * Points and scalars are the 32 bytes of libsodium's ristretto255. Pure. */
#ifndef DIRECTORY_SHARE_H
#define DIRECTORY_SHARE_H
#include <stddef.h>
#include <stdint.h>

#include "lib/env.h"
#include "lib/error.h"

enum {
    SHARE_LEN = 32, /* of a point or scalar */
    SHARE_MAX = 16, /* holders */
    SHARE_CONTEXT_LEN = 32
};

/* All of it is public. Holder k stands at p(at[k]), at[k] in 1..SHARE_MAX,
 * ascending, and has key[k]. */
struct share_dealing {
    uint8_t degree, n; /* degree + 1 <= n */
    uint8_t at[SHARE_MAX];
    uint8_t key[SHARE_MAX][SHARE_LEN];
    uint8_t commitment[SHARE_MAX][SHARE_LEN]; /* degree + 1 of them */
    uint8_t share[SHARE_MAX][SHARE_LEN];
    uint8_t challenge[SHARE_LEN], response[SHARE_MAX][SHARE_LEN];
};

/* A share, opened by its holder. */
struct share_opened {
    uint8_t point[SHARE_LEN], challenge[SHARE_LEN], response[SHARE_LEN];
};

/* Make a holder's key pair from a seed; secret has SHARE_LEN bytes. */
void share_keypair(uint8_t key[static SHARE_LEN], uint8_t *secret,
                   const uint8_t seed[static 32]);

/* Deal a fresh secret with randomness of env: degree, n, at and key of d are
 * given, the rest is filled in. context says who deals and what for, so that no
 * dealing serves twice. Returns 0, ERR_ARG, ERR_POINT (a key that is none). */
int share_deal(struct share_dealing *d, struct env *env,
               const uint8_t context[static SHARE_CONTEXT_LEN]) CHECK_RESULT;

/* Check that every holder of d has the right share, in this context. Returns 0,
 * ERR_ARG, ERR_POINT, ERR_PROOF. */
int share_check(const struct share_dealing *d,
                const uint8_t context[static SHARE_CONTEXT_LEN]) CHECK_RESULT;

/* Open the share of holder k (its place in d) with the holder's secret. Returns
 * 0, ERR_POINT, or ERR_PEER when the secret is not of that holder's key. */
int share_open(struct share_opened *o, const struct share_dealing *d, size_t k,
               const uint8_t *secret, struct env *env,
               const uint8_t context[static SHARE_CONTEXT_LEN]) CHECK_RESULT;
/* Check the opened share o of holder k. Returns 0, ERR_POINT, ERR_PROOF. */
int
share_open_check(const struct share_opened *o, const struct share_dealing *d,
                 size_t k,
                 const uint8_t context[static SHARE_CONTEXT_LEN]) CHECK_RESULT;

/* Compute the secret, to out, from degree + 1 opened shares that check;
 * place[i] is the holder of point[i]. */
int share_combine(uint8_t out[static SHARE_LEN], const struct share_dealing *d,
                  const size_t *place,
                  const uint8_t (*point)[SHARE_LEN]) CHECK_RESULT;
#endif
