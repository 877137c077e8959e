/* relay/relay.c - the relay's life: consensuses, what comes in, the one timer.
 * One worker of it, to be exact; the stages are drawn in relay.h, the workers
 * in plane.h. All that relay.h declares is here, above the stages: none of them
 * calls it.
 *
 * States: without a consensus (drops everything: ERR_EPOCH); with one or more.
 * Views are kept by epoch modulo VIEWS; a newer consensus replaces the oldest
 * and wipes its key.
 *
 * Timers, all served by relay_tick(), every millisecond at most: frames have
 * come or packets go to another worker; the mix's next due packet; the wheel of
 * answers and of clients' downlink clocks; the next own loop; a board's
 * interval is over.
 *
 * Failure modes: no memory (the packet is dropped and counted); a link that
 * takes no more (likewise); storage that stalls (the answer says retry). */
#include "relay/relay.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "relay/internal.h"

static int
worker_new(struct relay **out, struct plane *p, uint32_t number,
           struct env *env)
{
    struct relay *r = calloc(1, sizeof *r);
    *out = NULL;
    if (!r)
        return ERR_NOMEM;
    r->env = env;
    r->plane = p;
    r->number = number;
    p->worker[number].env = env;
    p->users++;
    int err = sphinx_worker_new(&r->worker);
    if (!err)
        err = wheel_new(&r->due, p->packets_max + p->clients_max);
    if (err)
        relay_free(&r);
    *out = r;
    return err;
}

int
relay_new(struct relay **out, const struct relay_config *config)
{
    struct plane *p;
    *out = NULL;
    if (!config->env || !config->replay)
        return ERR_ARG;
    int err = plane_new(&p, config);
    if (err)
        return err;
    p->users++;
    err = worker_new(out, p, 0, config->env);
    if (--p->users == 0)
        plane_free(&p);
    return err;
}

int
relay_worker(struct relay **out, const struct relay *first, uint32_t number,
             struct env *env)
{
    *out = NULL;
    if (number == 0 || number >= first->plane->n_workers || !env->ops->wake)
        return ERR_ARG;
    return worker_new(out, first->plane, number, env);
}

static void
view_clear(struct view *v)
{
    sphinx_key_free(&v->key);
    free(v->links);
    free(v->loss);
    boards_ways_free(&v->ways);
    *v = (struct view){0};
}

void
relay_free(struct relay **rp)
{
    struct relay *r = *rp;
    struct wheel_entry e;
    *rp = NULL;
    if (!r)
        return;
    gateway_free(r);
    while (r->due && wheel_pop_due(r->due, UINT64_MAX >> 1, &e, 1) == 1)
        if (e.b == DUE_READ || e.b == DUE_ANSWER)
            boxes_done(&relay_held_at(r, e.a)->job);
    wheel_free(&r->due);
    boxes_free(&r->boxes);
    board_free(&r->board);
    mix_free(&r->mix);
    if (r->intake.frames)
        sodium_memzero(r->intake.frames,
                       (size_t)SPHINX_BATCH_MAX * r->geometry.packet_len);
    free(r->intake.frames);
    slab_free(&r->slab);
    sphinx_worker_free(&r->worker);
    for (size_t i = 0; i < VIEWS; i++)
        view_clear(&r->view[i]);
    free(r->frame);
    if (--r->plane->users == 0)
        plane_free(&r->plane);
    sodium_memzero(r, sizeof *r);
    free(r);
}

/* Make the packets' buffers; the first worker does. */
static int
relay_slab(struct relay *r)
{
    struct plane *p = r->plane;
    if (p->slab)
        return slab_share(&r->slab, p->slab);
    int err = slab_new(&r->slab, sizeof(struct held) + r->geometry.packet_len,
                       p->packets_max);
    p->slab = r->slab;
    return err;
}

/* Make, with the first consensus, what needs the geometry; a network never
 * changes that. */
static int
relay_equip(struct relay *r, const struct consensus *c)
{
    const struct sphinx_geometry *g = &c->params.geometry;
    int err = 0;
    if (r->frame)
        return memcmp(&r->geometry, g, sizeof *g) == 0 ? 0 : ERR_FOREIGN;
    r->geometry = *g;
    if (!r->slab)
        err = relay_slab(r);
    const struct mix_params mix = {
        .strategy = (enum mix_strategy)c->params.mix_strategy,
        .interval_us = c->params.mix_interval_us,
        .threshold = c->params.mix_threshold,
        .keep = c->params.mix_keep,
        .permille = c->params.mix_permille};
    r->one_mix = mix.strategy != MIX_POISSON;
    if (!err && !r->mix)
        err = mix_new(&r->mix, &mix, r->plane->packets_max, r->env);
    if (!err && !r->boxes && r->env->ops->store)
        err = boxes_new(&r->boxes, r->env,
                        wire_letter_len(g->body_len, g->surb_len),
                        r->plane->ages_key);
    if (!err && !r->board && r->number == 0 && r->env->ops->store)
        err = board_new(&r->board, r->env);
    if (!err && !r->intake.frames &&
        !(r->intake.frames = calloc(SPHINX_BATCH_MAX, g->packet_len)))
        err = ERR_NOMEM;
    if (!err && !(r->frame = calloc(1, g->packet_len)))
        err = ERR_NOMEM;
    return err;
}

