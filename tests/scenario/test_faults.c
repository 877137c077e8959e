/* tests/scenario/test_faults.c - disks on which each read, write, sync and rename
 * fails in turn, alone or with all that follow: client, store, authority. What was
 * said to be kept is there; what was not is told as an error, and kept at the next
 * try; and whatever lies on the disk at that moment opens again. */
#include "tests/runner.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/daemon/outbox_sqlite.h"
#include "directory/daemon/disk.h"
#include "lib/os/files.h"
#include "lib/rng_seeded.h"
#include "lib/secret.h"
#include "relay/daemon/store_sqlite.h"
#include "tests/bad_disk.h"

static char dir[64], copy[80];

static int
dirs_make(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/brusio-faults-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(copy, sizeof copy, "%s.copy", dir);
    return 0;
}

static int
dirs_remove(void **state)
{
    char command[256];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s' '%s'", dir, copy);
    return system(command);
}

static void
dir_empty(void)
{
    char command[256];
    snprintf(command, sizeof command, "rm -rf '%s' && mkdir -m 700 '%s'", dir,
             dir);
    assert_int_equal(system(command), 0);
}

/* What a crash would leave at this moment. */
static void
dir_copy(void)
{
    char command[256];
    snprintf(command, sizeof command, "rm -rf '%s' && cp -a '%s' '%s'", copy,
             dir, copy);
    assert_int_equal(system(command), 0);
}

/* ---- a client ---- */

enum { KEYS = 8, GROUPS = 10, VALUE_MAX = 9000, QUEUE = 32 };

/* Which group each record is of, after the first so many; 0: there is none. */
static void
model_make(uint8_t model[static KEYS], unsigned groups)
{
    memset(model, 0, KEYS);
    for (unsigned g = 1; g <= groups; g++) {
        model[g * 3 % KEYS] = (uint8_t)g;
        model[(g * 5 + 1) % KEYS] = (uint8_t)g;
        model[g * 7 % KEYS] = 0;
    }
}

static size_t
value_len(unsigned group)
{
    static const size_t len[] = {10, 700, VALUE_MAX, 0};
    return len[group % 4];
}

/* A journal whose storage runs when it is told to. */
struct course {
    struct env env;
    struct journal *j;
    struct outbox_sqlite *o;
    struct env_store_req *queue[QUEUE];
    size_t n;
    unsigned given, kept; /* groups */
    uint64_t ticket[GROUPS + 1];
};

static void
course_store(struct env *env, struct env_store_req *req)
{
    struct course *c = (struct course *)env;
    assert_true(c->n < QUEUE);
    c->queue[c->n++] = req;
}

/* Carry out requests i to i + n - 1 of the queue as one list. */
static void
list_run(struct course *c, size_t i, size_t n, struct bad_disk *bad)
{
    for (size_t k = i; k < i + n; k++)
        c->queue[k]->next = k + 1 < i + n ? c->queue[k + 1] : NULL;
    if (bad)
        bad_disk_arm(bad);
    outbox_sqlite_run(c->o, c->queue[i]);
    if (bad)
        bad_disk_disarm(bad);
    for (size_t k = i; k < i + n; k++)
        c->queue[k]->done(c->queue[k]);
    while (c->kept < c->given &&
           journal_is_committed(c->j, c->ticket[c->kept + 1]))
        c->kept++;
}

static void
course_run(struct course *c, struct bad_disk *bad)
{
    const size_t n = c->n;
    if (n > 0)
        list_run(c, 0, n, bad);
    c->n = 0;
}

static void records_are(const char *place, unsigned least, unsigned most);

/* The same in two lists, since nobody knows what is carried out together; it may
 * end between them. */
static void
course_run_parts(struct course *c, struct bad_disk *bad)
{
    const size_t n = c->n;
    list_run(c, 0, 1, bad);
    dir_copy();
    records_are(copy, c->kept, c->given);
    if (n > 1)
        list_run(c, 1, n - 1, bad);
    c->n = 0;
}

/* Put the next group of the model; false: the journal takes none. */
static bool
group_put(struct course *c)
{
    const unsigned g = c->given + 1;
    const uint8_t put[] = {(uint8_t)(g * 3 % KEYS),
                           (uint8_t)((g * 5 + 1) % KEYS)};
    const uint8_t gone = (uint8_t)(g * 7 % KEYS);
    uint8_t *value;
    int err = 0;
    journal_begin(c->j);
    for (size_t i = 0; i < sizeof put && !err; i++) {
        err = journal_put(c->j, &put[i], 1, 1 + value_len(g), &value);
        if (!err)
            memset(value, (int)g, 1 + value_len(g));
    }
    if (!err)
        err = journal_delete(c->j, &gone, 1);
    if (journal_finish(c->j, err)) {
        assert_int_equal(err, journal_error(c->j));
        return false;
    }
    c->ticket[g] = journal_last(c->j);
    c->given = g;
    return true;
}

