/* sim/packets/topology.h - which relays there are, and the ways drawn through
 * them.
 *
 * Relays are numbered gateways first, then layer by layer, then stores. A way
 * is drawn whole when its packet is made, as a sender does it: relays by their
 * weights, delays in the packet's units from the traffic stream. */
#ifndef SIM_PACKETS_TOPOLOGY_H
#define SIM_PACKETS_TOPOLOGY_H
#include <stdbool.h>
#include <stdint.h>

#include "lib/env.h"
#include "sim/scenario/scenario.h"

enum {
    TOPOLOGY_HOPS_MAX = SCENARIO_LAYERS_MAX, /* one way; or a round trip: */
    TOPOLOGY_ROUND_MAX = 2 * LAYERS_MAX + 3
};

struct packet_way {
    uint8_t n;     /* hops */
    uint8_t turns; /* the store's hop + 1; 0: one way */
    uint16_t relay[TOPOLOGY_HOPS_MAX];
    uint16_t delay[TOPOLOGY_HOPS_MAX];
};
_Static_assert(TOPOLOGY_ROUND_MAX <= (int)TOPOLOGY_HOPS_MAX, "a round trip");

struct topology {
    const struct scenario *scenario;
    uint32_t n_relays, n_gateways, n_stores;
    uint32_t n_layers; /* sets of mixes: one for a free route */
    uint32_t layer_start[SCENARIO_LAYERS_MAX + 2]; /* relay numbers */
    uint64_t *sums;    /* of weights up to each mix; NULL: all alike */
    uint8_t *layer_of; /* of each relay: 0 gateway, 1.. mix, then store */
    uint8_t *corrupt;  /* of each relay: the adversary runs it */
    uint32_t n_corrupt;
};

/* Make the network of s; env draws which relays are corrupt. Returns 0,
 * ERR_RANGE (more than 65,535 relays), ERR_NOMEM. */
int topology_new(struct topology **out, const struct scenario *s,
                 struct env *env) CHECK_RESULT;
/* Free *t. */
void topology_free(struct topology **t);

/* Draw a packet's way from `client`; with `poll`, the longer delays of one. */
void topology_way(const struct topology *t, struct env *env, uint32_t client,
                  bool poll, struct packet_way *w);
/* Draw the way of a relay's own loop, whose last hop is itself. */
void topology_loop(const struct topology *t, struct env *env, uint32_t relay,
                   struct packet_way *w);

/* Return the mean of all delays of a loop's way, without its end. */
double topology_loop_mean_us(const struct topology *t);
#endif
