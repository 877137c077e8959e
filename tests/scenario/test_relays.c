/* tests/scenario/test_relays.c - real relay objects under the virtual clock:
 * requests go round, nothing passes twice, downlinks are constant. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "network/work.h"
#include "network/request.h"
#include "relay/boxes.h"
#include "relay/relay.h"
#include "relay/store_memory.h"
#include "sim/engine/engine.h"
#include "tests/network.h"

enum { GATEWAYS = 2, LAYERS = 3, MIXES = 2, STORES = 2, RELAYS = 10 };
enum { PACKET = 2048, LETTER = 1232, REPLAY_TAGS = 100000 };

/* One relay: the object and what outlives it. */
struct host {
    struct world *world;
    uint32_t number;
    struct env *env;
    struct relay *relay;
    struct replay *replay;
    struct store_memory *store;
    uint64_t got_us; /* the storage had last done a get at */
    void *region;
    struct relay_peer peers[RELAYS];
};

/* A client of gateway 0 that does what the test says. */
struct visitor {
    struct world *world;
    struct env *env;
    uint32_t link;
    struct route route;
    struct sphinx_end end;
    uint8_t seed[32];
    unsigned frames, answers;
    uint64_t last_us, gap_us;
    struct wire_answer answer;
    uint8_t payload[PACKET];
};

struct world {
    struct sim_net net;
    struct engine *engine;
    struct host host[RELAYS];
    struct visitor visitor;
    struct sphinx_worker *worker;
    uint8_t last_sent[PACKET];
};

enum { VISITOR_NODE = RELAYS };

static void
host_frame(void *self, uint32_t from, uint8_t *frame, size_t len)
{
    struct host *h = self;
    assert_int_equal(len, PACKET);
    if (from == VISITOR_NODE)
        relay_client_frames(h->relay, h->world->visitor.link, frame, 1);
    else
        relay_frames(h->relay, &h->peers[from], frame, 1);
}

static void
host_tick(void *self)
{
    relay_tick(((struct host *)self)->relay);
}

static uint32_t
host_resolve(void *self, struct env_dest to)
{
    (void)self;
    return to.kind == ENV_TO_RELAY ? to.id : VISITOR_NODE;
}

static void
host_store(void *self, struct env_store_req *req)
{
    struct host *h = self;
    const enum env_store_op op = req->op; /* it may be gone afterwards */
    store_memory_request(h->store, req);
    store_memory_run(h->store, 1);
    if (op == ENV_STORE_GET)
        h->got_us = engine_now_us(h->world->engine);
}

static const struct sim_node_ops host_ops = {host_frame, host_tick,
                                             host_resolve, host_store};

static void
host_start(struct host *h)
{
    const struct consensus *c = h->world->net.consensus;
    struct relay_config config = {.env = h->env,
                                  .identity_seed =
                                      h->world->net.identity_seed[h->number],
                                  .replay = h->replay,
                                  .packets_max = 10000,
                                  .clients_max = 4};
    memcpy(config.identity, c->relays[h->number].identity, SPHINX_ID_LEN);
    for (size_t i = 0; i < RELAYS; i++)
        relay_peer_init(&h->peers[i], c->relays[i].identity);
    assert_int_equal(relay_new(&h->relay, &config), 0);
    engine_set_object(h->world->engine, h->number, h);
    assert_int_equal(
        relay_set_consensus(h->relay, c, h->world->net.seed[h->number], NULL),
        0);
}

static void
host_stop(struct host *h)
{
    relay_free(&h->relay);
    engine_set_object(h->world->engine, h->number, NULL);
}

static void
visitor_frame(void *self, uint32_t from, uint8_t *frame, size_t len)
{
    struct visitor *v = self;
    struct world *w = v->world;
    (void)from;
    assert_int_equal(len, PACKET);
    if (frame[0] != WIRE_PACKET)
        return;
    uint64_t now_us = engine_now_us(w->engine);
    if (v->frames++ > 0)
        v->gap_us = now_us - v->last_us;
    v->last_us = now_us;
    if (memcmp(frame + 1, v->end.surb_id, 8) != 0)
        return;
    memcpy(v->payload, frame + WIRE_DOWN_HEAD_LEN,
           w->net.consensus->params.geometry.payload_len);
    assert_int_equal(request_open_answer(w->worker, w->net.consensus, &v->route,
                                         v->seed, v->payload, &v->answer),
                     0);
    v->answers++;
}

