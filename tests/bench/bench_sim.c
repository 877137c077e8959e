/* tests/bench/bench_sim.c - how fast the simulator is, and what it takes.
 *
 *   sim.hops          3 x 10 mixes, 100,000 clients of 4 packets/s one way, the
 *                     network's mean delay of 100 ms, 120,000 packets under
 * way: hops a second of this machine's time on one core sim.hops.full     the
 * same with 200 ms, 240,000 packets: what is under way fits into no cache
 *   sim.hops.tracked  the first with eight targets followed all the time
 *   sim.realtime      the first one: virtual seconds a second
 *   sim.million       a million clients of the default profile, round trips:
 *                     hops a second
 *   sim.packet        memory for each packet under way: records and queues, no
 *                     clients
 *
 * Thread CPU time of the run's measured part, best of ROUNDS: other users of
 * the machine make it slower, nothing makes it faster. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "sim/packets/packets.h"
#include "sim/scenario/scenario.h"

enum { ROUNDS = 3 };

static double
cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct scenario_file *
scenario_make(const char *text)
{
    struct scenario_file *f;
    struct scenario_problem p;
    int err = scenario_parse(&f, text, strlen(text), "", &p);
    if (err) {
        fprintf(stderr, "bench_sim: %s\n", p.text);
        exit(1);
    }
    return f;
}

struct timing {
    double begin_s;
};

/* The share is 0 as long as it warms up. */
static void
progress(void *ctx, double share)
{
    struct timing *t = ctx;
    if (share <= 0)
        t->begin_s = cpu_s();
}

struct outcome {
    double hops_s, virtual_s, inside_most;
};

static struct outcome
run(const char *text)
{
    struct scenario_file *f = scenario_make(text);
    struct outcome best = {0, 0, 0};
    for (int i = 0; i < ROUNDS; i++) {
        struct timing t = {0};
        const struct sim_options o = {.progress = progress, .ctx = &t};
        struct sim_result r;
        struct scenario_problem p;
        int err = packets_run(f->cases[0], &o, &r, &p);
        double took_s = cpu_s() - t.begin_s;
        if (err) {
            fprintf(stderr, "bench_sim: %s %s\n", error_text(err), p.text);
            exit(1);
        }
        double length_s = result_find(&r, "run.length")->value;
        double hops_s =
            result_find(&r, "packets.hops")->value * length_s / took_s;
        if (hops_s > best.hops_s)
            best = (struct outcome){hops_s, length_s / took_s,
                                    result_find(&r, "run.inside_most")->value};
    }
    scenario_free(&f);
    return best;
}

static long
peak_kib(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return use.ru_maxrss;
}

static const char hops[] =
    "{\"format\":1,\"clients\":[{\"count\":100000,\"rate\":4}],"
    "\"network\":{\"layers\":3,\"width\":10},"
    "\"run\":{\"warmup_s\":2,\"measure_s\":3}}";
static const char full[] =
    "{\"format\":1,\"clients\":[{\"count\":100000,\"rate\":4}],"
    "\"network\":{\"layers\":3,\"width\":10},\"mix\":{\"delay_mean_ms\":200},"
    "\"run\":{\"warmup_s\":2,\"measure_s\":3}}";
static const char tracked[] =
    "{\"format\":1,\"clients\":[{\"count\":100000,\"rate\":4}],"
    "\"network\":{\"layers\":3,\"width\":10},"
    "\"measure\":{\"targets\":8},"
    "\"run\":{\"warmup_s\":2,\"measure_s\":3}}";
static const char million[] =
    "{\"format\":1,\"clients\":[{\"count\":1000000,\"profile\":\"light\"}],"
    "\"network\":{\"trip\":\"round\",\"width\":20,\"gateways\":20,"
    "\"stores\":20},\"run\":{\"warmup_s\":3,\"measure_s\":1}}";
static const char few[] =
    "{\"format\":1,\"clients\":[{\"count\":100,\"rate\":1000}],"
    "\"network\":{\"layers\":3,\"width\":10},\"mix\":{\"delay_mean_ms\":2000},"
    "\"run\":{\"warmup_s\":12,\"measure_s\":1}}";

static int
wanted(const char *name)
{
    const char *only = getenv("BENCH_ONLY");
    return !only || strncmp(name, only, strlen(only)) == 0;
}

int
main(void)
{
    if (wanted("sim.packet")) { /* first: memory is what was most */
        struct outcome o = run(few);
        printf("sim.packet %.0f octets\n",
               (double)peak_kib() * 1024 / o.inside_most);
    }
    if (wanted("sim.hops") || wanted("sim.realtime")) {
        struct outcome o = run(hops);
        printf("sim.hops %.2f million/s\n", o.hops_s / 1e6);
        printf("sim.realtime %.2f ratio\n", o.virtual_s);
        printf("sim.memory %.1f MiB\n", (double)peak_kib() / 1024);
    }
    if (wanted("sim.hops.full"))
        printf("sim.hops.full %.2f million/s\n", run(full).hops_s / 1e6);
    if (wanted("sim.hops.tracked"))
        printf("sim.hops.tracked %.2f million/s\n", run(tracked).hops_s / 1e6);
    if (wanted("sim.million")) {
        printf("sim.million %.2f million/s\n", run(million).hops_s / 1e6);
        printf("sim.million.memory %.1f MiB\n", (double)peak_kib() / 1024);
    }
    return 0;
}
