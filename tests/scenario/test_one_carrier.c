/* tests/scenario/test_one_carrier.c - a board that gives its lists to carriers of its
 * choice: what one store has to name, every gateway has to show.
 *
 * In layers of like sizes the mixes alone bring a list from one carrier to a class of
 * places: of three layers of 12 to every fourth store, and to half of the gateways or
 * none. */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/state.h"
#include "lib/codec.h"
#include "network/boards.h"
#include "network/list.h"
#include "tests/adversary.h"
#include "tests/world.h"

enum { GATEWAYS = 6, WIDTH = 12, EACH = 2, CLIENTS = GATEWAYS * EACH };

/* A network whose only board lies. */
struct scene {
    struct world *w;
    const struct consensus *c;
    struct world_client *k[CLIENTS];
    uint16_t liar;
    int only;    /* the carrier that gets the liar's lists; -1: all */
    bool silent; /* none gets any */
    bool *has;   /* by relay: brought there from that carrier by mixes alone */
};

static bool
list_leaves(void *ctx, uint32_t to, const uint8_t *frame, size_t len)
{
    const struct scene *x = ctx;
    (void)len;
    if (frame[0] != WIRE_LIST || to >= x->w->n_relays)
        return true;
    return !x->silent && (x->only < 0 || to == (uint32_t)x->only);
}
static const struct sim_front_ops liar_ops = {.leaves = list_leaves};

static void
one_board(struct params *p)
{
    p->boards = 1;
    p->conversations.hold_min_s = 5;
    p->conversations.hold_max_s = 10;
}

static void
scene_make(struct scene *x)
{
    struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                  .gateways = GATEWAYS,
                                  .layers = 3,
                                  .mixes = WIDTH,
                                  .stores = WIDTH,
                                  .params = one_board,
                                  .seed = test_seed()};
    *x = (struct scene){.w = world_new(&config), .only = -1};
    x->c = x->w->net.consensus;
    assert_int_equal(x->c->boards.n, 1);
    x->liar = x->c->boards.relay[0];
    for (unsigned i = 0; i < CLIENTS; i++)
        x->k[i] = world_client_add(x->w, "default", i % GATEWAYS);
    engine_front(x->w->engine, x->liar, &liar_ops, x);
    x->has = calloc(x->c->n_relays, sizeof *x->has);
    assert_non_null(x->has);
}

static void
scene_free(struct scene *x)
{
    free(x->has);
    world_free(&x->w);
}

/* Note where mixes alone bring a list of this carrier's. */
static void
reach_note(struct scene *x, uint16_t carrier)
{
    memset(x->has, 0, x->c->n_relays * sizeof *x->has);
    x->has[carrier] = true;
    for (unsigned layer = 1; layer <= x->c->params.layers; layer++) {
        size_t n;
        const uint16_t *mix = consensus_layer(x->c, layer, &n);
        for (size_t i = 0; i < n; i++) {
            struct board_ways *ways;
            if (!x->has[mix[i]])
                continue;
            assert_int_equal(boards_ways_new(&ways, x->c, mix[i]), 0);
            for (size_t k = 0; k < ways->n_next; k++)
                x->has[ways->next[k]] = true;
            boards_ways_free(&ways);
        }
    }
}

static unsigned
reach_count(const struct scene *x, unsigned layer)
{
    size_t n;
    const uint16_t *relay = consensus_layer(x->c, layer, &n);
    unsigned count = 0;
    for (size_t i = 0; i < n; i++)
        count += relay[i] != x->liar && x->has[relay[i]];
    return count;
}

/* Choose the first carrier from which mixes alone bring lists to three stores
 * beside the board, and to so many gateways. */
static uint16_t
carrier_choose(struct scene *x, unsigned gateways)
{
    size_t n;
    const uint16_t *first = consensus_layer(x->c, 1, &n);
    for (size_t i = 0; i < n; i++) {
        reach_note(x, first[i]);
        if (reach_count(x, x->c->params.layers + 1u) >= 3 &&
            reach_count(x, 0) == gateways)
            return first[i];
    }
    fail_msg("no carrier brings lists to %u gateways", gateways);
    return 0;
}

/* One carrier gets the board's lists, from which mixes bring them to stores and to no
 * gateway. No client takes its gateway for one that withholds what those stores
 * name. */
static void
i10_lists_for_one_carrier_move_no_client(void **state)
{
    (void)state;
    enum { BEFORE_S = 30, SECONDS = 120 };
    struct scene x;
    uint64_t lists = UINT64_MAX;
    scene_make(&x);
    x.only = carrier_choose(&x, 0);
    world_run_s(x.w, BEFORE_S);
    for (unsigned t = 0; t < SECONDS; t++) {
        world_run_s(x.w, 1);
        for (unsigned i = 0; i < CLIENTS; i++)
            world_client_watch(x.k[i]);
    }
    uint64_t left = 0, late = 0;
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client_status s;
        client_status(x.k[i]->client, &s);
        left += s.lists.left;
        late += s.lists.late;
        lists = s.lists.sure < lists ? s.lists.sure : lists;
    }
    printf("  gateways left %u times, %u lists late, each client acted on %u "
           "or more\n",
           (unsigned)left, (unsigned)late, (unsigned)lists);
    assert_int_equal(left, 0);
    assert_int_equal(late, 0);
    assert_true(lists >= (BEFORE_S + SECONDS) / 2 - 10);
    scene_free(&x);
}

static int
entry_order(const void *a, const void *b)
{
    return memcmp(a, b, LIST_ENTRY_LEN);
}

