/* directory/daemon/main.c - brusio-directory: the command line of an authority.
 *
 * Words are checked by one table of options and commands; each command is then
 * one call of the authority, or a function here: those about keys take the
 * folder for themselves, so that no authority runs there meanwhile. Exit status
 * 0, 1 (failed) or 2 (wrong usage). */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory/daemon/decide.h"
#include "directory/daemon/disk.h"
#include "directory/daemon/network.h"
#include "directory/daemon/ready.h"
#include "directory/daemon/renewal.h"
#include "directory/daemon/server.h"
#include "directory/evidence.h"
#include "lib/codec.h"
#include "lib/os/clock.h"
#include "lib/os/files.h"
#include "lib/os/program.h"
#include "lib/os/system.h"
#include "lib/secret.h"
#include "network/os/netfile.h"

static const char program[] = "brusio-directory";

static const char usage[] =
    "usage: brusio-directory init --dir DIR\n"
    "       brusio-directory run --dir DIR [--ready-fd N] [--parent PID]\n"
    "       brusio-directory check|status --dir DIR\n"
    "       brusio-directory pending --dir DIR\n"
    "       brusio-directory approve|reject|ban|forget --dir DIR [--reason "
    "TEXT]\n"
    "                        IDENTITY..\n"
    "       brusio-directory network --authority ADDRESS=IDENTITY..\n"
    "                        [--gateway ADDRESS=IDENTITY..] [--name NAME]\n"
    "                        [--epoch SECONDS] [--genesis TIME] [--suite "
    "NAME]\n"
    "       brusio-directory evidence --network FILE EVIDENCE\n"
    "       brusio-directory renew|request --dir DIR\n"
    "       brusio-directory certify --dir DIR --request FILE [--days N]\n"
    "       brusio-directory install --dir DIR --certificate FILE\n"
    "\n"
    "A directory authority: with the others it agrees every epoch on which\n"
    "relays there are, and serves that consensus over HTTP.\n"
    "\n"
    "  init   make DIR with a key and an example configuration, and print the\n"
    "         identity that the network file has to list\n"
    "  run    serve until SIGINT or SIGTERM; SIGHUP: read directory.conf "
    "again\n"
    "  check  read configuration and network file and say what is wrong\n"
    "  status print the counts of the running authority, as of its last vote\n"
    "\n"
    "  pending  the relays that wait for approval: identity, role, address,\n"
    "           since when\n"
    "  approve, reject, ban, forget\n"
    "           decide about relays, whether the authority runs or not; an\n"
    "           identity may be cut to its first letters when it is pending\n"
    "\n"
    "  network  print the network file of a new network, which authorities,\n"
    "           relays and clients are given: --authority for each authority,\n"
    "           at most 7, with the address of its 'listen' as others reach it "
    "and\n"
    "           the identity that 'init' printed; --gateway for those gateways "
    "that\n"
    "           clients begin with, at most 16, likewise\n"
    "\n"
    "  evidence  whom does such a file convict of contradicting itself?\n"
    "\n"
    "  renew    make new working keys and a certificate of them now, with the\n"
    "           identity's key here: from the first consensus that names it "
    "what\n"
    "           the keys before sign counts nowhere. After a theft, say; then\n"
    "           start the authority again\n"
    "\n"
    "With the identity's key (authority.key) kept elsewhere, once a month:\n"
    "\n"
    "  request  make new working keys, print the request for a certificate\n"
    "  certify  where that key is: print the certificate\n"
    "  install  take it into use; then start the authority again. It revokes\n"
    "           the keys before, as 'renew' does\n"
    "\n"
    "  --reason TEXT  told to the relay\n"
    "  --days N       the certificate's time; default: 30\n"
    "  --name NAME    of the network; default: brusio\n"
    "  --epoch S      seconds for which a consensus is made, at least 30; "
    "default:\n"
    "                 3600\n"
    "  --genesis T    Unix time at which epoch 1 begins; default: the last "
    "whole\n"
    "                 epoch before now\n"
    "  --suite NAME   x25519 (default), or x25519-mlkem768, which needs "
    "OpenSSL "
    "3.5\n"
    "                 or newer everywhere\n"
    "  --ready-fd N  write \"http ADDRESS\" there when it serves\n"
    "  --parent PID  end when the process PID ends\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0, 1 (failed), 2 (wrong usage).\n";

