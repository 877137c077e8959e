/* tests/unit/test_pack.c - compressed documents go round, and bad ones do not.
 */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "lib/pack.h"
#include "lib/rng_seeded.h"

enum { LEN = 300000 };

/* Text of which some is random, of every length up to a few, and long ones. */
static void
round_trips(void **state)
{
    (void)state;
    struct rng_seeded rng;
    uint8_t *text = malloc(LEN), *packed, *back;
    size_t packed_len, back_len;
    assert_non_null(text);
    rng_seeded_init_u64(&rng, test_seed(), "pack");
    for (size_t i = 0; i < LEN; i++)
        text[i] = i % 64 < 40 ? (uint8_t)('a' + i % 26)
                              : (uint8_t)rng_seeded_u64(&rng);
    for (size_t len = 0; len <= LEN; len = len < 100 ? len + 1 : 3 * len - 1) {
        assert_int_equal(pack_deflate(text, len, &packed, &packed_len), 0);
        assert_int_equal(
            pack_inflate(packed, packed_len, len, &back, &back_len), 0);
        assert_int_equal(back_len, len);
        assert_memory_equal(back, text, len);
        assert_int_equal(back[len], 0);
        free(back);
        if (len)
            assert_int_equal(
                pack_inflate(packed, packed_len, len - 1, &back, &back_len),
                ERR_LONG);
        free(packed);
    }
    free(text);
}

static void
bad_streams_are_refused(void **state)
{
    (void)state;
    static uint8_t text[5000];
    uint8_t *packed, *back, copy[600];
    size_t packed_len, back_len;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * i / 97);
    assert_int_equal(pack_deflate(text, 400, &packed, &packed_len), 0);
    assert_true(packed_len < sizeof copy);
    for (size_t len = 0; len < packed_len; len++)
        assert_int_equal(pack_inflate(packed, len, 5000, &back, &back_len),
                         ERR_SHORT);
    memcpy(copy, packed, packed_len);
    copy[packed_len] = 0;
    assert_int_equal(pack_inflate(copy, packed_len + 1, 5000, &back, &back_len),
                     ERR_FORMAT);
    for (size_t i = 0; i < packed_len; i++) { /* there is a checksum */
        copy[i] ^= 0x10;
        int err = pack_inflate(copy, packed_len, 5000, &back, &back_len);
        assert_true(err == 0 || err == ERR_FORMAT || err == ERR_SHORT ||
                    err == ERR_LONG);
        if (!err) { /* a bit that fills up an octet */
            assert_int_equal(back_len, 400);
            assert_memory_equal(back, text, 400);
            free(back);
        }
        copy[i] ^= 0x10;
    }
    free(packed);
}

const struct CMUnitTest test_pack[] = {
    cmocka_unit_test(round_trips),
    cmocka_unit_test(bad_streams_are_refused),
};
TEST_SUITE(test_pack);
