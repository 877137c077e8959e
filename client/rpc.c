/* client/rpc.c - the Unix socket: connections, lines in, lines out.
 *
 * Failure modes: a line that is too long, or a reader that does not read (the
 * connection is closed); too many connections (closed at once). */
#include "client/rpc.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/json.h"

enum { READ_LEN = 65536, ANSWERS_MAX = 2 * RPC_LINE_MAX };

struct buffer {
    char *data;
    size_t len, room, at;
};

struct caller {
    struct rpc *rpc;
    struct caller *next, **at;
    int fd;
    struct loop_watch *watch;
    struct buffer in, out;
};

struct rpc {
    struct loop *loop;
    struct client *client;
    int fd;
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
    struct loop_watch *watch;
    struct caller *callers;
    unsigned n_callers;
};

static int
buffer_add(struct buffer *b, const char *data, size_t len, size_t max)
{
    if (b->len + len > max)
        return ERR_LONG;
    if (b->len + len > b->room) {
        size_t room = 2 * (b->len + len);
        char *more = realloc(b->data, room);
        if (!more)
            return ERR_NOMEM;
        b->data = more;
        b->room = room;
    }
    memcpy(b->data + b->len, data, len);
    b->len += len;
    return 0;
}

static void
buffer_free(struct buffer *b)
{
    if (b->data)
        sodium_memzero(b->data, b->room);
    free(b->data);
    *b = (struct buffer){0};
}

static void
caller_free(struct caller *k)
{
    *k->at = k->next;
    if (k->next)
        k->next->at = k->at;
    k->rpc->n_callers--;
    loop_watch_free(&k->watch);
    close(k->fd);
    buffer_free(&k->in);
    buffer_free(&k->out);
    free(k);
}

/* Returns false when the connection is over. */
static bool
caller_flush(struct caller *k)
{
    while (k->out.at < k->out.len) {
        ssize_t n = send(k->fd, k->out.data + k->out.at, k->out.len - k->out.at,
                         MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            loop_watch_set(k->watch, LOOP_READ | LOOP_WRITE);
            return true;
        }
        if (n <= 0)
            return false;
        k->out.at += (size_t)n;
    }
    buffer_free(&k->out);
    loop_watch_set(k->watch, LOOP_READ);
    return true;
}

/* Carry out all whole lines. */
static bool
caller_lines(struct caller *k)
{
    for (;;) {
        char *start = k->in.data + k->in.at;
        size_t left = k->in.len - k->in.at;
        char *end = left ? memchr(start, '\n', left) : NULL;
        if (!end)
            break;
        char *answer = json_call(k->rpc->client, start, (size_t)(end - start));
        k->in.at += (size_t)(end - start) + 1;
        if (!answer)
            return false;
        size_t len = strlen(answer);
        int err = buffer_add(&k->out, answer, len, ANSWERS_MAX);
        if (!err)
            err = buffer_add(&k->out, "\n", 1, ANSWERS_MAX);
        sodium_memzero(answer, len);
        free(answer);
        if (err)
            return false;
    }
    if (k->in.at == k->in.len)
        buffer_free(&k->in);
    return caller_flush(k);
}

static void
caller_ready(void *ctx, unsigned ready)
{
    struct caller *k = ctx;
    static char bytes[READ_LEN];
    bool live = true;
    if (ready & LOOP_WRITE)
        live = caller_flush(k);
    if (live && (ready & LOOP_READ)) {
        ssize_t n = recv(k->fd, bytes, sizeof bytes, 0);
        if (n > 0)
            live = buffer_add(&k->in, bytes, (size_t)n, RPC_LINE_MAX) == 0 &&
                   caller_lines(k);
        else
            live = n < 0 && (errno == EAGAIN || errno == EINTR);
        sodium_memzero(bytes, n > 0 ? (size_t)n : 0);
    }
    if (!live)
        caller_free(k);
}

static void
rpc_accept(void *ctx, unsigned ready)
{
    struct rpc *r = ctx;
    (void)ready;
    int fd = accept4(r->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct caller *k = calloc(1, sizeof *k);
    if (!k || r->n_callers >= RPC_CONNECTIONS_MAX ||
        loop_watch_new(r->loop, fd, caller_ready, k, &k->watch)) {
        free(k);
        close(fd);
        return;
    }
    k->rpc = r;
    k->fd = fd;
    k->at = &r->callers;
    k->next = r->callers;
    if (k->next)
        k->next->at = &k->next;
    r->callers = k;
    r->n_callers++;
    loop_watch_set(k->watch, LOOP_READ);
}

int
rpc_new(struct rpc **out, struct loop *l, struct client *c, const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct rpc *r = calloc(1, sizeof *r);
    *out = NULL;
    if (!r)
        return ERR_NOMEM;
    r->loop = l;
    r->client = c;
    r->fd = -1;
    int err = strlen(path) < sizeof a.sun_path ? 0 : ERR_LONG;
    if (!err) {
        memcpy(a.sun_path, path, strlen(path) + 1);
        memcpy(r->path, path, strlen(path) + 1);
        r->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        unlink(path); /* of an earlier life: the outbox's lock is ours */
        if (r->fd < 0 || bind(r->fd, (struct sockaddr *)&a, sizeof a) ||
            chmod(path, 0600) || listen(r->fd, 16))
            err = ERR_SYSTEM;
    }
    if (!err)
        err = loop_watch_new(l, r->fd, rpc_accept, r, &r->watch);
    if (err) {
        rpc_free(&r);
        return err;
    }
    loop_watch_set(r->watch, LOOP_READ);
    *out = r;
    return 0;
}

void
rpc_free(struct rpc **rp)
{
    struct rpc *r = *rp;
    *rp = NULL;
    if (!r)
        return;
    while (r->callers)
        caller_free(r->callers);
    loop_watch_free(&r->watch);
    if (r->fd >= 0) {
        close(r->fd);
        unlink(r->path);
    }
    free(r);
}
