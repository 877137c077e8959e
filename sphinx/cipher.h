/* sphinx/cipher.h - the bulk ciphers, with objects kept between packets.
 *
 * Internal to sphinx. A struct cipher holds one OpenSSL object per algorithm,
 * fetched once; a packet then costs no allocation and no lookup. A cipher
 * belongs to one thread. Every function that can fail returns 0, or ERR_CRYPTO
 * when the library fails, which no input can bring about. */
#ifndef SPHINX_CIPHER_H
#define SPHINX_CIPHER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

enum { CIPHER_MAC_LEN = 16, CIPHER_BLOCK_LEN = 64 };

/* Return the version of OpenSSL (static), for people: "3.0.15". */
const char *cipher_library_version(void);

struct cipher;

/* Make a cipher, which the caller owns. Returns also ERR_NOMEM. */
int cipher_new(struct cipher **out) CHECK_RESULT;

/* Wipe and free *c, which may be NULL, and set it to NULL. */
void cipher_free(struct cipher **c);

/* Begin the ChaCha20 keystream of key, nonce 0, block 0. */
int cipher_stream_start(struct cipher *c,
                        const uint8_t key[static 32]) CHECK_RESULT;

/* Combine buf with the next len bytes of the keystream. */
int cipher_stream_xor(struct cipher *c, uint8_t *buf, size_t len) CHECK_RESULT;

/* Compute Poly1305 (RFC 8439) of len bytes of in under the one-time key. */
int cipher_poly1305(struct cipher *c, const uint8_t key[static 32],
                    const uint8_t *in, size_t len,
                    uint8_t out[static CIPHER_MAC_LEN]) CHECK_RESULT;

/* Apply HPolyC with XChaCha20 and AES-256 to buf, in place, or undo it when not
 * encrypt: a permutation of len bytes (16 or more) chosen by key and tweak, in
 * which each byte of the output depends on every byte of the input. Packets use
 * an empty tweak; the published vectors use others. */
int cipher_hpolyc(struct cipher *c, const uint8_t key[static 32],
                  const uint8_t *tweak, size_t tweak_len, uint8_t *buf,
                  size_t len, bool encrypt) CHECK_RESULT;
#endif
