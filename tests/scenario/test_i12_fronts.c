/* tests/scenario/test_i12_fronts.c - I12: whom else a user writes with is seen by no
 * contact and no store, since nothing that comes changes for whom polls are.
 *
 * Defences: client/pace/fronts.h, client/places.h. Each verdict is wrong once in
 * 10^6. With polls that followed who was heard last, both were seen by z of 6. */
#include "tests/runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/conversations.h"
#include "tests/rogue_relay.h"
#include "tests/stats.h"

enum { BOARDS = 4, DAY_S = 600, BOXES = 256, GETS_MAX = 2048 };

static void
days_short(struct params *p)
{
    p->period_s = DAY_S;
}

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

/* ---- a contact's pings ---- */

static double
ping_s(struct world *w, struct world_client *from, const char *to)
{
    struct client_message out = {0};
    uint64_t order;
    assert_int_equal(
        client_send(from->client, to, LETTER_PING, NULL, 0, &order), 0);
    for (unsigned i = 0; i < 1200 && !out.rtt_us; i++) {
        world_run_s(w, 0.1);
        assert_int_equal(client_message(from->client, to, order, &out), 0);
    }
    return out.rtt_us ? (double)out.rtt_us / 1e6 : 120;
}

/* A contact pings, waits, and pings again: when the answer is slower, the user has
 * written to somebody else meanwhile. 60 pings of each kind, waits alike. */
static void
i12_a_contact_sees_no_others(void **state)
{
    (void)state;
    enum { PINGS_MAX = 120, WAIT_S = 10 };
    static double quiet[PINGS_MAX], busy[PINGS_MAX];
    const unsigned n = test_proof() ? PINGS_MAX : 60;
    struct world *w = small(500, NULL);
    struct world_client *m = world_client_add(w, "default", 0);
    struct world_client *b = world_client_add(w, "default", 1);
    struct world_client *c = world_client_add(w, "light", 0);
    double sum[2] = {0};
    world_run_s(w, 5);
    world_pair(w, m, "b", b, "m");
    world_pair(w, c, "b", b, "c");
    assert_int_equal(client_pings(b->client, "m", true), 0);
    world_run_s(w, 60);
    for (unsigned i = 0; i < n; i++) {
        (void)ping_s(w, m, "b");
        world_run_s(w, 2 * WAIT_S);
        sum[0] += quiet[i] = ping_s(w, m, "b");
        world_run_s(w, WAIT_S);
        (void)world_say(b, "c", "hello");
        world_run_s(w, WAIT_S);
        sum[1] += busy[i] = ping_s(w, m, "b");
        (void)world_take(c, NULL);
        world_run_s(w, 2 * WAIT_S);
        world_epoch_due(w);
    }
    world_free(&w);
    const double z = stats_mean_z(busy, n, quiet, n);
    printf("  a contact's pings take %.1f s, when the user writes to others "
           "meanwhile %.1f s; z %.1f of %u\n",
           sum[0] / n, sum[1] / n, z, n);
    assert_true(fabs(z) < STATS_ALARM);
}

/* ---- fronts with a conversation and without ---- */

/* Gets of one client, by box. */
struct box_gets {
    uint8_t box[LETTER_BOX_LEN];
    size_t n;
    double at_s[GETS_MAX];
};

struct gets {
    const struct world *world;
    uint32_t node;
    size_t n;
    struct box_gets of[BOXES];
};

static void
gets_see(void *ctx, uint64_t now_us, uint32_t from, uint32_t to,
         const uint8_t *frame, size_t len)
{
    struct gets *g = ctx;
    const struct sphinx_geometry *geometry =
        &g->world->net.consensus->params.geometry;
    struct wire_request request;
    size_t i = 0;
    (void)to;
    (void)len;
    /* the suite null hides nothing */
    if (from != g->node || frame[0] != WIRE_PACKET ||
        wire_request_parse(&request,
                           frame + geometry->header_len + SPHINX_TAG_LEN,
                           geometry->body_len, geometry->surb_len) != 0 ||
        request.kind != WIRE_GET)
        return;
    while (i < g->n && memcmp(g->of[i].box, request.box, LETTER_BOX_LEN) != 0)
        i++;
    assert_true(i < BOXES);
    if (i == g->n)
        memcpy(g->of[g->n++].box, request.box, LETTER_BOX_LEN);
    assert_true(g->of[i].n < GETS_MAX);
    g->of[i].at_s[g->of[i].n++] = (double)now_us / 1e6;
}

