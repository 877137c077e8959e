/* tests/unit/test_mix_pool.c - pool mixes against the closed forms of the
 * literature, in virtual time.
 *
 * In a steady pool of n kept and N that come each round, a packet stays for a
 * geometric number of rounds with q = N / (N + n), and an outsider's
 * uncertainty about a packet that leaves is log2 N + h2(q) / q, with h2 the
 * binary entropy (Serjantov and Danezis, PET 2002). Entropies are estimated
 * from the rounds that 200,000 packets stayed; the standard error is below
 * 0.005 in every row, so 0.03 is 6 of them. */
#include "tests/runner.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "relay/mix.h"
#include "tests/network.h"

enum { DEPARTURES = 200000, ROUNDS_SEEN = 512, INTERVAL_US = 1000000 };

struct stay {
    double entropy, mean; /* of the rounds stayed; entropy with log2 N */
};

/* `each` packets a round, until enough have left. */
static struct stay
steady(const struct mix_params *params, unsigned each)
{
    static uint32_t born[1 << 20];
    static double count[ROUNDS_SEEN];
    struct test_env env;
    struct mix *m;
    struct mix_out out[64];
    uint32_t next = 0, left = 0;
    double sum = 0, h = 0;
    memset(count, 0, sizeof count);
    test_env_init(&env, test_seed());
    assert_int_equal(mix_new(&m, params, 1 << 16, &env.env), 0);
    /* a threshold pool begins full, so that it fires at the end of a round */
    while (params->strategy == MIX_THRESHOLD_POOL && next < params->keep)
        assert_int_equal(mix_push(m, next++, 9, 1, 77), 0);
    for (uint32_t round = 0; left < DEPARTURES; round++) {
        uint64_t now_us = (uint64_t)round * INTERVAL_US + 1;
        for (unsigned i = 0; i < each; i++) {
            born[next & 0xfffff] = round;
            assert_int_equal(mix_push(m, next++, 9, now_us, 77), 0);
        }
        size_t n;
        while ((n = mix_pop_due(m, now_us + INTERVAL_US - 1, out, 64)) > 0)
            for (size_t i = 0; i < n; i++) {
                uint32_t stayed = round + 1 - born[out[i].handle & 0xfffff];
                assert_int_equal(out[i].next, 9);
                if (round < 200) /* not steady yet */
                    continue;
                assert_in_range(stayed, 1, ROUNDS_SEEN - 1);
                count[stayed]++;
                sum += stayed;
                left++;
            }
    }
    mix_free(&m);
    for (size_t i = 0; i < ROUNDS_SEEN; i++)
        if (count[i] > 0)
            h -= count[i] / left * log2(count[i] / left);
    return (struct stay){.entropy = log2(each) + h, .mean = sum / left};
}

/* T5 and T6. */
static void
threshold_pools(void **state)
{
    (void)state;
    static const struct {
        uint32_t keep;
        double entropy, mean;
    } row[] = {
        {0, 6.644, 1}, {10, 7.127, 1.1}, {50, 8.021, 1.5}, {100, 8.644, 2.0}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        const struct mix_params p = {.strategy = MIX_THRESHOLD_POOL,
                                     .threshold = 100,
                                     .keep = row[i].keep};
        struct stay s = steady(&p, 100);
        assert_true(fabs(s.entropy - row[i].entropy) < 0.03);
        assert_true(fabs(s.mean - row[i].mean) < 0.02);
    }
}

static void
timed_pools(void **state)
{
    (void)state;
    static const struct {
        uint32_t keep;
        unsigned each;
    } row[] = {{0, 100}, {50, 50}, {100, 25}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        const struct mix_params p = {.strategy = MIX_TIMED_POOL,
                                     .interval_us = INTERVAL_US,
                                     .keep = row[i].keep};
        double q = (double)row[i].each / (row[i].each + row[i].keep);
        double h2 = q < 1 ? -q * log2(q) - (1 - q) * log2(1 - q) : 0;
        struct stay s = steady(&p, row[i].each);
        assert_true(fabs(s.entropy - (log2(row[i].each) + h2 / q)) < 0.03);
        assert_true(fabs(s.mean - 1 / q) < 0.06);
    }
}

/* T7: 35 arrivals a round, each leaves with probability 0.65. */
static void
binomial_mix(void **state)
{
    (void)state;
    const struct mix_params p = {
        .strategy = MIX_BINOMIAL, .interval_us = INTERVAL_US, .permille = 650};
    struct stay s = steady(&p, 35);
    assert_true(fabs(s.entropy - 6.566) < 0.03);
    assert_true(fabs(s.mean - 1 / 0.65) < 0.02);
}

/* Who leaves is drawn uniformly: of 40, 20 leave, each in half of the rounds.
 * Chi-square with 39 degrees of freedom passes 100 by chance once in 4 * 10^6
 * (Wilson-Hilferty z = 5.1). */
