/* client/daemon/guard.h - what stands between calls and the client's state: it can be
 * locked, and backups are made by way of it.
 *
 * Locked, a client goes on as before: clock, polls and puts, what comes and what is
 * kept, so that neither the wire nor a store sees a difference. Calls alone are
 * refused (client/daemon/json.h). Used on the thread of calls and on the client's. */
#ifndef CLIENT_DAEMON_GUARD_H
#define CLIENT_DAEMON_GUARD_H
#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

enum { GUARD_NAME_MAX = 64 }; /* of a backup, with its final 0 */

struct guard;
struct master;
struct outbox_sqlite;

/* Make a guard, not locked, of the client in dir; m, open, is its master key and o its
 * records, network the name of its network file. All stay the caller's and are there
 * longer than *out. Returns 0, ERR_NOMEM, ERR_LONG. */
int guard_new(struct guard **out, const char *dir, const char *network,
              struct master *m, struct outbox_sqlite *o) CHECK_RESULT;
void guard_free(struct guard **g);

bool guard_is_locked(const struct guard *g);
void guard_lock(struct guard *g, bool locked);

/* Has the file of the master key a passphrase now? */
bool guard_is_sealed(const struct guard *g);
/* Is this the passphrase? Where there is none any more, any is. Takes as long as one
 * try does. Returns 0, ERR_PASSPHRASE, or what master_read() and master_open() do. */
int guard_try(const struct guard *g, const char *text, size_t len) CHECK_RESULT;
/* Write a backup, sealed under this passphrase, into the client's directory, by a name
 * that is written to name. Returns 0, ERR_ARG (the passphrase is empty), and as
 * backup_write() does. */
int guard_backup(const struct guard *g, const char *text, size_t len,
                 char name[static GUARD_NAME_MAX]) CHECK_RESULT;
#endif
