/* directory/daemon/ready.h - `check`: would `run` take what is there? */
#ifndef DIRECTORY_DAEMON_READY_H
#define DIRECTORY_DAEMON_READY_H
#include "directory/daemon/server.h"

/* Open in dir what server_run() would, in its ways and with its words, and change
 * nothing. Says what is wrong, and what to do. Returns the exit status. */
int ready_check(const char *dir, const struct server_config *config);

/* Print these words behind the program's name, as an error. Returns the exit status. */
int ready_fail(const char *what, const char *how, const char *why);

/* Say in why which of an authority's secrets in dir other users can read or change, and
 * what closes it; "" for none. */
enum { READY_WHY_LEN = 400 };
void ready_openness(const char *dir, char why[static READY_WHY_LEN]);
#endif
