/* tests/unit/test_witness.c - many stores tell a client which consensus is the
 * newest, and few cannot. */
#include "tests/runner.h"

#include <string.h>

#include "client/heard/witness.h"

#define HOUR_US 3600000000ULL

static const uint8_t one[SPHINX_DIGEST_LEN] = {1}, two[SPHINX_DIGEST_LEN] = {2};

static struct relay_entry
store_make(uint8_t number, uint8_t family)
{
    struct relay_entry e = {.role = ROLE_STORE};
    e.identity[0] = number;
    e.family[0] = family;
    return e;
}

static void
i10_three_unrelated_ones_are_believed_and_two_are_not(void **state)
{
    (void)state;
    struct witness w = {0};
    const struct relay_entry a = store_make(1, 7), b = store_make(2, 7),
                             c = store_make(3, 8), d = store_make(4, 0),
                             e = store_make(5, 0);
    witness_note(&w, &a, 5, one, 4, 5, 100);
    witness_note(&w, &a, 5, one, 4, 5, 101); /* itself */
    witness_note(&w, &b, 5, one, 4, 5, 102); /* its family */
    witness_note(&w, &c, 5, two, 4, 5, 103); /* another digest */
    witness_note(&w, &d, 5, one, 4, 5, 104);
    assert_int_equal(witness_epoch(&w, 3, HOUR_US, 110), 0);
    assert_int_equal(witness_epoch(&w, 2, HOUR_US, 110), 5);
    witness_note(&w, &e, 5, one, 4, 5, 105); /* no family is a family each */
    assert_int_equal(witness_epoch(&w, 3, HOUR_US, 110), 5);
    /* what three name is the newest, also when one names a newer one */
    witness_note(&w, &c, 6, two, 4, 5, 106);
    assert_int_equal(witness_epoch(&w, 3, HOUR_US, 110), 5);
    assert_int_equal(witness_epoch(&w, 1, HOUR_US, 110), 6);
}

static void
i10_no_word_lasts_for_ever_nor_names_what_cannot_be(void **state)
{
    (void)state;
    struct witness w = {0};
    for (uint8_t i = 1; i <= 3; i++) {
        const struct relay_entry s = store_make(i, 0);
        witness_note(&w, &s, UINT32_MAX, one, 4, 5, i);
        witness_note(&w, &s, 7, one, 4, 5, i); /* 5 can have begun */
    }
    assert_int_equal(witness_epoch(&w, 1, HOUR_US, 10), 0);
    for (uint8_t i = 1; i <= 3; i++) {
        const struct relay_entry s = store_make(i, 0);
        witness_note(&w, &s, 6, one, 4, 5, i);
    }
    assert_int_equal(witness_epoch(&w, 3, HOUR_US, 10), 6);
    assert_int_equal(witness_epoch(&w, 3, HOUR_US, HOUR_US + 1), 6);
    assert_int_equal(witness_epoch(&w, 3, HOUR_US, HOUR_US + 2), 0);
}

/* A store that says something else each time has one word all the same. */
static void
i11_one_liar_pushes_out_nobody(void **state)
{
    (void)state;
    struct witness w = {0};
    const struct relay_entry liar = store_make(99, 0);
    for (uint8_t i = 1; i <= 3; i++) {
        const struct relay_entry s = store_make(i, 0);
        witness_note(&w, &s, 5, one, 4, 5, 1);
    }
    for (uint32_t i = 0; i < 1000; i++) {
        const uint8_t digest[SPHINX_DIGEST_LEN] = {(uint8_t)i, 9};
        witness_note(&w, &liar, 4 + i % 3, digest, 4, 5, 2 + i);
    }
    assert_int_equal(witness_epoch(&w, 3, HOUR_US, 2000), 5);
}

const struct CMUnitTest test_witness[] = {
    cmocka_unit_test(i10_three_unrelated_ones_are_believed_and_two_are_not),
    cmocka_unit_test(i10_no_word_lasts_for_ever_nor_names_what_cannot_be),
    cmocka_unit_test(i11_one_liar_pushes_out_nobody),
};
TEST_SUITE(test_witness);
