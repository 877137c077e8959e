/* network/certificate.c - see certificate.h. No state. */
#include "network/certificate.h"

#include <sodium.h>
#include <string.h>

#include "lib/codec.h"

static const char label[] = "brusio/1 certificate\n";
enum { LABEL_LEN = sizeof label - 1, SIGNED_LEN = LABEL_LEN + 32 + 32 + 8 + 8 };

static void
signed_write(const struct certificate *c, uint8_t out[static SIGNED_LEN])
{
    memcpy(out, label, LABEL_LEN);
    out += LABEL_LEN;
    memcpy(out, c->key, 32);
    memcpy(out + 32, c->share_key, 32);
    codec_put64(out + 64, c->from_s);
    codec_put64(out + 72, c->until_s);
}

void
certificate_sign(struct certificate *c, const uint8_t identity_seed[static 32])
{
    uint8_t text[SIGNED_LEN], identity[32], secret[crypto_sign_SECRETKEYBYTES];
    signed_write(c, text);
    crypto_sign_seed_keypair(identity, secret, identity_seed);
    crypto_sign_detached(c->signature, NULL, text, sizeof text, secret);
    sodium_memzero(secret, sizeof secret);
}

int
certificate_check(const struct certificate *c,
                  const uint8_t identity[static CERTIFICATE_ID_LEN])
{
    uint8_t text[SIGNED_LEN];
    if (c->until_s < c->from_s)
        return ERR_RANGE;
    signed_write(c, text);
    return crypto_sign_verify_detached(c->signature, text, sizeof text,
                                       identity) == 0
               ? 0
               : ERR_SIGNATURE;
}
