/* tests/unit/test_lists.c - a board and the lists that relays keep, alone: what is
 * listed and when, what is refused, what clients are shown. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "lib/codec.h"
#include "lib/wire.h"
#include "network/work.h"
#include "relay/board.h"
#include "relay/lists.h"
#include "tests/heap.h"
#include "tests/network.h"

enum { STORES = 4, ENTRIES = 40, INTERVAL_MS = 2000, ROOM = 308, LINK = 5 };

/* A network, the board with an index of it, and one relay's lists. */
struct stage {
    struct sim_net net;
    struct consensus *c;
    struct test_env env;
    struct board *board;
    struct lists *lists;
    uint8_t index;
    size_t len;
};

/* Let an interval pass, by both clocks. */
static void
interval_pass(struct test_env *env)
{
    env->wall_s += INTERVAL_MS / 1000;
    env->mono_us += INTERVAL_MS * 1000;
}

static void
stage_make(struct stage *s)
{
    *s = (struct stage){0};
    test_network_make(&s->net, SPHINX_SUITE_NULL, 2, 3, 3, STORES);
    s->c = s->net.consensus;
    assert_int_equal(s->c->boards.n, STORES);
    assert_int_equal(s->c->params.list_entries, ENTRIES);
    assert_int_equal(s->c->params.list_interval_ms, INTERVAL_MS);
    s->len = list_len(&s->c->params);
    test_env_init(&s->env, test_seed());
    s->env.wall_s = s->c->valid_after_s + 1000;
    assert_int_equal(board_new(&s->board, &s->env.env), 0);
    assert_int_equal(lists_new(&s->lists), 0);
    assert_int_equal(lists_fit(s->lists, &s->c->params), 0);
    interval_pass(&s->env); /* the first that it may list */
}

static void
stage_free(struct stage *s)
{
    board_free(&s->board);
    lists_free(&s->lists);
    test_network_free(&s->net);
}

static uint64_t
now_ms(const struct stage *s)
{
    return s->env.wall_s * 1000 + s->env.wall_ms;
}

static uint32_t
interval_now(const struct stage *s)
{
    return list_interval(&s->c->params, now_ms(s));
}

static const uint8_t *
board_seed(const struct stage *s, uint8_t index)
{
    return s->net.identity_seed[s->c->boards.relay[index]];
}

static void
token_make(uint8_t token[LIST_TOKEN_LEN], uint32_t number)
{
    for (unsigned i = 0; i < LIST_TOKEN_LEN;
         i += 4) /* spread over all values */
        codec_put32(token + i, (number + i) * 2654435761u);
}

static int
take(struct stage *s, uint32_t number, uint8_t worth)
{
    uint8_t token[LIST_TOKEN_LEN];
    token_make(token, number);
    return board_take(s->board, s->c, interval_now(s), token, worth);
}

/* Let the interval pass, and list it. */
static void
list_next(struct stage *s, uint8_t list[LIST_LEN_MAX],
          struct board_closed *closed)
{
    const uint32_t interval = interval_now(s);
    interval_pass(&s->env);
    assert_true(board_may_list(s->board, &s->c->params, interval));
    board_close(s->board, s->c, s->index, interval, board_seed(s, s->index),
                list, closed);
    assert_false(board_may_list(s->board, &s->c->params, interval));
    assert_int_equal(list_verify(s->c, list, s->len), 0);
}

static bool
list_has(const struct stage *s, const uint8_t *list, uint32_t number)
{
    uint8_t token[LIST_TOKEN_LEN];
    struct board_list l;
    token_make(token, number);
    assert_int_equal(list_parse(&l, &s->c->params, list, s->len), 0);
    for (size_t i = 0; i < ENTRIES; i++)
        if (memcmp(l.entries + i * LIST_ENTRY_LEN, token, LIST_ENTRY_LEN) == 0)
            return true;
    return false;
}

/* ---- a board ---- */

static void
what_is_announced_is_listed_and_chained(void **state)
{
    (void)state;
    struct stage s;
    struct board_list l;
    struct board_closed closed;
    uint8_t list[LIST_LEN_MAX], before[LIST_ROOT_LEN] = {0};
    stage_make(&s);
    for (uint32_t round = 0; round < 5; round++) {
        for (uint32_t i = 0; i < 10; i++)
            assert_int_equal(take(&s, 100 * round + i, 0), 0);
        list_next(&s, list, &closed);
        assert_int_equal(closed.listed, 10);
        assert_int_equal(closed.lost, 0);
        for (uint32_t i = 0; i < 10; i++) {
            assert_true(list_has(&s, list, 100 * round + i));
            assert_false(list_has(&s, list, 100 * round + 100 + i));
        }
        assert_int_equal(list_parse(&l, &s.c->params, list, s.len), 0);
        assert_memory_equal(l.before, before, LIST_ROOT_LEN);
        list_root(list, s.len, before);
    }
    /* without any token it is as long, and what stands in it is drawn each time */
    list_next(&s, list, &closed);
    uint8_t other[LIST_LEN_MAX];
    list_next(&s, other, &closed);
    assert_int_equal(closed.listed, 0);
    assert_memory_not_equal(list + LIST_HEAD_LEN, other + LIST_HEAD_LEN,
                            ENTRIES * LIST_ENTRY_LEN);
    stage_free(&s);
}

/* What came after an interval was over is in the next list, also where that one is
 * only made then. */
