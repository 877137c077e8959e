/* sim/command/explain.h - what a scenario will do, before it is done. */
#ifndef SIM_COMMAND_EXPLAIN_H
#define SIM_COMMAND_EXPLAIN_H
#include "sim/command/jobs.h"

/* Print f for people, with memory and time; the time is told from a short trial
 * of each case on this machine. `file` is where f was read, for what is wrong.
 * Returns the program's exit status. */
int explain(const struct scenario_file *f, const char *file,
            const struct jobs_config *config);
#endif
