/* tests/unit/test_heap_lib.c - loops, links, HTTP, settings and what else lib
 * has, when memory runs out. What talks over loopback is tried with the other
 * end in the same loop, so that both lack it. */
#include "tests/runner.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/blocks.h"
#include "lib/os/clock.h"
#include "lib/os/config.h"
#include "lib/os/files.h"
#include "lib/os/host.h"
#include "lib/os/http/http.h"
#include "lib/os/http/http_server.h"
#include "lib/os/lobby.h"
#include "lib/os/storage.h"
#include "lib/secret.h"
#include "lib/slab.h"
#include "tests/heap.h"

/* ---- what is made and freed ---- */

static void
nothing_done(void *ctx)
{
    (void)ctx;
}

static void
nothing_ready(void *ctx, unsigned ready)
{
    (void)ctx;
    (void)ready;
}

static int
make_loop(void *ctx)
{
    struct loop *l;
    (void)ctx;
    int err = loop_new(&l);
    loop_free(&l);
    return err == ERR_SYSTEM ? ERR_NOMEM : err; /* libevent says no more */
}

struct place {
    struct loop *loop;
    int fd[2];
};

static int
make_parts(void *ctx)
{
    struct place *place = ctx;
    struct loop *l = place->loop;
    struct loop_timer *t = NULL;
    struct loop_watch *w = NULL;
    struct loop_signal *s = NULL;
    int err = loop_timer_new(l, nothing_done, NULL, &t);
    if (!err)
        err = loop_watch_new(l, place->fd[0], nothing_ready, NULL, &w);
    if (!err)
        err = loop_signal_new(l, 10, nothing_done, NULL, &s);
    if (!err && !loop_scratch(l, 100000))
        err = ERR_NOMEM;
    loop_timer_free(&t);
    loop_watch_free(&w);
    loop_signal_free(&s);
    return err;
}

static int
make_host(void *ctx)
{
    struct host h;
    (void)ctx;
    int err = host_init(&h, nothing_done, NULL);
    if (!err)
        err = host_stop_on_signals(&h, NULL, NULL);
    if (!err)
        host_free(&h);
    else if (h.loop)
        host_free(&h);
    return err == ERR_SYSTEM ? ERR_NOMEM : err;
}

static void
storage_nothing(void *ctx, struct env_store_req *list)
{
    (void)ctx;
    (void)list;
}

static int
make_storage(void *ctx)
{
    struct storage *s = NULL;
    struct storage_port *p = NULL;
    int err = storage_new(&s, 10, storage_nothing, NULL);
    if (!err)
        err = storage_port_new(&p, s, ctx);
    storage_free(&s);
    storage_port_free(&p);
    return err == ERR_SYSTEM ? ERR_NOMEM : err; /* no thread */
}

static int
make_blocks(void *ctx)
{
    static const uint8_t key[16];
    const struct blocks_config config = {.links_max = 1,
                                         .per_minute = 1,
                                         .burst = 1,
                                         .entries = 4,
                                         .hash_key = key};
    const struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
    struct blocks *b;
    (void)ctx;
    int err = blocks_new(&b, &config);
    if (!err)
        err = blocks_favour(b, &from, 1);
    blocks_free(&b);
    return err;
}

static int
make_tls(void *ctx)
{
    static const uint8_t seed[TLS_SEED_LEN] = {5};
    struct tls *t;
    struct tls_session *s = NULL;
    (void)ctx;
    int err = tls_new(&t, seed);
    if (!err)
        err = tls_session_new(&s, t, true);
    tls_session_free(&s);
    tls_free(&t);
    return err == ERR_CRYPTO ? ERR_NOMEM : err; /* OpenSSL says no more */
}

/* libevent and OpenSSL do without some of it. */
static void
library_try(int (*call)(void *ctx))
{
    for (struct heap h = {.most = 200}; heap_next(&h);) {
        heap_arm(&h);
        int err = call(NULL);
        heap_disarm(&h);
        assert_true(err == 0 || (h.failed && err == ERR_NOMEM));
        assert_int_equal(call(NULL), 0);
    }
}

static void
what_is_made_is_whole_or_not_there(void **state)
{
    (void)state;
    struct place place;
    assert_int_equal(loop_new(&place.loop), 0);
    assert_int_equal(pipe(place.fd), 0);
    heap_try(make_parts, &place);
    heap_try(make_storage, place.loop);
    heap_try(make_blocks, NULL);
    library_try(make_loop);
    library_try(make_host);
    library_try(make_tls);
    close(place.fd[0]);
    close(place.fd[1]);
    loop_free(&place.loop);
}

