/* sim/announce/probes.c - what a contact learns of whether his correspondent
 * talks with others.
 *
 * Person 0 is the user, person 1 the contact who probes, and to whom the user
 * never writes; each of the others writes to the user once in a minute and is
 * answered after a while, all day. A probe's yield is the time from the commit
 * of what was put to that of what comes back, which is the most that the
 * contact and both boxes' stores together can time; nothing in the interval
 * counts as the interval.
 *
 * The contact knows both laws: from the first half of each world's probes he
 * learns the likelihood ratio of SLICES slices, and what to say from which
 * value on; the second halves show how often he is right. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rng.h"
#include "sim/announce/announce_internal.h"

enum {
    SLICES = 24,
    FILE_PARTS = 8,
    PROBE_US = 110000000,
    PROBE_FILE_US = 400000000U,
    OTHERS_US = 60000000, /* mean time between the texts of one of the others */
    IN_A_ROW = 50,
    WRITES = 1, /* timers */
    ANSWERS,
    PROBES
};
#define PROBE_SILENT_US 7200000000ULL
#define Z95             1.959964

struct probing {
    struct outing *outing;
    struct series seen;
    uint32_t way;         /* from the contact */
    uint32_t first, last; /* letters of this probe */
    bool begun, done;
};

static uint64_t
probe_interval_us(const struct people *p)
{
    switch (p->scenario->announce.probe) {
    case PROBE_FILE:
        return PROBE_FILE_US;
    case PROBE_SILENT:
        return PROBE_SILENT_US;
    default:
        return PROBE_US;
    }
}

/* ---- a world ---- */

static void
probe_put(struct people *p)
{
    struct probing *t = p->use;
    const enum announce_probe kind = p->scenario->announce.probe;
    const uint32_t n = kind == PROBE_FILE ? FILE_PARTS : 1;
    t->done = false;
    t->first = p->way[t->way].n;
    for (uint32_t i = 0; i < n && kind != PROBE_NOTHING; i++)
        t->last = people_write(p, t->way,
                               kind == PROBE_FILE  ? NOTE_PART
                               : kind == PROBE_ACK ? NOTE_ACK
                                                   : NOTE_TEXT,
                               true, kind != PROBE_SILENT && i == 0);
}

static void
probe_timer(struct people *p, uint32_t what, uint32_t way)
{
    struct probing *t = p->use;
    const uint64_t interval_us = probe_interval_us(p);
    if (what != PROBES) {
        people_write(p, way, NOTE_TEXT, true, true);
        if (what == WRITES)
            people_timer(p, p->now_us + rng_exp_us(&p->env, OTHERS_US), what,
                         way);
        return;
    }
    if (t->begun && !t->done)
        series_add(p, &t->seen, (double)interval_us / 1e6);
    t->begun = true;
    probe_put(p);
    people_timer(p, p->now_us + interval_us, PROBES, 0);
}

static void
probe_shown(struct people *p, uint32_t way, uint32_t i)
{
    const struct probing *t = p->use;
    const struct people_way *w = &p->way[way];
    if (w->to == 0 && way != t->way && w->note[i].kind == NOTE_TEXT)
        people_timer(
            p, p->now_us + rng_exp_us(&p->env, p->scenario->announce.think_us),
            ANSWERS, way ^ 1);
}

/* Something for the contact is in his box: is it what he waits for? */
static void
probe_committed(struct people *p, uint32_t way, uint32_t i)
{
    struct probing *t = p->use;
    const struct people_way *w = &p->way[t->way];
    (void)i;
    if (way != (t->way ^ 1) || t->done)
        return;
    for (uint32_t k = t->first; k < w->n; k++)
        if (w->note[k].acked_us == NEVER_US)
            return;
    if (w->n == t->first)
        return;
    t->done = true;
    series_add(p, &t->seen,
               (double)(p->now_us - w->note[t->first].commit_us) / 1e6);
}

static int
world_make(struct people *p, struct probing *t, uint32_t others)
{
    const struct scenario *s = p->scenario;
    uint32_t way;
    int err = people_idle(p, 0, others + 2, s->announce.contacts - others - 1);
    for (uint32_t i = 0; i <= others && !err; i++) {
        err = people_meet(p, i + 1, 0, i + 1, &way);
        p->person[i + 1].deaf = true;
        if (i == 0)
            t->way = way;
        else if (!err)
            people_timer(p, rng_exp_us(&p->env, OTHERS_US), WRITES, way);
    }
    p->person[0].always = true;
    p->use = t;
    p->timer = probe_timer;
    p->shown = probe_shown;
    p->committed = probe_committed;
    people_timer(p, probe_interval_us(p), PROBES, 0);
    return err;
}

