/* sim/command/trial.c - see trial.h.
 *
 * Level packets: the same scenario with as many clients as fit into
 * TRIAL_MEMORY, for some 500,000 hops or 3,000,000 windows. What an event
 * costs, and what making a client costs, is then taken as many times as the
 * whole has of them.
 *
 * Level network: a few clients and a few texts. That all gets going costs with
 * each client and each contact, and so does each further text or second; what
 * it costs with two numbers of clients tells what relays cost by themselves.
 *
 * Level announce: few letters, and some more.
 *
 * Failure mode: a run of a trial fails, as the whole would. No state. */
#include "sim/command/trial.h"

#include <math.h>
#include <stdio.h>

#include "lib/os/clock.h"
#include "sim/command/jobs.h"

#define TRIAL_HOPS    500000.0
#define TRIAL_WINDOWS 3000000.0
#define TRIAL_MEMORY  (64.0 * 1048576)
#define TRIAL_EVENTS  1000 /* fewer are no measure */
#define CACHE_LEN     (16.0 * 1048576)
#define LABEL_COST    0.05 /* of an event, for each label */
#define BEYOND_CACHE  1.5
#define CLEAR_S       2e-9 /* of each packet under way, when a target is done */

enum {
    TRIAL_LETTERS = 100,
    FEW_CLIENTS = 8,
    MORE_CLIENTS = 24,
    MORE_TEXTS = 4, /* of each pair */
    FEW_CONTACTS = 8,
    MEASURE_S = 30
};

/* ---- memory ---- */

/* Of whole clients and relays: about what they hold when they are made, and
 * what the busiest of their tables grow to. */
#define PROGRAM_LEN   (4.0 * 1048576)
#define WHOLE_BASE    (12.0 * 1048576)
#define WHOLE_CLIENT  (550.0 * 1024)
#define WHOLE_CONTACT (8.0 * 1024)
#define WHOLE_RELAY   (1024.0 * 1024)

double
trial_memory(const struct scenario *s, const struct packets_plan *p,
             bool real_crypto)
{
    const double clients = scenario_clients_count(s);
    if (s->level == LEVEL_PACKETS)
        return PROGRAM_LEN + p->memory +
               (real_crypto ? p->inside * s->packet_len : 0);
    if (s->level == LEVEL_ANNOUNCE)
        return WHOLE_BASE + s->measure.texts * 200.0;
    return WHOLE_BASE +
           clients * (WHOLE_CLIENT + s->measure.contacts * WHOLE_CONTACT) +
           p->relays * WHOLE_RELAY;
}

/* ---- runs ---- */

static double
trial_clock_s(void)
{
    return (double)clock_mono_us() / 1e6;
}

struct trial {
    bool real_crypto;
    int err;
    struct scenario_problem *problem;
    struct sim_result result;
    double start_s, measure_s;
    bool started;
};

static void
trial_progress(void *ctx, double share)
{
    struct trial *t = ctx;
    if (share > 0 && !t->started) {
        t->started = true;
        t->measure_s = trial_clock_s();
    }
}

/* Carry out s. Returns the seconds that it took; 0 once anything has failed. */
static double
trial_run(struct trial *t, const struct scenario *s)
{
    const struct sim_options o = {
        .real_crypto = t->real_crypto, .progress = trial_progress, .ctx = t};
    if (t->err)
        return 0;
    t->started = false;
    t->start_s = trial_clock_s();
    t->err = job_run(s, &o, &t->result, t->problem);
    return trial_clock_s() - t->start_s;
}

/* Make groups smaller: `share` of each. Challengers are two, always. */
static void
clients_cut(struct scenario *s, double share)
{
    for (uint32_t i = 0; i < s->n_clients; i++) {
        struct scenario_clients *g = &s->clients[i];
        if (!g->challenger && g->send != SEND_TRACE)
            g->count = (uint32_t)fmax(1, round(g->count * share));
    }
}

/* ---- level packets ---- */

static double
metric_value(const struct trial *t, const char *name)
{
    const struct sim_metric *m = result_find(&t->result, name);
    return m && !isnan(m->value) ? m->value : 0;
}

