/* relay/daemon/store_day.c - see store_day.h.
 *
 * Failure modes: a full or broken disk (ERR_DB; SQLite may have undone all that
 * the list has put, which day_end() tells), a file that is no database
 * (likewise, and it stays as it is). */
#include "relay/daemon/store_day.h"

#include <string.h>

#include "lib/os/database.h"
#include "lib/os/wipe.h"
#include "lib/secret.h"
#include "relay/daemon/seal.h"

/* The file's form. On pages of 4 KiB each letter would begin an overflow page,
 * and take three times the disk. The cache has so many KiB; the kernel has one
 * too. */
static const struct database_form form = {
    .pragmas = "PRAGMA page_size=16384;"
               "PRAGMA auto_vacuum=INCREMENTAL;"
               "PRAGMA cache_size=-256;",
    .tables =
        "CREATE TABLE IF NOT EXISTS letter("
        " name BLOB NOT NULL, slot INTEGER NOT NULL,"
        " named INTEGER NOT NULL, mark BLOB NOT NULL,"
        " sealed BLOB NOT NULL, PRIMARY KEY(name, slot)"
        ") WITHOUT ROWID;"
        "CREATE INDEX IF NOT EXISTS named ON letter(named) WHERE named>0;",
    .table = "letter",
    .version = 3};

static int
statements_prepare(struct day *d)
{
    const struct {
        sqlite3_stmt **st;
        const char *text;
    } all[] = {
        {&d->put, "INSERT INTO letter VALUES(?,?,0,?,?)"},
        {&d->get, "SELECT sealed FROM letter WHERE name=? AND slot=?"},
        {&d->slots, "SELECT slot, length(sealed) FROM letter WHERE name=?"},
        {&d->name, "UPDATE letter SET named=? WHERE name=? AND mark=? AND"
                   " named=0 AND length(sealed)>16 AND (? >> slot) & 1"},
        {&d->named, "SELECT name, slot, sealed FROM letter WHERE named>0 AND"
                    " named<? LIMIT 1"},
        {&d->let_go, "DELETE FROM letter WHERE name=? AND slot=?"},
        {&d->skip, "UPDATE letter SET named=-1 WHERE name=? AND slot=?"}};
    int err = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0] && !err; i++)
        err = database_prepare(d->db, all[i].text, all[i].st);
    return err == ERR_DB ? ERR_DAMAGED : err; /* its tables are another's */
}

/* Are these the letters of this key? Those of several boxes are tried: the disk may
 * have changed some. */
static int
key_check(struct day *d)
{
    sqlite3_stmt *st;
    const size_t len = d->letter_len + SEAL_EXTRA_LEN;
    int rc = SQLITE_DONE, bad = 0, good = 0;
    int err = database_prepare(d->db,
                               "SELECT name, slot, sealed FROM letter WHERE"
                               " length(name)=? AND length(sealed)=? LIMIT 64",
                               &st);
    if (err)
        return err;
    sqlite3_bind_int(st, 1, SEAL_NAME_LEN);
    sqlite3_bind_int64(st, 2, (sqlite3_int64)len);
    while (!good && (rc = sqlite3_step(st)) == SQLITE_ROW)
        if (seal_open(d->key, sqlite3_column_blob(st, 0),
                      (uint8_t)sqlite3_column_int(st, 1),
                      sqlite3_column_blob(st, 2), len, d->scratch))
            bad++;
        else
            good++;
    err = good ? 0 : database_error(d->db, rc);
    sqlite3_finalize(st);
    return err ? err : bad > 0 && !good ? ERR_MAC : 0;
}

int
day_open(struct day *d, const char *path, const char *key_path)
{
    uint64_t all = 0;
    int err = wipe_key(key_path, &d->key);
    if (!err)
        err = database_open(&d->db, path, &form);
    if (!err)
        err = statements_prepare(d);
    if (!err)
        err = key_check(d);
    if (!err)
        err = database_number(d->db, "SELECT count(*) FROM letter", &all);
    if (!err)
        err = database_number(
            d->db, "SELECT count(*) FROM letter WHERE length(sealed)<=16",
            &d->gone);
    d->count = all - d->gone;
    if (err)
        day_close(d);
    return err;
}

void
day_close(struct day *d)
{
    sqlite3_finalize(d->put);
    sqlite3_finalize(d->get);
    sqlite3_finalize(d->slots);
    sqlite3_finalize(d->name);
    sqlite3_finalize(d->named);
    sqlite3_finalize(d->let_go);
    sqlite3_finalize(d->skip);
    database_close(&d->db);
    secret_free((void **)&d->key);
}

