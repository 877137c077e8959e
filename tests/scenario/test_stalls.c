/* tests/scenario/test_stalls.c - I2: what a client does while its line stands
 * still, and after. The line is played from outside, in the client's
 * environment: it refuses frames (a socket that is full), or takes and keeps
 * them (a box on the way that acknowledges what it holds back). */
#include "tests/runner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/world.h"

enum { HELD_MAX = 4096, WINDOW = 4 /* of the profile default */ };

enum line_state { LINE_FREE, LINE_FULL, LINE_HOLDS };

/* The line of one client. */
static struct {
    struct env_ops ops;
    const struct env_ops *honest;
    enum line_state state;
    size_t held, passed, refused;
    uint8_t frame[HELD_MAX][WORLD_PACKET];
} line;

static int
line_send(struct env *env, struct env_dest to, const uint8_t *frame, size_t len)
{
    if (line.state == LINE_FULL) {
        line.refused++;
        return ERR_FULL;
    }
    if (line.state == LINE_HOLDS) {
        assert_true(line.held < HELD_MAX && len == WORLD_PACKET);
        memcpy(line.frame[line.held++], frame, len);
        return 0;
    }
    line.passed++;
    return line.honest->send(env, to, frame, len);
}

static void
line_make(struct world_client *k)
{
    line.honest = k->env->ops;
    line.ops = *line.honest;
    line.ops.send = line_send;
    line.state = LINE_FREE;
    line.held = line.passed = line.refused = 0;
    k->env->ops = &line.ops;
}

/* It carries again, first of all what it has kept. */
static void
line_free_again(struct world_client *k)
{
    line.state = LINE_FREE;
    line.passed = 0;
    for (size_t i = 0; i < line.held; i++)
        assert_int_equal(line_send(k->env,
                                   (struct env_dest){ENV_TO_GATEWAY, 0, 0},
                                   line.frame[i], WORLD_PACKET),
                         0);
    line.held = 0;
}

static struct world *
pair_make(struct world_client **a, struct world_client **b, uint64_t seed)
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 2,
                                        .layers = 3,
                                        .mixes = 1,
                                        .stores = 2,
                                        .seed = test_seed() + seed};
    struct world *w = world_new(&config);
    *a = world_client_add(w, "default", 0);
    *b = world_client_add(w, "default", 1);
    line_make(*a);
    world_run_s(w, 30);
    world_pair(w, *a, "b", *b, "a");
    world_run_s(w, 30);
    return w;
}

static uint64_t
text_send(struct world_client *from, const char *to)
{
    uint64_t order;
    assert_int_equal(client_send(from->client, to, LETTER_TEXT,
                                 (const uint8_t *)"hello", 5, &order),
                     0);
    return order;
}

/* Until the texts of both have arrived and are known to have. */
static void
texts_arrive(struct world *w, struct world_client *a, uint64_t a_order,
             struct world_client *b, uint64_t b_order)
{
    struct client_message m = {0}, n = {0};
    for (unsigned s = 0; s < 300 && (m.state != CLIENT_DELIVERED ||
                                     n.state != CLIENT_DELIVERED);
         s++) {
        world_run_s(w, 1);
        assert_int_equal(client_message(a->client, "b", a_order, &m), 0);
        assert_int_equal(client_message(b->client, "a", b_order, &n), 0);
    }
    assert_int_equal(m.state, CLIENT_DELIVERED);
    assert_int_equal(n.state, CLIENT_DELIVERED);
}

/* A line that stands still for 25 s, either way, with texts to send and to hear:
 * what leaves in the second after it is what was under way and what that
 * second's clock sends, and everything still arrives. */
