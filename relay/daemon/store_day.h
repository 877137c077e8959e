/* relay/daemon/store_day.h - the letters of one expiry day: one SQLite file,
 * and the page with its key beside it. For store_sqlite.c; on the storage
 * thread.
 *
 * A letter that its reader has named as held may be let go. Its place then
 * keeps a trace, a hash of 16 bytes under the day's key, which tells that
 * letter from another one. */
#ifndef RELAY_DAEMON_STORE_DAY_H
#define RELAY_DAEMON_STORE_DAY_H
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/env.h"
#include "lib/error.h"

enum { DAY_SLOTS = 16, DAY_PAGE_LEN = 16384, DAY_TRACE_LEN = 16 };

struct day {
    uint32_t number;
    size_t letter_len;
    sqlite3 *db;
    sqlite3_stmt *put, *get, *slots, *name, *named, *let_go, *skip;
    uint8_t *key;              /* from secret_new() */
    uint8_t *sealed, *scratch; /* the store's, letter_len and SEAL_EXTRA_LEN */
    uint64_t count, gone;      /* letters, and traces of letters */
    uint64_t added, left;      /* those of the transaction beside */
    bool open_transaction, failed;
    bool damaged; /* found so */
};

/* Open the file at `path` under the key at `key_path`; make those that are not
 * there. Returns 0, ERR_MAC (the key is not that of these letters), what
 * database_open() says, or wipe_key(). */
int day_open(struct day *d, const char *path,
             const char *key_path) CHECK_RESULT;
void day_close(struct day *d);

/* Tell which slots of a box hold letters (*full), and which traces (*gone).
 * Returns 0 or database_error(): a slot that cannot be told must not be taken
 * for free. */
int day_slots(struct day *d, const uint8_t box[static 32], uint16_t *full,
              uint16_t *gone) CHECK_RESULT;

/* Read the letter in this slot of a box. Returns 0 or ERR_DB. */
int day_read(struct day *d, const uint8_t box[static 32], unsigned slot,
             uint8_t *letter) CHECK_RESULT;

/* Compare the letter of the put `req` with the one that is in its slot or
 * (is_gone) was. Returns 0, ERR_SLOT (another letter) or ERR_DB. */
int day_compare(struct day *d, const struct env_store_req *req,
                bool is_gone) CHECK_RESULT;

/* Put the letter of req, in the transaction that day_end() ends. Returns 0 or
 * database_error(), as the next call does. */
int day_put(struct day *d, const struct env_store_req *req) CHECK_RESULT;
/* Note the slots that req names as held, in the same transaction. */
int day_name(struct day *d, const struct env_store_req *req) CHECK_RESULT;

/* Let go of up to `max` letters that were named before this hour, except those
 * that do not open. */
void day_let_go(struct day *d, uint32_t hour, unsigned max);

/* End the transaction, if there is one. Returns 0, or database_error(): then
 * none of its changes are kept. */
int day_end(struct day *d) CHECK_RESULT;

/* Tell how many letters' room the day takes on the disk, where a letter takes
 * letter_disk bytes: what was let go counts until its pages are given back. */
uint64_t day_used(struct day *d, uint64_t letter_disk);
#endif
