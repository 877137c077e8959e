/* tests/unit/test_tokens.c - which entries of lists are awaited. */
#include "tests/runner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/heard/tokens.h"
#include "client/letters/letter.h"
#include "lib/codec.h"
#include "lib/rng_seeded.h"
#include "tests/heap.h"

static void
chain_make(uint32_t contact, uint8_t out[TOKENS_CHAIN_LEN])
{
    memset(out, 0, TOKENS_CHAIN_LEN);
    codec_put32(out, contact * 2654435761u);
}

/* Is this token of a contact awaited, once and as what it is? */
static bool
is_awaited(const struct tokens *t, uint32_t contact, uint32_t period,
           uint32_t k)
{
    uint8_t chain[TOKENS_CHAIN_LEN], token[LIST_TOKEN_LEN];
    unsigned n = 0;
    chain_make(contact, chain);
    letter_token(chain, period, k, token);
    for (const struct token *at = NULL; (at = tokens_find(t, token, at));)
        n += at->contact == contact && at->period == period && at->k == k;
    assert_true(n <= 1);
    return n == 1;
}

static void
set(struct tokens *t, uint32_t contact, uint32_t period, uint32_t k)
{
    uint8_t chain[TOKENS_CHAIN_LEN];
    const struct awaited a = {.period = period, .next = k};
    chain_make(contact, chain);
    assert_int_equal(tokens_set(t, contact, chain, &a), 0);
}

/* Tokens are passed over, and come later, or never. */
static void
what_is_passed_over_is_awaited_behind(void **state)
{
    (void)state;
    struct rng_seeded rng;
    rng_seeded_init_u64(&rng, test_seed(), "behind");
    for (unsigned turn = 0; turn < 200; turn++) {
        struct awaited a = {.period = 1};
        bool used[200] = {false};
        for (unsigned i = 0; i < 60 && a.next < 150; i++) {
            uint8_t d;
            rng_seeded_bytes(&rng, &d, 1);
            const uint32_t k = a.next + d % 20 < 8 ? 0 : a.next + d % 20 - 8;
            used[k] = true;
            awaited_note(&a, k);
            for (uint32_t m = 0; m < a.next; m++) {
                const uint32_t back = a.next - 1 - m;
                const bool is = back < TOKENS_BEHIND && (a.behind >> back & 1);
                assert_int_equal(is, back < TOKENS_BEHIND && !used[m]);
            }
        }
        assert_true(a.next >= 8);
    }
    struct awaited end = {.next = 5};
    awaited_note(&end, UINT32_MAX);
    assert_int_equal(end.next, UINT32_MAX);
    awaited_note(&end, UINT32_MAX);
    assert_int_equal(end.next, UINT32_MAX);
}

static void
the_next_of_each_are_awaited(void **state)
{
    (void)state;
    enum { CONTACTS = 50 };
    struct tokens *t;
    uint32_t k;
    assert_int_equal(tokens_new(&t), 0);
    for (uint32_t c = 1; c <= CONTACTS; c++) {
        set(t, c, 100, c);
        set(t, c, 101, 0);
    }
    assert_int_equal(tokens_count(t), CONTACTS * 2 * TOKENS_WINDOW);
    for (uint32_t c = 1; c <= CONTACTS; c++)
        for (k = 0; k < 80; k++) {
            assert_int_equal(is_awaited(t, c, 100, k),
                             k >= c && k < c + TOKENS_WINDOW);
            assert_int_equal(is_awaited(t, c, 101, k), k < TOKENS_WINDOW);
            assert_false(is_awaited(t, c, 102, k));
        }
    /* one moves on, back, and to the end */
    set(t, 7, 101, 5);
    assert_true(is_awaited(t, 7, 101, 4 + TOKENS_WINDOW) &&
                !is_awaited(t, 7, 101, 4));
    set(t, 7, 101, 2);
    assert_true(is_awaited(t, 7, 101, 2) &&
                !is_awaited(t, 7, 101, 2 + TOKENS_WINDOW));
    assert_int_equal(tokens_count(t), CONTACTS * 2 * TOKENS_WINDOW);
    const struct awaited behind = {.period = 101, .next = 9, .behind = 0x85};
    uint8_t chain[TOKENS_CHAIN_LEN];
    chain_make(7, chain);
    assert_int_equal(tokens_set(t, 7, chain, &behind), 0);
    for (k = 0; k < 80; k++)
        assert_int_equal(is_awaited(t, 7, 101, k),
                         k == 8 || k == 6 || k == 1 ||
                             (k >= 9 && k < 9 + TOKENS_WINDOW));
    assert_int_equal(tokens_count(t), CONTACTS * 2 * TOKENS_WINDOW + 3);
    set(t, 7, 101, UINT32_MAX - 1);
    assert_true(is_awaited(t, 7, 101, UINT32_MAX));
    assert_false(is_awaited(t, 7, 101, 0));
    assert_int_equal(tokens_count(t),
                     CONTACTS * 2 * TOKENS_WINDOW - TOKENS_WINDOW + 2);
    set(t, 7, 101, 0);
    tokens_remove(t, 9);
    assert_int_equal(tokens_count(t), (CONTACTS - 1) * 2 * TOKENS_WINDOW);
    assert_false(is_awaited(t, 9, 101, 0) || is_awaited(t, 9, 100, 9));
    for (uint32_t c = 1; c <= CONTACTS; c++)
        tokens_expire(t, c, 101);
    assert_int_equal(tokens_count(t), (CONTACTS - 1) * TOKENS_WINDOW);
    assert_true(is_awaited(t, 8, 101, 0) && !is_awaited(t, 8, 100, 8));
    tokens_free(&t);
    assert_null(t);
    tokens_free(&t);
}

