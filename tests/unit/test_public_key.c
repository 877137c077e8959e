/* tests/unit/test_public_key.c - which keys a relay may have. */
#include "tests/runner.h"

#include <sodium.h>
#include <string.h>

#include "lib/error.h"
#include "lib/rng_seeded.h"
#include "sphinx/sphinx.h"

enum { HOPS = 5, X_LEN = 32, Q = 3329, NUMBERS = 768 };

/* 2^255 - 19 + add, for -64 < add < 19. */
static void
near_p(uint8_t u[X_LEN], int add)
{
    memset(u, 0xff, X_LEN);
    u[0] = (uint8_t)(0xed + add);
    u[X_LEN - 1] = 0x7f;
}

/* X25519's answer is what counts: a key is refused when some secret of ours
 * gives zero with it, and then all do. */
static unsigned
judged_as_by_x25519(const struct sphinx_geometry *g, const uint8_t u[X_LEN])
{
    uint8_t key[X_LEN], ours[X_LEN], secret[X_LEN];
    unsigned bad = 0;
    memcpy(key, u, sizeof key);
    for (unsigned top = 0; top < 2; top++, key[X_LEN - 1] ^= 0x80) {
        randombytes_buf(ours, sizeof ours);
        const bool zero = crypto_scalarmult(secret, ours, key) != 0;
        assert_int_equal(sphinx_public_check(g, key), zero ? ERR_POINT : 0);
        bad += zero;
    }
    return bad;
}

static void
i2_no_key_gives_zero_secrets(void **state)
{
    (void)state;
    static const char order_8[2][2 * X_LEN + 1] = {
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"};
    struct sphinx_geometry g;
    struct rng_seeded rng;
    uint8_t u[X_LEN];
    unsigned bad = 0;
    sphinx_geometry_default(&g);
    for (int i = 0; i < 64; i++) {
        memset(u, 0, sizeof u);
        u[0] = (uint8_t)i;
        bad += judged_as_by_x25519(&g, u);
        near_p(u, -i);
        bad += judged_as_by_x25519(&g, u);
        if (i >= 19)
            continue;
        near_p(u, i);
        if (i > 0)
            bad += judged_as_by_x25519(&g, u);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(sodium_hex2bin(u, sizeof u, order_8[i], 2 * X_LEN,
                                        NULL, NULL, NULL),
                         0);
        bad += judged_as_by_x25519(&g, u);
        for (size_t bit = 0; bit < 8 * X_LEN - 1; bit += 5) { /* its like */
            u[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(judged_as_by_x25519(&g, u), 0);
            u[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    assert_int_equal(bad, 2 * 7); /* all there are */
    rng_seeded_init_u64(&rng, test_seed(), "public keys");
    for (int i = 0; i < 200; i++) {
        rng_seeded_bytes(&rng, u, sizeof u);
        assert_int_equal(judged_as_by_x25519(&g, u), 0);
    }
}

static void
number_put(uint8_t *key, unsigned at, unsigned value)
{
    uint8_t *p = key + at / 2 * 3;
    if (at % 2 == 0) {
        p[0] = (uint8_t)value;
        p[1] = (uint8_t)((p[1] & 0xf0) | value >> 8);
    } else {
        p[1] = (uint8_t)((p[1] & 0x0f) | (value & 15) << 4);
        p[2] = (uint8_t)(value >> 4);
    }
}

/* What OpenSSL says of a key, by building a packet for it. */
static int
packet_try(const struct sphinx_geometry *g, const uint8_t *key)
{
    static uint8_t packet[2 * 8192], body[8192];
    const uint8_t identity[SPHINX_ID_LEN] = {1}, seed[SPHINX_SEED_LEN] = {2};
    const struct sphinx_view view = {.geometry = *g};
    const struct sphinx_hop hop = {.public_key = key, .identity = identity};
    struct sphinx_worker *w;
    assert_true(g->packet_len <= sizeof packet && g->body_len <= sizeof body);
    assert_int_equal(sphinx_worker_new(&w), 0);
    int err = sphinx_create(w, &view, &hop, 1, seed, body, packet);
    sphinx_worker_free(&w);
    return err;
}

/* The modulus check of FIPS 203, number by number; and as OpenSSL has it, where
 * it has ML-KEM. */
static void
i2_hybrid_keys_are_within_the_modulus(void **state)
{
    (void)state;
    /* of its lengths this looks at none, so it works without OpenSSL's part */
    struct sphinx_geometry g = {.suite = SPHINX_SUITE_X25519_MLKEM768};
    const bool works = sphinx_suite_works(g.suite);
    uint8_t key[SPHINX_PUBLIC_MAX] = {9}, *mlkem = key + X_LEN;
    const uint8_t seed[SPHINX_SEED_LEN] = {7};
    if (works) {
        assert_int_equal(sphinx_geometry_init(&g, g.suite, HOPS, 8192, 1000),
                         0);
        assert_int_equal(sphinx_keypair(&g, key, seed), 0);
        assert_int_equal(packet_try(&g, key), 0);
    }
    assert_int_equal(sphinx_public_check(&g, key), 0);
    for (unsigned at = 0; at < NUMBERS; at++) {
        uint8_t was[3];
        memcpy(was, mlkem + at / 2 * 3, sizeof was);
        number_put(mlkem, at, Q - 1);
        assert_int_equal(sphinx_public_check(&g, key), 0);
        if (works && at % 97 == 0)
            assert_int_equal(packet_try(&g, key), 0);
        for (unsigned value = Q; value < 4096; value += 383) {
            number_put(mlkem, at, value);
            assert_int_equal(sphinx_public_check(&g, key), ERR_POINT);
            if (works && at % 97 == 0)
                assert_int_equal(packet_try(&g, key), ERR_POINT);
        }
        memcpy(mlkem + at / 2 * 3, was, sizeof was);
    }
    memset(key + SPHINX_PUBLIC_MAX - 32, 0xff, 32); /* rho is any */
    assert_int_equal(sphinx_public_check(&g, key), 0);
    memset(key, 0, X_LEN);
    assert_int_equal(sphinx_public_check(&g, key), ERR_POINT);
    g.suite = 77;
    assert_int_equal(sphinx_public_check(&g, key), ERR_SUITE);
}

const struct CMUnitTest test_public_key[] = {
    cmocka_unit_test(i2_no_key_gives_zero_secrets),
    cmocka_unit_test(i2_hybrid_keys_are_within_the_modulus),
};
TEST_SUITE(test_public_key);
