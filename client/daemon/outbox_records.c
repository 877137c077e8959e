/* client/daemon/outbox_records.c - one record: sealed, opened, put, read, and sealed
 * anew where it is of a time without a master key (outbox_sqlite.c says how files
 * become those of another version). No state of its own. Failure modes: a value that
 * is damaged, or of other keys (ERR_MAC, ERR_DAMAGED); no memory; the disk's. */
#include "client/daemon/outbox_internal.h"

#include <sodium.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "lib/os/database.h"
#include "lib/os/key_slots.h"

enum { KEY_MAX = 255 };

_Static_assert((int)KEY_MAX >= (int)JOURNAL_KEY_MAX, "a key's length");

/* ---- sealing ---- */

/* What values are sealed under besides the keys of their slots, or NULL. */
static const struct master *
master_of(const struct outbox_sqlite *o)
{
    return o->bare ? NULL : o->master;
}

/* Open the value in these columns of a row; *value is malloc'd and the caller's,
 * len bytes. */
static int
value_open(const struct outbox_sqlite *o, sqlite3_stmt *st, int slot_column,
           const uint8_t *key, size_t key_len, uint8_t **value, size_t *len)
{
    uint8_t slot_key[KEY_SLOT_LEN];
    const uint8_t *sealed = sqlite3_column_blob(st, slot_column + 1);
    const int n = sqlite3_column_bytes(st, slot_column + 1);
    *value = NULL;
    *len = 0;
    if (n < MASTER_TAG_LEN)
        return ERR_DAMAGED;
    int err = key_slots_read(
        o->keys, (uint32_t)sqlite3_column_int64(st, slot_column), slot_key);
    if (!err && !(*value = malloc((size_t)n)))
        err = ERR_NOMEM;
    if (!err)
        err = master_open_value(master_of(o), slot_key, key, key_len, sealed,
                                (size_t)n, *value);
    if (!err) {
        *len = (size_t)(n - MASTER_TAG_LEN);
    } else {
        free(*value);
        *value = NULL;
    }
    sodium_memzero(slot_key, sizeof slot_key);
    return err;
}

static void
value_free(uint8_t *value, size_t len)
{
    if (value)
        sodium_memzero(value, len);
    free(value);
}

/* Bind the sealed value and its slot for the statement that puts. */
static int
value_seal(struct outbox_sqlite *o, const uint8_t *key, size_t key_len,
           const uint8_t *value, size_t len)
{
    uint8_t slot_key[KEY_SLOT_LEN];
    uint32_t slot;
    uint8_t *sealed = malloc(len + MASTER_TAG_LEN);
    if (!sealed)
        return ERR_NOMEM;
    int err = key_slots_take(o->keys, &slot, slot_key);
    if (!err) {
        master_seal_value(master_of(o), slot_key, key, key_len, value, len,
                          sealed);
        sqlite3_bind_int64(o->put, 2, slot);
        err = database_error(o->db, sqlite3_bind_blob(o->put, 3, sealed,
                                                      (int)len + MASTER_TAG_LEN,
                                                      free));
    } else {
        free(sealed);
    }
    sodium_memzero(slot_key, sizeof slot_key);
    return err;
}

/* The key of what is there now goes with it. */
static int
value_retire(struct outbox_sqlite *o, const uint8_t *key, size_t key_len)
{
    sqlite3_bind_blob(o->slot, 1, key, (int)key_len, SQLITE_STATIC);
    const int rc = sqlite3_step(o->slot);
    if (rc == SQLITE_ROW)
        key_slots_retire(o->keys, (uint32_t)sqlite3_column_int64(o->slot, 0));
    sqlite3_reset(o->slot);
    sqlite3_clear_bindings(o->slot);
    return database_error(o->db, rc);
}

/* ---- records ---- */

int
outbox_records_load(const struct outbox_sqlite *o, journal_record_fn fn,
                    void *ctx)
{
    sqlite3_stmt *st;
    int rc, err;
    if (!o->db || !o->keys) /* there is nothing to look at yet */
        return o->look ? 0 : ERR_DB;
    err = database_prepare(
        o->db, "SELECT key, slot, value FROM record ORDER BY key", &st);
    if (err)
        return err;
    while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        const uint8_t *key = sqlite3_column_blob(st, 0);
        const size_t key_len = (size_t)sqlite3_column_bytes(st, 0);
        uint8_t *value;
        size_t len;
        err = value_open(o, st, 1, key, key_len, &value, &len);
        if (!err)
            err = fn(ctx, key, key_len, value, len);
        value_free(value, len);
    }
    if (!err)
        err = database_error(o->db, rc);
    sqlite3_finalize(st);
    return err;
}

