/* tests/unit/test_families.c - ways under the rule of families. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "network/route.h"
#include "tests/network.h"

enum { LAYERS = 3, GATEWAY = 0 };

/* Families by letter, '-' for none, one word a layer; all words of one length:
 * "AB BC AA" has two mixes in each of three layers. */
static void
network_make(struct sim_net *n, const char *families)
{
    unsigned mixes = (unsigned)strcspn(families, " ");
    test_network_make(n, SPHINX_SUITE_NULL, 1, LAYERS, mixes, 1);
    for (size_t i = 1; *families; families++)
        if (*families != ' ')
            memset(n->consensus->relays[i++].family,
                   *families == '-' ? 0 : *families, FAMILY_LEN);
}

static bool
same_family(const struct relay_entry *a, const struct relay_entry *b)
{
    static const uint8_t none[FAMILY_LEN];
    return memcmp(a->family, b->family, FAMILY_LEN) == 0 &&
           memcmp(a->family, none, FAMILY_LEN) != 0;
}

/* No two of the way, its start and its end are of one family. */
static bool
is_disjoint(const struct consensus *c, const uint16_t *way, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (same_family(&c->relays[way[i]], &c->relays[way[k]]))
                return false;
    return true;
}

static int
draw(const struct sim_net *n, struct test_env *e, struct route *r)
{
    const struct consensus *c = n->consensus;
    uint16_t store = (uint16_t)(c->n_relays - 1), back[SPHINX_HOPS_MAX + 1];
    int err = route_draw(r, c, &e->env, GATEWAY, store, true, ROUTE_SEND);
    if (err)
        return err;
    assert_int_equal(r->n_out, LAYERS + 2);
    assert_int_equal(r->n_back, LAYERS + 1);
    back[0] = store;
    memcpy(back + 1, r->back, r->n_back * sizeof back[0]);
    for (unsigned k = 1; k <= LAYERS; k++) {
        assert_int_equal(c->relays[r->out[k]].layer, k);
        assert_int_equal(c->relays[back[k]].layer, k);
    }
    assert_true(is_disjoint(c, r->out, r->n_out));
    assert_true(is_disjoint(c, back, r->n_back + 1u));
    return 0;
}

/* Layer 3 is all A, so layer 1 has to take B, and so layer 2 C; bandwidth
 * leads away from both. Drawing layer by layer succeeds once in a million
 * times. */
static void
the_only_way_is_found(void **state)
{
    (void)state;
    struct sim_net n;
    struct test_env e;
    struct route r;
    network_make(&n, "AB BC AA");
    test_env_init(&e, test_seed());
    n.consensus->relays[1].bandwidth = 1000000;
    n.consensus->relays[2].bandwidth = 0;
    n.consensus->relays[3].bandwidth = 1000000;
    n.consensus->relays[4].bandwidth = 0;
    unsigned last[2] = {0};
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(draw(&n, &e, &r), 0);
        assert_int_equal(r.out[1], 2);
        assert_int_equal(r.out[2], 4);
        last[r.out[3] - 5]++;
    }
    assert_true(last[0] > 400 && last[1] > 400); /* 6.3 deviations */
    test_network_free(&n);
}

static void
no_way_is_an_error(void **state)
{
    (void)state;
    static const char *const none[] = {"AAAA BBBB AAAA", "AB BA AB",
                                       "AABB ABAB BBBA", "A- AA AA"};
    struct sim_net n;
    struct test_env e;
    struct route r;
    test_env_init(&e, test_seed());
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        network_make(&n, none[i]);
        assert_int_equal(draw(&n, &e, &r), ERR_NOT_FOUND);
        test_network_free(&n);
    }
    network_make(&n, "-- -- --"); /* the ends are relays of the way too */
    struct relay_entry *relay = n.consensus->relays;
    assert_int_equal(draw(&n, &e, &r), 0);
    relay[GATEWAY].family[0] = relay[7].family[0] = 1;
    assert_int_equal(draw(&n, &e, &r), ERR_NOT_FOUND);
    relay[7].family[0] = 0;
    relay[1].family[0] = relay[2].family[0] = 1;
    assert_int_equal(draw(&n, &e, &r), ERR_NOT_FOUND);
    test_network_free(&n);
}

