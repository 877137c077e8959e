/* tests/unit/test_shown.c - which lists a client acts on: what is sure, what is
 * not yet; slices in any order, epochs, restarts, damaged and endless input. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/heard/gather.h"
#include "tests/heap.h"
#include "tests/lister.h"
#include "tests/mutate.h"

/* Eight stores; the first two are a family, and so are the third and fourth. */
static const uint8_t families[8] = {1, 1, 2, 2};
static const struct lister_plan plan = {.stores = 8, .family = families};

/* Any store but `store` of its family; NULL: there is none. */
static const struct relay_entry *
sibling_find(const struct consensus *c, const struct relay_entry *store)
{
    for (size_t i = 0; i < c->n_relays; i++)
        if (&c->relays[i] != store && store->family[0] &&
            c->relays[i].family[0] == store->family[0])
            return &c->relays[i];
    return NULL;
}

/* A store that has a sibling and may name lists of this board. */
static const struct relay_entry *
sister_find(const struct lister *l, uint8_t board)
{
    const struct consensus *c = l->epoch[0];
    for (unsigned k = 0; k < 4; k++)
        if (sibling_find(c, lister_store(l, c, board, k)))
            return lister_store(l, c, board, k);
    return NULL;
}

static void
i10_a_list_is_sure_when_two_unrelated_stores_name_it(void **state)
{
    (void)state;
    struct lister l;
    struct listed list;
    uint32_t first, last;
    lister_make(&l, &plan);
    const struct consensus *c = l.epoch[0];
    assert_int_equal(c->boards.n, BOARDS_MAX);
    for (uint8_t b = 0; b < BOARDS_MAX; b++) {
        const struct relay_entry *board = &c->relays[c->boards.relay[b]];
        const struct relay_entry *a = sister_find(&l, b);
        assert_non_null(a);
        lister_list(&l, c, b, lister_interval(&l), NULL, NULL, &list);
        assert_int_equal(lister_show(&l, &list), 0);
        lister_name(&l, a, &list);
        lister_name(&l, a, &list);
        lister_name(&l, sibling_find(c, a), &list);
        lister_name(&l, board, &list);
        if (sibling_find(c, board))
            lister_name(&l, sibling_find(c, board), &list);
        assert_int_equal(lister_given(&l, &first, &last), 0);
        for (unsigned k = 0; k < 2; k++)
            lister_name(&l, lister_store(&l, c, b, k), &list);
        assert_int_equal(lister_given(&l, &first, &last), 1);
        assert_int_equal(first, list.interval);
        lister_name(&l, lister_store(&l, c, b, 2), &list);
        assert_int_equal(lister_given(&l, &first, &last), 0); /* once */
    }
    assert_int_equal(lister_counts(&l).seen, BOARDS_MAX);
    assert_int_equal(lister_counts(&l).sure, BOARDS_MAX);
    lister_free(&l);
}

/* The gateway may be slower than two stores. */
static void
words_before_the_list_count(void **state)
{
    (void)state;
    struct lister l;
    struct listed list;
    struct sure_list sure;
    const uint8_t entry[LIST_ENTRY_LEN] = {1, 2, 3, 4, 5};
    lister_make(&l, &plan);
    const struct consensus *c = l.epoch[0];
    lister_list(&l, c, 2, lister_interval(&l), NULL, entry, &list);
    for (unsigned k = 0; k < 2; k++)
        lister_name(&l, lister_store(&l, c, 2, k), &list);
    assert_false(shown_next(l.shown, &sure));
    assert_int_equal(lister_show(&l, &list), 0);
    assert_true(shown_next(l.shown, &sure));
    assert_int_equal(sure.epoch, c->epoch);
    assert_int_equal(sure.board, 2);
    assert_int_equal(sure.interval, list.interval);
    assert_int_equal(sure.n, c->params.list_entries);
    unsigned found = 0;
    for (size_t i = 0; i < sure.n; i++)
        found +=
            memcmp(sure.entries + i * LIST_ENTRY_LEN, entry, sizeof entry) == 0;
    assert_int_equal(found, 1);
    lister_free(&l);
}

