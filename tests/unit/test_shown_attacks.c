/* tests/unit/test_shown_attacks.c - gateways, boards and stores that want to see
 * who acts on a list; each with the same attack on less than what is built. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lister.h"

enum { INTERVAL_MS = 2000 }; /* where a plan says nothing else */
static const struct lister_plan plan = {.stores = 8};
static const uint8_t mark[LIST_ENTRY_LEN] = {0x4d, 0x41, 0x52, 0x4b, 0x21};

/* A board's lists as everybody has them, and what a gateway makes of them. */
struct play {
    struct lister l;
    uint8_t board;
    struct listed newest; /* of all */
    unsigned given;       /* lists that the client acted on, */
    bool marked;          /* one of them with the mark */
};

static void
play_begin(struct play *p, const struct lister_plan *of)
{
    *p = (struct play){.board = 1};
    lister_make(&p->l, of);
    lister_list(&p->l, p->l.epoch[0], p->board, lister_interval(&p->l) - 1,
                NULL, NULL, &p->newest);
}

/* The client acts on what it may act on. */
static void
play_act(struct play *p)
{
    struct sure_list sure;
    while (shown_next(p->l.shown, &sure)) {
        p->given++;
        for (size_t i = 0; i < sure.n; i++)
            p->marked = p->marked || memcmp(sure.entries + i * LIST_ENTRY_LEN,
                                            mark, sizeof mark) == 0;
    }
}

/* The stores first to first + n - 1 name a list, and a second passes. */
static void
play_name(struct play *p, const struct listed *list, unsigned first, unsigned n)
{
    for (unsigned k = first; k < first + n; k++)
        lister_name(&p->l, lister_store(&p->l, p->l.epoch[0], p->board, k),
                    list);
    play_act(p);
}

/* The first n stores name a list and vouch for so many intervals before it. */
static void
play_name_back(struct play *p, const struct listed *list, unsigned n,
               uint16_t back)
{
    for (unsigned k = 0; k < n; k++)
        lister_name_back(&p->l, lister_store(&p->l, p->l.epoch[0], p->board, k),
                         list, back);
    play_act(p);
}

/* An interval is over: its list is made, and the one before is p->newest. */
static void
play_list(struct play *p, struct listed *out)
{
    lister_pass(&p->l, p->l.epoch[0]->params.list_interval_ms);
    lister_list(&p->l, p->l.epoch[0], p->board, lister_interval(&p->l) - 1,
                &p->newest, NULL, out);
}

/* An interval passes in which everybody is honest. */
static void
play_honest(struct play *p)
{
    struct listed list;
    play_list(p, &list);
    p->newest = list;
    (void)!lister_show(&p->l, &list);
    play_name(p, &list, 0, 4);
}

static bool
play_is_left(const struct play *p)
{
    return shown_is_withheld(p->l.shown, p->l.now.mono_us);
}

/* The board signs a second list of an interval, with a mark, and a gateway shows
 * that one to its client alone: for this interval, or from it on. The client is not
 * marked; it leaves, and at the next gateway finds the evidence and what all have. */
