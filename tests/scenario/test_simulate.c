/* tests/scenario/test_simulate.c - the simulator's level of numbers, through
 * scenario files as a user has them: the same course whatever the threads and
 * with real packets; figures that must agree with each other; some of the
 * acceptance scenarios (make sim-accept runs all). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/jobs.h"
#include "sim/report.h"
#include "tests/runner.h"

enum { CASES_MAX = 8 };

struct ran {
    struct scenario_file *file;
    struct case_result result[CASES_MAX];
};

static struct scenario_file *
parsed(const char *text)
{
    struct scenario_file *f;
    struct scenario_problem p;
    int err = scenario_parse(&f, text, strlen(text), "", &p);
    if (err)
        fail_msg("%s", p.text);
    assert_true(f->n_cases <= CASES_MAX);
    return f;
}

static struct ran
run_file(struct scenario_file *f, uint32_t threads, bool real_crypto)
{
    struct ran r = {.file = f};
    struct scenario_problem p;
    const struct jobs_config config = {
        .threads = threads, .real_crypto = real_crypto, .quiet = true};
    int err = jobs_run(f, &config, r.result, &p);
    if (err)
        fail_msg("%s: %s", error_text(err), p.text);
    return r;
}

static const struct sim_metric *
figure(const struct ran *r, size_t number, const char *name)
{
    const struct sim_metric *m = result_find(&r->result[number].result, name);
    if (!m)
        fail_msg("no figure is called %s", name);
    return m;
}

/* Bit for bit. */
static void
assert_same(const struct ran *a, const struct ran *b)
{
    for (size_t i = 0; i < a->file->n_cases; i++) {
        const struct sim_result *x = &a->result[i].result;
        const struct sim_result *y = &b->result[i].result;
        assert_int_equal(x->course, y->course);
        assert_int_equal(x->n, y->n);
        for (size_t k = 0; k < x->n; k++) {
            assert_memory_equal(&x->metric[k].value, &y->metric[k].value,
                                sizeof(double));
            assert_memory_equal(&x->metric[k].half, &y->metric[k].half,
                                sizeof(double));
        }
    }
}

static void
threads_change_nothing(void **state)
{
    (void)state;
    struct scenario_file *f = parsed(
        "{\"format\":1,\"runs\":3,\"clients\":[{\"count\":20,\"rate\":2}],"
        "\"network\":{\"width\":2},\"run\":{\"measure_s\":20},"
        "\"measure\":{\"targets\":20,\"mix_entropy\":true},"
        "\"cases\":[{\"name\":\"a\",\"set\":{}},"
        "{\"name\":\"b\",\"set\":{\"network.layers\":2}}]}");
    struct ran one = run_file(f, 1, false), three = run_file(f, 3, false);
    assert_same(&one, &three);
    assert_int_not_equal(one.result[0].result.course,
                         one.result[1].result.course);
    f->cases[0]->seed++;
    struct ran other = run_file(f, 2, false);
    assert_int_not_equal(one.result[0].result.course,
                         other.result[0].result.course);
    assert_int_equal(one.result[1].result.course,
                     other.result[1].result.course);
    scenario_free(&f);
}

/* Every strategy, one way; and round trips with all that can happen. */
static void
real_packets_go_the_same_way(void **state)
{
    (void)state;
    struct scenario_file *f = parsed(
        "{\"format\":1,\"clients\":[{\"count\":12,\"rate\":3}],"
        "\"network\":{\"width\":2},\"mix\":{\"threshold\":5,\"keep\":3,"
        "\"interval_ms\":300},\"run\":{\"warmup_s\":1,\"measure_s\":4},"
        "\"measure\":{\"targets\":2,\"drained\":0.01},\"cases\":["
        "{\"name\":\"poisson\",\"set\":{}},"
        "{\"name\":\"timed\",\"set\":{\"mix.strategy\":\"timed-pool\","
        "\"mix.keep\":1}},"
        "{\"name\":\"threshold\",\"set\":{\"mix.strategy\":"
        "\"threshold-pool\"}},"
        "{\"name\":\"binomial\",\"set\":{\"mix.strategy\":\"binomial\"}},"
        "{\"name\":\"free\",\"set\":{\"network.topology\":\"free-route\","
        "\"network.width\":4}},"
        "{\"name\":\"cascade\",\"set\":{\"network.topology\":\"cascade\"}},"
        "{\"name\":\"round\",\"set\":{\"network.trip\":\"round\","
        "\"network.gateways\":2,\"network.stores\":2,\"network.loss\":0.01,"
        "\"network.latency\":{\"law\":\"exponential\",\"fixed_ms\":2,"
        "\"mean_ms\":5},\"clients[0].stay_mean_s\":5,"
        "\"clients[0].away_mean_s\":2}}]}");
    struct ran numbers = run_file(f, 2, false), packets = run_file(f, 2, true);
    assert_same(&numbers, &packets);
    assert_true(figure(&packets, 6, "packets.out")->value > 10);
    scenario_free(&f);
}

