/* tests/unit/test_witness.c - two stores tell a client that it is behind. */
#include "tests/runner.h"

#include <string.h>

#include "client/witness.h"

static const uint8_t one[SPHINX_DIGEST_LEN] = {1}, two[SPHINX_DIGEST_LEN] = {2};

static struct relay_entry
store(uint8_t number, uint8_t family)
{
    struct relay_entry e = {.role = ROLE_STORE};
    e.identity[0] = number;
    e.family[0] = family;
    return e;
}

static void
two_unrelated_ones_are_believed(void **state)
{
    (void)state;
    struct witness w = {0};
    const struct relay_entry a = store(1, 7), b = store(2, 7), c = store(3, 8),
                             d = store(4, 0), e = store(5, 0);
    witness_note(&w, &a, 5, one, 4, 100);
    witness_note(&w, &a, 5, one, 4, 101); /* itself */
    witness_note(&w, &b, 5, one, 4, 102); /* its family */
    witness_note(&w, &c, 5, two, 4, 103); /* something else */
    witness_note(&w, &d, 4, one, 4, 104); /* nothing new */
    assert_false(witness_is_behind(&w, 4, 10, 1000));
    witness_note(&w, &d, 5, one, 4, 105);
    assert_false(witness_is_behind(&w, 4, 10, 115));
    assert_true(witness_is_behind(&w, 4, 10, 116));
    assert_false(witness_is_behind(&w, 5, 10, 116)); /* it has come */
    /* and is begun anew with the next one; no family is unrelated to any */
    witness_note(&w, &e, 6, two, 5, 200);
    assert_false(witness_is_behind(&w, 5, 10, 1000));
    witness_note(&w, &d, 6, two, 5, 300);
    assert_false(witness_is_behind(&w, 5, 10, 310));
    assert_true(witness_is_behind(&w, 5, 10, 311));
    /* still behind when there is an even newer one */
    witness_note(&w, &e, 7, one, 5, 320);
    witness_note(&w, &d, 7, one, 5, 321);
    assert_true(witness_is_behind(&w, 5, 10, 322));
}

/* One store that invents epochs pushes out no other's word for long. */
static void
one_liar_moves_nothing(void **state)
{
    (void)state;
    struct witness w = {0};
    const struct relay_entry liar = store(1, 0);
    for (uint32_t i = 0; i < 1000; i++) {
        const uint8_t digest[SPHINX_DIGEST_LEN] = {(uint8_t)i};
        witness_note(&w, &liar, 5 + i, digest, 4, i);
    }
    assert_false(witness_is_behind(&w, 4, 0, 10000));
    const struct relay_entry a = store(2, 0), b = store(3, 0);
    witness_note(&w, &a, 5, one, 4, 2000);
    for (uint32_t i = 0; i < 1000; i++)
        witness_note(&w, &liar, 5 + i, two, 4, 2000 + i);
    witness_note(&w, &b, 5, one, 4, 4000);
    assert_true(witness_is_behind(&w, 4, 0, 4001));
}

const struct CMUnitTest test_witness[] = {
    cmocka_unit_test(two_unrelated_ones_are_believed),
    cmocka_unit_test(one_liar_moves_nothing),
};
TEST_SUITE(test_witness);
