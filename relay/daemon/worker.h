/* relay/daemon/worker.h - one worker of a relay on the real machine: a loop, an
 * environment, a struct relay, and the links it owns.
 *
 * Worker 0 runs on the main thread, beside directory and monitor; the others
 * each on a thread of their own. The main thread asks them by worker_call(), so
 * nothing of a worker is touched by two threads but what is made for that
 * (relay/plane.h, replay set, storage, blocks of addresses). */
#ifndef RELAY_DAEMON_WORKER_H
#define RELAY_DAEMON_WORKER_H
#include <pthread.h>
#include <stdatomic.h>

#include "lib/os/host.h"
#include "lib/os/link.h"
#include "lib/os/storage.h"
#include "relay/relay.h"

enum { DAEMON_VIEWS = EPOCHS_USABLE + 1 };

struct relay_daemon;
struct peers;
struct daemon_view;
struct links;

/* A token bucket of frames taken in, of all workers; times in nanoseconds. */
struct net_rate {
    uint64_t each_ns, room_ns; /* each_ns 0: no limit */
    _Atomic uint64_t full_ns;
};

/* What all links of a relay have in common; outlives them. */
struct net_shared {
    struct tls *tls;
    struct link_budget in_budget, out_budget;
    struct peers *peers;
    struct net_rate rate;
    struct link_config in, out; /* of accepted links, of those made */
};

struct worker_view {
    const struct consensus *consensus; /* NULL: empty */
    struct out_link **out; /* by relay number; NULL: not sent to, or not by
                              this worker */
};

struct worker {
    struct relay_daemon *daemon;
    uint32_t number;
    struct host *host, own; /* worker 0: the daemon's */
    struct relay *relay;
    struct links *links;
    struct worker_view view[DAEMON_VIEWS];
    struct storage_port *storage;
    struct loop_timer *timer; /* four times a second: links */
    pthread_t thread;
    bool runs;
};

/* Make worker `number` of d; worker 0 first, which alone uses the relay's
 * config. */
int worker_init(struct worker *w, struct relay_daemon *d, uint32_t number,
                const struct relay_config *config) CHECK_RESULT;
/* Make a worker's links, which have `shared` in common; worker_disconnect()
 * frees them. */
int worker_connect(struct worker *w, struct net_shared *shared) CHECK_RESULT;
void worker_disconnect(struct worker *w);
/* Start a worker's thread, which worker_stop() ends; worker 0 has none. */
int worker_start(struct worker *w) CHECK_RESULT;
void worker_stop(struct worker *w);
void worker_free(struct worker *w);

/* Run fn(w, ctx) on the worker's thread and wait until fn has returned; main
 * thread only. */
typedef int (*worker_fn)(struct worker *w, void *ctx);
int worker_call(struct worker *w, worker_fn fn, void *ctx);

/* Take up the consensus of v, with the seed of the packet key. Returns as
 * relay_set_consensus(). */
int worker_consensus(struct worker *w, const struct daemon_view *v,
                     const uint8_t *seed) CHECK_RESULT;
/* Drop the view of this epoch. */
void worker_forget(struct worker *w, uint32_t epoch);

/* links.c: make the links of worker w, which have `shared` in common. */
int links_new(struct links **out, struct worker *w,
              struct net_shared *shared) CHECK_RESULT;
void links_free(struct links **l);
/* Close all links and make none (closed), or go on. */
void links_close(struct links *l, bool closed);
/* Send a frame of len bytes to `to`; for env_ops.send. */
int links_send(struct env *env, struct env_dest to, const uint8_t *frame,
               size_t len);
/* Take the accepted connection fd from a block of addresses; any thread may
 * call. Returns as lobby_enter(). */
int links_arrive(struct links *l, int fd, uint32_t block) CHECK_RESULT;
/* Count the connections from others, unfinished ones too; any thread may
 * ask. */
uint32_t links_load(const struct links *l);
/* Tell whether, a second ago, one of this worker's clients would have given
 * way. Any thread may ask. */
bool links_idle(const struct links *l);
/* Make the links to all relays to which the view v, by `owner`, makes this
 * worker send. */
int links_view(struct links *l, struct worker_view *v,
               const uint8_t *owner) CHECK_RESULT;
void links_view_drop(struct worker_view *v);
/* Try those links again that are down. */
void links_upkeep(struct links *l);
struct net_status {
    size_t out, out_up, in, clients;
    uint64_t frames; /* carried, in and out */
    uint64_t refused[ERROR_COUNT];
};
/* Add this worker's links to *sum. */
void links_status(const struct links *l, struct net_status *sum);
#endif
