/* directory/daemon/decide.h - the operator's commands about relays: what is
 * decided is appended to a file that the authority reads, whether it runs or
 * not. */
#ifndef DIRECTORY_DAEMON_DECIDE_H
#define DIRECTORY_DAEMON_DECIDE_H
#include <stddef.h>

/* Decide, by a verb of admission_line() and for this reason, about the n relays
 * in `who`: identities, or beginnings of identities that wait. Print what was
 * done or is wrong. Returns the exit status, as the next call does. */
int decide_run(const char *dir, const char *verb, const char *reason,
               const char *const *who, size_t n);
/* Print the relays that wait, but for those already decided about. */
int decide_pending(const char *dir);
#endif
