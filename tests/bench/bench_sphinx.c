/* tests/bench/bench_sphinx.c - time of a hop and of making a packet, in units
 * of one libsodium crypto_scalarmult of the same run.
 *
 * usage: bench_sphinx [ROUNDS]
 * Every entry is timed once a round, so that all see the same noise; the table
 * gives the median over the rounds, and of the ratio its median too (not the
 * ratio of the medians). Thread CPU time, one thread. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sphinx/sphinx.h"
#include "sphinx/x25519.h"

enum { ROUNDS_MAX = 1001, BATCH = SPHINX_BATCH_MAX, HOPS = 5, LEN = 2048 };

struct bench {
    struct sphinx_view view;
    struct sphinx_worker *worker;
    struct sphinx_key *key[HOPS];
    struct sphinx_hop path[HOPS];
    uint8_t seed[HOPS][32], public_key[HOPS][32], identity[HOPS][32];
    uint8_t fresh[BATCH][LEN], packet[BATCH][LEN], body[LEN];
    uint8_t surb[LEN], payload[LEN];
};

static void
must(int err)
{
    if (err) {
        fprintf(stderr, "bench_sphinx: %s\n", error_text(err));
        exit(1);
    }
}

static void
prepare(struct bench *b)
{
    memset(b, 0, sizeof *b);
    sphinx_geometry_default(&b->view.geometry);
    must(sphinx_worker_new(&b->worker));
    for (size_t i = 0; i < HOPS; i++) {
        randombytes_buf(b->seed[i], 32);
        must(sphinx_keypair(&b->view.geometry, b->public_key[i], b->seed[i]));
        must(sphinx_key_new(&b->key[i], &b->view.geometry, b->seed[i],
                            b->identity[i], b->view.digest));
        b->path[i] = (struct sphinx_hop){.public_key = b->public_key[i],
                                         .identity = b->identity[i]};
    }
}

/* ---- the entries: each does its thing `times` times ---- */

static void
do_scalarmult(struct bench *b, int times)
{
    uint8_t out[32];
    for (int i = 0; i < times; i++) {
        must(crypto_scalarmult(out, b->seed[0], b->public_key[1]));
        b->identity[0][0] ^= out[0]; /* keep the compiler honest */
        b->identity[0][0] ^= out[0];
    }
}

static void
unwrap(struct bench *b, int times, size_t at_once)
{
    struct sphinx_job jobs[BATCH];
    memcpy(b->packet, b->fresh, sizeof b->packet);
    for (size_t i = 0; i < BATCH; i++)
        jobs[i] = (struct sphinx_job){.packet = b->packet[i], .key = b->key[0]};
    for (size_t i = 0; i < (size_t)times; i += at_once)
        sphinx_unwrap(b->worker, &b->view.geometry, jobs + i, at_once, NULL,
                      NULL);
    for (size_t i = 0; i < (size_t)times; i++)
        must(jobs[i].err);
}

static void
do_unwrap_one(struct bench *b, int times)
{
    unwrap(b, times, 1);
}

static void
do_unwrap_batch(struct bench *b, int times)
{
    unwrap(b, times, BATCH);
}

static void
do_create(struct bench *b, int times)
{
    uint8_t seed[32];
    for (int i = 0; i < times; i++) {
        randombytes_buf(seed, sizeof seed);
        must(sphinx_create(b->worker, &b->view, b->path, HOPS, seed, b->body,
                           b->fresh[i % BATCH]));
    }
}

static void
do_surb_create(struct bench *b, int times)
{
    const struct sphinx_end end = {{1}, {2}};
    for (int i = 0; i < times; i++)
        must(sphinx_surb_create(b->worker, &b->view, b->path, HOPS, &end,
                                b->seed[1], b->surb));
}

static void
do_surb_use(struct bench *b, int times)
{
    uint16_t first;
    for (int i = 0; i < times; i++)
        must(sphinx_surb_use(b->worker, &b->view.geometry, b->surb, b->body,
                             b->payload, &first));
}

