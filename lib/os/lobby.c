/* lib/os/lobby.c - handshakes under way, in a list.
 *
 * Each link belongs to the lobby until its handshake is over; then the owner is
 * told and takes the link. Failure modes: what fails a handshake; too many
 * handshakes at once (counted FULL). Peers that hold places without going on
 * keep others out for a fifth of a handshake's time only: then the oldest link
 * makes room for a newcomer. */
#include "lib/os/lobby.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/os/link_internal.h"

enum { PATIENCE_US = 2000000, PATIENCE_PART = 5 };

struct unfinished {
    struct lobby *lobby;
    uint64_t since_us;
    struct link *link;
    struct unfinished *next, **at;
};

struct lobby {
    struct loop *loop;
    struct tls *tls;
    struct link_config config;
    uint32_t max;
    _Atomic uint32_t n;
    struct unfinished *unfinished, **end; /* oldest first */
    uint64_t patience_us;
    listener_accept_fn accept;
    void *ctx;
    uint64_t refused[ERROR_COUNT];
};

static void
unfinished_unlink(struct unfinished *u)
{
    *u->at = u->next;
    if (u->next)
        u->next->at = u->at;
    else
        u->lobby->end = u->at;
    u->lobby->n--;
    free(u);
}

static void
entered_up(void *ctx, struct link *l, const uint8_t *peer)
{
    struct unfinished *u = ctx;
    struct lobby *lobby = u->lobby;
    unfinished_unlink(u);
    link_set_owner(l, NULL, NULL);
    lobby->accept(lobby->ctx, l, peer);
}

static void
entered_down(void *ctx, struct link *l, int err)
{
    struct unfinished *u = ctx;
    u->lobby->refused[-err]++;
    unfinished_unlink(u);
    link_free(&l);
}

/* Do nothing; never called, since frames come after up(). */
static void
entered_frames(void *ctx, struct link *l, uint8_t *frames, size_t n)
{
    (void)ctx;
    (void)l;
    (void)frames;
    (void)n;
}

static const struct link_ops entered_ops = {entered_up, entered_frames,
                                            entered_down};

/* Make room for one more, if need be in place of the oldest. Returns whether
 * there is room. */
static bool
room_make(struct lobby *l)
{
    struct unfinished *oldest = l->unfinished;
    if (l->n < l->max)
        return true;
    if (loop_now_us(l->loop) - oldest->since_us < l->patience_us)
        return false;
    struct link *k = oldest->link;
    l->refused[-ERR_TIMEOUT]++;
    unfinished_unlink(oldest);
    link_free(&k);
    return true;
}

int
lobby_enter(struct lobby *l, int fd, uint32_t block)
{
    int one = 1;
    if (!room_make(l))
        return ERR_FULL;
    struct unfinished *u = calloc(1, sizeof *u);
    if (!u)
        return ERR_NOMEM;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int err = link_new(&u->link, l->loop, l->tls, &l->config, fd, true,
                       &entered_ops, u);
    if (err) {
        free(u);
        return err;
    }
    u->link->block = block;
    u->lobby = l;
    u->since_us = loop_now_us(l->loop);
    u->at = l->end;
    *u->at = u;
    l->end = &u->next;
    l->n++;
    return 0;
}

int
lobby_new(struct lobby **out, struct loop *loop, struct tls *tls,
          const struct link_config *config, uint32_t max,
          listener_accept_fn accept, void *ctx)
{
    struct lobby *l = calloc(1, sizeof *l);
    *out = l;
    if (!l)
        return ERR_NOMEM;
    l->loop = loop;
    l->tls = tls;
    l->config = *config;
    l->max = max;
    l->end = &l->unfinished;
    l->patience_us = config->handshake_us ? config->handshake_us / PATIENCE_PART
                                          : PATIENCE_US;
    l->accept = accept;
    l->ctx = ctx;
    return 0;
}

void
lobby_free(struct lobby **lp)
{
    struct lobby *l = *lp;
    *lp = NULL;
    if (!l)
        return;
    for (struct unfinished *u = l->unfinished, *next; u; u = next) {
        struct link *k = u->link;
        next = u->next;
        unfinished_unlink(u);
        link_free(&k);
    }
    free(l);
}

uint32_t
lobby_count(const struct lobby *l)
{
    return l->n;
}

const uint64_t *
lobby_refused(const struct lobby *l)
{
    return l->refused;
}
