/* tests/unit/test_sphinx_batch.c - packets made together are those made alone,
 * by whatever means the processor has. */
#include "sphinx/x25519/x25519.h"
#include "tests/unit/test_sphinx.h"

enum { HOPS = 5, LEN = 2048, ORDERS = 19 };
static uint8_t out[ORDERS][LEN], alone[ORDERS][LEN], body[ORDERS][LEN];
static uint8_t seed[ORDERS][SPHINX_SEED_LEN];
static const struct sphinx_end end = {"handle", "surb"};

/* Requests and SURBs of every length in turn. */
static void
orders_fill(struct line *l, struct sphinx_order o[ORDERS])
{
    line_random(l, seed, sizeof seed);
    line_random(l, body, sizeof body);
    memset(out, 0, sizeof out);
    for (size_t i = 0; i < ORDERS; i++)
        o[i] = (struct sphinx_order){.path = l->path,
                                     .n = 1 + i % HOPS,
                                     .end = i % 3 == 0 ? &end : NULL,
                                     .seed = seed[i],
                                     .body = body[i],
                                     .out = out[i]};
}

static int
make_alone(struct line *l, const struct sphinx_order *o, uint8_t *to)
{
    if (o->end)
        return sphinx_surb_create(l->worker, &l->view, o->path, o->n, o->end,
                                  o->seed, to);
    return sphinx_create(l->worker, &l->view, o->path, o->n, o->seed, o->body,
                         to);
}

static void
together_as_alone(void **state)
{
    (void)state;
    const enum x25519_isa before = x25519_isa();
    struct sphinx_order o[ORDERS];
    struct line l;
    line_new(&l, SPHINX_SUITE_X25519, HOPS, LEN);
    orders_fill(&l, o);
    x25519_isa_use(X25519_GENERIC);
    memset(alone, 0, sizeof alone);
    for (size_t i = 0; i < ORDERS; i++)
        assert_int_equal(make_alone(&l, &o[i], alone[i]), 0);
    for (int isa = X25519_GENERIC; isa <= X25519_ISAS; isa++) {
        if (!x25519_isa_works((enum x25519_isa)isa))
            continue;
        x25519_isa_use((enum x25519_isa)isa);
        for (size_t n = 0; n <= ORDERS; n += n < 9 ? 1 : 5) {
            memset(out, 0, sizeof out);
            sphinx_create_batch(l.worker, &l.view, o, n);
            assert_memory_equal(out, alone, n * LEN);
        }
    }
    x25519_isa_use(before);
    line_free(&l);
}

/* An order that cannot be made says why, and the others do not notice. */
static void
bad_orders_do_not_harm_the_others(void **state)
{
    (void)state;
    static const uint8_t zero[32];
    struct sphinx_order o[ORDERS];
    struct sphinx_hop bad[HOPS];
    struct line l;
    line_new(&l, SPHINX_SUITE_X25519, HOPS, LEN);
    orders_fill(&l, o);
    memcpy(bad, l.path, sizeof bad);
    bad[1].public_key = zero;
    for (size_t i = 0; i < ORDERS; i++)
        if (i % 5 != 1)
            assert_int_equal(make_alone(&l, &o[i], alone[i]), 0);
    o[1].n = 0;
    o[6].n = HOPS + 1;
    o[11].path = o[16].path = bad; /* lengths of two */
    sphinx_create_batch(l.worker, &l.view, o, ORDERS);
    for (size_t i = 0; i < ORDERS; i++) {
        int want = i == 1 || i == 6     ? ERR_RANGE
                   : i == 11 || i == 16 ? ERR_POINT
                                        : 0;
        assert_int_equal(o[i].err, want);
        if (!want)
            assert_memory_equal(out[i], alone[i],
                                o[i].end ? l.view.geometry.surb_len : LEN);
    }
    l.view.geometry.suite = 9;
    sphinx_create_batch(l.worker, &l.view, o, 2);
    assert_int_equal(o[0].err, ERR_SUITE);
    assert_int_equal(o[1].err, ERR_SUITE);
    line_free(&l);
}

/* A SURB is made in the body of the request after it. */
static void
surb_in_the_body_of_a_request(void **state)
{
    (void)state;
    enum { AT = 100 };
    struct line l;
    uint16_t first;
    line_new(&l, SPHINX_SUITE_X25519, HOPS, LEN);
    const struct sphinx_geometry *g = &l.view.geometry;
    uint8_t *packet = out[0], *inside = packet + g->header_len + SPHINX_TAG_LEN;
    struct sphinx_order o[2] = {{.path = l.path,
                                 .n = HOPS,
                                 .end = &end,
                                 .seed = seed[0],
                                 .out = inside + AT},
                                {.path = l.path,
                                 .n = HOPS,
                                 .seed = seed[1],
                                 .body = inside,
                                 .out = packet}};
    line_random(&l, seed, sizeof seed);
    sphinx_create_batch(l.worker, &l.view, o, 2);
    assert_int_equal(o[0].err, 0);
    assert_int_equal(o[1].err, 0);
    for (size_t i = 0; i < HOPS; i++)
        assert_int_equal(line_unwrap(&l, i, packet).err, 0);
    assert_true(sphinx_payload_is_intact(packet + g->header_len));
    assert_int_equal(
        sphinx_surb_use(l.worker, g, inside + AT, body[0], out[1], &first), 0);
    for (size_t i = 0; i < HOPS; i++)
        assert_int_equal(line_unwrap(&l, i, out[1]).err, 0);
    assert_int_equal(sphinx_surb_open(l.worker, &l.view, l.path, HOPS, seed[0],
                                      out[1] + g->header_len),
                     0);
    assert_memory_equal(out[1] + g->header_len + SPHINX_TAG_LEN, body[0],
                        g->body_len);
    line_free(&l);
}

const struct CMUnitTest test_sphinx_batch[] = {
    cmocka_unit_test(together_as_alone),
    cmocka_unit_test(bad_orders_do_not_harm_the_others),
    cmocka_unit_test(surb_in_the_body_of_a_request),
};
TEST_SUITE(test_sphinx_batch);
