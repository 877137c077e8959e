/* relay/operator/main.c - brusio-relay: the command line of a relay.
 *
 * Words are checked by one table of options and commands; each command is then
 * one call of the relay, or a function here: `init`, which makes the folder of
 * a relay, and `family`. Exit status 0, 1 (failed) or 2 (wrong usage). */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/codec.h"
#include "lib/os/program.h"
#include "lib/secret.h"
#include "network/family.h"
#include "network/os/netfile.h"
#include "relay/daemon/daemon.h"
#include "relay/operator/check.h"
#include "relay/operator/join.h"
#include "relay/operator/setup.h"
#include "relay/operator/top.h"

static const char program[] = "brusio-relay";

static const char usage[] =
    "usage: brusio-relay init --dir DIR [--role gateway|mix|store]\n"
    "                         [--listen ADDRESS] [--network FILE]\n"
    "       brusio-relay run --dir DIR [--ready-fd N] [--parent PID]\n"
    "       brusio-relay check|status|join|leave --dir DIR\n"
    "       brusio-relay top --dir DIR [--once]\n"
    "       brusio-relay family --dir DIR IDENTITY..\n"
    "\n"
    "A relay of the mixnet: gateway, mix or store.\n"
    "\n"
    "  init    make DIR with a key and a configuration, and print the "
    "identity;\n"
    "          on a terminal, without flags, it asks\n"
    "  run     relay until SIGINT or SIGTERM; SIGHUP: read the configuration "
    "again\n"
    "  check   look at configuration, keys, addresses, disk, clock and "
    "authorities,\n"
    "          and say what to do\n"
    "  status  is the relay well? If not, why, and what to do; exits with 1 "
    "then\n"
    "  top     the same, live, until a key is pressed\n"
    "  join    ask the authorities to let this relay in, and print what each "
    "says;\n"
    "          it need not run yet\n"
    "  leave   tell them that it leaves, whether it runs or not; 'join' or "
    "'run'\n"
    "          brings it back\n"
    "  family  make a key of a family in DIR if there is none, and print what\n"
    "          goes into relay.conf of each of these relays; DIR may be "
    "offline\n"
    "\n"
    "  --role ROLE       default: mix\n"
    "  --listen ADDRESS  default: 127.0.0.1:7100, where this machine alone\n"
    "                    reaches it; 0.0.0.0:7100 is every address of it; port "
    "0\n"
    "                    takes any\n"
    "  --network FILE    the network file; default: DIR/network.json\n"
    "  --ready-fd N      write \"links ADDRESS\" there when it accepts links\n"
    "  --parent PID      end when the process PID ends\n"
    "  --once            print once and end\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0, 1 (failed), 2 (wrong usage).\n";

enum { DIR_OPTION, ROLE, LISTEN, NETWORK, READY_FD, PARENT, ONCE, OPTIONS };
static const struct args_option options[OPTIONS] = {
    {"dir", false, " init run check status top join leave family "},
    {"role", false, " init "},
    {"listen", false, " init "},
    {"network", false, " init "},
    {"ready-fd", false, " run "},
    {"parent", false, " run "},
    {"once", true, " top "}};
static const struct args_form form = {
    .options = options,
    .n_options = OPTIONS,
    .commands = " init run check status top join leave family ",
    .rest_max = 64,
    .usage = usage};

static const struct program_folder folder = {
    .program = program, .kind = "relay", .conf = "relay.conf", .option = "dir"};

/* What a new relay is made of. */
struct init_wish {
    const char *dir, *role, *listen, *address, *network;
    char path[FILES_PATH_MAX]; /* of relay.conf */
    char found[FILES_PATH_MAX];
};

static int
config_make(const struct init_wish *w)
{
    FILE *f = fopen(w->path, "wx");
    if (!f)
        return files_error(errno);
    fprintf(f, "role = %s\n", w->role ? w->role : "mix");
    if (w->listen)
        fprintf(f, "listen = \"%s\"\n", w->listen);
    if (w->address)
        fprintf(f, "addresses = {\"%s\"}\n", w->address);
    if (w->network)
        fprintf(f, "network = \"%s\"\n", w->network);
    fputs("\n# What else can be set:\n\n", f);
    config_write_example(relay_options + 1, relay_options_len - 1, f);
    return ferror(f) | fclose(f) ? files_error(errno) : 0;
}

/* Ask on a terminal, when there are no flags. */
static bool
wish_ask(struct init_wish *w)
{
    static struct setup s;
    if (w->role || w->listen || w->network || !isatty(STDIN_FILENO) ||
        !isatty(STDOUT_FILENO))
        return true;
    if (!setup_ask(&s, stdin, stdout))
        return false;
    w->role = s.role;
    w->listen = s.listen;
    w->address =
        s.address[0] && strcmp(s.address, setup_found) != 0 ? s.address : NULL;
    w->network = strcmp(s.network, "network.json") != 0 ? s.network : NULL;
    return true;
}

static bool
wish_is_good(const struct init_wish *w)
{
    const char *role = w->role, *expected;
    if (role && strcmp(role, "gateway") != 0 && strcmp(role, "mix") != 0 &&
        strcmp(role, "store") != 0)
        program_fail(program, "--role wants gateway, mix or store, not '%s'",
                     role);
    else if (w->listen && (expected = setup_listen_wrong(w->listen)))
        program_fail(program, "--listen wants %s, not '%s'", expected,
                     w->listen);
    else if (w->network && (expected = setup_network_wrong(w->network)))
        program_fail(program, "--network wants %s, not '%s'", expected,
                     w->network);
    else
        return true;
    return false;
}

