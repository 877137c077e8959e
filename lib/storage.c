/* lib/storage.c - two lists under one mutex, and a thread between them.
 *
 * A request's states: waiting, being carried out, done (in the list that the
 * loop empties). */
#include "lib/storage.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct list {
    struct env_store_req *head, **end;
};

struct storage {
    struct loop *loop;
    storage_run_fn run;
    void *ctx;
    uint32_t max, count;
    pthread_mutex_t mutex;
    pthread_cond_t more;
    pthread_t thread;
    struct list waiting, done;
    bool stop, told; /* told: the loop knows that something is done */
};

static void
list_clear(struct list *l)
{
    l->head = NULL;
    l->end = &l->head;
}

static void
list_append(struct list *l, struct env_store_req *first)
{
    *l->end = first;
    while (*l->end)
        l->end = &(*l->end)->next;
}

/* On the loop. */
static void
storage_reap(void *ctx)
{
    struct storage *s = ctx;
    pthread_mutex_lock(&s->mutex);
    struct env_store_req *req = s->done.head;
    list_clear(&s->done);
    s->told = false;
    pthread_mutex_unlock(&s->mutex);
    while (req) {
        struct env_store_req *next = req->next;
        req->done(req);
        req = next;
    }
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
        list_append(&s->done, list);
        if (!s->told && loop_post(s->loop, storage_reap, s) == 0)
            s->told = true;
    }
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}

int
storage_new(struct storage **out, struct loop *l, uint32_t max,
            storage_run_fn run, void *ctx)
{
    struct storage *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return ERR_NOMEM;
    s->loop = l;
    s->max = max;
    s->run = run;
    s->ctx = ctx;
    list_clear(&s->waiting);
    list_clear(&s->done);
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->more, NULL);
    if (pthread_create(&s->thread, NULL, storage_thread, s)) {
        free(s);
        return ERR_SYSTEM;
    }
    *out = s;
    return 0;
}

void
storage_request(struct storage *s, struct env_store_req *req)
{
    req->next = NULL;
    req->err = 0;
    pthread_mutex_lock(&s->mutex);
    if (s->count >= s->max) {
        req->err = ERR_FULL;
        list_append(&s->done, req);
        if (!s->told && loop_post(s->loop, storage_reap, s) == 0)
            s->told = true;
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
    storage_reap(s);
    loop_forget(s->loop, s);
    pthread_cond_destroy(&s->more);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}
