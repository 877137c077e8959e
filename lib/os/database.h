/* lib/os/database.h - a SQLite file of ours: opened, of our version, and durable
 * with each commit; for edges.
 *
 * It is made with mode 0600, and nothing of it is ever written elsewhere, such as
 * to /tmp. A file of another version, or that is no database, stays as it is. */
#ifndef LIB_OS_DATABASE_H
#define LIB_OS_DATABASE_H
#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"

struct sqlite3;
struct sqlite3_stmt;

struct database_form {
    bool alone;          /* lock it as long as it is open */
    bool there;          /* it has been there: none is made */
    const char *pragmas; /* of its own; each with its ; */
    const char *tables;  /* CREATE TABLE IF NOT EXISTS .. */
    unsigned version;    /* of the tables, from 1 */
};

/* Open the file at path, or make it. One thread at a time may use it. Returns 0;
 * ERR_AGAIN: it is open elsewhere; ERR_VERSION: of another version; or what
 * database_error() says. */
int database_open(struct sqlite3 **out, const char *path,
                  const struct database_form *form) CHECK_RESULT;
/* Close it, when all its statements are finalized. */
void database_close(struct sqlite3 **db);

/* Tell why the last call on db, which returned rc, has failed: 0 (it has not),
 * ERR_AGAIN, ERR_DAMAGED (it is no database any more), ERR_NOMEM, files_error(), or
 * ERR_DB where SQLite does not say. */
int database_error(struct sqlite3 *db, int rc);

/* Carry out statements without parameters or results. Returns database_error(). */
int database_run(struct sqlite3 *db, const char *text) CHECK_RESULT;
/* Prepare one statement, for the caller to finalize. */
int database_prepare(struct sqlite3 *db, const char *text,
                     struct sqlite3_stmt **out) CHECK_RESULT;
/* The one number that a question has for an answer, 0 at least. */
int database_number(struct sqlite3 *db, const char *text,
                    uint64_t *out) CHECK_RESULT;

/* What has happened to a file of this error and what to do about it, for people. */
const char *database_remedy(int err);
#endif
