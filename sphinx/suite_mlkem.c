/* sphinx/suite_mlkem.c - the suite x25519-mlkem768: both key exchanges, so that
 * a packet recorded today stays closed while either of them holds.
 *
 *   public key = X25519 public key 32 | ML-KEM-768 encapsulation key 1184
 *   element    = X25519 element 32    | ML-KEM-768 ciphertext 1088
 *   secret     = BLAKE2b-256("brusio/1 hybrid share" | ML-KEM's | X25519's)
 *
 * Public key and element enter the hop's keys besides (sealed.c), so neither
 * half can be exchanged for another. From a seed of 32 bytes, relay's or hop's:
 * the X25519 secret is the seed itself; ML-KEM's (d | z, FIPS 203 algorithm 16,
 * and m, algorithm 17) are expanded from it under labels of their own.
 *
 * The suite is there where a library has ML-KEM (mlkem.h). No state. Failure modes:
 * ERR_POINT for a public key that is none; a ciphertext that is none gives a
 * secret nobody knows, and the MAC fails. */
#include <sodium.h>
#include <string.h>

#include "sphinx/mlkem.h"
#include "sphinx/suite.h"

enum {
    X_LEN = 32,
    LABEL_LEN = 21,
    EXPAND_KEY = 16, /* labels of suite.expand */
    EXPAND_SHARE = 17
};
static const char share_label[LABEL_LEN + 1] = "brusio/1 hybrid share";

bool
suite_mlkem_works(void)
{
    return mlkem_find() != NULL;
}

static int
mlkem_key_expand(void **expanded, const uint8_t *seed)
{
    uint8_t d_z[MLKEM_SEED_LEN];
    sealed_expand(seed, EXPAND_KEY, d_z, sizeof d_z);
    const int err = mlkem_find()->key_new(expanded, d_z);
    sodium_memzero(d_z, sizeof d_z);
    return err;
}

static void
mlkem_key_forget(void *expanded)
{
    mlkem_find()->key_free(expanded);
}

static int
mlkem_keypair(uint8_t *public_key, const uint8_t *seed)
{
    void *key;
    int err = suite_x25519.keypair(public_key, seed);
    if (!err)
        err = mlkem_key_expand(&key, seed);
    if (err)
        return err;
    err = mlkem_find()->key_public(key, public_key + X_LEN);
    mlkem_key_forget(key);
    return err;
}

static int
kem_encapsulate(const uint8_t *seed, const uint8_t *public_key,
                uint8_t *ciphertext, uint8_t share[MLKEM_SHARE_LEN])
{
    uint8_t m[MLKEM_MESSAGE_LEN];
    sealed_expand(seed, EXPAND_SHARE, m, sizeof m);
    const int err = mlkem_find()->encapsulate(public_key, m, ciphertext, share);
    sodium_memzero(m, sizeof m);
    return err;
}

/* secret: X25519's on entry, that of both on return. */
static void
shares_combine(uint8_t *secret, const uint8_t share[MLKEM_SHARE_LEN])
{
    uint8_t in[LABEL_LEN + MLKEM_SHARE_LEN + X_LEN];
    memcpy(in, share_label, LABEL_LEN);
    memcpy(in + LABEL_LEN, share, MLKEM_SHARE_LEN);
    memcpy(in + LABEL_LEN + MLKEM_SHARE_LEN, secret, X_LEN);
    crypto_generichash(secret, SPHINX_KEY_LEN, in, sizeof in, NULL, 0);
    sodium_memzero(in, sizeof in);
}

static void
mlkem_encapsulate(struct suite_kem *jobs, size_t n)
{
    uint8_t share[MLKEM_SHARE_LEN];
    suite_x25519.encapsulate(jobs, n);
    for (size_t i = 0; i < n; i++) {
        struct suite_kem *j = &jobs[i];
        if (!j->err)
            j->err = kem_encapsulate(j->seed, j->public_key + X_LEN,
                                     j->element + X_LEN, share);
        if (!j->err)
            shares_combine(j->secret, share);
    }
    sodium_memzero(share, sizeof share);
}

static void
mlkem_decapsulate(struct suite_kem *jobs, size_t n)
{
    uint8_t share[MLKEM_SHARE_LEN];
    suite_x25519.decapsulate(jobs, n);
    for (size_t i = 0; i < n; i++) {
        struct suite_kem *j = &jobs[i];
        if (!j->err)
            j->err = mlkem_find()->decapsulate(j->expanded, j->element + X_LEN,
                                               share);
        if (!j->err)
            shares_combine(j->secret, share);
    }
    sodium_memzero(share, sizeof share);
}

const struct suite suite_mlkem = {
    .id = SPHINX_SUITE_X25519_MLKEM768,
    .element_len = X_LEN + MLKEM_CIPHERTEXT_LEN,
    .public_len = X_LEN + MLKEM_PUBLIC_LEN,
    .keypair = mlkem_keypair,
    .key_expand = mlkem_key_expand,
    .key_forget = mlkem_key_forget,
    .encapsulate = mlkem_encapsulate,
    .decapsulate = mlkem_decapsulate,
    SUITE_SEALED,
};
