/* client/daemon/lives.h - which life of a client wrote the journal beside its
 * database.
 *
 * SQLite puts the journal (-wal) of a program that was killed into whatever database
 * lies beside it; a copy that is put back there would be mixed with what came after
 * it. So each life notes itself in the database before it writes anything else, and
 * which one was before: a journal goes with the database whose life it knows. */
#ifndef CLIENT_DAEMON_LIVES_H
#define CLIENT_DAEMON_LIVES_H
#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"

struct sqlite3;

struct lives {
    bool told;      /* the rest is known */
    int64_t life;   /* that noted itself last */
    int64_t before; /* and the one before that */
    int64_t wrote;  /* that kept records last */
};

/* Read in *out what the database at path says without the journal beside it. Nothing
 * is told when there is no journal, or where no life has noted itself yet. The file
 * must not be open in this process. */
void lives_peek(const char *path, struct lives *out);

/* Tell whether what db says with its journal can follow what it said without, by
 * *alone. Returns 0, ERR_CONFLICT: the journal is not its own, or
 * database_error(). */
int lives_check(struct sqlite3 *db, const struct lives *alone) CHECK_RESULT;

/* Note this life in db. Returns what database_error() says. */
int lives_note(struct sqlite3 *db, int64_t life) CHECK_RESULT;
#endif
