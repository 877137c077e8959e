/* relay/daemon/store_sqlite.c - days, slots, transactions.
 *
 * Files letters-DAY.db in one directory, opened when first needed, each with
 * the page letters-DAY.key, under which all in it is sealed (seal.h): there
 * before the letters, and wiped before they are unlinked, so that a file of
 * letters without its key is one whose day is over. A list of requests is one
 * transaction for every day it touches; when a commit fails, all puts of that
 * day in the list failed. Failure modes: a full or broken disk (ERR_DB; the
 * relay answers "retry", and the next list tries again), a file that is
 * damaged: it is set aside, whenever that is found, since all days are asked
 * for each box; a key that is damaged or another's: it is set aside with its
 * letters. */
#include "relay/daemon/store_sqlite.h"

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/os/database.h"
#include "lib/os/files.h"
#include "lib/os/wipe.h"
#include "network/work.h"
#include "relay/daemon/seal.h"
#include "relay/daemon/store_day.h"

enum {
    DAYS_MAX = 400,
    PATH_LEN = 512,
    LET_GO_MAX = 64 /* letters of a day, with each list */
};

struct store_sqlite {
    char dir[PATH_LEN - 64];
    size_t letter_len;
    uint64_t letters_max, used; /* of all days, the transactions' too */
    struct day day[DAYS_MAX];   /* sorted by number */
    size_t n_days;
    atomic_uint expire_before;
    uint32_t expired; /* destroyed is what came before this day */
    int list_err;     /* why something of this list is not kept */
    atomic_int destroy_err, write_err;
    atomic_uint damaged;
    uint8_t *scratch, *sealed;
};

static void
day_path(const struct store_sqlite *s, uint32_t number, const char *end,
         char *path)
{
    snprintf(path, PATH_LEN, "%s/letters-%u.%s", s->dir, number, end);
}

/* Overwrite a day's key, then remove the letters that nobody can open now.
 * Where the key cannot be overwritten the letters go as well: on a full disk
 * that writes elsewhere the next try may need their room. */
static int
day_destroy(const struct store_sqlite *s, uint32_t number)
{
    static const char *const end[] = {"db", "db-wal", "db-shm", "damaged"};
    char path[PATH_LEN];
    day_path(s, number, "key", path);
    int err = wipe_file(path), bad;
    day_path(s, number, "key-damaged", path);
    if ((bad = wipe_file(path)))
        err = bad;
    for (size_t i = 0; i < sizeof end / sizeof end[0]; i++) {
        day_path(s, number, end[i], path);
        if (unlink(path) && errno != ENOENT)
            err = files_error(errno);
    }
    return err;
}

/* Set a damaged file aside, for its operator to look at, until its day is over.
 * The letters in it are lost to this store. */
static int
file_set_aside(struct store_sqlite *s, uint32_t number)
{
    static const char *const end[] = {"db-wal", "db-shm"};
    char path[PATH_LEN], aside[PATH_LEN];
    for (size_t i = 0; i < sizeof end / sizeof end[0]; i++) {
        day_path(s, number, end[i], path);
        if (unlink(path) && errno != ENOENT)
            return files_error(errno);
    }
    day_path(s, number, "db", path);
    day_path(s, number, "damaged", aside);
    if (rename(path, aside))
        return files_error(errno);
    atomic_fetch_add(&s->damaged, 1);
    return 0;
}

/* Set a key aside that does not open the letters beside it: it may be what is left of
 * theirs, or another day's. */
static int
key_set_aside(const struct store_sqlite *s, uint32_t number)
{
    char path[PATH_LEN], aside[PATH_LEN];
    day_path(s, number, "key", path);
    day_path(s, number, "key-damaged", aside);
    const int err = wipe_file(aside); /* an earlier one */
    return err                   ? err
           : rename(path, aside) ? files_error(errno)
                                 : files_sync_directory(path);
}

