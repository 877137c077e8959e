/* sim/network_level/network_level.c - texts through a whole network, and what
 * is measured of it.
 *
 * The network is sim/world; this adds a node of the engine for each pair of
 * clients, whose timer sends that pair's texts, and one watch that looks at
 * everything once a second of virtual time.
 *
 * States of a run: warming up, until every pair has got its first text through
 * and run.warmup_s is over; measuring, until all texts have arrived or were
 * given up and run.measure_s is over. States of a pair: waiting for both its
 * clients to have a consensus; a text under way; a gap before the next; done.
 *
 * Timers: a pair's, for the next try, for a text's being given up, and for the
 * end of a gap. Failure modes: no memory ends the run; a warm-up that does not
 * end within an hour is ERR_TIMEOUT. */
#include "sim/network_level/network_level.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rng.h"
#include "lib/secret_plain.h"
#include "sim/network_level/network_level_internal.h"

enum {
    RETRY_S = 1,       /* looks for a consensus, looks at everything */
    PATIENCE_S = 600,  /* a text is lost after */
    WARM_MAX_S = 3600, /* a warm-up has failed after */
    BATCHES = 20,      /* where the scenario says nothing of them */
    TEXT_MAX = 32
};

struct run;

struct pair {
    struct run *run;
    struct env *env;
    struct world_client *a, *b; /* a sends */
    bool paired, warm, under_way;
    uint32_t quota, sent; /* without the first text, number 0 */
    uint64_t sent_us;
    uint8_t *seen; /* a bit for each text that has arrived */
};

/* Counts that only grow; a measurement is the difference of two. */
struct counts {
    uint64_t at_us, up, down;
    struct relay_stats relays;
};

struct run {
    const struct scenario *scenario;
    const struct sim_options *options;
    struct world *world;
    struct pair *pair;
    uint32_t n_pairs, n_warm, n_clients;
    uint32_t first_client, end_client; /* nodes */
    bool measuring;
    uint64_t up, down; /* frames of clients' links */
    double *took_s;    /* of each text that has arrived */
    uint64_t sent, arrived, lost, twice;
    double *held; /* packets in a relay on average, each second */
    size_t n_held, held_room;
    uint64_t epoch_us; /* the next one begins */
    struct counts start, end;
    int err;
};

/* ---- pairs ---- */

static void
fail(struct run *run, int err)
{
    if (err && !run->err)
        run->err = err;
}

static void
wait_s(struct pair *p, double s)
{
    env_timer(p->env, env_now_mono_us(p->env) + (uint64_t)(s * 1e6));
}

static void
text_send(struct pair *p, uint32_t number)
{
    char text[TEXT_MAX];
    uint64_t order;
    int n = snprintf(text, sizeof text, "text %" PRIu32, number);
    int err = client_send(p->a->client, "b", LETTER_TEXT, (uint8_t *)text,
                          (size_t)n, &order);
    fail(p->run, err);
    p->under_way = true;
    p->sent_us = env_now_mono_us(p->env);
    p->sent = number;
    p->run->sent += number > 0;
    wait_s(p, PATIENCE_S);
}

static void
gap_start(struct pair *p)
{
    const double mean_s = p->run->scenario->measure.text_gap_mean_s;
    p->under_way = false;
    if (!p->run->measuring || p->sent >= p->quota) {
        env_timer(p->env, UINT64_MAX);
        return;
    }
    env_timer(p->env, env_now_mono_us(p->env) +
                          rng_exp_us(p->env, (uint64_t)(mean_s * 1e6)));
}

static void
pair_make(struct pair *p)
{
    if (!client_consensus(p->a->client) || !client_consensus(p->b->client)) {
        wait_s(p, RETRY_S);
        return;
    }
    fail(p->run, sim_client_pair(p->a, "b", p->b, "a"));
    p->paired = true;
    text_send(p, 0);
}

static void
pair_tick(void *self)
{
    struct pair *p = self;
    if (p->run->err)
        return;
    if (!p->paired) {
        pair_make(p);
    } else if (!p->under_way) {
        text_send(p, p->sent + 1);
    } else if (!p->warm) {
        wait_s(p, PATIENCE_S); /* the whole warm-up has a limit */
    } else {
        p->run->lost++;
        gap_start(p);
    }
}

static void
text_arrived(struct pair *p, uint32_t number)
{
    struct run *run = p->run;
    if (number > p->quota)
        return;
    const uint8_t bit = (uint8_t)(1 << number % 8);
    if (p->seen[number / 8] & bit) {
        run->twice++;
        return;
    }
    p->seen[number / 8] |= bit;
    if (!p->under_way || number != p->sent)
        return; /* given up before */
    if (p->warm)
        run->took_s[run->arrived++] =
            (double)(env_now_mono_us(p->env) - p->sent_us) / 1e6;
    else
        run->n_warm++;
    p->warm = true;
    gap_start(p);
}

