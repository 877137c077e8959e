/* sphinx/cipher.c - ChaCha20, Poly1305, AES-256 and HPolyC; the one file of
 * the packet format that knows OpenSSL.
 *
 * State: four objects, bound to their algorithms in cipher_new() and given a
 * new key for each use; `stream` also keeps its place in the keystream between
 * cipher_stream_start() and the last cipher_stream_xor(), so `bulk` is a second
 * ChaCha20 object for HPolyC. No timers. Failure: only from the library, as
 * ERR_CRYPTO; after it the object may be used again.
 *
 * OpenSSL rather than libsodium because on 2 KiB it is two to three times as
 * fast; libsodium for the single blocks, where its calls are the cheaper. */
#include "sphinx/cipher.h"

#include <assert.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { TWEAK_LEN_MAX = 60, SUM_LEN = 16 };

struct cipher {
    EVP_CIPHER_CTX *stream; /* ChaCha20 of the header */
    EVP_CIPHER_CTX *bulk;   /* ChaCha20 inside HPolyC */
    EVP_CIPHER_CTX *aes;    /* AES-256, single blocks */
    EVP_MAC_CTX *poly;
};

const char *
cipher_library_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}

static EVP_CIPHER_CTX *
cipher_object(const char *name)
{
    EVP_CIPHER *type = EVP_CIPHER_fetch(NULL, name, NULL);
    EVP_CIPHER_CTX *ctx = type ? EVP_CIPHER_CTX_new() : NULL;
    static const uint8_t zero[32];
    if (ctx && EVP_EncryptInit_ex2(ctx, type, zero, zero, NULL) != 1) {
        EVP_CIPHER_CTX_free(ctx);
        ctx = NULL;
    }
    if (ctx)
        EVP_CIPHER_CTX_set_padding(ctx, 0);
    EVP_CIPHER_free(type); /* the object keeps its own reference */
    return ctx;
}

static EVP_MAC_CTX *
mac_object(const char *name)
{
    EVP_MAC *type = EVP_MAC_fetch(NULL, name, NULL);
    EVP_MAC_CTX *ctx = type ? EVP_MAC_CTX_new(type) : NULL;
    EVP_MAC_free(type);
    return ctx;
}

int
cipher_new(struct cipher **out)
{
    *out = NULL;
    if (sodium_init() < 0)
        return ERR_CRYPTO;
    struct cipher *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    c->stream = cipher_object("ChaCha20");
    c->bulk = cipher_object("ChaCha20");
    c->aes = cipher_object("AES-256-ECB");
    c->poly = mac_object("POLY1305");
    if (!c->stream || !c->bulk || !c->aes || !c->poly) {
        cipher_free(&c);
        return ERR_CRYPTO;
    }
    *out = c;
    return 0;
}

void
cipher_free(struct cipher **c)
{
    if (!*c)
        return;
    EVP_CIPHER_CTX_free((*c)->stream); /* these wipe their keys */
    EVP_CIPHER_CTX_free((*c)->bulk);
    EVP_CIPHER_CTX_free((*c)->aes);
    EVP_MAC_CTX_free((*c)->poly);
    free(*c);
    *c = NULL;
}

/* Start ChaCha20; OpenSSL's IV is the block counter (4, little endian) and the
 * nonce (12). */
static int
chacha_start(EVP_CIPHER_CTX *ctx, const uint8_t *key)
{
    static const uint8_t zero[16];
    return EVP_EncryptInit_ex2(ctx, NULL, key, zero, NULL) == 1 ? 0
                                                                : ERR_CRYPTO;
}

static int
chacha_xor(EVP_CIPHER_CTX *ctx, uint8_t *buf, size_t len)
{
    int done = 0;
    assert(len <= INT_MAX);
    if (EVP_EncryptUpdate(ctx, buf, &done, buf, (int)len) != 1)
        return ERR_CRYPTO;
    return (size_t)done == len ? 0 : ERR_CRYPTO;
}

int
cipher_stream_start(struct cipher *c, const uint8_t key[static 32])
{
    return chacha_start(c->stream, key);
}

int
cipher_stream_xor(struct cipher *c, uint8_t *buf, size_t len)
{
    return chacha_xor(c->stream, buf, len);
}

/* Compute Poly1305 of head followed by body. */
static int
poly1305_compute(struct cipher *c, const uint8_t *key, const uint8_t *head,
                 size_t head_len, const uint8_t *body, size_t body_len,
                 uint8_t *out)
{
    size_t out_len = 0;
    if (EVP_MAC_init(c->poly, key, 32, NULL) != 1)
        return ERR_CRYPTO;
    if (head_len > 0 && EVP_MAC_update(c->poly, head, head_len) != 1)
        return ERR_CRYPTO;
    if (EVP_MAC_update(c->poly, body, body_len) != 1)
        return ERR_CRYPTO;
    if (EVP_MAC_final(c->poly, out, &out_len, CIPHER_MAC_LEN) != 1)
        return ERR_CRYPTO;
    return out_len == CIPHER_MAC_LEN ? 0 : ERR_CRYPTO;
}

