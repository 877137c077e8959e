/* network/days.c - values of periods. No state of its own. */
#include "network/days.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "lib/codec.h"

enum { DAY_S = 86400 };

size_t
days_keep(uint32_t letter_days, uint32_t period_s)
{
    const uint64_t life_s = (uint64_t)letter_days * DAY_S;
    const uint64_t keep = (life_s + period_s - 1) / period_s + 2;
    return keep < DAYS_MAX ? (size_t)keep : DAYS_MAX;
}

/* Compute the value of a period in which no consensus began, after a period
 * whose value is `last`. */
static void
missed_value(uint32_t period, const uint8_t last[static DAYS_VALUE_LEN],
             uint8_t out[static DAYS_VALUE_LEN])
{
    static const char label[] = "brusio/1 day";
    crypto_generichash_state h;
    uint8_t number[4];
    codec_put32(number, period);
    crypto_generichash_init(&h, NULL, 0, DAYS_VALUE_LEN);
    crypto_generichash_update(&h, (const uint8_t *)label, sizeof label - 1);
    crypto_generichash_update(&h, number, sizeof number);
    crypto_generichash_update(&h, last, DAYS_VALUE_LEN);
    crypto_generichash_final(&h, out, DAYS_VALUE_LEN);
}

void
days_next(struct days *d, uint32_t period, size_t keep,
          const uint8_t random[static DAYS_VALUE_LEN],
          const struct days *before, uint32_t before_period)
{
    const bool follows = before && before->n > 0 && before_period <= period;
    const uint64_t later = follows ? period - before_period : 0;
    struct days next = {.n = 1};
    assert(keep > 0 && keep <= DAYS_MAX);
    memcpy(next.value[0], random, DAYS_VALUE_LEN);
    if (follows && before_period == period)
        memcpy(next.value[0], before->value[0], DAYS_VALUE_LEN);
    for (; follows && next.n < keep && next.n < later + before->n; next.n++)
        if (next.n < later)
            missed_value(period - next.n, before->value[0], next.value[next.n]);
        else
            memcpy(next.value[next.n], before->value[next.n - later],
                   DAYS_VALUE_LEN);
    *d = next;
}

void
days_value(const struct days *d, uint32_t newest, uint32_t period,
           uint8_t out[static DAYS_VALUE_LEN])
{
    assert(d->n > 0);
    if (period > newest) {
        missed_value(period, d->value[0], out);
        return;
    }
    const uint32_t back = newest - period;
    memcpy(out, d->value[back < d->n ? back : d->n - 1u], DAYS_VALUE_LEN);
}

uint16_t
days_counts(uint16_t before, uint32_t periods, bool in)
{
    unsigned bits = before;
    if (periods == 0)
        return before;
    for (uint32_t i = 1; i < periods && i < DAYS_MAX; i++)
        bits = bits << 1 | (bits & 1);
    return (uint16_t)(bits << 1 | in);
}

unsigned
days_counts_bit(uint32_t newest, uint32_t period)
{
    const uint32_t back = period > newest ? 0 : newest - period + (period > 0);
    return back < DAYS_MAX ? back : DAYS_MAX - 1;
}
