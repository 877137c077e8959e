/* relay/daemon/net.c - where a relay is reached: its certificate, its port,
 * what each block of addresses may take; connections are dealt out to the
 * workers.
 *
 * State: the listening port, and what all links share (struct net_shared): TLS,
 * budgets, the rate, one link for each relay. Timers: none; links are looked
 * after by their workers (links.c). Failure modes: the port is taken (the relay
 * does not start); no descriptors for a connection (refused, counted, told once
 * a minute); a block of addresses has its share (refused, counted). */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/blocks.h"
#include "lib/os/lobby.h"
#include "lib/os/socket.h"
#include "relay/daemon/daemon.h"
#include "relay/daemon/peers.h"

enum {
    QUEUE_RELAY = 1024, /* frames that wait for one */
    QUEUE_CLIENT = 2,   /* an answer and a piece of one turn */
    PEERS_MAX = 4096,   /* relays that send to this one */
    /* of one block of addresses: links at once, handshakes a minute */
    BLOCK_LINKS = 64,
    BLOCK_HANDSHAKES = 240,
    BLOCK_BURST = 120,
    BLOCK_ENTRIES = 8192,
    /* handshakes of all strangers: an eighth of a processor each worker */
    ALL_PER_S = 250,
    ALL_BURST = 500
};

struct net {
    struct relay_daemon *daemon;
    struct net_shared shared;
    struct listener *listener;
    struct blocks *blocks;
    bool closed;
};

/* Give a connection to the worker with the fewest: neighbours are few, and each
 * costs much. When a gateway is full, give it to a worker where somebody would
 * give way: else whoever idles at the others would keep a place, and newcomers
 * would come to where nobody gives way. */
static int
net_place(void *ctx, int fd, uint32_t block)
{
    const struct net *n = ctx;
    struct relay_daemon *d = n->daemon;
    if (n->closed)
        return ERR_QUOTA;
    const bool full = relay_clients_full(d->worker[0].relay);
    struct worker *least = &d->worker[0];
    for (uint32_t i = 1; i < d->n_workers; i++) {
        struct worker *w = &d->worker[i];
        const bool a = full && links_idle(w->links);
        const bool b = full && links_idle(least->links);
        if (a != b ? a : links_load(w->links) < links_load(least->links))
            least = w;
    }
    return links_arrive(least->links, fd, block);
}

/* Free a link that was accepted here: the port's own lobby stays empty. */
static void
net_accept(void *ctx, struct link *l, const uint8_t *peer)
{
    (void)ctx;
    (void)peer;
    link_free(&l);
}

static int
listen_at(struct net *n, const char *address)
{
    struct relay_daemon *d = n->daemon;
    int err = listener_new(&n->listener, d->host.loop, n->shared.tls,
                           &n->shared.in, address, 0, net_accept, n);
    if (!err)
        listener_spread(n->listener, net_place, n);
    return err;
}

/* Listen. With port 0 the port of the last life is taken again when it is free,
 * since the consensus in use names it (I9). */
static int
net_listen(struct net *n)
{
    struct relay_daemon *d = n->daemon;
    const char *listen = d->config->listen;
    size_t len = strlen(listen);
    uint8_t *before;
    size_t before_len;
    if (len < 2 || strcmp(listen + len - 2, ":0") != 0)
        return listen_at(n, listen);
    int err =
        files_read_in(d->dir, "bound", ADDRESS_TEXT_MAX, &before, &before_len);
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
        err = files_write_in(d->dir, "bound", listener_address(n->listener),
                             strlen(listener_address(n->listener)));
    return err;
}

static int
net_open(struct net *n)
{
    char why[SOCKET_WHY_LEN];
    const int err = net_listen(n);
    if (!err)
        return 0;
    socket_listen_why(why, err);
    log_write(&n->daemon->host.log, LOG_ERROR, "relay",
              "cannot listen on %s: %s", n->daemon->config->listen, why);
    return err;
}

/* Set what one block of addresses may take: a gateway's clients behind one
 * provider's translation are many, but not half of all. */
