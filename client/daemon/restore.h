/* client/daemon/restore.h - a client's directory is made of a backup. */
#ifndef CLIENT_DAEMON_RESTORE_H
#define CLIENT_DAEMON_RESTORE_H
#include "lib/os/passphrase.h"

/* Make the directory dir, which is not there or empty, of the backup at path, whose
 * passphrase from tells. All of the backup is looked at before anything is written, and
 * nothing stays of what was not finished. A client that had a passphrase has that of
 * the backup now. Says what is wrong, or the next step. Returns the exit status. */
int restore_run(const char *dir, const char *path,
                const struct passphrase_source *from);
#endif
