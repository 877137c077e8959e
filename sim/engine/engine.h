/* sim/engine/engine.h - relays and other objects under one virtual clock.
 *
 * The engine owns time: it keeps every node's one timer and every frame under
 * way in one queue, in order of (time, sequence), and calls the nodes in that
 * order. It holds no protocol logic (I5): nodes are the relay's and client's
 * own objects behind three calls. The same seed gives the same course. */
#ifndef SIM_ENGINE_ENGINE_H
#define SIM_ENGINE_ENGINE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/env.h"
#include "lib/error.h"

struct engine;
struct sim_node;

/* What a node does. `self` is what engine_add() was given. */
struct sim_node_ops {
    /* A frame came from node `from`. It may be changed in place. */
    void (*frame)(void *self, uint32_t from, uint8_t *frame, size_t len);
    void (*tick)(void *self);
    /* Which node does this destination mean? UINT32_MAX: none. */
    uint32_t (*resolve)(void *self, struct env_dest to);
    /* A storage request that is to be carried out now; NULL without store. */
    void (*store)(void *self, struct env_store_req *req);
};

struct engine_config {
    uint64_t seed;
    uint64_t start_wall_s;
    uint64_t latency_us;     /* of every link: this much, */
    uint64_t jitter_mean_us; /* plus an exponential of this mean; order kept */
    uint32_t loss_ppm;       /* frames lost of a million */
    uint64_t commit_us;      /* a storage request takes this long */
    size_t frame_len;        /* longest frame */
};

/* Make an engine as config says. Returns 0 or ERR_NOMEM. */
int engine_new(struct engine **out,
               const struct engine_config *config) CHECK_RESULT;
/* Free *e with all its nodes' environments, not their objects. */
void engine_free(struct engine **e);

/* Add a node to e that does what ops says; *env is the environment for its
 * object, owned by the engine. with_store: env has a store. Returns its number,
 * UINT32_MAX without memory. */
uint32_t engine_add(struct engine *e, const struct sim_node_ops *ops,
                    bool with_store, struct env **env);

/* Set the object behind a node to `self`; NULL while it is dead: frames to it
 * are lost. A new object starts without a timer. */
void engine_set_object(struct engine *e, uint32_t node, void *self);

/* Run e until virtual time reaches until_us or nothing is left to do. Returns
 * ERR_NOMEM or ERR_FULL when there was no room for an event, now or at any time
 * before: the course has stopped there. */
int engine_run(struct engine *e, uint64_t until_us) CHECK_RESULT;

/* Return the virtual time of e. */
uint64_t engine_now_us(const struct engine *e);

/* Send a frame to the node `to` as if the node `from` had. */
void engine_inject(struct engine *e, uint32_t from, uint32_t to,
                   const uint8_t *frame, size_t len);

/* A function that sees every frame when it is sent, lost ones too. */
typedef void (*engine_tap_fn)(void *ctx, uint64_t now_us, uint32_t from,
                              uint32_t to, const uint8_t *frame, size_t len);
/* Have tap called with ctx; NULL: nobody looks. */
void engine_tap(struct engine *e, engine_tap_fn tap, void *ctx);

/* An adversary on the links, who is asked for every frame that is sent; false
 * withholds it. */
typedef bool (*engine_pass_fn)(void *ctx, uint64_t now_us, uint32_t from,
                               uint32_t to);
/* Have pass asked with ctx; NULL: there is no adversary. */
void engine_adversary(struct engine *e, engine_pass_fn pass, void *ctx);

/* Somebody who stands before a node: what comes to it and what it sends pass
 * him first. comes() may change the frame; false keeps it from the node.
 * leaves() is asked for each frame that the node sends itself, not for what is
 * injected in its name; false keeps it from the links. Either may be NULL. */
struct sim_front_ops {
    bool (*comes)(void *ctx, uint32_t from, uint8_t *frame, size_t len);
    bool (*leaves)(void *ctx, uint32_t to, const uint8_t *frame, size_t len);
};
/* Put ops before a node that lives; NULL: nobody stands there any more. */
void engine_front(struct engine *e, uint32_t node,
                  const struct sim_front_ops *ops, void *ctx);

/* Set how far a node's wall clock is ahead of the right time, or behind it: it
 * jumps there. At the start all are right. */
void engine_clock(struct engine *e, uint32_t node, int64_t ahead_ms);

/* Return a digest of all that has happened: same seed, same digest. */
uint64_t engine_trace(const struct engine *e);

/* Count the events that were carried out so far. */
uint64_t engine_events(const struct engine *e);
#endif