/* Find the network file. One that is named has to be there: seen from the
 * relay's directory, or from here, and then its whole path is kept. */
static bool
network_find(struct init_wish *w)
{
    struct network n;
    char error[NETFILE_ERROR_LEN], *here;
    if (!w->network || netfile_read_in(w->dir, w->network, &n, error) == 0)
        return true;
    if (w->network[0] != '/' && (here = realpath(w->network, NULL))) {
        const bool good = strlen(here) < sizeof w->found &&
                          !setup_network_wrong(here) &&
                          netfile_read(here, &n, error) == 0;
        snprintf(w->found, sizeof w->found, "%s", here);
        free(here);
        w->network = w->found;
        if (good)
            return true;
    }
    program_fail(program, "%s", error);
    return false;
}

/* Print the identity of a relay that is there already and is not made anew. */
static int
init_again(const struct init_wish *w)
{
    uint8_t *seed;
    char why[KEYS_WHY_LEN];
    if (w->role || w->listen || w->network)
        return program_fail(program,
                            "there is a relay in %s already, and 'init' "
                            "changes none; edit %s, or take another directory",
                            w->dir, w->path);
    if (keys_identity(w->dir, &seed, why))
        return program_fail(program, "%s", why);
    program_print_identity(seed);
    secret_free((void **)&seed);
    return 0;
}

static int
command_init(const struct args *a)
{
    struct init_wish w = {.dir = a->value[DIR_OPTION],
                          .role = a->value[ROLE],
                          .listen = a->value[LISTEN],
                          .network = a->value[NETWORK]};
    char key[FILES_PATH_MAX];
    uint8_t *seed;
    int err = files_path(w.path, w.dir, "relay.conf");
    if (!err && access(w.path, F_OK) == 0)
        return init_again(&w);
    if (!wish_is_good(&w))
        return ARGS_EXIT_USAGE;
    if (!err && !wish_ask(&w))
        return ARGS_EXIT_FAILED;
    if (!err)
        err = files_mkdir(w.dir);
    if (!err && !network_find(&w)) {
        (void)rmdir(w.dir); /* if it is empty */
        return ARGS_EXIT_FAILED;
    }
    if (!err)
        err = files_path(key, w.dir, "identity.key");
    if (!err)
        err = files_key(key, &seed);
    if (err)
        return program_error(program, w.dir, err);
    err = config_make(&w);
    if (!err)
        program_print_identity(seed);
    secret_free((void **)&seed);
    return err ? program_error(program, w.path, err) : 0;
}

/* Print what each relay's configuration says of its family. */
static int
command_family(const struct args *a)
{
    char path[FILES_PATH_MAX], text[FAMILY_TEXT_LEN];
    uint8_t *seed = NULL, id[SPHINX_ID_LEN], key[FAMILY_LEN];
    uint8_t signature[FAMILY_SIGNATURE_LEN];
    if (a->n_rest == 0)
        return program_misuse(program, "family of which relays? 'brusio-relay "
                                       "init' printed their identities");
    int err = files_mkdir(a->value[DIR_OPTION]);
    if (!err)
        err = files_path(path, a->value[DIR_OPTION], "family.key");
    if (!err)
        err = files_key(path, &seed);
    if (err)
        return program_error(program, a->value[DIR_OPTION], err);
    for (size_t i = 0; i < a->n_rest && !err; i++) {
        err = strlen(a->rest[i]) == 2 * SPHINX_ID_LEN
                  ? codec_unhex(id, sizeof id, a->rest[i])
                  : ERR_FORMAT;
        if (err) {
            (void)program_error(program, a->rest[i], err);
            break;
        }
        family_sign(seed, id, key, signature);
        family_write(text, key, signature);
        printf("# %s\nfamily = \"%s\"\n", a->rest[i], text);
    }
    secret_free((void **)&seed);
    return err ? ARGS_EXIT_FAILED : 0;
}

static int
arguments_obey(int argc, char **argv)
{
    struct args a;
    struct relay_settings config = {0};
    struct program_start start;
    int status = program_begin(&a, argc, argv, &form);
    if (status >= 0)
        return status;
    const char *dir = a.value[DIR_OPTION];
    if (!dir)
        return program_misuse(
            program,
            "--dir is missing; it is where keys and configuration are");
    if (!program_read_start(&start, &a, options, READY_FD, PARENT))
        return ARGS_EXIT_USAGE;
    if (a.n_rest > 0 && strcmp(a.command, "family") != 0)
        return program_misuse(program, "what is '%s'?", a.rest[0]);
    if (strcmp(a.command, "status") == 0)
        return top_print(dir);
    if (strcmp(a.command, "top") == 0)
        return top_follow(dir, a.value[ONCE] != NULL);
    status = program_harden(program, start.parent);
    if (status)
        return status;
    if (strcmp(a.command, "init") == 0)
        return command_init(&a);
    if (strcmp(a.command, "family") == 0)
        return command_family(&a);
    status = program_read_config(&folder, dir, relay_options, relay_options_len,
                                 &config);
    if (status == 0 && strcmp(a.command, "check") == 0)
        status = check_run(dir, &config);
    else if (status == 0 && strcmp(a.command, "join") == 0)
        status = join_run(dir, &config, false);
    else if (status == 0 && strcmp(a.command, "leave") == 0)
        status = join_run(dir, &config, true);
    else if (status == 0)
        status = relay_run(dir, &config, start.ready_fd);
    config_free(relay_options, relay_options_len, &config);
    return status;
}

int
main(int argc, char **argv)
{
    return program_end(program, arguments_obey(argc, argv));
}
