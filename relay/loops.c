/* relay/loops.c - the relay's own cover: loops of the same shape as a client's
 * requests, to a random store and back to itself, at Poisson times (I4). Those
 * that do not come back tell of losses and of n-1 attacks. */
#include <sodium.h>
#include <string.h>

#include "directory/route.h"
#include "lib/rng.h"
#include "relay/internal.h"

static uint64_t
loop_wait_us(struct relay *r)
{
    uint32_t mhz = r->newest->consensus->params.relay_loop_mhz;
    return mhz ? rng_exp_us(r->env, 1000000000ULL / mhz) : UINT64_MAX / 2;
}

void
loops_start(struct relay *r, uint64_t now_us)
{
    if (r->loop_us == 0)
        r->loop_us = now_us + loop_wait_us(r);
}

static int
loop_build(struct relay *r, struct route *route)
{
    const struct consensus *c = r->newest->consensus;
    struct request request = {.kind = WIRE_LOOP};
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
        route_draw(route, c, r->env, r->newest->self, to, false, ROUTE_SEND);
    if (err)
        return err;
    memcpy(end.handle, r->loop_handle, sizeof end.handle);
    env_random_crypto(r->env, end.surb_id, sizeof end.surb_id);
    env_random_crypto(r->env, request.box, sizeof request.box);
    env_random_crypto(r->env, request.work, sizeof request.work);
    env_random_crypto(r->env, seed, sizeof seed);
    memcpy(r->loop_id[r->loop_next++ % LOOPS_OUT], end.surb_id,
           sizeof end.surb_id);
    err = request_build(r->worker, c, r->env, route, env_now_wall_s(r->env),
                        &request, &end, seed, r->frame);
    sodium_memzero(seed, sizeof seed);
    return err;
}

void
loops_send(struct relay *r, uint64_t now_us)
{
    struct route route;
    if (!r->newest || now_us < r->loop_us)
        return;
    /* a missed time is skipped: the next is drawn from now */
    r->loop_us = now_us + loop_wait_us(r);
    int err = loop_build(r, &route);
    if (!err)
        err = env_send(r->env,
                       (struct env_dest){ENV_TO_RELAY, route.out[0],
                                         r->newest->consensus->epoch},
                       r->frame, r->geometry.packet_len);
    if (err)
        relay_drop(r, err);
    else
        r->stats.loops_sent++;
}

bool
loops_take(struct relay *r, const struct sphinx_block *block)
{
    if (sodium_memcmp(block->handle, r->loop_handle, 8) != 0)
        return false;
    for (size_t i = 0; i < LOOPS_OUT; i++)
        if (sodium_memcmp(block->surb_id, r->loop_id[i], 8) == 0) {
            env_random_crypto(r->env, r->loop_id[i], 8);
            r->stats.loops_returned++;
            break;
        }
    return true;
}
