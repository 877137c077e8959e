/* client/daemon/setup.c - a client's directory is made, and looked at. */
#include "client/daemon/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/daemon/master.h"
#include "client/daemon/rpc.h"
#include "lib/os/files.h"
#include "lib/os/program.h"
#include "network/os/netfile.h"

static const char program[] = "brusio-client";

static int
setup_fail(const char *what, const char *why)
{
    return program_fail(program, "%s: %s", what, why);
}

/* Write the configuration, which must not be there yet. */
static int
conf_write(const char *path, const char *profile)
{
    FILE *f = fopen(path, "wxe");
    if (!f && errno == EEXIST)
        return program_fail(
            program,
            "%s is there already: this directory has a client, whose profile "
            "was chosen once; another client wants another --dir",
            path);
    if (!f)
        return setup_fail(path, strerror(errno));
    fprintf(f, "profile = \"%s\"\n\n# What else can be set:\n\n", profile);
    config_write_example(client_options + 1, client_options_len - 1, f);
    const int bad = fflush(f) || fsync(fileno(f)), why = errno;
    fclose(f);
    if (!bad)
        return 0;
    unlink(path);
    return setup_fail(path, strerror(why));
}

/* Copy the network file, so that the directory is all that the client needs. */
static int
network_copy(const char *path, const char *from)
{
    uint8_t *bytes;
    size_t len;
    if (files_read(from, 1 << 20, &bytes, &len))
        return setup_fail(from, strerror(errno));
    const int err = files_write(path, bytes, len);
    free(bytes);
    return err ? setup_fail(path, strerror(errno)) : 0;
}

int
setup_profile(const char *dir, const char *profile, bool note)
{
    char path[FILES_PATH_MAX];
    uint8_t *was = NULL;
    size_t len;
    if (files_path(path, dir, "profile"))
        return setup_fail(dir, strerror(ENAMETOOLONG));
    int err = files_read(path, PROFILE_NAME_MAX + 1, &was, &len);
    if (err == ERR_NOT_FOUND && note) {
        /* a disk that is full keeps nobody from running */
        (void)!files_write(path, profile, strlen(profile));
        return 0;
    }
    if (err)
        return err == ERR_NOT_FOUND ? 0 : setup_fail(path, error_text(err));
    if (len > 0 && was[len - 1] == '\n') /* an editor's */
        was[--len] = 0;
    const bool same = strcmp((char *)was, profile) == 0;
    if (!same)
        program_fail(program,
                     "%s/client.conf says profile '%s', but this client was "
                     "made with another, which %s names. A profile is chosen "
                     "once: who watches the line would see the change, and "
                     "that it is the same client. Set it back, or make another "
                     "client with 'init --dir' of another directory",
                     dir, profile, path);
    free(was);
    return same ? 0 : ARGS_EXIT_FAILED;
}

/* Can the socket for calls be made here? */
static int
socket_check(const char *dir)
{
    char path[FILES_PATH_MAX];
    int err = files_path(path, dir, "client.sock");
    if (!err)
        err = rpc_path_check(path);
    return err ? setup_fail(path, rpc_why(err)) : 0;
}

int
setup_init(const char *dir, const char *network, const char *profile)
{
    char conf[FILES_PATH_MAX], copy[FILES_PATH_MAX], error[NETFILE_ERROR_LEN];
    struct network n;
    if (files_path(conf, dir, "client.conf") ||
        files_path(copy, dir, "network.json"))
        return setup_fail(dir, strerror(ENAMETOOLONG));
    if (netfile_read(network, &n, error))
        return program_fail(program, "%s", error);
    if (socket_check(dir))
        return ARGS_EXIT_FAILED;
    if (mkdir(dir, 0700) && errno != EEXIST)
        return setup_fail(dir, strerror(errno));
    int status = conf_write(conf, profile);
    if (!status) {
        status = network_copy(copy, network);
        if (!status)
            status = setup_profile(dir, profile, true);
        if (status)
            unlink(conf);
    }
    if (!status)
        printf("A client with the profile '%s' is in %s. 'brusio-client run "
               "--dir %s' keeps it connected; then 'brusio-client invite NAME' "
               "makes a contact.\n",
               profile, dir, dir);
    return status;
}

/* Can nobody but the user read it? Returns 1 when others can. */
static int
mode_check(const char *path)
{
    struct stat st;
    if (stat(path, &st))
        return errno == ENOENT ? 0 : setup_fail(path, strerror(errno));
    if (!(st.st_mode & 077))
        return 0;
    return program_fail(program,
                        "%s is open to other users of this machine (mode "
                        "%03o); 'chmod %s %s' closes it",
                        path, (unsigned)st.st_mode & 0777,
                        S_ISDIR(st.st_mode) ? "700" : "600", path);
}

/* Say how the master key lies in dir. */
static void
seal_print(const char *dir)
{
    char path[FILES_PATH_MAX];
    struct master *m = NULL;
    if (!files_path(path, dir, "client.db") && !master_read(&m, path, false))
        puts(
            master_kind(m) == MASTER_SEALED
                ? "at rest: sealed under a passphrase"
            : master_kind(m) == MASTER_PLAIN
                ? "at rest: no passphrase; the key is in client.db-seal, which "
                  "only this user may read: whoever reads this user's files, "
                  "or has the disk, reads all. 'brusio-client passphrase' "
                  "sets one"
                : "at rest: there is no key yet; 'run' makes one");
    master_free(&m);
}

int
setup_check(const char *dir, const struct daemon_config *config)
{
    static const char *const own[] = {"client.db", "client.db-keys",
                                      "client.db-wal", "client.db-seal",
                                      "client.db-seal-old"};
    char path[FILES_PATH_MAX];
    int status = netfile_check("brusio-client", dir, config->network);
    if (!status)
        status = client_check(dir, config);
    status |= socket_check(dir);
    status |= setup_profile(dir, config->profile, false);
    status |= mode_check(dir);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (!files_path(path, dir, own[i]))
            status |= mode_check(path);
    if (access(dir, W_OK))
        status |= setup_fail(dir, strerror(errno));
    seal_print(dir);
    if (!status)
        printf("good: profile '%s'\n", config->profile);
    return status;
}
