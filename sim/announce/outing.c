/* sim/announce/outing.c - what a run gathers, and how long it goes on. */
#include <math.h>
#include <stdlib.h>

#include "sim/announce/announce_internal.h"

enum { STEP_S = 60, FIRST_ROOM = 256 };

void
series_add(struct people *p, struct series *s, double x)
{
    if (s->n == s->room) {
        const size_t room = s->room ? 2 * s->room : FIRST_ROOM;
        double *made = realloc(s->x, room * sizeof *made);
        if (!made) {
            people_fail(p, ERR_NOMEM);
            return;
        }
        s->x = made;
        s->room = room;
    }
    s->x[s->n++] = x;
}

void
series_report(struct series *s, struct sim_result *r, const char *name)
{
    static const struct {
        const char *name;
        double q;
    } at[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}};
    char full[SCENARIO_NAME_MAX];
    const struct estimate mean = stats_mean(s->x, s->n);
    if (s->n == 0)
        return;
    stats_sort(s->x, s->n);
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        const struct estimate e = stats_quantile(s->x, s->n, at[i].q);
        snprintf(full, sizeof full, "%s.%s", name, at[i].name);
        result_add(r, full, e.value, e.half);
    }
    snprintf(full, sizeof full, "%s.mean", name);
    result_add(r, full, mean.value, mean.half);
}

bool
outing_took(struct outing *o, uint64_t since_us)
{
    struct people *p = &o->people;
    if (o->skip > 0)
        o->skip--;
    else if (!o->over)
        series_add(p, &o->took, (double)(p->now_us - since_us) / 1e6);
    o->over = o->over || o->took.n >= o->wanted;
    return o->over;
}

int
outing_run(struct outing *o)
{
    struct people *p = &o->people;
    int err = p->err;
    while (!err && !o->over) {
        err = sim_is_stopped(o->options)
                  ? ERR_CLOSED
                  : people_run(p, p->now_us + (uint64_t)STEP_S * 1000000);
        if (o->options->progress)
            o->options->progress(o->options->ctx,
                                 fmin(1, (double)o->took.n / o->wanted));
    }
    return err;
}
