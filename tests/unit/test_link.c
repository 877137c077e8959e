/* tests/unit/test_link.c - the loop, and links over TLS on loopback. */
#include "tests/runner.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/os/clock.h"
#include "lib/os/link_internal.h"
#include "lib/os/socket.h"
#include "tests/line.h"

enum { LEN = 2048 };

struct end {
    struct link *link;
    bool up, shown;
    int down; /* why; 0: not */
    uint8_t peer[TLS_ID_LEN];
    uint64_t frames, wrong, in_one_call;
};

struct pair {
    struct loop *loop;
    struct tls *server_tls, *client_tls;
    struct listener *listener;
    struct end client, server;
    uint8_t server_id[32], client_id[32];
};

static void
end_up(void *ctx, struct link *l, const uint8_t *peer)
{
    struct end *e = ctx;
    (void)l;
    e->up = true;
    e->shown = peer != NULL;
    if (peer)
        memcpy(e->peer, peer, TLS_ID_LEN);
}

/* Frames carry their number and a pattern of it. */
static void
frame_fill(uint8_t *frame, uint32_t number)
{
    memset(frame, (int)(number * 7 & 0xff), LEN);
    memcpy(frame, &number, sizeof number);
}

static void
end_frames(void *ctx, struct link *l, uint8_t *frames, size_t n)
{
    struct end *e = ctx;
    uint8_t want[LEN];
    (void)l;
    if (n > e->in_one_call)
        e->in_one_call = n;
    for (size_t i = 0; i < n; i++) {
        frame_fill(want, (uint32_t)e->frames++);
        e->wrong += memcmp(frames + i * LEN, want, LEN) != 0;
    }
}

static void
end_down(void *ctx, struct link *l, int err)
{
    struct end *e = ctx;
    e->down = err;
    e->link = NULL;
    link_free(&l);
}

static const struct link_ops end_ops = {end_up, end_frames, end_down};

static void
pair_accept(void *ctx, struct link *l, const uint8_t *peer)
{
    struct pair *p = ctx;
    p->server.link = l;
    link_set_owner(l, &end_ops, &p->server);
    end_up(&p->server, l, peer);
}

static void
identity_make(uint8_t n, uint8_t seed[32], uint8_t id[32])
{
    uint8_t secret[64];
    memset(seed, n, 32);
    crypto_sign_seed_keypair(id, secret, seed);
}

static void
turns(struct pair *p, unsigned ms)
{
    uint64_t until_us = clock_mono_us() + ms * 1000ull;
    while (clock_mono_us() < until_us) {
        loop_stop(p->loop); /* a wake-up, so that no turn waits for long */
        usleep(200);
        assert_int_equal(loop_turn(p->loop), 0);
    }
}

static void
pair_make(struct pair *p, bool client_shows, uint64_t handshake_us)
{
    uint8_t seed[32];
    const struct link_config config = {
        .frame_len = LEN, .queue_max = 128, .handshake_us = handshake_us};
    memset(p, 0, sizeof *p);
    assert_int_equal(loop_new(&p->loop), 0);
    identity_make(1, seed, p->server_id);
    assert_int_equal(tls_new(&p->server_tls, seed), 0);
    identity_make(2, seed, p->client_id);
    assert_int_equal(tls_new(&p->client_tls, client_shows ? seed : NULL), 0);
    assert_int_equal(listener_new(&p->listener, p->loop, p->server_tls, &config,
                                  "127.0.0.1:0", 64, pair_accept, p),
                     0);
}

static void
pair_connect_with(struct pair *p, const uint8_t *pin,
                  struct link_budget *budget)
{
    const struct link_config config = {
        .frame_len = LEN, .queue_max = 128, .budget = budget};
    assert_int_equal(link_connect(&p->client.link, p->loop, p->client_tls,
                                  &config, listener_address(p->listener), pin,
                                  &end_ops, &p->client),
                     0);
    for (unsigned i = 0;
         i < 400 && !(p->client.up && p->server.up) && !p->client.down; i++)
        turns(p, 5);
}

