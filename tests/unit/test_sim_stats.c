/* tests/unit/test_sim_stats.c - estimates and their uncertainty: against
 * published values, by coverage, against exact quantiles. */
#include "tests/runner.h"

#include <math.h>
#include <stdlib.h>

#include "lib/rng_seeded.h"
#include "sim/stats.h"
#include "tests/stats.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* In (0, 1]. */
static double
unit(struct rng_seeded *r)
{
    return ((double)(rng_seeded_u64(r) >> 11) + 1) * 0x1p-53;
}

/* Box and Muller. */
static double
normal(struct rng_seeded *r)
{
    const double radius = sqrt(-2 * log(unit(r)));
    return radius * cos(2 * M_PI * unit(r));
}

/* ---- Student's t ---- */

/* NIST/SEMATECH e-Handbook, 1.3.6.7.2, and closed forms for 1 and 2. */
static void
quantiles_published(void **state)
{
    (void)state;
    static const struct {
        double alpha;
        size_t degrees;
        double t;
    } known[] = {{0.05, 1, 12.706},        {0.05, 2, 4.303},
                 {0.05, 3, 3.182},         {0.05, 9, 2.262},
                 {0.05, 10, 2.228},        {0.05, 30, 2.042},
                 {0.05, 99, 1.984},        {0.05, 100, 1.984},
                 {0.01, 9, 3.250},         {0.2, 9, 1.383},
                 {0.002, 30, 3.385},       {0.05, SIZE_MAX, 1.95996},
                 {0.01, SIZE_MAX, 2.5758}, {1e-4, SIZE_MAX, 3.8906},
                 {1e-6, SIZE_MAX, 4.8916}, {0.5, SIZE_MAX, 0.67449}};
    for (size_t i = 0; i < LEN(known); i++) {
        const double t = stats_t_quantile(known[i].alpha, known[i].degrees);
        if (fabs(t - known[i].t) > 6e-4)
            fail_msg("t(%g, %zu) = %.6f, published %.5f", known[i].alpha,
                     known[i].degrees, t, known[i].t);
    }
    for (double alpha = 0.9; alpha > 1e-7; alpha /= 3) {
        const double one = stats_t_quantile(alpha, 1),
                     two = stats_t_quantile(alpha, 2),
                     z = stats_t_quantile(alpha, SIZE_MAX);
        assert_true(fabs(one * tan(M_PI * alpha / 2) - 1) < 1e-6);
        assert_true(
            fabs(two / (1 - alpha) * sqrt(alpha * (2 - alpha) / 2) - 1) < 1e-6);
        assert_true(fabs(erfc(z / sqrt(2)) / alpha - 1) < 1e-9);
    }
}

/* Where the exact sums give way to the normal law there is no step. */
static void
quantiles_fall(void **state)
{
    (void)state;
    double before = INFINITY;
    for (size_t degrees = 1; degrees < 1100; degrees += degrees < 50 ? 1 : 7) {
        const double t = stats_t_quantile(0.05, degrees);
        assert_true(t <= before);
        before = t;
    }
    assert_true(
        fabs(stats_t_quantile(0.05, 1000) / stats_t_quantile(0.05, 1001) - 1) <
        0.003);
}

/* ---- intervals ---- */

static void
mean_simple(void **state)
{
    (void)state;
    static const double x[] = {1, 2, 3, 4};
    struct estimate e = stats_mean(x, 4);
    assert_true(fabs(e.value - 2.5) < 1e-12);
    /* t(3) = 3.18245, s = sqrt(5/3), over sqrt(4) */
    assert_true(fabs(e.half - 3.18245 * sqrt(5.0 / 12)) < 1e-4);
    e = stats_mean(x, 1);
    assert_true(e.value == 1 && isnan(e.half));
    e = stats_bootstrap(x, 1, 1000, 1);
    assert_true(e.value == 1 && isnan(e.half));
    e = stats_mean(x, 0);
    assert_true(isnan(e.value) && isnan(e.half));
}

enum { TRIALS = 2000 };

/* How many of TRIALS intervals contain the truth, 3. */
static size_t
covers(size_t n, unsigned rounds, double *half)
{
    struct rng_seeded r;
    double x[100];
    size_t covered = 0;
    assert_true(n <= LEN(x));
    rng_seeded_init_u64(&r, test_seed(), "coverage");
    *half = 0;
    for (uint64_t k = 0; k < TRIALS; k++) {
        for (size_t i = 0; i < n; i++)
            x[i] = 3 + 2 * normal(&r);
        struct estimate e =
            rounds ? stats_bootstrap(x, n, rounds, k + 1) : stats_mean(x, n);
        covered += fabs(e.value - 3) <= e.half;
        *half += e.half / TRIALS;
    }
    return covered;
}

