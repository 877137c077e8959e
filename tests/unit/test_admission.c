/* tests/unit/test_admission.c - who lets relays in. */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory/admission.h"
#include "lib/codec.h"
#include "lib/address.h"
#include "tests/network.h"

enum { NOW = 1800000000 };

static struct descriptor
relay(uint16_t number, const char *address, uint8_t family)
{
    struct descriptor d = {.relay.role = ROLE_MIX, .relay.n_addresses = 1};
    d.relay.identity[0] = (uint8_t)(number >> 8);
    d.relay.identity[1] = (uint8_t)number;
    d.relay.family[0] = family;
    snprintf(d.relay.addresses[0], ADDRESS_MAX, "%s", address);
    return d;
}

/* from: the address that it asks from. */
static int
judge_from(struct admission *a, struct descriptor d, const char *from,
           uint32_t epoch, const char *why_has)
{
    char why[ADMISSION_WHY_LEN];
    struct sockaddr_storage peer;
    socklen_t len;
    if (from)
        assert_int_equal(address_parse(&peer, &len, from), 0);
    int err = admission_judge(a, &d, from ? &peer : NULL, epoch, NOW, why);
    assert_int_equal(err == 0, why_has == NULL);
    if (why_has && !strstr(why, why_has))
        fail_msg("'%s' does not say '%s'", why, why_has);
    return err;
}

static int
judge(struct admission *a, struct descriptor d, uint32_t epoch,
      const char *why_has)
{
    return judge_from(a, d, d.relay.addresses[0], epoch, why_has);
}

static void
decide(struct admission *a, const char *text, size_t bad_wanted)
{
    size_t bad;
    assert_int_equal(admission_decide(a, text, &bad), 0);
    assert_int_equal(bad, bad_wanted);
}

static void
line(char *out, size_t room, const char *verb, const struct descriptor *d,
     const char *reason)
{
    char hex[65];
    codec_hex(hex, d->relay.identity, SPHINX_ID_LEN);
    assert_int_equal(admission_line(out, room, verb, hex, NOW, reason), 0);
}

static void
by_hand(void **state)
{
    (void)state;
    const struct admission_config config = {.policy = ADMISSION_MANUAL};
    struct admission *a;
    struct admission_item item;
    const struct descriptor x = relay(1, "192.0.2.1:1", 0),
                            y = relay(2, "192.0.2.2:1", 0);
    char text[1024], one[256], *list = NULL;
    size_t len;
    assert_int_equal(admission_new(&a, &config), 0);
    judge(a, x, 5, "waits for the operator");
    judge(a, y, 5, "waits for the operator");
    FILE *f = open_memstream(&list, &len);
    assert_non_null(f);
    admission_write_waiting(a, f);
    fclose(f);
    assert_non_null(strstr(list, " mix 192.0.2.2:1 1800000000\n"));
    free(list);
    line(text, sizeof text, "approve", &x, "");
    line(one, sizeof one, "reject", &y, "two of these are enough");
    strcat(text, one);
    decide(a, text, 0);
    judge(a, x, 5, NULL);
    judge(a, y, 5, "rejected it: two of these are enough");
    line(one, sizeof one, "ban", &x, "");
    strcat(text, one);
    line(one, sizeof one, "forget", &y, "");
    strcat(text, one);
    decide(a, text, 0);
    judge(a, x, 5, "banned");
    judge(a, y, 5, "waits");
    assert_true(admission_find(a, x.relay.identity, &item));
    assert_int_equal(item.state, ADMISSION_BANNED);
    /* who does not come any more waits no more; a ban stays */
    judge(a, relay(3, "192.0.2.3:1", 0), 5 + ADMISSION_EPOCHS + 1, "waits");
    assert_false(admission_find(a, y.relay.identity, &item));
    assert_true(admission_find(a, x.relay.identity, &item));
    admission_free(&a);
}

