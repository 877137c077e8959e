/* relay/daemon/worker.c - a worker's life, and calls to it.
 *
 * States: made, connected, running (its loop turns on its thread; worker 0's on
 * the main one), stopped, freed. Consensuses are taken up in any of the first
 * three. Failure modes: no thread, no memory (the relay does not start). */
#include "relay/daemon/worker.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/os/system.h"
#include "relay/daemon/daemon.h"

enum { LINKS_US = 250000, NAP_US = 1000 };

/* ---- environment ---- */

static void
worker_tick(void *ctx)
{
    struct worker *w = ctx;
    if (w->relay)
        relay_tick(w->relay);
}

static void
worker_store(struct env *env, struct env_store_req *req)
{
    storage_request(((struct worker *)((struct host *)env)->owner)->storage,
                    req);
}

static void
worker_timer(void *ctx)
{
    struct worker *w = ctx;
    links_upkeep(w->links);
    loop_timer_at(w->timer, loop_now_us(w->host->loop) + LINKS_US);
}

/* ---- life ---- */

int
worker_init(struct worker *w, struct relay_daemon *d, uint32_t number,
            const struct relay_config *config)
{
    int err = 0;
    *w = (struct worker){.daemon = d, .number = number};
    w->host = number == 0 ? &d->host : &w->own;
    if (number > 0)
        err = host_init(w->host, worker_tick, w);
    if (err)
        return err;
    w->host->owner = w;
    w->host->ops.send = links_send;
    if (settings_role(d->config) == ROLE_STORE)
        w->host->ops.store = worker_store;
    if (number == 0) {
        struct relay_config own = *config;
        own.env = &w->host->env;
        err = relay_new(&w->relay, &own);
    } else
        err =
            relay_worker(&w->relay, d->worker[0].relay, number, &w->host->env);
    if (!err)
        err = loop_timer_new(w->host->loop, worker_timer, w, &w->timer);
    return err;
}

int
worker_connect(struct worker *w, struct net_shared *shared)
{
    int err = links_new(&w->links, w, shared);
    if (!err)
        loop_timer_at(w->timer, loop_now_us(w->host->loop) + LINKS_US);
    return err;
}

void
worker_disconnect(struct worker *w)
{
    for (size_t i = 0; i < DAEMON_VIEWS; i++)
        links_view_drop(&w->view[i]);
    links_free(&w->links);
}

static void *
worker_thread(void *ctx)
{
    struct worker *w = ctx;
    bool told = false;
    /* the main thread counts on it to answer until it is told to stop */
    for (int err; (err = loop_run(w->host->loop)) != 0; usleep(NAP_US)) {
        if (!told)
            log_write(&w->daemon->host.log, LOG_ERROR, "relay",
                      "worker %u: %s; it goes on trying", w->number,
                      system_reason(err));
        told = true;
    }
    return NULL;
}

int
worker_start(struct worker *w)
{
    if (w->number == 0)
        return 0;
    const int failed = pthread_create(&w->thread, NULL, worker_thread, w);
    if (failed)
        return system_error_of(failed);
    w->runs = true;
    return 0;
}

void
worker_stop(struct worker *w)
{
    if (!w->runs)
        return;
    loop_stop(w->host->loop);
    pthread_join(w->thread, NULL);
    w->runs = false;
}

void
worker_free(struct worker *w)
{
    loop_timer_free(&w->timer);
    relay_free(&w->relay);
    storage_port_free(&w->storage);
    if (w->number > 0)
        host_free(&w->own);
}

/* ---- calls ---- */

struct worker_task {
    struct worker *worker;
    worker_fn fn;
    void *ctx;
    pthread_mutex_t mutex;
    pthread_cond_t over;
    bool done;
    int result;
};

static void
call_run(void *ctx)
{
    struct worker_task *c = ctx;
    int result = c->fn(c->worker, c->ctx);
    pthread_mutex_lock(&c->mutex);
    c->result = result;
    c->done = true;
    pthread_cond_signal(&c->over);
    pthread_mutex_unlock(&c->mutex);
}

int
worker_call(struct worker *w, worker_fn fn, void *ctx)
{
    struct worker_task c = {.worker = w,
                            .fn = fn,
                            .ctx = ctx,
                            .mutex = PTHREAD_MUTEX_INITIALIZER,
                            .over = PTHREAD_COND_INITIALIZER};
    struct loop_note note = {0};
    if (!w->runs)
        return fn(w, ctx);
    loop_post_note(w->host->loop, &note, call_run, &c);
    pthread_mutex_lock(&c.mutex);
    while (!c.done)
        pthread_cond_wait(&c.over, &c.mutex);
    pthread_mutex_unlock(&c.mutex);
    pthread_cond_destroy(&c.over);
    pthread_mutex_destroy(&c.mutex);
    return c.result;
}

/* ---- consensus ---- */

int
worker_consensus(struct worker *w, const struct daemon_view *v,
                 const uint8_t *seed)
{
    const struct consensus *c = v->consensus;
    struct worker_view *at = &w->view[c->epoch % DAEMON_VIEWS], old = *at;
    struct worker_view made = {.consensus = c};
    int err = links_view(w->links, &made, v->owner);
    if (!err)
        err = relay_set_consensus(w->relay, c, seed, v->owner);
    if (err && err != ERR_NOT_FOUND) {
        links_view_drop(&made);
        return err;
    }
    if (err && old.consensus)
        relay_forget(w->relay, old.consensus->epoch);
    *at = made;
    links_view_drop(&old);
    return err;
}

void
worker_forget(struct worker *w, uint32_t epoch)
{
    struct worker_view *v = &w->view[epoch % DAEMON_VIEWS];
    relay_forget(w->relay, epoch);
    if (v->consensus && v->consensus->epoch == epoch)
        links_view_drop(v);
}
