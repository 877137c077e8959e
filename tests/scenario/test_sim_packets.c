/* tests/scenario/test_sim_packets.c - whole runs of the level "packets": the
 * same course however they are done, and laws that hold for every network.
 * Texts are written with ' for ". */
#include "tests/runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/command/jobs.h"
#include "sim/command/report.h"
#include "sim/scenario/metrics.h"
#include "sim/stats.h"
#include "tests/stats.h"

enum { TEXT_LEN = 4096, CASES_MAX = 8 };
#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct outcome {
    struct scenario_file *file;
    struct case_result result[CASES_MAX];
};

static void
outcome_run(struct outcome *o, char *text, uint32_t threads, bool real,
            FILE *trace)
{
    struct scenario_problem p;
    const struct jobs_config config = {
        .threads = threads, .real_crypto = real, .quiet = true, .trace = trace};
    for (char *c = text; *c; c++)
        if (*c == '\'')
            *c = '"';
    if (scenario_parse(&o->file, text, strlen(text), "", &p))
        fail_msg("%s", p.text);
    assert_true(o->file->n_cases <= CASES_MAX);
    if (jobs_run(o->file, &config, o->result, &p))
        fail_msg("%s", p.text);
}

static void
outcome_free(struct outcome *o)
{
    scenario_free(&o->file);
}

static struct estimate
figure(const struct outcome *o, size_t number, const char *name)
{
    const struct sim_metric *m = result_find(&o->result[number].result, name);
    if (!m || isnan(m->value))
        fail_msg("no %s", name);
    return (struct estimate){m->value, m->half};
}

/* Bit for bit; a NAN is itself. */
static void
outcome_same(const struct outcome *a, const struct outcome *b)
{
    assert_int_equal(a->file->n_cases, b->file->n_cases);
    for (size_t i = 0; i < a->file->n_cases; i++) {
        const struct sim_result *x = &a->result[i].result,
                                *y = &b->result[i].result;
        assert_true(x->course == y->course);
        assert_int_equal(x->n, y->n);
        for (size_t k = 0; k < x->n; k++) {
            assert_string_equal(x->metric[k].name, y->metric[k].name);
            assert_memory_equal(&x->metric[k].value, &y->metric[k].value,
                                sizeof x->metric[k].value);
            assert_memory_equal(&x->metric[k].half, &y->metric[k].half,
                                sizeof x->metric[k].half);
        }
    }
}

/* ---- the course ---- */

static void
seed_text(char text[static TEXT_LEN], unsigned seed)
{
    snprintf(text, TEXT_LEN,
             "{'format':1,'seed':%u,'runs':3,'network':{'width':4,'corrupt':2,"
             "'loss':0.01},'clients':[{'count':30,'rate':2,'stay_mean_s':20,"
             "'away_mean_s':10}],'mix':{'delay_mean_ms':50,"
             "'delay_unit_us':100},'run':{'measure_s':10},'measure':"
             "{'targets':30,'path_messages':10,'mix_entropy':true},'cases':["
             "{'name':'a'},{'name':'b','set':{'network.layers':2}}]}",
             seed);
}

static void
seed_is_all(void **state)
{
    (void)state;
    static struct outcome one, three, other;
    char text[TEXT_LEN];
    seed_text(text, 5);
    outcome_run(&one, text, 1, false, NULL);
    seed_text(text, 5);
    outcome_run(&three, text, 3, false, NULL);
    seed_text(text, 6);
    outcome_run(&other, text, 3, false, NULL);
    outcome_same(&one, &three);
    for (size_t i = 0; i < 2; i++)
        assert_true(one.result[i].result.course !=
                    other.result[i].result.course);
    assert_true(one.result[0].result.course != one.result[1].result.course);
    outcome_free(&one);
    outcome_free(&three);
    outcome_free(&other);
}

static const char *const strategies[] = {
    ("'strategy':'poisson','delay_mean_ms':50,'poll_delay_mean_ms':100,"
     "'delay_unit_us':100"),
    "'strategy':'timed-pool','interval_ms':100,'keep':2",
    "'strategy':'threshold-pool','threshold':5,'keep':3",
    "'strategy':'binomial','interval_ms':100,'share':0.5"};