enum {
    DIR_OPTION,
    READY_FD,
    PARENT,
    REASON,
    REQUEST,
    CERTIFICATE,
    DAYS,
    NETWORK,
    AUTHORITY,
    GATEWAY,
    NAME,
    EPOCH,
    GENESIS,
    SUITE,
    OPTIONS
};
#define DECIDING " approve reject ban forget "
static const char commands[] = " init run check status pending evidence renew "
                               "request certify install network" DECIDING;
static const struct args_option options[OPTIONS] = {
    {"dir", false,
     " init run check status pending renew request certify install" DECIDING},
    {"ready-fd", false, " run "},
    {"parent", false, " run "},
    {"reason", false, DECIDING},
    {"request", false, " certify "},
    {"certificate", false, " install "},
    {"days", false, " certify "},
    {"network", false, " evidence "},
    {"authority", false, " network "},
    {"gateway", false, " network "},
    {"name", false, " network "},
    {"epoch", false, " network "},
    {"genesis", false, " network "},
    {"suite", false, " network "}};
static const struct args_form form = {.options = options,
                                      .n_options = OPTIONS,
                                      .commands = commands,
                                      .many = " authority gateway ",
                                      .rest_max = 64,
                                      .usage = usage};

static const struct program_folder folder = {.program = program,
                                             .kind = "authority",
                                             .conf = "directory.conf",
                                             .option = "dir"};

/* Take dir for this command, which an authority that runs there would not
 * notice, or would contradict. */
static int
dir_lock(const char *dir, const char *command, int *fd)
{
    const int err = files_lock(dir, fd);
    if (err == ERR_AGAIN)
        program_fail(program,
                     "an authority runs in %s; end it first, then '%s' again",
                     dir, command);
    else if (err)
        (void)program_error(program, dir, err);
    return err;
}

/* Make the identity's seed, but only in a new directory: elsewhere it is kept
 * apart, or lost. */
static int
identity_make(const char *dir, const char *conf, uint8_t **seed)
{
    char path[FILES_PATH_MAX];
    int err = files_path(path, dir, "authority.key");
    const bool new = !err &&access(path, F_OK) != 0;
    if (new &&access(conf, F_OK) == 0) {
        program_fail(program,
                     "%s is not here; if it is kept elsewhere, all is well; if "
                     "it is lost, restore it from a copy: 'init' makes another "
                     "authority, and that in another directory",
                     path);
        return ERR_NOT_FOUND;
    }
    if (!err)
        err = files_key(path, seed);
    if (!err && new) /* with an older key, what it signed may be lost */
        err = disk_begin(dir);
    if (err)
        (void)program_error(program, path, err);
    return err;
}

static int
config_make(const char *path)
{
    FILE *f = fopen(path, "wx");
    int err = f || errno == EEXIST ? 0 : files_error(errno);
    if (f) {
        config_write_example(server_options, server_options_len, f);
        err = ferror(f) | fclose(f) ? files_error(errno) : 0;
    }
    return err;
}

static int
command_init(const char *dir)
{
    char conf[FILES_PATH_MAX];
    uint8_t *seed = NULL;
    int lock;
    int err = files_mkdir(dir);
    if (!err)
        err = files_path(conf, dir, "directory.conf");
    if (err)
        return program_error(program, dir, err);
    if (dir_lock(dir, "init", &lock))
        return ARGS_EXIT_FAILED;
    if (identity_make(dir, conf, &seed)) {
        close(lock);
        return ARGS_EXIT_FAILED;
    }
    err = config_make(conf);
    close(lock);
    if (!err)
        program_print_identity(seed);
    secret_free((void **)&seed);
    return err ? program_error(program, conf, err) : 0;
}