/* Ten lists, shown from the newest back, as to who has just come; of which the
 * stores name the newest. */
static void
a_later_root_makes_those_sure_that_it_leads_to(void **state)
{
    (void)state;
    enum { N = 10, GAP = 4 };
    for (unsigned gap = 0; gap < 2; gap++) {
        struct lister l;
        struct listed list[N];
        uint32_t first, last;
        lister_make(&l, &plan);
        const struct consensus *c = l.epoch[0];
        const uint32_t from = lister_interval(&l) - N;
        for (unsigned i = 0; i < N; i++)
            lister_list(&l, c, 1, from + i, i ? &list[i - 1] : NULL, NULL,
                        &list[i]);
        for (unsigned i = N; i-- > 0;)
            if (i != GAP || !gap)
                assert_int_equal(lister_show(&l, &list[i]), 0);
        /* one store names an older one: what is later has one word */
        lister_name(&l, lister_store(&l, c, 1, 0), &list[N - 1]);
        lister_name(&l, lister_store(&l, c, 1, 1), &list[N - 2]);
        assert_int_equal(lister_given(&l, &first, &last),
                         gap ? N - GAP - 2 : N - 1);
        assert_int_equal(first, from + (gap ? GAP + 1 : 0));
        assert_int_equal(last, from + N - 2);
        if (gap) { /* the missing one comes */
            assert_int_equal(lister_show(&l, &list[GAP]), 0);
            assert_int_equal(lister_given(&l, &first, &last), GAP + 1);
            assert_int_equal(first, from);
            assert_int_equal(last, from + GAP);
        }
        lister_name(&l, lister_store(&l, c, 1, 1), &list[N - 1]);
        assert_int_equal(lister_given(&l, &first, &last), 1);
        lister_free(&l);
    }
}

/* A board may leave intervals out; where it begins anew, nothing leads back. */
static void
a_board_that_begins_anew_cuts_its_chain(void **state)
{
    (void)state;
    struct lister l;
    struct listed a, b, d;
    uint32_t first, last;
    lister_make(&l, &plan);
    const struct consensus *c = l.epoch[0];
    const uint32_t now = lister_interval(&l);
    lister_list(&l, c, 0, now - 9, NULL, NULL, &a);
    lister_list(&l, c, 0, now - 5, NULL, NULL, &b); /* started again */
    lister_list(&l, c, 0, now - 1, &b, NULL, &d);
    assert_int_equal(lister_show(&l, &a), 0);
    assert_int_equal(lister_show(&l, &b), 0);
    assert_int_equal(lister_show(&l, &d), 0);
    for (unsigned k = 0; k < 2; k++)
        lister_name(&l, lister_store(&l, c, 0, k), &d);
    assert_int_equal(lister_given(&l, &first, &last), 2);
    assert_int_equal(first, now - 5);
    assert_int_equal(last, now - 1);
    lister_free(&l);
}

