/* tests/unit/test_wipe.c - what is said to be wiped is in no file (I8).
 *
 * Whoever takes a disk reads the blocks of files that were unlinked, too. Here a
 * hard link made beforehand keeps them: what a file held when its name went is
 * read as from the raw disk. A search that cannot find is told from one that
 * need not by what has not been wiped yet. */
#include "tests/runner.h"

#include <dirent.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/daemon/outbox_sqlite.h"
#include "lib/codec.h"
#include "lib/os/files.h"
#include "lib/os/key_slots.h"
#include "lib/os/wipe.h"
#include "lib/rng_seeded.h"
#include "lib/secret.h"
#include "relay/daemon/keys.h"
#include "relay/daemon/store_sqlite.h"
#include "tests/folder.h"

enum { LEN = 1232, DAY = 20000, LETTERS = 64, FILE_MAX = 64 << 20 };

static char dir[FOLDER_LEN], disk[FOLDER_LEN];

static int
dirs_make(void **state)
{
    (void)state;
    return folder_make(dir) || folder_make(disk) ? -1 : 0;
}

static int
dirs_remove(void **state)
{
    (void)state;
    return folder_remove(dir) || folder_remove(disk) ? -1 : 0;
}

/* Keep what the files of dir hold reachable, whatever becomes of their names. */
static void
disk_keep(void)
{
    static unsigned n;
    struct stat st;
    char from[FILES_PATH_MAX], to[FILES_PATH_MAX];
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(from, sizeof from, "%s/%s", dir, e->d_name);
        assert_int_equal(stat(from, &st), 0);
        if (st.st_nlink > 1)
            continue; /* kept already */
        snprintf(to, sizeof to, "%s/%u", disk, n++);
        assert_int_equal(link(from, to), 0);
    }
    closedir(d);
}

/* How many files of a folder hold these octets? */
static unsigned
folder_search(const char *folder, const void *what, size_t len)
{
    unsigned found = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        char path[FILES_PATH_MAX];
        uint8_t *bytes;
        size_t n;
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        assert_int_equal(files_read(path, FILE_MAX, &bytes, &n), 0);
        found += memmem(bytes, n, what, len) != NULL;
        free(bytes);
    }
    closedir(d);
    return found;
}

static unsigned
disk_search(const void *what, size_t len)
{
    return folder_search(disk, what, len) + folder_search(dir, what, len);
}

/* ---- letters ---- */

struct letter {
    uint8_t box[32], body[LEN];
};

static void
letters_put(struct store_sqlite *s, struct rng_seeded *rng, uint32_t day,
            struct letter letter[static LETTERS])
{
    rng_seeded_bytes(rng, letter, LETTERS * sizeof letter[0]);
    for (size_t i = 0; i < LETTERS; i++) {
        struct env_store_req r = {.op = ENV_STORE_PUT,
                                  .slot = (uint8_t)(i % 16),
                                  .expiry_day = day,
                                  .letter = letter[i].body,
                                  .letter_len = LEN};
        memcpy(r.box, letter[i].box, sizeof r.box);
        store_sqlite_run(s, &r);
        assert_int_equal(r.err, 0);
    }
}

static bool
letter_is_there(struct store_sqlite *s, const struct letter *letter)
{
    uint8_t body[LEN];
    struct env_store_req r = {
        .op = ENV_STORE_GET, .letter = body, .letter_len = LEN};
    memcpy(r.box, letter->box, sizeof r.box);
    store_sqlite_run(s, &r);
    return r.err == 0 && memcmp(body, letter->body, LEN) == 0;
}

/* Nothing of a letter, its box's id, or the key of its day. */
static void
nothing_is_left(const struct letter letter[static LETTERS], const uint8_t *key)
{
    for (size_t i = 0; i < LETTERS; i++) {
        assert_int_equal(disk_search(letter[i].box, 16), 0);
        assert_int_equal(disk_search(letter[i].body + LEN / 2, 32), 0);
    }
    assert_int_equal(disk_search(key, WIPE_KEY_LEN), 0);
}

static uint8_t *
day_key(uint32_t day)
{
    char path[FILES_PATH_MAX];
    uint8_t *key;
    snprintf(path, sizeof path, "%s/letters-%u.key", dir, day);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(wipe_key(path, &key), 0);
    return key;
}

