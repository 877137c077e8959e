/* tests/bench/bench_sphinx.c - time of X25519, of a hop and of making packets,
 * in units of one libsodium crypto_scalarmult of the same run.
 *
 * BENCH_ROUNDS (default 31) says how often each entry is timed, BENCH_ONLY
 * which names: those that begin with it. Every entry is timed once a round, so
 * that all see the same noise; the table gives the median over the rounds, and
 * of the ratio its median too (not the ratio of the medians). Thread CPU time,
 * one thread. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/error.h"
#include "relay/replay.h"
#include "sphinx/cipher.h"
#include "sphinx/sphinx.h"
#include "sphinx/x25519/x25519.h"

enum {
    ROUNDS_MAX = 1001,
    BATCH = SPHINX_BATCH_MAX,
    HOPS = 5,
    LEN = 2048,
    SET = 2048, /* packets that are unwrapped in turn: 4 MiB */
    MADE = SPHINX_ORDERS_MAX,
    NAME_LEN = 40
};

struct bench {
    struct sphinx_view view;
    struct sphinx_worker *worker;
    struct cipher *cipher;
    struct sphinx_key *key[HOPS];
    struct sphinx_hop path[HOPS];
    uint8_t seed[HOPS][32], public_key[HOPS][32], identity[HOPS][32];
    uint8_t fresh[SET][LEN], packet[SET][LEN], body[LEN];
    uint8_t surb[LEN], payload[LEN];
    struct replay *replay;
    void *region;
    size_t region_len;
};

static void
must(int err)
{
    if (err) {
        fprintf(stderr, "bench_sphinx: %s\n", error_text(err));
        exit(1);
    }
}

/* `count` fresh requests of 5 hops, n at a time. */
static void
create(struct bench *b, size_t count, size_t n)
{
    static uint8_t seed[MADE][SPHINX_SEED_LEN];
    struct sphinx_order o[MADE];
    for (size_t i = 0; i < count; i += n) {
        randombytes_buf(seed, sizeof seed);
        for (size_t k = 0; k < n; k++)
            o[k] = (struct sphinx_order){.path = b->path,
                                         .n = HOPS,
                                         .seed = seed[k],
                                         .body = b->body,
                                         .out = b->fresh[i + k]};
        sphinx_create_batch(b->worker, &b->view, o, n);
        for (size_t k = 0; k < n; k++)
            must(o[k].err);
    }
}

static void
bench_new(struct bench *b)
{
    memset(b, 0, sizeof *b);
    sphinx_geometry_default(&b->view.geometry);
    must(sphinx_worker_new(&b->worker));
    must(cipher_new(&b->cipher));
    for (size_t i = 0; i < HOPS; i++) {
        randombytes_buf(b->seed[i], 32);
        must(sphinx_keypair(&b->view.geometry, b->public_key[i], b->seed[i]));
        must(sphinx_key_new(&b->key[i], &b->view.geometry, b->seed[i],
                            b->identity[i], b->view.digest));
        b->path[i] = (struct sphinx_hop){.public_key = b->public_key[i],
                                         .identity = b->identity[i]};
    }
    create(b, SET, MADE);
    b->region_len = replay_region_len(1 << 20);
    b->region = aligned_alloc(64, (b->region_len + 63) / 64 * 64);
    must(b->region ? 0 : ERR_NOMEM);
}

static void
bench_free(struct bench *b)
{
    for (size_t i = 0; i < HOPS; i++)
        sphinx_key_free(&b->key[i]);
    sphinx_worker_free(&b->worker);
    cipher_free(&b->cipher);
    replay_free(&b->replay);
    free(b->region);
}

/* ---- what is timed: each does its thing `times` times, n at once ---- */

static void
do_scalarmult(struct bench *b, size_t times, size_t n)
{
    uint8_t out[32];
    (void)n;
    for (size_t i = 0; i < times; i++)
        must(crypto_scalarmult(out, b->seed[0], b->public_key[1]));
}

static void
x25519(struct bench *b, size_t times, size_t n, bool base)
{
    struct x25519_job jobs[BATCH];
    uint8_t out[BATCH][32];
    for (size_t i = 0; i < BATCH; i++)
        jobs[i] = (struct x25519_job){
            b->seed[i % HOPS], base ? NULL : b->public_key[(i + 1) % HOPS],
            out[i], 0};
    for (size_t i = 0; i < times; i += n)
        x25519_batch(jobs + i % BATCH, n);
    for (size_t i = 0; i < n; i++)
        must(jobs[i].err);
}

static void
do_x25519(struct bench *b, size_t times, size_t n)
{
    x25519(b, times, n, false);
}

static void
do_base(struct bench *b, size_t times, size_t n)
{
    x25519(b, times, n, true);
}

/* Not timed: all packets as they came, and nothing seen yet. */
static void
ready_unwrap(struct bench *b)
{
    static const uint8_t boot[REPLAY_BOOT_LEN], key[16];
    memcpy(b->packet, b->fresh, sizeof b->packet);
    replay_free(&b->replay);
    must(replay_create(&b->replay, b->region, b->region_len, key, boot, false));
}

static int
check(void *ctx, struct sphinx_job *job)
{
    struct bench *b = ctx;
    return replay_insert(b->replay, job->replay_tag, 1060, 1000);
}

static void
do_unwrap(struct bench *b, size_t times, size_t n)
{
    struct sphinx_job jobs[BATCH];
    for (size_t i = 0; i < times; i += n) {
        for (size_t k = 0; k < n; k++)
            jobs[k] = (struct sphinx_job){.packet = b->packet[i + k],
                                          .key = b->key[0]};
        sphinx_unwrap(b->worker, &b->view.geometry, jobs, n, check, b);
        for (size_t k = 0; k < n; k++)
            must(jobs[k].err);
    }
}

