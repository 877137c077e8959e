/* tests/scenario/test_i11_clients.c - I11: a gateway's places go to those who
 * use them.
 *
 * Strangers connect, say what an honest client says first, and send nothing that
 * is answered. When a gateway is full and somebody comes, the one of them that
 * is here longest gives way; who has had an answer stays, whoever comes. Also:
 * who has not told a profile has the slowest one's rate. */
#include "tests/runner.h"

#include <string.h>

#include "lib/wire.h"
#include "tests/rig.h"
#include "tests/world.h"

enum {
    PLACES = 64, /* a world's gateway has, and as many nodes are made */
    GRACE_S = 15,
    FLOOD = 400
};

static const struct sim_node_ops nobody;

static struct world *
world_small(void (*params)(struct params *p))
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 1,
                                        .layers = 3,
                                        .mixes = 1,
                                        .stores = 2,
                                        .params = params,
                                        .seed = test_seed()};
    return world_new(&config);
}

/* Connect a stranger, who tells a profile or (NULL) says nothing. */
static int
stranger_open(struct world *w, uint32_t node, const char *profile,
              uint32_t *link)
{
    const struct params *p = &w->net.consensus->params;
    struct team *gateway = w->relay[0].team;
    int err = team_client_open(gateway, 0, node, link);
    if (err || !profile)
        return err;
    struct wire_control control = {
        .profile = (uint8_t)(params_profile(p, profile) - p->profiles)};
    uint8_t frame[WORLD_PACKET] = {0};
    memcpy(control.handle, link, sizeof *link);
    assert_int_equal(wire_control_write(frame, sizeof frame, &control), 0);
    team_client_frame(gateway, *link, frame);
    return 0;
}

/* Two honest clients, the first to come and the last, and strangers on all other
 * places. These give way in the order of their coming, none before its time, and
 * when only honest ones are left nobody does. */
static void
i11_who_is_never_answered_gives_way(void **state)
{
    (void)state;
    struct world *w = world_small(NULL);
    struct relay *gateway = w->relay[0].relay;
    struct world_client *honest[2];
    struct env *env;
    const uint32_t node = engine_add(w->engine, &nobody, false, &env);
    uint32_t link, idler, n = 0;
    honest[0] = world_client_add(w, "light", 0);
    for (uint32_t i = 1; i < PLACES - 1; i++) {
        assert_int_equal(stranger_open(w, node, "light", &link), 0);
        assert_int_equal(relay_client_idler(gateway, &idler),
                         i > 2 * GRACE_S + 1);
        world_run_s(w, 0.5);
    }
    honest[1] = world_client_add(w, "light", 0);
    for (uint32_t i = 1; i <= 2 * GRACE_S; i++) {
        assert_int_equal(stranger_open(w, node, NULL, &link), ERR_FULL);
        assert_true(relay_client_idler(gateway, &idler));
        assert_int_equal(idler, i); /* numbers follow the order of coming */
        relay_client_close(gateway, idler);
        assert_int_equal(stranger_open(w, node, "light", &link), 0);
    }
    world_run_s(w, GRACE_S + 5);
    for (; relay_client_idler(gateway, &idler); n++)
        relay_client_close(gateway, idler);
    assert_int_equal(n, PLACES - 2);
    for (size_t i = 0; i < 2; i++) {
        struct client_status s;
        client_status(honest[i]->client, &s);
        assert_true(s.connected && s.answers > 0);
    }
    world_free(&w);
}

static void
params_slow_pieces(struct params *p)
{
    p->piece_interval_us = 20000000;
}

/* A newcomer has time for the consensus, before which it cannot ask for anything,
 * and for a first answer; no more, whether it takes the consensus or not. */
static void
i11_newcomers_have_time_for_the_consensus(void **state)
{
    (void)state;
    struct world *w = world_small(params_slow_pieces);
    struct relay *gateway = w->relay[0].relay;
    struct env *env;
    const uint32_t node = engine_add(w->engine, &nobody, false, &env);
    uint32_t link, idler;
    assert_int_equal(stranger_open(w, node, NULL, &link), 0);
    world_run_s(w, GRACE_S + 5);
    assert_false(relay_client_idler(gateway, &idler));
    world_run_s(w, 600);
    assert_true(relay_client_idler(gateway, &idler));
    world_free(&w);
}

/* Without a profile a client is heard at the rate of the slowest, 1.375 frames a
 * second: 64 at once, then a quarter more than that. */
static void
i11_without_a_profile_a_client_is_slow(void **state)
{
    (void)state;
    struct world *w = world_small(NULL);
    struct relay *gateway = w->relay[0].relay;
    struct env *env;
    const uint32_t node = engine_add(w->engine, &nobody, false, &env);
    uint8_t frame[WORLD_PACKET] = {WIRE_PACKET, UINT8_MAX};
    uint32_t link;
    assert_int_equal(stranger_open(w, node, NULL, &link), 0);
    const uint64_t before = relay_stats(gateway)->dropped[-ERR_RATE];
    for (unsigned i = 0; i < FLOOD; i++) {
        team_client_frame(w->relay[0].team, link, frame);
        world_run_s(w, 0.05);
    }
    const uint64_t heard =
        FLOOD - (relay_stats(gateway)->dropped[-ERR_RATE] - before);
    assert_in_range(heard, 64 + 20 * 1.375 * 1.25 - 2, 64 + 20 * 1.375 * 1.25);
    world_free(&w);
}

