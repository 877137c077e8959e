/* tests/malloc_count.h - how often this process has allocated, and no memory.
 *
 * For tests that a fast path allocates nothing. Counts malloc, calloc,
 * realloc and aligned_alloc of every thread and library; the answer is -1 where
 * counting is not possible (sanitizers, other C libraries than glibc), and such
 * a test does nothing.
 */
#ifndef TESTS_MALLOC_COUNT_H
#define TESTS_MALLOC_COUNT_H
#include <stdbool.h>

long malloc_count(void);

/* After n more calls of this thread every one fails; negative: none does.
 * false: not possible here. */
bool malloc_fail_after(long n);

/* The nth allocation of this thread from now on fails, once: 1 is the next, 0
 * is none. Returns whether the one of the last call has failed. */
bool malloc_fail(long n);
#endif
