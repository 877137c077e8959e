/* tests/unit/test_route.c - consensus questions, paths, delays, requests. */
#include "tests/runner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "network/request.h"
#include "tests/network.h"

static void
edges_are_those_of_the_layering(void **state)
{
    (void)state;
    struct sim_net n;
    test_network_make(&n, SPHINX_SUITE_X25519, 1, 3, 1, 1);
    static const char *const allowed[] = {"01", "12", "23", "34", "41", "30"};
    for (unsigned from = 0; from < 6; from++)
        for (unsigned to = 0; to < 6; to++) {
            bool want = false;
            for (size_t i = 0; i < 6; i++)
                want |= allowed[i][0] == (char)('0' + from) &&
                        allowed[i][1] == (char)('0' + to);
            assert_int_equal(consensus_has_edge(n.consensus, from, to), want);
        }
    test_network_free(&n);
}

static void
defaults_are_those_of_the_design(void **state)
{
    (void)state;
    struct params p;
    params_default(&p, 3600);
    assert_int_equal(p.profiles[0].down_interval_us, 102564);
    assert_ptr_equal(params_profile(&p, "light"), &p.profiles[1]);
    assert_int_equal(p.profiles[1].down_interval_us, 400000);
    assert_int_equal(params_profile(&p, "fast")->send_mhz, 20000);
    assert_null(params_profile(&p, "slow"));
    assert_int_equal(p.deadline_unit_s, 1);
    assert_int_equal(p.deadline_ahead_s, 100);
    /* the latest deadline of an honest clock is not too far ahead, with 15 s
     * for one that is not compared yet */
    assert_true(p.deadline_slack_s + p.deadline_spread_s + 15 <
                p.deadline_ahead_s);
    params_default(&p, 30);
    assert_int_equal(p.deadline_unit_s, 1);
    assert_true(p.deadline_ahead_s > p.deadline_slack_s + p.deadline_spread_s);
    assert_true(p.switch_window_s >= 1 && p.switch_window_s < 30);
}

/* A consensus that cannot be indexed keeps the index it had. */
static void
failed_index_changes_nothing(void **state)
{
    (void)state;
    struct sim_net n;
    test_network_make(&n, SPHINX_SUITE_X25519, 1, 3, 2, 1);
    struct consensus before = *n.consensus;
    n.consensus->relays[0].layer = 5;
    assert_int_equal(consensus_index(n.consensus), ERR_RANGE);
    assert_memory_equal(&before, n.consensus, sizeof before);
    n.consensus->params.layers = LAYERS_MAX + 1;
    assert_int_equal(consensus_index(n.consensus), ERR_RANGE);
    test_network_free(&n);
}

/* Every store gets its share of 40,000 random boxes (chi-square with 4 degrees
 * of freedom; 42.7 is passed by chance once in 10^8), the fallback is another,
 * and losing a store moves its boxes alone, to their fallbacks. */
static void
boxes_spread_over_stores(void **state)
{
    (void)state;
    enum { BOXES = 40000, STORES = 5 };
    struct sim_net n;
    struct rng_seeded rng;
    double count[16] = {0}, chi2 = 0;
    test_network_make(&n, SPHINX_SUITE_X25519, 1, 1, 1, STORES);
    struct consensus *c = n.consensus;
    rng_seeded_init_u64(&rng, test_seed(), "boxes");
    for (int i = 0; i < BOXES; i++) {
        uint8_t box[32];
        uint16_t one, two, one2, two2;
        rng_seeded_bytes(&rng, box, sizeof box);
        assert_int_equal(consensus_store_of(c, 9, box, &one, &two), 0);
        assert_int_not_equal(one, two);
        assert_int_equal(c->relays[one].role, ROLE_STORE);
        assert_int_equal(c->relays[two].role, ROLE_STORE);
        count[one]++;
        if (i % 100)
            continue;
        struct relay_entry lost = c->relays[one];
        c->relays[one].layer = 1;
        assert_int_equal(consensus_index(c), 0);
        assert_int_equal(consensus_store_of(c, 9, box, &one2, &two2), 0);
        assert_int_equal(one2, two);
        c->relays[one] = lost;
        assert_int_equal(consensus_index(c), 0);
    }
    for (int i = 2; i < 2 + STORES; i++)
        chi2 += pow(count[i] - BOXES / STORES, 2) / (BOXES / STORES);
    assert_true(chi2 < 42.7);
    test_network_free(&n);
    test_network_make(&n, SPHINX_SUITE_X25519, 1, 1, 1, 0);
    uint16_t one, two;
    uint8_t box[32] = {0};
    assert_int_equal(consensus_store_of(n.consensus, 9, box, &one, &two),
                     ERR_NOT_FOUND);
    test_network_free(&n);
}