/* Make a list of the interval that is over, of these entries and random ones, and
 * give it to one carrier. */
static void
list_give(struct scene *x, uint16_t carrier, uint64_t number,
          const uint8_t *entries, size_t n)
{
    uint8_t entry[LIST_ENTRIES_MAX][LIST_ENTRY_LEN];
    uint8_t frame[WORLD_PACKET] = {0};
    const struct params *p = &x->c->params;
    struct rng_seeded rng;
    rng_seeded_init_u64(&rng, number, "one carrier");
    rng_seeded_bytes(&rng, entry, sizeof entry);
    if (n > 0)
        memcpy(entry, entries, n * LIST_ENTRY_LEN);
    qsort(entry, p->list_entries, LIST_ENTRY_LEN, entry_order);
    const struct board_list l = {
        .interval = list_interval(p, env_now_wall_ms(x->w->relay[0].env)) - 1,
        .entries = entry[0]};
    frame[0] = WIRE_LIST;
    list_write(frame + 1, p, &l);
    list_sign(frame + 1, list_len(p), x->c, x->w->net.identity_seed[x->liar]);
    engine_inject(x->w->engine, x->liar, carrier, frame, sizeof frame);
}

/* Have this contact put one text, and tell the entry of its announcement. */
static void
text_put(struct adversary_contact *m, uint8_t entry[static LIST_ENTRY_LEN])
{
    uint8_t token[LETTER_TOKEN_LEN];
    struct letter l = {.kind = LETTER_TEXT,
                       .count = 1,
                       .total = 1,
                       .announced = true,
                       .tokens = 1,
                       .data = (const uint8_t *)"x",
                       .data_len = 1};
    codec_put32(l.message, 1);
    adversary_contact_write(m, &l);
    letter_token(m->chain, m->at.period, 0, token);
    memcpy(entry, token, LIST_ENTRY_LEN);
}

/* Each user's contact is the board's friend: they announce a text by one list, which
 * one carrier gets, from which mixes bring it to half of the gateways. Those users who
 * are at the others act on it as well. */
static void
i12_a_list_for_one_carrier_tells_no_gateway(void **state)
{
    (void)state;
    enum { WATCH_S = 25 };
    struct scene x;
    struct adversary_contact m[CLIENTS];
    uint8_t entries[CLIENTS][LIST_ENTRY_LEN];
    char line[INVITE_TEXT_LEN];
    scene_make(&x);
    world_run_s(x.w, 60);
    for (unsigned i = 0; i < CLIENTS; i++) {
        assert_int_equal(client_invite(x.k[i]->client, "m", line), 0);
        adversary_contact_make(&m[i], x.w, line, 100 + i);
    }
    world_run_s(x.w, 120);
    const uint16_t carrier = carrier_choose(&x, GATEWAYS / 2);
    x.silent = true;
    world_run_s(x.w, 2);
    for (unsigned i = 0; i < CLIENTS; i++)
        text_put(&m[i], entries[i]);
    list_give(&x, carrier, 5, entries[0], CLIENTS);
    world_run_s(x.w, WATCH_S);
    unsigned acted[2] = {0};
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client_status s;
        client_status(x.k[i]->client, &s);
        acted[x.has[x.k[i]->gateway]] += s.lists.tokens > 0;
    }
    printf("  of %u users at gateways of the list's class %u acted on it, of "
           "%u at "
           "others %u\n",
           CLIENTS / 2, acted[true], CLIENTS / 2, acted[false]);
    assert_int_equal(acted[true], CLIENTS / 2);
    assert_int_equal(acted[false], CLIENTS / 2);
    scene_free(&x);
}

/* Two lists of one interval, for two carriers whose mixes have no place in common:
 * they meet, and are evidence everywhere. */
static void
i10_two_lists_for_two_carriers_meet(void **state)
{
    (void)state;
    struct scene x;
    size_t n;
    unsigned other = 0;
    scene_make(&x);
    world_run_s(x.w, 10);
    x.silent = true;
    world_run_s(x.w, 4);
    const uint16_t *first = consensus_layer(x.c, 1, &n);
    const uint16_t one = carrier_choose(&x, GATEWAYS / 2);
    bool *has = calloc(x.c->n_relays, sizeof *has);
    assert_non_null(has);
    memcpy(has, x.has, x.c->n_relays * sizeof *has);
    for (bool apart = false; !apart; other++) {
        assert_true(other < n);
        reach_note(&x, first[other]);
        apart = reach_count(&x, 0) == GATEWAYS / 2;
        for (size_t i = 0; i < x.c->n_relays; i++)
            apart = apart && !(has[i] && x.has[i]);
    }
    free(has);
    list_give(&x, one, 1, NULL, 0);
    list_give(&x, first[other - 1], 2, NULL, 0);
    world_run_s(x.w, 3);
    struct relay_stats sum;
    sim_world_stats(x.w, &sum);
    printf("  %u of %u relays have evidence\n", (unsigned)sum.equivocations,
           x.w->n_relays);
    /* the board's own store may have neither or, of its relays, none */
    assert_true(sum.equivocations >= x.w->n_relays - 1);
    scene_free(&x);
}

const struct CMUnitTest test_one_carrier[] = {
    cmocka_unit_test(i10_lists_for_one_carrier_move_no_client),
    cmocka_unit_test(i12_a_list_for_one_carrier_tells_no_gateway),
    cmocka_unit_test(i10_two_lists_for_two_carriers_meet),
};
TEST_SUITE(test_one_carrier);
