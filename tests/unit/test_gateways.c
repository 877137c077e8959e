/* tests/unit/test_gateways.c - the gateways that a client keeps. */
#include "tests/runner.h"

#include <math.h>
#include <string.h>

#include "client/heard/gateways.h"
#include "tests/network.h"

enum { GATEWAYS = 12, DAY_S = 86400 };

/* Every gateway that a set has ever held. */
struct seen {
    uint8_t identity[GATEWAYS_MAX * 64][SPHINX_ID_LEN];
    unsigned n;
};

static void
seen_note(struct seen *s, const struct gateways *g)
{
    for (unsigned i = 0; i < g->n; i++) {
        unsigned k = 0;
        while (k < s->n && memcmp(s->identity[k], g->member[i].identity,
                                  SPHINX_ID_LEN) != 0)
            k++;
        if (k == s->n)
            memcpy(s->identity[s->n++], g->member[i].identity, SPHINX_ID_LEN);
    }
}

static void
net_make(struct sim_net *n, struct test_env *e, struct gateways *g)
{
    test_network_make(n, SPHINX_SUITE_NULL, GATEWAYS, 1, 1, 2);
    test_env_init(e, test_seed());
    *g = (struct gateways){0};
    gateways_consensus(g, &e->env, n->consensus, 1000);
}

static void
equal_gateways_are_drawn_alike_and_kept(void **state)
{
    (void)state;
    struct sim_net n;
    struct test_env e;
    struct gateways g;
    unsigned times[GATEWAYS] = {0};
    net_make(&n, &e, &g);
    assert_int_equal(g.n, GATEWAYS_MAX);
    for (unsigned turn = 0; turn < 4000; turn++) {
        struct gateways one = {0};
        assert_true(gateways_consensus(&one, &e.env, n.consensus, 1000));
        assert_false(gateways_consensus(&one, &e.env, n.consensus, 5000));
        for (unsigned i = 0; i < one.n; i++)
            times[consensus_find(n.consensus, one.member[i].identity)]++;
    }
    /* each 1,000 expected, deviation 27: six of them go once in 5e8 */
    for (unsigned i = 0; i < GATEWAYS; i++)
        assert_in_range(times[i], 838, 1162);
    test_network_free(&n);
}

/* Eight of twelve gateways claim a hundredth of what the others do: the first that a
 * client draws is one of theirs as seldom as their weight says (five standard
 * deviations). */
static void
i11_many_light_gateways_draw_few_clients(void **state)
{
    (void)state;
    enum { CLIENTS = 4000, LIGHT = 8 };
    const double share =
        LIGHT * 11.0 / (LIGHT * 11 + (GATEWAYS - LIGHT) * 1001);
    struct sim_net n;
    struct test_env e;
    struct gateways g;
    unsigned theirs = 0;
    net_make(&n, &e, &g);
    for (unsigned i = 0; i < LIGHT; i++)
        n.consensus->relays[i].bandwidth = 10;
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct gateways one = {0};
        assert_true(gateways_consensus(&one, &e.env, n.consensus, 1000));
        theirs += consensus_find(n.consensus, one.member[0].identity) < LIGHT;
    }
    print_message(
        "  8 of 12 gateways, 2.1 %% of the weight: %u of %u clients\n", theirs,
        CLIENTS);
    assert_true(fabs(theirs - CLIENTS * share) <
                5 * sqrt(CLIENTS * share * (1 - share)));
    test_network_free(&n);
}

static void
i10_failures_for_months_bring_one_new_gateway_in_weeks(void **state)
{
    (void)state;
    struct sim_net n;
    struct test_env e;
    struct gateways g;
    struct seen seen = {.n = 0};
    net_make(&n, &e, &g);
    g.renewed_s = 1000;
    seen_note(&seen, &g);
    const uint8_t *first = gateways_current(&g);
    gateways_next(&g, &e.env, n.consensus, 1001);
    assert_memory_not_equal(first, gateways_current(&g), SPHINX_ID_LEN);
    for (uint64_t s = 1002; s < 1002 + 90ULL * DAY_S; s += 30) {
        gateways_next(&g, &e.env, n.consensus, s);
        seen_note(&seen, &g);
    }
    /* one that was left before may be drawn again */
    assert_in_range(seen.n, GATEWAYS_MAX + 1, GATEWAYS_MAX + 90 / 21);
    test_network_free(&n);
}