static void
a_token_is_listed_in_the_interval_in_which_it_came(void **state)
{
    (void)state;
    struct stage s;
    struct board_closed closed;
    uint8_t list[LIST_LEN_MAX];
    stage_make(&s);
    const uint32_t first = interval_now(&s);
    assert_int_equal(take(&s, 1, 0), 0);
    s.env.wall_s += INTERVAL_MS / 1000;
    for (uint32_t i = 0; i < 2 * ENTRIES; i++)
        assert_int_equal(take(&s, 100 + i, 9), 0);
    board_close(s.board, s.c, 0, first, board_seed(&s, 0), list, &closed);
    assert_int_equal(closed.listed, 1);
    assert_true(list_has(&s, list, 1));
    for (uint32_t i = 0; i < 2 * ENTRIES; i++)
        assert_false(list_has(&s, list, 100 + i));
    list_next(&s, list, &closed);
    assert_int_equal(closed.listed, ENTRIES);
    stage_free(&s);
}

/* A chain begins in each epoch. */
static void
a_chain_begins_with_its_epoch(void **state)
{
    (void)state;
    static const uint8_t none[LIST_ROOT_LEN];
    struct stage s;
    struct board_list l;
    struct board_closed closed;
    uint8_t list[LIST_LEN_MAX];
    stage_make(&s);
    list_next(&s, list, &closed);
    list_next(&s, list, &closed);
    assert_int_equal(list_parse(&l, &s.c->params, list, s.len), 0);
    assert_memory_not_equal(l.before, none, LIST_ROOT_LEN);
    s.c->epoch++;
    s.c->valid_after_s += s.c->params.epoch_len_s;
    s.env.wall_s += s.c->params.epoch_len_s;
    list_next(&s, list, &closed);
    assert_int_equal(list_parse(&l, &s.c->params, list, s.len), 0);
    assert_memory_equal(l.before, none, LIST_ROOT_LEN);
    stage_free(&s);
}

/* Whatever its clock and its operator do, a board makes no evidence against
 * itself. */
static void
no_interval_is_listed_twice(void **state)
{
    (void)state;
    struct stage s;
    struct board_closed closed;
    uint8_t list[LIST_LEN_MAX];
    stage_make(&s);
    const struct params *p = &s.c->params;
    s.env.wall_ms = 700;
    board_free(&s.board);
    assert_int_equal(board_new(&s.board, &s.env.env), 0);
    const uint32_t first = interval_now(&s);
    assert_false(board_may_list(s.board, p, 0));
    assert_false(board_may_list(s.board, p, first - 1));
    assert_false(board_may_list(s.board, p, first)); /* had begun before */
    interval_pass(&s.env);
    list_next(&s, list, &closed);
    for (uint32_t i = first - 3; i <= first + 1; i++)
        assert_false(board_may_list(s.board, p, i));
    assert_true(board_may_list(s.board, p, first + 2));
    /* the clock steps back, and a restart does too */
    for (unsigned i = 0; i < 5; i++)
        list_next(&s, list, &closed);
    s.env.wall_s -= 8;
    for (uint32_t i = first + 1; i <= first + 6; i++)
        assert_false(board_may_list(s.board, p, i));
    board_free(&s.board);
    s.env.wall_s += 8;
    s.env.wall_ms = 0;
    assert_int_equal(board_new(&s.board, &s.env.env), 0);
    assert_false(board_may_list(s.board, p, interval_now(&s)));
    stage_free(&s);
}

/* A board's own list: it is kept and named. */
static void
own_take(struct stage *s, const uint8_t *list)
{
    struct lists_root root[BOARDS_MAX];
    struct board_list l;
    assert_int_equal(
        lists_take(s->lists, s->c, list, LISTS_OWN, now_ms(s), s->env.mono_us),
        0);
    assert_int_equal(list_parse(&l, &s->c->params, list, s->len), 0);
    lists_name(s->lists, false, root);
    assert_int_equal(root[s->index].interval, l.interval);
}

/* A clock is ahead for three lists, and set right: the board goes on where it was, with
 * what was announced meanwhile, leaves out what it has listed, and no reader is told
 * that a list leads to one that comes later. */
static void
i10_a_board_lists_on_after_a_wrong_clock(void **state)
{
    (void)state;
    enum { AHEAD_S = 600, N = 3 };
    static const uint8_t none[LIST_ROOT_LEN];
    struct stage s;
    struct board_closed closed;
    struct board_list l;
    uint8_t list[LIST_LEN_MAX];
    unsigned listed = 0;
    stage_make(&s);
    list_next(&s, list, &closed);
    s.env.wall_s += AHEAD_S;
    const uint32_t wrong = interval_now(&s);
    for (unsigned i = 0; i < N; i++) {
        list_next(&s, list, &closed);
        own_take(&s, list);
    }
    assert_int_equal(take(&s, 77, 0), 0); /* it waits */
    s.env.wall_s -= AHEAD_S;
    list_next(&s, list, &closed);
    own_take(&s, list);
    assert_true(list_has(&s, list, 77));
    assert_int_equal(list_parse(&l, &s.c->params, list, s.len), 0);
    assert_memory_equal(l.before, none, LIST_ROOT_LEN);
    list_next(&s, list, &closed);
    assert_int_equal(list_parse(&l, &s.c->params, list, s.len), 0);
    assert_memory_not_equal(l.before, none, LIST_ROOT_LEN);
    while (interval_now(&s) < wrong + 2 * N) {
        const uint32_t over = interval_now(&s);
        interval_pass(&s.env);
        const bool may = board_may_list(s.board, &s.c->params, over);
        assert_int_equal(may, over < wrong || over >= wrong + N);
        if (may)
            board_close(s.board, s.c, s.index, over, board_seed(&s, s.index),
                        list, &closed);
        listed += may;
    }
    assert_in_range(listed, AHEAD_S / 2 - 2, AHEAD_S / 2 + N);
    stage_free(&s);
}

