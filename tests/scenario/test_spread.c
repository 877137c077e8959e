/* tests/scenario/test_spread.c - announcements and lists in whole networks: from a
 * board to every client, whatever one relay on the way does, and without a frame or
 * a moment that tells of it. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "lib/codec.h"
#include "network/boards.h"
#include "network/list.h"
#include "network/request.h"
#include "network/work.h"
#include "relay/lists.h"
#include "tests/network.h"
#include "tests/rogue_relay.h"

enum {
    TOKENS = 64,
    STORES_MAX = 4,
    CLIENTS = 4,
    ROOM = 308,
    LISTS_MAX = 4000,
    SENT_MAX = 200000
};

/* What one client was shown. */
struct shown {
    uint8_t list[LIST_LEN_MAX]; /* being gathered */
    size_t n, frames;
    struct {
        uint64_t at_us;
        uint8_t list[400];
    } got[LISTS_MAX];
};

/* An answer that the test waits for. */
struct asked {
    struct sphinx_end end;
    struct route route;
    uint8_t seed[SPHINX_SEED_LEN], payload[WORLD_PACKET];
    bool come;
};

/* Announcements of clients' own that came to a store, which are no test's: what
 * they are worth is judged here too. */
struct others {
    const struct course *course;
    struct rogue *spied; /* an honest one, with eyes */
    uint32_t store;
    uint64_t good, bad;
};

struct course {
    struct world *w;
    struct others others[STORES_MAX];
    struct test_env env;
    struct sphinx_worker *worker;
    struct world_client *k[CLIENTS];
    struct shown *shown; /* by client */
    struct asked asked;
    size_t list_len;
    /* of all frames on all links: when, between whom, how long */
    uint64_t n_sent;
    uint64_t sent[SENT_MAX];
};

static void
slice_see(struct course *x, struct shown *s, uint64_t now_us,
          const uint8_t *frame)
{
    const size_t payload_len = x->w->net.consensus->params.geometry.payload_len;
    struct wire_slice slice;
    s->frames++;
    assert_int_equal(wire_slice_parse(&slice,
                                      frame + WIRE_DOWN_HEAD_LEN + payload_len,
                                      ROOM),
                     0);
    if (slice.kind == WIRE_SLICE_NONE)
        return;
    const size_t each = wire_slice_data_len(ROOM), at = slice.part * each;
    assert_true(at < x->list_len);
    memcpy(s->list + at, slice.data,
           x->list_len - at < each ? x->list_len - at : each);
    if (at + each < x->list_len)
        return;
    assert_true(s->n < LISTS_MAX && x->list_len <= sizeof s->got[0].list);
    s->got[s->n].at_us = now_us;
    memcpy(s->got[s->n++].list, s->list, x->list_len);
}

static void
course_tap(void *ctx, uint64_t now_us, uint32_t from, uint32_t to,
           const uint8_t *frame, size_t len)
{
    struct course *x = ctx;
    struct asked *a = &x->asked;
    if (x->n_sent < SENT_MAX)
        x->sent[x->n_sent] =
            now_us << 20 ^ from << 10 ^ to ^ (uint64_t)len << 50;
    x->n_sent++;
    if (to < x->w->n_relays || from >= x->w->n_relays ||
        frame[0] != WIRE_PACKET)
        return;
    for (size_t i = 0; i < CLIENTS; i++)
        if (x->k[i] && x->k[i]->node == to)
            slice_see(x, &x->shown[i], now_us, frame);
    if (!a->come && memcmp(frame + 1, a->end.surb_id, 8) == 0) {
        memcpy(a->payload, frame + WIRE_DOWN_HEAD_LEN,
               x->w->net.consensus->params.geometry.payload_len);
        a->come = true;
    }
}

static void
one_board(struct params *p)
{
    p->boards = 1;
}

static void
course_make(struct course *x, struct world_config *config)
{
    *x = (struct course){0};
    config->suite = SPHINX_SUITE_NULL;
    config->layers = 3;
    if (config->gateways == 0)
        config->gateways = 2;
    if (config->mixes == 0)
        config->mixes = 4;
    if (config->stores == 0)
        config->stores = 4;
    if (config->seed == 0)
        config->seed = test_seed();
    x->w = world_new(config);
    x->list_len = list_len(&x->w->net.consensus->params);
    x->shown = calloc(CLIENTS, sizeof *x->shown);
    assert_non_null(x->shown);
    test_env_init(&x->env, config->seed);
    assert_int_equal(sphinx_worker_new(&x->worker), 0);
    engine_tap(x->w->engine, course_tap, x);
}