static void
open_with_limits(void **state)
{
    (void)state;
    const struct admission_config config = {
        .policy = ADMISSION_OPEN, .block_max = 2, .family_max = 3};
    struct admission *a;
    char text[256];
    assert_int_equal(admission_new(&a, &config), 0);
    const struct descriptor third = relay(3, "192.0.2.9:1", 0);
    judge(a, relay(1, "192.0.2.1:1", 0), 1, NULL);
    judge(a, relay(2, "192.0.2.2:1", 0), 1, NULL);
    judge(a, third, 1, "block of addresses");
    judge(a, relay(1, "192.0.2.1:1", 0), 1, NULL); /* it stays in */
    judge(a, relay(4, "192.0.3.1:1", 0), 1, NULL);
    judge(a, relay(5, "[2001:db8:1::1]:1", 0), 1, NULL);
    judge(a, relay(6, "[2001:db8:1:ffff::]:1", 0), 1, NULL);
    judge(a, relay(7, "[2001:db8:1:2::3]:1", 0), 1, "block of addresses");
    for (uint16_t i = 0; i < 3; i++) {
        char address[ADDRESS_MAX];
        snprintf(address, sizeof address, "198.51.%u.1:1", i);
        judge(a, relay((uint16_t)(20 + i), address, 7), 1, NULL);
    }
    judge(a, relay(30, "203.0.113.1:1", 7), 1, "family");
    judge(a, relay(31, "203.0.113.1:1", 8), 1, NULL);
    line(text, sizeof text, "approve", &third, "");
    decide(a, text, 0);
    judge(a, third, 1, NULL);
    /* two go; one who was refused gets in */
    judge(a, relay(7, "[2001:db8:1:2::3]:1", 0), 2 + ADMISSION_EPOCHS, NULL);
    admission_free(&a);
}

/* What a descriptor says of addresses is believed of where it comes from. */
static void
addresses_are_shown(void **state)
{
    (void)state;
    const struct admission_config config = {
        .policy = ADMISSION_OPEN, .block_max = 2, .family_max = 3};
    const char *const not_there = "publishes no address of the block";
    struct admission *a;
    assert_int_equal(admission_new(&a, &config), 0);
    /* a hundred relays of one machine, wherever they say they are */
    for (uint16_t i = 0; i < 100; i++) {
        char address[ADDRESS_MAX];
        snprintf(address, sizeof address, "198.51.%u.1:1", i);
        judge_from(a, relay(i, address, 0), "192.0.2.1:1", 1,
                   i < ADMISSION_WAITING_BLOCK_MAX ? not_there : "too many");
    }
    for (uint16_t i = 100; i < 110; i++)
        judge_from(a, relay(i, "127.0.0.1:1", 0), "192.0.2.1:1", 1, "alone");
    judge_from(a, relay(200, "203.0.7.1:1", 0), "203.0.113.1:1", 1, not_there);
    judge_from(a, relay(201, "nowhere", 0), "203.0.113.1:1", 1, "nobody's");
    /* behind a proxy all come from this machine */
    judge_from(a, relay(202, "198.51.100.1:1", 0), "127.0.0.1:1", 1, not_there);
    /* any of its addresses will do */
    struct descriptor two = relay(203, "198.51.100.1:1", 0);
    strcpy(two.relay.addresses[1], "[2001:db8:7::1]:1");
    two.relay.n_addresses = 2;
    judge_from(a, two, "[2001:db8:7:8::9]:1", 1, NULL);
    judge_from(a, two, "198.51.100.200:1", 1, NULL);
    /* who is in does not make room by saying that he is elsewhere */
    judge(a, relay(204, "198.51.100.2:1", 0), 1, NULL);
    judge(a, relay(205, "198.51.100.3:1", 0), 1,
          "too many relays of its block");
    judge_from(a, relay(204, "198.51.7.2:1", 0), "198.51.100.2:1", 1,
               not_there);
    judge(a, relay(205, "198.51.100.3:1", 0), 1, NULL);
    judge(a, relay(204, "198.51.100.2:1", 0), 1,
          "too many relays of its block");
    /* nor gets in elsewhere than others by being in here */
    judge(a, relay(206, "198.51.101.1:1", 0), 1, NULL);
    judge(a, relay(207, "198.51.101.2:1", 0), 1, NULL);
    judge(a, relay(205, "198.51.101.3:1", 0), 1,
          "too many relays of its block");
    /* after a restart those that were in are in */
    judge_from(a, relay(208, "198.51.102.1:1", 0), NULL, 1, NULL);
    judge(a, relay(208, "198.51.102.1:1", 0), 1, NULL);
    admission_free(&a);
}

/* A network on one machine has no blocks. */
static void
one_machine(void **state)
{
    (void)state;
    const struct admission_config config = {.policy = ADMISSION_OPEN,
                                            .block_max = 2,
                                            .family_max = 3,
                                            .local = true,
                                            .kind = ADDRESS_LOOPBACK};
    struct admission *a;
    assert_int_equal(admission_new(&a, &config), 0);
    for (uint16_t i = 0; i < 50; i++)
        judge(a, relay(i, i % 2 ? "127.0.0.1:1" : "[::1]:1", 0), 1, NULL);
    judge_from(a, relay(60, "198.51.100.1:1", 0), "127.0.0.1:1", 1,
               "publishes no address");
    admission_free(&a);
}

