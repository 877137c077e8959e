/* sim/scenario/trace_in.h - numbers from CSV files: a schedule of sends, a
 * matrix of latencies. Both are read whole, with the line named where one is
 * wrong. Whoever runs the simulator opens the files: nothing here could. */
#ifndef SIM_SCENARIO_TRACE_IN_H
#define SIM_SCENARIO_TRACE_IN_H
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/scenario/scenario.h"

/* Open a file that a scenario names, to read it; NULL and errno when that is
 * not possible. Reading closes it. A function that is NULL itself opens none.
 */
typedef FILE *(*trace_in_open_fn)(const char *file);

struct trace_in;

/* Read the schedule `file`, which open() opens: lines "time_s,client", of
 * seconds from the start (six decimals count) and clients from 0 to clients -
 * 1, in any order; a first line of other text is a heading. Returns 0;
 * ERR_FORMAT and ERR_IO, and problem says which line; ERR_NOMEM. */
int trace_in_read(struct trace_in **out, trace_in_open_fn open,
                  const char *file, uint32_t clients,
                  struct scenario_problem *problem) CHECK_RESULT;
/* Free *t. */
void trace_in_free(struct trace_in **t);
/* Return the time of the next send of t; UINT64_MAX when all is over. */
uint64_t trace_in_at_us(const struct trace_in *t);
/* Take the next send off t. Returns its client. */
uint32_t trace_in_next(struct trace_in *t);
/* Tell whether nothing is left in t. */
bool trace_in_is_over(const struct trace_in *t);

/* Read the matrix `file`, which open() opens: n lines of n numbers,
 * milliseconds from the line's relay to the column's. *out has n * n
 * microseconds, to be freed by the caller. Returns as trace_in_read(). */
int matrix_read(uint32_t **out, trace_in_open_fn open, const char *file,
                uint32_t n, struct scenario_problem *problem) CHECK_RESULT;
#endif
