/* client/pace/acks.h - what a contact has written and is not told of yet.
 *
 * A letter is acknowledged no sooner than a time that was drawn when it was shown
 * (fronts_ack_us()), so that its writer does not learn how it was found. So what
 * is here and what is told differ: a letter that goes on its own account, an
 * acknowledgement alone or a pong, tells of those that are due and of no other
 * one; what the user writes tells of all that were shown, which he sees himself.
 * A floor that a letter has moved is kept back as the letter is.
 *
 * States of a letter: shown later, shown, due. To who has promised no front, and so
 * does not look, an acknowledgement alone goes once in an hour, lest they stand
 * before what will be announced.
 *
 * Failure modes: no memory, or more than ACKS_WINDOW at once (those that come later
 * are told all at once, when the last of them is due); a restart (nothing is kept
 * back: what was read before it is told by the next letter).
 * Time is an argument. Pure. */
#ifndef CLIENT_PACE_ACKS_H
#define CLIENT_PACE_ACKS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

enum {
    ACKS_WINDOW = 256, /* sequence numbers that a letter tells of, after the
                           first that is missing */
    ACKS_MAP_LEN = ACKS_WINDOW / 8,
    ACKS_PONGS = 8, /* pings that wait for their answer */
    ACKS_PING_LEN = 8
};
#define ACKS_GAP_US    1000000ULL    /* between two acknowledgements alone */
#define ACKS_PARTS_US  5000000ULL    /* the same, of a transfer */
#define ACKS_UNSEEN_US 3600000000ULL /* the same, to who does not look */

struct acks;

/* Whose letter it is that tells. */
enum acks_teller {
    ACKS_OWN,  /* the user's */
    ACKS_ALONE /* one that nobody would write but to answer */
};

/* A letter's times. */
struct acks_times {
    uint64_t shown_us, due_us;
    bool part; /* it is of a transfer that goes on */
};

/* Makes one that keeps nothing back. Returns 0 or ERR_NOMEM. */
int acks_new(struct acks **out) CHECK_RESULT;
void acks_free(struct acks **a);

/* Owes an acknowledgement of this number. again: it was acknowledged before, and
 * came once more. */
void acks_owe(struct acks *a, uint32_t sequence, bool again,
              struct acks_times times);

/* Keeps back that from..to are waited for no more. */
void acks_hide(struct acks *a, uint32_t from, uint32_t to,
               struct acks_times times);

/* Is it time for an acknowledgement alone? seen: who gets it looks. */
bool acks_is_due(const struct acks *a, uint64_t now_us, bool seen);

/* Reduces what is here, ack and map as a letter has them (client/letters/letter.h), to what
 * a letter that is sealed now tells. */
void acks_tell(const struct acks *a, uint64_t now_us, enum acks_teller teller,
               uint32_t *ack, uint8_t map[static ACKS_MAP_LEN]);

/* Notes that such a letter was sealed. */
void acks_told(struct acks *a, uint64_t now_us, enum acks_teller teller);

/* Notes a ping that is to be answered then. Returns 0, also when it waits
 * already, or ERR_FULL. */
int acks_ping(struct acks *a, const uint8_t id[static ACKS_PING_LEN],
              uint64_t due_us) CHECK_RESULT;

/* Finds a ping whose answer is due. */
bool acks_pong_due(const struct acks *a, uint64_t now_us,
                   uint8_t id[static ACKS_PING_LEN]);

/* Forgets a ping. */
void acks_ponged(struct acks *a, const uint8_t id[static ACKS_PING_LEN]);

/* Counts what is owed, for tests. */
size_t acks_count(const struct acks *a);

/* Forgets all that is owed. */
void acks_clear(struct acks *a);
#endif
