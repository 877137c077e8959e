/* directory/past.h - what the votes of an epoch know of those before.
 *
 * Each vote says what stands in the newest consensus that its author knows:
 * where relays stand, and where those stood that are away; the values of days.
 * What f + 1 votes say, at least one honest author says, so it was in a
 * consensus. Pure. */
#ifndef DIRECTORY_PAST_H
#define DIRECTORY_PAST_H
#include <stdbool.h>

#include "directory/vote.h"

struct past {
    bool is_empty;    /* there was no consensus before, as far as is known */
    uint32_t periods; /* since that of the ring which goes on */
    unsigned layers;
    size_t n;
    struct standing *known; /* sorted by identity, none twice; owned */
};

/* Make the values of days of c, whose epoch, time, parameters and shared value
 * are set, and gather in *p what the n votes know of relays.
 *
 * Days: among the rings that at least `need` votes have, and that are of no
 * later period, the latest goes on (of several the one that most votes have,
 * then the shortest, then the smallest).
 *
 * Relays: what `need` votes know of a relay in one role: its layer, placement
 * and `since` as most of them say, of several values the smallest; `counts`
 * likewise, but only by votes that have this ring, 0 when those are fewer than
 * `need`; its `seen` such that `need` votes say that, or later. Returns 0 or
 * ERR_NOMEM. past_free() frees *p in any case. */
int past_make(struct past *p, struct vote *const *votes, size_t n, size_t need,
              struct consensus *c) CHECK_RESULT;
void past_free(struct past *p);

/* Find where the relay with this identity stood in this role; NULL when nothing
 * is known of that. */
const struct standing *past_find(const struct past *p,
                                 const uint8_t identity[static SPHINX_ID_LEN],
                                 unsigned role);

/* Say for which days a store counts that has been in since the epoch `since`,
 * up to that of c, and stood at s (NULL: nowhere). */
uint16_t past_counts(const struct past *p, const struct consensus *c,
                     const struct standing *s, uint32_t since);

/* List in c, whose relays are set, those as away that are known and not in c,
 * unless they have been away for consensus_away_max() epochs. */
int past_away(const struct past *p, struct consensus *c) CHECK_RESULT;

#endif
