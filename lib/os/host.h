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

/* Make h an environment with a loop of its own. tick(ctx) is called when the
 * timer set through the environment fires; for a time that has come, at the end
 * of this turn of the loop; and after env_wake(), which another thread may
 * call. Returns 0, ERR_NOMEM, ERR_SYSTEM or ERR_CRYPTO. */
int host_init(struct host *h, loop_fn tick, void *ctx) CHECK_RESULT;

/* Wipe and free what h has; zeroed memory is fine. */
void host_free(struct host *h);

/* End loop_run() on SIGINT and SIGTERM. When drain is not NULL, the first
 * SIGTERM calls drain(ctx), and the second ends loop_run(). Returns 0 or an
 * error of loop_signal_new(). */
int host_stop_on_signals(struct host *h, loop_fn drain, void *ctx) CHECK_RESULT;

/* Have the log of h write lines to stderr under the name of program, up to
 * level. */
void host_log(struct host *h, const char *program, enum log_level level);

/* Raise the limit of open files to what the system lets this process have. */
void host_files_max(void);

/* Give back to the system the memory that is free, where the C library keeps
 * that until it is told: after buffers of megabytes, not of kilobytes, since all
 * of the heap is looked at. */
void host_memory_return(void);

/* Take those of the descriptors 0 to 2 that are closed when the program starts:
 * else the next file or socket that the program opens would become its standard
 * output, and be printed into. Printing to a descriptor that was taken fails.
 * Call first of all. Returns 0 or ERR_SYSTEM. */
int host_descriptors_hold(void) CHECK_RESULT;

/* Tell whether this program was started to outlive its terminal (nohup): then it leaves
 * SIGHUP ignored. Call before that is changed. */
bool host_hangup_is_ignored(void);

/* Forbid core dumps, which would hold keys and packets (I8), and end this
 * process when the process parent ends (0: no such process). Call before any
 * thread is made. */
void host_harden(long parent);
#endif
