/* lib/os/listen.c - accepting connections.
 *
 * Failure modes: too many from one block of addresses (closed at once, counted
 * FULL or RATE) or in the lobby; no descriptors left (see listener_is_short()).
 * Timer: the end of the moment for which nothing is accepted then. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/blocks.h"
#include "lib/os/lobby.h"
#include "lib/os/socket.h"

enum { PAUSE_US = 100000, ACCEPT_MAX = 64 };

struct listener {
    struct loop *loop;
    struct blocks *blocks;
    struct lobby *lobby;
    int fd, spare;
    char address[ADDRESS_TEXT_MAX];
    struct loop_watch *watch;
    struct loop_timer *again;
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

/* Go on accepting, once there is a spare descriptor again. */
static void
listener_again(void *ctx)
{
    struct listener *l = ctx;
    if (l->spare < 0)
        l->spare = fcntl(l->fd, F_DUPFD_CLOEXEC, 0);
    loop_watch_set(l->watch, LOOP_READ);
}

/* Accept and close, by the spare descriptor, a connection for which there is no
 * descriptor, and accept nothing for a moment: else the loop would be told
 * without end that a connection waits. */
static void
listener_is_short(struct listener *l)
{
    l->refused[-ERR_SYSTEM]++;
    if (l->spare >= 0) {
        close(l->spare);
        const int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            close(fd);
        l->spare = -1;
    }
    loop_watch_set(l->watch, 0);
    loop_timer_at(l->again, loop_now_us(l->loop) + PAUSE_US);
}

static void
listener_ready(void *ctx, unsigned ready)
{
    struct listener *l = ctx;
    (void)ready;
    for (unsigned i = 0; i < ACCEPT_MAX; i++) { /* others want their turn too */
        struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
        socklen_t len = sizeof from;
        int fd = accept4(l->fd, (struct sockaddr *)&from, &len,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EINTR || errno == ECONNABORTED)
                continue;
            if (errno != EAGAIN && errno != EWOULDBLOCK)
                listener_is_short(l);
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
    l->fd = l->spare = -1;
    int err = lobby_new(&l->lobby, loop, tls, config,
                        max / 8 > 16 ? max / 8 : 16, accept, ctx);
    if (!err)
        err = socket_listen(&l->fd, address, l->address);
    if (!err)
        err = loop_timer_new(loop, listener_again, l, &l->again);
    if (!err)
        err = loop_watch_new(loop, l->fd, listener_ready, l, &l->watch);
    if (err) {
        const int why = errno; /* for socket_listen_why() */
        listener_free(&l);
        errno = why;
        return err;
    }
    l->spare = fcntl(l->fd, F_DUPFD_CLOEXEC, 0);
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
    loop_timer_free(&l->again);
    if (l->fd >= 0)
        close(l->fd);
    if (l->spare >= 0)
        close(l->spare);
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
