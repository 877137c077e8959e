/* tests/unit/test_traffic.c - I2: the client's one clock. */
#include "tests/runner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/pace/traffic.h"
#include "tests/network.h"

enum { TICKS = 200000 };

static void
clock_start(struct traffic *t, struct test_env *e, const char *profile)
{
    struct params p;
    params_default(&p, 3600);
    test_env_init(e, test_seed());
    traffic_init(t, params_profile(&p, profile), &e->env);
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov-Smirnov distance of n intervals from Exp(mean). */
static double
exponential_distance(double *x, size_t n, double mean)
{
    double d = 0;
    qsort(x, n, sizeof *x, compare);
    for (size_t i = 0; i < n; i++) {
        double f = 1 - exp(-x[i] / mean);
        d = fmax(d, fmax(f - (double)i / (double)n,
                         (double)(i + 1) / (double)n - f));
    }
    return d;
}

/* Intervals are exponential (KS at 2.8 / sqrt(n): a false alarm in 3*10^6),
 * kinds come at 2 : 4 : 0.5 (chi-square, 2 degrees of freedom, 32: 10^-7). */
static void
i2_clock_is_poisson_with_fixed_odds(void **state)
{
    (void)state;
    struct traffic t;
    struct test_env e;
    enum traffic_kind kind;
    double *gap = calloc(TICKS, sizeof *gap), count[4] = {0}, chi2 = 0;
    static const double odds[4] = {0, 2 / 6.5, 4 / 6.5, 0.5 / 6.5};
    assert_non_null(gap);
    clock_start(&t, &e, "default");
    for (size_t i = 0; i < TICKS; i++) {
        uint64_t last_us = e.mono_us;
        e.mono_us = t.next_us;
        gap[i] = (double)(e.mono_us - last_us);
        assert_int_equal(traffic_tick(&t, &e.env, e.mono_us, &kind), 1);
        count[kind]++;
    }
    assert_true(exponential_distance(gap, TICKS, 1e6 / 6.5) <
                2.8 / sqrt(TICKS));
    for (int k = 1; k < 4; k++)
        chi2 += pow(count[k] - TICKS * odds[k], 2) / (TICKS * odds[k]);
    assert_true(chi2 < 32);
    free(gap);
}

/* The same test must see a rate that is off by 2 %. */
static void
i2_statistic_sees_two_percent(void **state)
{
    (void)state;
    struct traffic t;
    struct test_env e;
    enum traffic_kind kind;
    double *gap = calloc(TICKS, sizeof *gap);
    assert_non_null(gap);
    clock_start(&t, &e, "default");
    t.mean_us = t.mean_us * 102 / 100;
    for (size_t i = 0; i < TICKS; i++) {
        uint64_t last_us = e.mono_us;
        e.mono_us = t.next_us;
        gap[i] = (double)(e.mono_us - last_us);
        traffic_tick(&t, &e.env, e.mono_us, &kind);
    }
    assert_true(exponential_distance(gap, TICKS, 1e6 / 6.5) >
                2.8 / sqrt(TICKS));
    free(gap);
}

static void
missed_ticks_are_skipped(void **state)
{
    (void)state;
    struct traffic t;
    struct test_env e;
    enum traffic_kind kind;
    clock_start(&t, &e, "fast");
    e.mono_us += 3600ULL * 1000000; /* an hour asleep */
    assert_int_equal(traffic_tick(&t, &e.env, e.mono_us, &kind), 1);
    assert_true(t.next_us > e.mono_us);
    assert_int_equal(traffic_tick(&t, &e.env, e.mono_us, &kind), 0);
}

static void
ids_lead_back_to_their_numbers(void **state)
{
    (void)state;
    struct traffic t, other;
    struct test_env e;
    uint8_t id[8], id2[8], seed[32], seed2[32];
    clock_start(&t, &e, "light");
    traffic_init(&other, &(struct profile){.send_mhz = 1}, &e.env);
    for (uint64_t i = 0; i < 20000; i++) {
        uint64_t number = traffic_number(&t);
        assert_true(number == i);
        traffic_surb_id(&t, number, id);
        assert_true(traffic_surb_number(&t, id) == number);
        /* anybody else's id is no number of ours: 20,000 in 2^64 */
        traffic_surb_id(&other, number, id2);
        assert_memory_not_equal(id, id2, 8);
        assert_true(traffic_surb_number(&t, id2) >= 1 << 30);
    }
    traffic_surb_id(&t, UINT64_MAX, id);
    assert_true(traffic_surb_number(&t, id) == UINT64_MAX);
    traffic_surb_seed(&t, 1, seed);
    traffic_surb_seed(&t, 2, seed2);
    assert_memory_not_equal(seed, seed2, 32);
    traffic_surb_seed(&t, 1, seed2);
    assert_memory_equal(seed, seed2, 32);
}

const struct CMUnitTest test_traffic[] = {
    cmocka_unit_test(i2_clock_is_poisson_with_fixed_odds),
    cmocka_unit_test(i2_statistic_sees_two_percent),
    cmocka_unit_test(missed_ticks_are_skipped),
    cmocka_unit_test(ids_lead_back_to_their_numbers),
};
TEST_SUITE(test_traffic);
