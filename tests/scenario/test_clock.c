/* tests/scenario/test_clock.c - clients whose own clock is wrong, or jumps. */
#include "tests/runner.h"

#include <string.h>

#include "tests/world.h"

/* The wall clock of one client: its environment's, and so much more. */
static int64_t ahead_ms;
static const struct env_ops *honest;

static uint64_t
wrong_wall_ms(struct env *env)
{
    int64_t ms = (int64_t)honest->now_wall_ms(env) + ahead_ms;
    return ms > 0 ? (uint64_t)ms : 0;
}

static struct world *
clock_world(uint64_t seed)
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 3,
                                        .layers = 3,
                                        .mixes = 1,
                                        .stores = 4,
                                        .seed = test_seed() + seed};
    return world_new(&config);
}

/* Give this client a clock of its own from now on. */
static void
clock_wrong(struct world_client *k, struct env_ops *ops)
{
    honest = k->env->ops;
    *ops = *honest;
    ops->now_wall_ms = wrong_wall_ms;
    k->env->ops = ops;
}

/* A text each way within so many seconds; the daemon's watch goes on. */
static void
texts_arrive(struct world *w, struct world_client *a, struct world_client *b,
             unsigned seconds)
{
    struct client_received r;
    uint64_t order;
    bool heard[2] = {false, false};
    assert_int_equal(client_send(a->client, "b", LETTER_TEXT,
                                 (const uint8_t *)"to b", 4, &order),
                     0);
    assert_int_equal(client_send(b->client, "a", LETTER_TEXT,
                                 (const uint8_t *)"to a", 4, &order),
                     0);
    for (unsigned s = 0; s < seconds && !(heard[0] && heard[1]); s++) {
        world_run_s(w, 1);
        world_client_watch(a);
        world_client_watch(b);
        while (client_next(a->client, NULL, NULL, &r)) {
            heard[0] = true;
            assert_int_equal(client_release(a->client, NULL, r.order), 0);
        }
        while (client_next(b->client, NULL, NULL, &r)) {
            heard[1] = true;
            assert_int_equal(client_release(b->client, NULL, r.order), 0);
        }
    }
    assert_true(heard[0]);
    assert_true(heard[1]);
}

static const int64_t off_s[] = {120,   -120,   3600,        -3600,
                                86400, -86400, 365 * 86400, -365 * 86400,
                                3,     -3,     20,          -20};
enum { OFF = sizeof off_s / sizeof off_s[0] };

/* A client that starts with a wrong clock is heard and hears, as soon as the
 * gateway and the stores have told it the time. */
static void
i10_a_clock_wrong_from_the_start_costs_seconds(void **state)
{
    (void)state;
    for (unsigned i = 0; i < OFF; i++) {
        struct env_ops ops;
        struct world *w = clock_world(i);
        struct world_client *a = world_client_add(w, "default", 0);
        struct world_client *b = world_client_add(w, "default", 1);
        world_client_stop(b);
        clock_wrong(b, &ops);
        ahead_ms = off_s[i] * 1000;
        world_client_start(b);
        world_run_s(w, 30);
        world_pair(w, a, "b", b, "a");
        texts_arrive(w, a, b, 120);
        world_free(&w);
    }
}

/* It jumps while the client runs, and back: nothing is lost, nothing expires,
 * and texts arrive throughout. */
static void
i10_a_clock_that_jumps_and_comes_back_harms_nothing(void **state)
{
    (void)state;
    for (unsigned i = 0; i < OFF; i++) {
        struct env_ops ops;
        struct client_message m;
        uint64_t order;
        struct world *w = clock_world(100 + i);
        struct world_client *a = world_client_add(w, "default", 0);
        struct world_client *b = world_client_add(w, "default", 1);
        ahead_ms = 0;
        clock_wrong(b, &ops);
        world_run_s(w, 30);
        world_pair(w, a, "b", b, "a");
        texts_arrive(w, a, b, 60);
        /* a message that waits for a contact who is away */
        world_client_stop(a);
        assert_int_equal(client_send(b->client, "a", LETTER_TEXT,
                                     (const uint8_t *)"later", 5, &order),
                         0);
        ahead_ms = off_s[i] * 1000;
        for (unsigned s = 0; s < 180; s++) {
            world_run_s(w, 1);
            world_client_watch(b);
        }
        assert_int_equal(client_message(b->client, "a", order, &m), 0);
        assert_in_range(m.state, CLIENT_QUEUED, CLIENT_SENT);
        world_client_start(a);
        texts_arrive(w, a, b, 120);
        ahead_ms = 0;
        texts_arrive(w, a, b, 60);
        for (unsigned s = 0; s < 300 && m.state != CLIENT_DELIVERED; s++) {
            world_run_s(w, 1);
            world_client_watch(b);
            assert_int_equal(client_message(b->client, "a", order, &m), 0);
        }
        assert_int_equal(m.state, CLIENT_DELIVERED);
        world_free(&w);
    }
}

const struct CMUnitTest test_clock[] = {
    cmocka_unit_test(i10_a_clock_wrong_from_the_start_costs_seconds),
    cmocka_unit_test(i10_a_clock_that_jumps_and_comes_back_harms_nothing),
};
TEST_SUITE(test_clock);