/* A token's work fills one entry of one list, while it counts. */
static void
i11_a_token_is_listed_once(void **state)
{
    (void)state;
    struct stage s;
    struct board_closed closed;
    uint8_t list[LIST_LEN_MAX];
    stage_make(&s);
    assert_int_equal(take(&s, 1, 3), 0);
    assert_int_equal(take(&s, 1, 3), ERR_DUPLICATE);
    assert_int_equal(take(&s, 1, 9), ERR_DUPLICATE);
    list_next(&s, list, &closed);
    assert_true(list_has(&s, list, 1));
    for (uint32_t epoch = 0; epoch <= WORK_EPOCHS; epoch++) {
        assert_int_equal(take(&s, 1, 9), ERR_USED);
        list_next(&s, list, &closed);
        assert_false(list_has(&s, list, 1));
        /* thousands more do not push it out */
        for (uint32_t i = 0; i < 50 * ENTRIES; i++) {
            assert_int_equal(take(&s, 1000 * 1000 * (epoch + 1) + i, 0), 0);
            if (i % ENTRIES == ENTRIES - 1)
                list_next(&s, list, &closed);
        }
        s.c->epoch++;
        s.c->valid_after_s += s.c->params.epoch_len_s;
        s.env.wall_s += s.c->params.epoch_len_s;
    }
    /* now no work of those days counts any more, and it is forgotten */
    assert_int_equal(take(&s, 1, 3), 0);
    stage_free(&s);
}

/* Of too many the best are first; the others wait, and not for ever. */
static void
i11_the_best_work_is_listed_first(void **state)
{
    (void)state;
    struct stage s;
    struct board_closed closed;
    uint8_t list[LIST_LEN_MAX];
    unsigned listed = 0, lost = 0;
    stage_make(&s);
    for (uint32_t i = 0; i < 4 * ENTRIES; i++) /* the later the better */
        assert_int_equal(take(&s, i, (uint8_t)i), 0);
    for (uint32_t round = 0; round < 4; round++) {
        list_next(&s, list, &closed);
        assert_int_equal(closed.listed, ENTRIES);
        for (uint32_t i = 0; i < 4 * ENTRIES; i++)
            assert_int_equal(list_has(&s, list, i), i / ENTRIES == 3 - round);
    }
    /* as many again in each interval: each waits for four lists more at most */
    for (uint32_t round = 0; round < 20; round++) {
        for (uint32_t i = 0; i < 2 * ENTRIES; i++) {
            int err = take(&s, 1000 + 2 * ENTRIES * round + i,
                           i % 2 ? 0 : 9); /* half of them good */
            assert_true(err == 0 || err == ERR_FULL);
            lost += err != 0;
        }
        list_next(&s, list, &closed);
        listed += closed.listed;
        lost += closed.lost;
        for (uint32_t i = 0; i < 2 * ENTRIES; i += 2)
            assert_true(list_has(&s, list, 1000 + 2 * ENTRIES * round + i));
    }
    assert_int_equal(listed, 20 * ENTRIES);
    assert_true(board_waiting(s.board) <= (BOARD_WAIT + 1) * ENTRIES);
    assert_int_equal(lost + board_waiting(s.board), 20 * ENTRIES);
    for (uint32_t i = 0; i < BOARD_WAIT + 1; i++)
        list_next(&s, list, &closed);
    assert_int_equal(board_waiting(s.board), 0);
    stage_free(&s);
}

/* Bits beyond the price that a search finds which stops at the first good nonce. */
static uint8_t
worth_draw(struct stage *s)
{
    uint8_t worth = 0, byte;
    do {
        env_random_traffic(&s->env.env, &byte, 1);
        worth += byte & 1;
    } while (byte & 1);
    return worth;
}

/* 64 cores, all of the epoch before, at 1.5 million hashes a second and the price:
 * 1,500 tokens a second on four boards, 750 a list, who pays no more than it. Whoever
 * pays eight bits more is listed in one of five lists; who pays the price like the
 * flood gets a share as the flood's tokens do, also of those that came later. */
static void
i11_a_flood_at_the_price_keeps_nobody_out_who_pays_more(void **state)
{
    (void)state;
    enum { FLOOD = 750, ROUNDS = 40, EACH = 5, BITS = 8 };
    struct stage s;
    struct board_closed closed;
    static uint8_t list[ROUNDS][LIST_LEN_MAX];
    unsigned rich = 0, late = 0;
    uint32_t flood = 10 * 1000 * 1000;
    stage_make(&s);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < FLOOD; i++) {
            int err = take(&s, flood++, worth_draw(&s));
            assert_true(err == 0 || err == ERR_FULL);
        }
        for (uint32_t i = 0; i < EACH; i++) {
            int err =
                take(&s, EACH * round + i, (uint8_t)(BITS + worth_draw(&s)));
            assert_true(err == 0 || err == ERR_FULL);
        }
        list_next(&s, list[round], &closed);
        assert_int_equal(closed.listed, ENTRIES);
    }
    for (uint32_t round = 0; round + BOARD_WAIT < ROUNDS; round++)
        for (uint32_t i = 0; i < EACH; i++)
            for (uint32_t k = 0; k <= BOARD_WAIT; k++)
                if (list_has(&s, list[round + k], EACH * round + i)) {
                    rich++;
                    late += k > 0;
                    break;
                }
    assert_int_equal(rich, (ROUNDS - BOARD_WAIT) * EACH);
    assert_int_equal(late, 0); /* all in the first */
    stage_free(&s);
}

