/* tests/unit/test_work.c - what opening a box costs: the hash, the steps, what a
 * store takes, and how a client comes by its proofs.
 *
 * Defences: network/work.c; work_judge() in the stores; client/proofs.c. */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/proofs.h"
#include "lib/rng.h"
#include "lib/wire.h"
#include "network/work.h"
#include "relay/store_memory.h"
#include "tests/heap.h"
#include "tests/network.h"

/* ---- the hash ---- */

static struct work_task
task_make(uint8_t challenge, uint8_t store, uint8_t box)
{
    struct work_task t;
    memset(t.challenge, challenge, sizeof t.challenge);
    memset(t.store, store, sizeof t.store);
    memset(t.box, box, sizeof t.box);
    return t;
}

static void
nonce_write(uint64_t n, uint8_t nonce[static WORK_NONCE_LEN])
{
    for (unsigned i = 0; i < WORK_NONCE_LEN; i++)
        nonce[i] = (uint8_t)(n >> 8 * i);
}

/* From tests/vectors/work.py. */
static void
work_is_the_published_hash(void **state)
{
    (void)state;
    static const struct {
        uint8_t challenge, store, box;
        uint64_t nonce;
        unsigned bits;
    } v[] = {{0, 0, 0, 0, 3},
             {1, 2, 3, 322, 9},
             {7, 9, 11, 1452, 12},
             {255, 254, 253, 225590, 19}};
    for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
        struct work_task t = task_make(v[i].challenge, v[i].store, v[i].box);
        uint8_t nonce[WORK_NONCE_LEN];
        nonce_write(v[i].nonce, nonce);
        assert_int_equal(work_bits(&t, nonce), v[i].bits);
        /* of another box, store, day or nonce it is worth what chance gives */
        unsigned others = 0;
        t.box[31] ^= 1;
        others += work_bits(&t, nonce) >= v[i].bits;
        t.box[31] ^= 1;
        t.store[0] ^= 1;
        others += work_bits(&t, nonce) >= v[i].bits;
        t.store[0] ^= 1;
        t.challenge[15] ^= 1;
        others += work_bits(&t, nonce) >= v[i].bits;
        assert_true(i == 0 || others == 0);
    }
}

static void
a_search_ends_and_goes_on(void **state)
{
    (void)state;
    const struct work_task t = task_make(1, 2, 3);
    uint8_t nonce[WORK_NONCE_LEN] = {0}, at_once[WORK_NONCE_LEN] = {0};
    unsigned pieces = 1;
    assert_false(work_search(&t, 9, 0, nonce));
    while (!work_search(&t, 9, 50, nonce))
        pieces++;
    assert_true(work_bits(&t, nonce) >= 9);
    assert_true(pieces > 1);
    assert_true(work_search(&t, 9, UINT64_MAX, at_once));
    assert_memory_equal(nonce, at_once, sizeof nonce);
    memset(nonce, 0xff, sizeof nonce); /* past the last one comes the first */
    assert_true(work_search(&t, 4, 1000, nonce));
}

static void
steps_rise_with_the_fill(void **state)
{
    (void)state;
    static const struct {
        uint64_t used, room;
        unsigned steps;
    } v[] = {{0, 0, 1},
             {0, 1600, 0},
             {799, 1600, 0},
             {800, 1600, 1},
             {899, 1600, 1},
             {900, 1600, 2},
             {1599, 1600, 8},
             {1600, 1600, 8},
             {UINT64_MAX, 1600, 8},
             {UINT64_MAX / 2, UINT64_MAX, 1},
             {0, UINT64_MAX, 0},
             {1, 2, 1}};
    for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
        uint8_t steps = 99;
        assert_int_equal(work_steps(v[i].used, v[i].room), v[i].steps);
        assert_int_equal(
            work_judge(20, 20 + v[i].steps, v[i].used, v[i].room, &steps), 0);
        assert_int_equal(steps, v[i].steps);
        assert_int_equal(
            work_judge(20, 19 + v[i].steps, v[i].used, v[i].room, &steps),
            ERR_WORK);
        /* where the network asks for none, a full store does not either */
        assert_int_equal(work_judge(0, 0, v[i].used, v[i].room, &steps), 0);
    }
}

/* ---- a store ---- */

static void
put_done(struct env_store_req *req)
{
    (void)req;
}

