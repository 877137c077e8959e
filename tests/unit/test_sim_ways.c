/* tests/unit/test_sim_ways.c - ways drawn by weight, round trips and loops,
 * clients that come and go. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rng_seeded.h"
#include "sim/packets/sources.h"
#include "sim/packets/topology.h"
#include "sim/scenario/scenario_fields.h"
#include "tests/runner.h"

struct drawn {
    struct env env;
    struct rng_seeded rng;
    uint64_t now_us;
};

static uint64_t
time_now(struct env *env)
{
    return ((struct drawn *)env)->now_us;
}

static void
draw(struct env *env, void *out, size_t len)
{
    rng_seeded_bytes(&((struct drawn *)env)->rng, out, len);
}

static struct env *
drawn_init(struct drawn *d)
{
    static const struct env_ops ops = {
        .now_mono_us = time_now, .random_traffic = draw, .random_crypto = draw};
    d->env.ops = &ops;
    d->now_us = 0;
    rng_seeded_init_u64(&d->rng, test_seed(), "ways");
    return &d->env;
}

static struct scenario *
scenario_of(const char *text, struct scenario_file **f)
{
    struct scenario_problem p;
    if (scenario_parse(f, text, strlen(text), "", &p))
        fail_msg("%s", p.text);
    return (*f)->cases[0];
}

/* 5 standard errors: a false alarm in 10^6. */
static void
ways_by_weight(void **state)
{
    enum { DRAWS = 40000 };
    (void)state;
    struct drawn d;
    struct scenario_file *f;
    struct scenario *s =
        scenario_of("{\"format\":1,\"clients\":[{\"count\":1}],\"network\":"
                    "{\"weights\":[[1,3],[1,0,1]]}}",
                    &f);
    struct topology *t;
    assert_int_equal(topology_new(&t, s, drawn_init(&d)), 0);
    static const double share[] = {.25, .75, .5, 0, .5};
    uint32_t n[5] = {0};
    for (int i = 0; i < DRAWS; i++) {
        struct packet_way w;
        topology_way(t, &d.env, 0, false, &w);
        assert_int_equal(w.n, 2);
        assert_int_equal(w.turns, 0);
        assert_true(w.relay[0] < 2 && w.relay[1] >= 2 && w.relay[1] < 5);
        n[w.relay[0]]++;
        n[w.relay[1]]++;
    }
    for (int i = 0; i < 5; i++) {
        double sd = sqrt(DRAWS * share[i] * (1 - share[i]));
        assert_true(fabs(n[i] - DRAWS * share[i]) <= 5 * sd);
    }
    topology_free(&t);
    scenario_free(&f);
}

/* client, gateway, layers, store, layers, gateway; a loop leaves its relay's
 * layer out and ends at it. */
static void
round_trips_and_loops(void **state)
{
    (void)state;
    struct drawn d;
    struct scenario_file *f;
    struct scenario *s = scenario_of(
        "{\"format\":1,\"clients\":[{\"count\":1}],\"network\":{\"trip\":"
        "\"round\",\"width\":4,\"gateways\":3,\"stores\":2}}",
        &f);
    struct topology *t;
    struct packet_way w;
    static const uint8_t layers[] = {0, 1, 2, 3, 4, 1, 2, 3, 0};
    assert_int_equal(topology_new(&t, s, drawn_init(&d)), 0);
    assert_int_equal(t->n_relays, 3 + 12 + 2);
    topology_way(t, &d.env, 4, true, &w);
    assert_int_equal(w.n, 9);
    assert_int_equal(w.turns, 5);
    for (int i = 0; i < 9; i++)
        assert_int_equal(t->layer_of[w.relay[i]], layers[i]);
    assert_int_equal(w.relay[0], 4 % 3);
    assert_int_equal(w.relay[8], w.relay[0]);
    const uint32_t second = t->layer_start[1];
    topology_loop(t, &d.env, second, &w);
    static const uint8_t loop[] = {3, 4, 1, 2};
    assert_int_equal(w.n, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(t->layer_of[w.relay[i]], loop[i]);
    assert_int_equal(w.relay[3], second);
    topology_free(&t);
    scenario_free(&f);
}

/* Of 2,000 clients two thirds are there at any time, and send then. */
static void
clients_come_and_go(void **state)
{
    enum { CLIENTS = 2000, SECONDS = 40 };
    (void)state;
    struct drawn d;
    struct scenario_file *f;
    struct scenario_problem p;
    struct scenario *s =
        scenario_of("{\"format\":1,\"clients\":[{\"count\":2000,\"rate\":1,"
                    "\"stay_mean_s\":2,\"away_mean_s\":1}]}",
                    &f);
    struct sources *src;
    struct source_tick tick[256];
    double online = 0, sent = 0;
    uint64_t last_us = 0;
    assert_int_equal(sources_new(&src, s, drawn_init(&d), NULL, &p), 0);
    for (uint64_t at_us = 0; at_us < SECONDS * 1000000ULL; at_us += 10000) {
        d.now_us = at_us;
        size_t n = sources_pop(src, at_us, tick, 256);
        assert_true(n < 256);
        sent += (double)n;
        for (size_t i = 0; i < n; i++) {
            assert_true(tick[i].at_us <= at_us &&
                        (at_us == 0 || tick[i].at_us > last_us));
        }
        last_us = at_us;
        online += sources_online(src) / (SECONDS * 100.0);
    }
    /* the correlation time is 2/3 s: 60 samples of 2,000 clients and more */
    const double want = CLIENTS * 2 / 3.0;
    assert_true(fabs(online - want) < 5 * sqrt(want / 3 / 30));
    assert_true(fabs(sent - want * SECONDS) < 5 * sqrt(2 * want * SECONDS));
    sources_free(&src);
    scenario_free(&f);
}

const struct CMUnitTest test_sim_ways[] = {
    cmocka_unit_test(ways_by_weight),
    cmocka_unit_test(round_trips_and_loops),
    cmocka_unit_test(clients_come_and_go),
};
TEST_SUITE(test_sim_ways);