/* Something of a client has become durable: a message, perhaps. */
static void
client_committed(void *ctx, struct world_client *k)
{
    struct pair *p = k->owner;
    struct client_received r;
    (void)ctx;
    while (p && k == p->b && client_next(k->client, NULL, &r)) {
        char text[TEXT_MAX] = "";
        uint32_t number;
        memcpy(text, r.data, r.len < sizeof text ? r.len : sizeof text - 1);
        int err = client_release(k->client, r.order);
        if (err) {
            fail(p->run, err);
            return;
        }
        if (sscanf(text, "text %" SCNu32, &number) == 1)
            text_arrived(p, number);
    }
}

static void
pair_frame(void *self, uint32_t from, uint8_t *frame, size_t len)
{
    (void)self;
    (void)from;
    (void)frame;
    (void)len;
}

static uint32_t
pair_resolve(void *self, struct env_dest to)
{
    (void)self;
    (void)to;
    return UINT32_MAX;
}

static const struct sim_node_ops pair_ops = {pair_frame, pair_tick,
                                             pair_resolve, NULL};

/* ---- making ---- */

static int
clients_make(struct run *run, const struct whole_plan *plan)
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

static int
pairs_make(struct run *run)
{
    struct world *w = run->world;
    const uint32_t texts = run->scenario->measure.texts;
    const uint32_t n = w->n_clients / 2;
    run->pair = calloc(n + 1, sizeof *run->pair);
    run->took_s = calloc((size_t)texts + 1, sizeof *run->took_s);
    if (!run->pair || !run->took_s)
        return ERR_NOMEM;
    for (; run->n_pairs < n; run->n_pairs++) {
        struct pair *p = &run->pair[run->n_pairs];
        p->run = run;
        p->a = &w->client[2 * run->n_pairs];
        p->b = p->a + 1;
        p->a->owner = p->b->owner = p;
        p->quota = texts / n + (run->n_pairs < texts % n);
        p->seen = calloc(p->quota / 8 + 1, 1);
        uint32_t node = engine_add(w->engine, &pair_ops, false, &p->env);
        if (!p->seen || node == UINT32_MAX) {
            free(p->seen);
            return ERR_NOMEM;
        }
        engine_set_object(w->engine, node, p);
        wait_s(p, RETRY_S);
    }
    return 0;
}

/* ---- measuring ---- */

static void
frame_tapped(void *ctx, uint64_t now_us, uint32_t from, uint32_t to,
             const uint8_t *frame, size_t len)
{
    struct run *run = ctx;
    (void)frame;
    (void)len;
    run->up += from >= run->first_client && from < run->end_client;
    run->down += to >= run->first_client && to < run->end_client;
    if (run->options->trace)
        fprintf(run->options->trace, "%" PRIu64 ",%" PRIu32 ",%" PRIu32 "\n",
                now_us, from, to);
}

static void
counts_take(const struct run *run, struct counts *c)
{
    *c = (struct counts){.at_us = engine_now_us(run->world->engine),
                         .up = run->up,
                         .down = run->down};
    sim_world_stats(run->world, &c->relays);
}

static void
measure_start(struct run *run)
{
    run->measuring = true;
    counts_take(run, &run->start);
    for (uint32_t i = 0; i < run->n_pairs; i++)
        gap_start(&run->pair[i]);
}

static int
held_note(struct run *run)
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
watch(struct run *run)
{
    struct world *w = run->world;
    int err = 0;
    for (uint32_t i = 0; i < w->n_clients && !err; i++)
        err = sim_client_watch(&w->client[i]);
    if (!err && engine_now_us(w->engine) >= run->epoch_us) {
        err = sim_world_epoch(w);
        run->epoch_us +=
            (uint64_t)w->net.consensus->params.epoch_len_s * 1000000;
    }
    if (!err && run->measuring)
        err = held_note(run);
    return err ? err : run->err;
}

static void
progress(const struct run *run, double measured_s)
{
    const struct scenario *s = run->scenario;
    double share = 1;
    if (!run->options->progress)
        return;
    if (s->measure.texts > 0)
        share = (double)(run->arrived + run->lost) / s->measure.texts;
    if (s->run.measure_s > 0)
        share = fmin(share, measured_s / s->run.measure_s);
    run->options->progress(run->options->ctx,
                           run->measuring ? fmin(share, 1) : 0);
}

