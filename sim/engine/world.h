/* sim/engine/world.h - whole relays and clients on sim/engine: hosts for the
 * daemons' own objects, with what outlives them (disks, boxes, replay sets)
 * beside them.
 *
 * Used by the simulator's network level and, through tests/world.h, by the
 * scenario tests. Functions return 0 or ERR_*. What goes wrong inside the
 * engine's run (no memory for a client's disk) is kept in `err` and returned by
 * sim_world_run(). */
#ifndef SIM_ENGINE_WORLD_H
#define SIM_ENGINE_WORLD_H
#include "client/client.h"
#include "relay/relay.h"
#include "relay/store_memory.h"
#include "sim/engine/engine.h"
#include "sim/engine/net.h"
#include "sim/engine/team.h"

struct world;

/* One relay: the object, and what outlives it. */
struct world_relay {
    struct world *world;
    uint32_t number; /* its node as well */
    struct env *env;
    struct team *team;   /* NULL: dead */
    struct relay *relay; /* its first worker */
    struct replay *replay;
    struct store_memory *store; /* of stores; else NULL */
    void *region;
    struct relay_peer *peers;
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
    uint32_t number; /* the gateway it belongs to, in relays' order */
    uint32_t node;
    char profile[PROFILE_NAME_MAX];
    struct env *env;
    struct client *client; /* NULL: dead */
    uint32_t gateway;      /* relay number connected to, UINT32_MAX none */
    uint32_t link;         /* the gateway's number for it */
    void *owner;           /* the caller's */
    struct world_record *record;
    size_t n_records, room;
};

struct sim_world_plan {
    struct sim_net_plan net;
    uint64_t seed; /* of the course */
    uint64_t latency_us, jitter_mean_us;
    uint32_t loss_ppm;
    uint64_t commit_us; /* of all disks */
    uint32_t workers;   /* of each relay; 0: one */
    uint32_t clients_max;
    uint32_t packets_max;     /* of each relay */
    size_t replay_tags;       /* room for so many in each relay, and for */
    size_t replay_tags_layer; /* these, shared by the relays of a layer */
    size_t letters_max;
    const struct mlkem *mlkem; /* of clients; NULL: none */
    bool no_disks; /* of clients: they never start again, nothing is kept */
};

struct world {
    struct sim_net net;
    struct engine *engine;
    struct sim_world_plan plan; /* its pointers are not kept */
    uint32_t n_relays, n_clients;
    struct world_relay *relay;
    struct world_client *client; /* in the order of their nodes */
    struct consensus **old;      /* of the epochs before, which relays keep */
    size_t n_old;
    int err; /* the first thing that went wrong within a run */
    /* Called when something of this client has become durable, which is when a
     * message is handed out; NULL: not. */
    void (*committed)(void *ctx, struct world_client *k);
    void *ctx;
};

/* Fill plan with what tests and small worlds take: 5 ms links, room for little.
 */
void sim_world_plan_default(struct sim_world_plan *plan);

/* Make a world of this plan. Returns 0, ERR_RANGE and ERR_FORMAT (its
 * parameters are none of a consensus), ERR_NOMEM. */
int sim_world_new(struct world **out,
                  const struct sim_world_plan *plan) CHECK_RESULT;
/* Free *w with all that is in it. */
void sim_world_free(struct world **w);
/* Carry w on for so many seconds of virtual time. Returns 0 or w->err. */
int sim_world_run(struct world *w, double seconds) CHECK_RESULT;

/* Publish the next epoch's consensus: relays take it up at once, clients get it
 * from their gateways. Returns 0, ERR_NOMEM. */
int sim_world_epoch(struct world *w) CHECK_RESULT;

/* Kill the relay of this number as kill -9 does, and start it on what its disk
 * has. */
void sim_relay_stop(struct world *w, uint32_t number);
int sim_relay_start(struct world *w, uint32_t number) CHECK_RESULT;

/* Add a client of this profile to w and connect it to the gateway `gateway`.
 * Returns also ERR_FULL beyond plan.clients_max; clients stay where they are in
 * memory. */
int sim_client_add(struct world *w, const char *profile, uint32_t gateway,
                   struct world_client **out) CHECK_RESULT;
/* Kill the client k, and start it on what its disk has. */
void sim_client_stop(struct world_client *k);
int sim_client_start(struct world_client *k) CHECK_RESULT;
/* Connect k to its gateway again, after that one came back. */
int sim_client_connect(struct world_client *k) CHECK_RESULT;
/* Close the link of k, which stands, and connect it anew, if the gateway lives.
 */
int sim_client_reconnect(struct world_client *k) CHECK_RESULT;
/* Do for k what the daemon does once a second: a client that is stuck, or has
 * no link, connects to the gateway that it says. */
int sim_client_watch(struct world_client *k) CHECK_RESULT;
/* Make a and b a pair, by the names that they call each other: a invites b. */
int sim_client_pair(struct world_client *a, const char *a_calls_b,
                    struct world_client *b, const char *b_calls_a) CHECK_RESULT;

/* Add up the counts of all workers of all relays of w that live. */
void sim_world_stats(const struct world *w, struct relay_stats *sum);

/* ---- between the files of this ---- */

/* Find the client of this node of w; NULL: it is none's. */
struct world_client *sim_client_of(const struct world *w, uint32_t node);
/* Free what k has. */
void sim_client_free(struct world_client *k);
#endif
