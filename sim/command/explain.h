/* sim/command/explain.h - what a scenario will do, before it is done. */
#ifndef SIM_COMMAND_EXPLAIN_H
#define SIM_COMMAND_EXPLAIN_H
#include "sim/command/jobs.h"

/* Print it for people, with time and memory; the time is told from a short
 * trial of each case on this machine. Returns the program's exit status. */
int explain(const struct scenario_file *f, const struct jobs_config *config);
#endif
