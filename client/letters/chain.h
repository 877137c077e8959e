/* client/letters/chain.h - what the keys of a direction come from: one key for each
 * day, each the hash of the one before.
 *
 *   K of the next day = BLAKE2b-256(K of a day; "brusio/1 day")
 *
 * Of a chain only the key of the first day that is still of use is kept. Keys of
 * later days follow from it, those of earlier days do not: who takes a device names no
 * box and opens no letter of a day that is over (doc/PROTOCOL.md 8.1). Days are those
 * since 1970, whatever a period is. */
#ifndef CLIENT_LETTERS_CHAIN_H
#define CLIENT_LETTERS_CHAIN_H
#include <stdint.h>

#include "client/letters/letter.h"

enum {
    CHAIN_MARK_LEN = 16,
    CHAIN_DAYS_MAX = 40000 /* no pair is older, and no day is further ahead */
};
enum chain_way { CHAIN_OUT, CHAIN_IN, CHAIN_WAYS };

struct chain {
    uint32_t day;                  /* the first one that has a key */
    uint8_t key[LETTER_CHAIN_LEN]; /* of that day: secret */
};

/* Tell on which day since 1970 a period begins. */
uint32_t chain_day(uint32_t period, uint32_t period_s);

/* Forget the keys of all days before `day`; one that is not ahead changes nothing. A day
 * that is further ahead than CHAIN_DAYS_MAX, which no letter is of, has some key. */
void chain_step(struct chain *c, uint32_t day);

/* Write the key of a day. A day before the first has that one's: its letters are
 * neither read nor written any more. */
void chain_key(const struct chain *c, uint32_t day,
               uint8_t key[static LETTER_CHAIN_LEN]);

/* Write what a chain that begins with this key is known by for ever. */
void chain_mark(const uint8_t key[static LETTER_CHAIN_LEN],
                uint8_t mark[static CHAIN_MARK_LEN]);
#endif
