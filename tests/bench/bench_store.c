/* tests/bench/bench_store.c - a store's puts: signature, box, SQLite on disk.
 *
 *   store.verify  checking one put's signature
 *   store.work    checking its proof of work under three consensuses
 *   store.put     one put from its parsed request to the committed letter, proof included,
 *                 LIST of them a transaction, as a busy store's storage thread
 *                 takes them
 *   store.rate    puts a second of wall-clock time, on one thread
 *
 * Processor time in microseconds, median, least and most of ROUNDS, and in units
 * of one crypto_scalarmult timed beside it. usage: bench_store; BENCH_ONLY. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "network/box.h"
#include "network/work.h"
#include "relay/boxes.h"
#include "relay/daemon/store_sqlite.h"

enum { ROUNDS = 7, LIST = 64, PUTS = 4096, LETTER = 1232, DAY = 20000 };

struct put {
    uint8_t key[WIRE_BOX_LEN], slot, signature[WIRE_SIGNATURE_LEN];
    uint8_t letter[LETTER];
};

struct bench {
    struct env env;
    struct env_store_req *list;
    struct boxes *boxes;
    struct store_sqlite *store;
    struct put put[PUTS];
    unsigned bits; /* so that none is left out as unused */
};

struct figures {
    double verify_us[ROUNDS], work_us[ROUNDS], put_us[ROUNDS], rate[ROUNDS];
    double verify_x[ROUNDS], work_x[ROUNDS], put_x[ROUNDS];
};

static void
must(int err, const char *what)
{
    if (err) {
        fprintf(stderr, "bench_store: %s: %s\n", what, error_text(err));
        exit(1);
    }
}

