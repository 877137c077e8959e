/* sim/announce/events.h - what happens when: a queue by time, then by the order
 * in which it was put in. */
#ifndef SIM_ANNOUNCE_EVENTS_H
#define SIM_ANNOUNCE_EVENTS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

/* An event. What kind, a and b mean is the caller's matter. */
struct happening {
    uint64_t at_us, serial;
    uint32_t kind, a, b;
};

/* A queue, a value of its owner's. One of zeros is empty. */
struct events {
    struct happening *heap;
    size_t n, room;
    uint64_t serial;
};

/* Put an event of this time and kind, with a and b, into e. Returns 0 or
 * ERR_NOMEM. */
int events_put(struct events *e, uint64_t at_us, uint32_t kind, uint32_t a,
               uint32_t b) CHECK_RESULT;

/* Take the first event out of e, if it is not after until_us. Returns false
 * when there is none. */
bool events_take(struct events *e, uint64_t until_us, struct happening *out);

/* Free what e has; it is empty then. */
void events_free(struct events *e);
#endif
