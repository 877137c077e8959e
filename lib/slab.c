/* lib/slab.c - chunks of buffers and a free list threaded through an array.
 *
 * Failure mode: no memory for another chunk looks like being at the maximum,
 * which the caller has to answer by dropping anyway. */
#include "lib/slab.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_ITEMS = 64 };

#define SLAB_TAKEN (UINT32_MAX - 1) /* in next[]: not on the free list */

struct slab {
    size_t item_len;
    uint32_t max, made, count, free_head;
    uint8_t **chunk; /* made / CHUNK_ITEMS of them */
    uint32_t *next;  /* one a buffer */
};

int
slab_new(struct slab **out, size_t item_len, uint32_t max)
{
    *out = NULL;
    if (item_len == 0 || max == 0 || max >= SLAB_TAKEN - CHUNK_ITEMS)
        return ERR_ARG;
    struct slab *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->item_len = item_len;
    s->max = max;
    s->free_head = SLAB_NONE;
    *out = s;
    return 0;
}

void
slab_free(struct slab **sp)
{
    struct slab *s = *sp;
    if (!s)
        return;
    for (uint32_t i = 0; i < s->made / CHUNK_ITEMS; i++) {
        sodium_memzero(s->chunk[i], s->item_len * CHUNK_ITEMS);
        free(s->chunk[i]);
    }
    free(s->chunk);
    free(s->next);
    free(s);
    *sp = NULL;
}

static int
slab_grow(struct slab *s)
{
    uint32_t chunks = s->made / CHUNK_ITEMS;
    if (s->made >= s->max)
        return ERR_FULL;
    /* the lists double, so that growing to n costs O(n) */
    if ((chunks & (chunks - 1)) == 0) {
        size_t room = chunks ? 2 * (size_t)chunks : 1;
        uint8_t **c = realloc(s->chunk, room * sizeof *c);
        if (!c)
            return ERR_NOMEM;
        s->chunk = c;
        uint32_t *n = realloc(s->next, room * CHUNK_ITEMS * sizeof *n);
        if (!n)
            return ERR_NOMEM;
        s->next = n;
    }
    uint8_t *items = malloc(s->item_len * CHUNK_ITEMS);
    if (!items)
        return ERR_NOMEM;
    s->chunk[chunks] = items;
    for (uint32_t i = CHUNK_ITEMS; i-- > 0;) {
        uint32_t number = s->made + i;
        if (number >= s->max) {
            s->next[number] = SLAB_TAKEN; /* beyond the bound: never given */
            continue;
        }
        s->next[number] = s->free_head;
        s->free_head = number;
    }
    s->made += CHUNK_ITEMS;
    return 0;
}

uint32_t
slab_take(struct slab *s)
{
    if (s->free_head == SLAB_NONE && slab_grow(s))
        return SLAB_NONE;
    uint32_t number = s->free_head;
    s->free_head = s->next[number];
    s->next[number] = SLAB_TAKEN;
    s->count++;
    return number;
}

void
slab_give(struct slab *s, uint32_t number)
{
    assert(number < s->made && s->next[number] == SLAB_TAKEN);
    sodium_memzero(slab_at(s, number), s->item_len);
    s->next[number] = s->free_head;
    s->free_head = number;
    s->count--;
}

uint8_t *
slab_at(const struct slab *s, uint32_t number)
{
    return s->chunk[number / CHUNK_ITEMS] +
           s->item_len * (number % CHUNK_ITEMS);
}

uint32_t
slab_count(const struct slab *s)
{
    return s->count;
}
