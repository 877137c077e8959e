/* relay/loops.c - the relay's own cover: loops of the same shape as a client's
 * requests, to a random store and back to itself, at Poisson times (I4). Those
 * that do not come back tell of losses, link by link, and of n-1 attacks
 * (alarm.h); then more of them are sent. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rng.h"
#include "network/request.h"
#include "relay/internal.h"

enum { SLACK_US = 1000000, LOST_WAYS = 4 };

static uint32_t
loop_mhz(const struct relay *r)
{
    return r->newest->consensus->params.relay_loop_mhz;
}

static uint64_t
loop_wait_us(struct relay *r)
{
    uint32_t mhz = loop_mhz(r) * alarm_cover(&r->alarm);
    return mhz ? rng_exp_us(r->env, 1000000000ULL / mhz) : UINT64_MAX / 2;
}

/* How long a loop is under way on average, and a second for the links. */
static uint64_t
way_us(const struct params *p)
{
    return 2ULL * p->layers * p->delay_mean_us + p->store_delay_fixed_us +
           p->store_delay_mean_us + SLACK_US;
}

/* Room for what the neighbours do in a consensus that is to be the newest. */
int
loops_equip(struct relay *r, const struct consensus *c)
{
    struct relay_link_loops *made = calloc(c->n_relays, sizeof *made);
    if (!made)
        return ERR_NOMEM;
    free(r->link_loops);
    r->link_loops = made;
    r->link_loops_len = (uint32_t)c->n_relays;
    return 0;
}

void
loops_start(struct relay *r, uint64_t now_us)
{
    if (r->loop_us != 0)
        return;
    r->loop_us = now_us + loop_wait_us(r);
    alarm_start(&r->alarm, now_us, way_us(&r->newest->consensus->params),
                loop_mhz(r));
}

/* The end of a loop, one way or the other. */
static void
loop_close(struct relay *r, struct loop_sent *l, bool returned)
{
    l->open = false;
    r->stats.loops_returned += returned;
    r->stats.loops_lost += !returned;
    if (l->epoch != r->newest->consensus->epoch)
        return;
    r->link_loops[l->first].to_returned += returned;
    r->link_loops[l->first].to_lost += !returned;
    r->link_loops[l->last].from_returned += returned;
    r->link_loops[l->last].from_lost += !returned;
}

static void
loops_give_up(struct relay *r, uint64_t now_us)
{
    for (size_t i = 0; i < LOOPS_OUT; i++)
        if (r->loops[i].open && now_us >= r->loops[i].lost_us)
            loop_close(r, &r->loops[i], false);
}

static void
loop_note(struct relay *r, const struct route *route, const uint8_t id[8])
{
    struct loop_sent *l = &r->loops[r->loop_next++ % LOOPS_OUT];
    if (l->open)
        loop_close(r, l, false);
    *l = (struct loop_sent){
        .open = true,
        .first = route->out[0],
        /* of the way back the last hop is this relay itself */
        .last = route->back[route->n_back >= 2 ? route->n_back - 2 : 0],
        .epoch = r->newest->consensus->epoch,
        .lost_us = env_now_mono_us(r->env) +
                   LOST_WAYS * way_us(&r->newest->consensus->params)};
    memcpy(l->id, id, sizeof l->id);
}

int
loops_build(struct relay *r, uint16_t *first)
{
    const struct consensus *c = r->newest->consensus;
    struct request request = {.kind = WIRE_LOOP};
    struct route route;
    struct sphinx_end end;
    uint8_t seed[SPHINX_SEED_LEN];
    size_t n;
    const uint16_t *store = consensus_layer(c, c->params.layers + 1u, &n);
    /* a store turns its loops at another one; the last stands in for it */
    bool self = r->newest->layer == c->params.layers + 1u;
    if (n <= self)
        return ERR_NOT_FOUND;
    uint16_t to = store[rng_below(r->env, n - self)];
    if (self && to == r->newest->self)
        to = store[n - 1];
    int err =
        route_draw(&route, c, r->env, r->newest->self, to, false, ROUTE_SEND);
    if (err)
        return err;
    *first = route.out[0];
    memcpy(end.handle, r->plane->loop_handle, sizeof end.handle);
    env_random_crypto(r->env, end.surb_id, sizeof end.surb_id);
    env_random_crypto(r->env, request.box, sizeof request.box);
    env_random_crypto(r->env, request.work, sizeof request.work);
    env_random_crypto(r->env, seed, sizeof seed);
    loop_note(r, &route, end.surb_id);
    err = request_build(r->worker, c, r->env, &route,
                        1000 * env_now_wall_ms(r->env), &request, &end, seed,
                        r->frame);
    sodium_memzero(seed, sizeof seed);
    return err;
}

bool
loops_turn(struct relay *r, uint64_t now_us)
{
    if (!r->newest || r->draining)
        return false;
    alarm_turn(&r->alarm, now_us, loop_mhz(r));
    if (now_us < r->loop_us)
        return false;
    loops_give_up(r, now_us);
    /* a missed time is skipped: the next is drawn from now */
    r->loop_us = now_us + loop_wait_us(r);
    return true;
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
