/* tests/world.c - sim/engine/world.h, whose errors fail the test. */
#include "tests/day_key.h"
#include "tests/world.h"

#include <string.h>

#include "tests/runner.h"
#include "tests/toy_kem.h"

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
    if (config->commit_us)
        plan.commit_us = config->commit_us;
    if (config->letters_max)
        plan.letters_max = config->letters_max;
    plan.net.suite = config->suite;
    plan.net.gateways = config->gateways;
    plan.net.stores = config->stores;
    plan.net.widths = widths;
    plan.net.bandwidth = config->bandwidth;
    plan.net.family = config->family;
    plan.net.zero_key = config->zero_key;
    plan.net.params.layers = (uint8_t)config->layers;
    plan.seed = config->seed;
    plan.mlkem = &toy_kem;
    plan.loss_ppm = config->loss_ppm;
    plan.workers = config->workers;
    if (config->packets_max)
        plan.packets_max = config->packets_max;
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
world_epoch(struct world *w)
{
    assert_int_equal(sim_world_epoch(w), 0);
}

void
world_epoch_due(struct world *w)
{
    const struct consensus *c = w->net.consensus;
    const uint64_t len_s = c->params.epoch_len_s;
    if (env_now_wall_s(w->relay[0].env) >=
        c->valid_after_s + len_s - len_s / 20)
        world_epoch(w);
}

void
world_client_clock(struct world_client *k, double ahead_s)
{
    engine_clock(k->world->engine, k->node, (int64_t)(ahead_s * 1000));
}

void
world_relay_clock(struct world *w, uint32_t number, double ahead_s)
{
    engine_clock(w->engine, number, (int64_t)(ahead_s * 1000));
}

uint32_t
world_first(const struct world *w, unsigned layer)
{
    return w->net.consensus->by_layer[w->net.consensus->layer_start[layer]];
}

void
world_pair(struct world *w, struct world_client *a, const char *a_calls_b,
           struct world_client *b, const char *b_calls_a)
{
    (void)w;
    assert_int_equal(sim_client_pair(a, a_calls_b, b, b_calls_a), 0);
}

uint16_t
world_first_box(const struct world *w, const char *invitation,
                uint8_t box[static LETTER_BOX_LEN])
{
    const struct consensus *c = w->net.consensus;
    struct chain inviter, invitee;
    const struct letter_place first = {
        (uint32_t)((c->valid_after_s + 10) / c->params.period_s), 0};
    struct invite i;
    uint16_t store, fallback;
    assert_int_equal(invite_read(&i, invitation), 0);
    invite_chains(&i, &inviter, &invitee);
    letter_box(day_key_of(&invitee, &c->params, first.period).key, first, box);
    assert_int_equal(
        consensus_store_of(c, first.period, box, &store, &fallback), 0);
    return store;
}

uint64_t
world_say(struct world_client *from, const char *to, const char *text)
{
    uint64_t order = 0;
    assert_int_equal(client_send(from->client, to, LETTER_TEXT,
                                 (const uint8_t *)text, strlen(text), &order),
                     0);
    return order;
}

enum client_state
world_state(struct world_client *k, const char *to, uint64_t order)
{
    struct client_message m = {0};
    assert_int_equal(client_message(k->client, to, order, &m), 0);
    return m.state;
}

unsigned
world_take(struct world_client *k, const char *from)
{
    struct client_received r;
    unsigned n = 0;
    while (client_next(k->client, NULL, from, &r)) {
        assert_int_equal(client_release(k->client, NULL, r.order), 0);
        n++;
    }
    return n;
}

uint64_t
world_dropped(const struct world *w, int err)
{
    struct relay_stats sum;
    sim_world_stats(w, &sum);
    return sum.dropped[-err];
}

static void
client_keep_busy(struct world_client *k, const char *peer)
{
    static const uint8_t text[20000];
    struct client_status s;
    uint64_t order;
    client_status(k->client, &s);
    if (s.queued < 4)
        assert_int_equal(client_send(k->client, peer, LETTER_TEXT, text,
                                     sizeof text, &order),
                         0);
    world_take(k, NULL);
}

void
world_keep_busy(struct world_client *a, const char *a_calls_b,
                struct world_client *b, const char *b_calls_a)
{
    client_keep_busy(a, a_calls_b);
    client_keep_busy(b, b_calls_a);
}
