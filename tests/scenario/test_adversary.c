/* tests/scenario/test_adversary.c - rogue relays are what they are said to be:
 * without a vice like the honest relay behind them, frame by frame; with one,
 * it is seen from outside. What each vice may cost an honest user at most is
 * the subject of the tests that the table of tests/adversary.c names. */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network/box.h"
#include "tests/rogue_relay.h"

enum { GATEWAYS = 2, LAYERS = 3, STORES = 2 };

static struct world *
small(uint64_t seed)
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = GATEWAYS,
                                        .layers = LAYERS,
                                        .mixes = 1,
                                        .stores = STORES,
                                        .seed = test_seed() + seed};
    return world_new(&config);
}

/* Two clients that write to each other; all of it in one number. */
static uint64_t
course_trace(unsigned rogues, bool vicious, uint64_t *seen)
{
    struct world *w = small(1);
    struct rogue *r[16] = {0};
    struct world_client *a = world_client_add(w, "default", 0);
    struct world_client *b = world_client_add(w, "default", 1);
    for (uint32_t i = 0; i < w->n_relays && i < rogues; i++)
        r[i] = rogue_new(w, i);
    if (vicious) {
        r[0]->vices = VICE_WITHHOLDS;
        r[0]->withheld = ROGUE_PACKETS;
        r[0]->withheld_node = b->node; /* not this gateway's client */
        r[2]->vices = VICE_DELAYS;     /* but no time */
    }
    world_run_s(w, 5);
    world_pair(w, a, "b", b, "a");
    world_run_s(w, 30);
    const uint64_t order = world_say(a, "b", "hello");
    world_run_s(w, 240); /* acknowledged 20 s after its commit, and Exp(20 s) */
    assert_int_equal(world_state(a, "b", order), CLIENT_DELIVERED);
    assert_int_equal(world_take(b, "a"), 1);
    const uint64_t trace = engine_trace(w->engine);
    *seen = vicious ? r[2]->done[__builtin_ctz(VICE_DELAYS)] : 0;
    for (uint32_t i = 0; i < rogues; i++)
        rogue_free(&r[i]);
    world_free(&w);
    return trace;
}

static void
without_vices_nothing_changes(void **state)
{
    (void)state;
    uint64_t seen;
    const uint64_t honest = course_trace(0, false, &seen);
    assert_true(course_trace(LAYERS + GATEWAYS + STORES, false, &seen) ==
                honest);
    /* the comparison sees who takes packets over, even when he does nothing
     * else: he keeps to no grid */
    assert_true(course_trace(LAYERS + GATEWAYS + STORES, true, &seen) !=
                honest);
    assert_true(seen > 0);
}

/* A rogue in a world with one busy pair. */
struct stage {
    struct world *w;
    struct world_client *a, *b;
    struct rogue *r;
};

static struct stage
stage_set(uint64_t seed, unsigned layer)
{
    struct stage s = {.w = small(seed)};
    s.a = world_client_add(s.w, "default", 0);
    s.b = world_client_add(s.w, "default", 1);
    world_run_s(s.w, 5);
    world_pair(s.w, s.a, "b", s.b, "a");
    world_run_s(s.w, 60);
    s.r = rogue_new(s.w, world_first(s.w, layer));
    return s;
}

static void
stage_clear(struct stage *s)
{
    rogue_free(&s->r);
    world_free(&s->w);
}

static uint64_t
done(const struct stage *s, enum vice v)
{
    return s->r->done[__builtin_ctz(v)];
}

/* The bound of "replays": whatever is sent twice is refused once, by the next
 * hop, and nothing else is. */
static void
i3_a_replaying_relay_is_refused(void **state)
{
    (void)state;
    for (unsigned layer = 0; layer <= LAYERS + 1; layer++) {
        struct stage s = stage_set(10 + layer, layer);
        assert_int_equal(world_dropped(s.w, ERR_REPLAY), 0);
        s.r->replay_us = 300000;
        s.r->vices = VICE_REPLAYS;
        world_run_s(s.w, 60);
        s.r->vices = 0;
        const uint64_t order = world_say(s.a, "b", "hello");
        world_run_s(s.w, WORLD_ACKED_S);
        assert_true(done(&s, VICE_REPLAYS) > 100);
        assert_int_equal(world_dropped(s.w, ERR_REPLAY),
                         done(&s, VICE_REPLAYS));
        assert_int_equal(world_state(s.a, "b", order), CLIENT_DELIVERED);
        stage_clear(&s);
    }
}

