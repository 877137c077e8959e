/* lib/seats.h - who may have a connection, when there are fewer than wanted.
 *
 * Seats are of three classes. Authorities and relays have so many set aside for
 * them and never more; all that are empty are strangers' meanwhile. Nobody is
 * turned away: a newcomer for whom there is no seat gets a stranger's, or, where
 * its own class or its own name has all that it may have, one of those. So who
 * opens many connections closes his own, and an authority or a relay never gives
 * way to a stranger.
 *
 * In a class it is a seat of the name that has most of them, which leaves alone
 * who has few, however fast others come; of these, or where all names have as
 * many, it is the oldest, since a request takes a moment: who still sits there
 * after all others have come has other plans.
 *
 * Pure; seats are numbers from 0, what sits there is the caller's. */
#ifndef LIB_SEATS_H
#define LIB_SEATS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

enum seats_class {
    SEATS_STRANGER,
    SEATS_RELAY,
    SEATS_AUTHORITY,
    SEATS_CLASSES
};

enum { SEATS_NAME_LEN = 16 };
#define SEATS_NONE UINT32_MAX

struct seats_config {
    uint32_t count;
    /* Set aside, fewer than count together. What is left is strangers'. */
    uint32_t relays, authorities;
    uint32_t each[SEATS_CLASSES]; /* for one name; at least 1 */
};

struct seats;
/* Returns 0, ERR_ARG, ERR_NOMEM. */
int seats_new(struct seats **out,
              const struct seats_config *config) CHECK_RESULT;
void seats_free(struct seats **s);

/* Tell which seat has to be left for a newcomer of this class and name (NULL:
 * one that is not counted by its name); SEATS_NONE: none has to. */
uint32_t seats_gone_for(const struct seats *s, enum seats_class class,
                        const uint8_t *name);
/* Give the newcomer a seat. What seats_gone_for() named has been left, or this
 * returns SEATS_NONE. */
uint32_t seats_take(struct seats *s, enum seats_class class,
                    const uint8_t *name);
void seats_leave(struct seats *s, uint32_t seat);

/* Tell which seat of this class is the first to be left, as above; SEATS_NONE
 * when nobody of it sits there. */
uint32_t seats_first_to_go(const struct seats *s, enum seats_class class);
/* Tell the class that a seat is counted in. */
enum seats_class seats_class_at(const struct seats *s, uint32_t seat);
/* How many sit there. */
uint32_t seats_taken(const struct seats *s, enum seats_class class);
#endif
