/* tests/unit/test_nettime.c - the network's time from many stores' words. */
#include "tests/runner.h"

#include <stdio.h>
#include <string.h>

#include "client/heard/nettime.h"
#include "lib/rng.h"
#include "tests/network.h"

#define BASE_US 1700000000000000LL
#define NOW_US  5000000ULL

static struct relay_entry
store_make(uint8_t number, uint8_t family)
{
    struct relay_entry e = {.role = ROLE_STORE};
    e.identity[0] = number;
    e.family[0] = family;
    return e;
}

/* A store whose clock is off by off_us answers n times. */
static void
store_says(struct nettime *t, uint8_t number, uint8_t family, int64_t off_us,
           unsigned n)
{
    const struct relay_entry e = store_make(number, family);
    for (unsigned i = 0; i < n; i++) {
        uint64_t expected_us = NOW_US + i;
        int64_t ms = (BASE_US + (int64_t)expected_us + off_us) / 1000;
        nettime_note(t, &e, ms > 0 ? (uint64_t)ms : 0, expected_us, NOW_US + i);
    }
}

static int64_t
base_of(const struct nettime *t, unsigned families)
{
    return nettime_base_us(t, families, BASE_US - 4000000, NOW_US + 2000);
}

static void
i10_one_lying_store_of_three_moves_nothing(void **state)
{
    (void)state;
    static const int64_t lie_us[] = {9000000, 8 * 86400000000LL,
                                     10 * 365 * 86400000000LL, -BASE_US,
                                     -60000000};
    for (size_t i = 0; i < sizeof lie_us / sizeof lie_us[0]; i++) {
        struct nettime t = {0};
        store_says(&t, 1, 0, 2000, 20);
        assert_true(base_of(&t, 3) == BASE_US - 4000000); /* too few */
        store_says(&t, 2, 0, lie_us[i], 1000); /* the hottest place's store */
        assert_true(base_of(&t, 3) == BASE_US - 4000000);
        store_says(&t, 3, 0, -2000, 20);
        int64_t off_us = base_of(&t, 3) - BASE_US;
        assert_in_range(off_us + 3000, 0, 6000);
    }
}

static void
i10_a_family_has_one_word(void **state)
{
    (void)state;
    struct nettime t = {0};
    for (uint8_t i = 1; i <= 8; i++)
        store_says(&t, i, 7, 30000000, 5);
    assert_true(base_of(&t, 3) == BASE_US - 4000000);
    store_says(&t, 20, 0, 0, 5);
    store_says(&t, 21, 0, 1000, 5);
    assert_in_range(base_of(&t, 3) - BASE_US + 2000, 0, 4000);
}

/* One or two stores are all there is: the one nearest to the own clock. */
static void
fewer_families_than_three_are_taken_where_there_are_no_more(void **state)
{
    (void)state;
    struct nettime t = {0};
    store_says(&t, 1, 0, 600000000, 5);
    assert_true(base_of(&t, 1) == BASE_US - 4000000); /* too far */
    store_says(&t, 1, 0, 6000000, 1);
    assert_in_range(base_of(&t, 1) - BASE_US - 6000000 + 2000, 0, 4000);
    assert_true(base_of(&t, 2) == BASE_US - 4000000);
    store_says(&t, 2, 0, 1000, 5);
    assert_in_range(base_of(&t, 2) - BASE_US + 2000, 0, 5000);
}

static void
the_gateways_word_counts_for_a_clock_that_is_far_off(void **state)
{
    (void)state;
    struct nettime t = {0};
    const int64_t own_us = BASE_US - 7200000000LL; /* two hours behind */
    nettime_start(&t, (uint64_t)(BASE_US + (int64_t)NOW_US) / 1000, NOW_US);
    int64_t off_us = nettime_base_us(&t, 3, own_us, NOW_US + 2000) - BASE_US;
    assert_in_range(off_us + 1000, 0, 2000);
    /* not for one that may be right */
    assert_true(nettime_base_us(&t, 3, BASE_US + 10000000, NOW_US) ==
                BASE_US + 10000000);
    /* and stores outweigh it */
    for (uint8_t i = 1; i <= 3; i++)
        store_says(&t, i, 0, 50000000, 3);
    off_us = nettime_base_us(&t, 3, own_us, NOW_US + 2000) - BASE_US;
    assert_in_range(off_us - 50000000 + 2000, 0, 4000);
}

