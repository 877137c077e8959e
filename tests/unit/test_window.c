/* tests/unit/test_window.c - I2: how far a client may be ahead of its gateway.
 */
#include "tests/runner.h"

#include <string.h>

#include "client/pace/window.h"

/* A frame up with a mark of its own. */
static const uint8_t *
frame_numbered(uint32_t number)
{
    static uint8_t frame[WIRE_MARK_AT + WIRE_MARK_LEN];
    memset(frame, 0x5a, sizeof frame);
    memcpy(frame + WIRE_MARK_AT, &number, sizeof number);
    return frame;
}

static void
mark_named(struct window *w, uint32_t number)
{
    window_take(w, frame_numbered(number) + WIRE_MARK_AT);
}

static unsigned
frames_until_shut(struct window *w, uint32_t first)
{
    unsigned n = 0;
    while (window_is_open(w))
        window_add(w, frame_numbered(first + n++));
    return n;
}

static void
i2_no_more_frames_than_the_window_are_ahead(void **state)
{
    (void)state;
    static struct window w;
    assert_false(window_is_open(&w)); /* no consensus has told its size */
    for (uint32_t max = 1; max <= PARAMS_WINDOW_MAX; max++) {
        window_reset(&w);
        window_set_max(&w, max);
        assert_int_equal(frames_until_shut(&w, 1000), max);
        for (uint32_t i = 0; i < max; i++) { /* each makes room for one */
            mark_named(&w, 1000 + i);
            assert_int_equal(frames_until_shut(&w, 1000 + max + i), 1);
        }
    }
    window_reset(&w);
    window_set_max(&w, UINT32_MAX);
    assert_int_equal(frames_until_shut(&w, 0), PARAMS_WINDOW_MAX);
}

/* A mark stands for all frames before it as well; one that is repeated, old or
 * made up changes nothing. */
static void
i2_a_mark_frees_what_was_before_it_and_no_other_does(void **state)
{
    (void)state;
    static struct window w;
    window_reset(&w);
    window_set_max(&w, 5);
    assert_int_equal(frames_until_shut(&w, 1), 5);
    mark_named(&w, 0);
    mark_named(&w, 6);
    assert_false(window_is_open(&w));
    mark_named(&w, 3);
    mark_named(&w, 3);
    mark_named(&w, 1);
    assert_int_equal(w.ahead, 2);
    assert_int_equal(frames_until_shut(&w, 6), 3);
    mark_named(&w, 8);
    assert_int_equal(w.ahead, 0);
    window_set_max(&w, 2); /* a consensus with other rates */
    assert_int_equal(frames_until_shut(&w, 9), 2);
}

/* The default rates; and no rate has a window that marks have no room for. */
static void
windows_follow_the_rate(void **state)
{
    (void)state;
    assert_int_equal(params_window(0), 2);
    assert_int_equal(params_window(1), 3);
    assert_int_equal(params_window(1375), 3);   /* light */
    assert_int_equal(params_window(6500), 4);   /* default */
    assert_int_equal(params_window(45500), 14); /* fast */
    assert_int_equal(params_window(UINT64_MAX / 2), PARAMS_WINDOW_MAX);
}

const struct CMUnitTest test_window[] = {
    cmocka_unit_test(i2_no_more_frames_than_the_window_are_ahead),
    cmocka_unit_test(i2_a_mark_frees_what_was_before_it_and_no_other_does),
    cmocka_unit_test(windows_follow_the_rate),
};
TEST_SUITE(test_window);