/* What others do not reach is not published, whatever the policy and whoever has
 * decided; in a network for fewer people it may be theirs alone. */
static void
what_nobody_reaches_is_refused(void **state)
{
    (void)state;
    static const char *const address[] = {"192.0.2.1:7100", "10.0.0.1:7100",
                                          "127.0.0.1:7100", "0.0.0.0:7100"};
    static const char *const why[] = {NULL, "a private one", "alone",
                                      "nobody's"};
    for (size_t kind = ADDRESS_PUBLIC; kind <= ADDRESS_LOOPBACK; kind++) {
        const struct admission_config config = {
            .policy = ADMISSION_OPEN, .kind = (enum address_kind)kind};
        struct admission *a;
        assert_int_equal(admission_new(&a, &config), 0);
        for (uint16_t i = 0; i < 4; i++) {
            struct descriptor d = relay(i, address[i], 0);
            char text[256];
            judge_from(a, d, NULL, 1, i > kind ? why[i] : NULL);
            line(text, sizeof text, "approve", &d, "");
            decide(a, text, 0);
            judge_from(a, d, NULL, 1, i > kind ? why[i] : NULL);
            /* nor beside one that is good */
            d.relay.n_addresses = 2;
            strcpy(d.relay.addresses[1], d.relay.addresses[0]);
            strcpy(d.relay.addresses[0], "192.0.2.1:7100");
            judge_from(a, d, NULL, 1, i > kind ? "relay.conf" : NULL);
        }
        admission_free(&a);
    }
}

/* Another policy is in force from the next look on. */
static void
a_policy_can_change(void **state)
{
    (void)state;
    struct admission_config config = {.policy = ADMISSION_OPEN};
    const struct descriptor x = relay(1, "192.0.2.1:1", 0);
    struct admission *a;
    assert_int_equal(admission_new(&a, &config), 0);
    judge(a, x, 1, NULL);
    config.policy = ADMISSION_MANUAL;
    admission_configure(a, &config);
    judge(a, x, 1, "waits for the operator");
    config.policy = ADMISSION_OPEN;
    admission_configure(a, &config);
    judge(a, x, 1, NULL);
    admission_free(&a);
}

/* What an authority is told by default: four of a /48, sixteen of a /32, mixes
 * alone. 50 relays of 25 blocks of one provider ask in a day; another provider's
 * are nobody's rivals; and whoever was let in as a mix is no store. */
static void
i11_a_provider_is_not_the_network(void **state)
{
    (void)state;
    const struct admission_config config = {.policy = ADMISSION_OPEN,
                                            .block_max = 4,
                                            .range_max = 16,
                                            .family_max = 32,
                                            .by_hand = 1u << ROLE_GATEWAY |
                                                       1u << ROLE_STORE};
    struct admission *a;
    struct descriptor d;
    char address[ADDRESS_MAX], text[256];
    assert_int_equal(admission_new(&a, &config), 0);
    for (uint16_t i = 0; i < 50; i++) {
        snprintf(address, sizeof address, "[2001:db8:%x::%u]:1", i / 2, i);
        judge(a, relay(i, address, 0), 1, i < 16 ? NULL : "provider");
    }
    judge(a, relay(60, "[2001:db9:1::1]:1", 0), 1, NULL);
    for (uint16_t i = 100; i < 120; i++) {
        snprintf(address, sizeof address, "198.51.%u.1:1", i);
        judge(a, relay(i, address, 0), 1, i < 116 ? NULL : "provider");
    }
    judge(a, relay(130, "198.50.100.1:1", 0), 1, NULL);
    for (uint8_t role = ROLE_GATEWAY; role <= ROLE_STORE; role += 2) {
        d = relay(60 + role, "[2001:dba:1::1]:1", 0);
        d.relay.role = role;
        judge(a, d, 1, "approve it: gateways or stores");
        line(text, sizeof text, "approve", &d, "");
        decide(a, text, 0);
        judge(a, d, 1, NULL);
        d = relay(60, "[2001:db9:1::1]:1", 0);
        d.relay.role = role;
        judge(a, d, 2, "approve it: gateways or stores");
    }
    admission_free(&a);
}

/* Whoever is approved as a mix is no store by that, also when the decisions are
 * read again. */
