/* tests/unit/test_scenario.c - scenario files: what they mean, what is wrong
 * with them. Texts here are written with ' for ". */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/scenario/scenario.h"
#include "tests/heap.h"

enum { TEXT_LEN = 4096 };
#define LEN(a)  (sizeof(a) / sizeof((a)[0]))
#define MINIMAL "'format':1,'clients':[{'count':1}]"

static void
quotes(char out[static TEXT_LEN], const char *text)
{
    assert_true(strlen(text) < TEXT_LEN);
    strcpy(out, text);
    for (char *c = out; *c; c++)
        if (*c == '\'')
            *c = '"';
}

static int
parse(struct scenario_file **f, const char *text, struct scenario_problem *p)
{
    char json[TEXT_LEN];
    quotes(json, text);
    int err = scenario_parse(f, json, strlen(json), "", p);
    assert_true((*f == NULL) == (err != 0));
    assert_true((p->text[0] == 0) == (err == 0));
    return err;
}

static struct scenario_file *
good(const char *text)
{
    struct scenario_file *f;
    struct scenario_problem p;
    if (parse(&f, text, &p))
        fail_msg("%s", p.text);
    return f;
}

static void
bad(const char *text, const char *says)
{
    struct scenario_file *f;
    struct scenario_problem p;
    char want[TEXT_LEN];
    quotes(want, says);
    if (parse(&f, text, &p) != ERR_FORMAT)
        fail_msg("taken: %s", text);
    if (!strstr(p.text, want))
        fail_msg("'%s' does not say '%s'", p.text, want);
}

/* ---- what a file means ---- */

static void
defaults(void **state)
{
    (void)state;
    struct scenario_file *f = good("{" MINIMAL "}");
    assert_string_equal(f->name, "scenario");
    assert_null(f->about);
    assert_int_equal(f->n_cases, 1);
    assert_int_equal(f->n_expects, 0);
    const struct scenario *s = f->cases[0];
    assert_string_equal(s->name, "scenario");
    assert_int_equal(s->level, LEVEL_PACKETS);
    assert_int_equal(s->seed, 1);
    assert_int_equal(s->network.trip, TRIP_ONE_WAY);
    assert_int_equal(s->network.layers, 3);
    assert_int_equal(s->network.gateways + s->network.stores, 0);
    assert_null(s->network.weights);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(s->network.widths[i], 10);
        assert_int_equal(s->network.weights_start[i], 10 * i);
    }
    assert_int_equal(s->mix.params.strategy, MIX_POISSON);
    struct params p;
    params_default(&p, 3600);
    assert_int_equal(s->mix.params.interval_us, p.mix_interval_us);
    assert_int_equal(s->mix.params.threshold, p.mix_threshold);
    assert_int_equal(s->mix.params.keep, p.mix_keep);
    assert_int_equal(s->mix.params.permille, p.mix_permille);
    assert_int_equal(s->mix.delay_mean_us, p.delay_mean_us);
    assert_int_equal(s->mix.poll_delay_mean_us, p.poll_delay_mean_us);
    assert_int_equal(s->mix.store_delay_fixed_us, p.store_delay_fixed_us);
    assert_int_equal(s->mix.store_delay_mean_us, p.store_delay_mean_us);
    assert_int_equal(s->mix.loop_mhz, p.relay_loop_mhz);
    assert_int_equal(s->n_clients, 1);
    assert_string_equal(s->clients[0].profile.name, "default");
    assert_true(scenario_rate(s) == 6.5);
    assert_true(s->run.warmup_s < 0);
    assert_true(s->measure.latency && !s->measure.epsilon);
    assert_int_equal(s->attack.kind, ATTACK_NONE);
    assert_int_equal(scenario_hops(s), 3);
    assert_int_equal(scenario_relays(s), 30);
    scenario_free(&f);
    assert_null(f);
    scenario_free(&f);
}

