/* client/letters/chain.c - see chain.h. No state of its own. */
#include "client/letters/chain.h"

#include <sodium.h>
#include <string.h>

static const char day_label[] = "brusio/1 day";
static const char mark_label[] = "brusio/1 pair";

uint32_t
chain_day(uint32_t period, uint32_t period_s)
{
    const uint64_t day = (uint64_t)period * period_s / 86400;
    return day > UINT32_MAX ? UINT32_MAX : (uint32_t)day;
}

void
chain_step(struct chain *c, uint32_t day)
{
    uint8_t next[LETTER_CHAIN_LEN];
    if (day > c->day && day - c->day > CHAIN_DAYS_MAX)
        c->day = day - CHAIN_DAYS_MAX;
    for (; c->day < day; c->day++) {
        crypto_generichash(next, sizeof next, (const uint8_t *)day_label,
                           sizeof day_label - 1, c->key, sizeof c->key);
        memcpy(c->key, next, sizeof next);
    }
    sodium_memzero(next, sizeof next);
}

void
chain_key(const struct chain *c, uint32_t day,
          uint8_t key[static LETTER_CHAIN_LEN])
{
    struct chain copy = *c;
    chain_step(&copy, day);
    memcpy(key, copy.key, sizeof copy.key);
    sodium_memzero(&copy, sizeof copy);
}

void
chain_mark(const uint8_t key[static LETTER_CHAIN_LEN],
           uint8_t mark[static CHAIN_MARK_LEN])
{
    crypto_generichash(mark, CHAIN_MARK_LEN, (const uint8_t *)mark_label,
                       sizeof mark_label - 1, key, LETTER_CHAIN_LEN);
}
