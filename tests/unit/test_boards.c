/* tests/unit/test_boards.c - who is a board, and how lists spread.
 *
 * Defences: network/boards.c. That other code comes to the same is in
 * tests/unit/test_board_lists.c. */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "network/boards.h"
#include "network/draw.h"
#include "tests/heap.h"
#include "tests/mutate.h"
#include "tests/network.h"

enum { RELAYS_FEW = 64 };

/* A network of these widths (of gateways, mixes, stores) without packet keys. */
static struct consensus *
network_make(struct rng_seeded *rng, unsigned layers, const unsigned *widths)
{
    struct consensus *c = calloc(1, sizeof *c);
    assert_non_null(c);
    params_default(&c->params, 3600);
    c->params.layers = (uint8_t)layers;
    for (unsigned l = 0; l < layers + 2; l++)
        c->n_relays += widths[l];
    c->relays = calloc(c->n_relays + 1, sizeof *c->relays);
    assert_non_null(c->relays);
    rng_seeded_bytes(rng, c->shared_random, sizeof c->shared_random);
    size_t i = 0;
    for (unsigned l = 0; l < layers + 2; l++)
        for (unsigned k = 0; k < widths[l]; k++, i++) {
            struct relay_entry *e = &c->relays[i];
            rng_seeded_bytes(rng, e->identity, sizeof e->identity);
            e->identity[0] = (uint8_t)(i >> 8);
            e->identity[1] = (uint8_t)i;
            e->layer = (uint8_t)l;
            e->counts = l == layers + 1 ? DAYS_COUNTS_ALL : 0;
        }
    assert_int_equal(consensus_index(c), 0);
    return c;
}

/* ---- who ---- */

/* A store more than the others, one in four, has something that matters. */
static void
stores_vary(struct rng_seeded *rng, struct consensus *c)
{
    free(c->left_out);
    c->left_out = calloc(c->n_relays, sizeof *c->left_out);
    assert_non_null(c->left_out);
    c->n_left_out = 0;
    for (size_t i = 0; i < c->n_relays; i++) {
        struct relay_entry *e = &c->relays[i];
        if (e->layer != c->params.layers + 1)
            continue;
        memset(e->family, (int)mutate_below(rng, 4), sizeof e->family);
        e->counts = mutate_below(rng, 4) ? 0xffff : 0xfffe; /* not today */
        if (mutate_below(rng, 4) == 0)
            memcpy(c->left_out[c->n_left_out++].identity, e->identity,
                   SPHINX_ID_LEN);
    }
    c->params.boards = (uint8_t)mutate_below(rng, BOARDS_MAX + 1);
    rng_seeded_bytes(rng, c->shared_random, sizeof c->shared_random);
    assert_int_equal(consensus_index(c), 0);
}

static bool
may_be_board(const struct consensus *c, size_t i)
{
    const struct relay_entry *e = &c->relays[i];
    return e->layer == c->params.layers + 1 && !e->out && (e->counts & 1);
}

/* Each board is the first of all that are left, as the rule says. */
static void
boards_check(const struct consensus *c)
{
    bool gone[RELAYS_FEW] = {false};
    for (unsigned b = 0; b < c->params.boards; b++) {
        size_t best = SIZE_MAX;
        struct draw_rank r = {0};
        for (size_t i = 0; i < c->n_relays; i++) {
            const struct draw_rank x = draw_rank(c, "brusio/1 board", i);
            if (may_be_board(c, i) && !gone[i] &&
                (best == SIZE_MAX || x.value < r.value)) {
                best = i;
                r = x;
            }
        }
        if (best == SIZE_MAX) {
            assert_int_equal(c->boards.n, b);
            return;
        }
        assert_true(b < c->boards.n);
        assert_int_equal(c->boards.relay[b], best);
        assert_int_equal(boards_find(c, (uint16_t)best), b);
        for (size_t i = 0; i < c->n_relays; i++)
            gone[i] |= consensus_are_related(c, (uint16_t)i, (uint16_t)best);
    }
    assert_int_equal(c->boards.n, c->params.boards);
}

/* 20,000 networks of up to twelve stores, of three families and none. */
static void
i10_boards_are_unrelated_and_no_newcomers(void **state)
{
    (void)state;
    struct rng_seeded rng;
    unsigned count[BOARDS_MAX + 1] = {0};
    rng_seeded_init_u64(&rng, test_seed(), "boards");
    for (unsigned i = 0; i < 20000; i++) {
        const unsigned widths[] = {1, 1, 1 + (unsigned)mutate_below(&rng, 12)};
        struct consensus *c = network_make(&rng, 1, widths);
        stores_vary(&rng, c);
        boards_check(c);
        count[c->boards.n]++;
        for (size_t k = 0; k < c->n_relays; k++)
            assert_true(boards_find(c, (uint16_t)k) < 0 || may_be_board(c, k));
        consensus_free(&c);
    }
    for (unsigned n = 0; n <= BOARDS_MAX; n++)
        assert_true(count[n] > 500);
}

