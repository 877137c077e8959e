/* client/daemon/outbox_sqlite.c - records by key.
 *
 * A list of groups is one transaction: all of it is kept or none. Once one has
 * failed none is tried again, since groups are kept in their order or not at
 * all; the client is told and says so. */
#include "client/daemon/outbox_sqlite.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { VERSION = 1 };

struct outbox_sqlite {
    sqlite3 *db;
    sqlite3_stmt *put, *erase, *get;
    bool failed;
};

static int
version_check(sqlite3 *db)
{
    sqlite3_stmt *st;
    int version = -1;
    if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &st, NULL))
        return ERR_DB;
    if (sqlite3_step(st) == SQLITE_ROW)
        version = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return version < 0 ? ERR_DB : version > VERSION ? ERR_VERSION : 0;
}

int
outbox_sqlite_new(struct outbox_sqlite **out, const char *path)
{
    struct outbox_sqlite *o = calloc(1, sizeof *o);
    int rc, err = ERR_DB;
    *out = NULL;
    if (!o)
        return ERR_NOMEM;
    mode_t before = umask(0077);
    rc = sqlite3_open_v2(path, &o->db,
                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                             SQLITE_OPEN_FULLMUTEX,
                         NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(o->db,
                          "PRAGMA locking_mode=EXCLUSIVE;"
                          "PRAGMA journal_mode=WAL;"
                          "PRAGMA synchronous=FULL;"
                          "PRAGMA secure_delete=ON;"
                          "BEGIN IMMEDIATE; COMMIT;",
                          NULL, NULL, NULL);
    umask(before);
    if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
        err = ERR_AGAIN;
    else if (rc == SQLITE_OK)
        err = version_check(o->db);
    if (!err &&
        (sqlite3_exec(o->db,
                      "CREATE TABLE IF NOT EXISTS record("
                      " key BLOB PRIMARY KEY, value BLOB NOT NULL"
                      ") WITHOUT ROWID; PRAGMA user_version=1;",
                      NULL, NULL, NULL) ||
         sqlite3_prepare_v2(o->db, "INSERT OR REPLACE INTO record VALUES(?,?)",
                            -1, &o->put, NULL) ||
         sqlite3_prepare_v2(o->db, "DELETE FROM record WHERE key=?", -1,
                            &o->erase, NULL) ||
         sqlite3_prepare_v2(o->db, "SELECT value FROM record WHERE key=?", -1,
                            &o->get, NULL)))
        err = ERR_DB;
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
    sqlite3_close(o->db);
    free(o);
}

int
outbox_sqlite_load(struct outbox_sqlite *o, journal_record_fn fn, void *ctx)
{
    sqlite3_stmt *st;
    int rc, err = 0;
    if (sqlite3_prepare_v2(o->db, "SELECT key, value FROM record ORDER BY key",
                           -1, &st, NULL))
        return ERR_DB;
    while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        const void *value = sqlite3_column_blob(st, 1);
        err = fn(ctx, sqlite3_column_blob(st, 0),
                 (size_t)sqlite3_column_bytes(st, 0),
                 value ? value : (const void *)"",
                 (size_t)sqlite3_column_bytes(st, 1));
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
    sqlite3_bind_blob(st, 1, key, (int)key_len, SQLITE_STATIC);
    if (value)
        sqlite3_bind_blob(st, 2, value_len ? value : (const uint8_t *)"",
                          (int)value_len, SQLITE_STATIC);
    int rc = sqlite3_step(st);
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return rc == SQLITE_DONE ? 0 : ERR_DB;
}

/* Read one record; it is in the database as the groups before it left it. */
static int
record_read(struct outbox_sqlite *o, struct env_store_req *req)
{
    int err = 0;
    sqlite3_bind_blob(o->get, 1, req->letter, (int)req->letter_len,
                      SQLITE_STATIC);
    int rc = sqlite3_step(o->get);
    if (rc == SQLITE_ROW) {
        req->value_len = (size_t)sqlite3_column_bytes(o->get, 0);
        req->value = malloc(req->value_len + 1);
        if (!req->value)
            err = ERR_NOMEM;
        else if (req->value_len > 0)
            memcpy(req->value, sqlite3_column_blob(o->get, 0), req->value_len);
    } else {
        err = rc == SQLITE_DONE ? ERR_NOT_FOUND : ERR_DB;
    }
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
    if (!err && sqlite3_exec(o->db, "COMMIT", NULL, NULL, NULL))
        err = ERR_DB;
    if (err) {
        o->failed = true;
        sqlite3_exec(o->db, "ROLLBACK", NULL, NULL, NULL);
    }
    for (struct env_store_req *r = list; r; r = r->next)
        if (err || r->op != ENV_STORE_READ)
            r->err = err;
}
