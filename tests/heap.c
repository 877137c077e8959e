/* tests/heap.c - memory that runs out when a test says so.
 *
 * State: one counter of the process; for each thread, which allocation is to
 * fail. free() is never replaced: what is handed out comes from the allocator
 * that frees it. A sanitizer's own functions stay reachable by the names that
 * it gives them for this purpose. */
#include "tests/heap.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/rng_seeded.h"
#include "tests/runner.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

/* A sanitizer must not look at what runs before it has started itself. */
#if defined(SANITIZED)
#define REAL(name)   __interceptor_##name
#define REAL_ALIGNED __interceptor_memalign
#define PLAIN        __attribute__((no_sanitize("address", "thread", "undefined")))
#elif defined(__GLIBC__)
#define REAL(name)   __libc_##name
#define REAL_ALIGNED __libc_memalign
#define PLAIN
#endif

enum { TRACE_MAX = 24 };

/* What this thread has asked for. */
static _Thread_local struct {
    bool armed, failed;
    unsigned how;
    long left; /* so many more succeed; negative: none fails */
    long seen; /* while armed */
    void *trace[TRACE_MAX];
    int traced;
} mine;
static bool tracing;

#ifdef REAL
extern void *REAL(malloc)(size_t size);
extern void *REAL(calloc)(size_t n, size_t size);
extern void *REAL(realloc)(void *old, size_t size);
extern void *REAL_ALIGNED(size_t alignment, size_t size);
/* the linker's: where the program's own code lies */
extern const char __executable_start, etext;

static atomic_long calls;

PLAIN static void
heap_trace(void)
{
    mine.armed = false;
    mine.traced = backtrace(mine.trace, TRACE_MAX);
    mine.armed = true;
}

/* Count a call that returns to `from`; is it to fail? */
PLAIN static bool
heap_fails(const void *from)
{
    atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
    const uintptr_t at = (uintptr_t)from;
    if (!mine.armed ||
        (mine.how & HEAP_OWN &&
         (at < (uintptr_t)&__executable_start || at >= (uintptr_t)&etext)))
        return false;
    mine.seen++;
    if (mine.left != 0) {
        mine.left -= mine.left > 0;
        return false;
    }
    if (!(mine.how & HEAP_REST))
        mine.left = -1;
    if (tracing && !mine.failed)
        heap_trace();
    mine.failed = true;
    errno = ENOMEM;
    return true;
}
#define FAILS heap_fails(__builtin_return_address(0))

PLAIN void *
malloc(size_t size)
{
    return FAILS ? NULL : REAL(malloc)(size);
}

PLAIN void *
calloc(size_t n, size_t size)
{
    return FAILS ? NULL : REAL(calloc)(n, size);
}

PLAIN void *
realloc(void *old, size_t size)
{
    return FAILS ? NULL : REAL(realloc)(old, size);
}

PLAIN void *
reallocarray(void *old, size_t n, size_t size)
{
    size_t len;
    if (__builtin_mul_overflow(n, size, &len)) {
        errno = ENOMEM;
        return NULL;
    }
    return FAILS ? NULL : REAL(realloc)(old, len);
}

PLAIN void *memalign(size_t alignment, size_t size);
PLAIN void *
memalign(size_t alignment, size_t size)
{
    return FAILS ? NULL : REAL_ALIGNED(alignment, size);
}

PLAIN void *
aligned_alloc(size_t alignment, size_t size)
{
    return FAILS ? NULL : REAL_ALIGNED(alignment, size);
}

PLAIN int
posix_memalign(void **out, size_t alignment, size_t size)
{
    void *p = FAILS ? NULL : REAL_ALIGNED(alignment, size);
    if (!p)
        return ENOMEM;
    *out = p;
    return 0;
}

/* The sanitizers' own would pass us by. */
PLAIN char *
strdup(const char *text)
{
    const size_t len = strlen(text) + 1;
    char *p = FAILS ? NULL : REAL(malloc)(len);
    return p ? memcpy(p, text, len) : NULL;
}

PLAIN char *
strndup(const char *text, size_t most)
{
    const size_t len = strnlen(text, most);
    char *p = FAILS ? NULL : REAL(malloc)(len + 1);
    if (p) {
        memcpy(p, text, len);
        p[len] = 0;
    }
    return p;
}

