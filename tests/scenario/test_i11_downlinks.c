/* tests/scenario/test_i11_downlinks.c - I11: strangers to whom answers go take
 * neither a gateway's places for packets nor those for clients for ever.
 *
 * Strangers of the slowest profile sit at a gateway. Others, of the quickest, at
 * another gateway, ask for far more answers to them than their downlinks carry,
 * until as many wait for each of them as a gateway keeps. With more of those
 * strangers than it takes to fill all its places, an honest client of that
 * gateway is to have 90 % of its answers. And a client's place is kept by as many
 * answers as a client of the slowest profile has, or a little fewer. */
#include "tests/runner.h"

#include <string.h>

#include "lib/wire.h"
#include "network/request.h"
#include "relay/downlink.h"
#include "tests/world.h"

enum {
    GATEWAYS = 2,
    LAYERS = 3,
    STORE = GATEWAYS + LAYERS,
    PLACES = 1250,
    CLIENTS_MAX = 64, /* a world's gateway has */
    SLOW = 40,        /* strangers whom answers wait for */
    QUICK = 5,        /* who ask for them, */
    PACE = 45         /* each so many times a second */
};

_Static_assert(SLOW *DOWNLINK_QUEUE_MAX > 2 * PLACES, "or they are too few");

/* What comes for strangers is taken, and thrown away. */
static void
frame_waste(void *self, uint32_t from, uint8_t *frame, size_t len)
{
    (void)self;
    (void)from;
    (void)frame;
    (void)len;
}

static const struct sim_node_ops stranger_ops = {.frame = frame_waste};

struct course {
    struct world *world;
    struct env *stranger;
    uint32_t node, quick[QUICK];
    uint8_t handle[SLOW][8];
    struct sphinx_worker *worker;
    struct test_env env; /* the strangers' randomness */
    unsigned next;       /* whom the next answer is for */
};

/* Connect a stranger to a gateway, who tells a profile. */
static uint32_t
stranger_open(struct course *s, uint32_t gateway, const char *profile,
              uint8_t handle[static 8])
{
    const struct params *p = &s->world->net.consensus->params;
    struct wire_control control = {
        .profile = (uint8_t)(params_profile(p, profile) - p->profiles)};
    struct team *team = s->world->relay[gateway].team;
    uint8_t frame[WORLD_PACKET] = {0};
    uint32_t link;
    env_random_crypto(&s->env.env, control.handle, sizeof control.handle);
    memcpy(handle, control.handle, sizeof control.handle);
    assert_int_equal(wire_control_write(frame, sizeof frame, &control), 0);
    assert_int_equal(team_client_open(team, 0, s->node, &link), 0);
    team_client_frame(team, link, frame);
    return link;
}

/* A get by way of gateway 1, whose answer goes to the next slow stranger. */
static void
packet_make(struct course *s, uint8_t *frame)
{
    const struct consensus *c = s->world->net.consensus;
    const uint64_t now_us = 1000 * env_now_wall_ms(s->stranger);
    uint8_t surb_seed[SPHINX_SEED_LEN];
    const struct request request = {.kind = WIRE_GET};
    struct sphinx_end end = {.surb_id = {1}};
    struct route route;
    env_random_crypto(&s->env.env, surb_seed, sizeof surb_seed);
    memcpy(end.handle, s->handle[s->next++ % SLOW], sizeof end.handle);
    assert_int_equal(
        route_draw(&route, c, &s->env.env, 1, STORE, true, ROUTE_SEND), 0);
    route.back[route.n_back - 1] = 0;
    assert_int_equal(request_build(s->worker, c, &s->env.env, &route, now_us,
                                   &request, &end, surb_seed, frame),
                     0);
}

static void
course_run_s(struct course *s, double seconds)
{
    for (unsigned n = 0; n < seconds * PACE; n++) {
        for (unsigned i = 0; i < QUICK; i++) {
            uint8_t frame[WORLD_PACKET];
            packet_make(s, frame);
            team_client_frame(s->world->relay[1].team, s->quick[i], frame);
        }
        world_run_s(s->world, 1.0 / PACE);
    }
}

static struct world_client *
course_begin(struct course *s)
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = GATEWAYS,
                                        .layers = LAYERS,
                                        .mixes = 1,
                                        .stores = 2,
                                        .packets_max = PLACES,
                                        .seed = test_seed()};
    memset(s, 0, sizeof *s);
    s->world = world_new(&config);
    test_env_init(&s->env, test_seed());
    assert_int_equal(sphinx_worker_new(&s->worker), 0);
    struct world_client *honest = world_client_add(s->world, "default", 0);
    s->node = engine_add(s->world->engine, &stranger_ops, false, &s->stranger);
    assert_int_not_equal(s->node, UINT32_MAX);
    engine_set_object(s->world->engine, s->node, s);
    world_run_s(s->world, 20);
    return honest;
}

