/* tests/unit/test_promises.c - what an authority has voted and signed. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "directory/promises.h"
#include "lib/rng_seeded.h"

enum { EPOCHS = 4096, DONE = 3000 };

/* An authority's clock goes evenly and jumps, 3,000 times: what was done once is
 * never allowed again, but for the newest of a range, with the hash of then; and
 * few epochs that were not done are given up. */
static void
i10_nothing_done_is_ever_forgotten(void **state)
{
    (void)state;
    static struct promises p;
    static bool done[EPOCHS];
    struct rng_seeded rng;
    uint8_t hash[PROMISES_HASH_LEN] = {0}, other[PROMISES_HASH_LEN] = {9};
    uint32_t at = 1, lost = 0;
    rng_seeded_init_u64(&rng, test_seed(), "promises");
    memset(&p, 0, sizeof p);
    memset(done, 0, sizeof done);
    for (unsigned i = 0; i < DONE; i++) {
        const uint64_t u = rng_seeded_u64(&rng);
        at = u % 64 ? at % (EPOCHS - 1) + 1
                    : (uint32_t)(u >> 8) % (EPOCHS - 1) + 1;
        hash[1] = (uint8_t)at;
        hash[2] = (uint8_t)(at >> 8);
        if (promises_allow(&p, at, NULL)) {
            const bool room = p.n < PROMISES_MAX;
            assert_false(done[at]);
            promises_add(&p, at, hash);
            assert_true(!room || promises_allow(&p, at, hash));
            done[at] = true;
        }
        assert_false(promises_allow(&p, at, NULL));
        assert_false(promises_allow(&p, at, other));
        assert_in_range(p.n, 1, PROMISES_MAX);
    }
    for (uint32_t e = 1; e < EPOCHS; e++) {
        assert_false(done[e] && promises_allow(&p, e, NULL));
        lost += !done[e] && !promises_allow(&p, e, NULL);
    }
    assert_true(lost < EPOCHS / 8);
}

/* Far from all that is done, with no room left: what is lost lies between what
 * is near. */
static void
i10_what_is_given_up_is_the_least(void **state)
{
    (void)state;
    struct promises p = {0};
    for (uint32_t e = 1; e < 2 * PROMISES_MAX + 8; e += 2)
        promises_add(&p, e, NULL);
    promises_add(&p, 1000000, NULL);
    assert_true(promises_allow(&p, 999999, NULL));
    assert_true(promises_allow(&p, 2 * PROMISES_MAX + 10, NULL));
    assert_false(promises_allow(&p, 1000000, NULL));
    assert_false(promises_allow(&p, 1, NULL));
}

/* What a disk has is what was written, or it is refused. */
static void
promises_go_round(void **state)
{
    (void)state;
    struct promises p[PROMISE_KINDS] = {0}, back[PROMISE_KINDS] = {0};
    const uint8_t hash[PROMISES_HASH_LEN] = {7};
    uint8_t *bytes;
    size_t len;
    promises_add(&p[PROMISE_VOTE], 5, NULL);
    promises_add(&p[PROMISE_VOTE], 6, NULL);
    promises_add(&p[PROMISE_SIGNATURE], 5, hash);
    promises_add(&p[PROMISE_SIGNATURE], 900, hash);
    assert_int_equal(promises_write(p, &bytes, &len), 0);
    assert_int_equal(promises_read(back, bytes, len), 0);
    assert_false(promises_allow(&back[PROMISE_VOTE], 6, NULL));
    assert_true(promises_allow(&back[PROMISE_VOTE], 900, NULL));
    assert_true(promises_allow(&back[PROMISE_SIGNATURE], 5, hash));
    assert_false(promises_allow(&back[PROMISE_SIGNATURE], 900, NULL));
    for (size_t n = 0; n < len; n++)
        assert_int_equal(promises_read(back, bytes, n), ERR_FORMAT);
    bytes[0] ^= 1;
    assert_int_equal(promises_read(back, bytes, len), ERR_FORMAT);
    assert_false(promises_allow(&back[PROMISE_VOTE], 6, NULL));
    free(bytes);
}

const struct CMUnitTest test_promises[] = {
    cmocka_unit_test(i10_nothing_done_is_ever_forgotten),
    cmocka_unit_test(i10_what_is_given_up_is_the_least),
    cmocka_unit_test(promises_go_round),
};
TEST_SUITE(test_promises);