static int
record_take(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
            size_t len)
{
    uint8_t *found = ctx;
    assert_true(key_len == 1 && key[0] < KEYS && len > 0);
    assert_int_equal(len, 1 + value_len(value[0]));
    found[key[0]] = value[0];
    return 0;
}

/* The records at a place are those after `least` groups, or some more. */
static void
records_are(const char *place, unsigned least, unsigned most)
{
    char path[128];
    uint8_t found[KEYS] = {0}, model[KEYS];
    struct outbox_sqlite *o;
    bool same = false;
    snprintf(path, sizeof path, "%s/client.db", place);
    assert_int_equal(outbox_sqlite_new(&o, path, NULL), 0);
    assert_int_equal(outbox_sqlite_load(o, record_take, found), 0);
    for (unsigned g = least; g <= most && !same; g++) {
        model_make(model, g);
        same = memcmp(model, found, KEYS) == 0;
    }
    assert_true(same);
    outbox_sqlite_free(&o);
}

/* Groups, three to a list, while the disk fails; then they are tried again. */
static void
client_course(struct bad_disk *bad)
{
    static const struct env_ops ops = {.store = course_store};
    struct course c = {.env.ops = &ops};
    char path[128];
    bool open = false;
    dir_empty();
    snprintf(path, sizeof path, "%s/client.db", dir);
    assert_int_equal(journal_new(&c.j, &c.env), 0);
    for (unsigned i = 0; i < 2 && !open; i++) {
        if (i == 0)
            bad_disk_arm(bad);
        const int err = outbox_sqlite_new(&c.o, path, NULL);
        bad_disk_disarm(bad);
        open = !err;
        assert_true(open || i == 0);
        assert_true(open || bad->failed);
    }
    while (c.given < GROUPS) {
        bool taken = true;
        for (unsigned i = 0; i < 3 && c.given < GROUPS && taken; i++)
            taken = group_put(&c);
        course_run(&c, bad);
        if (!journal_error(c.j))
            continue;
        assert_true(bad->failed);
        dir_copy();
        records_are(copy, c.kept, c.given);
        for (unsigned i = 0; i < 3 && journal_error(c.j); i++) {
            assert_true(journal_retry(c.j));
            course_run_parts(&c, i == 0 ? bad : NULL); /* then there is room */
        }
        assert_int_equal(journal_error(c.j), 0);
        assert_int_equal(c.kept, c.given);
    }
    dir_copy();
    records_are(copy, GROUPS, GROUPS);
    journal_free(&c.j);
    outbox_sqlite_free(&c.o);
    records_are(dir, GROUPS, GROUPS);
}

static void
each_fails(unsigned calls, long most, void (*course)(struct bad_disk *bad))
{
    for (unsigned call = 1; call < BAD_ALL; call *= 2)
        for (unsigned rest = 0; rest < 2; rest++)
            if (calls & call)
                for (struct bad_disk bad = {.calls = call,
                                           .rest = rest,
                                           .most = most};
                     bad_disk_next(&bad);)
                    course(&bad);
}

static void
i6_a_client_keeps_what_its_disk_refused(void **state)
{
    (void)state;
    each_fails(BAD_READ | BAD_WRITE, 12, client_course);
    /* all: after some of them what is said to have failed is there */
    each_fails(BAD_SYNC, 1000, client_course);
}

/* What storage had been given before one failed is refused, and comes after it. */
static void
i6_groups_are_kept_in_their_order(void **state)
{
    (void)state;
    static const struct env_ops ops = {.store = course_store};
    struct course c = {.env.ops = &ops};
    struct bad_disk bad = {.calls = BAD_WRITE, .rest = true};
    struct env_store_req *first;
    char path[128];
    dir_empty();
    snprintf(path, sizeof path, "%s/client.db", dir);
    assert_int_equal(journal_new(&c.j, &c.env), 0);
    assert_int_equal(outbox_sqlite_new(&c.o, path, NULL), 0);
    assert_true(bad_disk_next(&bad) && bad_disk_next(&bad));
    assert_true(group_put(&c));
    first = c.queue[0];
    assert_true(group_put(&c));
    first->next = NULL;
    bad_disk_arm(&bad);
    outbox_sqlite_run(c.o, first);
    bad_disk_disarm(&bad);
    assert_int_equal(first->err, ERR_ROOM);
    c.queue[0] = c.queue[1]; /* it was on its way already */
    c.n = 1;
    outbox_sqlite_run(c.o, c.queue[0]);
    assert_int_equal(c.queue[0]->err, ERR_AGAIN);
    first->done(first);
    c.queue[0]->done(c.queue[0]);
    c.n = 0;
    dir_copy();
    records_are(copy, 0, 0);
    assert_true(journal_retry(c.j));
    course_run(&c, NULL);
    assert_int_equal(c.kept, 2);
    journal_free(&c.j);
    outbox_sqlite_free(&c.o);
    records_are(dir, 2, 2);
    while (bad_disk_next(&bad)) {
    }
}

