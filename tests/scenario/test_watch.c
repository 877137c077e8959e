/* tests/scenario/test_watch.c - a relay notices that packets are withheld from
 * it, and on which link, and is not troubled by being idle. */
#include "tests/runner.h"

#include <stdio.h>
#include <string.h>

#include "tests/world.h"

enum { LAYERS = 3, MIXES = 2, RELAYS = 2 + LAYERS * MIXES + 2, VICTIM = 4 };

static void
quick_loops(struct params *p)
{
    p->relay_loop_mhz = 2000; /* windows of 10 s */
}

static const struct world_config idle = {.suite = SPHINX_SUITE_NULL,
                                         .gateways = 2,
                                         .layers = LAYERS,
                                         .mixes = MIXES,
                                         .stores = 2,
                                         .params = quick_loops};

/* The n-1 attack on one relay: all but the attacker's own is kept away. */
static bool
starve(void *ctx, uint64_t now_us, uint32_t from, uint32_t to)
{
    (void)ctx;
    (void)now_us;
    (void)from;
    return to != VICTIM;
}

static struct world *
world_quick(void)
{
    struct world_config config = idle;
    config.seed = test_seed();
    return world_new(&config);
}

static void
n_minus_1_is_noticed(void **state)
{
    (void)state;
    struct world *w = world_quick();
    struct world_relay *victim = &w->relay[VICTIM];
    world_run_s(w, 60);
    const uint32_t before = relay_alarm(victim->relay)->alarms;
    uint64_t sent = relay_stats(victim->relay)->loops_sent;
    engine_adversary(w->engine, starve, NULL);
    world_run_s(w, 60);
    const struct alarm *a = relay_alarm(victim->relay);
    assert_int_equal(a->state, ALARM_RAISED);
    assert_int_equal(a->alarms, before + 1);
    /* it covers more: 2/s for 20 s at most, then 4/s; 5 standard errors */
    sent = relay_stats(victim->relay)->loops_sent - sent;
    assert_in_range(sent, 200 - 71, 240 + 78);
    engine_adversary(w->engine, NULL, NULL);
    world_run_s(w, 120);
    /* it is over; a single bad window may be chance */
    assert_int_not_equal(relay_alarm(victim->relay)->state, ALARM_RAISED);
    world_free(&w);
}

/* Nobody sends anything: loops come back all the same. 20 windows of 10
 * relays; two bad ones in a row come by chance once in 8,600. */
static void
idle_is_quiet(void **state)
{
    (void)state;
    struct world *w = world_quick();
    world_run_s(w, 215);
    uint32_t windows = 0, alarms = 0;
    for (uint32_t i = 0; i < w->n_relays; i++) {
        const struct relay_stats *s = relay_stats(w->relay[i].relay);
        const struct alarm *a = relay_alarm(w->relay[i].relay);
        windows += a->windows;
        alarms += a->alarms;
        assert_int_equal(s->loops_lost, 0);
        assert_in_range(s->loops_sent, 300, 560);
    }
    assert_true(windows >= 19 * RELAYS);
    assert_in_range(alarms, 0, 2); /* 0.023 expected: 2 * 10^-6 */
    world_free(&w);
}

/* One link that loses everything: both ends count it, from their own loops. */
enum { LOSES_FROM = 2, LOSES_TO = 4 };

static bool
cut(void *ctx, uint64_t now_us, uint32_t from, uint32_t to)
{
    (void)ctx;
    (void)now_us;
    return from != LOSES_FROM || to != LOSES_TO;
}

static void
both_ends_see_a_bad_link(void **state)
{
    (void)state;
    struct world *w = world_quick();
    engine_adversary(w->engine, cut, NULL);
    world_run_s(w, 200);
    for (uint16_t other = 2 + MIXES; other < 2 + 2 * MIXES; other++) {
        struct relay_link_loops to =
            relay_link_loops(w->relay[LOSES_FROM].relay, other);
        if (other == LOSES_TO) {
            assert_int_equal(to.to_returned, 0);
            assert_true(to.to_lost > 50);
        } else {
            assert_true(to.to_returned > 3 * to.to_lost); /* lost elsewhere */
        }
    }
    for (uint16_t other = 2; other < 2 + MIXES; other++) {
        struct relay_link_loops from =
            relay_link_loops(w->relay[LOSES_TO].relay, other);
        if (other == LOSES_FROM) {
            assert_int_equal(from.from_returned, 0);
            assert_true(from.from_lost > 50);
        } else {
            assert_true(from.from_returned > 3 * from.from_lost);
        }
    }
    world_free(&w);
}

const struct CMUnitTest test_watch[] = {
    cmocka_unit_test(n_minus_1_is_noticed),
    cmocka_unit_test(idle_is_quiet),
    cmocka_unit_test(both_ends_see_a_bad_link),
};
TEST_SUITE(test_watch);
