/* lib/os/link.c - one link: socket, TLS session, frames in, frames out.
 *
 * Timer: connecting and handshake together (config.handshake_us). Failure
 * modes: refused, silent or garbled peers (down with the reason); a peer that
 * does not read (the queue fills, or with link_set_ahead() stays empty, and
 * frames are refused; the owner looks at link_stalled_us()); no memory.
 *
 * A link reads READ_LEN bytes a turn at most, so links that have more waiting
 * than they get share the loop evenly, whatever comes over them. */
#include "lib/os/link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/blocks.h"
#include "lib/os/link_internal.h"
#include "lib/os/socket.h"

enum {
    READ_LEN = 65536,
    BATCH = 32,      /* frames told at once */
    QUEUE_KEEP = 64, /* frames whose room a drained queue keeps; one
                                  alone is a client's, of whom there are many */
    HANDSHAKE_US = 10000000
};

static void
link_down(struct link *l, int err)
{
    if (l->state == LINK_DOWN)
        return;
    l->state = LINK_DOWN;
    loop_watch_free(&l->watch);
    loop_timer_free(&l->timer);
    loop_hook_cancel(l->loop, &l->hook);
    if (l->fd >= 0 && l->ahead > 0)
        socket_discard(l->fd); /* else it comes beside what the next link has */
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
    if (l->ops)
        l->ops->down(l->ctx, l, err);
}

/* ---- out ---- */

/* Take len bytes of the budget of all links, if there is room. */
static bool
budget_take(struct link *l, uint64_t len)
{
    struct link_budget *b = l->config.budget;
    if (!b)
        return true;
    if (atomic_fetch_add(&b->used, len) + len > b->max) {
        atomic_fetch_sub(&b->used, len);
        return false;
    }
    l->charged += len;
    return true;
}

static void
budget_give(struct link *l, uint64_t len)
{
    if (!l->config.budget)
        return;
    atomic_fetch_sub(&l->config.budget->used, len);
    l->charged -= len;
}

/* Return to the budget what no longer waits; len bytes still do. */
static void
budget_settle(struct link *l, uint64_t len)
{
    if (l->charged > len)
        budget_give(l, l->charged - len);
}

/* Tell whether ciphertext waits that the kernel did not take yet. */
static bool
out_waits(const struct link *l)
{
    return tls_output(l->session, NULL) > 0;
}

/* Watch for reading, unless paused, and for writing while ciphertext waits. */
static void
watch_update(struct link *l)
{
    loop_watch_set(l->watch, (l->paused ? 0 : (unsigned)LOOP_READ) |
                                 (out_waits(l) ? (unsigned)LOOP_WRITE : 0));
}

