/* directory/newcomers.h - how many new relays come in at once.
 *
 * Addresses cost little and an identity nothing, so whoever has many could fill
 * a role in an hour. In each role the relays that came in within a period, and
 * are in or away, are at most newcomer_permille of those that have been in for
 * longer, and one in any case. Who comes in next is drawn by the shared value
 * (network/draw.h, "brusio/1 newcomer"), the smallest first; all others wait.
 * Where there was no consensus before, all come in. Pure. */
#ifndef DIRECTORY_NEWCOMERS_H
#define DIRECTORY_NEWCOMERS_H
#include "directory/past.h"

/* Say for each relay of c, by what is known of the past, whether it has to
 * wait; waits has room for all. Returns 0 or ERR_NOMEM. */
int newcomers_find(const struct consensus *c, const struct past *past,
                   bool *waits) CHECK_RESULT;
#endif
