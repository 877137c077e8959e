/* client/places.h - for whom a poll is: fronts, lane and sweep, and what tells them.
 *
 * client/pace/fronts.h decides by numbers; here numbers are contacts' ids, and
 * where it has nobody to ask for, a front asks for the conversation that its client
 * has with itself, the lane and the sweep for a random box each, kept for a period.
 *
 * Where a network has no boards, nobody announces anything: then what the lane and
 * the sweep have left goes to all contacts, drawn alike, and what comes is shown at
 * once. No contact's pace depends on what others do there either, only on how many
 * they are. */
#ifndef CLIENT_PLACES_H
#define CLIENT_PLACES_H
#include "client/state.h"

/* Takes what a consensus in use says of conversations. */
void places_consensus(struct client *c, const struct consensus *n);

/* Gives the places new random boxes and starts: the link is up, or the first
 * consensus is there. Makes self-conversations that are not there yet. */
void places_start(struct client *c);

/* Holds the fronts that an earlier life has promised; once all records are there. */
void places_restore(struct client *c);

/* Chooses what the poll of this tick asks for. */
void places_pick(struct client *c, struct choice *out);

/* Are there boards, so that what comes is announced? */
bool places_have_boards(const struct client *c);

/* ---- what they are told ---- */

/* The user has written to v, or opened it. */
void places_took(struct client *c, struct conversation *v);

/* A token of this contact was seen in a list that may be acted on, of a period. */
void places_announced(struct client *c, uint32_t contact, uint32_t period);

/* A poll was answered: it brought a letter that was not here and says that there
 * is a token of it (announced); it names others that are not here (more). */
void places_answered(struct client *c, const struct fronts_choice *whom,
                     bool announced, bool more);

/* A letter of v's was shown: it is part of a transfer, or not; and it promises a
 * front until lease_s, since 1970 by the network's time (0: none). */
void places_shown(struct client *c, struct conversation *v, bool is_part,
                  uint64_t lease_s);

/* ---- what they say ---- */

/* May a letter of v be shown that a poll for `whom` has brought? Otherwise it stays
 * in its box, until another poll brings it. */
bool places_may_show(const struct client *c, const struct conversation *v,
                     const struct fronts_choice *whom, uint64_t commit_us);

/* Draws when what was shown now is to be acknowledged. */
uint64_t places_ack_us(struct client *c, const struct conversation *v,
                       uint64_t commit_us, bool is_part);

/* Tells until when a letter to v that leaves now may promise v's front, in seconds
 * since 1970 by the network's time; 0: not at all. is_answer: it is no doing of the
 * user's (client/pace/fronts.h). It is in v's record when the caller journals that. */
uint64_t places_lease_s(struct client *c, struct conversation *v,
                        bool is_answer);

/* May a letter to v that leaves now go without an announcement? */
bool places_may_be_silent(const struct client *c, const struct conversation *v,
                          uint64_t commit_us);
#endif
