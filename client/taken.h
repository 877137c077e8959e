/* client/taken.h - a place where stores say that another letter lies. */
#ifndef CLIENT_TAKEN_H
#define CLIENT_TAKEN_H
#include "client/state.h"
#include "lib/wire.h"

/* Takes the word of a box's store of this rank that the place of v's letter is
 * taken. When that cannot be journalled the letter stays where it is. */
void taken_answer(struct client *c, struct conversation *v,
                  struct letter_place at, enum store_rank rank);

/* Notes that a look of v's got no answer. */
void taken_unseen(struct client *c, struct conversation *v);

/* Takes what a store has in the box of the place that v checks; bytes: the
 * letter, when the answer has one, of the client's letter length, wiped. */
void taken_look(struct client *c, struct conversation *v,
                const struct wire_answer *answer, uint8_t *bytes);
#endif