/* Find the day's file; open or make it. */
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
    struct day made = {.number = number,
                       .letter_len = s->letter_len,
                       .sealed = s->sealed,
                       .scratch = s->scratch};
    char path[PATH_LEN], key_path[PATH_LEN];
    day_path(s, number, "db", path);
    day_path(s, number, "key", key_path);
    int err = day_open(&made, path, key_path);
    const bool bad_key = err == ERR_FORMAT || err == ERR_LONG || err == ERR_MAC;
    if (err == ERR_DAMAGED || bad_key) {
        err = bad_key ? key_set_aside(s, number) : 0;
        if (!err)
            err = file_set_aside(s, number);
        if (!err)
            err = day_open(&made, path, key_path);
    }
    if (err)
        return err;
    memmove(&s->day[i + 1], &s->day[i], (s->n_days - i) * sizeof s->day[0]);
    s->day[i] = made;
    s->n_days++;
    return 0;
}

/* Close the i-th day. */
static void
day_drop(struct store_sqlite *s, size_t i)
{
    day_close(&s->day[i]);
    memmove(&s->day[i], &s->day[i + 1], (--s->n_days - i) * sizeof s->day[0]);
}

static int
days_open(struct store_sqlite *s)
{
    DIR *dir = opendir(s->dir);
    char path[PATH_LEN];
    int err = 0;
    if (!dir)
        return files_error(errno);
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
    }
    closedir(dir);
    return err;
}

static void
used_count(struct store_sqlite *s)
{
    s->used = 0;
    for (size_t i = 0; i < s->n_days; i++)
        s->used += day_used(&s->day[i], store_sqlite_disk(s->letter_len));
}

/* Measure how many letters fit into bytes_max, or (0) into half of what there
 * is. */