static void
defaults_by_level(void **state)
{
    (void)state;
    struct scenario_file *f = good("{" MINIMAL ",'network':{'trip':'round'}}");
    assert_int_equal(f->cases[0]->network.gateways, 10);
    assert_int_equal(f->cases[0]->network.stores, 10);
    assert_int_equal(f->cases[0]->mix.loop_mhz, 500);
    assert_int_equal(scenario_hops(f->cases[0]), 9);
    assert_int_equal(scenario_relays(f->cases[0]), 50);
    scenario_free(&f);
    f = good("{" MINIMAL ",'level':'network'}");
    assert_int_equal(f->cases[0]->network.trip, TRIP_ROUND);
    assert_int_equal(f->cases[0]->network.width, 2);
    assert_int_equal(f->cases[0]->network.gateways, 2);
    assert_int_equal(scenario_relays(f->cases[0]), 10);
    scenario_free(&f);
}

static void
values(void **state)
{
    (void)state;
    struct scenario_file *f =
        good("{'format':1,'name':'n','about':'why','seed':9007199254740991,"
             "'network':{'topology':'cascade','layers':4,'latency':"
             "{'law':'exponential','fixed_ms':1.5,'mean_ms':20},'loss':0.25},"
             "'mix':{'strategy':'binomial','interval_ms':250,'share':0.333},"
             "'clients':[{'count':3,'rate':0.5,'name':'\\u00e4'},"
             "{'count':5,'rates':[1,2.5],'send':'constant','target':true},"
             "{'trace':'t.csv'},{'count':2,'profile':'light'}],"
             "'attack':{'kind':'drop','relay':39,'share':1}}");
    const struct scenario *s = f->cases[0];
    assert_string_equal(f->about, "why");
    assert_true(s->seed == 9007199254740991ULL);
    assert_int_equal(s->network.latency_fixed_us, 1500);
    assert_int_equal(s->network.latency_mean_us, 20000);
    assert_true(s->network.loss == 0.25);
    assert_int_equal(s->mix.params.strategy, MIX_BINOMIAL);
    assert_int_equal(s->mix.params.interval_us, 250000);
    assert_int_equal(s->mix.params.permille, 333);
    assert_int_equal(s->n_clients, 4);
    assert_string_equal(s->clients[0].name, "\303\244");
    assert_string_equal(s->clients[0].profile.name, "rate");
    assert_int_equal(s->clients[0].profile.send_mhz, 500);
    assert_int_equal(s->clients[0].profile.poll_mhz, 0);
    assert_int_equal(s->clients[1].send, SEND_CONSTANT);
    assert_int_equal(s->clients[1].n_rates, 2);
    assert_int_equal(s->clients[1].rates_mhz[1], 2500);
    assert_true(s->clients[1].target);
    assert_int_equal(s->clients[2].send, SEND_TRACE);
    assert_string_equal(s->clients[2].trace, "t.csv");
    /* 3 * 0.5, 1 + 2.5 + 1 + 2.5 + 1, nothing known, 2 * 1.375 */
    assert_true(scenario_rate(s) == 1.5 + 8 + 2.75);
    scenario_free(&f);
}

static void
weights(void **state)
{
    (void)state;
    struct scenario_file *f =
        good("{" MINIMAL ",'network':{'weights':[[1,2,1],[1,1],[0,3]]}}");
    const struct scenario_network *n = &f->cases[0]->network;
    assert_int_equal(n->layers, 3);
    assert_int_equal(n->widths[0], 3);
    assert_int_equal(n->widths[2], 2);
    assert_int_equal(n->weights_start[2], 5);
    assert_true(n->weights[1] == 2 && n->weights[6] == 3);
    assert_int_equal(scenario_relays(f->cases[0]), 7);
    scenario_free(&f);
    f = good("{" MINIMAL ",'network':{'weights':[[2,2,2],[3]]}}");
    assert_null(f->cases[0]->network.weights);
    assert_int_equal(scenario_relays(f->cases[0]), 4);
    scenario_free(&f);
    f = good("{" MINIMAL ",'network':{'topology':'cascade','layers':2,"
             "'weights':[[1,4]]}}");
    n = &f->cases[0]->network;
    assert_int_equal(n->weights_start[1], 2);
    assert_true(n->weights[1] == 4 && n->weights[3] == 4);
    scenario_free(&f);
    f = good("{" MINIMAL ",'network':{'topology':'free-route','layers':5,"
             "'weights':[[1,4,1]]}}");
    n = &f->cases[0]->network;
    assert_int_equal(n->weights_start[4], 0);
    assert_int_equal(n->widths[4], 3);
    assert_int_equal(scenario_relays(f->cases[0]), 3);
    assert_int_equal(scenario_hops(f->cases[0]), 5);
    scenario_free(&f);
}