/* A file that is moved away is not made anew in its place, nor another's used. */
static void
i6_a_client_waits_for_its_own_file(void **state)
{
    (void)state;
    static const struct env_ops ops = {.store = course_store};
    struct course c = {.env.ops = &ops};
    struct outbox_sqlite *other;
    char path[128], command[256];
    dir_empty();
    snprintf(path, sizeof path, "%s/client.db", dir);
    assert_int_equal(journal_new(&c.j, &c.env), 0);
    assert_int_equal(outbox_sqlite_new(&c.o, path, NULL), 0);
    assert_true(group_put(&c));
    course_run(&c, NULL);
    assert_int_equal(c.kept, 1);
    snprintf(command, sizeof command, "mv '%s' '%s'", dir, copy);
    assert_int_equal(system(command), 0);
    assert_true(group_put(&c));
    course_run(&c, NULL);
    assert_int_equal(journal_error(c.j), ERR_FOLDER);
    dir_empty();
    assert_int_equal(outbox_sqlite_new(&other, path, NULL), 0);
    outbox_sqlite_free(&other);
    assert_true(journal_retry(c.j));
    course_run(&c, NULL);
    assert_int_equal(journal_error(c.j), ERR_FOLDER);
    records_are(dir, 0, 0);
    snprintf(command, sizeof command, "rm -r '%s' && mv '%s' '%s'", dir, copy,
             dir);
    assert_int_equal(system(command), 0);
    assert_true(journal_retry(c.j));
    course_run(&c, NULL);
    assert_int_equal(journal_error(c.j), 0);
    assert_int_equal(c.kept, 2);
    journal_free(&c.j);
    outbox_sqlite_free(&c.o);
    records_are(dir, 2, 2);
}

/* ---- a store ---- */

enum { LEN = 1000, LETTERS = 24, LIST = 6, DAY = 20000 };

static void
letter_make(uint8_t *letter, unsigned i)
{
    memset(letter, (int)(i + 1), LEN);
}

static struct env_store_req
letter_request(enum env_store_op op, unsigned i, uint8_t *letter)
{
    struct env_store_req r = {.op = op,
                              .slot = (uint8_t)(i % 16),
                              .expiry_day = DAY + i % 2,
                              .letter = letter,
                              .letter_len = LEN};
    memset(r.box, (int)(i / 16 + 1), sizeof r.box);
    r.held = (uint16_t)(op == ENV_STORE_GET ? ~(1u << i % 16) : 0);
    return r;
}

/* Put letters i to i + LIST - 1 in one list; note which are kept. */
static void
letters_put(struct store_sqlite *s, unsigned i, bool kept[static LETTERS],
            struct bad_disk *bad)
{
    static uint8_t letter[LIST][LEN];
    struct env_store_req r[LIST];
    for (unsigned k = 0; k < LIST; k++) {
        letter_make(letter[k], i + k);
        r[k] = letter_request(ENV_STORE_PUT, i + k, letter[k]);
        r[k].next = k + 1 < LIST ? &r[k + 1] : NULL;
    }
    if (bad)
        bad_disk_arm(bad);
    store_sqlite_run(s, r);
    if (bad)
        bad_disk_disarm(bad);
    for (unsigned k = 0; k < LIST; k++) {
        assert_true(!r[k].err || (bad && bad->failed));
        kept[i + k] |= r[k].err == 0;
    }
}

/* What was kept is there, and as it was. */
static void
letters_are(struct store_sqlite *s, const bool kept[static LETTERS])
{
    uint8_t letter[LEN], right[LEN];
    for (unsigned i = 0; i < LETTERS; i++) {
        struct env_store_req r = letter_request(ENV_STORE_GET, i, letter);
        store_sqlite_run(s, &r);
        if (kept[i])
            assert_int_equal(r.err, 0);
        if (r.err)
            continue;
        letter_make(right, i);
        assert_memory_equal(letter, right, LEN);
    }
}

