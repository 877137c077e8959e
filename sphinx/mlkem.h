/* sphinx/mlkem.h - ML-KEM-768 (FIPS 203), of a library that has it: OpenSSL from 3.5
 * on, else libsodium from 1.0.22 on. Which one is found when a program asks first, so
 * that one binary serves machines with and without.
 *
 * Keys and ciphertexts follow from seeds, so that the same arguments give the same
 * bytes. */
#ifndef SPHINX_MLKEM_H
#define SPHINX_MLKEM_H
#include <stdint.h>

#include "lib/error.h"

enum {
    MLKEM_SEED_LEN = 64, /* d | z of algorithm 16 */
    MLKEM_PUBLIC_LEN = 1184,
    MLKEM_CIPHERTEXT_LEN = 1088,
    MLKEM_MESSAGE_LEN = 32, /* m of algorithm 17 */
    MLKEM_SHARE_LEN = 32
};

/* A library's ML-KEM-768. Functions return 0, ERR_NOMEM or ERR_CRYPTO. */
struct mlkem {
    const char *name;
    /* Make of a seed, once, what the two below take; free that (NULL: nothing is
     * done). Several threads may use a key at once. */
    int (*key_new)(void **key, const uint8_t seed[static MLKEM_SEED_LEN]);
    void (*key_free)(void *key);
    /* Write the encapsulation key. */
    int (*key_public)(const void *key,
                      uint8_t public_key[static MLKEM_PUBLIC_LEN]);
    /* Find the share of a ciphertext; of one that was not made for this key it is one
     * that nobody knows. */
    int (*decapsulate)(const void *key,
                       const uint8_t ciphertext[static MLKEM_CIPHERTEXT_LEN],
                       uint8_t share[static MLKEM_SHARE_LEN]);
    /* Make a ciphertext and its share of a message, which is random and secret.
     * Returns ERR_POINT, too: public_key is none. */
    int (*encapsulate)(const uint8_t public_key[static MLKEM_PUBLIC_LEN],
                       const uint8_t message[static MLKEM_MESSAGE_LEN],
                       uint8_t ciphertext[static MLKEM_CIPHERTEXT_LEN],
                       uint8_t share[static MLKEM_SHARE_LEN]);
};

/* Find the ML-KEM-768 of this machine. Returns NULL when no library has it. */
const struct mlkem *mlkem_find(void);
#endif
