/* tests/scenario/test_restart.c - a real relay that is killed, or asked to go,
 * and comes back within the epoch: the same port and keys, nothing twice. */
#include "tests/runner.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tests/rig.h"

enum { SIDE = 2, EACH = 2 * SPHINX_ORDERS_MAX };

struct course {
    struct rig rig;
    size_t got, want;
};

static void
came(void *ctx, struct rig_peer *at, size_t n)
{
    (void)at;
    ((struct course *)ctx)->got += n;
}

static bool
all_came(void *ctx)
{
    const struct course *c = ctx;
    return c->got >= c->want;
}

static void
packets_send(struct course *c, const uint8_t *packets, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(link_send(c->rig.peer[i % SIDE].link,
                                   packets + i * c->rig.packet_len),
                         0);
}

static void
comes_back(int signo)
{
    static struct course c;
    char bin[RIG_BIN_MAX];
    memset(&c, 0, sizeof c);
    const struct rig_config config = {.side = SIDE,
                                      .core = -1,
                                      .conf = "workers = 2",
                                      .isa = X25519_GENERIC,
                                      .delay_mean_us = 5000,
                                      .frames = came,
                                      .ctx = &c};
    rig_bin(bin);
    rig_init(&c.rig, &config);
    uint8_t *before = rig_packets(&c.rig, EACH);
    uint8_t *after = rig_packets(&c.rig, EACH);
    rig_start(&c.rig, bin);
    packets_send(&c, before, EACH);
    c.want = EACH;
    assert_true(rig_turn(&c.rig, 20, all_came, &c));
    rig_stop(&c.rig, signo);
    rig_start(&c.rig, bin);
    /* what passed before passes no more; what was made before for its keys
     * does */
    packets_send(&c, before, EACH);
    packets_send(&c, after, EACH);
    c.want = 2 * EACH;
    assert_true(rig_turn(&c.rig, 20, all_came, &c));
    (void)rig_turn(&c.rig, 0.5, NULL, NULL);
    assert_int_equal(c.got, 2 * EACH);
    rig_free(&c.rig);
    free(before);
    free(after);
}

static void
killed_it_comes_back_with_the_same_keys(void **state)
{
    (void)state;
    comes_back(SIGKILL);
}

static void
asked_to_go_it_drains_and_comes_back(void **state)
{
    (void)state;
    comes_back(SIGTERM);
}

const struct CMUnitTest test_restart[] = {
    cmocka_unit_test(killed_it_comes_back_with_the_same_keys),
    cmocka_unit_test(asked_to_go_it_drains_and_comes_back),
};
TEST_SUITE(test_restart);
