/* client/daemon/outbox_sqlite.c - records by key.
 *
 * Each value is sealed under a key that is made of the master key and of one that is
 * drawn for it (client/daemon/master.h), whose slot stands beside it. A value that is
 * replaced or erased loses that key when the change is committed, and so do the
 * copies of it that SQLite leaves in its journal and, when it balances its trees,
 * in gaps of pages (secure_delete does not reach those).
 *
 * A list of groups is one transaction: all of it is kept or none. Groups are kept
 * in the order of their tickets: what comes after one that was not kept is refused
 * until that one has come again. Nobody knows what a commit that failed has left on
 * the disk; so before the next one the files are closed and opened anew, as after a
 * crash, which settles that, and which keys are to stay. Each transaction notes its
 * last ticket, so that groups which are there are not made true a second time, over
 * what came after them. Reads go on.
 *
 * Failure modes: a disk that is full, read-only or broken (an error each time,
 * until it works again); a file that is moved away, or another in its place
 * (likewise: what was not there when the client began is not written to).
 *
 * In files of version 2 there is no master key in what values are sealed under. They
 * are read so until all is settled, and then sealed anew in one transaction, which
 * makes them version 3: whenever it is killed, the version says how to read them. The
 * file of the master key is on the disk before that begins. */
#include "client/daemon/outbox_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/daemon/lives.h"
#include "lib/os/database.h"
#include "lib/os/files.h"
#include "lib/os/key_slots.h"

static const struct database_form form = {
    .alone = true,
    .pragmas = "PRAGMA secure_delete=ON;",
    .tables = "CREATE TABLE IF NOT EXISTS record("
              " key BLOB PRIMARY KEY, slot INTEGER NOT NULL,"
              " value BLOB NOT NULL) WITHOUT ROWID;"
              "CREATE TABLE IF NOT EXISTS last("
              " one INTEGER PRIMARY KEY, life INTEGER NOT NULL,"
              " ticket INTEGER NOT NULL);",
    .table = "record",
    .version = 3,
    .older = OUTBOX_BARE};

static int
paths_set(struct outbox_sqlite *o, const char *path)
{
    const int n = snprintf(o->path, FILES_PATH_MAX, "%s", path);
    const int k = snprintf(o->keys_path, FILES_PATH_MAX, "%s-keys", path);
    return n < FILES_PATH_MAX && k < FILES_PATH_MAX ? 0 : ERR_LONG;
}

static int
place_read(const char *path, struct place *out)
{
    struct stat st;
    if (stat(path, &st))
        return errno == ENOENT ? ERR_NOT_FOUND : files_error(errno);
    out->device = st.st_dev;
    out->inode = st.st_ino;
    return 0;
}

/* Where there are keys a database has been: else it is away, or this is another, and
 * the keys would be wiped as those of no record. */
static bool
has_been_there(const struct outbox_sqlite *o)
{
    struct stat st;
    return o->at.inode != 0 || (stat(o->keys_path, &st) == 0 && st.st_size > 0);
}

/* The file of keys beside the database: all records have theirs there, so one is made
 * only where there is no record. */
static int
keys_open(struct outbox_sqlite *o)
{
    sqlite3_stmt *st;
    uint64_t n;
    int rc, err = database_number(o->db, "SELECT count(*) FROM record", &n);
    if (err)
        return err;
    o->fresh = n == 0;
    if (n > 0 && !o->bare && master_kind(o->master) == MASTER_NONE)
        return ERR_SEAL;
    err = key_slots_open(&o->keys, o->keys_path,
                         n == 0 && !o->look && o->keys_at.inode == 0);
    if (err)
        return err == ERR_NOT_FOUND && o->look && n == 0 ? 0 : err;
    err = database_prepare(o->db, "SELECT slot FROM record", &st);
    if (err)
        return err;
    while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW)
        err = key_slots_claim(o->keys, (uint32_t)sqlite3_column_int64(st, 0));
    if (!err)
        err = database_error(o->db, rc);
    sqlite3_finalize(st);
    return err;
}

static int
statements_prepare(struct outbox_sqlite *o)
{
    const struct {
        sqlite3_stmt **st;
        const char *text;
    } all[] = {{&o->put, "INSERT OR REPLACE INTO record VALUES(?,?,?)"},
               {&o->erase, "DELETE FROM record WHERE key=?"},
               {&o->get, "SELECT slot, value FROM record WHERE key=?"},
               {&o->slot, "SELECT slot FROM record WHERE key=?"},
               {&o->note, "INSERT OR REPLACE INTO last VALUES(0,?,?)"}};
    int err = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0] && !err; i++)
        err = database_prepare(o->db, all[i].text, all[i].st);
    return err == ERR_DB ? ERR_DAMAGED : err; /* its tables are another's */
}

