/* client/daemon/lives.c - two rows of the table `last`.
 *
 * Row 0 is of the last list of groups: its life and ticket. Row 1 is of the life that
 * began last, and in place of a ticket has the life before. Between that row's commit
 * and its way into the file a life has kept nothing else: a journal which says more is
 * of another file. No state. Failure modes: a file that cannot be read tells nothing;
 * opening it says why. */
#include "client/daemon/lives.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/os/database.h"
#include "lib/os/files.h"

enum { URI_MAX = 3 * FILES_PATH_MAX + 32 };

static int
lives_read(sqlite3 *db, struct lives *out)
{
    sqlite3_stmt *st;
    int rc, err = database_prepare(
                db, "SELECT one, life, ticket FROM last WHERE one<2", &st);
    *out = (struct lives){0};
    if (err)
        return err;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW)
        if (sqlite3_column_int(st, 0) == 0) {
            out->wrote = sqlite3_column_int64(st, 1);
        } else {
            out->told = true;
            out->life = sqlite3_column_int64(st, 1);
            out->before = sqlite3_column_int64(st, 2);
        }
    err = database_error(db, rc);
    sqlite3_finalize(st);
    return err;
}

/* Write the name by which SQLite reads the file at path alone. */
static void
uri_write(char out[static URI_MAX], const char *path)
{
    static const char alone[] = "?immutable=1";
    char *at = out + sprintf(out, *path == '/' ? "file://" : "file:");
    for (; *path; path++)
        if (strchr("%?#", *path))
            at += sprintf(at, "%%%02X", (unsigned)(uint8_t)*path);
        else
            *at++ = *path;
    memcpy(at, alone, sizeof alone);
}

void
lives_peek(const char *path, struct lives *out)
{
    char name[FILES_PATH_MAX], uri[URI_MAX];
    struct stat st;
    sqlite3 *db = NULL;
    *out = (struct lives){0};
    if (snprintf(name, sizeof name, "%s-wal", path) >= (int)sizeof name ||
        stat(name, &st) || st.st_size == 0)
        return;
    uri_write(uri, path);
    if (sqlite3_open_v2(uri, &db,
                        SQLITE_OPEN_READONLY | SQLITE_OPEN_URI |
                            SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK ||
        lives_read(db, out))
        out->told = false;
    sqlite3_close(db);
}

int
lives_check(sqlite3 *db, const struct lives *alone)
{
    struct lives both;
    const int err = alone->told ? lives_read(db, &both) : 0;
    if (!alone->told || err)
        return err == ERR_DAMAGED ? ERR_CONFLICT : err;
    if (both.told && both.life == alone->life)
        return 0;
    return both.told && both.before == alone->life && both.wrote != both.life
               ? 0
               : ERR_CONFLICT;
}

int
lives_note(sqlite3 *db, int64_t life)
{
    struct lives now;
    char text[128];
    const int err = lives_read(db, &now);
    if (err || (now.told && now.life == life))
        return err;
    snprintf(text, sizeof text,
             "INSERT OR REPLACE INTO last VALUES(1,%" PRId64 ",%" PRId64 ")",
             life, now.life);
    return database_run(db, text);
}