static void
pair_connect(struct pair *p, const uint8_t *pin)
{
    pair_connect_with(p, pin, NULL);
}

static void
pair_free(struct pair *p)
{
    link_free(&p->client.link);
    link_free(&p->server.link);
    listener_free(&p->listener);
    tls_free(&p->client_tls);
    tls_free(&p->server_tls);
    loop_free(&p->loop);
}

static void
identities_are_pinned(void **state)
{
    (void)state;
    static struct pair p;
    for (unsigned shows = 0; shows < 2; shows++) {
        pair_make(&p, shows, 0);
        pair_connect(&p, p.server_id);
        assert_true(p.client.up && p.server.up);
        assert_memory_equal(p.client.peer, p.server_id, 32);
        assert_true(p.server.shown == shows);
        if (shows)
            assert_memory_equal(p.server.peer, p.client_id, 32);
        pair_free(&p);
    }
    pair_make(&p, false, 0);
    pair_connect(&p, p.client_id); /* the wrong one */
    assert_false(p.client.up);
    assert_int_equal(p.client.down, ERR_PEER);
    pair_free(&p);
}

/* 5,000 frames each way arrive whole and in order. */
static void
frames_arrive(void **state)
{
    (void)state;
    static struct pair p;
    uint8_t frame[LEN];
    uint32_t sent[2] = {0};
    enum { FRAMES = 5000 };
    pair_make(&p, true, 0);
    pair_connect(&p, p.server_id);
    uint64_t until_us = clock_mono_us() + 20000000;
    while ((p.client.frames < FRAMES || p.server.frames < FRAMES) &&
           clock_mono_us() < until_us) {
        for (unsigned k = 0; k < 2; k++)
            while (sent[k] < FRAMES) {
                frame_fill(frame, sent[k]);
                if (link_send(k ? p.server.link : p.client.link, frame))
                    break;
                sent[k]++;
            }
        turns(&p, 1);
    }
    assert_int_equal(p.client.frames, FRAMES);
    assert_int_equal(p.server.frames, FRAMES);
    assert_int_equal(p.client.wrong + p.server.wrong, 0);
    pair_free(&p);
}

/* What is handed over in one turn leaves in one send(). */
static void
a_turn_is_one_send(void **state)
{
    (void)state;
    static struct pair p;
    struct link_stats before, after;
    uint8_t frame[LEN];
    pair_make(&p, true, 0);
    pair_connect(&p, p.server_id);
    link_stats(p.client.link, &before);
    for (uint32_t i = 0; i < 32; i++) {
        frame_fill(frame, i);
        assert_int_equal(link_send(p.client.link, frame), 0);
    }
    for (unsigned i = 0; i < 100 && p.server.frames < 32; i++)
        turns(&p, 2);
    link_stats(p.client.link, &after);
    assert_int_equal(p.server.frames, 32);
    assert_int_equal(p.server.wrong, 0);
    assert_int_equal(after.sends - before.sends, 1);
    pair_free(&p);
}

/* Nobody reads: the queue fills, then refuses. */
static void
queues_are_bounded(void **state)
{
    (void)state;
    static struct pair p;
    struct link_stats s;
    uint8_t frame[LEN] = {0};
    unsigned full = 0;
    pair_make(&p, true, 0);
    pair_connect(&p, p.server_id);
    for (unsigned i = 0; i < 200; i++)
        full += link_send(p.client.link, frame) == ERR_FULL;
    assert_int_equal(full, 72);
    link_stats(p.client.link, &s);
    assert_int_equal(s.refused, 72);
    link_free(&p.server.link);
    turns(&p, 50);
    assert_int_equal(p.client.down, ERR_CLOSED);
    pair_free(&p);
}

/* Links share a budget; who takes nothing is found out; what waited is given
 * back when a link goes. */
