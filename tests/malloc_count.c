/* tests/malloc_count.c - counts calls of malloc, calloc and realloc.
 *
 * State: one counter. The program's own definitions take the place of glibc's
 * for all libraries and pass the work on to it. */
#include "tests/malloc_count.h"

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
static atomic_long calls;

void *
malloc(size_t size)
{
    atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
    return __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
    atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
    return __libc_calloc(n, size);
}

void *
realloc(void *old, size_t size)
{
    atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
    return __libc_realloc(old, size);
}

long
malloc_count(void)
{
    return atomic_load_explicit(&calls, memory_order_relaxed);
}
#else
long
malloc_count(void)
{
    return -1;
}
#endif
