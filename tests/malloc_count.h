/* tests/malloc_count.h - how often this process has allocated.
 *
 * For tests that a fast path allocates nothing. Counts malloc, calloc and
 * realloc of every thread and library; the answer is -1 where counting is not
 * possible (sanitizers, other C libraries than glibc), and such a test does
 * nothing.
 */
#ifndef TESTS_MALLOC_COUNT_H
#define TESTS_MALLOC_COUNT_H

long malloc_count(void);
#endif