static void
i11_a_mix_that_is_approved_is_no_store(void **state)
{
    (void)state;
    const struct admission_config config = {.by_hand = 1u << ROLE_STORE};
    struct admission *a;
    struct descriptor d = relay(1, "192.0.2.1:1", 0);
    char hex[65], text[512], again[256];
    codec_hex(hex, d.relay.identity, SPHINX_ID_LEN);
    for (unsigned asks_first = 0; asks_first < 2; asks_first++) {
        assert_int_equal(admission_new(&a, &config), 0);
        if (asks_first)
            judge(a, d, 1, NULL);
        line(text, sizeof text, "approve", &d, "");
        decide(a, text, 0);
        if (!asks_first)
            judge(a, d, 1, NULL);
        for (unsigned i = 0; i < 3; i++, decide(a, text, 0)) {
            d.relay.role = ROLE_STORE;
            judge(a, d, 1, "was approved as a mix and is a store now");
            d.relay.role = ROLE_MIX;
            judge(a, d, 1, NULL);
        }
        d.relay.role = ROLE_STORE;
        judge(a, d, 1, "approve it again");
        snprintf(again, sizeof again, "approve %s %d \n", hex, NOW + 1);
        strcat(text, again);
        decide(a, text, 0);
        judge(a, d, 1, NULL);
        d.relay.role = ROLE_MIX;
        judge(a, d, 1, "was approved as a store and is a mix now");
        admission_free(&a);
    }
}

/* Relay i asks to be let in; as many of them are of one block, and of one range, as
 * may wait. */
static void
stranger_asks(struct admission *a, uint16_t i, const char *why)
{
    char address[ADDRESS_MAX];
    snprintf(address, sizeof address, "198.%u.%u.1:1",
             i / ADMISSION_WAITING_RANGE_MAX, i / ADMISSION_WAITING_BLOCK_MAX);
    judge(a, relay(i, address, 0), 1, why);
}

/* A flood of newcomers is bounded, and lines that are none are counted. */
static void
bounds(void **state)
{
    (void)state;
    const struct admission_config config = {.policy = ADMISSION_MANUAL};
    struct admission *a;
    char text[256];
    assert_int_equal(admission_new(&a, &config), 0);
    for (uint16_t i = 0; i < ADMISSION_WAITING_MAX + 100; i++)
        stranger_asks(a, i, i < ADMISSION_WAITING_MAX ? "waits" : "too many");
    assert_int_equal(admission_count(a), ADMISSION_WAITING_MAX);
    admission_free(&a);
    assert_int_equal(admission_new(&a, &config), 0);
    for (uint16_t i = 0; i < 2 * ADMISSION_WAITING_RANGE_MAX; i++) {
        char address[ADDRESS_MAX];
        snprintf(address, sizeof address, "[2001:db8:%x::1]:1", i);
        judge(a, relay(i, address, 0), 1,
              i < ADMISSION_WAITING_RANGE_MAX ? "waits" : "too many");
    }
    judge(a, relay(5000, "[2001:db9:1::1]:1", 0), 1, "waits");
    for (uint16_t i = ADMISSION_WAITING_RANGE_MAX; i < ADMISSION_WAITING_MAX;
         i++)
        stranger_asks(a, i,
                      i + 1 < ADMISSION_WAITING_MAX ? "waits" : "too many");
    assert_int_equal(admission_count(a), ADMISSION_WAITING_MAX);
    decide(a, "approve\nnothing 00 1 \n\napprove 00 7 x\n", 3);
    assert_int_equal(admission_count(a), ADMISSION_WAITING_MAX);
    assert_int_equal(admission_line(text, sizeof text, "bless", "00", 1, ""),
                     ERR_FORMAT);
    assert_int_equal(admission_line(text, sizeof text, "ban", "00", 1, ""),
                     ERR_FORMAT);
    admission_free(&a);
}

const struct CMUnitTest test_admission[] = {
    cmocka_unit_test(by_hand),
    cmocka_unit_test(open_with_limits),
    cmocka_unit_test(addresses_are_shown),
    cmocka_unit_test(one_machine),
    cmocka_unit_test(what_nobody_reaches_is_refused),
    cmocka_unit_test(a_policy_can_change),
    cmocka_unit_test(i11_a_provider_is_not_the_network),
    cmocka_unit_test(i11_a_mix_that_is_approved_is_no_store),
    cmocka_unit_test(bounds),
};
TEST_SUITE(test_admission);