static void
what_is_old_is_forgotten_and_a_jump_is_followed(void **state)
{
    (void)state;
    struct nettime t = {0};
    int64_t base_us;
    for (uint8_t i = 1; i <= 3; i++)
        store_says(&t, i, 0, 0, 32);
    assert_true(nettime_agreed(&t, 3, 0, NOW_US + 100, &base_us));
    assert_false(nettime_agreed(
        &t, 3, 0, NOW_US + (uint64_t)NETTIME_OLD_US + 1000, &base_us));
    for (uint8_t i = 1; i <= 3; i++)
        store_says(&t, i, 0, 5000000, NETTIME_WORDS / 2 + 1);
    assert_in_range(base_of(&t, 3) - BASE_US - 5000000 + 2000, 0, 4000);
    /* an hour of silence, and the first word counts at once */
    const struct relay_entry e = store_make(1, 0);
    const uint64_t late_us = NOW_US + (uint64_t)NETTIME_OLD_US + 2000;
    nettime_note(&t, &e, (uint64_t)(BASE_US + (int64_t)late_us) / 1000, late_us,
                 late_us);
    assert_true(nettime_agreed(&t, 1, BASE_US, late_us, &base_us));
    assert_in_range(base_us - BASE_US + 2000, 0, 4000);
}

/* Of nine stores, each the median of 32 answers: a latency that varies by +-20 ms
 * is seen to 1.5 ms (the standard error of one store's is 3.5 ms, and of a median
 * of nine 0.42 of that; nine of them). */
static void
latency_is_averaged(void **state)
{
    (void)state;
    struct nettime t = {0};
    struct test_env e;
    test_env_init(&e, test_seed());
    for (uint8_t i = 1; i <= 9; i++)
        for (unsigned k = 0; k < 400; k++) {
            uint64_t late_us;
            env_random_traffic(&e.env, &late_us, sizeof late_us);
            store_says(&t, i, 0, 30000 + (int64_t)(late_us % 40000), 1);
        }
    int64_t off_us = base_of(&t, 3) - BASE_US - 50000;
    assert_in_range(off_us + 14000, 0, 28000);
}

/* A mix that has a quarter of all packets, to whatever store, holds them for up
 * to 20 s, which nobody refuses, or sends them on too early. What is honest is
 * right to 2 ms. That half of the last 32 answers of a store are the mix's has a
 * chance of 0.002, of two stores of three at once 10^-5; such a time goes on for
 * some answers. It is a false alarm once in about 10^4 courses when a hundredth of
 * the course is let pass. */
static void
i12_packets_held_or_hurried_move_nothing(void **state)
{
    (void)state;
    enum { ANSWERS = 20000, SETTLED = 600 };
    for (unsigned hurried = 0; hurried < 3; hurried++) {
        struct nettime t = {0};
        struct test_env e;
        unsigned off = 0;
        int64_t worst_us = 0;
        test_env_init(&e, test_seed() + hurried);
        for (unsigned k = 0; k < ANSWERS; k++) {
            int64_t moved_us = (int64_t)rng_below(&e.env, 2000);
            if (rng_below(&e.env, 4) == 0)
                moved_us += hurried == 0 ? 15000000
                            : hurried == 1
                                ? -2000000
                                : (int64_t)rng_below(&e.env, 20000000);
            store_says(&t, (uint8_t)(1 + rng_below(&e.env, 3)), 0, moved_us, 1);
            int64_t off_us = base_of(&t, 3) - BASE_US;
            if (k < SETTLED)
                continue;
            off_us = off_us < 0 ? -off_us : off_us;
            off += off_us > 5000;
            worst_us = off_us > worst_us ? off_us : worst_us;
        }
        printf("  a quarter of packets %s: beyond 5 ms %u times in %u, worst "
               "%.3f s\n",
               hurried == 0   ? "15 s late"
               : hurried == 1 ? "2 s early"
                              : "up to 20 s late",
               off, ANSWERS - SETTLED, (double)worst_us / 1e6);
        assert_in_range(off, 0, ANSWERS / 100);
    }
}

static void
families_are_counted_once_and_up_to_three(void **state)
{
    (void)state;
    struct sim_net n;
    test_network_make(&n, SPHINX_SUITE_NULL, 1, 3, 1, 4);
    size_t stores;
    const uint16_t *store = consensus_layer(n.consensus, 4, &stores);
    assert_int_equal(stores, 4);
    assert_int_equal(nettime_families(n.consensus), 3);
    for (size_t i = 0; i < stores; i++)
        n.consensus->relays[store[i]].family[0] = i < 3 ? 9 : 0;
    assert_int_equal(nettime_families(n.consensus), 2);
    test_network_free(&n);
}

const struct CMUnitTest test_nettime[] = {
    cmocka_unit_test(i10_one_lying_store_of_three_moves_nothing),
    cmocka_unit_test(i10_a_family_has_one_word),
    cmocka_unit_test(
        fewer_families_than_three_are_taken_where_there_are_no_more),
    cmocka_unit_test(the_gateways_word_counts_for_a_clock_that_is_far_off),
    cmocka_unit_test(what_is_old_is_forgotten_and_a_jump_is_followed),
    cmocka_unit_test(latency_is_averaged),
    cmocka_unit_test(i12_packets_held_or_hurried_move_nothing),
    cmocka_unit_test(families_are_counted_once_and_up_to_three),
};
TEST_SUITE(test_nettime);
