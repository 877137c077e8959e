/* tests/unit/test_sphinx_abuse.c - what a relay does with packets that are
 * wrong: each is refused for its reason, and at the right moment. */
#include <stdlib.h>

#include "sphinx/null.h"
#include "tests/heap.h"
#include "tests/unit/test_sphinx.h"

enum { PACKET_LEN = 2048, HYBRID_LEN = 4096 };
static uint8_t packet[HYBRID_LEN];
static uint8_t body[HYBRID_LEN];
static uint8_t copy[PACKET_LEN];

static int
count_calls(void *ctx, struct sphinx_job *job)
{
    (void)job;
    ++*(int *)ctx;
    return 0;
}

/* Every bit of the header of packet, as relay `at` receives it: refused there
 * and then, before the caller is asked. */
static void
flip_every_bit(struct line *l, size_t at)
{
    static uint8_t batch[SPHINX_BATCH_MAX][HYBRID_LEN];
    struct sphinx_job job[SPHINX_BATCH_MAX];
    const struct sphinx_geometry *g = &l->view.geometry;
    const size_t bits = g->header_len * 8u;
    int calls = 0;
    for (size_t bit = 0; bit < bits; bit += SPHINX_BATCH_MAX) {
        size_t n = bits - bit < SPHINX_BATCH_MAX ? bits - bit
                                                 : (size_t)SPHINX_BATCH_MAX;
        for (size_t k = 0; k < n; k++) {
            memcpy(batch[k], packet, g->packet_len);
            batch[k][(bit + k) / 8] ^= (uint8_t)(1 << (bit + k) % 8);
            job[k] = (struct sphinx_job){.packet = batch[k],
                                         .key = l->relay[at].key};
        }
        sphinx_unwrap(l->worker, g, job, n, count_calls, &calls);
        for (size_t k = 0; k < n; k++)
            assert_int_equal(job[k].err, bit + k < 8 ? ERR_VERSION : ERR_MAC);
    }
    assert_int_equal(calls, 0);
    assert_int_equal(line_unwrap(l, at, packet).err, 0); /* unchanged: fine */
}

static void
every_header_bit_is_protected(void **state)
{
    (void)state;
    const struct sphinx_end end = {{1}, {2}};
    uint8_t seed[SPHINX_SEED_LEN] = {3}, surb[HYBRID_LEN];
    for (uint8_t suite = SPHINX_SUITE_X25519;
         suite <= SPHINX_SUITE_X25519_MLKEM768; suite++) {
        const uint8_t hops = suite == SPHINX_SUITE_X25519 ? 5 : 2;
        struct line l;
        uint16_t first;
        if (!sphinx_suite_works(suite))
            continue;
        line_new(&l, suite, hops, hops == 5 ? PACKET_LEN : HYBRID_LEN);
        line_request(&l, hops, body, packet);
        for (size_t at = 0; at < hops; at++)
            flip_every_bit(&l, at);
        assert_int_equal(sphinx_surb_create(l.worker, &l.view, l.path, hops,
                                            &end, seed, surb),
                         0);
        assert_int_equal(sphinx_surb_use(l.worker, &l.view.geometry, surb, body,
                                         packet, &first),
                         0);
        for (size_t at = 0; at < hops; at++)
            flip_every_bit(&l, at);
        line_free(&l);
    }
}

/* A changed payload travels on and is noticed at the end, wherever the change
 * is and at whichever hop it is made. */
