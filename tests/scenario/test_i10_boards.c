/* tests/scenario/test_i10_boards.c - boards and stores that start again, clocks that
 * step, the end of an epoch, and a board that dates its lists as it likes: nobody
 * lies for it, and no list is lost. */
#include "tests/runner.h"

#include <string.h>

#include "client/heard/shown_internal.h"
#include "client/state.h"
#include "network/boards.h"
#include "network/list.h"
#include "tests/network.h"
#include "tests/world.h"

enum { CLIENTS = 4 };

struct scene {
    struct world *w;
    struct world_client *k[CLIENTS];
};

static void
scene_make(struct scene *x, struct world_config *config, const char *profile)
{
    config->suite = SPHINX_SUITE_NULL;
    config->layers = 3;
    config->gateways = 2;
    config->mixes = 4;
    config->seed = test_seed();
    x->w = world_new(config);
    for (uint32_t i = 0; i < CLIENTS; i++)
        x->k[i] = world_client_add(x->w, profile, i % 2);
    world_run_s(x->w, 60);
}

static struct client_lists
lists_of(const struct scene *x, size_t client)
{
    struct client_status s;
    client_status(x->k[client]->client, &s);
    return s.lists;
}

static struct relay_stats
stats_all(const struct scene *x)
{
    struct relay_stats sum;
    sim_world_stats(x->w, &sum);
    return sum;
}

static void
relay_restart(struct scene *x, uint16_t relay, double for_s)
{
    world_relay_stop(x->w, relay);
    world_run_s(x->w, for_s);
    world_relay_start(x->w, relay);
}

/* One of three stores starts again: what it has not seen it vouches not for, and what
 * comes from then on is sure at once. */
static void
i9_a_store_that_starts_again_is_believed_at_once(void **state)
{
    (void)state;
    enum { SECONDS = 60, BOTH = 2 }; /* with one more the others would do */
    struct scene x;
    struct client_lists before[CLIENTS];
    struct world_config config = {.stores = BOTH};
    scene_make(&x, &config, "default");
    const struct consensus *c = x.w->net.consensus;
    assert_int_equal(c->boards.n, BOTH);
    relay_restart(&x, c->boards.relay[0], 5);
    world_run_s(x.w, 10);
    for (size_t i = 0; i < CLIENTS; i++)
        before[i] = lists_of(&x, i);
    world_run_s(x.w, SECONDS);
    const unsigned made = BOTH * SECONDS * 1000 / c->params.list_interval_ms;
    for (size_t i = 0; i < CLIENTS; i++) {
        const struct client_lists now = lists_of(&x, i);
        print_message("  of %u lists %u were sure\n", made,
                      (unsigned)(now.sure - before[i].sure));
        assert_in_range(now.sure - before[i].sure, made - 6, made + 6);
        assert_int_equal(now.left, 0);
    }
    world_free(&x.w);
}

static void
soon_free(struct params *p)
{
    p->conversations.hold_min_s = 5; /* no front is held for long */
    p->conversations.hold_max_s = 10;
}

/* One of three stores stops, as a board and as a witness. The lists of the two others
 * are sure, of which 30 were made, and a first text is heard of by them: in 22 s on
 * average (seeds 1 to 24), and one in five, where a store has to be found out to be
 * dead, 44 s after the first 30 s, so that chance goes beyond the bound once in 2,000
 * runs. */
static void
i10_one_dead_store_of_three_silences_no_board(void **state)
{
    (void)state;
    struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                  .gateways = 2,
                                  .layers = 3,
                                  .mixes = 1,
                                  .stores = 3,
                                  .seed = test_seed(),
                                  .params = soon_free};
    struct world *w = world_new(&config);
    struct world_client *a = world_client_add(w, "default", 0);
    struct world_client *b = world_client_add(w, "default", 1);
    struct client_status before, after;
    world_run_s(w, 5);
    world_pair(w, a, "b", b, "a");
    world_run_s(w, 100);
    (void)world_take(a, NULL);
    world_relay_stop(w, w->net.consensus->boards.relay[0]);
    world_run_s(w, 20);
    client_status(a->client, &before);
    world_run_s(w, 30);
    client_status(a->client, &after);
    const unsigned sure = (unsigned)(after.lists.sure - before.lists.sure);
    unsigned waited_s = 0;
    (void)world_say(b, "a", "hello");
    for (; waited_s < 300 && world_take(a, NULL) == 0; waited_s++)
        world_run_s(w, 1);
    print_message("  %u of 30 lists were sure; a first text took %u s\n", sure,
                  waited_s);
    assert_in_range(sure, 26, 32);
    assert_in_range(waited_s, 0, 299);
    world_free(&w);
}

