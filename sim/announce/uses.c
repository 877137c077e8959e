/* sim/announce/uses.c - what people do, of which letters' times are taken.
 *
 * Person 0 is the one it is about: who is written to, hosts or serves. What a
 * use does next it does in two callbacks: when a letter is shown, and when a
 * pause is over. */
#include <math.h>
#include <string.h>

#include "lib/rng.h"
#include "sim/announce/announce_internal.h"

enum {
    CONNECTED_US = 60000000, /* "for a minute", and up to another */
    REST_US = 60000000,      /* between two first texts, two of a group */
    WARM = 20,               /* letters, before those whose time counts */
    PARTS_AHEAD = 4          /* wait for a tick */
};

static struct outing *
outing_of(const struct people *p)
{
    return p->use;
}

static uint64_t
think_us(struct people *p)
{
    return p->now_us + rng_exp_us(&p->env, p->scenario->announce.think_us);
}

/* So many people who are all there; person 0 has `idle` contacts besides. */
static int
people_begin(struct outing *o, uint32_t n, uint32_t idle_from, uint32_t idle)
{
    struct people *p = &o->people;
    int err = people_make(p, o->scenario, n, o->scenario->seed);
    p->use = o;
    p->trace = o->options->trace;
    for (uint32_t i = 0; i < p->n_persons; i++)
        p->person[i].always = true;
    return err ? err : people_idle(p, 0, idle_from, idle);
}

/* Clocks begin with the first thing to do; a pause of nothing starts them. */
static void
writer_begin(struct people *p, uint64_t at_us, uint32_t a)
{
    people_timer(p, at_us, a, 0);
}

/* ---- two who write in turn ---- */

static void
running_timer(struct people *p, uint32_t way, uint32_t unused)
{
    (void)unused;
    people_write(p, way, NOTE_TEXT, true, true);
}

static void
running_shown(struct people *p, uint32_t way, uint32_t i)
{
    const struct note *n = &p->way[way].note[i];
    if (n->kind != NOTE_TEXT || outing_took(outing_of(p), n->written_us))
        return;
    people_timer(p, think_us(p), way ^ 1, 0);
}

/* Begin with two people who know each other: one writes, and has all the other
 * contacts. */
static int
pair_begin(struct outing *o,
           void (*timer)(struct people *p, uint32_t a, uint32_t b),
           void (*shown)(struct people *p, uint32_t way, uint32_t note))
{
    struct people *p = &o->people;
    uint32_t way;
    int err = people_begin(o, 2, 2, o->scenario->announce.contacts - 1);
    if (!err)
        err = people_meet(p, 1, 0, 1, &way);
    if (err)
        return err;
    p->timer = timer;
    p->shown = shown;
    writer_begin(p, 0, way);
    return 0;
}

static int
running_begin(struct outing *o)
{
    return pair_begin(o, running_timer, running_shown);
}

/* ---- any contact of one who has just connected ---- */

static void
first_timer(struct people *p, uint32_t way, uint32_t step)
{
    if (step == 1) {
        people_write(p, way, NOTE_TEXT, true, true);
        return;
    }
    fronts_connected(p->person[0].fronts, &p->env, p->now_us);
    people_timer(p, p->now_us + CONNECTED_US + rng_below(&p->env, CONNECTED_US),
                 way, 1);
}

static void
first_shown(struct people *p, uint32_t way, uint32_t i)
{
    const struct note *n = &p->way[way].note[i];
    if (p->way[way].to != 0 || outing_took(outing_of(p), n->written_us))
        return;
    people_timer(p, p->now_us + REST_US, way, 0);
}

static int
first_begin(struct outing *o)
{
    int err = pair_begin(o, first_timer, first_shown);
    if (err)
        return err;
    o->people.person[1].deaf = true;
    o->people.person[1].always = false;
    return 0;
}

/* ---- a file ---- */

static void
file_go_on(struct people *p, uint32_t way)
{
    const struct people_way *w = &p->way[way];
    uint32_t acked = 0;
    for (uint32_t i = 0; i < w->n; i++)
        acked += w->note[i].acked_us != NEVER_US;
    while (!p->err && p->person[w->from].own.n < PARTS_AHEAD &&
           w->n - acked < p->scenario->announce.window)
        people_write(p, way, NOTE_PART, true, true);
}

/* Each second; and it begins with a text each way, so that there are leases. */
static void
file_timer(struct people *p, uint32_t way, uint32_t step)
{
    if (step == 0)
        people_write(p, way, NOTE_TEXT, true, true);
    else
        file_go_on(p, way);
    people_timer(p, p->now_us + 100000, way, step ? step : 1);
}

static void
file_shown(struct people *p, uint32_t way, uint32_t i)
{
    struct outing *o = outing_of(p);
    const struct note *n = &p->way[way].note[i];
    if (n->kind == NOTE_TEXT && p->way[way].to == 0)
        people_write(p, way ^ 1, NOTE_TEXT, true, true);
    if (n->kind != NOTE_PART)
        return;
    const bool warm = o->skip > 0;
    outing_took(o, n->written_us);
    if (warm && o->skip == 0) {
        o->start_us = p->now_us;
        p->person[1].sends = 0;
    }
}

static int
file_begin(struct outing *o)
{
    o->skip = o->wanted / 4 + WARM;
    return pair_begin(o, file_timer, file_shown);
}

/* ---- a group by copies, and by a host ---- */

/* The number by which two of n know each other: one for each pair of one
 * person's. */
static uint32_t
pair_number(uint32_t a, uint32_t b, uint32_t n)
{
    return 1 + (a + b) % n;
}

static uint32_t
way_from(const struct people *p, uint32_t from, uint32_t to, uint32_t number)
{
    const uint32_t way = p->person[to].way[number] - 1;
    return p->way[way].from == from ? way : way ^ 1;
}