static void
course_clients(struct course *x)
{
    for (uint32_t i = 0; i < CLIENTS; i++)
        x->k[i] = world_client_add(x->w, "default", i % 2);
    world_run_s(x->w, 3);
}

static void
course_free(struct course *x)
{
    engine_tap(x->w->engine, NULL, NULL);
    for (size_t i = 0; i < STORES_MAX; i++)
        rogue_free(&x->others[i].spied);
    sphinx_worker_free(&x->worker);
    free(x->shown);
    world_free(&x->w);
}

static uint64_t
wall_ms(const struct course *x)
{
    return env_now_wall_ms(x->w->relay[0].env);
}

static struct relay_stats
stats_all(const struct course *x)
{
    struct relay_stats sum;
    sim_world_stats(x->w, &sum);
    return sum;
}

static struct relay_stats
stats_of(const struct course *x, uint32_t relay)
{
    struct relay_stats sum;
    team_stats(x->w->relay[relay].team, &sum);
    return sum;
}

/* Send a request of client 0 to a store; an announcement has a token and its
 * work. */
static void
request_send(struct course *x, uint8_t kind, uint16_t store,
             const uint8_t token[LIST_TOKEN_LEN], unsigned bits)
{
    const struct consensus *c = x->w->net.consensus;
    struct request request = {.kind = kind};
    struct work_task task;
    uint8_t work[WIRE_WORK_LEN] = {0}, packet[WORLD_PACKET];
    struct asked *a = &x->asked;
    env_random_crypto(&x->env.env, request.box, sizeof request.box);
    memcpy(request.box, token, LIST_TOKEN_LEN);
    work_announce_task(&task, c->work_challenge, c->relays[store].identity,
                       token);
    assert_true(work_search(&task, bits, 1 << 24, work));
    request.work = work;
    a->come = false;
    assert_int_equal(route_draw(&a->route, c, &x->env.env,
                                (uint16_t)x->k[0]->gateway, store, true,
                                ROUTE_SEND),
                     0);
    env_random_crypto(&x->env.env, a->end.surb_id, 8);
    env_random_crypto(&x->env.env, a->seed, sizeof a->seed);
    assert_int_equal(request_build(x->worker, c, &x->env.env, &a->route,
                                   1000 * wall_ms(x), &request, &a->end,
                                   a->seed, packet),
                     0);
    engine_inject(x->w->engine, x->k[0]->node, x->k[0]->gateway, packet,
                  sizeof packet);
}

/* Say a handle of the test's own in the name of client 0, for answers. */
static void
handle_send(struct course *x)
{
    struct wire_control control = {.profile = 0};
    uint8_t frame[WORLD_PACKET] = {0};
    env_random_crypto(&x->env.env, control.handle, sizeof control.handle);
    memcpy(x->asked.end.handle, control.handle, sizeof control.handle);
    assert_int_equal(wire_control_write(frame, sizeof frame, &control), 0);
    engine_inject(x->w->engine, x->k[0]->node, x->k[0]->gateway, frame,
                  sizeof frame);
}

static void
token_make(uint8_t token[LIST_TOKEN_LEN], uint8_t number)
{
    for (uint8_t i = 0; i < LIST_TOKEN_LEN; i++)
        token[i] = (uint8_t)(number * 37 + i * 11 + 3);
}

static void
announcement_see(void *ctx, const struct rogue_sight *seen)
{
    struct others *o = ctx;
    const struct consensus *c = o->course->w->net.consensus;
    const struct wire_request *request = seen->request;
    uint8_t token[LIST_TOKEN_LEN];
    struct work_task task;
    bool board = false;
    if (!request || request->kind != WIRE_ANNOUNCE)
        return;
    for (uint8_t i = 0; i < TOKENS; i++) {
        token_make(token, i);
        if (memcmp(request->box, token, sizeof token) == 0)
            return;
    }
    for (size_t i = 0; i < c->boards.n; i++)
        board = board || c->boards.relay[i] == o->store;
    work_announce_task(&task, c->work_challenge, c->relays[o->store].identity,
                       request->box);
    if (board && work_bits(&task, request->work) >= c->params.announce_bits)
        o->good++;
    else
        o->bad++;
}