/* Among those of one worth it is drawn: who comes last has the same chance. */
static void
i11_whoever_came_first_is_no_better(void **state)
{
    (void)state;
    enum { ROUNDS = 200 };
    struct stage s;
    struct board_closed closed;
    uint8_t list[LIST_LEN_MAX];
    unsigned early = 0, late = 0;
    stage_make(&s);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < 2 * ENTRIES; i++)
            assert_int_equal(take(&s, 1000 * round + i, 0), 0);
        list_next(&s, list, &closed);
        for (uint32_t i = 0; i < ENTRIES; i++) {
            early += list_has(&s, list, 1000 * round + i);
            late += list_has(&s, list, 1000 * round + ENTRIES + i);
        }
        for (unsigned i = 0; i < BOARD_WAIT + 1; i++) /* all go */
            list_next(&s, list, &closed);
    }
    assert_int_equal(early + late, ROUNDS * ENTRIES);
    /* 4,000 of each expected; the deviation is below 45 (drawn without
     * replacement): 270 is six */
    assert_in_range(early, ROUNDS * ENTRIES / 2 - 270,
                    ROUNDS * ENTRIES / 2 + 270);
    stage_free(&s);
}

/* ---- lists that come ---- */

/* Make the list of a board for an interval; `kind` makes lists differ. */
static void
list_forge(const struct stage *s, uint8_t index, uint32_t interval,
           uint8_t kind, const uint8_t *seed, uint8_t list[LIST_LEN_MAX])
{
    uint8_t entry[ENTRIES * LIST_ENTRY_LEN] = {0};
    for (size_t i = 0; i < ENTRIES; i++) {
        entry[i * LIST_ENTRY_LEN] = (uint8_t)i;
        codec_put32(entry + i * LIST_ENTRY_LEN + 1, interval ^ kind);
    }
    const struct board_list l = {
        .interval = interval, .board = index, .entries = entry};
    list_write(list, &s->c->params, &l);
    list_sign(list, s->len, s->c, seed);
}

static int
come(struct stage *s, uint8_t index, uint32_t interval, uint8_t kind)
{
    uint8_t list[LIST_LEN_MAX];
    list_forge(s, index, interval, kind, board_seed(s, index), list);
    return lists_take(s->lists, s->c, list, LINK, now_ms(s), s->env.mono_us);
}

static void
a_good_list_is_taken_once(void **state)
{
    (void)state;
    struct stage s;
    struct lists_root root[BOARDS_MAX];
    uint8_t list[LIST_LEN_MAX], want[LIST_ROOT_LEN];
    stage_make(&s);
    const uint32_t now = interval_now(&s);
    lists_name(s.lists, false, root);
    for (size_t i = 0; i < BOARDS_MAX; i++)
        assert_int_equal(root[i].interval, 0);
    assert_int_equal(come(&s, 1, now - 1, 0), 0);
    assert_int_equal(come(&s, 1, now - 1, 0), ERR_EXISTS);
    assert_int_equal(come(&s, 2, now - 1, 0), 0);
    assert_int_equal(come(&s, 1, now, 0), 0);
    assert_int_equal(come(&s, 1, now - 2, 0),
                     0); /* late, and the newest stays */
    lists_name(s.lists, false, root);
    assert_int_equal(root[0].interval, 0);
    assert_int_equal(root[1].interval, now);
    assert_int_equal(root[2].interval, now - 1);
    list_forge(&s, 1, now, 0, board_seed(&s, 1), list);
    list_root(list, s.len, want);
    assert_memory_equal(root[1].root, want, LIST_ROOT_LEN);
    stage_free(&s);
}

/* The list of an interval that leads to the one with this root. Returns what
 * taking it does, and its root in place of that. */
static int
come_after(struct stage *s, uint32_t interval, uint8_t root[LIST_ROOT_LEN],
           bool is_shown)
{
    uint8_t list[LIST_LEN_MAX], entry[ENTRIES * LIST_ENTRY_LEN] = {0};
    for (size_t i = 0; i < ENTRIES; i++)
        entry[i * LIST_ENTRY_LEN] = (uint8_t)i;
    const struct board_list l = {
        .interval = interval, .board = 1, .before = root, .entries = entry};
    list_write(list, &s->c->params, &l);
    list_sign(list, s->len, s->c, board_seed(s, 1));
    list_root(list, s->len, root);
    return is_shown ? lists_take(s->lists, s->c, list, LISTS_OWN, now_ms(s),
                                 s->env.mono_us)
                    : 0;
}

static struct lists_root
named(const struct stage *s)
{
    struct lists_root root[BOARDS_MAX];
    lists_name(s->lists, false, root);
    return root[1];
}

/* A board makes a list that this relay does not get, and goes on from it: what it
 * names it vouches for from the next one on, as a relay does that has only just
 * started; and for all, when the list comes late after all. */
