/* tests/scenario/test_i10_time.c - I10: nothing irreversible follows from one
 * store's word for the time, nor from the own clock's.
 *
 * A store that says any time it likes, and is asked by a client more than any
 * other, stops nobody, expires nothing, and moves neither periods nor the
 * deadlines of packets; when it turns honest all is as it was. A client whose
 * own clock is wrong, from the start or by a jump and back, goes on or says
 * that it does not send; what was written arrives once, at the latest when the
 * clock is right.
 *
 * Defences: one sample a store and the median over unrelated families;
 * expiry and periods never by estimated time alone (client/outgoing.c,
 * client/state.c). */
#include "tests/runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/rogue_relay.h"

enum {
    HONEST_S = 300,   /* looked at before */
    LIE_S = 600,      /* the store lies so long */
    PATIENCE_S = 3600 /* texts take at most, after a restart too */
};
#define DAY_S 86400.0
/* Means of so many deadlines differ by 0.3 s by chance; this is five times
 * that. */
#define MOVED_S 1.5
#define YEAR_S  (365.25 * DAY_S)

/* What an honest gateway sees of its client's deadlines: how far ahead. */
struct ahead {
    const struct consensus *c;
    uint32_t node;
    double sum_s;
    size_t n;
};

static void
ahead_see(void *ctx, const struct rogue_sight *seen)
{
    struct ahead *a = ctx;
    if (seen->from != a->node)
        return;
    /* the world begins ten seconds after valid-after */
    a->sum_s += (double)seen->block->deadline * a->c->params.deadline_unit_s -
                (double)seen->now_us / 1e6 - 10;
    a->n++;
}

struct course {
    unsigned stores;
    double lie_s;
    bool from_start;
};

struct stage {
    struct world *w;
    struct world_client *a, *b;
    struct rogue *liar, *gateway;
    struct ahead ahead;
};

static struct stage
stage_set(unsigned stores, uint64_t seed)
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 2,
                                        .layers = 3,
                                        .mixes = 1,
                                        .stores = stores,
                                        .seed = test_seed() + seed};
    struct stage s = {.w = world_new(&config)};
    char text[INVITE_TEXT_LEN];
    uint8_t box[LETTER_BOX_LEN];
    s.a = world_client_add(s.w, "default", 0);
    s.b = world_client_add(s.w, "default", 1);
    world_run_s(s.w, 5);
    assert_int_equal(client_invite(s.a->client, "b", text), 0);
    assert_int_equal(client_add(s.b->client, "a", text), 0);
    s.liar = rogue_new(s.w, world_first_box(s.w, text, box));
    s.gateway = rogue_new(s.w, 0);
    s.ahead = (struct ahead){.c = s.w->net.consensus, .node = s.a->node};
    return s;
}

static void
stage_clear(struct stage *s)
{
    rogue_free(&s->liar);
    rogue_free(&s->gateway);
    world_free(&s->w);
}

/* Let time pass as daemons do. */
static void
watched_run(struct stage *s, unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        world_client_watch(s->a);
        world_client_watch(s->b);
        world_run_s(s->w, 1);
    }
}

static bool
is_sending(const struct stage *s)
{
    struct client_status st;
    client_status(s->a->client, &st);
    return st.started;
}

/* How far ahead the deadlines of a's packets are on average, by its gateway;
 * *stopped counts the looks, one in ten seconds, at which a did not send. */
static double
ahead_s(struct stage *s, unsigned seconds, unsigned *stopped)
{
    s->ahead.sum_s = 0;
    s->ahead.n = 0;
    s->gateway->spy = ahead_see;
    s->gateway->spy_ctx = &s->ahead;
    for (unsigned t = 0; t < seconds; t += 10) {
        watched_run(s, 10);
        *stopped += !is_sending(s);
    }
    s->gateway->spy = NULL;
    return s->ahead.n ? s->ahead.sum_s / (double)s->ahead.n : INFINITY;
}

/* Wait until it is delivered, as somebody who looks for that now and then;
 * returns the seconds, or PATIENCE_S. */
