/* tests/scenario/test_network_level.c - the simulator's network level: what it
 * says of small networks, and that it says it again. */
#include "tests/runner.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/rng.h"
#include "lib/rng_seeded.h"
#include "lib/secret.h"
#include "sim/network_level/network_level.h"
#include "sim/network_level/network_level_internal.h"

/* What a scenario file that says nothing but these numbers becomes. */
static void
scenario_fill(struct scenario *s, uint32_t clients, uint32_t texts)
{
    struct params p;
    params_default(&p, 3600);
    *s = (struct scenario){.name = "test",
                           .level = LEVEL_NETWORK,
                           .seed = test_seed(),
                           .runs = 1,
                           .n_clients = 1};
    s->network = (struct scenario_network){.topology = TOPOLOGY_STRATIFIED,
                                           .trip = TRIP_ROUND,
                                           .layers = 3,
                                           .width = 2,
                                           .gateways = 2,
                                           .stores = 2,
                                           .latency_law = LATENCY_CONSTANT,
                                           .latency_fixed_us = 1000};
    s->mix =
        (struct scenario_mix){.params = {.strategy = MIX_POISSON,
                                         .interval_us = p.mix_interval_us,
                                         .threshold = p.mix_threshold,
                                         .keep = p.mix_keep,
                                         .permille = p.mix_permille},
                              .delay_mean_us = p.delay_mean_us,
                              .poll_delay_mean_us = p.poll_delay_mean_us,
                              .store_delay_fixed_us = p.store_delay_fixed_us,
                              .store_delay_mean_us = p.store_delay_mean_us,
                              .loop_mhz = p.relay_loop_mhz};
    s->clients[0] = (struct scenario_clients){
        .count = clients, .send = SEND_POISSON, .profile = p.profiles[0]};
    s->run = (struct scenario_run){.warmup_s = -1, .batches = 20};
    s->measure = (struct scenario_measure){
        .texts = texts, .text_gap_mean_s = 0.5, .contacts = 1};
}

static void
run(const struct scenario *s, bool real_crypto, struct sim_result *r)
{
    const struct sim_options o = {.real_crypto = real_crypto};
    struct scenario_problem problem;
    int err = whole_run(s, &o, r, &problem);
    if (err)
        fail_msg("%s: %s", error_name(err), problem.text);
}

static double
value(const struct sim_result *r, const char *name)
{
    const struct sim_metric *m = result_find(r, name);
    assert_non_null(m);
    return m->value;
}

static void
all_texts_arrive(void **state)
{
    (void)state;
    struct scenario s;
    struct sim_result r;
    scenario_fill(&s, 4, 10);
    run(&s, false, &r);
    assert_true(value(&r, "text.sent") == 10);
    assert_true(value(&r, "text.arrived") == 10);
    assert_true(value(&r, "text.lost") == 0);
    assert_true(value(&r, "text.twice") == 0);
    assert_true(value(&r, "packets.dropped") == 0);
    assert_true(value(&r, "text.latency.p50") > 0.5);
    assert_true(value(&r, "text.latency.p50") < 10);
    assert_true(value(&r, "text.latency.p90") <= value(&r, "text.latency.p99"));
    assert_true(value(&r, "relay.held.mean") > 0);
    assert_true(r.course != 0);
}

/* The two random streams exist for this: nothing that has a time depends on
 * keys. */
static void
the_course_is_the_seeds(void **state)
{
    (void)state;
    struct scenario s;
    struct sim_result null, again, real, other;
    for (unsigned i = 0; i < 3; i++) {
        scenario_fill(&s, 4, 10);
        s.seed += i;
        run(&s, false, &null);
        run(&s, false, &again);
        run(&s, true, &real);
        assert_int_equal(null.course, again.course);
        assert_int_equal(null.course, real.course);
        assert_int_equal(null.n, real.n);
        for (size_t k = 0; k < null.n; k++)
            assert_memory_equal(&null.metric[k].value, &real.metric[k].value,
                                sizeof(double));
        s.seed += 1000;
        run(&s, false, &other);
        assert_int_not_equal(null.course, other.course);
    }
}

/* Rates of the links are the profile's, within five standard errors. */
static void
links_carry_the_profile(void **state)
{
    (void)state;
    struct scenario s;
    struct sim_result r;
    scenario_fill(&s, 10, 0);
    s.run.measure_s = 300;
    run(&s, false, &r);
    const struct sim_metric *up = result_find(&r, "link.up.packets");
    const struct profile *p = &s.clients[0].profile;
    double rate = (p->send_mhz + p->poll_mhz + p->loop_mhz) / 1000.0;
    assert_true(fabs(up->value - rate) <= 5 / 1.96 * up->half);
    assert_true(fabs(value(&r, "link.down.packets") -
                     1e6 / p->down_interval_us) < 0.05);
    assert_true(fabs(value(&r, "link.up.bytes") - 2048 * up->value) < 1e-6);
    assert_null(result_find(&r, "text.latency.p50"));
}

