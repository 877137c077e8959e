/* client/daemon/outbox_sqlite.h - a client's records on disk, in one SQLite
 * file, and their keys in a file beside it (lib/os/key_slots.h).
 *
 * What a record held before it was changed or erased can be read no more once
 * the change is told to be durable (I8); its key, a few numbers
 * (client/disk/records.h), may lie in the file for longer. The two files belong
 * together, and to the master key (client/daemon/master.h), under which all keys are:
 * without one of the three the others are of no use.
 *
 * Groups of the journal are applied in their order, many to a transaction.
 * outbox_sqlite_run() and outbox_sqlite_load() wait for each other, on whatever
 * threads; all else is for one thread, before the storage thread starts. */
#ifndef CLIENT_DAEMON_OUTBOX_SQLITE_H
#define CLIENT_DAEMON_OUTBOX_SQLITE_H
#include "client/daemon/master.h"
#include "client/disk/journal.h"

struct outbox_sqlite;

/* Open the files at path and PATH-keys, or make them where neither is there, mode
 * 0600; locked, so that two programs never run on one client. What is there stays as
 * it is until outbox_sqlite_settle(). m is the master key, of PATH-seal, for as long
 * as *out is there; NULL: it is read from there, and has no passphrase. Returns 0, ERR_AGAIN (in use), ERR_VERSION (of
 * another version), ERR_FOLDER (there are keys, but the database is gone),
 * ERR_NOT_FOUND (there are records, but the keys are gone), ERR_MISSING and
 * ERR_DUPLICATE (the keys are not those of these records), ERR_CONFLICT (the journal
 * is another copy's), ERR_SEAL (there are records under a master key, but that is
 * gone), ERR_LOCKED (m is not open), database_error(), files_error(), master_read().
 * */
int outbox_sqlite_new(struct outbox_sqlite **out, const char *path,
                      struct master *m) CHECK_RESULT;
/* Open the same to be loaded alone: nothing is made or changed, and where nothing is
 * there is no record. */
int outbox_sqlite_look(struct outbox_sqlite **out, const char *path,
                       struct master *m) CHECK_RESULT;
/* Put in order what an earlier life left, and wipe the keys of no record; call when
 * all records were loaded, and so are known to be those of these keys. Where there is no
 * master key yet one is made, and where records are of a time without one they are
 * sealed anew, all at once. What fails is tried again with the first list. */
void outbox_sqlite_settle(struct outbox_sqlite *o);
void outbox_sqlite_free(struct outbox_sqlite **o);

/* All records in the order of their keys, as they were after some list. Returns 0,
 * database_error(), ERR_DAMAGED, ERR_MAC, ERR_LOCKED, or what fn did. */
int outbox_sqlite_load(struct outbox_sqlite *o, journal_record_fn fn,
                       void *ctx) CHECK_RESULT;

/* Put the records that source hands to put (with put_ctx), all of them or, when source
 * returns an error, none; for a client that is made of a copy. Returns 0, source's
 * error, database_error(), files_error(). */
int outbox_sqlite_fill(struct outbox_sqlite *o,
                       int (*source)(void *ctx, journal_record_fn put,
                                     void *put_ctx),
                       void *ctx) CHECK_RESULT;

/* Keep a list of groups, all of it or none, if the first is the one after the last
 * that was kept; a storage_run_fn. */
void outbox_sqlite_run(void *o, struct env_store_req *list);
#endif