/* Exactly 95 % for normal values: the count is binomial, and further off than
 * STATS_ALARM deviations (48) once in 10^6 seeds. */
static void
mean_covers(void **state)
{
    (void)state;
    double half;
    const double allowed = STATS_ALARM * sqrt(TRIALS * 0.95 * 0.05);
    assert_true(fabs((double)covers(10, 0, &half) - 0.95 * TRIALS) < allowed);
    assert_true(fabs((double)covers(2, 0, &half) - 0.95 * TRIALS) < allowed);
    /* and is as wide as it has to be: t(9) E[s] / sqrt(10), E[s] = 0.9727 sd;
     * the mean's own deviation is half / sqrt(18 TRIALS), less than 0.6 % */
    (void)covers(10, 0, &half);
    assert_true(fabs(half / (2.2622 * 0.97266 * 2 / sqrt(10)) - 1) < 0.03);
}

/* Of n values a resample has (n - 1)/n of the variance and knows no t: with 50
 * normal values it covers P(|t(49)| < 1.96 sqrt(49/50)) = 94.2 %, less some
 * tenths for the quantiles of 200 resamples. */
static void
bootstrap_covers(void **state)
{
    (void)state;
    double half;
    const double allowed = STATS_ALARM * sqrt(TRIALS * 0.94 * 0.06);
    const double covered = (double)covers(50, 200, &half);
    assert_true(covered > 0.935 * TRIALS - allowed);
    assert_true(covered < 0.945 * TRIALS + allowed);
    assert_true(fabs(half / (1.96 * 2 / sqrt(50)) - 1) < 0.05);
}

static void
bootstrap_repeats(void **state)
{
    (void)state;
    static const double x[] = {1, 5, 2, 8, 3, 3, 9, 1};
    const struct estimate a = stats_bootstrap(x, LEN(x), 500, 7),
                          b = stats_bootstrap(x, LEN(x), 500, 7),
                          c = stats_bootstrap(x, LEN(x), 500, 8);
    assert_true(a.value == 4 && a.half == b.half && a.half != c.half);
    /* too few rounds for a quantile: Student's */
    assert_true(stats_bootstrap(x, LEN(x), 39, 7).half ==
                stats_mean(x, LEN(x)).half);
}

/* ---- the transient ---- */

enum { SERIES = 1000 };

static size_t
truncation(struct rng_seeded *r, size_t n, double height, double memory)
{
    double x[SERIES];
    assert_true(n <= SERIES);
    for (size_t i = 0; i < n; i++)
        x[i] = 100 - height * exp(-(double)i / memory) + normal(r);
    return stats_mser5(x, n);
}

/* A transient of 50 e^(-i/30) is below the noise of a batch, 0.45, after 141:
 * the cut is near it, and what it leaves in is small against the noise. */
static void
mser_finds_transient(void **state)
{
    (void)state;
    struct rng_seeded r;
    rng_seeded_init_u64(&r, test_seed(), "transient");
    size_t good = 0;
    for (int k = 0; k < 100; k++) {
        const size_t cut = truncation(&r, SERIES, 50, 30);
        good += cut >= 90 && cut <= 300 && cut % 5 == 0;
    }
    /* noise at the far end may look a little better: rarely */
    assert_true(good >= 80);
    good = 0;
    for (int k = 0; k < 100; k++)
        good += truncation(&r, SERIES, 0, 30) < 300;
    assert_true(good >= 60);
}

static void
mser_refuses(void **state)
{
    (void)state;
    struct rng_seeded r;
    double x[SERIES];
    rng_seeded_init_u64(&r, test_seed(), "transient");
    for (int k = 0; k < 100; k++)
        assert_int_equal(truncation(&r, SERIES, 1000, SERIES), SIZE_MAX);
    for (size_t i = 0; i < SERIES; i++)
        x[i] = (double)i;
    assert_int_equal(stats_mser5(x, SERIES), SIZE_MAX);
    assert_int_equal(stats_mser5(x, 0), SIZE_MAX);
    for (size_t i = 0; i < SERIES; i++)
        x[i] = 1;
    assert_int_equal(stats_mser5(x, 49), SIZE_MAX); /* too few to tell */
    assert_int_equal(stats_mser5(x, 50), 0);
    for (size_t i = 0; i < 17; i++)
        x[i] = 0;
    assert_int_equal(stats_mser5(x, 100), 20); /* first batch without any */
}

