/* network/family.c - signing, checking and writing families. No state. */
#include "network/family.h"

#include <sodium.h>
#include <string.h>

#include "lib/codec.h"

static const char label[] = "brusio/1 family\n";
enum { LABEL_LEN = sizeof label - 1, SIGNED_LEN = LABEL_LEN + SPHINX_ID_LEN };

static void
signed_write(uint8_t out[static SIGNED_LEN], const uint8_t *identity)
{
    memcpy(out, label, LABEL_LEN);
    memcpy(out + LABEL_LEN, identity, SPHINX_ID_LEN);
}

void
family_sign(const uint8_t seed[static 32],
            const uint8_t identity[static SPHINX_ID_LEN],
            uint8_t family[static FAMILY_LEN],
            uint8_t signature[static FAMILY_SIGNATURE_LEN])
{
    uint8_t text[SIGNED_LEN], secret[crypto_sign_SECRETKEYBYTES];
    signed_write(text, identity);
    crypto_sign_seed_keypair(family, secret, seed);
    crypto_sign_detached(signature, NULL, text, sizeof text, secret);
    sodium_memzero(secret, sizeof secret);
}

bool
family_is_none(const uint8_t family[static FAMILY_LEN])
{
    static const uint8_t none[FAMILY_LEN];
    return memcmp(family, none, FAMILY_LEN) == 0;
}

bool
family_is_one(const uint8_t a[static FAMILY_LEN],
              const uint8_t b[static FAMILY_LEN])
{
    return memcmp(a, b, FAMILY_LEN) == 0 && !family_is_none(a);
}

int
family_check(const uint8_t family[static FAMILY_LEN],
             const uint8_t identity[static SPHINX_ID_LEN],
             const uint8_t signature[static FAMILY_SIGNATURE_LEN])
{
    uint8_t text[SIGNED_LEN];
    if (family_is_none(family))
        return sodium_is_zero(signature, FAMILY_SIGNATURE_LEN) ? 0
                                                               : ERR_SIGNATURE;
    signed_write(text, identity);
    return crypto_sign_verify_detached(signature, text, sizeof text, family)
               ? ERR_SIGNATURE
               : 0;
}

void
family_write(char out[static FAMILY_TEXT_LEN],
             const uint8_t family[static FAMILY_LEN],
             const uint8_t signature[static FAMILY_SIGNATURE_LEN])
{
    codec_hex(out, family, FAMILY_LEN);
    out[2 * FAMILY_LEN] = ':';
    codec_hex(out + 2 * FAMILY_LEN + 1, signature, FAMILY_SIGNATURE_LEN);
}

int
family_read(const char *text, uint8_t family[static FAMILY_LEN],
            uint8_t signature[static FAMILY_SIGNATURE_LEN])
{
    char hex[2 * FAMILY_LEN + 1];
    memset(family, 0, FAMILY_LEN);
    memset(signature, 0, FAMILY_SIGNATURE_LEN);
    if (!text[0])
        return 0;
    if (strlen(text) != FAMILY_TEXT_LEN - 1 || text[2 * FAMILY_LEN] != ':')
        return ERR_FORMAT;
    memcpy(hex, text, 2 * FAMILY_LEN);
    hex[2 * FAMILY_LEN] = 0;
    return codec_unhex(family, FAMILY_LEN, hex) ||
                   codec_unhex(signature, FAMILY_SIGNATURE_LEN,
                               text + 2 * FAMILY_LEN + 1)
               ? ERR_FORMAT
               : 0;
}
