/* tests/unit/test_mix.c - the mix object against the closed forms of the
 * literature, in virtual time. One run holds millions of packets, so a result
 * is compared with its law at a stated number of standard errors. */
#include "tests/runner.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "lib/rng.h"
#include "lib/rng_seeded.h"
#include "relay/mix.h"

static const struct mix_params poisson = {.strategy = MIX_POISSON};

/* One mix fed by Poisson arrivals with exponential delays. Calls back before
 * each event with the time since the last one. */
struct feed {
    struct mix *mix;
    struct rng_seeded rng;
    uint64_t now_us, arrival_us, arrival_mean_us, delay_mean_us;
    uint32_t handle;
};

static void
feed_start(struct feed *f, const char *label, uint64_t arrival_mean_us,
           uint64_t delay_mean_us)
{
    *f = (struct feed){.arrival_mean_us = arrival_mean_us,
                       .delay_mean_us = delay_mean_us};
    rng_seeded_init_u64(&f->rng, test_seed(), label);
    assert_int_equal(mix_new(&f->mix, &poisson, 1 << 20, NULL), 0);
}

static uint64_t
feed_exp_us(struct feed *f, uint64_t mean_us)
{
    return rng_exp_from(rng_seeded_u64(&f->rng), mean_us);
}

/* One arrival or one departure. Returns true for a departure. */
static bool
feed_step(struct feed *f, uint64_t *waited_us)
{
    uint64_t due_us = mix_next_due(f->mix);
    uint64_t then_us = due_us < f->arrival_us ? due_us : f->arrival_us;
    struct mix_out out;
    *waited_us = then_us - f->now_us;
    f->now_us = then_us;
    if (due_us <= f->arrival_us) {
        assert_int_equal(mix_pop_due(f->mix, f->now_us, &out, 1), 1);
        return true;
    }
    assert_int_equal(mix_push(f->mix, f->handle++, 0, f->now_us,
                              feed_exp_us(f, f->delay_mean_us)),
                     0);
    f->arrival_us += feed_exp_us(f, f->arrival_mean_us);
    return false;
}

/* T1: occupancy is Poisson(r), r = lambda/mu = 5, so mean = variance = r, both
 * within 1 %. Over T mean delays the time average of N has a standard error of
 * sqrt(2 r / T), that of (N - r)^2 one of sqrt((2 r^2 + 2 r) / T): with T =
 * 700,000 0.08 % and 0.19 % of r. 1 % is 5.4 of the latter: a false alarm in
 * 10^7 runs. */
static void
t1_occupancy_is_poisson(void **state)
{
    (void)state;
    const double ratio = 5;
    struct feed f;
    double time = 0, sum = 0, sum2 = 0;
    feed_start(&f, "T1", 200000, 1000000);
    while (f.now_us < 100ULL * 1000000)
        feed_step(&f, &(uint64_t){0});
    const uint64_t stop_us = f.now_us + 700000ULL * 1000000;
    while (f.now_us < stop_us) {
        double here = (double)mix_count(f.mix);
        uint64_t waited_us;
        feed_step(&f, &waited_us);
        time += (double)waited_us;
        sum += here * (double)waited_us;
        sum2 += here * here * (double)waited_us;
    }
    double mean = sum / time, variance = sum2 / time - mean * mean;
    assert_true(fabs(mean / ratio - 1) < 0.01);
    assert_true(fabs(variance / ratio - 1) < 0.01);
    mix_free(&f.mix);
}

static double
plog(double p)
{
    return p > 0 ? -p * log2(p) : 0;
}

/* T2: Loopix (Piotrowska et al., USENIX Security 2017, appendix A, equation 5)
 * with k arrivals since the last departure and l packets left from before:
 * H = h(k/(k+l)) + k/(k+l) log2 k + l/(k+l) H. Mean over departures. */
static double
loopix_entropy(uint64_t arrival_mean_us, uint64_t delay_mean_us, int departures)
{
    struct feed f;
    double h = 0, sum = 0, k = 0, l = 0;
    int warm = departures / 20, n = 0;
    feed_start(&f, "T2", arrival_mean_us, delay_mean_us);
    while (n < departures + warm) {
        if (!feed_step(&f, &(uint64_t){0})) {
            k++;
            continue;
        }
        double a = k / (k + l), b = l / (k + l);
        h = plog(a) + plog(b) + (k > 0 ? a * log2(k) : 0) + b * h;
        if (n++ >= warm)
            sum += h;
        l += k - 1;
        k = 0;
    }
    mix_free(&f.mix);
    return sum / departures;
}