/* Put a letter into a slot of box n with a proof of so many bits. */
static int
put(struct store_memory *s, uint32_t n, uint8_t slot, unsigned work,
    uint8_t *steps)
{
    uint8_t letter[8] = {slot};
    struct env_store_req r = {.op = ENV_STORE_PUT,
                              .slot = slot,
                              .expiry_day = 9,
                              .work_wanted = 20,
                              .work = (uint8_t)work,
                              .letter = letter,
                              .letter_len = sizeof letter,
                              .done = put_done};
    memcpy(r.box, &n, sizeof n);
    store_memory_request(s, &r);
    store_memory_run(s, 1);
    *steps = r.steps;
    return r.err;
}

static void
the_first_letter_alone_costs_work(void **state)
{
    (void)state;
    struct store_memory *s;
    uint8_t steps;
    assert_int_equal(store_memory_new(&s, 8, 1000), 0);
    assert_int_equal(put(s, 1, 3, 19, &steps), ERR_WORK);
    assert_int_equal(put(s, 1, 3, 0, &steps), ERR_WORK);
    assert_int_equal(steps, 0);
    assert_int_equal(store_memory_count(s), 0);
    assert_int_equal(put(s, 1, 3, 20, &steps), 0);
    assert_int_equal(put(s, 1, 3, 0, &steps), 0); /* again */
    assert_int_equal(put(s, 1, 4, 0, &steps), 0); /* and the others */
    assert_int_equal(put(s, 2, 4, 0, &steps), ERR_WORK);
    store_memory_free(&s);
}

/* Whoever comes with more proofs of the usual difficulty than a store has boxes,
 * be it of 64 cores and however quickly, fills the half of it; each sixteenth of
 * the rest costs twice the one before, and others still open theirs. */
static void
i11_work_made_ahead_fills_half_a_store(void **state)
{
    (void)state;
    enum { ROOM = 16000, BOXES = ROOM / 16, HONEST = 1 << 24 };
    struct store_memory *s;
    uint8_t steps = 0;
    uint32_t n = 0, refused = 0;
    double cost = 0;
    assert_int_equal(store_memory_new(&s, 8, ROOM), 0);
    for (n = 0; n < 2 * BOXES; n++) {
        const bool opened = put(s, n, 0, 20, &steps) == 0;
        refused += !opened;
        for (uint8_t slot = 1; opened && slot < 16; slot++)
            assert_int_equal(put(s, n, slot, 0, &steps), 0);
    }
    printf("  %u boxes of %u opened with as much work as usual\n", n - refused,
           (unsigned)BOXES);
    assert_int_equal(n - refused, BOXES / 2);
    assert_int_equal(put(s, HONEST, 0, 20, &steps), ERR_WORK);
    assert_int_equal(put(s, HONEST, 0, 20u + steps, &steps), 0);
    for (; store_memory_count(s) < ROOM; n++) {
        const unsigned brought = steps;
        const int err = put(s, n, 0, 20u + brought, &steps);
        cost += err ? 0 : (double)(1u << brought);
        assert_true(err == 0 || err == ERR_WORK || err == ERR_QUOTA);
        for (uint8_t slot = 1; !err && slot < 16; slot++)
            if (put(s, n, slot, 0, &steps) == ERR_QUOTA)
                break;
    }
    printf("  the other half cost %.1f times a whole store's usual work\n",
           cost / BOXES);
    assert_true(cost / BOXES > 30 && cost / BOXES < 34);
    store_memory_free(&s);
}

/* ---- a client's proofs ---- */

struct fixture {
    struct proofs *proofs;
    struct consensus view;
    struct work_maker maker; /* a search that the test ends */
    struct work_task task;
    unsigned bits, started;
    bool found;
    uint8_t from[WORK_NONCE_LEN], at[WORK_NONCE_LEN];
};

static void
maker_start(struct work_maker *m, const struct work_task *task, unsigned bits,
            const uint8_t from[static WORK_NONCE_LEN])
{
    struct fixture *f =
        (struct fixture *)(void *)((char *)m - offsetof(struct fixture, maker));
    f->task = *task;
    f->bits = bits;
    f->found = false;
    memcpy(f->from, from, sizeof f->from);
    memcpy(f->at, from, sizeof f->at);
    f->started++;
}

static bool
maker_found(struct work_maker *m, uint8_t nonce[static WORK_NONCE_LEN])
{
    const struct fixture *f =
        (struct fixture *)(void *)((char *)m - offsetof(struct fixture, maker));
    memcpy(nonce, f->at, WORK_NONCE_LEN);
    return f->found;
}

static void
fixture_make(struct fixture *f, bool maker)
{
    *f = (struct fixture){.maker = {maker_start, maker_found},
                          .view = {.epoch = 5, .params = {.work_bits = 6}}};
    f->view.work_challenge[0] = 5;
    assert_int_equal(proofs_new(&f->proofs, maker ? &f->maker : NULL), 0);
    proofs_consensus(f->proofs, &f->view, 5);
}

