/* relay/daemon/seal.h - letters as they lie on a store's disk.
 *
 * What is to be unrecoverable once its day is over (I8) is never written in
 * clear: a letter is sealed, and its box named by a hash, both under a key of
 * the day. The key lies in a page of its own, which is overwritten with the
 * day's end (lib/os/wipe.h). On disk:
 *
 *   name    BLAKE2b-128(key of the day, box id)
 *   sealed  nonce 24 | XChaCha20-Poly1305(letter; nonce, name | slot)
 *
 * Used on the storage thread. */
#ifndef RELAY_DAEMON_SEAL_H
#define RELAY_DAEMON_SEAL_H
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

enum {
    SEAL_NAME_LEN = 16,
    SEAL_NONCE_LEN = 24,
    SEAL_EXTRA_LEN = SEAL_NONCE_LEN + 16 /* longer than the letter */
};

/* Make the day's name of a box; key has WIPE_KEY_LEN bytes, here and below. */
void seal_name(const uint8_t *key, const uint8_t box[static 32],
               uint8_t name[static SEAL_NAME_LEN]);

/* Seal a letter of len bytes in this slot of the box with this name; out has
 * len + SEAL_EXTRA_LEN bytes. */
void seal_letter(const uint8_t *key, const uint8_t name[static SEAL_NAME_LEN],
                 uint8_t slot, const uint8_t *letter, size_t len, uint8_t *out);

/* Make the trace of a letter of len bytes that is let go:
 * BLAKE2b-128(key; name | slot | letter). */
void seal_trace(const uint8_t *key, const uint8_t name[static SEAL_NAME_LEN],
                uint8_t slot, const uint8_t *letter, size_t len,
                uint8_t trace[static 16]);

/* Open what was sealed, len bytes; letter has len - SEAL_EXTRA_LEN bytes.
 * Returns 0 or ERR_MAC: the disk has changed what was sealed. */
int seal_open(const uint8_t *key, const uint8_t name[static SEAL_NAME_LEN],
              uint8_t slot, const uint8_t *sealed, size_t len,
              uint8_t *letter) CHECK_RESULT;
#endif
