/* testnet/main.c - brusio-testnet: a network of real programs on this
 * machine, for trying and for tests. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/os/args.h"
#include "lib/os/host.h"
#include "testnet/testnet.h"

static const char usage[] =
    "usage: brusio-testnet run --dir DIR [options]\n"
    "\n"
    "Start authorities, relays and clients on free ports of this machine, "
    "wait\n"
    "until the network is usable, print where everything is, and stop it all "
    "on\n"
    "Ctrl-C.\n"
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
    OPTIONS
};
static const struct args_option options[OPTIONS] = {
    {"dir", false, " run "},      {"authorities", false, " run "},
    {"gateways", false, " run "}, {"mixes", false, " run "},
    {"stores", false, " run "},   {"clients", false, " run "},
    {"epoch", false, " run "},    {"profile", false, " run "},
    {"suite", false, " run "}};

static volatile sig_atomic_t stop;

static void
stop_on(int signo)
{
    (void)signo;
    stop = 1;
}

/* The programs lie beside this one. */
static int
bin_find(struct testnet *t)
{
    ssize_t n = readlink("/proc/self/exe", t->bin, sizeof t->bin - 1);
    if (n <= 0) {
        fputs("brusio-testnet: cannot find its own place\n", stderr);
        return 1;
    }
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
    return status;
}

static bool
suite_read(const char *name, uint8_t *suite)
{
    if (sphinx_suite_from_name(name ? name : "x25519", suite) ||
        *suite == SPHINX_SUITE_NULL)
        fprintf(stderr,
                "brusio-testnet: --suite %s: is neither x25519 nor "
                "x25519-mlkem768\n",
                name);
    else if (!sphinx_suite_works(*suite))
        fprintf(stderr,
                "brusio-testnet: --suite %s: needs OpenSSL 3.5 or newer; this "
                "one is older\n",
                name);
    else
        return true;
    return false;
}

int
main(int argc, char **argv)
{
    struct args a;
    uint64_t v[OPTIONS];
    static const struct {
        size_t option;
        uint64_t min, max, otherwise;
    } row[] = {{AUTHORITIES, 1, 7, 4}, {GATEWAYS, 1, 16, 2},
               {MIXES, 1, 64, 2},      {STORES, 1, 32, 3},
               {CLIENTS, 0, 200, 4},   {EPOCH, 30, 86400, 30}};
    if (host_descriptors_hold())
        return ARGS_EXIT_FAILED;
    int status =
        args_parse(&a, argc, argv, options, OPTIONS, " run ", 0, usage);
    if (status >= 0)
        return status;
    if (!a.value[DIR_OPTION]) {
        fputs("brusio-testnet: --dir is missing; everything is put there\n",
              stderr);
        return ARGS_EXIT_USAGE;
    }
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        if (!args_number(&a, options, row[i].option, row[i].min, row[i].max,
                         row[i].otherwise, &v[row[i].option]))
            return ARGS_EXIT_USAGE;
    uint8_t suite;
    if (!suite_read(a.value[SUITE], &suite))
        return ARGS_EXIT_USAGE;
    struct testnet *t = calloc(1, sizeof *t);
    if (!t || bin_find(t))
        return 1;
    t->config = (struct testnet_config){.dir = a.value[DIR_OPTION],
                                        .authorities = (unsigned)v[AUTHORITIES],
                                        .gateways = (unsigned)v[GATEWAYS],
                                        .mixes = (unsigned)v[MIXES],
                                        .stores = (unsigned)v[STORES],
                                        .clients = (unsigned)v[CLIENTS],
                                        .epoch_len_s = (uint32_t)v[EPOCH],
                                        .profile = a.value[PROFILE],
                                        .suite = suite};
    signal(SIGINT, stop_on);
    signal(SIGTERM, stop_on);
    signal(SIGHUP, stop_on);
    status = testnet_run(t);
    free(t);
    return status;
}
