/* tests/scenario/test_i12_polls.c - I12: when a client asks for one of its boxes
 * says nothing of when it asks for another.
 *
 * A store writes down in which order it is asked for the boxes of a client's
 * contacts, among them those of nobody else. If there were an order in
 * which a client goes round, a box would be followed by the same one again and
 * again, however much mixes delay each: then one store ties them together. The
 * test is chi^2 of the numbers of successors, with a false alarm in 10^6. Here are
 * no boards, so that all contacts are asked for much; with boards it is each one's
 * own clock that says when.
 *
 * Defence: each poll draws its conversation, client/places.c. */
#include "tests/runner.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "client/conversations.h"
#include "client/letters/letter.h"
#include "client/state.h"
#include "tests/rogue_relay.h"

enum { PEOPLE = 12, HELD_S = 1300 /* until no front is held any more */ };

struct view {
    uint8_t box[PEOPLE][LETTER_BOX_LEN]; /* of today, of each */
    uint8_t order[1 << 18]; /* which of them, as they are asked for */
    size_t n;
};

static void
store_see(void *ctx, const struct rogue_sight *seen)
{
    struct view *v = ctx;
    unsigned i = 0;
    if (!seen->request || seen->request->kind != WIRE_GET)
        return;
    while (i < PEOPLE && memcmp(v->box[i], seen->request->box, 32) != 0)
        i++;
    if (i == PEOPLE)
        return;
    assert_true(v->n < sizeof v->order);
    v->order[v->n++] = (uint8_t)i;
}

/* chi^2 of which contact's box of today comes after which, in deviations from its
 * mean; *pairs: how many were counted. */
static double
order_alarm(const struct view *v, unsigned *pairs)
{
    unsigned last = UINT32_MAX, count[PEOPLE][PEOPLE] = {{0}};
    double chi = 0;
    *pairs = 0;
    for (size_t k = 0; k < v->n; k++) {
        const unsigned box = v->order[k];
        if (last != UINT32_MAX) {
            count[last][box]++;
            ++*pairs;
        }
        last = box;
    }
    const double want = (double)*pairs / (PEOPLE * PEOPLE);
    for (unsigned i = 0; i < PEOPLE; i++)
        for (unsigned k = 0; k < PEOPLE; k++)
            chi += pow(count[i][k] - want, 2) / want;
    /* boxes are asked for alike, by the same client: all cells are one law */
    const double freedom = PEOPLE * PEOPLE - 1;
    return (chi - freedom) / sqrt(2 * freedom);
}

static void
quiet(struct params *p)
{
    p->relay_loop_mhz = 1;
    p->boards = 0;
}

static void
i12_boxes_are_asked_for_in_no_order(void **state)
{
    (void)state;
    static struct view v;
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 1,
                                        .layers = 3,
                                        .mixes = 1,
                                        .stores = 1,
                                        .params = quiet,
                                        .seed = test_seed() + 1};
    const unsigned seconds = test_proof() ? 24000 : 4000;
    struct world *w = world_new(&config);
    struct world_client *a = world_client_add(w, "default", 0);
    char name[16], text[INVITE_TEXT_LEN];
    unsigned pairs;
    world_run_s(w, 5);
    for (unsigned i = 0; i < PEOPLE; i++) {
        snprintf(name, sizeof name, "other%u", i);
        assert_int_equal(client_invite(a->client, name, text), 0);
    }
    world_run_s(w, HELD_S);
    memset(&v, 0, sizeof v);
    const struct conversation *of = a->client->conversations;
    for (unsigned i = 0; i < PEOPLE; i++, of = of->next)
        conversation_box(
            a->client, of, CHAIN_IN,
            (struct letter_place){.period = client_period(a->client)},
            v.box[i]);
    struct rogue *r = rogue_new(w, world_first(w, 4));
    r->spy = store_see;
    r->spy_ctx = &v;
    for (unsigned s = 0; s < seconds; s += 100) {
        world_run_s(w, 100);
        world_epoch_due(w);
    }
    const double alarm = order_alarm(&v, &pairs);
    printf("  %u times one box of %u after another: chi^2 %.1f deviations "
           "from no order\n",
           pairs, (unsigned)PEOPLE, alarm);
    assert_true(pairs > seconds / 4); /* enough to see an order */
    assert_true(alarm < 5.5);
    rogue_free(&r);
    world_free(&w);
}

const struct CMUnitTest test_i12_polls[] = {
    cmocka_unit_test(i12_boxes_are_asked_for_in_no_order),
};
TEST_SUITE(test_i12_polls);