static void
changed_payload_is_noticed_at_the_end(void **state)
{
    (void)state;
    struct line l;
    line_new(&l, SPHINX_SUITE_X25519, 5, PACKET_LEN);
    const struct sphinx_geometry *g = &l.view.geometry;
    for (size_t round = 0; round < 101; round++) {
        size_t bit = (size_t)line_number(&l, g->payload_len * 8u);
        size_t at = round % 5;
        line_request(&l, 5, body, packet);
        for (size_t i = 0; i < 5; i++) {
            if (i == at && round < 100)
                packet[g->header_len + bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(line_unwrap(&l, i, packet).err, 0);
        }
        bool intact = sphinx_payload_is_intact(packet + g->header_len);
        assert_int_equal(intact, round == 100);
    }
    line_free(&l);
}

/* So does that of an answer, by its maker alone: a hop cannot tell. */
static void
changed_answer_is_noticed_by_its_maker(void **state)
{
    (void)state;
    const struct sphinx_end end = {{1}, {2}};
    uint8_t seed[SPHINX_SEED_LEN], surb[PACKET_LEN];
    uint16_t first;
    struct line l;
    line_new(&l, SPHINX_SUITE_X25519, 5, PACKET_LEN);
    const struct sphinx_geometry *g = &l.view.geometry;
    for (size_t round = 0; round < 61; round++) {
        size_t bit = (size_t)line_number(&l, g->payload_len * 8u);
        line_random(&l, seed, sizeof seed);
        assert_int_equal(
            sphinx_surb_create(l.worker, &l.view, l.path, 5, &end, seed, surb),
            0);
        assert_int_equal(
            sphinx_surb_use(l.worker, g, surb, body, packet, &first), 0);
        for (size_t i = 0; i < 5; i++) {
            if (i == round % 5 && round < 60)
                packet[g->header_len + bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(line_unwrap(&l, i, packet).err, 0);
        }
        assert_int_equal(sphinx_surb_open(l.worker, &l.view, l.path, 5, seed,
                                          packet + g->header_len),
                         round < 60 ? ERR_TAG : 0);
    }
    line_free(&l);
}

/* The u-coordinates of points of order 1, 2, 4 and 8 on the curve and its
 * twist, with those that only reduce to them, and each with bit 255 set. */
static void
low_order_elements_are_refused(void **state)
{
    (void)state;
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};
    struct line l;
    uint8_t point[32];
    line_new(&l, SPHINX_SUITE_X25519, 5, PACKET_LEN);
    for (size_t i = 0; i < 2 * sizeof points / sizeof *points; i++) {
        assert_int_equal(
            sodium_hex2bin(point, 32, points[i / 2], 64, NULL, NULL, NULL), 0);
        point[31] |= (uint8_t)(i % 2 << 7);
        line_request(&l, 5, body, packet);
        memcpy(packet + PACKET_ELEMENT_AT, point, 32);
        assert_int_equal(line_unwrap(&l, 0, packet).err, ERR_POINT);
        l.path[3].public_key = point; /* and as a relay's key */
        assert_int_equal(sphinx_create(l.worker, &l.view, l.path, 5,
                                       l.relay[0].seed, body, packet),
                         ERR_POINT);
        l.path[3].public_key = l.relay[3].public_key;
    }
    line_free(&l);
}

/* Another consensus, relay, key or epoch number: the first hop notices. */
static void
stale_views_are_refused(void **state)
{
    (void)state;
    struct line l;
    struct sphinx_key *other;
    uint8_t wrong[32];
    line_new(&l, SPHINX_SUITE_X25519, 5, PACKET_LEN);
    const struct sphinx_geometry *g = &l.view.geometry;
    for (int what = 0; what < 4; what++) {
        const uint8_t *in[3] = {l.relay[0].seed, l.relay[0].identity,
                                l.view.digest};
        if (what < 3) {
            memcpy(wrong, in[what], 32);
            wrong[17] ^= 0x20;
            in[what] = wrong;
        }
        assert_int_equal(sphinx_key_new(&other, g, in[0], in[1], in[2]), 0);
        line_request(&l, 5, body, packet);
        struct sphinx_job job = {.packet = packet, .key = other};
        sphinx_unwrap(l.worker, g, &job, 1, NULL, NULL);
        assert_int_equal(job.err, what < 3 ? ERR_MAC : 0);
        sphinx_key_free(&other);
    }
    line_request(&l, 5, body, packet);
    packet[PACKET_EPOCH_AT]++;
    assert_int_equal(line_unwrap(&l, 0, packet).err, ERR_MAC);
    struct sphinx_job job = {.packet = packet, .key = NULL};
    sphinx_unwrap(l.worker, g, &job, 1, NULL, NULL);
    assert_int_equal(job.err, ERR_EPOCH);
    line_free(&l);
}

struct refusal {
    uint8_t tag[SPHINX_REPLAY_TAG_LEN];
    struct sphinx_block block;
};

static int
refuse(void *ctx, struct sphinx_job *job)
{
    struct refusal *r = ctx;
    memcpy(r->tag, job->replay_tag, sizeof r->tag);
    r->block = job->block;
    return ERR_REPLAY;
}

/* I3: a packet the caller refuses costs no work on header rest or payload. */
static void
refused_packets_cost_no_payload_work(void **state)
{
    (void)state;
    struct line l;
    struct refusal r;
    line_new(&l, SPHINX_SUITE_X25519, 5, PACKET_LEN);
    line_request(&l, 5, body, packet);
    memcpy(copy, packet, sizeof copy);
    struct sphinx_job job = {.packet = packet, .key = l.relay[0].key};
    sphinx_unwrap(l.worker, &l.view.geometry, &job, 1, refuse, &r);
    assert_int_equal(job.err, ERR_REPLAY);
    assert_memory_equal(packet, copy, sizeof copy);
    assert_int_equal(r.block.next, l.path[1].index);
    /* the same packet has the same tag, and this time may pass */
    struct sphinx_job again = line_unwrap(&l, 0, packet);
    assert_int_equal(again.err, 0);
    assert_memory_equal(again.replay_tag, r.tag, sizeof r.tag);
    assert_memory_not_equal(packet + 325, copy + 325, 1723);
    line_free(&l);
}

/* 101 packets, every third of them bad, for relays in turn: the good ones come
 * out as they do one by one. */
static void
bad_packets_do_not_harm_their_batch(void **state)
{
    (void)state;
    enum { N = 101 };
    struct line l;
    struct sphinx_job jobs[N];
    static uint8_t many[N][PACKET_LEN], alone[N][PACKET_LEN];
    static const size_t spoil[] = {0, 3, 40, 310};
    line_new(&l, SPHINX_SUITE_X25519, 5, PACKET_LEN);
    for (size_t i = 0; i < N; i++) {
        line_request(&l, 1 + i % 5, body, many[i]);
        if (i % 3 == 1)
            many[i][spoil[i % 4]] ^= 0x40;
        if (i % 12 == 5)
            memset(many[i] + PACKET_ELEMENT_AT, 0, 32);
        memcpy(alone[i], many[i], PACKET_LEN);
        jobs[i] = (struct sphinx_job){.packet = many[i],
                                      .key = l.relay[i % 12 == 8].key};
    }
    sphinx_unwrap(l.worker, &l.view.geometry, jobs, N, NULL, NULL);
    for (size_t i = 0; i < N; i++) {
        struct sphinx_job one = line_unwrap(&l, i % 12 == 8, alone[i]);
        int want = 0;
        if (i % 3 == 1)
            want = i % 4 == 0 ? ERR_VERSION : ERR_MAC;
        else if (i % 12 == 5)
            want = ERR_POINT;
        else if (i % 12 == 8)
            want = ERR_MAC;
        assert_int_equal(jobs[i].err, want);
        assert_int_equal(one.err, want);
        if (want == 0) {
            assert_memory_equal(many[i] + 2, alone[i] + 2, PACKET_LEN - 2);
            assert_memory_equal(jobs[i].replay_tag, one.replay_tag, 16);
            assert_int_equal(jobs[i].block.command,
                             i % 5 ? SPHINX_FORWARD : SPHINX_STORE);
        }
    }
    line_free(&l);
}

static int
tag_order(const void *a, const void *b)
{
    return memcmp(a, b, SPHINX_REPLAY_TAG_LEN);
}

static void
replay_tags_are_distinct(void **state)
{
    (void)state;
    enum { PACKETS = 400, HOPS = 5 };
    static uint8_t tags[PACKETS * HOPS][SPHINX_REPLAY_TAG_LEN];
    sphinx_null_register();
    for (uint8_t suite = 0; suite <= 1; suite++) {
        struct line l;
        size_t n = 0;
        line_new(&l, suite, HOPS, PACKET_LEN);
        for (size_t p = 0; p < PACKETS; p++) {
            line_request(&l, HOPS, body, packet);
            for (size_t i = 0; i < HOPS; i++)
                memcpy(tags[n++], line_unwrap(&l, i, packet).replay_tag,
                       SPHINX_REPLAY_TAG_LEN);
        }
        qsort(tags, n, sizeof tags[0], tag_order);
        for (size_t i = 1; i < n; i++)
            assert_int_not_equal(tag_order(tags[i - 1], tags[i]), 0);
        line_free(&l);
    }
}

/* Give a packet with a changed header the MAC that relay 0 expects. */
static void
reseal(struct line *l, uint8_t *p)
{
    const struct sphinx_geometry *g = &l->view.geometry;
    const struct suite *s = suite_find(g->suite);
    uint8_t secret[SPHINX_KEY_LEN], ctx[SPHINX_KEY_LEN];
    struct suite_keys keys;
    struct suite_kem kem = {.seed = l->relay[0].seed,
                            .element = p + PACKET_ELEMENT_AT,
                            .secret = secret};
    size_t mac_at = g->header_len - (size_t)SPHINX_MAC_LEN;
    s->decapsulate(&kem, 1);
    s->context(s, ctx, l->view.digest, l->relay[0].identity,
               l->relay[0].public_key);
    assert_int_equal(s->hop_keys(s, l->worker->cipher, secret, ctx,
                                 p + PACKET_ELEMENT_AT, &keys),
                     0);
    assert_int_equal(s->mac(l->worker->cipher, keys.mac, p, mac_at, p + mac_at),
                     0);
}

/* The command is the first octet of the own block, under a stream cipher. */
static void
unknown_commands_are_refused(void **state)
{
    (void)state;
    struct line l;
    int calls = 0;
    line_new(&l, SPHINX_SUITE_X25519, 5, PACKET_LEN);
    line_request(&l, 5, body, packet);
    for (unsigned command = 0; command < 256; command++) {
        memcpy(copy, packet, sizeof copy);
        copy[PACKET_ELEMENT_AT + 32] ^= (uint8_t)(command ^ SPHINX_FORWARD);
        reseal(&l, copy);
        struct sphinx_job job = {.packet = copy, .key = l.relay[0].key};
        sphinx_unwrap(l.worker, &l.view.geometry, &job, 1, count_calls, &calls);
        bool known = command >= 1 && command <= 3;
        assert_int_equal(job.err, known ? 0 : ERR_COMMAND);
    }
    assert_int_equal(calls, 3);
    line_free(&l);
}

static void
mutate(struct line *l, uint8_t *p, size_t len)
{
    size_t from = (size_t)line_number(l, len);
    size_t n = 1 + (size_t)line_number(l, 64);
    n = n > len - from ? len - from : n;
    switch (line_number(l, 4)) {
    case 0:
        p[from] ^= (uint8_t)(1u << n % 8);
        break;
    case 1:
        line_random(l, p + from, n);
        break;
    case 2:
        memset(p + from, n % 2 ? 0 : 0xff, n);
        break;
    default: /* out of place */
        memmove(p + from, p + (size_t)line_number(l, len - n), n);
    }
}

/* I7: half of them are sealed again, so that they reach the inner parse. Most
 * run under `null`, whose parser is the same and which costs no exchange. */
static void
mutated_packets_never_crash(void **state)
{
    (void)state;
    static const int rounds[2] = {170000, 30000};
    int outcome[ERROR_COUNT] = {0};
    uint8_t *p = malloc(PACKET_LEN); /* exact, so that asan sees its ends */
    assert_non_null(p);
    sphinx_null_register();
    for (uint8_t suite = 0; suite <= 1; suite++) {
        struct line l;
        line_new(&l, suite, 5, PACKET_LEN);
        for (int round = 0; round < rounds[suite]; round++) {
            if (round % 64 == 0)
                line_request(&l, 1 + (size_t)round / 64 % 5, body, packet);
            memcpy(p, packet, PACKET_LEN);
            mutate(&l, p, line_number(&l, 20) ? 325 : PACKET_LEN);
            if (round % 2)
                reseal(&l, p);
            struct sphinx_job job = line_unwrap(&l, 0, p);
            assert_in_range(-job.err, 0, ERROR_COUNT - 1);
            outcome[-job.err]++;
        }
        line_free(&l);
    }
    free(p);
    /* each end was met often, and there is no other */
    int sum = 0;
    static const int ends[] = {ERR_OK, ERR_VERSION, ERR_MAC, ERR_COMMAND};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        assert_in_range(outcome[-ends[i]], 50, 200000);
        sum += outcome[-ends[i]];
    }
    assert_int_equal(sum + outcome[-ERR_POINT], 200000);
}