static void
visitor_tick(void *self)
{
    (void)self;
}

static uint32_t
visitor_resolve(void *self, struct env_dest to)
{
    (void)self;
    (void)to;
    return 0;
}

static const struct sim_node_ops visitor_ops = {visitor_frame, visitor_tick,
                                                visitor_resolve, NULL};

static void
world_relays(struct world *w)
{
    static const uint8_t key[16] = {1}, boot[16] = {2};
    size_t len = (replay_region_len(REPLAY_TAGS) + 63) / 64 * 64;
    for (uint32_t i = 0; i < RELAYS; i++) {
        struct host *h = &w->host[i];
        bool store = w->net.consensus->relays[i].role == ROLE_STORE;
        h->world = w;
        h->number = i;
        assert_int_equal(engine_add(w->engine, &host_ops, store, &h->env), i);
        h->region = aligned_alloc(64, len);
        assert_non_null(h->region);
        assert_int_equal(
            replay_create(&h->replay, h->region, len, key, boot, false), 0);
        assert_int_equal(store_memory_new(&h->store, LETTER, 10000), 0);
        host_start(h);
    }
}

static void
world_make(struct world *w, uint8_t suite, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    test_network_make(&w->net, suite, GATEWAYS, LAYERS, MIXES, STORES);
    struct engine_config config = {.seed = seed,
                                   .start_wall_s =
                                       w->net.consensus->valid_after_s + 10,
                                   .latency_us = 5000,
                                   .jitter_mean_us = 100,
                                   .commit_us = 2000,
                                   .frame_len = PACKET};
    assert_int_equal(engine_new(&w->engine, &config), 0);
    assert_int_equal(sphinx_worker_new(&w->worker), 0);
    world_relays(w);
    struct visitor *v = &w->visitor;
    struct env *env;
    uint8_t frame[PACKET] = {0};
    v->world = w;
    assert_int_equal(engine_add(w->engine, &visitor_ops, false, &env),
                     VISITOR_NODE);
    v->env = env;
    engine_set_object(w->engine, VISITOR_NODE, v);
    assert_int_equal(relay_client_open(w->host[0].relay, &v->link), 0);
    struct wire_control control = {.profile = 0};
    env_random_crypto(env, control.handle, 8);
    memcpy(v->end.handle, control.handle, 8);
    assert_int_equal(wire_control_write(frame, PACKET, &control), 0);
    engine_inject(w->engine, VISITOR_NODE, 0, frame, PACKET);
}

static void
world_free(struct world *w)
{
    for (size_t i = 0; i < RELAYS; i++)
        if (w->host[i].relay)
            host_stop(&w->host[i]);
    engine_free(&w->engine);
    for (size_t i = 0; i < RELAYS; i++) {
        replay_free(&w->host[i].replay);
        store_memory_free(&w->host[i].store);
        free(w->host[i].region);
    }
    sphinx_worker_free(&w->worker);
    test_network_free(&w->net);
}

/* Make the proof that opens a box. */
static void
work_make(const struct consensus *c, uint16_t store, const uint8_t *box,
          uint8_t work[static WIRE_WORK_LEN])
{
    struct work_task task;
    memset(work, 0, WIRE_WORK_LEN);
    memcpy(task.challenge, c->work_challenge, sizeof task.challenge);
    memcpy(task.store, c->relays[store].identity, sizeof task.store);
    memcpy(task.box, box, sizeof task.box);
    assert_true(work_search(&task, c->params.work_bits, 1 << 20, work));
}

