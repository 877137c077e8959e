/* tests/toy_kem.c - see toy_kem.h. */
#include "tests/toy_kem.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codec.h"

enum { HEAD_LEN = 32, BLOCK_LEN = 64 };

static void
toy_hash(uint8_t *out, size_t out_len, const char *label, const uint8_t *a,
         size_t a_len, const uint8_t *b, size_t b_len)
{
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, out_len);
    crypto_generichash_update(&h, (const uint8_t *)label, strlen(label));
    crypto_generichash_update(&h, a, a_len);
    if (b_len > 0)
        crypto_generichash_update(&h, b, b_len);
    crypto_generichash_final(&h, out, out_len);
}

/* Write behind the head what follows from it. */
static void
toy_lengthen(const char *label, uint8_t *out, size_t len)
{
    uint8_t block[BLOCK_LEN], i[4];
    uint32_t n = 0;
    for (size_t at = HEAD_LEN; at < len; at += BLOCK_LEN) {
        codec_put32(i, n++);
        toy_hash(block, sizeof block, label, out, HEAD_LEN, i, sizeof i);
        memcpy(out + at, block, len - at < BLOCK_LEN ? len - at : BLOCK_LEN);
    }
}

static bool
toy_is_long(const char *label, const uint8_t *bytes, size_t len)
{
    uint8_t want[MLKEM_PUBLIC_LEN];
    memcpy(want, bytes, HEAD_LEN);
    toy_lengthen(label, want, len);
    return memcmp(want, bytes, len) == 0;
}

static int
toy_key_new(void **key, const uint8_t seed[static MLKEM_SEED_LEN])
{
    *key = malloc(MLKEM_SEED_LEN);
    if (!*key)
        return ERR_NOMEM;
    memcpy(*key, seed, MLKEM_SEED_LEN);
    return 0;
}

static int
toy_key_public(const void *key, uint8_t public_key[static MLKEM_PUBLIC_LEN])
{
    uint8_t secret[32];
    toy_hash(secret, sizeof secret, "toy secret", key, MLKEM_SEED_LEN, NULL, 0);
    crypto_scalarmult_base(public_key, secret);
    toy_lengthen("toy key", public_key, MLKEM_PUBLIC_LEN);
    return 0;
}

/* Find a share. Returns whether the point is one. */
static bool
toy_share(const uint8_t *secret, const uint8_t *point,
          const uint8_t *ciphertext, uint8_t *share)
{
    uint8_t shared[32];
    if (crypto_scalarmult(shared, secret, point))
        return false;
    toy_hash(share, MLKEM_SHARE_LEN, "toy share", shared, sizeof shared,
             ciphertext, MLKEM_CIPHERTEXT_LEN);
    return true;
}

static int
toy_decapsulate(const void *key,
                const uint8_t ciphertext[static MLKEM_CIPHERTEXT_LEN],
                uint8_t share[static MLKEM_SHARE_LEN])
{
    uint8_t secret[32];
    toy_hash(secret, sizeof secret, "toy secret", key, MLKEM_SEED_LEN, NULL, 0);
    if (!toy_is_long("toy ciphertext", ciphertext, MLKEM_CIPHERTEXT_LEN) ||
        !toy_share(secret, ciphertext, ciphertext, share))
        toy_hash(share, MLKEM_SHARE_LEN, "toy none", key, MLKEM_SEED_LEN,
                 ciphertext, MLKEM_CIPHERTEXT_LEN);
    return 0;
}

static int
toy_encapsulate(const uint8_t public_key[static MLKEM_PUBLIC_LEN],
                const uint8_t message[static MLKEM_MESSAGE_LEN],
                uint8_t ciphertext[static MLKEM_CIPHERTEXT_LEN],
                uint8_t share[static MLKEM_SHARE_LEN])
{
    uint8_t secret[32];
    if (!toy_is_long("toy key", public_key, MLKEM_PUBLIC_LEN))
        return ERR_POINT;
    toy_hash(secret, sizeof secret, "toy message", message, MLKEM_MESSAGE_LEN,
             NULL, 0);
    crypto_scalarmult_base(ciphertext, secret);
    toy_lengthen("toy ciphertext", ciphertext, MLKEM_CIPHERTEXT_LEN);
    return toy_share(secret, public_key, ciphertext, share) ? 0 : ERR_POINT;
}

const struct mlkem toy_kem = {
    .name = "toy",
    .key_new = toy_key_new,
    .key_free = free,
    .key_public = toy_key_public,
    .decapsulate = toy_decapsulate,
    .encapsulate = toy_encapsulate,
};
