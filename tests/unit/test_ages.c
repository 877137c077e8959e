/* tests/unit/test_ages.c - how long ago letters were committed. */
#include "tests/runner.h"

#include <string.h>

#include "relay/ages.h"

static const uint8_t key[16] = {9};

static void
letters_have_an_age_for_four_minutes(void **state)
{
    (void)state;
    const uint64_t start_us = 123456789;
    uint8_t box[32] = {1}, other[32] = {2};
    struct ages *a;
    assert_int_equal(ages_new(&a, key), 0);
    assert_int_equal(ages_find(a, box, 3, start_us), WIRE_AGE_UNKNOWN);
    ages_note(a, box, 3, start_us);
    ages_note(a, box, 4, start_us + 2000000);
    ages_note(a, box, 3, start_us + 9000000); /* the first time counts */
    assert_int_equal(ages_find(a, box, 3, start_us), 0);
    assert_int_equal(ages_find(a, box, 3, start_us + 999999), 0);
    assert_int_equal(ages_find(a, box, 3, start_us + 10000000), 10);
    assert_int_equal(ages_find(a, box, 4, start_us + 10000000), 8);
    assert_int_equal(ages_find(a, box, 5, start_us + 10000000),
                     WIRE_AGE_UNKNOWN);
    assert_int_equal(ages_find(a, other, 3, start_us + 10000000),
                     WIRE_AGE_UNKNOWN);
    assert_int_equal(ages_find(a, box, 3, start_us + 240999999),
                     WIRE_AGE_MAX_S);
    assert_int_equal(ages_find(a, box, 3, start_us + 241000000),
                     WIRE_AGE_UNKNOWN);
    ages_free(&a);
    assert_null(a);
}

/* The newest are remembered, however many there are, and none is given a wrong
 * age. */
static void
the_oldest_give_way(void **state)
{
    (void)state;
    enum { LETTERS = 3 * AGES_MAX };
    uint8_t box[32] = {0};
    struct ages *a;
    unsigned known = 0, lately = 0;
    assert_int_equal(ages_new(&a, key), 0);
    for (uint32_t i = 0; i < LETTERS; i++) {
        memcpy(box, &i, sizeof i);
        ages_note(a, box, (uint8_t)(i % 16), i * 1000ULL);
    }
    const uint64_t now_us = LETTERS * 1000ULL;
    for (uint32_t i = 0; i < LETTERS; i++) {
        memcpy(box, &i, sizeof i);
        const uint8_t age = ages_find(a, box, (uint8_t)(i % 16), now_us);
        if (age == WIRE_AGE_UNKNOWN)
            continue;
        assert_int_equal(age, (now_us - i * 1000ULL) / 1000000);
        known++;
        lately += i >= LETTERS - AGES_MAX / 4;
    }
    assert_true(known > AGES_MAX * 9 / 10 && known <= AGES_MAX);
    assert_true(lately > AGES_MAX / 4 * 99 / 100);
    ages_free(&a);
}

const struct CMUnitTest test_ages[] = {
    cmocka_unit_test(letters_have_an_age_for_four_minutes),
    cmocka_unit_test(the_oldest_give_way),
};
TEST_SUITE(test_ages);
