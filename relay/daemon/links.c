/* relay/daemon/links.c - the links of one worker.
 *
 * Those to relays are in outs.c; links from others are accepted from relays of the
 * consensuses in use, and, at a gateway, from clients. Both ends check identities
 * before a frame is looked at.
 *
 * State: the list of links from others. Timers: the worker's, four times a second; one
 * for links paused by the rate.
 *
 * Failure modes: a peer that is slow or silent (its link is closed); more
 * frames than the rate lets through (reading stops for a while); no place for a
 * client (another gives way, or the connection is closed). */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/blocks.h"
#include "lib/os/lobby.h"
#include "lib/os/socket.h"
#include "relay/daemon/daemon.h"
#include "relay/daemon/fault.h"
#include "relay/daemon/outs.h"
#include "relay/daemon/peers.h"

enum {
    LOBBY_RELAYS = 4096, /* that may all come at once */
    LOBBY_MIN = 16,
    STALLED_US = SOCKET_SILENT_S * 1000000, /* who takes nothing so long goes */
    IDLE_CLIENT_US = 120000000, /* one that sends nothing; clients always do */
    IDLE_RELAY_US = 1800000000,
    LOOK_US = 1000000
};

struct in_link {
    struct links *links;
    struct in_link *next, **at;
    struct link *link;
    bool is_client;
    uint32_t client;
    uint64_t ticket; /* a relay's, in shared->peers */
    struct relay_peer peer;
};

struct links {
    struct worker *worker;
    struct net_shared *shared;
    struct lobby *lobby;
    struct outs outs; /* to relays */
    struct in_link *ins;
    struct in_link **clients; /* by the relay's number for them */
    size_t clients_room, n_clients;
    _Atomic bool idles; /* somebody here would give way, a second ago */
    uint64_t look_us;
    bool pauses; /* some link is paused, until the next upkeep */
    bool closed;
    uint64_t frames;           /* in and out */
    struct loop_timer *resume; /* those paused by the rate */
    _Atomic uint32_t n_ins, arriving;
#ifdef BRUSIO_DEBUG
    struct fault *fault;
#endif
    uint64_t refused[ERROR_COUNT];
};

/* ---- out ---- */

int
links_view(struct links *l, struct worker_view *v, const uint8_t *owner)
{
    const struct outs_part part = {
        .self = consensus_find(v->consensus, l->worker->daemon->identity),
        .owner = owner,
        .worker = l->worker->number,
    };
    const int err = outs_view(&l->outs, v->consensus, &part, &v->out);
    if (err)
        links_view_drop(v);
    else
        links_upkeep(l);
    return err;
}

void
links_view_drop(struct worker_view *v)
{
    if (v->consensus)
        outs_view_drop(v->out, v->consensus->n_relays);
    *v = (struct worker_view){0};
}

/* ---- in ---- */

static void
in_free(struct in_link *i)
{
    struct links *l = i->links;
    *i->at = i->next;
    if (i->next)
        i->next->at = i->at;
    atomic_fetch_sub(&l->n_ins, 1);
    if (i->is_client) {
        l->clients[i->client] = NULL;
        l->n_clients--;
        relay_client_close(l->worker->relay, i->client);
    } else
        peers_leave(l->shared->peers, i->peer.identity, i->ticket);
    link_free(&i->link);
    free(i);
}

static void
ins_free(struct links *l)
{
    for (struct in_link *i = l->ins, *next; i; i = next) {
        next = i->next;
        in_free(i);
    }
}

static void
in_up(void *ctx, struct link *l, const uint8_t *peer)
{
    (void)ctx;
    (void)l;
    (void)peer;
}

/* Count n frames that have come. Beyond the rate nothing more is read for a
 * while, and the senders' kernels hold back the rest. Nothing is dropped
 * here. */