static void
a_slab_without_memory_is_full_for_now(void **state)
{
    (void)state;
    struct slab *s;
    uint32_t taken[200];
    for (struct heap h = {0}; heap_next(&h);) {
        heap_arm(&h);
        int err = slab_new(&s, 100, 200);
        heap_disarm(&h);
        assert_int_equal(err, h.failed ? ERR_NOMEM : 0);
        if (err)
            continue;
        for (unsigned i = 0; i < 200; i++) {
            heap_arm(&h);
            taken[i] = slab_take(s);
            heap_disarm(&h);
            if (taken[i] == SLAB_NONE) {
                assert_true(h.failed && slab_why(s) == ERR_NOMEM);
                taken[i] = slab_take(s); /* again, with memory */
            }
            assert_true(taken[i] != SLAB_NONE);
            memset(slab_at(s, taken[i]), (int)i, 100);
        }
        assert_true(slab_take(s) == SLAB_NONE && slab_why(s) == ERR_FULL);
        for (unsigned i = 0; i < 200; i++) {
            assert_int_equal(*slab_at(s, taken[i]), i);
            slab_give(s, taken[i]);
        }
        slab_free(&s);
    }
}

/* ---- timers and descriptors ---- */

enum { TIMERS = 40 };

static void
timer_count(void *ctx)
{
    ++*(unsigned *)ctx;
}

/* libevent's heap of timers grows as they are set. */
static void
a_timer_that_is_set_fires(void **state)
{
    (void)state;
    for (struct heap h = {.how = HEAP_REST}; heap_next(&h);) {
        struct loop *l;
        struct loop_timer *timer[TIMERS];
        unsigned fired = 0;
        assert_int_equal(loop_new(&l), 0);
        for (unsigned i = 0; i < TIMERS; i++)
            assert_int_equal(loop_timer_new(l, timer_count, &fired, &timer[i]),
                             0);
        const uint64_t now_us = loop_now_us(l);
        heap_arm(&h);
        for (unsigned i = 0; i < TIMERS; i++)
            loop_timer_at(timer[i], now_us + 1000 + i);
        loop_timer_at(timer[7], UINT64_MAX);
        loop_stop(l);
        int err = loop_turn(l);
        heap_disarm(&h);
        loop_timer_free(&timer[8]);
        for (unsigned i = 0; i < 2000 && !err && fired < TIMERS - 2; i++) {
            loop_stop(l); /* so that no turn waits */
            usleep(100);
            err = loop_turn(l);
        }
        assert_int_equal(err, 0);
        assert_in_range(fired, TIMERS - 2, TIMERS - 1);
        for (unsigned i = 0; i < TIMERS; i++)
            loop_timer_free(&timer[i]);
        loop_free(&l);
    }
}

static void
byte_ready(void *ctx, unsigned ready)
{
    (void)ready;
    *(bool *)ctx = true;
}

static void
what_is_watched_is_seen(void **state)
{
    (void)state;
    for (struct heap h = {0}; heap_next(&h);) {
        struct loop *l;
        struct loop_watch *w = NULL;
        bool seen = false;
        int fd[2];
        assert_int_equal(loop_new(&l), 0);
        assert_int_equal(pipe(fd), 0);
        assert_int_equal(write(fd[1], "x", 1), 1);
        heap_arm(&h);
        int err = loop_watch_new(l, fd[0], byte_ready, &seen, &w);
        if (!err)
            loop_watch_set(w, LOOP_READ);
        heap_disarm(&h);
        assert_int_equal(err, h.failed ? ERR_NOMEM : 0);
        if (!err)
            assert_int_equal(loop_turn(l), 0);
        assert_int_equal(seen, !err);
        loop_watch_free(&w);
        close(fd[0]);
        close(fd[1]);
        loop_free(&l);
    }
}

/* ---- HTTP ---- */

struct talk {
    struct loop *loop;
    struct http_server *server;
    int over, status;
    bool whole;
};

static void
talk_handle(void *ctx, const char *path, const uint8_t *body, size_t len,
            struct http_answer *a)
{
    (void)ctx;
    (void)path;
    a->status = 200;
    a->body = body;
    a->len = len;
    a->etag = "\"tag\"";
}

static const uint8_t question[5000] = {1, 2, 3};

static void
talk_answered(void *ctx, int err, int status, const uint8_t *body, size_t len)
{
    struct talk *t = ctx;
    t->over++;
    t->status = err ? 0 : status;
    t->whole =
        len == sizeof question && memcmp(body, question, sizeof question) == 0;
}