static void
group_write(struct people *p, uint32_t from, uint32_t but)
{
    struct outing *o = outing_of(p);
    const uint32_t n = p->n_persons;
    for (uint32_t i = 0; i < n; i++) {
        if (i == from || i == but)
            continue;
        const bool host = p->scenario->announce.use == USE_HOST;
        const uint32_t number = host ? i : pair_number(from, i, n);
        people_write(p, way_from(p, from, i, number), NOTE_TEXT, true, true);
        o->group++;
    }
}

static void
group_counts(struct people *p)
{
    struct outing *o = outing_of(p);
    outing_took(o, o->start_us);
    if (--o->group > 0)
        return;
    series_add(p, &o->last, (double)(p->now_us - o->start_us) / 1e6);
    people_timer(p, p->now_us + rng_exp_us(&p->env, REST_US), 0, 0);
}

static void
copies_timer(struct people *p, uint32_t a, uint32_t b)
{
    struct outing *o = outing_of(p);
    (void)a;
    (void)b;
    o->start_us = p->now_us;
    group_write(p, (uint32_t)rng_below(&p->env, p->n_persons), UINT32_MAX);
}

static void
copies_shown(struct people *p, uint32_t way, uint32_t i)
{
    if (p->way[way].note[i].kind == NOTE_TEXT)
        group_counts(p);
}

static int
copies_begin(struct outing *o)
{
    struct people *p = &o->people;
    const uint32_t n = o->scenario->announce.contacts + 1;
    uint32_t way;
    int err = people_begin(o, n, 0, 0);
    for (uint32_t a = 0; a < n && !err; a++)
        for (uint32_t b = a + 1; b < n && !err; b++)
            err = people_meet(p, a, b, pair_number(a, b, n), &way);
    if (err)
        return err;
    p->timer = copies_timer;
    p->shown = copies_shown;
    writer_begin(p, 0, 0);
    return 0;
}

static void
host_timer(struct people *p, uint32_t a, uint32_t b)
{
    struct outing *o = outing_of(p);
    const uint32_t from = 1 + (uint32_t)rng_below(&p->env, p->n_persons - 1);
    (void)a;
    (void)b;
    o->start_us = p->now_us;
    people_write(p, way_from(p, from, 0, from), NOTE_TEXT, true, true);
}

static void
host_shown(struct people *p, uint32_t way, uint32_t i)
{
    const struct people_way *w = &p->way[way];
    if (w->note[i].kind != NOTE_TEXT)
        return;
    if (w->to == 0)
        group_write(p, 0, w->from);
    else
        group_counts(p);
}

/* Person 0 knows all others, who know nobody else. */
static int
star_begin(struct outing *o)
{
    struct people *p = &o->people;
    const uint32_t n = o->scenario->announce.contacts + 1;
    uint32_t way;
    int err = people_begin(o, n, 0, 0);
    for (uint32_t i = 1; i < n && !err; i++)
        err = people_meet(p, i, 0, i, &way);
    return err;
}

static int
host_begin(struct outing *o)
{
    int err = star_begin(o);
    if (err)
        return err;
    o->people.timer = host_timer;
    o->people.shown = host_shown;
    writer_begin(&o->people, 0, 0);
    return 0;
}

/* ---- a service ---- */

static void
service_timer(struct people *p, uint32_t client, uint32_t unused)
{
    (void)unused;
    people_write(p, way_from(p, client, 0, client), NOTE_TEXT, true, true);
}

static void
service_shown(struct people *p, uint32_t way, uint32_t i)
{
    const struct people_way *w = &p->way[way];
    if (w->note[i].kind != NOTE_TEXT)
        return;
    if (w->to == 0) {
        people_write(p, way ^ 1, NOTE_TEXT, true, true);
        return;
    }
    const struct people_way *asked = &p->way[way ^ 1];
    uint32_t last = asked->n - 1;
    while (last > 0 && asked->note[last].kind != NOTE_TEXT)
        last--;
    if (!outing_took(outing_of(p), asked->note[last].written_us))
        people_timer(p, think_us(p), w->to, 0);
}

static int
service_begin(struct outing *o)
{
    int err = star_begin(o);
    if (err)
        return err;
    o->people.timer = service_timer;
    o->people.shown = service_shown;
    for (uint32_t i = 1; i < o->people.n_persons; i++)
        people_timer(&o->people, think_us(&o->people), i, 0);
    return 0;
}

/* ---- all of them ---- */

int
uses_begin(struct outing *o)
{
    o->skip = WARM;
    switch (o->scenario->announce.use) {
    case USE_RUNNING:
        return running_begin(o);
    case USE_FIRST:
        return first_begin(o);
    case USE_FILE:
        return file_begin(o);
    case USE_COPIES:
        return copies_begin(o);
    case USE_HOST:
        return host_begin(o);
    default:
        return service_begin(o);
    }
}

void
uses_report(struct outing *o)
{
    struct people *p = &o->people;
    struct sim_result *r = o->result;
    const double took_s = (double)(p->now_us - o->start_us) / 1e6;
    const double hours = (double)p->now_us / 3600e6;
    series_report(&o->took, r, "text.latency");
    series_report(&o->last, r, "group.latency");
    if (o->scenario->announce.use == USE_FILE) {
        result_add(r, "file.rate", (double)o->took.n / took_s, NAN);
        result_add(r, "file.of_sends",
                   (double)o->took.n / (double)p->person[1].sends, NAN);
    }
    result_add(r, "letters", (double)o->took.n, NAN);
    result_add(r, "announcements", (double)p->tokens / hours, NAN);
    r->course = p->course;
}
