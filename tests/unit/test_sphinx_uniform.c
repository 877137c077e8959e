/* tests/unit/test_sphinx_uniform.c - what a hop sees says nothing about the
 * path's length or the hop's place on it.
 *
 * For every path length, place and kind (request, answer) the octets a hop
 * gets to see, before and after it takes off its layer, are counted, and
 * Pearson's chi-square compares the counts with the uniform distribution; so
 * are the differences (xor) of octets one block apart, which would show filler
 * that repeats itself. Left out is only what is meant to be read: version,
 * epoch, the used fields of the own block, the payload at its end, and of each
 * element the last octet, whose highest bit is always 0.
 *
 * There are 2 kinds * 15 places * 2 statistics = 60 tests of 255 degrees of
 * freedom; at a threshold of 400 each has a false-alarm rate of 1.7e-8
 * (Wilson-Hilferty: z = 5.52), all together 1e-6. */
#include "tests/unit/test_sphinx.h"

enum { PACKET_LEN = 1024, HOPS = 5, ROUNDS = 400 };
static const double threshold = 400;
static uint8_t packet[PACKET_LEN];
static uint8_t body[PACKET_LEN];
static const struct sphinx_end end = {"handle", "surb"};

struct histogram {
    double octet[256];
    double difference[256];
};

static double
chi_square(const double count[256])
{
    double n = 0, sum = 0;
    for (size_t i = 0; i < 256; i++)
        n += count[i];
    assert_true(n > 256 * 20); /* else the statistic has another law */
    for (size_t i = 0; i < 256; i++)
        sum += (count[i] - n / 256) * (count[i] - n / 256);
    return sum / (n / 256);
}

static void
see(struct histogram *h, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        h->octet[p[i]]++;
}

/* The inner header as relay i can read it: (hops + 1) blocks. */
static void
open_routing(struct line *l, size_t i, const uint8_t *p, uint8_t *inner)
{
    const struct sphinx_geometry *g = &l->view.geometry;
    const struct suite *s = suite_find(g->suite);
    uint8_t secret[SPHINX_KEY_LEN], ctx[SPHINX_KEY_LEN], element[32];
    struct suite_keys keys;
    memcpy(element, p + PACKET_ELEMENT_AT, sizeof element);
    struct suite_kem kem = {
        .seed = l->relay[i].seed, .element = element, .secret = secret};
    s->decapsulate(&kem, 1);
    s->context(s, ctx, l->view.digest, l->relay[i].identity,
               l->relay[i].public_key);
    memset(inner, 0, (size_t)g->routing_len + g->block_len);
    memcpy(inner, p + PACKET_ELEMENT_AT + 32, g->routing_len);
    assert_int_equal(
        s->hop_keys(s, l->worker->cipher, secret, ctx, element, &keys), 0);
    assert_int_equal(s->stream(l->worker->cipher, inner,
                               (size_t)g->routing_len + g->block_len),
                     0);
}

static void
see_packet(struct line *l, struct histogram *h, size_t n, size_t i)
{
    const struct sphinx_geometry *g = &l->view.geometry;
    const size_t b = g->block_len, total = g->routing_len + b;
    uint8_t inner[(HOPS + 1) * BLOCK_MAX];
    see(h, packet + PACKET_ELEMENT_AT, 31);
    see(h, packet + PACKET_ELEMENT_AT + 32, g->packet_len - 34u);
    open_routing(l, i, packet, inner);
    see(h, inner + b, total - b);
    for (size_t k = b; k + b < total; k++)
        h->difference[inner[k] ^ inner[k + b]]++;
    /* the own block: next element and MAC; at the end, all that is unused */
    const bool last = i + 1 == n;
    const bool answer = inner[0] == SPHINX_DELIVER;
    if (last)
        see(h, inner + BLOCK_NEXT_AT, 2);
    see(h, inner + BLOCK_ELEMENT_AT + (answer ? 16 : 0), answer ? 15 : 31);
    see(h, inner + BLOCK_ELEMENT_AT + 32, SPHINX_MAC_LEN);
}

static void
begin(struct line *l, struct sphinx_order *o)
{
    packet_exchange(l->worker, &l->view, o, 1);
    assert_int_equal(o->err, 0);
    assert_int_equal(packet_begin(l->worker, &l->view, o, l->worker->shared),
                     0);
}

