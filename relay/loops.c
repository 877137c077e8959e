/* relay/loops.c - the relay's own cover: loops of the same shape as a client's
 * requests, to a random store and back to itself, at Poisson times (I4). Those
 * that do not come back tell of losses, link by link, and of n-1 attacks
 * (alarm.h); then more of them are sent.
 *
 * A relay holds a consensus minutes before others may use it. Loops are sent as
 * clients' packets are: each under a consensus in force, drawn anew, for a loop
 * sent before would be refused at its first hop and look like an attack. While
 * none is in force no loop is sent, and the alarm expects none. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rng.h"
#include "network/request.h"
#include "relay/internal.h"

enum { SLACK_US = 1000000, LOST_WAYS = 4 };

static void
loops_views(const struct relay *r, const struct consensus *c[static VIEWS])
{
    for (size_t i = 0; i < VIEWS; i++)
        c[i] = r->view[i].consensus;
}

/* Find the consensus whose rate of loops counts now; NULL: no loops. */
static const struct consensus *
loops_in_force(const struct relay *r)
{
    const struct consensus *c[VIEWS];
    loops_views(r, c);
    return consensus_in_force(c, VIEWS, 1000 * env_now_wall_ms(r->env), NULL);
}

/* How long a loop is under way on average, and a second for the links. */
static uint64_t
way_us(const struct params *p)
{
    return 2ULL * p->layers * p->delay_mean_us + p->store_delay_fixed_us +
           p->store_delay_mean_us + SLACK_US;
}

/* Draw the wait for the next loop, and while none can be sent for the next
 * look. */
static uint64_t
loop_wait_us(struct relay *r, const struct consensus *in_force)
{
    const struct consensus *c = in_force ? in_force : r->newest->consensus;
    const uint32_t mhz = c->params.relay_loop_mhz * alarm_cover(&r->alarm);
    return mhz ? rng_exp_us(r->env, 1000000000ULL / mhz) : UINT64_MAX / 2;
}

void
loops_start(struct relay *r, uint64_t now_us)
{
    if (r->loop_us != 0)
        return;
    const struct consensus *c = loops_in_force(r);
    r->loop_us = now_us + loop_wait_us(r, c);
    alarm_start(&r->alarm, now_us, way_us(&r->newest->consensus->params),
                c ? c->params.relay_loop_mhz : 0);
}

/* The end of a loop, one way or the other. */
static void
loop_close(struct relay *r, struct loop_sent *l, bool returned)
{
    const struct view *v = relay_view(r, l->epoch);
    l->open = false;
    r->stats.loops_returned += returned;
    r->stats.loops_lost += !returned;
    if (!v)
        return;
    v->links[l->first].to_returned += returned;
    v->links[l->first].to_lost += !returned;
    v->links[l->last].from_returned += returned;
    v->links[l->last].from_lost += !returned;
}

static void
loops_give_up(struct relay *r, uint64_t now_us)
{
    for (size_t i = 0; i < LOOPS_OUT; i++)
        if (r->loops[i].open && now_us >= r->loops[i].lost_us)
            loop_close(r, &r->loops[i], false);
}

static void
loop_note(struct relay *r, const struct consensus *c, const struct route *route,
          const uint8_t id[8])
{
    struct loop_sent *l = &r->loops[r->loop_next++ % LOOPS_OUT];
    if (l->open)
        loop_close(r, l, false);
    *l = (struct loop_sent){
        .open = true,
        .first = route->out[0],
        /* of the way back the last hop is this relay itself */
        .last = route->back[route->n_back >= 2 ? route->n_back - 2 : 0],
        .epoch = c->epoch,
        .lost_us = env_now_mono_us(r->env) + LOST_WAYS * way_us(&c->params)};
    memcpy(l->id, id, sizeof l->id);
}

/* Draw the way of a loop under a view, by a store that is not this relay. */
static int
loop_route(struct relay *r, const struct view *v, struct route *route)
{
    const struct consensus *c = v->consensus;
    const unsigned store_layer = c->params.layers + 1u;
    size_t n;
    const uint16_t *store = consensus_layer(c, store_layer, &n);
    /* a store turns its loops at another one; the last stands in for it */
    const bool self = v->layer == store_layer;
    if (n <= self)
        return ERR_NOT_FOUND;
    uint16_t to = store[rng_below(r->env, n - self)];
    if (self && to == v->self)
        to = store[n - 1];
    return route_draw(route, c, r->env, v->self, to, false, ROUTE_SEND);
}

int
loops_build(struct relay *r, uint16_t *first, uint32_t *epoch)
{
    struct request request = {.kind = WIRE_LOOP};
    struct route route;
    struct sphinx_end end;
    uint8_t seed[SPHINX_SEED_LEN];
    const struct consensus *kept[VIEWS];
    const uint64_t wall_us = 1000 * env_now_wall_ms(r->env);
    loops_views(r, kept);
    const struct consensus *c = consensus_draw(kept, VIEWS, r->env, wall_us);
    if (!c)
        return ERR_EPOCH;
    int err = loop_route(r, relay_view(r, c->epoch), &route);
    if (err)
        return err;
    *first = route.out[0];
    *epoch = c->epoch;
    memcpy(end.handle, r->plane->loop_handle, sizeof end.handle);
    env_random_crypto(r->env, end.surb_id, sizeof end.surb_id);
    env_random_crypto(r->env, request.box, sizeof request.box);
    env_random_crypto(r->env, seed, sizeof seed);
    loop_note(r, c, &route, end.surb_id);
    err = request_build(r->worker, c, r->env, &route, wall_us, &request, &end,
                        seed, r->frame);
    sodium_memzero(seed, sizeof seed);
    return err;
}

bool
loops_turn(struct relay *r, uint64_t now_us)
{
    if (!r->newest || r->draining)
        return false;
    const struct consensus *c = loops_in_force(r);
    alarm_turn(&r->alarm, now_us, c ? c->params.relay_loop_mhz : 0);
    if (now_us < r->loop_us)
        return false;
    loops_give_up(r, now_us);
    /* a missed time is skipped: the next is drawn from now */
    r->loop_us = now_us + loop_wait_us(r, c);
    return c != NULL;
}

void
loops_returned(struct relay *r, const uint8_t id[static 8])
{
    for (size_t i = 0; i < LOOPS_OUT; i++)
        if (r->loops[i].open && sodium_memcmp(id, r->loops[i].id, 8) == 0) {
            loop_close(r, &r->loops[i], true);
            alarm_returned(&r->alarm, env_now_mono_us(r->env));
            break;
        }
}
