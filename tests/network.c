/* tests/network.c - a small consensus with known keys, for tests. */
#include "tests/network.h"

#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

static uint64_t
test_mono_us(struct env *env)
{
    return ((struct test_env *)env)->mono_us;
}

static uint64_t
test_wall_ms(struct env *env)
{
    const struct test_env *e = (struct test_env *)env;
    return e->wall_s * 1000 + e->wall_ms;
}

static void
test_traffic(struct env *env, void *out, size_t len)
{
    rng_seeded_bytes(&((struct test_env *)env)->traffic, out, len);
}

static void
test_crypto(struct env *env, void *out, size_t len)
{
    rng_seeded_bytes(&((struct test_env *)env)->crypto, out, len);
}

static void
test_timer(struct env *env, uint64_t at_mono_us)
{
    ((struct test_env *)env)->timer_us = at_mono_us;
}

void
test_env_init(struct test_env *e, uint64_t seed)
{
    static const struct env_ops ops = {.now_mono_us = test_mono_us,
                                       .now_wall_ms = test_wall_ms,
                                       .random_traffic = test_traffic,
                                       .random_crypto = test_crypto,
                                       .timer = test_timer};
    *e = (struct test_env){.env.ops = &ops,
                           .mono_us = 1000000,
                           .wall_s = 1800000000,
                           .timer_us = UINT64_MAX};
    rng_seeded_init_u64(&e->traffic, seed, "traffic");
    rng_seeded_init_u64(&e->crypto, seed, "crypto");
}

void
test_network_make(struct sim_net *n, uint8_t suite, unsigned gateways,
                  unsigned layers, unsigned mixes, unsigned stores)
{
    uint32_t widths[LAYERS_MAX];
    struct sim_net_plan plan = {.suite = suite,
                                .gateways = gateways,
                                .stores = stores,
                                .widths = widths};
    assert_true(layers <= LAYERS_MAX);
    for (unsigned i = 0; i < layers; i++)
        widths[i] = mixes;
    params_default(&plan.params, 3600);
    plan.params.layers = (uint8_t)layers;
    plan.params.work_bits = SIM_WORK_BITS;
    assert_int_equal(sim_net_make(n, &plan), 0);
}

void
test_network_month(struct sim_net *n)
{
    test_network_make(n, SPHINX_SUITE_NULL, 2, 3, 1, 2);
    n->consensus->params.epoch_len_s = 30 * 86400;
    test_network_sign(n);
}

void
test_network_sign(struct sim_net *n)
{
    assert_int_equal(sim_net_sign(n), 0);
}

void
test_network_blame(struct sim_net *n, const uint16_t *first,
                   const uint16_t *second, size_t n_cut, int out)
{
    struct consensus *c = n->consensus;
    free(c->cut);
    free(c->left_out);
    c->cut = calloc(n_cut + 1, sizeof *c->cut);
    c->left_out = calloc(1, sizeof *c->left_out);
    assert_non_null(c->cut);
    assert_non_null(c->left_out);
    for (c->n_cut = 0; c->n_cut < n_cut; c->n_cut++)
        c->cut[c->n_cut] = (struct cut_link){first[c->n_cut], second[c->n_cut]};
    c->n_left_out = out >= 0;
    if (out >= 0) {
        memcpy(c->left_out->identity, c->relays[out].identity, SPHINX_ID_LEN);
        c->left_out->cut_permille = 501;
    }
    assert_int_equal(consensus_index(c), 0);
}

void
test_network_free(struct sim_net *n)
{
    sim_net_free(n);
}
