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
#include "relay/lists.h"
#include "tests/adversary.h"
#include "tests/day_key.h"
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
scene_make(struct scene *x, unsigned clients, void (*params)(struct params *))
{
    struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                  .gateways = GATEWAYS,
                                  .layers = 3,
                                  .mixes = WIDTH,
                                  .stores = WIDTH,
                                  .params = params,
                                  .seed = test_seed()};
    *x = (struct scene){.w = world_new(&config), .only = -1};
    x->c = x->w->net.consensus;
    assert_int_equal(x->c->boards.n, 1);
    x->liar = x->c->boards.relay[0];
    for (unsigned i = 0; i < clients; i++)
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
    scene_make(&x, CLIENTS, one_board);
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

static uint64_t
wall_ms(const struct scene *x)
{
    return env_now_wall_ms(x->w->relay[x->liar].env);
}

static uint32_t
interval_over(const struct scene *x)
{
    return list_interval(&x->c->params, wall_ms(x)) - 1;
}

/* Make a list of n entries and random ones, and have `from` give it to `to`. */
static void
list_bring(struct scene *x, uint16_t from, uint16_t to, uint32_t interval,
           uint64_t number, const uint8_t *entries, size_t n)
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
    const struct board_list l = {.interval = interval, .entries = entry[0]};
    frame[0] = WIRE_LIST;
    list_write(frame + 1, p, &l);
    list_sign(frame + 1, list_len(p), x->c, x->w->net.identity_seed[x->liar]);
    engine_inject(x->w->engine, from, to, frame, sizeof frame);
}

/* The same to one carrier, from the board. */
static void
list_give(struct scene *x, uint16_t carrier, uint32_t interval, uint64_t number,
          const uint8_t *entries, size_t n)
{
    list_bring(x, x->liar, carrier, interval, number, entries, n);
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
    letter_token(
        day_key_of(&m->chain, &m->world->net.consensus->params, m->at.period)
            .key,
        m->at.period, 0, token);
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
    scene_make(&x, CLIENTS, one_board);
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
    list_give(&x, carrier, interval_over(&x), 5, entries[0], CLIENTS);
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
    scene_make(&x, CLIENTS, one_board);
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
    list_give(&x, one, interval_over(&x), 1, NULL, 0);
    list_give(&x, first[other - 1], interval_over(&x), 2, NULL, 0);
    world_run_s(x.w, 3);
    struct relay_stats sum;
    sim_world_stats(x.w, &sum);
    printf("  %u of %u relays have evidence\n", (unsigned)sum.equivocations,
           x.w->n_relays);
    /* the board's own store may have neither or, of its relays, none */
    assert_true(sum.equivocations >= x.w->n_relays - 1);
    scene_free(&x);
}

/* ---- all or none ---- */

/* Count the lists that relays beside the board have taken. */
static uint64_t
lists_taken(const struct scene *x)
{
    struct relay_stats sum, own;
    sim_world_stats(x->w, &sum);
    team_stats(x->w->relay[x->liar].team, &own);
    return sum.lists_taken - own.lists_taken;
}

/* See that all of these relays, or none, have taken a list since so many had been
 * taken. Returns whether all have. */
static bool
all_or_none(const struct scene *x, uint64_t before, const char *what)
{
    const uint64_t n = lists_taken(x) - before;
    if (n > 0 && n != x->w->n_relays - 1u) {
        printf("  %s: of %u relays %u have it\n", what, x->w->n_relays - 1,
               (unsigned)n);
        fail();
    }
    return n > 0;
}

/* A board gives lists to all carriers when they are so old, or so far ahead, that
 * relays whose clocks differ by 0.8 s, and those that get them later, judge otherwise
 * for themselves. */
