/* relay/daemon/workers.c - what the main thread does with all workers, one
 * after the other: make them, give them consensuses and documents, gather their
 * counts, let them drain, stop them.
 *
 * Each step is a worker_call(): the main thread waits for the worker, so none
 * of this may take long. Worker 0, which is on the main thread, is asked first.
 *
 * State: the daemon's array of workers. Timers: none. Failure modes: a worker
 * does not start (the relay does not); a worker cannot take up a consensus (all
 * that have taken it up forget it, and the one before stays in use). */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "relay/daemon/daemon.h"

enum { WORKERS_AUTO_MAX = 8 };

/* An automatic number is that of the processors that this process may use. */
uint32_t
workers_count(const struct relay_daemon *d)
{
    cpu_set_t set;
    int n = 1;
    if (d->config->workers > 0)
        return (uint32_t)d->config->workers;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        n = CPU_COUNT(&set);
    return (uint32_t)(n < WORKERS_AUTO_MAX ? n : WORKERS_AUTO_MAX);
}

int
workers_new(struct relay_daemon *d, const struct relay_config *config)
{
    struct relay_config own = *config;
    own.workers = workers_count(d);
    d->worker = calloc(own.workers, sizeof *d->worker);
    if (!d->worker)
        return ERR_NOMEM;
    int err = 0;
    for (uint32_t i = 0; i < own.workers && !err; i++) {
        d->n_workers++;
        err = worker_init(&d->worker[i], d, i, &own);
    }
    d->relay = d->worker[0].relay;
    return err;
}

int
workers_start(struct relay_daemon *d)
{
    int err = 0;
    for (uint32_t i = 0; i < d->n_workers && !err; i++)
        err = worker_start(&d->worker[i]);
    return err;
}

void
workers_stop(struct relay_daemon *d)
{
    for (uint32_t i = 0; i < d->n_workers; i++)
        worker_stop(&d->worker[i]);
}

void
workers_free(struct relay_daemon *d)
{
    d->relay = NULL;
    for (uint32_t i = d->n_workers; i-- > 0;)
        worker_free(&d->worker[i]);
    free(d->worker);
    d->worker = NULL;
    d->n_workers = 0;
}

/* ---- consensus ---- */

struct taking {
    const struct daemon_view *view;
    const uint8_t *seed;
};

static int
take_up(struct worker *w, void *ctx)
{
    const struct taking *t = ctx;
    return worker_consensus(w, t->view, t->seed);
}

static int
let_go(struct worker *w, void *ctx)
{
    worker_forget(w, *(const uint32_t *)ctx);
    return 0;
}

int
workers_consensus(struct relay_daemon *d, const struct daemon_view *v,
                  const uint8_t *seed)
{
    struct taking t = {v, seed};
    uint32_t epoch = v->consensus->epoch;
    int err = 0;
    for (uint32_t i = 0; i < d->n_workers; i++) {
        err = worker_call(&d->worker[i], take_up, &t);
        if (err && err != ERR_NOT_FOUND)
            break;
    }
    if (err && err != ERR_NOT_FOUND)
        for (uint32_t i = 0; i < d->n_workers; i++)
            (void)worker_call(&d->worker[i], let_go, &epoch);
    return err;
}

/* A worker that has no link to anybody yet counts as one with none. */
uint8_t *
workers_owners(const struct relay_daemon *d, const struct daemon_view *before,
               const struct consensus *c)
{
    uint32_t links[RELAY_WORKERS_MAX] = {0};
    uint8_t *owner = calloc(c->n_relays + 1, 1);
    int self = consensus_find(c, d->identity);
    const int was_self =
        before ? consensus_find(before->consensus, d->identity) : -1;
    if (!owner)
        return NULL;
    for (int known = 1; known >= 0; known--) /* those that have one, then new */
        for (size_t i = 0; self >= 0 && i < c->n_relays; i++) {
            if (!consensus_has_edge(c, c->relays[self].layer,
                                    c->relays[i].layer))
                continue;
            int was = was_self < 0 ? -1
                                   : consensus_find(before->consensus,
                                                    c->relays[i].identity);
            bool had =
                was >= 0 &&
                consensus_has_edge(before->consensus,
                                   before->consensus->relays[was_self].layer,
                                   before->consensus->relays[was].layer);
            if (had != (known == 1))
                continue;
            if (had)
                owner[i] = before->owner[was];
            for (uint32_t w = 0; !had && w < d->n_workers; w++)
                if (links[w] < links[owner[i]])
                    owner[i] = (uint8_t)w;
            links[owner[i]]++;
        }
    return owner;
}

struct workers_document {
    uint32_t epoch;
    const uint8_t *bytes;
    size_t len;
};

static int
document_set(struct worker *w, void *ctx)
{
    const struct workers_document *x = ctx;
    return relay_set_document(w->relay, x->epoch, x->bytes, x->len);
}

int
workers_document(struct relay_daemon *d, uint32_t epoch, const uint8_t *bytes,
                 size_t len)
{
    struct workers_document x = {epoch, bytes, len};
    int err = 0;
    for (uint32_t i = 0; i < d->n_workers && !err; i++)
        err = worker_call(&d->worker[i], document_set, &x);
    return err;
}

/* ---- the rest ---- */

static int
worker_drain(struct worker *w, void *ctx)
{
    (void)ctx;
    relay_drain(w->relay);
    return 0;
}

void
workers_drain(struct relay_daemon *d)
{
    for (uint32_t i = 0; i < d->n_workers; i++)
        (void)worker_call(&d->worker[i], worker_drain, NULL);
}

static int
port_make(struct worker *w, void *storage)
{
    return w->storage ? 0
                      : storage_port_new(&w->storage, storage, w->host->loop);
}

int
workers_storage(struct relay_daemon *d)
{
    int err = 0;
    for (uint32_t i = 0; i < d->n_workers && !err; i++)
        err = worker_call(&d->worker[i], port_make, d->storage);
    return err;
}

static int
stats_add(struct worker *w, void *ctx)
{
    relay_stats_add(ctx, relay_stats(w->relay));
    return 0;
}

void
workers_stats(struct relay_daemon *d, struct relay_stats *sum)
{
    *sum = (struct relay_stats){0};
    for (uint32_t i = 0; i < d->n_workers; i++)
        (void)worker_call(&d->worker[i], stats_add, sum);
}
