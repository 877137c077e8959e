/* sim/scenario/scenario_check.c - do the values of a scenario go together?
 *
 * Each value's own range is the tables' matter. Here is what depends on another
 * one: what a level can measure and has room for, what a round trip needs,
 * delays that packets can say, relays that have numbers. What would not be
 * looked at is refused, too, since somebody meant something by it.
 *
 * No state. The first thing that is wrong is said, with its path. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/scenario/scenario_fields.h"

enum {
    NETWORK_CLIENTS_MAX = 10000,
    NETWORK_DELAY_MAX_US = 60000000,
    DELAY_UNITS_MAX = UINT16_MAX, /* a packet says delays in so many */
    DELAY_MEANS = 10 /* that have to fit: 45 of a million delays are longer */
};

static bool __attribute__((format(printf, 2, 3)))
check_fail(struct scenario_problem *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(p->text, sizeof p->text, format, args);
    va_end(args);
    return false;
}

static bool
trip_check(const struct scenario_network *n, struct scenario_problem *p)
{
    if (n->trip == TRIP_ONE_WAY && n->gateways + n->stores > 0)
        return check_fail(
            p, "network.trip: one-way has neither gateways nor stores; "
               "leave them out or make it round");
    if (n->trip == TRIP_ONE_WAY)
        return true;
    if (n->topology != TOPOLOGY_STRATIFIED)
        return check_fail(
            p, "network.topology: a round trip is through layers; must "
               "be \"stratified\", or network.trip \"one-way\"");
    if (n->gateways == 0)
        return check_fail(p,
                          "network.gateways: a round trip needs one at least");
    if (n->stores == 0)
        return check_fail(p, "network.stores: a round trip needs one at least");
    return true;
}

/* A free route never stays where it is. */
static bool
free_route_check(const struct scenario_network *n, struct scenario_problem *p)
{
    uint32_t likely = 0;
    if (n->topology != TOPOLOGY_FREE_ROUTE)
        return true;
    for (uint32_t i = 0; i < n->widths[0]; i++)
        likely += !n->weights || n->weights[i] > 0;
    return likely >= 2 ||
           check_fail(p, "network.width: a free route needs 2 relays "
                         "at least (of weight above 0)");
}

static bool
corrupt_check(const struct scenario *s, struct scenario_problem *p)
{
    const struct scenario_network *n = &s->network;
    uint32_t mixes = scenario_relays(s) - n->gateways - n->stores;
    if (n->corrupt > 0 && n->corrupt_of_layer > 0)
        return check_fail(p, "network.corrupt: give this or corrupt_of_layer");
    return n->corrupt <= mixes ||
           check_fail(p, "network.corrupt: is %u, but there are %u mixes",
                      (unsigned)n->corrupt, (unsigned)mixes);
}

/* What would not be looked at was meant for something. */
static bool
latency_check(const struct scenario_network *n, struct scenario_problem *p)
{
    bool matrix = n->latency_law == LATENCY_MATRIX;
    if (matrix && !n->latency_file[0])
        return check_fail(
            p, "network.latency.file: is missing; law \"matrix\" reads "
               "it");
    if (!matrix && n->latency_file[0])
        return check_fail(p,
                          "network.latency.file: only law \"matrix\" reads it");
    if (matrix && n->latency_fixed_us > 0)
        return check_fail(
            p, "network.latency.fixed_ms: law \"matrix\" has all from "
               "its file");
    if (n->latency_law != LATENCY_EXPONENTIAL && n->latency_mean_us > 0)
        return check_fail(p,
                          "network.latency.mean_ms: is law \"exponential\"'s");
    return true;
}

/* Relays have numbers of two bytes. */
static bool
relays_check(const struct scenario *s, struct scenario_problem *p)
{
    return scenario_relays(s) <= UINT16_MAX ||
           check_fail(
               p,
               "network: makes %u relays, with gateways and stores; at most "
               "%d",
               (unsigned)scenario_relays(s), UINT16_MAX);
}

static bool
network_check(const struct scenario *s, struct scenario_problem *p)
{
    return trip_check(&s->network, p) && free_route_check(&s->network, p) &&
           corrupt_check(s, p) && latency_check(&s->network, p) &&
           relays_check(s, p);
}

/* ---- delays ---- */

