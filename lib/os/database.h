/* lib/os/database.h - a SQLite file of ours: opened, of our version, and
 * durable with each commit; for edges.
 *
 * The file is made with mode 0600, and nothing of its contents is ever written
 * elsewhere, such as to /tmp. A file of another version or of another program, or
 * that is no database, stays as it is, and so does its journal. */
#ifndef LIB_OS_DATABASE_H
#define LIB_OS_DATABASE_H
#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"

struct sqlite3;
struct sqlite3_stmt;

struct database_form {
    bool alone;          /* lock the file as long as it is open */
    bool there;          /* the file has been there: none is made */
    bool look;           /* nothing is made or changed, now or when it closes */
    const char *pragmas; /* of its own; each with its ; */
    const char *tables;  /* CREATE TABLE IF NOT EXISTS .. */
    const char *table;   /* the name of one of them */
    unsigned version;    /* of the tables, from 1 */
    unsigned older; /* another version that is opened, and stays; 0: none */
};

/* Open the database at path in *out, or make one, as form says. One thread at a
 * time may use a database. Returns 0; ERR_AGAIN: the file is open elsewhere;
 * ERR_VERSION: the file is of another version; ERR_DAMAGED: the file has
 * another's tables, or none, and has been there; ERR_NOT_FOUND: there is nothing
 * to look at yet; or what database_error() says. */
int database_open(struct sqlite3 **out, const char *path,
                  const struct database_form *form) CHECK_RESULT;

/* Close *db, all of whose statements are finalized, and set it to NULL. */
void database_close(struct sqlite3 **db);

/* Keep the journal of db as it is when db is closed, instead of putting it into the
 * file; or do not keep it any more. */
void database_journal_keep(struct sqlite3 *db, bool keep);

/* Tell why the last call on db, which returned rc, has failed: 0 (it has not),
 * ERR_AGAIN, ERR_DAMAGED (the file is no database any more), ERR_NOMEM, what
 * files_error() says, or ERR_DB where SQLite does not say. */
int database_error(struct sqlite3 *db, int rc);

/* Carry out the statements in text, which have no parameters and no results.
 * Returns what database_error() says. */
int database_run(struct sqlite3 *db, const char *text) CHECK_RESULT;

/* Prepare the one statement in text as *out, for the caller to finalize.
 * Returns what database_error() says. */
int database_prepare(struct sqlite3 *db, const char *text,
                     struct sqlite3_stmt **out) CHECK_RESULT;

/* Read the one number, 0 or more, with which db answers the question in text.
 * Returns what database_error() says. */
int database_number(struct sqlite3 *db, const char *text,
                    uint64_t *out) CHECK_RESULT;

/* Return a text (static) for people: what has happened to a database that fails
 * with err, and what to do about that. */
const char *database_remedy(int err);
#endif