/* When the observer's probabilities are right, the right place has on average
 * what the sum of squares says. Thin mixes, so that it matters; one is corrupt.
 * And of what is inside, by Little's law: rate times time. 5 standard errors:
 * a false alarm in 10^6. */
static void
figures_agree(void **state)
{
    (void)state;
    struct scenario_file *f =
        parsed("{\"format\":1,\"clients\":[{\"count\":30,\"rate\":1}],"
               "\"network\":{\"layers\":2,\"width\":2},"
               "\"mix\":{\"delay_mean_ms\":300,\"loop_rate\":0},"
               "\"run\":{\"measure_s\":3000},\"measure\":{\"targets\":3000},"
               "\"cases\":[{\"name\":\"honest\",\"set\":{}},"
               "{\"name\":\"one corrupt\",\"set\":{\"network.corrupt\":1}},"
               "{\"name\":\"binomial\",\"set\":{\"mix.strategy\":\"binomial\","
               "\"mix.interval_ms\":300}}]}");
    struct ran r = run_file(f, 2, false);
    for (size_t i = 0; i < f->n_cases; i++) {
        const struct sim_metric *truth = figure(&r, i, "entropy.truth");
        const struct sim_metric *squares = figure(&r, i, "entropy.collision");
        double error = hypot(truth->half, squares->half) / 1.96;
        assert_true(squares->value > 0.01);
        if (fabs(truth->value - squares->value) > 5 * error)
            fail_msg("truth %g, squares %g, error %g", truth->value,
                     squares->value, error);
        double inside = figure(&r, i, "packets.inside")->value;
        double little = figure(&r, i, "packets.sent")->value *
                        figure(&r, i, "latency.mean")->value;
        double half = figure(&r, i, "packets.inside")->half;
        assert_true(fabs(inside - little) < 5 * half + 0.01 * inside);
    }
    scenario_free(&f);
}

static char *
file_text(const char *name)
{
    char *text = calloc(1, 100000);
    FILE *f = fopen(name, "r");
    assert_non_null(text);
    assert_non_null(f);
    assert_true(fread(text, 1, 99999, f) > 0);
    fclose(f);
    return text;
}

static void
known_results(void **state)
{
    static const char *const names[] = {"T04", "T05", "T06", "T07", "T10"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[64];
        snprintf(name, sizeof name, "sim/scenarios/accept/%s.json", names[i]);
        char *text = file_text(name);
        struct scenario_file *f = parsed(text);
        struct ran r = run_file(f, 2, false);
        for (size_t c = 0; c < f->n_cases; c++)
            for (size_t e = 0; e < f->n_expects; e++) {
                struct expect_verdict v =
                    report_judge(&f->expects[e], c, &r.result[c].result);
                if (!v.good)
                    fail_msg("%s, %s: %g, expected %g within %g", names[i],
                             f->expects[e].metric, v.value, v.wanted,
                             v.allowed);
                /* and a wrong one is missed */
                f->expects[e].values[c] += 2 * v.allowed;
                v = report_judge(&f->expects[e], c, &r.result[c].result);
                assert_false(v.good && v.value < v.wanted - v.allowed);
            }
        assert_true(report_missed(f, r.result) > 0);
        scenario_free(&f);
        free(text);
    }
}

const struct CMUnitTest test_simulate[] = {
    cmocka_unit_test(threads_change_nothing),
    cmocka_unit_test(real_packets_go_the_same_way),
    cmocka_unit_test(figures_agree),
    cmocka_unit_test(known_results),
};
TEST_SUITE(test_simulate);
