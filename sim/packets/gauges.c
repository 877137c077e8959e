/* sim/packets/gauges.c - sums of batches, and the figures made of them.
 *
 * What is measured while the run goes on is added to the batch of its time; at
 * the end each figure is made of each batch (BATCH_FN), and its interval is
 * that of their mean. So what is near in time, and not independent, is in one
 * batch. Targets, which are independent, are kept one by one and resampled
 * (FOUND_FN).
 *
 * States: before gauges_begin(), when nothing counts; measuring; after the last
 * batch, when nothing counts but targets that are still to be done. Failure
 * mode: a batch without what a figure is made of is left out of its mean; where
 * no batch has any, the figure is NAN. */
#include "sim/packets/gauges.h"

#include <math.h>
#include <stdlib.h>

#include "network/consensus.h"

enum { RESAMPLES = 400 };
static const double delta_epsilon[GAUGE_DELTAS] = {0.5, 1, 2};

int
gauges_new(struct gauges **out, const struct scenario *s, uint32_t clients)
{
    struct gauges *g = calloc(1, sizeof *g);
    int err = ERR_NOMEM;
    *out = NULL;
    if (!g)
        return ERR_NOMEM;
    g->scenario = s;
    g->n_batches = s->run.batches;
    g->length_us = (uint64_t)(s->run.measure_s * 1e6);
    g->batch = calloc(g->n_batches, sizeof *g->batch);
    g->found_room = s->measure.targets;
    g->found = calloc(g->found_room + 1, sizeof *g->found);
    const size_t most =
        g->n_batches > g->found_room ? g->n_batches : g->found_room;
    g->scratch = calloc(most + 1, sizeof *g->scratch);
    if (!g->batch || !g->found || !g->scratch)
        goto out;
    err = s->measure.path_messages > 0 ? paths_new(&g->paths, clients) : 0;
out:
    if (err)
        gauges_free(&g);
    *out = g;
    return err;
}

void
gauges_free(struct gauges **g)
{
    if (!*g)
        return;
    paths_free(&(*g)->paths);
    free((*g)->batch);
    free((*g)->found);
    free((*g)->scratch);
    free(*g);
    *g = NULL;
}

void
gauges_begin(struct gauges *g, uint64_t now_us)
{
    g->begin_us = now_us;
}

/* Batch i is from begin + i * length / n on. */
static uint64_t
batch_begin_us(const struct gauges *g, uint64_t i)
{
    return g->begin_us + (i * g->length_us + g->n_batches - 1) / g->n_batches;
}

struct gauge_batch *
gauges_find(struct gauges *g, uint64_t now_us)
{
    if (g->begin_us == 0 || now_us < g->begin_us ||
        now_us >= g->begin_us + g->length_us)
        return NULL;
    uint64_t i = (now_us - g->begin_us) * g->n_batches / g->length_us;
    g->found_batch = &g->batch[i];
    g->found_us = batch_begin_us(g, i);
    g->found_len_us = batch_begin_us(g, i + 1) - g->found_us;
    return g->found_batch;
}

void
gauges_found(struct gauges *g, const struct target_found *f)
{
    if (g->n_found < g->found_room)
        g->found[g->n_found++] = *f;
}

static void
loss_add(struct gauge_loss *l, double p0, double p1)
{
    if (p0 <= 0 && p1 <= 0)
        return; /* it can be from neither */
    l->n++;
    if (p0 > 0 && p1 > 0)
        l->sum += fabs(log(p0 / p1));
    else
        l->infinite++;
}

void
gauges_loss(struct gauge_batch *b, double p0, double p1)
{
    loss_add(&b->loss, p0, p1);
}

/* delta(epsilon) = E max(0, 1 - e^(epsilon - L)) over the losses L of own
 * packets (Dwork and Roth 2014, section 3.5; here of the passive observer who
 * compares two senders). */
void
gauges_own(struct gauge_batch *b, double own, double other)
{
    loss_add(&b->own, own, other);
    for (size_t k = 0; own > 0 && k < GAUGE_DELTAS; k++)
        b->beyond[k] += fmax(0, 1 - exp(delta_epsilon[k]) * other / own);
}

/* ---- figures ---- */

typedef double (*batch_fn)(const struct gauge_batch *b, double seconds,
                           const struct scenario *s);

/* Mean over batches of what fn makes of each; batches without any are left
 * out. */