static void
i12_nobody_vouches_for_an_unseen_list(void **state)
{
    (void)state;
    for (unsigned late = 0; late < 2; late++) {
        struct stage s;
        uint8_t root[LIST_ROOT_LEN] = {0}, unseen[LIST_ROOT_LEN];
        stage_make(&s);
        for (unsigned i = 0; i < 10; i++, s.env.wall_s += 2) {
            assert_int_equal(come_after(&s, interval_now(&s), root, true), 0);
            assert_int_equal(named(&s).interval, interval_now(&s));
            assert_int_equal(named(&s).back, WIRE_BACK_MOST);
        }
        const uint32_t at = interval_now(&s);
        memcpy(unseen, root, sizeof unseen);
        assert_int_equal(come_after(&s, at, root, false), 0);
        for (unsigned i = 0; i < 400; i++) {
            s.env.wall_s += 2;
            assert_int_equal(come_after(&s, interval_now(&s), root, true), 0);
            assert_int_equal(named(&s).interval, interval_now(&s));
            assert_int_equal(named(&s).back, i);
            assert_memory_equal(named(&s).root, root, sizeof root);
            if (late && i == 3)
                break;
        }
        if (late) {
            assert_int_equal(come_after(&s, at, unseen, true), 0);
            assert_int_equal(named(&s).interval, interval_now(&s));
            assert_int_equal(named(&s).back, WIRE_BACK_MOST);
        }
        stage_free(&s);
    }
    struct stage s; /* one that starts in the middle */
    uint8_t root[LIST_ROOT_LEN] = {1};
    stage_make(&s);
    for (unsigned i = 0; i < 5; i++, s.env.wall_s += 2) {
        assert_int_equal(come_after(&s, interval_now(&s), root, true), 0);
        assert_int_equal(named(&s).back, i);
    }
    stage_free(&s);
}

/* What comes so late, or so early, that a relay beside this one may not take it is
 * passed on and shown, but it is not named, nor is what it leads to by a list that is:
 * a mix that lies can bring a list at that moment to whom it likes. */
static void
i10_what_comes_at_the_edge_of_its_time_is_not_named(void **state)
{
    (void)state;
    const uint32_t behind = 2 + LISTS_BEHIND_MS / INTERVAL_MS;
    const uint32_t ahead = LISTS_AHEAD_MS / INTERVAL_MS;
    for (unsigned at_edge = 0; at_edge < 2; at_edge++) {
        struct stage s;
        uint8_t root[LIST_ROOT_LEN] = {0}, list[LIST_LEN_MAX];
        stage_make(&s);
        const uint32_t now = interval_now(&s);
        const uint64_t wall_s = s.env.wall_s;
        for (uint32_t i = behind + 1; i > 0;
             i--) { /* the first one late, or not */
            const bool late = at_edge && i == behind + 1;
            s.env.wall_s = wall_s - (late ? 0 : 2ULL * (i - 1));
            assert_int_equal(come_after(&s, now - i, root, true), 0);
            assert_int_equal(named(&s).interval, late ? 0 : now - i);
            if (!late)
                assert_int_equal(named(&s).back,
                                 at_edge ? behind - i : WIRE_BACK_MOST);
        }
        list_forge(&s, 1, now + ahead + 1, 0, board_seed(&s, 1), list);
        assert_int_equal(
            lists_take(s.lists, s.c, list, LINK, now_ms(&s), s.env.mono_us), 0);
        assert_int_equal(named(&s).interval, now - 1);
        stage_free(&s);
    }
}

/* Of a board index the last list of an epoch is named beside those of the next one
 * for LISTS_TURN_MS, also when the next board dates its first one ahead. */
static void
i9_the_last_list_of_an_epoch_is_named_for_a_while(void **state)
{
    (void)state;
    struct stage s;
    struct lists_root root[2][BOARDS_MAX];
    stage_make(&s);
    const struct params *p = &s.c->params;
    const uint32_t turn =
        list_interval(p, (s.c->valid_after_s + p->epoch_len_s) * 1000);
    s.env.wall_s = s.c->valid_after_s + p->epoch_len_s;
    assert_int_equal(come(&s, 1, turn - 1, 0), 0);
    s.c->epoch++;
    s.c->valid_after_s += p->epoch_len_s;
    for (uint32_t i = 0; i < 15; i++, s.env.wall_s += 2) {
        s.env.mono_us += INTERVAL_MS * 1000;
        if (i > 0)
            assert_int_equal(come(&s, 1, turn + i, 0), 0);
        for (unsigned older = 0; older < 2; older++)
            lists_name(s.lists, older, root[older]);
        assert_int_equal(root[0][1].interval, i ? turn + i : turn - 1);
        assert_int_equal(root[1][1].interval,
                         i && i >= LISTS_TURN_MS / INTERVAL_MS ? turn + i
                                                               : turn - 1);
    }
    stage_free(&s);
}

