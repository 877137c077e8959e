/* sim/result.c - a list of named numbers. No state of its own. */
#include "sim/result.h"

#include <assert.h>
#include <string.h>

#include "sim/scenario/metrics.h"

void
result_add(struct sim_result *r, const char *name, double value, double half)
{
    const struct metric *known = metric_find(name);
    assert(known && r->n < SIM_METRICS_MAX && strlen(name) < SCENARIO_NAME_MAX);
    struct sim_metric *m = &r->metric[r->n++];
    *m = (struct sim_metric){.unit = known->unit, .value = value, .half = half};
    memcpy(m->name, name, strlen(name) + 1);
}

const struct sim_metric *
result_find(const struct sim_result *r, const char *name)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->metric[i].name, name) == 0)
            return &r->metric[i];
    return NULL;
}