/* ---- reading ---- */

int
day_slots(struct day *d, const uint8_t box[static 32], uint16_t *full,
          uint16_t *gone)
{
    uint8_t name[SEAL_NAME_LEN];
    int got = SQLITE_ERROR;
    *full = *gone = 0;
    seal_name(d->key, box, name);
    if (sqlite3_bind_blob(d->slots, 1, name, sizeof name, SQLITE_STATIC) ==
        SQLITE_OK)
        while ((got = sqlite3_step(d->slots)) == SQLITE_ROW) {
            const uint16_t bit =
                (uint16_t)(1u << (sqlite3_column_int(d->slots, 0) &
                                  (DAY_SLOTS - 1)));
            if (sqlite3_column_int(d->slots, 1) <= DAY_TRACE_LEN)
                *gone |= bit;
            else
                *full |= bit;
        }
    sqlite3_reset(d->slots);
    return got == SQLITE_DONE  ? 0
           : got == SQLITE_ROW ? ERR_DB
                               : database_error(d->db, got);
}

/* Bring the row of a slot; sqlite3_reset(d->get) afterwards. */
static bool
row_get(struct day *d, const uint8_t *name, unsigned slot)
{
    sqlite3_bind_blob(d->get, 1, name, SEAL_NAME_LEN, SQLITE_STATIC);
    sqlite3_bind_int(d->get, 2, (int)slot);
    return sqlite3_step(d->get) == SQLITE_ROW;
}

int
day_read(struct day *d, const uint8_t box[static 32], unsigned slot,
         uint8_t *letter)
{
    uint8_t name[SEAL_NAME_LEN];
    const size_t len = d->letter_len + SEAL_EXTRA_LEN;
    int err = ERR_DB;
    seal_name(d->key, box, name);
    if (row_get(d, name, slot) &&
        (size_t)sqlite3_column_bytes(d->get, 0) == len &&
        seal_open(d->key, name, (uint8_t)slot, sqlite3_column_blob(d->get, 0),
                  len, letter) == 0)
        err = 0;
    sqlite3_reset(d->get);
    return err;
}

int
day_compare(struct day *d, const struct env_store_req *req, bool is_gone)
{
    uint8_t name[SEAL_NAME_LEN], trace[DAY_TRACE_LEN];
    const unsigned slot = req->slot & (DAY_SLOTS - 1);
    int err = ERR_DB;
    if (!is_gone) {
        err = day_read(d, req->box, slot, d->scratch);
        return err                                              ? err
               : memcmp(d->scratch, req->letter, d->letter_len) ? ERR_SLOT
                                                                : 0;
    }
    seal_name(d->key, req->box, name);
    seal_trace(d->key, name, (uint8_t)slot, req->letter, d->letter_len, trace);
    if (row_get(d, name, slot) &&
        sqlite3_column_bytes(d->get, 0) == DAY_TRACE_LEN)
        err = memcmp(sqlite3_column_blob(d->get, 0), trace, sizeof trace)
                  ? ERR_SLOT
                  : 0;
    sqlite3_reset(d->get);
    return err;
}

/* ---- writing ---- */

static int
day_begin(struct day *d)
{
    if (d->open_transaction)
        return d->failed ? ERR_DB : 0;
    const int err = database_run(d->db, "BEGIN IMMEDIATE");
    if (err)
        return err;
    d->open_transaction = true;
    d->failed = false;
    d->added = d->left = 0;
    return 0;
}

/* Run a statement that changes something. */
static int
statement_run(struct day *d, sqlite3_stmt *st)
{
    const int err = database_error(d->db, sqlite3_step(st));
    sqlite3_reset(st);
    if (sqlite3_get_autocommit(d->db))
        d->failed = true; /* a full disk undoes all that the list has put */
    return err;
}

static int
row_insert(struct day *d, const uint8_t *name, int slot, const void *mark,
           size_t mark_len, const uint8_t *sealed, size_t sealed_len)
{
    sqlite3_bind_blob(d->put, 1, name, SEAL_NAME_LEN, SQLITE_STATIC);
    sqlite3_bind_int(d->put, 2, slot);
    sqlite3_bind_blob(d->put, 3, mark, (int)mark_len, SQLITE_STATIC);
    sqlite3_bind_blob(d->put, 4, sealed, (int)sealed_len, SQLITE_STATIC);
    return statement_run(d, d->put);
}

