/* relay/net.c - a relay's links.
 *
 * One link to each relay that this one may send to, made when a consensus
 * names it, and kept while any consensus in use does; links from others are
 * accepted from relays of those consensuses, and, at a gateway, from clients.
 * Both ends check identities before a frame is looked at.
 *
 * A link that is down is tried again after 0.25 s, doubled up to 30 s. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/blocks.h"
#include "lib/clock.h"
#include "lib/rng.h"
#include "relay/daemon.h"

enum {
    QUEUE_FRAMES = 1024,
    IN_MAX = 4096, /* beside the clients */
    /* of one block of addresses: links at once, handshakes a minute */
    BLOCK_LINKS = 64,
    BLOCK_HANDSHAKES = 240,
    BLOCK_BURST = 120,
    BLOCK_ENTRIES = 8192,
    RETRY_US = 250000,
    RETRY_MAX_US = 30000000
};

struct out_link {
    struct net *net;
    struct out_link *next;
    uint8_t identity[SPHINX_ID_LEN];
    char address[ADDRESS_MAX];
    struct link *link;
    bool up;
    unsigned uses; /* views that name it */
    uint64_t retry_us, wait_us;
};

struct in_link {
    struct net *net;
    struct in_link *next, **at;
    struct link *link;
    bool is_client;
    uint32_t client;
    struct relay_peer peer;
};

struct net {
    struct daemon *daemon;
    struct tls *tls;
    struct listener *listener;
    struct blocks *blocks;
    struct link_config config;
    struct out_link *outs;
    struct in_link *ins;
    struct in_link **clients; /* by the relay's number for them */
    size_t clients_room, n_clients, n_ins;
#ifdef BRUSIO_DEBUG
    struct delayed *delayed;
    struct loop_timer *delay_timer;
#endif
    uint64_t refused[ERROR_COUNT];
};

/* ---- out ---- */

static void
out_up(void *ctx, struct link *l, const uint8_t *peer)
{
    struct out_link *o = ctx;
    (void)l;
    (void)peer;
    o->up = true;
    o->wait_us = RETRY_US;
}

/* Nothing comes this way. */
static void
out_frames(void *ctx, struct link *l, uint8_t *frames, size_t n)
{
    struct out_link *o = ctx;
    (void)l;
    (void)frames;
    o->net->refused[-ERR_EDGE] += n;
}

static void
out_down(void *ctx, struct link *l, int err)
{
    struct out_link *o = ctx;
    o->net->refused[-err]++;
    o->up = false;
    o->link = NULL;
    o->retry_us = loop_now_us(o->net->daemon->host.loop) + o->wait_us;
    o->wait_us = o->wait_us * 2 < RETRY_MAX_US ? o->wait_us * 2 : RETRY_MAX_US;
    link_free(&l);
}

static const struct link_ops out_ops = {out_up, out_frames, out_down};

static void
out_connect(struct out_link *o)
{
    struct net *n = o->net;
    int err = link_connect(&o->link, n->daemon->host.loop, n->tls, &n->config,
                           o->address, o->identity, &out_ops, o);
    if (err) {
        n->refused[-err]++;
        o->retry_us = loop_now_us(n->daemon->host.loop) + RETRY_MAX_US;
    }
}

static struct out_link *
out_get(struct net *n, const struct relay_entry *e)
{
    struct out_link *o = n->outs;
    while (o && memcmp(o->identity, e->identity, SPHINX_ID_LEN) != 0)
        o = o->next;
    if (!o) {
        o = calloc(1, sizeof *o);
        if (!o)
            return NULL;
        o->net = n;
        o->wait_us = RETRY_US;
        memcpy(o->identity, e->identity, SPHINX_ID_LEN);
        o->next = n->outs;
        n->outs = o;
    }
    if (strcmp(o->address, e->addresses[0]) != 0) {
        memcpy(o->address, e->addresses[0], sizeof o->address);
        link_free(&o->link); /* it has moved */
        o->up = false;
        o->retry_us = 0;
    }
    return o;
}

