/* client/daemon/rpc.c - the Unix socket: connections, lines in, lines out.
 *
 * A thread of its own with a loop of its own: what callers do does not hold up
 * the client's clock. A connection's states: idle, reading; waiting, while the
 * calls of its line are carried out on the client's loop, one line at a time,
 * and until the disk has kept what they changed. It is not read from meanwhile, nor
 * while many of its answers wait: who sends ahead is served at the pace at which
 * he takes them. Ended, when no more comes: what was asked is answered first. Gone
 * while waiting: the answer is dropped.
 *
 * What waits for all callers together is bounded: beyond HELD_MAX a call is read
 * from those alone who have taken all answers, and who takes none gives way.
 *
 * When all places are taken, or all descriptors, the connection gives way that
 * has been idle for longest; when there is none, newcomers wait at the door.
 *
 * Failure modes: a line that is too long is skipped and told; no memory, or a
 * caller who has left: the connection is closed. */
#include "client/daemon/rpc.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/daemon/json.h"
#include "lib/os/host.h"
#include "lib/os/system.h"

enum {
    READ_LEN = 65536,
    STALLED_US = 10000000, /* who takes no byte of an answer so long is idle */
    PAUSE_US = 100000,     /* until the door is looked at again */
    AHEAD_MAX = 4 << 20,   /* bytes of answers, beyond which no call is read */
    HELD_MAX = 32 << 20,   /* the same of all callers */
    FREED_MAX = 1 << 20,   /* bytes, after which memory is given back */
    TIDY_US = 1000000,
    CONNECTIONS_MIN = 4,
    FILES_PART = 4 /* of the descriptors, so many parts are left to others */
};

struct buffer {
    char *data;
    size_t len, room, at;
};

/* What a line asks, on its way to the client's loop and back. */
struct errand {
    struct rpc *rpc;
    struct caller *caller; /* NULL: gone */
    struct json_call *call;
    struct errand *next;
    struct loop_note note; /* of where it is on its way to */
    struct errand *next_made;
    bool begun, all_made; /* its calls, of which there may be several */
};

struct caller {
    struct rpc *rpc;
    struct errand *waiting;
    struct caller *next;
    int fd;
    bool ended;        /* nothing more comes */
    bool skips;        /* within a line that is too long */
    size_t looked;     /* bytes of `in` that are known to end no line */
    uint64_t moved_us; /* the last byte was, or answer */
    struct loop_watch *watch;
    struct buffer in, out;
    size_t counted; /* of `out`, in what all hold */
};

struct rpc {
    struct loop *loop;        /* of the thread */
    struct loop *client_loop; /* where the client runs */
    struct client *client;
    struct guard *guard; /* or NULL */
    pthread_t thread;
    bool running;
    struct errand *errands; /* of the thread */
    struct errand *made; /* the client's: under way, or waiting for the disk */
    int fd;
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
    struct loop_watch *watch;
    struct loop_timer *pause;
    struct caller *callers;
    unsigned n_callers, callers_max;
    size_t held;  /* bytes of answers that wait, with the room they have */
    size_t freed; /* since memory was given back */
    struct loop_timer *tidy;
    bool tidies;              /* the timer is set */
    _Atomic uint64_t starved; /* callers for whom there was no descriptor */
};

