/* client/heard/witness.h - which consensus is the newest, by the word of many?
 *
 * Every answer says which consensus its store knows. What stores of
 * NETTIME_FAMILIES unrelated families name alike, by epoch and digest, exists
 * (of as many as there are, where the network has fewer); fewer could make one
 * up. Believed are only epochs that can exist by now: up to WITNESS_AHEAD after
 * the one that the clock says. What was named is forgotten after two epochs, so
 * that no word lasts for ever. Depends on the network alone, never on use.
 * Pure. */
#ifndef CLIENT_WITNESS_H
#define CLIENT_WITNESS_H
#include "network/consensus.h"

enum { WITNESSES = 16, WITNESS_AHEAD = 1 };

/* Zeroed memory is an empty one. */
struct witness {
    struct {
        uint32_t epoch; /* 0: free */
        uint8_t digest[SPHINX_DIGEST_LEN];
        uint8_t store[SPHINX_ID_LEN], family[FAMILY_LEN];
        uint64_t heard_us; /* monotonic */
    } said[WITNESSES];     /* the newest word of each store */
};

/* Note that `store` names the consensus of this epoch and digest. `latest`: the
 * last epoch that can have begun by now; what lies further than WITNESS_AHEAD
 * after it, or before `newest`, the one that is here, is not looked at. */
void witness_note(struct witness *w, const struct relay_entry *store,
                  uint32_t epoch,
                  const uint8_t digest[static SPHINX_DIGEST_LEN],
                  uint32_t newest, uint32_t latest, uint64_t now_us);

/* Return the newest epoch that so many families have named alike within the
 * last max_age_us; 0: none. */
uint32_t witness_epoch(const struct witness *w, unsigned families,
                       uint64_t max_age_us, uint64_t now_us);
#endif
