/* network/box.h - who may put into a box: whoever has its key.
 *
 * A box has an Ed25519 key pair (RFC 8032), made from a seed that those who write
 * to it and those who read it derive alike. Its id is a hash of the public key:
 * one who knows the id alone can read and cannot put. A put carries the public
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

/* Make the public key of a box from its seed. */
void box_key_public(const uint8_t seed[static BOX_SEED_LEN],
                    uint8_t key[static WIRE_BOX_LEN]);

/* Make the id of the box with this public key:
 * BLAKE2b-256("brusio/1 box id" | key). */
void box_id(const uint8_t key[static WIRE_BOX_LEN],
            uint8_t id[static WIRE_BOX_LEN]);

/* Make what a reader of the box shows one of its stores, that of this identity, to
 * say that it has what it names as held:
 * BLAKE2b-128("brusio/1 held" | seed | store). No other store learns it. */
void box_token(const uint8_t seed[static BOX_SEED_LEN],
               const uint8_t store[static 32],
               uint8_t token[static BOX_TOKEN_LEN]);

/* Make what a put brings for the store to know the token by:
 * BLAKE2b-128("brusio/1 mark" | token), its first 8 bytes. */
void box_mark(const uint8_t token[static BOX_TOKEN_LEN],
              uint8_t mark[static BOX_MARK_LEN]);

/* Sign a letter of len bytes for a slot:
 * Ed25519(seed; BLAKE2b-512("brusio/1 put" | slot 1 | letter)). Makes the public
 * key on the way. */
void box_sign(const uint8_t seed[static BOX_SEED_LEN], uint8_t slot,
              const uint8_t *letter, size_t len,
              uint8_t key[static WIRE_BOX_LEN],
              uint8_t signature[static WIRE_SIGNATURE_LEN]);

/* Check such a signature. Returns 0 or ERR_SIGNATURE. */
int box_verify(const uint8_t key[static WIRE_BOX_LEN], uint8_t slot,
               const uint8_t *letter, size_t len,
               const uint8_t signature[static WIRE_SIGNATURE_LEN]) CHECK_RESULT;
#endif