/* A contact who grinds for tokens that begin alike gets what he made. */
static void
tokens_that_begin_alike_are_all_found(void **state)
{
    (void)state;
    struct tokens *t;
    uint8_t chain[TOKENS_CHAIN_LEN], token[LIST_TOKEN_LEN];
    chain_make(1, chain);
    assert_int_equal(tokens_new(&t), 0);
    for (uint32_t contact = 1; contact <= 20; contact++)
        assert_int_equal(
            tokens_set(t, contact, chain,
                       &(struct awaited){.period = 9, .next = contact}),
            0);
    letter_token(chain, 9, 8, token);
    unsigned n = 0;
    for (const struct token *at = NULL; (at = tokens_find(t, token, at));) {
        assert_true(at->k == 8 && at->contact >= 1 && at->contact <= 8);
        n++;
    }
    assert_int_equal(n, 8);
    tokens_free(&t);
}

static void
i11_the_table_is_bounded(void **state)
{
    (void)state;
    struct tokens *t;
    uint8_t chain[TOKENS_CHAIN_LEN];
    const struct awaited a = {.period = 1};
    uint32_t contact = 0;
    int err = 0;
    assert_int_equal(tokens_new(&t), 0);
    while (!err) {
        chain_make(++contact, chain);
        err = tokens_set(t, contact, chain, &a);
    }
    assert_int_equal(err, ERR_FULL);
    assert_int_equal(contact, TOKENS_MAX / TOKENS_WINDOW + 1);
    assert_int_equal(tokens_count(t), TOKENS_MAX);
    set(t, 5, 1, 3); /* in the place of its own */
    assert_true(is_awaited(t, 5, 1, 10));
    tokens_remove(t, 6);
    assert_int_equal(tokens_set(t, contact, chain, &a), 0);
    tokens_free(&t);
}

static double
cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

enum { CONTACTS = 500, AWAITED = CONTACTS * TOKENS_PERIODS * TOKENS_WINDOW };

static struct tokens *
table_make(void)
{
    struct tokens *t;
    assert_int_equal(tokens_new(&t), 0);
    for (uint32_t c = 1; c <= CONTACTS; c++)
        for (uint32_t period = 200; period < 200 + TOKENS_PERIODS; period++)
            set(t, c, period, 0);
    assert_int_equal(tokens_count(t), AWAITED);
    return t;
}

/* 500 contacts: what a list costs, each other entries. */
static void
a_list_costs_microseconds(void **state)
{
    (void)state;
    enum { LISTS = 5000, ENTRIES = 40 };
    struct tokens *t = table_make();
    struct rng_seeded rng;
    const size_t n = (size_t)LISTS * ENTRIES;
    uint8_t(*entry)[LIST_ENTRY_LEN] = calloc(n, sizeof *entry);
    unsigned found = 0;
    assert_non_null(entry);
    rng_seeded_init_u64(&rng, test_seed(), "lists");
    rng_seeded_bytes(&rng, entry, n * sizeof *entry);
    const double start_s = cpu_s();
    for (size_t i = 0; i < n; i++)
        found += tokens_find(t, entry[i], NULL) != NULL;
    const double list_us = (cpu_s() - start_s) / LISTS * 1e6;
    const double from_s = cpu_s();
    for (uint32_t c = 1; c <= CONTACTS; c++)
        set(t, c, 201, 1);
    print_message("  %u tokens awaited: %.2f us a list of %u, %.1f us when a "
                  "contact's move on\n",
                  AWAITED, list_us, ENTRIES,
                  (cpu_s() - from_s) / CONTACTS * 1e6);
    assert_true(list_us < 500); /* 2 a second; a slow machine, a sanitizer */
    assert_int_equal(found, 0);
    free(entry);
    tokens_free(&t);
}

/* False alarms are as many as 40 bits say: of entries whose first 24 bits are those
 * of an awaited token, one in 2^16 for each that has them, to five deviations. */
/* What a contact's tokens of a period cost, in seconds, among so many contacts: the
 * least of ten tries. */
