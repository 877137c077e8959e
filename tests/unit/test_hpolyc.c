/* tests/unit/test_hpolyc.c - ciphers against published vectors. */
#include <jansson.h>
#include <sodium.h>
#include <string.h>

#include "sphinx/cipher.h"
#include "tests/runner.h"

enum { MESSAGE_MAX = 4096 };

static size_t
hex_read(json_t *object, const char *key, uint8_t *out, size_t max)
{
    const char *hex = json_string_value(json_object_get(object, key));
    size_t len = 0;
    assert_non_null(hex);
    assert_int_equal(
        sodium_hex2bin(out, max, hex, strlen(hex), NULL, &len, NULL), 0);
    assert_int_equal(len * 2, strlen(hex));
    return len;
}

static void
published_vectors_pass(void **state)
{
    (void)state;
    struct cipher *c;
    json_t *root = json_load_file("tests/vectors/hpolyc.json", 0, NULL);
    json_t *list = json_object_get(root, "vectors");
    assert_int_equal(cipher_new(&c), 0);
    assert_int_equal(json_array_size(list), 10);
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *v = json_array_get(list, i);
        uint8_t key[32], tweak[32], plain[128], sealed[128], buf[128];
        assert_int_equal(hex_read(v, "key", key, sizeof key), 32);
        size_t tweak_len = hex_read(v, "tweak", tweak, sizeof tweak);
        size_t len = hex_read(v, "plaintext", plain, sizeof plain);
        assert_int_equal(hex_read(v, "ciphertext", sealed, sizeof sealed), len);
        memcpy(buf, plain, len);
        assert_int_equal(
            cipher_hpolyc(c, key, tweak, tweak_len, buf, len, true), 0);
        assert_memory_equal(buf, sealed, len);
        assert_int_equal(
            cipher_hpolyc(c, key, tweak, tweak_len, buf, len, false), 0);
        assert_memory_equal(buf, plain, len);
    }
    json_decref(root);
    cipher_free(&c);
}

/* Decryption undoes encryption at every length, and one changed octet changes
 * the whole: about half of all bits, six standard deviations either way. */
static void
every_length_inverts_and_diffuses(void **state)
{
    (void)state;
    struct cipher *c;
    static uint8_t plain[MESSAGE_MAX], one[MESSAGE_MAX], two[MESSAGE_MAX];
    uint8_t key[32];
    uint8_t seed[randombytes_SEEDBYTES] = {(uint8_t)test_seed()};
    randombytes_buf_deterministic(plain, sizeof plain, seed);
    memcpy(key, plain + 7, 32);
    assert_int_equal(cipher_new(&c), 0);
    for (size_t len = 16; len <= MESSAGE_MAX; len += len < 300 ? 1 : 271) {
        memcpy(one, plain, len);
        memcpy(two, plain, len);
        two[len * 5 % 7 * (len - 1) / 7] ^= 1;
        assert_int_equal(cipher_hpolyc(c, key, NULL, 0, one, len, true), 0);
        assert_int_equal(cipher_hpolyc(c, key, NULL, 0, two, len, true), 0);
        double bits = 0, n = (double)len * 8;
        for (size_t i = 0; i < len; i++)
            bits += __builtin_popcount(one[i] ^ two[i]);
        assert_true((bits - n / 2) * (bits - n / 2) < 36 * n / 4);
        assert_int_equal(cipher_hpolyc(c, key, NULL, 0, one, len, false), 0);
        assert_memory_equal(one, plain, len);
    }
    cipher_free(&c);
}

/* RFC 8439, section 2.5.2. */
static void
poly1305_vector_passes(void **state)
{
    (void)state;
    static const uint8_t key[32] = {
        0x85, 0xd6, 0xbe, 0x78, 0x57, 0x55, 0x6d, 0x33, 0x7f, 0x44, 0x52,
        0xfe, 0x42, 0xd5, 0x06, 0xa8, 0x01, 0x03, 0x80, 0x8a, 0xfb, 0x0d,
        0xb2, 0xfd, 0x4a, 0xbf, 0xf6, 0xaf, 0x41, 0x49, 0xf5, 0x1b};
    static const uint8_t tag[16] = {0xa8, 0x06, 0x1d, 0xc1, 0x30, 0x51,
                                    0x36, 0xc6, 0xc2, 0x2b, 0x8b, 0xaf,
                                    0x0c, 0x01, 0x27, 0xa9};
    static const char text[] = "Cryptographic Forum Research Group";
    struct cipher *c;
    uint8_t out[16];
    assert_int_equal(cipher_new(&c), 0);
    for (int i = 0; i < 2; i++) { /* the object is used again */
        assert_int_equal(cipher_poly1305(c, key, (const uint8_t *)text,
                                         sizeof text - 1, out),
                         0);
        assert_memory_equal(out, tag, 16);
    }
    cipher_free(&c);
}

/* The keystream is the same in whatever pieces it is taken, and equal to
 * libsodium's. */
static void
stream_is_chacha20_in_any_pieces(void **state)
{
    (void)state;
    struct cipher *c;
    uint8_t key[32], want[777], got[777];
    static const uint8_t nonce[8];
    memset(key, 0x5a, sizeof key);
    crypto_stream_chacha20(want, sizeof want, nonce, key);
    assert_int_equal(cipher_new(&c), 0);
    for (size_t piece = 1; piece <= sizeof want; piece += piece / 2 + 1) {
        memset(got, 0, sizeof got);
        assert_int_equal(cipher_stream_start(c, key), 0);
        for (size_t i = 0; i < sizeof got; i += piece) {
            size_t n = sizeof got - i < piece ? sizeof got - i : piece;
            assert_int_equal(cipher_stream_xor(c, got + i, n), 0);
        }
        assert_memory_equal(got, want, sizeof want);
    }
    cipher_free(&c);
    cipher_free(&c);
}

const struct CMUnitTest test_hpolyc[] = {
    cmocka_unit_test(published_vectors_pass),
    cmocka_unit_test(every_length_inverts_and_diffuses),
    cmocka_unit_test(poly1305_vector_passes),
    cmocka_unit_test(stream_is_chacha20_in_any_pieces),
};
TEST_SUITE(test_hpolyc);