/* Give the ciphertext to the kernel. Returns false when the link went down. */
static bool
out_flush(struct link *l)
{
    const uint8_t *data;
    size_t len;
    while ((len = tls_output(l->session, &data)) > 0) {
        ssize_t n = send(l->fd, data, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (n <= 0) {
            link_down(l, ERR_CLOSED);
            return false;
        }
        l->stats.sends++;
        l->moved_us = loop_now_us(l->loop);
        l->given += (uint64_t)n;
        tls_sent(l->session, (size_t)n);
    }
    if (len == 0)
        budget_settle(l, l->queued * l->config.frame_len);
    watch_update(l);
    return true;
}

/* Encrypt the queue, record by record, and send it in one go. While the socket
 * is blocked the queue waits, so that ciphertext stays bounded too. */
static void
queue_flush(void *ctx)
{
    struct link *l = ctx;
    size_t len = l->config.frame_len, per = TLS_RECORD_LEN / len;
    int err = 0;
    if (per == 0)
        per = 1;
    if (l->state != LINK_UP || out_waits(l))
        return;
    for (size_t i = 0; i < l->queued && !err; i += per) {
        size_t n = l->queued - i < per ? l->queued - i : per;
        err = tls_write(l->session, l->queue + i * len, n * len);
    }
    l->stats.frames_out += l->queued;
    sodium_memzero(l->queue, l->queued * len);
    l->queued = 0;
    if (l->queue_room > QUEUE_KEEP || l->queue_room == 1) {
        free(l->queue);
        l->queue = NULL;
        l->queue_room = 0;
    }
    if (err)
        link_down(l, err);
    else
        (void)out_flush(l);
}

/* Ask the kernel how many bytes of a link with `ahead` set it still has, *all,
 * and how many of these have not left, *unsent; note whether anything has
 * arrived since. A kernel that does not tell has taken no more than its room.
 */
static void
kernel_look(struct link *l, uint64_t now_us, size_t *all, size_t *unsent)
{
    *all = *unsent = 0;
    if (l->ahead == 0 || l->state != LINK_UP ||
        socket_waiting(l->fd, all, unsent))
        return;
    const uint64_t arrived = l->given - *all;
    if (arrived != l->arrived || *all == 0)
        l->moved_us = now_us;
    l->arrived = arrived;
}

/* Return how long a frame is on the wire. */
static size_t
wire_len(const struct link *l)
{
    const size_t len = l->config.frame_len;
    return len + (len + TLS_RECORD_LEN - 1) / TLS_RECORD_LEN * TLS_RECORD_EXTRA;
}

/* Tell whether another frame may be sent now. */
static bool
ahead_allows(struct link *l)
{
    size_t all, unsent;
    if (l->ahead == 0)
        return true;
    kernel_look(l, loop_now_us(l->loop), &all, &unsent);
    return !out_waits(l) && unsent == 0 &&
           all + (l->queued + 1) * wire_len(l) <= l->ahead * wire_len(l);
}

int
link_send(struct link *l, const uint8_t *frame)
{
    size_t len = l->config.frame_len;
    if (l->state != LINK_UP)
        return ERR_CLOSED;
    if (l->queued == l->config.queue_max || !ahead_allows(l) ||
        !budget_take(l, len)) {
        l->stats.refused++;
        return ERR_FULL;
    }
    if (l->ahead == 0 && l->queued == 0 && !out_waits(l))
        l->moved_us = loop_now_us(l->loop); /* from now on something waits */
    if (l->queued == l->queue_room) {
        uint32_t room = l->queue_room ? 2 * l->queue_room : 1;
        if (room > l->config.queue_max)
            room = l->config.queue_max;
        uint8_t *more = realloc(l->queue, room * len);
        if (!more) {
            budget_give(l, len);
            return ERR_NOMEM;
        }
        l->queue = more;
        l->queue_room = room;
    }
    memcpy(l->queue + l->queued++ * len, frame, len);
    if (!out_waits(l))
        loop_at_turn_end(l->loop, &l->hook, queue_flush, l);
    return 0;
}

/* ---- in ---- */

/* Keep the part of a frame that has come; most of the time there is none. */
static bool
rest_keep(struct link *l, const uint8_t *rest)
{
    if (l->in_len == 0) {
        free(l->in);
        l->in = NULL;
        return true;
    }
    if (!l->in)
        l->in = malloc(l->config.frame_len);
    if (!l->in) {
        link_down(l, ERR_NOMEM);
        return false;
    }
    memcpy(l->in, rest, l->in_len);
    return true;
}

/* Hand over whole frames and keep the part of another. Returns false when the
 * link is over. */
static bool
frames_read(struct link *l)
{
    size_t len = l->config.frame_len, room = BATCH * len, have = l->in_len;
    uint8_t *batch = loop_scratch(l->loop, room);
    if (!batch) {
        link_down(l, ERR_NOMEM);
        return false;
    }
    if (have > 0)
        memcpy(batch, l->in, have);
    for (;;) {
        int n = tls_read(l->session, batch + have, room - have);
        if (n < 0) {
            link_down(l, n);
            return false;
        }
        if (n == 0)
            break;
        have += (size_t)n;
        size_t whole = have / len, rest = have % len;
        if (whole == 0)
            continue;
        l->stats.frames_in += whole;
        l->heard_us = loop_now_us(l->loop);
        if (l->ops)
            l->ops->frames(l->ctx, l, batch, whole);
        if (l->freed || l->state == LINK_DOWN)
            return false;
        memmove(batch, batch + whole * len, rest);
        have = rest;
    }
    l->in_len = have;
    return rest_keep(l, batch);
}

static bool
handshake_step(struct link *l)
{
    uint8_t peer[TLS_ID_LEN];
    int done = tls_handshake(l->session);
    if (!out_flush(l)) /* an alert may tell the other side why */
        return false;
    if (done < 0)
        link_down(l, done);
    if (done <= 0)
        return done == 0;
    bool shown = tls_peer(l->session, peer);
    if (l->pinned &&
        (!shown || sodium_memcmp(peer, l->pin, sizeof peer) != 0)) {
        link_down(l, ERR_PEER);
        return false;
    }
    l->state = LINK_UP;
    loop_timer_free(&l->timer);
    l->ops->up(l->ctx, l, shown ? peer : NULL);
    return !l->freed && l->state == LINK_UP;
}

static void
link_readable(struct link *l)
{
    static __thread uint8_t bytes[READ_LEN];
    ssize_t n = recv(l->fd, bytes, sizeof bytes, 0);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (n <= 0) {
        link_down(l, ERR_CLOSED);
        return;
    }
    tls_input(l->session, bytes, (size_t)n);
    if (l->state == LINK_HANDSHAKE && !handshake_step(l))
        return;
    if (l->state == LINK_UP)
        (void)frames_read(l);
}

static bool
connect_finish(struct link *l)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &len) || error) {
        link_down(l, ERR_CLOSED);
        return false;
    }
    l->state = LINK_HANDSHAKE;
    return handshake_step(l);
}

