/* client/heard/gather.c - see gather.h. No timer: what is not made whole stays
 * until its place is needed. */
#include "client/heard/gather.h"

#include <string.h>

/* The place of this list, or the one that gives way to it. */
static unsigned
gather_place(const struct gather *g, uint32_t interval, uint8_t board)
{
    unsigned out = 0;
    for (unsigned i = 0; i < GATHER_LISTS; i++) {
        if (g->list[i].n_have && g->list[i].interval == interval &&
            g->list[i].board == board)
            return i;
        if (g->list[out].n_have &&
            (!g->list[i].n_have || g->list[i].turn < g->list[out].turn))
            out = i;
    }
    return out;
}

/* Begin the list of this slice in place i. */
static void
gather_begin(struct gather *g, unsigned i, const struct wire_slice *slice,
             size_t len)
{
    g->list[i].interval = slice->interval;
    g->list[i].board = slice->board;
    g->list[i].n_have = 0;
    memset(g->list[i].have, 0, sizeof g->list[i].have);
    g->list[i].len = len;
    g->list[i].each = slice->len;
}

int
gather_take(struct gather *g, const struct wire_slice *slice, size_t len,
            const uint8_t **bytes)
{
    *bytes = NULL;
    if (slice->len == 0 || len == 0 || len > LIST_LEN_MAX)
        return ERR_RANGE;
    const size_t parts = (len + slice->len - 1) / slice->len;
    const size_t at = slice->part * slice->len;
    if (slice->part >= parts || parts > GATHER_PARTS)
        return ERR_RANGE;
    const size_t n = len - at < slice->len ? len - at : slice->len;
    const unsigned i = gather_place(g, slice->interval, slice->board);
    uint8_t *have = &g->list[i].have[slice->part / 8];
    const uint8_t bit = (uint8_t)(1u << slice->part % 8);
    if (g->list[i].n_have == 0 || g->list[i].interval != slice->interval ||
        g->list[i].board != slice->board || g->list[i].len != len ||
        g->list[i].each != slice->len ||
        ((*have & bit) && memcmp(g->list[i].bytes + at, slice->data, n) != 0))
        gather_begin(g, i, slice, len);
    g->list[i].turn = ++g->turn;
    memcpy(g->list[i].bytes + at, slice->data, n);
    g->list[i].n_have = (uint16_t)(g->list[i].n_have + !(*have & bit));
    *have |= bit;
    if (g->list[i].n_have < parts)
        return 0;
    g->list[i].n_have = 0;
    *bytes = g->list[i].bytes;
    return 1;
}
