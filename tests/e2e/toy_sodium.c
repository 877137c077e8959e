/* tests/e2e/toy_sodium.c - what libsodium 1.0.22 calls its ML-KEM-768, for machines whose
 * libsodium is older: loaded before a program (quantum.sh), it has that program find a
 * library, which is a stand-in (tests/toy_kem.h). */
#include <string.h>

#include "tests/toy_kem.h"

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int crypto_kem_mlkem768_seed_keypair(uint8_t *public_key,
                                              uint8_t *secret,
                                              const uint8_t *seed);
EXPORTED int crypto_kem_mlkem768_enc_deterministic(uint8_t *ciphertext,
                                                   uint8_t *share,
                                                   const uint8_t *public_key,
                                                   const uint8_t *message);
EXPORTED int crypto_kem_mlkem768_dec(uint8_t *share, const uint8_t *ciphertext,
                                     const uint8_t *secret);

/* The secret, of 2,400 bytes, begins with the seed. */
int
crypto_kem_mlkem768_seed_keypair(uint8_t *public_key, uint8_t *secret,
                                 const uint8_t *seed)
{
    memcpy(secret, seed, MLKEM_SEED_LEN);
    return toy_kem.key_public(seed, public_key);
}

int
crypto_kem_mlkem768_enc_deterministic(uint8_t *ciphertext, uint8_t *share,
                                      const uint8_t *public_key,
                                      const uint8_t *message)
{
    return toy_kem.encapsulate(public_key, message, ciphertext, share);
}

int
crypto_kem_mlkem768_dec(uint8_t *share, const uint8_t *ciphertext,
                        const uint8_t *secret)
{
    return toy_kem.decapsulate(secret, ciphertext, share);
}
