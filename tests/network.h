/* tests/network.h - a small consensus with known keys, for tests. */
#ifndef TESTS_NETWORK_H
#define TESTS_NETWORK_H
#include <stdint.h>

#include "directory/consensus.h"
#include "lib/env.h"
#include "lib/rng_seeded.h"

/* An environment of two seeded streams and clocks set by hand. */
struct test_env {
    struct env env;
    struct rng_seeded traffic, crypto;
    uint64_t mono_us, wall_s, timer_us;
    uint64_t wall_ms; /* beyond wall_s */
};
void test_env_init(struct test_env *e, uint64_t seed);

struct test_network {
    struct consensus *consensus;
    uint8_t (*seed)[SPHINX_SEED_LEN]; /* of each relay's packet key */
    uint8_t authority[SPHINX_ID_LEN]; /* the one that signed it */
    uint8_t *document;                /* the signed consensus */
    size_t document_len;
};

/* gateways, layers of `mixes`, stores; suite x25519 or null. Fails the test on
 * any error. */
void test_network_make(struct test_network *n, uint8_t suite, unsigned gateways,
                       unsigned layers, unsigned mixes, unsigned stores);
/* Sign it again, after a change: new document, new digest. */
void test_network_sign(struct test_network *n);
void test_network_free(struct test_network *n);
#endif
