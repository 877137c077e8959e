/* network/certificate.h - an authority's word about the keys it works with.
 *
 * The identity key that the network file lists can stay offline: it signs, for
 * a month or so, an Ed25519 key for documents and a ristretto255 key for shares
 * (directory/share.h). Signed with Ed25519 is
 *
 *   "brusio/1 certificate\n" | key 32 | share_key 32 | from 8 | until 8   (BE)
 *
 * A newer certificate revokes the keys of all before it: of two the newer is
 * that which begins later, or, should both begin in one second, that with the
 * greater key; so there is one order for everybody. A consensus lists the newest
 * that authorities know of each (directory/tally.h). From it on what an older key
 * has signed does not count, neither for that epoch nor for later ones, for
 * whoever has seen it: all keep the list with the consensus.
 *
 * Pure. */
#ifndef NETWORK_CERTIFICATE_H
#define NETWORK_CERTIFICATE_H
#include <stdbool.h>
#include <stddef.h>
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

/* The newest certificates that are known, of each identity one, sorted. Zeroed
 * memory is an empty list. */
enum { CERTIFICATES_MAX = 16 };
struct certified {
    uint8_t identity[CERTIFICATE_ID_LEN];
    struct certificate cert;
};
struct certificates {
    size_t n;
    struct certified of[CERTIFICATES_MAX];
};

bool certificate_is_newer(const struct certificate *c,
                          const struct certificate *than);
/* Note that identity has certified c, if that is newer than what is known. What
 * begins after now_s is of a wrong clock: it is not noted, and what was noted by
 * one is replaced. */
void certificates_note(struct certificates *list,
                       const uint8_t identity[static CERTIFICATE_ID_LEN],
                       const struct certificate *c, uint64_t now_s);
/* Note of `from` what these n identities have signed, and drop what is known of
 * others: whoever could sign a consensus for an hour fills no list for ever, and
 * neither do authorities that are none any more. */
void certificates_merge(struct certificates *list,
                        const struct certificates *from,
                        const uint8_t (*of)[CERTIFICATE_ID_LEN], size_t n,
                        uint64_t now_s);
/* The one of this identity, or NULL. */
const struct certificate *
certificates_find(const struct certificates *list,
                  const uint8_t identity[static CERTIFICATE_ID_LEN]);
/* Is the key of this certificate of identity revoked at at_s, by another that
 * has begun by then? */
bool certificates_revoke(const struct certificates *list,
                         const uint8_t identity[static CERTIFICATE_ID_LEN],
                         const struct certificate *c, uint64_t at_s);

static inline bool
certificate_covers(const struct certificate *c, uint64_t at_s)
{
    return c->from_s <= at_s && at_s <= c->until_s;
}
#endif
