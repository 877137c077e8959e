/* lib/os/link.h - frames of one size between two programs, over TLS and TCP.
 *
 *   connecting -> handshake -> up -> down
 *
 * Frames that are handed over within one turn of the loop leave in one send().
 * A queue has a bound; a frame that does not fit is refused and counted. What
 * the wire shows depends on the number of frames alone. */
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

/* Bytes that may wait to leave, over many links; threads may share a budget. */
struct link_budget {
    uint64_t max;
    _Atomic uint64_t used;
};

/* What happens to a link. The owner may call link_free() from within any. */
struct link_ops {
    /* Note that frames may flow. peer is the other side's identity, or NULL
     * when that side showed none. */
    void (*up)(void *ctx, struct link *l, const uint8_t *peer);
    /* Take n frames, one after the other. They may be changed, and are gone
     * when this function returns. */
    void (*frames)(void *ctx, struct link *l, uint8_t *frames, size_t n);
    /* Note that l is over for good, because of err; called once. The owner
     * frees l, now or later. */
    void (*down)(void *ctx, struct link *l, int err);
};

struct link_stats {
    uint64_t frames_in, frames_out, sends, refused;
};

/* Connect to address, where the other side must have the identity pin. ops are
 * called with ctx. The caller owns *out. Returns 0, ERR_FORMAT (the address),
 * ERR_SYSTEM, ERR_NOMEM. */
int link_connect(struct link **out, struct loop *loop, struct tls *tls,
                 const struct link_config *config, const char *address,
                 const uint8_t pin[static TLS_ID_LEN],
                 const struct link_ops *ops, void *ctx) CHECK_RESULT;

/* Close and free *l, which may be NULL, and set it to NULL; no more ops are
 * called. */
void link_free(struct link **l);

/* Send each frame of l at its time or not at all from now on: a frame is taken
 * only when all earlier frames have left this machine, and at most ahead - 1 of
 * them are still on their way, that is, not acknowledged by the peer's kernel.
 * So when the line stands still, for however long, at most `ahead` frames
 * arrive together afterwards, and at most one of these leaves only then. If the
 * peer's program stood still, the frames that the peer's kernel had taken
 * arrive as well. What is on its way when the link goes down is thrown away.
 * ahead 0: no such bound, as at first. */
void link_set_ahead(struct link *l, uint32_t ahead);

/* Give l a new owner, whose ops are called with ctx from now on (a listener's
 * owner takes over accepted links). */
void link_set_owner(struct link *l, const struct link_ops *ops, void *ctx);

/* Copy frame into the queue of l. Returns 0, ERR_CLOSED (l is not up), ERR_FULL
 * (the queue of l, or the budget; or earlier frames are in the way, see
 * link_set_ahead()). */
int link_send(struct link *l, const uint8_t *frame) CHECK_RESULT;

/* Write to *out what l has counted. */
void link_stats(const struct link *l, struct link_stats *out);

/* Stop taking frames from the peer of l when paused, go on when not. */
void link_pause(struct link *l, bool paused);

/* Tell for how long, in microseconds, the peer has taken nothing although l had
 * something to send. */
uint64_t link_stalled_us(struct link *l, uint64_t now_us);

/* Tell for how long, in microseconds, no whole frame has come over l. */
uint64_t link_idle_us(const struct link *l, uint64_t now_us);

/* Take over l, which has finished its handshake with a peer of this identity
 * (NULL: the peer showed none): give l an owner with link_set_owner(), or free
 * l. */
typedef void (*listener_accept_fn)(void *ctx, struct link *l,
                                   const uint8_t *peer);

/* Accept links at address, at most max at once, of which an eighth (at least
 * 16) may be unfinished; accept(ctx) is told of each that is finished. The
 * caller owns *out. Returns 0, ERR_NOMEM, and ERR_FORMAT or ERR_SYSTEM as
 * socket_listen(). */
int listener_new(struct listener **out, struct loop *loop, struct tls *tls,
                 const struct link_config *config, const char *address,
                 uint32_t max, listener_accept_fn accept,
                 void *ctx) CHECK_RESULT;

/* Close and free *l, which may be NULL, and set it to NULL. Links that were
 * handed over live on. */
void listener_free(struct listener **l);

/* Return the address that was bound. */
const char *listener_address(const struct listener *l);

/* Return how many connections were refused or failed because of err. */
uint64_t listener_refused(const struct listener *l, int err);
#endif
