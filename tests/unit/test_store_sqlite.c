/* tests/unit/test_store_sqlite.c - letters and records on disk. */
#include "tests/runner.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/daemon/outbox_sqlite.h"
#include "lib/os/files.h"
#include "lib/os/storage.h"
#include "lib/os/wipe.h"
#include "lib/rng_seeded.h"
#include "lib/secret.h"
#include "relay/daemon/store_sqlite.h"
#include "relay/store_memory.h"
#include "tests/folder.h"

enum { LEN = 64, DAY = 20000, SLOTS = 16 };

static const char *const dir = folder_path;

static void
answered(struct env_store_req *req)
{
    req->owner = req;
}

static struct env_store_req
request(enum env_store_op op, uint8_t box, uint8_t slot, uint8_t *letter)
{
    struct env_store_req r = {.op = op,
                              .slot = slot,
                              .expiry_day = DAY,
                              .letter = letter,
                              .letter_len = LEN,
                              .done = answered};
    memset(r.box, box, sizeof r.box);
    return r;
}

/* 4,000 random requests in batches: disk and memory answer alike, also after
 * the disk's files were closed and opened again. */
static void
disk_and_memory_agree(void **state)
{
    (void)state;
    enum { OPS = 4000, BATCH = 8 };
    struct rng_seeded rng;
    struct store_memory *m;
    struct store_sqlite *s;
    static uint8_t letter[2][BATCH][LEN];
    unsigned errors[ERROR_COUNT] = {0};
    rng_seeded_init_u64(&rng, test_seed(), "store");
    assert_int_equal(store_memory_new(&m, LEN, 60), 0);
    assert_int_equal(
        store_sqlite_new(&s, dir, LEN, 60 * store_sqlite_disk(LEN)), 0);
    for (unsigned i = 0; i < OPS; i += BATCH) {
        struct env_store_req r[2][BATCH];
        for (unsigned k = 0; k < BATCH; k++) {
            uint64_t u = rng_seeded_u64(&rng);
            enum env_store_op op = u & 1 ? ENV_STORE_PUT : ENV_STORE_GET;
            for (unsigned w = 0; w < 2; w++) {
                memset(letter[w][k], (int)(u >> 8 & 3), LEN);
                r[w][k] = request(op, (uint8_t)(u >> 16 & 7),
                                  (uint8_t)(u >> 24 & 15), letter[w][k]);
                r[w][k].held = (uint16_t)(u >> 32 | u >> 48);
                r[w][k].work_wanted = (uint8_t)(u >> 40 & 1 ? 4 : 0);
                r[w][k].work = (uint8_t)(u >> 41 & 15);
                r[w][k].expiry_day = DAY + (uint32_t)(u >> 60 & 1);
                r[w][k].next = k + 1 < BATCH ? &r[w][k + 1] : NULL;
            }
        }
        store_sqlite_run(s, &r[1][0]);
        for (unsigned k = 0; k < BATCH; k++) {
            store_memory_request(m, &r[0][k]);
            store_memory_run(m, 1);
            assert_int_equal(r[0][k].err, r[1][k].err);
            assert_int_equal(r[0][k].full, r[1][k].full);
            assert_int_equal(r[0][k].steps, r[1][k].steps);
            assert_int_equal(r[0][k].is_new, r[1][k].is_new);
            if (r[0][k].op == ENV_STORE_GET && !r[0][k].err) {
                assert_int_equal(r[0][k].got, r[1][k].got);
                assert_memory_equal(letter[0][k], letter[1][k], LEN);
            }
            errors[-r[0][k].err]++;
        }
        if (i % 800 == 0) {
            store_sqlite_free(&s);
            assert_int_equal(
                store_sqlite_new(&s, dir, LEN, 60 * store_sqlite_disk(LEN)), 0);
        }
    }
    assert_true(errors[0] > 100 && errors[-ERR_SLOT] > 50 &&
                errors[-ERR_QUOTA] > 50 && errors[-ERR_WORK] > 0 &&
                errors[-ERR_NOT_FOUND] > 50);
    store_memory_free(&m);
    store_sqlite_free(&s);
}

