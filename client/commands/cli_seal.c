/* client/commands/cli_seal.c - see cli_seal.h.
 *
 * The file of the master key is changed here, and not by the client that runs, which
 * has the key in memory anyway. A backup is made by whoever has the records open: the
 * client, into its directory, from where it is fetched; or this program, which keeps a
 * client from starting meanwhile. No state. Failure modes: a wrong passphrase, no
 * terminal, a disk that fails (nothing is left of a backup). */
#include "client/commands/cli_seal.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/daemon/backup.h"
#include "client/commands/calling.h"
#include "client/daemon/master.h"
#include "client/daemon/outbox_sqlite.h"
#include "client/daemon/restore.h"
#include "lib/os/database.h"
#include "lib/os/files.h"
#include "lib/os/program.h"

static const char program[] = "brusio-client";

/* ---- passphrase ---- */

/* See that a new file of the master key does no harm: no client runs, or ever has. */
static int
first_check(const char *dir, const char *path, int *lock)
{
    const int err = files_lock(dir, lock);
    if (err)
        return program_fail(program, "%s: %s", dir,
                            err == ERR_AGAIN ? "its client is just starting; "
                                               "try again"
                                             : error_text(err));
    if (access(path, F_OK))
        return 0;
    return program_fail(program,
                        "%s-seal is not there; 'brusio-client run' makes one "
                        "for records that have none yet, or says that it is "
                        "gone",
                        path);
}

static int
passphrase_change(const struct cli *c, struct master *m)
{
    const struct passphrase_source from = {.program = program,
                                           .file = c->new_passphrase_file,
                                           .option = "new-passphrase-file",
                                           .what =
                                               "New passphrase (empty: none)"};
    const bool had = master_kind(m) == MASTER_SEALED;
    struct passphrase p;
    if (master_ask(m, c->dir, c->passphrase_file) ||
        passphrase_choose(&from, &p))
        return ARGS_EXIT_FAILED;
    const bool has = p.len > 0;
    const int err = master_write(m, &p, &passphrase_cost);
    passphrase_free(&p);
    if (err)
        return program_fail(program, "%s: the file of the master key: %s",
                            c->dir, database_remedy(err));
    puts(has ? "The passphrase is set; 'run' asks for it from now on. Without "
               "it nothing here can be read, by you neither."
         : had ? "There is no passphrase any more: whoever reads the files of "
                 "this directory reads all."
               : "There is no passphrase.");
    return 0;
}

int
cli_passphrase(const struct cli *c)
{
    char path[FILES_PATH_MAX];
    struct master *m = NULL;
    int lock = -1, status = ARGS_EXIT_FAILED;
    int err = files_path(path, c->dir, "client.db");
    if (!err)
        err = master_read(&m, path, true);
    if (err)
        program_fail(program, "%s-seal: %s", path,
                     err == ERR_AGAIN ? "another program changes it; try again"
                                      : database_remedy(err));
    else if (master_kind(m) != MASTER_NONE || !first_check(c->dir, path, &lock))
        status = passphrase_change(c, m);
    master_free(&m);
    if (lock >= 0)
        close(lock);
    return status;
}

/* ---- lock ---- */

int
cli_lock(const struct cli *c)
{
    return cli_call(c, "lock", json_object(), NULL);
}

static int
unlock_try(void *ctx, const struct passphrase *p)
{
    const struct cli *c = ctx;
    char path[FILES_PATH_MAX];
    struct master *m = NULL;
    int err = files_path(path, c->dir, "client.db");
    if (!err)
        err = master_read(&m, path, false);
    if (!err)
        err = master_open(m, p);
    master_free(&m);
    if (err && err != ERR_PASSPHRASE)
        program_fail(program, "%s-seal: %s", path, database_remedy(err));
    if (err)
        return err;
    return cli_call(c, "unlock", json_pack("{ss}", "passphrase", p->text), NULL)
               ? ERR_CLOSED
               : 0;
}

int
cli_unlock(const struct cli *c)
{
    char what[FILES_PATH_MAX + 32];
    const struct passphrase_source from = {.program = program,
                                           .file = c->passphrase_file,
                                           .option = "passphrase-file",
                                           .what = what};
    struct cli call = *c;
    snprintf(what, sizeof what, "Passphrase of %s", c->dir);
    return passphrase_try(&from, unlock_try, &call) ? ARGS_EXIT_FAILED : 0;
}

/* ---- backup ---- */

