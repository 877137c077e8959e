/* network/certificate.h - an authority's word about the keys it works with.
 *
 * The identity key that the network file lists can stay offline: that key
 * signs, for a month or so, an Ed25519 key for documents and a ristretto255 key
 * for shares (directory/share.h). Signed with Ed25519 is
 *
 *   "brusio/1 certificate\n" | key 32 | share_key 32 | from 8 | until 8   (BE)
 *
 * A newer certificate revokes the keys of all earlier ones. Of two certificates
 * the one that begins later is the newer, or, should both begin in one second,
 * the one with the greater key; so everybody has the same order. A consensus
 * lists the newest certificate that authorities know of each authority
 * (directory/tally.h). For whoever has seen that consensus, what an older key
 * has signed does not count from then on, neither for that epoch nor for later
 * ones: all keep the list with the consensus.
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

/* Sign c with the seed of the identity key, and fill in c->signature. */
void certificate_sign(struct certificate *c,
                      const uint8_t identity_seed[static 32]);

/* Check that identity has signed c. Returns 0, ERR_SIGNATURE, or ERR_RANGE when
 * c ends before it begins. */
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

/* Tell whether c is newer than `than`, of the same identity. */
bool certificate_is_newer(const struct certificate *c,
                          const struct certificate *than);

/* Note that identity has certified c, if c is newer than what list has. A
 * certificate that begins after now_s is of a wrong clock: such a one is not
 * noted, and one that is in list is replaced. */
void certificates_note(struct certificates *list,
                       const uint8_t identity[static CERTIFICATE_ID_LEN],
                       const struct certificate *c, uint64_t now_s);

/* Note in list those certificates of `from` that the n identities `of` have
 * signed, and drop those of other identities: whoever could sign a consensus
 * for an hour fills no list for ever, and neither do former authorities. */
void certificates_merge(struct certificates *list,
                        const struct certificates *from,
                        const uint8_t (*of)[CERTIFICATE_ID_LEN], size_t n,
                        uint64_t now_s);

/* Return the certificate of identity in list, or NULL. */
const struct certificate *
certificates_find(const struct certificates *list,
                  const uint8_t identity[static CERTIFICATE_ID_LEN]);

/* Tell whether the key of c, a certificate of identity, is revoked at at_s by
 * another certificate in list that has begun by then. */
bool certificates_revoke(const struct certificates *list,
                         const uint8_t identity[static CERTIFICATE_ID_LEN],
                         const struct certificate *c, uint64_t at_s);

/* Tell whether c is good at at_s. */
static inline bool
certificate_covers(const struct certificate *c, uint64_t at_s)
{
    return c->from_s <= at_s && at_s <= c->until_s;
}
#endif
