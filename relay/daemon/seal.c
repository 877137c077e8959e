/* relay/daemon/seal.c - see seal.h. No state. */
#include "relay/daemon/seal.h"

#include <sodium.h>
#include <string.h>

#include "lib/os/wipe.h"

enum { PLACE_LEN = SEAL_NAME_LEN + 1 };

_Static_assert(SEAL_NONCE_LEN == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES &&
                   SEAL_EXTRA_LEN - SEAL_NONCE_LEN ==
                       crypto_aead_xchacha20poly1305_ietf_ABYTES &&
                   (int)WIPE_KEY_LEN ==
                       crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
               "the cipher's");

void
seal_name(const uint8_t *key, const uint8_t box[static 32],
          uint8_t name[static SEAL_NAME_LEN])
{
    crypto_generichash(name, SEAL_NAME_LEN, box, 32, key, WIPE_KEY_LEN);
}

/* Write the place that a letter is sealed to. A letter belongs to its slot: the
 * disk's pages may not change places. */
static void
place_write(uint8_t place[static PLACE_LEN], const uint8_t *name, uint8_t slot)
{
    memcpy(place, name, SEAL_NAME_LEN);
    place[SEAL_NAME_LEN] = slot;
}

void
seal_letter(const uint8_t *key, const uint8_t name[static SEAL_NAME_LEN],
            uint8_t slot, const uint8_t *letter, size_t len, uint8_t *out)
{
    uint8_t place[PLACE_LEN];
    place_write(place, name, slot);
    randombytes_buf(out, SEAL_NONCE_LEN);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out + SEAL_NONCE_LEN, NULL,
                                               letter, len, place, sizeof place,
                                               NULL, out, key);
}

void
seal_trace(const uint8_t *key, const uint8_t name[static SEAL_NAME_LEN],
           uint8_t slot, const uint8_t *letter, size_t len,
           uint8_t trace[static 16])
{
    uint8_t place[PLACE_LEN];
    crypto_generichash_state h;
    place_write(place, name, slot);
    crypto_generichash_init(&h, key, WIPE_KEY_LEN, 16);
    crypto_generichash_update(&h, place, sizeof place);
    crypto_generichash_update(&h, letter, len);
    crypto_generichash_final(&h, trace, 16);
}

int
seal_open(const uint8_t *key, const uint8_t name[static SEAL_NAME_LEN],
          uint8_t slot, const uint8_t *sealed, size_t len, uint8_t *letter)
{
    uint8_t place[PLACE_LEN];
    place_write(place, name, slot);
    return len >= SEAL_EXTRA_LEN &&
                   crypto_aead_xchacha20poly1305_ietf_decrypt(
                       letter, NULL, NULL, sealed + SEAL_NONCE_LEN,
                       len - SEAL_NONCE_LEN, place, sizeof place, sealed,
                       key) == 0
               ? 0
               : ERR_MAC;
}
