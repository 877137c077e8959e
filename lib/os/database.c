/* lib/os/database.c - opening and asking SQLite; why a call failed. No state.
 */
#include "lib/os/database.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/os/files.h"
#include "lib/os/system.h"

enum { VERSION_TEXT_LEN = 40, TABLE_TEXT_LEN = 96 };

/* Return what the system said of the last call that failed on the journal, or
 * on the database itself: other calls may have changed errno since. */
static int
file_error(struct sqlite3 *db)
{
    sqlite3_file *journal = NULL;
    int number = 0;
    if (sqlite3_file_control(db, NULL, SQLITE_FCNTL_JOURNAL_POINTER,
                             &journal) == SQLITE_OK &&
        journal && journal->pMethods)
        journal->pMethods->xFileControl(journal, SQLITE_FCNTL_LAST_ERRNO,
                                        &number);
    if (!number)
        sqlite3_file_control(db, NULL, SQLITE_FCNTL_LAST_ERRNO, &number);
    return number ? files_error(number) : ERR_IO;
}

int
database_error(struct sqlite3 *db, int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_AGAIN;
    case SQLITE_FULL:
        return ERR_ROOM;
    case SQLITE_READONLY:
        return ERR_READONLY;
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return ERR_ACCESS;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_DAMAGED;
    case SQLITE_NOMEM:
        return ERR_NOMEM;
    case SQLITE_IOERR:
        return db ? file_error(db) : ERR_IO;
    case SQLITE_CANTOPEN:
        return db ? files_error(sqlite3_system_errno(db)) : ERR_IO;
    default:
        return ERR_DB;
    }
}

int
database_run(struct sqlite3 *db, const char *text)
{
    return database_error(db, sqlite3_exec(db, text, NULL, NULL, NULL));
}

int
database_prepare(struct sqlite3 *db, const char *text,
                 struct sqlite3_stmt **out)
{
    return database_error(db, sqlite3_prepare_v2(db, text, -1, out, NULL));
}

int
database_number(struct sqlite3 *db, const char *text, uint64_t *out)
{
    sqlite3_stmt *st;
    int err = database_prepare(db, text, &st);
    *out = 0;
    if (err)
        return err;
    const int rc = sqlite3_step(st);
    const sqlite3_int64 n = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : -1;
    err = rc == SQLITE_ROW && n >= 0              ? 0
          : rc == SQLITE_ROW || rc == SQLITE_DONE ? ERR_DB
                                                  : database_error(db, rc);
    sqlite3_finalize(st);
    if (!err)
        *out = (uint64_t)n;
    return err;
}

/* Make the file at path, for its user alone, if it is not there yet. A file
 * that is there must not be opened here: closing it would end this process's
 * locks on that file. */
static int
file_make(const char *path)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST ? 0 : files_error(errno);
    return close(fd) ? files_error(errno) : 0;
}

/* Make the tables of a database without a version, and give it one, all at once. A
 * database that has tables is another program's. */
static int
tables_make(struct sqlite3 *db, const struct database_form *form)
{
    char text[VERSION_TEXT_LEN];
    snprintf(text, sizeof text, "PRAGMA user_version=%u; COMMIT",
             form->version);
    int err = database_run(db, "BEGIN IMMEDIATE");
    if (!err)
        err = database_run(db, form->tables);
    if (!err)
        err = database_run(db, text);
    if (err)
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return err;
}

/* Is this database of that form, or so new that it may become one? */
static int
form_check(struct sqlite3 *db, const struct database_form *form,
           uint64_t *version)
{
    char text[TABLE_TEXT_LEN];
    uint64_t tables = 0, ours = 0;
    snprintf(text, sizeof text,
             "SELECT count(*) FROM sqlite_master WHERE name='%s'", form->table);
    int err = database_number(db, "PRAGMA user_version", version);
    if (!err)
        err =
            database_number(db, "SELECT count(*) FROM sqlite_master", &tables);
    if (!err)
        err = database_number(db, text, &ours);
    if (err)
        return err;
    if (*version == 0)
        return tables > 0 || form->there ? ERR_DAMAGED
               : form->look              ? ERR_NOT_FOUND
                                         : 0;
    if (*version != form->version && *version != form->older)
        return ERR_VERSION;
    return ours ? 0 : ERR_DAMAGED;
}

