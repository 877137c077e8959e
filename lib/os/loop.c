/* lib/os/loop.c - turns of libevent's loop, hooks between them, and a mailbox.
 *
 * A turn: wait, serve what is ready, then the hooks. Posted work waits in a
 * list under a mutex; a byte in a pipe wakes the loop. Failure mode: libevent
 * has no memory for a timer that is set; then it waits in a list, the loop
 * turns without waiting, and the timer is given to libevent again at the end of
 * each turn. */
#include "lib/os/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/os/clock.h"
#include "lib/os/log.h"
#include "lib/os/system.h"

struct loop {
    struct event_base *base;
    struct loop_hook *hooks, **hooks_end;
    struct loop_timer *unset; /* libevent had no memory for these */
    uint64_t now_us;          /* 0: not read in this turn */
    bool stop;
    struct loop_note stopping;
    pthread_mutex_t mutex;
    struct loop_note *posted, **posted_end;
    struct loop_note *running; /* taken off the list, still to be run */
    int pipe[2];
    struct loop_watch *wake;
    uint8_t *scratch;
    size_t scratch_len;
};

struct loop_timer {
    struct loop *loop;
    struct event *event;
    uint64_t at_us; /* UINT64_MAX: not armed */
    loop_fn fn;
    void *ctx;
    struct loop_timer *next; /* in the list of the unset */
    bool unset;
};
struct loop_watch {
    struct loop *loop;
    struct event *event;
    int fd;
    unsigned what;
    loop_ready_fn fn;
    void *ctx;
};
struct loop_signal {
    struct event *event;
    loop_fn fn;
    void *ctx;
};

/* Where libevent's lines go; it has one place for all loops. */
static struct {
    pthread_mutex_t mutex;
    const struct log *log; /* NULL: to nobody, but for those of its end */
    struct log_limit limit;
} libevent = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* Run what was posted. The list is taken away first, since a call may post
 * again. */
static void
posted_run(void *ctx, unsigned ready)
{
    struct loop *l = ctx;
    uint8_t bytes[64];
    (void)ready;
    while (read(l->pipe[0], bytes, sizeof bytes) == sizeof bytes)
        ;
    pthread_mutex_lock(&l->mutex);
    l->running = l->posted;
    l->posted = NULL;
    l->posted_end = &l->posted;
    while (l->running) {
        struct loop_note *n = l->running, was = *n;
        l->running = n->next;
        n->pending = false; /* from here on it may be posted again */
        pthread_mutex_unlock(&l->mutex);
        if (was.owned)
            free(n);
        if (was.fn)
            was.fn(was.ctx);
        pthread_mutex_lock(&l->mutex);
    }
    pthread_mutex_unlock(&l->mutex);
}

static void
list_forget(struct loop_note **at, const void *ctx)
{
    while (*at) {
        struct loop_note *n = *at;
        if (n->ctx != ctx) {
            at = &n->next;
            continue;
        }
        *at = n->next;
        n->pending = false;
        if (n->owned)
            free(n);
    }
}

void
loop_forget(struct loop *l, const void *ctx)
{
    pthread_mutex_lock(&l->mutex);
    list_forget(&l->posted, ctx);
    list_forget(&l->running, ctx);
    l->posted_end = &l->posted;
    while (*l->posted_end)
        l->posted_end = &(*l->posted_end)->next;
    pthread_mutex_unlock(&l->mutex);
}

/* Tell whether there are the descriptors that a loop needs, since libevent ends
 * the process where it finds none; errno says why not. */
static bool
room_is_left(void)
{
    enum { PAIRS = 4 }; /* epoll, a timer, three pairs */
    int fd[PAIRS][2];
    size_t n = 0;
    while (n < PAIRS && pipe(fd[n]) == 0)
        n++;
    const bool left = n == PAIRS;
    const int why = errno;
    while (n-- > 0) {
        close(fd[n][0]);
        close(fd[n][1]);
    }
    errno = why;
    return left;
}