/* The law of a delay must not show that there is a longest one. */
static bool
delay_fits(const struct scenario *s, const char *key, double fixed_us,
           double mean_us, struct scenario_problem *p)
{
    const bool whole = s->level == LEVEL_NETWORK;
    const double most_us = whole
                               ? NETWORK_DELAY_MAX_US
                               : (double)DELAY_UNITS_MAX * s->mix.delay_unit_us;
    const double parts =
        strcmp(key, "poll_delay_mean_ms") == 0 ? s->network.layers : 1;
    if (fixed_us > most_us)
        return check_fail(p, "mix.store_delay_fixed_ms: at most %.6g, not %.6g",
                          most_us / 1000, fixed_us / 1000);
    if (fixed_us + DELAY_MEANS * mean_us <= most_us)
        return true;
    const double allowed_ms =
        floor((most_us - fixed_us) / DELAY_MEANS * parts) / 1000;
    if (whole)
        return check_fail(
            p,
            "mix.%s: at level \"network\" at most %.6g, not %.6g, "
            "so that no delay is cut: one lasts %d s at most",
            key, allowed_ms, mean_us * parts / 1000,
            NETWORK_DELAY_MAX_US / 1000000);
    return check_fail(
        p,
        "mix.%s: at most %.6g, not %.6g, with a mix.delay_unit_us of "
        "%u, so that no delay is cut: packets say delays in 65,535 "
        "units at most",
        key, allowed_ms, mean_us * parts / 1000,
        (unsigned)s->mix.delay_unit_us);
}

static bool
delays_check(const struct scenario *s, struct scenario_problem *p)
{
    const struct scenario_mix *m = &s->mix;
    const bool round = s->network.trip == TRIP_ROUND;
    if (s->level == LEVEL_ANNOUNCE)
        return true; /* there no packet says them */
    if (m->params.strategy == MIX_POISSON &&
        !delay_fits(s, "delay_mean_ms", 0, (double)m->delay_mean_us, p))
        return false;
    if (m->params.strategy == MIX_POISSON && round &&
        !delay_fits(s, "poll_delay_mean_ms", 0,
                    (double)m->poll_delay_mean_us / s->network.layers, p))
        return false;
    return !round ||
           delay_fits(s, "store_delay_mean_ms", (double)m->store_delay_fixed_us,
                      (double)m->store_delay_mean_us, p);
}

static uint64_t
clients_count(const struct scenario *s)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < s->n_clients; i++)
        sum += s->clients[i].count;
    return sum;
}

static bool
clients_check(const struct scenario *s, struct scenario_problem *p)
{
    uint64_t rates = 0;
    for (uint32_t i = 0; i < s->n_clients; i++) {
        const struct scenario_clients *c = &s->clients[i];
        rates += c->n_rates;
        if ((c->stay_mean_s > 0) != (c->away_mean_s > 0))
            return check_fail(p,
                              "clients[%u].stay_mean_s: goes with away_mean_s: "
                              "both are above 0 or none",
                              (unsigned)i);
        if ((c->send == SEND_TRACE) != (c->trace[0] != 0))
            return check_fail(p,
                              "clients[%u].send: \"trace\" and a trace go "
                              "together",
                              (unsigned)i);
    }
    if (clients_count(s) > SCENARIO_CLIENTS_MAX)
        return check_fail(p, "clients: are %llu in all; at most %d",
                          (unsigned long long)clients_count(s),
                          SCENARIO_CLIENTS_MAX);
    if (rates > SCENARIO_RATES_MAX)
        return check_fail(p, "clients: have %llu rates in all; at most %d",
                          (unsigned long long)rates, SCENARIO_RATES_MAX);
    return true;
}

static bool
measure_check(const struct scenario *s, struct scenario_problem *p)
{
    uint64_t challengers = 0;
    for (uint32_t i = 0; i < s->n_clients; i++)
        challengers += s->clients[i].challenger ? s->clients[i].count : 0;
    if (s->measure.watch && s->network.trip != TRIP_ROUND)
        return check_fail(
            p, "measure.watch: wants stores, network.trip \"round\"");
    if ((s->measure.epsilon || s->measure.watch) && challengers != 2)
        return check_fail(p,
                          "measure.epsilon: wants exactly two clients marked "
                          "challenger, there are %llu",
                          (unsigned long long)challengers);
    if (s->measure.alarm && s->mix.loop_mhz == 0)
        return check_fail(p,
                          "measure.alarm: relays without loops notice nothing; "
                          "mix.loop_rate must be above 0");
    if (s->measure.kinds != KINDS_ALIKE &&
        (s->network.trip != TRIP_ROUND || s->attack.kind == ATTACK_FLUSH ||
         s->mix.params.strategy != MIX_POISSON))
        return check_fail(
            p, "measure.kinds: packets are of two kinds on round trips "
               "through poisson mixes, without a flush");
    if (s->attack.kind == ATTACK_FLUSH && s->measure.targets == 0)
        return check_fail(p, "attack.kind: a flush is measured by its targets; "
                             "measure.targets must be above 0");
    if (s->attack.relay >= scenario_relays(s))
        return check_fail(
            p, "attack.relay: is %u, but there are %u relays, from 0",
            (unsigned)s->attack.relay, (unsigned)scenario_relays(s));
    return true;
}

/* ---- level network ---- */

static bool
packets_only(struct scenario_problem *p, const char *path)
{
    return check_fail(
        p, "%s: is measured at level \"packets\", not at \"network\"", path);
}

