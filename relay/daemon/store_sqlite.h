/* relay/daemon/store_sqlite.h - letters on disk: one SQLite file per expiry
 * day.
 *
 * The same answers as relay/store_memory.h. A put is answered when its
 * transaction is on the disk (I6). All of a day is sealed under a key of its
 * own (seal.h), which is overwritten when the day is over, and then the file
 * goes (I8); times are kept in whole days. Used on the storage thread. */
#ifndef RELAY_DAEMON_STORE_SQLITE_H
#define RELAY_DAEMON_STORE_SQLITE_H
#include <stddef.h>
#include <stdint.h>

#include "lib/env.h"
#include "lib/error.h"

struct store_sqlite;

/* Tell how many bytes of disk a letter of letter_len bytes takes: measured with
 * 60,000 letters in full boxes, 1.34 times its length, with 2,500 1.35
 * times. */
static inline uint64_t
store_sqlite_disk(size_t letter_len)
{
    return (uint64_t)letter_len * 136 / 100;
}

/* Open the letters in dir, which is made, mode 0700, when it is not there. The
 * letters have letter_len bytes each and may take bytes_max of disk, beyond
 * which puts answer ERR_QUOTA; 0: half of what is free there and what letters
 * take already. A damaged file is set aside, as letters-DAY.damaged, and its
 * day begins anew. Returns 0, database_error(), files_error(), ERR_VERSION (a
 * file of another version). */
int store_sqlite_new(struct store_sqlite **out, const char *dir,
                     size_t letter_len, uint64_t bytes_max) CHECK_RESULT;
/* Tell how many letters there is room for. */
uint64_t store_sqlite_letters_max(const struct store_sqlite *s);
void store_sqlite_free(struct store_sqlite **s);

/* Carry out a list of requests; a storage_run_fn. */
void store_sqlite_run(void *s, struct env_store_req *list);

/* Tell why the disk kept nothing of what was put last (database_error()), 0: it
 * was kept. Any thread may ask this, and the next. */
int store_sqlite_error(const struct store_sqlite *s);
/* Count the days' files that were damaged and set aside. */
unsigned store_sqlite_damaged(const struct store_sqlite *s);

/* Destroy what expires before this day, with the next list; any thread may
 * call. Returns files_error() of the last try when something was left; each
 * list tries again. */
int store_sqlite_expire(struct store_sqlite *s, uint32_t day) CHECK_RESULT;
#endif
