/* lib/os/storage.c - a list of what waits, a thread, and for each loop a list
 * of what is done; all under one mutex.
 *
 * A request's states: waiting, being carried out, done (in the list of its
 * port, which the port's loop empties). */
#include "lib/os/storage.h"
#include "lib/os/system.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum { PORTS_MAX = 256 };

struct list {
    struct env_store_req *head, **end;
};

struct storage_port {
    struct storage *storage;
    struct loop *loop;
    struct loop_note
        note; /* under way: the loop knows that something is done */
    struct list done;
};

struct storage {
    storage_run_fn run;
    void *ctx;
    uint32_t max, count, n_ports;
    pthread_mutex_t mutex;
    pthread_cond_t more;
    pthread_t thread;
    struct list waiting;
    struct storage_port *port[PORTS_MAX];
    bool stop;
};

static void
list_clear(struct list *l)
{
    l->head = NULL;
    l->end = &l->head;
}

static void
list_append(struct list *l, struct env_store_req *req)
{
    req->next = NULL;
    *l->end = req;
    l->end = &req->next;
}

/* On the loop. */
static void
port_reap(void *ctx)
{
    struct storage_port *p = ctx;
    pthread_mutex_lock(&p->storage->mutex);
    struct env_store_req *req = p->done.head;
    list_clear(&p->done);
    pthread_mutex_unlock(&p->storage->mutex);
    while (req) {
        struct env_store_req *next = req->next;
        req->done(req);
        req = next;
    }
}

/* With the mutex. */
static void
request_done(struct env_store_req *req)
{
    struct storage_port *p = req->port;
    list_append(&p->done, req);
    loop_post_note(p->loop, &p->note, port_reap, p);
}

static void *
storage_thread(void *ctx)
{
    struct storage *s = ctx;
    pthread_mutex_lock(&s->mutex);
    for (;;) {
        while (!s->waiting.head && !s->stop)
            pthread_cond_wait(&s->more, &s->mutex);
        struct env_store_req *list = s->waiting.head;
        if (!list)
            break;
        list_clear(&s->waiting);
        s->count = 0;
        pthread_mutex_unlock(&s->mutex);
        s->run(s->ctx, list);
        pthread_mutex_lock(&s->mutex);
        while (list) {
            struct env_store_req *next = list->next;
            request_done(list);
            list = next;
        }
    }
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}

int
storage_new(struct storage **out, uint32_t max, storage_run_fn run, void *ctx)
{
    struct storage *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return ERR_NOMEM;
    s->max = max;
    s->run = run;
    s->ctx = ctx;
    list_clear(&s->waiting);
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->more, NULL);
    const int failed = pthread_create(&s->thread, NULL, storage_thread, s);
    if (failed) {
        free(s);
        return system_error_of(failed);
    }
    *out = s;
    return 0;
}

int
storage_port_new(struct storage_port **out, struct storage *s, struct loop *l)
{
    struct storage_port *p = calloc(1, sizeof *p);
    *out = NULL;
    if (!p)
        return ERR_NOMEM;
    p->storage = s;
    p->loop = l;
    list_clear(&p->done);
    pthread_mutex_lock(&s->mutex);
    int err = s->n_ports < PORTS_MAX ? 0 : ERR_FULL;
    if (!err)
        s->port[s->n_ports++] = p;
    pthread_mutex_unlock(&s->mutex);
    if (err)
        free(p);
    else
        *out = p;
    return err;
}

void
storage_port_free(struct storage_port **p)
{
    if (*p)
        loop_forget((*p)->loop, *p);
    free(*p);
    *p = NULL;
}

void
storage_request(struct storage_port *p, struct env_store_req *req)
{
    struct storage *s = p->storage;
    req->err = 0;
    req->port = p;
    pthread_mutex_lock(&s->mutex);
    if (s->count >= s->max) {
        req->err = ERR_FULL;
        request_done(req);
    } else {
        s->count++;
        list_append(&s->waiting, req);
        pthread_cond_signal(&s->more);
    }
    pthread_mutex_unlock(&s->mutex);
}

void
storage_free(struct storage **sp)
{
    struct storage *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    pthread_mutex_lock(&s->mutex);
    s->stop = true;
    pthread_cond_signal(&s->more);
    pthread_mutex_unlock(&s->mutex);
    pthread_join(s->thread, NULL);
    for (uint32_t i = 0; i < s->n_ports; i++)
        port_reap(s->port[i]);
    pthread_cond_destroy(&s->more);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}
