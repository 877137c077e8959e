/* tests/scenario/test_listed.c - boards' lists in whole clients: they come and are
 * sure, a letter to somebody who is not waiting is heard of by them, and a gateway
 * that keeps them is left. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "network/list.h"
#include "tests/world.h"

enum { GATEWAYS = 3, SENT_MAX = 4096 };

/* A gateway's vice, as its client sees it: between these times it shows no slice
 * of a list, or only every other one. */
struct vice {
    struct world *w;
    uint32_t gateway; /* UINT32_MAX: all of them */
    uint64_t from_us, to_us;
    unsigned every; /* of so many slices one is kept back */
    unsigned n, kept;
};

static bool
slice_keep(void *ctx, uint32_t from, uint8_t *frame, size_t len)
{
    struct vice *v = ctx;
    const uint64_t now_us = engine_now_us(v->w->engine);
    const size_t payload_len = v->w->net.consensus->params.geometry.payload_len;
    uint8_t *rest = frame + WIRE_DOWN_HEAD_LEN + payload_len;
    if (frame[0] != WIRE_PACKET || len < WIRE_DOWN_HEAD_LEN + payload_len + 1 ||
        rest[0] != WIRE_SLICE_PART ||
        (v->gateway != UINT32_MAX && v->gateway != from) ||
        now_us < v->from_us || now_us >= v->to_us || v->n++ % v->every != 0)
        return true;
    rest[0] = WIRE_SLICE_NONE;
    v->kept++;
    return true;
}

static const struct sim_front_ops vice_ops = {.comes = slice_keep};

static struct world *
world_make(void)
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = GATEWAYS,
                                        .layers = 3,
                                        .mixes = 2,
                                        .stores = 5,
                                        .seed = test_seed()};
    return world_new(&config);
}

static struct client_status
status_of(const struct world_client *k)
{
    struct client_status s;
    client_status(k->client, &s);
    return s;
}

/* Four lists each two seconds, of which all but the newest are sure; who comes later
 * has those of before as well. */
static void
lists_come_to_clients_and_are_sure(void **state)
{
    (void)state;
    struct world *w = world_make();
    struct world_client *early = world_client_add(w, "default", 0);
    world_run_s(w, 120);
    struct world_client *late = world_client_add(w, "default", 1);
    world_run_s(w, 120);
    const struct client_lists first = status_of(early).lists;
    const struct client_lists second = status_of(late).lists;
    print_message("  after 240 s %u lists, %u sure; after 120 s %u, %u\n",
                  (unsigned)first.seen, (unsigned)first.sure,
                  (unsigned)second.seen, (unsigned)second.sure);
    assert_in_range(first.seen, 4 * 110, 4 * 120);
    assert_in_range(second.seen, 4 * 105, 4 * 120);
    assert_true(first.sure + 12 >= first.seen);
    assert_true(second.sure + 12 >= second.seen);
    for (unsigned i = 0; i < 2; i++) {
        struct world_client *k = i ? late : early;
        const struct client_lists l = status_of(k).lists;
        assert_int_equal(l.late, 0);
        assert_int_equal(l.missed, 0);
        assert_int_equal(l.refused, 0);
        assert_int_equal(l.forked, 0);
        assert_int_equal(l.evidence, 0);
        assert_int_equal(l.tokens, 0);
        assert_int_equal(client_leave(k->client), CLIENT_STAY);
    }
    world_free(&w);
}

/* a says something to b and waits until it is there. Returns after how many
 * seconds; the next text is minutes later, since a contact has few scripts (client/pace/fronts.h). */
static unsigned
text_time(struct world *w, struct world_client *a, struct world_client *b)
{
    unsigned s = 0;
    bool came = false;
    (void)world_take(b, "a");
    (void)world_say(a, "b", "hello");
    for (; s < 60 && !came; s++) {
        world_run_s(w, 1);
        came = world_take(b, "a") > 0;
    }
    world_run_s(w, 110);
    return s;
}

/* Somebody writes to one who does not wait for him: his token is listed, both see
 * it, and the text is there long before the sweep's hour. So it is after a restart
 * of either, though more tokens than are awaited have been used. */