static double
packets_seconds(struct trial *t, const struct scenario *s,
                const struct packets_plan *p)
{
    struct scenario cut = *s;
    const double share = fmin(1, TRIAL_MEMORY / (p->memory + 1));
    const double length_s = fmin(fmin(TRIAL_HOPS / (p->hops_hz * share + 1),
                                      TRIAL_WINDOWS * p->window_s),
                                 p->virtual_s);
    clients_cut(&cut, share);
    cut.run.warmup_s = 0;
    cut.run.measure_s = fmax(length_s, 0.001);
    cut.measure.targets = 0;
    cut.attack.kind = ATTACK_NONE; /* a flush is measured by its targets */
    const double all_s = trial_run(t, &cut);
    const double made_s = t->started ? t->measure_s - t->start_s : 0;
    /* The network has been filling up, so that events count and not time, if
     * there are enough of them. Each label of the tracker costs a twentieth; what
     * fits into no cache, half as much again. */
    const double events =
        (metric_value(t, "packets.hops") + metric_value(t, "packets.sent")) *
        cut.run.measure_s;
    const double labels = s->measure.targets ? s->measure.at_once : 0;
    const double factor = (1 + LABEL_COST * labels) *
                          (p->memory > CACHE_LEN && share == 1 ? BEYOND_CACHE
                           : p->memory > CACHE_LEN ? BEYOND_CACHE * BEYOND_CACHE
                                                   : 1);
    const double times = events > TRIAL_EVENTS
                             ? (p->hops_hz + p->sent_hz) * p->virtual_s / events
                             : p->virtual_s / cut.run.measure_s;
    return made_s / share + (all_s - made_s) * factor * times +
           s->measure.targets * p->inside * CLEAR_S;
}

/* ---- levels with texts ---- */

static double
letters_seconds(struct trial *t, const struct scenario *s)
{
    struct scenario cut = *s;
    const uint32_t few = TRIAL_LETTERS, more = 3 * few;
    if (s->measure.texts <= more)
        return trial_run(t, s);
    cut.measure.texts = few;
    const double few_s = trial_run(t, &cut);
    cut.measure.texts = more;
    const double more_s = trial_run(t, &cut);
    return few_s +
           fmax(more_s - few_s, 0) / (more - few) * (s->measure.texts - few);
}

/* So many clients, so many texts of each pair, so long: how long does it take?
 */
static double
whole_run_seconds(struct trial *t, const struct scenario *s, uint32_t clients,
                  uint32_t texts, double measure_s)
{
    struct scenario cut = *s;
    uint32_t count;
    clients_cut(&cut, fmin(1, (double)clients / scenario_clients_count(s)));
    count = scenario_clients_count(&cut);
    if (count % 2) {
        cut.clients[0].count++;
        count++;
    }
    cut.measure.texts = count / 2 * texts;
    cut.measure.contacts =
        s->measure.contacts < FEW_CONTACTS ? s->measure.contacts : FEW_CONTACTS;
    cut.run.measure_s = measure_s;
    cut.run.warmup_s = fmin(s->run.warmup_s, MEASURE_S);
    return trial_run(t, &cut);
}

static double
network_seconds(struct trial *t, const struct scenario *s)
{
    const double clients = scenario_clients_count(s);
    const double contacts = fmax(1, s->measure.contacts / (double)FEW_CONTACTS);
    const double texts = s->measure.texts / fmax(1, clients / 2);
    const double few_s = whole_run_seconds(t, s, FEW_CLIENTS, 1, 0.001);
    double all_s = few_s;
    if (clients > FEW_CLIENTS) {
        const double more_s = whole_run_seconds(t, s, MORE_CLIENTS, 1, 0.001);
        all_s += fmax(more_s - few_s, 0) * (clients - FEW_CLIENTS) /
                 (fmin(clients, MORE_CLIENTS) - FEW_CLIENTS);
    }
    const double text_s =
        fmax(whole_run_seconds(t, s, FEW_CLIENTS, MORE_TEXTS, 0.001) - few_s,
             0) /
        (MORE_TEXTS - 1);
    const double second_s =
        fmax(whole_run_seconds(t, s, FEW_CLIENTS, 1, MEASURE_S) - few_s, 0) /
        MEASURE_S;
    const double longer = (fmax(text_s * (texts - 1), 0) +
                           second_s * fmax(s->run.warmup_s - MEASURE_S, 0)) /
                          few_s;
    const double measured = second_s * s->run.measure_s / few_s;
    return t->err ? NAN : all_s * (contacts + fmax(longer, measured));
}

double
trial_seconds(const struct scenario *s, const struct packets_plan *p,
              bool real_crypto, int *err, struct scenario_problem *problem)
{
    struct trial t = {.real_crypto = real_crypto, .problem = problem};
    problem->text[0] = '\0';
    const double seconds = s->level == LEVEL_PACKETS ? packets_seconds(&t, s, p)
                           : s->level == LEVEL_NETWORK ? network_seconds(&t, s)
                                                       : letters_seconds(&t, s);
    *err = t.err;
    if (t.err && !problem->text[0])
        snprintf(problem->text, sizeof problem->text, "the trial failed: %s",
                 error_text(t.err));
    return t.err ? NAN : seconds;
}
