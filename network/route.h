/* network/route.h - the way of a round trip: its relays and their delays.
 *
 * Clients and relays send requests of one shape. For both the way is drawn here
 * and the packet made in network/request.h, so that their requests do not
 * differ. */
#ifndef NETWORK_ROUTE_H
#define NETWORK_ROUTE_H
#include <stdint.h>

#include "lib/env.h"
#include "network/consensus.h"

enum { ROUTE_NONE = UINT16_MAX }; /* no relay's number */

enum route_kind {
    ROUTE_SEND = 1, /* put, and the loop that stands for it */
    ROUTE_POLL      /* get: the longer outward delay over the mixes */
};

/* A round trip. The sender draws all of it, and so knows when the answer is to
 * arrive. out ends at the store; back ends with deliver. */
struct route {
    uint8_t n_out, n_back;
    uint16_t out[SPHINX_HOPS_MAX], back[SPHINX_HOPS_MAX];
    uint16_t out_delay[SPHINX_HOPS_MAX], back_delay[SPHINX_HOPS_MAX];
    uint64_t at_store_us; /* expected, after the start, delays alone */
    uint64_t answer_us;   /* expected return, after the start */
};

/* Draw a round trip to the relay `store` into *r. A client passes its gateway
 * as `self` and sets as_client: the path starts and ends at the gateway. A
 * relay passes itself: the path starts after its own layer and ends with
 * deliver at that relay. No two relays of one family are on one way, self and
 * store included; among such ways relays are drawn by bandwidth in each layer
 * (see mixes_draw() in route.c). No cut link is on a way, and no mix that is
 * left out. Only the traffic stream of env is used. Returns 0; ERR_NOT_FOUND
 * when there is no such way; ERR_RELAY or ERR_EDGE when self or store cannot be
 * that. */
int route_draw(struct route *r, const struct consensus *c, struct env *env,
               uint16_t self, uint16_t store, bool as_client,
               enum route_kind kind) CHECK_RESULT;

/* Draw into *r a loop of relay `self` whose first or last hop is `tested`, a
 * neighbour that may be left out, or the link to which may be cut; store is
 * `tested` when that is a store. In all else this is route_draw(). */
int route_draw_test(struct route *r, const struct consensus *c, struct env *env,
                    uint16_t self, uint16_t store,
                    uint16_t tested) CHECK_RESULT;
#endif