static void
unwrapping_allocates_nothing(void **state)
{
    (void)state;
    enum { N = 40 };
    static uint8_t many[N][PACKET_LEN];
    struct line l;
    struct sphinx_job jobs[N];
    long before = heap_count();
    void *volatile control = malloc(1);
    free(control);
    if (before < 0) {
        print_message("not counted in this build\n");
        return;
    }
    assert_int_equal(heap_count(), before + 1);
    line_new(&l, SPHINX_SUITE_X25519, 5, PACKET_LEN);
    for (size_t i = 0; i < N; i++) {
        line_request(&l, 1 + i % 5, body, many[i]);
        jobs[i] = (struct sphinx_job){.packet = many[i], .key = l.relay[0].key};
    }
    before = heap_count();
    sphinx_unwrap(l.worker, &l.view.geometry, jobs, N, NULL, NULL);
    assert_int_equal(heap_count(), before);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(jobs[i].err, 0);
    line_free(&l);
}

const struct CMUnitTest test_sphinx_abuse[] = {
    cmocka_unit_test(every_header_bit_is_protected),
    cmocka_unit_test(changed_payload_is_noticed_at_the_end),
    cmocka_unit_test(changed_answer_is_noticed_by_its_maker),
    cmocka_unit_test(low_order_elements_are_refused),
    cmocka_unit_test(stale_views_are_refused),
    cmocka_unit_test(refused_packets_cost_no_payload_work),
    cmocka_unit_test(bad_packets_do_not_harm_their_batch),
    cmocka_unit_test(replay_tags_are_distinct),
    cmocka_unit_test(unknown_commands_are_refused),
    cmocka_unit_test(mutated_packets_never_crash),
    cmocka_unit_test(unwrapping_allocates_nothing),
};
TEST_SUITE(test_sphinx_abuse);