int
outbox_record_apply(void *ctx, const uint8_t *key, size_t key_len,
                    const uint8_t *value, size_t value_len)
{
    struct outbox_sqlite *o = ctx;
    sqlite3_stmt *st = value ? o->put : o->erase;
    int err = value_retire(o, key, key_len);
    if (!err && value)
        err = value_seal(o, key, key_len, value, value_len);
    if (!err)
        err = database_error(
            o->db, sqlite3_bind_blob(st, 1, key, (int)key_len, SQLITE_STATIC));
    if (!err)
        err = database_error(o->db, sqlite3_step(st));
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return err;
}

int
outbox_record_read(struct outbox_sqlite *o, struct env_store_req *req)
{
    int err = 0;
    if (!o->db)
        return ERR_DB;
    sqlite3_bind_blob(o->get, 1, req->letter, (int)req->letter_len,
                      SQLITE_STATIC);
    int rc = sqlite3_step(o->get);
    if (rc == SQLITE_ROW)
        err = value_open(o, o->get, 0, req->letter, req->letter_len,
                         &req->value, &req->value_len);
    else
        err = rc == SQLITE_DONE ? ERR_NOT_FOUND : database_error(o->db, rc);
    sqlite3_reset(o->get);
    sqlite3_clear_bindings(o->get);
    return err;
}

/* ---- sealing anew ---- */

/* Seal the record in the row of st anew, which has its key, slot and value, with the
 * master key. */
static int
record_renew(struct outbox_sqlite *o, sqlite3_stmt *st)
{
    const uint8_t *key = sqlite3_column_blob(st, 0);
    const size_t key_len = (size_t)sqlite3_column_bytes(st, 0);
    uint8_t *value;
    size_t len;
    o->bare = true;
    int err = value_open(o, st, 1, key, key_len, &value, &len);
    o->bare = false;
    if (!err)
        err = outbox_record_apply(o, key, key_len, value, len);
    value_free(value, len);
    return err;
}

/* Seal all records anew that are under the keys of their slots alone. They are read
 * in the order of their keys, a statement for each, since rows that change must not
 * be gone through. */
static int
records_renew_each(struct outbox_sqlite *o)
{
    uint8_t last[KEY_MAX];
    sqlite3_stmt *st;
    int rc = SQLITE_ROW, last_len = 0;
    uint64_t n = 0, all = 0;
    int err = database_number(o->db, "SELECT count(*) FROM record", &all);
    if (!err)
        err = database_prepare(o->db,
                               "SELECT key, slot, value FROM record WHERE "
                               "key > ? ORDER BY key LIMIT 1",
                               &st);
    if (err)
        return err;
    while (!err && rc == SQLITE_ROW) {
        sqlite3_bind_blob(st, 1, last, last_len, SQLITE_STATIC);
        rc = sqlite3_step(st);
        err = database_error(o->db, rc);
        last_len = rc == SQLITE_ROW ? sqlite3_column_bytes(st, 0) : 0;
        if (!err && last_len > KEY_MAX)
            err = ERR_DAMAGED;
        if (!err && rc == SQLITE_ROW) {
            memcpy(last, sqlite3_column_blob(st, 0), (size_t)last_len);
            err = record_renew(o, st);
            n++;
        }
        sqlite3_reset(st);
    }
    sqlite3_finalize(st);
    return err || n == all ? err : ERR_DAMAGED;
}

int
outbox_records_renew(struct outbox_sqlite *o)
{
    int err = database_run(o->db, "BEGIN IMMEDIATE");
    if (err)
        return err;
    err = records_renew_each(o);
    if (!err)
        err = key_slots_sync(o->keys);
    if (!err)
        err = database_run(o->db, "PRAGMA user_version=3; COMMIT");
    o->bare = err != 0;
    if (err)
        sqlite3_exec(o->db, "ROLLBACK", NULL, NULL, NULL);
    return err ? err : database_run(o->db, "PRAGMA wal_checkpoint(TRUNCATE)");
}