/* In a network of few families as many words are needed as there can be. */
static void
few_families_are_asked_for_what_they_have(void **state)
{
    (void)state;
    static const uint8_t two[3] = {1, 1, 2}, one[2] = {1, 1};
    const struct {
        struct lister_plan plan;
        unsigned need;
        bool own;
    } of[] = {
        {{.stores = 3, .family = two}, 1, false},
        {{.stores = 4}, 2, false},
        {{.stores = 3}, 1, false}, /* and the board itself, by its signature */
        /* the third is of the gateway's family: it is asked for nothing */
        {{.stores = 3, .family = (const uint8_t[]){1, 2, 3}, 3}, 1, false},
        {{.stores = 2, .family = one}, 1, true},
        {{.stores = 1}, 1, true},
    };
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
        struct lister l;
        struct listed list;
        uint32_t first, last;
        lister_make(&l, &of[i].plan);
        const struct consensus *c = l.epoch[0];
        uint8_t b = 0; /* a board that is not the gateway's relation */
        while (of[i].plan.gateway_family &&
               c->relays[c->boards.relay[b]].family[0] ==
                   of[i].plan.gateway_family)
            b++;
        assert_true(b < c->boards.n);
        lister_list(&l, c, b, lister_interval(&l), NULL, NULL, &list);
        assert_int_equal(lister_show(&l, &list), 0);
        const struct relay_entry *board = &c->relays[c->boards.relay[b]];
        lister_name(&l, board, &list);
        assert_int_equal(lister_given(&l, &first, &last), of[i].own);
        for (unsigned k = 0; !of[i].own && k < of[i].need; k++) {
            assert_int_equal(lister_given(&l, &first, &last), 0);
            lister_name(&l, lister_store(&l, c, b, k), &list);
        }
        assert_int_equal(lister_given(&l, &first, &last), !of[i].own);
        lister_free(&l);
    }
}

/* ---- slices ---- */

/* Lists of seven parts each, all parts in random order, some twice. */
static void
slices_come_in_any_order(void **state)
{
    (void)state;
    enum { N = GATHER_LISTS, TURNS = 50 };
    struct lister_plan big = plan;
    struct listed *list = calloc(N, sizeof *list);
    assert_non_null(list);
    big.entries = LIST_ENTRIES_MAX;
    for (unsigned turn = 0; turn < TURNS; turn++) {
        struct lister l;
        struct {
            uint8_t list, part;
        } order[N * 8];
        unsigned n = 0;
        lister_make(&l, &big);
        rng_seeded_init_u64(&l.rng, test_seed() + turn, "order");
        const uint32_t now = lister_interval(&l);
        for (uint8_t i = 0; i < N; i++) {
            lister_list(&l, l.epoch[0], i % BOARDS_MAX, now - i, NULL, NULL,
                        &list[i]);
            assert_int_equal(lister_parts(&l, &list[i]), 7);
            for (uint8_t p = 0; p < 7; p++) {
                order[n].list = i;
                order[n++].part = p;
            }
        }
        for (unsigned i = n; i-- > 1;) {
            const size_t k = mutate_below(&l.rng, i + 1);
            const uint8_t other[2] = {order[i].list, order[i].part};
            order[i] = order[k];
            order[k].list = other[0];
            order[k].part = other[1];
        }
        for (unsigned i = 0; i < n; i++) {
            assert_int_equal(
                lister_part(&l, &list[order[i].list], order[i].part), 0);
            if (mutate_below(&l.rng, 4) == 0) /* again, before the end */
                assert_int_equal(
                    lister_part(&l, &list[order[i].list], order[i].part), 0);
        }
        assert_int_equal(lister_counts(&l).seen, N);
        lister_free(&l);
    }
    free(list);
}

/* A list of which a slice is lost is not there, and stands in nobody's way; shown
 * again it is. What is begun and never ended gives way to what is newer. */
static void
a_lost_slice_loses_its_list_alone(void **state)
{
    (void)state;
    enum { N = 3 * GATHER_LISTS };
    struct lister_plan big = plan;
    struct listed *list = calloc(N, sizeof *list);
    struct lister l;
    assert_non_null(list);
    big.entries = LIST_ENTRIES_MAX;
    lister_make(&l, &big);
    const uint32_t now = lister_interval(&l);
    for (uint8_t i = 0; i < N; i++) {
        lister_list(&l, l.epoch[0], 0, now - N + i, i ? &list[i - 1] : NULL,
                    NULL, &list[i]);
        for (uint8_t p = 0; p < 7; p++)
            if (i % 2 || p != i % 7)
                assert_int_equal(lister_part(&l, &list[i], p), 0);
    }
    assert_int_equal(lister_counts(&l).seen, N / 2);
    for (uint8_t i = 0; i < N; i += 2)
        assert_int_equal(lister_show(&l, &list[i]), 0);
    assert_int_equal(lister_counts(&l).seen, N);
    assert_int_equal(lister_counts(&l).refused, 0);
    free(list);
    lister_free(&l);
}

