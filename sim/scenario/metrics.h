/* sim/scenario/metrics.h - all figures that there are: names, units, and when
 * they are measured.
 *
 * The one list of them. Results are added by name (sim/result.h) and take their
 * unit from here; a scenario that expects what is not here, or is not measured
 * in one of its cases, is refused before it runs; `brusio-sim metrics` prints
 * it. */
#ifndef SIM_SCENARIO_METRICS_H
#define SIM_SCENARIO_METRICS_H
#include "sim/scenario/scenario.h"

/* When a figure is measured; metrics.c says it in words, and decides it. */
enum metric_when {
    METRIC_PACKETS,
    METRIC_LATENCY,
    METRIC_STORE,
    METRIC_OCCUPANCY,
    METRIC_MIX_ENTROPY,
    METRIC_TARGETS,
    METRIC_EPSILON,
    METRIC_WATCH,
    METRIC_PATHS,
    METRIC_ALARM,
    METRIC_TEXTS,   /* level network */
    METRIC_LETTERS, /* network or announce */
    METRIC_NETWORK,
    METRIC_LINKS, /* network or announce */
    METRIC_LISTS,
    METRIC_USES,
    METRIC_GROUP,
    METRIC_FILE,
    METRIC_PROBE,
    METRIC_PROBE_TIMES,
    METRIC_WHENS
};

struct metric {
    const char *name, *unit;
    enum metric_when when;
    const char *help;
};

/* All of them; *n is how many. */
const struct metric *metrics_all(size_t *n);
/* Find the metric of this name; NULL: there is none. */
const struct metric *metric_find(const char *name);
/* Find the name that is nearest to a wrong one; NULL: none is near. */
const char *metric_near(const char *name);
/* Tell whether a run of s measures m. */
bool metric_is_measured(const struct metric *m, const struct scenario *s);
/* Say in words when m is measured: "with measure.latency, at level packets". */
const char *metric_when_text(const struct metric *m);
#endif
