/* tests/unit/test_publish.c - what of a count becomes visible (I8). */
#include "tests/runner.h"

#include <string.h>

#include "relay/operator/publish.h"
#include "tests/network.h"

enum { MINUTE = PUBLISH_PERIOD_US };

static struct publish p;
static struct publish_in in;
static struct test_env env;

static void
begin(uint64_t seed)
{
    test_env_init(&env, seed);
    publish_init(&p, &env.env, 0);
    memset(&in, 0, sizeof in);
}

static void
i8_nothing_moves_within_a_minute(void **state)
{
    (void)state;
    begin(test_seed());
    in.count[PUBLISH_RECEIVED] = 1000000;
    in.clients = 5000;
    const struct publish_out before = p.out;
    for (uint64_t t = 0; t < MINUTE; t += 250000)
        assert_false(publish_take(&p, &in, t));
    assert_memory_equal(&before, &p.out, sizeof before);
    assert_true(publish_take(&p, &in, MINUTE));
    const struct publish_out after = p.out;
    in.count[PUBLISH_RECEIVED] = 2000000;
    in.clients = 1;
    assert_false(publish_take(&p, &in, MINUTE + 1));
    assert_false(publish_take(&p, &in, 2ull * MINUTE - 1));
    assert_memory_equal(&after, &p.out, sizeof after);
    assert_true(publish_take(&p, &in, 2ull * MINUTE));
    assert_int_equal(p.out.count[PUBLISH_RECEIVED], 2000000);
}

/* Every minute's growth is one of the two whole steps around the truth, and the
 * sum is right on average: within 6 standard deviations, a step's half each. */
static void
counters_keep_their_steps(void **state)
{
    enum { MINUTES = 5000, OFF = 6 * 71 * PUBLISH_PACKETS / 2 };
    static const uint64_t stride[] = {0, 1, 7, 999, 1000, 1001, 12345, 5000000};
    (void)state;
    for (size_t k = 0; k < sizeof stride / sizeof stride[0]; k++) {
        uint64_t before = 0, now_us = 0;
        begin(test_seed() + k);
        for (unsigned i = 0; i < MINUTES; i++) {
            in.count[PUBLISH_FORWARDED] += stride[k];
            in.link[-ERR_TLS] += stride[k];
            assert_true(publish_take(&p, &in, now_us += MINUTE));
            const uint64_t grown = p.out.count[PUBLISH_FORWARDED] - before;
            assert_int_equal(grown % PUBLISH_PACKETS, 0);
            assert_true(grown + PUBLISH_PACKETS > stride[k]);
            assert_true(grown < stride[k] + PUBLISH_PACKETS);
            assert_int_equal(p.out.link[-ERR_TLS] % PUBLISH_LINKS, 0);
            before = p.out.count[PUBLISH_FORWARDED];
        }
        const uint64_t truth = in.count[PUBLISH_FORWARDED];
        assert_true((before > truth ? before - truth : truth - before) <= OFF);
    }
}

/* What is seen of a count in four minutes that each bring this much, the first
 * some more. */
static uint64_t
seen_of(uint64_t seed, uint64_t each, uint64_t more)
{
    uint64_t hash = 0;
    begin(seed);
    in.count[PUBLISH_RECEIVED] = more;
    for (uint64_t m = 1; m <= 4; m++) {
        in.count[PUBLISH_RECEIVED] += each;
        assert_true(publish_take(&p, &in, m * MINUTE));
        hash = hash * 31 + p.out.count[PUBLISH_RECEIVED] / PUBLISH_PACKETS;
    }
    return hash;
}

/* Whoever knows all packets but one sees that one in 1 run of 1,000, wherever
 * the count stands and however long he looks: also where plain rounding would
 * give it away always. */
static void
i8_one_packet_shows_once_in_a_thousand(void **state)
{
    enum { RUNS = 5000 };
    unsigned seen = 0;
    (void)state;
    for (uint64_t each = 1000; each <= 2000; each += 499)
        for (uint64_t run = 0; run < RUNS; run++) {
            const uint64_t seed = (test_seed() * 3 + each) * RUNS + run;
            seen += seen_of(seed, each, 0) != seen_of(seed, each, 1);
        }
    /* 15 expected; outside of this about once in 20,000 seeds */
    assert_in_range(seen, 3, 34);
}

/* One client more or less is hidden by the slack; many are not. */
static void
clients_move_by_steps(void **state)
{
    uint64_t now_us = 0;
    (void)state;
    begin(test_seed());
    in.clients = PUBLISH_CLIENTS - 1;
    (void)publish_take(&p, &in, now_us += MINUTE);
    assert_int_equal(p.out.clients, 0);
    in.clients = 1234;
    (void)publish_take(&p, &in, now_us += MINUTE);
    assert_int_equal(p.out.clients, 1200);
    for (unsigned n = 1201 - PUBLISH_CLIENTS; n < 1200 + PUBLISH_CLIENTS; n++) {
        in.clients = n;
        (void)publish_take(&p, &in, now_us += MINUTE);
        assert_int_equal(p.out.clients, 1200);
    }
    in.clients = 0;
    (void)publish_take(&p, &in, now_us += MINUTE);
    assert_int_equal(p.out.clients, 0);
}

static void
shares_are_whole_steps(void **state)
{
    (void)state;
    assert_int_equal(publish_percent(0, 0, 5), 0);
    assert_int_equal(publish_percent(99, 1000, 5), 5);
    assert_int_equal(publish_percent(999, 1000, 10), 90);
    assert_int_equal(publish_percent(7, 3, 10), 100);
    begin(test_seed());
    in.held_max = 1000;
    in.held = 456;
    in.cpu_us = 6 * (MINUTE / 10) + MINUTE / 50; /* 62 % */
    in.loops_returned = PUBLISH_LOOPS_MIN - 2;
    in.loops_lost = 1;
    assert_true(publish_take(&p, &in, MINUTE));
    assert_int_equal(p.out.held_percent, 40);
    assert_int_equal(p.out.cpu_percent, 60);
    assert_int_equal(p.out.loops_percent, -1); /* too few to say */
    in.loops_returned = 97;
    in.loops_lost = 3;
    assert_true(publish_take(&p, &in, 2ull * MINUTE));
    assert_int_equal(p.out.loops_percent, 95);
    assert_int_equal(p.out.cpu_percent, 0);
    /* an hour later the losses are forgotten */
    for (unsigned m = 3; m < 80; m++) {
        in.loops_returned += 30;
        assert_true(publish_take(&p, &in, m * (uint64_t)MINUTE));
    }
    assert_int_equal(p.out.loops_percent, 100);
}

/* Rates are made of what is seen, so that they tell no more. */
static void
the_rate_is_that_of_the_steps(void **state)
{
    (void)state;
    begin(test_seed());
    for (unsigned m = 1; m < 60; m++) {
        in.count[PUBLISH_RECEIVED] += 60 * 5000 + 500;
        assert_true(publish_take(&p, &in, m * (uint64_t)MINUTE));
    }
    assert_in_range(p.out.rate, 4980, 5040);
}

const struct CMUnitTest test_publish[] = {
    cmocka_unit_test(i8_nothing_moves_within_a_minute),
    cmocka_unit_test(counters_keep_their_steps),
    cmocka_unit_test(i8_one_packet_shows_once_in_a_thousand),
    cmocka_unit_test(clients_move_by_steps),
    cmocka_unit_test(shares_are_whole_steps),
    cmocka_unit_test(the_rate_is_that_of_the_steps),
};
TEST_SUITE(test_publish);
