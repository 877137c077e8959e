/* sim/network_level/network_level.c - texts through a whole network, and what
 * is measured of it.
 *
 * The network is sim/world; this adds those who write (network_level_pairs.c),
 * and one watch that looks at everything once a second of virtual time.
 *
 * States of a run: warming up, until every pair has got its first texts through
 * and run.warmup_s is over; measuring, until all texts have arrived or were
 * given up and run.measure_s is over. Failure modes: no memory ends the run; a
 * warm-up that does not end in an hour and a minute a contact is ERR_TIMEOUT.
 */
#include "sim/network_level/network_level.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/secret_plain.h"
#include "sim/network_level/network_level_internal.h"

enum {
    WATCH_S = 1,         /* looks at everything */
    WARM_MAX_S = 3600,   /* a warm-up has failed after */
    WARM_CONTACT_S = 60, /* and for each contact, */
    WARM_GAPS = 10,      /* and so many gaps between texts */
    BATCHES = 20         /* where the scenario says nothing of them */
};

/* Counts that only grow; a measurement is the difference of two. */
struct counts {
    uint64_t at_us, up, down;
    double there_s; /* of all clients together */
    struct relay_stats relays;
};

struct network_run {
    const struct scenario *scenario;
    const struct sim_options *options;
    struct world *world;
    struct whole_pairs pairs;
    uint32_t first_client, end_client; /* nodes */
    uint64_t up, down;                 /* frames of clients' links */
    double there_s;
    double *held; /* packets in a relay on average, each second */
    size_t n_held, held_room;
    uint64_t epoch_us; /* the next one begins */
    struct counts start, end;
};

/* ---- making ---- */

static int
clients_make(struct network_run *run, const struct whole_plan *plan)
{
    const struct scenario *s = run->scenario;
    struct world *w = run->world;
    struct world_client *k;
    for (uint32_t i = 0; i < s->n_clients; i++)
        for (uint32_t c = 0; c < s->clients[i].count; c++) {
            int err = sim_client_add(w, plan->profile[i],
                                     w->n_clients % s->network.gateways, &k);
            if (err)
                return err;
        }
    run->first_client = w->client[0].node;
    run->end_client = w->client[w->n_clients - 1].node + 1;
    return 0;
}

/* ---- measuring ---- */

static void
frame_tapped(void *ctx, uint64_t now_us, uint32_t from, uint32_t to,
             const uint8_t *frame, size_t len)
{
    struct network_run *run = ctx;
    (void)frame;
    (void)len;
    run->up += from >= run->first_client && from < run->end_client;
    run->down += to >= run->first_client && to < run->end_client;
    if (run->options->trace)
        fprintf(run->options->trace, "%" PRIu64 ",%" PRIu32 ",%" PRIu32 "\n",
                now_us, from, to);
}

static void
counts_take(const struct network_run *run, struct counts *c)
{
    *c = (struct counts){.at_us = engine_now_us(run->world->engine),
                         .up = run->up,
                         .down = run->down,
                         .there_s = run->there_s};
    sim_world_stats(run->world, &c->relays);
}

static int
held_note(struct network_run *run)
{
    const struct world *w = run->world;
    size_t sum = 0;
    if (run->n_held == run->held_room) {
        size_t room = run->held_room ? 2 * run->held_room : 1024;
        double *made = realloc(run->held, room * sizeof *made);
        if (!made)
            return ERR_NOMEM;
        run->held = made;
        run->held_room = room;
    }
    for (uint32_t i = 0; i < w->n_relays; i++)
        sum += relay_held(w->relay[i].relay);
    run->held[run->n_held++] = (double)sum / w->n_relays;
    return 0;
}

/* What is looked at once a second. */
static int
run_watch(struct network_run *run)
{
    struct world *w = run->world;
    int err = 0;
    for (uint32_t i = 0; i < w->n_clients && !err; i++) {
        run->there_s += w->client[i].client ? WATCH_S : 0;
        err = sim_client_watch(&w->client[i]);
    }
    if (!err && engine_now_us(w->engine) >= run->epoch_us) {
        err = sim_world_epoch(w);
        run->epoch_us +=
            (uint64_t)w->net.consensus->params.epoch_len_s * 1000000;
    }
    if (!err && run->pairs.measuring)
        err = held_note(run);
    if (!err)
        whole_pairs_watch(&run->pairs);
    return err ? err : run->pairs.err;
}

static void
run_progress(const struct network_run *run, double measured_s)
{
    const struct scenario *s = run->scenario;
    double share = 1;
    if (!run->options->progress)
        return;
    if (s->measure.texts > 0)
        share =
            (double)(run->pairs.arrived + run->pairs.lost) / s->measure.texts;
    if (s->run.measure_s > 0)
        share = fmin(share, measured_s / s->run.measure_s);
    run->options->progress(run->options->ctx,
                           run->pairs.measuring ? fmin(share, 1) : 0);
}