static void
way_follows_edges(const struct consensus *c, int from, const uint16_t *way,
                  size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (from >= 0)
            assert_true(consensus_has_edge(c, c->relays[from].layer,
                                           c->relays[way[i]].layer));
        from = way[i];
    }
}

static void
paths_follow_edges_from_every_relay(void **state)
{
    (void)state;
    struct sim_net n;
    struct test_env e;
    struct route r;
    test_network_make(&n, SPHINX_SUITE_X25519, 2, 3, 3, 3);
    test_env_init(&e, test_seed());
    struct consensus *c = n.consensus;
    uint16_t store = (uint16_t)(c->n_relays - 1);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(route_draw(&r, c, &e.env, 1, store, true, ROUTE_SEND),
                         0);
        assert_int_equal(r.n_out, 5);
        assert_int_equal(r.n_back, 4);
        assert_int_equal(r.out[0], 1);
        assert_int_equal(r.out[4], store);
        assert_int_equal(r.back[3], 1);
        way_follows_edges(c, -1, r.out, r.n_out);
        way_follows_edges(c, store, r.back, r.n_back);
        uint16_t self = (uint16_t)(i % (int)(c->n_relays - 1));
        assert_int_equal(
            route_draw(&r, c, &e.env, self, store, false, ROUTE_SEND), 0);
        way_follows_edges(c, self, r.out, r.n_out);
        way_follows_edges(c, store, r.back, r.n_back);
        assert_int_equal(r.back[r.n_back - 1], self);
    }
    assert_int_equal(route_draw(&r, c, &e.env, 99, store, true, ROUTE_SEND),
                     ERR_RELAY);
    assert_int_equal(route_draw(&r, c, &e.env, 2, store, true, ROUTE_SEND),
                     ERR_EDGE);
    assert_int_equal(route_draw(&r, c, &e.env, 0, 1, true, ROUTE_SEND),
                     ERR_EDGE);
    test_network_free(&n);
}

static void
families_never_meet_on_a_way(void **state)
{
    (void)state;
    struct sim_net n;
    struct test_env e;
    struct route r;
    test_network_make(&n, SPHINX_SUITE_X25519, 1, 3, 2, 1);
    test_env_init(&e, test_seed());
    struct consensus *c = n.consensus;
    /* the gateway's family has one mix of layer 1, that of the store one of
     * layer 2, and the others of both layers are a family with one of layer 3
     */
    memset(c->relays[0].family, 1, FAMILY_LEN);
    memset(c->relays[1].family, 1, FAMILY_LEN);
    memset(c->relays[7].family, 2, FAMILY_LEN);
    memset(c->relays[3].family, 2, FAMILY_LEN);
    memset(c->relays[4].family, 3, FAMILY_LEN);
    memset(c->relays[5].family, 3, FAMILY_LEN);
    for (int i = 0; i < 500; i++) {
        assert_int_equal(route_draw(&r, c, &e.env, 0, 7, true, ROUTE_SEND), 0);
        assert_int_equal(r.out[1], 2);
        assert_int_equal(r.out[2], 4);
        assert_int_equal(r.out[3], 6);
        assert_int_equal(r.back[0], 2);
    }
    memset(c->relays[6].family, 3, FAMILY_LEN);
    assert_int_equal(route_draw(&r, c, &e.env, 0, 7, true, ROUTE_SEND),
                     ERR_NOT_FOUND);
    test_network_free(&n);
}

/* Means over 50,000 routes within 5.3 standard errors (an exponential's is
 * mean / sqrt(n)): a false alarm in 10^7. The gateway's delay must have the
 * same law for both kinds (two-sample test of the means). */
