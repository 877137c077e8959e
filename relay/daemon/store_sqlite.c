/* relay/daemon/store_sqlite.c - days, slots, transactions.
 *
 * Files letters-DAY.db in one directory, opened when first needed, each with the
 * page letters-DAY.key, under which all in it is sealed (seal.h): there before
 * the letters, and wiped before they are unlinked, so that a file of letters
 * without its key is one whose day is over. A list of requests is one
 * transaction for every day it touches; when a commit fails, all puts of that
 * day in the list failed. Failure modes: a full or broken disk (ERR_DB; the
 * relay answers "retry"), a file that is no database (likewise, and it stays as
 * it is). */
#include "relay/daemon/store_sqlite.h"

#include <dirent.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/os/wipe.h"
#include "lib/secret.h"
#include "relay/daemon/seal.h"

enum { DAYS_MAX = 400, PATH_LEN = 512, VERSION = 2, SLOTS = 16 };

struct day {
    uint32_t number;
    sqlite3 *db;
    sqlite3_stmt *put, *get, *slots;
    uint8_t *key;          /* from secret_new() */
    uint64_t count, added; /* letters, and those of the transaction beside */
    bool open_transaction, failed;
};

struct store_sqlite {
    char dir[PATH_LEN - 64];
    size_t letter_len;
    uint64_t letters_max, count; /* of all days, the transactions' too */
    struct day day[DAYS_MAX];    /* sorted by number */
    size_t n_days;
    atomic_uint expire_before;
    uint32_t expired; /* destroyed is what came before this day */
    atomic_int destroy_err;
    uint8_t *scratch, *sealed;
};

static void
day_path(const struct store_sqlite *s, uint32_t number, const char *end,
         char *path)
{
    snprintf(path, PATH_LEN, "%s/letters-%u.%s", s->dir, number, end);
}

/* Overwrite a day's key, then remove the letters that nobody can open now. Where
 * the key cannot be overwritten they go as well: on a full disk that writes
 * elsewhere their room is what it wants, with the next try. */
static int
day_destroy(const struct store_sqlite *s, uint32_t number)
{
    static const char *const end[] = {"db", "db-wal", "db-shm"};
    char path[PATH_LEN];
    day_path(s, number, "key", path);
    int err = wipe_file(path);
    for (size_t i = 0; i < sizeof end / sizeof end[0]; i++) {
        day_path(s, number, end[i], path);
        if (unlink(path) && errno != ENOENT)
            err = ERR_SYSTEM;
    }
    return err;
}

static void
day_close(struct day *d)
{
    sqlite3_finalize(d->put);
    sqlite3_finalize(d->get);
    sqlite3_finalize(d->slots);
    sqlite3_close(d->db);
    d->db = NULL;
    secret_free((void **)&d->key);
}

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
    return version < 0                          ? ERR_DB
           : version == VERSION || version == 0 ? 0
                                                : ERR_VERSION;
}

static int
day_count(struct day *d)
{
    sqlite3_stmt *st;
    int err = ERR_DB;
    if (sqlite3_prepare_v2(d->db, "SELECT count(*) FROM letter", -1, &st, NULL))
        return ERR_DB;
    if (sqlite3_step(st) == SQLITE_ROW) {
        d->count = (uint64_t)sqlite3_column_int64(st, 0);
        err = 0;
    }
    sqlite3_finalize(st);
    return err;
}

