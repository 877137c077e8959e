/* relay/ages.h - how long ago a letter was committed, for four minutes.
 *
 * Pure. A store tells a reader the age of the letter that it is given, and keeps
 * in memory alone what that takes: a table of a fixed size, of whose places the
 * oldest in reach gives way. Places are keyed, so that nobody can choose letters
 * that push another's out; who puts very many shortens all memories alike. */
#ifndef RELAY_AGES_H
#define RELAY_AGES_H
#include <stdint.h>

#include "lib/error.h"
#include "lib/wire.h"

enum { AGES_MAX = 65536 }; /* letters remembered */

struct ages;

/* key: 16 random bytes. Returns 0 or ERR_NOMEM. */
int ages_new(struct ages **out, const uint8_t key[static 16]) CHECK_RESULT;
void ages_free(struct ages **a);

/* Note that the letter in this slot of a box is committed now, for the first
 * time. */
void ages_note(struct ages *a, const uint8_t box[static 32], uint8_t slot,
               uint64_t now_us);

/* Tell how many seconds ago that was, or
 * WIRE_AGE_UNKNOWN. */
uint8_t ages_find(const struct ages *a, const uint8_t box[static 32],
                  uint8_t slot, uint64_t now_us);
#endif