static void
delays_have_their_means(void **state)
{
    (void)state;
    enum { N = 50000 };
    struct sim_net n;
    struct test_env e;
    struct route r;
    double gate[2] = {0}, mixes[2] = {0}, store[2] = {0}, back[2] = {0};
    test_network_make(&n, SPHINX_SUITE_X25519, 1, 3, 2, 1);
    test_env_init(&e, test_seed());
    for (int kind = 0; kind < 2; kind++)
        for (int i = 0; i < N; i++) {
            assert_int_equal(route_draw(&r, n.consensus, &e.env, 0, 7, true,
                                        kind ? ROUTE_POLL : ROUTE_SEND),
                             0);
            gate[kind] += r.out_delay[0] / (double)N;
            for (int k = 1; k <= 3; k++)
                mixes[kind] += r.out_delay[k] / (double)N;
            store[kind] += r.out_delay[4] / (double)N;
            uint64_t sum = 0;
            for (int k = 0; k < 4; k++)
                sum += r.back_delay[k];
            back[kind] += (double)sum / N;
            assert_true(r.out_delay[4] >= 200);
            assert_true(r.answer_us ==
                        r.at_store_us + (r.out_delay[4] + sum) * 1000);
        }
    const double s = 5.3 / sqrt(N);
    for (int kind = 0; kind < 2; kind++) {
        assert_true(fabs(gate[kind] - 100) < 100 * s + 0.1);
        assert_true(fabs(store[kind] - 300) < 100 * s + 0.1);
        assert_true(fabs(back[kind] - 400) < 200 * s + 0.1);
    }
    assert_true(fabs(gate[0] - gate[1]) < 100 * s * sqrt(2));
    assert_true(fabs(mixes[0] - 300) < 100 * sqrt(3) * s + 0.1);
    assert_true(fabs(mixes[1] - 2000) < 2000 / sqrt(3) * s + 0.1);
    test_network_free(&n);
}

static int
check_block(void *ctx, struct sphinx_job *job)
{
    struct sphinx_block *seen = ctx;
    *seen = job->block;
    return 0;
}

/* Unwrap along a way; every hop must name the next and carry its delay. */
static void
way_walk(const struct sim_net *n, struct sphinx_worker *w, const uint16_t *way,
         const uint16_t *delay, size_t hops, uint8_t last_command,
         uint8_t *packet, struct sphinx_block *block)
{
    const struct consensus *c = n->consensus;
    for (size_t i = 0; i < hops; i++) {
        struct sphinx_key *key;
        assert_int_equal(sphinx_key_new(&key, &c->params.geometry,
                                        n->seed[way[i]],
                                        c->relays[way[i]].identity, c->digest),
                         0);
        struct sphinx_job job = {.packet = packet, .key = key};
        sphinx_unwrap(w, &c->params.geometry, &job, 1, check_block, block);
        sphinx_key_free(&key);
        assert_int_equal(job.err, 0);
        bool last = i + 1 == hops;
        assert_int_equal(block->command, last ? last_command : SPHINX_FORWARD);
        assert_int_equal(block->delay, delay[i]);
        if (!last)
            assert_int_equal(block->next, way[i + 1]);
        /* from the start of an epoch 20 s and up to 60 more; on the way back 5
         * and up to one more, but at the gateway */
        bool tight = last_command == SPHINX_DELIVER && !last;
        assert_in_range(block->deadline, tight ? 5 : 20, tight ? 8 : 82);
    }
}

