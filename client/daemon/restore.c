/* client/daemon/restore.c - see restore.h.
 *
 * Order: the backup is read to its end; the directory is made; its files are written,
 * the master key, and all records in one transaction; the configuration, which makes a
 * client of it, comes last. A program that is killed leaves a directory that is no
 * client, and that a second try refuses as one that is not empty. No state, no timers.
 * Failure modes: a backup that was cut, changed, or is none, a wrong passphrase (nothing
 * has been written); a full or failing disk (what was written is removed). */
#include "client/daemon/restore.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/daemon/backup.h"
#include "client/daemon/master.h"
#include "client/daemon/outbox_sqlite.h"
#include "lib/os/files.h"
#include "lib/os/program.h"

static const char program[] = "brusio-client";
static const char conf_name[] = "client.conf";

enum { NAME_MAX_LEN = 200 };

struct restore {
    const char *dir;
    struct backup *backup;
    struct passphrase passphrase; /* that fitted */
    bool sealed;                  /* the client had one */
    bool made;                    /* the directory is ours */
    uint8_t *conf;                /* the configuration, for later */
    size_t conf_len;
    size_t records;
    journal_record_fn put; /* of records, with put_ctx */
    void *put_ctx;
};

/* ---- looking ---- */

static int
passphrase_take(void *ctx, const struct passphrase *p)
{
    struct restore *r = ctx;
    const int err = backup_unlock(r->backup, p);
    return err ? err : passphrase_set(&r->passphrase, p->text, p->len);
}

/* Write to out the name of a file, if it is one that a backup may have. */
static int
name_take(char out[static NAME_MAX_LEN + 1], const uint8_t *name, size_t len)
{
    if (len == 0 || len > NAME_MAX_LEN || memchr(name, '/', len) ||
        memchr(name, 0, len) || name[0] == '.' ||
        (len >= 9 && memcmp(name, "client.db", 9) == 0))
        return ERR_FORMAT;
    memcpy(out, name, len);
    out[len] = 0;
    return 0;
}

/* Look at an entry, and keep what is wanted before the others. */
static int
entry_look(void *ctx, enum backup_kind kind, const uint8_t *name,
           size_t name_len, const uint8_t *data, size_t len)
{
    struct restore *r = ctx;
    char file[NAME_MAX_LEN + 1];
    r->sealed |= kind == BACKUP_SEALED;
    r->records += kind == BACKUP_RECORD;
    if (kind == BACKUP_RECORD)
        return name_len > 0 && name_len <= JOURNAL_KEY_MAX ? 0 : ERR_FORMAT;
    if (kind != BACKUP_FILE)
        return 0;
    const int err = name_take(file, name, name_len);
    if (err || strcmp(file, conf_name) != 0)
        return err;
    free(r->conf);
    r->conf = malloc(len + 1);
    if (!r->conf)
        return ERR_NOMEM;
    memcpy(r->conf, data, len);
    r->conf_len = len;
    return 0;
}

/* Is there nothing in dir, or no such directory? */
static int
dir_look(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *e;
    int n = 0;
    if (!d)
        return errno == ENOENT ? 0 : files_error(errno);
    while ((e = readdir(d)))
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n ? ERR_EXISTS : 0;
}

static const char *
backup_remedy(int err)
{
    switch (err) {
    case ERR_NOT_FOUND:
        return "there is no such file";
    case ERR_FORMAT:
        return "it is no backup of a client";
    case ERR_VERSION:
        return "it is of another version; use the program that made it";
    case ERR_SHORT:
        return "it ends too early: a part is missing";
    case ERR_DAMAGED:
        return "it is damaged: it was changed after it was made";
    case ERR_RANGE:
        return "it asks for more memory than any that we make";
    default:
        return error_text(err);
    }
}

/* Open the backup, and read it to its end. */
static int
backup_look(struct restore *r, const char *path,
            const struct passphrase_source *from)
{
    int err = backup_open(&r->backup, path);
    if (err)
        return program_fail(program, "%s: %s", path, backup_remedy(err));
    err = passphrase_try(from, passphrase_take, r);
    if (err == ERR_RANGE || err == ERR_NOMEM)
        program_fail(program, "%s: %s", path, backup_remedy(err));
    if (err)
        return ARGS_EXIT_FAILED;
    err = backup_each(r->backup, entry_look, r);
    if (!err && !r->conf)
        err = ERR_FORMAT;
    return err ? program_fail(program, "%s: %s", path, backup_remedy(err)) : 0;
}