/* The weeks are counted from the first consensus, also when a clock has been
 * years ahead before it. */
static void
i10_the_first_weeks_bring_no_new_gateway(void **state)
{
    (void)state;
    const uint64_t now_s = 20000ULL * DAY_S;
    for (unsigned ahead = 0; ahead < 2; ahead++) {
        struct sim_net n;
        struct test_env e;
        struct gateways g = {0};
        struct seen seen = {.n = 0};
        uint8_t file[GATEWAYS_MAX][SPHINX_ID_LEN];
        test_network_make(&n, SPHINX_SUITE_NULL, GATEWAYS, 1, 1, 2);
        test_env_init(&e, test_seed());
        for (unsigned i = 0; i < GATEWAYS_MAX; i++)
            memcpy(file[i], n.consensus->relays[i].identity, SPHINX_ID_LEN);
        gateways_begin(&g, &e.env, file, GATEWAYS_MAX);
        if (ahead)
            g.renewed_s = now_s + 3650ULL * DAY_S;
        (void)gateways_consensus(&g, &e.env, n.consensus, now_s);
        for (unsigned day = 0; day < 20; day++) {
            gateways_next(&g, &e.env, n.consensus,
                          now_s + day * (uint64_t)DAY_S);
            seen_note(&seen, &g);
        }
        assert_int_equal(seen.n, GATEWAYS_MAX);
        gateways_next(&g, &e.env, n.consensus, now_s + 30ULL * DAY_S);
        seen_note(&seen, &g);
        assert_int_equal(seen.n, GATEWAYS_MAX + 1);
        test_network_free(&n);
    }
}

/* An answer in between, and nothing new is drawn however long it takes. */
static void
a_gateway_that_works_is_not_replaced(void **state)
{
    (void)state;
    struct sim_net n;
    struct test_env e;
    struct gateways g;
    struct seen seen = {.n = 0};
    net_make(&n, &e, &g);
    for (unsigned i = 0; i < 1000; i++) {
        gateways_next(&g, &e.env, n.consensus, 1000 + i * (uint64_t)DAY_S);
        gateways_works(&g);
        seen_note(&seen, &g);
    }
    assert_int_equal(seen.n, GATEWAYS_MAX);
    test_network_free(&n);
}

static void
i2_a_gateway_whose_family_runs_a_store_is_left_at_once(void **state)
{
    (void)state;
    struct sim_net n;
    struct test_env e;
    struct gateways g;
    net_make(&n, &e, &g);
    size_t stores;
    const uint16_t *store = consensus_layer(n.consensus, 2, &stores);
    for (unsigned i = 0; i < GATEWAYS; i++)
        n.consensus->relays[i].family[0] = (uint8_t)(i + 1);
    int number = consensus_find(n.consensus, gateways_current(&g));
    memcpy(n.consensus->relays[store[1]].family,
           n.consensus->relays[number].family, FAMILY_LEN);
    assert_false(gateways_admit(n.consensus, (uint16_t)number));
    assert_true(gateways_consensus(&g, &e.env, n.consensus, 2000));
    assert_int_equal(g.n, GATEWAYS_MAX);
    for (unsigned i = 0; i < g.n; i++)
        assert_int_not_equal(consensus_find(n.consensus, g.member[i].identity),
                             number);
    test_network_free(&n);
}

