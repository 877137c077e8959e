/* tests/unit/test_times.c - what time it is, by consensuses and clocks; and what
 * a store destroys (I10). */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rng_seeded.h"
#include "network/consensus.h"
#include "relay/daemon/store_sqlite.h"
#include "tests/folder.h"

enum { EPOCH_S = 3600, DAY_S = 86400, NOW_S = 1800000000 / DAY_S * DAY_S };

static struct consensus
consensus_at(uint64_t valid_after_s)
{
    return (struct consensus){.valid_after_s = valid_after_s,
                              .params.epoch_len_s = EPOCH_S};
}

static void
a_consensus_bounds_the_time(void **state)
{
    (void)state;
    const struct consensus c = consensus_at(NOW_S);
    const struct {
        int64_t at_s, bound_s;
        int judged;
    } row[] = {
        {-NOW_S, 0, ERR_FUTURE},
        {-2 * EPOCH_S - 1, 0, ERR_FUTURE},
        {-2 * EPOCH_S, 0, 0},
        {-1, 0, 0},
        {0, 0, 0},
        {3 * EPOCH_S - 1, 3 * EPOCH_S - 1, 0},
        {3 * EPOCH_S, 3 * EPOCH_S, ERR_EXPIRED},
        {366LL * DAY_S, 3 * EPOCH_S, ERR_EXPIRED},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        const uint64_t at_s = NOW_S + (uint64_t)row[i].at_s;
        assert_int_equal(consensus_judge_time(&c, at_s), row[i].judged);
        assert_int_equal(consensus_bound_time(&c, at_s),
                         NOW_S + (uint64_t)row[i].bound_s);
    }
}

static void
time_is_past_when_consensuses_and_the_clock_say_so(void **state)
{
    (void)state;
    const struct consensus a = consensus_at(NOW_S),
                           b = consensus_at(NOW_S + EPOCH_S);
    const struct consensus *none[] = {NULL, NULL}, *one[] = {NULL, &a},
                           *same[] = {&a, &a}, *two[] = {&b, NULL, &a};
    assert_int_equal(consensus_past_s(none, 2, 1, NOW_S), 0);
    assert_int_equal(consensus_past_s(one, 2, 1, NOW_S + 9), NOW_S);
    assert_int_equal(consensus_past_s(one, 2, 1, NOW_S - 9), NOW_S - 9);
    assert_int_equal(consensus_past_s(one, 2, 2, NOW_S + 9), 0);
    assert_int_equal(consensus_past_s(same, 2, 2, NOW_S + 9), 0);
    assert_int_equal(consensus_past_s(two, 3, 1, NOW_S + DAY_S),
                     NOW_S + EPOCH_S);
    assert_int_equal(consensus_past_s(two, 3, 2, NOW_S + DAY_S), NOW_S);
    assert_int_equal(consensus_past_s(two, 3, 2, NOW_S - DAY_S), NOW_S - DAY_S);
}

/* ---- a store ---- */

enum { LEN = 64, DAYS = 8 };

static bool
letter_is_there(struct store_sqlite *s, unsigned n)
{
    uint8_t letter[LEN];
    struct env_store_req r = {.op = ENV_STORE_GET,
                              .box = {(uint8_t)n},
                              .letter = letter,
                              .letter_len = LEN};
    store_sqlite_run(s, &r);
    return r.err == 0;
}

/* Letters of eight expiry days lie in a store; time goes on by quarters of an
 * hour, its consensuses come as they do, and its clock is wrong every other
 * time, by up to years: each letter is there until its day is over, and gone
 * two epochs later. */
static void
i10_no_wrong_clock_destroys_letters(void **state)
{
    (void)state;
    char dir[FOLDER_LEN];
    const uint32_t first = NOW_S / DAY_S;
    struct consensus kept[4];
    const struct consensus *known[4] = {NULL};
    struct store_sqlite *s;
    struct rng_seeded rng;
    uint8_t letter[LEN] = {1};
    rng_seeded_init_u64(&rng, test_seed(), "expiry");
    assert_int_equal(folder_make(dir), 0);
    assert_int_equal(
        store_sqlite_new(&s, dir, LEN, 100 * store_sqlite_disk(LEN)), 0);
    for (unsigned i = 0; i < DAYS; i++) {
        struct env_store_req r = {.op = ENV_STORE_PUT,
                                  .box = {(uint8_t)i},
                                  .expiry_day = first + i,
                                  .letter = letter,
                                  .letter_len = LEN};
        store_sqlite_run(s, &r);
        assert_int_equal(r.err, 0);
    }
    for (uint64_t t = NOW_S; t < NOW_S + DAYS * DAY_S; t += EPOCH_S / 4) {
        const uint64_t u = rng_seeded_u64(&rng);
        const uint64_t by_s = (u >> 8) % (1ull << (10 + (u >> 2 & 15)));
        const uint64_t clock_s = u & 1 ? t : u & 2 ? t + by_s : t - by_s;
        const size_t at = t / EPOCH_S % 4;
        kept[at] = consensus_at(t / EPOCH_S * EPOCH_S);
        known[at] = &kept[at];
        const uint64_t past_s = consensus_past_s(known, 4, 2, clock_s);
        assert_int_equal(store_sqlite_expire(s, (uint32_t)(past_s / DAY_S)), 0);
        for (unsigned i = 0; i < DAYS; i++) {
            const uint64_t over_s = (uint64_t)(first + i + 1) * DAY_S;
            const bool there = letter_is_there(s, i);
            assert_true(there || t >= over_s);
            if (t >= over_s + 6 * EPOCH_S)
                assert_false(there);
        }
    }
    store_sqlite_free(&s);
    assert_int_equal(folder_remove(dir), 0);
}

const struct CMUnitTest test_times[] = {
    cmocka_unit_test(a_consensus_bounds_the_time),
    cmocka_unit_test(time_is_past_when_consensuses_and_the_clock_say_so),
    cmocka_unit_test(i10_no_wrong_clock_destroys_letters),
};
TEST_SUITE(test_times);
