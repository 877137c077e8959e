/* tests/scenario/test_announce.c - the simulator's level "announce": closed
 * forms, the bars of doc/PARAMETERS.md, and what a contact sees of others. Small
 * here; `make sim-accept` and `make study` do it at full size. */
#include "tests/runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rng.h"
#include "sim/announce/announce.h"
#include "sim/announce/announce_internal.h"
#include "tests/network.h"
#include "tests/stats.h"

/* A scenario of these members of "announce", and its figures. */
static void
run(const char *announce, uint32_t texts, struct sim_result *r)
{
    char text[1024];
    const struct sim_options o = {0};
    struct scenario_file *f;
    struct scenario_problem p;
    snprintf(text, sizeof text,
             "{'format':1,'level':'announce','clients':[{'count':10000}],"
             "'measure':{'texts':%u},'announce':{%s}}",
             (unsigned)texts, announce);
    for (char *c = text; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    if (scenario_parse(&f, text, strlen(text), "", &p))
        fail_msg("%s", p.text);
    f->cases[0]->seed = test_seed();
    assert_int_equal(announce_run(f->cases[0], &o, r, &p), 0);
    scenario_free(&f);
}

static double
value(const struct sim_result *r, const char *name)
{
    const struct sim_metric *m = result_find(r, name);
    if (!m)
        fail_msg("no metric %s", name);
    return m->value;
}

/* ---- parts ---- */

static void
events_come_in_order(void **state)
{
    (void)state;
    enum { MANY = 5000 };
    struct test_env e;
    struct events q = {0};
    struct happening h;
    uint64_t last_us = 0, last = 0, n = 0;
    test_env_init(&e, test_seed());
    assert_false(events_take(&q, UINT64_MAX, &h));
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(events_put(&q, rng_below(&e.env, 1000), 1, i, 2 * i),
                         0);
    assert_false(events_take(&q, 0, &h) && h.at_us > 0);
    for (n += q.n < MANY; events_take(&q, 500, &h); n++) {
        assert_true(h.at_us > last_us || (h.at_us == last_us && h.a >= last));
        assert_int_equal(h.b, 2 * h.a);
        last_us = h.at_us;
        last = h.a;
    }
    assert_true(last_us <= 500 && n > MANY / 3 && n < MANY);
    while (events_take(&q, UINT64_MAX, &h))
        n++;
    assert_int_equal(n, MANY);
    events_free(&q);
}

/* Poisson tails by summing up from below. */
static void
lists_are_long_enough_and_no_longer(void **state)
{
    (void)state;
    static const double means[] = {0.01, 0.5, 3, 16.7, 167, 1667};
    for (size_t i = 0; i < 6; i++) {
        const uint32_t k = boards_entries(means[i], 1e-4);
        double below = 0;
        for (uint32_t j = 0; j < k; j++)
            below += exp(j * log(means[i]) - means[i] - lgamma(j + 1));
        /* P(> k - 1) is too much, P(> k) is not */
        assert_true(k == 1 || 1 - below >= 1e-4);
        below += exp(k * log(means[i]) - means[i] - lgamma(k + 1.0));
        assert_true(1 - below < 1e-4);
    }
}

/* Half an interval, signing and passing on, the place in the stream; nothing else
 * where nobody confirms, and later where somebody does. */
static void
tokens_are_listed_after_their_interval(void **state)
{
    (void)state;
    enum { TOKENS = 20000 };
    struct boards b = {.boards = 4,
                       .families = 3,
                       .interval_us = 2000000,
                       .entries = 40,
                       .tokens = 17,
                       .stream_us = 400000,
                       .answers_hz = 6.5,
                       .mix_us = 100000,
                       .hops_back = 4};
    struct test_env e;
    double sum[2] = {0};
    test_env_init(&e, test_seed());
    for (int confirm = 0; confirm < 2; confirm++) {
        b.confirm = confirm;
        for (int i = 0; i < TOKENS; i++) {
            const uint64_t at_us = rng_below(&e.env, 10000000000);
            const uint64_t us = boards_listed_us(&b, &e.env, at_us);
            assert_true(us > at_us);
            sum[confirm] += (double)(us - at_us) / 1e6 / TOKENS;
        }
    }
    const double plain_s = 1 + 0.225 + 0.4 * 2.5 / 4;
    assert_true(fabs(sum[0] - plain_s) < 0.03);
    /* the second of two Poisson answers and its way, in place of what it hides */
    assert_true(sum[1] > plain_s + 0.1 && sum[1] < plain_s + 1);
}

/* Two laws whose distance is known, Exp(1) and Exp(1) + d: the best test is right
 * more often by 1 - exp(-d); and by nothing where they are the same. */
static void
an_advantage_is_what_it_is(void **state)
{
    (void)state;
    enum { N = 40000 };
    static double a[N], b[N];
    struct test_env e;
    struct estimate one, many;
    test_env_init(&e, test_seed());
    static const double by[] = {0, 0.02, 0.3};
    for (size_t k = 0; k < 3; k++) {
        for (size_t i = 0; i < N; i++) {
            a[i] = -log(rng_unit(&e.env));
            b[i] = -log(rng_unit(&e.env)) + by[k];
        }
        assert_int_equal(probes_advantage(a, b, N, 1, &one), 0);
        assert_int_equal(probes_advantage(a, b, N, 50, &many), 0);
        /* half widths are of two standard errors; slices lose a little */
        assert_true(one.value < 1 - exp(-by[k]) + 2.5 * one.half);
        assert_true(one.value > 0.8 * (1 - exp(-by[k])) - 2.5 * one.half);
        assert_true(k < 2 || many.value > 0.9);
        assert_true(k > 0 || many.value < 2.5 * many.half);
    }
    assert_int_equal(probes_advantage(a, b, 3, 50, &many), 0);
    assert_true(isnan(many.value));
}

/* ---- letters ---- */

/* A text in a running conversation waits for a tick of 2/s of which 1 in 8 is for
 * copies, goes through 4 relays, waits for a get of 4/s * 25/64 of which 1 in 16
 * is for the second store and 1 in 16 for yesterday, leaves 50 ms later, and comes
 * through 4 relays and the gateway's clock of 9.75/s. */
static void
running_texts_take_what_they_should(void **state)
{
    (void)state;
    struct sim_result r;
    run("'use':'running','think_ms':10000", 4000, &r);
    const double get_hz = 4 * 25 / 64.0 * 15 / 16 * 15 / 16;
    const double mean_s = 1 / 1.75 + 0.4 + 1 / get_hz + 0.05 + 0.4 + 0.5 / 9.75;
    const struct sim_metric *mean = result_find(&r, "text.latency.mean");
    assert_true(fabs(mean->value - mean_s) < 2.5 * mean->half + 0.03);
}

static void
texts_come_within_their_bars(void **state)
{
    (void)state;
    struct sim_result r;
    run("'use':'running'", 4000, &r);
    assert_true(value(&r, "text.latency.p50") < 2.2);
    assert_true(value(&r, "text.latency.p99") < 5.5 + 0.4);
    static const char *const contacts[] = {"'contacts':50", "'contacts':500"};
    for (size_t i = 0; i < 2; i++) {
        run(contacts[i], test_proof() ? 10000 : 500, &r);
        assert_true(value(&r, "text.latency.p50") < 8);
        assert_true(value(&r, "text.latency.p99") < 15 + 3);
    }
}

/* Files, groups, a service: nobody waits for the sweep. */
static void
other_uses_come_within_their_bars(void **state)
{
    (void)state;
    struct sim_result r;
    run("'use':'file'", 1000, &r);
    assert_true(value(&r, "file.of_sends") > 0.75);
    run("'use':'copies','contacts':7", 500, &r);
    assert_true(value(&r, "text.latency.p50") < 12);
    assert_true(value(&r, "group.latency.p99") < 60);
    run("'use':'host','contacts':50", 300, &r);
    assert_true(value(&r, "group.latency.p99") < 120);
    run("'use':'service','contacts':50,'think_ms':600000", 300, &r);
    assert_true(value(&r, "text.latency.p50") < 12);
    assert_true(value(&r, "text.latency.p99") < 60);
}

static void
a_run_is_the_same_again(void **state)
{
    (void)state;
    static struct sim_result a, b;
    run("'use':'copies','contacts':3", 100, &a);
    run("'use':'copies','contacts':3", 100, &b);
    assert_true(a.course == b.course && a.course != 0);
    assert_int_equal(a.n, b.n);
}

/* ---- what a contact sees ---- */

/* A contact's probes of a user who talks with nobody, and of one who talks with so
 * many others; n of each. */
struct probes {
    const char *probe;
    unsigned others;
    uint32_t quick, proof;
};

static void
probes_judge(const struct probes *of, const char *name, double most)
{
    char text[128];
    struct sim_result r;
    const uint32_t n = test_proof() ? of->proof : of->quick;
    snprintf(text, sizeof text,
             "'use':'probe','think_ms':15000,'probe':'%s','others':%u",
             of->probe, of->others);
    run(text, n, &r);
    const struct sim_metric *one = result_find(&r, "probe.advantage");
    const struct sim_metric *many = result_find(&r, "probe.advantage_50");
    printf("  %s, %u others, %u probes: advantage %.1f +- %.1f %%, of 50 "
           "%.1f +- %.1f %%\n",
           name, of->others, (unsigned)n, 100 * one->value, 100 * one->half,
           100 * many->value, 100 * many->half);
    if (one->value > most + 2.5 * one->half)
        fail_msg("%s, %u others: %g", name, of->others, one->value);
    /* of few probes there are no two times 50 to learn from: then it is no number */
    if (many->value > 2 * most + 2.5 * many->half)
        fail_msg("50 of %s, %u others: %g", name, of->others, many->value);
}

/* 5 % of one probe, 10 % of 50. Chance alone goes beyond 2.5 half widths (4.9
 * standard errors) once in a million. What a contact gets of its own box changes
 * nothing there at all: i12_a_get_tells_nothing_of_others. */
static void
contacts_see_nobody_else(void **state)
{
    (void)state;
    static const struct probes all[] = {
        {"text", 10, 2000, 200000},  {"text", 1, 500, 100000},
        {"ping", 10, 300, 100000},   {"ping", 1, 200, 100000},
        {"file", 10, 300, 50000},    {"file", 1, 200, 50000},
        {"ack", 10, 100, 10000},     {"ack", 1, 100, 10000},
        {"nothing", 10, 100, 10000}, {"nothing", 1, 100, 10000},
        {"silent", 10, 60, 10000},   {"silent", 1, 40, 10000}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        probes_judge(&all[i], all[i].probe, 0.05);
}

/* The control: polls by recency, acknowledgements at once. */
static void
contacts_would_see_them_otherwise(void **state)
{
    (void)state;
    static const struct {
        unsigned others;
        double least; /* of one probe */
        uint32_t quick;
    } worlds[] = {{1, 0.3, 4000}, {10, 0.6, 1000}};
    for (size_t i = 0; i < 2; i++) {
        char text[128];
        struct sim_result r;
        snprintf(text, sizeof text,
                 "'use':'probe','think_ms':15000,'others':%u,"
                 "'schedule':'recency'",
                 worlds[i].others);
        run(text, test_proof() ? 10000 : worlds[i].quick, &r);
        const double one = value(&r, "probe.advantage");
        const double many = value(&r, "probe.advantage_50");
        printf("  by recency, %u others: advantage %.1f %%, of 50 %.1f %%\n",
               worlds[i].others, 100 * one, 100 * many);
        assert_true(one > worlds[i].least && many > 0.9);
    }
}

const struct CMUnitTest test_announce[] = {
    cmocka_unit_test(events_come_in_order),
    cmocka_unit_test(lists_are_long_enough_and_no_longer),
    cmocka_unit_test(tokens_are_listed_after_their_interval),
    cmocka_unit_test(an_advantage_is_what_it_is),
    cmocka_unit_test(running_texts_take_what_they_should),
    cmocka_unit_test(texts_come_within_their_bars),
    cmocka_unit_test(other_uses_come_within_their_bars),
    cmocka_unit_test(a_run_is_the_same_again),
    cmocka_unit_test(contacts_see_nobody_else),
    cmocka_unit_test(contacts_would_see_them_otherwise),
};
TEST_SUITE(test_announce);