static void
days_are_destroyed(void **state)
{
    (void)state;
    struct store_sqlite *s;
    uint8_t letter[LEN] = {1};
    char path[128];
    assert_int_equal(
        store_sqlite_new(&s, dir, LEN, 60 * store_sqlite_disk(LEN)), 0);
    struct env_store_req r = request(ENV_STORE_PUT, 200, 1, letter);
    r.expiry_day = DAY - 5;
    store_sqlite_run(s, &r);
    snprintf(path, sizeof path, "%s/letters-%d.db", dir, DAY - 5);
    assert_int_equal(r.err, 0);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(store_sqlite_expire(s, DAY - 4), 0);
    r = request(ENV_STORE_GET, 200, 1, letter);
    store_sqlite_run(s, &r);
    assert_int_equal(r.err, ERR_NOT_FOUND);
    assert_int_equal(access(path, F_OK), -1);
    store_sqlite_free(&s);
}

/* What was said to be kept is there after kill -9, whenever it comes. */
static void
i6_kept_is_kept(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 10; round++) {
        struct store_sqlite *s;
        uint8_t letter[LEN], last = 0, byte;
        int fd[2];
        assert_int_equal(pipe(fd), 0);
        pid_t child = fork();
        if (child == 0) {
            if (store_sqlite_new(&s, dir, LEN, 100000 * store_sqlite_disk(LEN)))
                _exit(1);
            for (uint8_t i = 0; i < 16; i++) {
                memset(letter, i, LEN);
                struct env_store_req r =
                    request(ENV_STORE_PUT, (uint8_t)(100 + round), i, letter);
                store_sqlite_run(s, &r);
                if (r.err || write(fd[1], &i, 1) != 1)
                    _exit(1);
            }
            pause();
        }
        close(fd[1]);
        while (last < round + 3 && read(fd[0], &byte, 1) == 1)
            last = byte;
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(fd[0], &byte, 1) == 1)
            last = byte;
        close(fd[0]);
        assert_int_equal(
            store_sqlite_new(&s, dir, LEN, 100000 * store_sqlite_disk(LEN)), 0);
        for (uint8_t i = 0; i <= last; i++) {
            struct env_store_req r =
                request(ENV_STORE_GET, (uint8_t)(100 + round), 0, letter);
            r.held = (uint16_t) ~(1u << i);
            store_sqlite_run(s, &r);
            assert_int_equal(r.err, 0);
            assert_int_equal(letter[0], i);
        }
        store_sqlite_free(&s);
    }
}

static void
bad_files_are_refused(void **state)
{
    (void)state;
    struct store_sqlite *s;
    struct outbox_sqlite *o, *second;
    char path[128];
    struct stat st;
    uint8_t *key, *before, *after;
    size_t before_len, after_len;
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/letters-30000.key", dir);
    assert_int_equal(wipe_key(path, &key), 0);
    secret_free((void **)&key);
    snprintf(path, sizeof path, "%s/letters-30000.db", dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "PRAGMA user_version=4", NULL, NULL, NULL), 0);
    sqlite3_close(db);
    assert_int_equal(
        store_sqlite_new(&s, dir, LEN, 10 * store_sqlite_disk(LEN)),
        ERR_VERSION);
    unlink(path);
    FILE *f = fopen(path, "w");
    fputs("this is no database, whatever its name says, and it is long enough",
          f);
    fclose(f);
    assert_int_equal(outbox_sqlite_new(&o, path, NULL), ERR_DAMAGED);
    assert_int_equal(
        store_sqlite_new(&s, dir, LEN, 10 * store_sqlite_disk(LEN)), 0);
    assert_int_equal(store_sqlite_damaged(s), 1); /* it costs its day alone */
    store_sqlite_free(&s);
    unlink(path);
    snprintf(path, sizeof path, "%s/client.db", dir);
    assert_int_equal(outbox_sqlite_new(&o, path, NULL), 0);
    assert_int_equal(outbox_sqlite_new(&second, path, NULL), ERR_AGAIN);
    outbox_sqlite_free(&o);
    assert_int_equal(outbox_sqlite_new(&o, path, NULL), 0);
    outbox_sqlite_free(&o);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "PRAGMA user_version=4", NULL, NULL, NULL), 0);
    sqlite3_close(db);
    assert_int_equal(files_read(path, 1 << 20, &before, &before_len), 0);
    assert_int_equal(outbox_sqlite_new(&o, path, NULL), ERR_VERSION);
    assert_int_equal(files_read(path, 1 << 20, &after, &after_len), 0);
    assert_int_equal(before_len, after_len); /* it stays as it is */
    assert_memory_equal(before, after, after_len);
    free(before);
    free(after);
    assert_int_equal(outbox_sqlite_new(&o, "/nowhere/client.db", NULL),
                     ERR_FOLDER);
    assert_int_equal(store_sqlite_new(&s, "/proc/nothing", LEN, 10),
                     ERR_FOLDER);
}

