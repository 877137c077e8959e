/* client/daemon/outbox_internal.h - what the two files share that keep a client's
 * records: outbox_sqlite.c (opening, lists) and outbox_records.c (one record). */
#ifndef CLIENT_DAEMON_OUTBOX_INTERNAL_H
#define CLIENT_DAEMON_OUTBOX_INTERNAL_H
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <sys/types.h>

#include "client/daemon/outbox_sqlite.h"
#include "lib/os/files.h"

enum { OUTBOX_BARE = 2 /* the version without a master key */ };

struct place { /* of a file: its device, and its number there */
    dev_t device;
    ino_t inode;
};

struct outbox_sqlite {
    sqlite3 *db;
    sqlite3_stmt *put, *erase, *get, *slot, *note;
    struct key_slots *keys;
    struct master *master, *own; /* own: what it has to free, or NULL */
    bool bare;                   /* records are under the keys of slots alone */
    pthread_mutex_t mutex;       /* of a list, and of reading all records */
    char path[FILES_PATH_MAX], keys_path[FILES_PATH_MAX];
    struct place at, keys_at;
    bool look;      /* nothing is made or changed */
    bool fresh;     /* there was no record when it was opened */
    bool failed;    /* the last list was not kept, or nothing is settled yet */
    uint64_t kept;  /* ticket of the last group that was, as has been said, */
    uint64_t there; /* and of the last that is in the database */
    int64_t life;   /* whose tickets these are; drawn */
};

/* Hand all records to fn. Returns what outbox_sqlite_load() does. */
int outbox_records_load(const struct outbox_sqlite *o, journal_record_fn fn,
                        void *ctx) CHECK_RESULT;

/* Put a record, or delete one (value NULL), within a transaction; a
 * journal_record_fn. */
int outbox_record_apply(void *o, const uint8_t *key, size_t key_len,
                        const uint8_t *value, size_t value_len);

/* Read one record; it is in the database as the groups before it left it. */
int outbox_record_read(struct outbox_sqlite *o, struct env_store_req *req);

/* Make version 3 of files of version 2, in one transaction; then all of it is in the
 * database itself, and the keys of before may be wiped. Returns 0, ERR_DAMAGED,
 * database_error(), files_error(). */
int outbox_records_renew(struct outbox_sqlite *o) CHECK_RESULT;
#endif