static void
one_that_left_is_passed_over_and_replaced_after_a_day(void **state)
{
    (void)state;
    struct sim_net n;
    struct test_env e;
    struct gateways g;
    net_make(&n, &e, &g);
    uint8_t gone[SPHINX_ID_LEN];
    struct gateways before = g;
    memcpy(gone, gateways_current(&g), sizeof gone);
    int number = consensus_find(n.consensus, gone);
    n.consensus->relays[number].identity[31] ^= 1; /* still sorted */
    assert_true(gateways_consensus(&g, &e.env, n.consensus, 2000));
    assert_memory_not_equal(gateways_current(&g), gone, SPHINX_ID_LEN);
    assert_memory_equal(g.member[before.current].identity, gone, sizeof gone);
    (void)gateways_consensus(&g, &e.env, n.consensus, 2000 + DAY_S);
    assert_memory_equal(g.member[before.current].identity, gone, sizeof gone);
    assert_true(gateways_consensus(&g, &e.env, n.consensus, 2001 + DAY_S));
    assert_memory_not_equal(g.member[before.current].identity, gone,
                            sizeof gone);
    assert_int_equal(g.n, GATEWAYS_MAX);
    test_network_free(&n);
}

static void
a_set_of_the_network_file_is_replaced_when_none_is_listed(void **state)
{
    (void)state;
    static uint8_t file[2][SPHINX_ID_LEN] = {{1}, {2}};
    struct sim_net n;
    struct test_env e;
    struct gateways g;
    net_make(&n, &e, &g);
    g = (struct gateways){0};
    assert_null(gateways_current(&g));
    gateways_begin(&g, &e.env, file, 2);
    assert_int_equal(g.n, 2);
    assert_true(gateways_consensus(&g, &e.env, n.consensus, 1001));
    assert_int_equal(g.n, GATEWAYS_MAX);
    for (unsigned i = 0; i < g.n; i++)
        assert_true(consensus_find(n.consensus, g.member[i].identity) >= 0);
    test_network_free(&n);
}

static int
record_read(struct gateways *g, const uint8_t *record, size_t len)
{
    struct codec_reader r;
    codec_reader_init(&r, record, len);
    return gateways_read(g, &r);
}

static void
the_record_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct sim_net n;
    struct test_env e;
    struct gateways g, back;
    struct codec_writer w;
    uint8_t record[GATEWAYS_RECORD_LEN];
    net_make(&n, &e, &g);
    g.member[2].out_s = 77;
    g.renewed_s = 99;
    gateways_next(&g, &e.env, n.consensus, 1001);
    gateways_works(&g);
    codec_writer_init(&w, record, sizeof record);
    gateways_write(&g, &w);
    assert_true(!w.err && w.left == 0);
    assert_int_equal(record_read(&back, record, sizeof record), 0);
    assert_int_equal(back.n, g.n);
    assert_memory_equal(gateways_current(&back), gateways_current(&g),
                        SPHINX_ID_LEN);
    assert_true(back.member[2].out_s == 77 && back.renewed_s == 99);
    for (size_t len = 0; len < sizeof record; len++)
        assert_int_equal(record_read(&back, record, len), ERR_SHORT);
    record[0] = 0x43; /* four of them */
    assert_int_equal(record_read(&back, record, sizeof record), ERR_RANGE);
    record[0] = 0x33; /* the fourth of three */
    assert_int_equal(record_read(&back, record, sizeof record), ERR_RANGE);
    test_network_free(&n);
}

const struct CMUnitTest test_gateways[] = {
    cmocka_unit_test(equal_gateways_are_drawn_alike_and_kept),
    cmocka_unit_test(i11_many_light_gateways_draw_few_clients),
    cmocka_unit_test(i10_failures_for_months_bring_one_new_gateway_in_weeks),
    cmocka_unit_test(i10_the_first_weeks_bring_no_new_gateway),
    cmocka_unit_test(a_gateway_that_works_is_not_replaced),
    cmocka_unit_test(i2_a_gateway_whose_family_runs_a_store_is_left_at_once),
    cmocka_unit_test(one_that_left_is_passed_over_and_replaced_after_a_day),
    cmocka_unit_test(a_set_of_the_network_file_is_replaced_when_none_is_listed),
    cmocka_unit_test(the_record_is_read_as_it_was_written),
};
TEST_SUITE(test_gateways);