int
net_view(struct net *n, struct daemon_view *v)
{
    const struct consensus *c = v->consensus;
    int self = consensus_find(c, n->daemon->identity);
    v->out = calloc(c->n_relays + 1, sizeof *v->out);
    if (!v->out)
        return ERR_NOMEM;
    for (size_t i = 0; self >= 0 && i < c->n_relays; i++) {
        if (!consensus_has_edge(c, c->relays[self].layer, c->relays[i].layer))
            continue;
        v->out[i] = out_get(n, &c->relays[i]);
        if (v->out[i])
            v->out[i]->uses++;
    }
    net_upkeep(n);
    return 0;
}

void
net_view_drop(struct daemon_view *v)
{
    for (size_t i = 0; v->out && i < v->consensus->n_relays; i++)
        if (v->out[i])
            v->out[i]->uses--;
    free(v->out);
    v->out = NULL;
}

void
net_upkeep(struct net *n)
{
    uint64_t now_us = loop_now_us(n->daemon->host.loop);
    for (struct out_link **at = &n->outs; *at;) {
        struct out_link *o = *at;
        if (o->uses == 0) {
            *at = o->next;
            link_free(&o->link);
            free(o);
            continue;
        }
        if (!o->link && now_us >= o->retry_us)
            out_connect(o);
        at = &o->next;
    }
}

/* ---- in ---- */

static void
in_free(struct in_link *i)
{
    struct net *n = i->net;
    *i->at = i->next;
    if (i->next)
        i->next->at = i->at;
    n->n_ins--;
    if (i->is_client) {
        n->clients[i->client] = NULL;
        n->n_clients--;
        relay_client_close(n->daemon->relay, i->client);
    }
    link_free(&i->link);
    free(i);
}

static void
in_up(void *ctx, struct link *l, const uint8_t *peer)
{
    (void)ctx;
    (void)l;
    (void)peer;
}

static void
in_frames(void *ctx, struct link *l, uint8_t *frames, size_t count)
{
    struct in_link *i = ctx;
    struct daemon *d = i->net->daemon;
    (void)l;
    if (loop_now_us(d->host.loop) < d->accept_us) {
        i->net->refused[-ERR_AGAIN] += count;
        return;
    }
    if (i->is_client)
        relay_client_frames(d->relay, i->client, frames, count);
    else
        relay_frames(d->relay, &i->peer, frames, count);
}

static void
in_down(void *ctx, struct link *l, int err)
{
    struct in_link *i = ctx;
    (void)l;
    i->net->refused[-err]++;
    in_free(i);
}

static const struct link_ops in_ops = {in_up, in_frames, in_down};

static int
client_place(struct net *n, struct in_link *i)
{
    int err = relay_client_open(n->daemon->relay, &i->client);
    if (err)
        return err;
    if (i->client >= n->clients_room) {
        size_t room = n->clients_room ? 2 * n->clients_room : 64;
        struct in_link **more = realloc(n->clients, room * sizeof *more);
        if (!more) {
            relay_client_close(n->daemon->relay, i->client);
            return ERR_NOMEM;
        }
        memset(more + n->clients_room, 0,
               (room - n->clients_room) * sizeof *more);
        n->clients = more;
        n->clients_room = room;
    }
    n->clients[i->client] = i;
    n->n_clients++;
    i->is_client = true;
    return 0;
}

/* Is it a relay of any consensus in use? */
static bool
peer_is_known(const struct daemon *d, const uint8_t *peer)
{
    for (size_t i = 0; i < DAEMON_VIEWS; i++)
        if (d->view[i].consensus &&
            consensus_find(d->view[i].consensus, peer) >= 0)
            return true;
    return false;
}

