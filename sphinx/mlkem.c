/* sphinx/mlkem.c - see mlkem.h: OpenSSL's, or libsodium's.
 *
 * State: which of them there is, found when first asked for. libsodium's functions are
 * looked up by name, since the headers of the one that is compiled with may not have
 * them.
 * Failure modes: no library has it (NULL); a library that fails says ERR_CRYPTO. */
#include "sphinx/mlkem.h"

#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- OpenSSL ---- */

static const char kem_name[] = "ML-KEM-768";

/* Make a key of len bytes: a seed (pair) or an encapsulation key. */
static int
openssl_key_from(EVP_PKEY **out, int selection, const char *param,
                 uint8_t *bytes, size_t len)
{
    OSSL_PARAM params[2] = {
        OSSL_PARAM_construct_octet_string(param, bytes, len),
        OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kem_name, NULL);
    *out = NULL;
    const bool ok = ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
                    EVP_PKEY_fromdata(ctx, out, selection, params) == 1;
    EVP_PKEY_CTX_free(ctx);
    return ok ? 0 : ERR_CRYPTO;
}

static int
openssl_key_new(void **key, const uint8_t seed[static MLKEM_SEED_LEN])
{
    uint8_t bytes[MLKEM_SEED_LEN];
    EVP_PKEY *pair;
    memcpy(bytes, seed, sizeof bytes);
    const int err =
        openssl_key_from(&pair, EVP_PKEY_KEYPAIR, "seed", bytes, sizeof bytes);
    sodium_memzero(bytes, sizeof bytes);
    *key = pair;
    return err;
}

static void
openssl_key_free(void *key)
{
    EVP_PKEY_free(key);
}

static int
openssl_key_public(const void *key, uint8_t public_key[static MLKEM_PUBLIC_LEN])
{
    size_t len = 0;
    return EVP_PKEY_get_octet_string_param(key, "pub", public_key,
                                           MLKEM_PUBLIC_LEN, &len) == 1 &&
                   len == MLKEM_PUBLIC_LEN
               ? 0
               : ERR_CRYPTO;
}

static int
openssl_decapsulate(const void *key,
                    const uint8_t ciphertext[static MLKEM_CIPHERTEXT_LEN],
                    uint8_t share[static MLKEM_SHARE_LEN])
{
    size_t share_len = MLKEM_SHARE_LEN;
    /* OpenSSL counts the users of a key, and so wants one that is not const */
    EVP_PKEY_CTX *ctx =
        EVP_PKEY_CTX_new_from_pkey(NULL, (EVP_PKEY *)(uintptr_t)key, NULL);
    const bool ok = ctx && EVP_PKEY_decapsulate_init(ctx, NULL) == 1 &&
                    EVP_PKEY_decapsulate(ctx, share, &share_len, ciphertext,
                                         MLKEM_CIPHERTEXT_LEN) == 1;
    EVP_PKEY_CTX_free(ctx);
    return ok && share_len == MLKEM_SHARE_LEN ? 0 : ERR_CRYPTO;
}