static void
a_budget_is_shared_and_stalls_are_seen(void **state)
{
    (void)state;
    static struct pair p;
    struct link_budget budget = {.max = 100 * LEN};
    uint8_t frame[LEN] = {0};
    unsigned taken = 0;
    pair_make(&p, true, 0);
    pair_connect_with(&p, p.server_id, &budget);
    const uint64_t start_us = clock_mono_us();
    assert_int_equal(link_stalled_us(p.client.link, start_us), 0);
    assert_true(link_idle_us(p.client.link, start_us + 1000000) >= 1000000);
    while (link_send(p.client.link, frame) == 0)
        taken++;
    assert_int_equal(taken, 100);
    assert_int_equal(budget.used, 100 * LEN);
    turns(&p, 50); /* all arrives, and the budget is free again */
    assert_int_equal(p.server.frames, 100);
    assert_int_equal(budget.used, 0);
    assert_int_equal(link_stalled_us(p.client.link, clock_mono_us()), 0);
    /* another that shares it has all of it now */
    budget.used = 99 * LEN;
    assert_int_equal(link_send(p.client.link, frame), 0);
    assert_int_equal(link_send(p.client.link, frame), ERR_FULL);
    assert_true(link_stalled_us(p.client.link, clock_mono_us() + 5000000) >
                4000000);
    link_free(&p.client.link);
    assert_int_equal(budget.used, 99 * LEN);
    pair_free(&p);
}

/* ---- a line that stands still ---- */

enum { AHEAD = 4, TICKS = 300 };

static void
pair_connect_ahead(struct pair *p)
{
    pair_make(p, true, 0);
    pair_connect(p, p->server_id);
    assert_true(p->client.up);
    link_set_ahead(p->client.link, AHEAD);
}

/* A clock's ticks while nothing goes: how many of their frames were taken. */
static uint32_t
ticks_taken(struct pair *p, unsigned ticks)
{
    uint8_t frame[LEN];
    uint32_t taken = 0;
    for (unsigned i = 0; i < ticks; i++) {
        frame_fill(frame, taken);
        taken += link_send(p->client.link, frame) == 0;
        turns(p, 1);
    }
    return taken;
}

/* How many frames come within so long. */
static uint64_t
frames_within(struct pair *p, unsigned ms)
{
    const uint64_t before = p->server.frames;
    turns(p, ms);
    return p->server.frames - before;
}

/* The line is free again: so many frames come of what was taken, once TCP has
 * tried again what was lost, and no more. */
static void
frames_come(struct pair *p, uint32_t taken)
{
    uint64_t came = 0;
    for (unsigned i = 0; i < 60 && came < taken; i++)
        came += frames_within(p, 50);
    came += frames_within(p, 100);
    assert_int_equal(came, taken);
    assert_int_equal(p->server.wrong, 0);
    assert_int_equal(link_stalled_us(p->client.link, clock_mono_us()), 0);
}

/* A peer that reads nothing: what its kernel has room for is taken, and of the
 * rest of the ticks one frame, which leaves this machine afterwards. */
static void
i2_a_peer_that_did_not_read_gets_no_burst(void **state)
{
    (void)state;
    static struct pair p;
    enum { ROOM = 4 * LEN }; /* Linux takes twice as much */
    int room = ROOM;
    size_t all, unsent;
    pair_connect_ahead(&p);
    assert_int_equal(setsockopt(p.server.link->fd, SOL_SOCKET, SO_RCVBUF, &room,
                                sizeof room),
                     0);
    link_pause(p.server.link, true);
    const uint32_t taken = ticks_taken(&p, TICKS);
    assert_in_range(taken, 1, 2 * ROOM / LEN + AHEAD);
    assert_int_equal(ticks_taken(&p, 10), 0);
    assert_int_equal(socket_waiting(p.client.link->fd, &all, &unsent), 0);
    assert_in_range(unsent, 1, LEN + TLS_RECORD_EXTRA);
    assert_true(link_stalled_us(p.client.link, clock_mono_us()) > 100000);
    link_pause(p.server.link, false);
    frames_come(&p, taken);
    p.server.frames = 0;                       /* their numbers begin anew */
    assert_int_equal(ticks_taken(&p, 10), 10); /* and it goes on */
    pair_free(&p);
}

