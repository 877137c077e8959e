/* directory/main.c - brusio-directory: the command line of an authority. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory/keep.h"
#include "directory/netfile.h"
#include "directory/server.h"
#include "lib/args.h"
#include "lib/codec.h"
#include "lib/files.h"
#include "lib/host.h"
#include "lib/secret.h"

static const char usage[] =
    "usage: brusio-directory init --dir DIR\n"
    "       brusio-directory run --dir DIR [--ready-fd N] [--parent PID]\n"
    "       brusio-directory check|status --dir DIR\n"
    "\n"
    "A directory authority: with the others it agrees every epoch on which\n"
    "relays there are, and serves that consensus over HTTP.\n"
    "\n"
    "  init   make DIR with a key and an example configuration, and print the\n"
    "         identity that the network file has to list\n"
    "  run    serve until SIGINT or SIGTERM\n"
    "  check  read configuration and network file and say what is wrong\n"
    "  status print the counts of the running authority, as of its last vote\n"
    "\n"
    "  --ready-fd N  write \"http ADDRESS\" there when it serves\n"
    "  --parent PID  end when the process PID ends\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0, 1 (failed), 2 (wrong usage).\n";

enum { DIR_OPTION, READY_FD, PARENT, OPTIONS };
static const struct args_option options[OPTIONS] = {
    {"dir", false, " init run check status "},
    {"ready-fd", false, " run "},
    {"parent", false, " run "}};

static int
fail(const char *what, int err)
{
    fprintf(stderr, "brusio-directory: %s: %s\n", what, error_text(err));
    return ARGS_EXIT_FAILED;
}

static int
init(const char *dir)
{
    char path[FILES_PATH_MAX], hex[65];
    uint8_t *seed, id[32], secret[crypto_sign_SECRETKEYBYTES], *old;
    size_t len;
    int err = files_mkdir(dir);
    if (err)
        return fail(dir, err);
    err = files_path(path, dir, "authority.key");
    const bool new = !err &&access(path, F_OK) != 0;
    if (!err)
        err = files_key(path, &seed);
    if (!err && new) /* with an older key, what it signed may be lost */
        err = keep_begin(dir);
    if (err)
        return fail("authority.key", err);
    crypto_sign_seed_keypair(id, secret, seed);
    codec_hex(hex, id, sizeof id);
    sodium_memzero(secret, sizeof secret);
    secret_free((void **)&seed);
    err = files_path(path, dir, "directory.conf");
    if (!err && files_read(path, 1 << 16, &old, &len) == ERR_NOT_FOUND) {
        FILE *f = fopen(path, "w");
        if (f) {
            config_write_example(server_options, server_options_len, f);
            err = ferror(f) | fclose(f) ? ERR_IO : 0;
        } else {
            err = ERR_IO;
        }
    } else if (!err) {
        free(old);
    }
    if (err)
        return fail(path, err);
    printf("identity %s\n", hex);
    return 0;
}

static int
config_get(const char *dir, struct server_config *config)
{
    char path[FILES_PATH_MAX], error[CONFIG_ERROR_LEN];
    if (files_path(path, dir, "directory.conf"))
        return fail(dir, ERR_LONG);
    if (access(path, F_OK)) {
        fprintf(stderr,
                "brusio-directory: there is no authority in %s yet; "
                "'brusio-directory init --dir %s' "
                "makes one\n",
                dir, dir);
        return ARGS_EXIT_FAILED;
    }
    if (config_read(server_options, server_options_len, path, config, error)) {
        fprintf(stderr, "brusio-directory: %s\n", error);
        return ARGS_EXIT_FAILED;
    }
    return 0;
}

int
main(int argc, char **argv)
{
    struct args a;
    struct server_config config = {0};
    uint64_t ready_fd, parent;
    int status = args_parse(&a, argc, argv, options, OPTIONS,
                            " init run check status ", 0, usage);
    if (status >= 0)
        return status;
    if (!a.value[DIR_OPTION]) {
        fputs("brusio-directory: --dir is missing; it is where keys and "
              "configuration are\n",
              stderr);
        return ARGS_EXIT_USAGE;
    }
    if (!args_number(&a, options, READY_FD, 0, 1 << 20, UINT64_MAX,
                     &ready_fd) ||
        !args_number(&a, options, PARENT, 1, 1 << 30, 0, &parent))
        return ARGS_EXIT_USAGE;
    if (strcmp(a.command, "status") == 0)
        return files_print("brusio-directory", a.value[DIR_OPTION], "status",
                           "no authority has voted here yet");
    host_harden((long)parent);
    if (secret_init())
        return fail("libsodium", ERR_CRYPTO);
    if (strcmp(a.command, "init") == 0)
        return init(a.value[DIR_OPTION]);
    status = config_get(a.value[DIR_OPTION], &config);
    if (status == 0 && strcmp(a.command, "check") == 0)
        status = netfile_check("brusio-directory", a.value[DIR_OPTION],
                               config.network);
    else if (status == 0)
        status = server_run(a.value[DIR_OPTION], &config,
                            ready_fd == UINT64_MAX ? -1 : (int)ready_fd);
    config_free(server_options, server_options_len, &config);
    return status;
}
