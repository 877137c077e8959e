/* tests/fuzz/test_packets.c - mutated packets.
 *
 * Half of them are changed anywhere and fail where the MAC says so. The other
 * half are opened with the relay's own key, changed inside (its block, the
 * header of the next, the payload) and sealed again with a good MAC, as one
 * who sends a malicious packet would. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "lib/wire.h"
#include "sphinx/packet.h"
#include "sphinx/suite.h"
#include "tests/mutate.h"
#include "tests/network.h"

enum { LEN = 2048, RELAYS = 4, HOPS = 4, BATCH = 32 };

struct fixture {
    struct sim_net net;
    struct sphinx_worker *worker;
    struct sphinx_key *key[RELAYS];
    struct rng_seeded rng;
    uint8_t packet[BATCH][LEN], before[BATCH][LEN];
    struct sphinx_job job[BATCH];
    bool sealed[BATCH];
};

static struct fixture *
fixture_new(uint8_t suite, const char *label)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    test_network_make(&f->net, suite, 1, 2, 1, 1);
    rng_seeded_init_u64(&f->rng, test_seed(), label);
    assert_int_equal(sphinx_worker_new(&f->worker), 0);
    const struct consensus *c = f->net.consensus;
    assert_int_equal(c->n_relays, RELAYS);
    for (size_t i = 0; i < RELAYS; i++)
        assert_int_equal(sphinx_key_new(&f->key[i], &c->params.geometry,
                                        f->net.seed[i], c->relays[i].identity,
                                        c->digest),
                         0);
    return f;
}

static void
fixture_free(struct fixture *f)
{
    for (size_t i = 0; i < RELAYS; i++)
        sphinx_key_free(&f->key[i]);
    sphinx_worker_free(&f->worker);
    test_network_free(&f->net);
    free(f);
}

/* A good packet of a random length of way: a request, or an answer made from a
 * SURB. Returns the relay it is for. */
static uint16_t
packet_make(struct fixture *f, uint8_t *packet)
{
    const struct consensus *c = f->net.consensus;
    const struct sphinx_geometry *g = &c->params.geometry;
    struct sphinx_view view;
    struct sphinx_hop hop[HOPS];
    struct sphinx_end end;
    uint8_t seed[SPHINX_SEED_LEN], body[LEN], surb[LEN];
    size_t n = mutate_below(&f->rng, HOPS) + 1;
    uint16_t first = (uint16_t)mutate_below(&f->rng, RELAYS);
    consensus_view(c, &view);
    for (size_t i = 0; i < n; i++) {
        uint16_t r = (uint16_t)((first + i) % RELAYS);
        hop[i] = (struct sphinx_hop){.public_key = c->relays[r].sphinx_key,
                                     .identity = c->relays[r].identity,
                                     .index = r,
                                     .delay = 100,
                                     .deadline = 7};
    }
    rng_seeded_bytes(&f->rng, seed, sizeof seed);
    rng_seeded_bytes(&f->rng, body, sizeof body);
    body[0] = WIRE_LOOP;
    if (mutate_below(&f->rng, 3) > 0) {
        assert_int_equal(
            sphinx_create(f->worker, &view, hop, n, seed, body, packet), 0);
        return first;
    }
    rng_seeded_bytes(&f->rng, &end, sizeof end);
    assert_int_equal(
        sphinx_surb_create(f->worker, &view, hop, n, &end, seed, surb), 0);
    assert_int_equal(sphinx_surb_use(f->worker, g, surb, body, packet, &first),
                     0);
    return first;
}

/* Open the header as relay `at`, change it inside, and seal it. */
static void
packet_reseal(struct fixture *f, uint16_t at, uint8_t *packet)
{
    const struct consensus *c = f->net.consensus;
    const struct sphinx_geometry *g = &c->params.geometry;
    const struct suite *s = suite_find(g->suite);
    const size_t mac_at = g->header_len - (size_t)SPHINX_MAC_LEN;
    uint8_t ctx[SPHINX_KEY_LEN], secret[SPHINX_KEY_LEN];
    uint8_t *element = packet + PACKET_ELEMENT_AT;
    uint8_t *routing = element + g->element_len;
    struct cipher *cipher = f->worker->cipher;
    struct suite_kem kem = {
        .seed = f->net.seed[at], .element = element, .secret = secret};
    struct suite_keys keys;
    s->context(s, ctx, c->digest, c->relays[at].identity,
               c->relays[at].sphinx_key);
    s->decapsulate(&kem, 1);
    assert_int_equal(kem.err, 0);
    assert_int_equal(s->hop_keys(s, cipher, secret, ctx, element, &keys), 0);
    assert_int_equal(s->stream(cipher, routing, g->routing_len), 0);
    switch (mutate_below(&f->rng, 5)) {
    case 0: /* the command and numbers of its block */
        mutate_bytes(&f->rng, routing, BLOCK_ELEMENT_AT);
        break;
    case 1: /* the command: those that exist and those that nearly do */
        routing[BLOCK_COMMAND_AT] = (uint8_t)mutate_below(&f->rng, 6);
        break;
    case 2: /* what the next hop will get */
        mutate_bytes(&f->rng, routing + BLOCK_ELEMENT_AT,
                     (size_t)g->routing_len - BLOCK_ELEMENT_AT);
        break;
    case 3: /* the request's head; with a cipher that is the same as any */
        mutate_bytes(&f->rng, packet + g->header_len + SPHINX_TAG_LEN, 4);
        break;
    default:
        mutate_bytes(&f->rng, packet + g->header_len, g->payload_len);
    }
    assert_int_equal(s->hop_keys(s, cipher, secret, ctx, element, &keys), 0);
    assert_int_equal(s->stream(cipher, routing, g->routing_len), 0);
    assert_int_equal(s->mac(cipher, keys.mac, packet, mac_at, packet + mac_at),
                     0);
}