/* Of ten stores alike each is a board as often as any, and first as often:
 * chi-square with 9 degrees of freedom, 54 by chance once in 10^8. */
static void
boards_are_drawn_alike(void **state)
{
    (void)state;
    enum { STORES = 10, DRAWS = 20000 };
    const unsigned widths[] = {1, 1, STORES};
    struct rng_seeded rng;
    double in[STORES] = {0}, first[STORES] = {0}, chi[2] = {0};
    rng_seeded_init_u64(&rng, test_seed(), "boards drawn");
    struct consensus *c = network_make(&rng, 1, widths);
    for (unsigned i = 0; i < DRAWS; i++) {
        rng_seeded_bytes(&rng, c->shared_random, sizeof c->shared_random);
        assert_int_equal(consensus_index(c), 0);
        assert_int_equal(c->boards.n, BOARDS_MAX);
        first[c->boards.relay[0] - 2]++;
        for (unsigned b = 0; b < BOARDS_MAX; b++)
            in[c->boards.relay[b] - 2]++;
    }
    for (unsigned s = 0; s < STORES; s++) {
        const double a = DRAWS / 10.0, b = DRAWS * 4 / 10.0;
        chi[0] += (first[s] - a) * (first[s] - a) / a;
        chi[1] += (in[s] - b) * (in[s] - b) / b;
    }
    assert_true(chi[0] < 54 && chi[1] < 54);
    consensus_free(&c);
}

/* ---- how lists spread ---- */

/* All ways of a network. */
struct spread {
    const struct consensus *c;
    struct board_ways *ways[RELAYS_FEW];
};

static void
spread_make(struct spread *s, const struct consensus *c)
{
    assert_true(c->n_relays <= RELAYS_FEW);
    s->c = c;
    for (size_t i = 0; i < c->n_relays; i++)
        assert_int_equal(boards_ways_new(&s->ways[i], c, (uint16_t)i), 0);
}

static void
spread_free(struct spread *s)
{
    for (size_t i = 0; i < s->c->n_relays; i++)
        boards_ways_free(&s->ways[i]);
}

/* Note who has a list that `first` has, when one relay is down and one is silent
 * (RELAYS_FEW: none is). */
static void
spread_run(const struct spread *s, uint16_t first, size_t down, size_t silent,
           bool *has)
{
    uint16_t queue[RELAYS_FEW];
    size_t n = 0;
    memset(has, 0, RELAYS_FEW);
    has[first] = true;
    queue[n++] = first;
    for (size_t i = 0; i < n; i++) {
        const struct board_ways *w = s->ways[queue[i]];
        for (size_t k = 0; k < w->n_next && queue[i] != silent; k++)
            if (w->next[k] != down && !has[w->next[k]]) {
                has[w->next[k]] = true;
                queue[n++] = w->next[k];
            }
    }
}

static size_t
layer_len(const struct consensus *c, unsigned layer)
{
    size_t n;
    consensus_layer(c, layer, &n);
    return n;
}

/* Is r where lists come to? */
static bool
is_reached(const struct consensus *c, size_t r)
{
    return c->relays[r].layer != 1 && !c->relays[r].out;
}

/* How many stores and boards a carrier has lists of: of all four, or all there are. */
static void
carrier_check(const struct consensus *c, const struct board_ways *w)
{
    const size_t stores = layer_len(c, c->params.layers + 1u);
    size_t m = layer_len(c, 1);
    m = m < BOARDS_CARRIERS ? m : BOARDS_CARRIERS;
    const size_t least = stores < BOARDS_AFTER ? stores : BOARDS_AFTER;
    const size_t most = (BOARDS_AFTER * stores + m - 1) / m + BOARDS_AFTER;
    assert_in_range(w->n_before, least, c->boards.n + most);
    for (size_t i = 0; i < c->boards.n; i++)
        assert_int_equal(w->before[i], c->boards.relay[i]);
    for (size_t i = 0; i < w->n_before; i++)
        assert_int_equal(c->relays[w->before[i]].layer, c->params.layers + 1);
}

