/* sim/engine/world_client.c - hosts for clients.
 *
 * A client's states: dead; alive without a link; linked to its gateway. Its
 * disk is a list of records, written as groups of its journal are committed and
 * given back at the next start. Failure mode: no memory for a record ends the
 * run (world.err), since a disk that forgets would be another protocol. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "client/disk/journal.h"
#include "sim/engine/world.h"

static struct world_record *
record_find(struct world_client *k, const uint8_t *key, size_t key_len)
{
    for (size_t i = 0; i < k->n_records; i++)
        if (k->record[i].key_len == key_len &&
            memcmp(k->record[i].key, key, key_len) == 0)
            return &k->record[i];
    return NULL;
}

static struct world_record *
record_add(struct world_client *k, const uint8_t *key, size_t key_len)
{
    if (k->n_records == k->room) {
        size_t room = k->room ? 2 * k->room : 64;
        struct world_record *made = realloc(k->record, room * sizeof *made);
        if (!made)
            return NULL;
        k->record = made;
        k->room = room;
    }
    struct world_record *r = &k->record[k->n_records++];
    *r = (struct world_record){.key_len = key_len};
    memcpy(r->key, key, key_len);
    return r;
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
    uint8_t *copy = malloc(value_len + 1);
    if (!r && copy)
        r = record_add(k, key, key_len);
    if (!r || !copy) {
        free(copy);
        return ERR_NOMEM;
    }
    memcpy(copy, value, value_len);
    free(r->value);
    r->value = copy;
    r->len = value_len;
    return 0;
}

static void
record_read(struct world_client *k, struct env_store_req *req)
{
    const struct world_record *r = record_find(k, req->letter, req->letter_len);
    req->err = r ? 0 : ERR_NOT_FOUND;
    req->value = r ? malloc(r->len + 1) : NULL;
    if (req->value) {
        req->value_len = r->len;
        memcpy(req->value, r->value, r->len);
    } else if (r)
        req->err = ERR_NOMEM;
    req->done(req);
}

static void
client_node_store(void *self, struct env_store_req *req)
{
    struct world_client *k = self;
    struct world *w = k->world;
    int err = 0;
    if (req->op == ENV_STORE_READ) {
        /* it had no memory for what it would not have to read else */
        if (w->plan.no_disks && !w->err)
            w->err = ERR_NOMEM;
        record_read(k, req);
        return;
    }
    if (!w->plan.no_disks)
        err = journal_parse(req->letter, req->letter_len, record_apply, k);
    if (err && !w->err)
        w->err = err;
    req->err = err ? ERR_DB : 0;
    req->done(req);
    if (w->committed)
        w->committed(w->ctx, k);
}

static void
client_node_frame(void *self, uint32_t from, uint8_t *frame, size_t len)
{
    struct world_client *k = self;
    assert(len == k->world->net.consensus->params.geometry.packet_len); /* I1 */
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

/* ---- life ---- */

static int
record_order(const void *a, const void *b)
{
    const struct world_record *x = a, *y = b;
    return memcmp(x->key, y->key,
                  x->key_len < y->key_len ? x->key_len : y->key_len);
}

static int
records_load(struct world_client *k)
{
    int err = 0;
    if (k->n_records > 0)
        qsort(k->record, k->n_records, sizeof *k->record, record_order);
    for (size_t i = 0; i < k->n_records && !err; i++)
        err = client_load(k->client, k->record[i].key, k->record[i].key_len,
                          k->record[i].value, k->record[i].len);
    return err;
}

int
sim_client_start(struct world_client *k)
{
    struct world *w = k->world;
    struct client_config config = {.env = k->env,
                                   .mlkem = w->plan.mlkem,
                                   .n_authorities = 1,
                                   .n_gateways = 1};
    memcpy(config.profile, k->profile, sizeof config.profile);
    memcpy(config.network, w->net.consensus->network, sizeof config.network);
    memcpy(config.authorities[0], w->net.authority, SPHINX_ID_LEN);
    memcpy(config.gateways[0], w->net.consensus->relays[k->number].identity,
           SPHINX_ID_LEN);
    int err = client_new(&k->client, &config);
    if (!err)
        err = records_load(k);
    if (err) {
        client_free(&k->client);
        return err;
    }
    engine_set_object(w->engine, k->node, k);
    err = client_start(k->client);
    return err ? err : sim_client_connect(k);
}

int
sim_client_connect(struct world_client *k)
{
    int number =
        consensus_find(k->world->net.consensus, client_gateway(k->client));
    if (number < 0)
        return ERR_RELAY;
    int err = team_client_open(k->world->relay[number].team, (uint32_t)number,
                               k->node, &k->link);
    if (err)
        return err;
    k->gateway = (uint32_t)number;
    client_link_up(k->client);
    return 0;
}

/* Connect to the gateway in use, if it lives. */
static int
client_dial(struct world_client *k)
{
    const struct world *w = k->world;
    int number = consensus_find(w->net.consensus, client_gateway(k->client));
    if (number >= 0 && w->relay[number].team)
        return sim_client_connect(k);
    client_link_failed(k->client);
    return 0;
}

int
sim_client_reconnect(struct world_client *k)
{
    team_client_close(k->world->relay[k->gateway].team, k->link);
    k->gateway = UINT32_MAX;
    client_link_down(k->client);
    return client_dial(k);
}

int
sim_client_watch(struct world_client *k)
{
    if (!k->client)
        return 0;
    if (k->gateway == UINT32_MAX)
        return client_dial(k);
    return client_leave(k->client) == CLIENT_STAY ? 0 : sim_client_reconnect(k);
}

void
sim_client_stop(struct world_client *k)
{
    if (!k->client)
        return;
    if (k->gateway != UINT32_MAX)
        team_client_close(k->world->relay[k->gateway].team, k->link);
    k->gateway = UINT32_MAX;
    client_free(&k->client);
    engine_set_object(k->world->engine, k->node, NULL);
}

int
sim_client_add(struct world *w, const char *profile, uint32_t gateway,
               struct world_client **out)
{
    *out = NULL;
    if (w->n_clients == w->plan.clients_max)
        return ERR_FULL;
    struct world_client *k = &w->client[w->n_clients];
    *k = (struct world_client){
        .world = w, .number = gateway, .gateway = UINT32_MAX};
    strncpy(k->profile, profile, sizeof k->profile - 1);
    k->node = engine_add(w->engine, &client_ops, true, &k->env);
    if (k->node == UINT32_MAX)
        return ERR_NOMEM;
    w->n_clients++;
    *out = k;
    return sim_client_start(k);
}

void
sim_client_free(struct world_client *k)
{
    sim_client_stop(k);
    for (size_t i = 0; i < k->n_records; i++)
        free(k->record[i].value);
    free(k->record);
    k->record = NULL;
}

int
sim_client_pair(struct world_client *a, const char *a_calls_b,
                struct world_client *b, const char *b_calls_a)
{
    char text[INVITE_TEXT_LEN];
    int err = client_invite(a->client, a_calls_b, text);
    return err ? err : client_add(b->client, b_calls_a, text);
}

/* Nodes are numbered in the order of their making, clients as well. */
struct world_client *
sim_client_of(const struct world *w, uint32_t node)
{
    uint32_t low = 0, n = w->n_clients;
    while (n > 0) {
        struct world_client *k = &w->client[low + n / 2];
        if (k->node == node)
            return k;
        if (k->node < node) {
            low += n / 2 + 1;
            n -= n / 2 + 1;
        } else {
            n /= 2;
        }
    }
    return NULL;
}