static void
draws_are_uniform(void **state)
{
    (void)state;
    enum { KEPT = 20, ROUNDS = 20000 };
    const struct mix_params p = {
        .strategy = MIX_THRESHOLD_POOL, .threshold = KEPT, .keep = KEPT};
    double count[2 * KEPT] = {0}, sum = 0;
    struct test_env env;
    test_env_init(&env, test_seed());
    for (int round = 0; round < ROUNDS; round++) {
        struct mix *m;
        struct mix_out out[2 * KEPT];
        assert_int_equal(mix_new(&m, &p, 2 * KEPT, &env.env), 0);
        for (uint32_t i = 0; i < 2 * KEPT; i++) {
            assert_int_equal(mix_pop_due(m, 1, out, 2 * KEPT), 0);
            assert_int_equal(mix_push(m, i, 0, 1, 0), 0);
        }
        assert_int_equal(mix_next_due(m), 0);
        assert_int_equal(mix_pop_due(m, 1, out, 2 * KEPT), KEPT);
        for (size_t i = 0; i < KEPT; i++)
            count[out[i].handle]++;
        mix_free(&m);
    }
    for (size_t i = 0; i < 2 * KEPT; i++)
        sum += (count[i] - ROUNDS / 2.0) * (count[i] - ROUNDS / 2.0);
    /* variance ROUNDS / 4; the counts' sum is fixed, hence 39 / 40 */
    assert_true(sum / (ROUNDS / 4.0) * 39 / 40 < 100);
}

/* Whatever the strategy and the course, each handle comes out once. */
static void
each_comes_out_once(void **state)
{
    (void)state;
    enum { STEPS = 200000, CAPACITY = 500 };
    static const struct mix_params rows[] = {
        {.strategy = MIX_POISSON},
        {.strategy = MIX_TIMED_POOL, .interval_us = 1000, .keep = 30},
        {.strategy = MIX_TIMED_POOL, .interval_us = 1000},
        {.strategy = MIX_THRESHOLD_POOL, .threshold = 20, .keep = 30},
        {.strategy = MIX_THRESHOLD_POOL, .threshold = 1},
        {.strategy = MIX_BINOMIAL, .interval_us = 1000, .permille = 300}};
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        static uint8_t inside[STEPS];
        struct test_env env;
        struct rng_seeded rng;
        struct mix *m;
        uint64_t now_us = 5;
        size_t count = 0, full = 0;
        memset(inside, 0, sizeof inside);
        test_env_init(&env, test_seed());
        rng_seeded_init_u64(&rng, test_seed(), "mixes");
        assert_int_equal(mix_new(&m, &rows[r], CAPACITY, &env.env), 0);
        for (uint32_t i = 0; i < STEPS; i++) {
            struct mix_out out[7];
            uint64_t u = rng_seeded_u64(&rng);
            int err = mix_push(m, i, i ^ 5, now_us, u % 3000);
            assert_int_equal(err, count < CAPACITY ? 0 : ERR_FULL);
            inside[i] = !err;
            count += !err;
            full += err != 0;
            now_us += u >> 32 & 15;
            /* at times nobody asks for a while */
            size_t n = (i / 1000) % 3 ? mix_pop_due(m, now_us, out, 7) : 0;
            for (size_t k = 0; k < n; k++) {
                assert_true(inside[out[k].handle]);
                assert_int_equal(out[k].next, out[k].handle ^ 5);
                inside[out[k].handle] = 0;
            }
            count -= n;
            assert_int_equal(mix_count(m), count);
            assert_true(mix_next_due(m) > now_us || n == 7 ||
                        (i / 1000) % 3 == 0);
        }
        assert_true(full > 0);
        mix_free(&m);
    }
}

static void
pools_without_sense_are_refused(void **state)
{
    (void)state;
    static const struct mix_params bad[] = {
        {.strategy = MIX_TIMED_POOL},
        {.strategy = MIX_THRESHOLD_POOL},
        {.strategy = MIX_BINOMIAL, .interval_us = 1},
        {.strategy = MIX_BINOMIAL, .interval_us = 1, .permille = 1001}};
    const struct mix_params good = {.strategy = MIX_TIMED_POOL,
                                    .interval_us = 1};
    struct test_env env;
    struct mix *m;
    test_env_init(&env, test_seed());
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(mix_new(&m, &bad[i], 10, &env.env), ERR_ARG);
    assert_int_equal(mix_new(&m, &good, 10, NULL), ERR_ARG);
    assert_int_equal(mix_new(&m, &good, 10, &env.env), 0);
    assert_true(mix_next_due(m) == UINT64_MAX);
    mix_free(&m);
}

const struct CMUnitTest test_mix_pool[] = {
    cmocka_unit_test(threshold_pools),
    cmocka_unit_test(timed_pools),
    cmocka_unit_test(binomial_mix),
    cmocka_unit_test(draws_are_uniform),
    cmocka_unit_test(each_comes_out_once),
    cmocka_unit_test(pools_without_sense_are_refused),
};
TEST_SUITE(test_mix_pool);
