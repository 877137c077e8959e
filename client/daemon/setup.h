/* client/daemon/setup.h - `init` and `check`: a client's directory. */
#ifndef CLIENT_DAEMON_SETUP_H
#define CLIENT_DAEMON_SETUP_H
#include "client/daemon/daemon.h"

/* Make the directory dir with a configuration of this profile and a copy of the
 * network file. Everything is looked at before anything is written. Says the next
 * step, or what is wrong. Returns the exit status. */
int setup_init(const char *dir, const char *network, const char *profile);

/* Tell whether this client was made with another profile than its configuration has
 * now, and say so. note: note the profile where none is noted yet. Returns the exit
 * status. */
int setup_profile(const char *dir, const char *profile, bool note);

/* Say of each file in dir whether `run` would take it, and who else can read it.
 * Returns the exit status. */
int setup_check(const char *dir, const struct daemon_config *config);
#endif