static unsigned
wait_s(struct stage *s, uint64_t order)
{
    unsigned t = 0;
    uint64_t ping;
    while (t < PATIENCE_S &&
           world_state(s->a, "b", order) != CLIENT_DELIVERED) {
        if (t % 100 == 0) /* and so promises to look for what answers */
            assert_int_equal(
                client_send(s->a->client, "b", LETTER_PING, NULL, 0, &ping), 0);
        world_epoch_due(s->w);
        watched_run(s, 10);
        t += 10;
    }
    return t;
}

static void
client_restart(struct stage *s, struct world_client *k)
{
    world_client_stop(k);
    watched_run(s, 2);
    world_client_start(k);
}

/* Returns what went wrong, as a number of things. */
static int
lie_run(const struct course *c)
{
    struct stage s = stage_set(c->stores, 100 + c->stores);
    unsigned stopped = 0;
    s.liar->lie_ms = (int64_t)(c->lie_s * 1000);
    watched_run(&s, 60);
    const double honest_s = ahead_s(&s, HONEST_S, &stopped);
    s.liar->vices = VICE_LIES_ABOUT_TIME;
    if (c->from_start)
        client_restart(&s, s.a);
    watched_run(&s, 60);
    world_client_stop(s.b);
    uint64_t order = world_say(s.a, "b", "for whoever comes back");
    const double lied_s = ahead_s(&s, LIE_S, &stopped);
    const enum client_state kept = world_state(s.a, "b", order);
    s.liar->vices = 0;
    world_client_start(s.b);
    const unsigned first_s = wait_s(&s, order);
    client_restart(&s, s.a);
    watched_run(&s, 10);
    order = world_say(s.a, "b", "after a restart");
    const unsigned then_s = wait_s(&s, order);
    const unsigned came = world_take(s.b, "a");
    printf(
        "  one of %u stores, %+.0f s%s: not sending %u of %u looks; its text "
        "was %s; deadlines %+.2f s; delivered after %u and %u s\n",
        c->stores, c->lie_s, c->from_start ? " from the start" : "", stopped,
        LIE_S / 10, client_state_name(kept), lied_s - honest_s, first_s,
        then_s);
    const int wrong = (stopped > 0) + (kept == CLIENT_EXPIRED) +
                      !(fabs(lied_s - honest_s) < MOVED_S) +
                      (first_s == PATIENCE_S) + (then_s == PATIENCE_S) +
                      (came != 2);
    assert_true(s.liar->done[__builtin_ctz(VICE_LIES_ABOUT_TIME)] >
                20); /* he was asked, and lied */
    stage_clear(&s);
    return wrong;
}

static void
i10_one_lying_store_moves_nothing(void **state)
{
    (void)state;
    static const double lie_s[] = {8 * DAY_S, 9, 10 * YEAR_S, -8 * DAY_S, -9};
    int wrong = 0;
    for (size_t i = 0; i < sizeof lie_s / sizeof lie_s[0]; i++)
        for (unsigned k = 0; k < 4; k++) {
            const struct course c = {.stores = k & 1 ? 3 : 10,
                                     .lie_s = lie_s[i],
                                     .from_start = k & 2};
            /* a quick run takes every other one */
            if (test_proof() || (i + k) % 2 == 0)
                wrong += lie_run(&c);
        }
    assert_int_equal(wrong, 0);
}

/* A gateway that lies: whoever believes it is not answered, and leaves it. */
static int
gateway_run(double lie_s)
{
    struct stage s = stage_set(3, 200);
    struct client_status st;
    watched_run(&s,
                400); /* the invitation is taken up, and a has heard of it */
    world_client_stop(s.b);
    s.gateway->lie_ms = (int64_t)(lie_s * 1000);
    s.gateway->vices = VICE_LIES_ABOUT_TIME;
    client_restart(&s, s.a);
    const uint64_t order = world_say(s.a, "b", "through a liar");
    watched_run(&s, 300);
    client_status(s.a->client, &st);
    const enum client_state kept = world_state(s.a, "b", order);
    world_client_start(s.b);
    const unsigned took_s = wait_s(&s, order);
    printf("  a gateway lies by %+.0f s: the client's is %s, its text was %s, "
           "delivered %u s later\n",
           lie_s, s.a->gateway ? "another" : "the liar",
           client_state_name(kept), took_s);
    const int wrong = (kept != CLIENT_SENT) + (took_s > 60) + !st.started;
    assert_true(s.gateway->done[__builtin_ctz(VICE_LIES_ABOUT_TIME)] > 0);
    stage_clear(&s);
    return wrong;
}

