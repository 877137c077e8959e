/* sim/command/jobs.h - all runs of a scenario file, several at once.
 *
 * A job is one run of one case. Each has a seed, memory and results of its own,
 * and results are put together in order when all are over: how many threads
 * there are changes nothing but the time. */
#ifndef SIM_COMMAND_JOBS_H
#define SIM_COMMAND_JOBS_H
#include <stdbool.h>
#include <stdint.h>

#include "sim/result.h"

struct jobs_config {
    uint32_t threads; /* at least 1 */
    bool real_crypto;
    bool quiet;              /* no progress on stderr */
    FILE *trace;             /* of the only job, or NULL */
    const atomic_bool *stop; /* end all runs when it is set; NULL: never */
};

/* What came of a case: the run's figures, or over several runs their means with
 * the spread between the runs. */
struct case_result {
    const struct scenario *scenario;
    uint32_t ended; /* runs of which these figures are; 0: there are none */
    struct sim_result result;
};

/* Run all cases of file as config says. results has file->n_cases places.
 * Returns 0; ERR_CLOSED when they were stopped: results are of the runs that
 * had ended; or the first error in order of cases and runs, with problem. */
int jobs_run(const struct scenario_file *file, const struct jobs_config *config,
             struct case_result *results,
             struct scenario_problem *problem) CHECK_RESULT;

/* The program's exit status for what jobs_run() returns: 2 when the scenario is
 * wrong, or a file that it names, 1 when something else has failed. */
int jobs_exit_status(int err);

/* Carry out one run, at whichever level; the scenario's files are opened here.
 */
int job_run(const struct scenario *s, const struct sim_options *o,
            struct sim_result *r,
            struct scenario_problem *problem) CHECK_RESULT;
#endif
