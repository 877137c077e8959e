/* sim/packets/packets.h - the level "packets": mixes and clients' clocks alone.
 *
 * The clients' struct traffic, the relays' struct mix and struct alarm are the
 * daemons' own (I5); a packet is a number with a way, so that a million clients
 * fit. With real_crypto every packet is a Sphinx packet besides: it is made
 * with its way, each relay unwraps it, and where it goes and how long it waits
 * is then taken from what was unwrapped; the course stays the same.
 *
 * Time goes in windows, see sim/packets/hops.c: every packet keeps its exact
 * times. */
#ifndef SIM_PACKETS_PACKETS_H
#define SIM_PACKETS_PACKETS_H
#include "sim/result.h"

/* Run the scenario s of this level, as o says, and put its figures into r.
 * Returns 0; ERR_NOMEM; ERR_CLOSED when it was stopped; ERR_RANGE, ERR_FORMAT,
 * ERR_IO with problem saying what is wrong with the scenario or a file of it;
 * ERR_TIMEOUT when its targets do not come out. */
int packets_run(const struct scenario *s, const struct sim_options *o,
                struct sim_result *r,
                struct scenario_problem *problem) CHECK_RESULT;

/* What a run will be, for people who are about to start one. */
struct packets_plan {
    uint32_t relays, hops;
    double sent_hz, hops_hz; /* expected of the stationary run */
    double inside;           /* packets under way */
    double memory;           /* bytes, about */
    double virtual_s;        /* at least, warming up included */
    double window_s;         /* the run's step: it costs, though it be empty */
};
/* Reckon what a run of s will be. */
void packets_plan(const struct scenario *s, struct packets_plan *p);
#endif