static void
link_release(struct link *l)
{
    budget_settle(l, 0);
    tls_session_free(&l->session);
    if (l->queue)
        sodium_memzero(l->queue, l->queue_room * l->config.frame_len);
    free(l->queue);
    free(l->in);
    free(l);
}

static void
link_ready(void *ctx, unsigned ready)
{
    struct link *l = ctx;
    l->entered = true;
    bool live = true;
    if (l->state == LINK_CONNECTING)
        live = connect_finish(l);
    else if (ready & LOOP_WRITE) {
        live = out_flush(l);
        if (live && l->state == LINK_UP && l->queued > 0)
            queue_flush(l);
    }
    if (live && !l->freed && l->state != LINK_DOWN && (ready & LOOP_READ))
        link_readable(l);
    l->entered = false;
    if (l->freed)
        link_release(l);
}

static void
link_timeout(void *ctx)
{
    struct link *l = ctx;
    l->entered = true;
    link_down(l, ERR_TIMEOUT);
    l->entered = false;
    if (l->freed)
        link_release(l);
}

/* ---- life ---- */

int
link_new(struct link **out, struct loop *loop, struct tls *tls,
         const struct link_config *config, int fd, bool server,
         const struct link_ops *ops, void *ctx)
{
    uint64_t wait_us =
        config->handshake_us ? config->handshake_us : HANDSHAKE_US;
    struct link *l = calloc(1, sizeof *l);
    *out = NULL;
    if (!l)
        return ERR_NOMEM;
    l->loop = loop;
    l->config = *config;
    l->block = BLOCKS_NONE;
    l->fd = fd;
    l->heard_us = loop_now_us(loop);
    l->ops = ops;
    l->ctx = ctx;
    l->state = server ? LINK_HANDSHAKE : LINK_CONNECTING;
    int err = tls_session_new(&l->session, tls, server);
    if (!err)
        err = loop_watch_new(loop, fd, link_ready, l, &l->watch);
    if (!err)
        err = loop_timer_new(loop, link_timeout, l, &l->timer);
    if (err) {
        l->fd = -1; /* stays the caller's */
        link_free(&l);
        return err;
    }
    loop_timer_at(l->timer, loop_now_us(loop) + wait_us);
    loop_watch_set(l->watch,
                   server ? (unsigned)LOOP_READ : LOOP_READ | LOOP_WRITE);
    *out = l;
    return 0;
}

int
link_connect(struct link **out, struct loop *loop, struct tls *tls,
             const struct link_config *config, const char *address,
             const uint8_t pin[static TLS_ID_LEN], const struct link_ops *ops,
             void *ctx)
{
    int fd;
    *out = NULL;
    int err = socket_connect(&fd, address);
    if (err)
        return err;
    err = link_new(out, loop, tls, config, fd, false, ops, ctx);
    if (err) {
        close(fd);
        return err;
    }
    (*out)->pinned = true;
    memcpy((*out)->pin, pin, TLS_ID_LEN);
    return 0;
}

void
link_free(struct link **lp)
{
    struct link *l = *lp;
    *lp = NULL;
    if (!l)
        return;
    l->ops = NULL;
    link_down(l, ERR_CLOSED);
    if (l->config.blocks)
        blocks_give(l->config.blocks, l->block);
    l->freed = true;
    if (!l->entered)
        link_release(l);
}

void
link_set_ahead(struct link *l, uint32_t ahead)
{
    if (l->ahead == ahead || l->fd < 0)
        return;
    l->ahead = ahead;
    if (ahead > 0)
        socket_limit(l->fd, ahead * wire_len(l));
}

void
link_set_owner(struct link *l, const struct link_ops *ops, void *ctx)
{
    l->ops = ops;
    l->ctx = ctx;
}

void
link_stats(const struct link *l, struct link_stats *out)
{
    *out = l->stats;
}

void
link_pause(struct link *l, bool paused)
{
    if (l->paused == paused || l->state != LINK_UP)
        return;
    l->paused = paused;
    watch_update(l);
}

uint64_t
link_stalled_us(struct link *l, uint64_t now_us)
{
    size_t all, unsent;
    kernel_look(l, now_us, &all, &unsent);
    return all > 0 || l->queued > 0 || out_waits(l) ? now_us - l->moved_us : 0;
}

uint64_t
link_idle_us(const struct link *l, uint64_t now_us)
{
    return now_us - l->heard_us;
}