/* Letters of two days, in the files and in their journals; the first day ends.
 * Its letters can be read no more, wherever the disk keeps what; those of the
 * second are read by who has their key, which is there. */
static void
i8_letters_that_are_over_are_nowhere(void **state)
{
    (void)state;
    static struct letter letter[2][LETTERS];
    struct store_sqlite *s;
    struct rng_seeded rng;
    uint8_t *key[2];
    rng_seeded_init_u64(&rng, test_seed(), "wipe");
    assert_int_equal(store_sqlite_new(&s, dir, LEN, 1 << 24), 0);
    for (unsigned i = 0; i < 2; i++) {
        letters_put(s, &rng, DAY + i, letter[i]);
        key[i] = day_key(DAY + i);
    }
    disk_keep();
    assert_int_equal(disk_search(key[0], WIPE_KEY_LEN), 2);
    assert_int_equal(store_sqlite_expire(s, DAY + 1), 0);
    for (size_t i = 0; i < LETTERS; i++) {
        assert_false(letter_is_there(s, &letter[0][i]));
        assert_true(letter_is_there(s, &letter[1][i]));
    }
    nothing_is_left(letter[0], key[0]);
    assert_int_equal(disk_search(key[1], WIPE_KEY_LEN), 2);
    store_sqlite_free(&s);
    secret_free((void **)&key[0]);
    secret_free((void **)&key[1]);
}

/* The store dies when a day's key is overwritten, and its letters are not gone
 * yet; or before its name is gone: the next life ends that, and the day's room
 * is free. */
static void
i8_a_day_half_destroyed_is_destroyed(void **state)
{
    (void)state;
    static const uint8_t zeros[WIPE_PAGE_LEN];
    static struct letter letter[LETTERS];
    char path[FILES_PATH_MAX];
    struct store_sqlite *s;
    struct rng_seeded rng;
    rng_seeded_init_u64(&rng, test_seed(), "half");
    for (unsigned way = 0; way < 2; way++) {
        const uint64_t room = LETTERS * store_sqlite_disk(LEN);
        assert_int_equal(store_sqlite_new(&s, dir, LEN, room), 0);
        letters_put(s, &rng, DAY + way, letter);
        store_sqlite_free(&s);
        snprintf(path, sizeof path, "%s/letters-%u.key", dir, DAY + way);
        if (way == 0)
            assert_int_equal(files_write(path, zeros, sizeof zeros), 0);
        else
            assert_int_equal(unlink(path), 0);
        assert_int_equal(store_sqlite_new(&s, dir, LEN, room), 0);
        assert_false(letter_is_there(s, &letter[0]));
        snprintf(path, sizeof path, "%s/letters-%u.db", dir, DAY + way);
        assert_int_equal(access(path, F_OK), -1);
        letters_put(s, &rng, DAY + 10,
                    letter); /* into the room of the others */
        assert_int_equal(store_sqlite_expire(s, DAY + 11), 0);
        assert_false(letter_is_there(s, &letter[0]));
        store_sqlite_free(&s);
    }
}

/* A day's key cannot be overwritten, as on a full disk of a file system that
 * writes elsewhere: its letters go all the same, for room is what is wanted, and
 * the key when it can be. */
static void
i8_letters_go_before_a_key_that_stays(void **state)
{
    (void)state;
    static struct letter letter[LETTERS];
    char path[FILES_PATH_MAX], away[FILES_PATH_MAX];
    struct store_sqlite *s;
    struct rng_seeded rng;
    rng_seeded_init_u64(&rng, test_seed(), "stays");
    assert_int_equal(store_sqlite_new(&s, dir, LEN, 1 << 24), 0);
    letters_put(s, &rng, DAY, letter);
    uint8_t *key = day_key(DAY);
    snprintf(path, sizeof path, "%s/letters-%u.key", dir, DAY);
    snprintf(away, sizeof away, "%s/away", dir);
    assert_int_equal(rename(path, away), 0);
    assert_int_equal(symlink(away, path), 0); /* that is not followed */
    assert_int_equal(store_sqlite_expire(s, DAY + 1), 0); /* not yet */
    assert_false(letter_is_there(s, &letter[0]));
    assert_int_equal(store_sqlite_expire(s, DAY + 1), ERR_KIND);
    snprintf(path, sizeof path, "%s/letters-%u.db", dir, DAY);
    assert_int_equal(access(path, F_OK), -1);
    snprintf(path, sizeof path, "%s/letters-%u.key", dir, DAY);
    assert_int_equal(rename(away, path), 0);
    disk_keep();
    assert_int_equal(disk_search(key, WIPE_KEY_LEN), 2);
    assert_false(letter_is_there(s, &letter[0]));
    assert_int_equal(store_sqlite_expire(s, DAY + 1), 0);
    assert_int_equal(disk_search(key, WIPE_KEY_LEN), 0);
    store_sqlite_free(&s);
    secret_free((void **)&key);
}

