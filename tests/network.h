/* tests/network.h - a small consensus with known keys, for tests. */
#ifndef TESTS_NETWORK_H
#define TESTS_NETWORK_H
#include <stdint.h>

#include "lib/env.h"
#include "lib/rng_seeded.h"
#include "sim/engine/net.h"

/* An environment of two seeded streams and clocks set by hand. */
struct test_env {
    struct env env;
    struct rng_seeded traffic, crypto;
    uint64_t mono_us, wall_s, timer_us;
    uint64_t wall_ms; /* beyond wall_s */
};
void test_env_init(struct test_env *e, uint64_t seed);

/* gateways, layers of `mixes`, stores; suite x25519 or null. Fails the test on
 * any error. */
void test_network_make(struct sim_net *n, uint8_t suite, unsigned gateways,
                       unsigned layers, unsigned mixes, unsigned stores);
/* Two gateways, three layers of one mix and two stores, in suite null, with an epoch
 * of 30 days. */
void test_network_month(struct sim_net *n);
/* Sign it again, after a change: new document, new digest. */
void test_network_sign(struct sim_net *n);
/* Cut links first[i]-second[i], in their order, and leave relay `out` out unless
 * it is negative; not signed yet. */
void test_network_blame(struct sim_net *n, const uint16_t *first,
                        const uint16_t *second, size_t n_cut, int out);
void test_network_free(struct sim_net *n);
#endif
