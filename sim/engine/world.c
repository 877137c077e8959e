/* sim/engine/world.c - hosts for relays, and the world around them.
 *
 * A relay's states: dead; alive. What outlives it: its replay set, its boxes if
 * it is a store, requests to a disk that is made to stall. All relays take up
 * one consensus; the ones before it are kept as long as relays keep them. */
#include "sim/engine/world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/wire.h"

enum { OLD_MAX = EPOCHS_USABLE + 2 };

static void
relay_node_frame(void *self, uint32_t from, uint8_t *frame, size_t len)
{
    struct world_relay *r = self;
    struct world *w = r->world;
    assert(len == w->net.consensus->params.geometry.packet_len); /* I1 */
    if (from < w->n_relays) {
        team_frame(r->team, from, &r->peers[from], frame);
        return;
    }
    struct world_client *k = sim_client_of(w, from);
    if (k && k->gateway == r->number)
        team_client_frame(r->team, k->link, frame);
}

static void
relay_node_tick(void *self)
{
    team_tick(((struct world_relay *)self)->team);
}

/* A team names clients by their nodes, and relays are the first nodes. */
static uint32_t
relay_node_resolve(void *self, struct env_dest to)
{
    (void)self;
    return to.id;
}

static void
held_release(struct world_relay *r, int err)
{
    while (r->held) {
        struct env_store_req *held = r->held;
        r->held = held->next;
        if (err) {
            held->err = err;
            held->done(held);
        } else {
            store_memory_request(r->store, held);
        }
    }
}

static void
relay_node_store(void *self, struct env_store_req *req)
{
    struct world_relay *r = self;
    if (req->op == ENV_STORE_PUT)
        memcpy(r->last_box, req->box, sizeof r->last_box);
    if (engine_now_us(r->world->engine) < r->stalled_until_us &&
        memcmp(req->box, r->stalled, 32) == 0) {
        req->next = r->held; /* the disk says nothing, the sender retries */
        r->held = req;
        return;
    }
    store_memory_request(r->store, req);
    held_release(r, 0);
    while (store_memory_run(r->store, 16) > 0)
        ;
}

static const struct sim_node_ops relay_ops = {
    relay_node_frame, relay_node_tick, relay_node_resolve, relay_node_store};

/* ---- life ---- */

static int
relay_tell(struct world_relay *r)
{
    const struct sim_net *n = &r->world->net;
    const struct consensus *c = n->consensus;
    int err = team_set_consensus(r->team, c, n->seed[r->number]);
    const bool left_out = err == ERR_NOT_FOUND;
    if (left_out)
        err = 0; /* it goes on with those it has, as long as it has any */
    if (!err && c->relays[r->number].layer == 0)
        err =
            team_set_document(r->team, c->epoch, n->document, n->document_len);
    return left_out && err == ERR_AGAIN ? 0 : err;
}

int
sim_relay_start(struct world *w, uint32_t number)
{
    struct world_relay *r = &w->relay[number];
    const struct consensus *c = w->net.consensus;
    struct relay_config config = {.env = r->env,
                                  .identity_seed = w->net.identity_seed[number],
                                  .replay = r->replay,
                                  .packets_max = w->plan.packets_max,
                                  .workers = w->plan.workers};
    if (c->relays[number].layer == 0)
        config.clients_max = w->plan.clients_max;
    memcpy(config.identity, c->relays[number].identity, SPHINX_ID_LEN);
    for (uint32_t i = 0; i < w->n_relays; i++)
        relay_peer_init(&r->peers[i], c->relays[i].identity);
    int err = team_new(&r->team, &config);
    if (err)
        return err;
    r->relay = team_worker(r->team, 0);
    engine_set_object(w->engine, number, r);
    return relay_tell(r);
}

void
sim_relay_stop(struct world *w, uint32_t number)
{
    struct world_relay *r = &w->relay[number];
    if (!r->team)
        return;
    held_release(r, ERR_CLOSED);
    team_free(&r->team);
    r->relay = NULL;
    engine_set_object(w->engine, number, NULL);
    for (uint32_t i = 0; i < w->n_clients; i++) {
        struct world_client *k = &w->client[i];
        if (k->gateway != number || !k->client)
            continue;
        k->gateway = UINT32_MAX;
        client_link_down(k->client);
    }
}

/* Of what a layer sees, a relay sees its share of the bandwidth. */
static size_t
replay_tags(const struct world *w, uint32_t number)
{
    const struct consensus *c = w->net.consensus;
    size_t n;
    const uint16_t *relay = consensus_layer(c, c->relays[number].layer, &n);
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += c->relays[relay[i]].bandwidth + 1.0;
    const double share = (c->relays[number].bandwidth + 1.0) / sum;
    return w->plan.replay_tags +
           (size_t)(share * (double)w->plan.replay_tags_layer);
}

static int
relay_add(struct world *w, uint32_t number)
{
    static const uint8_t key[16] = {1}, boot[16] = {2};
    const struct sphinx_geometry *g = &w->net.consensus->params.geometry;
    const size_t len =
        (replay_region_len(replay_tags(w, number)) + 63) / 64 * 64;
    struct world_relay *r = &w->relay[number];
    const bool store = w->net.consensus->relays[number].role == ROLE_STORE;
    r->world = w;
    r->number = number;
    if (engine_add(w->engine, &relay_ops, store, &r->env) != number)
        return ERR_NOMEM;
    r->region = aligned_alloc(64, len);
    r->peers = calloc(w->n_relays, sizeof *r->peers);
    if (!r->region || !r->peers)
        return ERR_NOMEM;
    int err = replay_create(&r->replay, r->region, len, key, boot, false);
    if (!err && store)
        err = store_memory_new(&r->store,
                               wire_letter_len(g->body_len, g->surb_len),
                               w->plan.letters_max);
    return err ? err : sim_relay_start(w, number);
}

