/* relay/operator/main.c - brusio-relay: the command line of a relay. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/codec.h"
#include "lib/os/args.h"
#include "lib/os/host.h"
#include "lib/secret.h"
#include "network/family.h"
#include "relay/daemon/daemon.h"
#include "relay/operator/check.h"
#include "relay/operator/join.h"
#include "relay/operator/setup.h"
#include "relay/operator/top.h"

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
    "  leave   tell them that it leaves; 'join' or 'run' brings it back\n"
    "  family  make a key of a family in DIR if there is none, and print what\n"
    "          goes into relay.conf of each of these relays; DIR may be "
    "offline\n"
    "\n"
    "  --role ROLE       default: mix\n"
    "  --listen ADDRESS  default: 127.0.0.1:7100; port 0 takes any\n"
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

static int
fail(const char *what, int err)
{
    fprintf(stderr, "brusio-relay: %s: %s\n", what, error_text(err));
    return ARGS_EXIT_FAILED;
}

static int
config_make(const char *path, const struct args *a)
{
    FILE *f = fopen(path, "wx");
    if (!f)
        return 0; /* it is there: leave it as it is */
    fprintf(f, "role = %s\n", a->value[ROLE] ? a->value[ROLE] : "mix");
    if (a->value[LISTEN])
        fprintf(f, "listen = \"%s\"\n", a->value[LISTEN]);
    if (a->value[NETWORK])
        fprintf(f, "network = \"%s\"\n", a->value[NETWORK]);
    fputs("\n# What else can be set:\n\n", f);
    config_write_example(relay_options + 1, relay_options_len - 1, f);
    return ferror(f) | fclose(f) ? ERR_IO : 0;
}