static bool
network_measure_check(const struct scenario *s, struct scenario_problem *p)
{
    const struct scenario_measure *m = &s->measure;
    if (m->targets > 0)
        return packets_only(p, "measure.targets");
    if (m->epsilon || m->watch)
        return packets_only(p, "measure.epsilon");
    if (m->mix_entropy)
        return packets_only(p, "measure.mix_entropy");
    if (m->path_messages > 0)
        return packets_only(p, "measure.path_messages");
    if (s->network.corrupt > 0 || s->network.corrupt_of_layer > 0)
        return packets_only(p, "network.corrupt");
    if (s->attack.kind != ATTACK_NONE)
        return packets_only(p, "attack.kind");
    if (s->mix.loop_mhz == 0)
        return check_fail(p,
                          "mix.loop_rate: the relays of a whole network cover; "
                          "must be above 0");
    return true;
}

static bool
network_clients_check(const struct scenario *s, struct scenario_problem *p)
{
    struct params params;
    uint64_t count = clients_count(s);
    params_default(&params, 3600);
    for (uint32_t i = 0; i < s->n_clients; i++) {
        const struct scenario_clients *c = &s->clients[i];
        if (c->send != SEND_POISSON || c->rates_mhz ||
            !params_profile(&params, c->profile.name))
            return check_fail(
                p,
                "clients[%u].profile: at level \"network\" clients "
                "send \"poisson\" by a profile, nothing else",
                (unsigned)i);
    }
    if (count > NETWORK_CLIENTS_MAX)
        return check_fail(
            p,
            "clients: are %llu in all; at level \"network\" at most "
            "%d",
            (unsigned long long)count, NETWORK_CLIENTS_MAX);
    if (s->measure.texts > 0 && count % 2 != 0)
        return check_fail(
            p,
            "clients: are %llu, but texts go between pairs: must be "
            "an even number",
            (unsigned long long)count);
    if (s->measure.first && s->measure.contacts < 2)
        return check_fail(p,
                          "measure.first: texts go both ways; measure.contacts "
                          "must be 2 at least");
    return true;
}

/* What the network's own parameters have room for. */
static bool
network_params_check(const struct scenario *s, struct scenario_problem *p)
{
    const struct scenario_mix *m = &s->mix;
    if (s->network.layers > LAYERS_MAX)
        return check_fail(p, "network.layers: at level \"network\" at most %d",
                          LAYERS_MAX);
    if (scenario_relays(s) > RELAYS_MAX)
        return check_fail(
            p,
            "network.width: makes %u relays; at level \"network\" "
            "at most %d",
            (unsigned)scenario_relays(s), RELAYS_MAX);
    if (m->poll_delay_mean_us > NETWORK_DELAY_MAX_US)
        return check_fail(
            p, "mix.poll_delay_mean_ms: at level \"network\" at most %d",
            NETWORK_DELAY_MAX_US / 1000);
    if (m->params.interval_us > NETWORK_DELAY_MAX_US)
        return check_fail(p, "mix.interval_ms: at level \"network\" at most %d",
                          NETWORK_DELAY_MAX_US / 1000);
    return true;
}

/* ---- level announce ---- */

static bool
announce_check(const struct scenario *s, struct scenario_problem *p)
{
    const struct scenario_announce *a = &s->announce;
    const uint32_t odds =
        a->fronts * a->front_share + a->lane_share + a->sweep_share;
    if (s->network.trip != TRIP_ROUND)
        return check_fail(
            p, "network.trip: at level \"announce\" it is \"round\"");
    if (s->n_clients != 1 || s->clients[0].rates_mhz ||
        s->clients[0].send != SEND_POISSON ||
        s->clients[0].profile.send_mhz == 0)
        return check_fail(
            p, "clients: at level \"announce\" are one group that sends "
               "\"poisson\" by a profile");
    if (odds != 64)
        return check_fail(p,
                          "announce.front_share: of each front, lane_share and "
                          "sweep_share have to add up to 64, not %u",
                          (unsigned)odds);
    if (a->others >= a->contacts && a->use == USE_PROBE)
        return check_fail(
            p,
            "announce.others: are %u, and one more probes; contacts "
            "are %u",
            (unsigned)a->others, (unsigned)a->contacts);
    return a->use == USE_LISTS || s->measure.texts > 0 ||
           check_fail(p, "measure.texts: must be above 0");
}

static bool
network_level_check(const struct scenario *s, struct scenario_problem *p)
{
    if (s->level == LEVEL_ANNOUNCE)
        return announce_check(s, p);
    if (s->level != LEVEL_NETWORK)
        return s->measure.texts == 0 ||
               check_fail(
                   p, "measure.texts: are sent at level \"network\", not at "
                      "\"packets\"");
    if (s->network.trip != TRIP_ROUND)
        return check_fail(p,
                          "network.trip: at level \"network\" it is \"round\"");
    return network_measure_check(s, p) && network_clients_check(s, p) &&
           network_params_check(s, p);
}

int
scenario_check(const struct scenario *s, struct scenario_problem *problem)
{
    bool good = network_level_check(s, problem) && network_check(s, problem) &&
                delays_check(s, problem) && clients_check(s, problem) &&
                measure_check(s, problem);
    return good ? 0 : ERR_FORMAT;
}
