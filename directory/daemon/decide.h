/* directory/daemon/decide.h - the operator's commands about relays: what is decided
 * is appended to a file that the authority reads, whether it runs or not. */
#ifndef DIRECTORY_DAEMON_DECIDE_H
#define DIRECTORY_DAEMON_DECIDE_H
#include <stddef.h>

/* Decide about these, in a verb of admission_line(); an identity may be the
 * beginning of one that waits. Prints what was done or is wrong. Returns the exit
 * status, as the next does. */
int decide_run(const char *dir, const char *verb, const char *reason,
               const char *const *who, size_t n);
/* Print the relays that wait, but for those already decided about. */
int decide_pending(const char *dir);
#endif
