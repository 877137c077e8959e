/* tests/unit/test_sphinx.h - a line of relays for the tests of sphinx/. */
#ifndef TESTS_UNIT_TEST_SPHINX_H
#define TESTS_UNIT_TEST_SPHINX_H
#include <sodium.h>
#include <string.h>

#include "sphinx/packet.h"
#include "sphinx/sphinx.h"
#include "tests/runner.h"

struct line {
    struct sphinx_view view;
    struct sphinx_worker *worker;
    struct {
        uint8_t seed[SPHINX_SEED_LEN];
        uint8_t public_key[SPHINX_PUBLIC_MAX];
        uint8_t identity[SPHINX_ID_LEN];
        struct sphinx_key *key;
    } relay[SPHINX_HOPS_MAX];
    struct sphinx_hop path[SPHINX_HOPS_MAX];
    uint8_t random_key[32];
    uint64_t random_next;
};

/* Octets that depend on the run's seed and on how often this was called. */
static inline void
line_random(struct line *l, void *out, size_t len)
{
    uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
    memcpy(nonce, &l->random_next, sizeof nonce);
    l->random_next++;
    crypto_stream_chacha20(out, len, nonce, l->random_key);
}

static inline uint64_t
line_number(struct line *l, uint64_t below)
{
    uint64_t x;
    line_random(l, &x, sizeof x);
    return x % below;
}

static inline void
line_new(struct line *l, uint8_t suite, uint8_t hops, uint16_t packet_len)
{
    const uint64_t seed = test_seed();
    memset(l, 0, sizeof *l);
    memcpy(l->random_key, &seed, sizeof seed);
    struct sphinx_geometry *g = &l->view.geometry;
    assert_int_equal(sphinx_geometry_init(g, suite, hops, packet_len, 1000), 0);
    assert_int_equal(sphinx_worker_new(&l->worker), 0);
    l->view.epoch = 77;
    line_random(l, l->view.digest, SPHINX_DIGEST_LEN);
    for (size_t i = 0; i < SPHINX_HOPS_MAX; i++) {
        line_random(l, l->relay[i].seed, SPHINX_SEED_LEN);
        line_random(l, l->relay[i].identity, SPHINX_ID_LEN);
        assert_int_equal(
            sphinx_keypair(g, l->relay[i].public_key, l->relay[i].seed), 0);
        assert_int_equal(sphinx_key_new(&l->relay[i].key, g, l->relay[i].seed,
                                        l->relay[i].identity, l->view.digest),
                         0);
        l->path[i] = (struct sphinx_hop){.public_key = l->relay[i].public_key,
                                         .identity = l->relay[i].identity,
                                         .index = (uint16_t)(300 + i),
                                         .delay = (uint16_t)(1000 + 7 * i),
                                         .deadline = (uint16_t)(40000 + i)};
    }
}

static inline void
line_free(struct line *l)
{
    for (size_t i = 0; i < SPHINX_HOPS_MAX; i++)
        sphinx_key_free(&l->relay[i].key);
    sphinx_worker_free(&l->worker);
}

/* A fresh request of n hops; its body goes to body. */
static inline void
line_request(struct line *l, size_t n, uint8_t *body, uint8_t *packet)
{
    uint8_t seed[SPHINX_SEED_LEN];
    line_random(l, seed, sizeof seed);
    line_random(l, body, l->view.geometry.body_len);
    assert_int_equal(
        sphinx_create(l->worker, &l->view, l->path, n, seed, body, packet), 0);
}

/* Unwrap one packet at relay i. */
static inline struct sphinx_job
line_unwrap(struct line *l, size_t i, uint8_t *packet)
{
    struct sphinx_job job = {.packet = packet, .key = l->relay[i].key};
    sphinx_unwrap(l->worker, &l->view.geometry, &job, 1, NULL, NULL);
    return job;
}
#endif