/* On a terminal, without flags: ask. */
static int
init_ask(struct args *a)
{
    static struct setup s;
    if (a->value[ROLE] || a->value[LISTEN] || a->value[NETWORK] ||
        !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return -1;
    if (!setup_ask(&s, stdin, stdout))
        return ARGS_EXIT_FAILED;
    a->value[ROLE] = s.role;
    a->value[LISTEN] = s.listen;
    a->value[NETWORK] = s.network;
    return -1;
}

static int
init(struct args *a)
{
    char path[FILES_PATH_MAX], hex[65];
    if (!files_path(path, a->value[DIR_OPTION], "relay.conf") &&
        access(path, F_OK) && init_ask(a) >= 0)
        return ARGS_EXIT_FAILED;
    const char *dir = a->value[DIR_OPTION], *role = a->value[ROLE];
    uint8_t *seed, id[32], secret[crypto_sign_SECRETKEYBYTES];
    if (role && strcmp(role, "gateway") != 0 && strcmp(role, "mix") != 0 &&
        strcmp(role, "store") != 0) {
        fprintf(stderr,
                "brusio-relay: --role wants gateway, mix or store, not '%s'\n",
                role);
        return ARGS_EXIT_USAGE;
    }
    int err = files_mkdir(dir);
    if (!err)
        err = files_path(path, dir, "identity.key");
    if (!err)
        err = files_key(path, &seed);
    if (err)
        return fail(dir, err);
    crypto_sign_seed_keypair(id, secret, seed);
    codec_hex(hex, id, sizeof id);
    sodium_memzero(secret, sizeof secret);
    secret_free((void **)&seed);
    err = files_path(path, dir, "relay.conf");
    if (!err)
        err = config_make(path, a);
    if (err)
        return fail(path, err);
    printf("identity %s\n", hex);
    return 0;
}

static int
config_get(const char *dir, struct daemon_config *config)
{
    char path[FILES_PATH_MAX], error[CONFIG_ERROR_LEN];
    if (files_path(path, dir, "relay.conf"))
        return fail(dir, ERR_LONG);
    if (access(path, F_OK)) {
        fprintf(stderr,
                "brusio-relay: there is no relay in %s yet; 'brusio-relay init "
                "--dir %s' "
                "makes one\n",
                dir, dir);
        return ARGS_EXIT_FAILED;
    }
    if (config_read(relay_options, relay_options_len, path, config, error)) {
        fprintf(stderr, "brusio-relay: %s\n", error);
        return ARGS_EXIT_FAILED;
    }
    return 0;
}

/* What each relay's configuration says of its family. */
static int
family(const struct args *a)
{
    char path[FILES_PATH_MAX], text[FAMILY_TEXT_LEN];
    uint8_t *seed = NULL, id[SPHINX_ID_LEN], key[FAMILY_LEN];
    uint8_t signature[FAMILY_SIGNATURE_LEN];
    if (a->n_rest == 0) {
        fputs("brusio-relay: family of which relays? 'brusio-relay init' "
              "printed their identities\n",
              stderr);
        return ARGS_EXIT_USAGE;
    }
    int err = files_mkdir(a->value[DIR_OPTION]);
    if (!err)
        err = files_path(path, a->value[DIR_OPTION], "family.key");
    if (!err)
        err = files_key(path, &seed);
    if (err)
        return fail(a->value[DIR_OPTION], err);
    for (size_t i = 0; i < a->n_rest && !err; i++) {
        err = strlen(a->rest[i]) == 2 * SPHINX_ID_LEN
                  ? codec_unhex(id, sizeof id, a->rest[i])
                  : ERR_FORMAT;
        if (err) {
            (void)fail(a->rest[i], err);
            break;
        }
        family_sign(seed, id, key, signature);
        family_write(text, key, signature);
        printf("# %s\nfamily = \"%s\"\n", a->rest[i], text);
    }
    secret_free((void **)&seed);
    return err ? ARGS_EXIT_FAILED : 0;
}

int
main(int argc, char **argv)
{
    struct args a;
    struct daemon_config config = {0};
    uint64_t ready_fd, parent;
    if (host_descriptors_hold())
        return ARGS_EXIT_FAILED;
    int status =
        args_parse(&a, argc, argv, options, OPTIONS,
                   " init run check status top join leave family ", 64, usage);
    if (status >= 0)
        return status;
    const char *dir = a.value[DIR_OPTION];
    if (!dir) {
        fputs("brusio-relay: --dir is missing; it is where keys and "
              "configuration are\n",
              stderr);
        return ARGS_EXIT_USAGE;
    }
    if (!args_number(&a, options, READY_FD, 0, 1 << 20, UINT64_MAX,
                     &ready_fd) ||
        !args_number(&a, options, PARENT, 1, 1 << 30, 0, &parent))
        return ARGS_EXIT_USAGE;
    if (strcmp(a.command, "status") == 0)
        return top_print(dir);
    if (strcmp(a.command, "top") == 0)
        return top_follow(dir, a.value[ONCE] != NULL);
    if (a.n_rest > 0 && strcmp(a.command, "family") != 0) {
        fprintf(stderr, "brusio-relay: what is '%s'?\n", a.rest[0]);
        return ARGS_EXIT_USAGE;
    }
    host_harden((long)parent);
    if (secret_init())
        return fail("libsodium", ERR_CRYPTO);
    if (strcmp(a.command, "init") == 0)
        return init(&a);
    if (strcmp(a.command, "family") == 0)
        return family(&a);
    status = config_get(dir, &config);
    if (status == 0 && strcmp(a.command, "check") == 0)
        status = check_run(dir, &config);
    else if (status == 0 && strcmp(a.command, "join") == 0)
        status = join_run(dir, &config, false);
    else if (status == 0 && strcmp(a.command, "leave") == 0)
        status = join_run(dir, &config, true);
    else if (status == 0)
        status = relay_run(dir, &config,
                           ready_fd == UINT64_MAX ? -1 : (int)ready_fd);
    config_free(relay_options, relay_options_len, &config);
    return status;
}