/* Is there a way? By trying all. */
static bool
way_exists(const struct consensus *c, unsigned mixes)
{
    uint16_t way[LAYERS + 2] = {GATEWAY};
    way[LAYERS + 1] = (uint16_t)(c->n_relays - 1);
    for (unsigned i = 0; i < mixes * mixes * mixes; i++) {
        way[1] = (uint16_t)(1 + i % mixes);
        way[2] = (uint16_t)(1 + mixes + i / mixes % mixes);
        way[3] = (uint16_t)(1 + 2 * mixes + i / mixes / mixes);
        if (is_disjoint(c, way, LAYERS + 2))
            return true;
    }
    return false;
}

/* 3,000 networks with families and bandwidths drawn: a way is found exactly
 * when trying all finds one. */
static void
fails_only_when_there_is_none(void **state)
{
    (void)state;
    struct sim_net n;
    struct test_env e;
    struct rng_seeded rng;
    struct route r;
    unsigned found = 0, missing = 0;
    test_env_init(&e, test_seed());
    rng_seeded_init_u64(&rng, test_seed(), "families");
    network_make(&n, "AAA AAA AAA");
    for (int i = 0; i < 3000; i++) {
        uint64_t kinds = rng_seeded_u64(&rng) % 5 + 2;
        for (size_t k = 0; k < n.consensus->n_relays; k++) {
            uint64_t u = rng_seeded_u64(&rng);
            struct relay_entry *relay = &n.consensus->relays[k];
            bool none = (u >> 40) % 16 == 0;
            memset(relay->family, none ? 0 : (int)(u % kinds) + 1, FAMILY_LEN);
            relay->bandwidth = u >> 60 & 1 ? 1000000 : 0;
        }
        bool exists = way_exists(n.consensus, 3);
        assert_int_equal(draw(&n, &e, &r), exists ? 0 : ERR_NOT_FOUND);
        found += exists;
        missing += !exists;
    }
    assert_true(found > 300 && missing > 300);
    test_network_free(&n);
}

/* The law of 60,000 ways: by bandwidth in each layer given that families
 * differ (6 of 8 ways; chi-square with 5 degrees of freedom, 48.9 is passed by
 * chance once in 4 * 10^8). Skipping layer by layer would draw A in layer 1
 * three times in four, where the law says three times in eight. */
static void
law_is_that_of_rejection(void **state)
{
    (void)state;
    enum { WAYS = 60000 };
    static const uint32_t bandwidth[6] = {2, 0, 3, 0, 0, 1};
    struct sim_net n;
    struct test_env e;
    struct route r;
    double weight[8], total = 0, chi2 = 0;
    unsigned count[8] = {0};
    network_make(&n, "AB AC --");
    test_env_init(&e, test_seed());
    for (size_t i = 0; i < 6; i++)
        n.consensus->relays[1 + i].bandwidth = bandwidth[i];
    for (unsigned i = 0; i < 8; i++) {
        weight[i] = 1;
        for (unsigned k = 0; k < 3; k++)
            weight[i] *= bandwidth[2 * k + (i >> k & 1)] + 1;
        if ((i & 3) == 0)
            weight[i] = 0;
        total += weight[i];
    }
    for (int i = 0; i < WAYS; i++) {
        assert_int_equal(draw(&n, &e, &r), 0);
        count[(r.out[1] - 1) + 2 * (r.out[2] - 3) + 4 * (r.out[3] - 5)]++;
    }
    for (unsigned i = 0; i < 8; i++) {
        double want = WAYS * weight[i] / total, d = count[i] - want;
        if (want > 0)
            chi2 += d * d / want;
        else
            assert_int_equal(count[i], 0);
    }
    assert_true(chi2 < 48.9);
    test_network_free(&n);
}

const struct CMUnitTest test_families[] = {
    cmocka_unit_test(the_only_way_is_found),
    cmocka_unit_test(no_way_is_an_error),
    cmocka_unit_test(fails_only_when_there_is_none),
    cmocka_unit_test(law_is_that_of_rejection),
};
TEST_SUITE(test_families);