/* To how many a relay passes lists at the most. */
static size_t
next_most(const struct consensus *c, size_t i)
{
    const unsigned layer = c->relays[i].layer;
    const size_t m = layer_len(c, layer);
    if (layer < 1 || c->relays[i].out)
        return 0;
    if (boards_find(c, (uint16_t)i) >= 0)
        return BOARDS_CARRIERS;
    if (layer > c->params.layers) {
        const size_t each = (BOARDS_AFTER * layer_len(c, 1) + m - 1) / m;
        return each > BOARDS_AFTER ? each : BOARDS_AFTER;
    }
    size_t after = (layer_len(c, layer + 1) + m - 1) / m;
    if (layer == c->params.layers)
        after += (layer_len(c, 0) + m - 1) / m;
    return BOARDS_BEFORE * after;
}

/* Who passes is who takes; none twice; no more than each may. */
static void
ways_check(const struct spread *s)
{
    const struct consensus *c = s->c;
    unsigned from[RELAYS_FEW][RELAYS_FEW] = {{0}};
    for (size_t i = 0; i < c->n_relays; i++) {
        const struct board_ways *w = s->ways[i];
        assert_true(w->n_next <= next_most(c, i));
        for (size_t k = 0; k < w->n_next; k++) {
            assert_true(consensus_has_edge(c, c->relays[i].layer,
                                           c->relays[w->next[k]].layer));
            assert_int_equal(from[w->next[k]][i]++, 0);
        }
    }
    for (size_t r = 0; r < c->n_relays; r++) {
        const struct board_ways *w = s->ways[r];
        unsigned n = 0;
        for (size_t i = 0; i < c->n_relays; i++) {
            assert_int_equal(boards_ways_takes(w, (uint16_t)i), from[r][i]);
            n += from[r][i];
        }
        assert_int_equal(n, w->n_before);
        const unsigned layer = c->relays[r].layer;
        if (layer == 1) {
            if (n > 0)
                carrier_check(c, w);
            continue;
        }
        const size_t m =
            layer_len(c, layer == 0 ? c->params.layers : layer - 1u);
        if (is_reached(c, r)) /* of 2 and 4 two, else three where there are */
            assert_int_equal(n, m == 1 ? 1 : m == 2 || m == 4 ? 2 : 3);
    }
}

/* All that can be reached is, from each board, whichever mix is down: but for
 * that mix, and where a layer has no other. */
static void
spread_check(const struct consensus *c)
{
    struct spread s;
    bool has[RELAYS_FEW];
    spread_make(&s, c);
    ways_check(&s);
    for (size_t b = 0; b < c->boards.n; b++)
        for (size_t down = 0; down <= c->n_relays; down++) {
            const bool none = down == c->n_relays;
            if (!none && (c->relays[down].layer < 1 ||
                          c->relays[down].layer > c->params.layers ||
                          layer_len(c, c->relays[down].layer) == 1))
                continue;
            spread_run(&s, c->boards.relay[b], none ? RELAYS_FEW : down,
                       RELAYS_FEW, has);
            for (size_t r = 0; r < c->n_relays; r++)
                if (r != down && is_reached(c, r))
                    assert_true(has[r]);
        }
    spread_free(&s);
}

/* All networks of one and two layers of up to eight mixes, with up to five
 * gateways and six stores. */
static void
lists_reach_all_of_small_networks(void **state)
{
    (void)state;
    struct rng_seeded rng;
    unsigned count = 0;
    rng_seeded_init_u64(&rng, test_seed(), "lists reach");
    for (unsigned a = 1; a <= 8; a++)
        for (unsigned b = 0; b <= 8; b++)
            for (unsigned g = 1; g <= 5; g += 2)
                for (unsigned st = 1; st <= 6; st++, count++) {
                    const unsigned two[] = {g, a, b, st}, one[] = {g, a, st};
                    struct consensus *c =
                        network_make(&rng, b > 0 ? 2 : 1, b > 0 ? two : one);
                    spread_check(c);
                    consensus_free(&c);
                }
    assert_int_equal(count, 8 * 9 * 3 * 6);
}

/* Random ones of up to four layers, with relays left out and carriers that are
 * fewer than the first layer. */
static void
lists_reach_all_of_random_networks(void **state)
{
    (void)state;
    struct rng_seeded rng;
    rng_seeded_init_u64(&rng, test_seed(), "lists reach random");
    for (unsigned i = 0; i < 600; i++) {
        const unsigned layers = 1 + (unsigned)mutate_below(&rng, 4);
        unsigned widths[LAYERS_MAX + 2];
        for (unsigned l = 0; l < layers + 2; l++)
            widths[l] = 1 + (unsigned)mutate_below(&rng, 9);
        if (layers == 1 && i % 2)
            widths[1] = BOARDS_CARRIERS + (unsigned)mutate_below(&rng, 9);
        struct consensus *c = network_make(&rng, layers, widths);
        c->left_out = calloc(c->n_relays, sizeof *c->left_out);
        assert_non_null(c->left_out);
        for (size_t r = 0; r + 1 < c->n_relays; r++)
            if (c->relays[r].layer == c->relays[r + 1].layer &&
                mutate_below(&rng, 6) == 0)
                memcpy(c->left_out[c->n_left_out++].identity,
                       c->relays[r].identity, SPHINX_ID_LEN);
        assert_int_equal(consensus_index(c), 0);
        spread_check(c);
        consensus_free(&c);
    }
}

