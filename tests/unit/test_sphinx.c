/* tests/unit/test_sphinx.c - packets and SURBs go all the way and arrive. */
#include "sphinx/null.h"
#include "tests/unit/test_sphinx.h"

static uint8_t packet[SPHINX_PACKET_MAX];
static uint8_t body[SPHINX_PACKET_MAX];

static void
geometry_has_the_documented_lengths(void **state)
{
    (void)state;
    struct sphinx_geometry g;
    sphinx_geometry_default(&g);
    assert_int_equal(g.element_len, 32);
    assert_int_equal(g.public_len, 32);
    assert_int_equal(g.block_len, 55);
    assert_int_equal(g.routing_len, 275);
    assert_int_equal(g.header_len, 325);
    assert_int_equal(g.payload_len, 1723);
    assert_int_equal(g.body_len, 1707);
    assert_int_equal(g.surb_len, 359);
    assert_int_equal(g.delay_unit_us, 1000);
}

static void
geometry_refuses_what_does_not_fit(void **state)
{
    (void)state;
    struct sphinx_geometry g;
    const uint8_t x = SPHINX_SUITE_X25519;
    assert_int_equal(sphinx_geometry_init(&g, x, 0, 2048, 1), ERR_RANGE);
    assert_int_equal(sphinx_geometry_init(&g, x, 9, 2048, 1), ERR_RANGE);
    assert_int_equal(sphinx_geometry_init(&g, x, 5, 2048, 0), ERR_RANGE);
    assert_int_equal(sphinx_geometry_init(&g, x, 5, 325 + 16, 1), ERR_RANGE);
    assert_int_equal(sphinx_geometry_init(&g, x, 5, 325 + 17, 1), 0);
    assert_int_equal(g.body_len, 1);
    /* there where OpenSSL has ML-KEM */
    assert_int_equal(sphinx_geometry_init(&g, 2, 5, 16384, 1),
                     sphinx_suite_works(2) ? 0 : ERR_SUITE);
    assert_int_equal(sphinx_geometry_init(&g, 3, 5, 2048, 1), ERR_SUITE);
}

/* RFC 7748, section 6.1: Alice is the sender, Bob the relay. */
static void
rfc7748_vector_passes(void **state)
{
    (void)state;
    static const uint8_t alice[32] = {
        0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1,
        0x72, 0x51, 0xb2, 0x66, 0x45, 0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0,
        0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a};
    static const uint8_t alice_public[32] = {
        0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54, 0x74, 0x8b, 0x7d,
        0xdc, 0xb4, 0x3e, 0xf7, 0x5a, 0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38,
        0x1a, 0xf4, 0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b, 0x4e, 0x6a};
    static const uint8_t bob[32] = {
        0x5d, 0xab, 0x08, 0x7e, 0x62, 0x4a, 0x8a, 0x4b, 0x79, 0xe1, 0x7f,
        0x8b, 0x83, 0x80, 0x0e, 0xe6, 0x6f, 0x3b, 0xb1, 0x29, 0x26, 0x18,
        0xb6, 0xfd, 0x1c, 0x2f, 0x8b, 0x27, 0xff, 0x88, 0xe0, 0xeb};
    static const uint8_t bob_public[32] = {
        0xde, 0x9e, 0xdb, 0x7d, 0x7b, 0x7d, 0xc1, 0xb4, 0xd3, 0x5b, 0x61,
        0xc2, 0xec, 0xe4, 0x35, 0x37, 0x3f, 0x83, 0x43, 0xc8, 0x5b, 0x78,
        0x67, 0x4d, 0xad, 0xfc, 0x7e, 0x14, 0x6f, 0x88, 0x2b, 0x4f};
    static const uint8_t shared[32] = {
        0x4a, 0x5d, 0x9d, 0x5b, 0xa4, 0xce, 0x2d, 0xe1, 0x72, 0x8e, 0x3b,
        0xf4, 0x80, 0x35, 0x0f, 0x25, 0xe0, 0x7e, 0x21, 0xc9, 0x47, 0xd1,
        0x9e, 0x33, 0x76, 0xf0, 0x9b, 0x3c, 0x1e, 0x16, 0x17, 0x42};
    const struct suite *s = suite_find(SPHINX_SUITE_X25519);
    uint8_t element[32], secret[32], public_key[32];
    assert_int_equal(s->keypair(public_key, bob), 0);
    assert_memory_equal(public_key, bob_public, 32);
    struct suite_kem kem = {.seed = alice,
                            .public_key = bob_public,
                            .element = element,
                            .secret = secret};
    s->encapsulate(&kem, 1);
    assert_int_equal(kem.err, 0);
    assert_memory_equal(element, alice_public, 32);
    assert_memory_equal(secret, shared, 32);
    memset(secret, 0, sizeof secret);
    kem.seed = bob;
    s->decapsulate(&kem, 1);
    assert_int_equal(kem.err, 0);
    assert_memory_equal(secret, shared, 32);
}