/* From now on what clients announce is counted by itself. */
static void
others_watch(struct course *x)
{
    const uint32_t first = world_first(x->w, 4);
    assert_int_equal(x->w->n_relays - first, STORES_MAX);
    for (uint32_t i = 0; i < STORES_MAX; i++) {
        struct others *o = &x->others[i];
        *o = (struct others){.course = x, .store = first + i};
        o->spied = rogue_new(x->w, o->store);
        o->spied->spy = announcement_see;
        o->spied->spy_ctx = o;
    }
}

/* Takes away what clients announced by themselves. */
static struct relay_stats
stats_own(const struct course *x, uint32_t store)
{
    struct relay_stats s = stats_of(x, store);
    for (size_t i = 0; i < STORES_MAX; i++)
        if (x->others[i].store == store) {
            s.announced -= x->others[i].good;
            s.announced_bad -= x->others[i].bad;
        }
    return s;
}

/* The same, of all stores. */
static struct relay_stats
stats_own_all(const struct course *x)
{
    struct relay_stats s = stats_all(x);
    for (size_t i = 0; i < STORES_MAX; i++) {
        s.announced -= x->others[i].good;
        s.announced_bad -= x->others[i].bad;
    }
    return s;
}

/* When the first list with this token's entry was whole; 0: never. Its list is
 * verified. */
static uint64_t
token_seen_us(const struct course *x, const struct shown *s,
              const uint8_t token[LIST_TOKEN_LEN])
{
    const struct consensus *c = x->w->net.consensus;
    for (size_t i = 0; i < s->n; i++) {
        struct board_list l;
        assert_int_equal(
            list_parse(&l, &c->params, s->got[i].list, x->list_len), 0);
        for (size_t k = 0; k < c->params.list_entries; k++)
            if (memcmp(l.entries + k * LIST_ENTRY_LEN, token, LIST_ENTRY_LEN) ==
                0) {
                assert_int_equal(list_verify(c, s->got[i].list, x->list_len),
                                 0);
                return s->got[i].at_us;
            }
    }
    return 0;
}

static bool
shown_has(const struct course *x, const struct shown *s, const uint8_t *list)
{
    for (size_t i = 0; i < s->n; i++)
        if (memcmp(s->got[i].list, list, x->list_len) == 0)
            return true;
    return false;
}

/* How many lists have this interval and board. */
static size_t
shown_count(const struct shown *s, uint32_t interval, uint8_t board)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        n += codec_get32(s->got[i].list) == interval &&
             s->got[i].list[4] == board;
    return n;
}

/* Nothing that relays have to do with lists was refused or went wrong. */
static void
nothing_was_refused(const struct course *x)
{
    const struct relay_stats s = stats_all(x);
    assert_int_equal(s.lists_refused, 0);
    assert_int_equal(s.equivocations, 0);
}

/* ---- the way of a token ---- */

/* One token to each board: each client of each gateway is shown it half a second
 * after its interval ends at the latest, and all are shown the same. */
static void
tokens_reach_all(uint32_t workers)
{
    enum { STEP_US = 50000, SPREAD_US = 500000 };
    static struct course x;
    struct world_config config = {.workers = workers};
    course_make(&x, &config);
    others_watch(&x);
    course_clients(&x);
    const struct consensus *c = x.w->net.consensus;
    const uint64_t interval_us = c->params.list_interval_ms * 1000ULL;
    assert_int_equal(c->boards.n, 4);
    for (uint8_t i = 0; i < 4; i++) {
        uint8_t token[LIST_TOKEN_LEN];
        token_make(token, i);
        request_send(&x, WIRE_ANNOUNCE, c->boards.relay[i], token,
                     c->params.announce_bits);
        while (stats_own_all(&x).announced < i + 1u)
            world_run_s(x.w, STEP_US / 1e6);
        const uint64_t taken_us = engine_now_us(x.w->engine);
        world_run_s(x.w, (double)(interval_us + SPREAD_US) / 1e6);
        for (size_t k = 0; k < CLIENTS; k++) {
            const uint64_t seen_us = token_seen_us(&x, &x.shown[k], token);
            assert_true(seen_us > 0);
            assert_true(seen_us <= taken_us + interval_us + SPREAD_US);
        }
    }
    world_run_s(x.w, 60);
    for (size_t k = 1; k < CLIENTS; k++) {
        assert_true(x.shown[k].n > 100);
        for (size_t i = 0; i + 8 < x.shown[0].n; i++)
            assert_true(shown_has(&x, &x.shown[k], x.shown[0].got[i].list));
    }
    assert_int_equal(stats_own_all(&x).announced_bad, 0);
    nothing_was_refused(&x);
    course_free(&x);
}

