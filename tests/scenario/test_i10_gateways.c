/* tests/scenario/test_i10_gateways.c - I10: which gateways learn a client's
 * address follows from nobody's word, and from no broken connection.
 *
 * Stores that name a consensus which does not exist, as many as there may be
 * below the number of families that is asked, make nobody leave a gateway. One
 * that withholds consensuses or packets, or is dead, is left for the second of
 * the client's set, within seconds of when it can be told. And whatever an
 * attacker on the network does to its connections, for a month, a client
 * touches its three gateways, and a new one at most once in three weeks.
 *
 * Defences: client/heard/witness.c (epochs bounded, forgotten, several families),
 * client/heard/gateways.c (a set that is kept). */
#include "tests/runner.h"

#include <stdio.h>
#include <string.h>

#include "client/conversations.h"
#include "client/letters/letter.h"
#include "client/state.h"
#include "tests/rogue_relay.h"

enum {
    GATEWAYS = 10,
    STORES = 6,
    EPOCH_S = 300,
    KEPT = 3, /* gateways of a client */
    RENEW_DAYS = 21
};

static void
epochs_short(struct params *p)
{
    p->epoch_len_s = EPOCH_S;
    p->switch_window_s = EPOCH_S / 12;
}

static struct world *
world_make(uint64_t seed, void (*params)(struct params *p))
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = GATEWAYS,
                                        .layers = 3,
                                        .mixes = 1,
                                        .stores = STORES,
                                        .params = params,
                                        .seed = test_seed() + seed};
    return world_new(&config);
}

/* Whom does a client send to? And does the attacker let it? */
struct wire {
    const struct world_client *k;
    uint32_t touched; /* bit i: gateway i */
    bool blocked;
};

static void
wire_see(void *ctx, uint64_t now_us, uint32_t from, uint32_t to,
         const uint8_t *frame, size_t len)
{
    struct wire *x = ctx;
    (void)now_us;
    (void)frame;
    (void)len;
    if (from == x->k->node)
        x->touched |= 1u << to;
}

static bool
wire_pass(void *ctx, uint64_t now_us, uint32_t from, uint32_t to)
{
    const struct wire *x = ctx;
    (void)now_us;
    return !x->blocked || (from != x->k->node && to != x->k->node);
}

static unsigned
touched(const struct wire *x)
{
    return (unsigned)__builtin_popcount(x->touched);
}

static void
watched_run(struct world *w, struct world_client *k, unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        world_client_watch(k);
        world_run_s(w, 1);
    }
}

/* Let time pass until so many seconds after epoch e of the world becomes valid;
 * its consensus comes a twentieth of an epoch before that. The world starts in
 * epoch 0, ten seconds after valid-after. */
static void
epoch_reach(struct world *w, struct world_client *k, unsigned e,
            unsigned after_s)
{
    const unsigned now_s = (unsigned)(engine_now_us(w->engine) / 1000000) + 10;
    const unsigned comes_s = e * EPOCH_S - EPOCH_S / 20;
    watched_run(w, k, comes_s - now_s);
    world_epoch(w);
    watched_run(w, k, EPOCH_S / 20 + after_s);
}

/* Two stores name a consensus so many epochs ahead of each that there is. */
static void
liars_run(uint32_t ahead)
{
    struct world *w = world_make(ahead, epochs_short);
    struct world_client *k = world_client_add(w, "default", 0);
    struct world_client *b = world_client_add(w, "default", 1);
    struct rogue *liar[2];
    struct wire x = {.k = k};
    struct client_status s;
    watched_run(w, k, 5);
    world_pair(w, k, "b", b, "k");
    watched_run(w, k, 60);
    for (unsigned n = 0; n < 2; n++) {
        liar[n] = rogue_new(w, world_first(w, 4) + n);
        liar[n]->vices = VICE_FALSE_EPOCH;
        liar[n]->false_digest[0] = 9;
    }
    engine_tap(w->engine, wire_see, &x);
    for (unsigned e = 1; e < 4; e++) {
        liar[0]->false_epoch = liar[1]->false_epoch =
            ahead == UINT32_MAX ? ahead : w->net.consensus->epoch + ahead;
        epoch_reach(w, k, e, EPOCH_S / 2);
    }
    world_client_stop(k);
    world_client_start(k);
    const uint64_t order = world_say(k, "b", "hello");
    watched_run(w, k, 300);
    engine_tap(w->engine, NULL, NULL);
    client_status(k->client, &s);
    printf(
        "  two stores name %u epochs ahead: %u gateways touched, epoch %u of "
        "%u, a text is %s\n",
        ahead, touched(&x), s.epoch, w->net.consensus->epoch,
        client_state_name(world_state(k, "b", order)));
    assert_true(liar[0]->done[__builtin_ctz(VICE_FALSE_EPOCH)] > 500);
    assert_int_equal(touched(&x), 1);
    assert_int_equal(s.epoch, w->net.consensus->epoch);
    assert_true(s.started);
    assert_int_equal(world_state(k, "b", order), CLIENT_DELIVERED);
    for (unsigned n = 0; n < 2; n++)
        rogue_free(&liar[n]);
    world_free(&w);
}