struct seen {
    unsigned n, order_wrong;
    uint8_t last[32], value[8];
};

static int
record_seen(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
            size_t value_len)
{
    struct seen *s = ctx;
    s->order_wrong += s->n > 0 && memcmp(s->last, key, key_len) >= 0;
    memcpy(s->last, key, key_len);
    if (value_len == 8)
        memcpy(s->value, value, 8);
    s->n++;
    return 0;
}

/* Groups through the journal, the thread and the file, and back. */
struct machine {
    struct env env;
    struct storage *storage;
    struct storage_port *port;
};
static void
machine_store(struct env *env, struct env_store_req *req)
{
    storage_request(((struct machine *)env)->port, req);
}

static void
records_come_back(void **state)
{
    (void)state;
    static const struct env_ops ops = {.store = machine_store};
    struct machine m = {.env.ops = &ops};
    struct outbox_sqlite *o;
    struct loop *l;
    struct journal *j;
    struct seen seen = {0};
    char path[128];
    uint64_t ticket = 0;
    snprintf(path, sizeof path, "%s/records.db", dir);
    assert_int_equal(loop_new(&l), 0);
    assert_int_equal(outbox_sqlite_new(&o, path, NULL), 0);
    assert_int_equal(storage_new(&m.storage, 10000, outbox_sqlite_run, o), 0);
    assert_int_equal(storage_port_new(&m.port, m.storage, l), 0);
    assert_int_equal(journal_new(&j, &m.env), 0);
    for (uint32_t i = 0; i < 500; i++) {
        uint8_t key[4] = {(uint8_t)(i >> 8), (uint8_t)i}, *value;
        journal_begin(j);
        assert_int_equal(journal_put(j, key, sizeof key, 8, &value), 0);
        memset(value, (int)i, 8);
        if (i >= 100) {
            key[0] = (uint8_t)((i - 100) >> 8);
            key[1] = (uint8_t)(i - 100);
            assert_int_equal(journal_delete(j, key, sizeof key), 0);
        }
        ticket = journal_end(j);
    }
    for (unsigned i = 0; i < 1000 && !journal_is_committed(j, ticket); i++)
        assert_int_equal(loop_turn(l), 0);
    assert_true(journal_is_committed(j, ticket));
    assert_int_equal(journal_error(j), 0);
    journal_free(&j);
    storage_free(&m.storage);
    storage_port_free(&m.port);
    outbox_sqlite_free(&o);
    loop_free(&l);
    assert_int_equal(outbox_sqlite_new(&o, path, NULL), 0);
    assert_int_equal(outbox_sqlite_load(o, record_seen, &seen), 0);
    assert_int_equal(seen.n, 100);
    assert_int_equal(seen.order_wrong, 0);
    assert_int_equal(seen.value[0], 499 & 0xff);
    outbox_sqlite_free(&o);
}

/* More than the queue holds are refused, and everything is answered. */
static void
the_queue_is_bounded(void **state)
{
    (void)state;
    struct store_sqlite *s;
    struct storage *t;
    struct storage_port *port;
    struct loop *l;
    static uint8_t letter[200][LEN];
    static struct env_store_req r[200];
    unsigned full = 0;
    assert_int_equal(loop_new(&l), 0);
    assert_int_equal(
        store_sqlite_new(&s, dir, LEN, 100000 * store_sqlite_disk(LEN)), 0);
    assert_int_equal(storage_new(&t, 4, store_sqlite_run, s), 0);
    assert_int_equal(storage_port_new(&port, t, l), 0);
    for (unsigned i = 0; i < 200; i++) {
        r[i] = request(ENV_STORE_PUT, 150, (uint8_t)(i % 16), letter[i]);
        storage_request(port, &r[i]);
    }
    storage_free(&t);
    storage_port_free(&port);
    for (unsigned i = 0; i < 200; i++) {
        assert_ptr_equal(r[i].owner, &r[i]);
        full += r[i].err == ERR_FULL;
    }
    assert_true(full > 50 && full < 200);
    store_sqlite_free(&s);
    loop_free(&l);
}

