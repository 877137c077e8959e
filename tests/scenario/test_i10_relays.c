/* tests/scenario/test_i10_relays.c - relays whose wall clocks jump, and come back:
 * nothing that they do meanwhile lasts (I10). */
#include "tests/runner.h"

#include "tests/world.h"

enum { GATEWAYS = 2, MIXES = 2, VICTIM = 3, STORES = 2, DAY_S = 86400 };

static void
many_loops(struct params *p)
{
    p->relay_loop_mhz = 2000;
}

static struct world *
world_loops(void)
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = GATEWAYS,
                                        .layers = 3,
                                        .mixes = MIXES,
                                        .stores = STORES,
                                        .seed = test_seed(),
                                        .params = many_loops};
    return world_new(&config);
}

/* What a relay has refused because of the time. */
static uint64_t
untimely(const struct world *w, uint32_t number)
{
    const struct relay_stats *s = relay_stats(w->relay[number].relay);
    return s->dropped[-ERR_DEADLINE_PAST] + s->dropped[-ERR_DEADLINE_FAR] +
           s->dropped[-ERR_EXPIRED] + s->dropped[-ERR_FUTURE] +
           s->dropped[-ERR_AGAIN];
}

/* A mix's clock is wrong for two seconds, by ten minutes to ten years, either
 * way: once it is right again and what was under way is over, no packet is
 * refused for its time, and no loop of anybody's is lost. */
static void
i10_a_mix_outlives_a_wrong_clock(void **state)
{
    (void)state;
    static const int64_t off_s[] = {
        600,    -600,          7200,         -7200,          DAY_S,
        -DAY_S, 366LL * DAY_S, -366 * DAY_S, 3660LL * DAY_S, -3660 * DAY_S};
    struct world *w = world_loops();
    world_run_s(w, 60);
    assert_int_equal(untimely(w, VICTIM), 0);
    for (size_t i = 0; i < sizeof off_s / sizeof off_s[0]; i++) {
        struct relay_stats before, after;
        const uint64_t was = untimely(w, VICTIM);
        world_relay_clock(w, VICTIM, (double)off_s[i]);
        world_run_s(w, 2);
        assert_true(untimely(w, VICTIM) > was); /* it does matter */
        world_relay_clock(w, VICTIM, 0);
        world_run_s(w, 30);
        const uint64_t refused = untimely(w, VICTIM);
        sim_world_stats(w, &before);
        world_run_s(w, 30);
        sim_world_stats(w, &after);
        assert_int_equal(untimely(w, VICTIM), refused);
        assert_int_equal(after.loops_lost, before.loops_lost);
        assert_true(after.loops_returned > before.loops_returned + 300);
    }
    world_free(&w);
}

const struct CMUnitTest test_i10_relays[] = {
    cmocka_unit_test(i10_a_mix_outlives_a_wrong_clock),
};
TEST_SUITE(test_i10_relays);