static int
room_measure(struct store_sqlite *s, uint64_t bytes_max)
{
    const uint64_t each = store_sqlite_disk(s->letter_len);
    struct statvfs fs;
    used_count(s);
    if (bytes_max == 0) {
        if (statvfs(s->dir, &fs))
            return files_error(errno);
        bytes_max = ((uint64_t)fs.f_bavail * fs.f_frsize + s->used * each) / 2;
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
        err = files_error(errno);
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

/* Tell which slots of a box hold letters, which hold traces of letters, and in
 * the files of which days. */
static int
box_slots(struct store_sqlite *s, const uint8_t *box, struct day *of[DAY_SLOTS],
          uint16_t *full, uint16_t *gone)
{
    *full = *gone = 0;
    for (size_t i = 0; i < s->n_days; i++) {
        uint16_t letters, traces;
        int err = day_slots(&s->day[i], box, &letters, &traces);
        if (err == ERR_DAMAGED)
            s->day[i].damaged = true; /* set aside when the list is over */
        if (err)
            return err;
        for (unsigned k = 0; k < DAY_SLOTS; k++)
            if ((letters | traces) >> k & 1)
                of[k] = &s->day[i];
        *full |= letters;
        *gone |= traces;
    }
    return 0;
}

/* Is the store so full that letters which readers have are to be let go? */
static bool
is_filling(const struct store_sqlite *s)
{
    return s->used >= s->letters_max / 2;
}

static int
letter_write(struct store_sqlite *s, struct env_store_req *req)
{
    struct day *d;
    int err = s->used >= s->letters_max ? ERR_QUOTA : 0;
    if (!err && req->full == 0)
        err = work_judge(req->work_wanted, req->work, s->used, s->letters_max,
                         &req->steps);
    if (err)
        return err;
    err = day_get(s, req->expiry_day, &d);
    if (!err)
        err = day_put(d, req);
    s->used += err == 0;
    if (err)
        s->list_err = err;
    return err ? ERR_DB : 0;
}

static void
letter_put(struct store_sqlite *s, struct env_store_req *req)
{
    struct day *of[DAY_SLOTS] = {NULL};
    const unsigned slot = req->slot & (DAY_SLOTS - 1);
    uint16_t full, gone;
    const int err = box_slots(s, req->box, of, &full, &gone);
    req->err = err ? ERR_DB : 0;
    req->full = full | gone;
    if (err)
        return;
    if (req->full >> slot & 1) {
        /* which may be of this list, and falls with its day's transaction */
        req->expiry_day = of[slot]->number;
        req->err = day_compare(of[slot], req, gone >> slot & 1);
        return;
    }
    req->err = letter_write(s, req);
    req->is_new = !req->err;
    if (!req->err)
        req->full |= (uint16_t)(1u << slot);
}

/* Note what the reader names as held; what fails is named again. */
static void
held_note(struct store_sqlite *s, const struct env_store_req *req)
{
    if (!is_filling(s) || (req->held & req->full) == 0)
        return;
    for (size_t i = 0; i < s->n_days; i++)
        (void)!day_name(&s->day[i], req);
}

static void
letter_get(struct store_sqlite *s, struct env_store_req *req)
{
    struct day *of[DAY_SLOTS] = {NULL};
    uint16_t gone;
    const int err = box_slots(s, req->box, of, &req->full, &gone);
    req->err = err ? ERR_DB : 0;
    if (err)
        return;
    held_note(s, req);
    req->err = ERR_NOT_FOUND;
    for (unsigned i = 0; i < DAY_SLOTS; i++) {
        unsigned slot = (req->slot + i) % DAY_SLOTS;
        if (!(req->full >> slot & 1) || (req->held >> slot & 1))
            continue;
        req->err = day_read(of[slot], req->box, slot, req->letter);
        req->got = (uint8_t)slot;
        return;
    }
}

/* Destroy what lies on the disk of days before this one, also what an earlier
 * try left, or a life that was stopped between a day's key and its letters. */
static int
files_destroy(const struct store_sqlite *s, uint32_t before)
{
    DIR *dir = opendir(s->dir);
    int err = 0, bad;
    unsigned number;
    if (!dir)
        return files_error(errno);
    for (struct dirent *e; (e = readdir(dir));)
        if (sscanf(e->d_name, "letters-%u.", &number) == 1 && number < before &&
            (bad = day_destroy(s, number)))
            err = bad;
    closedir(dir);
    return err;
}

static void
days_expire(struct store_sqlite *s)
{
    const uint32_t before = atomic_load(&s->expire_before);
    if (before <= s->expired)
        return;
    while (s->n_days > 0 && s->day[0].number < before)
        day_drop(s, 0);
    const int err = files_destroy(s, before);
    if (!err)
        s->expired = before;
    atomic_store(&s->destroy_err, err);
}

/* Commit the transactions of all days; only now is anything kept. */
static void
days_commit(struct store_sqlite *s, struct env_store_req *list)
{
    for (size_t i = 0; i < s->n_days; i++) {
        struct day *d = &s->day[i];
        const int err = day_end(d);
        if (!err)
            continue;
        s->list_err = s->list_err ? s->list_err : err;
        for (struct env_store_req *r = list; r; r = r->next)
            if (r->op == ENV_STORE_PUT && r->expiry_day == d->number && !r->err)
                r->err = ERR_DB;
    }
    used_count(s);
}

/* Set the files aside that were found to be damaged. */
static void
damaged_drop(struct store_sqlite *s)
{
    for (size_t i = s->n_days; i-- > 0;) {
        const uint32_t number = s->day[i].number;
        struct day *d;
        if (!s->day[i].damaged)
            continue;
        day_drop(s, i);
        if (file_set_aside(s, number) == 0)
            (void)!day_get(s, number, &d); /* else when it is needed */
    }
}

/* Let go, when room is short, of what its readers have named an hour ago. */
static void
held_let_go(struct store_sqlite *s, const struct env_store_req *list)
{
    uint32_t hour = 0;
    if (!is_filling(s))
        return;
    for (; list; list = list->next)
        if (list->hour > hour)
            hour = list->hour;
    for (size_t i = 0; i < s->n_days && hour > 0; i++)
        day_let_go(&s->day[i], hour - 1, LET_GO_MAX);
}

void
store_sqlite_run(void *ctx, struct env_store_req *list)
{
    struct store_sqlite *s = ctx;
    bool puts = false;
    s->list_err = 0;
    days_expire(s);
    used_count(s);
    for (struct env_store_req *r = list; r; r = r->next)
        if (r->letter_len != s->letter_len)
            r->err = ERR_ARG;
        else if (r->op == ENV_STORE_PUT)
            letter_put(s, r);
        else
            letter_get(s, r);
    held_let_go(s, list);
    days_commit(s, list);
    damaged_drop(s);
    for (const struct env_store_req *r = list; r; r = r->next)
        puts |= r->op == ENV_STORE_PUT && (r->is_new || r->err == ERR_DB);
    if (puts)
        atomic_store(&s->write_err, s->list_err);
}

int
store_sqlite_error(const struct store_sqlite *s)
{
    return atomic_load(&s->write_err);
}

unsigned
store_sqlite_damaged(const struct store_sqlite *s)
{
    return atomic_load(&s->damaged);
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