/* What the files of the letters take. */
static uint64_t
dir_bytes(void)
{
    char command[128], text[32];
    snprintf(command, sizeof command, "du -sb '%s'", dir);
    FILE *from = popen(command, "r");
    assert_non_null(from);
    assert_non_null(fgets(text, sizeof text, from));
    pclose(from);
    return strtoull(text, NULL, 10);
}

/* A store being filled with whole boxes. */
struct filling {
    struct store_sqlite *s;
    struct rng_seeded rng;
    uint8_t (*box)[32];
    size_t n_boxes, kept;
};

enum { REAL_LEN = 1232, FILL_BATCH = 64 };

static double
now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Put whole boxes until the store says that it has no room. */
static void
fill(struct filling *f, uint32_t day, size_t boxes_max)
{
    static uint8_t letter[FILL_BATCH][REAL_LEN];
    struct env_store_req r[FILL_BATCH];
    for (bool full = false; !full;) {
        rng_seeded_bytes(&f->rng, letter, sizeof letter);
        for (unsigned k = 0; k < FILL_BATCH; k++) {
            r[k] = request(ENV_STORE_PUT, 0, (uint8_t)(k % SLOTS), letter[k]);
            r[k].letter_len = REAL_LEN;
            r[k].expiry_day = day;
            r[k].next = k + 1 < FILL_BATCH ? &r[k + 1] : NULL;
            if (k % SLOTS == 0)
                rng_seeded_bytes(&f->rng, r[k].box, sizeof r[k].box);
            else
                memcpy(r[k].box, r[k - 1].box, sizeof r[k].box);
            if (k % SLOTS == 0 && f->n_boxes < boxes_max)
                memcpy(f->box[f->n_boxes++], r[k].box, sizeof r[k].box);
        }
        store_sqlite_run(f->s, r);
        for (unsigned k = 0; k < FILL_BATCH; k++) {
            assert_true(r[k].err == 0 || r[k].err == ERR_QUOTA);
            full |= r[k].err == ERR_QUOTA;
            f->kept += r[k].err == 0;
        }
    }
}

/* Readers name all letters of the first n boxes, so many a list. */
static void
fill_name(struct filling *f, size_t n, uint32_t hour, size_t a_list)
{
    static uint8_t letter[REAL_LEN];
    struct env_store_req get[FILL_BATCH];
    assert_true(a_list <= FILL_BATCH);
    for (size_t i = 0; i < n; i += a_list) {
        for (size_t k = 0; k < a_list; k++) {
            get[k] = request(ENV_STORE_GET, 0, 0, letter);
            get[k].letter_len = REAL_LEN;
            memcpy(get[k].box, f->box[i + k < n ? i + k : i],
                   sizeof get[k].box);
            get[k].held = 0xffff;
            get[k].hour = hour;
            get[k].next = k + 1 < a_list ? &get[k + 1] : NULL;
        }
        store_sqlite_run(f->s, get);
        for (size_t k = 0; k < a_list; k++)
            assert_int_equal(get[k].err, ERR_NOT_FOUND);
    }
}

/* A store takes letters until the disk that it was given is full, and no more of
 * it: 50 MB here, 1 GB for a proof. Then letters are refused, after a restart too;
 * those that are there are kept when they are put again. Where readers have three
 * of four letters and say so, there is room for others, of another day, in the
 * same bytes of disk; and for all when the day is over. */
