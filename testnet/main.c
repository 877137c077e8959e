/* testnet/main.c - brusio-testnet: a network of real programs on this machine,
 * for trying and for tests.
 *
 * The command line says of what the network is made; a network that is there
 * already keeps what it has, and options that say otherwise are refused. Then
 * all programs are started (testnet.c), their places are printed, and a program
 * that ends is named, until Ctrl-C, SIGTERM or SIGHUP (unless nohup has started it)
 * stops them all. Timer: ten looks a second at the children. Failure modes: wrong usage (exit status
 * 2), a directory with something else in it, or a program that does not start
 * (1). */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/os/host.h"
#include "lib/os/program.h"
#include "testnet/testnet.h"

static const char program[] = "brusio-testnet";

static const char usage[] =
    "usage: brusio-testnet run --dir DIR [options]\n"
    "\n"
    "Start authorities, relays and clients on free ports of this machine, "
    "wait\n"
    "until the network is usable, print where everything is, and stop it all "
    "on\n"
    "Ctrl-C. A network that was stopped starts again with all it had: its own\n"
    "options are left out then, or say the same.\n"
    "\n"
    "  --authorities N  default: 4\n"
    "  --gateways N     default: 2\n"
    "  --mixes N        of each of the three layers; default: 2\n"
    "  --stores N       default: 3\n"
    "  --clients N      default: 4\n"
    "  --epoch SECONDS  at least 30; default: 30. With four\n"
    "                   authorities the first consensus takes half of it\n"
    "  --profile NAME   of all clients; else half are default, half fast\n"
    "  --suite NAME     x25519 (default), or x25519-mlkem768, whose packets "
    "have\n"
    "                   16 KiB and which needs OpenSSL 3.5 or newer\n"
    "  --policy NAME    of the authorities: open (default), or manual: then "
    "relays\n"
    "                   that join wait until 'brusio-directory approve' lets "
    "them in\n"
    "                   at more than half of them; the network's own are in\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0, 1 (failed), 2 (wrong usage).\n";

enum {
    DIR_OPTION,
    AUTHORITIES,
    GATEWAYS,
    MIXES,
    STORES,
    CLIENTS,
    EPOCH,
    PROFILE,
    SUITE,
    POLICY,
    OPTIONS
};
static const struct args_option options[OPTIONS] = {
    {"dir", false, " run "},      {"authorities", false, " run "},
    {"gateways", false, " run "}, {"mixes", false, " run "},
    {"stores", false, " run "},   {"clients", false, " run "},
    {"epoch", false, " run "},    {"profile", false, " run "},
    {"suite", false, " run "},    {"policy", false, " run "}};
static const struct args_form form = {.options = options,
                                      .n_options = OPTIONS,
                                      .commands = " run ",
                                      .usage = usage};

enum { EPOCH_S = 30 };
static volatile sig_atomic_t stop;

static void
stop_on(int signo)
{
    (void)signo;
    stop = 1;
}

static bool
is_stopped(void)
{
    return stop != 0;
}

/* Find the other programs, which lie beside this one. */
static int
bin_find(struct testnet *t)
{
    ssize_t n = readlink("/proc/self/exe", t->bin, sizeof t->bin - 1);
    if (n <= 0)
        return program_fail(program, "cannot find its own place");
    t->bin[n] = 0;
    *strrchr(t->bin, '/') = 0;
    return 0;
}

static void
places_print(const struct testnet *t)
{
    for (unsigned i = 0; i < t->n_children; i++)
        printf("%-14s %s/%s  pid %d\n", t->child[i].name, t->config.dir,
               t->child[i].name, (int)t->child[i].pid);
    printf("network file   %s\n", t->network_path);
    puts("ready");
    fflush(stdout);
}

static int
testnet_run(struct testnet *t)
{
    int status = testnet_start(t);
    if (status == 0)
        places_print(t);
    while (status == 0 && !stop) {
        const char *ended = testnet_ended(t);
        if (ended) {
            printf("%s has ended\n", ended);
            fflush(stdout);
        }
        usleep(100000);
    }
    testnet_stop(t);
    return stop ? 0 : status;
}

static bool
suite_read(const char *name, uint8_t *suite)
{
    if (sphinx_suite_from_name(name, suite) || *suite == SPHINX_SUITE_NULL)
        program_fail(program,
                     "--suite %s: is neither x25519 nor x25519-mlkem768", name);
    else if (!sphinx_suite_works(*suite))
        program_fail(
            program,
            "--suite %s: needs OpenSSL 3.5 or newer; this one is older", name);
    else
        return true;
    return false;
}

