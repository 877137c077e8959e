/* lib/os/system.h - what the system said when a call failed; for edges.
 *
 * ERR_SYSTEM alone tells nobody what to do. Whoever returns it notes the
 * system's number first, and whoever writes a line for people asks for the text
 * of that. The number is kept for each thread. */
#ifndef LIB_OS_SYSTEM_H
#define LIB_OS_SYSTEM_H
#include <stdbool.h>

#include "lib/error.h"

/* Note errno, and return ERR_SYSTEM. */
int system_error(void) CHECK_RESULT;

/* Note number, of a call that returns its errno, and return ERR_SYSTEM. */
int system_error_of(int number) CHECK_RESULT;

/* Return the number that this thread has noted last; 0: none. */
int system_number(void);

/* Tell whether this is an error, or the number of one, for want of descriptors. */
bool system_is_short(int err);

/* Return a text for people (static, or of this thread until its next call): why
 * a call has failed with err, in the system's own words when err is ERR_SYSTEM,
 * and what to do when descriptors are short. A number of the system is taken
 * in place of err, too. */
const char *system_reason(int err);
#endif
