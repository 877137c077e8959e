/* client/daemon/guard.c - see guard.h.
 *
 * State: locked or not. Whether there is a passphrase, and which, its file says each
 * time, since another program changes that. A file with another master key than this
 * client's opens nothing. Failure modes: that file is gone or damaged (nothing is
 * unlocked then); the disk's. */
#include "client/daemon/guard.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/daemon/backup.h"
#include "client/daemon/master.h"
#include "lib/codec.h"
#include "lib/os/files.h"
#include "lib/os/passphrase.h"

struct guard {
    const struct master *master;
    struct backup_source source;
    char path[FILES_PATH_MAX];
    _Atomic bool locked;
};

int
guard_new(struct guard **out, const char *dir, const char *network,
          struct master *m, struct outbox_sqlite *o)
{
    struct guard *g = calloc(1, sizeof *g);
    *out = g;
    if (!g)
        return ERR_NOMEM;
    g->master = m;
    g->source =
        (struct backup_source){.dir = dir, .network = network, .outbox = o};
    const int err = files_path(g->path, dir, "client.db");
    if (err)
        guard_free(out);
    return err;
}

void
guard_free(struct guard **g)
{
    free(*g);
    *g = NULL;
}

bool
guard_is_locked(const struct guard *g)
{
    return atomic_load(&g->locked);
}

void
guard_lock(struct guard *g, bool locked)
{
    atomic_store(&g->locked, locked);
}

bool
guard_is_sealed(const struct guard *g)
{
    struct master *m;
    const bool sealed =
        !master_read(&m, g->path, false) && master_kind(m) == MASTER_SEALED;
    master_free(&m);
    return sealed;
}

int
guard_try(const struct guard *g, const char *text, size_t len)
{
    struct passphrase p;
    struct master *m = NULL;
    int err = passphrase_set(&p, text, len);
    if (err == ERR_LONG)
        err = ERR_PASSPHRASE;
    if (!err)
        err = master_read(&m, g->path, false);
    if (!err)
        err = master_open(m, &p);
    if (!err && !master_is_same(m, g->master))
        err = ERR_PASSPHRASE;
    master_free(&m);
    passphrase_free(&p);
    return err;
}

int
guard_backup(const struct guard *g, const char *text, size_t len,
             char name[static GUARD_NAME_MAX])
{
    struct passphrase p;
    uint8_t mark[8];
    char hex[2 * sizeof mark + 1], path[FILES_PATH_MAX];
    struct backup_source source = g->source;
    randombytes_buf(mark, sizeof mark);
    codec_hex(hex, mark, sizeof mark);
    snprintf(name, GUARD_NAME_MAX, BACKUP_PART "%s", hex);
    source.sealed = guard_is_sealed(g);
    int err = len == 0 ? ERR_ARG : files_path(path, source.dir, name);
    if (err)
        return err;
    err = passphrase_set(&p, text, len);
    if (!err)
        err = backup_write(path, &source, &p, &passphrase_cost);
    passphrase_free(&p);
    return err;
}
