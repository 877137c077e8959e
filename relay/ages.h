/* relay/ages.h - how long ago a letter was committed, for four minutes.
 *
 * A store tells a reader the age of the letter that the reader gets. The ages
 * lie in memory alone, in a table of a fixed size, where a new letter takes the
 * place of the oldest of a few. The places are keyed, so nobody can choose
 * letters that push another's out; whoever puts very many shortens all memories
 * alike. Pure. */
#ifndef RELAY_AGES_H
#define RELAY_AGES_H
#include <stdint.h>

#include "lib/error.h"
#include "lib/wire.h"

enum { AGES_MAX = 65536 }; /* letters remembered */

struct ages;

/* Make an empty table; key is 16 random bytes. Returns 0 or ERR_NOMEM. */
int ages_new(struct ages **out, const uint8_t key[static 16]) CHECK_RESULT;
void ages_free(struct ages **a);

/* Note that the letter in this slot of a box is committed for the first time at
 * now_us. */
void ages_note(struct ages *a, const uint8_t box[static 32], uint8_t slot,
               uint64_t now_us);

/* Tell how many seconds before now_us the letter in this slot of a box was
 * committed, or WIRE_AGE_UNKNOWN. */
uint8_t ages_find(const struct ages *a, const uint8_t box[static 32],
                  uint8_t slot, uint64_t now_us);
#endif