static int
net_limits(struct net *n)
{
    struct relay_daemon *d = n->daemon;
    uint8_t key[16];
    uint32_t half = d->memory.clients / 2;
    env_random_crypto(&d->host.env, key, sizeof key);
    const struct blocks_config config = {
        .links_max = half > BLOCK_LINKS ? half : BLOCK_LINKS,
        .per_minute = BLOCK_HANDSHAKES,
        .burst = BLOCK_BURST,
        .entries = BLOCK_ENTRIES,
        .all_per_s = ALL_PER_S * d->n_workers,
        .all_burst = ALL_BURST,
        .hash_key = key};
    int err = blocks_new(&n->blocks, &config);
    n->shared.in.blocks = n->blocks;
    sodium_memzero(key, sizeof key);
    return err;
}

static void
rate_set(struct net *n)
{
    const struct relay_settings *c = n->daemon->config;
    const uint64_t per_s = (uint64_t)c->rate * 1024;
    const uint64_t burst = c->burst ? (uint64_t)c->burst * 1024 : 2 * per_s;
    if (per_s == 0)
        return;
    n->shared.rate.each_ns = n->shared.in.frame_len * 1000000000 / per_s;
    n->shared.rate.room_ns = burst * 1000000000 / per_s;
}

int
net_new(struct net **out, struct relay_daemon *d)
{
    struct net *n = calloc(1, sizeof *n);
    *out = NULL;
    if (!n)
        return ERR_NOMEM;
    n->daemon = d;
    struct net_shared *shared = &n->shared;
    const size_t frame_len = d->network.geometry.packet_len;
    /* what clients do not take is bounded apart from what relays do not */
    shared->in_budget.max = shared->out_budget.max = d->memory.queued_len / 2;
    shared->in = (struct link_config){.frame_len = frame_len,
                                      .queue_max = QUEUE_CLIENT,
                                      .budget = &shared->in_budget};
    shared->out = (struct link_config){.frame_len = frame_len,
                                       .queue_max = QUEUE_RELAY,
                                       .budget = &shared->out_budget};
    rate_set(n);
    int err = net_limits(n);
    if (!err)
        err = peers_new(&n->shared.peers, PEERS_MAX);
    if (!err)
        err = tls_new(&n->shared.tls, d->identity_seed);
    for (uint32_t i = 0; i < d->n_workers && !err; i++)
        err = worker_connect(&d->worker[i], &n->shared);
    if (!err)
        err = net_open(n);
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
    for (uint32_t i = 0; i < n->daemon->n_workers; i++)
        worker_disconnect(&n->daemon->worker[i]);
    peers_free(&n->shared.peers);
    tls_free(&n->shared.tls);
    blocks_free(&n->blocks);
    free(n);
}

int
net_favour(struct net *n, const struct consensus *c)
{
    const size_t max = c->n_relays * ADDRESSES_MAX;
    struct sockaddr_storage *at = calloc(max + 1, sizeof *at);
    size_t made = 0;
    socklen_t len;
    if (!at)
        return ERR_NOMEM;
    for (size_t i = 0; i < c->n_relays; i++)
        for (size_t k = 0; k < c->relays[i].n_addresses; k++)
            made +=
                address_parse(&at[made], &len, c->relays[i].addresses[k]) == 0;
    int err = blocks_favour(n->blocks, at, made);
    free(at);
    return err;
}

const char *
net_address(const struct net *n)
{
    return listener_address(n->listener);
}

uint64_t
net_starved(const struct net *n)
{
    return listener_refused(n->listener, ERR_SYSTEM);
}

static int
worker_close(struct worker *w, void *closed)
{
    links_close(w->links, *(const bool *)closed);
    return 0;
}

void
net_close(struct net *n, bool closed)
{
    n->closed = closed;
    for (uint32_t i = 0; i < n->daemon->n_workers; i++)
        (void)worker_call(&n->daemon->worker[i], worker_close, &closed);
}

int
net_probe(struct net *n, struct link **out, const char *address,
          const struct link_ops *ops, void *ctx)
{
    return link_connect(out, n->daemon->host.loop, n->shared.tls,
                        &n->shared.out, address, n->daemon->identity, ops, ctx);
}

static int
worker_status(struct worker *w, void *sum)
{
    links_status(w->links, sum);
    return 0;
}

void
net_status(const struct net *n, struct net_status *out)
{
    struct relay_daemon *d = n->daemon;
    *out = (struct net_status){0};
    for (uint32_t i = 0; i < d->n_workers; i++)
        (void)worker_call(&d->worker[i], worker_status, out);
    for (int i = 1; i < ERROR_COUNT; i++)
        out->refused[i] += listener_refused(n->listener, -i);
}
