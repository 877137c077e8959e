/* sim/packets/packets.c - one run: making it, its phases, its figures.
 *
 *   warm -the number under way has become stationary-> measure
 *        -measure_s over and all targets done-> over
 *
 * Traffic goes on unchanged to the end: were senders to stop, the last targets
 * would be alone. Failure mode: anything that cannot go on sets err, and the
 * run ends. */
#include "sim/packets/packets.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rng.h"
#include "client/pace/traffic.h"
#include "sim/packets/packets_internal.h"
#include "sim/scenario/trace_in.h"

enum {
    WINDOW_MAX_US = 1 << 15,
    PARTS_WAY = 8,           /* windows of a mean delay, */
    PARTS_ROUND = 128,       /* where answers come back to gateways, */
    PARTS_FREE = 512,        /* and where there is no order of relays */
    SAMPLES_A_WAY = 20,      /* of what is under way */
    SAMPLES_FIRST = 100,     /* then judged whether it is stationary, */
    SAMPLES_LAST = 100 << 8, /* and at most so many: the run goes on then */
    PATIENCE = 20            /* times as long as it should take */
};

/* Of a flush: rest, and until the relay is empty. */
#define FLUSH_DELAYS 25

/* One label of three is in use on average, so that a packet which is to be
 * tagged finds one. */
#define TARGETS_APART 3.0

/* ---- the environment ---- */

static uint64_t
run_mono_us(struct env *env)
{
    return ((struct run *)env)->now_us;
}

static void
run_random_traffic(struct env *env, void *out, size_t len)
{
    rng_seeded_bytes(&((struct run *)env)->traffic, out, len);
}

static void
run_random_crypto(struct env *env, void *out, size_t len)
{
    rng_seeded_bytes(&((struct run *)env)->crypto, out, len);
}

static const struct env_ops run_ops = {.now_mono_us = run_mono_us,
                                       .random_traffic = run_random_traffic,
                                       .random_crypto = run_random_crypto};

/* ---- making ---- */

/* Mean time of a packet in one mix. */
static double
mix_mean_us(const struct scenario *s)
{
    const struct mix_params *m = &s->mix.params;
    double rate_hz = scenario_rate(s) / s->network.width;
    switch (m->strategy) {
    case MIX_TIMED_POOL:
        return (double)m->interval_us + m->keep / (rate_hz + 1e-9) * 1e6;
    case MIX_THRESHOLD_POOL:
        return (m->keep + m->threshold) / (rate_hz + 1e-9) * 1e6;
    case MIX_BINOMIAL:
        return (double)m->interval_us * 1000 / m->permille;
    default:
        return (double)s->mix.delay_mean_us;
    }
}

static double
way_mean_us(const struct scenario *s)
{
    const struct scenario_network *n = &s->network;
    double us = mix_mean_us(s) * (n->layers + (n->gateways > 0));
    if (n->trip == TRIP_ROUND)
        us = 2 * us +
             (double)(s->mix.store_delay_fixed_us + s->mix.store_delay_mean_us +
                      s->mix.poll_delay_mean_us);
    return us + (double)scenario_hops(s) *
                    (double)(n->latency_fixed_us + n->latency_mean_us);
}

/* In so long less than `drained` of a target is left inside, nearly always: the
 * tail of as many exponentials in turn as there are hops. */
static double
drain_us(const struct scenario *s)
{
    const double hops = s->network.layers + (s->network.gateways > 0);
    double mean_us = mix_mean_us(s);
    if (s->network.trip == TRIP_ROUND)
        mean_us = fmax(mean_us,
                       (double)s->mix.poll_delay_mean_us / s->network.layers);
    return mean_us * (3 * hops - log(s->measure.drained));
}

/* A power of two, so that windows and samples fall on whole microseconds. A
 * store's fixed delay is longer than any. */
static uint64_t
window_us(const struct scenario *s)
{
    uint64_t window = WINDOW_MAX_US, least_us = s->mix.delay_mean_us;
    uint32_t parts = s->network.topology == TOPOLOGY_FREE_ROUTE ? PARTS_FREE
                     : s->network.trip == TRIP_ROUND            ? PARTS_ROUND
                                                                : PARTS_WAY;
    if (s->mix.params.strategy == MIX_TIMED_POOL ||
        s->mix.params.strategy == MIX_BINOMIAL)
        least_us = s->mix.params.interval_us;
    else if (s->mix.params.strategy == MIX_THRESHOLD_POOL)
        least_us = (uint64_t)mix_mean_us(s);
    while (window > 1 && window * parts > least_us)
        window /= 2;
    return window;
}

static bool
some_are_targets(const struct scenario *s)
{
    bool some = false;
    for (uint32_t i = 0; i < s->n_clients; i++)
        some = some || s->clients[i].target;
    return some;
}

