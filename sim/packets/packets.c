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
    return ((struct packet_run *)env)->now_us;
}

static void
run_random_traffic(struct env *env, void *out, size_t len)
{
    rng_seeded_bytes(&((struct packet_run *)env)->traffic, out, len);
}

static void
run_random_crypto(struct env *env, void *out, size_t len)
{
    rng_seeded_bytes(&((struct packet_run *)env)->crypto, out, len);
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
 * their own, or, of slow clients, every packet is; after a flush one is. How
 * often a file of times says to send is not known. */
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
mixes_make(struct packet_run *run)
{
    const uint32_t n = run->topology->n_relays;
    run->mix = calloc(n, sizeof(struct mix *));
    run->due_us = calloc(n, sizeof *run->due_us);
    run->inbox = calloc(n, sizeof *run->inbox);
    if (run->scenario->measure.mix_entropy)
        run->memory = calloc(n, sizeof *run->memory);
    if (!run->mix || !run->due_us || !run->inbox ||
        (run->scenario->measure.mix_entropy && !run->memory))
        return ERR_NOMEM;
    for (uint32_t i = 0; i < n; i++) {
        run->due_us[i] = UINT64_MAX;
        if (i >= n - run->topology->n_stores)
            continue;
        int err = mix_new(&run->mix[i], &run->scenario->mix.params,
                          UINT32_MAX - 1, &run->env);
        if (err)
            return err;
    }
    return 0;
}

static struct challenger
challenger_make(struct packet_run *run, const struct scenario_clients *g,
                uint32_t client)
{
    struct challenger c = {.client = client};
    if (g->message_mhz > 0) {
        c.every_us = 1000000000ULL / g->message_mhz;
        c.message_us = rng_below(&run->env, c.every_us);
    }
    return c;
}

/* Who the two challengers are; who may be tagged. */
static void
tags_make(struct packet_run *run)
{
    const struct scenario *s = run->scenario;
    uint32_t first = 0, n = 0;
    for (uint32_t g = 0; g < s->n_clients; g++) {
        for (uint32_t i = 0;
             s->clients[g].challenger && n < 2 && i < s->clients[g].count; i++)
            run->challenger[n++] =
                challenger_make(run, &s->clients[g], first + i);
        first += s->clients[g].count;
    }
    run->tag_some = some_are_targets(s);
}

/* What an observer of links knows, and who follows packets. */
static int
observer_make(struct packet_run *run)
{
    const struct scenario_measure *m = &run->scenario->measure;
    const uint32_t relays = run->topology->n_relays;
    const bool follows = m->targets > 0 || m->epsilon;
    if (follows || m->mix_entropy) {
        run->answers = calloc(relays, sizeof *run->answers);
        if (!run->answers)
            return ERR_NOMEM;
    }
    if (m->kinds != KINDS_ALIKE) {
        run->polls = calloc(relays, sizeof *run->polls);
        if (!run->polls)
            return ERR_NOMEM;
    }
    return follows ? tracker_new(&run->tracker, 2 * relays,
                                 m->targets > 0 ? m->at_once : 0, m->epsilon,
                                 m->drained)
                   : 0;
}

static int
run_make(struct packet_run *run, struct scenario_problem *problem)
{
    const struct scenario *s = run->scenario;
    const struct scenario_measure *m = &s->measure;
    const uint32_t hops = scenario_hops(s);
    packets_plan(s, &run->plan);
    int err = topology_new(&run->topology, s, &run->env);
    if (!err && s->network.latency_law == LATENCY_MATRIX)
        err = matrix_read(&run->matrix, run->options->open,
                          s->network.latency_file, run->topology->n_relays,
                          problem);
    if (!err)
        err = observer_make(run);
    if (!err)
        err = records_new(&run->records, hops,
                          run->tracker ? tracker_labels(run->tracker) : 0,
                          (uint32_t)fmin(run->plan.inside * 1.05, 4e9));
    if (!err)
        err = wheel_new(&run->wait, UINT32_MAX - 1);
    if (!err)
        err = mixes_make(run);
    if (!err && run->options->real_crypto) {
        /* a round trip has a header for each way */
        const uint32_t slots =
            s->network.trip == TRIP_ROUND ? s->network.layers + 2 : hops;
        err = real_new(&run->real, run->topology, &run->env, slots);
        if (err == ERR_RANGE)
            snprintf(problem->text, sizeof problem->text,
                     "--real-crypto: a packet's header has room for %d hops, "
                     "this scenario has %" PRIu32,
                     SPHINX_HOPS_MAX, slots);
    }
    if (!err && m->watch)
        err = spy_new(&run->spy, run->topology, &run->env);
    if (!err)
        err = sources_new(&run->sources, s, &run->env, run->options->open,
                          problem);
    if (!err)
        err = gauges_new(&run->gauges, s, sources_count(run->sources));
    if (!err)
        err = watch_start(run);
    tags_make(run);
    return err;
}

static void
run_free(struct packet_run *run)
{
    for (uint32_t i = 0; run->mix && i < run->topology->n_relays; i++)
        mix_free(&run->mix[i]);
    free(run->mix);
    free(run->due_us);
    for (uint32_t i = 0; run->inbox && i < run->topology->n_relays; i++)
        free(run->inbox[i].e);
    free(run->inbox);
    free(run->spare);
    free(run->matrix);
    free(run->memory);
    free(run->alarm);
    free(run->inside);
    free(run->answers);
    free(run->polls);
    tracker_free(&run->tracker);
    real_free(&run->real);
    spy_free(&run->spy);
    gauges_free(&run->gauges);
    sources_free(&run->sources);
    wheel_free(&run->wait);
    records_free(&run->records);
    topology_free(&run->topology);
    free(run);
}

/* ---- phases ---- */

static void
measure_begin(struct packet_run *run)
{
    const struct scenario_measure *m = &run->scenario->measure;
    run->phase = PHASE_MEASURE;
    /* every packet with the same small chance: were the first one after some
     * time taken, it would come to relays that had been left alone for a while,
     * and look worse hidden */
    run->tag_chance = m->at_once /
                      (TARGETS_APART * drain_us(run->scenario) / 1e6) /
                      tag_rate(run->scenario);
    gauges_begin(run->gauges, run->now_us);
    watch_begin(run);
}

/* Warming up is over when a given time is, or when the number under way, which
 * began at none, looks stationary. */
static void
warm_sample(struct packet_run *run)
{
    if (run->scenario->run.warmup_s >= 0) {
        if ((double)run->now_us >= run->scenario->run.warmup_s * 1e6)
            measure_begin(run);
        return;
    }
    if (run->n_inside == run->room_inside) {
        size_t room = run->room_inside ? 2 * run->room_inside : SAMPLES_FIRST;
        double *more = realloc(run->inside, room * sizeof *more);
        if (!more) {
            run_fail(run, ERR_NOMEM);
            return;
        }
        run->inside = more;
        run->room_inside = room;
    }
    run->inside[run->n_inside++] = run->records.used;
    if (run->n_inside == run->room_inside &&
        (stats_mser5(run->inside, run->n_inside) != SIZE_MAX ||
         run->n_inside >= SAMPLES_LAST))
        measure_begin(run);
}

static void
measure_sample(struct packet_run *run)
{
    struct gauge_batch *b = gauges_at(run->gauges, run->now_us);
    if (!b)
        return;
    for (uint32_t i = 0; i < run->topology->n_relays; i++) {
        if (!run->mix[i])
            continue;
        const double held = (double)mix_count(run->mix[i]);
        b->held_sum += held;
        b->held_squares += held * held;
        b->held_n++;
    }
    b->inside_sum += run->records.used;
    b->online_sum += sources_online(run->sources);
    b->samples++;
}

static void
targets_end(struct packet_run *run)
{
    struct target_found found;
    uint8_t label;
    while ((label = tracker_done(run->tracker, &found)) != TRACKER_NONE) {
        gauges_found(run->gauges, &found);
        records_clear(&run->records, label);
        tracker_clear(run->tracker, label);
    }
}

static double
share_done(const struct packet_run *run)
{
    const struct gauges *g = run->gauges;
    const uint32_t targets = run->scenario->measure.targets;
    if (run->phase == PHASE_WARM)
        return 0;
    double time = (double)(run->now_us - g->begin_us) / (double)g->length_us;
    double found = targets > 0 ? (double)g->n_found / targets : 1;
    return fmin(1, fmin(time, found));
}

static void
run_sample(struct packet_run *run)
{
    run->sample_next_us += run->sample_us;
    watch_sample(run);
    if (run->phase == PHASE_WARM)
        warm_sample(run);
    if (run->phase != PHASE_WARM && share_done(run) >= 1)
        run->phase = PHASE_OVER;
    if (run->phase == PHASE_MEASURE &&
        (double)(run->now_us - run->gauges->begin_us) >
            PATIENCE * run->plan.virtual_s * 1e6)
        run_fail(run, ERR_TIMEOUT);
    if (run->options->progress)
        run->options->progress(run->options->ctx, share_done(run));
}

/* Gauges are read once in every sample_us, at a uniform time: regular ones
 * would keep step with the flushes of pools. */
static void
run_look(struct packet_run *run)
{
    if (run->phase == PHASE_MEASURE)
        measure_sample(run);
    while (run->look_us <= run->now_us) {
        const uint64_t draw = rng_seeded_u64(&run->looks) >> 32;
        run->look_us = run->look_from_us + (draw * run->sample_us >> 32);
        run->look_from_us += run->sample_us;
    }
}

static void
run_on(struct packet_run *run)
{
    run->window_us = window_us(run->scenario);
    run->in_order = run->tracker || run->memory ||
                    run->scenario->mix.params.strategy != MIX_POISSON;
    run->sample_us = (uint64_t)(way_mean_us(run->scenario) / SAMPLES_A_WAY) + 1;
    run->sample_next_us = run->sample_us;
    while (run->phase != PHASE_OVER && !run->err) {
        run->now_us += run->window_us;
        if (sim_is_stopped(run->options))
            run_fail(run, ERR_CLOSED);
        hops_wait(run);
        hops_send(run);
        hops_mix(run);
        if (run->tracker && run->phase == PHASE_MEASURE)
            targets_end(run);
        if (run->now_us >= run->look_us)
            run_look(run);
        if (run->now_us >= run->sample_next_us)
            run_sample(run);
    }
}

static void
run_report(const struct packet_run *run, struct sim_result *r)
{
    gauges_report(run->gauges, r);
    watch_report(run, r);
    result_add(r, "run.warmup", (double)run->gauges->begin_us / 1e6, NAN);
    result_add(r, "run.length",
               (double)(run->now_us - run->gauges->begin_us) / 1e6, NAN);
    result_add(r, "run.inside_most", run->records.most, NAN);
    r->course = run->course;
}

int
packets_run(const struct scenario *s, const struct sim_options *o,
            struct sim_result *r, struct scenario_problem *problem)
{
    struct packet_run *run = calloc(1, sizeof *run);
    *r = (struct sim_result){0};
    problem->text[0] = '\0';
    if (!run)
        return ERR_NOMEM;
    run->env.ops = &run_ops;
    run->scenario = s;
    run->options = o;
    run->course = 0xcbf29ce484222325ULL;
    rng_seeded_init_u64(&run->traffic, s->seed, "traffic");
    rng_seeded_init_u64(&run->crypto, s->seed, "crypto");
    rng_seeded_init_u64(&run->looks, s->seed, "looks");
    if (o->trace)
        fputs("time_us,event,packet,of,at\n", o->trace);
    int err = run_make(run, problem);
    if (!err) {
        run_on(run);
        err = run->err;
    }
    if (err == ERR_TIMEOUT)
        snprintf(problem->text, sizeof problem->text,
                 "measure.targets: only %" PRIu32 " of %" PRIu32
                 " have come out; do packets leave the mixes at all?",
                 run->gauges->n_found, s->measure.targets);
    if (!err)
        run_report(run, r);
    run_free(run);
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