/* Ask, and wait until it is over; or give up. */
static void
talk_ask(struct talk *t, unsigned turns)
{
    struct http_request *r;
    t->over = t->status = 0;
    t->whole = false;
    if (http_ask(&r, t->loop, http_server_address(t->server), "/x", question,
                 sizeof question, 100000, talk_answered, t))
        return;
    for (unsigned i = 0; i < turns && !t->over; i++) {
        loop_stop(t->loop); /* so that no turn waits */
        if (loop_turn(t->loop))
            break;
        if (i > 20)
            usleep(200);
    }
    if (!t->over)
        http_cancel(&r);
}

static void
an_answer_over_http_is_whole_or_none(void **state)
{
    (void)state;
    struct talk t = {0};
    assert_int_equal(loop_new(&t.loop), 0);
    assert_int_equal(http_server_new(&t.server, t.loop, "127.0.0.1:0", 100000,
                                     talk_handle, &t),
                     0);
    for (struct heap h = {.how = HEAP_OWN}; heap_next(&h);) {
        heap_arm(&h);
        talk_ask(&t, 300);
        heap_disarm(&h);
        assert_true(t.over <= 1);
        assert_true(t.status != 200 || t.whole);
        assert_true(t.status == 200 || h.failed);
        talk_ask(&t, 3000);
        assert_true(t.status == 200 && t.whole);
    }
    struct http_counts counts = {.open = 1};
    for (unsigned i = 0; i < 3000 && counts.open > 0; i++) {
        loop_stop(t.loop);
        assert_int_equal(loop_turn(t.loop), 0);
        usleep(500);
        http_server_counts(t.server, &counts);
    }
    assert_int_equal(counts.open, 0);
    http_server_free(&t.server);
    loop_free(&t.loop);
}

static int
make_http(void *ctx)
{
    struct http_server *s;
    int err = http_server_new(&s, ctx, "127.0.0.1:0", 1000, talk_handle, NULL);
    http_server_free(&s);
    return err;
}

static void
an_http_server_is_there_or_not(void **state)
{
    (void)state;
    struct loop *l;
    assert_int_equal(loop_new(&l), 0);
    heap_try(make_http, l);
    loop_free(&l);
}

/* ---- links ---- */

enum { FRAME = 2048, FRAMES = 30 };

struct end {
    struct link *link;
    unsigned up, down, frames;
    bool wrong;
};

struct pair {
    struct loop *loop;
    struct tls *tls;
    struct listener *listener;
    struct link_budget budget;
    struct end client, server;
};

static void
end_up(void *ctx, struct link *l, const uint8_t *peer)
{
    (void)l;
    (void)peer;
    ((struct end *)ctx)->up++;
}

static void
end_frames(void *ctx, struct link *l, uint8_t *frames, size_t n)
{
    struct end *e = ctx;
    (void)l;
    for (size_t i = 0; i < n; i++)
        e->wrong |= frames[i * FRAME] != (uint8_t)e->frames++;
}

static void
end_down(void *ctx, struct link *l, int err)
{
    struct end *e = ctx;
    (void)err;
    e->down++;
    e->link = NULL;
    link_free(&l);
}

static const struct link_ops end_ops = {end_up, end_frames, end_down};

static void
pair_accept(void *ctx, struct link *l, const uint8_t *peer)
{
    struct pair *p = ctx;
    if (p->server.link || !p->client.link) {
        link_free(&l);
        return;
    }
    p->server.link = l;
    link_set_owner(l, &end_ops, &p->server);
    end_up(&p->server, l, peer);
}

/* Turns until both ends are up, or have these frames, or one is down. */
static void
pair_turns(struct pair *p, unsigned frames, unsigned turns)
{
    for (unsigned i = 0; i < turns && !p->client.down && !p->server.down; i++) {
        if (p->client.up && p->server.up && p->server.frames >= frames)
            return;
        loop_stop(p->loop);
        if (loop_turn(p->loop))
            return;
        if (i > 20)
            usleep(100);
    }
}

/* A link there and frames over it; returns how many arrived. */
static unsigned
pair_talk(struct pair *p, const uint8_t *id, unsigned turns)
{
    static uint8_t frame[FRAME];
    const struct link_config config = {
        .frame_len = FRAME, .queue_max = 100, .budget = &p->budget};
    p->client = p->server = (struct end){0};
    if (link_connect(&p->client.link, p->loop, p->tls, &config,
                     listener_address(p->listener), id, &end_ops, &p->client))
        return 0;
    pair_turns(p, 0, turns);
    for (unsigned i = 0; i < FRAMES && p->client.link; i++) {
        frame[0] = (uint8_t)i;
        const uint64_t used = p->budget.used;
        if (link_send(p->client.link, frame) == ERR_NOMEM) {
            p->client.wrong |= p->budget.used != used;
            (void)!link_send(p->client.link, frame);
        }
    }
    pair_turns(p, FRAMES, turns);
    const unsigned got = p->server.frames;
    link_free(&p->client.link);
    link_free(&p->server.link);
    return got;
}

