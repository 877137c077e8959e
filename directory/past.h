/* directory/past.h - what the votes of an epoch know of those before.
 *
 * Each says what the newest consensus has that its author knows: where relays
 * stand, and stood that are away; the values of days. What f + 1 of them say one
 * honest author says, at least, so it was in a consensus. Pure. */
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

/* Make the values of days of c, whose epoch, time, parameters and shared value are
 * set: of the rings that at least `need` of n votes have, and that are of no later
 * period, the latest goes on (of several the one that most have, then the shortest,
 * then the smallest). And gather what `need` of the votes know of each relay in one
 * role: its layer, placement and `since` as most of them say, of several the
 * smallest; `counts` likewise, by those alone that have this ring, 0 when they are
 * fewer; its `seen` such that `need` of them say that, or later. Returns 0 or
 * ERR_NOMEM. past_free() frees it in any case. */
int past_make(struct past *p, struct vote *const *votes, size_t n, size_t need,
              struct consensus *c) CHECK_RESULT;
void past_free(struct past *p);

/* Where a relay stood in this role; NULL when nothing is known of that. */
const struct standing *past_find(const struct past *p,
                                 const uint8_t identity[static SPHINX_ID_LEN],
                                 unsigned role);

/* Say for which days a store counts that is in c since then and stood at s (NULL:
 * nowhere). */
uint16_t past_counts(const struct past *p, const struct consensus *c,
                     const struct standing *s, uint32_t since);

/* List those that are known and not in c, whose relays are set, as away in it,
 * unless they have been for consensus_away_max() epochs. */
int past_away(const struct past *p, struct consensus *c) CHECK_RESULT;

#endif
