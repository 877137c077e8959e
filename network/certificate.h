/* network/certificate.h - an authority's word about the keys it works with.
 *
 * The identity key that the network file lists can stay offline: it signs, for
 * a month or so, an Ed25519 key for documents and a ristretto255 key for shares
 * (directory/share.h). Signed with Ed25519 is
 *
 *   "brusio/1 certificate\n" | key 32 | share_key 32 | from 8 | until 8   (BE)
 *
 * Pure. */
#ifndef NETWORK_CERTIFICATE_H
#define NETWORK_CERTIFICATE_H
#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"

enum {
    CERTIFICATE_ID_LEN = 32,
    CERTIFICATE_SIGNATURE_LEN = 64,
    CERTIFICATE_DAYS = 30 /* as they are made */
};

struct certificate {
    uint8_t key[32], share_key[32];
    uint64_t from_s, until_s; /* Unix time; both ends are in */
    uint8_t signature[CERTIFICATE_SIGNATURE_LEN];
};

/* Fill in the signature. */
void certificate_sign(struct certificate *c,
                      const uint8_t identity_seed[static 32]);
/* Returns 0, ERR_SIGNATURE, or ERR_RANGE when it ends before it begins. */
int certificate_check(const struct certificate *c,
                      const uint8_t identity[static CERTIFICATE_ID_LEN])
    CHECK_RESULT;

static inline bool
certificate_covers(const struct certificate *c, uint64_t at_s)
{
    return c->from_s <= at_s && at_s <= c->until_s;
}
#endif