static void
i12_a_list_that_is_shown_to_one_client_marks_nobody(void **state)
{
    (void)state;
    for (unsigned goes_on = 0; goes_on < 2; goes_on++) {
        struct play p;
        struct listed his, list, first;
        uint32_t epoch;
        const uint8_t *pair[2];
        size_t len;
        play_begin(&p, &plan);
        const struct consensus *c = p.l.epoch[0];
        for (unsigned i = 0; i < 5; i++)
            play_honest(&p);
        const unsigned before = p.given;
        assert_int_equal(before, 5);
        play_list(&p, &list);
        first = list;
        lister_list(&p.l, c, p.board, list.interval, &p.newest, mark, &his);
        assert_int_equal(lister_show(&p.l, &his), 0);
        play_name(&p, &list, 0, 6);
        p.newest = list;
        for (unsigned i = 0; i < 32; i++) {
            assert_int_equal(play_is_left(&p), i * INTERVAL_MS > 61000);
            play_list(&p, &list);
            if (goes_on)
                lister_list(&p.l, c, p.board, list.interval, &his, mark, &his);
            assert_int_equal(lister_show(&p.l, goes_on ? &his : &list), 0);
            play_name(&p, &list, 0, 6);
            p.newest = list;
        }
        assert_false(p.marked);
        assert_int_equal(p.given, before + (goes_on ? 0 : 32));
        assert_int_equal(lister_counts(&p.l).late, goes_on ? 29 : 1);
        assert_true(play_is_left(&p));
        /* another gateway shows the other one */
        shown_leave(p.l.shown);
        shown_link_down(p.l.shown);
        shown_link_up(p.l.shown, p.l.now.mono_us);
        assert_int_equal(lister_show(&p.l, &first), ERR_CONFLICT);
        assert_int_equal(lister_counts(&p.l).evidence, 1);
        assert_true(shown_evidence(p.l.shown, 0, &epoch, pair, &len));
        assert_false(shown_evidence(p.l.shown, 1, &epoch, pair, &len));
        assert_int_equal(epoch, c->epoch);
        assert_int_equal(len, list_len(&c->params));
        assert_int_equal(list_judge_pair(c, pair[0], pair[1]), 0);
        play_act(&p);
        assert_int_equal(p.given, before + (goes_on ? 0 : 33));
        assert_int_equal(lister_show(&p.l, &list), goes_on ? ERR_CONFLICT : 0);
        play_act(&p);
        assert_int_equal(p.given, before + (goes_on ? 1 : 33));
        /* stores have the evidence too: the board has no voice, nor is anybody
         * blamed for its lists */
        for (unsigned i = 0; i < 100; i++) {
            play_list(&p, &list);
            assert_int_equal(lister_show(&p.l, &list), 0);
            play_act(&p);
        }
        assert_int_equal(p.given, before + (goes_on ? 1 : 33));
        assert_false(shown_has_voice(p.l.shown, c, p.board, p.l.now.unix_ms));
        assert_false(play_is_left(&p));
        assert_int_equal(lister_counts(&p.l).late, goes_on ? 29 : 1);
        assert_false(p.marked);
        lister_free(&p.l);
    }
}

/* Of a board that lies stores name nothing more; and so nothing is acted on. */
static void
i12_nothing_of_a_board_that_lies_is_acted_on(void **state)
{
    (void)state;
    struct play p;
    struct listed list, his;
    play_begin(&p, &plan);
    play_list(&p, &list);
    lister_list(&p.l, p.l.epoch[0], p.board, list.interval, &p.newest, mark,
                &his);
    assert_int_equal(lister_show(&p.l, &his), 0);
    assert_int_equal(lister_show(&p.l, &list), ERR_CONFLICT);
    p.newest = list;
    for (unsigned i = 0; i < 20; i++) {
        play_list(&p, &list);
        assert_int_equal(lister_show(&p.l, &list), 0);
        p.newest = list;
        play_act(&p);
    }
    assert_int_equal(p.given, 0);
    /* other boards are what they were, and the next epoch another matter */
    for (unsigned i = 0; i < 2; i++) {
        p.board = (uint8_t)(2 - i);
        if (i == 1)
            lister_pass(&p.l, 3600000);
        const struct consensus *c = p.l.epoch[i];
        p.l.view[1] = p.l.epoch[1];
        lister_list(&p.l, c, p.board, lister_interval(&p.l), NULL, NULL, &list);
        assert_int_equal(lister_show(&p.l, &list), 0);
        for (unsigned k = 0; k < 2; k++)
            lister_name(&p.l, lister_store(&p.l, c, p.board, k), &list);
        play_act(&p);
        assert_int_equal(p.given, i + 1);
    }
    lister_free(&p.l);
}

/* The board signs a second list of an interval, and a gateway shows both to its client
 * alone. Stores have no evidence and go on naming the board, all others act on its
 * lists, and so does this client: else whoever announces there would see by what is
 * not read whose gateway it is. */
static void
i12_evidence_that_one_client_has_marks_nobody(void **state)
{
    (void)state;
    for (unsigned order = 0; order < 4; order++) {
        struct play p;
        struct listed list, his;
        play_begin(&p, &plan);
        for (unsigned i = 0; i < 5; i++)
            play_honest(&p);
        play_list(&p, &list);
        lister_list(&p.l, p.l.epoch[0], p.board, list.interval, &p.newest, mark,
                    &his);
        p.newest = list;
        if (order & 1) /* stores have named it before */
            play_name(&p, &list, 0, 4);
        (void)!lister_show(&p.l, order & 2 ? &list : &his);
        (void)!lister_show(&p.l, order & 2 ? &his : &list);
        assert_int_equal(lister_counts(&p.l).evidence, 1);
        play_name(&p, &list, 0, 4);
        assert_int_equal(p.given, 6);
        for (unsigned i = 0; i < 50; i++)
            play_honest(&p);
        assert_int_equal(p.given, 56);
        assert_int_equal(lister_counts(&p.l).sure, 56);
        assert_true(
            shown_has_voice(p.l.shown, p.l.epoch[0], p.board, p.l.now.unix_ms));
        assert_false(p.marked);
        assert_false(play_is_left(&p));
        lister_free(&p.l);
    }
}