int
cipher_poly1305(struct cipher *c, const uint8_t key[static 32],
                const uint8_t *in, size_t len,
                uint8_t out[static CIPHER_MAC_LEN])
{
    return poly1305_compute(c, key, NULL, 0, in, len, out);
}

static int
aes_block(struct cipher *c, const uint8_t *key, uint8_t *block, bool encrypt)
{
    int done = 0;
    if (EVP_CipherInit_ex2(c->aes, NULL, key, NULL, encrypt, NULL) != 1 ||
        EVP_CipherUpdate(c->aes, block, &done, block, SUM_LEN) != 1)
        return ERR_CRYPTO;
    return done == SUM_LEN ? 0 : ERR_CRYPTO;
}

/* Add b to a modulo 2^128, both little endian. */
static void
sum_add(uint8_t a[static SUM_LEN], const uint8_t b[static SUM_LEN])
{
    sodium_add(a, b, SUM_LEN);
}

static void
sum_sub(uint8_t a[static SUM_LEN], const uint8_t b[static SUM_LEN])
{
    unsigned borrow = 0;
    for (size_t i = 0; i < SUM_LEN; i++) {
        unsigned d = (unsigned)a[i] - b[i] - borrow;
        a[i] = (uint8_t)d;
        borrow = d >> 8 & 1;
    }
}

/* What one HPolyC call keeps: its subkeys and the hashed tweak. */
struct hpolyc {
    uint8_t aes_key[32];
    uint8_t poly_key[32]; /* r, then 16 zeros: the sum without a pad */
    uint8_t head[TWEAK_LEN_MAX + 4];
    size_t head_len;
};

/* Crowley and Biggers: the subkeys (block cipher's, then hash's) are the start
 * of XChaCha20 with the nonce 1 | 0...; the hash is Poly1305 over the tweak's
 * length in bits (4 bytes, little endian), the tweak, zeros up to 16, the
 * message. */
static void
hpolyc_init(struct hpolyc *h, const uint8_t *key, const uint8_t *tweak,
            size_t tweak_len)
{
    static const uint8_t nonce[24] = {1};
    uint8_t okm[48];
    assert(tweak_len <= TWEAK_LEN_MAX);
    crypto_stream_xchacha20(okm, sizeof okm, nonce, key);
    memcpy(h->aes_key, okm, 32);
    memcpy(h->poly_key, okm + 32, 16);
    memset(h->poly_key + 16, 0, 16);
    sodium_memzero(okm, sizeof okm);
    memset(h->head, 0, sizeof h->head);
    h->head[0] = (uint8_t)(tweak_len * 8);
    h->head[1] = (uint8_t)(tweak_len * 8 >> 8);
    if (tweak_len > 0)
        memcpy(h->head + 4, tweak, tweak_len);
    h->head_len = (4 + tweak_len + 15) / 16 * 16;
}

/* The middle: XChaCha20 over the left part with the nonce block | 1 | 0.... */
static int
hpolyc_stream(struct cipher *c, const uint8_t *key, const uint8_t *block,
              uint8_t *left, size_t len)
{
    uint8_t subkey[32];
    uint8_t iv[16] = {0}; /* counter 0, zeros, the nonce's last 8 bytes */
    iv[8] = 1;
    crypto_core_hchacha20(subkey, block, key, NULL);
    int ok = EVP_EncryptInit_ex2(c->bulk, NULL, subkey, iv, NULL);
    sodium_memzero(subkey, sizeof subkey);
    if (ok != 1)
        return ERR_CRYPTO;
    return len > 0 ? chacha_xor(c->bulk, left, len) : 0;
}

int
cipher_hpolyc(struct cipher *c, const uint8_t key[static 32],
              const uint8_t *tweak, size_t tweak_len, uint8_t *buf, size_t len,
              bool encrypt)
{
    struct hpolyc h;
    uint8_t sum[SUM_LEN];
    uint8_t middle[SUM_LEN];
    assert(len >= SUM_LEN);
    size_t left = len - SUM_LEN;
    uint8_t *right = buf + left;
    hpolyc_init(&h, key, tweak, tweak_len);

    /* Both directions add the hash of the left part as it comes in, run the
     * stream from the block between the two, and subtract the hash of the left
     * part as it goes out; only the place of AES differs. */
    int err =
        poly1305_compute(c, h.poly_key, h.head, h.head_len, buf, left, sum);
    if (err)
        goto out;
    sum_add(right, sum);
    memcpy(middle, right, SUM_LEN);
    if (encrypt && (err = aes_block(c, h.aes_key, middle, true)))
        goto out;
    if ((err = hpolyc_stream(c, key, middle, buf, left)))
        goto out;
    if (!encrypt && (err = aes_block(c, h.aes_key, middle, false)))
        goto out;
    memcpy(right, middle, SUM_LEN);
    err = poly1305_compute(c, h.poly_key, h.head, h.head_len, buf, left, sum);
    if (err)
        goto out;
    sum_sub(right, sum);
out:
    sodium_memzero(&h, sizeof h);
    sodium_memzero(sum, sizeof sum);
    sodium_memzero(middle, sizeof middle);
    return err;
}
