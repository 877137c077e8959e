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
        struct relay_link_loops to = relay_link_loops(
            w->relay[LOSES_FROM].relay, w->net.consensus->epoch, other);
        if (other == LOSES_TO) {
            assert_int_equal(to.to_returned, 0);
            assert_true(to.to_lost > 50);
        } else {
            assert_true(to.to_returned > 3 * to.to_lost); /* lost elsewhere */
        }
    }
    for (uint16_t other = 2; other < 2 + MIXES; other++) {
        struct relay_link_loops from = relay_link_loops(
            w->relay[LOSES_TO].relay, w->net.consensus->epoch, other);
        if (other == LOSES_FROM) {
            assert_int_equal(from.from_returned, 0);
            assert_true(from.from_lost > 50);
        } else {
            assert_true(from.from_returned > 3 * from.from_lost);
        }
    }
    world_free(&w);
}

/* ---- epochs ---- */

enum { EPOCH_S = 600, EARLY_S = 160, EPOCHS = 2, VIEWS_KEPT = 3 };

static void
quick_epochs(struct params *p)
{
    params_default(p, EPOCH_S);
    p->relay_loop_mhz = 2000;
}

static struct world *
world_epochs(void)
{
    struct world_config config = idle;
    config.seed = test_seed();
    config.params = quick_epochs;
    return world_new(&config);
}

static uint32_t
alarms_count(const struct world *w)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->n_relays; i++)
        n += relay_alarm(w->relay[i].relay)->alarms;
    return n;
}

/* Relays have the next consensus minutes before it begins. A loop under it would
 * be refused at its first hop: then all die before each epoch, the cover is
 * off, and the alarm is no use. 1,300 s of 10 relays are 1,300 windows, of which
 * 0.15 alarms are due to chance, more than 3 once in 50,000 runs. */
static void
i4_loops_live_through_epochs(void **state)
{
    (void)state;
    struct world *w = world_epochs();
    struct relay_stats before, s;
    const double begun_s = 10; /* of the first epoch, when a world begins */
    world_run_s(w, EPOCH_S - EARLY_S - begun_s);
    for (unsigned i = 0; i < EPOCHS; i++) {
        sim_world_stats(w, &before);
        world_epoch(w);
        world_run_s(w, EARLY_S);
        sim_world_stats(w, &s);
        /* 2 a second: 3,200, and five deviations */
        assert_in_range(s.loops_sent - before.loops_sent, 2910, 4500);
        assert_int_equal(s.dropped[-ERR_DEADLINE_FAR], 0);
        world_run_s(w, EPOCH_S - EARLY_S);
    }
    sim_world_stats(w, &s);
    assert_int_equal(s.loops_lost, 0);
    assert_in_range(alarms_count(w), 0, 3);
    world_free(&w);
}

/* A relay whose clock says that its consensus has not begun sends no loops, as
 * they would be refused, misses none, and goes on when the clock is right. */
static void
i4_no_loop_before_an_epoch(void **state)
{
    (void)state;
    struct world *w = world_epochs();
    const struct relay *r = w->relay[VICTIM].relay;
    world_run_s(w, 30);
    const struct alarm before = *relay_alarm(r);
    world_relay_clock(w, VICTIM, -60);
    const uint64_t sent = relay_stats(r)->loops_sent;
    world_run_s(w, 15);
    assert_int_equal(relay_stats(r)->loops_sent, sent);
    assert_int_equal(relay_alarm(r)->bad, before.bad);
    world_relay_clock(w, VICTIM, 0);
    world_run_s(w, 60);
    assert_in_range(relay_stats(r)->loops_sent - sent, 65, 250);
    assert_int_not_equal(relay_alarm(r)->state, ALARM_RAISED);
    world_free(&w);
}

/* Counts of links belong to the consensus whose numbers they go by. */
static void
links_are_counted_by_epoch(void **state)
{
    (void)state;
    struct world *w = world_epochs();
    const struct relay *r = w->relay[VICTIM].relay;
    const uint32_t first = w->net.consensus->epoch;
    uint64_t returned[2] = {0};
    world_run_s(w, EPOCH_S / 2);
    world_epoch(w);
    world_run_s(w, EPOCH_S);
    for (uint32_t epoch = 0; epoch < 2; epoch++)
        for (uint16_t i = 0; i < w->n_relays; i++)
            returned[epoch] +=
                relay_link_loops(r, first + epoch, i).to_returned;
    assert_in_range(returned[0], 900, 1500); /* 1,180, and half a window */
    assert_in_range(returned[1], 350, 760);  /* 620, less that */
    /* one whose epoch is not kept counts for nobody */
    assert_int_equal(relay_link_loops(r, first + VIEWS_KEPT, 3).to_returned, 0);
    assert_true(returned[0] + returned[1] <= relay_stats(r)->loops_returned);
    world_free(&w);
}

const struct CMUnitTest test_watch[] = {
    cmocka_unit_test(n_minus_1_is_noticed),
    cmocka_unit_test(idle_is_quiet),
    cmocka_unit_test(both_ends_see_a_bad_link),
    cmocka_unit_test(i4_loops_live_through_epochs),
    cmocka_unit_test(i4_no_loop_before_an_epoch),
    cmocka_unit_test(links_are_counted_by_epoch),
};
TEST_SUITE(test_watch);