static int
openssl_encapsulate(const uint8_t public_key[static MLKEM_PUBLIC_LEN],
                    const uint8_t message[static MLKEM_MESSAGE_LEN],
                    uint8_t ciphertext[static MLKEM_CIPHERTEXT_LEN],
                    uint8_t share[static MLKEM_SHARE_LEN])
{
    uint8_t bytes[MLKEM_PUBLIC_LEN], m[MLKEM_MESSAGE_LEN];
    size_t ciphertext_len = MLKEM_CIPHERTEXT_LEN, share_len = MLKEM_SHARE_LEN;
    EVP_PKEY *key;
    memcpy(bytes, public_key, sizeof bytes);
    memcpy(m, message, sizeof m);
    if (openssl_key_from(&key, EVP_PKEY_PUBLIC_KEY, "pub", bytes, sizeof bytes))
        return ERR_POINT;
    const OSSL_PARAM params[2] = {
        OSSL_PARAM_construct_octet_string("ikme", m, sizeof m),
        OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    const bool ok = ctx && EVP_PKEY_encapsulate_init(ctx, params) == 1 &&
                    EVP_PKEY_encapsulate(ctx, ciphertext, &ciphertext_len,
                                         share, &share_len) == 1;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    sodium_memzero(m, sizeof m);
    return ok && ciphertext_len == MLKEM_CIPHERTEXT_LEN &&
                   share_len == MLKEM_SHARE_LEN
               ? 0
               : ERR_CRYPTO;
}

static const struct mlkem openssl_mlkem = {
    .name = "OpenSSL",
    .key_new = openssl_key_new,
    .key_free = openssl_key_free,
    .key_public = openssl_key_public,
    .decapsulate = openssl_decapsulate,
    .encapsulate = openssl_encapsulate,
};

static bool
openssl_has(void)
{
    EVP_KEM *kem = EVP_KEM_fetch(NULL, kem_name, NULL);
    EVP_KEM_free(kem);
    return kem != NULL;
}

/* ---- libsodium ---- */

/* The three functions of crypto_kem_mlkem768.h, of libsodium 1.0.22. */
static struct {
    int (*seed_keypair)(uint8_t *public_key, uint8_t *secret,
                        const uint8_t *seed);
    int (*enc_deterministic)(uint8_t *ciphertext, uint8_t *share,
                             const uint8_t *public_key, const uint8_t *message);
    int (*dec)(uint8_t *share, const uint8_t *ciphertext,
               const uint8_t *secret);
} sodium;

struct sodium_key {
    uint8_t public_key[MLKEM_PUBLIC_LEN];
    uint8_t secret[2400];
};

/* Look a function up. What dlsym() gives is read as a pointer to a function, which
 * POSIX allows and C does not. */
static bool
sodium_look(const char *name, void *function)
{
    void *found = dlsym(RTLD_DEFAULT, name);
    memcpy(function, &found, sizeof found);
    return found != NULL;
}

static bool
sodium_has(void)
{
    return sodium_look("crypto_kem_mlkem768_seed_keypair",
                       &sodium.seed_keypair) &&
           sodium_look("crypto_kem_mlkem768_enc_deterministic",
                       &sodium.enc_deterministic) &&
           sodium_look("crypto_kem_mlkem768_dec", &sodium.dec);
}

static void
sodium_key_free(void *key)
{
    if (key)
        sodium_memzero(key, sizeof(struct sodium_key));
    free(key);
}

static int
sodium_key_new(void **key, const uint8_t seed[static MLKEM_SEED_LEN])
{
    struct sodium_key *k = malloc(sizeof *k);
    *key = k;
    if (!k)
        return ERR_NOMEM;
    if (sodium.seed_keypair(k->public_key, k->secret, seed) == 0)
        return 0;
    sodium_key_free(k);
    *key = NULL;
    return ERR_CRYPTO;
}

static int
sodium_key_public(const void *key, uint8_t public_key[static MLKEM_PUBLIC_LEN])
{
    const struct sodium_key *k = key;
    memcpy(public_key, k->public_key, sizeof k->public_key);
    return 0;
}

static int
sodium_decapsulate(const void *key,
                   const uint8_t ciphertext[static MLKEM_CIPHERTEXT_LEN],
                   uint8_t share[static MLKEM_SHARE_LEN])
{
    const struct sodium_key *k = key;
    return sodium.dec(share, ciphertext, k->secret) ? ERR_CRYPTO : 0;
}

static int
sodium_encapsulate(const uint8_t public_key[static MLKEM_PUBLIC_LEN],
                   const uint8_t message[static MLKEM_MESSAGE_LEN],
                   uint8_t ciphertext[static MLKEM_CIPHERTEXT_LEN],
                   uint8_t share[static MLKEM_SHARE_LEN])
{
    /* it fails for what is no key alone */
    return sodium.enc_deterministic(ciphertext, share, public_key, message)
               ? ERR_POINT
               : 0;
}

static const struct mlkem sodium_mlkem = {
    .name = "libsodium",
    .key_new = sodium_key_new,
    .key_free = sodium_key_free,
    .key_public = sodium_key_public,
    .decapsulate = sodium_decapsulate,
    .encapsulate = sodium_encapsulate,
};

/* ---- which ---- */

static const struct mlkem *const found[] = {NULL, NULL, &openssl_mlkem,
                                            &sodium_mlkem};

const struct mlkem *
mlkem_find(void)
{
    static atomic_int known; /* 0 not yet, 1 none, 2 OpenSSL's, 3 libsodium's */
    if (atomic_load(&known) == 0)
        atomic_store(&known, openssl_has() ? 2 : sodium_has() ? 3 : 1);
    return found[atomic_load(&known)];
}
