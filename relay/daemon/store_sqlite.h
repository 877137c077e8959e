/* relay/daemon/store_sqlite.h - letters on disk: one SQLite file per expiry
 * day.
 *
 * The same answers as relay/store_memory.h. A put is answered when its
 * transaction is on the disk (I6). The file of a day is destroyed whole when
 * the day is over (I8); times are kept in whole days. Used on the storage
 * thread. */
#ifndef RELAY_DAEMON_STORE_SQLITE_H
#define RELAY_DAEMON_STORE_SQLITE_H
#include <stddef.h>
#include <stdint.h>

#include "lib/env.h"
#include "lib/error.h"

struct store_sqlite;

/* dir: made when it is not there, mode 0700. letters_max: beyond it puts
 * answer ERR_QUOTA. Returns 0, ERR_DB, ERR_SYSTEM, ERR_VERSION (a file of a
 * newer version; where says which). */
int store_sqlite_new(struct store_sqlite **out, const char *dir,
                     size_t letter_len, size_t letters_max) CHECK_RESULT;
void store_sqlite_free(struct store_sqlite **s);

/* Carry out a list; a storage_run_fn. */
void store_sqlite_run(void *s, struct env_store_req *list);

/* From any thread: destroy what expires before this day, with the next list. */
void store_sqlite_expire(struct store_sqlite *s, uint32_t day);
#endif
