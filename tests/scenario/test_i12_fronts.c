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
#include "sim/announce/announce_internal.h"
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

/* ---- a contact's probes ---- */

enum { PROBES_MAX = 2000, PROBE_WAIT_S = 120, PROBE_KINDS = 3 };
static const char *const probe_names[PROBE_KINDS] = {
    "pings", "texts", "puts that are not announced"};

/* One contact who pings and writes, one who puts letters by himself and announces
 * none; and what they have seen of a user who was quiet, and who was not. */
struct prober {
    struct world *w;
    struct world_client *m, *b;
    struct adversary_contact silent;
    size_t n;
    double seen_s[2][PROBE_KINDS][PROBES_MAX];
};

static void
sweep_soon(struct params *p)
{
    p->conversations.sweep_mean_s = 20;
}

/* A letter that nobody announces, by one who promises to look; it acknowledges
 * what came, so that nothing is put again. Returns where b's answer will lie. */
static struct letter_place
silent_put(struct prober *x)
{
    const struct conversation *v = conversation_find(x->b->client, "s");
    struct letter l = {.kind = LETTER_TEXT,
                       .ack = v->next_sequence - 1,
                       .lease_s = (uint32_t)env_now_wall_s(x->b->env) +
                                  2 * PROBE_WAIT_S,
                       .count = 1,
                       .total = 2,
                       .data_len = 2,
                       .data = (const uint8_t *)"\1x"};
    rng_seeded_bytes(&x->silent.rng, l.message, sizeof l.message);
    adversary_contact_write(&x->silent, &l);
    return v->at;
}

/* One of each kind, at once; what has not come in time took that long. */
static void
probe(struct prober *x, double *out[static PROBE_KINDS])
{
    const struct letter_place before = silent_put(x);
    const struct conversation *v = conversation_find(x->b->client, "s");
    struct client_message ping = {0};
    uint64_t order;
    assert_int_equal(
        client_send(x->m->client, "b", LETTER_PING, NULL, 0, &order), 0);
    const uint64_t text = world_say(x->m, "b", "are you there?");
    for (size_t k = 0; k < PROBE_KINDS; k++)
        *out[k] = PROBE_WAIT_S;
    for (double s = 0.2; s < PROBE_WAIT_S; s += 0.2) {
        world_run_s(x->w, 0.2);
        assert_int_equal(client_message(x->m->client, "b", order, &ping), 0);
        const bool come[PROBE_KINDS] = {
            ping.rtt_us > 0, world_state(x->m, "b", text) == CLIENT_DELIVERED,
            v->at.period != before.period || v->at.n != before.n};
        for (size_t k = 0; k < PROBE_KINDS; k++)
            if (come[k] && s < *out[k])
                *out[k] = s;
        if (*out[0] < s && *out[1] < s && *out[2] < s)
            return;
    }
}

static void
probe_as(struct prober *x, unsigned world)
{
    double *out[PROBE_KINDS];
    for (size_t k = 0; k < PROBE_KINDS; k++)
        out[k] = &x->seen_s[world][k][x->n];
    probe(x, out);
}

/* The advantage has an error of two standard ones; KS goes beyond its alarm once in
 * 10^6. */
static void
probes_judge(struct prober *x)
{
    for (size_t k = 0; k < PROBE_KINDS; k++) {
        double *quiet = x->seen_s[0][k], *busy = x->seen_s[1][k];
        double sum[2] = {0};
        struct estimate e;
        for (size_t i = 0; i < x->n; i++) {
            sum[0] += quiet[i] / (double)x->n;
            sum[1] += busy[i] / (double)x->n;
        }
        assert_int_equal(probes_advantage(quiet, busy, x->n, 1, &e), 0);
        const double z = stats_mean_z(busy, x->n, quiet, x->n);
        const double ks = stats_ks(quiet, x->n, busy, x->n);
        printf("  %zu %s take a contact %.1f s, when the user writes to others "
               "meanwhile %.1f s; z %.1f, KS %.2f; advantage %.1f +- %.1f %%\n",
               x->n, probe_names[k], sum[0], sum[1], z, ks, 100 * e.value,
               100 * e.half);
        assert_true(fabs(z) < STATS_ALARM && ks < STATS_KS_ALARM);
        assert_true(e.value < 0.05 + 2.5 * e.half);
    }
}

/* A contact probes, waits, and probes again: when what comes is slower, the user
 * has written to somebody else meanwhile. Waits are alike. */
static void
i12_a_contact_sees_no_others(void **state)
{
    (void)state;
    enum { WAIT_S = 10 };
    static struct prober x;
    double none[PROBE_KINDS], *unseen[PROBE_KINDS];
    char invitation[INVITE_TEXT_LEN];
    const unsigned n = test_proof() ? PROBES_MAX : 50;
    struct world *w = small(500, sweep_soon);
    x.w = w;
    struct world_client *m = x.m = world_client_add(w, "default", 0);
    struct world_client *b = x.b = world_client_add(w, "default", 1);
    struct world_client *c = world_client_add(w, "light", 0);
    for (size_t k = 0; k < PROBE_KINDS; k++)
        unseen[k] = &none[k];
    world_run_s(w, 5);
    world_pair(w, m, "b", b, "m");
    world_pair(w, c, "b", b, "c");
    assert_int_equal(client_invite(b->client, "s", invitation), 0);
    adversary_contact_make(&x.silent, w, invitation, test_seed());
    assert_int_equal(client_pings(b->client, "m", true), 0);
    world_run_s(w, 60);
    for (x.n = 0; x.n < n; x.n++) {
        probe(&x, unseen);
        world_run_s(w, 2 * WAIT_S);
        probe_as(&x, 0);
        world_run_s(w, WAIT_S);
        (void)world_say(b, "c", "hello");
        world_run_s(w, WAIT_S);
        probe_as(&x, 1);
        (void)world_take(c, NULL);
        (void)world_take(b, NULL);
        world_run_s(w, 2 * WAIT_S);
        world_epoch_due(w);
    }
    world_free(&w);
    probes_judge(&x);
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
gets_of(const struct gets *g, const struct client *c,
        const struct conversation *v, uint32_t period)
{
    uint8_t box[LETTER_BOX_LEN];
    conversation_box(c, v, CHAIN_IN, (struct letter_place){period, 0}, box);
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
    const struct box_gets *with = gets_of(g, a->client, v, today);
    const struct box_gets *without = gets_of(g, a->client, self, today);
    const struct box_gets *with_old = gets_of(g, a->client, v, today - 1);
    const struct box_gets *without_old = gets_of(g, a->client, self, today - 1);
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
