/* lib/listen.c - accepting links.
 *
 * Each accepted link belongs to the listener until its handshake is over; then
 * the owner is told and takes it. Only unfinished ones are kept here, in a
 * list. Failure modes: too many, in all or from one block of addresses (closed
 * at once, counted FULL or RATE); no descriptors left (counted SYSTEM;
 * accepting goes on when some are free again). */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/blocks.h"
#include "lib/link_internal.h"

struct unfinished {
    struct listener *listener;
    struct link *link;
    struct unfinished *next, **at;
};

struct listener {
    struct loop *loop;
    struct tls *tls;
    struct link_config config;
    int fd;
    char address[ADDRESS_TEXT_MAX];
    struct loop_watch *watch;
    uint32_t unfinished_max, n_unfinished;
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
    u->listener->n_unfinished--;
    free(u);
}

static void
accepted_up(void *ctx, struct link *l, const uint8_t *peer)
{
    struct unfinished *u = ctx;
    struct listener *listener = u->listener;
    unfinished_unlink(u);
    link_set_owner(l, NULL, NULL);
    listener->accept(listener->ctx, l, peer);
}

static void
accepted_down(void *ctx, struct link *l, int err)
{
    struct unfinished *u = ctx;
    u->listener->refused[-err]++;
    unfinished_unlink(u);
    link_free(&l);
}

/* Not reached: frames come after up(). */
static void
accepted_frames(void *ctx, struct link *l, uint8_t *frames, size_t n)
{
    (void)ctx;
    (void)l;
    (void)frames;
    (void)n;
}

static const struct link_ops accepted_ops = {accepted_up, accepted_frames,
                                             accepted_down};

static int
link_accept(struct listener *l, int fd, const struct sockaddr_storage *from)
{
    int one = 1, err = 0;
    uint32_t block = BLOCKS_NONE;
    if (l->n_unfinished >= l->unfinished_max)
        return ERR_FULL;
    if (l->config.blocks)
        err = blocks_take(l->config.blocks, from, loop_now_us(l->loop), &block);
    if (err)
        return err;
    struct unfinished *u = calloc(1, sizeof *u);
    if (u) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        err = link_new(&u->link, l->loop, l->tls, &l->config, fd, true,
                       &accepted_ops, u);
    }
    if (!u || err) {
        if (l->config.blocks)
            blocks_give(l->config.blocks, block);
        free(u);
        return u ? err : ERR_NOMEM;
    }
    u->link->block = block;
    u->listener = l;
    u->next = l->unfinished;
    u->at = &l->unfinished;
    if (u->next)
        u->next->at = &u->next;
    l->unfinished = u;
    l->n_unfinished++;
    return 0;
}

static void
listener_ready(void *ctx, unsigned ready)
{
    struct listener *l = ctx;
    (void)ready;
    for (unsigned i = 0; i < 64; i++) { /* others want their turn too */
        struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
        socklen_t len = sizeof from;
        int fd = accept4(l->fd, (struct sockaddr *)&from, &len,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno != EAGAIN && errno != EWOULDBLOCK)
                l->refused[-ERR_SYSTEM]++;
            return;
        }
        int err = link_accept(l, fd, &from);
        if (err) {
            l->refused[-err]++;
            close(fd);
        }
    }
}

int
listener_new(struct listener **out, struct loop *loop, struct tls *tls,
             const struct link_config *config, const char *address,
             uint32_t max, listener_accept_fn accept, void *ctx)
{
    struct listener *l = calloc(1, sizeof *l);
    *out = NULL;
    if (!l)
        return ERR_NOMEM;
    l->loop = loop;
    l->tls = tls;
    l->config = *config;
    l->accept = accept;
    l->ctx = ctx;
    l->unfinished_max = max / 8 > 16 ? max / 8 : 16;
    int err = address_listen(&l->fd, address, l->address);
    if (err) {
        free(l);
        return err;
    }
    err = loop_watch_new(loop, l->fd, listener_ready, l, &l->watch);
    if (err) {
        close(l->fd);
        free(l);
        return err;
    }
    loop_watch_set(l->watch, LOOP_READ);
    *out = l;
    return 0;
}

void
listener_free(struct listener **lp)
{
    struct listener *l = *lp;
    *lp = NULL;
    if (!l)
        return;
    while (l->unfinished) {
        struct unfinished *u = l->unfinished;
        struct link *k = u->link;
        unfinished_unlink(u);
        link_free(&k);
    }
    loop_watch_free(&l->watch);
    close(l->fd);
    free(l);
}

const char *
listener_address(const struct listener *l)
{
    return l->address;
}

const uint64_t *
listener_refused(const struct listener *l)
{
    return l->refused;
}
