/* lib/link.c - one link: socket, TLS session, frames in, frames out.
 *
 * Timer: connecting and handshake together (config.handshake_us). Failure
 * modes: refused, silent or garbled peers (down with the reason); a peer that
 * does not read (the queue fills, frames are refused; the owner looks at
 * link_stalled_us()); no memory.
 *
 * A link reads READ_LEN octets a turn at most, so links that have more waiting
 * than they get share the loop evenly, whatever comes over them. */
#include "lib/link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/blocks.h"
#include "lib/link_internal.h"

enum {
    READ_LEN = 65536,
    RECORD_FRAMES_LEN = 16384, /* plaintext of one TLS record */
    BATCH = 32,                /* frames told at once */
    QUEUE_KEEP = 64,           /* frames whose room a drained queue keeps */
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
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
    if (l->ops)
        l->ops->down(l->ctx, l, err);
}

/* ---- out ---- */

/* Is there room for so much more among all links? */
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

/* Nothing but this much waits now. */
static void
budget_settle(struct link *l, uint64_t len)
{
    if (l->charged > len) {
        atomic_fetch_sub(&l->config.budget->used, l->charged - len);
        l->charged = len;
    }
}

/* Give the kernel what is encrypted. Returns false when the link went down. */
static bool
out_flush(struct link *l)
{
    while (l->out_at < l->out_len) {
        ssize_t n = send(l->fd, l->out + l->out_at, l->out_len - l->out_at,
                         MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (n <= 0) {
            link_down(l, ERR_CLOSED);
            return false;
        }
        l->stats.sends++;
        l->out_at += (size_t)n;
        l->moved_us = loop_now_us(l->loop);
    }
    if (l->out_at == l->out_len) { /* ten thousand links cannot each keep it */
        free(l->out);
        l->out = NULL;
        l->out_at = l->out_len = l->out_room = 0;
        budget_settle(l, l->queued * l->config.frame_len);
    }
    loop_watch_set(l->watch, l->out_len > 0 ? LOOP_READ | LOOP_WRITE
                                            : (unsigned)LOOP_READ);
    return true;
}

/* Append all ciphertext there is to the out buffer. */
static int
out_collect(struct link *l)
{
    for (;;) {
        if (l->out_room - l->out_len < READ_LEN / 4) {
            size_t room = l->out_room ? 2 * l->out_room : READ_LEN / 2;
            uint8_t *more = realloc(l->out, room);
            if (!more)
                return ERR_NOMEM;
            l->out = more;
            l->out_room = room;
        }
        size_t n = tls_output(l->session, l->out + l->out_len,
                              l->out_room - l->out_len);
        if (n == 0)
            return 0;
        l->out_len += n;
    }
}

/* Encrypt the queue, record by record, and send it in one go. While the socket
 * is blocked the queue waits, so that ciphertext stays bounded too. */
static void
queue_flush(void *ctx)
{
    struct link *l = ctx;
    size_t len = l->config.frame_len, per = RECORD_FRAMES_LEN / len;
    int err = 0;
    if (per == 0)
        per = 1;
    if (l->state != LINK_UP || l->out_len > 0)
        return;
    for (size_t i = 0; i < l->queued && !err; i += per) {
        size_t n = l->queued - i < per ? l->queued - i : per;
        err = tls_write(l->session, l->queue + i * len, n * len);
    }
    l->stats.frames_out += l->queued;
    sodium_memzero(l->queue, l->queued * len);
    l->queued = 0;
    if (l->queue_room > QUEUE_KEEP) {
        free(l->queue);
        l->queue = NULL;
        l->queue_room = 0;
    }
    if (!err)
        err = out_collect(l);
    if (err)
        link_down(l, err);
    else
        (void)out_flush(l);
}

int
link_send(struct link *l, const uint8_t *frame)
{
    size_t len = l->config.frame_len;
    if (l->state != LINK_UP)
        return ERR_CLOSED;
    if (l->queued == l->config.queue_max || !budget_take(l, len)) {
        l->stats.refused++;
        return ERR_FULL;
    }
    if (l->queued == 0 && l->out_len == 0)
        l->moved_us = loop_now_us(l->loop); /* from now on something waits */
    if (l->queued == l->queue_room) {
        uint32_t room = l->queue_room ? 2 * l->queue_room : 1;
        if (room > l->config.queue_max)
            room = l->config.queue_max;
        uint8_t *more = realloc(l->queue, room * len);
        if (!more)
            return ERR_NOMEM;
        l->queue = more;
        l->queue_room = room;
    }
    memcpy(l->queue + l->queued++ * len, frame, len);
    if (l->out_len == 0)
        loop_at_turn_end(l->loop, &l->hook, queue_flush, l);
    return 0;
}

/* ---- in ---- */

/* Tell whole frames, keep the rest of one. Returns false when it is over. */
static bool
frames_read(struct link *l)
{
    size_t len = l->config.frame_len, room = BATCH * len, have = l->in_len;
    uint8_t *batch = loop_scratch(l->loop, room);
    if (!batch) {
        link_down(l, ERR_NOMEM);
        return false;
    }
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
    memcpy(l->in, batch, have);
    l->in_len = have;
    return true;
}

static bool
handshake_step(struct link *l)
{
    uint8_t peer[TLS_ID_LEN];
    int done = tls_handshake(l->session);
    int err = out_collect(l);
    if (err || done < 0) {
        /* an alert may tell the other side why */
        if (!err && !out_flush(l))
            return false;
        link_down(l, err ? err : done);
        return false;
    }
    if (!out_flush(l))
        return false;
    if (done == 0)
        return true;
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
    int err = tls_input(l->session, bytes, (size_t)n);
    if (err) {
        link_down(l, err);
        return;
    }
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
    free(l->out);
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
    l->in = malloc(config->frame_len);
    int err = l->in ? 0 : ERR_NOMEM;
    if (!err)
        err = tls_session_new(&l->session, tls, server);
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
    int err = address_connect(&fd, address);
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

uint64_t
link_stalled_us(const struct link *l, uint64_t now_us)
{
    return l->queued > 0 || l->out_len > 0 ? now_us - l->moved_us : 0;
}

uint64_t
link_idle_us(const struct link *l, uint64_t now_us)
{
    return now_us - l->heard_us;
}