static void
i10_a_list_at_the_edge_of_its_time_comes_to_all_or_none(void **state)
{
    (void)state;
    enum { TRIES = 24, STEP_MS = 100 };
    struct scene x;
    unsigned taken[2] = {0};
    size_t n;
    scene_make(&x, 0, one_board);
    const uint16_t *first = consensus_layer(x.c, 1, &n);
    for (uint16_t i = 0; i < x.c->n_relays; i++)
        if (i != x.liar)
            world_relay_clock(x.w, i, 0.4 * (i % 3) - 0.4);
    x.silent = true;
    world_run_s(x.w, 30);
    for (unsigned k = 0; k < 2 * TRIES; k++) {
        const uint64_t each_ms = x.c->params.list_interval_ms;
        const uint64_t now_ms = wall_ms(&x);
        const bool old = k < TRIES;
        const int by_ms = STEP_MS * ((int)(k % TRIES) - TRIES / 2);
        /* an interval that begins so long ago, or in so long, in 2 s or less */
        const uint64_t off_ms = old ? 2 * each_ms + LISTS_BEHIND_MS : 0;
        const uint64_t on_ms = old ? 0 : LISTS_AHEAD_MS;
        const uint32_t interval =
            list_interval(&x.c->params, now_ms - off_ms + on_ms + 4000);
        const uint64_t at_ms =
            list_interval_start_ms(&x.c->params, interval) + off_ms - on_ms;
        world_run_s(x.w, (double)(at_ms + (uint64_t)by_ms - now_ms) / 1000);
        const uint64_t before = lists_taken(&x);
        for (size_t i = 0; i < n; i++)
            list_give(&x, first[i], interval, interval, NULL, 0);
        world_run_s(x.w, 3);
        taken[old] += all_or_none(&x, before, old ? "old" : "ahead");
    }
    printf("  of %u at each edge %u old ones were taken, %u ahead\n", TRIES,
           taken[true], taken[false]);
    assert_in_range(taken[true], 4, TRIES - 4);
    assert_in_range(taken[false], 4, TRIES - 4);
    scene_free(&x);
}

/* A board that is silent has a mix of the last layer, its friend, give some stores a list
 * that will be too old for all others in a moment. They name it, no gateway gets it, and
 * no client takes its gateway for one that withholds it. */
static void
i10_a_list_that_a_mix_gives_too_late_moves_no_client(void **state)
{
    (void)state;
    enum { LISTS = 6, SECONDS = 100 };
    struct scene x;
    size_t n;
    uint64_t left = 0, late = 0;
    scene_make(&x, CLIENTS, one_board);
    const uint16_t *last = consensus_layer(x.c, x.c->params.layers, &n);
    const uint64_t each_ms = x.c->params.list_interval_ms;
    const uint64_t off_ms = 2 * each_ms + LISTS_BEHIND_MS + LISTS_PASSING_MS;
    struct board_ways *ways;
    assert_int_equal(boards_ways_new(&ways, x.c, last[0]), 0);
    world_run_s(x.w, 60);
    x.silent = true;
    world_run_s(x.w, 20);
    for (unsigned k = 0; k < LISTS; k++) {
        const uint64_t now_ms = wall_ms(&x);
        const uint32_t interval =
            list_interval(&x.c->params, now_ms - off_ms + 4000);
        const uint64_t at_ms =
            list_interval_start_ms(&x.c->params, interval) + off_ms;
        world_run_s(x.w, (double)(at_ms - 10 * (k + 1) - now_ms) / 1000);
        const uint64_t before = lists_taken(&x);
        for (size_t i = 0; i < ways->n_next; i++)
            if (x.c->relays[ways->next[i]].role == ROLE_STORE &&
                ways->next[i] != x.liar)
                list_bring(&x, last[0], ways->next[i], interval, interval, NULL,
                           0);
        world_run_s(x.w, 1);
        printf("  %u ms before: %u have it\n", 10 * (k + 1),
               (unsigned)(lists_taken(&x) - before));
    }
    for (unsigned t = 0; t < SECONDS; t++) {
        world_run_s(x.w, 1);
        for (unsigned i = 0; i < CLIENTS; i++)
            world_client_watch(x.k[i]);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client_status s;
        client_status(x.k[i]->client, &s);
        left += s.lists.left;
        late += s.lists.late;
    }
    printf("  gateways left %u times, %u lists late\n", (unsigned)left,
           (unsigned)late);
    assert_int_equal(left, 0);
    assert_int_equal(late, 0);
    boards_ways_free(&ways);
    scene_free(&x);
}

static void
short_intervals(struct params *p)
{
    p->boards = 1;
    p->list_interval_ms = 500;
}

/* A board gives all lists at once that are neither too old nor too far ahead, to each
 * carrier others: no link has too few checks for those that come by it. */
