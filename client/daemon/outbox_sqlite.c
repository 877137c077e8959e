/* client/daemon/outbox_sqlite.c - records by key.
 *
 * Each value is sealed under a key that is drawn for it and used for nothing
 * else, so a nonce of zeros does; its slot stands beside it. A value that is
 * replaced or erased loses that key when the change is committed, and so do the
 * copies of it that SQLite leaves in its journal and, when it balances its trees,
 * in gaps of pages (secure_delete does not reach those).
 *
 * A list of groups is one transaction: all of it is kept or none. Once one has
 * failed none is tried again, since groups are kept in their order or not at
 * all; the client is told and says so. */
#include "client/daemon/outbox_sqlite.h"

#include <sodium.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/os/database.h"
#include "lib/os/files.h"
#include "lib/os/key_slots.h"

enum { TAG_LEN = crypto_aead_xchacha20poly1305_ietf_ABYTES };

_Static_assert((int)KEY_SLOT_LEN == crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
               "the cipher's");

struct outbox_sqlite {
    sqlite3 *db;
    sqlite3_stmt *put, *erase, *get, *slot;
    struct key_slots *keys;
    bool failed;
};

static const struct database_form form = {
    .alone = true,
    .pragmas = "PRAGMA secure_delete=ON;",
    .tables = "CREATE TABLE IF NOT EXISTS record("
              " key BLOB PRIMARY KEY, slot INTEGER NOT NULL,"
              " value BLOB NOT NULL) WITHOUT ROWID;",
    .version = 2};

/* The name of the file of keys. A database that is not there yet has none: else
 * it is away, and its keys would be wiped as those of no record. */
static int
keys_path(const char *path, char keys[static FILES_PATH_MAX])
{
    struct stat db, st;
    const bool is_new = stat(path, &db) || db.st_size == 0;
    if (snprintf(keys, FILES_PATH_MAX, "%s-keys", path) >= FILES_PATH_MAX)
        return ERR_LONG;
    return is_new && stat(keys, &st) == 0 && st.st_size > 0 ? ERR_MISSING : 0;
}

/* The file of keys beside the database: all records have theirs there, and who
 * has none is wiped, as after a crash. */
static int
keys_open(struct outbox_sqlite *o, const char *keys)
{
    sqlite3_stmt *st;
    int rc, err = key_slots_open(&o->keys, keys);
    if (err)
        return err;
    err = database_prepare(o->db, "SELECT slot FROM record", &st);
    if (err)
        return err;
    while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW)
        err = key_slots_claim(o->keys, (uint32_t)sqlite3_column_int64(st, 0));
    if (!err && rc != SQLITE_DONE)
        err = ERR_DB;
    sqlite3_finalize(st);
    return err ? err : key_slots_settle(o->keys);
}

static int
statements_prepare(struct outbox_sqlite *o)
{
    int err = database_prepare(
        o->db, "INSERT OR REPLACE INTO record VALUES(?,?,?)", &o->put);
    if (!err)
        err = database_prepare(o->db, "DELETE FROM record WHERE key=?",
                               &o->erase);
    if (!err)
        err = database_prepare(
            o->db, "SELECT slot, value FROM record WHERE key=?", &o->get);
    if (!err)
        err = database_prepare(o->db, "SELECT slot FROM record WHERE key=?",
                               &o->slot);
    return err;
}

int
outbox_sqlite_new(struct outbox_sqlite **out, const char *path)
{
    struct outbox_sqlite *o = calloc(1, sizeof *o);
    char keys[FILES_PATH_MAX];
    *out = NULL;
    if (!o)
        return ERR_NOMEM;
    int err = keys_path(path, keys);
    if (!err)
        err = database_open(&o->db, path, &form);
    if (!err)
        err = statements_prepare(o);
    if (!err)
        err = keys_open(o, keys);
    if (err) {
        outbox_sqlite_free(&o);
        return err;
    }
    *out = o;
    return 0;
}

void
outbox_sqlite_free(struct outbox_sqlite **op)
{
    struct outbox_sqlite *o = *op;
    *op = NULL;
    if (!o)
        return;
    sqlite3_finalize(o->put);
    sqlite3_finalize(o->erase);
    sqlite3_finalize(o->get);
    sqlite3_finalize(o->slot);
    database_close(&o->db);
    key_slots_close(&o->keys);
    free(o);
}

/* ---- sealing ---- */

static const uint8_t nonce[crypto_aead_xchacha20poly1305_ietf_NPUBBYTES];

/* Open the value in these columns of a row; *value is malloc'd and the caller's,
 * len octets. */