static void
rate_take(struct in_link *i, size_t n)
{
    struct net_rate *r = &i->links->shared->rate;
    struct loop *loop = i->links->worker->host->loop;
    if (r->each_ns == 0)
        return;
    const uint64_t now_ns = loop_now_us(loop) * 1000;
    uint64_t was = atomic_load(&r->full_ns), full_ns;
    do
        full_ns = (was > now_ns ? was : now_ns) + n * r->each_ns;
    while (!atomic_compare_exchange_weak(&r->full_ns, &was, full_ns));
    if (full_ns <= now_ns + r->room_ns)
        return;
    link_pause(i->link, true);
    loop_timer_at(i->links->resume, (full_ns - r->room_ns) / 1000);
}

/* Set how far ahead frames may be sent to a client, which may have told its
 * profile. */
static void
client_set_ahead(struct in_link *i)
{
    const struct relay *r = i->links->worker->relay;
    link_set_ahead(i->link, relay_client_ahead(r, i->client));
}

static void
in_frames(void *ctx, struct link *l, uint8_t *frames, size_t count)
{
    struct in_link *i = ctx;
    struct worker *w = i->links->worker;
    (void)l;
    i->links->frames += count;
    rate_take(i, count);
    if (!i->is_client) {
        relay_frames(w->relay, &i->peer, frames, count);
        return;
    }
    if (!relay_client_frames(w->relay, i->client, frames, count)) {
        link_pause(i->link, true); /* its own kernel holds the rest back */
        i->links->pauses = true;
    }
    client_set_ahead(i);
}

static void
in_down(void *ctx, struct link *l, int err)
{
    struct in_link *i = ctx;
    (void)l;
    i->links->refused[-err]++;
    in_free(i);
}

static const struct link_ops in_ops = {in_up, in_frames, in_down};

/* Note whether a client of this worker would give way to a newcomer. */
static void
idlers_look(struct links *l)
{
    uint32_t unused;
    atomic_store(&l->idles, relay_client_idler(l->worker->relay, &unused));
}

/* Open a place for a client; another one that no answer goes to gives way. */
static int
client_open(struct links *l, uint32_t *client)
{
    struct relay *relay = l->worker->relay;
    uint32_t idler;
    int err = relay_client_open(relay, client);
    if (err != ERR_FULL || !relay_client_idler(relay, &idler))
        return err;
    l->refused[-ERR_TIMEOUT]++;
    in_free(l->clients[idler]);
    idlers_look(l);
    return relay_client_open(relay, client);
}

static int
client_place(struct links *l, struct in_link *i)
{
    struct relay *relay = l->worker->relay;
    int err = client_open(l, &i->client);
    if (err)
        return err;
    if (i->client >= l->clients_room) {
        size_t room = l->clients_room ? 2 * l->clients_room : 64;
        struct in_link **more = realloc(l->clients, room * sizeof *more);
        if (!more) {
            relay_client_close(relay, i->client);
            return ERR_NOMEM;
        }
        memset(more + l->clients_room, 0,
               (room - l->clients_room) * sizeof *more);
        l->clients = more;
        l->clients_room = room;
    }
    l->clients[i->client] = i;
    l->n_clients++;
    i->is_client = true;
    client_set_ahead(i);
    return 0;
}

/* Is this the identity of a relay of any consensus in use? */
static bool
peer_is_known(const struct worker *w, const uint8_t *peer)
{
    for (size_t i = 0; i < DAEMON_VIEWS; i++)
        if (w->view[i].consensus &&
            consensus_find(w->view[i].consensus, peer) >= 0)
            return true;
    return false;
}

/* The link with this ticket is to go: its relay has a newer one. */
struct retirement {
    struct links *links;
    uint64_t ticket;
};

static void
link_retire(void *ctx)
{
    struct retirement *r = ctx;
    struct in_link *i = r->links->ins;
    while (i && (i->is_client || i->ticket != r->ticket))
        i = i->next;
    if (i) {
        r->links->refused[-ERR_DUPLICATE]++;
        in_free(i);
    }
    free(r);
}

