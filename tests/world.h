/* tests/world.h - sim/engine/world.h for scenario tests: small worlds made in
 * one line; fails the test on any error. */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H
#include "sim/engine/world.h"
#include "tests/network.h"

enum {
    WORLD_PACKET = 2048,
    /* A text that is read at once is acknowledged within, but once in 500. */
    WORLD_ACKED_S = 150
};

struct world_config {
    uint8_t suite;
    unsigned gateways, layers, mixes, stores;
    uint64_t seed;
    uint32_t loss_ppm;
    uint32_t workers;                 /* of each relay; 0: one */
    uint32_t packets_max;             /* of each relay; 0: the default */
    size_t letters_max;               /* of each store; 0: the default */
    uint64_t commit_us;               /* of all disks; 0: the default */
    void (*params)(struct params *p); /* changes them; NULL: the defaults */
    /* of each relay in its order, as in struct sim_net_plan; NULL: none */
    const uint8_t *family;
    const uint32_t *bandwidth;
    const bool *zero_key;
};

struct world *world_new(const struct world_config *config);
void world_free(struct world **w);
void world_run_s(struct world *w, double seconds);

/* kill -9, and a start on what the disk has. */
void world_relay_stop(struct world *w, uint32_t number);
void world_relay_start(struct world *w, uint32_t number);

/* A client of gateway `gateway`, connected. */
struct world_client *world_client_add(struct world *w, const char *profile,
                                      uint32_t gateway);
void world_client_stop(struct world_client *k);
void world_client_start(struct world_client *k);
/* Connect to its gateway again, after that one came back. */
void world_client_connect(struct world_client *k);
/* What the daemon does once a second. */
void world_client_watch(struct world_client *k);

/* The next epoch's consensus is published. */
void world_epoch(struct world *w);
/* The same when it is time, a twentieth of an epoch before that begins: what
 * courses longer than a consensus call every second. */
void world_epoch_due(struct world *w);
/* This client's, or relay's, wall clock jumps to so far ahead of all others. */
void world_client_clock(struct world_client *k, double ahead_s);
void world_relay_clock(struct world *w, uint32_t number, double ahead_s);
/* The first relay of a layer. */
uint32_t world_first(const struct world *w, unsigned layer);

/* Make a pair: a invites b. */
void world_pair(struct world *w, struct world_client *a, const char *a_calls_b,
                struct world_client *b, const char *b_calls_a);

/* The box in which the inviter of this line looks for letters first; returns
 * the store that has it. */
uint16_t world_first_box(const struct world *w, const char *invitation,
                         uint8_t box[static LETTER_BOX_LEN]);

/* Queue a text; returns its number with this contact. */
uint64_t world_say(struct world_client *from, const char *to, const char *text);
enum client_state world_state(struct world_client *k, const char *to,
                              uint64_t order);
/* Take, and release, all that came from this contact, or (NULL) from any;
 * returns how many messages. */
unsigned world_take(struct world_client *k, const char *from);

/* Give each of a pair something to send when it has little left, and take what
 * has come: called every second both directions stay full. */
void world_keep_busy(struct world_client *a, const char *a_calls_b,
                     struct world_client *b, const char *b_calls_a);

/* Packets dropped by all relays, by reason. */
uint64_t world_dropped(const struct world *w, int err);
#endif
