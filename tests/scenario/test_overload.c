/* tests/scenario/test_overload.c - a real relay under everything at once: a
 * neighbour that sends nothing but noise, one that does not read what is sent
 * to it, strangers that shake hands without end, and strangers that begin to
 * and never go on. What honest neighbours send arrives all the same, each
 * packet, in little memory. How fast, `make load` measures. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "tests/attack.h"

/* Sanitizers keep what is freed. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

enum {
    SIDE = 3,
    NOISY = SIDE - 1, /* before the relay */
    DEAF = SIDE - 1,  /* after it */
    EACH = 1000 * SPHINX_ORDERS_MAX,
    WINDOW = 100, /* under way */
    GROWTH_KIB = 8 << 10
};

struct course {
    struct rig rig;
    struct attack attack;
    const uint8_t *packets;
    size_t sent, got, noise;
};

static void
came(void *ctx, struct rig_peer *at, size_t n)
{
    struct course *c = ctx;
    if (at != &c->rig.peer[SIDE + DEAF])
        c->got += n;
}

static size_t
wanted(const struct course *c)
{
    return c->sent - c->sent / SIDE; /* the deaf one's apart */
}

/* Packets in turn for those after the relay, over the honest links. */
static bool
turn(void *ctx)
{
    struct course *c = ctx;
    while (c->sent < EACH && wanted(c) < c->got + WINDOW) {
        assert_int_equal(link_send(c->rig.peer[c->sent / SIDE % NOISY].link,
                                   c->packets + c->sent * c->rig.packet_len),
                         0);
        c->sent++;
    }
    c->noise += attack_noise(&c->attack, c->rig.peer[NOISY].link, 64);
    attack_handshakes(&c->attack);
    return c->sent == EACH && c->got >= wanted(c) && c->attack.shaken > 0;
}

static void
honest_packets_arrive_under_all_attacks(void **state)
{
    static struct course c;
    char bin[RIG_BIN_MAX];
    (void)state;
    memset(&c, 0, sizeof c);
    const struct rig_config config = {
        .side = SIDE,
        .core = -1,
        .conf = "workers = 2\nmemory_max = 64\nreplay_tags = 1000000",
        .isa = X25519_GENERIC,
        .delay_mean_us = 5000,
        .frames = came,
        .ctx = &c};
    rig_bin(bin);
    rig_init(&c.rig, &config);
    uint8_t *packets = rig_packets(&c.rig, EACH);
    c.packets = packets;
    rig_start(&c.rig, bin);
    attack_init(&c.attack, &c.rig, packets);
    const long kib = rig_memory_kib(&c.rig, "RssAnon:");
    attack_deafen(&c.rig.peer[SIDE + DEAF]);
    attack_half_open(&c.attack);
    assert_true(rig_turn(&c.rig, 60, turn, &c));
    assert_int_equal(c.got, wanted(&c));
    assert_true(c.noise > EACH);
    /* there is no room for so many handshakes; the rest hold their places for a
     * while, then whoever comes gets in */
    assert_in_range(attack_half_open_closed(&c.attack), ATTACK_HALF_OPEN / 2,
                    ATTACK_HALF_OPEN);
    const long grown = rig_memory_kib(&c.rig, "RssAnon:") - kib;
    print_message("  %zu packets of %zu beside %zu of noise and %u strangers; "
                  "memory %+ld KiB\n",
                  c.got, wanted(&c), c.noise, c.attack.shaken, grown);
    assert_true(SANITIZED || grown < GROWTH_KIB);
    attack_free(&c.attack);
    rig_free(&c.rig);
    free(packets);
}

const struct CMUnitTest test_overload[] = {
    cmocka_unit_test(honest_packets_arrive_under_all_attacks),
};
TEST_SUITE(test_overload);
