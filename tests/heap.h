/* tests/heap.h - memory that runs out when a test says so.
 *
 * The definitions in heap.c take the place of malloc and its kin for the whole
 * process, libraries included, and pass the work on to glibc or to the
 * sanitizer's own (asan, tsan). Only the thread that asks for failures gets
 * them. Elsewhere (other C libraries) nothing fails and heap_count() is -1;
 * heap_next() then makes one ordinary run.
 *
 *     for (struct heap h = {0}; heap_next(&h);) {
 *         struct thing *t = thing_prepare();
 *         heap_arm(&h);
 *         int err = thing_do(t);
 *         heap_disarm(&h);
 *         assert_int_equal(err, h.failed ? ERR_NOMEM : 0);
 *         if (err)
 *             assert_int_equal(thing_do(t), 0);
 *         thing_check(t);
 *         thing_free(&t);
 *     }
 *
 * In the first run nothing fails and h.n is -1; then allocation h.n of those
 * made while armed fails, for h.n = 0, 1, 2 and so on, until a run in which none
 * has failed. In a quick run of the tests (see test_proof()) of long loops only
 * a sample is taken, and of those that would take hours always. A loop in which nothing has ever failed fails the test.
 * Assert while disarmed only: what cmocka does in a failing test allocates.
 *
 * BRUSIO_TEST_HEAP=all says of each run where the allocation was that has failed
 * (offsets for addr2line); BRUSIO_TEST_HEAP=7 makes the first run and that one
 * only in which allocation 7 fails.
 */
#ifndef TESTS_HEAP_H
#define TESTS_HEAP_H
#include <stdbool.h>

enum heap_how {
    HEAP_REST = 1, /* not one allocation fails, but all from the nth on */
    HEAP_OWN = 2   /* what libraries ask for is neither counted nor fails */
};

struct heap {
    unsigned how; /* of enum heap_how */
    long most;    /* runs of a quick run; 0: HEAP_MOST */
    long proof;   /* runs when proof is asked for; 0: all */
    /* from here on: read only; starts as zeros */
    long n;        /* which one fails in this run, -1: none */
    bool failed;   /* after heap_disarm(): one has failed in this run */
    long total;    /* allocations of the first run */
    long runs;     /* this one included */
    long failures; /* runs in which one has failed */
};
enum { HEAP_MOST = 32 };

/* Begin the next run: is there one? */
bool heap_next(struct heap *h);
/* Allocations count and fail from here to heap_disarm(). A run may arm several
 * times: it counts on. */
void heap_arm(struct heap *h);
void heap_disarm(struct heap *h);

/* Such a loop round one call: with a failed allocation it returns ERR_NOMEM,
 * and after that, and without one, 0. */
void heap_try(int (*call)(void *ctx), void *ctx);

/* What a test does for itself while armed, in a callback: between these two
 * nothing counts or fails. Give heap_resume() what heap_pause() has returned. */
bool heap_pause(void);
void heap_resume(bool armed);

/* Without a loop. From now on the nth allocation of this thread fails, 0: the
 * next; until heap_stop(), which returns whether one has. */
void heap_fail(long n, unsigned how);
bool heap_stop(void);

/* Calls of malloc and its kin so far, of every thread; -1: cannot be told. */
long heap_count(void);
#endif