static void
i10_a_lying_gateway_delays_nobody_for_long(void **state)
{
    (void)state;
    static const double lie_s[] = {3600, -3600, 10 * DAY_S, -2 * YEAR_S};
    int wrong = 0;
    for (size_t i = 0; i < sizeof lie_s / sizeof lie_s[0]; i++)
        wrong += gateway_run(lie_s[i]);
    assert_int_equal(wrong, 0);
}

/* ---- nobody knows the time ---- */

static bool
line_is_cut(void *ctx, uint64_t now_us, uint32_t from, uint32_t to)
{
    const uint32_t *node = ctx;
    (void)now_us;
    return from != *node && to != *node;
}

static void
days_pass(struct stage *s, unsigned days)
{
    for (unsigned hour = 0; hour < 24 * days; hour++) {
        world_run_s(s->w, 3600);
        world_epoch(s->w);
    }
}

static void
params_idle(struct params *p)
{
    p->relay_loop_mhz = 1;
    p->list_interval_ms = 60000; /* for courses of days */
}

/* A text that is written while the line is cut, for as many days already, by a
 * clock that is so many days ahead; and after a restart. Then the clock is
 * right, and the line is there. The other one comes two minutes later: by then the
 * client has looked for texts that are too old. */
static int
absence_run(unsigned days, double ahead_s, bool restarts)
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 2,
                                        .layers = 3,
                                        .mixes = 1,
                                        .stores = 3,
                                        .params = params_idle,
                                        .seed = test_seed() + 500};
    struct stage s = {.w = world_new(&config)};
    s.a = world_client_add(s.w, "light", 0);
    s.b = world_client_add(s.w, "light", 1);
    world_run_s(s.w, 5);
    world_pair(s.w, s.a, "b", s.b, "a");
    watched_run(&s, 400); /* a has heard that its invitation is taken up */
    world_client_stop(s.b);
    engine_adversary(s.w->engine, line_is_cut, &s.a->node);
    days_pass(&s, days);
    world_client_clock(s.a, ahead_s);
    if (restarts)
        client_restart(&s, s.a);
    const uint64_t order = world_say(s.a, "b", "from far away");
    watched_run(&s, 600);
    if (restarts)
        client_restart(&s, s.a);
    world_client_clock(s.a, 0);
    engine_adversary(s.w->engine, NULL, NULL);
    watched_run(&s, 150);
    world_client_start(s.b);
    const unsigned took_s = wait_s(&s, order);
    printf("  written after %u days off, by a clock %+.0f s%s: %s after %u s\n",
           days, ahead_s, restarts ? ", with restarts" : "",
           client_state_name(world_state(s.a, "b", order)), took_s);
    stage_clear(&s);
    return took_s == PATIENCE_S;
}

static void
i10_what_is_written_in_absence_is_sent(void **state)
{
    (void)state;
    int wrong = 0;
    for (unsigned restarts = 0; restarts < 2; restarts++) {
        if (test_proof() || !restarts)
            wrong += absence_run(8, 0, restarts);
        if (test_proof() || restarts)
            wrong += absence_run(1, -10 * DAY_S, restarts);
        if (test_proof())
            wrong += absence_run(1, -2 * YEAR_S, restarts);
    }
    assert_int_equal(wrong, 0);
}

/* ---- a mix that holds packets ---- */

/* A mix holds packets for as long as their answers pass
 * (deadline_back_s), so that they come late to whatever store. What a client takes
 * for the time stays what it is: else all its boxes would show, by deadlines
 * that move together, how many of its packets this relay has had. */
