/* client/polls.h - which box of a conversation a poll asks for, and what was read of
 * each. For whom it is: places.h. */
#ifndef CLIENT_POLLS_H
#define CLIENT_POLLS_H
#include "client/state.h"

/* What a poll draws its slot from: a number that each of 1..16 divides. */
enum { POLLS_SLOT_DICE = 720720 };

/* Chooses what a poll of v asks for, by out->whom and out->spare. dice, start: what
 * it has drawn for the period and for the slot. */
void polls_ask(struct client *c, struct conversation *v, uint64_t dice,
               uint64_t start, struct choice *out);

/* Opens v's periods, and tells how many are read. */
unsigned polls_periods(struct client *c, struct conversation *v);

/* Notes that at this time the first of v's boxes of a period had nothing more. */
void polls_empty(struct conversation *v, struct letter_place at,
                 enum store_rank rank, uint64_t at_us);

/* Returns when a box had nothing more, as the store of this rank said last: what comes
 * from there now was committed later. 0: nobody knows. */
uint64_t polls_empty_us(struct conversation *v, struct letter_place at,
                        enum store_rank rank);

/* Takes the answer of a box's store of this rank to a poll, a front's or another,
 * that named these slots as held. Returns 0, or ERR_CONFLICT when it contradicts itself: then the
 * store lies, and nothing of the answer is to be used. */
int polls_answer(struct conversation *v, struct letter_place at, uint16_t held,
                 enum store_rank rank, bool front,
                 const struct wire_answer *answer) CHECK_RESULT;

/* Notes that a poll of this box brought no letter, in its time, and that it would have
 * been shown: a poll of a front's within a lease, of which all know, or another's. */
void polls_missed(struct client *c, struct conversation *v,
                  struct letter_place at, bool front);

/* Do lane, sweep and looks know of letters of v's that no get under way brings, or of
 * such behind a box that is not asked for and may have some? Then
 * says whether they are of a period before today's. */
bool polls_know_more(const struct client *c, const struct conversation *v,
                     bool *older);

/* Forgets a poll of this box that begins at `slot`, and went to its fallback store
 * if it was a spare one: it is answered, or was not sent. front: whose it was. */
void polls_unasked(struct conversation *v, struct letter_place at, uint8_t slot,
                   bool spare, bool front);

/* Was the letter of this place read, or passed over? Two gets that are under way at
 * once may bring it twice. */
bool polls_is_read(struct conversation *v, struct letter_place at);

/* May a letter of this place be the first that the one who took up v's invitation has
 * written? Places before it in its box, and the boxes of days before, come first: who has
 * taken the invitation up later wrote behind the first one. Not where such a place was
 * passed over, and not for ever: a store may hide what lies there. */
bool polls_may_be_first(struct conversation *v, struct letter_place at,
                        uint64_t now_us);

/* Notes that the letter of this place was read. */
void polls_hold(struct conversation *v, struct letter_place at);

/* Notes that a front has seen the letter of this place, which is not to be shown yet:
 * fronts ask for it no more, others do. */
void polls_later(struct conversation *v, struct letter_place at);

/* Lets fronts ask for all such letters again. */
void polls_show(struct conversation *v);

/* Notes that the disk has all that was read of the box of this place when `ticket`
 * is committed (client/disk/journal.h). */
void polls_journalled(struct conversation *v, struct letter_place at,
                      uint64_t ticket);

/* Notes that what a store of this rank gave for a place did not open. It is
 * passed over when both stores gave such a thing, or the only one often. */
void polls_bad(struct conversation *v, struct letter_place at,
               enum store_rank rank, bool front);

/* Has the first store of this place's box lied to polls of fronts, or to others, and
 * the second not? */
bool polls_avoids_first(struct conversation *v, struct letter_place at,
                        bool front);

/* Notes what a letter of `period` says: its sender wrote `count` letters in
 * period `previous`, and none between the two. */
void polls_previous(struct conversation *v, uint32_t period, uint32_t previous,
                    uint32_t count);

/* Opens the periods up to now, and closes those that are read or over. */
void polls_period(struct client *c, struct conversation *v);
#endif