static void
a_token_reaches_every_client_within_its_interval(void **state)
{
    (void)state;
    tokens_reach_all(1);
}

static void
a_token_reaches_clients_of_every_worker(void **state)
{
    (void)state;
    tokens_reach_all(3);
}

/* What is no announcement to a board changes nothing: too little work, a store
 * that is no board, a token twice. */
static void
i11_announcements_that_cost_nothing_are_refused(void **state)
{
    (void)state;
    static struct course x;
    struct world_config config = {.params = one_board};
    uint8_t token[LIST_TOKEN_LEN];
    course_make(&x, &config);
    others_watch(&x);
    course_clients(&x);
    const struct consensus *c = x.w->net.consensus;
    const uint16_t board = c->boards.relay[0];
    uint16_t other = (uint16_t)world_first(x.w, 4);
    if (other == board)
        other++;
    assert_int_equal(c->boards.n, 1);
    token_make(token, 1);
    request_send(&x, WIRE_ANNOUNCE, other, token, c->params.announce_bits);
    world_run_s(x.w, 5);
    assert_int_equal(stats_own(&x, other).announced_bad, 1);
    for (unsigned i = 0; i < 3; i++) { /* the work of another store */
        const uint16_t was = x.w->net.consensus->boards.relay[0];
        request_send(&x, WIRE_ANNOUNCE, was, token, 0);
    }
    world_run_s(x.w, 5);
    /* no bits at all are worth 8 once in 256: here none of three is */
    assert_int_equal(stats_own(&x, board).announced, 0);
    assert_int_equal(stats_own(&x, board).announced_bad, 3);
    for (unsigned i = 0; i < 3; i++)
        request_send(&x, WIRE_ANNOUNCE, board, token, c->params.announce_bits);
    world_run_s(x.w, 10);
    assert_int_equal(stats_own(&x, board).announced, 1);
    assert_int_equal(stats_own(&x, board).announced_bad, 5);
    nothing_was_refused(&x);
    course_free(&x);
}

static void
short_lists(struct params *p)
{
    p->boards = 1;
    p->list_entries = 2;
    p->announce_bits = 2;
}

/* Of thirty cheap announcements a board of two entries a list lists ten at most,
 * and counts the others; who pays more is in the next list, and each that is listed
 * is within four lists after its first. */
static void
i11_a_flood_of_announcements_keeps_nobody_out(void **state)
{
    (void)state;
    enum { FLOOD = 30, GOOD = 2, BITS = 14 };
    static struct course x;
    struct world_config config = {.params = short_lists};
    uint8_t token[LIST_TOKEN_LEN];
    course_make(&x, &config);
    others_watch(&x);
    course_clients(&x);
    const struct consensus *c = x.w->net.consensus;
    const uint64_t interval_us = c->params.list_interval_ms * 1000ULL;
    const uint16_t board = c->boards.relay[0];
    for (uint8_t i = 0; i < FLOOD; i++) {
        token_make(token, i);
        request_send(&x, WIRE_ANNOUNCE, board, token, c->params.announce_bits);
    }
    for (unsigned s = 0; s < 40 && stats_own(&x, board).announced < FLOOD; s++)
        world_run_s(x.w, 0.1);
    for (uint8_t i = FLOOD; i < FLOOD + GOOD; i++) {
        token_make(token, i);
        request_send(&x, WIRE_ANNOUNCE, board, token, BITS);
    }
    while (stats_own(&x, board).announced < FLOOD + GOOD)
        world_run_s(x.w, 0.05);
    const uint64_t last_us = engine_now_us(x.w->engine);
    world_run_s(x.w, 20);
    unsigned listed = 0;
    for (uint8_t i = 0; i < FLOOD + GOOD; i++) {
        token_make(token, i);
        const uint64_t seen_us = token_seen_us(&x, &x.shown[0], token);
        listed += seen_us > 0;
        assert_true(i < FLOOD || seen_us > 0);
        assert_true(seen_us <=
                    last_us + (i < FLOOD ? 5 : 1) * interval_us + 500000);
    }
    const struct relay_stats s = stats_own(&x, board);
    const uint64_t others = stats_of(&x, board).announced - s.announced;
    assert_in_range(listed + others, 5 * 2, 8 * 2 + others);
    /* which of clients' own are listed is not looked at */
    assert_in_range(listed + s.announced_lost, FLOOD + GOOD,
                    FLOOD + GOOD + others);
    assert_int_equal(s.announced_bad, 0);
    nothing_was_refused(&x);
    course_free(&x);
}

