/* tests/world.c - hosts for relay and client objects on sim/engine. */
#include "tests/world.h"

#include <stdlib.h>
#include <string.h>

#include "client/journal.h"
#include "tests/runner.h"

enum { REPLAY_TAGS = 200000 };

/* ---- relays ---- */

static struct world_client *
client_of_node(struct world *w, uint32_t node)
{
    for (uint32_t i = 0; i < w->n_clients; i++)
        if (w->client[i].node == node)
            return &w->client[i];
    return NULL;
}

static void
relay_node_frame(void *self, uint32_t from, uint8_t *frame, size_t len)
{
    struct world_relay *r = self;
    assert_int_equal(len, WORLD_PACKET); /* I1 */
    struct world_client *k = client_of_node(r->world, from);
    if (k && k->gateway == r->number)
        team_client_frame(r->team, k->link, frame);
    else if (!k && from < r->world->n_relays)
        team_frame(r->team, from, &r->peers[from], frame);
}

static void
relay_node_tick(void *self)
{
    team_tick(((struct world_relay *)self)->team);
}

static uint32_t
relay_node_resolve(void *self, struct env_dest to)
{
    struct world_relay *r = self;
    if (to.kind == ENV_TO_RELAY)
        return to.id;
    for (uint32_t i = 0; i < r->world->n_clients; i++)
        if (r->world->client[i].gateway == r->number &&
            r->world->client[i].link == to.id)
            return r->world->client[i].node;
    return UINT32_MAX;
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
    while (r->held) {
        struct env_store_req *held = r->held;
        r->held = held->next;
        store_memory_request(r->store, held);
    }
    while (store_memory_run(r->store, 16) > 0)
        ;
}

static const struct sim_node_ops relay_ops = {
    relay_node_frame, relay_node_tick, relay_node_resolve, relay_node_store};

void
world_relay_start(struct world *w, uint32_t number)
{
    struct world_relay *r = &w->relay[number];
    const struct consensus *c = w->net.consensus;
    struct relay_config config = {.env = r->env,
                                  .replay = r->replay,
                                  .packets_max = 20000,
                                  .clients_max = WORLD_CLIENTS_MAX,
                                  .workers = w->workers};
    memcpy(config.identity, c->relays[number].identity, SPHINX_ID_LEN);
    for (uint32_t i = 0; i < w->n_relays; i++)
        relay_peer_init(&r->peers[i], c->relays[i].identity);
    r->team = team_new(&config);
    r->relay = team_worker(r->team, 0);
    engine_set_object(w->engine, number, r);
    team_set_consensus(r->team, c, w->net.seed[number]);
    if (c->relays[number].layer == 0)
        team_set_document(r->team, c->epoch, w->net.document,
                          w->net.document_len);
}