/* Send one request. Returns the store. */
static uint16_t
visitor_send(struct world *w, uint8_t kind, uint8_t box, uint8_t slot,
             const uint8_t *letter)
{
    struct visitor *v = &w->visitor;
    const struct consensus *c = w->net.consensus;
    struct request request = {.kind = kind, .slot = slot, .letter = letter};
    uint16_t store, fallback;
    uint8_t key[WIRE_BOX_LEN], work[WIRE_WORK_LEN];
    memset(request.seed, box, sizeof request.seed);
    box_key_public(request.seed, key);
    box_id(key, request.box);
    assert_int_equal(consensus_store_of(c, consensus_period(c), request.box,
                                        &store, &fallback),
                     0);
    if (kind == WIRE_PUT) {
        work_make(c, store, request.box, work);
        request.work = work;
    }
    assert_int_equal(route_draw(&v->route, c, v->env, 0, store, true,
                                kind == WIRE_GET ? ROUTE_POLL : ROUTE_SEND),
                     0);
    env_random_crypto(v->env, v->end.surb_id, 8);
    env_random_crypto(v->env, v->seed, sizeof v->seed);
    assert_int_equal(request_build(w->worker, c, v->env, &v->route,
                                   1000 * env_now_wall_ms(v->env), &request,
                                   &v->end, v->seed, w->last_sent),
                     0);
    engine_inject(w->engine, VISITOR_NODE, 0, w->last_sent, PACKET);
    return store;
}

/* Send one request; returns the status that came back, 0 for none in 20 s. */
static unsigned
visitor_ask(struct world *w, uint8_t kind, uint8_t box, uint8_t slot,
            const uint8_t *letter)
{
    struct visitor *v = &w->visitor;
    unsigned before = v->answers;
    (void)visitor_send(w, kind, box, slot, letter);
    assert_int_equal(engine_run(w->engine, engine_now_us(w->engine) + 20000000),
                     0);
    return v->answers == before ? 0 : v->answer.status;
}

static void
requests_go_round(void **state)
{
    (void)state;
    static struct world w;
    uint8_t letter[LETTER];
    world_make(&w, SPHINX_SUITE_X25519, test_seed());
    env_random_crypto(w.visitor.env, letter, sizeof letter);
    assert_int_equal(visitor_ask(&w, WIRE_LOOP, 1, 0, NULL), WIRE_EMPTY);
    assert_int_equal(visitor_ask(&w, WIRE_GET, 1, 0, NULL), WIRE_EMPTY);
    assert_int_equal(visitor_ask(&w, WIRE_PUT, 1, 4, letter), WIRE_KEPT);
    assert_int_equal(visitor_ask(&w, WIRE_GET, 1, 0, NULL), WIRE_LETTER);
    assert_int_equal(w.visitor.answer.slot, 4);
    assert_memory_equal(w.visitor.answer.letter, letter, LETTER);
    assert_int_equal(w.visitor.answer.epoch, 7);
    assert_memory_equal(w.visitor.answer.digest, w.net.consensus->digest, 32);
    uint64_t dropped = 0, out = 0, back = 0;
    for (size_t i = 0; i < RELAYS; i++) {
        const struct relay_stats *s = relay_stats(w.host[i].relay);
        for (size_t k = 0; k < ERROR_COUNT; k++)
            dropped += s->dropped[k];
        out += s->loops_sent;
        back += s->loops_returned;
        assert_true(s->loops_sent > 10); /* I4: every relay covers */
    }
    assert_int_equal(dropped, 0);
    assert_true(back > out * 9 / 10); /* the rest is under way */
    world_free(&w);
}

/* Which slot is Mallory's second get of a box served, when its reader has got a
 * letter of it meanwhile, or has not? */
static unsigned
second_get(uint64_t seed, bool reader)
{
    static struct world w;
    uint8_t letter[LETTER];
    world_make(&w, SPHINX_SUITE_NULL, seed);
    env_random_crypto(w.visitor.env, letter, sizeof letter);
    for (uint8_t slot = 0; slot < 2; slot++)
        assert_int_equal(visitor_ask(&w, WIRE_PUT, 1, slot, letter), WIRE_KEPT);
    assert_int_equal(visitor_ask(&w, WIRE_GET, 1, 0, NULL), WIRE_LETTER);
    assert_int_equal(w.visitor.answer.slot, 0);
    if (reader)
        assert_int_equal(visitor_ask(&w, WIRE_GET, 1, 0, NULL), WIRE_LETTER);
    assert_int_equal(visitor_ask(&w, WIRE_GET, 1, 0, NULL), WIRE_LETTER);
    const unsigned slot = w.visitor.answer.slot;
    world_free(&w);
    return slot;
}

/* I12: what a get brings tells nothing of other gets. A store that took turns
 * told a contact, who knows the box since he writes it, each time that its reader
 * was there: he fills two slots, gets one, and is served the other one next, or
 * the same again. */