/* ---- a real gateway ---- */

enum { REAL_PLACES = 3 };

struct course {
    unsigned up, down;
};

static void
link_up(void *ctx, struct link *l, const uint8_t *peer)
{
    (void)l;
    (void)peer;
    ((struct course *)ctx)->up++;
}

static void
link_frames(void *ctx, struct link *l, uint8_t *frames, size_t n)
{
    (void)ctx;
    (void)l;
    (void)frames;
    (void)n;
}

static void
link_down(void *ctx, struct link *l, int err)
{
    (void)l;
    (void)err;
    ((struct course *)ctx)->down++;
}

static const struct link_ops link_ops = {link_up, link_frames, link_down};

static bool
all_are_up(void *ctx)
{
    return ((struct course *)ctx)->up == REAL_PLACES;
}

static bool
one_is_down(void *ctx)
{
    return ((struct course *)ctx)->down > 0;
}

/* Three strangers have all places of a real gateway; after a quarter of a minute
 * a fourth is let in and one of them is gone, and a fifth right afterwards sends
 * another away. Before that newcomers are refused. */
static void
i11_a_full_gateway_lets_newcomers_in(void **state)
{
    (void)state;
    static struct rig rig;
    static struct course old, new;
    char bin[RIG_BIN_MAX];
    struct link *l[REAL_PLACES + 2];
    const struct rig_config config = {.gateway = true,
                                      .side = 1,
                                      .core = -1,
                                      .isa = X25519_GENERIC,
                                      .conf = "clients_max = 3\nworkers = 1"};
    if (!test_proof())
        skip(); /* it has to wait for 16 s of real time */
    old = new = (struct course){0};
    rig_bin(bin);
    rig_init(&rig, &config);
    rig_start(&rig, bin);
    for (int i = 0; i < REAL_PLACES; i++)
        l[i] = rig_connect(&rig, -1, &link_ops, &old);
    assert_true(rig_turn(&rig, 10, all_are_up, &old));
    l[REAL_PLACES] = rig_connect(&rig, -1, &link_ops, &new);
    assert_true(rig_turn(&rig, 10, one_is_down, &new));
    (void)rig_turn(&rig, GRACE_S + 1, NULL, NULL);
    assert_int_equal(old.down, 0);
    link_free(&l[REAL_PLACES]);
    new = (struct course){0};
    for (unsigned i = 0; i < 2; i++) {
        old.down = 0;
        l[REAL_PLACES + i] = rig_connect(&rig, -1, &link_ops, &new);
        assert_true(rig_turn(&rig, 10, one_is_down, &old));
        (void)rig_turn(&rig, 0.5, NULL, NULL);
        assert_int_equal(new.up, i + 1);
        assert_int_equal(new.down, 0);
    }
    for (size_t i = 0; i < REAL_PLACES + 2; i++)
        link_free(&l[i]);
    rig_free(&rig);
}

/* With several workers, each of which has clients of its own: as many newcomers
 * as there are places push out all strangers, whichever worker these are at. */
static void
i11_idlers_of_all_workers_give_way(void **state)
{
    (void)state;
    enum { PLACES_OF_TWO = 6 };
    static struct rig rig;
    static struct course old, new;
    char bin[RIG_BIN_MAX];
    struct link *l[2 * PLACES_OF_TWO];
    const struct rig_config config = {.gateway = true,
                                      .side = 1,
                                      .core = -1,
                                      .isa = X25519_GENERIC,
                                      .conf = "clients_max = 6\nworkers = 2"};
    if (!test_proof())
        skip(); /* it has to wait for 17 s of real time */
    old = new = (struct course){0};
    rig_bin(bin);
    rig_init(&rig, &config);
    rig_start(&rig, bin);
    for (unsigned i = 0; i < PLACES_OF_TWO; i++) {
        l[i] = rig_connect(&rig, -1, &link_ops, &old);
        (void)rig_turn(&rig, 0.2, NULL, NULL);
        assert_int_equal(old.up, i + 1);
    }
    (void)rig_turn(&rig, GRACE_S + 2, NULL, NULL);
    assert_int_equal(old.down, 0);
    for (unsigned i = 0; i < PLACES_OF_TWO; i++) {
        l[PLACES_OF_TWO + i] = rig_connect(&rig, -1, &link_ops, &new);
        (void)rig_turn(&rig, 0.5, NULL, NULL);
        assert_int_equal(new.up, i + 1);
        assert_int_equal(new.down, 0);
        assert_int_equal(old.down, i + 1);
    }
    for (size_t i = 0; i < sizeof l / sizeof l[0]; i++)
        link_free(&l[i]);
    rig_free(&rig);
}

const struct CMUnitTest test_i11_clients[] = {
    cmocka_unit_test(i11_who_is_never_answered_gives_way),
    cmocka_unit_test(i11_newcomers_have_time_for_the_consensus),
    cmocka_unit_test(i11_without_a_profile_a_client_is_slow),
    cmocka_unit_test(i11_a_full_gateway_lets_newcomers_in),
    cmocka_unit_test(i11_idlers_of_all_workers_give_way),
};
TEST_SUITE(test_i11_clients);
