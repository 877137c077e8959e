/* relay/relay.h - a relay as a pure object: gateway, mix or store.
 *
 *   receive -> unwrap -> replay -> mix -> send          (forward)
 *                               -> mix -> downlink      (deliver, gateway)
 *                               -> boxes -> answer      (store)
 *                                  board, an announcement (store)
 *   receive -> lists -> send, downlink                    (a board's list)
 *
 *   receive  version, epoch, edge, fair share: what needs no key exchange;
 *            frames of all links wait together, a millisecond at most
 *   unwrap   32 at a time (sphinx/); the own block is judged
 *   replay   nothing passes twice; what passes gets a slab buffer
 *   mix      by the network's strategy, until its time
 *   send     all that is due for one neighbour in one go
 *
 * The consensus gives a relay its role. Frames come in through relay_frames()
 * and relay_client_frames(), leave through env_send(), and everything that
 * waits is served by relay_tick() when the one timer fires. No packet is
 * allocated on its own, everything has a bound, and whatever is dropped is
 * counted by reason.
 *
 * A relay may have several workers, each a struct relay on a thread of its own
 * (relay/plane.h): the first is made by relay_new(), the others from it by
 * relay_worker(), and all are told the same consensuses. */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H
#include <stddef.h>
#include <stdint.h>

#include "lib/env.h"
#include "network/consensus.h"
#include "network/json.h"
#include "relay/alarm.h"
#include "relay/replay.h"

struct relay;

enum { RELAY_WORKERS_MAX = 64 };

struct relay_config {
    struct env *env;
    uint8_t identity[SPHINX_ID_LEN];
    const uint8_t
        *identity_seed;    /* SPHINX_SEED_LEN bytes, the caller's; outlives
                                     the relay, which signs lists with the seed;
                                     NULL: the relay makes no lists */
    struct replay *replay; /* the caller's; outlives the relay */
    uint32_t packets_max;  /* held at once, all kinds and workers together */
    uint32_t clients_max;  /* a gateway's connections; 0 elsewhere */
    uint32_t workers;      /* 0: one */
};

/* Counts since the start, of one worker; 64-bit numbers alone. */
struct relay_stats {
    uint64_t received, forwarded, delivered, answered, dummies, pieces;
    uint64_t skipped; /* ticks down, with a client's line in the way */
    uint64_t loops_sent, loops_returned, loops_lost;
    /* a board's: tokens that were taken, refused (for want of work, used,
     * twice, to no board), given up for others */
    uint64_t announced, announced_bad, announced_lost;
    /* lists: made, of others and good, frames of them sent, refused; pairs that
     * contradict each other */
    uint64_t lists_made, lists_taken, lists_passed, lists_refused,
        equivocations;
    uint64_t dropped[ERROR_COUNT]; /* by -err */
};

/* Own loops whose way began or ended with the link to or from a neighbour;
 * the neighbour counts the same links by loops of its own. */
struct relay_link_loops {
    uint32_t to_returned, to_lost, from_returned, from_lost;
};

/* Make a relay of this config; *out is its worker 0. Returns 0, ERR_ARG or
 * ERR_NOMEM. */
int relay_new(struct relay **out,
              const struct relay_config *config) CHECK_RESULT;
/* Make another worker of the relay `first`, with the numbers 1, 2, .. in turn,
 * in an environment of its own. All workers are made before any of their
 * threads runs, and freed after all have ended. */
int relay_worker(struct relay **out, const struct relay *first, uint32_t number,
                 struct env *env) CHECK_RESULT;
/* Free *r; wipe its keys and packets. */
void relay_free(struct relay **r);

/* Take up the consensus c and the seed of this relay's packet key under it.
 * owner: which worker has the link to each relay of c; NULL: this one has all.
 * The newest EPOCHS_USABLE + 1 consensuses are kept; c and owner stay the
 * caller's and have to live until as many newer ones were set. Worker 0 is told
 * first. Returns 0; ERR_NOT_FOUND when the relay is not in c; ERR_STALE when c
 * is older than those kept; ERR_NOMEM. */
