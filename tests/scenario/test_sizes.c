/* tests/scenario/test_sizes.c - I1: every frame on every link has one length,
 * whatever it carries: requests of each kind, answers, dummies, documents,
 * control frames, relays' own loops, lists of boards.
 *
 * Real clients and relays, seen on all wires while texts go and a new consensus
 * comes. The negative control lets the same eye see one frame that is shorter. */
#include "tests/runner.h"

#include <string.h>

#include "lib/wire.h"
#include "tests/world.h"

enum { KINDS = WIRE_LIST + 1 };

struct eye {
    uint32_t n_relays;
    uint64_t wrong; /* frames of another length */
    /* frames by kind between relays, and on clients' links up and down */
    uint64_t between[KINDS], up[KINDS], down[KINDS];
};

static void
eye_see(void *ctx, uint64_t now_us, uint32_t from, uint32_t to,
        const uint8_t *frame, size_t len)
{
    struct eye *e = ctx;
    (void)now_us;
    e->wrong += len != WORLD_PACKET;
    assert_true(frame[0] < KINDS);
    if (from >= e->n_relays)
        e->up[frame[0]]++;
    else if (to >= e->n_relays)
        e->down[frame[0]]++;
    else
        e->between[frame[0]]++;
}

static void
i1_every_frame_has_one_length(void **state)
{
    (void)state;
    const struct world_config config = {.suite = SPHINX_SUITE_X25519,
                                        .gateways = 2,
                                        .layers = 3,
                                        .mixes = 1,
                                        .stores = 2,
                                        .seed = test_seed()};
    struct world *w = world_new(&config);
    struct eye eye = {.n_relays = w->n_relays};
    struct client_status s;
    engine_tap(w->engine, eye_see, &eye);
    struct world_client *a = world_client_add(w, "default", 0);
    struct world_client *b = world_client_add(w, "fast", 1);
    world_run_s(w, 5);
    world_pair(w, a, "b", b, "a");
    world_epoch(w);
    for (unsigned i = 0; i < 60; i++) {
        world_keep_busy(a, "b", b, "a");
        world_run_s(w, 1);
    }
    client_status(a->client, &s);
    assert_int_equal(eye.wrong, 0);
    /* all there is was seen */
    assert_true(s.puts > 10 && s.gets > 10 && s.loops > 10 && s.answers > 100);
    assert_true(eye.up[WIRE_PACKET] > 1000 && eye.up[WIRE_CONTROL] >= 2);
    assert_true(eye.down[WIRE_PACKET] > 1000 && eye.down[WIRE_PIECE] > 1);
    assert_true(eye.between[WIRE_PACKET] > 1000);
    assert_true(eye.between[WIRE_LIST] > 100);
    assert_int_equal(eye.up[WIRE_LIST] + eye.down[WIRE_LIST], 0);
    struct relay_stats sum;
    sim_world_stats(w, &sum);
    assert_true(sum.loops_sent > 100 && sum.dummies > 100 && sum.pieces > 1);
    world_free(&w);
}

static void
i1_a_short_frame_is_seen(void **state)
{
    (void)state;
    static const uint8_t frame[WORLD_PACKET] = {WIRE_PACKET};
    struct eye eye = {.n_relays = 1};
    eye_see(&eye, 0, 0, 1, frame, WORLD_PACKET);
    assert_int_equal(eye.wrong, 0);
    eye_see(&eye, 0, 0, 1, frame, WORLD_PACKET - 1);
    assert_int_equal(eye.wrong, 1);
}

const struct CMUnitTest test_sizes[] = {
    cmocka_unit_test(i1_every_frame_has_one_length),
    cmocka_unit_test(i1_a_short_frame_is_seen),
};
TEST_SUITE(test_sizes);
