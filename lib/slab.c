/* lib/slab.c - chunks of buffers, a common free list, and a hand of free
 * numbers for each view.
 *
 * A number is in one of three places: taken; in a view's hand; on the common
 * list, which is threaded through next[] and guarded by the mutex. The lists of
 * chunks and of numbers have their full length from the start (pages nobody
 * touched cost nothing), so that slab_at() needs no lock: a number reaches
 * another thread by a way that orders memory.
 *
 * Failure modes: at the maximum, or no memory for another chunk; slab_why()
 * tells them apart, and both go when a number is given back. */
#include "lib/slab.h"

#include <assert.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_ITEMS = 64,
    HAND_ITEMS = 64, /* kept by a view; half of it moves at once */
    VIEWS_MAX = 256
};

#define SLAB_TAKEN (UINT32_MAX - 1) /* in next[] */
#define SLAB_HELD  (UINT32_MAX - 2) /* in next[]: in some view's hand */

struct common {
    pthread_mutex_t mutex;
    size_t item_len;
    uint32_t max, made, free_head;
    uint8_t **chunk; /* made / CHUNK_ITEMS of them */
    uint32_t *next;  /* one a buffer */
    uint32_t views;
    struct slab *view[VIEWS_MAX]; /* NULL: gone */
};

struct slab {
    struct common *common;
    _Atomic int64_t balance; /* taken less given by this view */
    int err;                 /* why there was none the last time */
    uint32_t n;              /* in hand */
    uint32_t hand[HAND_ITEMS];
};

static void
common_free(struct common *c)
{
    for (uint32_t i = 0; i < c->made / CHUNK_ITEMS; i++) {
        sodium_memzero(c->chunk[i], c->item_len * CHUNK_ITEMS);
        free(c->chunk[i]);
    }
    pthread_mutex_destroy(&c->mutex);
    free(c->chunk);
    free(c->next);
    free(c);
}

int
slab_new(struct slab **out, size_t item_len, uint32_t max)
{
    *out = NULL;
    if (item_len == 0 || max == 0 || max >= SLAB_HELD - CHUNK_ITEMS)
        return ERR_ARG;
    size_t chunks = (max + CHUNK_ITEMS - 1) / CHUNK_ITEMS;
    struct common *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    pthread_mutex_init(&c->mutex, NULL);
    c->item_len = item_len;
    c->max = max;
    c->free_head = SLAB_NONE;
    c->chunk = calloc(chunks, sizeof *c->chunk);
    c->next = calloc(chunks * CHUNK_ITEMS, sizeof *c->next);
    struct slab *s = calloc(1, sizeof *s);
    if (!c->chunk || !c->next || !s) {
        free(s);
        common_free(c);
        return ERR_NOMEM;
    }
    s->common = c;
    c->view[c->views++] = s;
    *out = s;
    return 0;
}

int
slab_share(struct slab **out, struct slab *of)
{
    struct common *c = of->common;
    struct slab *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return ERR_NOMEM;
    s->common = c;
    pthread_mutex_lock(&c->mutex);
    int err = c->views < VIEWS_MAX ? 0 : ERR_FULL;
    if (!err)
        c->view[c->views++] = s;
    pthread_mutex_unlock(&c->mutex);
    if (err)
        free(s);
    else
        *out = s;
    return err;
}

/* ---- numbers between hand and common list ---- */

static void
hand_return(struct slab *s, uint32_t n)
{
    struct common *c = s->common;
    for (; n > 0; n--) {
        uint32_t number = s->hand[--s->n];
        c->next[number] = c->free_head;
        c->free_head = number;
    }
}

static int
common_grow(struct common *c)
{
    if (c->made >= c->max)
        return ERR_FULL;
    uint8_t *items = malloc(c->item_len * CHUNK_ITEMS);
    if (!items)
        return ERR_NOMEM;
    c->chunk[c->made / CHUNK_ITEMS] = items;
    for (uint32_t i = CHUNK_ITEMS; i-- > 0;) {
        uint32_t number = c->made + i;
        if (number >= c->max) {
            c->next[number] = SLAB_TAKEN; /* beyond the bound: never given */
            continue;
        }
        c->next[number] = c->free_head;
        c->free_head = number;
    }
    c->made += CHUNK_ITEMS;
    return 0;
}

static void
hand_fill(struct slab *s)
{
    struct common *c = s->common;
    pthread_mutex_lock(&c->mutex);
    s->err = c->free_head == SLAB_NONE ? common_grow(c) : 0;
    while (s->n < HAND_ITEMS / 2 && c->free_head != SLAB_NONE) {
        uint32_t number = c->free_head;
        c->free_head = c->next[number];
        c->next[number] = SLAB_HELD;
        s->hand[s->n++] = number;
    }
    pthread_mutex_unlock(&c->mutex);
}

void
slab_free(struct slab **sp)
{
    struct slab *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    struct common *c = s->common;
    bool last = true;
    pthread_mutex_lock(&c->mutex);
    hand_return(s, s->n);
    for (uint32_t i = 0; i < c->views; i++) {
        if (c->view[i] == s)
            c->view[i] = NULL;
        last = last && !c->view[i];
    }
    pthread_mutex_unlock(&c->mutex);
    if (last)
        common_free(c);
    free(s);
}

/* ---- buffers ---- */

static void
balance_add(struct slab *s, int64_t by)
{
    /* written by this thread alone */
    int64_t was = atomic_load_explicit(&s->balance, memory_order_relaxed);
    atomic_store_explicit(&s->balance, was + by, memory_order_relaxed);
}

uint32_t
slab_take(struct slab *s)
{
    if (s->n == 0)
        hand_fill(s);
    if (s->n == 0)
        return SLAB_NONE;
    uint32_t number = s->hand[--s->n];
    s->common->next[number] = SLAB_TAKEN;
    balance_add(s, 1);
    return number;
}

int
slab_why(const struct slab *s)
{
    return s->err;
}

void
slab_give(struct slab *s, uint32_t number)
{
    struct common *c = s->common;
    assert(c->next[number] == SLAB_TAKEN);
    sodium_memzero(slab_at(s, number), c->item_len);
    if (s->n == HAND_ITEMS) {
        pthread_mutex_lock(&c->mutex);
        hand_return(s, HAND_ITEMS / 2);
        pthread_mutex_unlock(&c->mutex);
    }
    c->next[number] = SLAB_HELD;
    s->hand[s->n++] = number;
    balance_add(s, -1);
}

uint8_t *
slab_at(const struct slab *s, uint32_t number)
{
    return s->common->chunk[number / CHUNK_ITEMS] +
           s->common->item_len * (number % CHUNK_ITEMS);
}

uint32_t
slab_count(const struct slab *s)
{
    struct common *c = s->common;
    int64_t sum = 0;
    pthread_mutex_lock(&c->mutex);
    for (uint32_t i = 0; i < c->views; i++)
        if (c->view[i])
            sum += atomic_load_explicit(&c->view[i]->balance,
                                        memory_order_relaxed);
    pthread_mutex_unlock(&c->mutex);
    return (uint32_t)(sum > 0 ? sum : 0);
}
