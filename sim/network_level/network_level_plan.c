/* sim/network_level/network_level_plan.c - the world that a scenario asks for.
 *
 * The network is the default one changed by the scenario, so what is simulated
 * is what authorities would publish. What whole relays and clients cannot do
 * (other topologies, other clocks) is refused with the key's name. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/network_level/network_level_internal.h"

enum { EPOCH_S = 3600, WEIGHT_MAX = 1000000, COMMIT_US = 2000 };
enum { LONGEST_MEANS = 24, LONGEST_US = 60000000 };
enum { FIRST_HOLD_MIN_S = 100, FIRST_HOLD_MAX_S = 140 };
enum { PACKETS_MIN = 20000, PACKETS_MAX = 1 << 24, LETTERS_MAX = 1 << 26 };

__attribute__((format(printf, 3, 4))) static int
plan_refuse(struct scenario_problem *problem, int err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(problem->text, sizeof problem->text, format, args);
    va_end(args);
    return err;
}

static int
network_check(const struct scenario *s, struct scenario_problem *problem)
{
    const struct scenario_network *n = &s->network;
    if (n->topology != TOPOLOGY_STRATIFIED)
        return plan_refuse(
            problem, ERR_UNSUPPORTED,
            "network.topology: this is for the level \"packets\"; "
            "whole networks are stratified");
    if (n->trip == TRIP_ONE_WAY)
        return plan_refuse(
            problem, ERR_UNSUPPORTED,
            "network.trip: this is for the level \"packets\"; whole "
            "networks make round trips");
    if (n->latency_law == LATENCY_MATRIX)
        return plan_refuse(
            problem, ERR_UNSUPPORTED,
            "network.latency: a matrix is for the level \"packets\"");
    if (n->corrupt || n->corrupt_of_layer > 0)
        return plan_refuse(
            problem, ERR_UNSUPPORTED,
            "network.corrupt: this is for the level \"packets\"");
    for (uint32_t i = 0; i < n->layers && n->weights; i++)
        if (n->layers <= LAYERS_MAX && n->widths[i] < 1)
            return plan_refuse(problem, ERR_RANGE,
                               "network.weights: layer %u has no relay", i + 1);
    if (!n->weights && n->width < 1)
        return plan_refuse(problem, ERR_RANGE, "network.width: one at least");
    if (n->layers < 1 || n->layers > LAYERS_MAX)
        return plan_refuse(problem, ERR_RANGE,
                           "network.layers: whole networks have 1 to %d",
                           LAYERS_MAX);
    if (n->gateways < 1 || n->stores < 1)
        return plan_refuse(problem, ERR_RANGE,
                           "network.%s: a whole network needs one at least",
                           n->stores < 1 ? "stores" : "gateways");
    return 0;
}

static int
clients_check(const struct scenario *s, struct scenario_problem *problem)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < s->n_clients; i++) {
        const struct scenario_clients *g = &s->clients[i];
        const char *what = g->send == SEND_CONSTANT || g->send == SEND_TRACE
                               ? "send"
                           : g->rates_mhz ? "rates"
                                          : NULL;
        if (what)
            return plan_refuse(
                problem, ERR_UNSUPPORTED,
                "clients[%u].%s: this is for the level \"packets\"", i, what);
        if (g->profile.poll_mhz == 0 || g->profile.send_mhz == 0)
            return plan_refuse(problem, ERR_RANGE,
                               "clients[%u]: whole clients have to send and to "
                               "poll; take a profile",
                               i);
        n += g->count;
    }
    if (n < 1 || n >= 1u << 24)
        return plan_refuse(problem, ERR_RANGE,
                           "clients: a whole network has 1 to %u",
                           (1u << 24) - 1);
    if (s->measure.texts > 0 && n < 2)
        return plan_refuse(problem, ERR_RANGE,
                           "measure.texts: two clients at least");
    if (s->measure.contacts > CLIENT_CONTACTS_MAX)
        return plan_refuse(problem, ERR_RANGE, "measure.contacts: %d at most",
                           CLIENT_CONTACTS_MAX);
    if (s->measure.first && s->measure.contacts < 2)
        return plan_refuse(
            problem, ERR_RANGE,
            "measure.first: two contacts at least, one each way");
    if (s->attack.kind == ATTACK_DROP || s->attack.kind == ATTACK_FLUSH)
        return plan_refuse(problem, ERR_UNSUPPORTED,
                           "attack: this is for the level \"packets\"");
    return 0;
}

static bool
profile_is_alike(const struct profile *a, const struct profile *b)
{
    return a->send_mhz == b->send_mhz && a->poll_mhz == b->poll_mhz &&
           a->loop_mhz == b->loop_mhz &&
           a->down_interval_us == b->down_interval_us;
}

/* A group's rates are those of a profile of the network; where no profile has
 * them the network gets one more. */
