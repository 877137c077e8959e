/* sim/result.h - what came of one run: named numbers, and the digest of all
 * that happened. Both levels of the simulator give theirs in this shape. */
#ifndef SIM_RESULT_H
#define SIM_RESULT_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/scenario/trace_in.h"

enum { SIM_METRICS_MAX = 96 };

/* "latency.p50" in "s". half: half the width of the 95 % confidence interval,
 * NAN when there is none (a count). */
struct sim_metric {
    char name[SCENARIO_NAME_MAX];
    const char *unit; /* static */
    double value, half;
};

struct sim_result {
    struct sim_metric metric[SIM_METRICS_MAX];
    size_t n;
    uint64_t course; /* of all events; same seed, same digest */
};

/* How a run is done; nothing of it changes the run's course, but that without
 * `open` a scenario with files is refused. */
struct sim_options {
    bool real_crypto;      /* suite x25519 instead of null */
    FILE *trace;           /* a CSV line for each event, or NULL */
    trace_in_open_fn open; /* for files that the scenario names */
    /* Called now and then with the share of the run that is over, 0 to 1; NULL:
     * not. */
    void (*progress)(void *ctx, double share);
    void *ctx;
    /* Set by whoever wants no more of the run, which then ends with ERR_CLOSED;
     * NULL: nobody does. */
    const atomic_bool *stop;
};

static inline bool
sim_is_stopped(const struct sim_options *o)
{
    return o->stop && atomic_load_explicit(o->stop, memory_order_relaxed);
}

/* Add to r the figure of this name, which has to be in the table of metrics
 * (sim/scenario/metrics.h); its unit is from there. One that is not, or that is
 * more than SIM_METRICS_MAX, is an assertion's matter. */
void result_add(struct sim_result *r, const char *name, double value,
                double half);
/* Find the figure of this name in r; NULL: there is none. */
const struct sim_metric *result_find(const struct sim_result *r,
                                     const char *name);
#endif
