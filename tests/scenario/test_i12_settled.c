/* tests/scenario/test_i12_settled.c - I12: what a client shows of itself while
 * it knows less than others do (its clock is not compared yet, or a newer
 * consensus is kept from it) is seen at no box of its own.
 *
 * Packets of such a client can be told from those of all others, by their
 * deadlines or by their epoch: were real boxes among what they ask for, stores
 * could tie these together, and with its gateway say whose they are. So it asks
 * for random boxes alone, and puts nothing.
 *
 * One that starts anew while an epoch begins has the consensus of before, too.
 *
 * The suite null hides nothing, so the wire says what is asked for.
 *
 * Defences: client_settle(), places_pick(), documents_resume(). */
#include "tests/runner.h"

#include <stdio.h>
#include <string.h>

#include "tests/day_key.h"
#include "tests/rogue_relay.h"

enum { STORES = 3, REQUEST_BOX = 4, EPOCH_S = 600, WINDOW_S = 200 };

/* What is asked for by one client. */
struct wire {
    const struct world *w;
    uint32_t node;
    uint8_t box[32];              /* where it looks for its contact's letters */
    unsigned real[256], all[256]; /* by epoch */
};

static void
wire_see(void *ctx, uint64_t now_us, uint32_t from, uint32_t to,
         const uint8_t *frame, size_t len)
{
    struct wire *x = ctx;
    const struct sphinx_geometry *g = &x->w->net.consensus->params.geometry;
    const uint8_t *body = frame + g->header_len + SPHINX_TAG_LEN;
    (void)now_us;
    (void)to;
    (void)len;
    if (from != x->node || frame[0] != WIRE_PACKET)
        return;
    x->all[frame[1]]++;
    x->real[frame[1]] +=
        body[0] == WIRE_PUT ||
        (body[0] == WIRE_GET &&
         memcmp(body + REQUEST_BOX, x->box, sizeof x->box) == 0);
}

struct stage {
    struct world *w;
    struct world_client *a, *b;
    struct wire wire;
};

static void
epochs_short(struct params *p)
{
    p->epoch_len_s = EPOCH_S;
    p->switch_window_s = WINDOW_S;
}

static void
stage_set(struct stage *s, uint64_t seed)
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 2,
                                        .layers = 3,
                                        .mixes = 1,
                                        .stores = STORES,
                                        .params = epochs_short,
                                        .seed = test_seed() + seed};
    char text[INVITE_TEXT_LEN];
    struct chain inviter, invitee;
    struct invite i;
    *s = (struct stage){.w = world_new(&config)};
    s->a = world_client_add(s->w, "default", 0);
    s->b = world_client_add(s->w, "default", 1);
    world_run_s(s->w, 5);
    assert_int_equal(client_invite(s->a->client, "b", text), 0);
    assert_int_equal(client_add(s->b->client, "a", text), 0);
    const struct consensus *c = s->w->net.consensus;
    const struct letter_place first = {
        (uint32_t)(c->valid_after_s / c->params.period_s), 0};
    assert_int_equal(invite_read(&i, text), 0);
    invite_chains(&i, &inviter, &invitee);
    s->wire = (struct wire){.w = s->w, .node = s->a->node};
    letter_box(day_key_of(&invitee, &c->params, first.period).key, first,
               s->wire.box);
    engine_tap(s->w->engine, wire_see, &s->wire);
}

static void
stage_clear(struct stage *s)
{
    engine_tap(s->w->engine, NULL, NULL);
    world_free(&s->w);
}

static void
sums(const struct wire *x, unsigned *real, unsigned *all)
{
    *real = *all = 0;
    for (unsigned i = 0; i < 256; i++) {
        *real += x->real[i];
        *all += x->all[i];
    }
}

/* A client whose clock errs starts while one store of three answers: it cannot
 * know the time, and all that it sends shows its own. */
static void
i12_nothing_real_before_the_time_is_agreed(void **state)
{
    (void)state;
    struct stage s;
    unsigned real, all;
    stage_set(&s, 1);
    world_run_s(s.w, 60);
    sums(&s.wire, &real, &all);
    assert_true(real > 20); /* as it should be: of 64 polls a front has 25 */
    world_client_stop(s.a);
    const uint32_t store = world_first(s.w, 4);
    for (uint32_t i = 1; i < STORES; i++)
        world_relay_stop(s.w, store + i);
    world_client_clock(s.a, 4);
    memset(s.wire.real, 0, sizeof s.wire.real);
    memset(s.wire.all, 0, sizeof s.wire.all);
    world_client_start(s.a);
    (void)world_say(s.a, "b", "hello");
    world_run_s(s.w, 120);
    sums(&s.wire, &real, &all);
    printf("  one store of three answers: %u real requests of %u\n", real, all);
    assert_true(all > 300); /* its rate is what it is */
    assert_int_equal(real, 0);
    for (uint32_t i = 1; i < STORES; i++)
        world_relay_start(s.w, store + i);
    world_run_s(s.w, 60);
    sums(&s.wire, &real, &all);
    assert_true(real > 20);
    stage_clear(&s);
}