/* A disk that gives one letter for all others is not believed. */
static void
i8_a_changed_letter_is_not_given(void **state)
{
    (void)state;
    static struct letter letter[LETTERS];
    char path[FILES_PATH_MAX];
    unsigned there = 0;
    struct store_sqlite *s;
    struct rng_seeded rng;
    sqlite3 *db;
    rng_seeded_init_u64(&rng, test_seed(), "changed");
    assert_int_equal(store_sqlite_new(&s, dir, LEN, 1 << 24), 0);
    letters_put(s, &rng, DAY, letter);
    assert_true(letter_is_there(s, &letter[0]));
    store_sqlite_free(&s);
    snprintf(path, sizeof path, "%s/letters-%u.db", dir, DAY);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "UPDATE letter SET sealed="
                                  "(SELECT sealed FROM letter LIMIT 1)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(store_sqlite_new(&s, dir, LEN, 1 << 24), 0);
    for (size_t i = 0; i < LETTERS; i++)
        there += letter_is_there(s, &letter[i]);
    assert_int_equal(there, 1); /* the one */
    store_sqlite_free(&s);
}

/* ---- packet keys ---- */

static void
i8_packet_keys_are_overwritten(void **state)
{
    (void)state;
    uint8_t *seed[2];
    char hex[2][65];
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(keys_seed(dir, 7 + i, &seed[i]), 0);
        codec_hex(hex[i], seed[i], 32);
    }
    disk_keep();
    assert_int_equal(disk_search(hex[0], 64), 2);
    assert_int_equal(keys_forget(dir, 8), 0);
    assert_int_equal(disk_search(hex[0], 64), 0);
    assert_int_equal(disk_search(hex[1], 64), 2);
    secret_free((void **)&seed[0]);
    secret_free((void **)&seed[1]);
}

/* ---- a client's records ---- */

enum { RECORD_MAX = 20000, ROUNDS = 60 };

/* One record: every eighth octet of its value begins a mark of its own, so that
 * a piece that is left of it is found wherever it was cut. */
struct record {
    uint8_t mark[8];
    uint32_t len; /* 0: there is none */
};

static uint8_t group[64 * (RECORD_MAX + 32)];
static size_t group_len;

static void
group_put(uint8_t number, const struct record *r)
{
    uint8_t *at = group + group_len;
    *at++ = JOURNAL_PUT;
    *at++ = 2;
    *at++ = 'r';
    *at++ = number;
    codec_put32(at, r->len);
    at += 4;
    for (uint32_t i = 0; i < r->len; i++)
        *at++ = r->mark[i % 8];
    group_len = (size_t)(at - group);
}

static void
group_delete(uint8_t number)
{
    const uint8_t text[] = {JOURNAL_DELETE, 2, 'r', number};
    memcpy(group + group_len, text, sizeof text);
    group_len += sizeof text;
}

static void
group_commit(struct outbox_sqlite *o)
{
    struct env_store_req r = {
        .op = ENV_STORE_APPEND, .letter = group, .letter_len = group_len};
    outbox_sqlite_run(o, &r);
    assert_int_equal(r.err, 0);
    group_len = 0;
}

static void
record_draw(struct rng_seeded *rng, struct record *r)
{
    const uint64_t u = rng_seeded_u64(rng);
    rng_seeded_bytes(rng, r->mark, sizeof r->mark);
    r->len = 64 + (uint32_t)((u >> 8) % (u & 1 ? RECORD_MAX - 64 : 1000));
}