static void
files_close(struct outbox_sqlite *o)
{
    sqlite3_finalize(o->put);
    sqlite3_finalize(o->erase);
    sqlite3_finalize(o->get);
    sqlite3_finalize(o->slot);
    sqlite3_finalize(o->note);
    o->put = o->erase = o->get = o->slot = o->note = NULL;
    database_close(&o->db);
    key_slots_close(&o->keys);
}

/* Open both files, and change nothing yet that is there: no key is wiped, and the
 * journal of another life stays beside its database (files_settle()). */
static int
files_open(struct outbox_sqlite *o)
{
    struct database_form mine = form;
    struct lives alone;
    mine.there = has_been_there(o);
    mine.look = o->look;
    lives_peek(o->path, &alone);
    int err = database_open(&o->db, o->path, &mine);
    if (err == ERR_NOT_FOUND) /* there is nothing to look at yet */
        return 0;
    if (!err) {
        database_journal_keep(o->db, true);
        err = lives_check(o->db, &alone);
    }
    uint64_t version = 0;
    if (!err)
        err = database_number(o->db, "PRAGMA user_version", &version);
    o->bare = version == OUTBOX_BARE;
    if (!err)
        err = statements_prepare(o);
    if (!err)
        err = keys_open(o);
    if (err)
        files_close(o);
    return err;
}

/* Find out which groups of this life are in the database. */
static int
there_find(struct outbox_sqlite *o)
{
    char text[128];
    uint64_t ticket = 0;
    snprintf(text, sizeof text,
             "SELECT coalesce(max(ticket), 0) FROM last WHERE one=0 AND "
             "life=%" PRId64,
             o->life);
    int err = database_number(o->db, text, &ticket);
    if (!err && ticket > o->there)
        o->there = ticket;
    return err;
}

/* Note, within a transaction, up to which ticket it goes. */
static int
there_note(struct outbox_sqlite *o, uint64_t ticket)
{
    sqlite3_bind_int64(o->note, 1, o->life);
    sqlite3_bind_int64(o->note, 2, (sqlite3_int64)ticket);
    const int err = database_error(o->db, sqlite3_step(o->note));
    sqlite3_reset(o->note);
    return err;
}

static int
outbox_make(struct outbox_sqlite **out, const char *path, struct master *m,
            bool look)
{
    struct outbox_sqlite *o = calloc(1, sizeof *o);
    *out = NULL;
    if (!o)
        return ERR_NOMEM;
    (void)!pthread_mutex_init(&o->mutex, NULL);
    o->look = look;
    o->failed = true; /* until it is settled */
    randombytes_buf(&o->life, sizeof o->life);
    int err = paths_set(o, path);
    if (!err && !m)
        err = master_read(&o->own, path, false);
    o->master = m ? m : o->own;
    if (!err && !look && master_kind(o->master) == MASTER_SEALED &&
        !master_is_open(o->master))
        err = ERR_LOCKED;
    if (!err)
        err = files_open(o);
    if (!err && !look)
        err = place_read(o->path, &o->at);
    if (!err && !look)
        err = place_read(o->keys_path, &o->keys_at);
    if (err)
        outbox_sqlite_free(&o);
    *out = o;
    return err;
}

int
outbox_sqlite_new(struct outbox_sqlite **out, const char *path,
                  struct master *m)
{
    return outbox_make(out, path, m, false);
}

int
outbox_sqlite_look(struct outbox_sqlite **out, const char *path,
                   struct master *m)
{
    return outbox_make(out, path, m, true);
}

void
outbox_sqlite_free(struct outbox_sqlite **op)
{
    struct outbox_sqlite *o = *op;
    *op = NULL;
    if (!o)
        return;
    files_close(o);
    master_free(&o->own);
    pthread_mutex_destroy(&o->mutex);
    free(o);
}

/* ---- records ---- */

int
outbox_sqlite_load(struct outbox_sqlite *o, journal_record_fn fn, void *ctx)
{
    pthread_mutex_lock(&o->mutex);
    const int err = outbox_records_load(o, fn, ctx);
    pthread_mutex_unlock(&o->mutex);
    return err;
}

/* Note this life, and make sure that what the journal of the database has is on the
 * disk for good; only then are the keys wiped that no record has, as after a
 * crash. */
static int
files_settle(struct outbox_sqlite *o)
{
    int err = master_make(o->master);
    if (err)
        return err;
    database_journal_keep(o->db, false);
    /* what others left goes into the file before this life is noted there: it may end
     * between the two, and so may the next */
    err = database_run(o->db, "PRAGMA wal_checkpoint(TRUNCATE)");
    if (!err)
        err = lives_note(o->db, o->life);
    if (!err)
        err = database_run(o->db, "PRAGMA wal_checkpoint(TRUNCATE)");
    if (!err)
        err = there_find(o);
    if (!err && o->bare)
        err = outbox_records_renew(o);
    return err ? err : key_slots_settle(o->keys);
}