static void
i10_two_liars_keep_nobody_behind(void **state)
{
    (void)state;
    static const uint32_t ahead[] = {1, 2, 3, 1000, UINT32_MAX};
    for (size_t i = 0; i < sizeof ahead / sizeof ahead[0]; i++)
        liars_run(ahead[i]);
}

/* Seconds until the client has another gateway and is answered there. */
static unsigned
moved_after_s(struct world *w, struct world_client *k, unsigned patience_s)
{
    const uint32_t before = k->gateway;
    uint64_t answers = UINT64_MAX; /* when it had come there */
    struct client_status s = {0};
    unsigned t = 0;
    for (; t < patience_s && s.answers <= answers; t++) {
        watched_run(w, k, 1);
        client_status(k->client, &s);
        if (k->gateway == before || k->gateway == UINT32_MAX)
            answers = UINT64_MAX;
        else if (answers == UINT64_MAX)
            answers = s.answers;
    }
    return t;
}

static void
i10_a_withholding_gateway_is_left_for_the_second(void **state)
{
    (void)state;
    struct world *w = world_make(10, epochs_short);
    struct world_client *k = world_client_add(w, "default", 0);
    struct rogue *r = rogue_new(w, 0);
    struct wire x = {.k = k};
    watched_run(w, k, 60);
    engine_tap(w->engine, wire_see, &x);
    /* the consensus: known to be withheld when everybody uses the new one */
    r->vices = VICE_WITHHOLDS;
    r->withheld = ROGUE_DOCUMENTS;
    r->withheld_after = w->net.consensus->epoch;
    epoch_reach(w, k, 1, EPOCH_S / 12);
    const unsigned consensus_s = moved_after_s(w, k, 300);
    assert_int_equal(client_consensus(k->client)->epoch,
                     w->net.consensus->epoch);
    /* packets: the second is left for the third, or the first */
    rogue_free(&r);
    r = rogue_new(w, k->gateway);
    r->vices = VICE_WITHHOLDS;
    r->withheld = ROGUE_PACKETS;
    r->withheld_node = k->node;
    const unsigned packets_s = moved_after_s(w, k, 300);
    rogue_free(&r);
    /* death */
    world_relay_stop(w, k->gateway);
    const unsigned death_s = moved_after_s(w, k, 300);
    engine_tap(w->engine, NULL, NULL);
    printf("  another gateway answers %u s after a consensus was known to be "
           "withheld, %u s after packets were, %u s after the gateway's death; "
           "%u touched\n",
           consensus_s, packets_s, death_s, touched(&x));
    assert_in_range(consensus_s, 1, 30);
    /* a minute without an answer, twice: the first time it may be the line */
    assert_in_range(packets_s, 1, 2 * CLIENT_STUCK_US / 1000000 + 30);
    assert_in_range(death_s, 1, 30);
    assert_in_range(touched(&x), 2, KEPT);
    world_free(&w);
}

/* ---- gateways that give little ---- */

/* A gateway that names as read, and passes on, as little as it can. */
struct stingy {
    const struct world *world;
    uint32_t client;
    uint64_t every_us, last_us; /* once in so long it does as it should */
    uint8_t mark[WIRE_MARK_LEN];
};

static bool
stingy_gives(struct stingy *g)
{
    const uint64_t now_us = engine_now_us(g->world->engine);
    if (now_us - g->last_us < g->every_us)
        return false;
    g->last_us = now_us;
    return true;
}

/* It reads and names each packet, breaks it, and lets some through. */
static bool
stingy_comes(void *ctx, uint32_t from, uint8_t *frame, size_t len)
{
    enum { HEADER_AT = 200 };
    struct stingy *g = ctx;
    (void)len;
    if (from == g->client && frame[0] == WIRE_PACKET && !stingy_gives(g))
        frame[HEADER_AT] ^= 1;
    return true;
}

/* It names as read what was sent long ago, so that the client's window is shut. */
static bool
stingy_leaves(void *ctx, uint32_t to, const uint8_t *frame, size_t len)
{
    struct stingy *g = ctx;
    uint8_t *mark = (uint8_t *)(uintptr_t)frame + WIRE_DOWN_MARK_AT;
    (void)len;
    if (to != g->client || frame[0] != WIRE_PACKET)
        return true;
    if (stingy_gives(g))
        memcpy(g->mark, mark, WIRE_MARK_LEN);
    else
        memcpy(mark, g->mark, WIRE_MARK_LEN);
    return true;
}