static void
batch(struct bench *b, int times, size_t at_once)
{
    struct x25519_job jobs[BATCH];
    uint8_t out[BATCH][32];
    for (size_t i = 0; i < BATCH; i++)
        jobs[i] = (struct x25519_job){b->seed[i % HOPS],
                                      b->public_key[(i + 1) % HOPS], out[i], 0};
    for (size_t i = 0; i < (size_t)times; i += at_once)
        x25519_batch(jobs + i, at_once);
    b->identity[0][0] ^= out[0][0];
    b->identity[0][0] ^= out[0][0];
}

static void
do_batch_8(struct bench *b, int times)
{
    batch(b, times, 8);
}

static void
do_batch_32(struct bench *b, int times)
{
    batch(b, times, BATCH);
}

/* Times of one thing each: one multiplication, one packet. */
static const struct {
    const char *name;
    enum x25519_isa isa;
    void (*run)(struct bench *b, int times);
    int times;
} entries[] = {
    {"x25519.libsodium", X25519_GENERIC, do_scalarmult, 32},
    {"x25519.batch8.ifma", X25519_IFMA, do_batch_8, BATCH},
    {"x25519.batch32.ifma", X25519_IFMA, do_batch_32, BATCH},
    {"sphinx.unwrap1.generic", X25519_GENERIC, do_unwrap_one, BATCH},
    {"sphinx.unwrap.generic", X25519_GENERIC, do_unwrap_batch, BATCH},
    {"sphinx.unwrap.ifma", X25519_IFMA, do_unwrap_batch, BATCH},
    {"sphinx.create.generic", X25519_GENERIC, do_create, BATCH},
    {"sphinx.create.ifma", X25519_IFMA, do_create, BATCH},
    {"sphinx.surb_create.generic", X25519_GENERIC, do_surb_create, 8},
    {"sphinx.surb_create.ifma", X25519_IFMA, do_surb_create, 8},
    {"sphinx.surb_use", X25519_GENERIC, do_surb_use, 64},
};
enum { ENTRIES = sizeof entries / sizeof *entries };

static double
cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static int
order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
    static double us[ENTRIES][ROUNDS_MAX], ratio[ENTRIES][ROUNDS_MAX];
    static struct bench b;
    int rounds = argc > 1 ? atoi(argv[1]) : 101;
    if (rounds < 1 || rounds > ROUNDS_MAX || sodium_init() < 0) {
        fprintf(stderr, "usage: bench_sphinx [ROUNDS], 1 to %d\n", ROUNDS_MAX);
        return 2;
    }
    prepare(&b);
    do_create(&b, BATCH); /* packets to unwrap */
    for (int r = 0; r < rounds; r++)
        for (size_t e = 0; e < ENTRIES; e++) {
            if (!x25519_isa_works(entries[e].isa))
                continue;
            x25519_isa_use(entries[e].isa);
            double start = cpu_us();
            entries[e].run(&b, entries[e].times);
            us[e][r] = (cpu_us() - start) / entries[e].times;
            ratio[e][r] = us[e][r] / us[0][r];
        }
    printf("%-28s %9s %9s %9s %7s\n", "us", "median", "least", "most", "per X");
    for (size_t e = 0; e < ENTRIES; e++) {
        if (!x25519_isa_works(entries[e].isa))
            continue;
        qsort(us[e], (size_t)rounds, sizeof(double), order);
        qsort(ratio[e], (size_t)rounds, sizeof(double), order);
        printf("%-28s %9.2f %9.2f %9.2f %7.3f\n", entries[e].name,
               us[e][rounds / 2], us[e][0], us[e][rounds - 1],
               ratio[e][rounds / 2]);
    }
    for (size_t i = 0; i < HOPS; i++)
        sphinx_key_free(&b.key[i]);
    sphinx_worker_free(&b.worker);
    return 0;
}