/* Take a packet over n hops; every block must be what the sender wrote. */
static void
travel(struct line *l, size_t n, uint8_t last)
{
    uint8_t tags[SPHINX_HOPS_MAX][SPHINX_REPLAY_TAG_LEN];
    for (size_t i = 0; i < n; i++) {
        struct sphinx_job job = line_unwrap(l, i, packet);
        assert_int_equal(job.err, 0);
        assert_int_equal(job.block.delay, l->path[i].delay);
        assert_int_equal(job.block.deadline, l->path[i].deadline);
        if (i + 1 < n) {
            assert_int_equal(job.block.command, SPHINX_FORWARD);
            assert_int_equal(job.block.next, l->path[i + 1].index);
            assert_int_equal(packet[0], SPHINX_VERSION);
            assert_int_equal(packet[1], l->view.epoch);
        } else {
            assert_int_equal(job.block.command, last);
        }
        memcpy(tags[i], job.replay_tag, SPHINX_REPLAY_TAG_LEN);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(tags[k], tags[i], SPHINX_REPLAY_TAG_LEN);
        if (last == SPHINX_DELIVER && i + 1 == n) {
            assert_memory_equal(job.block.handle, "handle 8", 8);
            assert_memory_equal(job.block.surb_id, "surbid 8", 8);
        }
    }
}

static void
request_and_answer(struct line *l, size_t n)
{
    const struct sphinx_geometry *g = &l->view.geometry;
    const uint8_t *payload = packet + g->header_len;
    line_request(l, n, body, packet);
    travel(l, n, SPHINX_STORE);
    assert_true(sphinx_payload_is_intact(payload));
    assert_memory_equal(payload + SPHINX_TAG_LEN, body, g->body_len);

    struct sphinx_end end;
    uint8_t seed[SPHINX_SEED_LEN], surb[SPHINX_PACKET_MAX];
    uint16_t first = 0;
    memcpy(end.handle, "handle 8", 8);
    memcpy(end.surb_id, "surbid 8", 8);
    line_random(l, seed, sizeof seed);
    line_random(l, body, g->body_len);
    assert_int_equal(
        sphinx_surb_create(l->worker, &l->view, l->path, n, &end, seed, surb),
        0);
    assert_int_equal(sphinx_surb_use(l->worker, g, surb, body, packet, &first),
                     0);
    assert_int_equal(first, l->path[0].index);
    travel(l, n, SPHINX_DELIVER);
    if (g->suite != SPHINX_SUITE_NULL)
        assert_false(sphinx_payload_is_intact(payload));
    uint8_t *answer = packet + g->header_len;
    assert_int_equal(
        sphinx_surb_open(l->worker, &l->view, l->path, n, seed, answer), 0);
    assert_memory_equal(answer + SPHINX_TAG_LEN, body, g->body_len);
}

/* A body in its place in the packet and a SURB at the packet's beginning give
 * the same packets as those that stand elsewhere. */
static void
packets_are_made_in_place(void **state)
{
    (void)state;
    static uint8_t here[2048];
    struct line l;
    uint8_t seed[SPHINX_SEED_LEN], surb[2048];
    struct sphinx_end end = {{1}, {2}};
    uint16_t first, again;
    line_new(&l, SPHINX_SUITE_X25519, 5, sizeof here);
    const struct sphinx_geometry *g = &l.view.geometry;
    uint8_t *inside = here + g->header_len + SPHINX_TAG_LEN;
    line_random(&l, seed, sizeof seed);
    line_random(&l, body, g->body_len);
    memcpy(inside, body, g->body_len);
    for (int i = 0; i < 2; i++)
        assert_int_equal(sphinx_create(l.worker, &l.view, l.path, 4, seed,
                                       i ? body : inside, i ? packet : here),
                         0);
    assert_memory_equal(packet, here, sizeof here);
    assert_int_equal(
        sphinx_surb_create(l.worker, &l.view, l.path, 4, &end, seed, surb), 0);
    memcpy(here, surb, g->surb_len);
    assert_int_equal(sphinx_surb_use(l.worker, g, surb, body, packet, &first),
                     0);
    assert_int_equal(sphinx_surb_use(l.worker, g, here, body, here, &again), 0);
    assert_memory_equal(packet, here, sizeof here);
    assert_int_equal(first, again);
    line_free(&l);
}