static void
lists_of_other_times_and_other_hands_are_refused(void **state)
{
    (void)state;
    struct stage s;
    uint8_t list[LIST_LEN_MAX];
    stage_make(&s);
    const uint32_t now = interval_now(&s);
    const uint32_t behind =
        2 + (LISTS_BEHIND_MS + LISTS_PASSING_MS) / INTERVAL_MS;
    const uint32_t ahead = (LISTS_AHEAD_MS + LISTS_PASSING_MS) / INTERVAL_MS;
    assert_int_equal(come(&s, 0, now - behind - 1, 0), ERR_STALE);
    assert_int_equal(come(&s, 0, now - behind, 0), 0);
    assert_int_equal(come(&s, 0, now + ahead, 0), 0);
    assert_int_equal(come(&s, 0, now + ahead + 1, 0), ERR_FUTURE);
    assert_int_equal(come(&s, 0, now - 600, 0), ERR_EPOCH);
    assert_int_equal(come(&s, 0, 0, 0), ERR_RANGE);
    /* signed by another board, and changed on the way */
    list_forge(&s, 0, now - 1, 0, board_seed(&s, 1), list);
    assert_int_equal(
        lists_take(s.lists, s.c, list, LINK, now_ms(&s), s.env.mono_us),
        ERR_SIGNATURE);
    list_forge(&s, 0, now - 1, 0, board_seed(&s, 0), list);
    list[LIST_HEAD_LEN - 1] ^= 1;
    assert_int_equal(
        lists_take(s.lists, s.c, list, LINK, now_ms(&s), s.env.mono_us),
        ERR_SIGNATURE);
    s.c->boards.n = 2;
    assert_int_equal(come(&s, 3, now - 1, 0), ERR_NOT_FOUND);
    stage_free(&s);
}

/* How many signatures of a board a link may cause to be verified, and that it has no
 * part in those of other links, nor of other boards. */
static void
i11_a_flood_of_forged_lists_is_cut(void **state)
{
    (void)state;
    enum { SECONDS = 10, FLOOD = 1000 };
    struct stage s;
    uint8_t list[LIST_LEN_MAX];
    unsigned checks = 0, rate = 0;
    stage_make(&s);
    list_forge(&s, 0, interval_now(&s) - 1, 0, board_seed(&s, 1), list);
    for (unsigned i = 0; i < SECONDS * FLOOD; i++) {
        codec_put32(list + LIST_HEAD_LEN + 1, i);
        int err =
            lists_take(s.lists, s.c, list, LINK, now_ms(&s), s.env.mono_us);
        checks += err == ERR_SIGNATURE;
        rate += err == ERR_RATE;
        s.env.mono_us += 1000000 / FLOOD;
    }
    const unsigned each = LISTS_CHECKS * 1000 / INTERVAL_MS;
    const unsigned burst = lists_burst(&s.c->params);
    assert_int_equal(checks + rate, SECONDS * FLOOD);
    assert_in_range(checks, burst + (SECONDS - 1) * each,
                    burst + SECONDS * each + 1);
    while (lists_take(s.lists, s.c, list, LINK, now_ms(&s), s.env.mono_us) !=
           ERR_RATE)
        checks++;
    assert_true(checks <= burst + SECONDS * each + 2);
    assert_int_equal(come(&s, 1, interval_now(&s) - 1, 0), 0);
    /* another link brings the good one, and after that nothing is checked */
    list_forge(&s, 0, interval_now(&s) - 1, 0, board_seed(&s, 0), list);
    assert_int_equal(
        lists_take(s.lists, s.c, list, LINK, now_ms(&s), s.env.mono_us),
        ERR_RATE);
    assert_int_equal(
        lists_take(s.lists, s.c, list, LINK + 1, now_ms(&s), s.env.mono_us), 0);
    assert_int_equal(
        lists_take(s.lists, s.c, list, LINK, now_ms(&s), s.env.mono_us),
        ERR_EXISTS);
    stage_free(&s);
}

static void
i10_two_lists_of_one_interval_are_evidence(void **state)
{
    (void)state;
    struct stage s;
    static struct lists_evidence evidence;
    struct lists_root root[BOARDS_MAX];
    stage_make(&s);
    const uint32_t now = interval_now(&s);
    assert_int_equal(come(&s, 1, now - 2, 0), 0);
    assert_int_equal(come(&s, 1, now - 1, 0), 0);
    assert_int_equal(come(&s, 2, now - 1, 0), 0);
    assert_false(lists_evidence(s.lists, 0, &evidence));
    assert_int_equal(come(&s, 1, now - 2, 1), ERR_CONFLICT);
    assert_true(lists_evidence(s.lists, 0, &evidence));
    assert_int_equal(evidence.epoch, s.c->epoch);
    assert_int_equal(evidence.len, s.len);
    assert_int_equal(list_judge_pair(s.c, evidence.list[0], evidence.list[1]),
                     0);
    /* no more of these are looked at, and no root of it is named */
    assert_int_equal(come(&s, 1, now - 2, 2), ERR_EXISTS);
    assert_int_equal(come(&s, 1, now - 1, 2), ERR_EXISTS);
    assert_false(lists_evidence(s.lists, 1, &evidence));
    lists_name(s.lists, false, root);
    assert_int_equal(root[1].interval, 0);
    assert_int_equal(root[2].interval, now - 1);
    assert_int_equal(come(&s, 1, now, 0), 0); /* passed on, not named */
    lists_name(s.lists, false, root);
    assert_int_equal(root[1].interval, 0);
    /* in the next epoch there may be another board with this index */
    s.c->epoch++;
    s.c->valid_after_s += s.c->params.epoch_len_s;
    s.env.wall_s += s.c->params.epoch_len_s;
    assert_int_equal(come(&s, 1, interval_now(&s), 0), 0);
    lists_name(s.lists, false, root);
    assert_int_equal(root[1].interval, interval_now(&s));
    stage_free(&s);
}

/* ---- slices ---- */

/* What a client has pieced together, in the order in which it was whole. */
struct reader {
    struct lists_place at;
    uint8_t list[LIST_LEN_MAX];
    size_t n, parts;
    struct {
        uint32_t interval;
        uint8_t board;
    } got[4000];
    unsigned none;
};