/* Real packets say where and when what the numbers say. */
static void
real_packets_same(void **state)
{
    (void)state;
    static const char *const trips[] = {"'layers':3,'width':2",
                                        "'trip':'round','layers':2,'width':2,"
                                        "'gateways':2,'stores':2"};
    for (size_t i = 0; i < LEN(strategies); i++)
        for (size_t trip = 0; trip < LEN(trips); trip++) {
            static struct outcome a, b;
            char text[TEXT_LEN], copy[TEXT_LEN];
            snprintf(text, sizeof text,
                     "{'format':1,'network':{%s,'loss':0.01,'latency':{'law':"
                     "'exponential','fixed_ms':2,'mean_ms':5}},'mix':{%s%s},"
                     "'clients':[{'count':20,'rate':2,'stay_mean_s':5,"
                     "'away_mean_s':3}],'run':{'warmup_s':2,'measure_s':5}}",
                     trips[trip], strategies[i],
                     trip ? ",'store_delay_fixed_ms':100" : "");
            strcpy(copy, text);
            outcome_run(&a, text, 1, false, NULL);
            outcome_run(&b, copy, 1, true, NULL);
            assert_true(figure(&a, 0, "packets.out").value > 5);
            outcome_same(&a, &b);
            outcome_free(&a);
            outcome_free(&b);
        }
}

/* ---- laws ---- */

/* In a thin network with corrupt mixes the truth gets on average what the
 * tracker believes that it gets; so on a round trip, where all wait alike. */
static void
tracker_is_calibrated(void **state)
{
    (void)state;
    static const char round[] =
        "'trip':'round','gateways':1,'stores':1,'layers':2,'width':1";
    for (size_t i = 0; i <= LEN(strategies); i++) {
        static struct outcome o;
        char text[TEXT_LEN];
        const bool out_and_back = i == LEN(strategies);
        snprintf(text, sizeof text,
                 "{'format':1,'network':{%s},"
                 "'mix':{%s,'loop_rate':0},'clients':[{'count':30,'rate':2}],"
                 "'run':"
                 "{'measure_s':10},'measure':{'targets':1500}}",
                 out_and_back ? round : "'layers':3,'width':3,'corrupt':3",
                 strategies[out_and_back ? 0 : i]);
        outcome_run(&o, text, 1, false, NULL);
        const struct estimate truth = figure(&o, 0, "entropy.truth"),
                              mean = figure(&o, 0, "entropy.collision");
        /* a standard error is half / 1.96 */
        if (!(fabs(truth.value - mean.value) <=
              5 / 1.96 * hypot(truth.half, mean.half)))
            fail_msg("%s: truth %g, collision %g",
                     out_and_back ? round : strategies[i], truth.value,
                     mean.value);
        outcome_free(&o);
    }
}

/* At a gateway a request is one of the requests, whatever answers wait there:
 * to the store it is one of 55 packets in a mean delay and passes a gateway and
 * three mixes, log2 55 + 2.9191 bits as in T8. Were answers counted the gateway
 * would seem twice as slow, and it would be 0.37 bits more. */
static void
requests_hide_among_requests(void **state)
{
    (void)state;
    static struct outcome o;
    char text[] =
        "{'format':1,'network':{'trip':'round','layers':3,'width':1,"
        "'gateways':1,'stores':1},'clients':[{'count':100,'rate':5.5}],'mix':"
        "{'delay_mean_ms':100,'loop_rate':0},'run':{'measure_s':5},"
        "'measure':{'targets':200,'drained':0.0001}}";
    outcome_run(&o, text, 1, false, NULL);
    const struct estimate bits = figure(&o, 0, "entropy.shannon");
    printf("  %.3f +- %.3f bits\n", bits.value, bits.half);
    assert_true(fabs(bits.value - log2(55) - 2.9191) < 0.1);
    outcome_free(&o);
}

/* How much what is told apart differs from run to run is what a run's own
 * interval says: a challenger's packets are not independent, since those near in
 * time were in the same mixes. Of SEEDS intervals as many contain the mean of all
 * runs as if each did so with 0.8, and fewer than this happen once in 10^6 then;
 * 0.95 it is where much is told apart, less where it is rare and comes together.
 * Mean widths are 0.9 to 1 of the true one. Packets taken for independent gave a
 * third of it, and contained the mean half of the time. */