int
relay_set_consensus(struct relay *r, const struct consensus *c,
                    const uint8_t seed[static SPHINX_SEED_LEN],
                    const uint8_t *owner)
{
    struct view *v = &r->view[c->epoch % VIEWS];
    struct view made = {.consensus = c, .owner = owner};
    int self = consensus_find(c, r->plane->identity);
    if (self < 0)
        return ERR_NOT_FOUND;
    if (v->consensus && v->consensus->epoch > c->epoch)
        return ERR_STALE;
    if (c->relays[self].role == ROLE_STORE && !r->env->ops->store)
        return ERR_UNSUPPORTED;
    const bool newest = !r->newest || r->newest->consensus->epoch <= c->epoch;
    made.self = (uint16_t)self;
    made.layer = c->relays[self].layer;
    made.board = boards_find(c, made.self);
    int err = relay_equip(r, c);
    if (!err && r->number == 0)
        err = lists_fit(r->plane->lists, &c->params);
    if (!err)
        err = boards_ways_new(&made.ways, c, made.self);
    if (!err)
        err = sphinx_key_new(&made.key, &c->params.geometry, seed,
                             r->plane->identity, c->digest);
    if (!err && r->number == 0 &&
        (!(made.links = calloc(c->n_relays, sizeof *made.links)) ||
         !(made.loss = calloc(c->n_relays, sizeof *made.loss))))
        err = ERR_NOMEM;
    if (err) {
        view_clear(&made);
        return err;
    }
    pipeline_unwrap(r); /* with the keys it was taken in for */
    view_clear(v);
    *v = made;
    if (newest)
        r->newest = v;
    if (r->number == 0)
        loops_start(r, env_now_mono_us(r->env));
    relay_tick(r);
    return 0;
}

void
relay_forget(struct relay *r, uint32_t epoch)
{
    struct view *v = &r->view[epoch % VIEWS];
    if (!v->consensus || v->consensus->epoch != epoch)
        return;
    pipeline_unwrap(r);
    view_clear(v);
    if (r->newest != v)
        return;
    r->newest = NULL;
    for (size_t i = 0; i < VIEWS; i++)
        if (r->view[i].consensus &&
            (!r->newest ||
             r->view[i].consensus->epoch > r->newest->consensus->epoch))
            r->newest = &r->view[i];
}

void
relay_peer_init(struct relay_peer *p,
                const uint8_t identity[static SPHINX_ID_LEN])
{
    *p = (struct relay_peer){0};
    memcpy(p->identity, identity, SPHINX_ID_LEN);
}

static uint64_t
grid_us(uint64_t at_us)
{
    return at_us < UINT64_MAX - TICK_US
               ? (at_us + TICK_US - 1) / TICK_US * TICK_US
               : at_us;
}

/* Set the timer to what is due next, on a grid of whole ticks: what is due
 * within one tick is done together, unwrapped in fuller batches and sent in
 * fewer calls, and the moments at which a relay sends do not tell how long its
 * work took. */
static void
relay_arm(struct relay *r)
{
    const bool busy =
        r->intake.n > 0 || r->handing > 0 || r->more || r->unarmed;
    uint64_t at_us = busy ? env_now_mono_us(r->env) : mix_next_due(r->mix);
    uint64_t due_us = wheel_next_due_us(r->due);
    if (due_us < at_us)
        at_us = due_us;
    const bool loops = r->number == 0 && !r->draining;
    if (loops && r->loop_us < at_us)
        at_us = r->loop_us;
    if (loops && alarm_next_us(&r->alarm) < at_us)
        at_us = alarm_next_us(&r->alarm);
    const uint64_t list_us = spread_next_us(r);
    if (list_us < at_us)
        at_us = list_us;
    at_us = grid_us(at_us);
    if (r->plane->n_workers > 1 && plane_arm(r->plane, r->number, at_us)) {
        uint64_t next_us = grid_us(env_now_mono_us(r->env));
        at_us = next_us < at_us ? next_us : at_us;
    }
    env_timer(r->env, at_us);
}

void
relay_frames(struct relay *r, struct relay_peer *from, const uint8_t *frames,
             size_t n)
{
    if (!r->newest || r->draining) {
        r->stats.received += n;
        r->stats.dropped[r->newest ? -ERR_CLOSED : -ERR_EPOCH] += n;
        return;
    }
    pipeline_receive(r, from, 0, frames, n);
    relay_arm(r);
}

int
relay_set_document(struct relay *r, uint32_t epoch, const uint8_t *bytes,
                   size_t len)
{
    return gateway_set_document(r, epoch, bytes, len);
}

int
relay_client_open(struct relay *r, uint32_t *client)
{
    int err = gateway_open(r, client);
    if (!err)
        relay_arm(r);
    return err;
}