/* What a relay asks of a block, more or less. */
static int
block_check(void *ctx, struct sphinx_job *job)
{
    const struct fixture *f = ctx;
    const struct sphinx_block *b = &job->block;
    assert_true(b->command >= SPHINX_FORWARD && b->command <= SPHINX_DELIVER);
    if (b->deadline > 100)
        return ERR_DEADLINE_FAR;
    if (b->command == SPHINX_FORWARD && b->next >= f->net.consensus->n_relays)
        return ERR_RELAY;
    return 0;
}

/* What came of one packet; those that end here are read on inside. */
static int
job_result(const struct fixture *f, size_t i)
{
    const struct sphinx_geometry *g = &f->net.consensus->params.geometry;
    const struct sphinx_job *job = &f->job[i];
    const uint8_t *payload = job->packet + g->header_len;
    struct wire_request request;
    if (job->err) {
        assert_memory_equal(job->packet, f->before[i], LEN);
        return job->err;
    }
    assert_memory_equal(job->packet, f->before[i], 2); /* version, epoch */
    if (job->block.command == SPHINX_FORWARD)
        return 0;
    if (!sphinx_payload_is_intact(payload))
        return ERR_TAG;
    return wire_request_parse(&request, payload + SPHINX_TAG_LEN, g->body_len,
                              g->surb_len);
}

static void
batch_run(struct fixture *f, struct tally *t)
{
    const struct consensus *c = f->net.consensus;
    const struct sphinx_geometry *g = &c->params.geometry;
    uint8_t good[LEN];
    uint16_t at = 0;
    for (size_t i = 0; i < BATCH; i++) {
        uint8_t *p = f->packet[i];
        if (i % 8 == 0)
            at = packet_make(f, good);
        memcpy(p, good, LEN);
        f->sealed[i] = i & 1;
        if (f->sealed[i])
            packet_reseal(f, at, p);
        else if (mutate_below(&f->rng, 16) == 0)
            memset(p + PACKET_ELEMENT_AT, 0, g->element_len);
        else /* mostly near the beginning, where every octet counts */
            mutate_bytes(&f->rng, p, i & 2 ? 16 : i & 4 ? g->header_len : LEN);
        memcpy(f->before[i], p, LEN);
        f->job[i] = (struct sphinx_job){
            .packet = p,
            .key = p[PACKET_EPOCH_AT] == (uint8_t)c->epoch ? f->key[at] : NULL};
    }
    sphinx_unwrap(f->worker, g, f->job, BATCH, block_check, f);
    for (size_t i = 0; i < BATCH; i++)
        tally_add(t, job_result(f, i), f->sealed[i]);
}

static void
packets_null(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(SPHINX_SUITE_NULL, "fuzz packets null");
    struct tally t = {.parser = "sphinx_unwrap null"};
    for (unsigned i = 0; i < mutate_inputs(MUTATE_PACKETS_NULL); i += BATCH)
        batch_run(f, &t);
    tally_report(&t, mutate_inputs(MUTATE_PACKETS_NULL), 7);
    fixture_free(f);
}

/* The real suite: a sealed packet never fails at its MAC. */
static void
packets_x25519(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(SPHINX_SUITE_X25519, "fuzz packets x25519");
    struct tally t = {.parser = "sphinx_unwrap x25519"};
    for (unsigned i = 0; i < mutate_inputs(MUTATE_PACKETS_X25519); i += BATCH) {
        batch_run(f, &t);
        for (size_t k = 0; k < BATCH; k++)
            assert_true(!f->sealed[k] || f->job[k].err != ERR_MAC);
    }
    assert_true(t.refused[-ERR_POINT] > 0);
    assert_true(t.refused[-ERR_MAC] > mutate_inputs(MUTATE_PACKETS_X25519) / 8);
    tally_report(&t, mutate_inputs(MUTATE_PACKETS_X25519), 7);
    fixture_free(f);
}

const struct CMUnitTest test_packets[] = {
    cmocka_unit_test(packets_null),
    cmocka_unit_test(packets_x25519),
};
TEST_SUITE(test_packets);