static void
i12_a_get_tells_nothing_of_others(void **state)
{
    (void)state;
    const uint64_t seed = test_seed() + 20;
    const unsigned alone = second_get(seed, false);
    assert_int_equal(second_get(seed, true), alone);
}

/* A get's answer leaves with what lies in the box shortly before that, not with
 * what lay there when the get came, a quarter of a second earlier at least. */
static void
gets_are_read_late(void **state)
{
    (void)state;
    enum { GETS = 20, STEP_US = 1000 };
    static struct world w;
    world_make(&w, SPHINX_SUITE_NULL, test_seed() + 21);
    for (unsigned i = 0; i < GETS; i++) {
        struct host *h = &w.host[visitor_send(&w, WIRE_GET, 1, 0, NULL)];
        uint64_t now_us = engine_now_us(w.engine), before = 0;
        h->got_us = 0;
        while (h->got_us == 0 || now_us < h->got_us + BOXES_READ_US) {
            now_us += STEP_US;
            assert_int_equal(engine_run(w.engine, now_us), 0);
            if (h->got_us == 0 || now_us < h->got_us + BOXES_READ_US / 2)
                before = relay_stats(h->relay)->answered;
        }
        /* it left meanwhile */
        assert_true(relay_stats(h->relay)->answered > before);
        assert_int_equal(engine_run(w.engine, now_us + 5000000), 0);
    }
    assert_int_equal(w.visitor.answers, GETS);
    world_free(&w);
}

/* I3: the same packet again goes nowhere, also after the gateway died and came
 * back on the same replay memory. */
static void
i3_no_packet_twice(void **state)
{
    (void)state;
    static struct world w;
    world_make(&w, SPHINX_SUITE_X25519, test_seed() + 1);
    struct host *gate = &w.host[0];
    assert_int_equal(visitor_ask(&w, WIRE_LOOP, 1, 0, NULL), WIRE_EMPTY);
    uint64_t forwarded = relay_stats(gate->relay)->forwarded;
    engine_inject(w.engine, VISITOR_NODE, 0, w.last_sent, PACKET);
    assert_int_equal(engine_run(w.engine, engine_now_us(w.engine) + 5000000),
                     0);
    const struct relay_stats *s = relay_stats(gate->relay);
    assert_int_equal(s->dropped[-ERR_REPLAY], 1);
    assert_int_equal(s->forwarded, forwarded);
    host_stop(gate);
    assert_int_equal(engine_run(w.engine, engine_now_us(w.engine) + 1000000),
                     0);
    host_start(gate);
    assert_int_equal(relay_client_open(gate->relay, &w.visitor.link), 0);
    engine_inject(w.engine, VISITOR_NODE, 0, w.last_sent, PACKET);
    assert_int_equal(engine_run(w.engine, engine_now_us(w.engine) + 5000000),
                     0);
    assert_int_equal(relay_stats(gate->relay)->dropped[-ERR_REPLAY], 1);
    assert_int_equal(w.visitor.answers, 1);
    world_free(&w);
}

/* What does not belong is dropped with its own counter and nothing else. */
static void
i7_wrong_packets_are_counted(void **state)
{
    (void)state;
    static struct world w;
    uint8_t frame[PACKET];
    world_make(&w, SPHINX_SUITE_X25519, test_seed() + 2);
    assert_int_equal(visitor_ask(&w, WIRE_LOOP, 1, 0, NULL), WIRE_EMPTY);
    static const struct {
        uint32_t from, to;
        int at, err; /* byte that is changed, what it gives */
    } row[] = {{VISITOR_NODE, 0, 0, ERR_VERSION},
               {VISITOR_NODE, 0, 1, ERR_EPOCH},
               {VISITOR_NODE, 0, 50, ERR_MAC},
               {VISITOR_NODE, 0, 310, ERR_MAC},
               {2, 0, 400, ERR_EDGE},    /* layer 1 may not send to a gateway */
               {2, 8, 400, ERR_EDGE},    /* nor to a store */
               {6, 0, 400, ERR_COMMAND}, /* forward from layer 3: see below */
               {0, 2, 400, ERR_MAC}};    /* made for another key */
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct host *h = &w.host[row[i].to];
        uint64_t before = relay_stats(h->relay)->dropped[-row[i].err];
        memcpy(frame, w.last_sent, PACKET);
        frame[row[i].at] ^= 0x10;
        engine_inject(w.engine, row[i].from, row[i].to, frame, PACKET);
        assert_int_equal(
            engine_run(w.engine, engine_now_us(w.engine) + 1000000), 0);
        assert_int_equal(relay_stats(h->relay)->dropped[-row[i].err],
                         before + 1);
    }
    /* a packet whose time is over */
    assert_int_equal(engine_run(w.engine, engine_now_us(w.engine) + 100000000),
                     0);
    engine_inject(w.engine, VISITOR_NODE, 0, w.last_sent, PACKET);
    assert_int_equal(engine_run(w.engine, engine_now_us(w.engine) + 1000000),
                     0);
    assert_int_equal(relay_stats(w.host[0].relay)->dropped[-ERR_DEADLINE_PAST],
                     1);
    world_free(&w);
}

