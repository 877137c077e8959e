/* sim/announce/events.h - what happens when: a queue by time, then by the order
 * in which it was put in. */
#ifndef SIM_ANNOUNCE_EVENTS_H
#define SIM_ANNOUNCE_EVENTS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

/* kind, a and b are the caller's. */
struct happening {
    uint64_t at_us, serial;
    uint32_t kind, a, b;
};

/* A value of its owner's; zeros are an empty queue. */
struct events {
    struct happening *heap;
    size_t n, room;
    uint64_t serial;
};

/* Puts one in. Returns 0 or ERR_NOMEM. */
int events_put(struct events *e, uint64_t at_us, uint32_t kind, uint32_t a,
               uint32_t b) CHECK_RESULT;

/* Takes the first out, if it is not after `until_us`. */
bool events_take(struct events *e, uint64_t until_us, struct happening *out);

void events_free(struct events *e);
#endif
