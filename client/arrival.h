/* client/arrival.h - a letter that came: all that it says, in one group of the
 * journal. */
#ifndef CLIENT_ARRIVAL_H
#define CLIENT_ARRIVAL_H
#include "client/state.h"

/* Takes the letter that a store of this rank had at one of v's places, committed
 * there at commit_us of the monotonic clock, as far as is known. bytes have the client's letter length; they are opened in place, and wiped. */
void arrival_letter(struct client *c, struct conversation *v,
                    struct letter_place at, enum store_rank rank,
                    uint64_t commit_us, uint8_t *bytes);
#endif