static void
i2_a_stall_is_followed_by_no_burst_and_loses_nothing(void **state)
{
    (void)state;
    for (enum line_state how = LINE_FULL; how <= LINE_HOLDS; how++) {
        struct world_client *a, *b;
        struct client_status before, after;
        struct world *w = pair_make(&a, &b, how);
        client_status(a->client, &before);
        line.state = how;
        const uint64_t to_b = text_send(a, "b"), to_a = text_send(b, "a");
        world_run_s(w, 25);
        client_status(a->client, &after);
        const uint64_t skipped = after.skipped - before.skipped;
        /* 137 ticks; 5 standard deviations */
        assert_in_range(skipped + line.held, 137 - 59, 137 + 59);
        assert_int_equal(after.requests - before.requests, line.held);
        assert_int_equal(line.held, how == LINE_HOLDS ? WINDOW : 0);
        /* nothing was taken for sent, and so for lost, but that */
        assert_in_range(after.lost - before.lost, 0, 2 * WINDOW);
        line_free_again(a);
        world_run_s(w, 1);
        assert_in_range(line.passed, 1, WINDOW + 6 + 12);
        texts_arrive(w, a, to_b, b, to_a);
        world_free(&w);
    }
}

/* The clock is the same one while nothing goes: ticks of 800 seconds, each a
 * Poisson number of mean 6.5; the sum of squares has chi-square's law, whose
 * standard deviation is sqrt(2 * 800 + 800 / 6.5); 5 of them. */
static void
i2_a_stall_does_not_move_the_clock(void **state)
{
    (void)state;
    enum { SECONDS = 800 };
    const double mean = 6.5;
    double sum = 0, squares = 0;
    struct world_client *a, *b;
    struct client_status was, is;
    struct world *w = pair_make(&a, &b, 10);
    line.state = LINE_HOLDS;
    world_run_s(w, 5);
    client_status(a->client, &was);
    for (unsigned s = 0; s < SECONDS; s++) {
        world_run_s(w, 1);
        client_status(a->client, &is);
        const double n = (double)(is.skipped - was.skipped);
        sum += n;
        squares += (n - mean) * (n - mean) / mean;
        was = is;
    }
    assert_int_equal(line.held, WINDOW);
    assert_true(fabs(sum - mean * SECONDS) < 5 * sqrt(mean * SECONDS));
    assert_true(fabs(squares - SECONDS) <
                5 * sqrt(2 * SECONDS + SECONDS / mean));
    world_free(&w);
}

/* A control frame that finds the line full goes out with a later tick, and the
 * client goes on. */
static void
i2_a_control_frame_takes_the_next_free_slot(void **state)
{
    (void)state;
    struct world_client *a, *b;
    struct client_status before, after;
    struct world *w = pair_make(&a, &b, 20);
    line.state = LINE_FULL;
    assert_int_equal(sim_client_reconnect(a), 0);
    world_run_s(w, 2);
    client_status(a->client, &before);
    assert_false(before.started);
    line_free_again(a);
    world_run_s(w, 5);
    client_status(a->client, &after);
    assert_true(after.started);
    assert_true(after.requests > before.requests);
    /* each tick one frame: the control frame is one of them */
    assert_int_equal(line.passed, after.requests - before.requests + 1);
    const uint64_t to_b = text_send(a, "b"), to_a = text_send(b, "a");
    texts_arrive(w, a, to_b, b, to_a);
    world_free(&w);
}

/* Frames that an old connection took with it are not ahead on the next one. */
static void
i2_a_new_connection_has_nothing_ahead(void **state)
{
    (void)state;
    struct world_client *a, *b;
    struct world *w = pair_make(&a, &b, 30);
    line.state = LINE_HOLDS;
    world_run_s(w, 5);
    assert_int_equal(line.held, WINDOW);
    line.held = 0;
    line.state = LINE_FREE;
    const uint64_t to_b = text_send(a, "b"), to_a = text_send(b, "a");
    assert_int_equal(sim_client_reconnect(a), 0);
    texts_arrive(w, a, to_b, b, to_a);
    world_free(&w);
}

const struct CMUnitTest test_stalls[] = {
    cmocka_unit_test(i2_a_stall_is_followed_by_no_burst_and_loses_nothing),
    cmocka_unit_test(i2_a_stall_does_not_move_the_clock),
    cmocka_unit_test(i2_a_control_frame_takes_the_next_free_slot),
    cmocka_unit_test(i2_a_new_connection_has_nothing_ahead),
};
TEST_SUITE(test_stalls);