static void
store_open_and_look(const char *place, const bool kept[static LETTERS])
{
    struct store_sqlite *s;
    assert_int_equal(
        store_sqlite_new(&s, place, LEN, 1000 * store_sqlite_disk(LEN)), 0);
    letters_are(s, kept);
    store_sqlite_free(&s);
}

static void
store_course(struct bad_disk *bad)
{
    struct store_sqlite *s = NULL;
    bool kept[LETTERS] = {false};
    dir_empty();
    bad_disk_arm(bad);
    int err = store_sqlite_new(&s, dir, LEN, 1000 * store_sqlite_disk(LEN));
    bad_disk_disarm(bad);
    if (err) {
        assert_true(bad->failed);
        assert_int_equal(
            store_sqlite_new(&s, dir, LEN, 1000 * store_sqlite_disk(LEN)), 0);
    }
    for (unsigned i = 0; i < LETTERS; i += LIST)
        letters_put(s, i, kept, bad);
    if (bad->failed) {
        dir_copy();
        store_open_and_look(copy, kept);
    }
    letters_are(s, kept); /* it goes on by itself */
    for (unsigned i = 0; i < LETTERS; i += LIST)
        letters_put(s, i, kept, NULL);
    letters_are(s, kept);
    store_sqlite_free(&s);
    store_open_and_look(dir, kept);
}

static void
i6_a_store_keeps_what_it_says(void **state)
{
    (void)state;
    each_fails(BAD_ALL, 10, store_course);
}

enum { MANY = 640 };

/* Put i, and tell whether it is there. */
static int
many_request(struct store_sqlite *s, enum env_store_op op, unsigned i)
{
    uint8_t letter[LEN];
    letter_make(letter, i);
    struct env_store_req r = letter_request(op, i, letter);
    store_sqlite_run(s, &r);
    return r.err;
}

/* Overwrite all but the head of a day's file. */
static void
day_damage(uint32_t day)
{
    char path[128], command[400];
    snprintf(path, sizeof path, "%s/letters-%u.db", dir, day);
    snprintf(command, sizeof command,
             "dd if=/dev/zero bs=16384 seek=1 count=60 conv=notrunc of='%s' "
             "2>'%s.dd'",
             path, dir);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "%s.dd", dir);
    unlink(command);
}

/* Whenever a day's file turns out to be damaged, its letters are lost, and no
 * others; and the store goes on, with that day too. */
static void
i6_a_damaged_file_costs_a_store_one_day(void **state)
{
    (void)state;
    for (unsigned open = 0; open < 2; open++) {
        struct store_sqlite *s;
        char path[128];
        dir_empty();
        for (unsigned life = 0; life < 2; life++) {
            assert_int_equal(
                store_sqlite_new(&s, dir, LEN, 2000 * store_sqlite_disk(LEN)),
                0);
            for (unsigned i = 0; i < MANY && life == 0; i++)
                assert_int_equal(many_request(s, ENV_STORE_PUT, i), 0);
            if (life == 0)
                store_sqlite_free(&s);
            if (life == open)
                day_damage(DAY);
        }
        for (unsigned i = 0; i < MANY; i += 2)
            (void)many_request(s, ENV_STORE_GET, i);
        assert_int_equal(store_sqlite_damaged(s), 1);
        for (unsigned i = 1; i < MANY; i += 2)
            assert_int_equal(many_request(s, ENV_STORE_GET, i), 0);
        for (unsigned i = 0; i < MANY; i += 2) {
            assert_int_equal(many_request(s, ENV_STORE_PUT, i), 0);
            assert_int_equal(many_request(s, ENV_STORE_GET, i), 0);
        }
        assert_int_equal(store_sqlite_error(s), 0);
        snprintf(path, sizeof path, "%s/letters-%u.damaged", dir, DAY);
        assert_int_equal(access(path, F_OK), 0);
        assert_int_equal(store_sqlite_expire(s, DAY + 1), 0);
        (void)many_request(s, ENV_STORE_GET, 1);
        assert_int_equal(access(path, F_OK), -1); /* it goes with its day */
        store_sqlite_free(&s);
    }
}

/* ---- an authority ---- */

enum { KEPT = 5, KEPT_LEN = 3000 };

