/* tests/unit/test_downlink.c - I1, I2: the downlink's clocks. */
#include "tests/runner.h"

#include "relay/downlink.h"

static const uint8_t h1[8] = {1}, h2[8] = {2}, h3[8] = {3}, h4[8] = {4};

static void
ticks_are_constant_whatever_waits(void **state)
{
    (void)state;
    struct downlink idle = {0}, busy = {0};
    uint32_t packet, n = 0;
    assert_false(downlink_pop(&idle, 1000000, &packet)); /* not started */
    assert_true(downlink_next_us(&idle) == UINT64_MAX);
    downlink_control(&idle, h1, 1000, 5000, 123456);
    downlink_control(&busy, h1, 1000, 5000, 123456);
    assert_true(downlink_next_us(&idle) == 5000 + 1 + 456);
    for (uint64_t now_us = 5000; now_us < 100000; now_us++) {
        uint32_t a, b;
        if (now_us % 700 == 0)
            (void)!downlink_push(&busy, n++);
        bool tick = downlink_pop(&idle, now_us, &a);
        assert_int_equal(tick, downlink_pop(&busy, now_us, &b));
        assert_int_equal(tick, now_us > 5000 && now_us % 1000 == 457);
        if (tick)
            assert_true(a == UINT32_MAX);
    }
}

static void
missed_ticks_are_skipped(void **state)
{
    (void)state;
    struct downlink d = {0};
    uint32_t packet;
    downlink_control(&d, h1, 1000, 0, 0);
    assert_true(downlink_pop(&d, 10500, &packet));
    assert_false(downlink_pop(&d, 10500, &packet));
    assert_true(downlink_next_us(&d) == 11001); /* the grid stays */
    assert_true(downlink_pop(&d, 11001, &packet));
    assert_true(downlink_next_us(&d) == 12001);
}

static void
oldest_answer_first_and_bounded(void **state)
{
    (void)state;
    struct downlink d = {0};
    uint32_t packet;
    downlink_control(&d, h1, 10, 0, 0);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < DOWNLINK_QUEUE_MAX; i++)
            assert_int_equal(downlink_push(&d, i), 0);
        assert_int_equal(downlink_push(&d, 99), ERR_FULL);
        for (uint32_t i = 0; i < DOWNLINK_QUEUE_MAX; i++) {
            assert_true(downlink_pop(&d, downlink_next_us(&d), &packet));
            assert_int_equal(packet, i);
        }
        assert_true(downlink_pop(&d, downlink_next_us(&d), &packet));
        assert_true(packet == UINT32_MAX);
    }
}

/* An answer whose tick could not be used is the next one's, also when answers
 * have come until the queue is full again; the clock goes on as if nothing had
 * happened. */
static void
i2_a_skipped_tick_costs_no_answer_and_moves_no_other(void **state)
{
    (void)state;
    struct downlink d = {0}, free_line = {0};
    uint32_t packet, other;
    downlink_control(&d, h1, 10, 0, 0);
    downlink_control(&free_line, h1, 10, 0, 0);
    for (uint32_t i = 0; i < DOWNLINK_QUEUE_MAX; i++)
        assert_int_equal(downlink_push(&d, i), 0);
    for (uint32_t i = 0; i < 3 * DOWNLINK_QUEUE_MAX; i++) {
        assert_true(downlink_next_us(&d) == downlink_next_us(&free_line));
        assert_true(downlink_pop(&d, downlink_next_us(&d), &packet));
        assert_true(
            downlink_pop(&free_line, downlink_next_us(&free_line), &other));
        const uint32_t want = i / 2;
        assert_int_equal(packet, want < DOWNLINK_QUEUE_MAX ? want : UINT32_MAX);
        if (i % 2 == 0)
            downlink_again(&d, packet);
    }
    assert_int_equal(d.queue_count, 0);
}

static void
three_handles_are_kept(void **state)
{
    (void)state;
    static const uint8_t zero[8] = {0};
    struct downlink d = {0};
    assert_false(downlink_has_handle(&d, zero));
    downlink_control(&d, h1, 10, 0, 0);
    uint64_t next_us = downlink_next_us(&d);
    downlink_control(&d, h2, 10, 3, 77); /* the clock is not disturbed */
    assert_true(downlink_next_us(&d) == next_us);
    downlink_control(&d, h3, 10, 0, 0);
    assert_true(downlink_has_handle(&d, h1));
    assert_false(downlink_has_handle(&d, zero));
    downlink_control(&d, h4, 10, 0, 0);
    assert_false(downlink_has_handle(&d, h1));
    assert_true(downlink_has_handle(&d, h2) && downlink_has_handle(&d, h4));
}

static void
pieces_come_once_each(void **state)
{
    (void)state;
    struct downlink d = {0};
    uint16_t piece;
    downlink_pieces_start(&d, 100);
    for (uint16_t i = 0; i < 5; i++) {
        assert_true(downlink_next_us(&d) == 101 + 50u * i);
        assert_false(downlink_piece_pop(&d, 100 + 50u * i, 5, 50, &piece));
        assert_true(downlink_piece_pop(&d, 101 + 50u * i, 5, 50, &piece));
        assert_int_equal(piece, i);
    }
    assert_true(downlink_next_us(&d) == UINT64_MAX);
    downlink_pieces_start(&d, 1000); /* the next document */
    assert_false(downlink_piece_pop(&d, 2000, 0, 50, &piece));
    assert_true(downlink_next_us(&d) == UINT64_MAX);
}

const struct CMUnitTest test_downlink[] = {
    cmocka_unit_test(ticks_are_constant_whatever_waits),
    cmocka_unit_test(missed_ticks_are_skipped),
    cmocka_unit_test(oldest_answer_first_and_bounded),
    cmocka_unit_test(i2_a_skipped_tick_costs_no_answer_and_moves_no_other),
    cmocka_unit_test(three_handles_are_kept),
    cmocka_unit_test(pieces_come_once_each),
};
TEST_SUITE(test_downlink);