void
world_relay_stop(struct world *w, uint32_t number)
{
    struct world_relay *r = &w->relay[number];
    while (r->held) {
        struct env_store_req *held = r->held;
        r->held = held->next;
        held->err = ERR_CLOSED;
        held->done(held);
    }
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

static void
relays_make(struct world *w)
{
    static const uint8_t key[16] = {1}, boot[16] = {2};
    size_t len = (replay_region_len(REPLAY_TAGS) + 63) / 64 * 64;
    for (uint32_t i = 0; i < w->n_relays; i++) {
        struct world_relay *r = &w->relay[i];
        bool store = w->net.consensus->relays[i].role == ROLE_STORE;
        r->world = w;
        r->number = i;
        assert_int_equal(engine_add(w->engine, &relay_ops, store, &r->env), i);
        r->region = aligned_alloc(64, len);
        assert_non_null(r->region);
        assert_int_equal(replay_create(&r->replay, r->region, len, key, boot),
                         0);
        assert_int_equal(store_memory_new(&r->store, WORLD_LETTER, 100000), 0);
        world_relay_start(w, i);
    }
}

/* ---- clients ---- */

static struct world_record *
record_find(struct world_client *k, const uint8_t *key, size_t key_len)
{
    for (size_t i = 0; i < k->n_records; i++)
        if (k->record[i].key_len == key_len &&
            memcmp(k->record[i].key, key, key_len) == 0)
            return &k->record[i];
    return NULL;
}

static int
record_apply(void *ctx, const uint8_t *key, size_t key_len,
             const uint8_t *value, size_t value_len)
{
    struct world_client *k = ctx;
    struct world_record *r = record_find(k, key, key_len);
    if (!value) {
        if (r) {
            free(r->value);
            *r = k->record[--k->n_records];
        }
        return 0;
    }
    if (!r) {
        if (k->n_records == k->room) {
            k->room = k->room ? 2 * k->room : 64;
            k->record = realloc(k->record, k->room * sizeof *k->record);
            assert_non_null(k->record);
        }
        r = &k->record[k->n_records++];
        *r = (struct world_record){.key_len = key_len};
        memcpy(r->key, key, key_len);
    }
    free(r->value);
    r->value = malloc(value_len + 1);
    assert_non_null(r->value);
    memcpy(r->value, value, value_len);
    r->len = value_len;
    return 0;
}

static void
client_node_store(void *self, struct env_store_req *req)
{
    assert_int_equal(
        journal_parse(req->letter, req->letter_len, record_apply, self), 0);
    req->err = 0;
    req->done(req);
}

static void
client_node_frame(void *self, uint32_t from, uint8_t *frame, size_t len)
{
    struct world_client *k = self;
    assert_int_equal(len, WORLD_PACKET); /* I1 */
    if (from == k->gateway)
        client_frames(k->client, frame, 1, len);
}

static void
client_node_tick(void *self)
{
    client_tick(((struct world_client *)self)->client);
}

static uint32_t
client_node_resolve(void *self, struct env_dest to)
{
    (void)to;
    return ((struct world_client *)self)->gateway;
}

static const struct sim_node_ops client_ops = {
    client_node_frame, client_node_tick, client_node_resolve,
    client_node_store};

static int
record_order(const void *a, const void *b)
{
    const struct world_record *x = a, *y = b;
    return memcmp(x->key, y->key,
                  x->key_len < y->key_len ? x->key_len : y->key_len);
}

void
world_client_start(struct world_client *k)
{
    struct world *w = k->world;
    struct client_config config = {
        .env = k->env, .n_authorities = 1, .n_gateways = 1};
    strcpy(config.profile, k->profile);
    strcpy(config.network, w->net.consensus->network);
    memcpy(config.authorities[0], w->net.authority, SPHINX_ID_LEN);
    memcpy(config.gateways[0], w->net.consensus->relays[k->number].identity,
           SPHINX_ID_LEN);
    assert_int_equal(client_new(&k->client, &config), 0);
    if (k->n_records > 0)
        qsort(k->record, k->n_records, sizeof *k->record, record_order);
    for (size_t i = 0; i < k->n_records; i++)
        assert_int_equal(client_load(k->client, k->record[i].key,
                                     k->record[i].key_len, k->record[i].value,
                                     k->record[i].len),
                         0);
    engine_set_object(w->engine, k->node, k);
    assert_int_equal(client_start(k->client), 0);
    world_client_connect(k);
}

void
world_client_connect(struct world_client *k)
{
    struct world *w = k->world;
    uint32_t gateway = k->number;
    team_client_open(w->relay[gateway].team, k->number, &k->link);
    k->gateway = gateway;
    client_link_up(k->client);
}

void
world_client_watch(struct world_client *k)
{
    if (!k->client || k->gateway == UINT32_MAX || !client_is_stuck(k->client))
        return;
    team_client_close(k->world->relay[k->gateway].team, k->link);
    client_link_down(k->client);
    world_client_connect(k);
}

void
world_client_stop(struct world_client *k)
{
    if (k->gateway != UINT32_MAX)
        team_client_close(k->world->relay[k->gateway].team, k->link);
    k->gateway = UINT32_MAX;
    client_free(&k->client);
    engine_set_object(k->world->engine, k->node, NULL);
}

struct world_client *
world_client_add(struct world *w, const char *profile, uint32_t gateway)
{
    assert_true(w->n_clients < WORLD_CLIENTS_MAX);
    struct world_client *k = &w->client[w->n_clients++];
    *k = (struct world_client){
        .world = w, .number = gateway, .profile = profile};
    k->node = engine_add(w->engine, &client_ops, true, &k->env);
    world_client_start(k);
    return k;
}

void
world_pair(struct world *w, struct world_client *a, const char *a_calls_b,
           struct world_client *b, const char *b_calls_a)
{
    char text[INVITE_TEXT_LEN];
    (void)w;
    assert_int_equal(client_invite(a->client, a_calls_b, text), 0);
    assert_int_equal(client_add(b->client, b_calls_a, text), 0);
}

/* ---- the world ---- */

struct world *
world_new(const struct world_config *config)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    test_network_make(&w->net, config->suite, config->gateways, config->layers,
                      config->mixes, config->stores);
    if (config->params) {
        config->params(&w->net.consensus->params);
        test_network_sign(&w->net);
    }
    struct engine_config e = {.seed = config->seed,
                              .start_wall_s =
                                  w->net.consensus->valid_after_s + 10,
                              .latency_us = 5000,
                              .jitter_mean_us = 100,
                              .loss_ppm = config->loss_ppm,
                              .commit_us = 2000,
                              .frame_len = WORLD_PACKET};
    assert_int_equal(engine_new(&w->engine, &e), 0);
    w->n_relays = (uint32_t)w->net.consensus->n_relays;
    w->workers = config->workers;
    assert_true(w->n_relays <= WORLD_RELAYS_MAX);
    relays_make(w);
    return w;
}

void
world_free(struct world **wp)
{
    struct world *w = *wp;
    *wp = NULL;
    for (uint32_t i = 0; i < w->n_clients; i++) {
        if (w->client[i].client)
            world_client_stop(&w->client[i]);
        for (size_t k = 0; k < w->client[i].n_records; k++)
            free(w->client[i].record[k].value);
        free(w->client[i].record);
    }
    for (uint32_t i = 0; i < w->n_relays; i++)
        if (w->relay[i].relay)
            world_relay_stop(w, i);
    engine_free(&w->engine);
    for (uint32_t i = 0; i < w->n_relays; i++) {
        replay_free(&w->relay[i].replay);
        store_memory_free(&w->relay[i].store);
        free(w->relay[i].region);
    }
    test_network_free(&w->net);
    free(w);
}

void
world_run_s(struct world *w, double seconds)
{
    engine_run(w->engine, engine_now_us(w->engine) + (uint64_t)(seconds * 1e6));
}

uint64_t
world_dropped(const struct world *w, int err)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < w->n_relays; i++)
        if (w->relay[i].relay)
            for (uint32_t k = 0; k < (w->workers ? w->workers : 1); k++)
                n += relay_stats(team_worker(w->relay[i].team, k))
                         ->dropped[-err];
    return n;
}
