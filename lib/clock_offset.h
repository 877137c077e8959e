/* lib/clock_offset.h - the estimate of the network's time from the answers of
 * stores. Pure. */
#ifndef LIB_CLOCK_OFFSET_H
#define LIB_CLOCK_OFFSET_H
#include <stdint.h>

enum { CLOCK_SAMPLES = 15 };

/* What to add to the own wall clock: the median of the last CLOCK_SAMPLES
 * differences, so that fewer than half of the stores cannot move it. Zeroed
 * memory is an empty estimate. */
struct clock_offset {
    int64_t sample_s[CLOCK_SAMPLES];
    uint32_t count; /* samples ever added */
};

/* An answer dated peer_s came in when the own clock said own_s. */
void clock_offset_add(struct clock_offset *c, uint64_t peer_s, uint64_t own_s);

/* Seconds to add to the own clock; 0 until three samples are there. */
int64_t clock_offset_s(const struct clock_offset *c);
#endif
