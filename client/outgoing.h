/* client/outgoing.h - letters to boxes, until they are acknowledged. */
#ifndef CLIENT_OUTGOING_H
#define CLIENT_OUTGOING_H
#include "client/disk/records.h"
#include "client/state.h"

/* Chooses the letter that is due longest, of contact *of, or returns NULL; one that
 * answers goes before all that the user has written, that of the contact who was
 * answered longest ago first. answers: may it be one of those?
 * *spare: for the fallback store, so one that was put already; set where the
 * letter decides it: what a store has answered goes to the other one next. */
struct out_letter *outgoing_pick(struct client *c, bool answers, bool *spare,
                                 struct conversation **of);

/* Is l one that goes before announcements, too? */
bool outgoing_is_first(const struct out_letter *l);

/* Notes that nothing could be put for gap_us: letters that have been due for
 * GAP_US or longer are due after a time that each conversation draws, uniform in
 * twice gap_us, HELD_UP_US at most. */
void outgoing_resume(struct client *c, uint64_t gap_us);

/* Notes what a store of this rank said of l, other than that it be asked again:
 * the next put goes to the other one. */
void outgoing_answered(struct out_letter *l, enum store_rank rank);

/* Notes that l was put; it is due again at due_us. */
void outgoing_asked(struct client *c, struct out_letter *l, uint64_t due_us);

/* A proof is being made for the put of l, of v: it waits, and all of its box that
 * would go to the same store, so that together they take one turn of others' puts. */
void outgoing_wait(struct client *c, struct conversation *v,
                   struct out_letter *l);

/* Notes that the store of this rank has no room for l; it goes to the other one
 * soon, or later when that has none either. */
void outgoing_refused(struct client *c, struct out_letter *l,
                      enum store_rank rank);

/* Takes the answer (WIRE_KEPT, ..; WIRE_TAKEN: see taken.h) of the store of this
 * rank to the put of v's letter at a place. */
void outgoing_answer(struct client *c, struct conversation *v,
                     struct letter_place at, enum store_rank rank,
                     uint8_t status);

/* Finds the letter of a place in v's list: NULL at its end. */
struct out_letter **outgoing_find(struct conversation *v,
                                  struct letter_place at);

/* Takes back what applications have written to v and storage has not kept, as if it
 * had never been: none of it has left. What there is no memory to take back stays. */
void outgoing_take_back(struct client *c, struct conversation *v);

/* Gives up messages that no store keeps any more. */
void outgoing_expire(struct client *c);

/* Takes a record of an earlier life. */
int outgoing_load_letter(struct client *c, struct conversation *v,
                         const struct record_key *key, const uint8_t *value,
                         size_t len) CHECK_RESULT;

/* Finds out how far each of v's messages had come, once all records are there,
 * and when its letters are due. Returns 0 or the journal's error, and may be
 * called again after that. */
int outgoing_loaded(struct client *c, struct conversation *v) CHECK_RESULT;

/* Erases the records of v's letters, within the caller's group. Returns 0 or the
 * journal's error. */
int outgoing_erase(struct client *c, const struct conversation *v) CHECK_RESULT;

/* Wipes and frees v's letters. */
void outgoing_free(const struct client *c, struct conversation *v);
#endif
