/* lib/os/loop.h - readiness, timers, signals, and work from other threads.
 *
 * A thin layer over libevent, so that its headers stay in one file. A loop
 * belongs to one thread; loop_post() and loop_stop() alone may be called from
 * others. Everything is the caller's and is freed before the loop is. */
#ifndef LIB_OS_LOOP_H
#define LIB_OS_LOOP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

struct loop;
typedef void (*loop_fn)(void *ctx);

/* The program ignores SIGPIPE from here on: libevent writes without
 * MSG_NOSIGNAL. */
int loop_new(struct loop **out) CHECK_RESULT;
void loop_free(struct loop **l);

/* Until loop_stop(). Returns 0 or ERR_SYSTEM. */
int loop_run(struct loop *l) CHECK_RESULT;
/* One turn: wait until something is ready, serve it, run the hooks. */
int loop_turn(struct loop *l) CHECK_RESULT;
void loop_stop(struct loop *l);

/* clock_mono_us(), read once a turn. */
uint64_t loop_now_us(struct loop *l);

/* A buffer of at least len octets for work within one call, shared by all that
 * is done on this loop; NULL without memory. The loop's. */
uint8_t *loop_scratch(struct loop *l, size_t len);

/* libevent's event_base, for lib/os/http.c. */
void *loop_base(struct loop *l);

struct loop_timer;
int loop_timer_new(struct loop *l, loop_fn fn, void *ctx,
                   struct loop_timer **out) CHECK_RESULT;
/* Fire at or after this time; replaces the time before; UINT64_MAX disarms. */
void loop_timer_at(struct loop_timer *t, uint64_t at_us);
void loop_timer_free(struct loop_timer **t);

enum { LOOP_READ = 1, LOOP_WRITE = 2 };
struct loop_watch;
typedef void (*loop_ready_fn)(void *ctx, unsigned ready);
int loop_watch_new(struct loop *l, int fd, loop_ready_fn fn, void *ctx,
                   struct loop_watch **out) CHECK_RESULT;
/* What to watch for: LOOP_READ | LOOP_WRITE, or 0. */
void loop_watch_set(struct loop_watch *w, unsigned what);
void loop_watch_free(struct loop_watch **w);

struct loop_signal;
int loop_signal_new(struct loop *l, int signo, loop_fn fn, void *ctx,
                    struct loop_signal **out) CHECK_RESULT;
void loop_signal_free(struct loop_signal **s);

/* Run fn once, at the end of this turn. The hook is the caller's, zeroed
 * before its first use; loop_hook_cancel() before it goes. */
struct loop_hook {
    struct loop_hook *next;
    loop_fn fn;
    void *ctx;
    bool pending;
};
void loop_at_turn_end(struct loop *l, struct loop_hook *h, loop_fn fn,
                      void *ctx);
void loop_hook_cancel(struct loop *l, struct loop_hook *h);

/* Run fn(ctx) on the loop's thread. From any thread. Returns 0, ERR_NOMEM. */
int loop_post(struct loop *l, loop_fn fn, void *ctx) CHECK_RESULT;
/* The same without memory of its own: the note is the caller's, zeroed before
 * its first use. While it is under way another call changes nothing. */
struct loop_note {
    struct loop_note *next;
    loop_fn fn;
    void *ctx;
    bool pending, owned;
};
void loop_post_note(struct loop *l, struct loop_note *n, loop_fn fn, void *ctx);
/* Drop what was posted for ctx: it is about to go, notes included. */
void loop_forget(struct loop *l, const void *ctx);
#endif