int relay_set_consensus(struct relay *r, const struct consensus *c,
                        const uint8_t seed[static SPHINX_SEED_LEN],
                        const uint8_t *owner) CHECK_RESULT;

/* Forget the consensus of this epoch, which is about to be freed without a
 * newer one in its place. */
void relay_forget(struct relay *r, uint32_t epoch);

/* Give the clients the newest consensus, that of `epoch`, as signed bytes,
 * which are copied. Returns 0, ERR_AGAIN (no consensus is set yet), ERR_RANGE
 * or ERR_NOMEM. */
int relay_set_document(struct relay *r, uint32_t epoch, const uint8_t *bytes,
                       size_t len) CHECK_RESULT;

/* Another relay at the other end of a link. A value of the link's owner; the
 * relay keeps in it what it has looked up. */
struct relay_peer {
    uint8_t identity[SPHINX_ID_LEN];
    uint32_t epoch[EPOCHS_USABLE + 1]; /* + 1; 0: not looked up */
    uint8_t layer[EPOCHS_USABLE + 1];  /* UINT8_MAX: not in that consensus */
    uint32_t link; /* + 1, its number in relay/places.h; 0: not looked up */
};
/* Begin a peer with this identity, of whom nothing is looked up yet. */
void relay_peer_init(struct relay_peer *p,
                     const uint8_t identity[static SPHINX_ID_LEN]);

/* Take in n frames of packet_len bytes, one after the other, from a relay. The
 * frames are copied. */
void relay_frames(struct relay *r, struct relay_peer *from,
                  const uint8_t *frames, size_t n);

/* Open a client that has connected to this gateway; *client is its number.
 * Returns 0, ERR_FULL, or ERR_COMMAND when this is no gateway. */
int relay_client_open(struct relay *r, uint32_t *client) CHECK_RESULT;
void relay_client_close(struct relay *r, uint32_t client);
/* Find the client that is to give way when this worker has no place for
 * another: of those whose time is over the one whose was over first. A client's
 * time is 15 s, and as long as a consensus takes to come; each answer adds a
 * little more than the slowest profile takes for one, to five minutes ahead. An
 * answer costs a packet through the network, and every honest client gets one
 * each second. Returns false when there is no such client. */
bool relay_client_idler(const struct relay *r, uint32_t *client);
/* Tell whether all places of a gateway are taken. Any thread may ask. */
bool relay_clients_full(const struct relay *r);
/* Take in n frames from an open client. Returns false when the client sends
 * more than its profile allows: what is too much was dropped, and for a while
 * nothing more need be read from that client. */
bool relay_client_frames(struct relay *r, uint32_t client,
                         const uint8_t *frames, size_t n);

/* Tell how many frames to this client may be on its line at once, since none is
 * ever made up for: its link is to be set to that (lib/os/link.h). The number
 * changes when the client tells its profile. */
uint32_t relay_client_ahead(const struct relay *r, uint32_t client);

/* Do what is due; call when the timer has fired. */
void relay_tick(struct relay *r);

/* Prepare to leave: take no packet any more (ERR_CLOSED), send no loops, and
 * let out what is held, each packet at its time. All is out when relay_held()
 * is 0. */
void relay_drain(struct relay *r);

const struct relay_stats *relay_stats(const struct relay *r);
void relay_stats_add(struct relay_stats *sum, const struct relay_stats *s);

/* Tell whether it looks as if packets were withheld (relay/alarm.h). */
const struct alarm *relay_alarm(const struct relay *r);

/* Tell what came of the own loops that were sent under the consensus of
 * `epoch`, by way of the neighbour with this number there; zeros when that
 * consensus is not kept (any more), or r is not worker 0. */
struct relay_link_loops relay_link_loops(const struct relay *r, uint32_t epoch,
                                         uint16_t number);

/* Write to `out` what is to be told of this relay's links, by the loops that
 * have ended (relay/loss.h). Ask worker 0. Returns how many links, or
 * ERR_NOMEM. */
int relay_links_tell(const struct relay *r,
                     struct link_told out[static LINKS_TOLD_MAX]) CHECK_RESULT;

/* Count the packets held now by all workers. */
size_t relay_held(const struct relay *r);
#endif
