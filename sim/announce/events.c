/* sim/announce/events.c - a binary heap. */
#include "sim/announce/events.h"

#include <stdlib.h>

enum { FIRST_ROOM = 64 };

static bool
is_before(const struct happening *a, const struct happening *b)
{
    return a->at_us < b->at_us ||
           (a->at_us == b->at_us && a->serial < b->serial);
}

int
events_put(struct events *e, uint64_t at_us, uint32_t kind, uint32_t a,
           uint32_t b)
{
    if (e->n == e->room) {
        const size_t room = e->room ? 2 * e->room : FIRST_ROOM;
        struct happening *made = realloc(e->heap, room * sizeof *made);
        if (!made)
            return ERR_NOMEM;
        e->heap = made;
        e->room = room;
    }
    const struct happening h = {at_us, e->serial++, kind, a, b};
    size_t i = e->n++;
    for (; i > 0 && is_before(&h, &e->heap[(i - 1) / 2]); i = (i - 1) / 2)
        e->heap[i] = e->heap[(i - 1) / 2];
    e->heap[i] = h;
    return 0;
}

bool
events_take(struct events *e, uint64_t until_us, struct happening *out)
{
    if (e->n == 0 || e->heap[0].at_us > until_us)
        return false;
    *out = e->heap[0];
    const struct happening last = e->heap[--e->n];
    size_t i = 0;
    for (size_t k = 1; k < e->n; k = 2 * i + 1) {
        k += k + 1 < e->n && is_before(&e->heap[k + 1], &e->heap[k]);
        if (!is_before(&e->heap[k], &last))
            break;
        e->heap[i] = e->heap[k];
        i = k;
    }
    if (e->n > 0)
        e->heap[i] = last;
    return true;
}

void
events_free(struct events *e)
{
    free(e->heap);
    *e = (struct events){0};
}
