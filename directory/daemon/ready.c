/* directory/daemon/ready.c - what an authority needs, looked at one by one. No state.
 *
 * Failure modes: what is wrong is said, all of it; while an authority runs in the
 * directory its port is not tried. */
#include "directory/daemon/ready.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory/daemon/disk.h"
#include "directory/daemon/renewal.h"
#include "lib/os/clock.h"
#include "lib/os/files.h"
#include "lib/os/socket.h"
#include "lib/os/system.h"
#include "network/os/netfile.h"

int
ready_fail(const char *what, const char *how, const char *why)
{
    fprintf(stderr, "brusio-directory: %s%s%s\n", what, how, why);
    return 1;
}

void
ready_openness(const char *dir, char why[static READY_WHY_LEN])
{
    static const char *const name[] = {"", "authority.key", "working.key",
                                       "working-old.key", "working-new.key"};
    char path[FILES_PATH_MAX];
    struct stat st;
    why[0] = 0;
    for (size_t i = 0; i < sizeof name / sizeof name[0] && !why[0]; i++) {
        if (snprintf(path, sizeof path, i ? "%s/%s" : "%s%s", dir, name[i]) >=
                (int)sizeof path ||
            stat(path, &st) || !(st.st_mode & 077))
            continue;
        snprintf(why, READY_WHY_LEN,
                 "%.300s is open to other users (mode %03o); chmod %s", path,
                 (unsigned)st.st_mode & 0777,
                 S_ISDIR(st.st_mode) ? "700" : "600");
    }
}

/* Could it listen there? */
static int
listen_check(const char *dir, const char *address)
{
    char bound[ADDRESS_TEXT_MAX], why[SOCKET_WHY_LEN];
    int lock, fd;
    int err = files_lock(dir, &lock);
    if (err == ERR_AGAIN) /* an authority runs, and has it */
        return 0;
    if (err)
        return ready_fail(dir,
                          " cannot be opened and locked: ", system_reason(err));
    err = socket_listen(&fd, address, bound);
    if (err)
        socket_listen_why(why, err);
    else
        close(fd);
    close(lock);
    return err ? fprintf(stderr, "brusio-directory: cannot listen on %s: %s\n",
                         address, why) > 0
               : 0;
}

/* Is this authority in the network, and do its parameters go with it? */
static int
network_check(const struct network *n, const struct server_config *config,
              const uint8_t identity[static SPHINX_ID_LEN])
{
    struct params params;
    const char *where;
    bool listed = false;
    for (size_t i = 0; i < n->n_authorities; i++)
        listed |=
            memcmp(n->authorities[i].identity, identity, SPHINX_ID_LEN) == 0;
    int status = 0;
    if (!listed)
        status =
            ready_fail("the network file does not list this authority", "; ",
                       "'brusio-directory init' prints its identity");
    if (server_params(config, n, &params, &where))
        status = ready_fail(where,
                            " does not go with the other parameters, or "
                            "with the network file's geometry",
                            "");
    return status;
}

static void
kept_ignore(void *ctx, enum authority_output what, const uint8_t *bytes,
            size_t len)
{
    (void)ctx;
    (void)what;
    (void)bytes;
    (void)len;
}

static int
files_check(const char *dir)
{
    char why[READY_WHY_LEN];
    int status = 0;
    if (access(dir, W_OK)) {
        fprintf(stderr,
                "brusio-directory: %s cannot be written: %s; mount its disk "
                "for writing, and let the authority's user write there\n",
                dir, strerror(errno));
        status = 1;
    }
    ready_openness(dir, why);
    if (why[0])
        status = ready_fail(why, "", "");
    const int err = disk_each(dir, kept_ignore, NULL);
    if (err)
        status = fprintf(stderr, "brusio-directory: " DISK_KEPT_TEXT "\n", dir,
                         system_reason(err)) > 0;
    return status;
}

int
ready_check(const char *dir, const struct server_config *config)
{
    char error[NETFILE_ERROR_LEN];
    struct disk_keys k;
    struct network n;
    int status = netfile_check("brusio-directory", dir, config->network);
    const bool known =
        !status && !netfile_read_in(dir, config->network, &n, error);
    const int err = disk_keys(&k, dir, clock_wall_s(), DISK_LOOK);
    if (err)
        status = ready_fail(k.why[0] ? "" : dir, k.why[0] ? "" : ": ",
                            renewal_why(&k, err));
    else if (known)
        status |= network_check(&n, config, k.identity);
    if (!err)
        disk_keys_free(&k);
    if (config->user[0] && !getpwnam(config->user))
        status =
            ready_fail("'user': there is no such user here: ", config->user,
                       "; make it, or name another");
    status |= listen_check(dir, config->listen);
    return status | files_check(dir);
}