static void
i12_a_mix_that_delays_moves_no_deadlines(void **state)
{
    (void)state;
    enum { MIXES = 3, LOOK_S = 2400 };
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 2,
                                        .layers = 3,
                                        .mixes = MIXES,
                                        .stores = 3,
                                        .seed = test_seed() + 400};
    struct stage s = {.w = world_new(&config)};
    unsigned stopped = 0;
    s.a = world_client_add(s.w, "default", 0);
    s.b = world_client_add(s.w, "default", 1);
    struct rogue *mix = rogue_new(s.w, world_first(s.w, 2));
    s.gateway = rogue_new(s.w, 0);
    s.ahead = (struct ahead){.c = s.w->net.consensus, .node = s.a->node};
    watched_run(&s, 120);
    const double honest_s = ahead_s(&s, LOOK_S, &stopped);
    mix->delay_us = s.w->net.consensus->params.deadline_back_s * 900000ULL;
    mix->vices = VICE_DELAYS;
    watched_run(&s, 120);
    const double held_s = ahead_s(&s, LOOK_S, &stopped);
    printf("  one mix of %u holds packets for %.1f s: deadlines %+.2f s\n",
           (unsigned)MIXES, (double)mix->delay_us / 1e6, held_s - honest_s);
    assert_true(mix->done[__builtin_ctz(VICE_DELAYS)] > 500);
    assert_int_equal(stopped, 0);
    /* means of 13,000 deadlines differ by 0.12 s by chance */
    assert_true(fabs(held_s - honest_s) < 0.6);
    rogue_free(&mix);
    stage_clear(&s);
}

/* ---- the own clock ---- */

/* A text to b while a's clock is wrong by so much, and what becomes of it. */
static int
clock_run(double ahead, bool from_start)
{
    struct stage s = stage_set(3, 300);
    watched_run(&s, 60);
    const uint64_t before = world_say(s.a, "b", "before");
    watched_run(&s, 120);
    unsigned came = world_take(s.b, "a");
    world_client_clock(s.a, ahead);
    if (from_start)
        client_restart(&s, s.a);
    watched_run(&s, 60);
    const uint64_t during = world_say(s.a, "b", "during");
    const uint64_t back = world_say(s.b, "a", "back");
    watched_run(&s, 600);
    const bool sending = is_sending(&s);
    const enum client_state state = world_state(s.a, "b", during);
    came += world_take(s.b, "a");
    world_client_clock(s.a, 0);
    watched_run(&s, 60);
    const uint64_t after = world_say(s.a, "b", "after");
    const unsigned took_s = wait_s(&s, after);
    for (unsigned t = 0; t < PATIENCE_S / 10 &&
                         (world_state(s.a, "b", during) != CLIENT_DELIVERED ||
                          world_state(s.b, "a", back) != CLIENT_DELIVERED);
         t++)
        watched_run(&s, 10);
    came += world_take(s.b, "a");
    const unsigned came_back = world_take(s.a, "b");
    printf("  own clock %+.0f s%s: %s, a text is %s; right again: %s after %u "
           "s, of 3 texts came %u, of 1 back %u\n",
           ahead, from_start ? " from the start" : "",
           sending ? "sends" : "says that it does not send",
           client_state_name(state),
           client_state_name(world_state(s.a, "b", after)), took_s, came,
           came_back);
    const int wrong = (sending && state != CLIENT_DELIVERED) + (came != 3) +
                      (came_back != 1) +
                      (world_state(s.a, "b", before) != CLIENT_DELIVERED) +
                      (world_state(s.a, "b", during) != CLIENT_DELIVERED) +
                      (world_state(s.b, "a", back) != CLIENT_DELIVERED) +
                      (took_s == PATIENCE_S);
    stage_clear(&s);
    return wrong;
}

static void
i10_a_wrong_clock_loses_nothing(void **state)
{
    (void)state;
    static const double ahead_of[] = {120,        -120,       3 * 3600,
                                      -3 * 3600,  10 * DAY_S, -10 * DAY_S,
                                      2 * YEAR_S, -2 * YEAR_S};
    int wrong = 0;
    for (size_t i = 0; i < sizeof ahead_of / sizeof ahead_of[0]; i++)
        for (unsigned k = 0; k < 2; k++)
            if (test_proof() || (i / 2 + k) % 2 == 0)
                wrong += clock_run(ahead_of[i], k);
    assert_int_equal(wrong, 0);
}

const struct CMUnitTest test_i10_time[] = {
    cmocka_unit_test(i10_one_lying_store_moves_nothing),
    cmocka_unit_test(i10_a_lying_gateway_delays_nobody_for_long),
    cmocka_unit_test(i10_a_wrong_clock_loses_nothing),
    cmocka_unit_test(i10_what_is_written_in_absence_is_sent),
    cmocka_unit_test(i12_a_mix_that_delays_moves_no_deadlines),
};
TEST_SUITE(test_i10_time);
