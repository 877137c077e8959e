/* tests/scenario/test_invitations.c - an invitation that two use, whole clients over a
 * network: on one day or on two, whoever is first. The first one has the pair, the
 * second reads nothing, and all three are told. */
#include "tests/runner.h"

#include <stdio.h>

#include "tests/world.h"

enum { DAY_S = 80 /* a period, and a little more */, WAIT_S = 300 };

static void
short_periods(struct params *p)
{
    p->switch_window_s = 15;
    p->period_s = 60;
}

/* a, who invites; two who take that up. */
struct stage {
    struct world *w;
    struct world_client *a, *first, *second;
};

/* The second one comes so much later. */
static void
stage_set(struct stage *s, uint64_t seed, unsigned later_s)
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 2,
                                        .layers = 3,
                                        .mixes = 1,
                                        .stores = 4,
                                        .params = short_periods,
                                        .seed = test_seed() + seed};
    char text[INVITE_TEXT_LEN];
    *s = (struct stage){.w = world_new(&config)};
    s->a = world_client_add(s->w, "default", 0);
    s->first = world_client_add(s->w, "default", 1);
    s->second = world_client_add(s->w, "default", 1);
    world_run_s(s->w, 30);
    assert_int_equal(client_invite(s->a->client, "friend", text), 0);
    assert_int_equal(client_add(s->first->client, "a", text), 0);
    (void)world_say(s->first, "a", "from the first");
    world_run_s(s->w, later_s);
    assert_int_equal(client_add(s->second->client, "a", text), 0);
    (void)world_say(s->second, "a", "from the second");
}

static struct client_contact
contact_of(const struct world_client *k)
{
    struct client_contact contact;
    assert_true(client_contact(k->client, 0, &contact));
    return contact;
}

static bool
is_all_known(const struct stage *s)
{
    return contact_of(s->a).shared && contact_of(s->first).shared &&
           contact_of(s->second).refused;
}

/* Runs until all three know, and then goes on talking. */
static void
two_use_one(uint64_t seed, unsigned later_s)
{
    struct stage s;
    unsigned told_s = 0;
    stage_set(&s, seed, later_s);
    (void)world_say(s.a, "friend", "for the first");
    for (; told_s < WAIT_S && !is_all_known(&s); told_s += 5)
        world_run_s(s.w, 5);
    (void)world_say(s.a, "friend", "and more");
    world_run_s(s.w, 120);
    const unsigned came = world_take(s.a, "friend"),
                   read = world_take(s.first, "a"),
                   stolen = world_take(s.second, "a");
    const bool known = is_all_known(&s);
    const bool first_stays =
        contact_of(s.first).confirmed && !contact_of(s.first).refused;
    world_free(&s.w);
    printf(
        "  the second comes after %u s: all three know after %u s; the first "
        "has read %u texts, the second %u; the inviter %u\n",
        later_s, told_s, read, stolen, came);
    assert_true(known && first_stays);
    assert_int_equal(read, 2);
    assert_int_equal(stolen, 0);
    assert_int_equal(came, 1);
}

static void
i10_who_uses_an_invitation_second_reads_nothing(void **state)
{
    (void)state;
    two_use_one(1100, 0);
    two_use_one(1101, 20);
    two_use_one(1102, DAY_S);
    two_use_one(1103, 3 * DAY_S);
}

const struct CMUnitTest test_invitations[] = {
    cmocka_unit_test(i10_who_uses_an_invitation_second_reads_nothing),
};
TEST_SUITE(test_invitations);