static void
stingy_run(uint64_t seed, const struct sim_front_ops *how, unsigned every_s)
{
    struct world *w = world_make(seed, NULL);
    struct world_client *k = world_client_add(w, "default", 0);
    watched_run(w, k, 30);
    struct stingy g = {
        .world = w, .client = k->node, .every_us = every_s * 1000000ULL};
    engine_front(w->engine, k->gateway, how, &g);
    const unsigned moved_s = moved_after_s(w, k, 600);
    printf("  a gateway that does its work once in %u s is left after %u s\n",
           every_s, moved_s);
    /* two looks of 32 loops, of two seconds each */
    assert_in_range(moved_s, 60, 240);
    world_free(&w);
}

static void
i10_a_gateway_that_gives_little_is_left(void **state)
{
    (void)state;
    static const struct sim_front_ops packets = {.comes = stingy_comes};
    static const struct sim_front_ops marks = {.leaves = stingy_leaves};
    stingy_run(30, &packets, 5);
    stingy_run(31, &packets, 45);
    stingy_run(32, &marks, 55);
}

/* All stores give no answers about the boxes that a contact of k's writes into, where
 * k looks all the time: that is no matter of k's gateway's, which would see it. */
static void
i12_stores_of_a_contact_move_nobody(void **state)
{
    (void)state;
    struct world *w = world_make(33, NULL);
    struct world_client *k = world_client_add(w, "default", 0);
    struct world_client *b = world_client_add(w, "default", 1);
    struct rogue *liar[STORES];
    watched_run(w, k, 5);
    world_pair(w, k, "b", b, "k");
    watched_run(w, k, 60);
    const struct conversation *v = conversation_find(k->client, "b");
    for (unsigned n = 0; n < STORES; n++) {
        liar[n] = rogue_new(w, world_first(w, 4) + n);
        liar[n]->vices = VICE_WITHHOLDS;
        liar[n]->withheld = ROGUE_BOX;
        conversation_box(
            k->client, v, CHAIN_IN,
            (struct letter_place){.period = client_period(k->client)},
            liar[n]->box);
    }
    for (unsigned i = 0; i < 10;
         i++) { /* and writes, so that its front is held */
        (void)world_say(k, "b", "hello");
        const uint32_t before = k->gateway;
        watched_run(w, k, 60);
        assert_int_equal(k->gateway, before);
        const struct giving *g = &k->client->giving;
        assert_true(20 * (g->answers + 8) >= 19 * g->ticks); /* 8 under way */
    }
    uint64_t withheld = 0;
    for (unsigned n = 0; n < STORES; n++) {
        withheld += liar[n]->done[__builtin_ctz(VICE_WITHHOLDS)];
        rogue_free(&liar[n]);
    }
    assert_true(withheld > 100);
    world_free(&w);
}

/* ---- a profile that changes ---- */

enum { CLIENTS_PACED = 6 };

/* As longer lists ask for: an eighth more frames down. */
static void
pace_change(void *ctx, struct consensus *next)
{
    (void)ctx;
    for (size_t i = 0; i < next->params.n_profiles; i++)
        next->params.profiles[i].down_interval_us -=
            next->params.profiles[i].down_interval_us / 8;
}

static uint64_t
frames_down(const struct world *w)
{
    struct relay_stats s;
    team_stats(w->relay[0].team, &s);
    return s.delivered + s.dummies;
}

/* The authorities change every profile's pace down, two epochs on end. All clients
 * stay where they are, get as many frames as it says now, and are answered. */