/* Of a group's packets, the share that is of the kind that is tagged. */
static double
tag_share(const struct scenario *s, const struct scenario_clients *g)
{
    const double all =
        (double)g->profile.send_mhz + g->profile.poll_mhz + g->profile.loop_mhz;
    const double polls = all > 0 ? g->profile.poll_mhz / all : 0;
    return s->measure.kinds == KINDS_ALIKE   ? 1
           : s->measure.kinds == KINDS_POLLS ? polls
                                             : 1 - polls;
}

/* Packets a second that may be tagged; a little above 0. */
static double
tag_rate(const struct scenario *s)
{
    const bool some = some_are_targets(s);
    double sum = 1e-9;
    for (uint32_t i = 0; i < s->n_clients; i++)
        if (s->clients[i].target || !some)
            sum += scenario_group_rate(&s->clients[i]) *
                   tag_share(s, &s->clients[i]);
    return sum;
}

/* So long it takes until all targets are done. They are tagged at a rate of
 * their own, or, of slow clients, every packet is; after a flush one is. How often
 * a file of times says to send is not known. */
static double
targets_s(const struct scenario *s)
{
    const struct scenario_measure *m = &s->measure;
    const double delay_s = (double)s->mix.delay_mean_us / 1e6;
    double apart_s = TARGETS_APART / m->at_once * drain_us(s) / 1e6;
    bool known = true;
    for (uint32_t i = 0; i < s->n_clients; i++)
        known = known && s->clients[i].send != SEND_TRACE;
    if (m->targets == 0)
        return 0;
    if (s->attack.kind == ATTACK_FLUSH)
        apart_s = s->attack.block_s + FLUSH_DELAYS * delay_s;
    else if (known)
        apart_s = fmax(apart_s, 1 / tag_rate(s));
    return m->targets * apart_s + drain_us(s) / 1e6;
}

static int
mixes_make(struct run *f)
{
    const uint32_t n = f->topology->n_relays;
    f->mix = calloc(n, sizeof(struct mix *));
    f->due_us = calloc(n, sizeof *f->due_us);
    f->inbox = calloc(n, sizeof *f->inbox);
    if (f->scenario->measure.mix_entropy)
        f->memory = calloc(n, sizeof *f->memory);
    if (!f->mix || !f->due_us || !f->inbox ||
        (f->scenario->measure.mix_entropy && !f->memory))
        return ERR_NOMEM;
    for (uint32_t i = 0; i < n; i++) {
        f->due_us[i] = UINT64_MAX;
        if (i >= n - f->topology->n_stores)
            continue;
        int err = mix_new(&f->mix[i], &f->scenario->mix.params, UINT32_MAX - 1,
                          &f->env);
        if (err)
            return err;
    }
    return 0;
}

static struct challenger
challenger_make(struct run *f, const struct scenario_clients *g,
                uint32_t client)
{
    struct challenger c = {.client = client};
    if (g->message_mhz > 0) {
        c.every_us = 1000000000ULL / g->message_mhz;
        c.message_us = rng_below(&f->env, c.every_us);
    }
    return c;
}

/* Who the two challengers are; who may be tagged. */
static void
tags_make(struct run *f)
{
    const struct scenario *s = f->scenario;
    uint32_t first = 0, n = 0;
    for (uint32_t g = 0; g < s->n_clients; g++) {
        for (uint32_t i = 0;
             s->clients[g].challenger && n < 2 && i < s->clients[g].count; i++)
            f->challenger[n++] = challenger_make(f, &s->clients[g], first + i);
        first += s->clients[g].count;
    }
    f->tag_some = some_are_targets(s);
}

/* What an observer who follows packets knows. */
static int
follow_make(struct run *f)
{
    const struct scenario_measure *m = &f->scenario->measure;
    const uint32_t relays = f->topology->n_relays;
    f->answers = calloc(relays, sizeof *f->answers);
    if (m->kinds != KINDS_ALIKE)
        f->polls = calloc(relays, sizeof *f->polls);
    if (!f->answers || (m->kinds != KINDS_ALIKE && !f->polls))
        return ERR_NOMEM;
    return tracker_new(&f->tracker, 2 * relays, m->targets > 0 ? m->at_once : 0,
                       m->epsilon, m->drained);
}

