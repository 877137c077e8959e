/* tests/unit/test_fast.c - the path of the simulator without packet bytes. */
#include "tests/runner.h"

#include <math.h>

#include "sim/fast.h"

static const struct fast_config small = {.seed = 1,
                                         .clients = 2000,
                                         .layers = 3,
                                         .mixes = 10,
                                         .rate_mhz = 4000,
                                         .delay_mean_us = 200000,
                                         .warm_us = 3000000,
                                         .run_us = 5000000};

/* In equilibrium a packet's way lasts 3 mean delays and, by Little's law, rate
 * times way packets are under way (4,800; sigma 69). 40,000 ways of standard
 * deviation 0.35 s: a mean off by 12 ms is a false alarm of 10^-11. */
static void
ways_last_their_delays(void **state)
{
    (void)state;
    struct fast_result r;
    assert_int_equal(fast_run(&small, &r), 0);
    assert_int_equal(r.refused, 0);
    assert_true(fabs(r.latency_mean_s - 0.6) < 0.012);
    assert_in_range(r.in_flight, 4800 - 7 * 69, 4800 + 7 * 69);
    assert_in_range(r.packets, 40000 - 1400, 40000 + 1400);
    assert_in_range(r.hops, 120000 - 2800, 120000 + 2800);
}

static void
same_seed_same_hops(void **state)
{
    (void)state;
    struct fast_result a, b, other;
    struct fast_config c = small;
    c.run_us = 500000;
    assert_int_equal(fast_run(&c, &a), 0);
    assert_int_equal(fast_run(&c, &b), 0);
    c.seed = 2;
    assert_int_equal(fast_run(&c, &other), 0);
    assert_true(a.hops == b.hops && a.latency_mean_s == b.latency_mean_s);
    assert_true(a.latency_mean_s != other.latency_mean_s);
    c.clients = 0;
    assert_int_equal(fast_run(&c, &a), ERR_ARG);
}

const struct CMUnitTest test_fast[] = {
    cmocka_unit_test(ways_last_their_delays),
    cmocka_unit_test(same_seed_same_hops),
};
TEST_SUITE(test_fast);
