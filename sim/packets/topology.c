/* sim/packets/topology.c - relays' numbers, weights, ways.
 *
 * A way is drawn as a sender draws it: a relay of each layer by its weight, by
 * a search in the sums of weights up to each, and a delay for each hop, in
 * units. Longer delays than packets can say do not come, but once in 22,000 at
 * the most: scenario_check() sees that ten mean delays fit. A loop has the
 * shape that relay/loops.c gives it.
 *
 * State: what topology_new() makes stays as it is. Failure modes: no memory;
 * more relays than have numbers, which scenario_check() refuses before. */
#include "sim/packets/topology.h"

#include <math.h>
#include <stdlib.h>

#include "lib/rng.h"

#define WEIGHT_UNIT 0x1p40 /* weights become whole numbers, of this sum */

/* Of each layer, sums up to and with each relay. */
static int
weights_take(struct topology *t)
{
    const struct scenario_network *n = &t->scenario->network;
    if (!n->weights)
        return 0;
    t->sums = calloc(t->n_relays, sizeof *t->sums);
    if (!t->sums)
        return ERR_NOMEM;
    for (uint32_t l = 0; l < t->n_layers; l++) {
        const double *w = n->weights + n->weights_start[l];
        double total = 0, sum = 0;
        for (uint32_t i = 0; i < n->widths[l]; i++)
            total += w[i];
        for (uint32_t i = 0; i < n->widths[l]; i++) {
            sum += w[i];
            t->sums[t->layer_start[l] + i] =
                (uint64_t)(sum / total * WEIGHT_UNIT);
        }
    }
    return 0;
}

/* Make `count` of the mixes first..first + n - 1 corrupt. */
static void
corrupt_draw(struct topology *t, struct env *env, uint32_t first, uint32_t n,
             uint32_t count)
{
    for (uint32_t i = 0; i < n && count > 0; i++)
        if (rng_below(env, n - i) < count) {
            t->corrupt[first + i] = 1;
            t->n_corrupt++;
            count--;
        }
}

static void
corrupt_take(struct topology *t, struct env *env)
{
    const struct scenario_network *n = &t->scenario->network;
    if (n->corrupt > 0)
        corrupt_draw(t, env, t->n_gateways,
                     t->n_relays - t->n_gateways - t->n_stores, n->corrupt);
    for (uint32_t l = 0; n->corrupt_of_layer > 0 && l < t->n_layers; l++)
        corrupt_draw(t, env, t->layer_start[l], n->widths[l],
                     (uint32_t)lround(n->corrupt_of_layer * n->widths[l]));
}

int
topology_new(struct topology **out, const struct scenario *s, struct env *env)
{
    const struct scenario_network *n = &s->network;
    const bool round = n->trip == TRIP_ROUND;
    struct topology *t = calloc(1, sizeof *t);
    int err = ERR_NOMEM;
    *out = NULL;
    if (!t)
        return ERR_NOMEM;
    t->scenario = s;
    t->n_gateways = n->gateways;
    t->n_stores = round ? n->stores : 0;
    t->n_layers = n->topology == TOPOLOGY_FREE_ROUTE ? 1 : n->layers;
    t->layer_start[0] = t->n_gateways;
    for (uint32_t l = 0; l < t->n_layers; l++)
        t->layer_start[l + 1] = t->layer_start[l] + n->widths[l];
    t->n_relays = t->layer_start[t->n_layers] + t->n_stores;
    if (t->n_relays > UINT16_MAX) { /* scenario_check() has refused it */
        err = ERR_RANGE;
        goto out;
    }
    t->corrupt = calloc(t->n_relays, 1);
    t->layer_of = calloc(t->n_relays, 1);
    if (!t->corrupt || !t->layer_of)
        goto out;
    for (uint32_t r = 0, l = 0; r < t->n_relays; r++) {
        while (l <= t->n_layers && r >= t->layer_start[l])
            l++;
        t->layer_of[r] = (uint8_t)l;
    }
    err = weights_take(t);
    corrupt_take(t, env);
out:
    if (err)
        topology_free(&t);
    *out = t;
    return err;
}

void
topology_free(struct topology **t)
{
    if (!*t)
        return;
    free((*t)->sums);
    free((*t)->corrupt);
    free((*t)->layer_of);
    free(*t);
    *t = NULL;
}