static const uint8_t box_1[32] = {1}, box_2[32] = {2}, store_1[32] = {3};
static const uint8_t store_2[32] = {4};
static const struct proof_place at_1 = {box_1, store_1},
                                at_2 = {box_2, store_1};

/* Take a proof, which is made meanwhile; returns what it is worth. */
static unsigned
proof_bits(struct fixture *f, struct proof_place at)
{
    struct work_task t;
    uint8_t nonce[WORK_NONCE_LEN], steps;
    unsigned turns = 0;
    while (proofs_take(f->proofs, at, nonce, &steps) == ERR_AGAIN) {
        proofs_step(f->proofs);
        assert_true(++turns < 1000);
    }
    memcpy(t.challenge, f->view.work_challenge, sizeof t.challenge);
    memcpy(t.box, at.box, sizeof t.box);
    memcpy(t.store, at.store, sizeof t.store);
    return work_bits(&t, nonce);
}

static void
a_proof_is_made_when_it_is_asked_for(void **state)
{
    (void)state;
    struct fixture f;
    uint8_t nonce[WORK_NONCE_LEN] = {9}, steps;
    fixture_make(&f, false);
    for (unsigned i = 0; i < 1000; i++)
        proofs_step(f.proofs);
    assert_true(proofs_cost(f.proofs) == 0); /* who is idle works not at all */
    assert_int_equal(proofs_take(f.proofs, at_1, nonce, &steps), ERR_AGAIN);
    assert_int_equal(nonce[0], 9);
    assert_true(proof_bits(&f, at_1) >= 6);
    /* it goes until the box is known to be open; another store is another task */
    assert_true(proof_bits(&f, at_1) >= 6);
    assert_true(proofs_cost(f.proofs) == 64);
    assert_true(proof_bits(&f, (struct proof_place){box_1, store_2}) >= 6);
    assert_int_equal(proofs_answer(f.proofs, at_1, WIRE_KEPT, 0, 3), WIRE_KEPT);
    memset(nonce, 0xee, sizeof nonce);
    assert_int_equal(proofs_take(f.proofs, at_1, nonce, &steps), 0);
    assert_int_equal(nonce[0], 0xee); /* open: what is there is left */
    /* a store that lost it is believed */
    assert_int_equal(proofs_answer(f.proofs, at_1, WIRE_WORK, 0, 0),
                     WIRE_RETRY);
    assert_int_equal(proofs_take(f.proofs, at_1, nonce, &steps), ERR_AGAIN);
    /* an answer about a box of which nothing is known */
    assert_int_equal(proofs_answer(f.proofs, at_2, WIRE_WORK, 0, 0),
                     WIRE_RETRY);
    assert_int_equal(proofs_answer(f.proofs, at_2, WIRE_FULL, 0, 0), WIRE_FULL);
    f.view.params.work_bits = 0;
    proofs_consensus(f.proofs, &f.view, 5);
    assert_int_equal(proofs_take(f.proofs, at_2, nonce, &steps), 0);
    proofs_free(&f.proofs);
    proofs_free(&f.proofs);
}

static void
a_proof_lives_as_long_as_its_consensus(void **state)
{
    (void)state;
    struct fixture f;
    uint8_t nonce[WORK_NONCE_LEN], steps;
    fixture_make(&f, false);
    assert_true(proof_bits(&f, at_1) >= 6);
    f.view.epoch = 6;
    f.view.work_challenge[0] = 6;
    proofs_consensus(f.proofs, &f.view, 5); /* in the window both go */
    assert_int_equal(proofs_take(f.proofs, at_1, nonce, &steps), 0);
    proofs_consensus(f.proofs, &f.view, 6);
    assert_int_equal(proofs_take(f.proofs, at_1, nonce, &steps), ERR_AGAIN);
    assert_true(proof_bits(&f, at_1) >= 6);
    assert_int_equal(proofs_answer(f.proofs, at_1, WIRE_KEPT, 0, 0), WIRE_KEPT);
    f.view.epoch = 9;
    proofs_consensus(f.proofs, &f.view, 9); /* an open box stays open */
    assert_int_equal(proofs_take(f.proofs, at_1, nonce, &steps), 0);
    proofs_free(&f.proofs);
}

/* A store that asks for more gets more, up to WORK_STEPS_MAX; one that asks for
 * what nobody has, or never has enough, counts as full, until the next epoch. */