/* 20,000 random, truncated-looking and mutated frames to every relay: no
 * abort, each counted, none held. */
static void
i7_garbage_is_counted(void **state)
{
    (void)state;
    static struct world w;
    struct rng_seeded rng;
    uint8_t frame[PACKET];
    uint64_t before = 0, after = 0;
    enum { FRAMES = 20000 };
    world_make(&w, SPHINX_SUITE_NULL, test_seed() + 3);
    assert_int_equal(visitor_ask(&w, WIRE_LOOP, 1, 0, NULL), WIRE_EMPTY);
    rng_seeded_init_u64(&rng, test_seed(), "garbage");
    for (size_t i = 0; i < RELAYS; i++)
        before += relay_stats(w.host[i].relay)->received;
    for (unsigned i = 0; i < FRAMES; i++) {
        uint64_t u = rng_seeded_u64(&rng);
        if (i & 1)
            memcpy(frame, w.last_sent, PACKET);
        else
            rng_seeded_bytes(&rng, frame, PACKET);
        if (u & 1)
            frame[0] = (uint8_t)(u >> 1 & 3);
        if (u & 8)
            frame[1] = 7;
        rng_seeded_bytes(&rng, frame + 2 + (u >> 8) % 300, 1 + (u >> 20) % 40);
        engine_inject(w.engine, (uint32_t)(u >> 32) % (RELAYS + 1),
                      (uint32_t)(u >> 40) % RELAYS, frame, PACKET);
        if (i % 100 == 0)
            assert_int_equal(
                engine_run(w.engine, engine_now_us(w.engine) + 10000), 0);
    }
    assert_int_equal(engine_run(w.engine, engine_now_us(w.engine) + 200000000),
                     0);
    for (size_t i = 0; i < RELAYS; i++) {
        const struct relay_stats *s = relay_stats(w.host[i].relay);
        after += s->received;
        assert_true(relay_held(w.host[i].relay) < 50); /* own loops only */
    }
    assert_true(after > before + FRAMES / 2);
    world_free(&w);
}

/* A client that floods is cut to its rate before its packets cost anything,
 * and is heard again when its bucket is full. The visitor has the profile
 * default: 6.5 frames/s, so 81 at once (10 s, a quarter more). */
static void
floods_are_cut(void **state)
{
    (void)state;
    enum { FLOOD = 500 };
    static struct world w;
    world_make(&w, SPHINX_SUITE_X25519, test_seed() + 7);
    assert_int_equal(visitor_ask(&w, WIRE_LOOP, 1, 0, NULL), WIRE_EMPTY);
    assert_int_equal(engine_run(w.engine, engine_now_us(w.engine) + 20000000),
                     0);
    struct relay *gate = w.host[0].relay;
    const struct relay_stats *s = relay_stats(gate);
    assert_int_equal(s->dropped[-ERR_RATE], 0);
    for (int i = 0; i < FLOOD; i++)
        engine_inject(w.engine, VISITOR_NODE, 0, w.last_sent, PACKET);
    assert_int_equal(engine_run(w.engine, engine_now_us(w.engine) + 1000000),
                     0);
    /* a few more have earned their way while they arrived */
    assert_in_range(s->dropped[-ERR_RATE], FLOOD - 81 - 9, FLOOD - 80);
    assert_in_range(s->dropped[-ERR_REPLAY], 80, 81 + 9);
    assert_int_equal(engine_run(w.engine, engine_now_us(w.engine) + 20000000),
                     0);
    assert_int_equal(visitor_ask(&w, WIRE_LOOP, 2, 0, NULL), WIRE_EMPTY);
    world_free(&w);
}

