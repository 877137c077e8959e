/* tests/unit/test_quota.c - months, leaving in time, and own addresses. */
#include "tests/runner.h"

#include <string.h>
#include <time.h>

#include "network/consensus.h"
#include "relay/daemon/quota.h"
#include "relay/daemon/reach.h"

enum { GB = 1000000000, EPOCH_S = 3600, SERVE_S = 5 * EPOCH_S };

static uint64_t
date(int year, int month, int day)
{
    struct tm tm = {
        .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    return (uint64_t)timegm(&tm);
}

static void
months_begin_on_their_day(void **state)
{
    (void)state;
    const struct {
        uint64_t now_s;
        unsigned day;
        uint64_t begin_s, end_s;
    } row[] = {
        {date(2026, 11, 23), 1, date(2026, 11, 1), date(2026, 12, 1)},
        {date(2026, 12, 31), 1, date(2026, 12, 1), date(2027, 1, 1)},
        {date(2027, 1, 3), 15, date(2026, 12, 15), date(2027, 1, 15)},
        {date(2028, 2, 28), 28, date(2028, 2, 28), date(2028, 3, 28)},
        {date(2028, 2, 27) + 86399, 28, date(2028, 1, 28), date(2028, 2, 28)},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct quota q;
        quota_init(&q, GB, row[i].day, row[i].now_s, 7, 0);
        assert_int_equal(q.begin_s, row[i].begin_s);
        assert_int_equal(q.end_s, row[i].end_s);
        quota_init(&q, GB, row[i].day, 0, 7, 0);
        (void)quota_step(&q, 0, row[i].now_s, 0, SERVE_S);
        assert_int_equal(q.used, 7);
        assert_int_equal(q.begin_s, row[i].begin_s);
        assert_int_equal(q.end_s, row[i].end_s);
    }
}

/* Octets carried from the announcement to the end of serving fit into what is
 * left, for any rate at which the quota does not last; it comes back in the new
 * month. */
static void
it_leaves_in_time(void **state)
{
    (void)state;
    for (uint64_t rate = 1000000; rate <= 50000000; rate = rate * 3 / 2) {
        struct quota q;
        uint64_t now_s = date(2026, 11, 1);
        quota_init(&q, 1000ull * GB, 1, 0, 0, now_s);
        while (q.state == QUOTA_OPEN && now_s < q.end_s - 60) {
            now_s += 60;
            (void)quota_step(&q, 60 * rate, now_s, now_s, SERVE_S);
        }
        if (q.state == QUOTA_OPEN) {
            assert_true(q.used < q.limit);
            continue;
        }
        assert_int_equal(q.state, QUOTA_LEAVING);
        for (int i = 0; i < SERVE_S / 60; i++) {
            now_s += 60;
            assert_false(quota_step(&q, 60 * rate, now_s, now_s, SERVE_S));
        }
        assert_true(q.used <= q.limit);
        assert_true(q.used >= q.limit / 100 * 75 || rate > 10000000);
        uint64_t end_s = q.end_s;
        assert_true(quota_step(&q, 2 * q.limit, now_s, now_s, SERVE_S));
        assert_int_equal(q.state, QUOTA_SPENT);
        assert_false(quota_step(&q, 0, end_s - 1, end_s - 1, SERVE_S));
        assert_true(quota_step(&q, 0, end_s, end_s, SERVE_S));
        assert_int_equal(q.state, QUOTA_OPEN);
        assert_int_equal(q.used, 0);
        assert_int_equal(q.end_s, date(2027, 1, 1));
    }
}

static void
restarts_win_nothing(void **state)
{
    (void)state;
    struct quota q;
    const uint64_t now_s = date(2026, 11, 10);
    quota_init(&q, 100ull * GB, 1, date(2026, 11, 1), 100ull * GB, 0);
    assert_false(quota_step(&q, 0, 0, 0, SERVE_S)); /* nothing is known yet */
    assert_true(quota_step(&q, 0, now_s, 0, SERVE_S));
    assert_int_equal(q.state, QUOTA_SPENT);
    /* of the month before */
    quota_init(&q, 100ull * GB, 1, date(2026, 10, 1), 100ull * GB, 0);
    assert_false(quota_step(&q, 0, now_s, 0, SERVE_S));
    assert_int_equal(q.used, 0);
    assert_int_equal(q.begin_s, date(2026, 11, 1));
    /* without a quota nothing changes ever */
    quota_init(&q, 0, 1, 0, 0, now_s);
    assert_false(quota_step(&q, UINT64_MAX / 2, now_s, now_s, SERVE_S));
    assert_int_equal(q.state, QUOTA_OPEN);
}

/* A clock jumps ahead by months or behind, and back, at any time of a month, as
 * a relay sees it whose consensuses are an epoch old: no month begins for it,
 * nor is what it has used forgotten, nor does it take a busy relay for an idle
 * one afterwards. */
static void
i10_no_jump_of_a_clock_begins_a_month(void **state)
{
    (void)state;
    static const int64_t off_s[] = {86400,       -86400,        40 * 86400,
                                    -40 * 86400, 400LL * 86400, -400LL * 86400};
    struct consensus newest = {.params.epoch_len_s = EPOCH_S};
    const struct consensus *known[] = {NULL, &newest};
    struct quota q;
    uint64_t mono_s = 1000;
    const uint64_t rate = 1000;
    quota_init(&q, 1000ull * GB, 1, 0, 0, mono_s);
    for (uint64_t t = date(2026, 11, 1) + EPOCH_S; t < date(2026, 12, 1);
         t += EPOCH_S / 4, mono_s += EPOCH_S / 4) {
        newest.valid_after_s = t / EPOCH_S * EPOCH_S;
        const uint64_t before = q.used;
        const int64_t off = off_s[t / 900 % 6];
        const uint64_t wrong_s = t + (uint64_t)off;
        assert_false(quota_step(&q, rate * EPOCH_S / 8,
                                consensus_past_s(known, 2, 1, wrong_s), mono_s,
                                SERVE_S));
        assert_false(quota_step(&q, rate * EPOCH_S / 8,
                                consensus_past_s(known, 2, 1, t), mono_s,
                                SERVE_S));
        assert_int_equal(q.used, before + rate * EPOCH_S / 4);
        assert_int_equal(q.begin_s, date(2026, 11, 1));
        if (mono_s > 3000)
            assert_in_range(q.rate, rate - 1, 2 * rate);
    }
    newest.valid_after_s = date(2026, 12, 1);
    (void)quota_step(&q, 0, consensus_past_s(known, 2, 1, date(2026, 12, 1)),
                     mono_s, SERVE_S);
    assert_int_equal(q.used, 0);
    assert_int_equal(q.begin_s, date(2026, 12, 1));
}

static void
addresses_are_tested_and_tested_again(void **state)
{
    (void)state;
    char a[ADDRESSES_MAX][ADDRESS_MAX] = {"192.0.2.1:7100", "[2001:db8::1]:7"};
    char good[ADDRESSES_MAX][ADDRESS_MAX];
    struct reach r = {0};
    int err;
    reach_set(&r, a, 2);
    assert_false(reach_is_known(&r));
    assert_int_equal(reach_next(&r, 0), 0);
    reach_result(&r, 0, 0, 0, 1000000000);
    assert_int_equal(reach_next(&r, 0), 1);
    reach_result(&r, 1, ERR_TIMEOUT, 0, 1000000000);
    assert_true(reach_is_known(&r));
    assert_int_equal(reach_good(&r, good), 1);
    assert_string_equal(good[0], a[0]);
    assert_string_equal(reach_bad(&r, &err), a[1]);
    assert_int_equal(err, ERR_TIMEOUT);
    /* 5 s, 10 s, .. 300 s for the bad one; the good one waits its epoch */
    uint64_t now_us = 0, wait_us = 5000000;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(reach_next(&r, now_us + wait_us - 1), REACH_NONE);
        now_us += wait_us;
        assert_int_equal(reach_next(&r, now_us), 1);
        wait_us = wait_us * 2 < 300000000 ? wait_us * 2 : 300000000;
        if (now_us + wait_us > 1000000000)
            break;
        reach_result(&r, 1, ERR_CLOSED, now_us, 1000000000);
    }
    reach_result(&r, 1, 0, now_us, 1000000000);
    assert_int_equal(reach_good(&r, good), 2);
    assert_null(reach_bad(&r, &err));
    /* one failure is chance, two are not; what is kept is remembered */
    reach_result(&r, 0, ERR_CLOSED, 1000000000, 1000000000);
    reach_set(&r, a, 2);
    assert_int_equal(reach_good(&r, good), 2);
    reach_result(&r, 0, ERR_CLOSED, 1005000000, 1000000000);
    assert_int_equal(reach_good(&r, good), 1);
    assert_string_equal(good[0], a[1]);
    strcpy(a[1], "[2001:db8::2]:7");
    reach_set(&r, a, 2);
    assert_false(reach_is_known(&r));
    assert_int_equal(reach_good(&r, good), 0);
}

const struct CMUnitTest test_quota[] = {
    cmocka_unit_test(months_begin_on_their_day),
    cmocka_unit_test(it_leaves_in_time),
    cmocka_unit_test(restarts_win_nothing),
    cmocka_unit_test(i10_no_jump_of_a_clock_begins_a_month),
    cmocka_unit_test(addresses_are_tested_and_tested_again),
};
const size_t test_quota_len = sizeof test_quota / sizeof test_quota[0];