/* The next frame of a client. */
static void
reader_frame(struct stage *s, struct reader *r)
{
    uint8_t rest[ROOM];
    struct wire_slice slice;
    env_random_crypto(&s->env.env, rest, sizeof rest);
    r->at = lists_slice(s->lists, r->at, rest, sizeof rest);
    assert_int_equal(wire_slice_parse(&slice, rest, sizeof rest), 0);
    r->none += slice.kind == WIRE_SLICE_NONE;
    if (slice.kind == WIRE_SLICE_NONE)
        return;
    const size_t each = wire_slice_data_len(ROOM), at = slice.part * each;
    assert_int_equal(slice.part, r->parts);
    memcpy(r->list + at, slice.data, s->len - at < each ? s->len - at : each);
    if (++r->parts < wire_slice_parts(s->len, ROOM))
        return;
    r->parts = 0;
    assert_int_equal(list_verify(s->c, r->list, s->len), 0);
    assert_int_equal(codec_get32(r->list), slice.interval);
    assert_int_equal(r->list[4], slice.board);
    r->got[r->n].interval = slice.interval;
    r->got[r->n++].board = slice.board;
}

static void
a_newcomer_gets_ten_minutes_back(void **state)
{
    (void)state;
    struct stage s;
    static struct reader old, new;
    stage_make(&s);
    old = (struct reader){.at = lists_enter(s.lists, now_ms(&s))};
    reader_frame(&s, &old);
    assert_int_equal(old.none, 1);
    const uint32_t first = interval_now(&s);
    for (uint32_t i = 0; i < 400; i++) { /* 13 minutes */
        s.env.wall_s += INTERVAL_MS / 1000;
        s.env.mono_us += INTERVAL_MS * 1000;
        for (uint8_t k = 0; k < 2; k++) {
            assert_int_equal(come(&s, k, first + i, 0), 0);
            reader_frame(&s, &old);
        }
    }
    /* it has all, in the order of coming, and none twice */
    assert_int_equal(old.n, 800);
    for (uint32_t i = 0; i < 800; i++)
        assert_true(old.got[i].interval == first + i / 2 &&
                    old.got[i].board == i % 2);
    reader_frame(&s, &old);
    assert_int_equal(old.none, 2);
    /* a newcomer: ten minutes back, and what comes meanwhile is first */
    new = (struct reader){.at = lists_enter(s.lists, now_ms(&s))};
    for (unsigned i = 0; i < 10; i++)
        reader_frame(&s, &new);
    assert_int_equal(come(&s, 3, interval_now(&s), 0), 0);
    while (new.none == 0)
        reader_frame(&s, &new);
    const uint32_t last = interval_now(&s) - 1;
    const size_t kept = LISTS_KEPT_MS / INTERVAL_MS;
    assert_int_equal(new.n, 2 * kept + 1);
    for (uint32_t i = 0, at = 0; i < new.n; i++) {
        if (i == 10) {
            assert_int_equal(new.got[i].board, 3);
            continue;
        }
        assert_true(new.got[i].interval == last - at / 2 &&
                    new.got[i].board == 1 - at % 2);
        at++;
    }
    stage_free(&s);
}

/* A list may be longer than a slice: of 100 entries it has two parts. */
static void
a_long_list_comes_in_parts(void **state)
{
    (void)state;
    enum { LONG = 100 };
    struct stage s;
    static struct reader r;
    uint8_t entry[LONG * LIST_ENTRY_LEN] = {0}, list[LIST_LEN_MAX];
    stage_make(&s);
    s.c->params.list_entries = LONG;
    s.len = list_len(&s.c->params);
    assert_int_equal(wire_slice_parts(s.len, ROOM), 2);
    assert_int_equal(lists_fit(s.lists, &s.c->params), 0);
    for (size_t i = 0; i < LONG; i++)
        entry[i * LIST_ENTRY_LEN] = (uint8_t)i;
    for (unsigned at = 0; at < 2; at++) {
        const struct board_list l = {.interval = interval_now(&s) - at,
                                     .entries = entry};
        list_write(list, &s.c->params, &l);
        list_sign(list, s.len, s.c, board_seed(&s, 0));
        if (at == 1) /* the one before is known already, the other comes */
            r = (struct reader){.at = lists_enter(s.lists, now_ms(&s))};
        assert_int_equal(
            lists_take(s.lists, s.c, list, LINK, now_ms(&s), s.env.mono_us), 0);
    }
    for (unsigned i = 0; i < 4; i++)
        reader_frame(&s, &r);
    assert_int_equal(r.n, 2);
    assert_int_equal(r.got[0].interval, interval_now(&s) - 1);
    assert_int_equal(r.got[1].interval, interval_now(&s));
    assert_int_equal(r.none, 0);
    reader_frame(&s, &r);
    assert_int_equal(r.none, 1);
    stage_free(&s);
}

/* A frame that could not be sent carries its slice again; lists that are gone
 * meanwhile are passed over. */
