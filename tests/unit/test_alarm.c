/* tests/unit/test_alarm.c - how often the loop alarm is wrong, and how often it
 * is right: row T16 of the literature's figures (Poisson law with 20 expected,
 * a window is bad at 10 or fewer). */
#include "tests/runner.h"

#include <math.h>

#include "lib/rng_seeded.h"
#include "relay/alarm.h"

enum { MHZ = 500, WINDOWS = 20000, WAY_US = 2000000 };

/* Loops come back at Poisson times, of which `share` is let through. */
struct course {
    struct alarm alarm;
    struct rng_seeded rng;
    uint64_t now_us, next_us;
    double share;
};

static uint64_t
exp_us(struct course *c, double mean_us)
{
    double u =
        ((double)(rng_seeded_u64(&c->rng) >> 11) + 1) / 9007199254740993.0;
    return (uint64_t)(-log(u) * mean_us);
}

static void
course_start(struct course *c, double share)
{
    *c = (struct course){.now_us = 1000000, .share = share};
    rng_seeded_init_u64(&c->rng, test_seed(), "alarm");
    alarm_start(&c->alarm, c->now_us, WAY_US, MHZ);
}

/* Until so many windows more were judged; without `cover` all windows are
 * alike. */
static void
course_run(struct course *c, uint32_t windows, bool cover)
{
    const uint32_t until = c->alarm.windows + windows;
    while (c->alarm.windows < until) {
        double mean_us = 1e9 / MHZ / (cover ? alarm_cover(&c->alarm) : 1);
        c->next_us = c->now_us + exp_us(c, mean_us);
        while (alarm_next_us(&c->alarm) <= c->next_us &&
               c->alarm.windows < until) {
            c->now_us = alarm_next_us(&c->alarm);
            (void)alarm_turn(&c->alarm, c->now_us, MHZ);
            if (!cover && c->alarm.state != ALARM_QUIET) { /* begin anew */
                struct alarm a = c->alarm;
                alarm_start(&c->alarm, c->now_us, WAY_US, MHZ);
                c->alarm.windows = a.windows;
                c->alarm.bad = a.bad;
            }
        }
        c->now_us = c->next_us;
        double u = (double)(rng_seeded_u64(&c->rng) >> 11) / 9007199254740992.0;
        if (u < c->share)
            alarm_returned(&c->alarm, c->now_us);
    }
}

/* Sum of the Poisson law up to k. */
static double
poisson_cdf(double mean, unsigned k)
{
    double term = exp(-mean), sum = term;
    for (unsigned i = 1; i <= k; i++)
        sum += term *= mean / i;
    return sum;
}

/* The share of bad windows, against the closed form; five standard errors, so a
 * false alarm of the test once in 10^6. */
static void
windows_follow_the_poisson_law(void **state)
{
    (void)state;
    static const struct {
        double withheld, table;
    } row[] = {{0, 0.0108}, {0.5, 0.583}, {0.7, 0.957}, {0.9, 0.99999}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct course c;
        double mean = ALARM_EXPECTED * (1 - row[i].withheld);
        double p = poisson_cdf(mean, ALARM_EXPECTED / 2);
        assert_true(fabs(p - row[i].table) < 0.001); /* the literature's */
        course_start(&c, 1 - row[i].withheld);
        course_run(&c, WINDOWS, false);
        double got = (double)c.alarm.bad / c.alarm.windows;
        assert_true(fabs(got - p) < 5 * sqrt(p * (1 - p) / WINDOWS) + 2e-4);
    }
}

/* Left alone, an alarm comes once in 1 / 0.0108^2 = 8,600 windows; with 70 %
 * withheld within a few; and it ends when all is well again. */
static void
two_bad_windows_alarm(void **state)
{
    (void)state;
    struct course c;
    course_start(&c, 1);
    course_run(&c, WINDOWS, true);
    assert_in_range(c.alarm.alarms, 0, 12); /* 2.3 expected: 10^-6 */
    course_start(&c, 0.3);
    course_run(&c, 8, true);
    assert_int_equal(c.alarm.state, ALARM_RAISED);
    assert_int_equal(alarm_cover(&c.alarm), ALARM_COVER);
    c.share = 1;
    course_run(&c, 40, true);
    assert_int_not_equal(c.alarm.state, ALARM_RAISED);
}

/* Silence of the machine is not silence of the network. */
static void
a_gap_says_nothing(void **state)
{
    (void)state;
    struct alarm a;
    alarm_start(&a, 1000, WAY_US, MHZ);
    uint64_t end_us = alarm_next_us(&a);
    assert_int_equal(end_us, 1000 + WAY_US + 40000000);
    assert_false(alarm_turn(&a, end_us - 1, MHZ));
    assert_false(alarm_turn(&a, end_us + 40000000, MHZ)); /* suspended */
    assert_int_equal(a.windows, 0);
    assert_true(alarm_turn(&a, alarm_next_us(&a), MHZ)); /* nothing came */
    assert_int_equal(a.state, ALARM_WARY);
}

/* While no loop can be sent none is missed, and nothing that was seen before is
 * forgotten. */
static void
no_loops_say_nothing(void **state)
{
    (void)state;
    struct alarm a;
    alarm_start(&a, 1000, WAY_US, 0);
    assert_true(alarm_next_us(&a) == UINT64_MAX);
    assert_false(alarm_turn(&a, 500000000, 0));
    assert_false(alarm_turn(&a, 600000000, MHZ)); /* loops are sent again */
    assert_int_equal(alarm_next_us(&a), 600000000 + WAY_US + 40000000);
    assert_true(alarm_turn(&a, alarm_next_us(&a), MHZ)); /* nothing came */
    assert_int_equal(a.state, ALARM_WARY);
    assert_false(alarm_turn(&a, alarm_next_us(&a), 0));
    assert_int_equal(a.state, ALARM_WARY);
    assert_int_equal(a.windows, 1);
}

const struct CMUnitTest test_alarm[] = {
    cmocka_unit_test(windows_follow_the_poisson_law),
    cmocka_unit_test(two_bad_windows_alarm),
    cmocka_unit_test(a_gap_says_nothing),
    cmocka_unit_test(no_loops_say_nothing),
};
TEST_SUITE(test_alarm);