/* A board starts again, with its clock up to four seconds behind or ahead of what it
 * was: what it has listed before it does not list anew, by whatever clock. */
static void
i10_a_board_that_starts_with_another_clock_is_no_liar(void **state)
{
    (void)state;
    struct scene x;
    struct world_config config = {.stores = 4};
    scene_make(&x, &config, "default");
    const uint16_t board = x.w->net.consensus->boards.relay[1];
    const uint64_t made = stats_all(&x).lists_made;
    for (unsigned i = 0; i < 8; i++) {
        world_relay_clock(x.w, board, 2);
        world_run_s(x.w, 6.2 + 0.3 * i);
        world_relay_stop(x.w, board);
        world_relay_clock(x.w, board, -2);
        world_relay_start(x.w, board);
        world_run_s(x.w, 4.5); /* until it would list anew */
        world_relay_clock(x.w, board, 0);
        world_run_s(x.w, 6);
    }
    assert_int_equal(stats_all(&x).equivocations, 0);
    assert_true(stats_all(&x).lists_made > made + 3 * 8 * 6);
    world_run_s(x.w, 10);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(lists_of(&x, i).evidence, 0);
    world_free(&x.w);
}

static uint64_t
lists_made(const struct scene *x, uint16_t relay)
{
    struct relay_stats s;
    team_stats(x->w->relay[relay].team, &s);
    return s.lists_made;
}

/* A board's clock is 25 minutes ahead for ten seconds, or behind: a step that is set
 * right. It lists on at once, also when it has started meanwhile, clients are sure of
 * its lists, and it is no liar when the time comes of which it has signed some. */
static void
board_steps(double ahead_s, bool restarts, unsigned seconds)
{
    struct scene x;
    struct world_config config = {.stores = 4};
    scene_make(&x, &config, "default");
    const uint16_t board = x.w->net.consensus->boards.relay[1];
    const uint16_t other = x.w->net.consensus->boards.relay[2];
    world_relay_clock(x.w, board, ahead_s);
    if (restarts)
        relay_restart(&x, board, 1);
    world_run_s(x.w, 10);
    world_relay_clock(x.w, board, 0);
    world_run_s(x.w, 5);
    const uint64_t before = lists_made(&x, board);
    const uint64_t before_other = lists_made(&x, other);
    const struct client_lists seen = lists_of(&x, 0);
    world_run_s(x.w, seconds);
    const unsigned n = (unsigned)(lists_made(&x, board) - before);
    const unsigned all = (unsigned)(lists_made(&x, other) - before_other);
    const struct client_lists now = lists_of(&x, 0);
    print_message(
        "  %.0f s ahead%s: %u lists of the board in %u s, of another %u; "
        "a client was sure of %u of %u\n",
        ahead_s, restarts ? ", and started then" : "", n, seconds, all,
        (unsigned)(now.sure - seen.sure), (unsigned)(now.seen - seen.seen));
    assert_in_range(all, seconds / 2 - 2, seconds / 2 + 2);
    assert_in_range(n, all - 10, all + 2);
    assert_in_range(now.sure - seen.sure, 4 * (all - 10), 4 * (all + 8));
    assert_int_equal(stats_all(&x).equivocations, 0);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(lists_of(&x, i).evidence, 0);
    world_free(&x.w);
}

static void
i10_a_board_lists_on_after_a_step_of_its_clock(void **state)
{
    (void)state;
    board_steps(1500, false, 1600); /* until those intervals are over */
    board_steps(1500, true, 300);
    board_steps(-1500, false, 120);
}

/* Of the lists of an epoch that a client has, those that are not sure. */
static unsigned
unsure_of(const struct world_client *k, uint32_t epoch)
{
    unsigned n = 0;
    for (size_t b = 0; b < BOARDS_MAX; b++)
        for (size_t i = 0; i < SHOWN_INTERVALS; i++) {
            const struct kept *of = &k->client->shown->board[b].kept[i];
            n += of->bytes && of->epoch == epoch && !of->sure;
        }
    return n;
}

static void
short_epochs(struct params *p)
{
    params_default(p, 300);
}

/* The last lists of an epoch are sure as all others are, also for who hears of few
 * stores: of him 0.05 an epoch are not, since no second store named them to him in time
 * (seeds 1 to 6), so that chance goes beyond the bound once in 5,000 runs. */