static void
request_goes_round(void **state)
{
    (void)state;
    struct sim_net n;
    struct test_env e;
    struct route r;
    struct sphinx_worker *w;
    struct sphinx_block block;
    uint8_t packet[2048], answer[2048], letter[1232], seed[32] = {9};
    test_network_make(&n, SPHINX_SUITE_X25519, 2, 3, 2, 2);
    test_env_init(&e, test_seed());
    struct consensus *c = n.consensus;
    const struct sphinx_geometry *g = &c->params.geometry;
    assert_int_equal(sphinx_worker_new(&w), 0);
    rng_seeded_bytes(&e.crypto, letter, sizeof letter);
    assert_int_equal(route_draw(&r, c, &e.env, 0, 9, true, ROUTE_SEND), 0);
    struct request req = {.kind = WIRE_PUT, .slot = 3, .letter = letter};
    memset(req.seed, 0xb0, sizeof req.seed);
    uint8_t key[WIRE_BOX_LEN];
    box_key_public(req.seed, key);
    struct sphinx_end end = {.handle = {1, 2, 3}, .surb_id = {4, 5, 6}};
    assert_int_equal(request_build(w, c, &e.env, &r, c->valid_after_s * 1000000,
                                   &req, &end, seed, packet),
                     0);
    way_walk(&n, w, r.out, r.out_delay, r.n_out, SPHINX_STORE, packet, &block);
    uint8_t *payload = packet + g->header_len;
    struct wire_request got;
    assert_true(sphinx_payload_is_intact(payload));
    assert_int_equal(wire_request_parse(&got, payload + SPHINX_TAG_LEN,
                                        g->body_len, g->surb_len),
                     0);
    assert_int_equal(got.kind, WIRE_PUT);
    assert_int_equal(got.slot, 3);
    assert_memory_equal(got.box, key, 32);
    assert_int_equal(box_verify(key, 3, letter, sizeof letter, got.signature),
                     0);
    assert_memory_equal(got.letter, letter, sizeof letter);

    uint8_t body[2048], digest[32] = {0xdd};
    struct wire_answer back, reply = {.status = WIRE_KEPT,
                                      .slot = 3,
                                      .epoch = 7,
                                      .digest = digest,
                                      .arrived_ms = 5,
                                      .letter = letter};
    uint16_t first;
    rng_seeded_bytes(&e.crypto, body, sizeof body);
    assert_int_equal(wire_answer_write(body, g->body_len, g->surb_len, &reply),
                     0);
    assert_int_equal(sphinx_surb_use(w, g, got.surb, body, answer, &first), 0);
    assert_int_equal(first, r.back[0]);
    way_walk(&n, w, r.back, r.back_delay, r.n_back, SPHINX_DELIVER, answer,
             &block);
    assert_memory_equal(block.handle, end.handle, 8);
    assert_memory_equal(block.surb_id, end.surb_id, 8);
    uint8_t *sealed = answer + g->header_len;
    assert_int_equal(request_open_answer(w, c, &r, seed, sealed, &back), 0);
    assert_int_equal(back.status, WIRE_KEPT);
    assert_int_equal(back.epoch, 7);
    assert_memory_equal(back.letter, letter, sizeof letter);
    assert_int_equal(request_open_answer(w, c, &r, seed, sealed, &back),
                     ERR_TAG);
    sphinx_worker_free(&w);
    test_network_free(&n);
}

/* ---- what is cut ---- */

/* Two gateways, 3 x 8 mixes, 4 stores. */
enum { CUT_MIXES = 8, CUT_FIRST = 2, CUT_STORE = CUT_FIRST + 3 * CUT_MIXES };
enum { CUT_RELAYS = CUT_STORE + 4, CUT_OUT = CUT_FIRST + CUT_MIXES + 4 };

static bool
touch(const struct consensus *c, size_t a, size_t b)
{
    return consensus_has_edge(c, c->relays[a].layer, c->relays[b].layer) ||
           consensus_has_edge(c, c->relays[b].layer, c->relays[a].layer);
}

/* Every second link is cut, more than may be, or few; one relay is left out. */
static void
cut_make(struct sim_net *n, bool many)
{
    uint16_t a[CUT_RELAYS * CUT_RELAYS], b[CUT_RELAYS * CUT_RELAYS];
    size_t k = 0;
    test_network_make(n, SPHINX_SUITE_X25519, 2, 3, CUT_MIXES, 4);
    for (uint16_t i = 0; i < CUT_RELAYS; i++)
        for (uint16_t j = (uint16_t)(i + 1); j < CUT_RELAYS; j++)
            if (touch(n->consensus, i, j) &&
                (many ? (i + j) % 4 < 2 : (i * 7 + j) % 11 == 0)) {
                a[k] = i;
                b[k++] = j;
            }
    test_network_blame(n, a, b, k, CUT_OUT);
}

/* All hops of a round trip in their order, self first and last. */
static size_t
hops(const struct route *r, uint16_t self, uint16_t *hop)
{
    size_t n = 0;
    if (r->out[0] != self)
        hop[n++] = self;
    for (size_t i = 0; i < r->n_out; i++)
        hop[n++] = r->out[i];
    for (size_t i = 0; i < r->n_back; i++)
        hop[n++] = r->back[i];
    return n;
}