static int
command_evidence(const struct args *a)
{
    const char *file = a->value[NETWORK];
    char error[NETFILE_ERROR_LEN], hex[65];
    uint8_t *bytes, who[SPHINX_ID_LEN];
    struct network network;
    uint32_t epoch;
    size_t len;
    if (!file || a->n_rest != 1)
        return program_misuse(
            program, "evidence wants --network FILE and one file of evidence");
    if (netfile_read(file, &network, error))
        return program_fail(program, "%s", error);
    int err = files_read(a->rest[0], 1 << 20, &bytes, &len);
    if (err)
        return program_error(program, a->rest[0], err);
    err = evidence_check(&network, bytes, len, who, &epoch);
    free(bytes);
    if (err)
        return program_error(program, "it convicts nobody", err);
    codec_hex(hex, who, sizeof who);
    printf("%s has contradicted itself in epoch %u\n", hex, epoch);
    return 0;
}

/* Write the network file of a new network to the standard output. */
static int
network_make(const struct args *a)
{
    struct network_wish w = {.name = a->value[NAME], .suite = a->value[SUITE]};
    uint64_t epoch_len_s;
    if (a->n_rest > 0)
        return program_misuse(
            program,
            "what is '%s'? It is --authority ADDRESS=IDENTITY, and --gateway",
            a->rest[0]);
    if (!args_number(a, options, EPOCH, NETWORK_EPOCH_MIN_S,
                     NETWORK_EPOCH_MAX_S, NETWORK_EPOCH_S, &epoch_len_s) ||
        !args_number(a, options, GENESIS, 1, 1ull << 40,
                     clock_wall_s() / epoch_len_s * epoch_len_s, &w.genesis_s))
        return ARGS_EXIT_USAGE;
    w.epoch_len_s = (uint32_t)epoch_len_s;
    w.n_authorities = args_values(a, AUTHORITY, w.authority,
                                  sizeof w.authority / sizeof w.authority[0]);
    w.n_gateways = args_values(a, GATEWAY, w.gateway,
                               sizeof w.gateway / sizeof w.gateway[0]);
    return network_print(&w);
}

/* ---- certificates ---- */

/* Print the line, which is freed, or why it could not be made from the file `name` of
 * dir, and what to do. */
static int
line_give(const char *dir, const char *name, const char *remedy, int err,
          char *line)
{
    if (err)
        return program_fail(program, "%s/%s cannot be used: %s; %s", dir, name,
                            system_reason(err), remedy);
    fputs(line, stdout);
    free(line);
    return 0;
}

/* Without the identity's key there is nothing to certify with. */
static int
command_renew(const char *dir)
{
    char path[FILES_PATH_MAX];
    struct disk_keys k = {0};
    int lock;
    int err = files_path(path, dir, "authority.key");
    if (!err && access(path, F_OK))
        return program_fail(
            program,
            "the identity's key is not in %s; 'brusio-directory request' "
            "begins to get a certificate from where it is",
            dir);
    if (!err && dir_lock(dir, "renew", &lock))
        return ARGS_EXIT_FAILED;
    if (!err)
        err = disk_keys(&k, dir, clock_wall_s(), DISK_NOW);
    if (err)
        return ready_fail(k.why[0] ? "" : dir, k.why[0] ? "" : ": ",
                          renewal_why(&k, err));
    disk_keys_free(&k);
    close(lock);
    return 0;
}

static int
command_certify(const struct args *a)
{
    const char *file = a->value[REQUEST];
    uint8_t *text = NULL;
    char *line = NULL;
    uint64_t days;
    size_t len;
    if (!file)
        return program_misuse(
            program,
            "--request is missing; 'brusio-directory request' prints one");
    if (!args_number(a, options, DAYS, 1, 366, CERTIFICATE_DAYS, &days))
        return ARGS_EXIT_USAGE;
    int err = files_read(file, 1 << 16, &text, &len);
    if (err)
        return program_error(program, file, err);
    err = disk_certify(a->value[DIR_OPTION], (const char *)text, clock_wall_s(),
                       (unsigned)days, &line);
    free(text);
    if (err == ERR_FORMAT)
        return program_fail(program,
                            "%s is no request; 'brusio-directory request' "
                            "prints one",
                            file);
    return line_give(a->value[DIR_OPTION], "authority.key",
                     "'certify' runs where the identity's key is kept: give "
                     "that directory, or restore the key from a copy",
                     err, line);
}