static void
report_batches(const struct gauges *g, struct sim_result *r, const char *name,
               batch_fn fn)
{
    double *x = g->scratch;
    const double seconds = (double)g->length_us / 1e6 / g->n_batches;
    size_t n = 0;
    for (uint32_t i = 0; i < g->n_batches; i++) {
        double v = fn(&g->batch[i], seconds, g->scenario);
        if (!isnan(v))
            x[n++] = v;
    }
    struct estimate e = stats_mean(x, n);
    result_add(r, name, e.value, e.half);
}

static double
batch_ratio(double a, double b)
{
    return b > 0 ? a / b : NAN;
}

#define BATCH_FN(name, expression)                                  \
    static double name(const struct gauge_batch *b, double seconds, \
                       const struct scenario *s)                    \
    {                                                               \
        (void)seconds;                                              \
        (void)s;                                                    \
        return expression;                                          \
    }
BATCH_FN(batch_latency,
         batch_ratio(b->latency.sum_us / 1e6, (double)b->latency.n))
BATCH_FN(batch_p50, stats_times_quantile_us(&b->latency, 0.5) / 1e6)
BATCH_FN(batch_p90, stats_times_quantile_us(&b->latency, 0.9) / 1e6)
BATCH_FN(batch_p99, stats_times_quantile_us(&b->latency, 0.99) / 1e6)
BATCH_FN(batch_store,
         batch_ratio(b->to_store.sum_us / 1e6, (double)b->to_store.n))
BATCH_FN(batch_store_p50, stats_times_quantile_us(&b->to_store, 0.5) / 1e6)
BATCH_FN(batch_store_p99, stats_times_quantile_us(&b->to_store, 0.99) / 1e6)
BATCH_FN(batch_sd, stats_times_sd_us(&b->latency) / 1e6)
BATCH_FN(batch_sent, (double)b->sent / seconds)
BATCH_FN(batch_out, (double)b->out / seconds)
BATCH_FN(batch_hops, (double)b->hops / seconds)
BATCH_FN(batch_lost, batch_ratio((double)b->lost, (double)(b->lost + b->out)))
BATCH_FN(batch_entropy, batch_ratio(b->entropy_sum, (double)b->entropy_n))
BATCH_FN(batch_held, batch_ratio(b->held_sum, (double)b->held_n))
BATCH_FN(batch_inside, batch_ratio(b->inside_sum, (double)b->samples))
BATCH_FN(batch_online, batch_ratio(b->online_sum, (double)b->samples))
BATCH_FN(batch_loss,
         batch_ratio(b->loss.sum, (double)(b->loss.n - b->loss.infinite)))
BATCH_FN(batch_loss_infinite,
         batch_ratio((double)b->loss.infinite, (double)b->loss.n))
BATCH_FN(batch_own,
         batch_ratio(b->own.sum, (double)(b->own.n - b->own.infinite)))
BATCH_FN(batch_own_infinite,
         batch_ratio((double)b->own.infinite, (double)b->own.n))
BATCH_FN(batch_delta_half, batch_ratio(b->beyond[0], (double)b->own.n))
BATCH_FN(batch_delta_1, batch_ratio(b->beyond[1], (double)b->own.n))
BATCH_FN(batch_delta_2, batch_ratio(b->beyond[2], (double)b->own.n))
BATCH_FN(batch_watch_send,
         batch_ratio(b->watched_nats[0], (double)b->watched[0]))
BATCH_FN(batch_watch_poll,
         batch_ratio(b->watched_nats[1], (double)b->watched[1]))
BATCH_FN(batch_up, batch_ratio((double)b->sent / seconds * s->packet_len,
                               batch_ratio(b->online_sum, (double)b->samples)))
BATCH_FN(batch_relay,
         (double)b->hops / seconds * s->packet_len / scenario_relays(s))

/* The variance of what mixes hold is about the mean of all batches. */
static void
report_held(const struct gauges *g, struct sim_result *r)
{
    double *x = g->scratch, sum = 0, n = 0;
    report_batches(g, r, "occupancy.mean", batch_held);
    for (uint32_t i = 0; i < g->n_batches; i++) {
        sum += g->batch[i].held_sum;
        n += (double)g->batch[i].held_n;
    }
    for (uint32_t i = 0; i < g->n_batches; i++) {
        const struct gauge_batch *b = &g->batch[i];
        const double k = (double)b->held_n, mean = sum / n;
        x[i] = batch_ratio(
            b->held_squares - 2 * mean * b->held_sum + k * mean * mean, k);
    }
    struct estimate e = stats_mean(x, g->n_batches);
    result_add(r, "occupancy.variance", e.value, e.half);
}