/* The gateway and a visitor agree on a time that the newest consensus
 * contradicts: it is over, or far from begun. However well the packet's deadline
 * fits that time, it does not come near the replay set; when the clocks are right
 * again all is as before. */
static void
i10_no_replay_set_learns_of_a_time_beyond_the_consensus(void **state)
{
    (void)state;
    static struct world w;
    world_make(&w, SPHINX_SUITE_X25519, test_seed() + 8);
    const struct relay_stats *s = relay_stats(w.host[0].relay);
    const int64_t len_ms = 1000LL * w.net.consensus->params.epoch_len_s;
    const struct {
        int64_t ahead_ms;
        int err;
    } row[] = {{0, 0},
               {EPOCHS_USABLE * len_ms, ERR_EXPIRED},
               {0, 0},
               {-3 * len_ms, ERR_FUTURE},
               {0, 0}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        const uint64_t forwarded = s->forwarded;
        const uint64_t refused = s->dropped[-row[i].err];
        engine_clock(w.engine, 0, row[i].ahead_ms);
        engine_clock(w.engine, VISITOR_NODE, row[i].ahead_ms);
        assert_int_equal(visitor_ask(&w, WIRE_LOOP, 1, 0, NULL),
                         row[i].err ? 0 : WIRE_EMPTY);
        assert_int_equal(s->forwarded, forwarded + !row[i].err);
        assert_true(!row[i].err || s->dropped[-row[i].err] > refused);
    }
    world_free(&w);
}

/* A relay that leaves takes nothing any more and lets out all it holds. */
static void
drain_lets_out_what_is_held(void **state)
{
    (void)state;
    static struct world w;
    uint8_t letter[LETTER];
    world_make(&w, SPHINX_SUITE_X25519, test_seed() + 6);
    assert_int_equal(visitor_ask(&w, WIRE_PUT, 1, 4, letter), WIRE_KEPT);
    struct relay *mix = w.host[GATEWAYS].relay;
    const struct relay_stats *s = relay_stats(mix);
    uint64_t at_us = engine_now_us(w.engine);
    for (int ms = 0; ms < 60000 && relay_held(mix) == 0; ms++)
        assert_int_equal(engine_run(w.engine, at_us += 1000), 0);
    assert_true(relay_held(mix) > 0);
    const size_t held = relay_held(mix);
    const uint64_t out = s->forwarded, sent = s->loops_sent;
    relay_drain(mix);
    assert_int_equal(engine_run(w.engine, engine_now_us(w.engine) + 30000000),
                     0);
    assert_int_equal(relay_held(mix), 0);
    assert_int_equal(s->forwarded, out + held);
    assert_int_equal(s->loops_sent, sent);
    assert_true(s->dropped[-ERR_CLOSED] > 0); /* others' loops */
    world_free(&w);
}

/* I2: the downlink ticks at its interval, whether answers come or not. */
static void
i2_downlink_is_constant(void **state)
{
    (void)state;
    static struct world w;
    world_make(&w, SPHINX_SUITE_NULL, test_seed() + 4);
    w.visitor.frames = 0;
    assert_int_equal(engine_run(w.engine, 102564ull * 500), 0);
    unsigned idle = w.visitor.frames;
    assert_in_range(idle, 498, 500);
    for (uint8_t i = 0; i < 40; i++) {
        uint64_t until_us = engine_now_us(w.engine) + 20000000;
        unsigned frames = w.visitor.frames;
        visitor_ask(&w, WIRE_LOOP, i, 0, NULL);
        assert_true(engine_now_us(w.engine) == until_us);
        assert_in_range(w.visitor.frames - frames, 194, 196);
        /* jitter of the link is 100 us a frame */
        assert_in_range(w.visitor.gap_us, 100400, 104800);
    }
    world_free(&w);
}

/* The client's line, played from outside: full while `line_full`. */
static bool line_full;
static const struct env_ops *line_honest;

static int
line_send(struct env *env, struct env_dest to, const uint8_t *frame, size_t len)
{
    return to.kind == ENV_TO_CLIENT && line_full
               ? ERR_FULL
               : line_honest->send(env, to, frame, len);
}