/* The bound of "delays": within the slack a packet is late and no more; beyond
 * it the next hop refuses it. */
static void
i12_delayed_packets_are_refused(void **state)
{
    (void)state;
    struct stage s = stage_set(20, 1);
    const struct params *p = &s.w->net.consensus->params;
    struct client_status before, after;
    s.r->delay_us = 2000000;
    s.r->vices = VICE_DELAYS;
    world_run_s(s.w, 60);
    assert_true(done(&s, VICE_DELAYS) > 100);
    assert_int_equal(world_dropped(s.w, ERR_DEADLINE_PAST), 0);
    /* the longest slack is below deadline_ahead_s, of a clock that is right */
    s.r->delay_us = p->deadline_ahead_s * 1000000ULL;
    s.r->vices = 0;
    world_run_s(s.w, 30);
    s.r->vices = VICE_DELAYS;
    const uint64_t held = done(&s, VICE_DELAYS);
    world_run_s(s.w, 60);
    s.r->vices = 0;
    client_status(s.a->client, &before);
    world_run_s(s.w, p->deadline_ahead_s + 10);
    assert_int_equal(world_dropped(s.w, ERR_DEADLINE_PAST),
                     done(&s, VICE_DELAYS) - held);
    client_status(s.a->client, &after);
    assert_true(after.answers > before.answers + 100); /* and all is well */
    stage_clear(&s);
}

/* drops_by_link is seen by the relay that is shunned, as its own loss. */
static void
who_drops_by_link_shuns_one_neighbour(void **state)
{
    (void)state;
    struct stage s = stage_set(30, 1);
    const uint32_t victim = world_first(s.w, 2);
    s.r->link_to = victim;
    s.r->vices = VICE_DROPS_BY_LINK;
    world_run_s(s.w, 300);
    assert_true(done(&s, VICE_DROPS_BY_LINK) > 1000);
    assert_true(relay_stats(s.w->relay[victim].relay)->loops_lost > 5);
    s.r->link_to = UINT32_MAX;
    s.r->link_from = victim; /* which sends nothing to this one */
    const uint64_t before = done(&s, VICE_DROPS_BY_LINK);
    world_run_s(s.w, 30);
    assert_int_equal(done(&s, VICE_DROPS_BY_LINK), before);
    stage_clear(&s);
}

/* The frames that the store sends, by their times. */
struct frames {
    uint32_t from;
    uint64_t on, off, period_us; /* at its multiples, and elsewhere */
};

static void
frames_see(void *ctx, uint64_t now_us, uint32_t from, uint32_t to,
           const uint8_t *frame, size_t len)
{
    struct frames *f = ctx;
    (void)to;
    (void)len;
    if (from != f->from || frame[0] != WIRE_PACKET)
        return;
    if (now_us % f->period_us < 1000)
        f->on++;
    else
        f->off++;
}

static void
a_hoard_leaves_together(void **state)
{
    (void)state;
    struct stage s = stage_set(40, LAYERS + 1);
    struct frames f = {.from = s.r->number, .period_us = 20000000};
    const uint64_t loops = relay_stats(s.w->relay[f.from].relay)->loops_sent;
    engine_tap(s.w->engine, frames_see, &f);
    s.r->hoard_us = f.period_us;
    s.r->vices = VICE_HOARDS_ANSWERS;
    world_run_s(s.w, 119);
    engine_tap(s.w->engine, NULL, NULL);
    assert_true(done(&s, VICE_HOARDS_ANSWERS) > 200);
    assert_true(f.on > 200);
    /* but for its own loops, and answers that were under way */
    assert_in_range(f.off, 0,
                    relay_stats(s.w->relay[f.from].relay)->loops_sent - loops +
                        20);
    stage_clear(&s);
}