/* What an authority puts: a document's length and bytes tell which it is. */
static const struct {
    enum authority_output what;
    uint32_t epoch;
} output[KEPT] = {{AUTHORITY_KEEP_PROMISES, 3},
                  {AUTHORITY_KEEP_VOTE, 3},
                  {AUTHORITY_KEEP_HEARD, 3},
                  {AUTHORITY_KEEP_CONSENSUS, 3},
                  {AUTHORITY_KEEP_VOTE, 4}};

static void
output_seen(void *ctx, enum authority_output what, const uint8_t *bytes,
            size_t len)
{
    bool *seen = ctx;
    const unsigned i = bytes[0];
    (void)what;
    assert_true(len == KEPT_LEN && i < KEPT);
    for (size_t k = 1; k < len; k++)
        assert_int_equal(bytes[k], i);
    seen[i] = true;
}

static void
outputs_put(bool kept[static KEPT], struct bad_disk *bad)
{
    uint8_t bytes[KEPT_LEN];
    for (unsigned i = 0; i < KEPT; i++) {
        memset(bytes, (int)i, sizeof bytes);
        if (bad)
            bad_disk_arm(bad);
        int err =
            disk_put(dir, output[i].what, output[i].epoch, bytes, sizeof bytes);
        if (bad)
            bad_disk_disarm(bad);
        assert_true(!err || (bad && bad->failed));
        kept[i] |= !err;
    }
}

static void
outputs_are(const bool kept[static KEPT])
{
    bool seen[KEPT] = {false};
    assert_int_equal(disk_each(dir, output_seen, seen), 0);
    for (unsigned i = 0; i < KEPT; i++)
        assert_true(seen[i] || !kept[i]);
}

static void
authority_course(struct bad_disk *bad)
{
    enum { NOW_S = 1800000000 };
    struct disk_keys first, k;
    bool kept[KEPT] = {false}, seen[KEPT] = {false};
    uint8_t *seed;
    char path[128];
    dir_empty();
    snprintf(path, sizeof path, "%s/authority.key", dir);
    assert_int_equal(files_key(path, &seed), 0);
    secret_free((void **)&seed);
    bad_disk_arm(bad);
    int begun = disk_begin(dir);
    int err = disk_keys(&first, dir, NOW_S, DISK_WHEN_DUE);
    bad_disk_disarm(bad);
    assert_true((!begun && !err) || bad->failed);
    if (begun)
        assert_int_equal(disk_begin(dir), 0);
    assert_true(disk_is_whole(dir));
    if (err)
        assert_int_equal(disk_keys(&first, dir, NOW_S, DISK_WHEN_DUE), 0);
    outputs_put(kept, bad);
    outputs_are(kept);
    bad_disk_arm(bad);
    err = disk_each(dir, output_seen, seen);
    bad_disk_disarm(bad);
    for (unsigned i = 0; i < KEPT; i++)
        assert_true(seen[i] || !kept[i] || err);
    /* new keys; whatever became of them, there are some, of this authority */
    bad_disk_arm(bad);
    err = disk_keys(&k, dir, NOW_S + 60, DISK_NOW);
    bad_disk_disarm(bad);
    assert_true(!err || bad->failed);
    disk_keys_free(&k);
    assert_int_equal(disk_keys(&k, dir, NOW_S + 120, DISK_WHEN_DUE), 0);
    assert_memory_equal(k.identity, first.identity, sizeof k.identity);
    assert_int_equal(certificate_check(&k.cert, k.identity), 0);
    disk_keys_free(&k);
    disk_keys_free(&first);
    outputs_put(kept, NULL);
    outputs_are(kept);
}

static void
i9_an_authority_has_what_it_kept(void **state)
{
    (void)state;
    each_fails(BAD_ALL, 10, authority_course);
}

const struct CMUnitTest test_faults[] = {
    cmocka_unit_test_setup_teardown(i6_a_client_keeps_what_its_disk_refused,
                                    dirs_make, dirs_remove),
    cmocka_unit_test_setup_teardown(i6_groups_are_kept_in_their_order,
                                    dirs_make, dirs_remove),
    cmocka_unit_test_setup_teardown(i6_a_client_waits_for_its_own_file,
                                    dirs_make, dirs_remove),
    cmocka_unit_test_setup_teardown(i6_a_store_keeps_what_it_says, dirs_make,
                                    dirs_remove),
    cmocka_unit_test_setup_teardown(i6_a_damaged_file_costs_a_store_one_day,
                                    dirs_make, dirs_remove),
    cmocka_unit_test_setup_teardown(i9_an_authority_has_what_it_kept, dirs_make,
                                    dirs_remove),
};
TEST_SUITE(test_faults);