void
outbox_sqlite_settle(struct outbox_sqlite *o)
{
    o->failed = files_settle(o) != 0; /* again with the first list */
}

/* ---- lists ---- */

static int
place_compare(const char *path, const struct place *was)
{
    struct place now = {0};
    const int err = place_read(path, &now);
    if (err)
        return err;
    return now.device == was->device && now.inode == was->inode ? 0
                                                                : ERR_FOLDER;
}

/* Are both files still where they were? */
static int
place_check(const struct outbox_sqlite *o)
{
    const int err = place_compare(o->path, &o->at);
    if (err) /* the keys alone are called not found */
        return err == ERR_NOT_FOUND ? ERR_FOLDER : err;
    return place_compare(o->keys_path, &o->keys_at);
}

/* Is there anything to be kept in a list, and is it what comes next? */
static int
order_check(const struct outbox_sqlite *o, const struct env_store_req *list,
            bool *appends)
{
    uint64_t last = o->kept;
    *appends = false;
    for (; list; list = list->next)
        if (list->op == ENV_STORE_APPEND) {
            *appends = true;
            if (list->ticket && list->ticket != ++last)
                return ERR_AGAIN;
        }
    return 0;
}

/* Make ready for a transaction: after one that failed as after a crash. */
static int
list_begin(struct outbox_sqlite *o)
{
    int err = place_check(o);
    if (!err && o->failed) {
        files_close(o);
        err = files_open(o);
        if (!err) /* the one that was opened: else its keys would be wiped */
            err = place_check(o);
        if (!err)
            err = files_settle(o);
    }
    return err ? err : database_run(o->db, "BEGIN IMMEDIATE");
}

/* Carry out the groups and reads of a list in their order. A read that fails
 * fails alone. */
static int
list_apply(struct outbox_sqlite *o, struct env_store_req *list)
{
    uint64_t last = o->there;
    int err = 0;
    for (struct env_store_req *r = list; r && !err; r = r->next) {
        if (r->op == ENV_STORE_READ)
            r->err = outbox_record_read(o, r);
        else if (!r->ticket || r->ticket > o->there)
            err =
                journal_parse(r->letter, r->letter_len, outbox_record_apply, o);
        if (r->op == ENV_STORE_APPEND && r->ticket > last)
            last = r->ticket;
    }
    if (!err && last > o->there)
        err = there_note(o, last);
    if (!err)
        err = key_slots_sync(o->keys);
    return err ? err : database_run(o->db, "COMMIT");
}

/* Keep a list in one transaction. */
static int
list_keep(struct outbox_sqlite *o, struct env_store_req *list)
{
    int err = list_begin(o);
    if (!err)
        err = list_apply(o, list);
    o->failed = err != 0;
    if (err) {
        if (o->db)
            sqlite3_exec(o->db, "ROLLBACK", NULL, NULL, NULL);
        return err;
    }
    for (; list; list = list->next)
        if (list->op == ENV_STORE_APPEND && list->ticket)
            o->kept = list->ticket;
    if (o->kept > o->there)
        o->there = o->kept;
    if (o->fresh) /* who loses the journal is not to look like a new client */
        (void)!database_run(o->db, "PRAGMA wal_checkpoint(PASSIVE)");
    o->fresh = false;
    (void)!key_slots_wipe(o->keys); /* else with the next list, or life */
    return 0;
}

int
outbox_sqlite_fill(struct outbox_sqlite *o,
                   int (*source)(void *ctx, journal_record_fn put,
                                 void *put_ctx),
                   void *ctx)
{
    int err = list_begin(o);
    if (err)
        return err;
    err = source(ctx, outbox_record_apply, o);
    if (!err)
        err = key_slots_sync(o->keys);
    if (!err)
        err = database_run(o->db, "COMMIT");
    o->failed = err != 0;
    if (err)
        sqlite3_exec(o->db, "ROLLBACK", NULL, NULL, NULL);
    return err;
}

void
outbox_sqlite_run(void *ctx, struct env_store_req *list)
{
    struct outbox_sqlite *o = ctx;
    bool appends;
    pthread_mutex_lock(&o->mutex);
    int err = order_check(o, list, &appends);
    if (!err && appends)
        err = list_keep(o, list);
    for (struct env_store_req *r = list; r; r = r->next)
        if (appends && (err || r->op != ENV_STORE_READ))
            r->err = err;
        else if (!appends)
            r->err = outbox_record_read(o, r);
    pthread_mutex_unlock(&o->mutex);
}