/* The keys in the file beside the database, in any order. */
static size_t
slots_read(uint8_t (**keys)[KEY_SLOT_LEN])
{
    char path[FILES_PATH_MAX];
    uint8_t *bytes;
    size_t len, n = 0;
    snprintf(path, sizeof path, "%s/client.db-keys", dir);
    assert_int_equal(files_read(path, FILE_MAX, &bytes, &len), 0);
    for (size_t i = 0; i + KEY_SLOT_LEN <= len; i += KEY_SLOT_LEN)
        if (!sodium_is_zero(bytes + i, KEY_SLOT_LEN))
            memmove(bytes + n++ * KEY_SLOT_LEN, bytes + i, KEY_SLOT_LEN);
    *keys = (uint8_t(*)[KEY_SLOT_LEN])bytes;
    return n;
}

static bool
key_is_among(const uint8_t *key, const uint8_t (*keys)[KEY_SLOT_LEN], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(key, keys[i], KEY_SLOT_LEN) == 0)
            return true;
    return false;
}

/* What is known of a round: the marks of values that went, all keys there were. */
struct known {
    uint8_t gone[ROUNDS * 16][8];
    uint8_t key[ROUNDS * 256][KEY_SLOT_LEN];
    size_t n_gone, n_keys;
};

static void
known_keys(struct known *k)
{
    uint8_t(*keys)[KEY_SLOT_LEN];
    const size_t n = slots_read(&keys);
    for (size_t i = 0; i < n; i++)
        if (!key_is_among(keys[i], (const uint8_t(*)[KEY_SLOT_LEN])k->key,
                          k->n_keys))
            memcpy(k->key[k->n_keys++], keys[i], KEY_SLOT_LEN);
    free(keys);
}

/* Sixteen records come, change or go. */
static void
records_change(struct rng_seeded *rng, struct record record[static 256],
               struct known *k)
{
    for (unsigned i = 0; i < 16; i++) {
        const uint8_t at = (uint8_t)rng_seeded_u64(rng);
        struct record *r = &record[at];
        if (r->len > 0)
            memcpy(k->gone[k->n_gone++], r->mark, sizeof r->mark);
        if (r->len > 0 && rng_seeded_u64(rng) & 1) {
            r->len = 0;
            group_delete(at);
        } else {
            record_draw(rng, r);
            group_put(at, r);
        }
    }
}