static int
file_copy(const char *to, const char *from)
{
    static uint8_t bytes[1 << 16];
    const int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return files_error(errno);
    const int out =
        open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int err = out >= 0 ? 0 : errno == EEXIST ? ERR_EXISTS : files_error(errno);
    ssize_t n = 1;
    while (!err && (n = read(in, bytes, sizeof bytes)) > 0)
        for (ssize_t at = 0, k; at < n && !err; at += k) {
            k = write(out, bytes + at, (size_t)(n - at));
            if (k <= 0)
                err = k < 0 ? files_error(errno) : ERR_IO;
        }
    if (!err && (n < 0 || fsync(out)))
        err = files_error(errno);
    close(in);
    if (out >= 0 && close(out) && !err)
        err = files_error(errno);
    if (out >= 0 && !err)
        err = files_sync_directory(to);
    if (out >= 0 && err)
        unlink(to);
    return err;
}

/* Have the client that runs make a backup, and fetch that. */
static int
backup_call(const struct cli *c, const struct passphrase *p)
{
    char path[FILES_PATH_MAX];
    json_t *r = calling_once(c->dir, "backup",
                             json_pack("{ss}", "passphrase", p->text));
    const char *name = json_string_value(json_object_get(r, "file"));
    int err = r && name && !strchr(name, '/') ? files_path(path, c->dir, name)
                                              : ERR_CLOSED;
    if (!err) {
        err = file_copy(c->name, path);
        unlink(path);
        if (err)
            program_fail(program, "%s: %s; nothing of it is left", c->name,
                         error_text(err));
    }
    json_decref(r);
    return err;
}

/* Make a backup of a client that does not run. */
static int
backup_make(const struct cli *c, const char *network,
            const struct passphrase *p)
{
    char path[FILES_PATH_MAX];
    struct master *m = NULL;
    struct backup_source from = {.dir = c->dir, .network = network};
    int err = files_path(path, c->dir, "client.db");
    if (!err)
        err = master_read(&m, path, false);
    if (!err && master_ask(m, c->dir, c->client_passphrase_file)) {
        master_free(&m);
        return ERR_PASSPHRASE; /* has been said */
    }
    if (!err)
        err = outbox_sqlite_look(&from.outbox, path, m);
    if (err) {
        program_fail(program, "%s cannot be read: %s", path,
                     database_remedy(err));
    } else {
        from.sealed = master_kind(m) == MASTER_SEALED;
        err = backup_write(c->name, &from, p, &passphrase_cost);
        if (err)
            program_fail(program, "%s: %s; nothing of it is left", c->name,
                         error_text(err));
    }
    outbox_sqlite_free(&from.outbox);
    master_free(&m);
    return err;
}

/* Get the passphrase of a backup, which has to have one. */
static int
backup_passphrase(const struct cli *c, struct passphrase *p)
{
    const struct passphrase_source from = {.program = program,
                                           .file = c->passphrase_file,
                                           .option = "passphrase-file",
                                           .what = "Passphrase of the backup"};
    const int err = passphrase_choose(&from, p);
    if (err || p->len > 0)
        return err;
    passphrase_free(p);
    program_fail(program, "a backup has a passphrase, which is not empty");
    return ERR_ARG;
}

int
cli_backup(const struct cli *c, const char *network)
{
    struct passphrase p = {0};
    int lock = -1;
    if (access(c->name, F_OK) == 0)
        return program_fail(program, "%s: %s", c->name, error_text(ERR_EXISTS));
    int err = backup_passphrase(c, &p);
    if (err)
        return ARGS_EXIT_FAILED;
    err = files_lock(c->dir, &lock);
    if (err == ERR_AGAIN)
        err = backup_call(c, &p);
    else if (err)
        program_fail(program, "%s: %s", c->dir, error_text(err));
    else
        err = backup_make(c, network, &p);
    if (lock >= 0)
        close(lock);
    passphrase_free(&p);
    if (err)
        return ARGS_EXIT_FAILED;
    printf("The backup is %s. Whoever has it and its passphrase has all that "
           "the client had then, also what it forgets later.\n",
           c->name);
    if (strchr(network, '/'))
        program_fail(program,
                     "the network file, %s, is not in it: it lies outside of "
                     "the directory",
                     network);
    return 0;
}

int
cli_restore(const struct cli *c)
{
    char what[FILES_PATH_MAX + 32];
    const struct passphrase_source from = {.program = program,
                                           .file = c->passphrase_file,
                                           .option = "passphrase-file",
                                           .what = what};
    snprintf(what, sizeof what, "Passphrase of %s", c->name);
    return restore_run(c->dir, c->name, &from);
}