/* ---- damage ---- */

/* Each byte of a list is changed, in turn: none of these is seen, whatever stores
 * say. */
static void
i7_a_list_with_any_byte_changed_is_refused(void **state)
{
    (void)state;
    struct lister l;
    struct listed list, bad;
    uint32_t first, last;
    lister_make(&l, &plan);
    const struct consensus *c = l.epoch[0];
    lister_list(&l, c, 3, lister_interval(&l), NULL, NULL, &list);
    for (size_t i = 0; i < list.len; i++)
        for (unsigned bit = 0; bit < 8; bit += 3) {
            bad = list;
            bad.bytes[i] ^= (uint8_t)(1u << bit);
            list_root(bad.bytes, bad.len, bad.root);
            lister_pass(&l, 20);
            assert_true(lister_show(&l, &bad) < 0);
            for (unsigned k = 0; k < 3; k++)
                lister_name(&l, lister_store(&l, c, 3, k), &bad);
        }
    assert_int_equal(lister_counts(&l).seen, 0);
    assert_int_equal(lister_counts(&l).evidence, 0);
    assert_int_equal(lister_given(&l, &first, &last), 0);
    /* the same in its slice's head: it is another list's, or out of place */
    for (unsigned i = 0; i < 2; i++) {
        bad = list;
        bad.interval += i == 0;
        bad.board = (uint8_t)(bad.board - (i == 1));
        assert_int_equal(lister_show(&l, &bad), ERR_FORMAT);
    }
    assert_int_equal(lister_show(&l, &list), 0);
    assert_int_equal(lister_counts(&l).seen, 1);
    lister_free(&l);
}

/* A list that is good under another epoch's consensus, one of another board, one
 * dated wrong. */
static void
i7_lists_of_other_times_and_boards_are_refused(void **state)
{
    (void)state;
    struct lister l;
    struct listed list;
    lister_make(&l, &plan);
    const struct consensus *c = l.epoch[0];
    const uint32_t now = lister_interval(&l);
    lister_list(&l, l.epoch[1], 0, now, NULL, NULL, &list);
    assert_int_equal(lister_show(&l, &list), ERR_SIGNATURE);
    lister_list(&l, c, 0, now, NULL, NULL, &list);
    list.bytes[4] = list.board = 1;
    assert_int_equal(lister_show(&l, &list), ERR_SIGNATURE);
    lister_list(&l, c, 0, now + 12, NULL, NULL, &list);
    assert_int_equal(lister_show(&l, &list), ERR_FUTURE);
    lister_list(&l, c, 0, now + 8, NULL, NULL, &list);
    assert_int_equal(lister_show(&l, &list), 0);
    lister_pass(&l, 620000);
    lister_list(&l, c, 0, now, NULL, NULL, &list);
    assert_int_equal(lister_show(&l, &list), ERR_STALE);
    assert_int_equal(lister_counts(&l).seen, 1);
    assert_int_equal(lister_counts(&l).refused, 4);
    lister_free(&l);
}

/* ---- floods ---- */

static double
cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* A second of slices: random ones as fast as they can come. Memory grows by what may
 * wait alone; signatures are checked SHOWN_CHECKS times a second at most, and what
 * could not be is looked at when its turn comes. */