static void
paths(void **state)
{
    (void)state;
    char json[TEXT_LEN];
    struct scenario_file *f;
    struct scenario_problem p;
    quotes(json, "{'format':1,'clients':[{'trace':'/a/t.csv'}],'network':"
                 "{'latency':{'law':'matrix','file':'m.csv'}}}");
    assert_int_equal(scenario_parse(&f, json, strlen(json), "dir", &p), 0);
    assert_string_equal(f->cases[0]->clients[0].trace, "/a/t.csv");
    assert_string_equal(f->cases[0]->network.latency_file, "dir/m.csv");
    scenario_free(&f);
    char directory[SCENARIO_PATH_MAX];
    memset(directory, 'd', sizeof directory);
    directory[sizeof directory - 6] = 0; /* one byte too many */
    assert_int_equal(scenario_parse(&f, json, strlen(json), directory, &p),
                     ERR_FORMAT);
    assert_non_null(strstr(p.text, "network.latency.file: with its directory"));
    directory[sizeof directory - 7] = 0;
    assert_int_equal(scenario_parse(&f, json, strlen(json), directory, &p), 0);
    scenario_free(&f);
}

static void
cases(void **state)
{
    (void)state;
    struct scenario_file *f = good(
        "{" MINIMAL ",'network':{'layers':2},'cases':["
        "{'name':'as it is'},"
        "{'name':'b','set':{'network.layers':4,'clients[0].rate':2}},"
        "{'name':'c','set':{'mix.loop_rate':0.25,'network.layers':null,"
        "'network.weights':[[1],[2]]}},"
        "{'name':'d','set':{'level':'network','clients':[{'count':7},"
        "{'count':1}],'clients[1].count':9,'network.latency.fixed_ms':7}}]}");
    assert_int_equal(f->n_cases, 4);
    assert_string_equal(f->cases[0]->name, "as it is");
    assert_int_equal(f->cases[0]->network.layers, 2);
    assert_string_equal(f->cases[0]->clients[0].profile.name, "default");
    assert_int_equal(f->cases[1]->network.layers, 4);
    assert_int_equal(f->cases[1]->clients[0].profile.send_mhz, 2000);
    assert_int_equal(f->cases[2]->mix.loop_mhz, 250);
    assert_int_equal(scenario_relays(f->cases[2]), 2);
    assert_int_equal(f->cases[3]->network.trip, TRIP_ROUND);
    assert_int_equal(f->cases[3]->network.layers, 2);
    assert_int_equal(f->cases[3]->network.latency_fixed_us, 7000);
    assert_int_equal(f->cases[3]->n_clients, 2);
    assert_int_equal(f->cases[3]->clients[1].count, 9);
    /* what they set, as it is in each: written there, in the file, by default */
    static const struct {
        const char *path, *values[4];
    } set[] = {{"network.layers", {"2", "4", "2", "2"}},
               {"clients[0].rate", {"", "2", "", ""}},
               {"mix.loop_rate", {"0.5", "0.5", "0.25", "0.5"}},
               {"network.weights", {"", "", "[[1.0],[2.0]]", ""}},
               {"level", {"packets", "packets", "packets", "network"}},
               {"clients", {"[{\"count\":1.0}]", NULL, NULL, NULL}},
               {"clients[1].count", {"", "", "", "9"}},
               {"network.latency.fixed_ms", {"0", "0", "0", "7"}}};
    assert_int_equal(f->n_set, LEN(set));
    for (size_t i = 0; i < LEN(set); i++) {
        assert_string_equal(f->set_paths[i], set[i].path);
        for (size_t k = 0; k < 4; k++)
            if (set[i].values[k])
                assert_string_equal(f->cases[k]->set[i], set[i].values[k]);
    }
    scenario_free(&f);
}