static int
run_make(struct run *f, struct scenario_problem *problem)
{
    const struct scenario *s = f->scenario;
    const struct scenario_measure *m = &s->measure;
    const uint32_t hops = scenario_hops(s);
    packets_plan(s, &f->plan);
    int err = topology_new(&f->topology, s, &f->env);
    if (!err && s->network.latency_law == LATENCY_MATRIX)
        err = matrix_read(&f->matrix, f->options->open, s->network.latency_file,
                          f->topology->n_relays, problem);
    if (!err && (m->targets > 0 || m->epsilon))
        err = follow_make(f);
    if (!err)
        err = records_new(&f->records, hops,
                          f->tracker ? tracker_labels(f->tracker) : 0,
                          (uint32_t)fmin(f->plan.inside * 1.05, 4e9));
    if (!err)
        err = wheel_new(&f->wait, UINT32_MAX - 1);
    if (!err)
        err = mixes_make(f);
    if (!err && f->options->real_crypto) {
        /* a round trip has a header for each way */
        const uint32_t slots =
            s->network.trip == TRIP_ROUND ? s->network.layers + 2 : hops;
        err = real_new(&f->real, f->topology, &f->env, slots);
        if (err == ERR_RANGE)
            snprintf(problem->text, sizeof problem->text,
                     "--real-crypto: a packet's header has room for %d hops, "
                     "this scenario has %" PRIu32,
                     SPHINX_HOPS_MAX, slots);
    }
    if (!err && m->watch)
        err = spy_new(&f->spy, f->topology, &f->env);
    if (!err)
        err = sources_new(&f->sources, s, &f->env, f->options->open, problem);
    if (!err)
        err = gauges_new(&f->gauges, s, sources_count(f->sources));
    if (!err)
        err = watch_start(f);
    tags_make(f);
    return err;
}

static void
run_free(struct run *f)
{
    for (uint32_t i = 0; f->mix && i < f->topology->n_relays; i++)
        mix_free(&f->mix[i]);
    free(f->mix);
    free(f->due_us);
    for (uint32_t i = 0; f->inbox && i < f->topology->n_relays; i++)
        free(f->inbox[i].e);
    free(f->inbox);
    free(f->spare);
    free(f->matrix);
    free(f->memory);
    free(f->alarm);
    free(f->inside);
    free(f->answers);
    free(f->polls);
    tracker_free(&f->tracker);
    real_free(&f->real);
    spy_free(&f->spy);
    gauges_free(&f->gauges);
    sources_free(&f->sources);
    wheel_free(&f->wait);
    records_free(&f->records);
    topology_free(&f->topology);
    free(f);
}

/* ---- phases ---- */

static void
measure_begin(struct run *f)
{
    const struct scenario_measure *m = &f->scenario->measure;
    f->phase = PHASE_MEASURE;
    /* every packet with the same small chance: were the first one after some
     * time taken, it would come to relays that had been left alone for a while,
     * and look worse hidden */
    f->tag_chance = m->at_once / (TARGETS_APART * drain_us(f->scenario) / 1e6) /
                    tag_rate(f->scenario);
    gauges_begin(f->gauges, f->now_us);
    watch_begin(f);
}

/* Warming up is over when a given time is, or when the number under way, which
 * began at none, looks stationary. */
static void
warm_sample(struct run *f)
{
    if (f->scenario->run.warmup_s >= 0) {
        if ((double)f->now_us >= f->scenario->run.warmup_s * 1e6)
            measure_begin(f);
        return;
    }
    if (f->n_inside == f->room_inside) {
        size_t room = f->room_inside ? 2 * f->room_inside : SAMPLES_FIRST;
        double *more = realloc(f->inside, room * sizeof *more);
        if (!more) {
            run_fail(f, ERR_NOMEM);
            return;
        }
        f->inside = more;
        f->room_inside = room;
    }
    f->inside[f->n_inside++] = f->records.used;
    if (f->n_inside == f->room_inside &&
        (stats_mser5(f->inside, f->n_inside) != SIZE_MAX ||
         f->n_inside >= SAMPLES_LAST))
        measure_begin(f);
}

static void
measure_sample(struct run *f)
{
    struct gauge_batch *b = gauges_at(f->gauges, f->now_us);
    if (!b)
        return;
    for (uint32_t i = 0; i < f->topology->n_relays; i++) {
        if (!f->mix[i])
            continue;
        const double held = (double)mix_count(f->mix[i]);
        b->held_sum += held;
        b->held_squares += held * held;
        b->held_n++;
    }
    b->inside_sum += f->records.used;
    b->online_sum += sources_online(f->sources);
    b->samples++;
}

static void
targets_end(struct run *f)
{
    struct target_found found;
    uint8_t label;
    while ((label = tracker_done(f->tracker, &found)) != TRACKER_NONE) {
        gauges_found(f->gauges, &found);
        records_clear(&f->records, label);
        tracker_clear(f->tracker, label);
    }
}

static double
share_done(const struct run *f)
{
    const struct gauges *g = f->gauges;
    const uint32_t targets = f->scenario->measure.targets;
    if (f->phase == PHASE_WARM)
        return 0;
    double time = (double)(f->now_us - g->begin_us) / (double)g->length_us;
    double found = targets > 0 ? (double)g->n_found / targets : 1;
    return fmin(1, fmin(time, found));
}