/* Calls have messages in them: what is left behind is wiped. */
static int
buffer_add(struct buffer *b, const char *data, size_t len)
{
    const size_t left = b->len - b->at;
    if (left + len > b->room) {
        const size_t room = 2 * (left + len);
        char *more = malloc(room);
        if (!more)
            return ERR_NOMEM;
        if (left > 0)
            memcpy(more, b->data + b->at, left);
        if (b->data)
            sodium_memzero(b->data, b->len);
        free(b->data);
        b->data = more;
        b->room = room;
    } else if (b->at > 0) {
        memmove(b->data, b->data + b->at, left);
    }
    b->at = 0;
    memcpy(b->data + left, data, len);
    b->len = left + len;
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

/* ---- memory ---- */

/* Have tidy_up() called soon, if there is reason to. */
static void
tidy_later(struct rpc *r)
{
    if (r->tidies || (r->held <= HELD_MAX && r->freed <= FREED_MAX))
        return;
    r->tidies = true;
    loop_timer_at(r->tidy, loop_now_us(r->loop) + TIDY_US);
}

/* Note what the answers that wait for k take now. */
static void
answers_count(struct caller *k)
{
    struct rpc *r = k->rpc;
    if (k->out.room < k->counted)
        r->freed += k->counted - k->out.room;
    r->held = r->held - k->counted + k->out.room;
    k->counted = k->out.room;
    tidy_later(r);
}

/* ---- errands ---- */

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

static bool caller_go(struct caller *k);
static void caller_free(struct caller *k);

/* Take the answer over. Returns 0 or ERR_NOMEM. */
static int
caller_answer(struct caller *k, struct json_call **call)
{
    char *answer;
    size_t len;
    int err = json_call_answer(call, &answer, &len);
    if (!answer)
        return err;
    answer[len] = '\n'; /* where the final 0 was */
    struct buffer line = {.data = answer, .len = len + 1, .room = len + 1};
    if (k->out.len == 0) {
        k->out = line;
    } else {
        err = buffer_add(&k->out, line.data, line.len);
        buffer_free(&line);
    }
    answers_count(k);
    return err;
}

/* Back on the thread. */
static void
errand_back(void *ctx)
{
    struct errand *e = ctx;
    struct caller *k = e->caller;
    if (k) {
        int err = caller_answer(k, &e->call);
        k->waiting = NULL;
        k->moved_us = loop_now_us(k->rpc->loop);
        if (err || !caller_go(k))
            caller_free(k);
    }
    errand_free(e);
}

/* The disk has something to say, on the client's loop: whose calls are all made, and
 * wait for it no more, is answered. */
static void
errands_look(void *ctx)
{
    struct rpc *r = ctx;
    for (struct errand **at = &r->made; *at;) {
        struct errand *e = *at;
        if (json_call_waits(e->call, r->client) || !e->all_made) {
            at = &e->next_made;
            continue;
        }
        *at = e->next_made;
        loop_post_note(r->loop, &e->note, errand_back, e);
    }
}

/* On the client's loop. */
static void
errand_run(void *ctx)
{
    struct errand *e = ctx;
    struct rpc *r = e->rpc;
    if (!e->begun) {
        e->begun = true;
        e->next_made = r->made;
        r->made = e;
    }
    e->all_made = !json_call_run(e->call, r->client);
    if (e->all_made)
        errands_look(r);
    else
        loop_post_note(r->client_loop, &e->note, errand_run, e);
}

static bool
errand_send(struct caller *k, const char *line, size_t len)
{
    struct errand *e = calloc(1, sizeof *e);
    if (!e)
        return false;
    e->rpc = k->rpc;
    e->caller = k;
    e->call = json_call_parse(line, len);
    if (!e->call) {
        free(e);
        return false;
    }
    json_call_guard(e->call, k->rpc->guard);
    e->next = k->rpc->errands;
    k->rpc->errands = e;
    k->waiting = e;
    k->rpc->freed += len; /* the line, soon */
    loop_post_note(k->rpc->client_loop, &e->note, errand_run, e);
    return true;
}

/* ---- callers ---- */

static void
caller_free(struct caller *k)
{
    struct caller **at = &k->rpc->callers;
    while (*at != k)
        at = &(*at)->next;
    *at = k->next;
    k->rpc->n_callers--;
    if (k->waiting)
        k->waiting->caller = NULL;
    loop_watch_free(&k->watch);
    close(k->fd);
    buffer_free(&k->in);
    buffer_free(&k->out);
    answers_count(k);
    free(k);
}

/* Send what there is of an answer. Returns false when the caller has left. */
static bool
answer_flush(struct caller *k)
{
    while (k->out.at < k->out.len) {
        ssize_t n = send(k->fd, k->out.data + k->out.at, k->out.len - k->out.at,
                         MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n <= 0)
            return false;
        k->out.at += (size_t)n;
        k->moved_us = loop_now_us(k->rpc->loop);
    }
    buffer_free(&k->out);
    answers_count(k);
    return true;
}

/* Take the next line out of what has come, without its end; the last one needs
 * none. Of one that is too long only that is told, by *len. Returns NULL when
 * there is none. */
static const char *
line_take(struct caller *k, size_t *len)
{
    struct buffer *b = &k->in;
    const char *start = b->data ? b->data + b->at : "";
    const size_t left = b->len - b->at;
    const char *end = left > k->looked
                          ? memchr(start + k->looked, '\n', left - k->looked)
                          : NULL;
    *len = end ? (size_t)(end - start) : left;
    k->looked = left;
    k->skips |= *len > JSON_LINE_MAX;
    if (!end && (!k->ended || (left == 0 && !k->skips))) {
        if (k->skips || left == 0) {
            buffer_free(b);
            k->looked = 0;
        }
        return NULL;
    }
    b->at += *len + (end ? 1 : 0);
    k->looked = 0;
    if (k->skips)
        *len = JSON_LINE_MAX + 1;
    k->skips = false;
    return start;
}

static bool
line_is_blank(const char *line, size_t len)
{
    if (len > JSON_LINE_MAX)
        return false; /* there are not so many bytes */
    while (len > 0 && strchr(" \t\r", line[len - 1]) && line[len - 1])
        len--;
    return len == 0;
}

/* May it have another call carried out? */
static bool
caller_is_free(const struct caller *k)
{
    const size_t waits = k->out.len - k->out.at;
    return !k->waiting && waits < AHEAD_MAX &&
           (waits == 0 || k->rpc->held < HELD_MAX);
}

/* Go on as far as it goes. Returns false when the connection is over. */
static bool
caller_go(struct caller *k)
{
    for (;;) {
        size_t len;
        const char *line = NULL;
        if (!answer_flush(k))
            return false;
        if (caller_is_free(k))
            line = line_take(k, &len);
        if (!line)
            break;
        if (!line_is_blank(line, len) && !errand_send(k, line, len))
            return false;
    }
    const unsigned reads = caller_is_free(k) && !k->ended ? LOOP_READ : 0;
    const unsigned writes = k->out.len > 0 ? LOOP_WRITE : 0;
    loop_watch_set(k->watch, reads | writes);
    return !k->ended || k->waiting || writes;
}

/* Returns false when the caller has left. */
static bool
caller_read(struct caller *k)
{
    static char bytes[READ_LEN];
    const ssize_t n = recv(k->fd, bytes, sizeof bytes, 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    int err = 0;
    if (n == 0)
        k->ended = true;
    else
        err = buffer_add(&k->in, bytes, (size_t)n);
    sodium_memzero(bytes, (size_t)n);
    k->moved_us = loop_now_us(k->rpc->loop);
    return err == 0;
}

static void
caller_ready(void *ctx, unsigned ready)
{
    struct caller *k = ctx;
    if (((ready & LOOP_READ) && !caller_read(k)) || !caller_go(k))
        caller_free(k);
}

/* ---- the door ---- */

/* May it give way? Not while it has a call under way, sent or about to be read,
 * unless it has left, or has an answer that it does not take. */
static bool
caller_is_idle(const struct caller *k, uint64_t now_us)
{
    struct pollfd p = {.fd = k->fd, .events = POLLIN};
    if (poll(&p, 1, 0) < 0)
        return false;
    if (k->waiting)
        return p.revents & (POLLHUP | POLLERR);
    if (k->out.len > 0)
        return now_us - k->moved_us > STALLED_US;
    return !(p.revents & POLLIN);
}

/* Close whoever has been idle for longest; when `holding`, of those for whom
 * answers wait. Returns false: none is. */
static bool
callers_give_way(struct rpc *r, bool holding)
{
    const uint64_t now_us = loop_now_us(r->loop);
    struct caller *first = NULL;
    for (struct caller *k = r->callers; k; k = k->next)
        if ((!first || k->moved_us <= first->moved_us) &&
            (k->out.len > 0 || !holding) && caller_is_idle(k, now_us))
            first = k;
    if (first)
        caller_free(first);
    return first != NULL;
}

static void
tidy_up(void *ctx)
{
    struct rpc *r = ctx;
    r->tidies = false;
    while (r->held > HELD_MAX && callers_give_way(r, true))
        ;
    if (r->freed > FREED_MAX)
        host_memory_return();
    r->freed = 0;
    tidy_later(r);
}

/* Nobody can be let in: else the loop would be told without end that somebody
 * is at the door. */
static void
door_close(struct rpc *r)
{
    loop_watch_set(r->watch, 0);
    loop_timer_at(r->pause, loop_now_us(r->loop) + PAUSE_US);
}

static void
door_open(void *ctx)
{
    struct rpc *r = ctx;
    loop_watch_set(r->watch, LOOP_READ);
}

static int
caller_new(struct rpc *r, int fd)
{
    struct caller *k = calloc(1, sizeof *k);
    int err =
        k ? loop_watch_new(r->loop, fd, caller_ready, k, &k->watch) : ERR_NOMEM;
    if (err) {
        free(k);
        return err;
    }
    k->rpc = r;
    k->fd = fd;
    k->moved_us = loop_now_us(r->loop);
    k->next = r->callers;
    r->callers = k;
    r->n_callers++;
    loop_watch_set(k->watch, LOOP_READ);
    return 0;
}

static void
rpc_accept(void *ctx, unsigned ready)
{
    struct rpc *r = ctx;
    (void)ready;
    const bool full = r->n_callers >= r->callers_max;
    if (full && !callers_give_way(r, false)) {
        door_close(r);
        return;
    }
    const int fd = accept4(r->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        if (caller_new(r, fd))
            close(fd);
        return;
    }
    if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
        return;
    /* no descriptor is left, or no memory */
    atomic_fetch_add(&r->starved, 1);
    if (full || !callers_give_way(r, false))
        door_close(r);
}

/* Calls may take a part of all descriptors: the link and the disk need some. */
static unsigned
callers_limit(void)
{
    struct rlimit l;
    if (getrlimit(RLIMIT_NOFILE, &l) ||
        l.rlim_cur / FILES_PART >= RPC_CONNECTIONS_MAX)
        return RPC_CONNECTIONS_MAX;
    const unsigned n = (unsigned)l.rlim_cur / FILES_PART;
    return n > CONNECTIONS_MIN ? n : CONNECTIONS_MIN;
}

static void *
rpc_thread(void *ctx)
{
    struct rpc *r = ctx;
    (void)!loop_run(r->loop);
    return NULL;
}

int
rpc_path_check(const char *path)
{
    return strlen(path) < sizeof((struct sockaddr_un *)0)->sun_path ? 0
                                                                    : ERR_LONG;
}

const char *
rpc_why(int err)
{
    return err == ERR_LONG ? "the path is too long for a socket, which has 107 "
                             "bytes; choose a shorter directory by --dir"
                           : system_reason(err);
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
    r->callers_max = callers_limit();
    r->fd = -1;
    int err = rpc_path_check(path);
    if (!err)
        err = loop_new(&r->loop);
    if (!err) {
        memcpy(a.sun_path, path, strlen(path) + 1);
        memcpy(r->path, path, strlen(path) + 1);
        r->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        unlink(path); /* of an earlier life: the outbox's lock is ours */
        if (r->fd < 0 || bind(r->fd, (struct sockaddr *)&a, sizeof a) ||
            chmod(path, 0600) || listen(r->fd, RPC_CONNECTIONS_MAX))
            err = system_error();
    }
    if (!err)
        err = loop_watch_new(r->loop, r->fd, rpc_accept, r, &r->watch);
    if (!err)
        err = loop_timer_new(r->loop, door_open, r, &r->pause);
    if (!err)
        err = loop_timer_new(r->loop, tidy_up, r, &r->tidy);
    if (err) {
        rpc_free(&r);
        return err;
    }
    loop_watch_set(r->watch, LOOP_READ);
    *out = r;
    return 0;
}

void
rpc_set_guard(struct rpc *r, struct guard *g)
{
    r->guard = g;
}

int
rpc_start(struct rpc *r, struct client *c)
{
    r->client = c;
    client_on_kept(c, errands_look, r);
    const int failed = pthread_create(&r->thread, NULL, rpc_thread, r);
    r->running = !failed;
    return failed ? system_error_of(failed) : 0;
}

uint64_t
rpc_starved(const struct rpc *r)
{
    return atomic_load(&r->starved);
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
    if (r->client)
        client_on_kept(r->client, NULL, NULL);
    for (struct caller *k = r->callers, *next; k; k = next) {
        next = k->next;
        caller_free(k);
    }
    for (struct errand *e = r->errands, *next; e; e = next) {
        next = e->next;
        loop_forget(r->client_loop, e);
        loop_forget(r->loop, e);
        errand_free(e);
    }
    loop_watch_free(&r->watch);
    loop_timer_free(&r->pause);
    loop_timer_free(&r->tidy);
    loop_free(&r->loop);
    if (r->fd >= 0) {
        close(r->fd);
        unlink(r->path);
    }
    free(r);
}
