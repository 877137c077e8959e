/* sim/command/report.h - results for people, spreadsheets and programs. */
#ifndef SIM_COMMAND_REPORT_H
#define SIM_COMMAND_REPORT_H
#include "sim/command/jobs.h"

/* One expectation of one case. */
struct expect_verdict {
    bool good;
    double value, wanted, allowed; /* NAN: there is no such figure */
    bool vague; /* its uncertainty is more than five tolerances */
};
/* Judge the expectation e of the case `number` by its figures r. */
struct expect_verdict report_judge(const struct scenario_expect *e,
                                   size_t number, const struct sim_result *r);

/* Write the results of all cases of file to f. Each returns 0, or ERR_IO when f
 * cannot be written. */
int report_text(FILE *f, const struct scenario_file *file,
                const struct case_result *results) CHECK_RESULT;
int report_csv(FILE *f, const struct scenario_file *file,
               const struct case_result *results) CHECK_RESULT;
int report_json(FILE *f, const struct scenario_file *file,
                const struct case_result *results) CHECK_RESULT;

/* Count the expectations that are not met. */
size_t report_missed(const struct scenario_file *file,
                     const struct case_result *results);
#endif