typedef double (*found_fn)(const struct target_found *f);
#define FOUND_FN(name, expression)                   \
    static double name(const struct target_found *f) \
    {                                                \
        return expression;                           \
    }
FOUND_FN(found_shannon, f->shannon)
FOUND_FN(found_min, f->min)
FOUND_FN(found_set, exp2(f->shannon))
FOUND_FN(found_degree, f->degree)
FOUND_FN(found_guess, f->guess)
FOUND_FN(found_truth, f->truth)
FOUND_FN(found_collision, f->collision)
FOUND_FN(found_linked, f->guess > 1 - 1e-6)
FOUND_FN(found_first, f->first)

static const struct {
    const char *name;
    found_fn fn;
} found_figures[] = {
    {"entropy.shannon", found_shannon},     {"entropy.min", found_min},
    {"entropy.effective_set", found_set},   {"entropy.degree", found_degree},
    {"entropy.guess", found_guess},         {"entropy.truth", found_truth},
    {"entropy.collision", found_collision}, {"entropy.linked", found_linked},
    {"entropy.next", found_first}};

static void
report_found(const struct gauges *g, struct sim_result *r)
{
    double *x = g->scratch;
    for (size_t k = 0; k < sizeof found_figures / sizeof *found_figures; k++) {
        size_t n = 0;
        for (uint32_t i = 0; i < g->n_found; i++) {
            double v = found_figures[k].fn(&g->found[i]);
            if (!isnan(v))
                x[n++] = v;
        }
        struct estimate e = stats_bootstrap(x, n, RESAMPLES, k);
        result_add(r, found_figures[k].name, e.value, e.half);
    }
    result_add(r, "entropy.targets", g->n_found, NAN);
}

static void
report_paths(const struct gauges *g, struct sim_result *r)
{
    struct estimate share = paths_share(g->paths);
    struct estimate caught =
        paths_caught(g->paths, g->scenario->measure.path_messages);
    result_add(r, "paths.corrupt", share.value, share.half);
    result_add(r, "paths.caught", caught.value, caught.half);
    result_add(r, "paths.median", paths_median(g->paths), NAN);
}

void
gauges_report(const struct gauges *g, struct sim_result *r)
{
    const struct scenario_measure *m = &g->scenario->measure;
    report_batches(g, r, "packets.sent", batch_sent);
    report_batches(g, r, "packets.out", batch_out);
    report_batches(g, r, "packets.hops", batch_hops);
    report_batches(g, r, "packets.lost", batch_lost);
    report_batches(g, r, "packets.inside", batch_inside);
    report_batches(g, r, "clients.online", batch_online);
    report_batches(g, r, "bandwidth.client", batch_up);
    report_batches(g, r, "bandwidth.relay", batch_relay);
    if (m->latency) {
        report_batches(g, r, "latency.mean", batch_latency);
        report_batches(g, r, "latency.sd", batch_sd);
        report_batches(g, r, "latency.p50", batch_p50);
        report_batches(g, r, "latency.p90", batch_p90);
        report_batches(g, r, "latency.p99", batch_p99);
    }
    if (m->latency && g->scenario->network.trip == TRIP_ROUND) {
        report_batches(g, r, "latency.store.mean", batch_store);
        report_batches(g, r, "latency.store.p50", batch_store_p50);
        report_batches(g, r, "latency.store.p99", batch_store_p99);
    }
    if (m->occupancy)
        report_held(g, r);
    if (m->mix_entropy)
        report_batches(g, r, "mix_entropy", batch_entropy);
    if (m->targets > 0)
        report_found(g, r);
    if (m->epsilon) {
        report_batches(g, r, "epsilon.mean", batch_loss);
        report_batches(g, r, "epsilon.infinite", batch_loss_infinite);
        report_batches(g, r, "epsilon.own.mean", batch_own);
        report_batches(g, r, "epsilon.own.infinite", batch_own_infinite);
        report_batches(g, r, "epsilon.own.delta_at_0.5", batch_delta_half);
        report_batches(g, r, "epsilon.own.delta_at_1", batch_delta_1);
        report_batches(g, r, "epsilon.own.delta_at_2", batch_delta_2);
    }
    if (m->watch) {
        report_batches(g, r, "watch.send", batch_watch_send);
        report_batches(g, r, "watch.poll", batch_watch_poll);
    }
    if (g->paths)
        report_paths(g, r);
}