static void
intervals_of_delta_cover(void **state)
{
    (void)state;
    enum { SEEDS = 200 };
    static const char *const names[] = {"epsilon.own.delta_at_0.5",
                                        "epsilon.own.delta_at_1",
                                        "epsilon.own.mean"};
    static double value[LEN(names)][SEEDS], halves[LEN(names)][SEEDS];
    static struct outcome o;
    char text[] =
        "{'format':1,'seed':1,'network':{'layers':2,'width':1},'mix':"
        "{'delay_mean_ms':1000,'loop_rate':0},'clients':[{'count':8,'rate':2},"
        "{'count':2,'rate':2,'challenger':true}],'run':{'warmup_s':20,"
        "'measure_s':200},'measure':{'epsilon':true,'latency':false}}";
    struct scenario_problem p;
    outcome_run(&o, text, 1, false, NULL);
    for (uint32_t i = 0; i < SEEDS; i++) {
        struct scenario s = *o.file->cases[0];
        const struct sim_options options = {.ctx = NULL};
        s.seed = test_seed() + i;
        assert_int_equal(job_run(&s, &options, &o.result[0].result, &p), 0);
        for (size_t k = 0; k < LEN(names); k++) {
            const struct estimate e = figure(&o, 0, names[k]);
            value[k][i] = e.value;
            halves[k][i] = e.half;
        }
    }
    for (size_t k = 0; k < LEN(names); k++) {
        /* half a width of the mean of n is 1.96 sd / sqrt(n) */
        const struct estimate all = stats_mean(value[k], SEEDS);
        const double half = stats_mean(halves[k], SEEDS).value,
                     width = half / (all.half * sqrt(SEEDS));
        uint32_t covered = 0;
        for (uint32_t i = 0; i < SEEDS; i++)
            covered += fabs(value[k][i] - all.value) <= halves[k][i];
        printf("  %s %.4f: %u of %d intervals contain it, %.2f of the width\n",
               names[k], all.value, covered, SEEDS, width);
        assert_true(covered >
                    0.8 * SEEDS - STATS_ALARM * sqrt(SEEDS * 0.8 * 0.2));
        /* a deviation of 200 runs is known to 5 %, of what is rare to 10 % */
        assert_true(width > 0.6 && width < 1.5);
    }
    outcome_free(&o);
}

/* Who tells polls from other packets by their delays. One gateway and one mix,
 * which hold sends for next to no time and polls for a second: of n = 160 that
 * wait there each is as likely to leave, so that a poll has log2(e n) bits of
 * entropy, and a send nearly none. */
static void
kinds_are_told_apart(void **state)
{
    (void)state;
    static struct outcome o;
    char text[] =
        "{'format':1,'network':{'trip':'round','layers':1,'width':1,"
        "'gateways':1,'stores':1},'clients':[{'count':40}],'mix':"
        "{'delay_mean_ms':1,'poll_delay_mean_ms':1000,'delay_unit_us':200},"
        "'run':{'measure_s':20},'measure':{'targets':80,'drained':0.001},'"
        "cases':"
        "[{'name':'sends','set':{'measure.kinds':'sends'}},"
        "{'name':'polls','set':{'measure.kinds':'polls'}}]}";
    outcome_run(&o, text, 2, false, NULL);
    const double polls = 160, bits = log2(exp(1) * polls);
    for (size_t i = 0; i < 2; i++)
        printf("  %s: %.2f bits, truth %.5f, collision %.5f\n",
               o.file->cases[i]->name, figure(&o, i, "entropy.shannon").value,
               figure(&o, i, "entropy.truth").value,
               figure(&o, i, "entropy.collision").value);
    assert_true(figure(&o, 0, "entropy.shannon").value < 2.5);
    assert_true(fabs(figure(&o, 1, "entropy.shannon").value - bits) < 0.25);
    outcome_free(&o);
}