static void
a_newcomer_is_shown_ten_minutes(void **state)
{
    (void)state;
    static struct course x;
    struct world_config config = {.params = one_board};
    course_make(&x, &config);
    world_run_s(x.w, 700);
    const struct params *p = &x.w->net.consensus->params;
    const uint32_t before = list_interval(p, wall_ms(&x)) - 1;
    x.k[0] = world_client_add(x.w, "default", 0);
    world_run_s(x.w, 90);
    const uint32_t after = list_interval(p, wall_ms(&x)) - 2;
    for (uint32_t i = before - 598000 / p->list_interval_ms; i <= after; i++)
        assert_int_equal(shown_count(&x.shown[0], i, 0), 1);
    assert_in_range(x.shown[0].n, 300 + 40, 300 + 48);
    course_free(&x);
}

/* ---- nothing tells of it ---- */

/* The same course twice, with twenty announcements or as many loops in their
 * place: every frame on every link leaves at the same time, and is as long. */
static void
i2_lists_and_tokens_show_in_no_frame(void **state)
{
    (void)state;
    static struct course x[2];
    for (unsigned run = 0; run < 2; run++) {
        struct world_config config = {.seed = test_seed()};
        course_make(&x[run], &config);
        others_watch(&x[run]);
        course_clients(&x[run]);
        const struct consensus *c = x[run].w->net.consensus;
        for (uint8_t i = 0; i < 20; i++) {
            uint8_t token[LIST_TOKEN_LEN];
            token_make(token, i);
            request_send(&x[run], run ? WIRE_ANNOUNCE : WIRE_LOOP,
                         c->boards.relay[i % 4], token,
                         c->params.announce_bits);
            world_run_s(x[run].w, 1);
        }
        world_run_s(x[run].w, 10);
        assert_int_equal(stats_own_all(&x[run]).announced, run ? 20 : 0);
        assert_true(x[run].n_sent < SENT_MAX);
    }
    assert_int_equal(x[0].n_sent, x[1].n_sent);
    for (uint64_t i = 0; i < x[0].n_sent; i++)
        assert_int_equal(x[0].sent[i], x[1].sent[i]);
    for (unsigned run = 0; run < 2; run++)
        course_free(&x[run]);
}

/* Nor do down frames show whether there are boards at all. */
static void
none(struct params *p)
{
    p->boards = 0;
}

static void
i2_a_downlink_is_the_same_without_boards(void **state)
{
    (void)state;
    static struct course x;
    size_t frames[2];
    for (unsigned run = 0; run < 2; run++) {
        struct world_config config = {.params = run ? none : NULL};
        course_make(&x, &config);
        course_clients(&x);
        world_run_s(x.w, 60);
        frames[run] = x.shown[0].frames;
        assert_int_equal(x.shown[0].n == 0, run);
        course_free(&x);
    }
    assert_in_range(frames[0], frames[1] - 1, frames[1] + 1);
}

/* ---- relays that do not do their part ---- */

static bool
lists_stay(void *ctx, uint32_t to, const uint8_t *frame, size_t len)
{
    const struct course *x = ctx;
    (void)len;
    return frame[0] != WIRE_LIST || to >= x->w->n_relays;
}

