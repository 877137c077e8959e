/* lib/lobby.c - handshakes under way, in a list.
 *
 * Each link belongs to the lobby until its handshake is over; then the owner is
 * told and takes it. Failure modes: too many at once (counted FULL), and what
 * fails a handshake. */
#include "lib/lobby.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/link_internal.h"

struct unfinished {
    struct lobby *lobby;
    struct link *link;
    struct unfinished *next, **at;
};

struct lobby {
    struct loop *loop;
    struct tls *tls;
    struct link_config config;
    uint32_t max;
    _Atomic uint32_t n;
    struct unfinished *unfinished;
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

/* Not reached: frames come after up(). */
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

int
lobby_enter(struct lobby *l, int fd, uint32_t block)
{
    int one = 1;
    if (l->n >= l->max)
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
    u->next = l->unfinished;
    u->at = &l->unfinished;
    if (u->next)
        u->next->at = &u->next;
    l->unfinished = u;
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
    while (l->unfinished) {
        struct link *k = l->unfinished->link;
        unfinished_unlink(l->unfinished);
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
