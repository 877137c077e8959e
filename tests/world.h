/* tests/world.h - a network of real relay and client objects under the virtual
 * clock, for scenario tests. Fails the test on any error. */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H
#include "client/client.h"
#include "relay/relay.h"
#include "relay/store_memory.h"
#include "sim/engine.h"
#include "tests/network.h"
#include "tests/team.h"

enum { WORLD_RELAYS_MAX = 64, WORLD_CLIENTS_MAX = 64 };
enum { WORLD_PACKET = 2048, WORLD_LETTER = 1296 };

struct world;

/* One relay: the object, and what outlives it. */
struct world_relay {
    struct world *world;
    uint32_t number;
    struct env *env;
    struct team *team;   /* NULL: dead */
    struct relay *relay; /* its first worker */
    struct replay *replay;
    struct store_memory *store;
    void *region;
    struct relay_peer peers[WORLD_RELAYS_MAX];
    /* withhold this box's answers until then */
    uint8_t stalled[32];
    uint64_t stalled_until_us;
    struct env_store_req *held;
    uint8_t last_box[32]; /* put into last */
};

struct world_record {
    size_t key_len, len;
    uint8_t key[32];
    uint8_t *value;
};

/* One client and its disk. */
struct world_client {
    struct world *world;
    uint32_t number, node;
    const char *profile;
    struct env *env;
    struct client *client; /* NULL: dead */
    uint32_t gateway;      /* relay number connected to, UINT32_MAX none */
    uint32_t link;         /* the gateway's number for it */
    struct world_record *record;
    size_t n_records, room;
};

struct world_config {
    uint8_t suite;
    unsigned gateways, layers, mixes, stores;
    uint64_t seed;
    uint32_t loss_ppm;
    uint32_t workers;                 /* of each relay; 0: one */
    void (*params)(struct params *p); /* changes them; NULL: the defaults */
};

struct world {
    struct test_network net;
    struct engine *engine;
    uint32_t n_relays, n_clients, workers;
    struct world_relay relay[WORLD_RELAYS_MAX];
    struct world_client client[WORLD_CLIENTS_MAX];
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
/* What the daemon does with a client that is stuck. */
void world_client_watch(struct world_client *k);

/* Make a pair: a invites b. */
void world_pair(struct world *w, struct world_client *a, const char *a_calls_b,
                struct world_client *b, const char *b_calls_a);

/* Packets dropped by all relays, by reason. */
uint64_t world_dropped(const struct world *w, int err);
#endif