/* Epochs go on: texts arrive over more of them than a consensus is usable. */
static void
epochs_go_on(void **state)
{
    (void)state;
    struct scenario s;
    struct sim_result r;
    scenario_fill(&s, 2, 20);
    s.measure.text_gap_mean_s = 1200;
    s.run.measure_s = 5 * 3600;
    run(&s, false, &r);
    assert_true(value(&r, "text.arrived") == 20);
}

/* Pairs come and go, and start again from their disks: all texts arrive, and what
 * clients send is told of the time in which they are there. */
static void
pairs_come_and_go(void **state)
{
    (void)state;
    struct scenario s;
    struct sim_result r;
    scenario_fill(&s, 2, 24);
    s.clients[0].stay_mean_s = 60;
    s.clients[0].away_mean_s = 600;
    run(&s, false, &r);
    assert_true(value(&r, "text.sent") == 24);
    assert_true(value(&r, "text.arrived") == 24);
    assert_true(value(&r, "text.lost") == 0);
    assert_true(value(&r, "text.twice") == 0);
    const struct sim_metric *up = result_find(&r, "link.up.packets");
    const struct profile *p = &s.clients[0].profile;
    double rate = (p->send_mhz + p->poll_mhz + p->loop_mhz) / 1000.0;
    assert_true(fabs(up->value - rate) <= 5 / 1.96 * up->half);
}

/* First texts go both ways, are announced and found: later than those of two who
 * write in turn, and long before the sweep's turn. */
static void
first_texts_are_announced(void **state)
{
    (void)state;
    struct scenario s;
    struct sim_result turn, first;
    scenario_fill(&s, 2, 30);
    run(&s, false, &turn);
    s.measure.first = true;
    s.measure.contacts = 12;
    s.measure.text_gap_mean_s = 10;
    run(&s, false, &first);
    assert_true(value(&first, "text.arrived") == 30);
    assert_true(value(&first, "text.twice") == 0);
    const double p50 = value(&first, "text.latency.p50");
    assert_true(p50 > 1.5 * value(&turn, "text.latency.p50"));
    assert_true(p50 < 15);
}

/* In sittings so short that one line has had its texts before the other has: as many
 * are sent as are asked for. */
static void
sittings_send_no_more(void **state)
{
    (void)state;
    struct scenario s;
    struct sim_result r;
    scenario_fill(&s, 2, 9);
    s.measure.first = true;
    s.measure.contacts = 4;
    s.measure.text_gap_mean_s = 20;
    s.clients[0].stay_mean_s = 90;
    s.clients[0].away_mean_s = 60;
    run(&s, false, &r);
    assert_true(value(&r, "text.sent") == 9);
    assert_true(value(&r, "text.arrived") == 9);
}

/* A lost control frame is noticed as a daemon would, and texts are repeated. */
static void
losses_are_made_good(void **state)
{
    (void)state;
    struct scenario s;
    struct sim_result r;
    scenario_fill(&s, 40, 20);
    s.network.loss = 0.05;
    run(&s, false, &r);
    assert_true(value(&r, "text.arrived") == 20);
    assert_true(value(&r, "loops.lost") > 0.02);
}

static void
weights_and_groups(void **state)
{
    (void)state;
    static double weights[] = {1, 3, 2, 1, 0.5, 7};
    struct scenario s;
    struct sim_result r;
    scenario_fill(&s, 2, 8);
    s.network.weights = weights;
    for (uint32_t i = 0; i < 3; i++) {
        s.network.widths[i] = i + 1;
        s.network.weights_start[i] = i * (i + 1) / 2;
    }
    s.n_clients = 2;
    s.clients[1] = s.clients[0];
    s.clients[1].profile.poll_mhz = 4321;
    run(&s, false, &r);
    assert_true(value(&r, "text.arrived") == 8);
}

static void
what_it_cannot_is_refused(void **state)
{
    (void)state;
    const struct sim_options o = {0};
    struct scenario s;
    struct sim_result r;
    struct scenario_problem problem;
    scenario_fill(&s, 4, 10);
    s.network.latency_law = LATENCY_MATRIX;
    assert_int_equal(whole_run(&s, &o, &r, &problem), ERR_UNSUPPORTED);
    assert_non_null(strstr(problem.text, "network.latency"));
    scenario_fill(&s, 4, 10);
    s.measure.first = true; /* with one contact */
    assert_int_equal(whole_run(&s, &o, &r, &problem), ERR_RANGE);
    assert_non_null(strstr(problem.text, "measure.first"));
    scenario_fill(&s, 4, 10);
    s.measure.contacts = CLIENT_CONTACTS_MAX + 1;
    assert_int_equal(whole_run(&s, &o, &r, &problem), ERR_RANGE);
    assert_non_null(strstr(problem.text, "measure.contacts"));
    scenario_fill(&s, 4, 10);
    s.clients[0].profile.poll_mhz = 0;
    assert_int_equal(whole_run(&s, &o, &r, &problem), ERR_RANGE);
    assert_non_null(strstr(problem.text, "clients[0]"));
    scenario_fill(&s, 4, 10);
    s.network.layers = 7;
    assert_int_equal(whole_run(&s, &o, &r, &problem), ERR_RANGE);
    scenario_fill(&s, 4, 10);
    s.network.stores = 0;
    assert_int_equal(whole_run(&s, &o, &r, &problem), ERR_RANGE);
    scenario_fill(&s, 4, 10);
    s.mix.delay_mean_us = 61000000; /* no consensus may say so */
    assert_int_equal(whole_run(&s, &o, &r, &problem), ERR_RANGE);
    assert_non_null(strstr(problem.text, "mix"));
}