/* Expected values from 2*10^7 departures; with 10^6 the standard error is
 * below 0.003, so 0.015 is at least 5 of them. */
static void
t2_entropy_of_loopix(void **state)
{
    (void)state;
    static const struct {
        uint64_t arrival_us;
        double h;
    } row[] = {{2000000, 0.863}, {1000000, 1.512}, {200000, 3.755},
               {100000, 4.764},  {20000, 7.087},   {10000, 8.087}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        double h = loopix_entropy(row[i].arrival_us, 1000000, 1000000);
        assert_true(fabs(h - row[i].h) < 0.015);
    }
    /* and log2(e lambda / mu) from 10 up */
    assert_true(fabs(4.764 - log2(exp(1) * 10)) < 0.0015);
}

/* T4: four mixes in a row with delays Exp(2 per second): Erlang(4, 2), mean
 * 2.0 s, standard deviation 1.0 s. 200,000 packets: the mean's standard error
 * is 0.0022, the deviation's 0.003 (kurtosis 4.5): 0.015 is 5 of the latter. */
static void
t4_four_hops_are_erlang(void **state)
{
    (void)state;
    enum { PACKETS = 200000, HOPS = 4, STEP_US = 100 };
    struct mix *mix[HOPS];
    struct mix_out out[64];
    struct rng_seeded rng;
    double sum = 0, sum2 = 0;
    uint64_t now_us = 0;
    uint32_t sent = 0, arrived = 0;
    uint64_t *start_us = calloc(PACKETS, sizeof *start_us);
    assert_non_null(start_us);
    rng_seeded_init_u64(&rng, test_seed(), "T4");
    for (int i = 0; i < HOPS; i++)
        assert_int_equal(mix_new(&mix[i], &poisson, PACKETS, NULL), 0);
    for (; arrived < PACKETS; now_us += STEP_US) {
        if (sent < PACKETS) {
            start_us[sent] = now_us;
            assert_int_equal(
                mix_push(mix[0], sent++, 1, now_us,
                         rng_exp_from(rng_seeded_u64(&rng), 500000)),
                0);
        }
        for (uint32_t h = 0; h < HOPS; h++) {
            size_t n = mix_pop_due(mix[h], now_us, out, 64);
            for (size_t i = 0; i < n; i++) {
                assert_int_equal(out[i].next, h + 1);
                if (h + 1 < HOPS) {
                    uint64_t d = rng_exp_from(rng_seeded_u64(&rng), 500000);
                    assert_int_equal(
                        mix_push(mix[h + 1], out[i].handle, h + 2, now_us, d),
                        0);
                    continue;
                }
                double t = (double)(now_us - start_us[out[i].handle]) / 1e6;
                sum += t;
                sum2 += t * t;
                arrived++;
            }
        }
    }
    double mean = sum / PACKETS, sd = sqrt(sum2 / PACKETS - mean * mean);
    assert_true(fabs(mean - 2) < 0.015);
    assert_true(fabs(sd - 1) < 0.015);
    for (int i = 0; i < HOPS; i++)
        mix_free(&mix[i]);
    free(start_us);
}

static void
bounds(void **state)
{
    (void)state;
    struct mix *m;
    struct mix_out out[2];
    const struct mix_params none = {.strategy = (enum mix_strategy)99};
    assert_int_equal(mix_new(&m, &none, 1, NULL), ERR_UNSUPPORTED);
    assert_int_equal(mix_new(&m, &poisson, 0, NULL), ERR_ARG);
    assert_int_equal(mix_new(&m, &poisson, 1, NULL), 0);
    assert_true(mix_next_due(m) == UINT64_MAX);
    assert_int_equal(mix_push(m, 5, 6, 1000, 500), 0);
    assert_int_equal(mix_push(m, 5, 6, 1000, 500), ERR_FULL);
    assert_int_equal(mix_pop_due(m, 1499, out, 2), 0);
    assert_int_equal(mix_pop_due(m, 1500, out, 2), 1);
    assert_int_equal(out[0].handle, 5);
    assert_int_equal(out[0].next, 6);
    mix_free(&m);
    mix_free(&m);
}

const struct CMUnitTest test_mix[] = {
    cmocka_unit_test(t1_occupancy_is_poisson),
    cmocka_unit_test(t2_entropy_of_loopix),
    cmocka_unit_test(t4_four_hops_are_erlang),
    cmocka_unit_test(bounds),
};
TEST_SUITE(test_mix);