/* How many standard errors are between the gets of two boxes. */
static double
count_z(const struct box_gets *a, const struct box_gets *b)
{
    return ((double)a->n - (double)b->n) / sqrt((double)(a->n + b->n));
}

static size_t
gaps_take(const struct box_gets *of, double gap[static GETS_MAX])
{
    for (size_t i = 1; i < of->n; i++)
        gap[i - 1] = of->at_s[i] - of->at_s[i - 1];
    return of->n - 1;
}

/* The gets of the box of this period that v's letters lie in first. */
static const struct box_gets *
gets_of(const struct gets *g, const struct conversation *v, uint32_t period)
{
    uint8_t box[LETTER_BOX_LEN];
    letter_box(v->chains + LETTER_CHAIN_LEN, (struct letter_place){period, 0},
               box);
    for (size_t i = 0; i < g->n; i++)
        if (memcmp(box, g->of[i].box, sizeof box) == 0)
            return &g->of[i];
    fail_msg("a box was not asked for");
    return NULL;
}

/* On a second day a user holds one of two fronts, for a contact that he looks at. The
 * boxes of both are asked for alike, today's and yesterday's. */
static void
i12_a_front_with_a_conversation_is_like_one_without(void **state)
{
    (void)state;
    static double gap[2][GETS_MAX];
    struct world *w = small(1300, days_short);
    struct world_client *a = world_client_add(w, "default", 0);
    struct world_client *b = world_client_add(w, "light", 1);
    struct gets *g = calloc(1, sizeof *g);
    assert_non_null(g);
    *g = (struct gets){.world = w, .node = a->node};
    world_run_s(w, 30);
    world_pair(w, a, "b", b, "a");
    for (unsigned s = 0; s < 2 * DAY_S; s += 100) {
        a->client->boards = BOARDS;
        assert_int_equal(client_open(a->client, "b"), 0);
        if (s == DAY_S)
            engine_tap(w->engine, gets_see, g);
        world_run_s(w, s + 100 == 2 * DAY_S ? 40 : 100);
    }
    engine_tap(w->engine, NULL, NULL);
    const uint32_t today = client_period(a->client);
    const struct conversation *v = a->client->conversations;
    const int front =
        fronts_of(a->client->fronts, env_now_mono_us(a->env), v->id);
    assert_true(front >= 0);
    const struct conversation *self =
        conversation_by_id(a->client, SELF_FIRST + 1 - (uint32_t)front);
    const struct box_gets *with = gets_of(g, v, today);
    const struct box_gets *without = gets_of(g, self, today);
    const struct box_gets *with_old = gets_of(g, v, today - 1);
    const struct box_gets *without_old = gets_of(g, self, today - 1);
    const double z = count_z(with, without);
    const double old_z = count_z(with_old, without_old);
    const size_t n = gaps_take(with, gap[0]), m = gaps_take(without, gap[1]);
    const double ks = stats_ks(gap[0], n, gap[1], m);
    printf(
        "  gets of today's box with a conversation %zu, without %zu: z %.1f, "
        "gaps' KS %.2f; of yesterday's %zu and %zu: z %.1f\n",
        with->n, without->n, z, ks, with_old->n, without_old->n, old_z);
    assert_true(n > 600 && with_old->n > 20); /* enough to see a difference */
    assert_true(fabs(z) < STATS_ALARM && fabs(old_z) < STATS_ALARM &&
                ks < STATS_KS_ALARM);
    world_free(&w);
    free(g);
}

const struct CMUnitTest test_i12_fronts[] = {
    cmocka_unit_test(i12_a_contact_sees_no_others),
    cmocka_unit_test(i12_a_front_with_a_conversation_is_like_one_without),
};
TEST_SUITE(test_i12_fronts);