bool
relay_client_idler(const struct relay *r, uint32_t *client)
{
    return gateway_idler(r, client);
}

bool
relay_clients_full(const struct relay *r)
{
    return r->plane->clients_max > 0 &&
           atomic_load(&r->plane->clients) >= r->plane->clients_max;
}

uint32_t
relay_client_ahead(const struct relay *r, uint32_t client)
{
    return gateway_is_open(r, client) ? gateway_ahead(r, client) : 1;
}

void
relay_client_close(struct relay *r, uint32_t client)
{
    gateway_close(r, client);
}

bool
relay_client_frames(struct relay *r, uint32_t client, const uint8_t *frames,
                    size_t n)
{
    const size_t len = r->geometry.packet_len;
    if (!gateway_is_open(r, client) || !r->newest)
        return true;
    if (n > 0)
        gateway_mark(r, client, frames + (n - 1) * len);
    if (r->draining) {
        r->stats.received += n;
        r->stats.dropped[-ERR_CLOSED] += n;
        return true;
    }
    const size_t passed = gateway_allow(r, client, n);
    r->stats.received += n - passed;
    r->stats.dropped[-ERR_RATE] += n - passed;
    for (size_t i = 0; i < passed; i++) {
        size_t run = 0;
        while (i + run < passed && frames[(i + run) * len] != WIRE_CONTROL)
            run++;
        if (run > 0)
            pipeline_receive(r, NULL, client, frames + i * len, run);
        i += run;
        int err =
            i < passed ? gateway_take_control(r, client, frames + i * len) : 0;
        if (err)
            relay_drop(r, err);
    }
    relay_arm(r);
    return passed == n;
}

static void
due_run(struct relay *r, uint64_t now_us)
{
    struct wheel_entry e[TICK_BATCH];
    size_t n;
    do {
        n = wheel_pop_due(r->due, now_us, e, TICK_BATCH);
        for (size_t i = 0; i < n; i++)
            if (e[i].b == DUE_READ)
                dispatch_read(r, e[i].a);
            else if (e[i].b == DUE_ANSWER)
                dispatch_answer(r, e[i].a);
            else
                gateway_due(r, e[i].a, e[i].b >> 8, now_us);
    } while (n == TICK_BATCH);
}

/* Send a loop of the relay's own, if one is due. */
static void
own_loop_send(struct relay *r, uint64_t now_us)
{
    uint16_t first;
    uint32_t epoch;
    if (!loops_turn(r, now_us))
        return;
    int err = loops_build(r, &first, &epoch);
    if (!err)
        err = dispatch_send(r, first, epoch, r->frame);
    if (err)
        relay_drop(r, err);
    else
        r->stats.loops_sent++;
}

void
relay_tick(struct relay *r)
{
    uint64_t now_us = env_now_mono_us(r->env);
    struct mix_out out[TICK_BATCH];
    size_t n;
    if (!r->newest)
        return;
    spread_step(r);
    pipeline_unwrap(r);
    dispatch_take(r);
    do {
        n = mix_pop_due(r->mix, now_us, out, TICK_BATCH);
        for (size_t i = 0; i < n; i++)
            dispatch_leave(r, out[i].handle);
    } while (n == TICK_BATCH);
    due_run(r, now_us);
    gateway_again(r);
    if (r->number == 0)
        own_loop_send(r, now_us);
    dispatch_hand_over(r);
    relay_arm(r);
}

const struct relay_stats *
relay_stats(const struct relay *r)
{
    return &r->stats;
}

void
relay_stats_add(struct relay_stats *sum, const struct relay_stats *s)
{
    uint64_t *to = (uint64_t *)sum;
    const uint64_t *from = (const uint64_t *)s;
    for (size_t i = 0; i < sizeof *s / sizeof *to; i++)
        to[i] += from[i];
}

void
relay_drain(struct relay *r)
{
    r->draining = true;
}

const struct alarm *
relay_alarm(const struct relay *r)
{
    return &r->alarm;
}

struct relay_link_loops
relay_link_loops(const struct relay *r, uint32_t epoch, uint16_t number)
{
    const struct view *v = &r->view[epoch % VIEWS];
    return v->links && v->consensus->epoch == epoch &&
                   number < v->consensus->n_relays
               ? v->links[number]
               : (struct relay_link_loops){0};
}

int
relay_links_tell(const struct relay *r,
                 struct link_told out[static LINKS_TOLD_MAX])
{
    struct loss_window w[LOSS_WINDOWS] = {0};
    const struct view *newest = loops_view(r);
    if (!newest || !newest->loss)
        return 0;
    for (size_t i = 0; i < VIEWS; i++) {
        const struct view *v = &r->view[i];
        const uint32_t age =
            v->loss ? newest->consensus->epoch - v->consensus->epoch
                    : LOSS_WINDOWS;
        if (age < LOSS_WINDOWS)
            w[age] = (struct loss_window){v->consensus, v->loss};
    }
    return loss_tell(w, newest->self, r->env, out);
}

size_t
relay_held(const struct relay *r)
{
    return r->intake.n + (r->slab ? slab_count(r->slab) : 0);
}