/* libsodium takes its guarded memory from the system. */
void *sodium_malloc(size_t size);
PLAIN void *
sodium_malloc(size_t size)
{
    static void *(*_Atomic real)(size_t size);
    if (FAILS)
        return NULL;
    if (!real) {
        const bool armed = heap_pause();
        void *found = dlsym(RTLD_NEXT, "sodium_malloc");
        void *(*function)(size_t size);
        memcpy(&function, &found, sizeof function);
        real = function;
        heap_resume(armed);
    }
    return real(size);
}

long
heap_count(void)
{
    return atomic_load_explicit(&calls, memory_order_relaxed);
}
#else
long
heap_count(void)
{
    return -1;
}
#endif

bool
heap_pause(void)
{
    const bool armed = mine.armed;
    mine.armed = false;
    return armed;
}

void
heap_resume(bool armed)
{
    mine.armed = armed;
}

void
heap_fail(long n, unsigned how)
{
    mine.how = how;
    mine.left = n;
    mine.failed = false;
    mine.seen = 0;
    mine.traced = 0;
    mine.armed = true;
}

bool
heap_stop(void)
{
    mine.armed = false;
    return mine.failed;
}

/* ---- the loop ---- */

/* What the environment asks for: -2 nothing, -1 a word on each run, or the only
 * one to fail. */
static long
heap_asked(void)
{
    const char *text = getenv("BRUSIO_TEST_HEAP");
    if (!text)
        return -2;
    if (!tracing) {
        void *first[1];
        tracing = backtrace(first, 1) >= 0; /* it allocates the first time */
    }
    return *text >= '0' && *text <= '9' ? strtol(text, NULL, 10) : -1;
}

/* Which is next to fail, -1: there is no other run. All of them in turn when
 * proof is asked for or there are few; else every stride-th, not always the
 * same. */
static long
heap_choose(const struct heap *h, long asked)
{
    long most = h->most ? h->most : HEAP_MOST;
    if (test_proof())
        most = h->proof ? h->proof : LONG_MAX;
    if (asked >= 0)
        return h->runs == 1 ? asked : -1;
    if (h->total <= most)
        return h->runs == 1 || mine.failed ? h->n + 1 : -1;
    if (h->runs > most)
        return -1;
    struct rng_seeded r;
    rng_seeded_init_u64(&r, test_seed() + (uint64_t)h->runs, "heap");
    const long from = h->total * (h->runs - 1) / most,
               to = h->total * h->runs / most;
    return from + (long)(rng_seeded_u64(&r) % (uint64_t)(to - from));
}

bool
heap_next(struct heap *h)
{
    (void)heap_pause();
    const long asked = heap_asked();
    if (h->runs == 0)
        h->n = -1;
    else {
        if (h->n < 0)
            h->total = mine.seen;
        h->failures += mine.failed;
        if (heap_count() < 0)
            return false;
        h->n = heap_choose(h, asked);
        if (h->n < 0) {
            if (h->failures == 0)
                fail_msg("of %ld allocations none has failed", h->total);
            return false;
        }
    }
    h->runs++;
    h->failed = false;
    heap_fail(h->n, h->how);
    return !heap_stop();
}

void
heap_arm(struct heap *h)
{
    (void)h;
    mine.armed = true;
}

void
heap_disarm(struct heap *h)
{
    mine.armed = false;
    if (mine.failed && !h->failed && tracing) {
        print_message("run %ld: allocation %ld of about %ld failed here:\n",
                      h->runs, h->n, h->total);
        backtrace_symbols_fd(mine.trace, mine.traced, STDERR_FILENO);
    }
    h->failed = mine.failed;
}

void
heap_try(int (*call)(void *ctx), void *ctx)
{
    for (struct heap h = {.most = 100}; heap_next(&h);) {
        heap_arm(&h);
        int err = call(ctx);
        heap_disarm(&h);
        if (err != (h.failed ? ERR_NOMEM : 0))
            fail_msg("allocation %ld: %d", h.n, err);
        if (err)
            assert_int_equal(call(ctx), 0);
    }
}
