/* directory/tally.h - from votes to the one consensus they amount to.
 *
 * A pure function: whoever has the same votes, the same shared value and the
 * same list of authorities gets the same bytes.
 *
 *   parameters   those that more than half of the authorities voted for
 *   relays       those that more than half list; of several descriptors of one
 *                relay the one most often listed, then the smallest
 *   before       layer and placement that a relay had, and the epoch it came
 *                in: what most votes know, then the smallest; f + 1 votes at
 *                least, so that one of them is honest
 *   days         values of the last days: directory/past.h
 *   left out     relays that hibernate; and of each role the worst, a quarter
 *                of it at most, whose own loops got lost TALLY_LOST_PERMILLE
 *                often
 *   bandwidth    what a relay says, but no weight (bandwidth + 1) of more than
 *                TALLY_WEIGHT_MAX times the median of those that are in in its
 *                role (of k the ceil(k / 2)-th smallest)
 *   layers       a mix keeps its layer; a new one goes, in the order of
 *                BLAKE2b-64("brusio/1 layer" | value | identity), to the layer
 *                with the least bandwidth; a layer with less than half of
 *                another's takes over from it while that narrows the gap
 *   placements   a store keeps its placement; a new one's is
 *                BLAKE2b-256("brusio/1 placement" | value | identity) */
#ifndef DIRECTORY_TALLY_H
#define DIRECTORY_TALLY_H
#include "directory/vote.h"
#include "network/consensus.h"

enum { TALLY_LOST_PERMILLE = 200, TALLY_WEIGHT_MAX = 4 };

/* n votes of one epoch, sorted by their authors, of n_authorities in all;
 * random is the shared value. The digest of *out is not set. Returns
 * ERR_THRESHOLD when the votes do not agree enough, ERR_MISSING when a layer
 * would be empty (such a consensus would stop the network; the one before is
 * still usable), ERR_NOMEM, ERR_RANGE. */
int tally_votes(struct consensus **out, struct vote *const *votes, size_t n,
                size_t n_authorities, const uint8_t random[static 32],
                uint64_t valid_after_s) CHECK_RESULT;
#endif