/* A mix of each layer passes no list on, and nobody misses one. */
static void
i10_a_mix_that_passes_no_lists_changes_nothing(void **state)
{
    (void)state;
    static struct course x;
    static const struct sim_front_ops silent = {.leaves = lists_stay};
    for (uint32_t which = 0; which < 4; which += test_proof() ? 1 : 2) {
        struct world_config config = {0};
        course_make(&x, &config);
        for (unsigned layer = 1; layer <= 3; layer++)
            engine_front(x.w->engine, world_first(x.w, layer) + which, &silent,
                         &x);
        course_clients(&x);
        const struct params *p = &x.w->net.consensus->params;
        const uint32_t first = list_interval(p, wall_ms(&x));
        world_run_s(x.w, 30);
        for (uint32_t i = first; i + 2 < list_interval(p, wall_ms(&x)); i++)
            for (uint8_t board = 0; board < 4; board++)
                for (size_t k = 0; k < CLIENTS; k++)
                    assert_int_equal(shown_count(&x.shown[k], i, board), 1);
        nothing_was_refused(&x);
        course_free(&x);
    }
}

/* Make a list of a board that says something else than the board. */
static void
list_forge(const struct course *x, uint8_t board, uint32_t interval,
           const uint8_t *seed, uint8_t frame[WORLD_PACKET])
{
    const struct consensus *c = x->w->net.consensus;
    uint8_t entry[LIST_ENTRIES_MAX * LIST_ENTRY_LEN] = {0};
    for (size_t i = 0; i < c->params.list_entries; i++)
        entry[i * LIST_ENTRY_LEN] = (uint8_t)i;
    const struct board_list l = {
        .interval = interval, .board = board, .entries = entry};
    memset(frame, 0, WORLD_PACKET);
    frame[0] = WIRE_LIST;
    list_write(frame + 1, &c->params, &l);
    list_sign(frame + 1, x->list_len, c, seed);
}

/* A neighbour that may pass lists brings ten thousand forged ones, one that may not
 * brings a good one, and a client another. */
static void
i11_floods_of_lists_are_cut_and_counted(void **state)
{
    (void)state;
    enum { FLOOD = 10000, SECONDS = 5, EACH = 4 + 1 };
    static struct course x;
    struct world_config config = {0};
    uint8_t frame[WORLD_PACKET];
    struct board_ways *ways;
    course_make(&x, &config);
    course_clients(&x);
    const struct consensus *c = x.w->net.consensus;
    const uint32_t victim = world_first(x.w, 2);
    assert_int_equal(boards_ways_new(&ways, c, (uint16_t)victim), 0);
    assert_int_equal(ways->n_before, 2); /* of four */
    const uint32_t first = list_interval(&c->params, wall_ms(&x));
    for (unsigned i = 0; i < FLOOD; i++) {
        list_forge(&x, (uint8_t)(i % 4),
                   list_interval(&c->params, wall_ms(&x)) - 1,
                   x.w->net.identity_seed[0], frame);
        codec_put32(frame + 1 + LIST_HEAD_LEN + 1, i);
        engine_inject(x.w->engine, ways->before[0], victim, frame,
                      sizeof frame);
        if (i % (FLOOD / SECONDS / 10) == 0)
            world_run_s(x.w, 0.1);
    }
    world_run_s(x.w, 5);
    struct relay_stats s = stats_of(&x, victim);
    /* beside them, what that neighbour had to pass while its share was used up */
    assert_in_range(s.lists_refused, FLOOD, FLOOD + 4 * (SECONDS / 2 + 2));
    assert_int_equal(s.dropped[-ERR_SIGNATURE] + s.dropped[-ERR_RATE],
                     s.lists_refused);
    const unsigned burst = 4 * lists_burst(&c->params);
    assert_in_range(s.dropped[-ERR_SIGNATURE], burst,
                    burst + EACH * (SECONDS + 1));
    /* who may not pass it: the one of its layer beside it, and a client */
    list_forge(&x, 0, list_interval(&c->params, wall_ms(&x)) - 1,
               x.w->net.identity_seed[c->boards.relay[0]], frame);
    engine_inject(x.w->engine, victim + 1, victim, frame, sizeof frame);
    engine_inject(x.w->engine, x.k[0]->node, x.k[0]->gateway, frame,
                  sizeof frame);
    world_run_s(x.w, 1);
    s = stats_of(&x, victim);
    assert_int_equal(s.dropped[-ERR_EDGE], 1);
    s = stats_of(&x, x.k[0]->gateway);
    assert_int_equal(s.dropped[-ERR_VERSION], 1);
    /* the honest lists came by the other, and nobody took a forged one */
    world_run_s(x.w, 10);
    for (uint32_t i = first; i + 2 < list_interval(&c->params, wall_ms(&x));
         i++)
        for (uint8_t board = 0; board < 4; board++)
            for (size_t k = 0; k < CLIENTS; k++)
                assert_int_equal(shown_count(&x.shown[k], i, board), 1);
    assert_int_equal(stats_all(&x).equivocations, 0);
    boards_ways_free(&ways);
    course_free(&x);
}