static int
day_open(struct store_sqlite *s, struct day *d, uint32_t number)
{
    char path[PATH_LEN];
    *d = (struct day){.number = number};
    day_path(s, number, "key", path);
    int err = wipe_key(path, &d->key);
    if (err)
        return err;
    day_path(s, number, "db", path);
    if (sqlite3_open_v2(path, &d->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                            SQLITE_OPEN_NOMUTEX,
                        NULL))
        goto fail;
    chmod(path, 0600);
    err = version_check(d->db);
    if (err) {
        day_close(d);
        return err;
    }
    if (sqlite3_exec(d->db,
                     /* of 4 KiB each letter would begin an overflow page, and
                      * take three times the disk */
                     "PRAGMA page_size=16384;"
                     "PRAGMA journal_mode=WAL;"
                     "PRAGMA synchronous=FULL;"
                     "PRAGMA cache_size=-256;" /* KiB; the kernel caches too */
                     "CREATE TABLE IF NOT EXISTS letter("
                     " name BLOB NOT NULL, slot INTEGER NOT NULL,"
                     " sealed BLOB NOT NULL, PRIMARY KEY(name, slot)"
                     ") WITHOUT ROWID;"
                     "PRAGMA user_version=2;",
                     NULL, NULL, NULL) ||
        sqlite3_prepare_v2(d->db, "INSERT INTO letter VALUES(?,?,?)", -1,
                           &d->put, NULL) ||
        sqlite3_prepare_v2(d->db,
                           "SELECT sealed FROM letter WHERE name=? AND slot=?",
                           -1, &d->get, NULL) ||
        sqlite3_prepare_v2(d->db, "SELECT slot FROM letter WHERE name=?", -1,
                           &d->slots, NULL) ||
        day_count(d))
        goto fail;
    return 0;
fail:
    day_close(d);
    return ERR_DB;
}

/* The day's file, opened or made. */
static int
day_get(struct store_sqlite *s, uint32_t number, struct day **out)
{
    size_t i = 0;
    while (i < s->n_days && s->day[i].number < number)
        i++;
    *out = &s->day[i];
    if (i < s->n_days && s->day[i].number == number)
        return 0;
    if (s->n_days == DAYS_MAX)
        return ERR_FULL;
    struct day made;
    int err = day_open(s, &made, number);
    if (err)
        return err;
    memmove(&s->day[i + 1], &s->day[i], (s->n_days - i) * sizeof s->day[0]);
    s->day[i] = made;
    s->n_days++;
    return 0;
}

static int
days_open(struct store_sqlite *s)
{
    DIR *dir = opendir(s->dir);
    char path[PATH_LEN];
    int err = 0;
    if (!dir)
        return ERR_SYSTEM;
    for (struct dirent *e; !err && (e = readdir(dir));) {
        unsigned number;
        int end = 0;
        struct day *d;
        if (sscanf(e->d_name, "letters-%u.db%n", &number, &end) != 1 ||
            e->d_name[end] != 0)
            continue;
        day_path(s, number, "key", path);
        err = access(path, F_OK) ? ERR_EXPIRED : day_get(s, number, &d);
        if (err == ERR_EXPIRED) /* something stopped us there */
            err = day_destroy(s, number);
        else if (!err)
            s->count += d->count;
    }
    closedir(dir);
    return err;
}

/* How many letters fit into bytes_max, or (0) into half of what there is. */
static int
room_measure(struct store_sqlite *s, uint64_t bytes_max)
{
    const uint64_t each = store_sqlite_disk(s->letter_len);
    struct statvfs fs;
    if (bytes_max == 0) {
        if (statvfs(s->dir, &fs))
            return ERR_SYSTEM;
        bytes_max = ((uint64_t)fs.f_bavail * fs.f_frsize + s->count * each) / 2;
    }
    s->letters_max = bytes_max / each;
    return 0;
}

int
store_sqlite_new(struct store_sqlite **out, const char *dir, size_t letter_len,
                 uint64_t bytes_max)
{
    struct store_sqlite *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return ERR_NOMEM;
    s->letter_len = letter_len;
    s->scratch = malloc(letter_len);
    s->sealed = malloc(letter_len + SEAL_EXTRA_LEN);
    int err = s->scratch && s->sealed ? 0 : ERR_NOMEM;
    if (!err &&
        snprintf(s->dir, sizeof s->dir, "%s", dir) >= (int)sizeof s->dir)
        err = ERR_LONG;
    if (!err && mkdir(dir, 0700) && errno != EEXIST)
        err = ERR_SYSTEM;
    if (!err)
        err = days_open(s);
    if (!err)
        err = room_measure(s, bytes_max);
    if (err) {
        store_sqlite_free(&s);
        return err;
    }
    *out = s;
    return 0;
}

