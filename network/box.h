/* network/box.h - who may put into a box: whoever has its key.
 *
 * A box has an Ed25519 key pair (RFC 8032), made from a seed that its writers
 * and its readers derive alike. The id of the box is a hash of the public key:
 * whoever knows the id alone can read and cannot put. A put carries the public
 * key in the place of the id, and a signature over the slot and the letter. */
#ifndef NETWORK_BOX_H
#define NETWORK_BOX_H
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/wire.h"

enum {
    BOX_SEED_LEN = 32,
    BOX_TOKEN_LEN = WIRE_WORK_LEN, /* of a get, in the place of the work */
    BOX_MARK_LEN = 8               /* of a put, the second half of the work */
};

/* Compute the public key of the box with this seed. */
void box_key_public(const uint8_t seed[static BOX_SEED_LEN],
                    uint8_t key[static WIRE_BOX_LEN]);

/* Compute the id of the box with this public key:
 * BLAKE2b-256("brusio/1 box id" | key). */
void box_id(const uint8_t key[static WIRE_BOX_LEN],
            uint8_t id[static WIRE_BOX_LEN]);

/* Compute the token that a reader of the box with this seed shows one of the
 * box's stores, the one of this identity, when the reader says which letters it
 * holds: BLAKE2b-128("brusio/1 held" | seed | store). No other store learns
 * that token. */
void box_token(const uint8_t seed[static BOX_SEED_LEN],
               const uint8_t store[static 32],
               uint8_t token[static BOX_TOKEN_LEN]);

/* Compute the mark that a put brings, by which the store knows the token: the
 * first 8 bytes of BLAKE2b-128("brusio/1 mark" | token). */
void box_mark(const uint8_t token[static BOX_TOKEN_LEN],
              uint8_t mark[static BOX_MARK_LEN]);

/* Sign letter, of len bytes, for slot: Ed25519(seed; BLAKE2b-512("brusio/1 put"
 * | slot 1 | letter)). Computes the public key on the way. */
void box_sign(const uint8_t seed[static BOX_SEED_LEN], uint8_t slot,
              const uint8_t *letter, size_t len,
              uint8_t key[static WIRE_BOX_LEN],
              uint8_t signature[static WIRE_SIGNATURE_LEN]);

/* Check a signature that box_sign() made for slot and letter, of len bytes.
 * Returns 0 or ERR_SIGNATURE. */
int box_verify(const uint8_t key[static WIRE_BOX_LEN], uint8_t slot,
               const uint8_t *letter, size_t len,
               const uint8_t signature[static WIRE_SIGNATURE_LEN]) CHECK_RESULT;
#endif