/* I2: while a client's line takes nothing, ticks of the downlink are skipped and
 * answers wait; afterwards frames come at the same interval as before, on the
 * same grid, and the answers with them. */
static void
i2_a_stalled_client_gets_no_burst_and_all_answers(void **state)
{
    (void)state;
    static struct world w;
    world_make(&w, SPHINX_SUITE_NULL, test_seed() + 6);
    struct visitor *v = &w.visitor;
    const struct relay_stats *s = relay_stats(w.host[0].relay);
    line_honest = w.host[0].env->ops;
    struct env_ops ops = *line_honest;
    ops.send = line_send;
    w.host[0].env->ops = &ops;
    assert_int_equal(engine_run(w.engine, 30000000), 0);
    const uint64_t phase_us = v->last_us % 102564;
    line_full = true;
    const uint64_t skipped = s->skipped, full = s->dropped[-ERR_FULL];
    unsigned frames = v->frames;
    assert_int_equal(visitor_ask(&w, WIRE_LOOP, 1, 0, NULL), 0); /* 20 s */
    assert_int_equal(engine_run(w.engine, engine_now_us(w.engine) + 5000000),
                     0);
    assert_in_range(v->frames - frames, 0, 1); /* it was under way */
    assert_in_range(s->skipped - skipped, 243, 245);
    assert_int_equal(s->dropped[-ERR_FULL], full);
    line_full = false;
    frames = v->frames;
    assert_int_equal(engine_run(w.engine, engine_now_us(w.engine) + 102564), 0);
    assert_in_range(v->frames - frames, 0, 2); /* at either end, by jitter */
    assert_int_equal(
        engine_run(w.engine, engine_now_us(w.engine) + 10 * 102564), 0);
    assert_in_range(v->frames - frames, 10, 12);
    assert_int_equal(v->answers, 1);
    /* the grid is a millisecond, and jitter 100 us a frame */
    const uint64_t off_us = (v->last_us + 102564 - phase_us) % 102564;
    assert_true(off_us < 3000 || off_us > 102564 - 3000);
    world_free(&w);
}

static void
same_seed_same_course(void **state)
{
    (void)state;
    static struct world w;
    uint64_t trace[3], events[3];
    for (unsigned i = 0; i < 3; i++) {
        world_make(&w, SPHINX_SUITE_NULL, 77 + i / 2);
        visitor_ask(&w, WIRE_GET, 3, 0, NULL);
        trace[i] = engine_trace(w.engine);
        events[i] = engine_events(w.engine);
        world_free(&w);
    }
    assert_true(trace[0] == trace[1] && events[0] == events[1]);
    assert_true(trace[0] != trace[2]);
}

/* I5: with and without cryptography the same things happen at the same time,
 * since times and paths have a random stream of their own. */
static void
i5_cryptography_changes_no_course(void **state)
{
    (void)state;
    static struct world w;
    uint64_t trace[2];
    for (uint8_t suite = 0; suite < 2; suite++) {
        world_make(&w, suite, 5);
        visitor_ask(&w, WIRE_LOOP, 3, 0, NULL);
        trace[suite] = engine_trace(w.engine);
        world_free(&w);
    }
    assert_true(trace[0] == trace[1]);
}

const struct CMUnitTest test_relays[] = {
    cmocka_unit_test(requests_go_round),
    cmocka_unit_test(i12_a_get_tells_nothing_of_others),
    cmocka_unit_test(gets_are_read_late),
    cmocka_unit_test(i3_no_packet_twice),
    cmocka_unit_test(i7_wrong_packets_are_counted),
    cmocka_unit_test(i7_garbage_is_counted),
    cmocka_unit_test(floods_are_cut),
    cmocka_unit_test(i10_no_replay_set_learns_of_a_time_beyond_the_consensus),
    cmocka_unit_test(drain_lets_out_what_is_held),
    cmocka_unit_test(i2_downlink_is_constant),
    cmocka_unit_test(i2_a_stalled_client_gets_no_burst_and_all_answers),
    cmocka_unit_test(same_seed_same_course),
    cmocka_unit_test(i5_cryptography_changes_no_course),
};
TEST_SUITE(test_relays);