/* Take the lock first of all: a process that has the lock needs no index of the
 * journal that is shared with others. */
static int
form_take(struct sqlite3 *db, const struct database_form *form)
{
    uint64_t version = 0;
    int err =
        form->alone ? database_run(db, "PRAGMA locking_mode=EXCLUSIVE") : 0;
    if (!err)
        err = form_check(db, form, &version);
    if (!err)
        err = database_run(db, form->pragmas);
    if (!err)
        err = database_run(db, "PRAGMA temp_store=MEMORY;"
                               "PRAGMA journal_mode=WAL;"
                               "PRAGMA synchronous=FULL;");
    if (!err && form->alone)
        err = database_run(db, "BEGIN IMMEDIATE; COMMIT;");
    return err || version ? err : tables_make(db, form);
}

/* Is there a file that may be a database? One of a single byte SQLite takes for an
 * empty one. */
static int
file_check(const char *path, const struct database_form *form)
{
    struct stat st;
    int err = form->there || form->look ? 0 : file_make(path);
    if (!err && access(path, R_OK | W_OK))
        err = form->look && !form->there && errno == ENOENT
                  ? ERR_NOT_FOUND
                  : files_error(errno);
    if (!err && stat(path, &st))
        err = files_error(errno);
    return !err && st.st_size == 1 ? ERR_DAMAGED : err;
}

int
database_open(struct sqlite3 **out, const char *path,
              const struct database_form *form)
{
    *out = NULL;
    int err = file_check(path, form);
    if (!err) {
        const int rc = sqlite3_open_v2(
            path, out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
        err = database_error(*out, rc);
    }
    if (!err) {
        database_journal_keep(*out, true);
        err = form_take(*out, form);
    }
    if (err)
        database_close(out);
    else if (!form->look)
        database_journal_keep(*out, false);
    return err;
}

void
database_journal_keep(struct sqlite3 *db, bool keep)
{
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, (int)keep, NULL);
}

void
database_close(struct sqlite3 **db)
{
    sqlite3_close(*db);
    *db = NULL;
}

const char *
database_remedy(int err)
{
    switch (err) {
    case ERR_AGAIN:
        return "another program has it open; end that first";
    case ERR_VERSION:
        return "it is of another version; use the program that made it";
    case ERR_ROOM:
        return "there is no room left on its disk, or a quota is used up; make "
               "room";
    case ERR_READONLY:
        return "its disk is read-only, as disks become that have failed; the "
               "system's log tells; mount it for writing";
    case ERR_ACCESS:
        return "permission denied; it and its directory must belong to the "
               "user who runs this";
    case ERR_FOLDER:
        return "it or its directory is not there any more; put it back";
    case ERR_DAMAGED:
        return "it is damaged, or another program's, or no database; put a "
               "copy of the whole directory back";
    case ERR_IO:
        return "its disk failed to read or write; the system's log tells";
    case ERR_DB:
        return "is the disk full, or is this no database? then make room, or "
               "put a copy back";
    case ERR_NOT_FOUND:
        return "the file of its keys beside it (-keys) is gone; put that back, "
               "or a copy of the whole directory";
    case ERR_MISSING:
    case ERR_DUPLICATE:
        return "the keys beside it (-keys) are not its own, or damaged; put a "
               "copy of both back";
    case ERR_MAC:
        return "the keys beside it (-keys, -seal) are not its own, or damaged; "
               "put a copy of all back";
    case ERR_SEAL:
        return "the file of its master key beside it (-seal) is gone; put that "
               "back, or a copy of the whole directory";
    case ERR_CONFLICT:
        return "the journal beside it (-wal) is not its own, but was left by a "
               "program that was killed before a copy was put back; move the "
               "journal away, and start again";
    default:
        return system_reason(err);
    }
}