static void
a_slow_line_loses_no_part(void **state)
{
    (void)state;
    struct stage s;
    static struct reader r;
    uint8_t rest[ROOM];
    stage_make(&s);
    r = (struct reader){.at = lists_enter(s.lists, now_ms(&s))};
    assert_int_equal(come(&s, 0, interval_now(&s), 0), 0);
    for (unsigned i = 0; i < 5; i++)
        (void)lists_slice(s.lists, r.at, rest, sizeof rest);
    reader_frame(&s, &r);
    assert_int_equal(r.n, 1);
    for (unsigned i = 0; i < 1700; i++) { /* for an hour nothing */
        s.env.wall_s += INTERVAL_MS / 1000;
        s.env.mono_us += INTERVAL_MS * 1000;
        if (list_is_of(s.c, interval_now(&s)))
            assert_int_equal(come(&s, 0, interval_now(&s), 0), 0);
    }
    while (r.none == 0)
        reader_frame(&s, &r);
    assert_in_range(r.n, LISTS_KEPT_MS / INTERVAL_MS, 1300);
    stage_free(&s);
}

/* ---- memory ---- */

/* A board that cannot remember what it lists lists nothing, at its time; the
 * tokens are in the next list. */
static void
a_board_without_memory_lists_at_its_time(void **state)
{
    (void)state;
    for (struct heap h = {0}; heap_next(&h);) {
        struct stage s;
        struct board_closed closed;
        uint8_t list[LIST_LEN_MAX];
        stage_make(&s);
        for (uint32_t i = 0; i < 10; i++)
            assert_int_equal(take(&s, i, 0), 0);
        const uint32_t interval = interval_now(&s);
        s.env.wall_s += INTERVAL_MS / 1000;
        heap_arm(&h);
        board_close(s.board, s.c, 0, interval, board_seed(&s, 0), list,
                    &closed);
        heap_disarm(&h);
        assert_int_equal(closed.short_of_memory, h.failed);
        assert_int_equal(closed.listed, h.failed ? 0 : 10);
        assert_int_equal(closed.lost, 0);
        assert_int_equal(list_verify(s.c, list, s.len), 0);
        assert_int_equal(board_waiting(s.board), h.failed ? 10 : 0);
        list_next(&s, list, &closed);
        assert_int_equal(closed.listed, h.failed ? 10 : 0);
        stage_free(&s);
    }
}

static void
evidence_without_memory_is_taken_later(void **state)
{
    (void)state;
    for (struct heap h = {0}; heap_next(&h);) {
        struct stage s;
        static struct lists_evidence evidence;
        stage_make(&s);
        const uint32_t now = interval_now(&s);
        assert_int_equal(come(&s, 1, now - 1, 0), 0);
        heap_arm(&h);
        int err = come(&s, 1, now - 1, 1);
        heap_disarm(&h);
        assert_int_equal(err, h.failed ? ERR_NOMEM : ERR_CONFLICT);
        if (err == ERR_NOMEM)
            assert_int_equal(come(&s, 1, now - 1, 1), ERR_CONFLICT);
        assert_true(lists_evidence(s.lists, 0, &evidence));
        stage_free(&s);
    }
}

static void
room_is_made_or_all_is_as_it_was(void **state)
{
    (void)state;
    for (struct heap h = {0}; heap_next(&h);) {
        struct stage s;
        stage_make(&s);
        struct params *p = &s.c->params;
        assert_int_equal(come(&s, 0, interval_now(&s), 0), 0);
        p->list_entries = ENTRIES - 1; /* fits into what there is */
        assert_int_equal(lists_fit(s.lists, p), 0);
        p->list_entries = 2 * ENTRIES;
        heap_arm(&h);
        int err = lists_fit(s.lists, p);
        heap_disarm(&h);
        assert_int_equal(err, h.failed ? ERR_NOMEM : 0);
        p->list_entries = ENTRIES;
        assert_int_equal(come(&s, 0, interval_now(&s), 0),
                         h.failed ? ERR_EXISTS : 0);
        stage_free(&s);
    }
}

const struct CMUnitTest test_lists[] = {
    cmocka_unit_test(what_is_announced_is_listed_and_chained),
    cmocka_unit_test(a_token_is_listed_in_the_interval_in_which_it_came),
    cmocka_unit_test(a_chain_begins_with_its_epoch),
    cmocka_unit_test(no_interval_is_listed_twice),
    cmocka_unit_test(i10_a_board_lists_on_after_a_wrong_clock),
    cmocka_unit_test(i11_a_token_is_listed_once),
    cmocka_unit_test(i11_the_best_work_is_listed_first),
    cmocka_unit_test(i11_a_flood_at_the_price_keeps_nobody_out_who_pays_more),
    cmocka_unit_test(i11_whoever_came_first_is_no_better),
    cmocka_unit_test(a_good_list_is_taken_once),
    cmocka_unit_test(i12_nobody_vouches_for_an_unseen_list),
    cmocka_unit_test(i10_what_comes_at_the_edge_of_its_time_is_not_named),
    cmocka_unit_test(i9_the_last_list_of_an_epoch_is_named_for_a_while),
    cmocka_unit_test(lists_of_other_times_and_other_hands_are_refused),
    cmocka_unit_test(i11_a_flood_of_forged_lists_is_cut),
    cmocka_unit_test(i10_two_lists_of_one_interval_are_evidence),
    cmocka_unit_test(a_newcomer_gets_ten_minutes_back),
    cmocka_unit_test(a_long_list_comes_in_parts),
    cmocka_unit_test(a_slow_line_loses_no_part),
    cmocka_unit_test(a_board_without_memory_lists_at_its_time),
    cmocka_unit_test(evidence_without_memory_is_taken_later),
    cmocka_unit_test(room_is_made_or_all_is_as_it_was),
};
TEST_SUITE(test_lists);
