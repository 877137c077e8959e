/* lib/os/loop.h - readiness, timers, signals, and work from other threads.
 *
 * A thin layer over libevent. A loop belongs to one thread; loop_post() and
 * loop_stop() alone may be called from other threads. Timers, watches and
 * signals are the caller's and are freed before the loop is. */
#ifndef LIB_OS_LOOP_H
#define LIB_OS_LOOP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

struct log;
struct loop;
typedef void (*loop_fn)(void *ctx);

/* Make a loop, which the caller owns. The program ignores SIGPIPE from here on,
 * since libevent writes without MSG_NOSIGNAL. Returns 0, ERR_NOMEM or
 * ERR_SYSTEM. */
int loop_new(struct loop **out) CHECK_RESULT;

/* Have what libevent says of all loops written to log, within bounds, from now
 * on; NULL: nowhere, but for what ends the process. */
void loop_log(const struct log *log);

/* Free *l, which may be NULL, and set it to NULL. */
void loop_free(struct loop **l);

/* Run until loop_stop(). Returns 0 or ERR_SYSTEM. */
int loop_run(struct loop *l) CHECK_RESULT;

/* Run one turn: wait until something is ready, serve that, run the hooks.
 * Returns 0 or ERR_SYSTEM. */
int loop_turn(struct loop *l) CHECK_RESULT;

/* End loop_run() of l; any thread may call this. */
void loop_stop(struct loop *l);

/* Return clock_mono_us() as read at the beginning of this turn. */
uint64_t loop_now_us(struct loop *l);

/* Return a buffer of at least len bytes for work within one call; NULL when out
 * of memory. The buffer belongs to l and is shared by all that is done there.
 */
uint8_t *loop_scratch(struct loop *l, size_t len);

/* Return libevent's event_base of l, for lib/os/http/http.c. */
void *loop_base(struct loop *l);

struct loop_timer;

/* Make a timer, disarmed, that calls fn(ctx). Returns 0 or ERR_NOMEM. */
int loop_timer_new(struct loop *l, loop_fn fn, void *ctx,
                   struct loop_timer **out) CHECK_RESULT;

/* Have t fire at or after at_us, in place of its time before; UINT64_MAX
 * disarms. */
void loop_timer_at(struct loop_timer *t, uint64_t at_us);

/* Free *t, which may be NULL, and set it to NULL. */
void loop_timer_free(struct loop_timer **t);

enum { LOOP_READ = 1, LOOP_WRITE = 2 };
struct loop_watch;

/* Note that a descriptor is ready: LOOP_READ | LOOP_WRITE. */
typedef void (*loop_ready_fn)(void *ctx, unsigned ready);

/* Watch the descriptor fd, for nothing at first; fn(ctx) is told when it is
 * ready. Returns 0 or ERR_NOMEM. */
int loop_watch_new(struct loop *l, int fd, loop_ready_fn fn, void *ctx,
                   struct loop_watch **out) CHECK_RESULT;

/* Have w watch for `what`: LOOP_READ | LOOP_WRITE, or 0. */
void loop_watch_set(struct loop_watch *w, unsigned what);

/* Free *w, which may be NULL, and set it to NULL; the descriptor stays open. */
void loop_watch_free(struct loop_watch **w);

struct loop_signal;

/* Have fn(ctx) called on the loop when the signal signo comes. Returns 0 or
 * ERR_NOMEM. */
int loop_signal_new(struct loop *l, int signo, loop_fn fn, void *ctx,
                    struct loop_signal **out) CHECK_RESULT;

/* Free *s, which may be NULL, and set it to NULL. */
void loop_signal_free(struct loop_signal **s);

/* One call at the end of a turn. A hook is the caller's, who zeroes the hook
 * before its first use and calls loop_hook_cancel() before freeing it. */
struct loop_hook {
    struct loop_hook *next;
    loop_fn fn;
    void *ctx;
    bool pending;
};

/* Call fn(ctx) once, at the end of this turn, by the hook h. */
void loop_at_turn_end(struct loop *l, struct loop_hook *h, loop_fn fn,
                      void *ctx);

/* Drop the call that waits in h, if any. */
void loop_hook_cancel(struct loop *l, struct loop_hook *h);

/* Have fn(ctx) called on the thread of l; any thread may ask. Returns 0 or
 * ERR_NOMEM. */
int loop_post(struct loop *l, loop_fn fn, void *ctx) CHECK_RESULT;

/* One call for another thread, for loop_post_note(). A note is the caller's,
 * who zeroes the note before its first use. */
struct loop_note {
    struct loop_note *next;
    loop_fn fn;
    void *ctx;
    bool pending, owned;
};

/* Do what loop_post() does, with the memory of n. While n is under way another
 * call changes nothing. */
void loop_post_note(struct loop *l, struct loop_note *n, loop_fn fn, void *ctx);

/* Drop all calls that were posted for ctx, which is about to be freed, notes
 * included. */
void loop_forget(struct loop *l, const void *ctx);
#endif
