/* tests/scenario/test_long_delays.c - packets that ask to be held.
 *
 * A relay keeps a packet for as long as it says, 65 s at most, and has as many
 * places for all together. Strangers whose packets ask for the longest time fill
 * them (here a thousand, a twentieth of the default, so that two are enough),
 * and others get few answers. What holds: it is over a minute after they cease.
 * More is not held yet. */
#include "tests/runner.h"

#include <stdio.h>

#include "tests/adversary.h"

enum {
    STRANGERS = 2,
    PLACES = 1000,
    WARM_S = 120,
    LOOK_S = 60,
    LONGEST_S = 66
};

struct stage {
    struct world *w;
    struct world_client *honest;
    struct adversary_stranger stranger[STRANGERS];
};

static void
stage_make(struct stage *s)
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 2,
                                        .layers = 3,
                                        .mixes = 1,
                                        .stores = 2,
                                        .packets_max = PLACES,
                                        .seed = test_seed() + 1900};
    s->w = world_new(&config);
    s->honest = world_client_add(s->w, "default", 0);
    for (unsigned i = 0; i < STRANGERS; i++)
        adversary_stranger_make(&s->stranger[i],
                                world_client_add(s->w, "fast", 1),
                                test_seed() + i);
    world_run_s(s->w, WARM_S);
}

/* They turn honest. */
static void
strangers_cease(struct stage *s)
{
    for (unsigned i = 0; i < STRANGERS; i++) {
        assert_true(s->stranger[i].done > 1000);
        adversary_stranger_free(&s->stranger[i]);
    }
}

/* The share of an honest client's requests that is answered. */
static double
answered_share(struct stage *s)
{
    struct client_status from, to;
    client_status(s->honest->client, &from);
    world_run_s(s->w, LOOK_S);
    client_status(s->honest->client, &to);
    return (double)(to.answers - from.answers) /
           (double)(to.requests - from.requests);
}

static void
expected_to_fail_long_delays_fill_a_store(void **state)
{
    (void)state;
    struct stage s;
    stage_make(&s);
    const double share = answered_share(&s);
    printf("  among strangers that ask for long delays an honest client gets "
           "%.0f %% of its answers\n",
           100 * share);
    strangers_cease(&s);
    world_free(&s.w);
    test_attack_works(share < 0.9);
}

static void
long_delays_are_over_after_a_minute(void **state)
{
    (void)state;
    struct stage s;
    stage_make(&s);
    assert_true(world_dropped(s.w, ERR_FULL) > 0); /* and counted */
    strangers_cease(&s);
    world_run_s(s.w, LONGEST_S);
    const uint64_t full = world_dropped(s.w, ERR_FULL);
    const double share = answered_share(&s);
    printf("  %u s after they cease it gets %.0f %%\n", LONGEST_S, 100 * share);
    assert_int_equal(world_dropped(s.w, ERR_FULL), full);
    world_free(&s.w);
    /* what is under way at either end may differ */
    assert_true(share > 0.95);
}

const struct CMUnitTest test_long_delays[] = {
    cmocka_unit_test(expected_to_fail_long_delays_fill_a_store),
    cmocka_unit_test(long_delays_are_over_after_a_minute),
};
TEST_SUITE(test_long_delays);