static void
every_path_length_arrives(void **state)
{
    (void)state;
    static const uint16_t spare[] = {17, 500, 1500, 30000};
    sphinx_null_register();
    for (uint8_t suite = 0; suite <= SPHINX_SUITE_X25519_MLKEM768; suite++)
        for (uint8_t hops = 1; hops <= SPHINX_HOPS_MAX; hops++) {
            int element = suite == SPHINX_SUITE_X25519_MLKEM768 ? 1120 : 32;
            uint16_t len = (uint16_t)(18 + element + (23 + element) * hops +
                                      spare[hops % 4]);
            struct line l;
            if (!sphinx_suite_works(suite))
                continue; /* ML-KEM is in OpenSSL from 3.5 on */
            line_new(&l, suite, hops, len);
            for (size_t n = 1; n <= hops; n++)
                request_and_answer(&l, n);
            assert_int_equal(sphinx_create(l.worker, &l.view, l.path, hops + 1u,
                                           l.relay[0].seed, body, packet),
                             ERR_RANGE);
            assert_int_equal(sphinx_create(l.worker, &l.view, l.path, 0,
                                           l.relay[0].seed, body, packet),
                             ERR_RANGE);
            line_free(&l);
        }
}

/* The null suite has the lengths of x25519, and sees a stale digest. */
static void
null_has_the_same_layout(void **state)
{
    (void)state;
    struct sphinx_geometry a, b;
    struct line l;
    sphinx_null_register();
    sphinx_geometry_default(&a);
    line_new(&l, SPHINX_SUITE_NULL, 5, 2048);
    b = l.view.geometry;
    b.suite = a.suite;
    assert_memory_equal(&a, &b, sizeof a);
    line_request(&l, 5, body, packet);
    assert_int_equal(line_unwrap(&l, 1, packet).err, ERR_MAC);
    l.view.digest[3] ^= 1;
    line_request(&l, 5, body, packet);
    assert_int_equal(line_unwrap(&l, 0, packet).err, ERR_MAC);
    line_free(&l);
}

/* Same seed, same packet; another seed shares nothing but the epoch. */
static void
seed_decides_the_packet(void **state)
{
    (void)state;
    struct line l;
    static uint8_t again[2048];
    uint8_t seed[SPHINX_SEED_LEN] = {9};
    line_new(&l, SPHINX_SUITE_X25519, 5, 2048);
    for (int i = 0; i < 2; i++)
        assert_int_equal(sphinx_create(l.worker, &l.view, l.path, 4, seed, body,
                                       i ? again : packet),
                         0);
    assert_memory_equal(packet, again, sizeof again);
    seed[31] ^= 1;
    assert_int_equal(
        sphinx_create(l.worker, &l.view, l.path, 4, seed, body, again), 0);
    size_t same = 0;
    for (size_t i = 2; i < sizeof again; i++)
        same += packet[i] == again[i];
    assert_in_range(same, 0, 40); /* 8 expected */
    line_free(&l);
}

/* Keys kept instead of the path open the answer; another SURB's do not. */
static void
surb_keys_open_the_answer(void **state)
{
    (void)state;
    struct line l;
    struct sphinx_end end = {{1}, {2}};
    uint8_t seed[SPHINX_SEED_LEN] = {5}, surb[359], keys[6][SPHINX_KEY_LEN];
    static uint8_t copy[2048];
    uint16_t first;
    line_new(&l, SPHINX_SUITE_X25519, 5, 2048);
    const struct sphinx_geometry *g = &l.view.geometry;
    assert_int_equal(
        sphinx_surb_create(l.worker, &l.view, l.path, 5, &end, seed, surb), 0);
    assert_int_equal(sphinx_surb_keys(l.worker, &l.view, l.path, 5, seed, keys),
                     0);
    assert_int_equal(sphinx_surb_use(l.worker, g, surb, body, packet, &first),
                     0);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(line_unwrap(&l, i, packet).err, 0);
    memcpy(copy, packet, sizeof copy);
    assert_int_equal(sphinx_surb_open_keys(
                         l.worker, g, (const uint8_t(*)[SPHINX_KEY_LEN])keys, 5,
                         packet + g->header_len),
                     0);
    copy[1000] ^= 4; /* tampered with */
    assert_int_equal(sphinx_surb_open_keys(
                         l.worker, g, (const uint8_t(*)[SPHINX_KEY_LEN])keys, 5,
                         copy + g->header_len),
                     ERR_TAG);
    copy[1000] ^= 4;
    seed[0] ^= 1;
    assert_int_equal(sphinx_surb_open(l.worker, &l.view, l.path, 5, seed,
                                      copy + g->header_len),
                     ERR_TAG);
    surb[0] = 2;
    assert_int_equal(sphinx_surb_use(l.worker, g, surb, body, packet, &first),
                     ERR_VERSION);
    line_free(&l);
}

const struct CMUnitTest test_sphinx[] = {
    cmocka_unit_test(geometry_has_the_documented_lengths),
    cmocka_unit_test(geometry_refuses_what_does_not_fit),
    cmocka_unit_test(rfc7748_vector_passes),
    cmocka_unit_test(packets_are_made_in_place),
    cmocka_unit_test(every_path_length_arrives),
    cmocka_unit_test(null_has_the_same_layout),
    cmocka_unit_test(seed_decides_the_packet),
    cmocka_unit_test(surb_keys_open_the_answer),
};
TEST_SUITE(test_sphinx);
