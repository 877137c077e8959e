/* sim/packets/sources.h - when clients send: their own clocks, or a schedule.
 *
 * A Poisson client is the struct traffic of client/pace/traffic.h, rate, kinds
 * and all; a schedule of equal intervals or of a trace stands in its place in
 * experiments that need one. Clients may come and go: exponential times online
 * and away, begun in the stationary state. */
#ifndef SIM_PACKETS_SOURCES_H
#define SIM_PACKETS_SOURCES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/env.h"
#include "sim/scenario/trace_in.h"

struct sources;

struct source_tick {
    uint64_t at_us;
    uint32_t client; /* over all groups */
    uint16_t group;
    bool poll;
};

/* Make the clocks of all clients of s, which begin at time 0; open() opens
 * traces. Returns 0; ERR_FORMAT and ERR_IO for a trace (problem says which
 * line), ERR_NOMEM. */
int sources_new(struct sources **out, const struct scenario *s, struct env *env,
                trace_in_open_fn open,
                struct scenario_problem *problem) CHECK_RESULT;
/* Free *src. */
void sources_free(struct sources **src);

/* Take the ticks up to now_us, at most max, to out; in order, but that who
 * ticks more than once may come late. Returns how many; SIZE_MAX without
 * memory. */
size_t sources_pop(struct sources *src, uint64_t now_us,
                   struct source_tick *out, size_t max);

/* Count the clients that are there now, and in all. */
uint32_t sources_online(const struct sources *src);
uint32_t sources_count(const struct sources *src);
#endif
