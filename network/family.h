/* network/family.h - relays of one operator say so, and nobody else does.
 *
 * A family is an Ed25519 key that its operator keeps, offline if he likes; its
 * public part is the family's name. It signs, once for each of his relays,
 *
 *   "brusio/1 family\n" | identity 32
 *
 * No two relays of one family are on one path, so whoever could claim another's
 * family would push the others from paths. Pure. */
#ifndef NETWORK_FAMILY_H
#define NETWORK_FAMILY_H
#include "network/consensus.h"

enum { FAMILY_SIGNATURE_LEN = 64, FAMILY_TEXT_LEN = 64 + 1 + 128 + 1 };

/* Is it no family's name? Names are public, and compared for each packet: so not in
 * constant time, as libsodium does, which takes a hundred times as long. */
bool family_is_none(const uint8_t family[static FAMILY_LEN]);

/* Do two relays with these families say that they are of one? None is nobody's. */
bool family_is_one(const uint8_t a[static FAMILY_LEN],
                   const uint8_t b[static FAMILY_LEN]);

void family_sign(const uint8_t seed[static 32],
                 const uint8_t identity[static SPHINX_ID_LEN],
                 uint8_t family[static FAMILY_LEN],
                 uint8_t signature[static FAMILY_SIGNATURE_LEN]);
/* Returns 0 (also for no family: both zeros) or ERR_SIGNATURE. */
int
family_check(const uint8_t family[static FAMILY_LEN],
             const uint8_t identity[static SPHINX_ID_LEN],
             const uint8_t signature[static FAMILY_SIGNATURE_LEN]) CHECK_RESULT;

/* As it stands in a configuration: FAMILY:SIGNATURE in hex; "" is none. */
void family_write(char out[static FAMILY_TEXT_LEN],
                  const uint8_t family[static FAMILY_LEN],
                  const uint8_t signature[static FAMILY_SIGNATURE_LEN]);
int family_read(const char *text, uint8_t family[static FAMILY_LEN],
                uint8_t signature[static FAMILY_SIGNATURE_LEN]) CHECK_RESULT;
#endif