static int
peer_place(struct links *l, struct in_link *i, const uint8_t *peer)
{
    struct peers_link old;
    if (!peer_is_known(l->worker, peer))
        return ERR_PEER;
    struct retirement *r = malloc(sizeof *r);
    if (!r)
        return ERR_NOMEM;
    int err = peers_enter(l->shared->peers, peer, l->worker->number, &i->ticket,
                          &old);
    if (!err)
        relay_peer_init(&i->peer, peer);
    if (err || old.ticket == 0) {
        free(r);
        return err;
    }
    struct worker *w = &l->worker->daemon->worker[old.worker];
    *r = (struct retirement){w->links, old.ticket};
    if (loop_post(w->host->loop, link_retire, r))
        free(r); /* no memory: the old one stays until it is idle */
    return 0;
}

static void
in_accept(void *ctx, struct link *link, const uint8_t *peer)
{
    struct links *l = ctx;
    if (peer && memcmp(peer, l->worker->daemon->identity, SPHINX_ID_LEN) == 0) {
        link_free(&link); /* it is this relay, trying its own address */
        return;
    }
    struct in_link *i = calloc(1, sizeof *i);
    int err = i ? 0 : ERR_NOMEM;
    if (!err) {
        i->links = l;
        i->link = link;
        if (!peer)
            err = client_place(l, i);
        else
            err = peer_place(l, i, peer);
    }
    if (err) {
        l->refused[-err]++;
        free(i);
        link_free(&link);
        return;
    }
    i->at = &l->ins;
    i->next = l->ins;
    if (i->next)
        i->next->at = &i->next;
    l->ins = i;
    atomic_fetch_add(&l->n_ins, 1);
    link_set_owner(link, &in_ops, i);
}

/* A connection on its way from the thread that accepted it. */
struct link_arrival {
    struct links *links;
    int fd;
    uint32_t block;
};

static void
arrival_enter(void *ctx)
{
    struct link_arrival *a = ctx;
    struct links *l = a->links;
    int err = lobby_enter(l->lobby, a->fd, a->block);
    if (err) {
        l->refused[-err]++;
        close(a->fd);
        blocks_give(l->shared->in.blocks, a->block);
    }
    atomic_fetch_sub(&l->arriving, 1);
    free(a);
}

int
links_arrive(struct links *l, int fd, uint32_t block)
{
    if (!l->worker->runs)
        return lobby_enter(l->lobby, fd, block);
    struct link_arrival *a = malloc(sizeof *a);
    if (!a)
        return ERR_NOMEM;
    *a = (struct link_arrival){l, fd, block};
    atomic_fetch_add(&l->arriving, 1);
    int err = loop_post(l->worker->host->loop, arrival_enter, a);
    if (err) {
        atomic_fetch_sub(&l->arriving, 1);
        free(a);
    }
    return err;
}

uint32_t
links_load(const struct links *l)
{
    return l->n_ins + l->arriving + lobby_count(l->lobby);
}

bool
links_idle(const struct links *l)
{
    return atomic_load(&l->idles);
}

/* ---- upkeep ---- */

static void
links_resume(void *ctx)
{
    struct links *l = ctx;
    l->pauses = false;
    for (struct in_link *i = l->ins; i; i = i->next)
        link_pause(i->link, false);
}

void
links_close(struct links *l, bool closed)
{
    l->closed = closed;
    if (!closed)
        return;
    ins_free(l);
    outs_close(&l->outs);
}

/* Close the links of slow and silent peers. What they were to get is lost, as
 * it would be anyway; a relay that is well again connects again. */