static double
change_cost_s(uint32_t contacts)
{
    enum { TRIES = 10, CHANGES = 100 };
    struct tokens *t;
    double least = 1;
    assert_int_equal(tokens_new(&t), 0);
    for (uint32_t c = 1; c <= contacts; c++)
        for (uint32_t period = 100; period < 103; period++)
            set(t, c, period, 0);
    for (uint32_t i = 0; i < TRIES; i++) {
        const double start = cpu_s();
        for (uint32_t c = 1; c <= CHANGES; c++) {
            tokens_expire(t, c % contacts + 1, 101 + i);
            set(t, c % contacts + 1, 103 + i, 0);
        }
        const double cost = (cpu_s() - start) / CHANGES;
        least = cost < least ? cost : least;
    }
    tokens_free(&t);
    return least;
}

/* What is awaited of one contact changes at a cost that does not depend on how many
 * others there are, but for what a cache holds. */
static void
i2_a_change_costs_the_same_among_many(void **state)
{
    (void)state;
    const double few = change_cost_s(10), many = change_cost_s(1500);
    print_message("  among 10 contacts %.1f us, among 1,500 %.1f us\n",
                  few * 1e6, many * 1e6);
    assert_true(many < 4 * few);
}

static void
false_alarms_are_as_the_closed_form_says(void **state)
{
    (void)state;
    enum { ENTRIES = 8000000 };
    struct tokens *t = table_make();
    struct rng_seeded rng;
    uint8_t(*token)[LIST_TOKEN_LEN] = calloc(AWAITED, sizeof *token);
    unsigned n = 0, found = 0, alike = 0;
    assert_non_null(token);
    for (uint32_t c = 1; c <= CONTACTS; c++)
        for (uint32_t k = 0; k < TOKENS_WINDOW * TOKENS_PERIODS; k++) {
            uint8_t chain[TOKENS_CHAIN_LEN];
            chain_make(c, chain);
            letter_token(chain, 200 + k / TOKENS_WINDOW, k % TOKENS_WINDOW,
                         token[n++]);
        }
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < n; k++)
            alike += memcmp(token[i], token[k], 3) == 0;
    rng_seeded_init_u64(&rng, test_seed(), "alarms");
    for (unsigned i = 0; i < ENTRIES; i++) {
        uint8_t random[2], entry[LIST_ENTRY_LEN];
        memcpy(entry, token[i % n], 3);
        rng_seeded_bytes(&rng, random, sizeof random);
        memcpy(entry + 3, random, 2);
        for (const struct token *at = NULL; (at = tokens_find(t, entry, at));)
            found++;
    }
    const double want = (double)ENTRIES / 65536 * alike / n;
    /* four boards, 40 entries, every two seconds, for a day */
    const double day = 4.0 * 40 * 43200 * n / pow(2, 40);
    print_message(
        "  %u false alarms, %.1f by the closed form, which makes %.3f "
        "a day of 4 boards\n",
        found, want, day);
    assert_true(fabs(found - want) < 5 * sqrt(want));
    free(token);
    tokens_free(&t);
}

static void
i7_memory_fails_at_each_allocation(void **state)
{
    (void)state;
    for (struct heap h = {0}; heap_next(&h);) {
        struct tokens *t;
        uint8_t chain[TOKENS_CHAIN_LEN];
        uint32_t n = 0;
        heap_arm(&h);
        int err = tokens_new(&t);
        for (; !err && n < 40; n++) { /* it grows twice */
            chain_make(n + 1, chain);
            err = tokens_set(t, n + 1, chain, &(struct awaited){.period = 5});
        }
        heap_disarm(&h);
        assert_int_equal(err, h.failed ? ERR_NOMEM : 0);
        if (!t)
            continue;
        if (err) /* that one is not awaited, the others are */
            n--;
        assert_int_equal(tokens_count(t), n * TOKENS_WINDOW);
        for (uint32_t i = 1; i <= 40; i++) {
            assert_int_equal(is_awaited(t, i, 5, 7), i <= n);
            set(t, i, 5, 1);
            assert_true(is_awaited(t, i, 5, 8));
        }
        tokens_free(&t);
    }
}

const struct CMUnitTest test_tokens[] = {
    cmocka_unit_test(what_is_passed_over_is_awaited_behind),
    cmocka_unit_test(the_next_of_each_are_awaited),
    cmocka_unit_test(tokens_that_begin_alike_are_all_found),
    cmocka_unit_test(i11_the_table_is_bounded),
    cmocka_unit_test(a_list_costs_microseconds),
    cmocka_unit_test(i2_a_change_costs_the_same_among_many),
    cmocka_unit_test(false_alarms_are_as_the_closed_form_says),
    cmocka_unit_test(i7_memory_fails_at_each_allocation),
};
TEST_SUITE(test_tokens);
