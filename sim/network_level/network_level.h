/* sim/network_level/network_level.h - the simulator's network level: whole
 * relays, stores and clients, every byte of them, under the virtual clock of
 * sim/engine. */
#ifndef SIM_NETWORK_LEVEL_NETWORK_LEVEL_H
#define SIM_NETWORK_LEVEL_NETWORK_LEVEL_H
#include "sim/result.h"
#include "sim/scenario/scenario.h"

/* Carry out one scenario of the network level.
 *
 * Clients are spread over the gateways in turn and paired 0-1, 2-3, ..; the
 * first of a pair invites the second, measure.contacts times. When every pair
 * has got through what it begins with, measure.texts texts in all are sent: by
 * each pair in turn, one at a time, or, with measure.first, by each of its
 * clients one at a time, each as another contact of those that its reader never
 * writes to. The next one follows after an exponential time of mean
 * measure.text_gap_mean_s. Pairs may be away between sittings, and start again
 * from their disks. The network's epochs go on meanwhile.
 *
 * Of text.latency.* the half widths are exact for the quantiles (order
 * statistics), normal for the mean; NAN where the sample is too small for one.
 *
 * Returns 0; ERR_UNSUPPORTED or ERR_RANGE: not for this level, `problem` says
 * what; ERR_TIMEOUT: some pair got through nothing in an hour of virtual time,
 * and a minute for each contact; ERR_CLOSED when it was stopped; ERR_NOMEM. */
int whole_run(const struct scenario *s, const struct sim_options *o,
              struct sim_result *r,
              struct scenario_problem *problem) CHECK_RESULT;
#endif
