/* sim/engine/net.h - a consensus whose keys are all known, for the simulator
 * and for tests: what authorities would have agreed on, signed by one of
 * them. */
#ifndef SIM_ENGINE_NET_H
#define SIM_ENGINE_NET_H
#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"
#include "network/consensus.h"

/* In virtual time a box, or an announcement, costs next to nothing, and yet not
 * nothing. */
enum { SIM_WORK_BITS = 4 };

struct sim_net_plan {
    uint8_t suite;
    uint64_t seed;        /* of all keys */
    struct params params; /* its layers are taken; its geometry is made here */
    uint32_t gateways, stores;
    const uint32_t *widths; /* of each mix layer */
    /* of each relay, in their order: */
    const uint32_t *bandwidth; /* NULL: alike */
    const uint8_t *family; /* the number of it, 0: none; NULL: no families */
    const bool *zero_key; /* publishes a key that gives no secret; NULL: none */
};

/* Relays stand in the order of their layers: gateways, layer 1, .., stores. */
struct sim_net {
    struct consensus *consensus;
    uint8_t (*seed)[SPHINX_SEED_LEN]; /* of each relay's packet key */
    uint8_t (*identity_seed)[32];     /* of each relay's identity, Ed25519 */
    uint8_t authority[SPHINX_ID_LEN]; /* the one that signed it */
    uint8_t *document;                /* the signed consensus */
    size_t document_len;
    /* Changes each next consensus before it is signed; NULL: nothing does.
     * Relays keep their numbers. */
    void (*change)(void *ctx, struct consensus *next);
    void *change_ctx;
};

/* Make the network n of this plan. Returns 0, ERR_RANGE (too many relays or
 * layers), ERR_SUITE, ERR_NOMEM. The suite null registers itself. */
int sim_net_make(struct sim_net *n,
                 const struct sim_net_plan *plan) CHECK_RESULT;
/* Sign the consensus of n again, after a change: it has a new document and
 * digest. */
int sim_net_sign(struct sim_net *n) CHECK_RESULT;
/* Read the document of n as a client does. Returns 0, or what the reader says.
 */
int sim_net_check(const struct sim_net *n) CHECK_RESULT;
/* Put the next epoch's consensus into n, of the same relays and keys but for
 * what n->change does to it, and its document, in place of n's. What n had is
 * its caller's from then on, in *old. */
int sim_net_next(struct sim_net *n, struct consensus **old) CHECK_RESULT;
/* Free what n has. */
void sim_net_free(struct sim_net *n);
#endif
