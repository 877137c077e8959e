/* tests/unit/test_blocks.c - limits of each address block. */
#include "tests/runner.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "lib/blocks.h"
#include "lib/address.h"
#include "lib/rng_seeded.h"

static const uint8_t hash_key[16] = {7};
static const struct blocks_config limits = {.links_max = 5,
                                            .per_minute = 60,
                                            .burst = 10,
                                            .entries = 64,
                                            .hash_key = hash_key};

static struct sockaddr_storage
at(const char *text)
{
    struct sockaddr_storage out;
    socklen_t len;
    assert_int_equal(address_parse(&out, &len, text), 0);
    return out;
}

static int
take(struct blocks *b, const char *text, uint64_t now_us, uint32_t *entry)
{
    struct sockaddr_storage from = at(text);
    return blocks_take(b, &from, now_us, entry);
}

static void
links_are_counted_by_block(void **state)
{
    (void)state;
    struct blocks *b;
    uint32_t e[6];
    assert_int_equal(blocks_new(&b, &limits), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(take(b, "192.0.2.7:1", 0, &e[i]), 0);
    assert_int_equal(take(b, "192.0.2.200:9", 0, &e[5]), ERR_FULL);
    assert_int_equal(take(b, "[::ffff:192.0.2.9]:9", 0, &e[5]), ERR_FULL);
    assert_int_equal(take(b, "192.0.3.7:1", 0, &e[5]), 0); /* next door */
    blocks_give(b, e[2]);
    assert_int_equal(take(b, "192.0.2.7:1", 0, &e[2]), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(take(b, "[2001:db8:1:2::3]:1", 0, &e[i]), 0);
    assert_int_equal(take(b, "[2001:db8:1:ffff::]:1", 0, &e[5]), ERR_FULL);
    assert_int_equal(take(b, "[2001:db8:2::]:1", 0, &e[5]), 0);
    blocks_free(&b);
}

static void
handshakes_have_a_rate(void **state)
{
    (void)state;
    struct blocks *b;
    uint32_t e;
    unsigned passed = 0;
    assert_int_equal(blocks_new(&b, &limits), 0);
    for (int i = 0; i < 30; i++) {
        int err = take(b, "192.0.2.7:1", 5000000, &e);
        assert_true(err == 0 || err == ERR_RATE);
        if (!err)
            blocks_give(b, e);
        passed += !err;
    }
    assert_int_equal(passed, limits.burst);
    for (uint64_t ms = 0; ms < 100000; ms += 10) /* one a second from then on */
        if (take(b, "192.0.2.7:1", 5000000 + ms * 1000, &e) == 0) {
            blocks_give(b, e);
            passed++;
        }
    assert_in_range(passed, limits.burst + 99, limits.burst + 100);
    blocks_free(&b);
}

/* Where each address is a block of its own none pays for who is next door. */
static void
i11_hosts_have_rates_of_their_own(void **state)
{
    (void)state;
    static const char *const host[] = {"192.0.2.7:1", "192.0.2.8:1",
                                       "[2001:db8::7]:1", "[2001:db8::8]:1"};
    struct blocks *b;
    struct blocks_config c = limits;
    uint32_t e;
    c.by_host = true;
    assert_int_equal(blocks_new(&b, &c), 0);
    for (size_t i = 0; i < 4; i++) {
        unsigned passed = 0;
        for (int k = 0; k < 30; k++)
            if (take(b, host[i], 0, &e) == 0) {
                blocks_give(b, e);
                passed++;
            }
        assert_int_equal(passed, limits.burst);
    }
    assert_int_equal(take(b, "[::ffff:192.0.2.7]:9", 0, &e), ERR_RATE);
    for (int k = 0; k < 30; k++)
        assert_int_equal(take(b, "127.0.0.1:1", 0, &e), 0);
    blocks_free(&b);
}

static void
all_together_have_a_rate_but_the_favoured(void **state)
{
    (void)state;
    struct blocks *b;
    struct blocks_config all = limits;
    uint32_t e;
    char text[64];
    unsigned passed = 0;
    all.entries = 1024; /* each has its own */
    all.all_per_s = 4;
    all.all_burst = 20;
    assert_int_equal(blocks_new(&b, &all), 0);
    for (int i = 0; i < 100; i++) { /* as many blocks as tries */
        snprintf(text, sizeof text, "10.%d.0.1:1", i);
        passed += take(b, text, 0, &e) == 0;
    }
    assert_int_equal(passed, 20);
    assert_int_equal(take(b, "127.0.0.1:1", 0, &e), ERR_RATE);
    assert_int_equal(take(b, "[2001:db8::1]:1", 0, &e), ERR_RATE);
    const struct sockaddr_storage friends[] = {at("[2001:db8::1]:7"),
                                               at("192.0.2.1:9")};
    assert_int_equal(blocks_favour(b, friends, 2), 0);
    assert_int_equal(take(b, "[2001:db8::1]:1", 0, &e), 0);
    assert_int_equal(take(b, "192.0.2.1:1", 0, &e), 0);
    assert_int_equal(take(b, "[::ffff:192.0.2.1]:1", 0, &e), 0);
    assert_int_equal(take(b, "192.0.2.2:1", 0, &e), ERR_RATE);
    assert_int_equal(e, BLOCKS_NONE);
    assert_int_equal(take(b, "192.0.2.2:1", 250000, &e), 0);
    blocks_free(&b);
}

static void
one_block_cannot_use_up_what_is_for_all(void **state)
{
    (void)state;
    struct blocks *b;
    struct blocks_config all = limits;
    uint32_t e;
    all.all_per_s = 1;
    all.all_burst = 12;
    assert_int_equal(blocks_new(&b, &all), 0);
    for (int i = 0; i < 1000; i++)
        if (take(b, "192.0.2.1:1", 0, &e) == 0)
            blocks_give(b, e);
    assert_int_equal(take(b, "198.51.100.1:1", 0, &e), 0);
    assert_int_equal(take(b, "203.0.113.1:1", 0, &e), 0);
    assert_int_equal(take(b, "203.0.113.1:1", 0, &e), ERR_RATE);
    blocks_free(&b);
}

static void
loopback_is_free(void **state)
{
    (void)state;
    struct blocks *b;
    uint32_t e;
    assert_int_equal(blocks_new(&b, &limits), 0);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(take(b, "127.0.0.1:1", 0, &e), 0);
        assert_int_equal(take(b, "[::1]:1", 0, &e), 0);
        assert_true(e == BLOCKS_NONE);
        blocks_give(b, e);
    }
    blocks_free(&b);
}

/* More blocks than the table has places: together they get what one block
 * gets besides, so nobody gains by having many; and once they are idle their
 * places serve others. */
static void
many_blocks_share_what_is_left(void **state)
{
    (void)state;
    struct blocks *b;
    uint32_t e[4096];
    char text[ADDRESS_TEXT_MAX];
    size_t taken = 0;
    assert_int_equal(blocks_new(&b, &limits), 0);
    for (unsigned i = 0; i < 4096; i++) {
        snprintf(text, sizeof text, "10.%u.%u.1:1", i / 256, i % 256);
        if (take(b, text, 0, &e[taken]) == 0)
            taken++;
    }
    assert_in_range(taken, 64, 64 + limits.links_max);
    assert_int_equal(take(b, "192.0.2.7:1", 0, &e[taken]), ERR_FULL);
    while (taken > 0)
        blocks_give(b, e[--taken]);
    assert_int_equal(take(b, "192.0.2.7:1", 120000000, &e[0]), 0);
    blocks_free(&b);
}

/* Whatever is taken and given, an entry's links are those not given back. */
static void
random_course_keeps_count(void **state)
{
    (void)state;
    enum { BLOCKS = 40, STEPS = 200000 };
    struct blocks *b;
    struct rng_seeded rng;
    uint32_t held[BLOCKS][8];
    unsigned n[BLOCKS] = {0};
    struct blocks_config wide = limits;
    wide.entries = 4096; /* no sharing here */
    wide.per_minute = 60000;
    assert_int_equal(blocks_new(&b, &wide), 0);
    rng_seeded_init_u64(&rng, test_seed(), "blocks");
    for (uint64_t i = 0; i < STEPS; i++) {
        char text[ADDRESS_TEXT_MAX];
        uint64_t u = rng_seeded_u64(&rng);
        unsigned k = (unsigned)(u % BLOCKS);
        if (u >> 32 & 1) {
            snprintf(text, sizeof text, "10.0.%u.%u:1", k,
                     (unsigned)(u >> 40 & 0xff));
            int err = take(b, text, i * 10000, &held[k][n[k]]);
            assert_int_equal(err, n[k] < limits.links_max ? 0 : ERR_FULL);
            n[k] += !err;
        } else if (n[k] > 0) {
            blocks_give(b, held[k][--n[k]]);
        }
    }
    blocks_free(&b);
}

const struct CMUnitTest test_blocks[] = {
    cmocka_unit_test(links_are_counted_by_block),
    cmocka_unit_test(i11_hosts_have_rates_of_their_own),
    cmocka_unit_test(handshakes_have_a_rate),
    cmocka_unit_test(all_together_have_a_rate_but_the_favoured),
    cmocka_unit_test(one_block_cannot_use_up_what_is_for_all),
    cmocka_unit_test(loopback_is_free),
    cmocka_unit_test(many_blocks_share_what_is_left),
    cmocka_unit_test(random_course_keeps_count),
};
TEST_SUITE(test_blocks);
