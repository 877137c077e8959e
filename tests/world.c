/* tests/world.c - sim/engine/world.h, whose errors fail the test. */
#include "tests/world.h"

#include "tests/runner.h"

struct world *
world_new(const struct world_config *config)
{
    struct sim_world_plan plan;
    uint32_t widths[LAYERS_MAX];
    struct world *w;
    sim_world_plan_default(&plan);
    assert_true(config->layers <= LAYERS_MAX);
    for (unsigned i = 0; i < config->layers; i++)
        widths[i] = config->mixes;
    plan.net.suite = config->suite;
    plan.net.gateways = config->gateways;
    plan.net.stores = config->stores;
    plan.net.widths = widths;
    plan.net.params.layers = (uint8_t)config->layers;
    plan.seed = config->seed;
    plan.loss_ppm = config->loss_ppm;
    plan.workers = config->workers;
    if (config->params)
        config->params(&plan.net.params);
    assert_int_equal(sim_world_new(&w, &plan), 0);
    return w;
}

void
world_free(struct world **w)
{
    sim_world_free(w);
}

void
world_run_s(struct world *w, double seconds)
{
    assert_int_equal(sim_world_run(w, seconds), 0);
}

void
world_relay_start(struct world *w, uint32_t number)
{
    assert_int_equal(sim_relay_start(w, number), 0);
}

void
world_relay_stop(struct world *w, uint32_t number)
{
    sim_relay_stop(w, number);
}

struct world_client *
world_client_add(struct world *w, const char *profile, uint32_t gateway)
{
    struct world_client *k;
    assert_int_equal(sim_client_add(w, profile, gateway, &k), 0);
    return k;
}

void
world_client_start(struct world_client *k)
{
    assert_int_equal(sim_client_start(k), 0);
}

void
world_client_stop(struct world_client *k)
{
    sim_client_stop(k);
}

void
world_client_connect(struct world_client *k)
{
    assert_int_equal(sim_client_connect(k), 0);
}

void
world_client_watch(struct world_client *k)
{
    assert_int_equal(sim_client_watch(k), 0);
}

void
world_pair(struct world *w, struct world_client *a, const char *a_calls_b,
           struct world_client *b, const char *b_calls_a)
{
    (void)w;
    assert_int_equal(sim_client_pair(a, a_calls_b, b, b_calls_a), 0);
}

uint64_t
world_dropped(const struct world *w, int err)
{
    struct relay_stats sum;
    sim_world_stats(w, &sum);
    return sum.dropped[-err];
}