/* One mix of layer l, from 0. */
static uint16_t
mix_draw(const struct topology *t, struct env *env, uint32_t l)
{
    uint32_t first = t->layer_start[l], n = t->layer_start[l + 1] - first;
    if (!t->sums)
        return (uint16_t)(first + rng_below(env, n));
    uint64_t at = rng_below(env, t->sums[first + n - 1]);
    uint32_t low = 0, high = n - 1;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (t->sums[first + mid] > at)
            high = mid;
        else
            low = mid + 1;
    }
    return (uint16_t)(first + low);
}

static uint16_t
delay_draw(const struct topology *t, struct env *env, uint64_t mean_us,
           uint64_t fixed_us)
{
    uint64_t unit_us = t->scenario->mix.delay_unit_us;
    uint64_t us = fixed_us + (mean_us ? rng_exp_us(env, mean_us) : 0);
    uint64_t units = (us + unit_us / 2) / unit_us;
    return (uint16_t)(units > UINT16_MAX ? UINT16_MAX : units);
}

static void
hop_add(const struct topology *t, struct env *env, struct packet_way *w,
        uint16_t relay, uint64_t mean_us)
{
    w->relay[w->n] = relay;
    w->delay[w->n++] = delay_draw(t, env, mean_us, 0);
}

/* All layers, in order. */
static void
layers_add(const struct topology *t, struct env *env, struct packet_way *w,
           uint64_t mean_us)
{
    const struct scenario_network *n = &t->scenario->network;
    uint16_t relay = 0;
    for (uint32_t i = 0; i < n->layers; i++) {
        switch (n->topology) {
        case TOPOLOGY_FREE_ROUTE: {
            uint16_t before = relay;
            do
                relay = mix_draw(t, env, 0);
            while (i > 0 && relay == before);
            break;
        }
        case TOPOLOGY_CASCADE:
            relay = i == 0 ? mix_draw(t, env, 0)
                           : (uint16_t)(relay + n->widths[i - 1]);
            break;
        default:
            relay = mix_draw(t, env, i);
            break;
        }
        hop_add(t, env, w, relay, mean_us);
    }
}

static void
store_add(const struct topology *t, struct env *env, struct packet_way *w)
{
    const struct scenario_mix *m = &t->scenario->mix;
    w->relay[w->n] = (uint16_t)(t->n_relays - 1 - rng_below(env, t->n_stores));
    w->delay[w->n++] =
        delay_draw(t, env, m->store_delay_mean_us, m->store_delay_fixed_us);
    w->turns = w->n;
}

void
topology_way(const struct topology *t, struct env *env, uint32_t client,
             bool poll, struct packet_way *w)
{
    const struct scenario_mix *m = &t->scenario->mix;
    const bool round = t->n_stores > 0;
    uint16_t gateway =
        (uint16_t)(t->n_gateways ? client % t->n_gateways : UINT16_MAX);
    w->n = w->turns = 0;
    if (t->n_gateways)
        hop_add(t, env, w, gateway, m->delay_mean_us);
    layers_add(t, env, w,
               poll && round
                   ? m->poll_delay_mean_us / t->scenario->network.layers
                   : m->delay_mean_us);
    if (!round)
        return;
    store_add(t, env, w);
    layers_add(t, env, w, m->delay_mean_us);
    hop_add(t, env, w, gateway, m->delay_mean_us);
}

/* The shape of relay/loops.c: from the layer behind the relay's to a store, and
 * through the layers before it back; without stores the two parts meet. */
void
topology_loop(const struct topology *t, struct env *env, uint32_t relay,
              struct packet_way *w)
{
    const uint64_t mean_us = t->scenario->mix.delay_mean_us;
    const uint32_t layer = t->layer_of[relay], store = t->n_layers + 1;
    w->n = w->turns = 0;
    for (uint32_t l = layer == store ? 1 : layer + 1; l <= t->n_layers; l++)
        hop_add(t, env, w, mix_draw(t, env, l - 1), mean_us);
    if (t->n_stores > 0)
        store_add(t, env, w);
    for (uint32_t l = 1; l < (layer == 0 ? store : layer); l++)
        hop_add(t, env, w, mix_draw(t, env, l - 1), mean_us);
    w->relay[w->n] = (uint16_t)relay;
    w->delay[w->n++] = 0; /* counted when it comes */
}

double
topology_loop_mean_us(const struct topology *t)
{
    const struct scenario_mix *m = &t->scenario->mix;
    double way_us = (double)m->delay_mean_us * (t->n_layers - 1.0);
    if (t->n_stores > 0)
        way_us = 2.0 * (double)m->delay_mean_us * t->n_layers +
                 (double)(m->store_delay_fixed_us + m->store_delay_mean_us);
    return way_us;
}
