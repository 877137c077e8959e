/* network/placement.h - where a store stands in the ranking of a box.
 *
 * Weighted rendezvous hashing: for each box a store of weight w has an
 * exponential waiting time of rate w, and the store with the shortest time is
 * first. So a store is first with probability w over the sum of all weights,
 * and a store that comes or goes moves the boxes that it gains or had, and no
 * others (Thaler and Ravishankar 1998; Schindelhauer and Schomaker 2005). All
 * is in integers, so that everybody gets the same:
 *
 *   x    = the first 8 bytes of BLAKE2b-128(value of a day | placement | box),
 *          or 1 if that is 0
 *   wait = 2^30 (64 - log2 x), from 1 to 2^36, as placement_wait() rounds it
 *
 * and a store a is before a store b when wait_a * w_b < wait_b * w_a. Pure. */
#ifndef NETWORK_PLACEMENT_H
#define NETWORK_PLACEMENT_H
#include <stdbool.h>
#include <stdint.h>

/* Compute 2^30 (64 - log2 x), rounded as doc/PROTOCOL.md says; x > 0. */
uint64_t placement_wait(uint64_t x);

struct placement {
    bool counts;     /* stores that do not count come after all that do */
    uint64_t wait;   /* 1 to 2^36 */
    uint64_t weight; /* 1 to 10^8 + 1 */
};

/* Draw, by the value of a day, the waiting time for box of the store with this
 * placement. */
uint64_t placement_draw(const uint8_t value[static 32],
                        const uint8_t placement[static 32],
                        const uint8_t box[static 32]);

/* Tell whether a comes before b. */
bool placement_is_before(const struct placement *a, const struct placement *b);
#endif