static void
sample(struct run *f)
{
    f->sample_next_us += f->sample_us;
    watch_sample(f);
    if (f->phase == PHASE_WARM)
        warm_sample(f);
    if (f->phase != PHASE_WARM && share_done(f) >= 1)
        f->phase = PHASE_OVER;
    if (f->phase == PHASE_MEASURE && (double)(f->now_us - f->gauges->begin_us) >
                                         PATIENCE * f->plan.virtual_s * 1e6)
        run_fail(f, ERR_TIMEOUT);
    if (f->options->progress)
        f->options->progress(f->options->ctx, share_done(f));
}

/* Gauges are read once in every sample_us, at a uniform time: regular ones
 * would keep step with the flushes of pools. */
static void
look(struct run *f)
{
    if (f->phase == PHASE_MEASURE)
        measure_sample(f);
    while (f->look_us <= f->now_us) {
        const uint64_t draw = rng_seeded_u64(&f->looks) >> 32;
        f->look_us = f->look_from_us + (draw * f->sample_us >> 32);
        f->look_from_us += f->sample_us;
    }
}

static void
run_on(struct run *f)
{
    f->window_us = window_us(f->scenario);
    f->in_order = f->tracker || f->memory ||
                  f->scenario->mix.params.strategy != MIX_POISSON;
    f->sample_us = (uint64_t)(way_mean_us(f->scenario) / SAMPLES_A_WAY) + 1;
    f->sample_next_us = f->sample_us;
    while (f->phase != PHASE_OVER && !f->err) {
        f->now_us += f->window_us;
        if (sim_is_stopped(f->options))
            run_fail(f, ERR_CLOSED);
        hops_wait(f);
        hops_send(f);
        hops_mix(f);
        if (f->tracker && f->phase == PHASE_MEASURE)
            targets_end(f);
        if (f->now_us >= f->look_us)
            look(f);
        if (f->now_us >= f->sample_next_us)
            sample(f);
    }
}

static void
run_report(const struct run *f, struct sim_result *r)
{
    gauges_report(f->gauges, r);
    watch_report(f, r);
    result_add(r, "run.warmup", (double)f->gauges->begin_us / 1e6, NAN);
    result_add(r, "run.length", (double)(f->now_us - f->gauges->begin_us) / 1e6,
               NAN);
    result_add(r, "run.inside_most", f->records.most, NAN);
    r->course = f->course;
}

int
packets_run(const struct scenario *s, const struct sim_options *o,
            struct sim_result *r, struct scenario_problem *problem)
{
    struct run *f = calloc(1, sizeof *f);
    *r = (struct sim_result){0};
    problem->text[0] = '\0';
    if (!f)
        return ERR_NOMEM;
    f->env.ops = &run_ops;
    f->scenario = s;
    f->options = o;
    f->course = 0xcbf29ce484222325ULL;
    rng_seeded_init_u64(&f->traffic, s->seed, "traffic");
    rng_seeded_init_u64(&f->crypto, s->seed, "crypto");
    rng_seeded_init_u64(&f->looks, s->seed, "looks");
    if (o->trace)
        fputs("time_us,event,packet,of,at\n", o->trace);
    int err = run_make(f, problem);
    if (!err) {
        run_on(f);
        err = f->err;
    }
    if (err == ERR_TIMEOUT)
        snprintf(problem->text, sizeof problem->text,
                 "measure.targets: only %" PRIu32 " of %" PRIu32
                 " have come out; do packets leave the mixes at all?",
                 f->gauges->n_found, s->measure.targets);
    if (!err)
        run_report(f, r);
    run_free(f);
    return err;
}

void
packets_plan(const struct scenario *s, struct packets_plan *p)
{
    const struct scenario_measure *m = &s->measure;
    const double way_s = way_mean_us(s) / 1e6;
    const double labels = (m->targets ? m->at_once : 0) + 2.0 * m->epsilon;
    double clients = 0;
    for (uint32_t i = 0; i < s->n_clients; i++)
        clients += s->clients[i].count;
    *p = (struct packets_plan){.relays = scenario_relays(s),
                               .hops = scenario_hops(s)};
    p->sent_hz = scenario_rate(s);
    p->hops_hz = p->sent_hz * p->hops;
    p->inside = p->sent_hz * way_s;
    p->memory = clients * (sizeof(struct traffic) + 32) +
                p->inside * ((double)sizeof(struct record) + 4.0 * p->hops +
                             4 * labels + 48) +
                p->relays * 70000.0;
    double warm_s = s->run.warmup_s >= 0 ? s->run.warmup_s : 5 * way_s;
    p->virtual_s = warm_s + fmax(s->run.measure_s, targets_s(s));
    p->window_s = (double)window_us(s) / 1e6;
}