/* The other half of a link that has failed. */
static void
pair_drain(struct pair *p)
{
    for (unsigned i = 0; i < 20; i++) {
        loop_stop(p->loop);
        assert_int_equal(loop_turn(p->loop), 0);
        usleep(100);
    }
}

static void
frames_arrive_in_order_or_the_link_is_down(void **state)
{
    (void)state;
    static const uint8_t seed[TLS_SEED_LEN] = {5};
    const struct link_config config = {.frame_len = FRAME, .queue_max = 100};
    struct pair p = {.budget = {.max = 200 * FRAME}};
    uint8_t id[32], secret[64];
    crypto_sign_seed_keypair(id, secret, seed);
    assert_int_equal(loop_new(&p.loop), 0);
    assert_int_equal(tls_new(&p.tls, seed), 0);
    assert_int_equal(listener_new(&p.listener, p.loop, p.tls, &config,
                                  "127.0.0.1:0", 64, pair_accept, &p),
                     0);
    assert_int_equal(pair_talk(&p, id, 3000), FRAMES);
    for (struct heap h = {.most = 60}; heap_next(&h);) {
        heap_arm(&h);
        const unsigned got = pair_talk(&p, id, 200);
        heap_disarm(&h);
        assert_true(got == FRAMES || h.failed);
        assert_false(p.server.wrong || p.client.wrong);
        assert_int_equal(p.budget.used, 0);
        pair_drain(&p);
        assert_int_equal(pair_talk(&p, id, 3000), FRAMES);
    }
    listener_free(&p.listener);
    tls_free(&p.tls);
    loop_free(&p.loop);
}

/* ---- settings, files ---- */

struct settings {
    char *name;
    int64_t port;
    struct config_list peers;
};

static const struct config_option options[] = {
    {.name = "name",
     .type = CONFIG_STRING,
     .offset = offsetof(struct settings, name),
     .value = "somebody",
     .max = 20,
     .help = "who"},
    {.name = "port",
     .type = CONFIG_INTEGER,
     .offset = offsetof(struct settings, port),
     .value = "1",
     .min = 1,
     .max = 65535,
     .help = "where"},
    {.name = "peers",
     .type = CONFIG_LIST,
     .offset = offsetof(struct settings, peers),
     .value = "one,two",
     .max = 3,
     .help = "with whom"}};

static int
read_settings(void *ctx)
{
    static const char text[] = "name = \"a name\"\nport = 7\n"
                               "peers = {x, y, \"z\"}\n";
    struct settings s;
    char error[CONFIG_ERROR_LEN];
    (void)ctx;
    int err =
        config_read_text(options, 3, "f", text, sizeof text - 1, &s, error);
    if (!err && (strcmp(s.name, "a name") != 0 || s.port != 7 ||
                 s.peers.n != 3 || strcmp(s.peers.item[2], "z") != 0))
        err = ERR_CONFLICT;
    config_free(options, 3, &s);
    return err;
}

static int
make_key(void *ctx)
{
    uint8_t *key;
    int err = files_key(ctx, &key);
    secret_free((void **)&key);
    return err;
}

static void
settings_and_keys_are_read_or_an_error(void **state)
{
    (void)state;
    char dir[] = "/tmp/brusio-heap-XXXXXX", path[FILES_PATH_MAX];
    assert_non_null(mkdtemp(dir));
    assert_int_equal(files_path(path, dir, "a.key"), 0);
    heap_try(make_key, path);
    unlink(path);
    rmdir(dir);
    heap_try(read_settings, NULL);
}

const struct CMUnitTest test_heap_lib[] = {
    cmocka_unit_test(what_is_made_is_whole_or_not_there),
    cmocka_unit_test(a_slab_without_memory_is_full_for_now),
    cmocka_unit_test(a_timer_that_is_set_fires),
    cmocka_unit_test(what_is_watched_is_seen),
    cmocka_unit_test(an_http_server_is_there_or_not),
    cmocka_unit_test(an_answer_over_http_is_whole_or_none),
    cmocka_unit_test(frames_arrive_in_order_or_the_link_is_down),
    cmocka_unit_test(settings_and_keys_are_read_or_an_error),
};
TEST_SUITE(test_heap_lib);