/* ---- the world ---- */

void
sim_world_plan_default(struct sim_world_plan *plan)
{
    *plan = (struct sim_world_plan){.latency_us = 5000,
                                    .jitter_mean_us = 100,
                                    .commit_us = 2000,
                                    .clients_max = 64,
                                    .packets_max = 20000,
                                    .replay_tags = 200000,
                                    .letters_max = 1000000};
    params_default(&plan->net.params, 3600);
    plan->net.params.work_bits = SIM_WORK_BITS;
    plan->net.params.announce_bits = SIM_WORK_BITS;
}

static int
world_make(struct world *w)
{
    int err = sim_net_make(&w->net, &w->plan.net);
    if (!err)
        err = sim_net_check(&w->net);
    if (err)
        return err;
    const struct consensus *c = w->net.consensus;
    assert(c);
    const struct engine_config e = {.seed = w->plan.seed,
                                    .start_wall_s = c->valid_after_s + 10,
                                    .latency_us = w->plan.latency_us,
                                    .jitter_mean_us = w->plan.jitter_mean_us,
                                    .loss_ppm = w->plan.loss_ppm,
                                    .commit_us = w->plan.commit_us,
                                    .frame_len = c->params.geometry.packet_len};
    const uint32_t n = (uint32_t)c->n_relays;
    w->relay = calloc(n, sizeof *w->relay);
    w->client = calloc(w->plan.clients_max + 1, sizeof *w->client);
    w->old = calloc(OLD_MAX, sizeof *w->old);
    err = w->relay && w->client && w->old ? engine_new(&w->engine, &e)
                                          : ERR_NOMEM;
    if (err)
        return err;
    w->n_relays = n;
    for (uint32_t i = 0; i < n && !err; i++)
        err = relay_add(w, i);
    return err;
}

int
sim_world_new(struct world **out, const struct sim_world_plan *plan)
{
    struct world *w = calloc(1, sizeof *w);
    *out = NULL;
    if (!w)
        return ERR_NOMEM;
    w->plan = *plan;
    int err = world_make(w);
    w->plan.net.widths = w->plan.net.bandwidth = NULL;
    w->plan.net.family = NULL;
    w->plan.net.zero_key = NULL;
    if (err)
        sim_world_free(&w);
    *out = w;
    return err;
}

void
sim_world_free(struct world **wp)
{
    struct world *w = *wp;
    *wp = NULL;
    if (!w)
        return;
    w->committed = NULL;
    for (uint32_t i = 0; i < w->n_clients; i++)
        sim_client_free(&w->client[i]);
    for (uint32_t i = 0; i < w->n_relays; i++)
        sim_relay_stop(w, i);
    engine_free(&w->engine);
    for (uint32_t i = 0; i < w->n_relays; i++) {
        replay_free(&w->relay[i].replay);
        store_memory_free(&w->relay[i].store);
        free(w->relay[i].peers);
        free(w->relay[i].region);
    }
    for (size_t i = 0; i < w->n_old; i++)
        consensus_free(&w->old[i]);
    free(w->old);
    free(w->relay);
    free(w->client);
    sim_net_free(&w->net);
    free(w);
}

/* Has a relay or client gone without something for want of memory? That is this
 * machine's want, and none of the network that is looked at. */
static bool
memory_lacks(const struct world *w)
{
    struct relay_stats sum;
    sim_world_stats(w, &sum);
    bool lacks = sum.dropped[-ERR_NOMEM] > 0;
    for (uint32_t i = 0; i < w->n_clients && !lacks; i++) {
        struct client_status status;
        if (!w->client[i].client)
            continue;
        client_status(w->client[i].client, &status);
        lacks = status.dropped[-ERR_NOMEM] > 0;
    }
    return lacks;
}

int
sim_world_run(struct world *w, double seconds)
{
    int err = engine_run(w->engine,
                         engine_now_us(w->engine) + (uint64_t)(seconds * 1e6));
    if (!err && memory_lacks(w))
        err = ERR_NOMEM;
    return err ? err : w->err;
}

int
sim_world_epoch(struct world *w)
{
    struct consensus *old;
    int err = sim_net_next(&w->net, &old);
    if (err)
        return err;
    for (uint32_t i = 0; i < w->n_relays && !err; i++)
        if (w->relay[i].team)
            err = relay_tell(&w->relay[i]);
    if (w->n_old == OLD_MAX) {
        /* a relay that the newer ones leave out has it still */
        for (uint32_t i = 0; i < w->n_relays; i++)
            if (w->relay[i].team)
                team_forget(w->relay[i].team, w->old[0]->epoch);
        consensus_free(&w->old[0]);
        w->n_old--;
        memmove(w->old, w->old + 1, w->n_old * sizeof *w->old);
    }
    w->old[w->n_old++] = old;
    return err;
}

void
sim_world_stats(const struct world *w, struct relay_stats *sum)
{
    *sum = (struct relay_stats){0};
    for (uint32_t i = 0; i < w->n_relays; i++) {
        struct relay_stats one;
        if (!w->relay[i].team)
            continue;
        team_stats(w->relay[i].team, &one);
        relay_stats_add(sum, &one);
    }
}