static void
who_keeps_nothing_says_kept(void **state)
{
    (void)state;
    struct stage s = stage_set(50, LAYERS + 1);
    struct client_message m;
    struct rogue *other = rogue_new(s.w, s.r->number + 1);
    s.r->vices = other->vices = VICE_KEEPS_NOTHING;
    const size_t letters = store_memory_count(s.w->relay[s.r->number].store) +
                           store_memory_count(s.w->relay[other->number].store);
    const uint64_t order = world_say(s.a, "b", "hello");
    world_run_s(s.w, 30);
    assert_int_equal(client_message(s.a->client, "b", order, &m), 0);
    assert_int_equal(m.state, CLIENT_SENT);
    assert_int_equal(store_memory_count(s.w->relay[s.r->number].store) +
                         store_memory_count(s.w->relay[other->number].store),
                     letters);
    rogue_free(&other);
    stage_clear(&s);
}

/* Both stores say "kept" and lose it. The letter is put again as long as its
 * reader says nothing, the first time a minute later; by a client that was killed
 * meanwhile as well, which waits for a minute on average, and beyond 1,200 s once
 * in 10^8. */
static void
i6_what_a_store_has_lost_is_put_again(void **state)
{
    (void)state;
    for (unsigned killed = 0; killed < 2; killed++) {
        struct stage s = stage_set(60 + killed, LAYERS + 1);
        struct rogue *other = rogue_new(s.w, s.r->number + 1);
        s.r->vices = other->vices = VICE_KEEPS_NOTHING;
        const uint64_t order = world_say(s.a, "b", "hello");
        world_run_s(s.w, 30);
        assert_int_equal(world_state(s.a, "b", order), CLIENT_SENT);
        s.r->vices = other->vices = 0;
        assert_int_equal(world_take(s.b, "a"), 0);
        if (killed) {
            world_client_stop(s.a);
            world_client_start(s.a);
        }
        world_run_s(s.w, killed ? 1200 : 180);
        assert_int_equal(world_take(s.b, "a"), 1);
        world_run_s(s.w, 240);
        assert_int_equal(world_state(s.a, "b", order), CLIENT_DELIVERED);
        rogue_free(&other);
        stage_clear(&s);
    }
}

/* What a store sees, and whose letters it burns and withholds. */
struct look {
    size_t n, gets, puts;
    uint8_t hottest[32];
};

static void
look_see(void *ctx, const struct rogue_sight *seen)
{
    struct look *k = ctx;
    k->n++;
    if (!seen->request)
        return;
    k->gets += seen->request->kind == WIRE_GET;
    k->puts += seen->request->kind == WIRE_PUT;
    if (seen->request->kind == WIRE_PUT)
        box_id(seen->request->box, k->hottest);
}

static void
a_store_spies_withholds_and_burns(void **state)
{
    (void)state;
    struct stage s = stage_set(60, LAYERS + 1);
    struct look k = {0};
    struct rogue *other = rogue_new(s.w, s.r->number + 1);
    s.r->spy = other->spy = look_see;
    s.r->spy_ctx = other->spy_ctx = &k;
    uint64_t order = world_say(s.a, "b", "hello");
    world_run_s(s.w, WORLD_ACKED_S);
    assert_true(k.gets > 100 && k.puts >= 1 && k.n > k.gets + k.puts);
    assert_int_equal(world_state(s.a, "b", order), CLIENT_DELIVERED);
    /* the box that was put into last */
    s.r->vices = other->vices = VICE_WITHHOLDS;
    s.r->withheld = other->withheld = ROGUE_BOX;
    memcpy(s.r->box, k.hottest, sizeof k.hottest);
    memcpy(other->box, k.hottest, sizeof k.hottest);
    world_run_s(s.w, 30);
    assert_true(done(&s, VICE_WITHHOLDS) +
                    other->done[__builtin_ctz(VICE_WITHHOLDS)] >
                3);
    const size_t letters = store_memory_count(s.w->relay[s.r->number].store);
    s.r->vices = VICE_BURNS_BOXES;
    world_run_s(s.w, 30);
    assert_true(done(&s, VICE_BURNS_BOXES) > 10);
    assert_true(store_memory_count(s.w->relay[s.r->number].store) > letters);
    rogue_free(&other);
    stage_clear(&s);
}

