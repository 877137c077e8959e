/* tests/unit/test_loop.c - a loop's timers beside sockets that are always
 * ready. */
#include "tests/runner.h"

#include <unistd.h>

#include "lib/os/loop.h"

struct busy {
    struct loop *loop;
    struct loop_timer *timer;
    unsigned served, fired;
};

/* Never reads the octet, and has something for the timer to do at once. */
static void
busy_ready(void *ctx, unsigned ready)
{
    struct busy *b = ctx;
    (void)ready;
    b->served++;
    loop_timer_at(b->timer, loop_now_us(b->loop));
}

static void
busy_timer(void *ctx)
{
    ((struct busy *)ctx)->fired++;
}

static void
timer_fires_beside_a_socket_that_sets_it(void **state)
{
    (void)state;
    struct busy b = {0};
    struct loop_watch *watch;
    int fd[2];
    assert_int_equal(pipe(fd), 0);
    assert_int_equal(write(fd[1], "x", 1), 1);
    assert_int_equal(loop_new(&b.loop), 0);
    assert_int_equal(loop_timer_new(b.loop, busy_timer, &b, &b.timer), 0);
    assert_int_equal(loop_watch_new(b.loop, fd[0], busy_ready, &b, &watch), 0);
    loop_watch_set(watch, LOOP_READ);
    for (int i = 0; i < 100; i++)
        assert_int_equal(loop_turn(b.loop), 0);
    assert_int_equal(b.served, 100);
    assert_in_range(b.fired, 40, 100);
    loop_watch_free(&watch);
    loop_timer_free(&b.timer);
    loop_free(&b.loop);
    close(fd[0]);
    close(fd[1]);
}

static void
timer_set_again_fires_at_the_last_time(void **state)
{
    (void)state;
    struct busy b = {0};
    assert_int_equal(loop_new(&b.loop), 0);
    assert_int_equal(loop_timer_new(b.loop, busy_timer, &b, &b.timer), 0);
    const uint64_t now_us = loop_now_us(b.loop);
    loop_timer_at(b.timer, now_us + 60000000);
    loop_timer_at(b.timer, now_us + 1000);
    assert_int_equal(loop_turn(b.loop), 0);
    assert_int_equal(b.fired, 1);
    loop_timer_at(b.timer, now_us + 1000); /* over, and yet set anew */
    assert_int_equal(loop_turn(b.loop), 0);
    assert_int_equal(b.fired, 2);
    loop_timer_at(b.timer, now_us);
    loop_timer_at(b.timer, UINT64_MAX);
    assert_int_equal(loop_post(b.loop, NULL, NULL), 0); /* to have a turn */
    assert_int_equal(loop_turn(b.loop), 0);
    assert_int_equal(b.fired, 2);
    loop_timer_free(&b.timer);
    loop_free(&b.loop);
}

const struct CMUnitTest test_loop[] = {
    cmocka_unit_test(timer_fires_beside_a_socket_that_sets_it),
    cmocka_unit_test(timer_set_again_fires_at_the_last_time),
};
TEST_SUITE(test_loop);