/* A store that is no liar. */
static bool
is_store_of(const struct consensus *c, size_t r, size_t liar)
{
    return c->relays[r].layer == c->params.layers + 1 && r != liar;
}

/* A board gives a list to one carrier, or a mix that lies gives it to one store, and
 * the board passes none on, with one more relay down or none: either no other store
 * has it, or all relays have. */
static void
choice_check(const struct consensus *c, const struct spread *s, uint16_t first,
             size_t down)
{
    const uint16_t liar = c->boards.relay[0];
    bool has[RELAYS_FEW], any = false;
    spread_run(s, first, down, liar, has);
    for (size_t r = 0; r < c->n_relays; r++)
        any = any || (has[r] && is_store_of(c, r, liar));
    for (size_t r = 0; any && r < c->n_relays; r++)
        assert_true(has[r] || r == down || r == liar || c->relays[r].out ||
                    s->ways[r]->n_before == 0);
}

/* The same for all carriers of a network of one board, and with each mix or store
 * down; of layers of one size for all stores, too. */
static void
choices_check(const struct consensus *c, bool alike)
{
    struct spread s;
    size_t n;
    const uint16_t *carrier = consensus_layer(c, 1, &n);
    spread_make(&s, c);
    ways_check(&s);
    assert_int_equal(c->boards.n, 1);
    for (size_t i = 0; i < n; i++) {
        if (s.ways[carrier[i]]->n_before == 0)
            continue;
        choice_check(c, &s, carrier[i], RELAYS_FEW);
        for (size_t down = 0; down < c->n_relays; down++)
            if (down != carrier[i] && c->relays[down].layer >= 1 &&
                layer_len(c, c->relays[down].layer) > 1)
                choice_check(c, &s, carrier[i], down);
    }
    for (size_t r = 0; alike && r < c->n_relays; r++)
        if (is_store_of(c, r, c->boards.relay[0]))
            choice_check(c, &s, (uint16_t)r, RELAYS_FEW);
    spread_free(&s);
}

/* Layers of like sizes, where mixes alone bring a list from one carrier to one of
 * three or four classes of places; and random ones. */
static void
i10_what_one_store_has_all_have(void **state)
{
    (void)state;
    struct rng_seeded rng;
    rng_seeded_init_u64(&rng, test_seed(), "one has all have");
    for (unsigned i = 0; i < 400; i++) {
        const unsigned layers = 1 + (unsigned)mutate_below(&rng, 3);
        const unsigned like = 1 + (unsigned)mutate_below(&rng, 12);
        unsigned widths[LAYERS_MAX + 2];
        for (unsigned l = 0; l < layers + 2; l++)
            widths[l] = i % 2 ? like : 1 + (unsigned)mutate_below(&rng, 12);
        if (layers == 1 && i % 4 == 0)
            widths[1] = BOARDS_CARRIERS + (unsigned)mutate_below(&rng, 4);
        struct consensus *c = network_make(&rng, layers, widths);
        c->params.boards = 1;
        assert_int_equal(consensus_index(c), 0);
        choices_check(c, i % 2);
        consensus_free(&c);
    }
}

/* Who gets no lists has no ways, and passes none: mixes of the first layer beyond
 * the carriers, relays that are left out, all where there are no boards. */