static void
expectations(void **state)
{
    (void)state;
    struct scenario_file *f =
        good("{" MINIMAL ",'cases':[{'name':'a'},{'name':'b'}],"
             "'expect':[{'metric':'latency.mean','value':3,'tolerance':0},"
             "{'metric':'packets.sent','values':[1,-2],'relative':0.01,"
             "'false_alarm':0.001}]}");
    assert_int_equal(f->n_expects, 2);
    assert_int_equal(f->expects[0].n_values, 2);
    assert_true(f->expects[0].values[1] == 3);
    assert_true(f->expects[0].false_alarm == 1e-4);
    assert_true(f->expects[1].values[1] == -2);
    assert_true(f->expects[1].relative == 0.01);
    scenario_free(&f);
}

/* ---- what is wrong ---- */

struct wrong {
    const char *text, *says;
};

static const struct wrong files[] = {
    {"", "the file: line 1, column "},
    {"{'format':1,\n 'clients' 1}", "the file: line 2, column 12"},
    {"{'format':1,'format':1}", "duplicate object key"},
    {"{" MINIMAL ",'seed':1e999}", "the file: line 1"},
    {"{" MINIMAL "} x", "end of file expected"},
    {"[1]", "the file: wants an object, not a list of 1"},
    {"{}", "format: is missing"},
    {"{'format':2,'clients':[{'count':1}]}", "format: wants 1, not 2"},
    {"{'format':1}", "clients: is missing"},
    {"{'format':1,'clients':[]}",
     "clients: wants a list of 1 to 64 objects, not a list of 0"},
    {"{'format':1,'clients':[{'count':1},3]}",
     "clients[1]: wants an object, not 3"},
    {"{'format':1,'clients':[{}]}", "clients[0].count: is missing"},
    {"{'format':1,'clients':[{'count':1,'rate':'fast'}]}",
     "clients[0].rate: wants a number from 0.001 to 100000, not 'fast'"},
    {"{'format':1,'clients':[{'count':20000001}]}",
     "clients[0].count: wants a whole number from 1 to 20000000, not 20000001"},
    {"{'format':1,'clients':[{'count':20000000},{'count':1}]}",
     "clients: are 20000001 in all; at most 20000000"},
    {"{'format':1,'clients':[{'count':1,'rate':1,'profile':'light'}]}",
     "clients[0]: has profile and rate; give one"},
    {"{'format':1,'clients':[{'count':1,'rates':[1,0]}]}",
     "clients[0].rates[1]: wants a number from 0.001 to 100000, not 0"},
    {"{'format':1,'clients':[{'count':1,'profile':'quick'}]}",
     "clients[0].profile: wants 'default', 'light' or 'fast', not 'quick'"},
    {"{'format':1,'clients':[{'count':1,'send':'trace'}]}",
     "clients[0].send: 'trace' and a trace go together"},
    {"{'format':1,'clients':[{'trace':'t','send':'poisson'}]}",
     "clients[0].send: 'trace' and a trace go together"},
    {"{'format':1,'clients':[{'count':1,'stay_mean_s':1}]}",
     "clients[0].stay_mean_s: goes with away_mean_s"},
    {"{'format':1,'clients':[{'count':1,'name':'a\\nb'}]}",
     "clients[0].name: wants a line of text of 1 to 63 bytes, not 'a\\nb'"},
    {"{'format':1,'clients':[{'count':3,'challenger':true}],"
     "'measure':{'epsilon':true}}",
     "measure.epsilon: wants exactly two clients marked challenger, there are "
     "3"},
    {"{'format':1,'level':'announce','clients':[{'count':1},{'count':1}]}",
     "clients: at level 'announce' are one group"},
    {"{'format':1,'level':'network','clients':[{'count':1,'rate':1}]}",
     "clients[0].profile: at level 'network'"},
    {"{'format':1,'level':'network','clients':[{'count':1,'send':'constant'}]}",
     "clients[0].profile: at level 'network'"},
    {"{'format':1,'level':'network','clients':[{'count':10001}]}",
     "clients: are 10001 in all; at level 'network' at most 10000"},
    {"{'format':1,'level':'network','clients':[{'count':3}],"
     "'measure':{'texts':1}}",
     "clients: are 3, but texts go between pairs"}};

