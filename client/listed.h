/* client/listed.h - what boards' lists tell a client: that a contact has written,
 * and that the gateway shows lists or keeps them.
 *
 * Slices come with answers and dummies, names with answers; client/heard/shown.h
 * says which lists are sure. Their entries are looked up among the tokens that are
 * awaited (client/heard/tokens.h): of each contact those of this period, of the one
 * before and of the next that its letters do not name as used and no sure list had. The
 * next one's are there before it begins: those of LISTED_RENEWED contacts are renewed on
 * a tick, however many there are, so that no frame is late at a moment that all know.
 * While there are contacts of whom none of this period's is awaited, as after a start,
 * lists wait. Nothing that a client sends depends on lists, but for whom its polls are,
 * which goes by client/pace/fronts.h, and which gateway it goes to, for which all
 * lists count alike, whatever is in them. */
#ifndef CLIENT_LISTED_H
#define CLIENT_LISTED_H
#include "client/state.h"

enum { LISTED_RENEWED = 4 };

/* Takes the slice of a frame of len bytes that came from the gateway. Returns 0 or
 * why it was refused. */
int listed_slice(struct client *c, const uint8_t *frame,
                 size_t len) CHECK_RESULT;

/* Notes which lists an answer of `store` names. */
void listed_named(struct client *c, const struct relay_entry *store,
                  const struct wire_answer *answer);

/* Acts on lists that are sure, and looks after what is awaited: on each tick. */
void listed_tick(struct client *c);

/* Tells what has come of lists. */
void listed_count(const struct client *c, struct client_lists *out);

/* Notes which of v's tokens a letter that is taken names as used, its own among
 * them: changes v alone, which the caller journals. */
void listed_letter(struct conversation *v, uint32_t period,
                   const struct letter *l);
#endif