/* Those inside are as many as come in the time that each stays. */
static void
little_law(void **state)
{
    (void)state;
    static const char *const trips[] = {
        "", "'trip':'round','gateways':2,'stores':2,"};
    for (size_t i = 0; i < LEN(strategies); i++)
        for (size_t trip = 0; trip < LEN(trips); trip++) {
            static struct outcome o;
            char text[TEXT_LEN];
            snprintf(text, sizeof text,
                     "{'format':1,'network':{%s'layers':2,'width':2},'mix':"
                     "{%s,'loop_rate':0},'clients':[{'count':50,'rate':2}],"
                     "'run':{'measure_s':300}}",
                     trips[trip], strategies[i]);
            outcome_run(&o, text, 1, false, NULL);
            const struct estimate inside = figure(&o, 0, "packets.inside"),
                                  sent = figure(&o, 0, "packets.sent"),
                                  stay = figure(&o, 0, "latency.mean");
            /* 5 standard errors of each, were all wrong the same way */
            const double error =
                5 / 1.96 *
                (inside.half / inside.value + sent.half / sent.value +
                 stay.half / stay.value);
            assert_true(error < 0.25);
            if (fabs(sent.value * stay.value / inside.value - 1) > error)
                fail_msg("%s, %s: %g inside, %g come, stay %g", strategies[i],
                         trips[trip], inside.value, sent.value, stay.value);
            outcome_free(&o);
        }
}

/* A way of three mixes is four links. */
static void
loss_adds_up(void **state)
{
    (void)state;
    static struct outcome o;
    char text[] = "{'format':1,'network':{'layers':3,'width':2,'loss':0.05},"
                  "'mix':{'delay_mean_ms':50,'delay_unit_us':100},'clients':"
                  "[{'count':100,'rate':2}],'run':{'measure_s':300}}";
    outcome_run(&o, text, 1, false, NULL);
    const struct estimate lost = figure(&o, 0, "packets.lost");
    assert_true(fabs(lost.value - (1 - pow(0.95, 4))) < 5 / 1.96 * lost.half);
    assert_true(lost.half < 0.01);
    outcome_free(&o);
}

/* ---- metrics ---- */

/* A run has the figures that the table says, and no others. */
static void
figures_are_those_of_the_table(void **state)
{
    (void)state;
    static const char *const scenarios[] = {
        "{'format':1,'network':{'trip':'round','layers':2,'width':4,"
        "'gateways':2,'stores':2,'corrupt':2},'clients':[{'count':8},{'count':"
        "2,'challenger':true}],'mix':{'delay_mean_ms':20,"
        "'poll_delay_mean_ms':40,'delay_unit_us':100},'run':{'measure_s':20},"
        "'measure':{'targets':10,'path_messages':5,'mix_entropy':true,"
        "'epsilon':true,'watch':true,'alarm':true},'cases':[{'name':'all'},"
        "{'name':'few','set':{'measure.targets':0,'measure.latency':false,"
        "'measure.watch':false,'measure.occupancy':false,'network.trip':"
        "'one-way','network.gateways':0,'network.stores':0}}]}",
        "{'format':1,'level':'network','clients':[{'count':2,'profile':'fast'}"
        "],'run':{'measure_s':30},'measure':{'texts':4}}",
        "{'format':1,'level':'announce','clients':[{'count':1000}],'measure':"
        "{'texts':200},'announce':{'contacts':7},'cases':[{'name':'lists',"
        "'set':{'announce.use':'lists'}},{'name':'running','set':"
        "{'announce.use':'running'}},{'name':'copies','set':{'announce.use':"
        "'copies'}},{'name':'file','set':{'announce.use':'file'}},{'name':"
        "'probe','set':{'announce.use':'probe','announce.others':2}}]}"};
    size_t n;
    const struct metric *all = metrics_all(&n);
    for (size_t k = 0; k < LEN(scenarios); k++) {
        static struct outcome o;
        char text[TEXT_LEN];
        strcpy(text, scenarios[k]);
        outcome_run(&o, text, 2, false, NULL);
        for (size_t c = 0; c < o.file->n_cases; c++)
            for (size_t i = 0; i < n; i++) {
                const bool there =
                    result_find(&o.result[c].result, all[i].name);
                if (there != metric_is_measured(&all[i], o.file->cases[c]))
                    fail_msg("%s: %s is%s there", o.file->cases[c]->name,
                             all[i].name, there ? "" : " not");
            }
        outcome_free(&o);
    }
}

/* ---- expectations ---- */