/* Probe a user with so many others. seen: as many as are wanted. */
static int
world_run(struct outing *o, uint32_t others, double done, struct series *seen)
{
    struct people *p = &o->people;
    struct probing t = {.outing = o};
    int err =
        people_make(p, o->scenario, others + 2, o->scenario->seed + 2 * others);
    p->trace = o->options->trace;
    if (!err)
        err = world_make(p, &t, others);
    while (!err && t.seen.n < o->wanted) {
        err = sim_is_stopped(o->options)
                  ? ERR_CLOSED
                  : people_run(p, p->now_us + 100 * probe_interval_us(p));
        if (o->options->progress)
            o->options->progress(
                o->options->ctx,
                fmin(1, done + (double)t.seen.n / o->wanted / 2));
    }
    o->result->course ^= p->course;
    people_free(p);
    *seen = t.seen;
    return err;
}

/* ---- who looks ---- */

/* The likelihood ratio's logarithm, a constant in each slice. */
struct scale {
    double edge[SLICES - 1], log_ratio[SLICES];
};

static size_t
slice_of(const struct scale *c, double x)
{
    size_t i = 0;
    while (i < SLICES - 1 && x > c->edge[i])
        i++;
    return i;
}

static int
scale_learn(struct scale *c, const double *a, const double *b, size_t n)
{
    double count[2][SLICES], *all = malloc(2 * n * sizeof *all);
    if (!all)
        return ERR_NOMEM;
    memcpy(all, a, n * sizeof *all);
    memcpy(all + n, b, n * sizeof *all);
    stats_sort(all, 2 * n);
    for (size_t i = 0; i < SLICES - 1; i++)
        c->edge[i] = all[2 * n * (i + 1) / SLICES];
    free(all);
    for (size_t i = 0; i < SLICES; i++)
        count[0][i] = count[1][i] = 1;
    for (size_t i = 0; i < n; i++) {
        count[0][slice_of(c, a[i])]++;
        count[1][slice_of(c, b[i])]++;
    }
    for (size_t i = 0; i < SLICES; i++)
        c->log_ratio[i] = log(count[1][i] / count[0][i]);
    return 0;
}

/* The sums of so many in a row, one after the other. Returns how many. */
static size_t
scale_sums(const struct scale *c, const double *x, size_t n, size_t at_once,
           double *sum)
{
    for (size_t i = 0; i < n / at_once; i++) {
        sum[i] = 0;
        for (size_t k = 0; k < at_once; k++)
            sum[i] += c->log_ratio[slice_of(c, x[i * at_once + k])];
    }
    return n / at_once;
}

/* From which sum on to say "the second world": where it was best. Both sorted.
 */
static double
scale_bound(const double *a, const double *b, size_t n)
{
    double best = 0, bound = 0;
    for (size_t i = 0, k = 0; i < n; i++) {
        while (k < n && b[k] < a[i])
            k++;
        /* i of a and k of b lie below a[i] */
        const double by = (double)i - (double)k;
        if (by > best) {
            best = by;
            bound = a[i];
        }
    }
    return bound;
}

static double
share_from(const double *x, size_t n, double bound)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        k += x[i] >= bound;
    return (double)k / (double)n;
}

int
probes_advantage(const double *a, const double *b, size_t n, size_t at_once,
                 struct estimate *out)
{
    struct scale c;
    const size_t learnt = n / 2, m = learnt / at_once;
    *out = (struct estimate){NAN, NAN};
    if (m < 2)
        return 0;
    double *sum[4], *room = malloc(4 * m * sizeof *room);
    int err = room ? scale_learn(&c, a, b, learnt) : ERR_NOMEM;
    if (err)
        goto out;
    for (size_t i = 0; i < 4; i++) {
        sum[i] = room + i * m;
        scale_sums(&c, (i % 2 ? b : a) + (i < 2 ? 0 : learnt), learnt, at_once,
                   sum[i]);
    }
    stats_sort(sum[0], m);
    stats_sort(sum[1], m);
    const double bound = scale_bound(sum[0], sum[1], m);
    const double p = share_from(sum[2], m, bound);
    const double q = share_from(sum[3], m, bound);
    const double many = (double)m;
    out->value = q - p;
    out->half = Z95 * sqrt((p * (1 - p) + q * (1 - q) + 1 / many) / many);
out:
    free(room);
    return err;
}

static int
advantage_report(struct outing *o, const struct series *alone,
                 const struct series *busy, size_t at_once, const char *name)
{
    struct estimate e;
    int err = probes_advantage(alone->x, busy->x, o->wanted, at_once, &e);
    if (!err)
        result_add(o->result, name, e.value, e.half);
    return err;
}

int
probes_run(struct outing *o)
{
    struct series alone = {0}, busy = {0};
    int err = world_run(o, 0, 0, &alone);
    if (!err)
        err = world_run(o, o->scenario->announce.others, 0.5, &busy);
    if (!err)
        err = advantage_report(o, &alone, &busy, 1, "probe.advantage");
    if (!err)
        err =
            advantage_report(o, &alone, &busy, IN_A_ROW, "probe.advantage_50");
    if (!err) {
        series_report(&alone, o->result, "probe.alone");
        series_report(&busy, o->result, "probe.busy");
    }
    free(alone.x);
    free(busy.x);
    return err;
}