static void
net_accept(void *ctx, struct link *l, const uint8_t *peer)
{
    struct net *n = ctx;
    struct in_link *i = calloc(1, sizeof *i);
    int err = i ? 0 : ERR_NOMEM;
    if (!err) {
        i->net = n;
        i->link = l;
        if (!peer)
            err = client_place(n, i);
        else if (!peer_is_known(n->daemon, peer))
            err = ERR_PEER;
        else if (n->n_ins - n->n_clients >= IN_MAX)
            err = ERR_FULL;
        else
            relay_peer_init(&i->peer, peer);
    }
    if (err) {
        n->refused[-err]++;
        free(i);
        link_free(&l);
        return;
    }
    i->at = &n->ins;
    i->next = n->ins;
    if (i->next)
        i->next->at = &i->next;
    n->ins = i;
    n->n_ins++;
    link_set_owner(l, &in_ops, i);
}

/* ---- sending ---- */

/* To a relay, over its link. */
static int
relay_send(struct daemon *d, struct env_dest to, const uint8_t *frame)
{
    const struct daemon_view *v = daemon_view_of(d, to.epoch);
    if (!v || to.id >= v->consensus->n_relays || !v->out[to.id])
        return ERR_RELAY;
    struct out_link *o = v->out[to.id];
    return o->up ? link_send(o->link, frame) : ERR_CLOSED;
}

#ifdef BRUSIO_DEBUG
/* Test builds drop packets on request; clients' links are left alone, so that
 * a loss shows as the network's. */
static bool
fault_drops(struct daemon *d)
{
    return d->config->fault_drop_permille > 0 &&
           rng_below(&d->host.env, 1000) <
               (uint64_t)d->config->fault_drop_permille;
}

/* And hold them back by a constant time, so that order is kept. */
struct delayed {
    struct delayed *next;
    uint64_t due_us;
    struct env_dest to;
    uint8_t frame[];
};

static void
delayed_send(void *ctx)
{
    struct net *n = ctx;
    uint64_t now_us = loop_now_us(n->daemon->host.loop);
    while (n->delayed && n->delayed->due_us <= now_us) {
        struct delayed *x = n->delayed;
        n->delayed = x->next;
        (void)!relay_send(n->daemon, x->to, x->frame);
        free(x);
    }
    if (n->delayed)
        loop_timer_at(n->delay_timer, n->delayed->due_us);
}

static int
delayed_add(struct net *n, struct env_dest to, const uint8_t *frame)
{
    struct delayed **at = &n->delayed;
    struct delayed *x = malloc(sizeof *x + n->config.frame_len);
    if (!x)
        return ERR_NOMEM;
    *x = (struct delayed){
        .due_us = loop_now_us(n->daemon->host.loop) +
                  (uint64_t)n->daemon->config->fault_delay_ms * 1000,
        .to = to};
    memcpy(x->frame, frame, n->config.frame_len);
    if (!n->delayed)
        loop_timer_at(n->delay_timer, x->due_us);
    while (*at)
        at = &(*at)->next;
    *at = x;
    return 0;
}
#endif

int
net_send(struct env *env, struct env_dest to, const uint8_t *frame, size_t len)
{
    struct daemon *d = ((struct host *)env)->owner;
    struct net *n = d->net;
    if (len != n->config.frame_len)
        return ERR_LONG;
    if (to.kind == ENV_TO_CLIENT) {
        struct in_link *i = to.id < n->clients_room ? n->clients[to.id] : NULL;
        return i ? link_send(i->link, frame) : ERR_CLOSED;
    }
#ifdef BRUSIO_DEBUG
    if (fault_drops(d))
        return 0;
    if (d->config->fault_delay_ms > 0)
        return delayed_add(n, to, frame);
#endif
    return relay_send(d, to, frame);
}

/* ---- life ---- */

static int
listen_at(struct net *n, const char *address)
{
    struct daemon *d = n->daemon;
    return listener_new(&n->listener, d->host.loop, n->tls, &n->config, address,
                        IN_MAX + (uint32_t)d->config->clients_max, net_accept,
                        n);
}

