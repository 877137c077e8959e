/* lib/os/http_guard.c - places for connections.
 *
 * States of a place: free; taken (its bufferevent has evhttp's callbacks); left
 * (evhttp has let go, which takes the callbacks away). The guard holds a
 * reference of its own, so a bufferevent lives until the next look. Timer: a
 * look, four times a second while any place is taken. */
#include "lib/os/http_guard.h"

#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "lib/blocks.h"
#include "lib/os/clock.h"

enum { LOOK_US = 250000, PER_MINUTE = 600, BURST = 120, ENTRIES = 4096 };

struct place {
    struct bufferevent *bev; /* NULL: free */
    uint64_t since_us;
    uint32_t block;
    bool known; /* its block was looked up */
};

struct http_guard {
    struct evconnlistener *listener;
    struct loop_timer *look;
    struct blocks *blocks;
    struct http_guard_counts counts;
    struct place place[HTTP_GUARD_MAX];
};

static void
place_shut(struct place *p)
{
    int fd = bufferevent_getfd(p->bev);
    if (fd >= 0)
        (void)shutdown(fd, SHUT_RDWR); /* evhttp sees the end */
}

/* evhttp gives a bufferevent its socket only after it was made. */
static void
place_judge(struct http_guard *g, struct place *p, uint64_t now_us)
{
    struct sockaddr_storage from = {0};
    socklen_t len = sizeof from;
    int fd = bufferevent_getfd(p->bev);
    if (fd < 0)
        return;
    p->known = true;
    p->block = BLOCKS_NONE;
    if (getpeername(fd, (struct sockaddr *)&from, &len) == 0 &&
        blocks_take(g->blocks, &from, now_us, &p->block) != 0) {
        g->counts.refused++;
        place_shut(p);
    }
}

static bool
place_is_left(const struct place *p)
{
    bufferevent_data_cb read, write;
    bufferevent_event_cb event;
    void *ctx;
    bufferevent_getcb(p->bev, &read, &write, &event, &ctx);
    return !read && !write && !event;
}

static void
place_leave(struct http_guard *g, struct place *p)
{
    if (p->known)
        blocks_give(g->blocks, p->block);
    bufferevent_decref(p->bev);
    *p = (struct place){0};
    g->counts.open--;
}

static void
guard_look(void *ctx)
{
    struct http_guard *g = ctx;
    const uint64_t now_us = clock_mono_us();
    for (size_t i = 0; i < HTTP_GUARD_MAX; i++) {
        struct place *p = &g->place[i];
        if (!p->bev)
            continue;
        if (place_is_left(p)) {
            place_leave(g, p);
            continue;
        }
        if (!p->known)
            place_judge(g, p, now_us);
        if (now_us - p->since_us > HTTP_GUARD_AGE_S * 1000000ull) {
            g->counts.expired++;
            p->since_us = now_us; /* counted once */
            place_shut(p);
        }
    }
    if (g->counts.open < HTTP_GUARD_MAX)
        evconnlistener_enable(g->listener);
    if (g->counts.open > 0)
        loop_timer_at(g->look, now_us + LOOK_US);
}

/* A connection comes. */
static struct bufferevent *
guard_enter(struct event_base *base, void *ctx)
{
    struct http_guard *g = ctx;
    struct bufferevent *bev =
        bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    size_t i = 0;
    while (i < HTTP_GUARD_MAX && g->place[i].bev)
        i++;
    if (!bev || i == HTTP_GUARD_MAX)
        return bev;
    bufferevent_incref(bev);
    g->place[i] = (struct place){.bev = bev, .since_us = clock_mono_us()};
    if (++g->counts.open == HTTP_GUARD_MAX)
        evconnlistener_disable(g->listener);
    loop_timer_at(g->look, clock_mono_us()); /* when it has its socket */
    return bev;
}

int
http_guard_new(struct http_guard **out, struct loop *l, struct evhttp *http,
               struct evhttp_bound_socket *bound)
{
    uint8_t key[16];
    const struct blocks_config config = {.links_max = HTTP_GUARD_BLOCK_MAX,
                                         .per_minute = PER_MINUTE,
                                         .burst = BURST,
                                         .entries = ENTRIES,
                                         .hash_key = key};
    struct http_guard *g = calloc(1, sizeof *g);
    *out = g;
    if (!g)
        return ERR_NOMEM;
    randombytes_buf(key, sizeof key);
    g->listener = evhttp_bound_socket_get_listener(bound);
    int err = loop_timer_new(l, guard_look, g, &g->look);
    if (!err)
        err = blocks_new(&g->blocks, &config);
    if (err)
        http_guard_free(out);
    else
        evhttp_set_bevcb(http, guard_enter, g);
    return err;
}

void
http_guard_free(struct http_guard **gp)
{
    struct http_guard *g = *gp;
    *gp = NULL;
    if (!g)
        return;
    for (size_t i = 0; i < HTTP_GUARD_MAX; i++)
        if (g->place[i].bev)
            place_leave(g, &g->place[i]);
    loop_timer_free(&g->look);
    blocks_free(&g->blocks);
    free(g);
}

void
http_guard_counts(const struct http_guard *g, struct http_guard_counts *out)
{
    *out = g->counts;
}
