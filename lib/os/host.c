/* lib/os/host.c - the machine's clocks and randomness behind struct env.
 *
 * State: one timer on the loop, and the time it is set to; two generators, one
 * for traffic and one for cryptography, in guarded memory. The object's tick
 * runs when the timer fires, at the end of a turn for a time that has come, and
 * after env_wake(). Failure modes: no memory or no loop, in host_init() alone;
 * later nothing fails. */
#include "lib/os/host.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "lib/os/clock.h"
#include "lib/os/system.h"
#include "lib/secret.h"

static uint64_t
host_mono_us(struct env *env)
{
    return loop_now_us(((struct host *)env)->loop);
}

static uint64_t
host_wall_ms(struct env *env)
{
    (void)env;
    return clock_wall_ms();
}

static void
host_traffic(struct env *env, void *out, size_t len)
{
    rng_os_bytes(((struct host *)env)->traffic, clock_wall_ns(), out, len);
}

static void
host_crypto(struct env *env, void *out, size_t len)
{
    rng_os_bytes(((struct host *)env)->crypto, clock_wall_ns(), out, len);
}

static void
host_tick(void *ctx)
{
    struct host *h = ctx;
    h->in_tick = true;
    h->tick(h->tick_ctx);
    h->in_tick = false;
}

static void
host_fire(void *ctx)
{
    ((struct host *)ctx)->timer_us = UINT64_MAX;
    host_tick(ctx);
}

/* Set the timer. The object calls this after everything that happens, so a time
 * that is set already costs nothing. */
static void
host_timer(struct env *env, uint64_t at_us)
{
    struct host *h = (struct host *)env;
    if (at_us <= loop_now_us(h->loop) && !h->in_tick) {
        loop_at_turn_end(h->loop, &h->now, host_tick, h);
        return;
    }
    if (at_us == h->timer_us)
        return;
    h->timer_us = at_us;
    loop_timer_at(h->timer, at_us);
}

static void
host_wake(struct env *env)
{
    struct host *h = (struct host *)env;
    loop_post_note(h->loop, &h->woken, host_tick, h);
}

bool
host_hangup_is_ignored(void)
{
    struct sigaction act;
    return sigaction(SIGHUP, NULL, &act) == 0 && act.sa_handler == SIG_IGN;
}

int
host_init(struct host *h, loop_fn tick, void *ctx)
{
    *h = (struct host){.ops = {.now_mono_us = host_mono_us,
                               .now_wall_ms = host_wall_ms,
                               .random_traffic = host_traffic,
                               .random_crypto = host_crypto,
                               .timer = host_timer,
                               .wake = host_wake}};
    h->env.ops = &h->ops;
    h->tick = tick;
    h->tick_ctx = ctx;
    h->timer_us = UINT64_MAX;
    signal(SIGXFSZ,
           SIG_IGN); /* a limit of files is an error like a full disk */
    int err = secret_init();
    if (!err)
        err = loop_new(&h->loop);
    if (!err)
        err = loop_timer_new(h->loop, host_fire, h, &h->timer);
    if (!err) {
        h->traffic = secret_new(sizeof *h->traffic);
        h->crypto = secret_new(sizeof *h->crypto);
        if (!h->traffic || !h->crypto)
            err = ERR_NOMEM;
    }
    if (err) {
        host_free(h);
        return err;
    }
    rng_os_init(h->traffic, clock_wall_ns());
    rng_os_init(h->crypto, clock_wall_ns());
    return 0;
}

static void
log_stderr(void *ctx, enum log_level level, const char *line)
{
    char when[32];
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
    fprintf(stderr, "%s %s %s: %s\n", when, (const char *)ctx,
            log_level_name(level), line);
}

void
host_free(struct host *h)
{
    if (h->log.sink == log_stderr)
        loop_log(NULL);
    for (size_t i = 0; i < 2; i++)
        loop_signal_free(&h->signals[i]);
    loop_timer_free(&h->timer);
    if (h->loop)
        loop_hook_cancel(h->loop, &h->now);
    loop_free(&h->loop);
    secret_free((void **)&h->traffic);
    secret_free((void **)&h->crypto);
}

static void
host_stop(void *ctx)
{
    loop_stop(((struct host *)ctx)->loop);
}

static void
host_term(void *ctx)
{
    struct host *h = ctx;
    loop_fn drain = h->drain;
    h->drain = NULL;
    if (drain)
        drain(h->drain_ctx);
    else
        loop_stop(h->loop);
}

int
host_stop_on_signals(struct host *h, loop_fn drain, void *ctx)
{
    h->drain = drain;
    h->drain_ctx = ctx;
    int err = loop_signal_new(h->loop, SIGINT, host_stop, h, &h->signals[0]);
    if (!err)
        err = loop_signal_new(h->loop, SIGTERM, host_term, h, &h->signals[1]);
    return err;
}

void
host_log(struct host *h, const char *program, enum log_level level)
{
    h->log = (struct log){log_stderr, (void *)(uintptr_t)program, level};
    loop_log(&h->log);
}

void
host_files_max(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

void
host_memory_return(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

int
host_descriptors_hold(void)
{
    int fd;
    do /* the lowest that is free; what is written there fails */
        fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd < 0)
        return system_error();
    close(fd);
    return 0;
}

void
host_harden(long parent)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
#ifdef __linux__
    prctl(PR_SET_DUMPABLE, 0);
    if (parent > 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent) /* it has died already */
            raise(SIGTERM);
    }
#else
    (void)parent;
#endif
}