static void
make(struct line *l, size_t n, bool answer, bool zero_padding)
{
    const struct sphinx_geometry *g = &l->view.geometry;
    uint8_t seed[SPHINX_SEED_LEN];
    line_random(l, seed, sizeof seed);
    line_random(l, packet, sizeof packet); /* a payload */
    struct sphinx_order o = {.path = l->path,
                             .n = n,
                             .end = answer ? &end : NULL,
                             .seed = seed,
                             .out = packet};
    begin(l, &o);
    if (zero_padding) {
        memset(l->worker->fill, 0, (g->hops - n) * g->block_len);
        assert_int_equal(
            packet_header(l->worker, &l->view, &o, l->worker->shared), 0);
    }
    packet_wipe(l->worker, g, n);
}

static void
look_at_all_hops(struct line *l, size_t n, bool answer, bool zero_padding,
                 struct histogram h[HOPS])
{
    memset(h, 0, HOPS * sizeof *h);
    for (int round = 0; round < ROUNDS; round++) {
        make(l, n, answer, zero_padding);
        for (size_t i = 0; i < n; i++) {
            see_packet(l, &h[i], n, i);
            assert_int_equal(line_unwrap(l, i, packet).err, 0);
        }
    }
}

static void
hops_see_uniform_octets(void **state)
{
    (void)state;
    struct line l;
    struct histogram h[HOPS];
    line_new(&l, SPHINX_SUITE_X25519, HOPS, PACKET_LEN);
    for (int answer = 0; answer <= 1; answer++)
        for (size_t n = 1; n <= HOPS; n++) {
            look_at_all_hops(&l, n, answer, false, h);
            for (size_t i = 0; i < n; i++) {
                assert_true(chi_square(h[i].octet) < threshold);
                assert_true(chi_square(h[i].difference) < threshold);
            }
        }
    line_free(&l);
}

/* Negative control: zeros in the unused slots are found, and only by the last
 * hop, and only when there are unused slots. */
static void
zero_padding_is_found(void **state)
{
    (void)state;
    struct line l;
    struct histogram h[HOPS];
    line_new(&l, SPHINX_SUITE_X25519, HOPS, PACKET_LEN);
    for (size_t n = HOPS - 1; n <= HOPS; n++) {
        look_at_all_hops(&l, n, true, true, h);
        for (size_t i = 0; i < n; i++) {
            bool bad = n < HOPS && i + 1 == n;
            assert_int_equal(chi_square(h[i].octet) > threshold, bad);
        }
    }
    line_free(&l);
}

/* Negative control of the second statistic: a block that appears twice. */
static void
repeated_padding_is_found(void **state)
{
    (void)state;
    struct line l;
    struct histogram h = {{0}, {0}};
    uint8_t seed[SPHINX_SEED_LEN];
    line_new(&l, SPHINX_SUITE_X25519, HOPS, PACKET_LEN);
    const size_t b = l.view.geometry.block_len;
    for (int round = 0; round < ROUNDS; round++) {
        line_random(&l, seed, sizeof seed);
        line_random(&l, packet, sizeof packet);
        struct sphinx_order o = {
            .path = l.path, .n = 3, .seed = seed, .out = packet};
        begin(&l, &o);
        memcpy(l.worker->fill + b, l.worker->fill, b);
        assert_int_equal(packet_header(l.worker, &l.view, &o, l.worker->shared),
                         0);
        packet_wipe(l.worker, &l.view.geometry, 3);
        for (size_t i = 0; i < 2; i++)
            assert_int_equal(line_unwrap(&l, i, packet).err, 0);
        see_packet(&l, &h, 3, 2);
    }
    assert_true(chi_square(h.octet) < threshold);
    assert_true(chi_square(h.difference) > threshold);
    line_free(&l);
}

/* Two packets with one body over one path agree in octets by chance only. */
static void
same_path_leaves_no_pattern(void **state)
{
    (void)state;
    struct line l;
    static uint8_t first[PACKET_LEN];
    size_t same = 0, n = 0;
    line_new(&l, SPHINX_SUITE_X25519, HOPS, PACKET_LEN);
    line_random(&l, body, sizeof body);
    for (int round = 0; round < 200; round++) {
        line_request(&l, HOPS, body, packet);
        for (size_t i = 2; i < PACKET_LEN && round > 0; i++, n++)
            same += packet[i] == first[i];
        memcpy(first, packet, sizeof first);
    }
    double expected = (double)n / 256, off = (double)same - expected;
    assert_true(off * off < 36 * expected); /* six standard deviations */
    line_free(&l);
}

const struct CMUnitTest test_sphinx_uniform[] = {
    cmocka_unit_test(hops_see_uniform_octets),
    cmocka_unit_test(zero_padding_is_found),
    cmocka_unit_test(repeated_padding_is_found),
    cmocka_unit_test(same_path_leaves_no_pattern),
};
TEST_SUITE(test_sphinx_uniform);