/* A line that carries nothing: exactly `AHEAD` frames are on their way when it
 * carries again. */
static void
i2_a_line_that_stood_still_brings_no_burst(void **state)
{
    (void)state;
    static struct pair p;
    pair_connect_ahead(&p);
    assert_int_equal(ticks_taken(&p, 20), 20);
    turns(&p, 100); /* the last is acknowledged */
    p.server.frames = 0;
    line_cut(p.server.link, true);
    assert_int_equal(ticks_taken(&p, TICKS), AHEAD);
    assert_true(link_stalled_us(p.client.link, clock_mono_us()) > 100000);
    line_cut(p.server.link, false);
    frames_come(&p, AHEAD);
    p.server.frames = 0;
    assert_int_equal(ticks_taken(&p, 10), 10); /* and it goes on */
    pair_free(&p);
}

/* When the link is given up in a stall, nothing of it arrives later. */
static void
i2_what_a_dead_link_had_leaves_no_more(void **state)
{
    (void)state;
    static struct pair p;
    pair_connect_ahead(&p);
    line_cut(p.server.link, true);
    assert_int_equal(ticks_taken(&p, TICKS), AHEAD);
    link_free(&p.client.link);
    line_cut(p.server.link, false);
    assert_int_equal(frames_within(&p, 1000), 0);
    pair_free(&p);
}

/* However much a link has waiting, it gets its turn only (fair shares); a link
 * that is paused gets none, and loses nothing. */
static void
a_flood_gets_its_turn_and_a_pause_none(void **state)
{
    (void)state;
    static struct pair p;
    uint8_t frame[LEN];
    uint64_t before = 0, most = 0;
    pair_make(&p, true, 0);
    pair_connect(&p, p.server_id);
    link_pause(p.server.link, true);
    for (uint32_t i = 0; i < 128; i++) {
        frame_fill(frame, i);
        assert_int_equal(link_send(p.client.link, frame), 0);
    }
    turns(&p, 20);
    assert_int_equal(p.server.frames, 0);
    link_pause(p.server.link, false);
    for (unsigned i = 0; i < 100 && p.server.frames < 128; i++) {
        assert_int_equal(loop_turn(p.loop), 0);
        if (p.server.frames - before > most)
            most = p.server.frames - before;
        before = p.server.frames;
    }
    assert_int_equal(p.server.frames, 128);
    assert_int_equal(p.server.wrong, 0);
    assert_true(most <= 33);
    pair_free(&p);
}

/* A peer that is silent and one that speaks something else. */
static void
strangers_are_counted(void **state)
{
    (void)state;
    static struct pair p;
    int fd[2];
    pair_make(&p, true, 100000);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(socket_connect(&fd[i], listener_address(p.listener)),
                         0);
    turns(&p, 20);
    assert_true(write(fd[1], "GET / HTTP/1.1\r\n\r\n", 18) == 18);
    turns(&p, 200);
    assert_int_equal(listener_refused(p.listener, ERR_TLS), 1);
    assert_int_equal(listener_refused(p.listener, ERR_TIMEOUT), 1);
    assert_false(p.server.up);
    close(fd[0]);
    close(fd[1]);
    pair_free(&p);
}

/* No descriptor is left: nothing spins, and whoever comes is told that he is not
 * wanted; when some are free again all is well. */