static int
value_open(const struct outbox_sqlite *o, sqlite3_stmt *st, int slot_column,
           const uint8_t *key, size_t key_len, uint8_t **value, size_t *len)
{
    uint8_t slot_key[KEY_SLOT_LEN];
    const uint8_t *sealed = sqlite3_column_blob(st, slot_column + 1);
    const int n = sqlite3_column_bytes(st, slot_column + 1);
    *value = NULL;
    *len = 0;
    if (n < TAG_LEN)
        return ERR_DB;
    int err = key_slots_read(
        o->keys, (uint32_t)sqlite3_column_int64(st, slot_column), slot_key);
    if (!err && !(*value = malloc((size_t)n)))
        err = ERR_NOMEM;
    if (!err && crypto_aead_xchacha20poly1305_ietf_decrypt(
                    *value, NULL, NULL, sealed, (unsigned long long)n, key,
                    key_len, nonce, slot_key)) {
        free(*value);
        *value = NULL;
        err = ERR_MAC;
    }
    if (!err)
        *len = (size_t)(n - TAG_LEN);
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
    uint8_t *sealed = malloc(len + TAG_LEN);
    if (!sealed)
        return ERR_NOMEM;
    int err = key_slots_take(o->keys, &slot, slot_key);
    if (!err) {
        crypto_aead_xchacha20poly1305_ietf_encrypt(
            sealed, NULL, value, len, key, key_len, NULL, nonce, slot_key);
        sqlite3_bind_int64(o->put, 2, slot);
        if (sqlite3_bind_blob(o->put, 3, sealed, (int)len + TAG_LEN, free))
            err = ERR_DB;
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
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : ERR_DB;
}

/* ---- records ---- */

int
outbox_sqlite_load(struct outbox_sqlite *o, journal_record_fn fn, void *ctx)
{
    sqlite3_stmt *st;
    int rc, err;
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
    if (!err && rc != SQLITE_DONE)
        err = ERR_DB;
    sqlite3_finalize(st);
    return err;
}

static int
record_apply(void *ctx, const uint8_t *key, size_t key_len,
             const uint8_t *value, size_t value_len)
{
    struct outbox_sqlite *o = ctx;
    sqlite3_stmt *st = value ? o->put : o->erase;
    int err = value_retire(o, key, key_len);
    if (!err && value)
        err = value_seal(o, key, key_len, value, value_len);
    if (!err && (sqlite3_bind_blob(st, 1, key, (int)key_len, SQLITE_STATIC) ||
                 sqlite3_step(st) != SQLITE_DONE))
        err = ERR_DB;
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return err;
}

/* Read one record; it is in the database as the groups before it left it. */
static int
record_read(struct outbox_sqlite *o, struct env_store_req *req)
{
    int err = 0;
    sqlite3_bind_blob(o->get, 1, req->letter, (int)req->letter_len,
                      SQLITE_STATIC);
    int rc = sqlite3_step(o->get);
    if (rc == SQLITE_ROW)
        err = value_open(o, o->get, 0, req->letter, req->letter_len,
                         &req->value, &req->value_len);
    else
        err = rc == SQLITE_DONE ? ERR_NOT_FOUND : ERR_DB;
    sqlite3_reset(o->get);
    sqlite3_clear_bindings(o->get);
    return err;
}

/* Carry the groups and reads of a list out in their order, in one transaction.
 * A read that fails fails alone. */
void
outbox_sqlite_run(void *ctx, struct env_store_req *list)
{
    struct outbox_sqlite *o = ctx;
    int err = o->failed ? ERR_DB : 0;
    if (!err && sqlite3_exec(o->db, "BEGIN IMMEDIATE", NULL, NULL, NULL))
        err = ERR_DB;
    for (struct env_store_req *r = list; r && !err; r = r->next)
        if (r->op == ENV_STORE_READ)
            r->err = record_read(o, r);
        else
            err = journal_parse(r->letter, r->letter_len, record_apply, o);
    if (!err)
        err = key_slots_sync(o->keys);
    if (!err && sqlite3_exec(o->db, "COMMIT", NULL, NULL, NULL))
        err = ERR_DB;
    if (err) {
        o->failed = true;
        sqlite3_exec(o->db, "ROLLBACK", NULL, NULL, NULL);
    } else if (key_slots_wipe(o->keys)) {
        err = 0; /* the records are kept; the next list, or life, tries again */
    }
    for (struct env_store_req *r = list; r; r = r->next)
        if (err || r->op != ENV_STORE_READ)
            r->err = err;
}
