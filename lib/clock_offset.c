/* lib/clock_offset.c - see clock_offset.h. */
#include "lib/clock_offset.h"

#include <stddef.h>

void
clock_offset_add(struct clock_offset *c, uint64_t peer_s, uint64_t own_s)
{
    c->sample_s[c->count++ % CLOCK_SAMPLES] = (int64_t)(peer_s - own_s);
    if (c->count == 2 * CLOCK_SAMPLES) /* keeps the place, never wraps */
        c->count = CLOCK_SAMPLES;
}

int64_t
clock_offset_s(const struct clock_offset *c)
{
    int64_t sorted[CLOCK_SAMPLES];
    size_t n = c->count < CLOCK_SAMPLES ? c->count : CLOCK_SAMPLES;
    if (n < 3)
        return 0;
    for (size_t i = 0; i < n; i++) {
        size_t k = i;
        for (; k > 0 && sorted[k - 1] > c->sample_s[i]; k--)
            sorted[k] = sorted[k - 1];
        sorted[k] = c->sample_s[i];
    }
    return sorted[n / 2];
}
