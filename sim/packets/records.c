/* sim/packets/records.c - an array that grows, and a list of what is free in
 * it. Failure mode: no memory for more; the packet is then refused. */
#include "sim/packets/records.h"

#include <stdlib.h>
#include <string.h>

#include "sim/packets/tracker.h"

static int
records_grow(struct records *r, uint32_t room)
{
    if (room >= RECORD_NONE - r->made)
        return ERR_FULL;
    uint8_t *base = aligned_alloc(
        64, (((size_t)r->made + room) * r->stride + 63) / 64 * 64);
    if (!base)
        return ERR_NOMEM;
    if (r->made > 0)
        memcpy(base, r->base, r->made * r->stride);
    free(r->base);
    r->base = base;
    for (uint32_t i = r->made + room; i-- > r->made;) {
        record_at(r, i)->flags = 0;
        record_at(r, i)->serial = r->free_head;
        r->free_head = i;
    }
    r->made += room;
    return 0;
}

int
records_new(struct records *r, uint32_t hops, uint32_t labels,
            uint32_t expected)
{
    *r = (struct records){
        .free_head = RECORD_NONE, .hops = hops, .labels = labels};
    r->stride = sizeof(struct record) + hops * 2 * sizeof(uint16_t) +
                labels * sizeof(float);
    /* one cache line, or as few as will do */
    r->stride = r->stride <= 64 ? 64 : (r->stride + 15) / 16 * 16;
    return records_grow(r, expected + 1024);
}

void
records_free(struct records *r)
{
    free(r->base);
    *r = (struct records){0};
}

uint32_t
records_take(struct records *r)
{
    if (r->free_head == RECORD_NONE && records_grow(r, r->made / 4 + 1024))
        return RECORD_NONE;
    uint32_t number = r->free_head;
    struct record *p = record_at(r, number);
    r->free_head = p->serial;
    if (p->serial != RECORD_NONE)
        __builtin_prefetch(record_at(r, p->serial), 1);
    memset(p, 0, r->stride);
    p->flags = RECORD_IN_USE;
    p->label = TRACKER_NONE;
    if (++r->used > r->most)
        r->most = r->used;
    return number;
}

void
records_give(struct records *r, uint32_t number)
{
    struct record *p = record_at(r, number);
    p->flags = 0;
    p->serial = r->free_head;
    r->free_head = number;
    r->used--;
}

void
records_clear(struct records *r, uint32_t label)
{
    for (uint32_t i = 0; i < r->made; i++) {
        struct record *p = record_at(r, i);
        record_mass(r, p)[label] = 0;
        if (p->label == label)
            p->label = TRACKER_NONE;
    }
}
