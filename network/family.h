/* network/family.h - relays of one operator say so, and nobody else does.
 *
 * A family is an Ed25519 key that the operator keeps, possibly offline; the
 * public key is the family's name. The key signs, once for each of the
 * operator's relays,
 *
 *   "brusio/1 family\n" | identity 32
 *
 * No two relays of one family are on one path, so whoever could claim another's
 * family would push its relays from paths. Pure. */
#ifndef NETWORK_FAMILY_H
#define NETWORK_FAMILY_H
#include "network/consensus.h"

enum { FAMILY_SIGNATURE_LEN = 64, FAMILY_TEXT_LEN = 64 + 1 + 128 + 1 };

/* Tell whether family is no family's name. Names are public, and are compared
 * for each packet: so not in constant time, as libsodium compares, which takes
 * a hundred times as long. */
bool family_is_none(const uint8_t family[static FAMILY_LEN]);

/* Tell whether two relays with the families a and b say that they are of one
 * family; two relays without a family do not. */
bool family_is_one(const uint8_t a[static FAMILY_LEN],
                   const uint8_t b[static FAMILY_LEN]);

/* Sign identity with the family's key, which follows from seed; write the
 * family's name to family. */
void family_sign(const uint8_t seed[static 32],
                 const uint8_t identity[static SPHINX_ID_LEN],
                 uint8_t family[static FAMILY_LEN],
                 uint8_t signature[static FAMILY_SIGNATURE_LEN]);

/* Check that family has signed identity. Returns 0 (also for no family: family
 * and signature are zeros) or ERR_SIGNATURE. */
int
family_check(const uint8_t family[static FAMILY_LEN],
             const uint8_t identity[static SPHINX_ID_LEN],
             const uint8_t signature[static FAMILY_SIGNATURE_LEN]) CHECK_RESULT;

/* Write family and signature to out as a configuration has them:
 * FAMILY:SIGNATURE in hex; "" is no family. */
void family_write(char out[static FAMILY_TEXT_LEN],
                  const uint8_t family[static FAMILY_LEN],
                  const uint8_t signature[static FAMILY_SIGNATURE_LEN]);

/* Read family and signature from text, which family_write() wrote. Returns 0 or
 * ERR_FORMAT. */
int family_read(const char *text, uint8_t family[static FAMILY_LEN],
                uint8_t signature[static FAMILY_SIGNATURE_LEN]) CHECK_RESULT;
#endif
