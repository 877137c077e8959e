/* sim/announce/announce.c - a run from its beginning to its figures. */
#include "sim/announce/announce.h"

#include <math.h>
#include <stdlib.h>

#include "sim/announce/announce_internal.h"

/* What lists cost, whatever people do. */
static void
lists_report(struct outing *o)
{
    struct boards b;
    struct sim_result *r = o->result;
    boards_make(&b, o->scenario);
    result_add(r, "lists.entries", b.entries, NAN);
    result_add(r, "lists.used", b.tokens, NAN);
    result_add(r, "lists.bytes", b.lists_hz, NAN);
    result_add(r, "lists.of_spare", b.lists_hz / b.spare_hz, NAN);
    result_add(r, "lists.stream", (double)b.stream_us / 1e6, NAN);
    result_add(r, "link.down.bytes",
               boards_down_hz(o->scenario) * o->scenario->packet_len, NAN);
    result_add(r, "link.up.bytes", b.answers_hz * o->scenario->packet_len, NAN);
}

int
announce_run(const struct scenario *s, const struct sim_options *options,
             struct sim_result *r, struct scenario_problem *problem)
{
    struct outing o = {.scenario = s,
                       .options = options,
                       .result = r,
                       .wanted = s->measure.texts};
    int err = 0;
    *r = (struct sim_result){0};
    *problem = (struct scenario_problem){""};
    if (options->trace)
        fputs("time_us,event,way,number,kind\n", options->trace);
    if (s->announce.use == USE_PROBE) {
        err = probes_run(&o);
    } else if (s->announce.use != USE_LISTS) {
        err = uses_begin(&o);
        if (!err)
            err = outing_run(&o);
        if (!err)
            uses_report(&o);
    }
    if (!err)
        lists_report(&o);
    people_free(&o.people);
    free(o.took.x);
    free(o.last.x);
    return err;
}
