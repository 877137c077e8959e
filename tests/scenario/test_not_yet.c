/* tests/scenario/test_not_yet.c - attacks against which nothing is built yet.
 *
 * Each is shown to work, and its test is expected to fail: it says so
 * (test_attack_works() in tests/runner.h), passes as long as the attack works,
 * and has to be turned round once something is built against it. What depends
 * on chance is missed once in 10^6. */
#include "tests/runner.h"

#include <stdio.h>

#include "tests/world.h"

static struct world *
small(uint64_t seed, void (*params)(struct params *p))
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 2,
                                        .layers = 3,
                                        .mixes = 1,
                                        .stores = 2,
                                        .params = params,
                                        .seed = test_seed() + seed};
    return world_new(&config);
}

/* ---- an invitation ---- */

static void
short_periods(struct params *p)
{
    p->switch_window_s = 15;
    p->period_s = 60;
}

static bool
is_refused(const struct world_client *k)
{
    struct client_contact contact;
    assert_true(client_contact(k->client, 0, &contact));
    return contact.refused;
}

/* That an invitation works once is known by the first place of the day that it
 * was taken up; on the next day it works again, and both get what is meant for
 * one. */
static void
expected_to_fail_invitation_works_twice(void **state)
{
    (void)state;
    struct world *w = small(1100, short_periods);
    struct world_client *a = world_client_add(w, "default", 0);
    struct world_client *thief = world_client_add(w, "default", 1);
    struct world_client *b = world_client_add(w, "default", 1);
    char text[INVITE_TEXT_LEN];
    world_run_s(w, 30);
    assert_int_equal(client_invite(a->client, "b", text), 0);
    assert_int_equal(client_add(thief->client, "a", text), 0);
    world_run_s(w, 80); /* the next day */
    assert_int_equal(client_add(b->client, "a", text), 0);
    world_run_s(w, 100);
    const bool refused = is_refused(thief) || is_refused(b);
    (void)world_say(a, "b", "a secret for b");
    world_run_s(w, 100);
    const unsigned stolen = world_take(thief, "a");
    world_free(&w);
    printf("  of two who take an invitation up on two days %s refused; the "
           "first, a thief, has read %u texts for the second\n",
           refused ? "one is" : "none is", stolen);
    test_attack_works(!refused && stolen > 0);
}

const struct CMUnitTest test_not_yet[] = {
    cmocka_unit_test(expected_to_fail_invitation_works_twice),
};
TEST_SUITE(test_not_yet);
