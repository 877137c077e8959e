/* client/asked.h - requests under way.
 *
 * They stand in a table of a fixed length, found by the number that the SURB id
 * hides; an entry is given up when it is taken by a later number. An answer that is
 * later than LATE_US counts as late, but is used when it comes. Who answers late is
 * judged for each box by itself: were it judged by store, a store could tell by
 * holding up one box which others are the same client's. */
#ifndef CLIENT_ASKED_H
#define CLIENT_ASKED_H
#include "client/state.h"

/* Remembers a request that has left, by this number; cover: on a tick for a loop. */
void asked_note(struct client *c, const struct consensus *view,
                const struct choice *choice, const struct route *route,
                uint64_t number, bool cover);

/* Finds the request that an answer's SURB id names; NULL: none that waits. */
struct asked *asked_find(struct client *c, const uint8_t *id);

/* Notes that a is answered: what it asked for may be asked for again. */
void asked_release(struct client *c, const struct asked *a);

/* Notes that a get of v's has brought nothing: client/polls.h, polls_missed(). */
void asked_miss(struct client *c, struct conversation *v,
                const struct asked *a);

/* Notes how the answer to a request fared. When half of QUALITY_ASKED answers of
 * one direction of a conversation came late or not at all, while those of other
 * stores did not, its boxes' second store takes the place of the first for
 * QUALITY_US. */
void asked_judge(struct client *c, const struct asked *a, bool late);

/* Is the first store of this choice's box bad for it? */
bool asked_avoids_first(const struct client *c, const struct choice *choice);

/* Gives up waiting for those that are overdue. */
void asked_sweep(struct client *c, uint64_t now_us);

/* Gives up all. */
void asked_forget(struct client *c);
#endif
