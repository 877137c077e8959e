/* sim/announce/announce.h - the level "announce": how long letters take, and
 * what a contact sees, when boards say whom to ask for and fronts, lane and
 * sweep who is asked. Clients' clocks and schedules are the client's own
 * objects; what lies between is drawn (sim/announce/people.h, boards.h). */
#ifndef SIM_ANNOUNCE_ANNOUNCE_H
#define SIM_ANNOUNCE_ANNOUNCE_H
#include "sim/result.h"

/* Run the scenario s of this level, as o says, and put its figures into r.
 * Returns 0, ERR_NOMEM, or ERR_CLOSED when it was stopped. */
int announce_run(const struct scenario *s, const struct sim_options *o,
                 struct sim_result *r,
                 struct scenario_problem *problem) CHECK_RESULT;
#endif
