/* tests/unit/test_engine.c - the engine's links: order, delay, loss. */
#include "tests/runner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine/engine.h"

enum { SENDERS = 3000, FRAMES = 20 };

struct sink {
    struct engine *engine;
    uint32_t next[SENDERS + 1]; /* of each sender: the number that comes next */
    uint64_t came, late_us;
};

static void
sink_frame(void *self, uint32_t from, uint8_t *frame, size_t len)
{
    struct sink *s = self;
    uint32_t number;
    uint64_t sent_us;
    assert_int_equal(len, sizeof number + sizeof sent_us);
    memcpy(&number, frame, sizeof number);
    memcpy(&sent_us, frame + sizeof number, sizeof sent_us);
    assert_true(number >= s->next[from]); /* some are lost, none overtakes */
    s->next[from] = number + 1;
    s->late_us += engine_now_us(s->engine) - sent_us;
    s->came++;
}

static void
node_tick(void *self)
{
    (void)self;
}

static uint32_t
node_resolve(void *self, struct env_dest to)
{
    (void)self;
    return to.id;
}

static const struct sim_node_ops ops = {sink_frame, node_tick, node_resolve,
                                        NULL};

static void
flood(struct sink *s, const struct engine_config *config, uint64_t every_us)
{
    struct env *env;
    *s = (struct sink){0};
    assert_int_equal(engine_new(&s->engine, config), 0);
    for (uint32_t i = 0; i <= SENDERS; i++) {
        assert_int_equal(engine_add(s->engine, &ops, false, &env), i);
        engine_set_object(s->engine, i, s);
    }
    for (uint32_t n = 0; n < FRAMES; n++) {
        for (uint32_t i = 1; i <= SENDERS; i++) {
            uint8_t frame[sizeof n + sizeof(uint64_t)];
            const uint64_t now_us = engine_now_us(s->engine);
            memcpy(frame, &n, sizeof n);
            memcpy(frame + sizeof n, &now_us, sizeof now_us);
            engine_inject(s->engine, i, 0, frame, sizeof frame);
        }
        assert_int_equal(engine_run(s->engine, (n + 1) * every_us), 0);
    }
    assert_int_equal(engine_run(s->engine, (uint64_t)UINT32_MAX), 0);
}

/* Delays vary by far more than the time between frames. */
static void
links_keep_their_order(void **state)
{
    (void)state;
    static struct sink s;
    const struct engine_config config = {.seed = test_seed(),
                                         .latency_us = 5000,
                                         .jitter_mean_us = 10000,
                                         .frame_len = 64};
    flood(&s, &config, 1000);
    assert_int_equal(s.came, SENDERS * FRAMES);
    engine_free(&s.engine);
    /* frames too far apart to wait for one another: the law itself */
    const double n = SENDERS * FRAMES;
    flood(&s, &config, 1000000);
    assert_true(fabs((double)s.late_us / n - 15000) < 5 * 10000 / sqrt(n));
    engine_free(&s.engine);
}

/* A constant latency is constant, and the lost are as many as the odds say. */
static void
links_lose_and_delay(void **state)
{
    (void)state;
    static struct sink s;
    const struct engine_config config = {.seed = test_seed(),
                                         .latency_us = 5000,
                                         .loss_ppm = 100000,
                                         .frame_len = 64};
    const double n = SENDERS * FRAMES, expected = 0.9 * n;
    flood(&s, &config, 1000);
    assert_int_equal(s.late_us, 5000 * s.came);
    assert_true(fabs((double)s.came - expected) < 5 * sqrt(n * 0.1 * 0.9));
    engine_free(&s.engine);
}

const struct CMUnitTest test_engine[] = {
    cmocka_unit_test(links_keep_their_order),
    cmocka_unit_test(links_lose_and_delay),
};
TEST_SUITE(test_engine);
