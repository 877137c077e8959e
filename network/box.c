/* network/box.c - keys of boxes. No state. */
#include "network/box.h"

#include <sodium.h>
#include <string.h>

enum { DIGEST_LEN = 64 };

void
box_key_public(const uint8_t seed[static BOX_SEED_LEN],
               uint8_t key[static WIRE_BOX_LEN])
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    (void)crypto_sign_seed_keypair(key, secret, seed); /* it cannot fail */
    sodium_memzero(secret, sizeof secret);
}

void
box_id(const uint8_t key[static WIRE_BOX_LEN], uint8_t id[static WIRE_BOX_LEN])
{
    static const char domain[] = "brusio/1 box id";
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, WIRE_BOX_LEN);
    crypto_generichash_update(&h, (const uint8_t *)domain, sizeof domain - 1);
    crypto_generichash_update(&h, key, WIRE_BOX_LEN);
    crypto_generichash_final(&h, id, WIRE_BOX_LEN);
}

void
box_token(const uint8_t seed[static BOX_SEED_LEN],
          const uint8_t store[static 32], uint8_t token[static BOX_TOKEN_LEN])
{
    static const char domain[] = "brusio/1 held";
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, BOX_TOKEN_LEN);
    crypto_generichash_update(&h, (const uint8_t *)domain, sizeof domain - 1);
    crypto_generichash_update(&h, seed, BOX_SEED_LEN);
    crypto_generichash_update(&h, store, 32);
    crypto_generichash_final(&h, token, BOX_TOKEN_LEN);
    sodium_memzero(&h, sizeof h);
}

void
box_mark(const uint8_t token[static BOX_TOKEN_LEN],
         uint8_t mark[static BOX_MARK_LEN])
{
    static const char domain[] = "brusio/1 mark";
    uint8_t hash[16];
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, sizeof hash);
    crypto_generichash_update(&h, (const uint8_t *)domain, sizeof domain - 1);
    crypto_generichash_update(&h, token, BOX_TOKEN_LEN);
    crypto_generichash_final(&h, hash, sizeof hash);
    memcpy(mark, hash, BOX_MARK_LEN);
}

/* Compute what a put's signature is over. */
static void
put_digest(uint8_t slot, const uint8_t *letter, size_t len,
           uint8_t digest[static DIGEST_LEN])
{
    static const char domain[] = "brusio/1 put";
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, DIGEST_LEN);
    crypto_generichash_update(&h, (const uint8_t *)domain, sizeof domain - 1);
    crypto_generichash_update(&h, &slot, 1);
    crypto_generichash_update(&h, letter, len);
    crypto_generichash_final(&h, digest, DIGEST_LEN);
}

void
box_sign(const uint8_t seed[static BOX_SEED_LEN], uint8_t slot,
         const uint8_t *letter, size_t len, uint8_t key[static WIRE_BOX_LEN],
         uint8_t signature[static WIRE_SIGNATURE_LEN])
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES], digest[DIGEST_LEN];
    (void)crypto_sign_seed_keypair(key, secret, seed);
    put_digest(slot, letter, len, digest);
    (void)crypto_sign_detached(signature, NULL, digest, sizeof digest, secret);
    sodium_memzero(secret, sizeof secret);
}

int
box_verify(const uint8_t key[static WIRE_BOX_LEN], uint8_t slot,
           const uint8_t *letter, size_t len,
           const uint8_t signature[static WIRE_SIGNATURE_LEN])
{
    uint8_t digest[DIGEST_LEN];
    put_digest(slot, letter, len, digest);
    return crypto_sign_verify_detached(signature, digest, sizeof digest, key)
               ? ERR_SIGNATURE
               : 0;
}
