/* relay/loops.c - the relay's own cover: loops of the same shape as a client's
 * requests, to a random store and back to itself, at Poisson times (I4). Those
 * that do not come back tell of losses, link by link, and of n-1 attacks
 * (alarm.h); then more of them are sent.
 *
 * A relay holds a consensus minutes before others may use it. Loops are sent as
 * clients' packets are: each under a consensus in force, drawn anew, for a loop
 * sent before would be refused at its first hop and look like an attack. While
 * none is in force no loop is sent, and the alarm expects none.
 *
 * One in TEST_EVERY tests a neighbour that nothing else goes to, since it was
 * left out or the link to it was cut: so it is known when it is mended. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rng.h"
#include "network/request.h"
#include "relay/internal.h"

enum { SLACK_US = 1000000, LOST_WAYS = 4, TEST_EVERY = 8, TEST_DRAWS = 4 };

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

const struct view *
loops_view(const struct relay *r)
{
    const struct consensus *c = loops_in_force(r);
    for (size_t i = 0; c && i < VIEWS; i++)
        if (r->view[i].consensus == c)
            return &r->view[i];
    return NULL;
}

/* Compute how long a loop is under way on average, and a second for the
 * links. */
static uint64_t
way_us(const struct params *p)
{
    return 2ULL * p->layers * p->delay_mean_us + p->store_delay_fixed_us +
           p->store_delay_mean_us + SLACK_US;
}

/* Draw the wait for the next loop; while none can be sent, for the next
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

/* Close a loop, one way or the other. */
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
    loss_count(&v->loss[l->first], l->after, !returned);
    if (l->last != l->first)
        loss_count(&v->loss[l->last], l->before, !returned);
}

static void
loops_give_up(struct relay *r, uint64_t now_us)
{
    for (size_t i = 0; i < LOOPS_OUT; i++)
        if (r->loops[i].open && now_us >= r->loops[i].lost_us)
            loop_close(r, &r->loops[i], false);
}

/* Tell where a relay stands in its layer; for one that is left out, its
 * number. */
static uint16_t
layer_rank(const struct consensus *c, uint16_t relay)
{
    size_t n;
    const uint16_t *row = consensus_layer(c, c->relays[relay].layer, &n);
    size_t at = 0, end = n;
    while (at < end) {
        const size_t middle = (at + end) / 2;
        if (row[middle] < relay)
            at = middle + 1;
        else
            end = middle;
    }
    return at < n && row[at] == relay ? (uint16_t)at : relay;
}

static void
loop_note(struct relay *r, const struct consensus *c, const struct route *route,
          const uint8_t id[8])
{
    struct loop_sent *l = &r->loops[r->loop_next++ % LOOPS_OUT];
    uint16_t way[2 * SPHINX_HOPS_MAX];
    size_t n = route->n_out;
    if (l->open)
        loop_close(r, l, false);
    memcpy(way, route->out, n * sizeof *way);
    memcpy(way + n, route->back, route->n_back * sizeof *way);
    n += route->n_back - 1u; /* the last hop is this relay itself */
    *l = (struct loop_sent){.open = true,
                            .first = way[0],
                            .last = way[n - 1],
                            .after = layer_rank(c, way[n > 1]),
                            .before = layer_rank(c, way[n > 1 ? n - 2 : 0]),
                            .epoch = c->epoch,
                            .lost_us = env_now_mono_us(r->env) +
                                       LOST_WAYS * way_us(&c->params)};
    memcpy(l->id, id, sizeof l->id);
}

/* Draw a neighbour that has to be tested; ROUTE_NONE: there is none. */
static uint16_t
tested_draw(struct relay *r, const struct view *v)
{
    const struct consensus *c = v->consensus;
    const unsigned to = loss_layer_to(c, v->layer);
    const unsigned from = loss_layer_from(c, v->layer);
    uint16_t drawn = ROUTE_NONE;
    uint64_t n = 0;
    for (uint16_t i = 0; i < c->n_relays; i++) {
        const struct relay_entry *e = &c->relays[i];
        if ((e->layer == to || e->layer == from) &&
            (e->out || consensus_is_cut(c, v->self, i)) &&
            rng_below(r->env, ++n) == 0)
            drawn = i;
    }
    return drawn;
}

/* Draw a store that is not this relay. */
static int
store_draw(struct relay *r, const struct view *v, uint16_t *out)
{
    const struct consensus *c = v->consensus;
    const unsigned store_layer = c->params.layers + 1u;
    size_t n;
    const uint16_t *store = consensus_layer(c, store_layer, &n);
    /* a store turns its loops at another one; the last stands in for it */
    const bool self = v->layer == store_layer && !c->relays[v->self].out;
    if (n <= self)
        return ERR_NOT_FOUND;
    *out = store[rng_below(r->env, n - self)];
    if (self && *out == v->self)
        *out = store[n - 1];
    return 0;
}

/* Draw the way of a loop under a view; draw again when no way leads on, since a
 * link is cut. */
static int
loop_route(struct relay *r, const struct view *v, struct route *route)
{
    const struct consensus *c = v->consensus;
    const bool tests = (c->n_cut > 0 || c->n_left_out > 0) &&
                       rng_below(r->env, TEST_EVERY) == 0;
    const uint16_t tested = tests ? tested_draw(r, v) : ROUTE_NONE;
    const bool is_store = tested != ROUTE_NONE &&
                          v->layer <= c->params.layers &&
                          c->relays[tested].layer == c->params.layers + 1u;
    int err = ERR_NOT_FOUND;
    for (unsigned i = 0; i < TEST_DRAWS && err == ERR_NOT_FOUND; i++) {
        const bool test = tested != ROUTE_NONE && i + 1 < TEST_DRAWS;
        uint16_t store = tested;
        err = test && is_store ? 0 : store_draw(r, v, &store);
        if (!err && test)
            err = route_draw_test(route, c, r->env, v->self, store, tested);
        else if (!err)
            err =
                route_draw(route, c, r->env, v->self, store, false, ROUTE_SEND);
    }
    return err;
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