/* With port 0 the port of the last life is taken again when it is free: the
 * consensus in use names it (I9). */
static int
net_listen(struct net *n)
{
    struct daemon *d = n->daemon;
    const char *listen = d->config->listen;
    size_t len = strlen(listen);
    char path[FILES_PATH_MAX];
    uint8_t *before;
    size_t before_len;
    if (len < 2 || strcmp(listen + len - 2, ":0") != 0)
        return listen_at(n, listen);
    int err = files_path(path, d->dir, "bound");
    if (err)
        return err;
    err = files_read(path, ADDRESS_TEXT_MAX, &before, &before_len);
    if (!err) {
        err = strncmp((char *)before, listen, len - 1) == 0
                  ? listen_at(n, (char *)before)
                  : ERR_CONFLICT;
        free(before);
    }
    if (!err)
        return 0;
    err = listen_at(n, listen);
    if (!err)
        err = files_write(path, listener_address(n->listener),
                          strlen(listener_address(n->listener)));
    return err;
}

/* What one block of addresses may take: a gateway's clients behind one
 * provider's translation are many, but not half of all. */
static int
net_limits(struct net *n)
{
    struct daemon *d = n->daemon;
    uint8_t key[16];
    uint32_t half = (uint32_t)d->config->clients_max / 2;
    env_random_crypto(&d->host.env, key, sizeof key);
    const struct blocks_config config = {
        .links_max = half > BLOCK_LINKS ? half : BLOCK_LINKS,
        .per_minute = BLOCK_HANDSHAKES,
        .burst = BLOCK_BURST,
        .entries = BLOCK_ENTRIES,
        .hash_key = key};
    int err = blocks_new(&n->blocks, &config);
    n->config.blocks = n->blocks;
    sodium_memzero(key, sizeof key);
    return err;
}

int
net_new(struct net **out, struct daemon *d)
{
    struct net *n = calloc(1, sizeof *n);
    *out = NULL;
    if (!n)
        return ERR_NOMEM;
    n->daemon = d;
    n->config = (struct link_config){
        .frame_len = d->network.geometry.packet_len, .queue_max = QUEUE_FRAMES};
    int err = net_limits(n);
    if (!err)
        err = tls_new(&n->tls, d->identity_seed);
    if (!err)
        err = net_listen(n);
#ifdef BRUSIO_DEBUG
    if (!err)
        err = loop_timer_new(d->host.loop, delayed_send, n, &n->delay_timer);
#endif
    if (err) {
        net_free(&n);
        return err;
    }
    *out = n;
    return 0;
}

void
net_free(struct net **np)
{
    struct net *n = *np;
    *np = NULL;
    if (!n)
        return;
    listener_free(&n->listener);
    while (n->ins)
        in_free(n->ins);
    while (n->outs) {
        struct out_link *o = n->outs;
        n->outs = o->next;
        link_free(&o->link);
        free(o);
    }
#ifdef BRUSIO_DEBUG
    loop_timer_free(&n->delay_timer);
    while (n->delayed) {
        struct delayed *x = n->delayed;
        n->delayed = x->next;
        free(x);
    }
#endif
    tls_free(&n->tls);
    blocks_free(&n->blocks);
    free(n->clients);
    free(n);
}

const char *
net_address(const struct net *n)
{
    return listener_address(n->listener);
}

void
net_status(const struct net *n, struct net_status *out)
{
    const uint64_t *refused = listener_refused(n->listener);
    *out = (struct net_status){.in = n->n_ins - n->n_clients,
                               .clients = n->n_clients};
    for (const struct out_link *o = n->outs; o; o = o->next) {
        out->out++;
        out->out_up += o->up;
    }
    for (size_t i = 0; i < ERROR_COUNT; i++)
        out->refused[i] = n->refused[i] + refused[i];
}