/* Beside MINIMAL. */
static const struct wrong members[] = {
    {"'levle':'packets'", "levle: unknown key; did you mean 'level'?"},
    {"'abot':'x'", "abot: unknown key; did you mean 'about'?"},
    {"'zzz':1", "zzz: unknown key"},
    {"'level':'packet'",
     "level: wants 'packets', 'network' or 'announce', not 'packet'"},
    {"'runs':2.5", "runs: wants a whole number from 1 to 10000, not 2.5"},
    {"'runs':{}", "runs: wants a whole number from 1 to 10000, not an object"},
    {"'runs':null", "runs: wants a whole number from 1 to 10000, not null"},
    {"'seed':-1", "seed: wants a whole number from 0 to 9007199254740991"},
    {"'name':''", "name: wants a line of text of 1 to 63 bytes, not ''"},
    {"'name':'a\\u007fb'", "name: wants a line of text of 1 to 63 bytes"},
    {"'network':5", "network: wants an object, not 5"},
    {"'network':{'layers':21}",
     "network.layers: wants a whole number from 1 to 20, not 21"},
    {"'network':{'loss':true}",
     "network.loss: wants a number from 0 to 0.99, not true"},
    {"'network':{'loss':0.991}",
     "network.loss: wants a number from 0 to 0.99, not 0.991"},
    {"'network':{'weigths':[]}", "did you mean 'weights'?"},
    {"'network':{'weights':3}", "network.weights: wants a list of 1 to 20 "
                                "lists of numbers from 0 to 1000000000, not 3"},
    {"'network':{'weights':[[1],2]}", "network.weights[1]: wants a list of 1"},
    {"'network':{'weights':[[1,-1]]}", "network.weights[0][1]: wants a number"},
    {"'network':{'weights':[[1],[0,0]]}", "network.weights[1]: wants a weight"},
    {"'network':{'weights':[[1]],'layers':1}", "leave out layers"},
    {"'network':{'weights':[[1]],'width':1}", "leave out width"},
    {"'network':{'weights':[[1],[1]],'topology':'cascade'}",
     "network.weights: wants one list for a cascade or a free route, not 2"},
    {"'network':{'topology':'free-route','width':1}",
     "network.width: a free route needs 2 relays"},
    {"'network':{'topology':'free-route','weights':[[0,1]]}",
     "network.width: a free route needs 2 relays"},
    {"'network':{'topology':'cascade','trip':'round'}",
     "network.topology: a round trip is through layers"},
    {"'network':{'trip':'round','gateways':0}", "network.gateways: a round"},
    {"'network':{'trip':'round','stores':0}", "network.stores: a round"},
    {"'network':{'gateways':1}", "network.trip: one-way has neither"},
    {"'network':{'corrupt':31}", "network.corrupt: is 31, but there are 30"},
    {"'network':{'corrupt':3,'corrupt_of_layer':0.1}", "give this or corrupt_"},
    {"'network':{'latency':{'law':'matrix'}}", "network.latency.file: is miss"},
    {"'network':{'latency':{'file':'m'}}", "network.latency.file: only law"},
    {"'network':{'latency':{'law':'matrix','file':'m','fixed_ms':1}}",
     "network.latency.fixed_ms: law 'matrix'"},
    {"'network':{'latency':{'mean_ms':1}}", "network.latency.mean_ms: is law"},
    {"'run':{'batches':4}", "run.batches: wants a whole number from 5 to 1000"},
    {"'mix':{'share':0}", "mix.share: wants a number from 0.001 to 1, not 0"},
    {"'measure':{'latency':1}", "measure.latency: wants true or false, not 1"},
    {"'measure':{'at_once':9}",
     "measure.at_once: wants a whole number from 1 to 8, not 9"},
    {"'measure':{'alarm':true},'mix':{'loop_rate':0}",
     "measure.alarm: relays without loops"},
    {"'measure':{'texts':2}", "measure.texts: are sent at level 'network'"},
    {"'attack':{'relay':30}", "attack.relay: is 30, but there are 30 relays"},
    {"'level':'network','network':{'trip':'one-way'}", "network.trip: at lev"},
    {"'level':'network','network':{'topology':'cascade'}",
     "network.topology: a round trip is through layers"},
    {"'level':'network','network':{'layers':7}", "network.layers: at level"},
    {"'level':'network','network':{'width':6000}", "network.width: makes"},
    {"'level':'network','network':{'corrupt':1}", "network.corrupt: is meas"},
    {"'level':'network','mix':{'interval_ms':60001}", "mix.interval_ms: at le"},
    {"'mix':{'delay_mean_ms':6554}",
     "mix.delay_mean_ms: at most 6553.5, not 6554, with a mix.delay_unit_us of "
     "1000, so that no delay is cut"},
    {"'mix':{'delay_mean_ms':86400000,'delay_unit_us':1}",
     "mix.delay_mean_ms: at most 6.553, not 8.64e+07"},
    {"'network':{'trip':'round'},'mix':{'poll_delay_mean_ms':19661}",
     "mix.poll_delay_mean_ms: at most 19660.5, not 19661"},
    {"'network':{'trip':'round'},'mix':{'store_delay_mean_ms':6534}",
     "mix.store_delay_mean_ms: at most 6533.5, not 6534"},
    {"'network':{'trip':'round'},'mix':{'store_delay_fixed_ms':65536}",
     "mix.store_delay_fixed_ms: at most 65535, not 65536"},
    {"'level':'network','mix':{'delay_mean_ms':6001}",
     "mix.delay_mean_ms: at level 'network' at most 6000, not 6001"},
    {"'mix':{'loop_rate':0.0001}",
     "mix.loop_rate: wants 0 or at least 0.001, not 0.0001"},
    {"'network':{'layers':20,'width':4000}",
     "network: makes 80000 relays, with gateways and stores; at most 65535"},
    {"'level':'network','mix':{'loop_rate':0}", "mix.loop_rate: the relays of"},
    {"'level':'network','measure':{'targets':1}",
     "measure.targets: is measured at level 'packets', not at 'network'"},
    {"'level':'network','measure':{'epsilon':true}", "measure.epsilon: is mea"},
    {"'level':'network','measure':{'mix_entropy':true}", "measure.mix_entropy"},
    {"'level':'network','measure':{'path_messages':1}",
     "measure.path_messages"},
    {"'level':'network','attack':{'kind':'drop'}", "attack.kind: is measured"},
    {"'level':'announce'", "measure.texts: must be above 0"},
    {"'level':'announce','network':{'trip':'one-way'}", "network.trip: at lev"},
    {"'level':'announce','measure':{'texts':1},'announce':{'lane_share':12}",
     "announce.front_share: of each front, lane_share and sweep_share have to "
     "add up to 64, not 65"},
    {"'level':'announce','measure':{'texts':1},"
     "'announce':{'use':'probe','contacts':9,'others':9}",
     "announce.others: are 9, and one more probes; contacts are 9"},
    {"'level':'announce','announce':{'use':'gossip'}", "announce.use: wants"},
    {"'level':'announce','announce':{'boards':17}",
     "announce.boards: wants a whole number from 1 to 16, not 17"},
    {"'expect':[{'value':1,'tolerance':1}]", "expect[0].metric: is missing"},
    {"'expect':[{'metric':'packets.out','tolerance':1}]",
     "expect[0]: wants value or"},
    {"'expect':[{'metric':'packets.out','value':1}]",
     "expect[0]: wants tolerance or"},
    {"'expect':[{'metric':'packets.out','value':1,'tolerance':1,'relative':1}]",
     "expect[0]: wants tolerance or relative, one of them"},
    {"'expect':[{'metric':'packets.out','value':1,'values':[1],'tolerance':1}]",
     "value and values are there; give one"},
    {"'expect':[{'metric':'packets.out','values':[1,2],'tolerance':1}]",
     "expect[0].values: has 2, but there are 1 cases"},
    {"'expect':[{'metric':'latency.p95','value':1,'tolerance':1}]",
     "expect[0].metric: no metric is named 'latency.p95'; did you mean "
     "'latency.p90'?"},
    {"'expect':[{'metric':'zzz','value':1,'tolerance':1}]",
     "expect[0].metric: no metric is named 'zzz'; "},
    {"'expect':[{'metric':'entropy.min','value':1,'tolerance':1}],'cases':"
     "[{'name':'a','set':{'measure.targets':1}},{'name':'b'}]",
     "expect[0].metric: 'entropy.min' is not measured in 'b': it is with "
     "measure.targets above 0, at level packets"},
    {"'cases':[{'set':{}}]", "cases[0].name: is missing"},
    {"'cases':[{'name':'a','set':[]}]", "cases[0].set: wants an object"},
    {"'cases':[{'name':'a'},{'name':'a'}]",
     "cases[1].name: cases[0] has it already"},
    {"'cases':[{'name':'a','set':{'network.layrs':3}}]",
     "case 'a': network.layrs: unknown key; did you mean 'layers'?"},
    {"'cases':[{'name':'a','set':{'name':'b'}}]", "case 'a': name: unknown"},
    {"'cases':[{'name':'a'},{'name':'b','set':{'network.layers':30}}]",
     "case 'b': network.layers: wants a whole number from 1 to 20, not 30"},
    {"'cases':[{'name':'a','set':{'attack.relay':30}}]",
     "case 'a': attack.relay: is 30"},
    {"'cases':[{'name':'a','set':{'clients[1].count':3}}]",
     "case 'a': clients[1]: there is no such element"},
    {"'cases':[{'name':'a','set':{'clients[-1].count':3}}]",
     "case 'a': clients: wants [number] after it"},
    {"'cases':[{'name':'a','set':{'clients[0':3}}]", "wants [number]"},
    {"'cases':[{'name':'a','set':{'clients[0]':3}}]",
     "case 'a': clients[0]: wants an object, and .key after it"},
    {"'cases':[{'name':'a','set':{'clients.count':3}}]",
     "case 'a': clients: '.count' cannot follow"},
    {"'cases':[{'name':'a','set':{'network.layers.x':3}}]",
     "case 'a': network.layers: '.x' cannot follow"},
    {"'cases':[{'name':'a','set':{'network.weights[0]':3}}]",
     "case 'a': network.weights: '[0]' cannot follow"},
    {"'network':[],'cases':[{'name':'a','set':{'network.layers':3}}]",
     "case 'a': network: wants an object"},
    {"'cases':[{'name':'a','set':{'clients':null}}]",
     "case 'a': clients: is missing"}};

