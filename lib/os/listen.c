/* lib/os/listen.c - accepting connections.
 *
 * Failure modes: too many from one block of addresses (closed at once, counted
 * FULL or RATE) or in the lobby; no descriptors left (counted SYSTEM; accepting
 * goes on when some are free again). */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/blocks.h"
#include "lib/os/lobby.h"
#include "lib/os/socket.h"

struct listener {
    struct loop *loop;
    struct blocks *blocks;
    struct lobby *lobby;
    int fd;
    char address[ADDRESS_TEXT_MAX];
    struct loop_watch *watch;
    listener_place_fn place;
    void *ctx;
    uint64_t refused[ERROR_COUNT]; /* and those of the lobby, when asked */
};

static int
lobby_place(void *ctx, int fd, uint32_t block)
{
    return lobby_enter(ctx, fd, block);
}

static int
connection_take(struct listener *l, int fd, const struct sockaddr_storage *from)
{
    uint32_t block = BLOCKS_NONE;
    int err = 0;
    if (l->blocks)
        err = blocks_take(l->blocks, from, loop_now_us(l->loop), &block);
    if (err)
        return err;
    err = l->place(l->ctx, fd, block);
    if (err && l->blocks)
        blocks_give(l->blocks, block);
    return err;
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
        int err = connection_take(l, fd, &from);
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
    l->blocks = config->blocks;
    l->fd = -1;
    int err = lobby_new(&l->lobby, loop, tls, config,
                        max / 8 > 16 ? max / 8 : 16, accept, ctx);
    if (!err)
        err = socket_listen(&l->fd, address, l->address);
    if (!err)
        err = loop_watch_new(loop, l->fd, listener_ready, l, &l->watch);
    if (err) {
        listener_free(&l);
        return err;
    }
    l->place = lobby_place;
    l->ctx = l->lobby;
    loop_watch_set(l->watch, LOOP_READ);
    *out = l;
    return 0;
}

void
listener_spread(struct listener *l, listener_place_fn place, void *ctx)
{
    l->place = place;
    l->ctx = ctx;
}

void
listener_free(struct listener **lp)
{
    struct listener *l = *lp;
    *lp = NULL;
    if (!l)
        return;
    lobby_free(&l->lobby);
    loop_watch_free(&l->watch);
    if (l->fd >= 0)
        close(l->fd);
    free(l);
}

const char *
listener_address(const struct listener *l)
{
    return l->address;
}

uint64_t
listener_refused(const struct listener *l, int err)
{
    return l->refused[-err] + lobby_refused(l->lobby)[-err];
}