static void
a_store_fills_its_disk(void **state)
{
    (void)state;
    const uint64_t bytes_max = test_proof() ? 1000000000 : 50000000;
    const uint64_t room = bytes_max / store_sqlite_disk(REAL_LEN);
    struct filling f = {.box = calloc(room / SLOTS + 1, 32)};
    assert_non_null(f.box);
    rng_seeded_init_u64(&f.rng, test_seed(), "fill");
    assert_int_equal(store_sqlite_new(&f.s, dir, REAL_LEN, bytes_max), 0);
    const double start_s = now_s();
    fill(&f, DAY, room / SLOTS);
    const double took_s = now_s() - start_s;
    assert_int_equal(f.kept, store_sqlite_letters_max(f.s));
    assert_int_equal(f.kept, room);
    store_sqlite_free(&f.s);
    const uint64_t took = dir_bytes();
    print_message("  %zu letters in %llu bytes, %.0f each, %.0f a second\n",
                  f.kept, (unsigned long long)took,
                  (double)took / (double)f.kept, (double)f.kept / took_s);
    /* names differ with the day's key, and pages split where they fall */
    assert_true(took <= bytes_max + bytes_max / (test_proof() ? 50 : 15));
    assert_int_equal(store_sqlite_new(&f.s, dir, REAL_LEN, bytes_max), 0);
    f.kept = 0;
    fill(&f, DAY, 0);
    assert_int_equal(f.kept, 0);
    fill_name(&f, f.n_boxes * 3 / 4, 10, FILL_BATCH);
    fill_name(&f, f.n_boxes * 3 / 4, 12, 2); /* two hours later */
    fill(&f, DAY + 1, 0);
    store_sqlite_free(&f.s);
    const uint64_t then = dir_bytes();
    print_message(
        "  three of four boxes read: room for %zu more, in %llu bytes\n",
        f.kept, (unsigned long long)then);
    assert_true(then <= bytes_max + bytes_max / (test_proof() ? 50 : 15));
    assert_true(f.kept > room / 3);
    assert_int_equal(store_sqlite_new(&f.s, dir, REAL_LEN, bytes_max), 0);
    assert_int_equal(store_sqlite_expire(f.s, DAY + 2), 0);
    f.kept = 0;
    fill(&f, DAY + 2, 0);
    assert_int_equal(f.kept, room);
    store_sqlite_free(&f.s);
    free(f.box);
}

/* Put lists of letters, each in a slot of its own from *n on. Returns how many
 * were kept. */
static uint64_t
lists_put(struct store_sqlite *s, unsigned lists, uint32_t *n)
{
    enum { BATCH = 40 };
    static uint8_t letter[BATCH][REAL_LEN];
    struct env_store_req r[BATCH];
    uint64_t kept = 0;
    for (unsigned i = 0; i < lists; i++) {
        for (unsigned k = 0; k < BATCH; k++, ++*n) {
            r[k] = request(ENV_STORE_PUT, 0, (uint8_t)(*n % 16), letter[k]);
            memcpy(r[k].box, &(uint32_t){*n / 16}, sizeof *n);
            r[k].letter_len = REAL_LEN;
            r[k].expiry_day = DAY + *n % 2;
            r[k].next = k + 1 < BATCH ? &r[k + 1] : NULL;
        }
        store_sqlite_run(s, r);
        for (unsigned k = 0; k < BATCH; k++)
            kept += r[k].err == 0;
    }
    return kept;
}

/* The disk is full for a while, at each moment of a transaction: no letter that
 * was refused meanwhile takes anything of the quota. */
static void
a_full_disk_uses_up_no_quota(void **state)
{
    (void)state;
    enum { ROOM = 400 };
    struct store_sqlite *s;
    struct rlimit before, small;
    uint64_t kept, refused = 0;
    uint32_t n = 0;
    assert_int_equal(
        store_sqlite_new(&s, dir, REAL_LEN, ROOM * store_sqlite_disk(REAL_LEN)),
        0);
    kept = lists_put(s, 2, &n);
    assert_int_equal(kept, n);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN); /* so that writes fail instead */
    for (rlim_t room = 1 << 16; room < 3 << 17; room += 5000) {
        small = before;
        small.rlim_cur = room;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        const uint32_t from = n;
        const uint64_t got = lists_put(s, 1, &n);
        kept += got;
        refused += n - from - got;
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    print_message("  %llu kept, %llu refused\n", (unsigned long long)kept,
                  (unsigned long long)refused);
    assert_true(refused > ROOM && kept < ROOM);
    kept += lists_put(s, 2 * ROOM / 40, &n);
    assert_int_equal(kept, ROOM);
    store_sqlite_free(&s);
    assert_int_equal(
        store_sqlite_new(&s, dir, REAL_LEN, ROOM * store_sqlite_disk(REAL_LEN)),
        0);
    assert_int_equal(lists_put(s, 1, &n), 0);
    store_sqlite_free(&s);
}

