/* tests/unit/test_places.c - places for packets, shared by link and by delay. */
#include "tests/runner.h"

#include "lib/rng.h"
#include "relay/places.h"
#include "tests/network.h"

enum { MAX = 1000, CLIENTS = 64, LONG_US = 16000000 };

static const uint8_t key[16] = {7};

static struct places *
places(void)
{
    struct places *p;
    assert_int_equal(places_new(&p, MAX, CLIENTS, key), 0);
    return p;
}

/* Let n links take all they can get, in turn; returns what one holds. */
static uint32_t
fill(struct places *p, uint32_t n)
{
    for (bool more = true; more;) {
        more = false;
        for (uint32_t i = 0; i < n; i++)
            more |= places_take(p, places_client(p, i), 0, LONG_US) == 0;
    }
    return places_held(p, places_client(p, 0));
}

/* n links that want everything have 2 / (2n + 1) each, and one that comes later
 * finds as much as that without taking anything from them. */
static void
links_have_equal_shares(void **state)
{
    (void)state;
    for (uint32_t n = 1; n < CLIENTS; n++) {
        struct places *p = places();
        const uint32_t each = fill(p, n), fair = 2 * MAX / (2 * n + 1);
        for (uint32_t i = 0; i < n; i++)
            assert_in_range(places_held(p, places_client(p, i)), each - 2,
                            each + 2);
        assert_in_range(each, fair - 2, fair + 2);
        const uint32_t late = places_client(p, n);
        uint32_t got = 0;
        while (places_take(p, late, 0, LONG_US) == 0)
            got++;
        assert_true(got * 2 * (n + 1) > MAX / 2);
        places_free(&p);
    }
}

/* The longest delay that is taken falls with the free places, as said. */
static void
long_delays_give_way(void **state)
{
    (void)state;
    struct places *p = places();
    const uint32_t quick = places_client(p, 0), slow = places_client(p, 1);
    for (uint32_t held = 0; held < MAX / 2; held++) {
        const uint64_t most_us = (uint64_t)LONG_US * (MAX - held) / MAX;
        assert_int_equal(places_take(p, slow, most_us + 1, LONG_US), ERR_DELAY);
        assert_int_equal(places_take(p, slow, most_us, LONG_US), 0);
        places_give(p, slow);
        assert_int_equal(places_take(p, quick, 0, LONG_US), 0);
    }
    places_free(&p);
}

/* So it does with what is free of the link's own share, which is less from the
 * middle on. */
static void
long_delays_give_way_in_a_link(void **state)
{
    (void)state;
    struct places *p = places();
    const uint32_t link = places_client(p, 0);
    for (uint32_t held = 0; held <= 2 * MAX / 3; held++) {
        const uint64_t share = 2 * (MAX - held);
        const uint64_t all_us = (uint64_t)LONG_US * (MAX - held) / MAX;
        const uint64_t link_us = LONG_US * (share - held) / share;
        const uint64_t most_us = link_us < all_us ? link_us : all_us;
        assert_true((link_us < all_us) == (held > MAX / 2));
        assert_int_equal(places_take(p, link, most_us + 1, LONG_US), ERR_DELAY);
        assert_int_equal(places_take(p, link, most_us, LONG_US), 0);
        places_give(p, link);
        assert_int_equal(places_take(p, link, 0, LONG_US), 0);
    }
    assert_int_equal(places_take(p, link, 0, LONG_US), ERR_SHARE);
    places_free(&p);
}

/* Against a plain model: any order of taking and giving back. */
static void
counts_are_exact(void **state)
{
    (void)state;
    struct test_env env;
    struct places *p = places();
    uint32_t held[8] = {0}, all = 0;
    test_env_init(&env, test_seed());
    for (unsigned i = 0; i < 20000; i++) {
        const uint32_t k = (uint32_t)rng_below(&env.env, 8);
        if (rng_below(&env.env, 5) < 2 && held[k] > 0) {
            places_give(p, places_client(p, k));
            held[k]--;
            all--;
        } else {
            const int err = places_take(p, places_client(p, k), 0, LONG_US);
            assert_int_equal(err, held[k] < 2 * (MAX - all) ? 0 : ERR_SHARE);
            held[k] += err == 0;
            all += err == 0;
        }
        assert_int_equal(places_held(p, places_client(p, k)), held[k]);
    }
    /* the relay's own packets need no share, and take none */
    fill(p, CLIENTS);
    assert_int_equal(places_take(p, PLACES_OWN, LONG_US, LONG_US), 0);
    places_give(p, PLACES_OWN);
    places_free(&p);
}

/* Two relays share a number as often as chance has it. */
static void
relays_are_told_apart(void **state)
{
    (void)state;
    static uint8_t used[PLACES_RELAYS];
    struct places *p = places();
    uint32_t same = 0;
    for (uint32_t i = 0; i < 300; i++) {
        uint8_t id[SPHINX_ID_LEN] = {(uint8_t)i, (uint8_t)(i >> 8)};
        const uint32_t link = places_relay(p, id);
        assert_true(link < PLACES_RELAYS);
        assert_int_equal(places_relay(p, id), link);
        same += used[link]++ > 0;
    }
    /* 10.9 expected; more than 32 once in a million keys, and the key is fixed */
    assert_in_range(same, 1, 32);
    places_free(&p);
}

const struct CMUnitTest test_places[] = {
    cmocka_unit_test(links_have_equal_shares),
    cmocka_unit_test(long_delays_give_way),
    cmocka_unit_test(long_delays_give_way_in_a_link),
    cmocka_unit_test(counts_are_exact),
    cmocka_unit_test(relays_are_told_apart),
};
TEST_SUITE(test_places);
