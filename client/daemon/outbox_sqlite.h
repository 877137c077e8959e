/* client/daemon/outbox_sqlite.h - a client's records on disk, in one SQLite
 * file.
 *
 * Groups of the journal are applied in their order, many to a transaction.
 * Used on the storage thread; load before that starts. */
#ifndef CLIENT_DAEMON_OUTBOX_SQLITE_H
#define CLIENT_DAEMON_OUTBOX_SQLITE_H
#include "client/journal.h"

struct outbox_sqlite;

/* path: made when it is not there, mode 0600; locked, so that two programs
 * never run on one client. Returns 0, ERR_DB, ERR_AGAIN (in use), ERR_VERSION.
 */
int outbox_sqlite_new(struct outbox_sqlite **out,
                      const char *path) CHECK_RESULT;
void outbox_sqlite_free(struct outbox_sqlite **o);

/* All records in the order of their keys. Returns 0, ERR_DB, or what fn did. */
int outbox_sqlite_load(struct outbox_sqlite *o, journal_record_fn fn,
                       void *ctx) CHECK_RESULT;

/* Apply a list of groups; a storage_run_fn. */
void outbox_sqlite_run(void *o, struct env_store_req *list);
#endif