static void
peers_look(struct links *l, uint64_t now_us)
{
    if (now_us < l->look_us)
        return;
    l->look_us = now_us + LOOK_US;
    idlers_look(l);
    for (struct in_link *i = l->ins, *next; i; i = next) {
        uint64_t idle_us = i->is_client ? IDLE_CLIENT_US : IDLE_RELAY_US;
        next = i->next;
        if (link_stalled_us(i->link, now_us) < STALLED_US &&
            link_idle_us(i->link, now_us) < idle_us)
            continue;
        l->refused[-ERR_TIMEOUT]++;
        in_free(i);
    }
    outs_look(&l->outs, now_us);
}

void
links_upkeep(struct links *l)
{
    uint64_t now_us = loop_now_us(l->worker->host->loop);
    peers_look(l, now_us);
    if (l->pauses)
        links_resume(l);
    outs_upkeep(&l->outs, !l->closed);
}

/* ---- sending ---- */

/* Send a frame to a relay, over its link. */
static int
relay_send(struct worker *w, struct env_dest to, const uint8_t *frame)
{
    const struct worker_view *v = &w->view[to.epoch % DAEMON_VIEWS];
    if (!v->consensus || v->consensus->epoch != to.epoch ||
        to.id >= v->consensus->n_relays || !v->out[to.id])
        return ERR_RELAY;
    return outs_send(v->out[to.id], frame);
}

int
links_send(struct env *env, struct env_dest to, const uint8_t *frame,
           size_t len)
{
    struct worker *w = ((struct host *)env)->owner;
    struct links *l = w->links;
    if (len != l->shared->out.frame_len)
        return ERR_LONG;
    if (to.kind == ENV_TO_CLIENT) {
        struct in_link *i = to.id < l->clients_room ? l->clients[to.id] : NULL;
        l->frames++;
        return i ? link_send(i->link, frame) : ERR_CLOSED;
    }
#ifdef BRUSIO_DEBUG
    int err = 0;
    if (fault_takes(l->fault, to, frame, &err))
        return err;
#endif
    l->frames++;
    return relay_send(w, to, frame);
}

/* ---- life ---- */

int
links_new(struct links **out, struct worker *w, struct net_shared *shared)
{
    struct links *l = calloc(1, sizeof *l);
    *out = NULL;
    if (!l)
        return ERR_NOMEM;
    l->worker = w;
    l->shared = shared;
    l->outs = (struct outs){.loop = w->host->loop,
                            .tls = shared->tls,
                            .config = &shared->out,
                            .refused = l->refused};
    const struct memory_plan *memory = &w->daemon->memory;
    uint32_t lobby = (LOBBY_RELAYS + memory->clients) / 8;
    if (lobby > memory->handshakes)
        lobby = memory->handshakes;
    lobby /= w->daemon->n_workers;
    int err = lobby_new(&l->lobby, w->host->loop, shared->tls, &shared->in,
                        lobby > LOBBY_MIN ? lobby : LOBBY_MIN, in_accept, l);
    if (!err)
        err = loop_timer_new(w->host->loop, links_resume, l, &l->resume);
#ifdef BRUSIO_DEBUG
    if (!err)
        err = fault_new(&l->fault, w, relay_send);
#endif
    if (err)
        links_free(&l);
    *out = l;
    return err;
}

void
links_free(struct links **lp)
{
    struct links *l = *lp;
    *lp = NULL;
    if (!l)
        return;
    lobby_free(&l->lobby);
    loop_timer_free(&l->resume);
    ins_free(l);
    outs_free(&l->outs);
#ifdef BRUSIO_DEBUG
    fault_free(&l->fault);
#endif
    free(l->clients);
    free(l);
}

void
links_status(const struct links *l, struct net_status *sum)
{
    const uint64_t *failed = lobby_refused(l->lobby);
    sum->frames += l->frames;
    sum->in += l->n_ins - l->n_clients;
    sum->clients += l->n_clients;
    outs_count(&l->outs, &sum->out, &sum->out_up);
    for (size_t i = 0; i < ERROR_COUNT; i++)
        sum->refused[i] += l->refused[i] + failed[i];
}