static int
carry_out(struct run *run, struct scenario_problem *problem)
{
    const struct scenario *s = run->scenario;
    struct world *w = run->world;
    double now_s = 0;
    for (int err = 0; !err;) {
        err = sim_world_run(w, RETRY_S);
        now_s += RETRY_S;
        if (!err)
            err = watch(run);
        if (err)
            return err;
        if (!run->measuring && run->n_warm == run->n_pairs &&
            now_s >= s->run.warmup_s) {
            measure_start(run);
        } else if (!run->measuring &&
                   now_s >= fmax(s->run.warmup_s, 0) + WARM_MAX_S) {
            snprintf(problem->text, sizeof problem->text,
                     "%" PRIu32 " of %" PRIu32 " pairs of clients got no text "
                     "through within an hour",
                     run->n_pairs - run->n_warm, run->n_pairs);
            return ERR_TIMEOUT;
        }
        const double measured_s =
            run->measuring
                ? (double)(engine_now_us(w->engine) - run->start.at_us) / 1e6
                : 0;
        progress(run, measured_s);
        if (run->measuring && measured_s >= s->run.measure_s &&
            run->arrived + run->lost >= s->measure.texts)
            break;
    }
    counts_take(run, &run->end);
    return 0;
}

/* ---- results ---- */

static void
add(struct sim_result *r, const char *name, const char *unit, struct estimate e)
{
    result_add(r, name, unit, e.value, e.half);
}

static void
count(struct sim_result *r, const char *name, const char *unit, uint64_t n)
{
    result_add(r, name, unit, (double)n, NAN);
}

static void
texts_report(struct run *run, struct sim_result *r)
{
    const size_t n = run->arrived;
    count(r, "text.sent", "texts", run->sent);
    count(r, "text.arrived", "texts", run->arrived);
    count(r, "text.lost", "texts", run->lost);
    count(r, "text.twice", "texts", run->twice);
    if (n == 0)
        return;
    add(r, "text.latency.mean", "s", whole_mean(run->took_s, n));
    stats_sort(run->took_s, n);
    add(r, "text.latency.p50", "s", stats_quantile(run->took_s, n, 0.5));
    add(r, "text.latency.p90", "s", stats_quantile(run->took_s, n, 0.9));
    add(r, "text.latency.p99", "s", stats_quantile(run->took_s, n, 0.99));
}

static void
relays_report(struct run *run, struct sim_result *r)
{
    const struct relay_stats *from = &run->start.relays;
    const struct relay_stats *to = &run->end.relays;
    const uint32_t batches = run->scenario->run.batches;
    uint64_t dropped = 0, lost = to->loops_lost - from->loops_lost;
    uint64_t loops = lost + to->loops_returned - from->loops_returned;
    for (size_t i = 0; i < ERROR_COUNT; i++)
        dropped += to->dropped[i] - from->dropped[i];
    count(r, "packets.dropped", "packets", dropped);
    add(r, "relay.held.mean", "packets",
        whole_batch_mean(run->held, run->n_held,
                         batches > 1 ? batches : BATCHES));
    if (loops > 0)
        result_add(r, "loops.lost", "share", (double)lost / (double)loops, NAN);
}

static void
report(struct run *run, struct sim_result *r)
{
    const struct world *w = run->world;
    const double frame_len = w->net.consensus->params.geometry.packet_len;
    const double over =
        (double)(run->end.at_us - run->start.at_us) / 1e6 * w->n_clients;
    struct estimate up = whole_rate(run->end.up - run->start.up, over);
    struct estimate down = whole_rate(run->end.down - run->start.down, over);
    down.half = NAN; /* the downlink's clock is no Poisson process */
    texts_report(run, r);
    add(r, "link.up.packets", "packets/s", up);
    result_add(r, "link.up.bytes", "bytes/s", up.value * frame_len,
               up.half * frame_len);
    add(r, "link.down.packets", "packets/s", down);
    result_add(r, "link.down.bytes", "bytes/s", down.value * frame_len, NAN);
    relays_report(run, r);
    count(r, "events", "events", engine_events(w->engine));
    r->course = engine_trace(w->engine);
}

static void
run_free(struct run *run)
{
    sim_world_free(&run->world); /* first: it may still point to pairs */
    for (uint32_t i = 0; i < run->n_pairs; i++)
        free(run->pair[i].seen);
    free(run->pair);
    free(run->took_s);
    free(run->held);
}

int
whole_run(const struct scenario *s, const struct sim_options *o,
          struct sim_result *r, struct scenario_problem *problem)
{
    struct run run = {.scenario = s, .options = o};
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
    run.world->committed = client_committed;
    run.world->ctx = &run;
    run.epoch_us = ((uint64_t)plan.world.net.params.epoch_len_s - 10) * 1000000;
    engine_tap(run.world->engine, frame_tapped, &run);
    if (o->trace)
        fputs("time_us,from,to\n", o->trace);
    err = clients_make(&run, &plan);
    if (!err)
        err = pairs_make(&run);
    if (!err)
        err = carry_out(&run, problem);
    if (!err)
        report(&run, r);
out:
    run_free(&run);
    secret_plain_end();
    whole_plan_free(&plan);
    return err;
}
