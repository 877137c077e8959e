/* tests/unit/test_mlkem.c - ML-KEM-768 of the library that this machine has: found where
 * it is and nowhere else, and right (sphinx/mlkem.h). tests/independent compares every
 * byte with another implementation. */
#include "tests/runner.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <sodium.h>
#include <string.h>

#include "lib/codec.h"
#include "sphinx/mlkem.h"

/* OpenSSL from 3.5 on has it, and no libsodium as old as 1.0.18, whose library version
 * is 10. */
static void
it_is_found_where_a_library_has_it(void **state)
{
    (void)state;
    const struct mlkem *kem = mlkem_find();
    if (OpenSSL_version_num() >= 0x30500000)
        assert_string_equal(kem ? kem->name : "none", "OpenSSL");
    else if (sodium_library_version_major() < 26)
        assert_null(kem);
    if (!kem)
        print_message(
            "[   NOTE   ] neither OpenSSL 3.5 nor libsodium 1.0.22\n");
}

static void
hex(const json_t *o, const char *key, uint8_t *out, size_t len)
{
    assert_int_equal(
        codec_unhex(out, len, json_string_value(json_object_get(o, key))), 0);
}

static void
a_ciphertext_is_that_of_nists_vector(void **state)
{
    (void)state;
    const struct mlkem *kem = mlkem_find();
    json_t *v = json_load_file("tests/vectors/mlkem768.json", 0, NULL);
    uint8_t key[MLKEM_PUBLIC_LEN], message[32], want[32], begin[32], end[17];
    uint8_t ciphertext[MLKEM_CIPHERTEXT_LEN], share[MLKEM_SHARE_LEN];
    assert_non_null(v);
    hex(v, "ek", key, sizeof key);
    hex(v, "m", message, sizeof message);
    hex(v, "k", want, sizeof want);
    hex(v, "begin", begin, sizeof begin);
    hex(v, "end", end, sizeof end);
    json_decref(v);
    if (!kem)
        return;
    assert_int_equal(kem->encapsulate(key, message, ciphertext, share), 0);
    assert_memory_equal(share, want, sizeof want);
    assert_memory_equal(ciphertext, begin, sizeof begin);
    assert_memory_equal(ciphertext + sizeof ciphertext - sizeof end, end,
                        sizeof end);
}

/* What one makes the other finds; of what was changed another share, and nothing fails. */
static void
shares_agree(void **state)
{
    (void)state;
    const struct mlkem *kem = mlkem_find();
    uint8_t seed[MLKEM_SEED_LEN] = {1}, message[MLKEM_MESSAGE_LEN] = {2};
    uint8_t key[MLKEM_PUBLIC_LEN], ciphertext[MLKEM_CIPHERTEXT_LEN];
    uint8_t share[MLKEM_SHARE_LEN], found[MLKEM_SHARE_LEN];
    void *pair;
    if (!kem)
        return;
    for (uint8_t i = 0; i < 10; i++) {
        seed[5] = message[9] = i;
        assert_int_equal(kem->key_new(&pair, seed), 0);
        assert_int_equal(kem->key_public(pair, key), 0);
        assert_int_equal(kem->encapsulate(key, message, ciphertext, share), 0);
        assert_int_equal(kem->decapsulate(pair, ciphertext, found), 0);
        assert_memory_equal(found, share, sizeof share);
        ciphertext[100 * i] ^= 1;
        assert_int_equal(kem->decapsulate(pair, ciphertext, found), 0);
        assert_memory_not_equal(found, share, sizeof share);
        kem->key_free(pair);
        key[0] = key[1] = key[2] = 0xff; /* 4,095 is more than q */
        assert_int_equal(kem->encapsulate(key, message, ciphertext, share),
                         ERR_POINT);
    }
}

const struct CMUnitTest test_mlkem[] = {
    cmocka_unit_test(it_is_found_where_a_library_has_it),
    cmocka_unit_test(a_ciphertext_is_that_of_nists_vector),
    cmocka_unit_test(shares_agree),
};
TEST_SUITE(test_mlkem);