static void
i11_a_flood_of_slices_costs_little(void **state)
{
    (void)state;
    enum { N = 200000, SECONDS = 10 };
    struct lister l;
    struct listed list;
    unsigned long checked = 0, waits = 0;
    lister_make(&l, &plan);
    const struct consensus *c = l.epoch[0];
    const uint32_t now = lister_interval(&l);
    lister_list(&l, c, 0, now, NULL, NULL, &list);
    const long before = heap_count();
    const double start_s = cpu_s();
    for (unsigned i = 0; i < N; i++) {
        uint8_t junk[301];
        rng_seeded_bytes(&l.rng, junk, sizeof junk);
        struct wire_slice slice = {.kind = WIRE_SLICE_PART,
                                   .interval = now - junk[0],
                                   .board = junk[1] % 8,
                                   .part = junk[2] % 3,
                                   .data = junk,
                                   .len = sizeof junk};
        assert_true(shown_slice(l.shown, &l.now, &slice) < 0);
        /* good but for the signature; each is another list */
        memcpy(list.bytes + 5, junk + 3, LIST_ROOT_LEN);
        int err = lister_show(&l, &list);
        checked += err == ERR_SIGNATURE;
        waits += err == 0;
        if (i % (N / SECONDS) == 0)
            lister_pass(&l, 1000);
    }
    const double took_s = cpu_s() - start_s;
    print_message("  %u slices, %.2f us each; %lu signatures at once in %u s, "
                  "%lu waited; %ld allocations\n",
                  2 * N, took_s / (2 * N) * 1e6, checked, SECONDS, waits,
                  heap_count() - before);
    assert_in_range(heap_count() - before, 0,
                    SHOWN_WAITING + SHOWN_CHECKS * (SECONDS + 1));
    assert_int_equal(checked + waits, N);
    assert_in_range(checked, SHOWN_CHECKS, SHOWN_CHECKS * (SECONDS + 1));
    assert_int_equal(lister_counts(&l).seen, 0);
    assert_in_range(lister_counts(&l).refused, 2 * N - SHOWN_WAITING, 2 * N);
    /* and then a good one is seen, behind those that wait */
    lister_list(&l, c, 0, now, NULL, NULL, &list);
    assert_int_equal(lister_show(&l, &list), 0);
    assert_int_equal(lister_counts(&l).seen, 0);
    for (unsigned i = 0; i < 2 + SHOWN_WAITING / SHOWN_CHECKS; i++)
        lister_pass(&l, 1000);
    assert_int_equal(lister_counts(&l).seen, 1);
    assert_int_equal(lister_counts(&l).refused, 2 * N);
    lister_free(&l);
}

/* Random slices of a later epoch wait in bounded memory. */
static void
i11_what_waits_for_a_consensus_is_bounded(void **state)
{
    (void)state;
    enum { N = 5 * SHOWN_WAITING };
    struct lister l;
    struct listed list;
    lister_make(&l, &plan);
    lister_pass(&l, 3600000 - 60000); /* its end */
    const uint32_t now = lister_interval(&l);
    for (unsigned i = 0; i < N; i++) {
        lister_list(&l, l.epoch[1], 0, now, NULL, NULL, &list);
        list.bytes[list.len - 1] ^= 1;
        assert_int_equal(lister_show(&l, &list), 0);
    }
    assert_int_equal(lister_counts(&l).refused, N - SHOWN_WAITING);
    l.view[1] = l.epoch[1];
    lister_pass(&l, 10000);
    assert_int_equal(lister_counts(&l).refused, N);
    assert_int_equal(lister_counts(&l).seen, 0);
    lister_free(&l);
}

/* ---- epochs ---- */