static void
wrong_files(void **state)
{
    (void)state;
    char text[TEXT_LEN];
    for (size_t i = 0; i < LEN(files); i++)
        bad(files[i].text, files[i].says);
    for (size_t i = 0; i < LEN(members); i++) {
        snprintf(text, sizeof text, "{" MINIMAL ",%s}", members[i].text);
        bad(text, members[i].says);
    }
}

/* A text of n bytes, of which the first and last are given. */
static char *
long_text(size_t n, const char *first, char fill, const char *last)
{
    char *text = malloc(n + 1);
    assert_non_null(text);
    memset(text, fill, n);
    memcpy(text, first, strlen(first));
    strcpy(text + n - strlen(last), last);
    return text;
}

/* As many groups and rates as there may be, and one more. */
static void
lists_end(void **state)
{
    (void)state;
    struct scenario_file *f;
    struct scenario_problem p;
    char *text;
    size_t len;
    for (unsigned groups = 64; groups <= 65; groups++) {
        FILE *out = open_memstream(&text, &len);
        assert_non_null(out);
        fputs("{\"format\":1,\"clients\":[", out);
        for (unsigned i = 0; i < groups; i++)
            fprintf(out, "%s{\"count\":1}", i ? "," : "");
        fputs("]}", out);
        fclose(out);
        int err = scenario_parse(&f, text, len, "", &p);
        assert_int_equal(err, groups > 64 ? ERR_FORMAT : 0);
        free(text);
        scenario_free(&f);
    }
    assert_non_null(strstr(p.text, "1 to 64 objects, not a list of 65"));
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    fputs("{\"format\":1,\"clients\":[{\"count\":1,\"rates\":[1", out);
    for (unsigned i = 1; i < 100000; i++)
        fputs(",1", out);
    fputs("]},{\"count\":1,\"rates\":[1]}]}", out);
    fclose(out);
    assert_int_equal(scenario_parse(&f, text, len, "", &p), ERR_FORMAT);
    assert_non_null(strstr(p.text, "clients: have 100001 rates in all"));
    free(text);
}

