/* sim/announce/delays.h - what lies between a person and a store: times drawn
 * from the mixes' delays, and what gets lost. */
#ifndef SIM_ANNOUNCE_DELAYS_H
#define SIM_ANNOUNCE_DELAYS_H
#include "sim/announce/people.h"

/* Draw for p how long a request is under way from a client to a store, in
 * microseconds; with `poll`, with the longer delays of one. */
uint64_t delays_out_us(struct people *p, bool poll);

/* Draw for p how long an answer is under way from a store to a client, where the
 * gateway's clock lets it in. */
uint64_t delays_back_us(struct people *p);

/* Draw for p whether a packet gets lost on its way. */
bool delays_lose(struct people *p);
#endif
