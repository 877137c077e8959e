/* client/daemon/backup.h - a client in one file, sealed under a passphrase.
 *
 *   "brusio/1 backup\n" 16 | version 1 = 1 | salt 16 | passes 8 | bytes of memory 8 |
 *   header of the stream 24 | an empty message 17 | check 32 | messages of 65,553
 *
 * The stream is XChaCha20-Poly1305 of libsodium's secretstream, under Argon2id of the
 * passphrase (lib/os/passphrase.h). The empty message, with which all before it goes,
 * tells a wrong passphrase; the check, BLAKE2b-256 of all before it, tells that from a
 * damaged file. Each message has 65,536 bytes, and the last is marked as the last, so
 * that neither a byte nor the end can be taken away unnoticed. They hold, one after
 * another, then zeros:
 *
 *   ( kind 1 | length of the name 1 | length 4 | name | bytes )
 *   kind 0: the end; 1: a file of the directory, by its name; 2: a record, by its key;
 *   3: the client had a passphrase
 *
 * Records are in it as they are, not the keys under which they lie: what is made of a
 * backup has keys of its own. */
#ifndef CLIENT_DAEMON_BACKUP_H
#define CLIENT_DAEMON_BACKUP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/os/passphrase.h"

/* How names of backups begin that a running client has made, until they are fetched. */
#define BACKUP_PART "client.backup-"

enum backup_kind { BACKUP_END, BACKUP_FILE, BACKUP_RECORD, BACKUP_SEALED };

struct outbox_sqlite;

struct backup_source {
    const char *dir;
    const char *network; /* the name of the network file */
    struct outbox_sqlite *outbox;
    bool sealed; /* the client has a passphrase */
};

/* Write all of a client, as it is at one moment, to a new file at path (0600), and on
 * to the disk; where that fails nothing is left. Returns 0, ERR_EXISTS, ERR_NOMEM,
 * ERR_RANGE, files_error(), outbox_sqlite_load(). */
int backup_write(const char *path, const struct backup_source *from,
                 const struct passphrase *p,
                 const struct passphrase_cost *cost) CHECK_RESULT;

/* Remove from dir what a running client has made that nobody fetched. */
void backup_tidy(const char *dir);

struct backup;

/* Open the backup at path in *out, which is the caller's. Returns 0, ERR_NOT_FOUND,
 * ERR_FORMAT (no backup), ERR_VERSION, ERR_SHORT, ERR_DAMAGED, ERR_NOMEM,
 * files_error(). */
int backup_open(struct backup **out, const char *path) CHECK_RESULT;
/* Try a passphrase. Returns 0, ERR_PASSPHRASE, ERR_RANGE, ERR_NOMEM. */
int backup_unlock(struct backup *b, const struct passphrase *p) CHECK_RESULT;
/* Hand all that is in b, which is unlocked, to fn, but the end; may be called again.
 * Who wants to use nothing of a damaged backup goes through it once before. Returns 0,
 * what fn does, ERR_SHORT (it was cut), ERR_DAMAGED, ERR_FORMAT, ERR_NOMEM,
 * files_error(). */
typedef int (*backup_fn)(void *ctx, enum backup_kind kind, const uint8_t *name,
                         size_t name_len, const uint8_t *data, size_t len);
int backup_each(struct backup *b, backup_fn fn, void *ctx) CHECK_RESULT;
void backup_free(struct backup **b);
#endif
