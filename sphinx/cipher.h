/* sphinx/cipher.h - the bulk ciphers, with objects kept between packets.
 *
 * Internal to sphinx. A struct cipher holds one OpenSSL object per algorithm,
 * fetched once; a packet then costs no allocation and no lookup. It belongs to
 * one thread. Every function returns 0, or ERR_CRYPTO when the library fails
 * (which no input can bring about). */
#ifndef SPHINX_CIPHER_H
#define SPHINX_CIPHER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

enum { CIPHER_MAC_LEN = 16, CIPHER_BLOCK_LEN = 64 };

/* OpenSSL's, for people: "3.0.15". */
const char *cipher_library_version(void);

struct cipher;
int cipher_new(struct cipher **out) CHECK_RESULT;
void cipher_free(struct cipher **c);

/* Begin the ChaCha20 keystream of key, nonce 0, block 0. */
int cipher_stream_start(struct cipher *c,
                        const uint8_t key[static 32]) CHECK_RESULT;

/* Combine the next len octets of the keystream with buf. */
int cipher_stream_xor(struct cipher *c, uint8_t *buf, size_t len) CHECK_RESULT;

/* Poly1305 (RFC 8439) of in under the one-time key. */
int cipher_poly1305(struct cipher *c, const uint8_t key[static 32],
                    const uint8_t *in, size_t len,
                    uint8_t out[static CIPHER_MAC_LEN]) CHECK_RESULT;

/* HPolyC with XChaCha20 and AES-256, in place: a permutation of len octets
 * (16 or more) chosen by key and tweak, in which each octet of the output
 * depends on every octet of the input. Packets use an empty tweak; the
 * published vectors use others. */
int cipher_hpolyc(struct cipher *c, const uint8_t key[static 32],
                  const uint8_t *tweak, size_t tweak_len, uint8_t *buf,
                  size_t len, bool encrypt) CHECK_RESULT;
#endif
