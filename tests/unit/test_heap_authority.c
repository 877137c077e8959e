/* tests/unit/test_heap_authority.c - an authority whose memory or disk runs out,
 * among others that have enough. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "directory/evidence.h"
#include "tests/heap.h"
#include "tests/house.h"

enum { SEATS = 4, ALL = 0xff, RELAYS = 5 };

/* A gateway, mixes, a store; returns what the last seat to be asked says. */
static int
relay_upload(struct house *h, uint8_t number)
{
    const struct house_relay r = {.number = number,
                                  .role = number == 0            ? ROLE_GATEWAY
                                          : number == RELAYS - 1 ? ROLE_STORE
                                                                 : ROLE_MIX,
                                  .epoch = 1,
                                  .bandwidth = 100,
                                  .seats = ALL};
    return house_upload(h, &r);
}

static void
house_prepare(struct house *h, struct heap *heap)
{
    house_make(h, SEATS, test_seed());
    house_start_all(h);
    h->heap = heap;
    for (uint8_t i = 0; i < RELAYS; i++) {
        int err = relay_upload(h, i);
        if (err == ERR_NOMEM && !(heap->how & HEAP_REST))
            err = relay_upload(h, i); /* as relays do */
        assert_true(err == 0 || err == ERR_NOMEM);
    }
}

/* Each seat from this one on has the consensus of epoch 1, the same one; nobody
 * has signed another, and lack of memory makes nobody a liar. */
static void
house_agrees(const struct house *h, size_t from)
{
    for (size_t i = from; i < SEATS; i++) {
        assert_int_equal(house_epoch(h, i), 1);
        assert_int_equal(h->seat[i].newest->n_relays, RELAYS);
        assert_int_equal(h->seat[i].evidence, 0);
        assert_memory_equal(h->seat[i].newest->digest,
                            h->seat[1].newest->digest, 32);
    }
    assert_int_equal(h->n_signed, 1);
}

/* It does the same again, in time; all sign what all have. */
static void
one_failure_costs_an_authority_nothing(void **state)
{
    (void)state;
    static struct house h;
    for (struct heap heap = {.most = 20}; heap_next(&heap);) {
        house_prepare(&h, &heap);
        house_run(&h, house_ms(&h, 1, SCHEDULE_VALID) - 1);
        house_agrees(&h, 0);
        assert_int_equal(h.signed_[0].signers, (1u << SEATS) - 1);
        house_free(&h);
    }
}

/* It has none at all from some time on: the others agree without it. */
static void
an_authority_without_memory_harms_nobody(void **state)
{
    (void)state;
    static struct house h;
    for (struct heap heap = {.how = HEAP_REST, .most = 8, .proof = 400};
         heap_next(&heap);) {
        house_prepare(&h, &heap);
        house_run(&h, house_ms(&h, 1, SCHEDULE_VALID) - 1);
        house_agrees(&h, 1);
        house_free(&h);
    }
}

/* Stopped in this phase and started again at once, it cannot read something of
 * what it kept: it does not vote or sign a second time. */
static void
restart_in(enum schedule_phase phase)
{
    static struct house h;
    for (struct heap heap = {.most = 10}; heap_next(&heap);) {
        house_prepare(&h, &heap);
        h.heap = NULL;
        house_run(&h, house_ms(&h, 1, phase) + 100);
        house_stop(&h, 0);
        h.heap = &heap;
        house_start(&h, 0, 1);
        h.heap = NULL;
        house_run(&h, house_ms(&h, 1, SCHEDULE_VALID) - 1);
        house_agrees(&h, 0);
        house_free(&h);
    }
}

static void
what_cannot_be_read_again_is_not_contradicted(void **state)
{
    (void)state;
    restart_in(SCHEDULE_VOTE);
    restart_in(SCHEDULE_SIGN);
}

/* A liar with two faces is convicted by all the others. */
static void
one_failure_lets_no_liar_go(void **state)
{
    (void)state;
    static struct house h;
    for (struct heap heap = {.most = 10}; heap_next(&heap);) {
        house_make(&h, SEATS, test_seed());
        for (size_t i = 0; i < SEATS; i++)
            house_start(&h, i, i == 3 ? 2 : 1);
        for (uint8_t i = 0; i < RELAYS; i++)
            assert_int_equal(relay_upload(&h, i), 0);
        h.heap = &heap;
        house_run(&h, house_ms(&h, 1, SCHEDULE_VALID) - 1);
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(house_epoch(&h, i), 1);
            assert_int_equal(h.seat[i].evidence, 1u << 3);
        }
        house_check_safety(&h);
        house_free(&h);
    }
}

/* ---- no disk ---- */

/* The first signer of the documents of this kind is not seat 0. */
struct absent {
    const struct house *house;
    enum document_kind kind;
};

static void
signer_is_absent(void *ctx, const uint8_t *bytes, size_t len)
{
    static struct document d;
    const struct absent *a = ctx;
    if (document_kind_of(bytes, len) != a->kind)
        return;
    assert_int_equal(document_parse(&d, a->kind, bytes, len), 0);
    if (d.n_signers == 1)
        assert_memory_not_equal(d.sig[0].signer,
                                a->house->network.authorities[0].identity, 32);
}

/* Nobody hears of a vote or signature that this authority could not keep: after
 * a crash it would not know of it either. */
static void
what_cannot_be_kept_is_not_shown(void **state)
{
    (void)state;
    static struct house h;
    static const enum schedule_phase phase[] = {SCHEDULE_HELLO, SCHEDULE_SIGN};
    for (size_t i = 0; i < 2; i++) {
        struct heap none = {0};
        struct absent absent = {&h, i ? DOCUMENT_SIGNATURE : DOCUMENT_CLAIM};
        house_prepare(&h, &none);
        h.heap = NULL;
        house_run(&h, house_ms(&h, 1, phase[i]) - 1);
        h.seat[0].full_disk = true;
        house_run(&h, house_ms(&h, 1, SCHEDULE_VALID) - 1);
        for (size_t k = 1; k < SEATS; k++)
            assert_int_equal(house_epoch(&h, k), 1);
        assert_int_equal(h.signed_[0].signers, (1u << SEATS) - 2);
        authority_documents(h.seat[0].face[0].authority, signer_is_absent,
                            &absent);
        house_free(&h);
    }
}

const struct CMUnitTest test_heap_authority[] = {
    cmocka_unit_test(one_failure_costs_an_authority_nothing),
    cmocka_unit_test(an_authority_without_memory_harms_nobody),
    cmocka_unit_test(what_cannot_be_read_again_is_not_contradicted),
    cmocka_unit_test(one_failure_lets_no_liar_go),
    cmocka_unit_test(what_cannot_be_kept_is_not_shown),
};
TEST_SUITE(test_heap_authority);