static int
record_compare(void *ctx, const uint8_t *key, size_t key_len,
               const uint8_t *value, size_t len)
{
    const struct record *r = (const struct record *)ctx + key[key_len - 1];
    assert_int_equal(len, r->len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(value[i], r->mark[i % 8]);
    return 0;
}

/* No value, of those that are there neither, and no key of one that is not. */
static void
values_are_nowhere(const struct known *k, const struct record *record)
{
    unsigned n_records = 0, left = 0;
    uint8_t(*live)[KEY_SLOT_LEN];
    const size_t n_live = slots_read(&live);
    for (size_t i = 0; i < k->n_gone; i++)
        assert_int_equal(disk_search(k->gone[i], 8), 0);
    for (unsigned i = 0; i < 256; i++) {
        n_records += record[i].len > 0;
        assert_int_equal(record[i].len > 0 ? disk_search(record[i].mark, 8) : 0,
                         0);
    }
    assert_int_equal(n_live, n_records);
    for (size_t i = 0; i < k->n_keys; i++)
        if (!key_is_among(k->key[i], (const uint8_t(*)[KEY_SLOT_LEN])live,
                          n_live))
            left += disk_search(k->key[i], KEY_SLOT_LEN) > 0;
        else
            assert_true(disk_search(k->key[i], KEY_SLOT_LEN) > 0);
    print_message("  %u of %zu keys of erased records are left\n", left,
                  k->n_keys - n_live);
    assert_int_equal(left, 0);
    free(live);
}

/* Records come, change and go, in groups and over restarts: what went, or was
 * there before a change, can be read from no file once the change is durable,
 * with whatever else is found there; what is there is read. */
static void
i8_erased_records_are_nowhere(void **state)
{
    (void)state;
    static struct record record[256];
    static struct known known;
    char path[FILES_PATH_MAX];
    struct outbox_sqlite *o;
    struct rng_seeded rng;
    rng_seeded_init_u64(&rng, test_seed(), "erased");
    memset(record, 0, sizeof record);
    known.n_gone = known.n_keys = 0;
    snprintf(path, sizeof path, "%s/client.db", dir);
    assert_int_equal(outbox_sqlite_new(&o, path, NULL), 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        records_change(&rng, record, &known);
        group_commit(o);
        known_keys(&known);
        disk_keep();
        if (round % 8 == 7) {
            assert_int_equal(outbox_sqlite_load(o, record_compare, record), 0);
            outbox_sqlite_free(&o);
            assert_int_equal(outbox_sqlite_new(&o, path, NULL), 0);
        }
    }
    assert_true(known.n_keys > 3 * ROUNDS);
    values_are_nowhere(&known, record);
    outbox_sqlite_free(&o);
}

/* A client is killed with a change on its way: the next life has the keys of the
 * records that it has, whichever they are, and no others. A key that is lost is
 * said to be. */
static void
i8_keys_are_settled_after_a_kill(void **state)
{
    (void)state;
    static struct record record[256];
    char path[FILES_PATH_MAX], keys[FILES_PATH_MAX];
    struct key_slots *k;
    struct outbox_sqlite *o;
    struct rng_seeded rng;
    uint8_t key[KEY_SLOT_LEN], (*live)[KEY_SLOT_LEN];
    uint32_t slot;
    rng_seeded_init_u64(&rng, test_seed(), "kill");
    memset(record, 0, sizeof record);
    snprintf(path, sizeof path, "%s/client.db", dir);
    snprintf(keys, sizeof keys, "%s/client.db-keys", dir);
    assert_int_equal(outbox_sqlite_new(&o, path, NULL), 0);
    record_draw(&rng, &record[1]);
    group_put(1, &record[1]);
    group_commit(o);
    outbox_sqlite_free(&o);
    assert_int_equal(key_slots_open(&k, keys, false),
                     0); /* before its commit */
    assert_int_equal(key_slots_claim(k, 0), 0);
    assert_int_equal(key_slots_claim(k, 0), ERR_DUPLICATE);
    assert_int_equal(key_slots_claim(k, 1), ERR_MISSING);
    assert_int_equal(key_slots_take(k, &slot, key), 0);
    assert_int_equal(slot, 1);
    assert_int_equal(key_slots_sync(k), 0);
    key_slots_close(&k);
    disk_keep();
    assert_int_equal(disk_search(key, sizeof key), 2);
    assert_int_equal(outbox_sqlite_new(&o, path, NULL), 0);
    assert_int_equal(outbox_sqlite_load(o, record_compare, record), 0);
    assert_int_equal(disk_search(key, sizeof key), 2);
    outbox_sqlite_settle(o);
    assert_int_equal(disk_search(key, sizeof key), 0);
    assert_int_equal(slots_read(&live), 1);
    free(live);
    outbox_sqlite_free(&o);
    assert_int_equal(wipe_file(keys), 0);
    assert_int_equal(outbox_sqlite_new(&o, path, NULL), ERR_NOT_FOUND);
    assert_int_equal(access(keys, F_OK), -1);
}

/* A client starts while its database is away (a disk that is not there yet, a
 * copy that is brought back by halves): its keys are not taken for those of
 * records that are gone. */
static void
i10_keys_wait_for_their_records(void **state)
{
    (void)state;
    static struct record record[256];
    char path[FILES_PATH_MAX], away[FILES_PATH_MAX];
    struct outbox_sqlite *o;
    struct rng_seeded rng;
    rng_seeded_init_u64(&rng, test_seed(), "away");
    memset(record, 0, sizeof record);
    snprintf(path, sizeof path, "%s/client.db", dir);
    snprintf(away, sizeof away, "%s/away", dir);
    assert_int_equal(outbox_sqlite_new(&o, path, NULL), 0);
    record_draw(&rng, &record[1]);
    group_put(1, &record[1]);
    group_commit(o);
    outbox_sqlite_free(&o);
    assert_int_equal(rename(path, away), 0);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(outbox_sqlite_new(&o, path, NULL), ERR_FOLDER);
    assert_int_equal(rename(away, path), 0);
    assert_int_equal(outbox_sqlite_new(&o, path, NULL), 0);
    assert_int_equal(outbox_sqlite_load(o, record_compare, record), 0);
    outbox_sqlite_free(&o);
}

/* A day's key is damaged, or another day's: the letters and it are set aside, and are
 * over with their day; the day begins anew. */
static void
i8_a_key_set_aside_goes_with_its_day(void **state)
{
    (void)state;
    static struct letter letter[2][LETTERS];
    char path[FILES_PATH_MAX], aside[FILES_PATH_MAX];
    struct store_sqlite *s;
    struct rng_seeded rng;
    uint8_t *page;
    size_t len;
    rng_seeded_init_u64(&rng, test_seed(), "aside");
    snprintf(path, sizeof path, "%s/letters-%u.key", dir, DAY);
    snprintf(aside, sizeof aside, "%s/letters-%u.key-damaged", dir, DAY);
    for (unsigned way = 0; way < 3; way++) {
        assert_int_equal(store_sqlite_new(&s, dir, LEN, 1 << 24), 0);
        letters_put(s, &rng, DAY, letter[0]);
        store_sqlite_free(&s);
        assert_int_equal(files_read(path, WIPE_PAGE_LEN, &page, &len), 0);
        page[way == 0 ? 3 : 30] ^= 1;
        const size_t wrong_len = way == 2 ? 100 : len;
        assert_int_equal(files_write(path, page, wrong_len), 0);
        assert_int_equal(store_sqlite_new(&s, dir, LEN, 1 << 24), 0);
        assert_int_equal(store_sqlite_damaged(s), 1);
        assert_false(letter_is_there(s, &letter[0][0]));
        letters_put(s, &rng, DAY, letter[1]);
        assert_true(letter_is_there(s, &letter[1][0]));
        assert_true(disk_search(page + 40, 8) > 0);
        assert_int_equal(access(aside, F_OK), 0);
        assert_int_equal(store_sqlite_expire(s, DAY + 1), 0);
        assert_false(letter_is_there(s, &letter[1][0]));
        assert_int_equal(access(aside, F_OK), -1);
        assert_int_equal(disk_search(page + 40, 8), 0);
        store_sqlite_free(&s);
        free(page);
    }
}

/* Nothing but a file is overwritten: a link's aim is somebody else's. */
static void
i8_links_are_not_followed(void **state)
{
    (void)state;
    char path[FILES_PATH_MAX], aim[FILES_PATH_MAX];
    uint8_t *bytes;
    size_t len;
    snprintf(path, sizeof path, "%s/link", dir);
    snprintf(aim, sizeof aim, "%s/aim", dir);
    assert_int_equal(files_write(aim, "theirs", 6), 0);
    assert_int_equal(symlink(aim, path), 0);
    assert_int_equal(wipe_file(path), ERR_KIND);
    assert_int_equal(wipe_file(dir), ERR_KIND);
    assert_int_equal(files_read(aim, 6, &bytes, &len), 0);
    assert_memory_equal(bytes, "theirs", 6);
    free(bytes);
    assert_int_equal(wipe_file(aim), 0);
    assert_int_equal(wipe_file(aim), 0);
}

#define WIPE_TEST(f) cmocka_unit_test_setup_teardown(f, dirs_make, dirs_remove)

const struct CMUnitTest test_wipe[] = {
    WIPE_TEST(i8_letters_that_are_over_are_nowhere),
    WIPE_TEST(i8_a_day_half_destroyed_is_destroyed),
    WIPE_TEST(i8_letters_go_before_a_key_that_stays),
    WIPE_TEST(i8_a_changed_letter_is_not_given),
    WIPE_TEST(i8_packet_keys_are_overwritten),
    WIPE_TEST(i8_erased_records_are_nowhere),
    WIPE_TEST(i8_keys_are_settled_after_a_kill),
    WIPE_TEST(i10_keys_wait_for_their_records),
    WIPE_TEST(i8_a_key_set_aside_goes_with_its_day),
    WIPE_TEST(i8_links_are_not_followed),
};
TEST_SUITE(test_wipe);