/* In one interval the board makes a list for one gateway alone, none for others,
 * and its next one, which all have, leads to it: no two lists of one interval, no
 * evidence. Stores vouch for no list that they have not; did they, the client would be
 * marked. */
static void
i12_a_list_that_others_never_saw_marks_nobody(void **state)
{
    (void)state;
    for (unsigned rule = 0; rule < 2; rule++) {
        struct play p;
        struct listed his, list;
        play_begin(&p, &plan);
        for (unsigned i = 0; i < 5; i++)
            play_honest(&p);
        play_list(&p, &list);
        lister_list(&p.l, p.l.epoch[0], p.board, list.interval, &p.newest, mark,
                    &his);
        assert_int_equal(lister_show(&p.l, &his), 0);
        play_name(&p, &p.newest, 0, 6);
        p.newest = his;
        for (unsigned i = 0; i < 20; i++) {
            play_list(&p, &list);
            assert_int_equal(lister_show(&p.l, &list), 0);
            play_name_back(&p, &list, 6, rule ? (uint16_t)i : WIRE_BACK_MOST);
            p.newest = list;
        }
        assert_int_equal(p.marked, !rule);
        assert_int_equal(p.given, rule ? 25 : 26);
        assert_int_equal(lister_counts(&p.l).evidence, 0);
        /* and no gateway is to blame */
        assert_false(play_is_left(&p));
        lister_free(&p.l);
    }
}

/* However long stores go on naming what leads to it, and whatever the clocks of the
 * client and the board say: the gateway shows it at any time of these, and all else
 * again, as to a newcomer. */
static void
i12_what_nobody_vouches_for_is_not_acted_on(void **state)
{
    (void)state;
    enum { N = 310 };
    static const int64_t behind_ms[] = {0, 8000, 18000};
    for (size_t t = 0; t < sizeof behind_ms / sizeof behind_ms[0]; t++) {
        struct play p;
        struct listed *list = calloc(N, sizeof *list), his;
        assert_non_null(list);
        play_begin(&p, &plan);
        play_honest(&p);
        play_list(&p, &list[0]);
        lister_list(&p.l, p.l.epoch[0], p.board, list[0].interval, &p.newest,
                    mark, &his);
        p.newest = his;
        for (unsigned i = 0; i < N; i++) {
            play_list(&p, &list[i]);
            assert_int_equal(lister_show(&p.l, &list[i]), 0);
            p.l.now.unix_ms -= (uint64_t)behind_ms[t];
            if (i % 100 == 50 || i > 280)
                (void)!lister_show(&p.l, &his);
            play_name_back(&p, &list[i], 4, (uint16_t)i);
            p.l.now.unix_ms += (uint64_t)behind_ms[t];
            p.newest = list[i];
        }
        assert_false(p.marked);
        assert_int_equal(p.given, N + 1);
        free(list);
        lister_free(&p.l);
    }
}

/* One store has only just started: the word of the other, which goes back further,
 * and that of a third make what came before sure all the same. */
static void
what_few_vouch_for_becomes_sure_by_more(void **state)
{
    (void)state;
    struct play p;
    struct listed list;
    play_begin(&p, &plan);
    for (unsigned i = 0; i < 20; i++) {
        play_list(&p, &list);
        assert_int_equal(lister_show(&p.l, &list), 0);
        p.newest = list;
    }
    const struct consensus *c = p.l.epoch[0];
    lister_name_back(&p.l, lister_store(&p.l, c, p.board, 0), &list, 0);
    lister_name_back(&p.l, lister_store(&p.l, c, p.board, 1), &list, 9);
    play_act(&p);
    assert_int_equal(p.given, 1);
    lister_name_back(&p.l, lister_store(&p.l, c, p.board, 2), &list, 5);
    play_act(&p);
    assert_int_equal(p.given, 6);
    lister_name_back(&p.l, lister_store(&p.l, c, p.board, 3), &list, 100);
    play_act(&p);
    assert_int_equal(p.given, 10);
    lister_free(&p.l);
}

/* The same with the help of stores: one, or two of a family, or the board's own
 * family, is not enough, as long as it likes. */