/* Ask both stores alike, and see that they answer alike. */
static int
ask_both(struct store_memory *m, struct store_sqlite *s,
         const struct env_store_req *q, uint16_t *full)
{
    static uint8_t letter[LEN];
    struct env_store_req a = *q, b = *q;
    if (q->op == ENV_STORE_GET)
        a.letter = b.letter = letter;
    store_memory_request(m, &a);
    store_memory_run(m, 1);
    store_sqlite_run(s, &b);
    assert_int_equal(a.err, b.err);
    assert_int_equal(a.full, b.full);
    if (full)
        *full = a.full;
    return a.err;
}

/* Where half the room is used, letters go that their reader has named an hour
 * ago; the same letter is still kept there, another is not, and the room is given
 * back, also for a later life. */
static void
held_letters_are_let_go(void **state)
{
    (void)state;
    enum { ROOM = 640, BOXES = 24, STRANGE = 21 };
    struct store_memory *m;
    struct store_sqlite *s;
    static uint8_t letter[LEN];
    uint16_t full;
    assert_int_equal(store_memory_new(&m, LEN, ROOM), 0);
    assert_int_equal(
        store_sqlite_new(&s, dir, LEN, ROOM * store_sqlite_disk(LEN)), 0);
    struct env_store_req put = request(ENV_STORE_PUT, 0, 0, letter);
    struct env_store_req get = request(ENV_STORE_GET, 0, 0, letter);
    for (unsigned box = 0; box < BOXES; box++)
        for (unsigned slot = 0; slot < SLOTS; slot++) {
            memset(put.box, (int)box, sizeof put.box);
            put.slot = (uint8_t)slot;
            put.hour = 100;
            letter[0] = (uint8_t)box;
            memset(put.mark, (int)box + 1, sizeof put.mark);
            assert_int_equal(ask_both(m, s, &put, NULL), 0);
            /* read at once: below the half nothing is noted */
            get = request(ENV_STORE_GET, (uint8_t)box, 0, letter);
            memset(get.mark, box == STRANGE ? 99 : (int)box + 1,
                   sizeof get.mark);
            get.hour = 100;
            get.held = 0xffff;
            (void)ask_both(m, s, &get, NULL);
        }
    /* 320 letters are the half: boxes 19 to 23 were noted, but not the one that
     * somebody else has named */
    for (get.hour = 101; get.hour < 110; get.hour++) {
        get.held = 0;
        (void)ask_both(m, s, &get, &full);
    }
    for (unsigned box = 0; box < BOXES; box++) {
        get = request(ENV_STORE_GET, (uint8_t)box, 0, letter);
        get.hour = 110;
        const int err = ask_both(m, s, &get, &full);
        const bool gone = box >= BOXES - 5 && box != STRANGE;
        assert_int_equal(err, gone ? ERR_NOT_FOUND : 0);
        assert_int_equal(full, gone ? 0 : 0xffff);
    }
    for (unsigned life = 0; life < 2; life++) {
        put = request(ENV_STORE_PUT, BOXES - 1, 3, letter);
        letter[0] = BOXES - 1;
        assert_int_equal(ask_both(m, s, &put, &full), 0);
        assert_int_equal(full, 0xffff);
        letter[0] ^= 1;
        assert_int_equal(ask_both(m, s, &put, NULL), ERR_SLOT);
        put = request(ENV_STORE_PUT, 0, 3, letter);
        letter[0] = 0;
        assert_int_equal(ask_both(m, s, &put, NULL), 0);
        store_sqlite_free(&s);
        assert_int_equal(
            store_sqlite_new(&s, dir, LEN, ROOM * store_sqlite_disk(LEN)), 0);
    }
    store_memory_free(&m);
    store_sqlite_free(&s);
}

/* Letters of a box that do not open any more (a disk that forgets) stay, and the
 * others go all the same. */
