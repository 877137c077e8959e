/* tests/unit/test_heap_sim.c - a simulator whose memory runs out says so, and
 * gives no figures. */
#include "tests/runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/announce/announce.h"
#include "sim/engine/engine.h"
#include "sim/network_level/network_level.h"
#include "sim/packets/packets.h"
#include "tests/heap.h"

/* ---- the engine ---- */

enum { NODES = 3, REQUESTS = 1500 };

struct node {
    struct env *env;
    struct engine *engine;
    unsigned ticks, frames;
};

struct town {
    struct engine *engine;
    struct node node[NODES];
    struct env_store_req req[REQUESTS];
    unsigned asked, done, stored;
    bool ran;
};

static struct town *town;

static void
request_done(struct env_store_req *req)
{
    (void)req;
    town->done++;
}

/* Each tick sets the timer, sends a frame, and asks for something durable. */
static void
node_tick(void *self)
{
    struct node *n = self;
    const uint8_t frame[4] = {1};
    n->ticks++;
    env_timer(n->env, env_now_mono_us(n->env) + 1000);
    (void)!env_send(n->env,
                    (struct env_dest){ENV_TO_RELAY, n->ticks % NODES, 0}, frame,
                    sizeof frame);
    if (town->asked < REQUESTS) {
        struct env_store_req *req = &town->req[town->asked++];
        *req = (struct env_store_req){.done = request_done};
        env_store(n->env, req);
    }
}

static void
node_frame(void *self, uint32_t from, uint8_t *frame, size_t len)
{
    (void)from;
    (void)frame;
    ((struct node *)self)->frames += len == 4;
}

static uint32_t
node_resolve(void *self, struct env_dest to)
{
    (void)self;
    return to.id;
}

static void
node_store(void *self, struct env_store_req *req)
{
    (void)self;
    town->stored++;
    req->done(req);
}

static const struct sim_node_ops node_ops = {node_frame, node_tick,
                                             node_resolve, node_store};

static int
town_run(struct town *t, struct heap *h)
{
    const struct engine_config config = {
        .seed = 1, .latency_us = 700000, .commit_us = 900000, .frame_len = 4};
    heap_arm(h);
    int err = engine_new(&t->engine, &config);
    for (uint32_t i = 0; i < NODES && !err; i++) {
        struct node *n = &t->node[i];
        if (engine_add(t->engine, &node_ops, true, &n->env) != i)
            err = ERR_NOMEM;
        if (err)
            break;
        engine_set_object(t->engine, i, n);
        env_timer(n->env, 1000);
    }
    t->ran = !err;
    if (!err)
        err = engine_run(t->engine, 2000000);
    heap_disarm(h);
    return err;
}

/* An event that finds no room ends the course; whoever waits for storage is
 * told. */
static void
no_event_is_lost_in_silence(void **state)
{
    (void)state;
    static struct town t;
    uint64_t trace = 0;
    town = &t;
    for (struct heap h = {0}; heap_next(&h);) {
        memset(&t, 0, sizeof t);
        int err = town_run(&t, &h);
        assert_int_equal(err, h.failed ? ERR_NOMEM : 0);
        if (t.ran) {
            assert_int_equal(engine_run(t.engine, 4000000), err);
            if (h.n < 0)
                trace = engine_trace(t.engine);
            else if (!err)
                assert_true(engine_trace(t.engine) == trace);
        }
        engine_free(&t.engine);
        assert_int_equal(t.done, t.asked);
        assert_true(err || t.stored == t.asked);
    }
}

/* ---- whole scenarios ---- */

static char one_way[] =
    "{'format':1,'seed':3,'network':{'width':2,'corrupt':2,'loss':0.01},"
    "'clients':[{'count':10,'rate':2,'stay_mean_s':20,'away_mean_s':10}],"
    "'run':{'measure_s':5},'measure':"
    "{'targets':10,'path_messages':10,'mix_entropy':true}}";
static char round_trip[] =
    "{'format':1,'seed':3,'network':{'trip':'round','layers':2,'width':2,"
    "'gateways':1,'stores':2},'clients':[{'count':4},{'count':2,'challenger':"
    "true}],"
    "'run':{'measure_s':5},'measure':{'epsilon':true}}";
static char network[] =
    "{'format':1,'name':'x','level':'network','seed':3,"
    "'network':{'layers':2,'width':1,'gateways':1,'stores':1},"
    "'clients':[{'count':2}],'measure':{'texts':2}}";

static char announce[] =
    "{'format':1,'level':'announce','seed':3,'clients':[{'count':1000}],"
    "'announce':{'use':'copies','contacts':3},'measure':{'texts':20}}";
static char probes[] =
    "{'format':1,'level':'announce','seed':3,'clients':[{'count':1000}],"
    "'announce':{'use':'probe','others':2},'measure':{'texts':200}}";

/* A run that went on without some memory, and one that had all. Whoever lacked
 * it may have tried again, or done two things at once, which is an event more or
 * less and changes nothing else. */
static void
results_same(const struct sim_result *some, const struct sim_result *all)
{
    enum { AGAIN_MAX = 2 };
    assert_true(some->course == all->course);
    assert_int_equal(some->n, all->n);
    for (size_t i = 0; i < all->n; i++) {
        const double more = some->metric[i].value - all->metric[i].value;
        if (strcmp(all->metric[i].name, "events") == 0)
            assert_true(more >= -AGAIN_MAX && more <= AGAIN_MAX);
        else
            assert_memory_equal(&some->metric[i].value, &all->metric[i].value,
                                sizeof some->metric[i].value);
    }
}

static void
scenario_try(char *text,
             int (*run)(const struct scenario *s, const struct sim_options *o,
                        struct sim_result *r, struct scenario_problem *p),
             long most)
{
    const struct sim_options o = {0};
    struct scenario_file *f;
    struct scenario_problem p;
    static struct sim_result all, some;
    for (char *c = text; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    if (scenario_parse(&f, text, strlen(text), "", &p))
        fail_msg("%s", p.text);
    for (struct heap h = {.most = most, .proof = 1000}; heap_next(&h);) {
        heap_arm(&h);
        int err = run(f->cases[0], &o, &some, &p);
        heap_disarm(&h);
        if (h.n < 0)
            all = some;
        /* qsort() and OpenSSL can do without some, and that one says CRYPTO */
        if (err && !(h.failed && (err == ERR_NOMEM || err == ERR_CRYPTO)))
            fail_msg("allocation %ld of %ld: %d, %s", h.n, h.total, err,
                     p.text);
        if (!err)
            results_same(&some, &all);
    }
    scenario_free(&f);
}

static void
packets_without_memory_are_an_error(void **state)
{
    (void)state;
    scenario_try(one_way, packets_run, 60);
    scenario_try(round_trip, packets_run, 60);
}

static void
letters_without_memory_are_an_error(void **state)
{
    (void)state;
    scenario_try(announce, announce_run, 60);
    scenario_try(probes, announce_run, 60);
}

static void
networks_without_memory_are_an_error(void **state)
{
    (void)state;
    scenario_try(network, whole_run, 40);
}

const struct CMUnitTest test_heap_sim[] = {
    cmocka_unit_test(no_event_is_lost_in_silence),
    cmocka_unit_test(packets_without_memory_are_an_error),
    cmocka_unit_test(letters_without_memory_are_an_error),
    cmocka_unit_test(networks_without_memory_are_an_error),
};
TEST_SUITE(test_heap_sim);