int
day_put(struct day *d, const struct env_store_req *req)
{
    uint8_t name[SEAL_NAME_LEN];
    int err = day_begin(d);
    if (err)
        return err;
    seal_name(d->key, req->box, name);
    seal_letter(d->key, name, req->slot, req->letter, d->letter_len, d->sealed);
    err = row_insert(d, name, req->slot, req->mark, sizeof req->mark, d->sealed,
                     d->letter_len + SEAL_EXTRA_LEN);
    d->added += err == 0;
    return err;
}

int
day_name(struct day *d, const struct env_store_req *req)
{
    uint8_t name[SEAL_NAME_LEN];
    int err = day_begin(d);
    if (err)
        return err;
    seal_name(d->key, req->box, name);
    sqlite3_bind_int64(d->name, 1, req->hour);
    sqlite3_bind_blob(d->name, 2, name, sizeof name, SQLITE_STATIC);
    sqlite3_bind_blob(d->name, 3, req->mark, sizeof req->mark, SQLITE_STATIC);
    sqlite3_bind_int(d->name, 4, req->held);
    return statement_run(d, d->name);
}

/* Let go of the letter that d->named stands at. A letter that does not open
 * stays as it is, and is not looked at again: else it would be the first every
 * time. */
static int
row_let_go(struct day *d)
{
    uint8_t name[SEAL_NAME_LEN], trace[DAY_TRACE_LEN];
    const size_t len = d->letter_len + SEAL_EXTRA_LEN;
    const int slot = sqlite3_column_int(d->named, 1);
    int err = ERR_FORMAT;
    sqlite3_bind_value(d->skip, 1, sqlite3_column_value(d->named, 0));
    sqlite3_bind_int(d->skip, 2, slot);
    if (sqlite3_column_bytes(d->named, 0) == SEAL_NAME_LEN &&
        (size_t)sqlite3_column_bytes(d->named, 2) == len) {
        memcpy(name, sqlite3_column_blob(d->named, 0), sizeof name);
        err = seal_open(d->key, name, (uint8_t)slot,
                        sqlite3_column_blob(d->named, 2), len, d->scratch);
    }
    sqlite3_reset(d->named);
    if (err)
        return statement_run(d, d->skip);
    seal_trace(d->key, name, (uint8_t)slot, d->scratch, d->letter_len, trace);
    /* an UPDATE would leave the page as empty as it makes it; a DELETE joins it
     * with its neighbours */
    sqlite3_bind_blob(d->let_go, 1, name, sizeof name, SQLITE_STATIC);
    sqlite3_bind_int(d->let_go, 2, slot);
    err = statement_run(d, d->let_go);
    if (!err)
        err = row_insert(d, name, slot, "", 0, trace, sizeof trace);
    if (err)
        d->failed = true; /* not one without the other */
    d->left += err == 0;
    return err;
}

void
day_let_go(struct day *d, uint32_t hour, unsigned max)
{
    int err = 0;
    bool more = true;
    for (unsigned i = 0; i < max && more && !err; i++) {
        sqlite3_bind_int64(d->named, 1, hour);
        more = sqlite3_step(d->named) == SQLITE_ROW;
        if (more && !d->open_transaction) {
            sqlite3_reset(d->named);
            err = day_begin(d);
            more = !err && sqlite3_step(d->named) == SQLITE_ROW;
        }
        if (more)
            err = row_let_go(d);
        sqlite3_reset(d->named);
    }
}

int
day_end(struct day *d)
{
    if (!d->open_transaction)
        return 0;
    d->open_transaction = false;
    const int err = d->failed ? ERR_DB : database_run(d->db, "COMMIT");
    if (err) {
        sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL);
        return err;
    }
    d->count += d->added - d->left;
    d->gone += d->left;
    if (d->left > 0) /* else another time */
        sqlite3_exec(d->db, "PRAGMA incremental_vacuum", NULL, NULL, NULL);
    return 0;
}

uint64_t
day_used(struct day *d, uint64_t letter_disk)
{
    uint64_t pages;
    if (d->gone == 0 || database_number(d->db, "PRAGMA page_count", &pages))
        return d->count + d->gone;
    pages = pages * DAY_PAGE_LEN / letter_disk;
    return pages < d->count             ? d->count
           : pages < d->count + d->gone ? pages
                                        : d->count + d->gone;
}
