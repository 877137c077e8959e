/* lib/seats.h - who may have a connection, when there are fewer than wanted.
 *
 * Seats are of three classes. Authorities and relays each have a number of
 * seats set aside for them and never more; strangers have what is empty
 * meanwhile. Nobody is turned away. A newcomer who finds no seat takes over a
 * stranger's, or, where the newcomer's own class or name has all the seats it
 * may have, one of those. So whoever opens many connections closes connections
 * of their own, and an authority or a relay never gives way to a stranger.
 *
 * Within a class the seat that is taken over belongs to the name that has most
 * seats, which leaves alone those who have few, however fast others come. Of
 * that name's seats, or where all names have as many, the oldest goes: a
 * request takes a moment, so whoever still sits there after all others came has
 * other plans.
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

/* Make config->count empty seats. The caller owns *out. Returns 0, ERR_ARG
 * (what is set aside leaves nothing for strangers), ERR_NOMEM. */
int seats_new(struct seats **out,
              const struct seats_config *config) CHECK_RESULT;

/* Free *s, which may be NULL, and set it to NULL. */
void seats_free(struct seats **s);

/* Tell which seat has to be left for a newcomer of this class and name (NULL:
 * the newcomer is not counted by name); SEATS_NONE: none has to. */
uint32_t seats_gone_for(const struct seats *s, enum seats_class class,
                        const uint8_t *name);

/* Give a newcomer of this class and name a seat. The caller has left the seat
 * that seats_gone_for() named, or this returns SEATS_NONE. */
uint32_t seats_take(struct seats *s, enum seats_class class,
                    const uint8_t *name);

/* Empty seat. */
void seats_leave(struct seats *s, uint32_t seat);

/* Tell which seat of this class is the first to be left, as above; SEATS_NONE
 * when nobody of that class has a seat. */
uint32_t seats_first_to_go(const struct seats *s, enum seats_class class);

/* Tell the class that seat is counted in. */
enum seats_class seats_class_at(const struct seats *s, uint32_t seat);

/* Tell how many seats of this class are taken. */
uint32_t seats_taken(const struct seats *s, enum seats_class class);
#endif
