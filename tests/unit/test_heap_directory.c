/* tests/unit/test_heap_directory.c - an authority whose memory runs out. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "tests/heap.h"
#include "tests/house.h"

enum { SEATS = 4, ALL = 0xff, RELAYS = 5 };

static void
relay_upload(struct house *h, uint8_t number, uint32_t epoch)
{
    const struct house_relay r = {.number = number,
                                  .role = number == 0            ? ROLE_GATEWAY
                                          : number == RELAYS - 1 ? ROLE_STORE
                                                                 : ROLE_MIX,
                                  .epoch = epoch,
                                  .bandwidth = 100,
                                  .seats = ALL};
    int err = house_upload(h, &r);
    if (err == ERR_NOMEM)
        err = house_upload(h, &r);
    assert_int_equal(err, 0);
}

/* Every seat has the consensus of this epoch, the same one, and nobody has
 * signed another; a lack of memory makes nobody a liar. */
static void
house_agrees(const struct house *h, uint32_t epoch, size_t from)
{
    for (size_t i = from; i < SEATS; i++) {
        assert_int_equal(house_epoch(h, i), epoch);
        assert_int_equal(h->seat[i].evidence, 0);
        assert_memory_equal(h->seat[i].newest->digest,
                            h->seat[1].newest->digest, 32);
    }
    for (size_t i = 0; i < h->n_signed; i++)
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(h->signed_[i].epoch, h->signed_[k].epoch);
}

/* One allocation in the life of an authority fails: it does the same again, in
 * time, and all have what they would have had. */
static void
one_failure_costs_an_authority_nothing(void **state)
{
    (void)state;
    static struct house h;
    uint8_t digest[32];
    for (struct heap heap = {.most = 60}; heap_next(&heap);) {
        house_make(&h, SEATS, test_seed());
        house_start_all(&h);
        h.heap = &heap;
        for (uint8_t i = 0; i < RELAYS; i++)
            relay_upload(&h, i, 1);
        house_run(&h, house_ms(&h, 1, SCHEDULE_VALID) - 1);
        house_agrees(&h, 1, 0);
        assert_int_equal(h.signed_[0].signers, (1u << SEATS) - 1);
        if (heap.n < 0)
            memcpy(digest, h.seat[0].newest->digest, sizeof digest);
        else
            assert_int_equal(h.seat[0].newest->n_relays, RELAYS);
        house_free(&h);
    }
    (void)digest;
}

/* It has no memory at all from some time on: the others agree without it. */
static void
an_authority_without_memory_harms_nobody(void **state)
{
    (void)state;
    static struct house h;
    for (struct heap heap = {.how = HEAP_REST, .most = 30}; heap_next(&heap);) {
        house_make(&h, SEATS, test_seed());
        house_start_all(&h);
        h.heap = &heap;
        for (uint8_t i = 0; i < RELAYS; i++) {
            const struct house_relay r = {.number = i,
                                          .role = i == 0 ? ROLE_GATEWAY
                                                  : i == RELAYS - 1 ? ROLE_STORE
                                                                    : ROLE_MIX,
                                          .epoch = 1,
                                          .bandwidth = 100,
                                          .seats = ALL};
            (void)!house_upload(&h, &r);
        }
        house_run(&h, house_ms(&h, 1, SCHEDULE_VALID) - 1);
        house_agrees(&h, 1, 1);
        house_free(&h);
    }
}

const struct CMUnitTest test_heap_directory[] = {
    cmocka_unit_test(one_failure_costs_an_authority_nothing),
    cmocka_unit_test(an_authority_without_memory_harms_nobody),
};
TEST_SUITE(test_heap_directory);
