/* directory/tally.h - from votes to the one consensus they amount to.
 *
 * A pure function: whoever has the same votes, the same previous consensus and
 * the same list of authorities gets the same bytes.
 *
 *   parameters   those that more than half of the authorities voted for
 *   relays       those that more than half list; of several descriptors of one
 *                relay the one most often listed, then the smallest
 *   shared value BLAKE2b-256("brusio/1 random" | epoch 4 | random of each vote,
 *                in the order of the authorities' identities)
 *   layers       a mix keeps its layer; a new one goes, in the order of
 *                BLAKE2b-64("brusio/1 layer" | value | identity), to the layer
 *                with the least bandwidth; a layer with less than half of
 *                another's takes over from it while that narrows the gap
 *   placements   a store keeps its placement; a new one's is
 *                BLAKE2b-256("brusio/1 placement" | value | identity) */
#ifndef DIRECTORY_TALLY_H
#define DIRECTORY_TALLY_H
#include "directory/consensus.h"
#include "directory/json.h"

/* n votes of one epoch, sorted by the authorities' identities and all with
 * the digest of `previous` (NULL: none yet), of n_authorities in all. The
 * digest of *out is not set. Returns ERR_THRESHOLD when the votes do not agree
 * enough, ERR_MISSING when a layer would be empty (such a consensus would stop
 * the network; the one before is still usable), ERR_NOMEM, ERR_RANGE. */
int tally_votes(struct consensus **out, const struct vote *votes, size_t n,
                size_t n_authorities, const struct consensus *previous,
                uint64_t valid_after_s) CHECK_RESULT;
#endif