static void
i10_lists_that_come_at_once_come_to_all(void **state)
{
    (void)state;
    struct scene x;
    size_t n;
    scene_make(&x, 0, short_intervals);
    const uint16_t *first = consensus_layer(x.c, 1, &n);
    const uint64_t each_ms = x.c->params.list_interval_ms;
    x.silent = true;
    world_run_s(x.w, 30);
    const uint64_t before = lists_taken(&x), now_ms = wall_ms(&x);
    uint32_t oldest = list_interval(&x.c->params, now_ms);
    while (!lists_judge_time(&x.c->params, oldest - 1, now_ms + 100, 0))
        oldest--;
    uint32_t i = oldest;
    for (; !lists_judge_time(&x.c->params, i, now_ms, 0); i++)
        list_give(&x, first[i % n], i, i, NULL, 0);
    world_run_s(x.w, 5);
    const uint64_t taken = lists_taken(&x) - before;
    printf("  %u lists, each taken by %.1f of %u relays\n", i - oldest,
           (double)taken / (i - oldest), x.w->n_relays - 1);
    assert_in_range(i - oldest, 15000 / each_ms, 15000 / each_ms + 4);
    assert_int_equal(taken, (uint64_t)(i - oldest) * (x.w->n_relays - 1));
    scene_free(&x);
}

/* ---- stores that lie to carriers ---- */

static size_t
ways_find(const uint16_t *relay, size_t n, uint16_t one)
{
    size_t i = 0;
    while (i < n && relay[i] != one)
        i++;
    return i;
}

/* A store brings a carrier that it may pass lists to a thousand forged ones, and one
 * that it may not. It uses up its own checks there, and lists come as before. */
static void
i11_a_store_that_floods_carriers_uses_its_own_checks(void **state)
{
    (void)state;
    enum { FLOOD = 1000, SECONDS = 10 };
    struct scene x;
    struct board_ways *ways;
    struct relay_stats s, of[2];
    uint32_t to[2];
    uint8_t frame[WORLD_PACKET] = {0};
    size_t n;
    scene_make(&x, 0, one_board);
    const uint16_t *first = consensus_layer(x.c, 1, &n);
    const uint32_t a_store = world_first(x.w, 4);
    const uint16_t store = (uint16_t)(a_store + (a_store == x.liar));
    assert_int_equal(boards_ways_new(&ways, x.c, store), 0);
    assert_int_equal(ways->n_next, BOARDS_AFTER);
    to[0] = ways->next[0];
    for (to[1] = 0; ways_find(ways->next, ways->n_next, first[to[1]]) < 4;)
        to[1]++;
    to[1] = first[to[1]];
    world_run_s(x.w, 10);
    const uint64_t before = lists_taken(&x);
    frame[0] = WIRE_LIST;
    for (unsigned i = 0; i < FLOOD; i++) {
        codec_put32(frame + 1, interval_over(&x));
        for (uint32_t k = 0; k < x.c->params.list_entries; k++)
            codec_put32(frame + 1 + LIST_HEAD_LEN + k * LIST_ENTRY_LEN,
                        k * FLOOD + i);
        for (unsigned k = 0; k < 2; k++)
            engine_inject(x.w->engine, store, to[k], frame, sizeof frame);
        world_run_s(x.w, (double)SECONDS / FLOOD);
    }
    for (unsigned k = 0; k < 2; k++)
        team_stats(x.w->relay[to[k]].team, &of[k]);
    const unsigned burst = lists_burst(&x.c->params);
    assert_in_range(of[0].dropped[-ERR_SIGNATURE], burst, burst + SECONDS + 1);
    assert_int_equal(of[0].dropped[-ERR_SIGNATURE] + of[0].dropped[-ERR_RATE],
                     FLOOD);
    assert_int_equal(of[1].dropped[-ERR_EDGE], FLOOD);
    world_run_s(x.w, 3);
    sim_world_stats(x.w, &s);
    assert_int_equal(s.lists_refused, 2 * FLOOD);
    assert_in_range(lists_taken(&x) - before,
                    SECONDS / 2 * (x.w->n_relays - 1u),
                    (SECONDS / 2 + 3) * (x.w->n_relays - 1u));
    boards_ways_free(&ways);
    scene_free(&x);
}

const struct CMUnitTest test_one_carrier[] = {
    cmocka_unit_test(i10_lists_for_one_carrier_move_no_client),
    cmocka_unit_test(i12_a_list_for_one_carrier_tells_no_gateway),
    cmocka_unit_test(i10_two_lists_for_two_carriers_meet),
    cmocka_unit_test(i10_a_list_at_the_edge_of_its_time_comes_to_all_or_none),
    cmocka_unit_test(i10_a_list_that_a_mix_gives_too_late_moves_no_client),
    cmocka_unit_test(i10_lists_that_come_at_once_come_to_all),
    cmocka_unit_test(i11_a_store_that_floods_carriers_uses_its_own_checks),
};
TEST_SUITE(test_one_carrier);