static void
noted(void *ctx, double share)
{
    double *last = ctx;
    assert_true(share >= *last && share <= 1);
    assert_true(secret_is_plain());
    *last = share;
}

/* Progress grows to the end; ordinary secrets are for the run alone. */
static void
it_tells_how_far_it_is(void **state)
{
    (void)state;
    struct scenario s;
    struct sim_result r;
    struct scenario_problem problem;
    double share = 0;
    const struct sim_options o = {.progress = noted, .ctx = &share};
    scenario_fill(&s, 2, 5);
    assert_int_equal(whole_run(&s, &o, &r, &problem), 0);
    assert_true(share == 1);
    assert_false(secret_is_plain());
}

/* A frame a line, as many as were sent. */
static void
a_trace_has_every_frame(void **state)
{
    (void)state;
    struct scenario s;
    struct sim_result r;
    struct scenario_problem problem;
    struct sim_options o = {.trace = tmpfile()};
    unsigned long long at = 0, before = 0;
    unsigned from, to, lines = 0;
    char line[100];
    assert_non_null(o.trace);
    scenario_fill(&s, 2, 1);
    assert_int_equal(whole_run(&s, &o, &r, &problem), 0);
    rewind(o.trace);
    assert_non_null(fgets(line, sizeof line, o.trace));
    assert_string_equal(line, "time_us,from,to\n");
    for (; fgets(line, sizeof line, o.trace); lines++, before = at) {
        assert_int_equal(sscanf(line, "%llu,%u,%u", &at, &from, &to), 3);
        assert_true(at >= before);
        assert_true(from < 12 && to < 12 && from != to);
    }
    assert_true(lines > 100 && lines < value(&r, "events"));
    fclose(o.trace);
}

/* Intervals hold their quantile as often as they say: of 2,000 samples of 400
 * about 1,900, within five standard errors and what the order statistics are
 * too wide by. */
static void
intervals_hold_the_truth(void **state)
{
    (void)state;
    enum { TRIES = 2000, N = 400 };
    struct rng_seeded rng;
    double x[N];
    unsigned mean = 0, median = 0, ninth = 0;
    rng_seeded_init_u64(&rng, test_seed(), "intervals");
    for (unsigned t = 0; t < TRIES; t++) {
        for (unsigned i = 0; i < N; i++)
            x[i] = (double)rng_exp_from(rng_seeded_u64(&rng), 1000000) / 1e6;
        struct estimate m = whole_mean(x, N);
        mean += fabs(m.value - 1) <= m.half;
        stats_sort(x, N);
        struct estimate q = stats_quantile(x, N, 0.5);
        median += fabs(q.value - log(2)) <= q.half;
        q = stats_quantile(x, N, 0.9);
        ninth += fabs(q.value - log(10)) <= q.half;
    }
    const unsigned off = (unsigned)(5 * sqrt(TRIES * 0.05 * 0.95));
    assert_in_range(mean, 1900 - off, 1900 + off);
    assert_in_range(median, 1900 - off, 1900 + 2 * off);
    assert_in_range(ninth, 1900 - off, 1900 + 2 * off);
    assert_true(isnan(stats_quantile(x, 100, 0.99).half));
    assert_true(isnan(stats_quantile(x, 0, 0.5).value));
    for (unsigned i = 0; i < N; i++)
        x[i] = i / 100; /* four batches: 0, 1, 2, 3 */
    struct estimate b = whole_batch_mean(x, N, 4);
    assert_true(fabs(b.value - 1.5) < 1e-9);
    assert_true(fabs(b.half - 1.959964 * sqrt(5.0 / 3) / 2) < 1e-6);
}

const struct CMUnitTest test_network_level[] = {
    cmocka_unit_test(all_texts_arrive),
    cmocka_unit_test(the_course_is_the_seeds),
    cmocka_unit_test(links_carry_the_profile),
    cmocka_unit_test(epochs_go_on),
    cmocka_unit_test(pairs_come_and_go),
    cmocka_unit_test(first_texts_are_announced),
    cmocka_unit_test(sittings_send_no_more),
    cmocka_unit_test(losses_are_made_good),
    cmocka_unit_test(weights_and_groups),
    cmocka_unit_test(what_it_cannot_is_refused),
    cmocka_unit_test(it_tells_how_far_it_is),
    cmocka_unit_test(a_trace_has_every_frame),
    cmocka_unit_test(intervals_hold_the_truth),
};
TEST_SUITE(test_network_level);