static void
course_end(struct course *s)
{
    sphinx_worker_free(&s->worker);
    world_free(&s->world);
}

static void
i11_slow_clients_leave_room(void **state)
{
    (void)state;
    static struct course s;
    struct client_status a, b;
    uint8_t unused[8];
    struct world_client *honest = course_begin(&s);
    for (unsigned i = 0; i < SLOW; i++)
        (void)stranger_open(&s, 0, "light", s.handle[i]);
    for (unsigned i = 0; i < QUICK; i++)
        s.quick[i] = stranger_open(&s, 1, "fast", unused);
    course_run_s(&s, 60); /* until the places are full */
    client_status(honest->client, &a);
    course_run_s(&s, 120);
    client_status(honest->client, &b);
    const double share =
        (double)(b.answers - a.answers) / (double)(b.requests - a.requests);
    print_message("%.3f of its answers\n", share);
    assert_true(share >= 0.9);
    course_end(&s);
}

/* Who is answered once, and never again, soon gives way; who goes on does not. */
static void
i11_one_answer_is_not_for_ever(void **state)
{
    (void)state;
    static struct course s;
    uint8_t unused[8], frame[WORLD_PACKET];
    uint32_t idler;
    struct world_client *honest = course_begin(&s);
    struct relay *gateway = s.world->relay[0].relay;
    struct client_status status;
    (void)stranger_open(&s, 0, "light", s.handle[0]);
    s.quick[0] = stranger_open(&s, 1, "fast", unused);
    packet_make(&s, frame);
    team_client_frame(s.world->relay[1].team, s.quick[0], frame);
    world_run_s(s.world, 10);
    assert_false(relay_client_idler(gateway, &idler));
    world_run_s(s.world, 50);
    assert_true(relay_client_idler(gateway, &idler));
    relay_client_close(gateway, idler);
    assert_false(relay_client_idler(gateway, &idler));
    client_status(honest->client, &status);
    assert_true(status.connected);
    course_end(&s);
}

/* Somebody comes to gateway 0, as to a real one. Returns whether there is a place. */
static bool
newcomer_is_let_in(struct course *s, uint32_t honest)
{
    struct relay *gateway = s->world->relay[0].relay;
    uint32_t client;
    if (!relay_client_idler(gateway, &client))
        return false;
    assert_true(client >= honest); /* numbers follow the order of coming */
    relay_client_close(gateway, client);
    assert_int_equal(
        team_client_open(s->world->relay[0].team, 0, s->node, &client), 0);
    return true;
}

/* Strangers have all places that honest clients leave, and each of them an answer
 * in ten seconds. Newcomers find places, none of them an honest client's, although
 * these have little more than the slowest profile's. */
static void
i11_a_place_costs_what_a_client_sends(void **state)
{
    (void)state;
    enum { LIGHT = CLIENTS_MAX - SLOW - 1, NEWCOMERS = 60, EACH_S = 10 };
    static struct course s;
    static struct world_client *light[LIGHT];
    struct client_status status;
    uint8_t unused[8], frame[WORLD_PACKET];
    uint32_t unlinked;
    unsigned refused = 0;
    (void)course_begin(&s);
    for (unsigned i = 0; i < LIGHT; i++)
        light[i] = world_client_add(s.world, "light", 0);
    for (unsigned i = 0; i < SLOW; i++)
        (void)stranger_open(&s, 0, "light", s.handle[i]);
    assert_int_equal(
        team_client_open(s.world->relay[0].team, 0, s.node, &unlinked),
        ERR_FULL);
    s.quick[0] = stranger_open(&s, 1, "fast", unused);
    for (unsigned t = 0; t < (NEWCOMERS + 6) * EACH_S; t++) {
        for (unsigned i = 0; i < SLOW / EACH_S; i++) {
            packet_make(&s, frame);
            team_client_frame(s.world->relay[1].team, s.quick[0], frame);
        }
        world_run_s(s.world, 1);
        if (t >= 6 * EACH_S && t % EACH_S == 0) /* a minute after they came */
            refused += !newcomer_is_let_in(&s, LIGHT + 1);
    }
    print_message(
        "  of %d newcomers in ten minutes %u found no place, where %d are "
        "held with an answer in %d s each\n",
        NEWCOMERS, refused, SLOW, EACH_S);
    assert_int_equal(refused, 0);
    for (unsigned i = 0; i < LIGHT; i++) {
        client_status(light[i]->client, &status);
        assert_true(status.connected);
    }
    course_end(&s);
}

const struct CMUnitTest test_i11_downlinks[] = {
    cmocka_unit_test(i11_slow_clients_leave_room),
    cmocka_unit_test(i11_one_answer_is_not_for_ever),
    cmocka_unit_test(i11_a_place_costs_what_a_client_sends),
};
TEST_SUITE(test_i11_downlinks);