static void
do_create(struct bench *b, size_t times, size_t n)
{
    create(b, times, n);
}

static void
do_surb_create(struct bench *b, size_t times, size_t n)
{
    const struct sphinx_end end = {{1}, {2}};
    (void)n;
    for (size_t i = 0; i < times; i++)
        must(sphinx_surb_create(b->worker, &b->view, b->path, HOPS, &end,
                                b->seed[1], b->surb));
}

static void
do_surb_use(struct bench *b, size_t times, size_t n)
{
    uint16_t first;
    (void)n;
    b->surb[0] = SPHINX_VERSION;
    for (size_t i = 0; i < times; i++)
        must(sphinx_surb_use(b->worker, &b->view.geometry, b->surb, b->body,
                             b->payload, &first));
}

static void
do_hpolyc(struct bench *b, size_t times, size_t n)
{
    (void)n;
    for (size_t i = 0; i < times; i++)
        must(cipher_hpolyc(b->cipher, b->seed[0], NULL, 0, b->payload,
                           b->view.geometry.payload_len, true));
}

/* A name that ends in '.' is timed with every ISA, whose name is put after. */
static const struct kind {
    const char *name;
    void (*ready)(struct bench *b); /* not timed; or NULL */
    void (*run)(struct bench *b, size_t times, size_t n);
    size_t times, n;
} kinds[] = {
    {"x25519.libsodium", NULL, do_scalarmult, 64, 1},
    {"x25519.batch1.", NULL, do_x25519, 32, 1},
    {"x25519.batch8.", NULL, do_x25519, 128, 8},
    {"x25519.batch32.", NULL, do_x25519, 256, 32},
    {"x25519.base32.", NULL, do_base, 256, 32},
    {"sphinx.unwrap.", ready_unwrap, do_unwrap, SET, BATCH},
    {"sphinx.unwrap1.", ready_unwrap, do_unwrap, 64, 1},
    {"sphinx.create.", NULL, do_create, 32, MADE},
    {"sphinx.create1.", NULL, do_create, 16, 1},
    {"sphinx.surb_create.", NULL, do_surb_create, 16, 1},
    {"sphinx.surb_use", NULL, do_surb_use, 64, 1},
    {"payload.hpolyc", NULL, do_hpolyc, 256, 1},
};
enum {
    KINDS = sizeof kinds / sizeof *kinds,
    ENTRIES_MAX = KINDS * X25519_ISAS
};

static struct entry {
    const struct kind *kind;
    enum x25519_isa isa;
    char name[NAME_LEN];
    double us[ROUNDS_MAX], ratio[ROUNDS_MAX];
} entries[ENTRIES_MAX];

/* The reference is always the first. */
static size_t
entries_list(const char *only)
{
    size_t count = 0;
    for (size_t k = 0; k < KINDS; k++)
        for (int isa = X25519_GENERIC; isa <= X25519_ISAS; isa++) {
            struct entry *e = &entries[count];
            const bool each = kinds[k].name[strlen(kinds[k].name) - 1] == '.';
            if (!x25519_isa_works((enum x25519_isa)isa) ||
                (!each && isa != X25519_GENERIC))
                continue;
            e->kind = &kinds[k];
            e->isa = (enum x25519_isa)isa;
            snprintf(e->name, sizeof e->name, "%s%s", kinds[k].name,
                     each ? x25519_isa_name(e->isa) : "");
            if (k == 0 || strncmp(e->name, only, strlen(only)) == 0)
                count++;
        }
    return count;
}

static double
cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static void
entry_time(struct entry *e, struct bench *b, int round)
{
    const struct kind *k = e->kind;
    x25519_isa_use(e->isa);
    if (k->ready)
        k->ready(b);
    double start = cpu_us();
    k->run(b, k->times, k->n);
    e->us[round] = (cpu_us() - start) / (double)k->times;
    e->ratio[round] = e->us[round] / entries[0].us[round];
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
    static struct bench b;
    (void)argc; /* the folder of the programs, which other benches start */
    (void)argv;
    const char *wish = getenv("BENCH_ROUNDS"), *only = getenv("BENCH_ONLY");
    int rounds = wish && *wish ? atoi(wish) : 31;
    if (rounds < 1 || rounds > ROUNDS_MAX || sodium_init() < 0) {
        fprintf(stderr, "bench_sphinx: BENCH_ROUNDS is 1 to %d\n", ROUNDS_MAX);
        return 2;
    }
    size_t count = entries_list(only ? only : "");
    if (only && count == 1 && strncmp(entries[0].name, only, strlen(only)))
        return 0;
    bench_new(&b);
    for (int r = -1; r < rounds; r++) /* the first to warm up, overwritten */
        for (size_t e = 0; e < count; e++)
            entry_time(&entries[e], &b, r < 0 ? 0 : r);
    printf("%-28s %9s %9s %9s %7s\n", "us", "median", "least", "most", "per X");
    for (size_t e = 0; e < count; e++) {
        struct entry *x = &entries[e];
        qsort(x->us, (size_t)rounds, sizeof(double), order);
        qsort(x->ratio, (size_t)rounds, sizeof(double), order);
        printf("%-28s %9.2f %9.2f %9.2f %7.3f\n", x->name, x->us[rounds / 2],
               x->us[0], x->us[rounds - 1], x->ratio[rounds / 2]);
    }
    bench_free(&b);
    return 0;
}