static void
i12_one_family_of_stores_marks_nobody(void **state)
{
    (void)state;
    static const uint8_t families[8] = {1, 1, 1, 2, 2, 3, 4, 5};
    const struct lister_plan of = {.stores = 8, .family = families};
    for (uint8_t family = 0; family < 6; family++) {
        struct play p;
        struct listed his, list;
        play_begin(&p, &of);
        const struct consensus *c = p.l.epoch[0];
        for (unsigned i = 0; i < 40; i++) {
            play_list(&p, &list);
            lister_list(&p.l, c, p.board, list.interval, &p.newest, mark, &his);
            assert_int_equal(lister_show(&p.l, &his), 0);
            for (size_t k = 0; k < c->n_relays; k++)
                if (c->relays[k].role == ROLE_STORE && family > 0 &&
                    c->relays[k].family[0] == family)
                    lister_name(&p.l, &c->relays[k], &his);
            p.newest = his; /* let it be as like as can be */
            play_act(&p);
        }
        assert_int_equal(p.given, 0);
        lister_free(&p.l);
    }
}

/* ---- gateways that withhold ---- */

/* How a gateway shows the lists of one board. */
struct vice {
    const char *name;
    unsigned from, every, n; /* n lists from every `every`th interval on */
    uint64_t late_ms;        /* are shown so much later; 0: never */
};

/* Play ten minutes with a gateway. Returns after how many seconds it is to be
 * left; 0: it is not. */
static unsigned
vice_play(const struct vice *v, struct shown_counts *counts)
{
    enum { N = 300 };
    struct play p;
    struct listed *list = calloc(N, sizeof *list);
    unsigned left_s = 0;
    assert_non_null(list);
    play_begin(&p, &plan);
    const uint64_t start_us = p.l.now.mono_us;
    for (unsigned i = 0; i < N && left_s == 0; i++) {
        play_list(&p, &list[i]);
        p.newest = list[i];
        for (unsigned k = 0; k <= i; k++) {
            const bool held = k >= v->from && (k - v->from) % v->every < v->n;
            const uint64_t age_ms = (uint64_t)(i - k) * INTERVAL_MS;
            if (held ? v->late_ms && age_ms == v->late_ms : k == i)
                assert_int_equal(lister_show(&p.l, &list[k]), 0);
        }
        play_name(&p, &list[i], 0, 4);
        if (play_is_left(&p))
            left_s = (unsigned)((p.l.now.mono_us - start_us) / 1000000);
    }
    *counts = lister_counts(&p.l);
    free(list);
    lister_free(&p.l);
    return left_s;
}

static void
i10_a_gateway_that_withholds_lists_is_left(void **state)
{
    (void)state;
    const struct {
        struct vice vice;
        unsigned least_s, most_s; /* to be left within; 0: never */
        unsigned late;            /* lists, when it ends */
    } of[] = {
        {{"honest", 1000, 1, 0, 0}, 0, 0, 0},
        {{"four seconds late with each", 0, 1, 1, 4000}, 0, 0, 0},
        {{"held up for 20 s, then shows all", 100, 1000, 10, 20000}, 0, 0, 10},
        {{"one list, for ever", 10, 1000, 1, 0}, 62, 86, 1},
        {{"all from one on", 10, 1000, 1000, 0}, 62, 86, 28},
        {{"every second one", 0, 2, 1, 0}, 61, 66, 14},
        /* "late is hit": one list in a minute, half a minute late */
        {{"one in a minute, for 30 s", 5, 30, 1, 30000}, 400, 480, 8},
    };
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
        struct shown_counts counts;
        const unsigned left_s = vice_play(&of[i].vice, &counts);
        print_message("  %s: left after %u s, %u lists late\n", of[i].vice.name,
                      left_s, (unsigned)counts.late);
        assert_in_range(left_s, of[i].least_s, of[i].most_s);
        assert_int_equal(counts.late, of[i].late);
    }
}

/* Nobody can keep a client on the move: it waits twice as long each time, and
 * begins anew after ten good minutes. */