static void
i10_cut_links_are_on_no_way(void **state)
{
    (void)state;
    for (unsigned many = 0; many < 2; many++) {
        struct test_env e;
        struct sim_net n;
        unsigned drawn[CUT_RELAYS] = {0};
        test_env_init(&e, test_seed());
        cut_make(&n, many);
        const struct consensus *c = n.consensus;
        for (unsigned i = 0; i < 20000; i++) {
            struct route r;
            uint16_t hop[2 * SPHINX_HOPS_MAX + 1];
            const uint16_t self = (uint16_t)(i % (CUT_STORE));
            const uint16_t store = (uint16_t)(CUT_STORE + i / CUT_STORE % 4);
            const bool client = self < 2;
            const int err =
                route_draw(&r, c, &e.env, self, store, client,
                           client && i % 3 ? ROUTE_POLL : ROUTE_SEND);
            if (err) { /* a mix near a store to which it has no way */
                assert_int_equal(err, ERR_NOT_FOUND);
                assert_false(client);
                assert_true(many || consensus_is_cut(c, self, store));
                continue;
            }
            const size_t m = hops(&r, self, hop);
            for (size_t k = 1; k < m; k++) {
                assert_true(touch(c, hop[k - 1], hop[k]));
                assert_false(consensus_is_cut(c, hop[k - 1], hop[k]));
                assert_true(!c->relays[hop[k]].out || hop[k] == self);
                drawn[hop[k]] += client;
            }
        }
        for (size_t i = CUT_FIRST; i < CUT_RELAYS; i++)
            assert_true(i == CUT_OUT ? drawn[i] == 0 : drawn[i] > 50);
        test_network_free(&n);
    }
}

/* A loop that tests a neighbour goes to it first, or comes from it last, and
 * over no other link that is cut. */
static void
what_is_cut_is_tested(void **state)
{
    (void)state;
    struct test_env e;
    struct sim_net n;
    test_env_init(&e, test_seed());
    cut_make(&n, false);
    const struct consensus *c = n.consensus;
    for (uint16_t self = 0; self < CUT_RELAYS; self++)
        for (uint16_t tested = 0; tested < CUT_RELAYS; tested++) {
            const unsigned l = c->relays[self].layer,
                           t = c->relays[tested].layer;
            const bool is_store = t == 4 && l < 4;
            if (t != (l == 4 ? 1 : l + 1) && t != (l == 0   ? 3
                                                   : l == 1 ? 4
                                                            : l - 1))
                continue;
            struct route r;
            uint16_t hop[2 * SPHINX_HOPS_MAX + 1];
            int err = ERR_NOT_FOUND;
            for (unsigned i = 0; i < 20 && err == ERR_NOT_FOUND; i++) {
                const uint16_t store = (uint16_t)(CUT_STORE + (self + i) % 4);
                if (!is_store && store == self)
                    continue;
                err = route_draw_test(&r, c, &e.env, self,
                                      is_store ? tested : store, tested);
            }
            assert_int_equal(err, 0);
            const size_t m = hops(&r, self, hop);
            assert_true(hop[1] == tested || hop[m - 2] == tested);
            for (size_t k = 1; k < m; k++)
                assert_true(hop[k] == tested || hop[k - 1] == tested ||
                            !consensus_is_cut(c, hop[k - 1], hop[k]));
        }
    test_network_free(&n);
}

const struct CMUnitTest test_route[] = {
    cmocka_unit_test(edges_are_those_of_the_layering),
    cmocka_unit_test(defaults_are_those_of_the_design),
    cmocka_unit_test(failed_index_changes_nothing),
    cmocka_unit_test(boxes_spread_over_stores),
    cmocka_unit_test(paths_follow_edges_from_every_relay),
    cmocka_unit_test(families_never_meet_on_a_way),
    cmocka_unit_test(delays_have_their_means),
    cmocka_unit_test(request_goes_round),
    cmocka_unit_test(i10_cut_links_are_on_no_way),
    cmocka_unit_test(what_is_cut_is_tested),
};
TEST_SUITE(test_route);