/* Take a line of libevent's. */
static void
libevent_line(int severity, const char *text)
{
    char line[LOG_LINE_MAX];
    if (severity != EVENT_LOG_WARN && severity != EVENT_LOG_ERR)
        return;
    pthread_mutex_lock(&libevent.mutex);
    if (libevent.log)
        log_write_limited(libevent.log, &libevent.limit, clock_mono_us(),
                          severity == EVENT_LOG_ERR ? LOG_ERROR : LOG_WARNING,
                          "libevent", "%s", log_scrub(line, sizeof line, text));
    else if (severity == EVENT_LOG_ERR) /* it ends the process */
        fprintf(stderr, "%s\n", log_scrub(line, sizeof line, text));
    pthread_mutex_unlock(&libevent.mutex);
}

void
loop_log(const struct log *log)
{
    pthread_mutex_lock(&libevent.mutex);
    libevent.log = log;
    pthread_mutex_unlock(&libevent.mutex);
}

int
loop_new(struct loop **out)
{
    *out = NULL;
    if (!room_is_left())
        return system_error();
    struct loop *l = calloc(1, sizeof *l);
    struct event_config *config = event_config_new();
    if (!l || !config) {
        free(l);
        if (config)
            event_config_free(config);
        return ERR_NOMEM;
    }
    signal(SIGPIPE, SIG_IGN);
    event_set_log_callback(libevent_line);
    l->hooks_end = &l->hooks;
    l->posted_end = &l->posted;
    pthread_mutex_init(&l->mutex, NULL);
    l->pipe[0] = l->pipe[1] = -1;
    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    l->base = event_base_new_with_config(config);
    event_config_free(config);
    int err = l->base && pipe(l->pipe) == 0 ? 0 : system_error();
    for (int i = 0; i < 2 && !err; i++)
        if (fcntl(l->pipe[i], F_SETFL, O_NONBLOCK) ||
            fcntl(l->pipe[i], F_SETFD, FD_CLOEXEC))
            err = system_error();
    if (!err)
        err = loop_watch_new(l, l->pipe[0], posted_run, l, &l->wake);
    if (err) {
        loop_free(&l);
        return err;
    }
    loop_watch_set(l->wake, LOOP_READ);
    *out = l;
    return 0;
}

void
loop_free(struct loop **lp)
{
    struct loop *l = *lp;
    *lp = NULL;
    if (!l)
        return;
    loop_watch_free(&l->wake);
    for (int i = 0; i < 2; i++)
        if (l->pipe[i] >= 0)
            close(l->pipe[i]);
    while (l->posted) {
        struct loop_note *n = l->posted;
        l->posted = n->next;
        n->pending = false;
        if (n->owned)
            free(n);
    }
    if (l->base)
        event_base_free(l->base);
    pthread_mutex_destroy(&l->mutex);
    free(l->scratch);
    free(l);
}

uint8_t *
loop_scratch(struct loop *l, size_t len)
{
    if (l->scratch_len < len) {
        uint8_t *more = realloc(l->scratch, len);
        if (!more)
            return NULL;
        l->scratch = more;
        l->scratch_len = len;
    }
    return l->scratch;
}

static void
loop_wake(struct loop *l)
{
    const uint8_t byte = 0;
    /* a full pipe wakes it as well */
    (void)!write(l->pipe[1], &byte, 1);
}

static void
timer_forget(struct loop_timer *t)
{
    struct loop_timer **at = &t->loop->unset;
    if (!t->unset)
        return;
    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    t->unset = false;
}

/* Give t to libevent; when libevent has no memory, let t wait in the list. */
static void
timer_give(struct loop_timer *t, uint64_t now_us)
{
    uint64_t wait_us = t->at_us > now_us ? t->at_us - now_us : 0;
    struct timeval tv = {.tv_sec = (time_t)(wait_us / 1000000),
                         .tv_usec = (suseconds_t)(wait_us % 1000000)};
    if (event_add(t->event, &tv) == 0)
        return;
    t->next = t->loop->unset;
    t->loop->unset = t;
    t->unset = true;
    loop_wake(t->loop);
}