static bool
profile_is_known(const char *name)
{
    struct params p;
    params_default(&p, EPOCH_S);
    if (params_profile(&p, name))
        return true;
    fprintf(stderr, "brusio-testnet: --profile %s: take one of", name);
    for (size_t i = 0; i < p.n_profiles; i++)
        fprintf(stderr, "%s %s", i ? "," : "", p.profiles[i].name);
    fputc('\n', stderr);
    return false;
}

/* Tell whether an option asks for what the network that is there has; print so
 * if not. */
static bool
option_agrees(const struct testnet_config *c, const char *option,
              const char *wish, const char *has)
{
    if (!wish || strcmp(wish, has) == 0)
        return true;
    program_fail(program,
                 "--%s %s: the network in %s has %s, and starts again as it "
                 "is; leave the option out, or take another directory",
                 option, wish, c->dir, has);
    return false;
}

/* Read the numbers: as asked for, else as they were, else their defaults.
 * Returns the exit status; 0: go on. */
static int
numbers_read(struct testnet_config *c, const struct args *a, bool again)
{
    const struct {
        size_t option;
        uint64_t min, max, otherwise;
        unsigned *value;
    } row[] = {{AUTHORITIES, 1, 7, 4, &c->authorities},
               {GATEWAYS, 1, 16, 2, &c->gateways},
               {MIXES, 1, 64, 2, &c->mixes},
               {STORES, 1, 32, 3, &c->stores},
               {CLIENTS, 0, 200, 4, &c->clients},
               {EPOCH, 30, 86400, EPOCH_S, &c->epoch_len_s}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        uint64_t v;
        char has[16];
        if (!args_number(a, options, row[i].option, row[i].min, row[i].max,
                         again ? *row[i].value : row[i].otherwise, &v))
            return ARGS_EXIT_USAGE;
        snprintf(has, sizeof has, "%u", *row[i].value);
        if (again && v != *row[i].value &&
            !option_agrees(c, options[row[i].option].name,
                           a->value[row[i].option], has))
            return ARGS_EXIT_FAILED;
        *row[i].value = (unsigned)v;
    }
    return 0;
}

static int
words_read(struct testnet_config *c, const struct args *a, bool again)
{
    const char *suite = a->value[SUITE], *profile = a->value[PROFILE],
               *policy = a->value[POLICY];
    uint8_t wanted = SPHINX_SUITE_X25519;
    if (policy && strcmp(policy, "open") != 0 && strcmp(policy, "manual") != 0)
        return program_misuse(
            program, "--policy %s: is neither open nor manual", policy);
    if ((suite && !suite_read(suite, &wanted)) ||
        (profile && !profile_is_known(profile)))
        return ARGS_EXIT_USAGE;
    if (again)
        return option_agrees(c, "suite", suite, sphinx_suite_name(c->suite)) &&
                       option_agrees(c, "profile", profile,
                                     c->profile[0] ? c->profile
                                                   : "default and fast") &&
                       option_agrees(c, "policy", policy,
                                     c->manual ? "manual" : "open")
                   ? 0
                   : ARGS_EXIT_FAILED;
    c->suite = wanted;
    c->manual = policy && strcmp(policy, "manual") == 0;
    snprintf(c->profile, sizeof c->profile, "%s", profile ? profile : "");
    return 0;
}

static int
config_read_args(struct testnet *t, const struct args *a)
{
    struct testnet_config *c = &t->config;
    c->dir = a->value[DIR_OPTION];
    const int err = testnet_recall(c);
    t->again = !err;
    if (err && err != ERR_NOT_FOUND)
        return program_fail(
            program,
            "%s/testnet: %s; remove the directory, or take another one", c->dir,
            error_text(err));
    const int status = numbers_read(c, a, t->again);
    return status ? status : words_read(c, a, t->again);
}

static int
arguments_obey(int argc, char **argv)
{
    struct args a;
    int status = program_begin(&a, argc, argv, &form);
    if (status >= 0)
        return status;
    if (!a.value[DIR_OPTION])
        return program_misuse(program,
                              "--dir is missing; everything is put there");
    struct testnet *t = calloc(1, sizeof *t);
    if (!t || bin_find(t))
        return 1;
    t->lock = -1;
    t->stopped = is_stopped;
    status = config_read_args(t, &a);
    if (status == 0) {
        signal(SIGINT, stop_on);
        signal(SIGTERM, stop_on);
        if (!host_hangup_is_ignored())
            signal(SIGHUP, stop_on);
        status = testnet_run(t);
    }
    free(t);
    return status;
}

int
main(int argc, char **argv)
{
    return program_end(program, arguments_obey(argc, argv));
}