static void
accept_run(struct outcome *o, const char *name)
{
    static char text[1 << 16];
    char path[64];
    snprintf(path, sizeof path, "sim/scenarios/accept/%s.json", name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    for (char *c = text; *c; c++)
        assert_true(*c != '\''); /* which stands for a quote here */
    outcome_run(o, text, 2, false, NULL);
}

static void
accept_files(void **state)
{
    (void)state;
    static const char *const names[] = {"T04", "T05", "T06",
                                        "T07", "T10", "pools"};
    for (size_t i = 0; i < LEN(names); i++) {
        static struct outcome o;
        accept_run(&o, names[i]);
        assert_true(o.file->n_expects > 0);
        if (report_missed(o.file, o.result) > 0)
            fail_msg("%s misses what it expects", names[i]);
        struct scenario_expect *e = &o.file->expects[0];
        const double good = e->values[0], tolerance = e->tolerance;
        e->values[0] *= 1.05;
        assert_true(report_missed(o.file, o.result) > 0);
        e->values[0] = good;
        e->tolerance = 1e-9; /* less than can be told: vague, or missed */
        if (i == 0)
            assert_true(report_judge(e, 0, &o.result[0].result).vague);
        if (i == 0)
            assert_true(report_missed(o.file, o.result) > 0);
        e->tolerance = tolerance;
        assert_int_equal(report_missed(o.file, o.result), 0);
        outcome_free(&o);
    }
}

/* ---- the trace ---- */

enum { SERIALS = 20000 };

/* Each packet is sent once and first, and ends once unless it is under way at
 * the end of the run; loops, which end otherwise, are left out. */
static void
trace_is_whole(void **state)
{
    (void)state;
    static uint64_t sent_us[SERIALS];
    static bool ended[SERIALS];
    static struct outcome o;
    char line[128], event[8], of[8],
        text[] =
            "{'format':1,'network':{'layers':3,'width':2,'loss':0.02},'mix':"
            "{'delay_mean_ms':50,'delay_unit_us':100,'loop_rate':0},'clients':"
            "[{'count':20,'rate':2}],'run':{'warmup_s':1,'measure_s':60}}";
    unsigned long long at_us, last_us = 0;
    uint32_t serial, at, sends = 0, ends = 0, under_way = 0;
    FILE *f = tmpfile();
    assert_non_null(f);
    outcome_run(&o, text, 1, false, f);
    rewind(f);
    assert_non_null(fgets(line, sizeof line, f));
    assert_string_equal(line, "time_us,event,packet,of,at\n");
    while (fgets(line, sizeof line, f)) {
        assert_int_equal(sscanf(line, "%llu,%7[a-z],%u,%7[a-z],%u", &at_us,
                                event, &serial, of, &at),
                         5);
        assert_true(serial < SERIALS && strcmp(of, "client") == 0);
        last_us = at_us > last_us ? at_us : last_us;
        if (strcmp(event, "send") == 0) {
            assert_true(sent_us[serial] == 0);
            sent_us[serial] = at_us;
            sends++;
            continue;
        }
        assert_true(sent_us[serial] > 0 && at_us >= sent_us[serial]);
        assert_false(ended[serial]);
        ended[serial] = strcmp(event, "out") == 0 || strcmp(event, "lost") == 0;
        ends += ended[serial];
    }
    fclose(f);
    assert_true(sends > 1000);
    for (uint32_t i = 0; i < sends; i++)
        if (!ended[i]) { /* 20 mean ways before the end none is left */
            assert_true(sent_us[i] + 3000000 > last_us);
            under_way++;
        }
    assert_int_equal(sends, ends + under_way);
    outcome_free(&o);
}

const struct CMUnitTest test_sim_packets[] = {
    cmocka_unit_test(seed_is_all),
    cmocka_unit_test(real_packets_same),
    cmocka_unit_test(tracker_is_calibrated),
    cmocka_unit_test(requests_hide_among_requests),
    cmocka_unit_test(intervals_of_delta_cover),
    cmocka_unit_test(kinds_are_told_apart),
    cmocka_unit_test(little_law),
    cmocka_unit_test(loss_adds_up),
    cmocka_unit_test(figures_are_those_of_the_table),
    cmocka_unit_test(accept_files),
    cmocka_unit_test(trace_is_whole),
};
TEST_SUITE(test_sim_packets);
