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
 * ML-KEM is OpenSSL's, from 3.5 on, looked up when first asked for: one binary
 * serves both. State: that answer. Failure: ERR_POINT for a public key that is
 * none; a ciphertext that is none gives a secret nobody knows, and the MAC
 * fails. */
#include <openssl/evp.h>
#include <openssl/params.h>
#include <sodium.h>
#include <stdatomic.h>
#include <string.h>

#include "sphinx/suite.h"

enum {
    X_LEN = 32,
    PUBLIC_LEN = 1184,
    CIPHERTEXT_LEN = 1088,
    KEM_SEED_LEN = 64,
    SHARE_LEN = 32,
    LABEL_LEN = 21,
    EXPAND_KEY = 16, /* labels of suite.expand */
    EXPAND_SHARE = 17
};
static const char kem_name[] = "ML-KEM-768";
static const char share_label[LABEL_LEN + 1] = "brusio/1 hybrid share";

bool
suite_mlkem_works(void)
{
    static atomic_int known; /* 0 not yet, 1 no, 2 yes */
    if (atomic_load(&known) == 0) {
        EVP_KEM *kem = EVP_KEM_fetch(NULL, kem_name, NULL);
        atomic_store(&known, kem ? 2 : 1);
        EVP_KEM_free(kem);
    }
    return atomic_load(&known) == 2;
}

/* Make a key of len bytes: a seed (pair) or an encapsulation key. */
static int
key_from(EVP_PKEY **out, int selection, const char *param, uint8_t *bytes,
         size_t len)
{
    OSSL_PARAM params[2] = {
        OSSL_PARAM_construct_octet_string(param, bytes, len),
        OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kem_name, NULL);
    *out = NULL;
    bool ok = ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
              EVP_PKEY_fromdata(ctx, out, selection, params) == 1;
    EVP_PKEY_CTX_free(ctx);
    return ok ? 0 : ERR_CRYPTO;
}

static int
mlkem_key_expand(void **expanded, const uint8_t *seed)
{
    uint8_t d_z[KEM_SEED_LEN];
    EVP_PKEY *key;
    sealed_expand(seed, EXPAND_KEY, d_z, sizeof d_z);
    int err = key_from(&key, EVP_PKEY_KEYPAIR, "seed", d_z, sizeof d_z);
    sodium_memzero(d_z, sizeof d_z);
    *expanded = key;
    return err;
}

static void
mlkem_key_forget(void *expanded)
{
    EVP_PKEY_free(expanded);
}

static int
mlkem_keypair(uint8_t *public_key, const uint8_t *seed)
{
    void *key;
    size_t len = 0;
    int err = suite_x25519.keypair(public_key, seed);
    if (!err)
        err = mlkem_key_expand(&key, seed);
    if (err)
        return err;
    if (EVP_PKEY_get_octet_string_param(key, "pub", public_key + X_LEN,
                                        PUBLIC_LEN, &len) != 1 ||
        len != PUBLIC_LEN)
        err = ERR_CRYPTO;
    mlkem_key_forget(key);
    return err;
}

static int
kem_encapsulate(const uint8_t *seed, const uint8_t *public_key,
                uint8_t *ciphertext, uint8_t share[SHARE_LEN])
{
    uint8_t bytes[PUBLIC_LEN], m[SHARE_LEN];
    size_t ciphertext_len = CIPHERTEXT_LEN, share_len = SHARE_LEN;
    EVP_PKEY *key;
    memcpy(bytes, public_key, sizeof bytes);
    if (key_from(&key, EVP_PKEY_PUBLIC_KEY, "pub", bytes, sizeof bytes))
        return ERR_POINT;
    sealed_expand(seed, EXPAND_SHARE, m, sizeof m);
    OSSL_PARAM params[2] = {
        OSSL_PARAM_construct_octet_string("ikme", m, sizeof m),
        OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    bool ok = ctx && EVP_PKEY_encapsulate_init(ctx, params) == 1 &&
              EVP_PKEY_encapsulate(ctx, ciphertext, &ciphertext_len, share,
                                   &share_len) == 1;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    sodium_memzero(m, sizeof m);
    return ok && ciphertext_len == CIPHERTEXT_LEN && share_len == SHARE_LEN
               ? 0
               : ERR_CRYPTO;
}

static int
kem_decapsulate(void *expanded, const uint8_t *ciphertext,
                uint8_t share[SHARE_LEN])
{
    size_t share_len = SHARE_LEN;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, expanded, NULL);
    bool ok = ctx && EVP_PKEY_decapsulate_init(ctx, NULL) == 1 &&
              EVP_PKEY_decapsulate(ctx, share, &share_len, ciphertext,
                                   CIPHERTEXT_LEN) == 1;
    EVP_PKEY_CTX_free(ctx);
    return ok && share_len == SHARE_LEN ? 0 : ERR_CRYPTO;
}

/* secret: X25519's on entry, that of both on return. */
static void
shares_combine(uint8_t *secret, const uint8_t share[SHARE_LEN])
{
    uint8_t in[LABEL_LEN + SHARE_LEN + X_LEN];
    memcpy(in, share_label, LABEL_LEN);
    memcpy(in + LABEL_LEN, share, SHARE_LEN);
    memcpy(in + LABEL_LEN + SHARE_LEN, secret, X_LEN);
    crypto_generichash(secret, SPHINX_KEY_LEN, in, sizeof in, NULL, 0);
    sodium_memzero(in, sizeof in);
}

static void
mlkem_encapsulate(struct suite_kem *jobs, size_t n)
{
    uint8_t share[SHARE_LEN];
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
    uint8_t share[SHARE_LEN];
    suite_x25519.decapsulate(jobs, n);
    for (size_t i = 0; i < n; i++) {
        struct suite_kem *j = &jobs[i];
        if (!j->err)
            j->err = kem_decapsulate(j->expanded, j->element + X_LEN, share);
        if (!j->err)
            shares_combine(j->secret, share);
    }
    sodium_memzero(share, sizeof share);
}

const struct suite suite_mlkem = {
    .id = SPHINX_SUITE_X25519_MLKEM768,
    .element_len = X_LEN + CIPHERTEXT_LEN,
    .public_len = X_LEN + PUBLIC_LEN,
    .keypair = mlkem_keypair,
    .key_expand = mlkem_key_expand,
    .key_forget = mlkem_key_forget,
    .encapsulate = mlkem_encapsulate,
    .decapsulate = mlkem_decapsulate,
    SUITE_SEALED,
};