static int
command_install(const struct args *a)
{
    const char *file = a->value[CERTIFICATE];
    uint8_t *text = NULL;
    size_t len;
    int lock;
    if (!file)
        return program_misuse(
            program,
            "--certificate is missing; 'brusio-directory certify' prints one");
    int err = files_read(file, 1 << 16, &text, &len);
    if (!err && dir_lock(a->value[DIR_OPTION], "install", &lock)) {
        free(text);
        return ARGS_EXIT_FAILED;
    }
    if (!err) {
        err = disk_install(a->value[DIR_OPTION], (const char *)text,
                           clock_wall_s());
        close(lock);
    }
    free(text);
    if (err == ERR_STALE)
        return program_fail(program,
                            "%s: it begins before the one in use, which "
                            "revokes it; see whether the clock was right where "
                            "it was made, and make another there",
                            file);
    return err ? program_error(program, file, err) : 0;
}

static int
arguments_obey(int argc, char **argv)
{
    struct args a;
    struct server_config config = {0};
    char path[FILES_PATH_MAX];
    struct program_start start;
    int status = program_begin(&a, argc, argv, &form);
    if (status >= 0)
        return status;
    if (strcmp(a.command, "network") == 0)
        return secret_init() ? program_error(program, "libsodium", ERR_CRYPTO)
                             : network_make(&a);
    if (strcmp(a.command, "evidence") == 0)
        return secret_init() ? program_error(program, "libsodium", ERR_CRYPTO)
                             : command_evidence(&a);
    if (!a.value[DIR_OPTION])
        return program_misuse(
            program,
            "--dir is missing; it is where keys and configuration are");
    if (a.n_rest > 0 && !strstr(DECIDING, a.command))
        return program_misuse(program, "what is '%s'?", a.rest[0]);
    if (!program_read_start(&start, &a, options, READY_FD, PARENT))
        return ARGS_EXIT_USAGE;
    if ((strcmp(a.command, "status") == 0 ||
         strcmp(a.command, "pending") == 0 ||
         (strstr(DECIDING, a.command) && a.n_rest > 0)) &&
        program_find_config(&folder, a.value[DIR_OPTION], path))
        return ARGS_EXIT_FAILED;
    if (strcmp(a.command, "status") == 0)
        return files_print("brusio-directory", a.value[DIR_OPTION], "status",
                           "no authority has voted here yet");
    if (strcmp(a.command, "pending") == 0)
        return decide_pending(a.value[DIR_OPTION]);
    if (strstr(DECIDING, a.command))
        return decide_run(a.value[DIR_OPTION], a.command, a.value[REASON],
                          a.rest, a.n_rest);
    status = program_harden(program, start.parent);
    if (status)
        return status;
    if (strcmp(a.command, "init") == 0)
        return command_init(a.value[DIR_OPTION]);
    if (strcmp(a.command, "renew") == 0)
        return command_renew(a.value[DIR_OPTION]);
    if (strcmp(a.command, "certify") == 0)
        return command_certify(&a);
    if (strcmp(a.command, "install") == 0)
        return command_install(&a);
    if (strcmp(a.command, "request") == 0) {
        char *line = NULL;
        int err = disk_request(a.value[DIR_OPTION], &line);
        return line_give(a.value[DIR_OPTION], "working-new.key",
                         "see that --dir is the authority's directory and can "
                         "be written; a damaged one may be removed, and "
                         "'request' makes another",
                         err, line);
    }
    status = program_read_config(&folder, a.value[DIR_OPTION], server_options,
                                 server_options_len, &config);
    if (status == 0 && strcmp(a.command, "check") == 0)
        status = ready_check(a.value[DIR_OPTION], &config);
    else if (status == 0)
        status = server_run(a.value[DIR_OPTION], &config, start.ready_fd);
    config_free(server_options, server_options_len, &config);
    return status;
}

int
main(int argc, char **argv)
{
    return program_end(program, arguments_obey(argc, argv));
}