static int
profile_place(struct params *params, const struct scenario_clients *g,
              char name[static PROFILE_NAME_MAX])
{
    uint8_t i = 0;
    while (i < params->n_profiles &&
           !profile_is_alike(&params->profiles[i], &g->profile))
        i++;
    if (i == PROFILES_MAX)
        return ERR_FULL;
    if (i == params->n_profiles) {
        params->profiles[i] = g->profile;
        snprintf(params->profiles[i].name, PROFILE_NAME_MAX, "group-%u", i);
        params->n_profiles++;
    }
    memcpy(name, params->profiles[i].name, PROFILE_NAME_MAX);
    return 0;
}

/* What does not fit is out of the consensus's range anyway, and refused there.
 */
static uint32_t
us_bounded(uint64_t us)
{
    return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

/* The longest delay that is allowed: the default, or as many means as that is
 * of a poll's delay in one mix by default, and a minute at most. */
static uint32_t
longest_us(uint32_t by_default_us, double fixed_us, double mean_us)
{
    return (uint32_t)fmin(
        fmax(by_default_us, fixed_us + LONGEST_MEANS * mean_us), LONGEST_US);
}

static int
params_fill(struct whole_plan *p, const struct scenario *s,
            struct scenario_problem *problem)
{
    struct params *to = &p->world.net.params;
    const struct scenario_mix *m = &s->mix;
    to->layers = (uint8_t)s->network.layers;
    to->mix_strategy = (uint8_t)m->params.strategy;
    to->mix_interval_us = us_bounded(m->params.interval_us);
    to->mix_threshold = m->params.threshold;
    to->mix_keep = m->params.keep;
    to->mix_permille =
        m->params.permille <= 1000 ? (uint16_t)m->params.permille : UINT16_MAX;
    to->delay_mean_us = us_bounded(m->delay_mean_us);
    to->poll_delay_mean_us = us_bounded(m->poll_delay_mean_us);
    to->store_delay_fixed_us = us_bounded(m->store_delay_fixed_us);
    to->store_delay_mean_us = us_bounded(m->store_delay_mean_us);
    to->delay_max_us =
        longest_us(to->delay_max_us, 0,
                   fmax((double)m->delay_mean_us,
                        (double)m->poll_delay_mean_us / s->network.layers));
    to->store_delay_max_us =
        longest_us(to->store_delay_max_us, (double)m->store_delay_fixed_us,
                   (double)m->store_delay_mean_us);
    to->relay_loop_mhz = m->loop_mhz;
    for (uint32_t i = 0; i < s->n_clients; i++)
        if (profile_place(to, &s->clients[i], p->profile[i]))
            return plan_refuse(problem, ERR_RANGE,
                               "clients[%u]: a network has %d profiles at most",
                               i, PROFILES_MAX);
    return 0;
}

static uint32_t
layer_width(const struct scenario_network *n, uint32_t layer)
{
    return n->weights ? n->widths[layer] : n->width;
}

/* Weights become bandwidths, the heaviest relay WEIGHT_MAX. Returns the largest
 * share of a layer that one relay has. */
static int
weights_fill(struct whole_plan *p, const struct scenario_network *n,
             double *share)
{
    double most = 0;
    size_t at = n->gateways, relays = (size_t)n->gateways + n->stores;
    *share = 1.0 / (n->gateways < n->stores ? n->gateways : n->stores);
    for (uint32_t layer = 0; layer < n->layers; layer++) {
        p->widths[layer] = layer_width(n, layer);
        relays += p->widths[layer];
        if (!n->weights && 1.0 / p->widths[layer] > *share)
            *share = 1.0 / p->widths[layer];
    }
    if (!n->weights)
        return 0;
    p->bandwidth = calloc(relays, sizeof *p->bandwidth);
    if (!p->bandwidth)
        return ERR_NOMEM;
    for (uint32_t layer = 0; layer < n->layers; layer++) {
        const double *w = n->weights + n->weights_start[layer];
        double sum = 0, largest = 0;
        for (uint32_t k = 0; k < p->widths[layer]; k++) {
            sum += w[k];
            largest = fmax(largest, w[k]);
        }
        most = fmax(most, largest);
        *share = fmax(*share, sum > 0 ? largest / sum : 1);
    }
    for (uint32_t layer = 0; layer < n->layers; layer++)
        for (uint32_t k = 0; k < p->widths[layer]; k++)
            p->bandwidth[at++] =
                (uint32_t)(n->weights[n->weights_start[layer] + k] / most *
                           WEIGHT_MAX);
    p->world.net.bandwidth = p->bandwidth;
    return 0;
}

/* Room in relays for what the busiest of them will see: its share of all
 * packets, on both ways, some time over. */
static void
room_fill(struct whole_plan *p, const struct scenario *s, double share)
{
    const struct params *params = &p->world.net.params;
    double rate = 0, stay_us = params->delay_mean_us;
    for (uint32_t i = 0; i < s->n_clients; i++) {
        const struct profile *f = &s->clients[i].profile;
        p->world.clients_max += s->clients[i].count;
        rate += s->clients[i].count *
                ((double)f->send_mhz + f->poll_mhz + f->loop_mhz) / 1000;
    }
    rate *= 2; /* both ways */
    stay_us = fmax(stay_us, params->poll_delay_mean_us);
    stay_us = fmax(stay_us, (double)params->store_delay_fixed_us +
                                params->store_delay_mean_us);
    stay_us = fmax(stay_us, params->mix_interval_us);
    double packets = PACKETS_MIN + params->mix_keep + params->mix_threshold +
                     4 * rate * share * stay_us / 1e6;
    p->world.packets_max = (uint32_t)fmin(packets, PACKETS_MAX);
    p->world.replay_tags = PACKETS_MIN;
    p->world.replay_tags_layer =
        (size_t)(1.25 * rate *
                 (params->deadline_ahead_s + params->deadline_unit_s));
    p->world.letters_max = LETTERS_MAX;
}

static bool
somebody_leaves(const struct scenario *s)
{
    bool leaves = false;
    for (uint32_t i = 0; i < s->n_clients; i++)
        leaves |= s->clients[i].stay_mean_s > 0;
    return leaves;
}

int
whole_plan_make(struct whole_plan *p, const struct scenario *s,
                bool real_crypto, struct scenario_problem *problem)
{
    const struct scenario_network *n = &s->network;
    double share;
    *p = (struct whole_plan){0};
    int err = network_check(s, problem);
    if (!err)
        err = clients_check(s, problem);
    if (err)
        return err;
    params_default(&p->world.net.params, EPOCH_S);
    p->world.net.params.work_bits = SIM_WORK_BITS;
    /* a daemon makes them beside the clock: they are there when needed */
    p->world.net.params.announce_bits = SIM_WORK_BITS;
    if (s->measure.first) {
        /* One client plays many who write, each of whom would hold a front for
         * the acknowledgement; without it letters are put, and announced, again. */
        p->world.net.params.conversations.hold_min_s = FIRST_HOLD_MIN_S;
        p->world.net.params.conversations.hold_max_s = FIRST_HOLD_MAX_S;
    }
    err = params_fill(p, s, problem);
    if (!err)
        err = weights_fill(p, n, &share);
    if (err) {
        whole_plan_free(p);
        return err;
    }
    p->world.net.suite = real_crypto ? SPHINX_SUITE_X25519 : SPHINX_SUITE_NULL;
    p->world.net.seed = p->world.seed = s->seed;
    p->world.net.gateways = n->gateways;
    p->world.net.stores = n->stores;
    p->world.net.widths = p->widths;
    p->world.latency_us = n->latency_fixed_us;
    if (n->latency_law == LATENCY_EXPONENTIAL)
        p->world.jitter_mean_us = n->latency_mean_us;
    p->world.loss_ppm = (uint32_t)(n->loss * 1e6 + 0.5);
    p->world.commit_us = COMMIT_US;
    p->world.no_disks = !somebody_leaves(s);
    room_fill(p, s, share);
    return 0;
}

void
whole_plan_free(struct whole_plan *p)
{
    free(p->bandwidth);
    p->bandwidth = NULL;
}
