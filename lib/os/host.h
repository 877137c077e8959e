/* lib/os/host.h - an environment on the real machine: the clocks, the system's
 * randomness, one timer on a loop. send and store are the daemon's to add.
 *
 * Also what every daemon does alike: a log on stderr, signals, dying with its
 * parent. */
#ifndef LIB_OS_HOST_H
#define LIB_OS_HOST_H
#include "lib/env.h"
#include "lib/os/log.h"
#include "lib/os/loop.h"
#include "lib/rng.h"

struct host {
    struct env env; /* first */
    struct env_ops ops;
    struct loop *loop;
    struct loop_timer *timer;
    uint64_t timer_us; /* what it is set to */
    bool in_tick;
    struct loop_hook now;
    struct loop_note woken;
    loop_fn tick;
    void *tick_ctx;
    struct rng_os *traffic, *crypto; /* guarded */
    struct loop_signal *signals[2];
    loop_fn drain;
    void *drain_ctx;
    struct log log;
    void *owner; /* the daemon's */
};

/* tick(ctx) is called when the timer set through the environment fires; for a
 * time that has come, at the end of this turn of the loop; and after
 * env_wake(), which another thread may call. */
int host_init(struct host *h, loop_fn tick, void *ctx) CHECK_RESULT;
void host_free(struct host *h);

/* End loop_run() on SIGINT and SIGTERM; with `drain`, SIGTERM calls drain(ctx)
 * the first time, and ends it the second time. */
int host_stop_on_signals(struct host *h, loop_fn drain, void *ctx) CHECK_RESULT;

/* Write log lines to stderr, up to this level. */
void host_log(struct host *h, const char *program, enum log_level level);

/* As many open files as the system lets this process have. */
void host_files_max(void);

/* Take the descriptors 0 to 2, those of them that whoever started the program has
 * left closed: else the next file or socket that it opens becomes its standard
 * output, and is printed into. What is printed fails then. Call first of all.
 * Returns 0 or ERR_SYSTEM. */
int host_descriptors_hold(void) CHECK_RESULT;

/* No core dumps, which would hold keys and packets (I8); end when the parent,
 * if it is told (0: not), ends. Call before any thread is made. */
void host_harden(long parent);
#endif