/* However long, and whatever its bytes are. */
static void
bounds(void **state)
{
    (void)state;
    struct scenario_file *f;
    struct scenario_problem p;
    const size_t most = 16 * 1024 * 1024;
    char *text = long_text(most + 1, "{", ' ', "}");
    assert_int_equal(scenario_parse(&f, text, most + 1, "", &p), ERR_FORMAT);
    assert_non_null(strstr(p.text, "has 16777217 bytes; at most 16777216"));
    assert_int_equal(scenario_parse(&f, text, most, "", &p), ERR_FORMAT);
    assert_null(strstr(p.text, "bytes"));
    free(text);
    text = long_text(100000, "{\"", 'x', "\":1}");
    assert_int_equal(scenario_parse(&f, text, 100000, "", &p), ERR_FORMAT);
    assert_non_null(strstr(p.text, "xxxx"));
    free(text);
    text = long_text(100000, "{\"name\":\"", '\177', "\",\"format\":1}");
    assert_int_equal(scenario_parse(&f, text, 100000, "", &p), ERR_FORMAT);
    assert_null(strchr(p.text, '\177'));
    free(text);
    text = long_text(100000, "", '[', "");
    assert_int_equal(scenario_parse(&f, text, 100000, "", &p), ERR_FORMAT);
    free(text);
    text = long_text(4000, "{" MINIMAL ",'cases':[{'name':'a','set':{'", 'x',
                     "':1}}]}");
    bad(text, "case 'a': set: a path is longer than 127 bytes");
    free(text);
    bad("{'format':1,'clients':[{'count':1,'\\u001b[2J':1}]}", "?[2J: unknown");
}