/* The gateway shows lists of an epoch whose consensus is not here yet. */
static void
lists_wait_for_their_consensus(void **state)
{
    (void)state;
    enum { N = 100 };
    struct lister l;
    struct listed *list = calloc(N, sizeof *list);
    uint32_t first, last;
    assert_non_null(list);
    lister_make(&l, &plan);
    const struct consensus *c = l.epoch[1];
    const uint32_t from =
        list_interval(&c->params, c->valid_after_s * 1000) - 1;
    assert_true(list_is_of(l.epoch[0], from));
    assert_false(list_is_of(l.epoch[0], from + 1));
    lister_pass(&l, 3600000 - 60000 - 2000);
    for (unsigned i = 0; i < N; i++, lister_pass(&l, 2000)) {
        /* the last list of the epoch before is the first one here */
        lister_list(&l, l.epoch[i > 0], 2, from + i,
                    i > 1 ? &list[i - 1] : NULL, NULL, &list[i]);
        assert_int_equal(lister_show(&l, &list[i]), 0);
        assert_int_equal(lister_show(&l, &list[i]), 0); /* twice */
        for (unsigned k = 0; k < 2; k++)
            lister_name(&l, lister_store(&l, l.epoch[i > 0], 2, k), &list[i]);
    }
    assert_int_equal(lister_given(&l, &first, &last), 1);
    assert_int_equal(first, from);
    l.view[1] = c;
    lister_pass(&l, 3000);
    for (unsigned k = 0; k < 2; k++)
        lister_name(&l, lister_store(&l, c, 2, k), &list[N - 1]);
    assert_int_equal(lister_given(&l, &first, &last), N - 1);
    assert_int_equal(first, from + 1);
    assert_int_equal(last, from + N - 1);
    assert_int_equal(lister_counts(&l).refused, 0);
    assert_true(shown_has_voice(l.shown, c, 2, l.now.unix_ms));
    assert_false(shown_has_voice(l.shown, l.epoch[0], 2, l.now.unix_ms));
    free(list);
    lister_free(&l);
}

/* One that starts again is shown the last ten minutes, and acts on them as on
 * those before; what is shown twice is no second list. */
static void
i9_a_restart_finds_the_last_ten_minutes(void **state)
{
    (void)state;
    enum { N = SHOWN_INTERVALS };
    struct lister l;
    struct listed *list = calloc(N, sizeof *list);
    uint32_t first, last;
    assert_non_null(list);
    lister_make(&l, &plan);
    const struct consensus *c = l.epoch[0];
    lister_pass(&l, 2 * N * 1000);
    const uint32_t from = lister_interval(&l) - N + 1;
    for (unsigned i = 0; i < N; i++)
        lister_list(&l, c, 0, from + i, i ? &list[i - 1] : NULL, NULL,
                    &list[i]);
    for (unsigned life = 0; life < 3; life++) {
        if (life < 2) {
            shown_free(&l.shown);
            assert_int_equal(shown_new(&l.shown), 0);
        }
        shown_link_up(l.shown, l.now.mono_us);
        for (unsigned i = N; i-- > 0;) {
            l.now.mono_us += 125000; /* a frame */
            assert_int_equal(lister_show(&l, &list[i]), 0);
        }
        for (unsigned k = 0; k < 2; k++)
            lister_name(&l, lister_store(&l, c, 0, k), &list[N - 1]);
        assert_int_equal(lister_given(&l, &first, &last), life < 2 ? N : 0);
        assert_int_equal(lister_counts(&l).again, life < 2 ? 0 : N);
        assert_int_equal(lister_counts(&l).evidence, 0);
    }
    free(list);
    lister_free(&l);
}

/* ---- boards ---- */

static void
a_silent_board_has_no_voice(void **state)
{
    (void)state;
    struct lister l;
    struct listed list[2] = {{0}};
    lister_make(&l, &plan);
    const struct consensus *c = l.epoch[0];
    assert_false(shown_has_voice(l.shown, c, 0, l.now.unix_ms));
    for (unsigned i = 0; i < 5; i++, lister_pass(&l, 2000)) {
        lister_list(&l, c, 0, lister_interval(&l), i ? &list[1] : NULL, NULL,
                    &list[0]);
        list[1] = list[0];
        lister_name(&l, lister_store(&l, c, 0, 0), &list[0]);
        if (i == 0) /* one word is none */
            assert_false(shown_has_voice(l.shown, c, 0, l.now.unix_ms));
        lister_name(&l, lister_store(&l, c, 0, 1), &list[0]);
        assert_true(shown_has_voice(l.shown, c, 0, l.now.unix_ms));
    }
    /* stores go on naming its last one, and one invents others */
    for (unsigned i = 0; i < 9; i++, lister_pass(&l, 2000)) {
        assert_true(shown_has_voice(l.shown, c, 0, l.now.unix_ms));
        lister_name(&l, lister_store(&l, c, 0, 1), &list[0]);
        lister_list(&l, c, 0, lister_interval(&l), NULL, NULL, &list[1]);
        lister_name(&l, lister_store(&l, c, 0, 0), &list[1]);
    }
    lister_pass(&l, 2000);
    assert_false(shown_has_voice(l.shown, c, 0, l.now.unix_ms));
    assert_false(shown_has_voice(l.shown, c, 1, l.now.unix_ms));
    lister_free(&l);
}

