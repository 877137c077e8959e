/* client/witness.h - does the gateway withhold the consensus?
 *
 * Every answer says which consensus its store knows. When two stores of
 * unrelated families name the same one, newer than what the gateway has
 * brought, it exists; a store alone could make one up. A gateway that has not
 * brought it WITNESS_PATIENCE_PERMILLE of an epoch later, and the time that its
 * pieces take again, is of no use. Depends on the network alone, never on use.
 * Pure. */
#ifndef CLIENT_WITNESS_H
#define CLIENT_WITNESS_H
#include "network/consensus.h"

enum { WITNESSES = 4, WITNESS_PATIENCE_PERMILLE = 100 };

/* Zeroed memory is an empty one. */
struct witness {
    struct {
        uint32_t epoch; /* 0: free */
        uint8_t digest[SPHINX_DIGEST_LEN];
        uint8_t store[SPHINX_ID_LEN], family[FAMILY_LEN];
    } said[WITNESSES]; /* the newest of each store, next the oldest */
    unsigned next;
    uint32_t epoch;    /* that two agree on; 0: none newer */
    uint64_t since_us; /* first known so */
};

/* A store says which consensus it knows; newest: the one that is here. */
void witness_note(struct witness *w, const struct relay_entry *store,
                  uint32_t epoch,
                  const uint8_t digest[static SPHINX_DIGEST_LEN],
                  uint32_t newest, uint64_t now_us);

/* Is there a newer one than `newest`, for longer than patience says? */
bool witness_is_behind(const struct witness *w, uint32_t newest,
                       uint64_t patience_us, uint64_t now_us);
#endif