/* The gateway keeps the next consensus from its client while everybody else
 * moves on to it. */
static void
i12_nothing_real_while_a_consensus_is_withheld(void **state)
{
    (void)state;
    struct stage s;
    stage_set(&s, 2);
    const uint32_t epoch = s.w->net.consensus->epoch;
    const uint8_t old = (uint8_t)epoch, next = (uint8_t)(epoch + 1);
    world_run_s(s.w, EPOCH_S - 80);
    struct rogue *r = rogue_new(s.w, 0);
    r->vices = VICE_WITHHOLDS;
    r->withheld = ROGUE_DOCUMENTS;
    r->withheld_after = epoch;
    world_epoch(s.w);
    world_run_s(s.w, 80); /* ten seconds of the window */
    const unsigned real = s.wire.real[old], all = s.wire.all[old];
    for (unsigned t = 0; t < WINDOW_S + 60; t++) {
        if (t % 10 == 0)
            (void)world_say(s.a, "b", "hello");
        world_client_watch(s.a);
        world_run_s(s.w, 1);
    }
    printf("  withheld: %u real requests of %u for the old epoch in its "
           "window; then by gateway %u, %u of %u for the new one\n",
           s.wire.real[old] - real, s.wire.all[old] - all, s.a->gateway,
           s.wire.real[next], s.wire.all[next]);
    assert_true(s.wire.all[old] > all + 500);
    assert_int_equal(s.wire.real[old], real);
    assert_int_equal(s.a->gateway, 1);
    assert_true(s.wire.real[next] > 10);
    rogue_free(&r);
    stage_clear(&s);
}

/* A restart in the window of an epoch: packets belong to both, as everybody's
 * do, not to the new one alone. The world begins ten seconds after valid-after:
 * of 330 of them 25 % are of the new one; six deviations more are 40 %. */
static void
i12_a_restart_in_a_window_draws_as_others_do(void **state)
{
    (void)state;
    struct stage s;
    stage_set(&s, 3);
    const uint32_t epoch = s.w->net.consensus->epoch;
    const uint8_t old = (uint8_t)epoch, next = (uint8_t)(epoch + 1);
    world_run_s(s.w, EPOCH_S - 80);
    world_epoch(s.w);
    world_run_s(s.w, 80);
    world_client_stop(s.a);
    world_client_start(s.a);
    const unsigned before = s.wire.all[old], since = s.wire.all[next];
    world_run_s(s.w, 60);
    const unsigned of_old = s.wire.all[old] - before,
                   of_next = s.wire.all[next] - since;
    printf("  20 to 80 s after a window of %u s began: %u of the new epoch, %u "
           "of the old one\n",
           (unsigned)WINDOW_S, of_next, of_old);
    assert_true(of_next + of_old > 200);
    assert_true(5 * of_next < 2 * (of_next + of_old));
    stage_clear(&s);
}

/* A restart when the next consensus has come and not begun: the one in force
 * goes on being used at once. */
static void
i9_a_restart_before_an_epoch_is_no_pause(void **state)
{
    (void)state;
    struct stage s;
    stage_set(&s, 4);
    const uint8_t old = (uint8_t)s.w->net.consensus->epoch;
    world_run_s(s.w, EPOCH_S - 120);
    (void)world_say(s.a, "b", "hello"); /* and so promises to look */
    world_epoch(s.w);
    world_run_s(s.w, 30);
    world_client_stop(s.a);
    world_client_start(s.a);
    world_run_s(s.w, 20); /* to settle, and until polls begin */
    const unsigned all = s.wire.all[old], real = s.wire.real[old];
    world_run_s(s.w, 30);
    printf("  before an epoch begins: %u requests in half a minute, %u real\n",
           s.wire.all[old] - all, s.wire.real[old] - real);
    assert_true(s.wire.all[old] > all + 80);
    assert_true(s.wire.real[old] > real + 5);
    stage_clear(&s);
}

const struct CMUnitTest test_i12_settled[] = {
    cmocka_unit_test(i12_nothing_real_before_the_time_is_agreed),
    cmocka_unit_test(i12_nothing_real_while_a_consensus_is_withheld),
    cmocka_unit_test(i12_a_restart_in_a_window_draws_as_others_do),
    cmocka_unit_test(i9_a_restart_before_an_epoch_is_no_pause),
};
TEST_SUITE(test_i12_settled);
