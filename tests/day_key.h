/* tests/day_key.h - the keys of letters, for tests that write or read some of their own
 * accord. */
#ifndef TESTS_DAY_KEY_H
#define TESTS_DAY_KEY_H
#include "client/conversations.h"
#include "client/sealing.h"

struct day_key {
    uint8_t key[LETTER_CHAIN_LEN];
};

/* The key of what client c writes to v, or reads of v, in a period. */
static inline struct day_key
day_key(const struct client *c, const struct conversation *v,
        enum chain_way way, uint32_t period)
{
    struct day_key k;
    sealing_key(c, v, way, period, k.key);
    return k;
}

/* The same of a chain, in a network with these parameters. */
static inline struct day_key
day_key_of(const struct chain *chain, const struct params *p, uint32_t period)
{
    struct day_key k;
    chain_key(chain, chain_day(period, p->period_s), k.key);
    return k;
}
#endif
