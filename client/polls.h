/* client/polls.h - which box a poll asks for, and what was read of each. */
#ifndef CLIENT_POLLS_H
#define CLIENT_POLLS_H
#include "client/state.h"

/* Gives the places new random ids and starts: the link is up, or the first
 * consensus is there. */
void polls_start(struct client *c);

/* Chooses what the poll of this tick asks for. */
void polls_pick(struct client *c, struct choice *out);

/* Takes a store's answer to the poll of a box; full: its slots with a letter.
 */
void polls_answer(struct conversation *v, struct letter_place at,
                  uint8_t status, uint16_t full);

/* Forgets a poll of this box: it is answered, or was not sent. */
void polls_unasked(struct conversation *v, struct letter_place at);

/* Notes that the letter of this place was read. */
void polls_hold(struct conversation *v, struct letter_place at);

/* Notes that the letter of this place did not open; after BAD_LETTERS_MAX times
 * it is passed over. */
void polls_bad(struct conversation *v, struct letter_place at);

/* Notes what a letter of `period` says: its sender wrote `count` letters in
 * period `previous`, and none between the two. */
void polls_previous(struct conversation *v, uint32_t period, uint32_t previous,
                    uint32_t count);

/* Opens the periods up to now, and closes those that are read or over. */
void polls_period(struct client *c, struct conversation *v);
#endif