static void
i10_who_withholds_moves_a_client_seldom(void **state)
{
    (void)state;
    static const unsigned wait_s[] = {60, 120, 240, 480, 480, 60};
    struct play p;
    struct listed list;
    play_begin(&p, &plan);
    for (size_t i = 0; i < sizeof wait_s / sizeof wait_s[0]; i++) {
        shown_link_down(p.l.shown);
        shown_link_up(p.l.shown, p.l.now.mono_us);
        if (i + 1 == sizeof wait_s / sizeof wait_s[0])
            for (unsigned k = 0; k < 301; k++)
                play_honest(&p);
        const uint64_t from_us = p.l.now.mono_us;
        while (!play_is_left(&p)) {
            play_list(&p, &list);
            p.newest = list;
            play_name(&p, &list, 0, 4);
            assert_true(p.l.now.mono_us - from_us < 1000000000);
        }
        assert_in_range((p.l.now.mono_us - from_us) / 1000000, wait_s[i],
                        wait_s[i] + 6);
        shown_leave(p.l.shown);
    }
    assert_int_equal(lister_counts(&p.l).left, 6);
    lister_free(&p.l);
}

/* What was named before the connection was there, or while there is none, is not
 * this gateway's; and what has not come in ten minutes counts as missed. */
static void
a_gateway_answers_for_its_own_time(void **state)
{
    (void)state;
    struct play p;
    struct listed list;
    play_begin(&p, &plan);
    shown_link_down(p.l.shown);
    for (unsigned i = 0; i < 50; i++) {
        play_list(&p, &list);
        p.newest = list;
        play_name(&p, &list, 0, 4);
        assert_false(play_is_left(&p));
    }
    lister_pass(&p.l, 2000);
    shown_link_up(p.l.shown, p.l.now.mono_us);
    for (unsigned i = 0; i < 300; i++) {
        play_honest(&p);
        assert_false(play_is_left(&p));
    }
    assert_int_equal(lister_counts(&p.l).late, 0);
    assert_int_equal(lister_counts(&p.l).missed, 50);
    lister_free(&p.l);
}

/* ---- stores that lie ---- */

/* `liars` stores, each a family, name a list of their own for each interval,
 * the same, before the honest ones name the board's. Returns how many lists were
 * acted on, of 40. */
static unsigned
liars_play(unsigned liars, unsigned honest, struct play *p)
{
    struct listed list, lie;
    play_begin(p, &plan);
    for (unsigned i = 0; i < 40; i++) {
        play_list(p, &list);
        lister_list(&p->l, p->l.epoch[0], p->board, list.interval, &p->newest,
                    NULL, &lie);
        play_name(p, &lie, honest, liars);
        assert_int_equal(lister_show(&p->l, &list), 0);
        p->newest = list;
        play_name(p, &list, 0, honest);
    }
    return p->given;
}

static void
i10_stores_that_lie_about_lists_change_nothing(void **state)
{
    (void)state;
    for (unsigned liars = 1; liars <= 3; liars++) {
        struct play p;
        assert_int_equal(liars_play(liars, liars + 1, &p), 40);
        assert_int_equal(lister_counts(&p.l).late, 0);
        assert_int_equal(lister_counts(&p.l).forked, liars > 1 ? 40 : 0);
        assert_false(play_is_left(&p));
        lister_free(&p.l);
    }
}

/* ---- three stores ---- */

static const struct lister_plan three = {.stores = 3};

/* What one store of three, which is not the board, does beside an honest one. */
enum vice_of_three { IS_SILENT, NAMES_OTHERS, NAMES_TO_COME, VICES_OF_THREE };

/* One store of three is silent, or names what is not there: lists of the two other
 * boards are sure by the word of the third and the board's own, and no gateway is
 * left for the lies. */
static void
i10_one_store_of_three_silences_no_board(void **state)
{
    (void)state;
    for (unsigned vice = 0; vice < VICES_OF_THREE; vice++) {
        struct play p;
        struct listed list, lie;
        play_begin(&p, &three);
        const struct consensus *c = p.l.epoch[0];
        const struct relay_entry *board = &c->relays[c->boards.relay[p.board]];
        for (unsigned i = 0; i < 100; i++) {
            play_list(&p, &list);
            lister_list(&p.l, c, p.board,
                        list.interval + (vice == NAMES_TO_COME), &p.newest,
                        NULL, &lie);
            if (vice != IS_SILENT)
                play_name(&p, &lie, 1, 1);
            assert_int_equal(lister_show(&p.l, &list), 0);
            p.newest = list;
            assert_int_equal(p.given, i);
            play_name(&p, &list, 0, 1);
            assert_int_equal(p.given, i + 1);
            lister_name(&p.l, board, &list);
        }
        assert_true(shown_has_voice(p.l.shown, c, p.board, p.l.now.unix_ms));
        assert_int_equal(lister_counts(&p.l).late, 0);
        assert_false(play_is_left(&p));
        for (unsigned i = 0; i < 40; i++) { /* now the gateway keeps them */
            play_list(&p, &list);
            p.newest = list;
            play_name(&p, &list, 0, 1);
            assert_false(play_is_left(&p) && i * INTERVAL_MS < 61000);
            lister_name(&p.l, board, &list);
        }
        assert_true(play_is_left(&p));
        lister_free(&p.l);
    }
}