void
store_sqlite_free(struct store_sqlite **sp)
{
    struct store_sqlite *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    for (size_t i = 0; i < s->n_days; i++)
        day_close(&s->day[i]);
    free(s->scratch);
    free(s->sealed);
    free(s);
}

/* ---- requests ---- */

static int
slots_of(struct day *d, const uint8_t *box, uint16_t *slots)
{
    uint8_t name[SEAL_NAME_LEN];
    int got = SQLITE_ERROR;
    *slots = 0;
    seal_name(d->key, box, name);
    if (sqlite3_bind_blob(d->slots, 1, name, sizeof name, SQLITE_STATIC) ==
        SQLITE_OK)
        while ((got = sqlite3_step(d->slots)) == SQLITE_ROW)
            *slots |= (uint16_t)(1u << (sqlite3_column_int(d->slots, 0) &
                                        (SLOTS - 1)));
    sqlite3_reset(d->slots);
    return got == SQLITE_DONE ? 0 : ERR_DB;
}

/* Which slots of a box are taken, and by the files of which days? One that
 * cannot be told must not be taken for free. */
static int
box_slots(struct store_sqlite *s, const uint8_t *box, struct day *of[SLOTS],
          uint16_t *full)
{
    *full = 0;
    for (size_t i = 0; i < s->n_days; i++) {
        uint16_t slots;
        int err = slots_of(&s->day[i], box, &slots);
        if (err)
            return err;
        for (unsigned k = 0; k < SLOTS; k++)
            if (slots >> k & 1)
                of[k] = &s->day[i];
        *full |= slots;
    }
    return 0;
}

static int
letter_read(struct store_sqlite *s, struct day *d, const uint8_t *box,
            unsigned slot, uint8_t *out)
{
    uint8_t name[SEAL_NAME_LEN];
    const size_t len = s->letter_len + SEAL_EXTRA_LEN;
    int err = ERR_DB;
    seal_name(d->key, box, name);
    sqlite3_bind_blob(d->get, 1, name, sizeof name, SQLITE_STATIC);
    sqlite3_bind_int(d->get, 2, (int)slot);
    if (sqlite3_step(d->get) == SQLITE_ROW &&
        (size_t)sqlite3_column_bytes(d->get, 0) == len &&
        seal_open(d->key, name, (uint8_t)slot, sqlite3_column_blob(d->get, 0),
                  len, out) == 0)
        err = 0;
    sqlite3_reset(d->get);
    return err;
}

static int
letter_write(struct store_sqlite *s, const struct env_store_req *req)
{
    uint8_t name[SEAL_NAME_LEN];
    struct day *d;
    int err = day_get(s, req->expiry_day, &d);
    if (err)
        return ERR_DB;
    if (!d->open_transaction) {
        if (sqlite3_exec(d->db, "BEGIN IMMEDIATE", NULL, NULL, NULL))
            return ERR_DB;
        d->open_transaction = true;
        d->failed = false;
        d->added = 0;
    }
    if (d->failed)
        return ERR_DB;
    seal_name(d->key, req->box, name);
    seal_letter(d->key, name, req->slot, req->letter, s->letter_len, s->sealed);
    sqlite3_bind_blob(d->put, 1, name, sizeof name, SQLITE_STATIC);
    sqlite3_bind_int(d->put, 2, req->slot);
    sqlite3_bind_blob(d->put, 3, s->sealed, (int)s->letter_len + SEAL_EXTRA_LEN,
                      SQLITE_STATIC);
    err = sqlite3_step(d->put) == SQLITE_DONE ? 0 : ERR_DB;
    sqlite3_reset(d->put);
    if (sqlite3_get_autocommit(d->db))
        d->failed = true; /* a full disk undoes all that the list has put */
    if (!err) {
        s->count++;
        d->added++;
    }
    return err;
}

