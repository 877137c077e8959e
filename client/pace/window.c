/* client/pace/window.c - see window.h. Marks are few; they move up when the oldest
 * leave. */
#include "client/pace/window.h"

#include <assert.h>
#include <string.h>

void
window_reset(struct window *w)
{
    w->ahead = 0;
}

void
window_set_max(struct window *w, uint32_t max)
{
    w->max = max < PARAMS_WINDOW_MAX ? max : PARAMS_WINDOW_MAX;
}

bool
window_is_open(const struct window *w)
{
    return w->ahead < w->max;
}

void
window_add(struct window *w, const uint8_t *frame)
{
    assert(window_is_open(w));
    memcpy(w->mark[w->ahead++], frame + WIRE_MARK_AT, WIRE_MARK_LEN);
}

void
window_take(struct window *w, const uint8_t mark[static WIRE_MARK_LEN])
{
    uint32_t i = w->ahead;
    while (i > 0 && memcmp(w->mark[i - 1], mark, WIRE_MARK_LEN) != 0)
        i--;
    if (i == 0)
        return;
    w->ahead -= i;
    memmove(w->mark, w->mark[i], w->ahead * sizeof *w->mark);
}
