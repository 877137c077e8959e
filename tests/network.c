/* tests/network.c - a small consensus with known keys, for tests. */
#include "sphinx/null.h"
#include "tests/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory/document.h"
#include "directory/json.h"
#include "tests/runner.h"

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

static void
relay_make(struct test_network *n, size_t i, unsigned layer, unsigned stores_at)
{
    struct relay_entry *e = &n->consensus->relays[i];
    struct rng_seeded rng;
    rng_seeded_init_u64(&rng, i, "test relay");
    rng_seeded_bytes(&rng, e->identity, sizeof e->identity);
    e->identity[0] = (uint8_t)i; /* sorted, as a consensus is */
    rng_seeded_bytes(&rng, e->placement, sizeof e->placement);
    rng_seeded_bytes(&rng, n->seed[i], SPHINX_SEED_LEN);
    e->layer = (uint8_t)layer;
    e->role = layer == 0           ? ROLE_GATEWAY
              : layer == stores_at ? ROLE_STORE
                                   : ROLE_MIX;
    e->protocol_min = e->protocol_max = 1;
    e->bandwidth = 1000;
    e->n_addresses = 1;
    snprintf(e->addresses[0], ADDRESS_MAX, "127.0.0.1:%u", 7000 + (unsigned)i);
    assert_int_equal(sphinx_keypair(&n->consensus->params.geometry,
                                    e->sphinx_key, n->seed[i]),
                     0);
}

void
test_network_make(struct test_network *n, uint8_t suite, unsigned gateways,
                  unsigned layers, unsigned mixes, unsigned stores)
{
    struct consensus *c = calloc(1, sizeof *c);
    assert_non_null(c);
    if (suite == SPHINX_SUITE_NULL)
        sphinx_null_register();
    n->consensus = c;
    strcpy(c->network, "test");
    c->epoch = 7;
    c->valid_after_s = 1800000000;
    params_default(&c->params, 3600);
    c->params.layers = (uint8_t)layers;
    assert_int_equal(sphinx_geometry_init(&c->params.geometry, suite,
                                          (uint8_t)(layers + 2), 2048, 1000),
                     0);
    c->n_relays = gateways + (size_t)layers * mixes + stores;
    c->relays = calloc(c->n_relays, sizeof *c->relays);
    n->seed = calloc(c->n_relays, sizeof *n->seed);
    assert_non_null(c->relays);
    assert_non_null(n->seed);
    size_t i = 0;
    for (unsigned layer = 0; layer <= layers + 1; layer++) {
        unsigned count = layer == 0            ? gateways
                         : layer == layers + 1 ? stores
                                               : mixes;
        for (unsigned k = 0; k < count; k++)
            relay_make(n, i++, layer, layers + 1);
    }
    assert_int_equal(consensus_index(c), 0);
    n->document = NULL;
    test_network_sign(n);
}

void
test_network_sign(struct test_network *n)
{
    static const uint8_t seed[DOCUMENT_SIGN_SEED_LEN] = {0xa1};
    struct document d = {.kind = DOCUMENT_CONSENSUS};
    struct document_key key;
    char *body;
    free(n->document);
    assert_int_equal(json_write_consensus(n->consensus, &body, &d.body_len), 0);
    d.body = (const uint8_t *)body;
    document_key_direct(&key, seed);
    memcpy(n->authority, key.identity, sizeof n->authority);
    assert_int_equal(document_sign(&d, &key), 0);
    assert_int_equal(document_write(&d, &n->document, &n->document_len), 0);
    document_digest(&d, n->consensus->digest);
    free(body);
}

void
test_network_free(struct test_network *n)
{
    consensus_free(&n->consensus);
    free(n->seed);
    free(n->document);
    n->seed = NULL;
    n->document = NULL;
}