static void
nobody_else_passes_lists(void **state)
{
    (void)state;
    const unsigned widths[] = {2, BOARDS_CARRIERS + 8, 3};
    struct rng_seeded rng;
    struct board_ways *w;
    unsigned carriers = 0;
    rng_seeded_init_u64(&rng, test_seed(), "no lists");
    struct consensus *c = network_make(&rng, 1, widths);
    for (uint16_t r = 2; r < 2 + BOARDS_CARRIERS + 8; r++) {
        assert_int_equal(boards_ways_new(&w, c, r), 0);
        carriers += w->n_before == 3;
        assert_true(w->n_before == 3 || (w->n_before == 0 && w->n_next == 0));
        boards_ways_free(&w);
    }
    assert_int_equal(carriers, BOARDS_CARRIERS);
    c->left_out = calloc(1, sizeof *c->left_out);
    assert_non_null(c->left_out);
    memcpy(c->left_out->identity, c->relays[0].identity, SPHINX_ID_LEN);
    c->n_left_out = 1;
    assert_int_equal(consensus_index(c), 0);
    assert_int_equal(boards_ways_new(&w, c, 0), 0);
    assert_true(w->n_before == 0 && w->n_next == 0);
    boards_ways_free(&w);
    c->params.boards = 0;
    assert_int_equal(consensus_index(c), 0);
    assert_int_equal(c->boards.n, 0);
    for (uint16_t r = 0; r < c->n_relays; r++) {
        assert_int_equal(boards_ways_new(&w, c, r), 0);
        assert_true(w->n_before == 0 && w->n_next == 0);
        assert_false(boards_ways_takes(w, 1));
        boards_ways_free(&w);
    }
    assert_int_equal(boards_ways_new(&w, c, (uint16_t)c->n_relays), ERR_RELAY);
    assert_null(w);
    boards_ways_free(&w);
    consensus_free(&c);
}

static double
seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Find a carrier. */
static uint16_t
carrier_find(const struct consensus *c)
{
    struct board_ways *w;
    assert_int_equal(boards_ways_new(&w, c, c->boards.relay[0]), 0);
    const uint16_t carrier = w->next[0];
    boards_ways_free(&w);
    return carrier;
}

/* 16,384 relays: the ways of one of each layer take milliseconds (a second would be
 * what a square of them takes), and passing is bounded. */
static void
ways_of_the_largest_network_take_little_time(void **state)
{
    (void)state;
    const unsigned widths[] = {3276, 3277, 3277, 3277, 3277};
    struct rng_seeded rng;
    rng_seeded_init_u64(&rng, test_seed(), "ways of many");
    struct consensus *c = network_make(&rng, 3, widths);
    assert_int_equal(c->n_relays, RELAYS_MAX);
    double begin = seconds();
    assert_int_equal(consensus_index(c), 0);
    printf("  16,384 relays: index with boards %.1f ms; ways",
           (seconds() - begin) * 1e3);
    const uint16_t self[] = {5,     carrier_find(c), 7000,
                             11000, 13200,           c->boards.relay[0]};
    for (size_t i = 0; i < sizeof self / sizeof self[0]; i++) {
        struct board_ways *w;
        begin = seconds();
        assert_int_equal(boards_ways_new(&w, c, self[i]), 0);
        const double took = seconds() - begin;
        printf(" %.1f ms (%zu before, %zu after)", took * 1e3, w->n_before,
               w->n_next);
        assert_true(took < 1);
        /* carriers have the most to do */
        assert_true(w->n_before <=
                    BOARDS_MAX + BOARDS_AFTER * (3277 / BOARDS_CARRIERS + 1));
        assert_true(w->n_next <= (c->relays[self[i]].layer == 1
                                      ? BOARDS_BEFORE * (3277 / 32 + 1)
                                      : BOARDS_CARRIERS));
        boards_ways_free(&w);
    }
    printf("\n");
    consensus_free(&c);
}

/* ---- memory ---- */

struct ways_of {
    const struct consensus *c;
    uint16_t self;
};

static int
ways_make(void *ctx)
{
    const struct ways_of *o = ctx;
    struct board_ways *w;
    int err = boards_ways_new(&w, o->c, o->self);
    if (err && w)
        return ERR_CONFLICT; /* half made */
    boards_ways_free(&w);
    return err;
}

static void
no_memory_makes_no_ways(void **state)
{
    (void)state;
    const unsigned widths[] = {2, 3, 3, 4};
    struct rng_seeded rng;
    rng_seeded_init_u64(&rng, test_seed(), "ways and memory");
    struct consensus *c = network_make(&rng, 2, widths);
    for (uint16_t r = 0; r < c->n_relays; r++)
        heap_try(ways_make, &(struct ways_of){c, r});
    consensus_free(&c);
}

const struct CMUnitTest test_boards[] = {
    cmocka_unit_test(i10_boards_are_unrelated_and_no_newcomers),
    cmocka_unit_test(boards_are_drawn_alike),
    cmocka_unit_test(lists_reach_all_of_small_networks),
    cmocka_unit_test(lists_reach_all_of_random_networks),
    cmocka_unit_test(i10_what_one_store_has_all_have),
    cmocka_unit_test(nobody_else_passes_lists),
    cmocka_unit_test(ways_of_the_largest_network_take_little_time),
    cmocka_unit_test(no_memory_makes_no_ways),
};
TEST_SUITE(test_boards);