static void
without_descriptors_a_listener_rests(void **state)
{
    (void)state;
    static struct pair p;
    struct rlimit files, few;
    int fd[128];
    size_t n = 0;
    pair_make(&p, true, 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    few = files;
    few.rlim_cur = 64;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    while (n < 128 && socket_connect(&fd[n], listener_address(p.listener)) == 0)
        n++;
    assert_in_range(n, 8, 127); /* the process has no more */
    const uint64_t start_us = clock_mono_us();
    turns(&p, 400);
    const uint64_t pauses = 1 + (clock_mono_us() - start_us) / 100000;
    assert_in_range(listener_refused(p.listener, ERR_SYSTEM), 1, pauses);
    for (size_t i = 0; i < n; i++)
        close(fd[i]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    turns(&p, 200);
    pair_connect(&p, p.server_id);
    assert_true(p.server.up);
    pair_free(&p);
}

struct steps {
    struct loop *loop;
    unsigned timers, posts, hooks;
    struct loop_hook hook;
};

static void
step_hook(void *ctx)
{
    ((struct steps *)ctx)->hooks++;
}
static void
step_timer(void *ctx)
{
    struct steps *s = ctx;
    s->timers++;
    loop_at_turn_end(s->loop, &s->hook, step_hook, s);
    loop_at_turn_end(s->loop, &s->hook, step_hook, s);
}
static void
step_post(void *ctx)
{
    struct steps *s = ctx;
    s->posts++;
    loop_stop(s->loop);
}
static void *
step_thread(void *ctx)
{
    usleep(30000);
    if (loop_post(((struct steps *)ctx)->loop, step_post, ctx))
        abort();
    return NULL;
}

static void
loops_turn(void **state)
{
    (void)state;
    struct steps s = {0};
    struct loop_timer *t, *never;
    pthread_t thread;
    assert_int_equal(loop_new(&s.loop), 0);
    assert_int_equal(loop_timer_new(s.loop, step_timer, &s, &t), 0);
    assert_int_equal(loop_timer_new(s.loop, step_timer, &s, &never), 0);
    uint64_t now_us = clock_mono_us();
    loop_timer_at(t, now_us + 50000);
    loop_timer_at(t, now_us + 10000); /* replaces it */
    loop_timer_at(never, now_us + 5000);
    loop_timer_at(never, UINT64_MAX);
    assert_int_equal(pthread_create(&thread, NULL, step_thread, &s), 0);
    assert_int_equal(loop_run(s.loop), 0);
    pthread_join(thread, NULL);
    assert_int_equal(s.timers, 1);
    assert_int_equal(s.hooks, 1);
    assert_int_equal(s.posts, 1);
    loop_timer_free(&t);
    loop_timer_free(&never);
    loop_free(&s.loop);
}

static void
addresses_are_strict(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int err;
    } row[] = {{"127.0.0.1:7000", 0},           {"[::1]:0", 0},
               {"127.0.0.1", ERR_FORMAT},       {"127.0.0.1:", ERR_FORMAT},
               {"127.0.0.1:70000", ERR_FORMAT}, {"::1:70", ERR_FORMAT},
               {"[::1:70", ERR_FORMAT},         {"localhost:70", ERR_FORMAT},
               {"127.0.0.1:7x", ERR_FORMAT},    {"", ERR_FORMAT}};
    struct sockaddr_storage a;
    socklen_t len;
    char text[ADDRESS_TEXT_MAX];
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        assert_int_equal(address_parse(&a, &len, row[i].text), row[i].err);
        if (row[i].err)
            continue;
        address_text(text, &a);
        assert_string_equal(text, row[i].text);
    }
}

const struct CMUnitTest test_link[] = {
    cmocka_unit_test(loops_turn),
    cmocka_unit_test(addresses_are_strict),
    cmocka_unit_test(identities_are_pinned),
    cmocka_unit_test(frames_arrive),
    cmocka_unit_test(a_turn_is_one_send),
    cmocka_unit_test(queues_are_bounded),
    cmocka_unit_test(a_budget_is_shared_and_stalls_are_seen),
    cmocka_unit_test(i2_a_peer_that_did_not_read_gets_no_burst),
    cmocka_unit_test(i2_a_line_that_stood_still_brings_no_burst),
    cmocka_unit_test(i2_what_a_dead_link_had_leaves_no_more),
    cmocka_unit_test(a_flood_gets_its_turn_and_a_pause_none),
    cmocka_unit_test(strangers_are_counted),
    cmocka_unit_test(without_descriptors_a_listener_rests),
};
TEST_SUITE(test_link);