static void
unset_give(struct loop *l)
{
    struct loop_timer *list = l->unset;
    const uint64_t now_us = list ? clock_mono_us() : 0;
    l->unset = NULL;
    while (list) {
        struct loop_timer *t = list;
        list = t->next;
        t->unset = false;
        timer_give(t, now_us);
    }
}

int
loop_turn(struct loop *l)
{
    l->now_us = 0;
    if (event_base_loop(l->base, EVLOOP_ONCE) < 0)
        return system_error();
    while (l->hooks) {
        struct loop_hook *h = l->hooks;
        l->hooks = h->next;
        if (!l->hooks)
            l->hooks_end = &l->hooks;
        h->pending = false;
        h->fn(h->ctx);
    }
    unset_give(l);
    return 0;
}

int
loop_run(struct loop *l)
{
    int err = 0;
    while (!l->stop && !err)
        err = loop_turn(l);
    l->stop = false;
    return err;
}

static void
stop_now(void *ctx)
{
    ((struct loop *)ctx)->stop = true;
}

void
loop_stop(struct loop *l)
{
    loop_post_note(l, &l->stopping, stop_now, l);
}

uint64_t
loop_now_us(struct loop *l)
{
    if (l->now_us == 0)
        l->now_us = clock_mono_us();
    return l->now_us;
}

void *
loop_base(struct loop *l)
{
    return l->base;
}

static void
timer_fire(evutil_socket_t fd, short what, void *ctx)
{
    struct loop_timer *t = ctx;
    (void)fd;
    (void)what;
    t->at_us = UINT64_MAX;
    t->fn(t->ctx);
}

int
loop_timer_new(struct loop *l, loop_fn fn, void *ctx, struct loop_timer **out)
{
    struct loop_timer *t = calloc(1, sizeof *t);
    *out = NULL;
    if (!t)
        return ERR_NOMEM;
    t->loop = l;
    t->fn = fn;
    t->ctx = ctx;
    t->at_us = UINT64_MAX;
    t->event = event_new(l->base, -1, 0, timer_fire, t);
    if (!t->event) {
        free(t);
        return ERR_NOMEM;
    }
    *out = t;
    return 0;
}

/* A timer that is due and waits for its turn stays where it is: libevent would
 * put the timer back behind whatever is ready, and a socket that is always
 * ready, whose reader sets the timer again, would keep the timer from firing
 * for ever. */
void
loop_timer_at(struct loop_timer *t, uint64_t at_us)
{
    if (at_us == t->at_us)
        return;
    uint64_t now_us = clock_mono_us(); /* libevent counts from now as well */
    if (t->at_us <= now_us && at_us <= now_us)
        return;
    t->at_us = at_us;
    timer_forget(t);
    if (at_us == UINT64_MAX)
        event_del(t->event);
    else
        timer_give(t, now_us);
}

void
loop_timer_free(struct loop_timer **tp)
{
    struct loop_timer *t = *tp;
    *tp = NULL;
    if (!t)
        return;
    timer_forget(t);
    event_free(t->event);
    free(t);
}

static void
watch_ready(evutil_socket_t fd, short what, void *ctx)
{
    struct loop_watch *w = ctx;
    (void)fd;
    w->fn(w->ctx, (what & EV_READ ? (unsigned)LOOP_READ : 0) |
                      (what & EV_WRITE ? (unsigned)LOOP_WRITE : 0));
}