/* ---- making ---- */

static int
file_make(void *ctx, enum backup_kind kind, const uint8_t *name,
          size_t name_len, const uint8_t *data, size_t len)
{
    const struct restore *r = ctx;
    char file[NAME_MAX_LEN + 1];
    if (kind != BACKUP_FILE)
        return 0;
    const int err = name_take(file, name, name_len);
    if (err || strcmp(file, conf_name) == 0)
        return err;
    return files_write_in(r->dir, file, data, len);
}

static int
record_make(void *ctx, enum backup_kind kind, const uint8_t *name,
            size_t name_len, const uint8_t *data, size_t len)
{
    const struct restore *r = ctx;
    return kind == BACKUP_RECORD ? r->put(r->put_ctx, name, name_len, data, len)
                                 : 0;
}

static int
records_put(void *ctx, journal_record_fn put, void *put_ctx)
{
    struct restore *r = ctx;
    r->put = put;
    r->put_ctx = put_ctx;
    return backup_each(r->backup, record_make, r);
}

static int
records_make(struct restore *r)
{
    char path[FILES_PATH_MAX];
    struct master *m = NULL;
    struct outbox_sqlite *o = NULL;
    int err = files_path(path, r->dir, "client.db");
    if (!err)
        err = master_read(&m, path, false);
    if (!err)
        err = master_write(m, r->sealed ? &r->passphrase : NULL,
                           &passphrase_cost);
    if (!err)
        err = outbox_sqlite_new(&o, path, m);
    if (!err)
        err = outbox_sqlite_fill(o, records_put, r);
    outbox_sqlite_free(&o);
    master_free(&m);
    return err;
}

/* Make all of the directory. */
static int
dir_make(struct restore *r)
{
    r->made = mkdir(r->dir, 0700) == 0;
    if (!r->made && errno != EEXIST)
        return files_error(errno);
    int err = r->made || chmod(r->dir, 0700) == 0 ? 0 : files_error(errno);
    if (!err)
        err = backup_each(r->backup, file_make, r);
    if (!err)
        err = records_make(r);
    if (!err)
        err = files_write_in(r->dir, conf_name, r->conf, r->conf_len);
    return err;
}

/* Take back what was made. */
static void
dir_unmake(const struct restore *r)
{
    char path[FILES_PATH_MAX];
    const struct dirent *e;
    DIR *d = opendir(r->dir);
    while (d && (e = readdir(d)))
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            !files_path(path, r->dir, e->d_name))
            unlink(path);
    if (d)
        closedir(d);
    if (r->made)
        rmdir(r->dir);
}

static void
result_print(const struct restore *r)
{
    printf("The client of the backup is in %s, with %zu records. It is an "
           "older copy: what was written since is not in it, and only one "
           "copy may run. %s\n",
           r->dir, r->records,
           r->sealed ? "Its passphrase is that of the backup."
                     : "It has no passphrase; 'brusio-client passphrase' sets "
                       "one.");
    printf("'brusio-client run --dir %s' starts it.\n", r->dir);
}

int
restore_run(const char *dir, const char *path,
            const struct passphrase_source *from)
{
    struct restore r = {.dir = dir};
    int err = dir_look(dir), status = ARGS_EXIT_FAILED;
    if (err) {
        program_fail(program, "%s: %s", dir,
                     err == ERR_EXISTS ? "it is not empty; a backup makes a "
                                         "directory of its own"
                                       : error_text(err));
        return status;
    }
    if (backup_look(&r, path, from))
        goto out;
    err = dir_make(&r);
    if (err) {
        dir_unmake(&r);
        program_fail(program, "%s: %s; nothing was restored", dir,
                     error_text(err));
        goto out;
    }
    result_print(&r);
    status = 0;
out:
    passphrase_free(&r.passphrase);
    backup_free(&r.backup);
    free(r.conf);
    return status;
}
