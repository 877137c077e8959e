/* tests/unit/test_moments.c - what was done once is not done again, whatever the clock
 * says, and what was not done may be, but between moments that are near. */
#include "tests/runner.h"

#include <string.h>

#include "lib/rng_seeded.h"
#include "relay/moments.h"

enum { EACH_MS = 2000, NEAR_MS = 2 * EACH_MS };
static const uint64_t t0_ms = 1800000000000ULL;

static void
a_clock_that_goes_leaves_one_run(void **state)
{
    (void)state;
    struct moments m;
    memset(&m, 0, sizeof m);
    for (unsigned i = 0; i < 100000; i++) {
        const uint64_t at_ms = t0_ms + i * (uint64_t)EACH_MS;
        assert_false(moments_has(&m, at_ms));
        assert_true(moments_note(&m, at_ms, NEAR_MS));
        assert_true(moments_has(&m, at_ms));
        assert_false(moments_note(&m, at_ms, NEAR_MS));
    }
    assert_true(m.run[1] == 0);
    assert_true(moments_has(&m, t0_ms));
    assert_false(moments_has(&m, t0_ms - EACH_MS));
    assert_false(moments_has(&m, t0_ms + 100000 * (uint64_t)EACH_MS));
}

/* Intervals of half a second, the shortest there are, are told from each other. */
static void
the_shortest_intervals_are_told_apart(void **state)
{
    (void)state;
    struct moments m;
    memset(&m, 0, sizeof m);
    for (unsigned i = 0; i < 100; i++)
        assert_true(moments_note(&m, t0_ms + i * 500, 500));
    memset(&m, 0, sizeof m);
    for (unsigned i = 0; i < 100; i++)
        assert_true(moments_note(&m, t0_ms + i * 733, 733));
}

/* Three steps ahead take nothing from what lies before and between them. */
static void
steps_ahead_take_nothing(void **state)
{
    (void)state;
    struct moments m;
    unsigned missing = 0;
    memset(&m, 0, sizeof m);
    assert_true(moments_note(&m, t0_ms, NEAR_MS));
    for (unsigned k = 1; k <= 3; k++)
        for (unsigned i = 0; i < 5; i++)
            assert_true(moments_note(
                &m, t0_ms + k * 1000000 + i * (uint64_t)EACH_MS, NEAR_MS));
    for (unsigned i = 1; i < 2000; i++)
        missing += !moments_note(&m, t0_ms + i * (uint64_t)EACH_MS, NEAR_MS);
    /* and one that is near each step is taken to be noted */
    assert_in_range(missing, 15, 15 + 3);
}

/* Whatever the clock does, nothing that was noted is given free. */
static void
i10_no_moment_is_given_free(void **state)
{
    (void)state;
    enum { MOMENTS = 400, COURSES = 300 };
    for (unsigned c = 0; c < COURSES; c++) {
        static bool noted[MOMENTS];
        struct moments m;
        struct rng_seeded rng;
        unsigned at = 0;
        rng_seeded_init_u64(&rng, test_seed() + c, "moments");
        memset(&m, 0, sizeof m);
        memset(noted, 0, sizeof noted);
        for (unsigned i = 0; i < MOMENTS; i++) {
            const uint64_t dice = rng_seeded_u64(&rng);
            at = dice % 10 ? (at + 1) % MOMENTS
                           : (unsigned)(dice >> 8) % MOMENTS;
            const bool is_new =
                moments_note(&m, t0_ms + at * (uint64_t)EACH_MS, NEAR_MS);
            assert_false(is_new && noted[at]);
            noted[at] = true;
            for (unsigned k = 0; k < MOMENTS; k++)
                assert_true(!noted[k] ||
                            moments_has(&m, t0_ms + k * (uint64_t)EACH_MS));
        }
    }
}

const struct CMUnitTest test_moments[] = {
    cmocka_unit_test(a_clock_that_goes_leaves_one_run),
    cmocka_unit_test(the_shortest_intervals_are_told_apart),
    cmocka_unit_test(steps_ahead_take_nothing),
    cmocka_unit_test(i10_no_moment_is_given_free),
};
TEST_SUITE(test_moments);
