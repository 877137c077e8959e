/* sim/main.c - brusio-sim: Brusio's own objects under a virtual clock. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "sim/fast.h"

static const char usage[] =
    "usage: brusio-sim bench [options]\n"
    "\n"
    "Run mixes and clients' clocks in virtual time, without packet bytes, and\n"
    "print how many hops a second of this machine's time one core does.\n"
    "\n"
    "  --clients N   clients (default 100000)\n"
    "  --rate N      packets a client sends in 1,000 s (default 4000)\n"
    "  --layers N    mix layers (default 3)\n"
    "  --mixes N     mixes of each layer (default 10)\n"
    "  --delay MS    mean delay at each mix (default 200)\n"
    "  --seconds N   virtual seconds to count, after 3 to warm up (default 5)\n"
    "  --seed N      the same seed gives the same course (default 1)\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0, 1 (failed), 2 (wrong usage).\n";

static int
number_parse(const char *name, const char *text, uint64_t min, uint64_t max,
             uint64_t *out)
{
    char *end;
    errno = 0;
    uint64_t v = strtoull(text, &end, 10);
    if (errno || *text < '0' || *text > '9' || *end || v < min || v > max) {
        fprintf(stderr,
                "brusio-sim: --%s wants a whole number from %" PRIu64
                " to %" PRIu64 ", not '%s'\n",
                name, min, max, text);
        return 2;
    }
    *out = v;
    return 0;
}

enum { CLIENTS, RATE, LAYERS, MIXES, DELAY, SECONDS, SEED, OPTIONS };
static const struct {
    const char *name;
    uint64_t min, max, value;
} limits[OPTIONS] = {{"clients", 1, 10000000, 100000},
                     {"rate", 1, 1000000, 4000},
                     {"layers", 1, 20, 3},
                     {"mixes", 1, 1000, 10},
                     {"delay", 1, 60000, 200},
                     {"seconds", 1, 100000, 5},
                     {"seed", 0, UINT64_MAX, 1}};

static int
bench_print(const uint64_t v[static OPTIONS])
{
    struct fast_config config = {.seed = v[SEED],
                                 .clients = (uint32_t)v[CLIENTS],
                                 .layers = (uint32_t)v[LAYERS],
                                 .mixes = (uint32_t)v[MIXES],
                                 .rate_mhz = (uint32_t)v[RATE],
                                 .delay_mean_us = (uint32_t)v[DELAY] * 1000,
                                 .warm_us = 3000000,
                                 .run_us = v[SECONDS] * 1000000};
    struct fast_result r;
    struct rusage use;
    int err = fast_run(&config, &r);
    if (err) {
        fprintf(stderr, "brusio-sim: %s\n", error_text(err));
        return 1;
    }
    getrusage(RUSAGE_SELF, &use);
    printf("sim.hops     %.2f million hops/s (%" PRIu64 " hops in %.3f s, "
           "%" PRIu64 " s virtual)\n",
           (double)r.hops / r.wall_s / 1e6, r.hops, r.wall_s, v[SECONDS]);
    printf("in flight    %" PRIu64 " packets; mean way %.3f s; refused %" PRIu64
           "\n",
           r.in_flight, r.latency_mean_s, r.refused);
    printf("memory       %ld MiB at most\n", use.ru_maxrss / 1024);
    return r.refused == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
    static const struct option options[] = {
        {"clients", required_argument, NULL, 'a' + CLIENTS},
        {"rate", required_argument, NULL, 'a' + RATE},
        {"layers", required_argument, NULL, 'a' + LAYERS},
        {"mixes", required_argument, NULL, 'a' + MIXES},
        {"delay", required_argument, NULL, 'a' + DELAY},
        {"seconds", required_argument, NULL, 'a' + SECONDS},
        {"seed", required_argument, NULL, 'a' + SEED},
        {"help", no_argument, NULL, 'H'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0}};
    uint64_t value[OPTIONS];
    int c;
    for (int i = 0; i < OPTIONS; i++)
        value[i] = limits[i].value;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'H') {
            fputs(usage, stdout);
            return 0;
        }
        if (c == 'V') {
            puts("brusio-sim 0.1");
            return 0;
        }
        if (c == '?') {
            fputs(usage, stderr);
            return 2;
        }
        int i = c - 'a';
        if (number_parse(limits[i].name, optarg, limits[i].min, limits[i].max,
                         &value[i]))
            return 2;
    }
    if (argc - optind != 1 || strcmp(argv[optind], "bench") != 0) {
        fputs(usage, stderr);
        return 2;
    }
    return bench_print(value);
}
