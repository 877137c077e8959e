/* tests/scenario/test_older_copies.c - an older copy of a client comes back, among real
 * stores: what it writes is never called delivered before it is there, and it comes. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "client/conversations.h"
#include "client/state.h"
#include "relay/relay.h"
#include "tests/world.h"

enum { SINCE = 5 }; /* texts since the copy */

/* Copy what is on k's disk. */
static struct world_record *
snapshot(const struct world_client *k, size_t *n)
{
    struct world_record *r = calloc(k->n_records + 1, sizeof *r);
    for (size_t i = 0; i < k->n_records; i++) {
        r[i] = k->record[i];
        r[i].value = malloc(r[i].len + 1);
        memcpy(r[i].value, k->record[i].value, r[i].len);
    }
    *n = k->n_records;
    return r;
}

/* Put the copy r of n records on k's disk. */
static void
restore(struct world_client *k, struct world_record *r, size_t n)
{
    for (size_t i = 0; i < k->n_records; i++)
        free(k->record[i].value);
    free(k->record);
    k->record = r;
    k->n_records = k->room = n;
}

static void
link_cut(struct world_client *k)
{
    team_client_close(k->world->relay[k->gateway].team, k->link);
    k->gateway = UINT32_MAX;
    client_link_down(k->client);
}

/* Two clients who are a pair and have exchanged a text. */
struct two {
    struct world *w;
    struct world_client *a, *b;
    struct world_record *old; /* the copy of a's disk, taken then */
    size_t n;
};

static bool
wait_state(struct two *t, uint64_t order, enum client_state state,
           unsigned most_s)
{
    for (unsigned s = 0; s < most_s; s++) {
        if (world_state(t->a, "b", order) == state)
            return true;
        world_run_s(t->w, 1);
    }
    return world_state(t->a, "b", order) == state;
}

static void
two_make(struct two *t)
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 2,
                                        .layers = 3,
                                        .mixes = 1,
                                        .stores = 3,
                                        .seed = test_seed()};
    t->w = world_new(&config);
    t->a = world_client_add(t->w, "default", 0);
    t->b = world_client_add(t->w, "default", 1);
    world_run_s(t->w, 5);
    world_pair(t->w, t->a, "b", t->b, "a");
    world_run_s(t->w, 120);
    const uint64_t first = world_say(t->a, "b", "first");
    assert_true(wait_state(t, first, CLIENT_DELIVERED, 600));
    assert_int_equal(world_take(t->b, "a"), 1);
    world_run_s(t->w, 300);
}

static void
copy_put_back(struct two *t)
{
    world_client_stop(t->a);
    world_run_s(t->w, 60);
    restore(t->a, t->old, t->n);
    world_client_start(t->a);
}

/* Count what b gets until a says that the text is delivered, and ten minutes more. */
static unsigned
texts_come(struct two *t, uint64_t order, unsigned most_s)
{
    unsigned came = 0;
    for (unsigned s = 0;
         s < most_s && world_state(t->a, "b", order) != CLIENT_DELIVERED; s++) {
        world_run_s(t->w, 1);
        came += world_take(t->b, "a");
    }
    world_run_s(t->w, 600);
    return came + world_take(t->b, "a");
}

/* In how many conversations has k found that its records are old? */
static unsigned
overtaken(const struct world_client *k)
{
    struct client_status s;
    client_status(k->client, &s);
    return (unsigned)s.overtaken;
}

/* b is away while a writes texts; the copy of before them writes one, which has the
 * number of the first of them; then b comes. */
static void
i6_a_number_that_two_lives_have_used(void **state)
{
    (void)state;
    struct two t;
    two_make(&t);
    world_client_stop(t.b);
    t.old = snapshot(t.a, &t.n);
    for (unsigned i = 0; i < SINCE; i++) {
        assert_true(
            wait_state(&t, world_say(t.a, "b", "since"), CLIENT_SENT, 600));
        world_run_s(t.w, 20);
    }
    copy_put_back(&t);
    world_run_s(t.w, 120);
    const uint64_t anew = world_say(t.a, "b", "anew");
    world_run_s(t.w, 300);
    world_client_start(t.b);
    assert_int_equal(texts_come(&t, anew, 1800), SINCE + 1);
    assert_int_equal(world_state(t.a, "b", anew), CLIENT_DELIVERED);
    assert_int_equal(overtaken(t.a), 1);
    world_free(&t.w);
}

/* b has acknowledged what a wrote since the copy; a text of the copy's waits for the
 * line, so that those answers are read when it is older than stores tell ages. */
static void
i6_an_old_answer_is_not_taken_for_a_new_one(void **state)
{
    (void)state;
    struct two t;
    two_make(&t);
    t.old = snapshot(t.a, &t.n);
    for (unsigned i = 0; i < SINCE; i++) {
        assert_true(wait_state(&t, world_say(t.a, "b", "since"),
                               CLIENT_DELIVERED, 600));
        world_run_s(t.w, 60);
    }
    assert_int_equal(world_take(t.b, "a"), SINCE);
    copy_put_back(&t);
    link_cut(t.a);
    const uint64_t anew = world_say(t.a, "b", "anew");
    world_run_s(t.w, 300);
    world_client_connect(t.a);
    assert_int_equal(texts_come(&t, anew, 3600), 1);
    assert_int_equal(overtaken(t.a), 1);
    world_free(&t.w);
}

const struct CMUnitTest test_older_copies[] = {
    cmocka_unit_test(i6_a_number_that_two_lives_have_used),
    cmocka_unit_test(i6_an_old_answer_is_not_taken_for_a_new_one),
};
TEST_SUITE(test_older_copies);