static void
a_gateway_keeps_consensus_and_packets(void **state)
{
    (void)state;
    struct stage s = stage_set(70, 0);
    struct client_status st;
    const uint32_t epoch = s.w->net.consensus->epoch;
    s.r->vices = VICE_WITHHOLDS;
    s.r->withheld = ROGUE_DOCUMENTS;
    s.r->withheld_after = epoch;
    world_epoch(s.w);
    world_run_s(s.w, 30);
    assert_int_equal(client_consensus(s.a->client)->epoch, epoch);
    assert_int_equal(client_consensus(s.b->client)->epoch, epoch + 1);
    s.r->withheld = ROGUE_PACKETS;
    s.r->withheld_node = s.a->node;
    client_status(s.a->client, &st);
    const uint64_t answers = st.answers;
    world_run_s(s.w, 30);
    client_status(s.a->client, &st);
    assert_true(st.answers <= answers + 1); /* one was on the line */
    stage_clear(&s);
}

/* A clock of one node, and nobody else's. */
static void
clocks_are_each_ones_own(void **state)
{
    (void)state;
    struct stage s = stage_set(80, 1);
    const uint64_t now_s = env_now_wall_s(s.a->env);
    world_client_clock(s.a, -90);
    world_relay_clock(s.w, 3, 86400);
    assert_int_equal(env_now_wall_s(s.a->env), now_s - 90);
    assert_int_equal(env_now_wall_s(s.b->env), now_s);
    assert_int_equal(env_now_wall_s(s.w->relay[3].env), now_s + 86400);
    assert_int_equal(env_now_wall_s(s.w->relay[4].env), now_s);
    stage_clear(&s);
}

static void
families_and_keys_are_planned(void **state)
{
    (void)state;
    static const uint8_t family[GATEWAYS + LAYERS + STORES] = {7, 0, 0, 0,
                                                               0, 0, 7};
    static const bool zero_key[GATEWAYS + LAYERS + STORES] = {[5] = true};
    static const uint8_t zero[32];
    const struct world_config config = {.suite = SPHINX_SUITE_X25519,
                                        .gateways = GATEWAYS,
                                        .layers = LAYERS,
                                        .mixes = 1,
                                        .stores = STORES,
                                        .family = family,
                                        .zero_key = zero_key,
                                        .seed = test_seed()};
    struct world *w = world_new(&config);
    for (unsigned epoch = 0; epoch < 2; epoch++) {
        const struct relay_entry *e = w->net.consensus->relays;
        for (uint32_t i = 0; i < w->n_relays; i++) {
            assert_int_equal(e[i].family[0], family[i]);
            assert_int_equal(e[i].family[FAMILY_LEN - 1], family[i]);
            assert_int_equal(memcmp(e[i].sphinx_key, zero, 32) == 0,
                             zero_key[i]);
        }
        world_epoch(w); /* the next one says the same */
    }
    world_free(&w);
}

static void
every_vice_has_its_row(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VICES; i++) {
        const struct vice_row *v = &adversary_vices[i];
        assert_int_equal(v->vice, 1u << i);
        assert_true(v->name && v->who && v->does && v->bound && v->test);
        if (!test_is_there(v->test))
            fail_msg("%s: no test is named %s", v->name, v->test);
        if (v->not_yet && !test_is_there(v->not_yet))
            fail_msg("%s: no test is named %s", v->name, v->not_yet);
    }
    assert_false(test_is_there("every_vice"));
}

const struct CMUnitTest test_adversary[] = {
    cmocka_unit_test(every_vice_has_its_row),
    cmocka_unit_test(without_vices_nothing_changes),
    cmocka_unit_test(i3_a_replaying_relay_is_refused),
    cmocka_unit_test(i12_delayed_packets_are_refused),
    cmocka_unit_test(who_drops_by_link_shuns_one_neighbour),
    cmocka_unit_test(a_hoard_leaves_together),
    cmocka_unit_test(who_keeps_nothing_says_kept),
    cmocka_unit_test(i6_what_a_store_has_lost_is_put_again),
    cmocka_unit_test(a_store_spies_withholds_and_burns),
    cmocka_unit_test(a_gateway_keeps_consensus_and_packets),
    cmocka_unit_test(clocks_are_each_ones_own),
    cmocka_unit_test(families_and_keys_are_planned),
};
TEST_SUITE(test_adversary);
