/* tests/malloc_count.h - how often this process has allocated, and no memory.
 *
 * For tests that a fast path allocates nothing. Counts malloc, calloc and
 * realloc of every thread and library; the answer is -1 where counting is not
 * possible (sanitizers, other C libraries than glibc), and such a test does
 * nothing.
 */
#ifndef TESTS_MALLOC_COUNT_H
#define TESTS_MALLOC_COUNT_H
#include <stdbool.h>

long malloc_count(void);

/* After n more calls of this thread every one fails; negative: none does.
 * false: not possible here. */
bool malloc_fail_after(long n);
#endif