/* ---- memory ---- */

static void
i7_memory_fails_at_each_allocation(void **state)
{
    (void)state;
    for (struct heap h = {.how = HEAP_OWN}; heap_next(&h);) {
        struct shown *shown = NULL;
        struct lister l;
        struct listed list[3], late;
        uint32_t first, last;
        lister_make(&l, &plan);
        const struct consensus *c = l.epoch[0];
        heap_arm(&h);
        int err = shown_new(&shown);
        heap_disarm(&h);
        assert_int_equal(err, h.failed ? ERR_NOMEM : 0);
        shown_free(&shown);
        lister_pass(&l, 3600000 - 64000);
        const uint32_t now = lister_interval(&l);
        lister_list(&l, c, 0, now, NULL, NULL, &list[0]);
        lister_list(&l, c, 0, now, NULL, NULL, &list[1]);
        lister_list(&l, c, 1, now, NULL, NULL, &list[2]);
        lister_list(&l, l.epoch[1], 1, now + 2, NULL, NULL, &late);
        heap_arm(&h);
        (void)!lister_show(&l, &list[0]);
        (void)!lister_show(&l, &late);
        (void)!lister_show(&l, &list[1]); /* evidence, if [0] is here */
        (void)!lister_show(&l, &list[2]);
        heap_disarm(&h);
        l.view[1] = l.epoch[1];
        heap_arm(&h);
        lister_pass(&l, 4000);
        heap_disarm(&h);
        /* with memory, all that is shown again is as it would have been */
        (void)!lister_show(&l, &list[0]);
        (void)!lister_show(&l, &list[1]);
        (void)!lister_show(&l, &list[2]);
        (void)!lister_show(&l, &late);
        for (unsigned k = 0; k < 2; k++) {
            lister_name(&l, lister_store(&l, c, 0, k), &list[0]);
            lister_name(&l, lister_store(&l, c, 1, k), &list[2]);
        }
        for (unsigned k = 0; k < 2; k++)
            lister_name(&l, lister_store(&l, l.epoch[1], 1, k), &late);
        assert_int_equal(lister_given(&l, &first, &last), 3);
        assert_int_equal(lister_counts(&l).evidence, 1);
        lister_free(&l);
    }
}

const struct CMUnitTest test_shown[] = {
    cmocka_unit_test(i10_a_list_is_sure_when_two_unrelated_stores_name_it),
    cmocka_unit_test(words_before_the_list_count),
    cmocka_unit_test(a_later_root_makes_those_sure_that_it_leads_to),
    cmocka_unit_test(a_board_that_begins_anew_cuts_its_chain),
    cmocka_unit_test(few_families_are_asked_for_what_they_have),
    cmocka_unit_test(slices_come_in_any_order),
    cmocka_unit_test(a_lost_slice_loses_its_list_alone),
    cmocka_unit_test(i7_a_list_with_any_byte_changed_is_refused),
    cmocka_unit_test(i7_lists_of_other_times_and_boards_are_refused),
    cmocka_unit_test(i11_a_flood_of_slices_costs_little),
    cmocka_unit_test(i11_what_waits_for_a_consensus_is_bounded),
    cmocka_unit_test(lists_wait_for_their_consensus),
    cmocka_unit_test(i9_a_restart_finds_the_last_ten_minutes),
    cmocka_unit_test(a_silent_board_has_no_voice),
    cmocka_unit_test(i7_memory_fails_at_each_allocation),
};
TEST_SUITE(test_shown);