static int
carry_out(struct network_run *run, struct scenario_problem *problem)
{
    const struct scenario *s = run->scenario;
    struct world *w = run->world;
    struct whole_pairs *pairs = &run->pairs;
    double now_s = 0;
    for (int err = 0; !err;) {
        err = sim_is_stopped(run->options) ? ERR_CLOSED
                                           : sim_world_run(w, WATCH_S);
        now_s += WATCH_S;
        if (!err)
            err = run_watch(run);
        if (err)
            return err;
        if (!pairs->measuring && pairs->n_warm == pairs->n &&
            now_s >= s->run.warmup_s) {
            counts_take(run, &run->start);
            whole_pairs_measure(pairs);
        } else if (!pairs->measuring &&
                   now_s >= fmax(s->run.warmup_s, 0) + WARM_MAX_S +
                                (double)WARM_CONTACT_S * s->measure.contacts +
                                WARM_GAPS * s->measure.text_gap_mean_s) {
            snprintf(problem->text, sizeof problem->text,
                     "%" PRIu32 " of %" PRIu32 " pairs of clients got no text "
                     "through in time",
                     pairs->n - pairs->n_warm, pairs->n);
            return ERR_TIMEOUT;
        }
        const double measured_s =
            pairs->measuring
                ? (double)(engine_now_us(w->engine) - run->start.at_us) / 1e6
                : 0;
        run_progress(run, measured_s);
        if (pairs->measuring && measured_s >= s->run.measure_s &&
            whole_pairs_are_done(pairs))
            break;
    }
    counts_take(run, &run->end);
    return 0;
}

/* ---- results ---- */

static void
estimate_add(struct sim_result *r, const char *name, struct estimate e)
{
    result_add(r, name, e.value, e.half);
}

static void
count_add(struct sim_result *r, const char *name, uint64_t n)
{
    result_add(r, name, (double)n, NAN);
}

static void
texts_report(struct network_run *run, struct sim_result *r)
{
    const struct whole_pairs *p = &run->pairs;
    const size_t n = p->arrived;
    count_add(r, "text.sent", p->sent);
    count_add(r, "text.arrived", p->arrived);
    count_add(r, "text.lost", p->lost);
    count_add(r, "text.twice", p->twice);
    if (n == 0)
        return;
    estimate_add(r, "text.latency.mean", whole_mean(p->took_s, n));
    stats_sort(p->took_s, n);
    estimate_add(r, "text.latency.p50", stats_quantile(p->took_s, n, 0.5));
    estimate_add(r, "text.latency.p90", stats_quantile(p->took_s, n, 0.9));
    estimate_add(r, "text.latency.p99", stats_quantile(p->took_s, n, 0.99));
}

static void
relays_report(struct network_run *run, struct sim_result *r)
{
    const struct relay_stats *from = &run->start.relays;
    const struct relay_stats *to = &run->end.relays;
    const uint32_t batches = run->scenario->run.batches;
    uint64_t dropped = 0, lost = to->loops_lost - from->loops_lost;
    uint64_t loops = lost + to->loops_returned - from->loops_returned;
    for (size_t i = 0; i < ERROR_COUNT; i++)
        dropped += to->dropped[i] - from->dropped[i];
    count_add(r, "packets.dropped", dropped);
    estimate_add(r, "relay.held.mean",
                 whole_batch_mean(run->held, run->n_held,
                                  batches > 1 ? batches : BATCHES));
    if (loops > 0)
        result_add(r, "loops.lost", (double)lost / (double)loops, NAN);
}

static void
run_report(struct network_run *run, struct sim_result *r)
{
    const struct world *w = run->world;
    const double frame_len = w->net.consensus->params.geometry.packet_len;
    const double over = run->end.there_s - run->start.there_s;
    struct estimate up = whole_rate(run->end.up - run->start.up, over);
    struct estimate down = whole_rate(run->end.down - run->start.down, over);
    down.half = NAN; /* the downlink's clock is no Poisson process */
    texts_report(run, r);
    estimate_add(r, "link.up.packets", up);
    result_add(r, "link.up.bytes", up.value * frame_len, up.half * frame_len);
    estimate_add(r, "link.down.packets", down);
    result_add(r, "link.down.bytes", down.value * frame_len, NAN);
    relays_report(run, r);
    count_add(r, "events", engine_events(w->engine));
    r->course = engine_trace(w->engine);
}

static void
run_free(struct network_run *run)
{
    sim_world_free(&run->world); /* first: it may still point to pairs */
    whole_pairs_free(&run->pairs);
    free(run->held);
}

int
whole_run(const struct scenario *s, const struct sim_options *o,
          struct sim_result *r, struct scenario_problem *problem)
{
    struct network_run run = {.scenario = s, .options = o};
    struct whole_plan plan;
    *r = (struct sim_result){0};
    *problem = (struct scenario_problem){""};
    int err = whole_plan_make(&plan, s, o->real_crypto, problem);
    if (err)
        return err;
    secret_plain_begin();
    err = sim_world_new(&run.world, &plan.world);
    if (err == ERR_RANGE || err == ERR_FORMAT)
        snprintf(problem->text, sizeof problem->text,
                 "mix: these are no parameters that a consensus may have");
    if (err)
        goto out;
    run.world->committed = whole_pairs_committed;
    run.epoch_us = ((uint64_t)plan.world.net.params.epoch_len_s - 10) * 1000000;
    engine_tap(run.world->engine, frame_tapped, &run);
    if (o->trace)
        fputs("time_us,from,to\n", o->trace);
    err = clients_make(&run, &plan);
    if (!err)
        err = whole_pairs_make(&run.pairs, s, run.world);
    if (!err)
        err = carry_out(&run, problem);
    if (!err)
        run_report(&run, r);
out:
    run_free(&run);
    secret_plain_end();
    whole_plan_free(&plan);
    return err;
}
