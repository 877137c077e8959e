/* directory/tally.h - from votes to the one consensus they amount to.
 *
 * The tally is a pure function: whoever has the same votes, the same shared
 * value and the same list of authorities gets the same bytes.
 *
 *   parameters   those that more than half of the authorities voted for
 *   relays       those that more than half list; of several descriptors of one
 *                relay the one most often listed, then the smallest
 *   before       layer and placement that a relay had, and the epoch it came
 *                in: what most votes know, then the smallest; f + 1 votes at
 *                least, so that one of them is honest
 *   days         values of the last days: directory/past.h
 *   not in       relays that hibernate, and newcomers that have to wait
 *                (newcomers.h)
 *   bandwidth    what a relay says, but no weight (bandwidth + 1) of more than
 *                TALLY_WEIGHT_MAX times the median of those that are in in its
 *                role (of k the ceil(k / 2)-th smallest)
 *   layers       a mix keeps its layer; a new one goes, in the order of
 *                BLAKE2b-64("brusio/1 layer" | value | identity), to the layer
 *                with the least bandwidth; a layer with less than half of
 *                another's takes over from it while that narrows the gap
 *   certificates of each authority the newest that a vote's dealing has
 *   placements   a store keeps its placement; a new one's is
 *                BLAKE2b-256("brusio/1 placement" | value | identity)
 *   left out     relays that disagree with most of their neighbours, and links
 *                that two disagree about (blame.h) */
#ifndef DIRECTORY_TALLY_H
#define DIRECTORY_TALLY_H
#include "directory/vote.h"
#include "network/consensus.h"

enum { TALLY_WEIGHT_MAX = 4 };

/* Texts that descriptor_open() has taken before, sorted: these are not verified
 * a second time. The consensus is the same without them. */
struct tally_opened {
    char *const *text;
    size_t n;
};

/* Count n votes of one epoch, sorted by their authors, of n_authorities in all
 * with these ids; random is the shared value, valid_after_s the consensus's
 * time. The digest of *out is not set. Returns 0, ERR_THRESHOLD when the votes
 * do not agree enough, ERR_MISSING when a layer would be empty (such a
 * consensus would stop the network; the one before is still usable), ERR_NOMEM,
 * ERR_RANGE. */
int tally_votes(struct consensus **out, struct vote *const *votes, size_t n,
                const uint8_t (*ids)[SPHINX_ID_LEN], size_t n_authorities,
                const uint8_t random[static 32], uint64_t valid_after_s,
                const struct tally_opened *opened) CHECK_RESULT;

/* One of its steps, in n log n: strangers can make a consensus as long as it
 * may be, but not an authority slow. */

/* Move mixes of c to other layers as long as one layer has more than twice the
 * weight of another and a move narrows the gap; relay holds the numbers of the
 * n mixes in the order in which they are looked at. Returns 0 or ERR_NOMEM. */
int tally_even_out(struct consensus *c, const size_t *relay,
                   size_t n) CHECK_RESULT;
#endif
