/* lib/os/link.h - frames of one size between two programs, over TLS and TCP.
 *
 *   connecting -> handshake -> up -> down
 *
 * Frames handed over within one turn of the loop leave in one send(). A queue
 * has a bound; what does not fit is refused and counted. What the wire shows
 * depends on the number of frames alone. */
#ifndef LIB_OS_LINK_H
#define LIB_OS_LINK_H
#include <stddef.h>
#include <stdint.h>

#include "lib/address.h"
#include "lib/os/loop.h"
#include "lib/os/tls.h"

struct blocks;
struct link;
struct listener;

struct link_config {
    size_t frame_len;
    struct blocks *blocks; /* limits of a listener's peers, or NULL; outlives
                              every link */
    uint32_t queue_max;    /* frames waiting to leave */
    uint64_t handshake_us; /* time for connecting and handshake; 0: 10 s */
    struct link_budget *budget; /* of all links that name it, or NULL */
};

/* Octets that may wait to leave, over many links; threads may share it. */
struct link_budget {
    uint64_t max;
    _Atomic uint64_t used;
};

/* What happens to a link. The owner may call link_free() from within any. */
struct link_ops {
    /* Frames may flow. peer: its identity, or NULL when it showed none. */
    void (*up)(void *ctx, struct link *l, const uint8_t *peer);
    /* n frames, one after the other; may be changed, are not kept. */
    void (*frames)(void *ctx, struct link *l, uint8_t *frames, size_t n);
    /* Over, once and for good; the owner frees it, now or later. */
    void (*down)(void *ctx, struct link *l, int err);
};

struct link_stats {
    uint64_t frames_in, frames_out, sends, refused;
};

/* Connect to an address whose identity must be `pin`. Returns 0, ERR_FORMAT
 * (the address), ERR_SYSTEM, ERR_NOMEM. */
int link_connect(struct link **out, struct loop *loop, struct tls *tls,
                 const struct link_config *config, const char *address,
                 const uint8_t pin[static TLS_ID_LEN],
                 const struct link_ops *ops, void *ctx) CHECK_RESULT;
void link_free(struct link **l);

/* Send at its time or not at all from now on: a frame is taken only when all
 * frames before it have left this machine, and at most ahead - 1 of them are
 * still on their way, that is, not acknowledged by the peer's kernel. So when
 * the line stands still, for however long, at most `ahead` frames arrive in one
 * go afterwards, and at most one of them leaves only then; beside them comes
 * what the peer's kernel had taken, when it is the peer's program that stood
 * still. What is on its way when the link goes down is thrown away. ahead 0: no
 * such bound, as at first. */
void link_set_ahead(struct link *l, uint32_t ahead);

/* Change the owner (a listener's owner takes over accepted links). */
void link_set_owner(struct link *l, const struct link_ops *ops, void *ctx);

/* Copy a frame into the queue. Returns 0, ERR_CLOSED (not up), ERR_FULL (this
 * link's queue, or the budget; or what went before is in the way, see
 * link_set_ahead()). */
int link_send(struct link *l, const uint8_t *frame) CHECK_RESULT;
void link_stats(const struct link *l, struct link_stats *out);
/* Take nothing from the peer any more, until told to go on. */
void link_pause(struct link *l, bool paused);
/* For how long it has had something to send and the peer took nothing of it;
 * for how long no whole frame has come. Microseconds. */
uint64_t link_stalled_us(struct link *l, uint64_t now_us);
uint64_t link_idle_us(const struct link *l, uint64_t now_us);

/* Accept links at an address. accept() is told each one that has finished its
 * handshake, with its peer's identity or NULL, and gives it an owner with
 * link_set_owner(), or frees it. At most max links at once, an eighth of them
 * (at least 16) unfinished. */
typedef void (*listener_accept_fn)(void *ctx, struct link *l,
                                   const uint8_t *peer);
/* Returns 0, ERR_NOMEM, and ERR_FORMAT or ERR_SYSTEM as socket_listen(). */
int listener_new(struct listener **out, struct loop *loop, struct tls *tls,
                 const struct link_config *config, const char *address,
                 uint32_t max, listener_accept_fn accept,
                 void *ctx) CHECK_RESULT;
/* Links that were handed over live on. */
void listener_free(struct listener **l);
/* The address that was bound. */
const char *listener_address(const struct listener *l);
/* Connections refused or failed for this reason. */
uint64_t listener_refused(const struct listener *l, int err);
#endif