static double
clock_us(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static void
store_later(struct env *env, struct env_store_req *req)
{
    struct bench *b = (struct bench *)env;
    req->next = b->list;
    b->list = req;
}

static uint64_t
no_time(struct env *env)
{
    (void)env;
    return 0;
}

static const struct env_ops ops = {.now_mono_us = no_time,
                                   .store = store_later};

/* Sixteen letters for each of so many boxes, new in every round. */
static void
puts_make(struct bench *b)
{
    uint8_t seed[BOX_SEED_LEN];
    for (size_t i = 0; i < PUTS; i++) {
        struct put *p = &b->put[i];
        p->slot = (uint8_t)(i % WIRE_BOX_SLOTS);
        if (p->slot == 0)
            randombytes_buf(seed, sizeof seed);
        randombytes_buf(p->letter, sizeof p->letter);
        box_sign(seed, p->slot, p->letter, LETTER, p->key, p->signature);
    }
}

static double
scalarmult_us(void)
{
    enum { TIMES = 500 };
    uint8_t out[32], n[32] = {8}, p[32];
    crypto_scalarmult_base(p, n);
    const double start_us = clock_us(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < TIMES; i++)
        must(crypto_scalarmult(out, n, p), "crypto_scalarmult");
    return (clock_us(CLOCK_THREAD_CPUTIME_ID) - start_us) / TIMES;
}

static double
verify_us(const struct bench *b)
{
    const double start_us = clock_us(CLOCK_THREAD_CPUTIME_ID);
    for (size_t i = 0; i < PUTS; i++)
        must(box_verify(b->put[i].key, b->put[i].slot, b->put[i].letter, LETTER,
                        b->put[i].signature),
             "box_verify");
    return (clock_us(CLOCK_THREAD_CPUTIME_ID) - start_us) / PUTS;
}

/* What a store does to know what a put's proof is worth. */
static unsigned
put_bits(const struct put *p)
{
    struct work_task task = {.store = {1}};
    unsigned bits = 0;
    box_id(p->key, task.box);
    for (uint8_t i = 0; i < WORK_EPOCHS; i++) {
        task.challenge[0] = i;
        bits += work_bits(&task, p->signature);
    }
    return bits;
}

static double
work_us(struct bench *b)
{
    const double start_us = clock_us(CLOCK_THREAD_CPUTIME_ID);
    for (size_t i = 0; i < PUTS; i++)
        b->bits += put_bits(&b->put[i]);
    return (clock_us(CLOCK_THREAD_CPUTIME_ID) - start_us) / PUTS;
}

/* Put a list, commit it, and see that each letter is kept. */
static void
list_put(struct bench *b, size_t first)
{
    static const uint8_t rest[4096];
    const struct boxes_terms terms = {
        .expiry_day = DAY, .work_wanted = 20, .work = 20};
    struct boxes_job *job[LIST];
    struct wire_answer answer;
    for (size_t i = 0; i < LIST; i++) {
        const struct put *p = &b->put[first + i];
        const struct wire_request r = {.kind = WIRE_PUT,
                                       .slot = p->slot,
                                       .box = p->key,
                                       .work = rest,
                                       .surb = rest,
                                       .signature = p->signature,
                                       .letter = p->letter};
        b->bits += put_bits(p);
        must(boxes_begin(b->boxes, &r, &terms, &job[i]), "boxes_begin");
    }
    struct env_store_req *list = b->list;
    b->list = NULL;
    store_sqlite_run(b->store, list);
    for (struct env_store_req *req = list, *next; req; req = next) {
        next = req->next;
        req->done(req);
    }
    for (size_t i = 0; i < LIST; i++) {
        boxes_finish(b->boxes, job[i], &answer);
        must(answer.status == WIRE_KEPT ? 0 : ERR_DB, "a put");
        boxes_done(&job[i]);
    }
}

static void
measure(struct bench *b, struct figures *f, int round)
{
    puts_make(b);
    const double x_us = scalarmult_us();
    f->verify_us[round] = verify_us(b);
    f->verify_x[round] = f->verify_us[round] / x_us;
    f->work_us[round] = work_us(b);
    f->work_x[round] = f->work_us[round] / x_us;
    const double start_us = clock_us(CLOCK_THREAD_CPUTIME_ID);
    const double wall_us = clock_us(CLOCK_MONOTONIC);
    for (size_t i = 0; i < PUTS; i += LIST)
        list_put(b, i);
    f->put_us[round] = (clock_us(CLOCK_THREAD_CPUTIME_ID) - start_us) / PUTS;
    f->put_x[round] = f->put_us[round] / x_us;
    f->rate[round] = PUTS / (clock_us(CLOCK_MONOTONIC) - wall_us) * 1e6;
}

static int
by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void
line_print(const char *name, double *us, double *per_x)
{
    qsort(us, ROUNDS, sizeof us[0], by_size);
    qsort(per_x, ROUNDS, sizeof per_x[0], by_size);
    printf("%-28s %9.2f %9.2f %9.2f %7.3f\n", name, us[ROUNDS / 2], us[0],
           us[ROUNDS - 1], per_x[ROUNDS / 2]);
}

int
main(void)
{
    static const uint8_t key[16] = {1};
    const char *only = getenv("BENCH_ONLY");
    char dir[] = "/tmp/brusio-bench-XXXXXX", command[64];
    static struct figures f;
    struct bench *b = calloc(1, sizeof *b);
    if (only && strncmp("store.", only, strlen(only)) != 0 &&
        strncmp(only, "store.", 6) != 0) {
        free(b);
        return 0;
    }
    must(b && sodium_init() >= 0 && mkdtemp(dir) ? 0 : ERR_SYSTEM, "start");
    b->env.ops = &ops;
    must(store_sqlite_new(&b->store, dir, LETTER,
                          100 * PUTS * store_sqlite_disk(LETTER)),
         "the store");
    must(boxes_new(&b->boxes, &b->env, LETTER, key), "boxes");
    for (int round = 0; round < ROUNDS; round++)
        measure(b, &f, round);
    line_print("store.verify", f.verify_us, f.verify_x);
    line_print("store.work", f.work_us, f.work_x);
    line_print("store.put", f.put_us, f.put_x);
    qsort(f.rate, ROUNDS, sizeof f.rate[0], by_size);
    printf("%-28s %9.0f puts/s\n", "store.rate", f.rate[ROUNDS / 2]);
    boxes_free(&b->boxes);
    store_sqlite_free(&b->store);
    free(b);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command) == 0 ? 0 : 1;
}