/* Ask a store, and read what its answer names of boards. */
static void
roots_ask(struct course *x, uint16_t store, struct wire_answer *answer)
{
    static const uint8_t box[LIST_TOKEN_LEN];
    const struct consensus *c = x->w->net.consensus;
    handle_send(x);
    world_run_s(x->w, 1);
    request_send(x, WIRE_LOOP, store, box, 0);
    for (unsigned i = 0; i < 100 && !x->asked.come; i++)
        world_run_s(x->w, 0.2);
    assert_true(x->asked.come);
    assert_int_equal(request_open_answer(x->worker, c, &x->asked.route,
                                         x->asked.seed, x->asked.payload,
                                         answer),
                     0);
}

/* A board tells one carrier something else than all others: every client has both
 * lists, and stores name it no more. */
static void
i10_a_board_that_lies_is_found_out(void **state)
{
    (void)state;
    static struct course x;
    struct world_config config = {0};
    struct wire_answer answer;
    uint8_t frame[WORLD_PACKET], root[LIST_ROOT_LEN];
    course_make(&x, &config);
    course_clients(&x);
    const struct consensus *c = x.w->net.consensus;
    const uint16_t liar = c->boards.relay[1];
    const uint16_t store = c->boards.relay[0];
    world_run_s(x.w, 10);
    roots_ask(&x, store, &answer);
    for (uint8_t board = 0; board < 4; board++) {
        const uint32_t now = list_interval(&c->params, wall_ms(&x));
        assert_in_range(answer.root[board].interval, now - 3, now);
        bool found = false;
        for (size_t i = 0; i < x.shown[0].n && !found; i++) {
            list_root(x.shown[0].got[i].list, x.list_len, root);
            found = x.shown[0].got[i].list[4] == board &&
                    memcmp(root, answer.root[board].root, LIST_ROOT_LEN) == 0;
        }
        assert_true(found); /* a root of a list that clients are shown */
    }
    const uint32_t interval = list_interval(&c->params, wall_ms(&x)) - 2;
    list_forge(&x, 1, interval, x.w->net.identity_seed[liar], frame);
    engine_inject(x.w->engine, liar, world_first(x.w, 1), frame, sizeof frame);
    world_run_s(x.w, 5);
    for (size_t k = 0; k < CLIENTS; k++) {
        assert_int_equal(shown_count(&x.shown[k], interval, 1), 2);
        assert_int_equal(shown_count(&x.shown[k], interval, 0), 1);
    }
    /* every relay but those that get it from nobody has it: the other carriers,
     * and the board itself knows both */
    assert_in_range(stats_all(&x).equivocations, x.w->n_relays - 3,
                    x.w->n_relays);
    assert_int_equal(stats_all(&x).lists_refused, 0);
    roots_ask(&x, store, &answer);
    assert_int_equal(answer.root[1].interval, 0);
    assert_true(answer.root[0].interval > interval);
    /* no flood comes of it: further ones are not looked at */
    const uint64_t passed = stats_all(&x).lists_passed;
    for (unsigned i = 0; i < 100; i++) {
        list_forge(&x, 1, interval - 1, x.w->net.identity_seed[liar], frame);
        frame[1 + LIST_HEAD_LEN + 1] = (uint8_t)i;
        list_sign(frame + 1, x.list_len, c, x.w->net.identity_seed[liar]);
        engine_inject(x.w->engine, liar, world_first(x.w, 1), frame,
                      sizeof frame);
    }
    world_run_s(x.w, 0.1);
    assert_in_range(stats_all(&x).lists_passed, passed, passed + 200);
    world_run_s(x.w, 1);
    assert_int_equal(shown_count(&x.shown[0], interval - 1, 1), 1);
    course_free(&x);
}