static void
i11_a_broken_letter_keeps_no_other(void **state)
{
    (void)state;
    enum { BOXES = 4, LETTERS = BOXES * SLOTS, ROOM = 2 * LETTERS };
    static uint8_t letter[LEN];
    struct store_sqlite *s;
    sqlite3 *db;
    char path[128];
    assert_int_equal(
        store_sqlite_new(&s, dir, LEN, ROOM * store_sqlite_disk(LEN)), 0);
    for (unsigned i = 0; i < LETTERS; i++) {
        struct env_store_req put =
            request(ENV_STORE_PUT, (uint8_t)(i / SLOTS), i % SLOTS, letter);
        store_sqlite_run(s, &put);
        assert_int_equal(put.err, 0);
    }
    for (unsigned box = 0; box < BOXES; box++) {
        struct env_store_req get =
            request(ENV_STORE_GET, (uint8_t)box, 0, letter);
        get.hour = 100;
        get.held = 0xffff;
        store_sqlite_run(s, &get);
    }
    store_sqlite_free(&s);
    snprintf(path, sizeof path, "%s/letters-%d.db", dir, DAY);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db,
                     "UPDATE letter SET sealed=zeroblob(length(sealed)) WHERE"
                     " name=(SELECT min(name) FROM letter WHERE named>0)",
                     NULL, NULL, NULL),
        0);
    assert_int_equal(sqlite3_changes(db), SLOTS);
    sqlite3_close(db);
    assert_int_equal(
        store_sqlite_new(&s, dir, LEN, ROOM * store_sqlite_disk(LEN)), 0);
    unsigned left = 0;
    for (unsigned i = 0; i < 2 * BOXES; i++) {
        struct env_store_req get =
            request(ENV_STORE_GET, (uint8_t)(i % BOXES), 0, letter);
        get.hour = 103;
        store_sqlite_run(s, &get);
        left += i >= BOXES && get.full != 0;
    }
    store_sqlite_free(&s);
    assert_int_equal(left, 1);
}

/* A letter comes twice at midnight, in one list, while the disk is full: what is
 * told of the second, which finds it there, is what became of the first. */
static void
i6_a_repeat_is_kept_when_the_letter_is(void **state)
{
    (void)state;
    static uint8_t letter[REAL_LEN], found[REAL_LEN];
    struct store_sqlite *s;
    struct rlimit before, small;
    struct env_store_req r[2], get;
    unsigned refused = 0, kept = 0;
    assert_int_equal(store_sqlite_new(&s, dir, REAL_LEN, 1 << 24), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    for (uint32_t n = 0; n < 200; n++) {
        for (unsigned k = 0; k < 2; k++) {
            r[k] = request(ENV_STORE_PUT, 0, 0, letter);
            memcpy(r[k].box, &n, sizeof n);
            r[k].letter_len = REAL_LEN;
            r[k].expiry_day = DAY + k;
        }
        r[0].next = &r[1];
        small = before;
        small.rlim_cur = n % 2 ? before.rlim_cur : (n % 25 + 2) << 12;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        store_sqlite_run(s, r);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        get = request(ENV_STORE_GET, 0, 0, found);
        memcpy(get.box, &n, sizeof n);
        get.letter_len = REAL_LEN;
        store_sqlite_run(s, &get);
        assert_int_equal(r[0].err == 0 || r[1].err == 0, get.err == 0);
        kept += get.err == 0;
        refused += get.err != 0;
    }
    signal(SIGXFSZ, SIG_DFL);
    assert_true(refused > 0 && kept > 0);
    store_sqlite_free(&s);
}

const struct CMUnitTest test_store_sqlite[] = {
    FOLDER_TEST(disk_and_memory_agree),
    FOLDER_TEST(days_are_destroyed),
    FOLDER_TEST(i6_kept_is_kept),
    FOLDER_TEST(bad_files_are_refused),
    FOLDER_TEST(records_come_back),
    FOLDER_TEST(the_queue_is_bounded),
    FOLDER_TEST(a_store_fills_its_disk),
    FOLDER_TEST(i6_a_repeat_is_kept_when_the_letter_is),
    FOLDER_TEST(a_full_disk_uses_up_no_quota),
    FOLDER_TEST(held_letters_are_let_go),
    FOLDER_TEST(i11_a_broken_letter_keeps_no_other),
};
TEST_SUITE(test_store_sqlite);