static void
i10_a_profile_of_another_pace_costs_no_gateway(void **state)
{
    (void)state;
    enum { COUNTED_S = 60 };
    struct world *w = world_make(15, epochs_short);
    struct world_client *k[CLIENTS_PACED];
    struct client_status before, after;
    world_run_s(w, 5);
    for (unsigned i = 0; i < CLIENTS_PACED; i++)
        k[i] = world_client_add(w, i % 2 ? "light" : "default", 0);
    w->net.change = pace_change;
    for (unsigned e = 1; e <= 2; e++) {
        epoch_reach(w, k[0], e, EPOCH_S / 2);
        const struct params *p = &w->net.consensus->params;
        double frames = 0, got;
        uint64_t answers = 0, asked = 0;
        for (unsigned i = 0; i < CLIENTS_PACED; i++) {
            client_status(k[i]->client, &before);
            answers += before.answers;
            asked += before.requests;
            assert_int_equal(before.epoch, w->net.consensus->epoch);
            frames += COUNTED_S * 1e6 /
                      params_profile(p, i % 2 ? "light" : "default")
                          ->down_interval_us;
        }
        const uint64_t down = frames_down(w);
        watched_run(w, k[0], COUNTED_S);
        got = (double)(frames_down(w) - down);
        for (unsigned i = 0; i < CLIENTS_PACED; i++) {
            client_status(k[i]->client, &after);
            answers -= after.answers;
            asked -= after.requests;
            assert_true(after.connected);
            assert_int_equal(k[i]->gateway, 0);
        }
        printf("  another pace: %.0f frames down in a minute, of %.0f; %u "
               "answers to %u requests\n",
               got, frames, (unsigned)-answers, (unsigned)-asked);
        assert_true(got > frames - 2 * CLIENTS_PACED &&
                    got < frames + 2 * CLIENTS_PACED);
        assert_true(-answers > 0.9 * (double)-asked);
    }
    assert_int_equal(world_dropped(w, ERR_CONFLICT), 0);
    assert_int_equal(world_dropped(w, ERR_HANDLE), 0);
    world_free(&w);
}

/* ---- a month ---- */

enum { QUIET_EPOCH_S = 4 * 3600, STEP_S = 20 };

/* Weeks are cheap. */
static void
params_quiet(struct params *p)
{
    p->epoch_len_s = QUIET_EPOCH_S;
    p->relay_loop_mhz = 1;
    p->list_interval_ms = 60000; /* for courses of days */
    p->profiles[0].send_mhz = 20;
    p->profiles[0].poll_mhz = 20;
    p->profiles[0].loop_mhz = 10;
    p->profiles[0].down_interval_us = 10000000;
}

/* What the attacker does in one epoch. */
enum attack { ATTACK_ALL, ATTACK_TURNS, ATTACK_RESETS, ATTACKS };

static void
attacked_epoch(struct world *w, struct wire *x, struct world_client *k,
               enum attack attack, struct rng_seeded *rng)
{
    world_epoch(w);
    for (unsigned t = 0; t < QUIET_EPOCH_S; t += STEP_S) {
        const uint64_t dice = rng_seeded_u64(rng);
        switch (attack) {
        case ATTACK_ALL: /* nothing passes, but for an hour */
            x->blocked = t >= 3600;
            break;
        case ATTACK_TURNS: /* a gateway is let alone for some minutes */
            if (dice % 20 == 0)
                x->blocked = !x->blocked;
            break;
        default: /* connections break, at once or after a while */
            x->blocked = dice % 5 == 0;
            if (dice % 3 == 0 && k->gateway != UINT32_MAX)
                assert_int_equal(sim_client_reconnect(k), 0);
        }
        world_client_watch(k);
        world_run_s(w, STEP_S);
    }
}

static void
i10_a_month_of_attacks_shows_few_gateways(void **state)
{
    (void)state;
    const unsigned days = test_proof() ? 90 : 24;
    struct world *w = world_make(20, params_quiet);
    struct world_client *k = world_client_add(w, "default", 0);
    struct wire x = {.k = k};
    struct rng_seeded rng;
    rng_seeded_init_u64(&rng, test_seed(), "attacks");
    world_run_s(w, 600);
    engine_tap(w->engine, wire_see, &x);
    engine_adversary(w->engine, wire_pass, &x);
    for (unsigned e = 0; e < days * 86400 / QUIET_EPOCH_S; e++) {
        attacked_epoch(w, &x, k, (enum attack)(e / 12 % ATTACKS), &rng);
        if (e % 6 == 5) {
            world_client_stop(k);
            world_client_start(k);
        }
    }
    engine_adversary(w->engine, NULL, NULL);
    engine_tap(w->engine, NULL, NULL);
    printf("  %u days under attack: %u of %u gateways touched\n", days,
           touched(&x), (unsigned)GATEWAYS);
    assert_in_range(touched(&x), 2, KEPT + days / RENEW_DAYS);
    world_free(&w);
}

const struct CMUnitTest test_i10_gateways[] = {
    cmocka_unit_test(i10_two_liars_keep_nobody_behind),
    cmocka_unit_test(i10_a_withholding_gateway_is_left_for_the_second),
    cmocka_unit_test(i10_a_gateway_that_gives_little_is_left),
    cmocka_unit_test(i12_stores_of_a_contact_move_nobody),
    cmocka_unit_test(i10_a_profile_of_another_pace_costs_no_gateway),
    cmocka_unit_test(i10_a_month_of_attacks_shows_few_gateways),
};
TEST_SUITE(test_i10_gateways);
