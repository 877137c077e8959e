/* sim/command/explain.c - a scenario in sentences, with an estimate of its
 * cost.
 *
 * Memory is told before any of it is taken, and so is what is there to do; how
 * long it takes on this machine is told by a trial after that (trial.h).
 * Failure mode: a trial that fails is said as the run's failure would be. No
 * state. */
#include "sim/command/explain.h"

#include <inttypes.h>
#include <math.h>

#include "lib/os/program.h"
#include "sim/command/trial.h"

static const char program[] = "brusio-sim";

static const char *
strategy_text(const struct mix_params *m)
{
    switch (m->strategy) {
    case MIX_TIMED_POOL:
        return "timed pool";
    case MIX_THRESHOLD_POOL:
        return "threshold pool";
    case MIX_BINOMIAL:
        return "binomial";
    default:
        return "poisson";
    }
}

static void
explain_network(const struct scenario *s)
{
    const struct scenario_network *n = &s->network;
    static const char *const topology[] = {"", "stratified", "cascade",
                                           "free route"};
    printf("  %s, %" PRIu32 " %s: ", topology[n->topology], n->layers,
           n->topology == TOPOLOGY_FREE_ROUTE ? "hops" : "layers of mixes");
    for (uint32_t i = 0; i < n->layers; i++)
        if (i == 0 || n->topology != TOPOLOGY_FREE_ROUTE)
            printf("%s%" PRIu32, i ? " + " : "", n->widths[i]);
    printf("; %" PRIu32 " gateways, %" PRIu32 " stores\n", n->gateways,
           n->trip == TRIP_ROUND ? n->stores : 0);
    printf("  mixing: %s", strategy_text(&s->mix.params));
    if (s->mix.params.strategy == MIX_POISSON)
        printf(", mean %.6g ms at each relay",
               (double)s->mix.delay_mean_us / 1000);
    printf("\n  links: %.6g ms", (double)n->latency_fixed_us / 1000);
    if (n->latency_law == LATENCY_EXPONENTIAL)
        printf(" and an exponential of mean %.6g ms",
               (double)n->latency_mean_us / 1000);
    if (n->latency_law == LATENCY_MATRIX)
        printf(", or as in %s", n->latency_file);
    printf("; %.6g %% lost\n", n->loss * 100);
    if (n->corrupt > 0 || n->corrupt_of_layer > 0)
        printf("  corrupt: %" PRIu32 " mixes, and %.6g %% of each layer\n",
               n->corrupt, n->corrupt_of_layer * 100);
}

static void
explain_clients(const struct scenario *s)
{
    static const char *const send[] = {"", "at Poisson times",
                                       "at equal intervals", "as a file says"};
    for (uint32_t i = 0; i < s->n_clients; i++) {
        const struct scenario_clients *g = &s->clients[i];
        double hz =
            (g->profile.send_mhz + g->profile.poll_mhz + g->profile.loop_mhz) /
            1000.0;
        printf("  %" PRIu32 " clients send ", g->count);
        if (g->rates_mhz)
            fputs("each at a rate of its own ", stdout);
        else if (g->send != SEND_TRACE)
            printf("%.6g packets/s each (%s) ", hz, g->profile.name);
        printf("%s%s\n", send[g->send],
               g->challenger ? "; the observer compares them" : "");
        if (g->stay_mean_s > 0)
            printf("    there for %.6g s on average, then away for %.6g s\n",
                   g->stay_mean_s, g->away_mean_s);
    }
}

static void
explain_measure(const struct scenario *s)
{
    const struct scenario_measure *m = &s->measure;
    if (s->run.warmup_s < 0)
        fputs("  warms up until the packets under way are stationary, then",
              stdout);
    else
        printf("  warms up for %.6g s, then", s->run.warmup_s);
    printf(" measures for %.6g s", s->run.measure_s);
    if (m->targets > 0)
        printf(" and until %" PRIu32 " tagged packets have come out",
               m->targets);
    if (m->texts > 0 && m->first)
        printf(" and until %" PRIu32 " first texts of %" PRIu32
               " contacts have come",
               m->texts, m->contacts);
    else if (m->texts > 0)
        printf(" and until %" PRIu32 " texts have come", m->texts);
    puts("");
    if (s->attack.kind == ATTACK_DROP)
        printf(
            "  the adversary withholds %.6g %% of what goes to relay %" PRIu32
            "\n",
            s->attack.share * 100, s->attack.relay);
    if (s->attack.kind == ATTACK_FLUSH)
        printf("  the adversary empties relay %" PRIu32
               " for %.6g s and lets one target in, again and again\n",
               s->attack.relay, s->attack.block_s);
}