int
loop_watch_new(struct loop *l, int fd, loop_ready_fn fn, void *ctx,
               struct loop_watch **out)
{
    struct loop_watch *w = calloc(1, sizeof *w);
    *out = NULL;
    if (!w)
        return ERR_NOMEM;
    w->loop = l;
    w->fd = fd;
    w->fn = fn;
    w->ctx = ctx;
    w->event = event_new(l->base, fd, EV_READ | EV_PERSIST, watch_ready, w);
    /* libevent makes its place for the descriptor now, or never */
    errno = 0;
    if (!w->event || event_add(w->event, NULL)) {
        const int err =
            errno == 0 || errno == ENOMEM ? ERR_NOMEM : system_error();
        if (w->event)
            event_free(w->event);
        free(w);
        return err;
    }
    event_del(w->event);
    *out = w;
    return 0;
}

void
loop_watch_set(struct loop_watch *w, unsigned what)
{
    short flags = EV_PERSIST;
    if (what == w->what)
        return;
    if (what & LOOP_READ)
        flags |= EV_READ;
    if (what & LOOP_WRITE)
        flags |= EV_WRITE;
    event_del(w->event);
    w->what = what;
    if (what == 0)
        return;
    event_assign(w->event, w->loop->base, w->fd, flags, watch_ready, w);
    event_add(w->event, NULL);
}

void
loop_watch_free(struct loop_watch **wp)
{
    struct loop_watch *w = *wp;
    *wp = NULL;
    if (!w)
        return;
    event_free(w->event);
    free(w);
}

static void
signal_fire(evutil_socket_t signo, short what, void *ctx)
{
    struct loop_signal *s = ctx;
    (void)signo;
    (void)what;
    s->fn(s->ctx);
}

int
loop_signal_new(struct loop *l, int signo, loop_fn fn, void *ctx,
                struct loop_signal **out)
{
    struct loop_signal *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return ERR_NOMEM;
    s->fn = fn;
    s->ctx = ctx;
    s->event = evsignal_new(l->base, signo, signal_fire, s);
    if (!s->event || event_add(s->event, NULL)) {
        if (s->event)
            event_free(s->event);
        free(s);
        return ERR_NOMEM;
    }
    *out = s;
    return 0;
}

void
loop_signal_free(struct loop_signal **sp)
{
    struct loop_signal *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    event_free(s->event);
    free(s);
}

void
loop_at_turn_end(struct loop *l, struct loop_hook *h, loop_fn fn, void *ctx)
{
    if (h->pending)
        return;
    *h = (struct loop_hook){.fn = fn, .ctx = ctx, .pending = true};
    *l->hooks_end = h;
    l->hooks_end = &h->next;
}

void
loop_hook_cancel(struct loop *l, struct loop_hook *h)
{
    struct loop_hook **at = &l->hooks;
    if (!h->pending)
        return;
    while (*at != h)
        at = &(*at)->next;
    *at = h->next;
    if (l->hooks_end == &h->next)
        l->hooks_end = at;
    h->pending = false;
}

/* Whoever finds the list empty wakes the loop. */
static void
note_append(struct loop *l, struct loop_note *n)
{
    bool wakes = !l->posted;
    n->pending = true;
    n->next = NULL;
    *l->posted_end = n;
    l->posted_end = &n->next;
    if (wakes)
        loop_wake(l);
}

int
loop_post(struct loop *l, loop_fn fn, void *ctx)
{
    struct loop_note *n = malloc(sizeof *n);
    if (!n)
        return ERR_NOMEM;
    *n = (struct loop_note){.fn = fn, .ctx = ctx, .owned = true};
    pthread_mutex_lock(&l->mutex);
    note_append(l, n);
    pthread_mutex_unlock(&l->mutex);
    return 0;
}

void
loop_post_note(struct loop *l, struct loop_note *n, loop_fn fn, void *ctx)
{
    pthread_mutex_lock(&l->mutex);
    if (!n->pending) {
        *n = (struct loop_note){.fn = fn, .ctx = ctx};
        note_append(l, n);
    }
    pthread_mutex_unlock(&l->mutex);
}