static void
put(struct store_sqlite *s, struct env_store_req *req)
{
    struct day *of[SLOTS] = {NULL};
    unsigned slot = req->slot & (SLOTS - 1);
    req->err = box_slots(s, req->box, of, &req->full);
    if (req->err)
        return;
    if (req->full >> slot & 1) {
        /* which may be of this list, and falls with its day's transaction */
        req->expiry_day = of[slot]->number;
        req->err = letter_read(s, of[slot], req->box, slot, s->scratch);
        if (!req->err && memcmp(s->scratch, req->letter, s->letter_len) != 0)
            req->err = ERR_SLOT;
        return;
    }
    req->err = s->count >= s->letters_max ? ERR_QUOTA : letter_write(s, req);
    if (!req->err)
        req->full |= (uint16_t)(1u << slot);
}

static void
get(struct store_sqlite *s, struct env_store_req *req)
{
    struct day *of[SLOTS] = {NULL};
    req->err = box_slots(s, req->box, of, &req->full);
    if (req->err)
        return;
    req->err = ERR_NOT_FOUND;
    for (unsigned i = 1; i <= SLOTS; i++) {
        unsigned slot = (req->after + i) % SLOTS;
        if (!(req->full >> slot & 1) || (req->held >> slot & 1))
            continue;
        req->err = letter_read(s, of[slot], req->box, slot, req->letter);
        req->got = (uint8_t)slot;
        return;
    }
}

/* Destroy what lies there of days before this one, also what an earlier try left,
 * or a life that was stopped between a day's key and its letters. */
static int
files_destroy(const struct store_sqlite *s, uint32_t before)
{
    DIR *dir = opendir(s->dir);
    int err = 0;
    unsigned number;
    if (!dir)
        return ERR_SYSTEM;
    for (struct dirent *e; (e = readdir(dir));)
        if (sscanf(e->d_name, "letters-%u.", &number) == 1 && number < before &&
            day_destroy(s, number))
            err = ERR_IO;
    closedir(dir);
    return err;
}

static void
days_expire(struct store_sqlite *s)
{
    const uint32_t before = atomic_load(&s->expire_before);
    if (before <= s->expired)
        return;
    while (s->n_days > 0 && s->day[0].number < before) {
        day_close(&s->day[0]);
        s->count -= s->day[0].count;
        memmove(&s->day[0], &s->day[1], --s->n_days * sizeof s->day[0]);
    }
    const int err = files_destroy(s, before);
    if (!err)
        s->expired = before;
    atomic_store(&s->destroy_err, err);
}

/* Only now is anything kept. */
static void
days_commit(struct store_sqlite *s, struct env_store_req *list)
{
    for (size_t i = 0; i < s->n_days; i++) {
        struct day *d = &s->day[i];
        if (!d->open_transaction)
            continue;
        d->open_transaction = false;
        if (!d->failed &&
            sqlite3_exec(d->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK) {
            d->count += d->added;
            continue;
        }
        sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL);
        s->count -= d->added;
        for (struct env_store_req *r = list; r; r = r->next)
            if (r->op == ENV_STORE_PUT && r->expiry_day == d->number && !r->err)
                r->err = ERR_DB;
    }
}

void
store_sqlite_run(void *ctx, struct env_store_req *list)
{
    struct store_sqlite *s = ctx;
    days_expire(s);
    for (struct env_store_req *r = list; r; r = r->next)
        if (r->letter_len != s->letter_len)
            r->err = ERR_ARG;
        else if (r->op == ENV_STORE_PUT)
            put(s, r);
        else
            get(s, r);
    days_commit(s, list);
}

int
store_sqlite_expire(struct store_sqlite *s, uint32_t day)
{
    atomic_store(&s->expire_before, day);
    return atomic_load(&s->destroy_err);
}

uint64_t
store_sqlite_letters_max(const struct store_sqlite *s)
{
    return s->letters_max;
}