static void
i9_the_last_lists_of_an_epoch_are_sure(void **state)
{
    (void)state;
    struct scene x;
    struct world_config config = {.stores = 6, .params = short_epochs};
    const unsigned turns = test_proof() ? 10 : 2;
    unsigned unsure = 0;
    scene_make(&x, &config, "light");
    for (unsigned turn = 0; turn < turns; turn++) {
        const uint32_t epoch = x.w->net.consensus->epoch;
        while (x.w->net.consensus->epoch == epoch) {
            world_run_s(x.w, 5);
            world_epoch_due(x.w);
        }
        world_run_s(x.w, 60);
        for (size_t i = 0; i < CLIENTS; i++)
            unsure += unsure_of(x.k[i], epoch);
    }
    print_message("  %u were not, of %u\n", unsure,
                  turns * CLIENTS * BOARDS_MAX);
    assert_in_range(unsure, 0, 2 + turns / 4);
    world_free(&x.w);
}

/* ---- a board that dates lists back ---- */

static bool
lists_stay(void *ctx, uint32_t to, const uint8_t *frame, size_t len)
{
    const bool *silent = ctx;
    (void)to;
    (void)len;
    return frame[0] != WIRE_LIST || !*silent;
}

/* Sign a list of an interval that it has left out. */
static void
list_send(struct scene *x, uint8_t board, uint32_t interval)
{
    const struct consensus *c = x->w->net.consensus;
    const uint16_t liar = c->boards.relay[board];
    uint8_t entry[LIST_ENTRIES_MAX * LIST_ENTRY_LEN] = {0};
    uint8_t frame[WORLD_PACKET] = {WIRE_LIST};
    for (size_t i = 0; i < c->params.list_entries; i++)
        entry[i * LIST_ENTRY_LEN] = (uint8_t)i;
    const struct board_list l = {
        .interval = interval, .board = board, .entries = entry};
    list_write(frame + 1, &c->params, &l);
    list_sign(frame + 1, list_len(&c->params), c,
              x->w->net.identity_seed[liar]);
    for (uint32_t i = 0; i < 4; i++)
        engine_inject(x->w->engine, liar, world_first(x->w, 1) + i, frame,
                      sizeof frame);
}

/* A board lists nothing for ten minutes, and then all of these at once. Who has few
 * frames has the others' lists in time all the same, and leaves no gateway. */
static void
i11_lists_of_long_ago_are_in_nobodys_way(void **state)
{
    (void)state;
    enum { LIAR = 1, SECONDS = 180 };
    static const struct sim_front_ops ops = {.leaves = lists_stay};
    struct scene x;
    struct client_lists before[CLIENTS], now;
    struct world_config config = {.stores = 5};
    bool silent = true;
    scene_make(&x, &config, "light");
    const struct consensus *c = x.w->net.consensus;
    engine_front(x.w->engine, c->boards.relay[LIAR], &ops, &silent);
    world_run_s(x.w, 600);
    for (size_t i = 0; i < CLIENTS; i++)
        before[i] = lists_of(&x, i);
    const uint32_t last =
        list_interval(&c->params, env_now_wall_ms(x.w->relay[0].env));
    for (uint32_t i = 3; i < 290; i++) {
        list_send(&x, LIAR, last - i);
        if (i % 5 == 0)
            world_run_s(x.w, 1);
    }
    world_run_s(x.w, SECONDS);
    for (size_t i = 0; i < CLIENTS; i++) {
        now = lists_of(&x, i);
        print_message("  light: %u seen, %u sure, %u late, %u left\n",
                      (unsigned)(now.seen - before[i].seen),
                      (unsigned)(now.sure - before[i].sure),
                      (unsigned)(now.late - before[i].late),
                      (unsigned)now.left);
        /* those of three boards, and of the fourth no more than a few */
        assert_in_range(now.seen - before[i].seen, 3 * SECONDS / 2,
                        3 * (SECONDS + 58) / 2 + 16);
        assert_in_range(now.late - before[i].late, 0, 4);
        assert_int_equal(now.left, 0);
    }
    world_free(&x.w);
}

const struct CMUnitTest test_i10_boards[] = {
    cmocka_unit_test(i9_a_store_that_starts_again_is_believed_at_once),
    cmocka_unit_test(i10_one_dead_store_of_three_silences_no_board),
    cmocka_unit_test(i10_a_board_that_starts_with_another_clock_is_no_liar),
    cmocka_unit_test(i10_a_board_lists_on_after_a_step_of_its_clock),
    cmocka_unit_test(i9_the_last_lists_of_an_epoch_are_sure),
    cmocka_unit_test(i11_lists_of_long_ago_are_in_nobodys_way),
};
TEST_SUITE(test_i10_boards);