/* ---- time ---- */

/* A board that is killed and started at any point of an interval, or whose clock
 * steps, is no liar, and lists again. */
static void
i10_a_board_that_starts_again_is_no_liar(void **state)
{
    (void)state;
    static struct course x;
    struct world_config config = {.params = one_board};
    course_make(&x, &config);
    course_clients(&x);
    const uint16_t board = x.w->net.consensus->boards.relay[0];
    uint64_t made = 0;
    for (unsigned i = 0; i < 12; i++) {
        world_run_s(x.w, 4.1 + 0.17 * i);
        made += stats_of(&x, board).lists_made;
        world_relay_stop(x.w, board);
        world_run_s(x.w, 0.05);
        world_relay_start(x.w, board);
    }
    world_relay_clock(x.w, board, -3.5);
    world_run_s(x.w, 10);
    world_relay_clock(x.w, board, 1.5);
    world_run_s(x.w, 10);
    assert_true(made >= 12);
    assert_true(stats_of(&x, board).lists_made >= 5);
    assert_int_equal(stats_all(&x).equivocations, 0);
    course_free(&x);
}

/* Lists go on from epoch to epoch: not an interval is without one, and those of the
 * old boards go out. */
static void
lists_go_on_from_epoch_to_epoch(void **state)
{
    (void)state;
    static struct course x;
    struct world_config config = {.stores = 6};
    course_make(&x, &config);
    const struct consensus *c[2] = {x.w->net.consensus};
    world_run_s(x.w, 3400);
    course_clients(&x);
    world_epoch(x.w);
    world_run_s(x.w, 400);
    c[1] = x.w->net.consensus;
    assert_memory_not_equal(&c[0]->boards, &c[1]->boards, sizeof c[0]->boards);
    const struct params *p = &c[0]->params;
    const uint32_t last = list_interval(p, wall_ms(&x)) - 3;
    const uint32_t turn = list_interval(p, c[1]->valid_after_s * 1000);
    size_t of[2] = {0};
    for (size_t k = 0; k < CLIENTS; k++)
        for (uint32_t i = turn - 20; i <= last; i++)
            for (uint8_t board = 0; board < 4; board++) {
                assert_int_equal(shown_count(&x.shown[k], i, board), 1);
                of[list_is_of(c[1], i)]++;
            }
    assert_true(of[0] > 200 && of[1] > 200);
    for (size_t i = 0; i < x.shown[0].n; i++) {
        const uint8_t *list = x.shown[0].got[i].list;
        assert_int_equal(list_verify(c[list_is_of(c[1], codec_get32(list))],
                                     list, x.list_len),
                         0);
    }
    nothing_was_refused(&x);
    course_free(&x);
}

const struct CMUnitTest test_spread[] = {
    cmocka_unit_test(a_token_reaches_every_client_within_its_interval),
    cmocka_unit_test(a_token_reaches_clients_of_every_worker),
    cmocka_unit_test(i11_announcements_that_cost_nothing_are_refused),
    cmocka_unit_test(i11_a_flood_of_announcements_keeps_nobody_out),
    cmocka_unit_test(a_newcomer_is_shown_ten_minutes),
    cmocka_unit_test(i2_lists_and_tokens_show_in_no_frame),
    cmocka_unit_test(i2_a_downlink_is_the_same_without_boards),
    cmocka_unit_test(i10_a_mix_that_passes_no_lists_changes_nothing),
    cmocka_unit_test(i11_floods_of_lists_are_cut_and_counted),
    cmocka_unit_test(i10_a_board_that_lies_is_found_out),
    cmocka_unit_test(i10_a_board_that_starts_again_is_no_liar),
    cmocka_unit_test(lists_go_on_from_epoch_to_epoch),
};
TEST_SUITE(test_spread);