static void
i11_a_store_cannot_ask_without_end(void **state)
{
    (void)state;
    struct fixture f;
    uint8_t nonce[WORK_NONCE_LEN], steps;
    fixture_make(&f, false);
    assert_true(proof_bits(&f, at_1) >= 6);
    assert_int_equal(proofs_answer(f.proofs, at_1, WIRE_WORK, 0, 4),
                     WIRE_RETRY);
    /* others of the same box were under way already: nothing more is asked */
    assert_int_equal(proofs_answer(f.proofs, at_1, WIRE_WORK, 0, 4),
                     WIRE_RETRY);
    assert_true(proof_bits(&f, at_1) >= 10);
    assert_int_equal(proofs_take(f.proofs, at_1, nonce, &steps), 0);
    assert_int_equal(steps, 4);
    assert_true(proof_bits(&f, at_2) >=
                6); /* another box knows nothing of it */
    assert_int_equal(proofs_take(f.proofs, at_2, nonce, &steps), 0);
    assert_int_equal(steps, 0);
    assert_int_equal(
        proofs_answer(f.proofs, at_2, WIRE_WORK, 0, WORK_STEPS_MAX + 1),
        WIRE_FULL);
    assert_int_equal(proofs_take(f.proofs, at_2, nonce, &steps), ERR_QUOTA);
    unsigned answers = 1;
    while (proofs_answer(f.proofs, at_1, WIRE_WORK, 4, 4) == WIRE_RETRY) {
        assert_true(proof_bits(&f, at_1) >= 10);
        assert_true(++answers < 10);
    }
    assert_int_equal(answers, PROOFS_LIES);
    assert_int_equal(proofs_take(f.proofs, at_1, nonce, &steps), ERR_QUOTA);
    assert_true(proofs_cost(f.proofs) <= 64 + 64 + PROOFS_LIES * 1024);
    f.view.epoch = 6;
    proofs_consensus(f.proofs, &f.view, 6);
    assert_true(proof_bits(&f, at_1) >= 6);
    proofs_free(&f.proofs);
}

/* Of two searches the easier one goes first, whenever it comes; what is wanted
 * goes before what is made ahead. */
static void
i11_a_greedy_store_holds_up_its_own_box(void **state)
{
    (void)state;
    struct fixture f;
    uint8_t nonce[WORK_NONCE_LEN], steps;
    fixture_make(&f, true);
    proofs_ahead(f.proofs, (struct proof_place){box_2, store_2});
    proofs_step(f.proofs);
    assert_int_equal(f.task.store[0], 4);
    assert_int_equal(proofs_take(f.proofs, at_1, nonce, &steps), ERR_AGAIN);
    proofs_step(f.proofs);
    assert_int_equal(f.task.box[0], 1);
    assert_int_equal(proofs_answer(f.proofs, at_1, WIRE_WORK, 0, 8),
                     WIRE_RETRY);
    proofs_step(f.proofs);
    assert_int_equal(f.bits, 14);
    assert_int_equal(proofs_take(f.proofs, at_2, nonce, &steps), ERR_AGAIN);
    proofs_step(f.proofs);
    assert_int_equal(f.task.box[0], 2);
    assert_int_equal(f.bits, 6);
    f.found = true;
    f.at[0] = 7;
    proofs_step(f.proofs); /* takes it, and goes on with the greedy one */
    assert_int_equal(f.bits, 14);
    assert_int_equal(proofs_take(f.proofs, at_2, nonce, &steps), 0);
    assert_int_equal(nonce[0], 7);
    const unsigned started = f.started;
    for (unsigned i = 0; i < 10; i++)
        proofs_step(f.proofs);
    assert_int_equal(f.started, started); /* it is left to it */
    f.found = true;
    proofs_step(f.proofs);
    assert_int_equal(proofs_take(f.proofs, at_1, nonce, &steps), 0);
    assert_int_equal(steps, 8);
    proofs_free(&f.proofs);
}

/* Letters that wait ask in turn. A search that is under way goes on all the same,
 * and one that gave way goes on where it was: else whoever writes to two boxes at
 * once might never come to an end. */