/* ---- without memory ---- */

#define BUSY                                                        \
    "{'format':1,'about':'x','network':{'weights':[[1,2],[3,4]]},"  \
    "'clients':[{'count':2,'rates':[1,2,3]}],'cases':[{'name':'a'," \
    "'set':{'mix.keep':1,'clients':[{'count':1}]}},{'name':'b'}],"  \
    "'expect':[{'metric':'packets.out','value':1,'tolerance':1}]}"

static void
no_memory(void **state)
{
    (void)state;
    struct scenario_problem p;
    char json[TEXT_LEN];
    quotes(json, BUSY);
    for (struct heap h = {.most = 200}; heap_next(&h);) {
        struct scenario_file *f;
        heap_arm(&h);
        const int err = scenario_parse(&f, json, strlen(json), "", &p);
        heap_disarm(&h);
        assert_int_equal(err, h.failed ? ERR_NOMEM : 0);
        assert_true((f == NULL) == (err != 0));
        scenario_free(&f);
    }
    for (struct heap h = {.most = 200}; heap_next(&h);) {
        heap_arm(&h);
        char *schema = scenario_schema();
        heap_disarm(&h);
        assert_true((schema == NULL) == h.failed);
        free(schema);
    }
}

const struct CMUnitTest test_scenario[] = {
    cmocka_unit_test(defaults),     cmocka_unit_test(defaults_by_level),
    cmocka_unit_test(values),       cmocka_unit_test(weights),
    cmocka_unit_test(paths),        cmocka_unit_test(cases),
    cmocka_unit_test(expectations), cmocka_unit_test(wrong_files),
    cmocka_unit_test(lists_end),    cmocka_unit_test(bounds),
    cmocka_unit_test(no_memory),
};
TEST_SUITE(test_scenario);
