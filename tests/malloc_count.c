/* tests/malloc_count.c - counts allocations, and lets them fail.
 *
 * State: one counter; how many calls a thread has left. The program's own
 * definitions take the place of glibc's for all libraries and pass the work on
 * to it. */
#include "tests/malloc_count.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTING 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTING 0
#endif
#endif
#if !defined(COUNTING)
#ifdef __GLIBC__
#define COUNTING 1
#else
#define COUNTING 0
#endif
#endif

#if COUNTING
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
static atomic_long calls;
static _Thread_local long left = -1;
static _Thread_local bool once, failed;

/* Count one call; is it to fail? */
static bool
fails(void)
{
    atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
    if (left > 0)
        left--;
    else if (left == 0) {
        failed = true;
        if (once)
            left = -1;
        errno = ENOMEM;
        return true;
    }
    return false;
}

void *
malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *old, size_t size)
{
    return fails() ? NULL : __libc_realloc(old, size);
}

void *
aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __libc_memalign(alignment, size);
}

long
malloc_count(void)
{
    return atomic_load_explicit(&calls, memory_order_relaxed);
}

bool
malloc_fail_after(long n)
{
    left = n;
    once = false;
    return true;
}

bool
malloc_fail(long n)
{
    const bool did = failed;
    left = n - 1;
    once = true;
    failed = false;
    return did;
}
#else
long
malloc_count(void)
{
    return -1;
}

bool
malloc_fail_after(long n)
{
    (void)n;
    return false;
}

bool
malloc_fail(long n)
{
    (void)n;
    return false;
}
#endif
