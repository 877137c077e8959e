/* tests/unit/test_heap.c - the memory that fails on demand does so. */
#include "tests/runner.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/heap.h"

/* Allocations of every kind, one after the other. */
enum { KINDS = 10 };

static void *
kind_make(int kind, void *old)
{
    void *p = NULL;
    switch (kind) {
    case 0:
        return malloc(5);
    case 1:
        return calloc(3, 7);
    case 2:
        return realloc(old, 4000);
    case 3:
        return reallocarray(old, 100, 50);
    case 4:
        return aligned_alloc(64, 128);
    case 5:
        return posix_memalign(&p, 32, 64) == 0 ? p : NULL;
    case 6:
        return strdup("a text");
    case 7:
        return strndup("a text", 3);
    case 8:
        return sodium_malloc(20);
    default:
        return fopen("/dev/null", "r"); /* a library's */
    }
}

static void
kind_free(int kind, void *p, void *old)
{
    if (kind == 8)
        sodium_free(p);
    else if (kind == 9 && p)
        fclose(p);
    else
        free(p);
    if (kind != 2 && kind != 3)
        free(old);
    else if (!p) { /* it has stayed as it was */
        assert_string_equal(old, "old");
        free(old);
    }
}

/* Which kinds failed, a bit each. */
static unsigned
kinds_failed(struct heap *h)
{
    unsigned failed = 0;
    for (int kind = 0; kind < KINDS; kind++) {
        char *old = malloc(4);
        assert_non_null(old);
        memcpy(old, "old", 4);
        heap_arm(h);
        errno = 0;
        void *p = kind_make(kind, old);
        const int error = errno;
        heap_disarm(h);
        if (!p) {
            failed |= 1U << kind;
            assert_true(error == ENOMEM);
        }
        kind_free(kind, p, old);
    }
    return failed;
}

static void
the_nth_allocation_fails_and_no_other(void **state)
{
    (void)state;
    long n = -1;
    assert_true(sodium_init() >= 0);
    for (struct heap h = {0}; heap_next(&h); n++) {
        assert_int_equal(h.n, n);
        const unsigned failed = kinds_failed(&h);
        assert_int_equal(h.failed, n >= 0 && n < KINDS);
        assert_int_equal(failed, h.failed ? 1U << n : 0);
    }
    assert_int_equal(n, heap_count() < 0 ? 0 : KINDS + 1);
}

static void
all_from_the_nth_on_may_fail(void **state)
{
    (void)state;
    assert_true(sodium_init() >= 0);
    const unsigned all = (1U << KINDS) - 1;
    for (struct heap h = {.how = HEAP_REST}; heap_next(&h);)
        assert_int_equal(kinds_failed(&h), h.n < 0 ? 0 : all & (all << h.n));
}

static void
a_library_may_be_left_alone(void **state)
{
    (void)state;
    long runs = 0;
    assert_true(sodium_init() >= 0);
    for (struct heap h = {.how = HEAP_OWN | HEAP_REST}; heap_next(&h); runs++)
        assert_int_equal(kinds_failed(&h) & 1U << 9, 0);
    assert_int_equal(runs, heap_count() < 0 ? 1 : KINDS + 1);
}

static void
what_a_test_does_for_itself_never_fails(void **state)
{
    (void)state;
    for (struct heap h = {.how = HEAP_REST}; heap_next(&h);) {
        void *volatile own = malloc(1);
        heap_arm(&h);
        void *volatile first = malloc(1);
        const bool armed = heap_pause();
        void *volatile paused = malloc(1);
        heap_resume(armed);
        void *volatile last = malloc(1);
        heap_disarm(&h);
        void *volatile after = malloc(1);
        assert_true(own && paused && after);
        assert_true((first == NULL) == (h.n == 0));
        assert_true((last == NULL) == (h.n == 0 || h.n == 1));
        free(own);
        free(first);
        free(paused);
        free(last);
        free(after);
    }
}

struct other {
    pthread_barrier_t armed, done;
    bool had;
};

static void *
other_thread(void *arg)
{
    struct other *o = arg;
    (void)pthread_barrier_wait(&o->armed);
    void *volatile p = malloc(1);
    o->had = p != NULL;
    free(p);
    (void)pthread_barrier_wait(&o->done);
    return NULL;
}

static void
other_threads_never_notice(void **state)
{
    (void)state;
    struct other o = {.had = false};
    pthread_t thread;
    assert_int_equal(pthread_barrier_init(&o.armed, NULL, 2), 0);
    assert_int_equal(pthread_barrier_init(&o.done, NULL, 2), 0);
    assert_int_equal(pthread_create(&thread, NULL, other_thread, &o), 0);
    heap_fail(0, HEAP_REST);
    (void)pthread_barrier_wait(&o.armed);
    (void)pthread_barrier_wait(&o.done);
    (void)heap_stop();
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)pthread_barrier_destroy(&o.armed);
    (void)pthread_barrier_destroy(&o.done);
    assert_true(o.had);
}

/* Of many allocations a quick run takes a sample from all over; a proof takes
 * every one. */
static void
long_loops_are_sampled_but_for_a_proof(void **state)
{
    (void)state;
    enum { TOTAL = 100 };
    for (int proof = 0; proof < 2; proof++) {
        const bool was = test_proof();
        bool hit[TOTAL] = {false};
        long hits = 0, half = 0;
        assert_int_equal(setenv("BRUSIO_TEST_PROOF", proof ? "1" : "0", 1), 0);
        for (struct heap h = {.most = 10}; heap_next(&h);)
            for (int i = 0; i < TOTAL; i++) {
                heap_arm(&h);
                void *volatile p = malloc(1);
                heap_disarm(&h);
                hits += !p && !hit[i];
                half += !p && i < TOTAL / 2;
                hit[i] |= !p;
                free(p);
            }
        assert_int_equal(setenv("BRUSIO_TEST_PROOF", was ? "1" : "0", 1), 0);
        if (heap_count() < 0)
            return;
        assert_int_equal(hits, proof ? TOTAL : 10);
        assert_int_equal(half, proof ? TOTAL / 2 : 5);
    }
}

static void
every_call_is_counted(void **state)
{
    (void)state;
    const long before = heap_count();
    void *volatile p = malloc(1);
    free(p);
    assert_int_equal(heap_count(), before < 0 ? -1 : before + 1);
}

const struct CMUnitTest test_heap[] = {
    cmocka_unit_test(the_nth_allocation_fails_and_no_other),
    cmocka_unit_test(all_from_the_nth_on_may_fail),
    cmocka_unit_test(a_library_may_be_left_alone),
    cmocka_unit_test(what_a_test_does_for_itself_never_fails),
    cmocka_unit_test(other_threads_never_notice),
    cmocka_unit_test(long_loops_are_sampled_but_for_a_proof),
    cmocka_unit_test(every_call_is_counted),
};
TEST_SUITE(test_heap);