/* The board signs a list for a gateway's client alone, and answers as if all had it;
 * or a store beside the board names it. Neither is enough without the other. Where the
 * board is the gateway's relation, both other stores have to name a list. */
static void
i12_one_store_of_three_marks_nobody(void **state)
{
    (void)state;
    static const uint8_t families[3] = {1, 2, 3};
    for (unsigned of = 0; of < 4; of++) {
        const struct lister_plan related = {
            .stores = 3, .family = families, .gateway_family = 1};
        struct play p;
        struct listed his, list;
        play_begin(&p, of == 3 ? &related : &three);
        const struct consensus *c = p.l.epoch[0];
        while (of == 3 &&
               c->relays[c->boards.relay[p.board]].family[0] != families[0])
            p.board = (uint8_t)((p.board + 1) % 3);
        const struct relay_entry *board = &c->relays[c->boards.relay[p.board]];
        for (unsigned i = 0; i < 40; i++) {
            play_list(&p, &list);
            lister_list(&p.l, c, p.board, list.interval, &p.newest, mark, &his);
            assert_int_equal(lister_show(&p.l, &his), 0);
            lister_name(&p.l, board, of == 1 ? &list : &his);
            if (of > 0) /* another one names what all have */
                play_name(&p, of == 3 ? &his : &list, 0, 1);
            p.newest = of == 1 ? list : his;
            play_act(&p);
        }
        assert_false(p.marked);
        assert_int_equal(p.given, 0);
        if (of == 3) {
            play_name(&p, &his, 1, 1);
            assert_true(p.marked); /* by all that there are */
        }
        lister_free(&p.l);
    }
}

/* Stores cannot name what is to come, nor, all the time, so much that others are not
 * heard. */
static void
i11_a_store_has_one_word(void **state)
{
    (void)state;
    struct play p;
    struct listed list, lie;
    play_begin(&p, &plan);
    const struct consensus *c = p.l.epoch[0];
    play_list(&p, &list);
    assert_int_equal(lister_show(&p.l, &list), 0);
    play_name(&p, &list, 0, 1);
    for (unsigned i = 0; i < 200; i++) {
        const uint32_t ahead = i % 4 < 2 ? 12 + i : 0;
        lister_list(&p.l, c, p.board, list.interval + ahead, NULL, NULL, &lie);
        play_name(&p, &lie, 2 + i % 2, 1);
    }
    play_name(&p, &list, 1, 1);
    assert_int_equal(p.given, 0); /* two for it, two against: not yet */
    play_name(&p, &list, 4, 1);
    assert_int_equal(p.given, 1);
    lister_list(&p.l, c, p.board, list.interval + 100, NULL, NULL, &lie);
    play_name(&p, &lie, 2, 2);
    lister_pass(&p.l, 30000);
    assert_false(shown_has_voice(p.l.shown, c, p.board, p.l.now.unix_ms));
    lister_free(&p.l);
}

const struct CMUnitTest test_shown_attacks[] = {
    cmocka_unit_test(i12_a_list_that_is_shown_to_one_client_marks_nobody),
    cmocka_unit_test(i12_nothing_of_a_board_that_lies_is_acted_on),
    cmocka_unit_test(i12_evidence_that_one_client_has_marks_nobody),
    cmocka_unit_test(i12_a_list_that_others_never_saw_marks_nobody),
    cmocka_unit_test(i12_what_nobody_vouches_for_is_not_acted_on),
    cmocka_unit_test(what_few_vouch_for_becomes_sure_by_more),
    cmocka_unit_test(i12_one_family_of_stores_marks_nobody),
    cmocka_unit_test(i10_a_gateway_that_withholds_lists_is_left),
    cmocka_unit_test(i10_who_withholds_moves_a_client_seldom),
    cmocka_unit_test(a_gateway_answers_for_its_own_time),
    cmocka_unit_test(i10_stores_that_lie_about_lists_change_nothing),
    cmocka_unit_test(i10_one_store_of_three_silences_no_board),
    cmocka_unit_test(i12_one_store_of_three_marks_nobody),
    cmocka_unit_test(i11_a_store_has_one_word),
};
TEST_SUITE(test_shown_attacks);