static void
i11_letters_in_turn_let_a_search_end(void **state)
{
    (void)state;
    enum { TURNS = 400 };
    struct fixture f;
    uint8_t nonce[WORK_NONCE_LEN], steps;
    unsigned turns = 0, ready = 0;
    fixture_make(&f, false);
    f.view.params.work_bits = 18; /* 32 steps on average */
    proofs_consensus(f.proofs, &f.view, 5);
    for (; ready < 2 && turns < TURNS; turns++) {
        ready = proofs_take(f.proofs, at_1, nonce, &steps) == 0;
        proofs_step(f.proofs);
        ready += proofs_take(f.proofs, at_2, nonce, &steps) == 0;
        proofs_step(f.proofs);
    }
    printf("  two proofs of 18 bits in %u turns\n", turns);
    assert_int_equal(ready, 2);
    proofs_free(&f.proofs);
    fixture_make(&f, true);
    assert_int_equal(proofs_take(f.proofs, at_1, nonce, &steps), ERR_AGAIN);
    proofs_step(f.proofs);
    for (unsigned i = 0; i < 10; i++) {
        (void)!proofs_take(f.proofs, i % 2 ? at_1 : at_2, nonce, &steps);
        proofs_step(f.proofs);
    }
    assert_int_equal(f.started, 1);
    assert_int_equal(f.from[0], 0);
    f.at[0] = 77; /* so far it has come */
    proofs_step(f.proofs);
    f.found = true;
    proofs_step(f.proofs);
    assert_int_equal(f.started, 2);
    /* of box 2 more is wanted than it has: that goes on from there, and is the
     * dearer one, which gives way and comes back */
    assert_int_equal(proofs_answer(f.proofs, at_1, WIRE_WORK, 0, 3),
                     WIRE_RETRY);
    f.found = true;
    proofs_step(f.proofs);
    assert_int_equal(f.task.box[0], 1);
    assert_int_equal(f.from[0], 77);
    f.at[0] = 99;
    const struct proof_place easy = {box_2, store_2};
    assert_int_equal(proofs_take(f.proofs, easy, nonce, &steps), ERR_AGAIN);
    proofs_step(f.proofs);
    assert_int_equal(f.task.store[0], 4);
    assert_int_equal(f.from[0], 0);
    f.found = true;
    proofs_step(f.proofs);
    assert_int_equal(f.task.box[0], 1);
    assert_int_equal(f.from[0], 99);
    /* another challenge is another search */
    f.view.epoch = 6;
    proofs_consensus(f.proofs, &f.view, 6);
    proofs_step(f.proofs);
    assert_int_equal(f.task.box[0], 1);
    assert_int_equal(f.from[0], 0);
    proofs_free(&f.proofs);
}

/* More boxes than there is room for: those used longest ago are forgotten. */
static void
i7_proofs_do_not_grow(void **state)
{
    (void)state;
    struct fixture f;
    uint8_t box[32] = {0}, nonce[WORK_NONCE_LEN], steps;
    const struct proof_place at = {box, store_1};
    fixture_make(&f, true);
    for (uint32_t n = 0; n < 3 * PROOFS_MAX; n++) {
        memcpy(box, &n, sizeof n);
        assert_int_equal(proofs_take(f.proofs, at, nonce, &steps), ERR_AGAIN);
        assert_int_equal(proofs_answer(f.proofs, at, WIRE_KEPT, 0, 0),
                         WIRE_KEPT);
        proofs_step(f.proofs);
    }
    for (uint32_t n = 3 * PROOFS_MAX; n-- > 0;) {
        memcpy(box, &n, sizeof n);
        const bool known = n >= 2 * PROOFS_MAX;
        assert_int_equal(proofs_take(f.proofs, at, nonce, &steps),
                         known ? 0 : ERR_AGAIN);
    }
    proofs_free(&f.proofs);
    for (struct heap h = {0}; heap_next(&h);) {
        heap_arm(&h);
        int err = proofs_new(&f.proofs, NULL);
        heap_disarm(&h);
        assert_int_equal(err, h.failed ? ERR_NOMEM : 0);
        proofs_free(&f.proofs);
    }
}

const struct CMUnitTest test_work[] = {
    cmocka_unit_test(work_is_the_published_hash),
    cmocka_unit_test(a_search_ends_and_goes_on),
    cmocka_unit_test(steps_rise_with_the_fill),
    cmocka_unit_test(the_first_letter_alone_costs_work),
    cmocka_unit_test(i11_work_made_ahead_fills_half_a_store),
    cmocka_unit_test(a_proof_is_made_when_it_is_asked_for),
    cmocka_unit_test(a_proof_lives_as_long_as_its_consensus),
    cmocka_unit_test(i11_a_store_cannot_ask_without_end),
    cmocka_unit_test(i11_a_greedy_store_holds_up_its_own_box),
    cmocka_unit_test(i11_letters_in_turn_let_a_search_end),
    cmocka_unit_test(i7_proofs_do_not_grow),
};
TEST_SUITE(test_work);