/* ---- times ---- */

static int
order(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

enum { SAMPLE = 20000 };

static void
quantiles_check(struct stats_times *t, uint64_t *us)
{
    qsort(us, SAMPLE, sizeof *us, order);
    for (unsigned i = 1; i < 1000; i++) {
        /* i/1000 of SAMPLE is whole: the sample's quantile is a value */
        const double exact = (double)us[i * (SAMPLE / 1000) - 1],
                     q = stats_times_quantile_us(t, i / 1000.0);
        /* times are whole microseconds, which a bucket holds from the first
         * to before the next */
        if (fabs(q - exact) > exact / 64 + 1)
            fail_msg("quantile %u: %g, exactly %g", i, q, exact);
    }
}

/* Values from 1 us to hours; each quantile within its bucket. */
static void
times_quantiles(void **state)
{
    (void)state;
    static struct stats_times t;
    static uint64_t us[SAMPLE];
    struct rng_seeded r;
    rng_seeded_init_u64(&r, test_seed(), "times");
    t = (struct stats_times){0};
    for (size_t i = 0; i < SAMPLE; i++) {
        us[i] = (uint64_t)exp(23 * unit(&r));
        stats_times_add(&t, us[i]);
    }
    quantiles_check(&t, us);
    t = (struct stats_times){0};
    for (size_t i = 0; i < SAMPLE; i++) {
        us[i] = (uint64_t)(-500000 * log(unit(&r)));
        stats_times_add(&t, us[i]);
    }
    quantiles_check(&t, us);
    /* where a bucket holds many it is even, and the quantile nearer */
    for (unsigned i = 10; i < 100; i++) {
        const double exact = (double)us[i * (SAMPLE / 100) - 1];
        assert_true(fabs(stats_times_quantile_us(&t, i / 100.0) / exact - 1) <
                    0.008);
    }
}

static void
times_sums(void **state)
{
    (void)state;
    static struct stats_times all, odd, even, none;
    struct rng_seeded r;
    rng_seeded_init_u64(&r, test_seed(), "sums");
    double mean = 0, squares = 0, x[1000];
    all = odd = even = none = (struct stats_times){0};
    for (size_t i = 0; i < LEN(x); i++) {
        const uint64_t us = rng_seeded_u64(&r) % 5000000;
        x[i] = (double)us;
        mean += x[i] / LEN(x);
        stats_times_add(&all, us);
        stats_times_add(i % 2 ? &odd : &even, us);
    }
    for (size_t i = 0; i < LEN(x); i++)
        squares += (x[i] - mean) * (x[i] - mean);
    assert_true(fabs(stats_times_sd_us(&all) / sqrt(squares / (LEN(x) - 1)) -
                     1) < 1e-9);
    stats_times_merge(&odd, &even);
    stats_times_merge(&odd, &none);
    assert_int_equal(odd.n, all.n);
    assert_true(odd.sum_us == all.sum_us);
    assert_memory_equal(odd.bucket, all.bucket, sizeof odd.bucket);
    assert_true(fabs(odd.squares / all.squares - 1) < 1e-12);
    assert_true(isnan(stats_times_quantile_us(&none, 0.5)));
    assert_true(isnan(stats_times_sd_us(&none)));
    /* equal times, for years: no deviation, not the root of less than none */
    for (int i = 0; i < 3; i++)
        stats_times_add(&none, 100000000000001);
    assert_true(stats_times_sd_us(&none) < 1e8);
    stats_times_add(&none, UINT64_MAX); /* beyond the last bucket: in it */
    assert_true(stats_times_quantile_us(&none, 1) > 1e14);
}

const struct CMUnitTest test_sim_stats[] = {
    cmocka_unit_test(quantiles_published),  cmocka_unit_test(quantiles_fall),
    cmocka_unit_test(mean_simple),          cmocka_unit_test(mean_covers),
    cmocka_unit_test(bootstrap_covers),     cmocka_unit_test(bootstrap_repeats),
    cmocka_unit_test(mser_finds_transient), cmocka_unit_test(mser_refuses),
    cmocka_unit_test(times_quantiles),      cmocka_unit_test(times_sums),
};
TEST_SUITE(test_sim_stats);
