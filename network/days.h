/* network/days.h - the shared values of the last days, one a period of boxes.
 *
 * The value of a period is the shared value of the first consensus that begins
 * in it. A consensus carries that of its own period and those before, as long
 * as letters live, so that whoever has any consensus of a week knows the same
 * ones. Of a period in which no consensus began (none was made, or periods are
 * shorter than epochs) it is
 *
 *   BLAKE2b-256("brusio/1 day" | period 4 | value of the last one before)
 *
 * and of a period before all that are known, the oldest that is. Pure. */
#ifndef NETWORK_DAYS_H
#define NETWORK_DAYS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DAYS_MAX = 16, DAYS_VALUE_LEN = 32, DAYS_COUNTS_ALL = 0xffff };

struct days {
    uint8_t n;
    uint8_t value[DAYS_MAX][DAYS_VALUE_LEN]; /* newest first */
};

/* Return how many values are kept where letters live letter_days and periods
 * last period_s: one of each period whose boxes may still be read, and one
 * before. */
size_t days_keep(uint32_t letter_days, uint32_t period_s);

/* Fill *d for a consensus in `period` whose shared value is random, from
 * *before, the days of an earlier consensus in before_period: keep values at
 * most. When there is none before (NULL, or of a later period) *d holds random
 * alone. */
void days_next(struct days *d, uint32_t period, size_t keep,
               const uint8_t random[static DAYS_VALUE_LEN],
               const struct days *before, uint32_t before_period);

/* Compute for which days a store counts in a consensus that is so many periods
 * later than one in which it counted for the days `before`. Bit i is for boxes
 * by the value of the period i before that of the consensus. A store counts by
 * the value of a period if the store was `in` when that value became known, and
 * by the values of missed periods if it counted by the last one before them. */
uint16_t days_counts(uint16_t before, uint32_t periods, bool in);

/* Return the bit by which a store counts for boxes of `period`, where the
 * newest value is that of the period `newest`. */
unsigned days_counts_bit(uint32_t newest, uint32_t period);

/* Write the value of `period` to out, by d, whose newest value is that of the
 * period `newest`. */
void days_value(const struct days *d, uint32_t newest, uint32_t period,
                uint8_t out[static DAYS_VALUE_LEN]);
#endif
