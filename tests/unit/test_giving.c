/* tests/unit/test_giving.c - when a gateway that gives few answers is left. */
#include "tests/runner.h"

#include "client/heard/giving.h"

/* A day with a loop every two seconds; the first `good` of `of` loops are answered.
 * How many gateways are left? */
static unsigned
day_left(uint32_t good, uint32_t of)
{
    struct giving g = {0};
    unsigned left = 0;
    for (uint32_t i = 0; i < 43200; i++) {
        giving_tick(&g, 1 + i * 2000000ULL);
        if (i % of < good)
            giving_answer(&g);
        if (giving_is_poor(&g)) {
            giving_begin(&g, true);
            left++;
        }
    }
    return left;
}

/* After 2, 4, 8, .. 128 looks, of 64 s: six times in 126 looks, then ten times in the
 * other 1,224 of a day. */
static void
i10_nobody_is_kept_on_the_move(void **state)
{
    (void)state;
    assert_int_equal(day_left(0, 1), 15);
    assert_in_range(day_left(1, 5), 10, 15);
    assert_int_equal(day_left(1, 1), 0);
    assert_int_equal(day_left(2, 3), 0);
    /* nor by who lets good looks between bad ones */
    for (uint32_t good = 1; good < 40; good++) {
        const unsigned left =
            day_left(good * GIVING_TICKS, (good + 3) * GIVING_TICKS);
        assert_in_range(left, 1, 60);
    }
}

/* Half of the answers are enough, and a good look makes up for a poor one. */
static void
looks_are_judged_by_half(void **state)
{
    (void)state;
    struct giving g = {0};
    uint64_t now_us = 1;
    for (unsigned look = 0; look < 9; look++) {
        for (unsigned i = 0; i < GIVING_TICKS; i++) {
            giving_tick(&g, now_us += 2000000);
            if (i < GIVING_TICKS / 2 - (look % 3 < 1))
                giving_answer(&g);
        }
        assert_false(giving_is_poor(&g));
        assert_true(g.poor <= 1);
    }
}

/* A profile with few loops is looked at for longer; a gap is no look. */
static void
a_look_has_enough_ticks(void **state)
{
    (void)state;
    struct giving g = {0};
    for (unsigned i = 0; i < 3 * GIVING_TICKS; i++) {
        giving_tick(&g, 1 + i * 8000000ULL);
        assert_int_equal(g.poor, i / GIVING_TICKS);
    }
    g = (struct giving){0};
    giving_tick(&g, 1);
    giving_tick(&g, 86400000000ULL);
    assert_int_equal(g.poor, 0);
}

/* One good look now and then keeps no gateway that gives little besides, however often
 * its client has left others. */
static void
i10_a_good_look_now_and_then_does_not_keep(void **state)
{
    (void)state;
    for (uint8_t before = 0; before <= GIVING_DOUBLINGS; before++) {
        struct giving g = {.left = before};
        const uint32_t of = before ? (uint32_t)GIVING_LOOKS << before : 3;
        bool poor = false;
        for (uint32_t i = 0; i < 43200 && !poor; i++) {
            giving_tick(&g, 1 + i * 2000000ULL);
            if (i / GIVING_TICKS % of == 0 &&
                i % GIVING_TICKS < GIVING_TICKS / 2)
                giving_answer(&g);
            poor = giving_is_poor(&g);
        }
        assert_true(poor);
    }
}

const struct CMUnitTest test_giving[] = {
    cmocka_unit_test(i10_nobody_is_kept_on_the_move),
    cmocka_unit_test(looks_are_judged_by_half),
    cmocka_unit_test(i10_a_good_look_now_and_then_does_not_keep),
    cmocka_unit_test(a_look_has_enough_ticks),
};
TEST_SUITE(test_giving);