static void
i9_a_first_text_is_heard_of_by_a_list(void **state)
{
    (void)state;
    enum { TEXTS = 14 };
    uint64_t tokens = 0, listed = 0;
    unsigned sum_s = 0, most_s = 0;
    struct world *w = world_make();
    struct world_client *a = world_client_add(w, "default", 0);
    struct world_client *b = world_client_add(w, "default", 1);
    world_run_s(w, 5);
    world_pair(w, a, "b", b, "a");
    world_run_s(w, 1500); /* the front that b had for a is another's */
    for (unsigned i = 0; i < TEXTS; i++) {
        struct world_client *k = i == 10 ? b : a;
        if (i >= 10 && i < 12) {
            tokens += status_of(b).lists.tokens * (k == b);
            listed += status_of(a).listed * (k == a);
            world_client_stop(k);
            world_run_s(w, 5);
            world_client_start(k);
            world_run_s(w, 60);
        }
        const unsigned s = text_time(w, a, b);
        assert_true(s < 30);
        sum_s += s;
        most_s = s > most_s ? s : most_s;
    }
    tokens += status_of(b).lists.tokens;
    listed += status_of(a).listed;
    print_message("  %u texts after %.1f s, %u s at most; %u tokens seen\n",
                  TEXTS, (double)sum_s / TEXTS, most_s, (unsigned)tokens);
    assert_in_range(tokens, TEXTS, TEXTS + 3);
    assert_true(listed >= TEXTS);
    assert_int_equal(status_of(b).lists.late, 0);
    world_free(&w);
}

/* One gateway shows no lists any more, or every third one not: its client leaves it
 * after a minute, once, and has all at the next. Letters come all the time. */
static void
i10_a_gateway_that_keeps_lists_is_left(void **state)
{
    (void)state;
    for (unsigned every = 1; every <= 3; every += 2) {
        struct world *w = world_make();
        struct world_client *k = world_client_add(w, "default", 0);
        world_run_s(w, 60);
        const uint32_t bad = k->gateway;
        struct vice v = {.w = w,
                         .gateway = bad,
                         .from_us = engine_now_us(w->engine),
                         .to_us = UINT64_MAX,
                         .every = every};
        engine_front(w->engine, k->node, &vice_ops, &v);
        unsigned left_s = 0;
        for (unsigned s = 1; s <= 200; s++) {
            world_run_s(w, 1);
            world_client_watch(k);
            if (left_s == 0 && k->gateway != bad)
                left_s = s;
        }
        const struct client_lists l = status_of(k).lists;
        print_message("  every %u of %u slices kept: left after %u s, %u lists "
                      "late\n",
                      every, v.n, left_s, (unsigned)l.late);
        assert_in_range(left_s, 58, 80);
        assert_true(l.late > 10);
        assert_int_equal(l.left, 1);
        assert_true(k->gateway != bad);
        assert_int_equal(client_leave(k->client), CLIENT_STAY);
        const uint64_t sure = l.sure;
        world_run_s(w, 20);
        assert_true(status_of(k).lists.sure >= sure + 30);
        engine_front(w->engine, k->node, NULL, NULL);
        world_free(&w);
    }
}

/* When a client sends its frames. */
struct rhythm {
    uint32_t node;
    size_t n;
    uint64_t at_us[SENT_MAX];
};

static void
rhythm_see(void *ctx, uint64_t now_us, uint32_t from, uint32_t to,
           const uint8_t *frame, size_t len)
{
    struct rhythm *r = ctx;
    (void)to;
    (void)frame;
    (void)len;
    if (from == r->node && r->n < SENT_MAX)
        r->at_us[r->n++] = now_us;
}

/* Whether lists come or not: a client of whom nobody wants anything sends the same
 * to the microsecond. */
static void
i2_lists_change_nothing_that_is_sent(void **state)
{
    (void)state;
    static struct rhythm r[2];
    for (unsigned i = 0; i < 2; i++) {
        struct world *w = world_make();
        struct world_client *k = world_client_add(w, "default", 0);
        struct vice v = {
            .w = w, .gateway = UINT32_MAX, .to_us = UINT64_MAX, .every = 1};
        r[i] = (struct rhythm){.node = k->node};
        engine_tap(w->engine, rhythm_see, &r[i]);
        if (i == 1)
            engine_front(w->engine, k->node, &vice_ops, &v);
        world_run_s(w, 300); /* and nobody watches */
        assert_int_equal(status_of(k).lists.seen > 0, i == 0);
        assert_int_equal(client_leave(k->client),
                         i == 0 ? CLIENT_STAY : CLIENT_WITHHELD);
        engine_front(w->engine, k->node, NULL, NULL);
        engine_tap(w->engine, NULL, NULL);
        world_free(&w);
    }
    assert_true(r[0].n > 1000);
    assert_int_equal(r[0].n, r[1].n);
    assert_memory_equal(r[0].at_us, r[1].at_us, r[0].n * sizeof r[0].at_us[0]);
}

const struct CMUnitTest test_listed[] = {
    cmocka_unit_test(lists_come_to_clients_and_are_sure),
    cmocka_unit_test(i9_a_first_text_is_heard_of_by_a_list),
    cmocka_unit_test(i10_a_gateway_that_keeps_lists_is_left),
    cmocka_unit_test(i2_lists_change_nothing_that_is_sent),
};
TEST_SUITE(test_listed);