/* Level announce. */
static void
explain_announce(const struct scenario *s)
{
    static const char *const use[] = {
        "",
        "nobody writes; what lists cost",
        "two write in turn",
        "contacts write to one who has been connected for a minute",
        "a file goes from one to another",
        "one writes a text to each of a group",
        "one writes to a host, who writes it to each of a group",
        "all contacts ask one, who answers at once",
        "a contact probes a user, who talks with nobody or with others"};
    const struct scenario_announce *a = &s->announce;
    printf("  %s; %" PRIu32 " contacts, %" PRIu32 " letters\n", use[a->use],
           a->contacts, s->measure.texts);
    if (a->poll_mhz > 0)
        printf("  polls are %.6g a second instead of the profile's\n",
               a->poll_mhz / 1000.0);
    if (a->schedule == SCHEDULE_RECENCY)
        puts("  polls follow recency, as they did before there were fronts");
    else
        printf("  of 64 polls %" PRIu32 " for each of %" PRIu32
               " fronts, %" PRIu32 " for the lane, %" PRIu32 " for the sweep\n",
               a->front_share, a->fronts, a->lane_share, a->sweep_share);
    printf("  %" PRIu32 " boards, a list each %.6g s, %.6g announcements and "
           "%.6g for cover of each client in an hour\n",
           a->boards, (double)a->interval_us / 1e6, a->per_hour_m / 1000.0,
           a->cover_per_hour_m / 1000.0);
}

/* ---- what it costs ---- */

static void
explain_cost(const struct scenario *s, const struct packets_plan *p,
             const struct jobs_config *config)
{
    const double memory = trial_memory(s, p, config->real_crypto);
    if (s->level != LEVEL_ANNOUNCE)
        printf("  expected: %.3g packets/s, %.3g hops/s, %.3g packets under "
               "way\n",
               p->sent_hz, p->hops_hz, p->inside);
    if (s->level == LEVEL_PACKETS)
        printf("  %" PRIu32 " run%s of at least %.3g s virtual time, about "
               "%.3g MiB of memory each\n",
               s->runs, s->runs == 1 ? "" : "s", p->virtual_s,
               memory / 1048576);
    else
        printf("  %" PRIu32 " run%s, about %.3g MiB of memory each\n", s->runs,
               s->runs == 1 ? "" : "s", memory / 1048576);
    fflush(stdout); /* before any of it is taken */
}

static int
explain_case(const struct scenario *s, const char *file,
             const struct jobs_config *config, double *seconds)
{
    struct packets_plan p;
    struct scenario_problem problem = {""};
    int err;
    packets_plan(s, &p);
    printf("\n%s\n", s->name);
    explain_network(s);
    explain_clients(s);
    if (s->level == LEVEL_ANNOUNCE)
        explain_announce(s);
    else
        explain_measure(s);
    explain_cost(s, &p, config);
    *seconds = trial_seconds(s, &p, config->real_crypto, &err, &problem);
    if (err) {
        program_fail(program, "%s: %s", file, problem.text);
        return jobs_exit_status(err);
    }
    printf("  about %.2g s each, as a short trial says\n", *seconds);
    *seconds *= s->runs;
    return 0;
}

int
explain(const struct scenario_file *f, const char *file,
        const struct jobs_config *config)
{
    double sum_s = 0;
    size_t runs = 0;
    printf("%s%s%s\n", f->name, f->about ? ": " : "", f->about ? f->about : "");
    for (size_t i = 0; i < f->n_cases; i++) {
        double case_s;
        const int status = explain_case(f->cases[i], file, config, &case_s);
        if (status)
            return status;
        sum_s += case_s;
        runs += f->cases[i]->runs;
    }
    double threads = fmin(config->threads, (double)runs);
    printf("\nin all about %.2g s with %.0f thread%s; %zu expectations\n",
           sum_s / threads, threads, threads > 1 ? "s" : "", f->n_expects);
    return 0;
}
