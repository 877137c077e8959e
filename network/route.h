/* network/route.h - paths, delays, deadlines, and the request built on them.
 *
 * Clients and relays send requests of one shape (design section 2); this is
 * where that shape is made, so that neither can differ from the other. */
#ifndef NETWORK_ROUTE_H
#define NETWORK_ROUTE_H
#include <stdint.h>

#include "lib/env.h"
#include "lib/wire.h"
#include "network/consensus.h"

enum route_kind {
    ROUTE_SEND = 1, /* put, and the loop that stands for it */
    ROUTE_POLL      /* get: the longer outward delay over the mixes */
};

/* A round trip. Everything in it is drawn by the sender, so he knows when the
 * answer is to arrive. out ends at the store; back ends with deliver. */
struct route {
    uint8_t n_out, n_back;
    uint16_t out[SPHINX_HOPS_MAX], back[SPHINX_HOPS_MAX];
    uint16_t out_delay[SPHINX_HOPS_MAX], back_delay[SPHINX_HOPS_MAX];
    uint64_t at_store_us; /* expected, after the start, delays alone */
    uint64_t answer_us;   /* expected return, after the start */
};

/* Draw a round trip to `store`. A client passes its gateway as `self` and
 * as_client; the path starts and ends there. A relay passes itself: the path
 * starts after its own layer and ends with deliver at itself. No two relays of
 * one family are on one way, self and store included; among such ways the law
 * is by bandwidth in each layer (see mixes_draw). Uses the traffic stream only.
 * Returns ERR_NOT_FOUND when there is no such way, ERR_RELAY or ERR_EDGE when
 * self or store is none. */
int route_draw(struct route *r, const struct consensus *c, struct env *env,
               uint16_t self, uint16_t store, bool as_client,
               enum route_kind kind) CHECK_RESULT;

/* What goes to the store. For a put, letter has wire_letter_len() bytes. */
struct request {
    uint8_t kind; /* enum wire_request_kind */
    uint8_t box[32];
    uint8_t slot;  /* put */
    uint16_t held; /* get */
    uint8_t work[16];
    const uint8_t *letter; /* put, else NULL: random */
};

/* Build the packet for route r at wall time now_s: SURB from surb_seed and end,
 * request body, layers. All other randomness from the crypto stream. packet
 * has geometry.packet_len bytes, zero after an error; its first hop is
 * r->out[0]. */
int request_build(struct sphinx_worker *w, const struct consensus *c,
                  struct env *env, const struct route *r, uint64_t now_s,
                  const struct request *req, const struct sphinx_end *end,
                  const uint8_t surb_seed[static SPHINX_SEED_LEN],
                  uint8_t *packet) CHECK_RESULT;

/* Undo the layers of an answer to route r (see sphinx_surb_open) and parse its
 * body. payload has geometry.payload_len bytes. */
int request_open_answer(struct sphinx_worker *w, const struct consensus *c,
                        const struct route *r,
                        const uint8_t surb_seed[static SPHINX_SEED_LEN],
                        uint8_t *payload,
                        struct wire_answer *answer) CHECK_RESULT;
#endif
