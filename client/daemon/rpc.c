/* client/daemon/rpc.c - the Unix socket: connections, lines in, lines out.
 *
 * A thread of its own with a loop of its own: what callers do does not hold up
 * the client's clock. A connection's states: reading; waiting, while its call
 * is carried out on the client's loop (one at a time, further lines wait);
 * gone while waiting (the call is dropped when it comes back).
 *
 * Failure modes: a line that is too long, or a reader that does not read (the
 * connection is closed); too many connections (closed at once). */
#include "client/daemon/rpc.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/daemon/json.h"

enum { READ_LEN = 65536, ANSWERS_MAX = 2 * RPC_LINE_MAX };

struct buffer {
    char *data;
    size_t len, room, at;
};

/* A call on its way to the client's loop and back. */
struct errand {
    struct rpc *rpc;
    struct caller *caller; /* NULL: gone */
    struct json_call *call;
    struct errand *next;
};

struct caller {
    struct rpc *rpc;
    struct errand *waiting;
    struct caller *next, **at;
    int fd;
    struct loop_watch *watch;
    struct buffer in, out;
};

struct rpc {
    struct loop *loop;        /* of the thread */
    struct loop *client_loop; /* where the client runs */
    struct client *client;
    pthread_t thread;
    bool running;
    struct errand *errands; /* of the thread */
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
    if (k->waiting)
        k->waiting->caller = NULL;
    loop_watch_free(&k->watch);
    close(k->fd);
    buffer_free(&k->in);
    buffer_free(&k->out);
    free(k);
}

static bool caller_lines(struct caller *k);

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

static void
errand_free(struct errand *e)
{
    struct errand **at = &e->rpc->errands;
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    json_call_free(&e->call);
    free(e);
}

/* Back on the thread. */
static void
errand_back(void *ctx)
{
    struct errand *e = ctx;
    struct caller *k = e->caller;
    if (k) {
        char *answer = json_call_answer(&e->call);
        size_t len = answer ? strlen(answer) : 0;
        int err =
            answer ? buffer_add(&k->out, answer, len, ANSWERS_MAX) : ERR_NOMEM;
        if (!err)
            err = buffer_add(&k->out, "\n", 1, ANSWERS_MAX);
        if (answer)
            sodium_memzero(answer, len);
        free(answer);
        k->waiting = NULL;
        if (err || !caller_lines(k))
            caller_free(k);
    }
    errand_free(e);
}

/* On the client's loop. */
static void
errand_run(void *ctx)
{
    struct errand *e = ctx;
    json_call_run(e->call, e->rpc->client);
    (void)!loop_post(e->rpc->loop, errand_back, e);
}

static bool
errand_send(struct caller *k, const char *line, size_t len)
{
    struct errand *e = calloc(1, sizeof *e);
    if (!e)
        return false;
    e->rpc = k->rpc;
    e->caller = k;
    e->next = k->rpc->errands;
    k->rpc->errands = e;
    e->call = json_call_parse(line, len);
    if (!e->call || loop_post(k->rpc->client_loop, errand_run, e)) {
        errand_free(e);
        return false;
    }
    k->waiting = e;
    return true;
}

/* Send the next whole line on its errand. */
static bool
caller_lines(struct caller *k)
{
    size_t left = k->in.len - k->in.at;
    char *start = k->in.data + k->in.at;
    char *end = left && !k->waiting ? memchr(start, '\n', left) : NULL;
    if (end) {
        k->in.at += (size_t)(end - start) + 1;
        if (!errand_send(k, start, (size_t)(end - start)))
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

static void *
rpc_thread(void *ctx)
{
    struct rpc *r = ctx;
    (void)!loop_run(r->loop);
    return NULL;
}

int
rpc_new(struct rpc **out, struct loop *client_loop, const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct rpc *r = calloc(1, sizeof *r);
    *out = NULL;
    if (!r)
        return ERR_NOMEM;
    r->client_loop = client_loop;
    r->fd = -1;
    int err = strlen(path) < sizeof a.sun_path ? 0 : ERR_LONG;
    if (!err)
        err = loop_new(&r->loop);
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
        err = loop_watch_new(r->loop, r->fd, rpc_accept, r, &r->watch);
    if (err) {
        rpc_free(&r);
        return err;
    }
    loop_watch_set(r->watch, LOOP_READ);
    *out = r;
    return 0;
}

int
rpc_start(struct rpc *r, struct client *c)
{
    r->client = c;
    r->running = pthread_create(&r->thread, NULL, rpc_thread, r) == 0;
    return r->running ? 0 : ERR_SYSTEM;
}

void
rpc_free(struct rpc **rp)
{
    struct rpc *r = *rp;
    *rp = NULL;
    if (!r)
        return;
    if (r->running) {
        loop_stop(r->loop);
        pthread_join(r->thread, NULL);
    }
    for (struct caller *k = r->callers, *next; k; k = next) {
        next = k->next;
        caller_free(k);
    }
    for (struct errand *e = r->errands, *next; e; e = next) {
        next = e->next;
        loop_forget(r->client_loop, e);
        errand_free(e);
    }
    loop_watch_free(&r->watch);
    loop_free(&r->loop);
    if (r->fd >= 0) {
        close(r->fd);
        unlink(r->path);
    }
    free(r);
}
