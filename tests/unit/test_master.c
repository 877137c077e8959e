/* tests/unit/test_master.c - the master key of a client's records: its file, what
 * opens without it, and records of a time before it. */
#include "tests/runner.h"

#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/daemon/master.h"
#include "client/daemon/outbox_sqlite.h"
#include "lib/codec.h"
#include "lib/os/files.h"
#include "lib/os/wipe.h"
#include "tests/bad_disk.h"
#include "tests/folder.h"

static const struct passphrase_cost cheap = {.ops = 1, .mem = 8192};

static const char *
at(const char *name)
{
    static char path[2][FILES_PATH_MAX];
    static unsigned turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder_path, name);
    return path[turn];
}

static void
file_get(const char *name, uint8_t **bytes, size_t *len)
{
    assert_int_equal(files_read(at(name), 1 << 22, bytes, len), 0);
}

static void
file_put(const char *name, const uint8_t *bytes, size_t len)
{
    FILE *f = fopen(at(name), "wb"); /* no disk is waited for */
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

/* Write the file anew, with what it has or a new key, under this passphrase. */
static int
seal(const char *was, const char *now)
{
    struct passphrase p;
    struct master *m;
    int err = master_read(&m, at("client.db"), true);
    if (err)
        return err;
    assert_int_equal(passphrase_set(&p, was, strlen(was)), 0);
    if (master_kind(m) == MASTER_SEALED)
        err = master_open(m, &p);
    passphrase_free(&p);
    assert_int_equal(passphrase_set(&p, now, strlen(now)), 0);
    if (!err)
        err = master_write(m, &p, &cheap);
    passphrase_free(&p);
    master_free(&m);
    return err;
}

/* Open the file by a passphrase; *m is the caller's, also then. */
static int
open_by(struct master **m, const char *text)
{
    struct passphrase p;
    int err = master_read(m, at("client.db"), false);
    if (err)
        return err;
    assert_int_equal(passphrase_set(&p, text, strlen(text)), 0);
    if (!master_is_open(*m))
        err = master_open(*m, &p);
    passphrase_free(&p);
    return err;
}

static int
opens_by(const char *text)
{
    struct master *m;
    const int err = open_by(&m, text);
    master_free(&m);
    return err;
}

/* ---- the file ---- */

static void
a_passphrase_is_set_changed_and_removed(void **state)
{
    (void)state;
    struct master *first, *m;
    struct stat st;
    assert_int_equal(master_read(&m, at("client.db"), false), 0);
    assert_int_equal(master_kind(m), MASTER_NONE);
    assert_false(master_is_open(m));
    assert_int_equal(master_make(m), 0);
    assert_int_equal(master_kind(m), MASTER_PLAIN);
    master_free(&m);
    assert_int_equal(stat(at("client.db-seal"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(open_by(&first, "any"), 0);
    assert_int_equal(seal("", "one"), 0);
    assert_int_equal(opens_by(""), ERR_PASSPHRASE);
    assert_int_equal(opens_by("One"), ERR_PASSPHRASE);
    assert_int_equal(open_by(&m, "one"), 0);
    assert_int_equal(master_kind(m), MASTER_SEALED);
    assert_true(master_is_same(first, m));
    master_free(&m);
    assert_int_equal(seal("none", "two"), ERR_PASSPHRASE);
    assert_int_equal(seal("one", "two"), 0);
    assert_int_equal(opens_by("one"), ERR_PASSPHRASE);
    assert_int_equal(opens_by("two"), 0);
    assert_int_equal(seal("two", ""), 0);
    assert_int_equal(open_by(&m, ""), 0);
    assert_int_equal(master_kind(m), MASTER_PLAIN);
    assert_true(master_is_same(first, m));
    master_free(&m);
    master_free(&first);
}

/* Nobody changes the file while another does. */
static void
two_do_not_change_it_at_once(void **state)
{
    (void)state;
    struct master *m, *second;
    assert_int_equal(seal("", "one"), 0);
    assert_int_equal(master_read(&m, at("client.db"), true), 0);
    assert_int_equal(master_read(&second, at("client.db"), true), ERR_AGAIN);
    assert_null(second);
    assert_int_equal(opens_by("one"), 0); /* who only reads it may */
    master_free(&m);
    assert_int_equal(seal("one", "two"), 0);
}

/* Whatever byte of it is changed, wherever it is cut, it is refused as damaged, with a
 * passphrase or without. */
static void
i10_a_damaged_file_is_refused(void **state)
{
    (void)state;
    uint8_t *page;
    size_t len;
    struct master *m;
    for (unsigned kind = 0; kind < 2; kind++) {
        assert_int_equal(seal("", kind ? "one" : ""), 0);
        file_get("client.db-seal", &page, &len);
        assert_int_equal(len, WIPE_PAGE_LEN);
        for (size_t i = 0; i < len; i++) {
            page[i] ^= (uint8_t)(1 << i % 8);
            file_put("client.db-seal", page, len);
            assert_int_equal(master_read(&m, at("client.db"), false),
                             ERR_DAMAGED);
            assert_null(m);
            page[i] ^= (uint8_t)(1 << i % 8);
        }
        for (size_t n = 0; n < len; n += n < 256 ? 1 : 173) {
            file_put("client.db-seal", page, n);
            assert_int_equal(master_read(&m, at("client.db"), false),
                             ERR_DAMAGED);
        }
        file_put("client.db-seal", page, len);
        assert_int_equal(opens_by("one"), 0);
        free(page);
    }
}

/* A file that is well made but asks for more than a machine has, or is of a version to
 * come, is refused at once. */
static void
i11_a_file_cannot_ask_for_all_memory(void **state)
{
    (void)state;
    /* places in the page, as client/daemon/master.h has them */
    enum { VERSION_AT = 14, OPS_AT = 32, MEM_AT = 40, CHECK_AT = 4064 };
    static const struct {
        size_t at;
        uint64_t value;
    } row[] = {{OPS_AT, 1ULL << 40}, {OPS_AT, 17},         {OPS_AT, 0},
               {MEM_AT, 1ULL << 40}, {MEM_AT, UINT64_MAX}, {MEM_AT, 8191}};
    uint8_t *page, was[8];
    size_t len;
    struct master *m;
    assert_int_equal(seal("", "one"), 0);
    file_get("client.db-seal", &page, &len);
    assert_int_equal(codec_get64(page + OPS_AT), cheap.ops);
    assert_int_equal(codec_get64(page + MEM_AT), cheap.mem);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        memcpy(was, page + row[i].at, sizeof was);
        codec_put64(page + row[i].at, row[i].value);
        crypto_generichash(page + CHECK_AT, 32, page, CHECK_AT, NULL, 0);
        file_put("client.db-seal", page, len);
        assert_int_equal(opens_by("one"), ERR_RANGE);
        memcpy(page + row[i].at, was, sizeof was);
    }
    page[VERSION_AT]++;
    crypto_generichash(page + CHECK_AT, 32, page, CHECK_AT, NULL, 0);
    file_put("client.db-seal", page, len);
    assert_int_equal(master_read(&m, at("client.db"), false), ERR_VERSION);
    free(page);
}

/* What the file held before is overwritten where it lay: whoever keeps hold of the old
 * file has zeros. */
static void
i8_what_it_was_is_overwritten(void **state)
{
    (void)state;
    uint8_t *kept;
    size_t len;
    assert_int_equal(seal("", ""), 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(link(at("client.db-seal"), at("kept")), 0);
        assert_int_equal(seal("one", "one"), 0);
        file_get("kept", &kept, &len);
        assert_int_equal(len, WIPE_PAGE_LEN);
        assert_true(sodium_is_zero(kept, len));
        free(kept);
        assert_int_equal(unlink(at("kept")), 0);
        assert_int_equal(access(at("client.db-seal-old"), F_OK), -1);
    }
}

/* A disk fails at any moment of a change, once or for good: the file opens by the old
 * passphrase or the new one, to the same key, and the next start removes the rest. */
static void
i6_a_change_is_whole_or_undone(void **state)
{
    (void)state;
    unsigned changed = 0, kept = 0;
    for (unsigned rest = 0; rest < 2; rest++) {
        for (struct bad_disk d = {.calls = BAD_ALL, .rest = rest, .most = 100};
             bad_disk_next(&d);) {
            struct master *first, *m = NULL;
            (void)folder_teardown(state);
            assert_int_equal(folder_setup(state), 0);
            assert_int_equal(seal("", "one"), 0);
            assert_int_equal(open_by(&first, "one"), 0);
            bad_disk_arm(&d);
            const int err = seal("one", "two");
            bad_disk_disarm(&d);
            assert_true(d.failed || !err);
            master_tidy(at("client.db"));
            const bool is_new = open_by(&m, "two") == 0;
            if (!is_new) {
                master_free(&m);
                assert_int_equal(open_by(&m, "one"), 0);
            }
            assert_true(is_new || err);
            changed += is_new;
            kept += !is_new;
            assert_true(master_is_same(first, m));
            assert_int_equal(access(at("client.db-seal-old"), F_OK), -1);
            assert_int_equal(access(at("client.db-seal.new"), F_OK), -1);
            master_free(&first);
            master_free(&m);
        }
    }
    assert_true(changed > 0 && kept > 0);
}

/* A program was killed between any two steps of a change: the next start overwrites
 * and removes what is left, and the file itself stays. */
static void
i8_what_a_kill_leaves_is_overwritten(void **state)
{
    (void)state;
    uint8_t *page, *kept;
    size_t len;
    assert_int_equal(seal("", "one"), 0);
    file_get("client.db-seal", &page, &len);
    assert_int_equal(link(at("client.db-seal"), at("client.db-seal-old")), 0);
    master_tidy(at("client.db"));
    assert_int_equal(opens_by("one"), 0); /* it was the file itself */
    assert_int_equal(access(at("client.db-seal-old"), F_OK), -1);
    static const char *const left[] = {"client.db-seal-old",
                                       "client.db-seal.new"};
    for (unsigned i = 0; i < 2; i++) {
        file_put(left[i], page, len);
        assert_int_equal(link(at(left[i]), at("kept")), 0);
        master_tidy(at("client.db"));
        assert_int_equal(access(at(left[i]), F_OK), -1);
        file_get("kept", &kept, &len);
        assert_true(sodium_is_zero(kept, len));
        free(kept);
        assert_int_equal(unlink(at("kept")), 0);
    }
    /* who is at work there is left alone */
    struct master *m;
    assert_int_equal(master_read(&m, at("client.db"), true), 0);
    file_put("client.db-seal.new", page, len);
    master_tidy(at("client.db"));
    assert_int_equal(access(at("client.db-seal.new"), F_OK), 0);
    master_free(&m);
    assert_int_equal(opens_by("one"), 0);
    free(page);
}

/* ---- records ---- */

enum { RECORDS = 40, VALUE_LEN = 300 };

static void
value_make(uint8_t value[static VALUE_LEN], uint8_t number)
{
    memset(value, number + 1, VALUE_LEN);
    value[0] = number;
}

struct seen {
    unsigned n;
    uint64_t numbers;
};

static int
record_see(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
           size_t len)
{
    struct seen *s = ctx;
    uint8_t want[VALUE_LEN];
    assert_int_equal(key_len, 2);
    assert_int_equal(len, VALUE_LEN);
    value_make(want, key[1]);
    assert_memory_equal(value, want, VALUE_LEN);
    s->n++;
    s->numbers |= 1ULL << key[1];
    return 0;
}

/* Open the files with m, load all records, and settle them unless it is a look. */
static int
records_try(struct master *m, bool look, unsigned *n)
{
    struct outbox_sqlite *o;
    struct seen seen = {0};
    int err = look ? outbox_sqlite_look(&o, at("client.db"), m)
                   : outbox_sqlite_new(&o, at("client.db"), m);
    if (!err)
        err = outbox_sqlite_load(o, record_see, &seen);
    if (!err && !look)
        outbox_sqlite_settle(o);
    outbox_sqlite_free(&o);
    *n = seen.n;
    return err;
}

/* Keep records 0 to RECORDS - 1. */
static void
records_keep(struct master *m)
{
    struct outbox_sqlite *o;
    assert_int_equal(outbox_sqlite_new(&o, at("client.db"), m), 0);
    for (uint8_t i = 0; i < RECORDS; i++) {
        uint8_t group[VALUE_LEN + 8] = {JOURNAL_PUT, 2, 'r', i};
        struct env_store_req r = {.op = ENV_STORE_APPEND,
                                  .ticket = i + 1u,
                                  .letter = group,
                                  .letter_len = sizeof group};
        codec_put32(group + 4, VALUE_LEN);
        value_make(group + 8, i);
        outbox_sqlite_run(o, &r);
        assert_int_equal(r.err, 0);
    }
    outbox_sqlite_free(&o);
}

/* The records and their slots without the master key open nothing, nor with another
 * one, and are not changed by who tries. */
static void
i10_nothing_opens_without_the_master_key(void **state)
{
    (void)state;
    uint8_t *db, *keys, *page, *now;
    size_t db_len, keys_len, page_len, len;
    unsigned n;
    records_keep(NULL);
    file_get("client.db", &db, &db_len);
    file_get("client.db-keys", &keys, &keys_len);
    file_get("client.db-seal", &page, &page_len);
    for (unsigned way = 0; way < 2; way++) {
        assert_int_equal(unlink(at("client.db-seal")), 0);
        if (way == 1)
            assert_int_equal(seal("", ""), 0);
        for (unsigned look = 2; look-- > 0;) {
            const int want = way == 0 ? ERR_SEAL : ERR_MAC;
            assert_int_equal(records_try(NULL, look, &n), want);
            assert_int_equal(n, 0);
            assert_int_equal(access(at("client.db-seal"), F_OK), way ? 0 : -1);
            file_get("client.db", &now, &len);
            assert_int_equal(len, db_len);
            assert_memory_equal(now, db, len);
            free(now);
            file_get("client.db-keys", &now, &len);
            assert_int_equal(len, keys_len);
            assert_memory_equal(now, keys, len);
            free(now);
        }
        if (way == 0)
            file_put("client.db-seal", page, page_len);
    }
    file_put("client.db-seal", page, page_len);
    assert_int_equal(records_try(NULL, false, &n), 0);
    assert_int_equal(n, RECORDS);
    free(db);
    free(keys);
    free(page);
}

/* A client with a passphrase is not opened without it, and is by it. */
static void
i10_a_passphrase_keeps_records(void **state)
{
    (void)state;
    struct master *m;
    unsigned n;
    records_keep(NULL);
    assert_int_equal(seal("", "one"), 0);
    assert_int_equal(records_try(NULL, false, &n), ERR_LOCKED);
    assert_int_equal(records_try(NULL, true, &n), ERR_LOCKED);
    assert_int_equal(open_by(&m, "two"), ERR_PASSPHRASE);
    assert_int_equal(records_try(m, false, &n), ERR_LOCKED);
    assert_int_equal(n, 0);
    master_free(&m);
    assert_int_equal(open_by(&m, "one"), 0);
    assert_int_equal(records_try(m, false, &n), 0);
    assert_int_equal(n, RECORDS);
    master_free(&m);
}

/* ---- records of before ---- */

/* Make files as they were before there was a master key: version 2. */
static void
old_make(void)
{
    struct key_slots *k;
    sqlite3 *db;
    sqlite3_stmt *st;
    unlink(at("client.db-seal"));
    unlink(at("client.db-wal"));
    unlink(at("client.db"));
    unlink(at("client.db-keys"));
    assert_int_equal(sqlite3_open(at("client.db"), &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db,
                     "CREATE TABLE record(key BLOB PRIMARY KEY,"
                     " slot INTEGER NOT NULL, value BLOB NOT NULL)"
                     " WITHOUT ROWID;"
                     "CREATE TABLE last(one INTEGER PRIMARY KEY,"
                     " life INTEGER NOT NULL, ticket INTEGER NOT NULL);"
                     "PRAGMA user_version=2",
                     NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(key_slots_open(&k, at("client.db-keys"), true), 0);
    assert_int_equal(sqlite3_prepare_v2(db, "INSERT INTO record VALUES(?,?,?)",
                                        -1, &st, NULL),
                     SQLITE_OK);
    for (uint8_t i = 0; i < RECORDS; i++) {
        const uint8_t key[2] = {'r', i};
        uint8_t slot_key[KEY_SLOT_LEN], value[VALUE_LEN];
        uint8_t sealed[VALUE_LEN + MASTER_TAG_LEN];
        uint32_t slot;
        assert_int_equal(key_slots_take(k, &slot, slot_key), 0);
        value_make(value, i);
        master_seal_value(NULL, slot_key, key, 2, value, VALUE_LEN, sealed);
        sqlite3_bind_blob(st, 1, key, 2, SQLITE_STATIC);
        sqlite3_bind_int64(st, 2, slot);
        sqlite3_bind_blob(st, 3, sealed, sizeof sealed, SQLITE_STATIC);
        assert_int_equal(sqlite3_step(st), SQLITE_DONE);
        sqlite3_reset(st);
    }
    sqlite3_finalize(st);
    sqlite3_close(db);
    key_slots_close(&k);
}

static int
version_get(void)
{
    sqlite3 *db;
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_open(at("client.db"), &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &st, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    const int version = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return version;
}

/* Records of before are read as they are, by a look too, and sealed anew when all is
 * settled; then none opens by what lay beside it before. */
static void
i8_records_of_before_are_sealed_anew(void **state)
{
    (void)state;
    uint8_t *old, *now;
    size_t old_len, len;
    unsigned n;
    old_make();
    assert_int_equal(records_try(NULL, true, &n), 0);
    assert_int_equal(n, RECORDS);
    assert_int_equal(version_get(), 2);
    assert_int_equal(access(at("client.db-seal"), F_OK), -1);
    file_get("client.db-keys", &old, &old_len);
    assert_int_equal(records_try(NULL, false, &n), 0);
    assert_int_equal(version_get(), 3);
    file_get("client.db-keys", &now, &len);
    for (size_t i = 0; i + KEY_SLOT_LEN <= old_len; i += KEY_SLOT_LEN)
        for (size_t k = 0; k + KEY_SLOT_LEN <= len; k += KEY_SLOT_LEN)
            assert_true(sodium_is_zero(old + i, KEY_SLOT_LEN) ||
                        memcmp(old + i, now + k, KEY_SLOT_LEN) != 0);
    free(old);
    free(now);
    assert_int_equal(records_try(NULL, false, &n), 0);
    assert_int_equal(n, RECORDS);
    assert_int_equal(unlink(at("client.db-seal")), 0);
    assert_int_equal(records_try(NULL, false, &n), ERR_SEAL);
}

/* The disk fails at any moment of that, or the program ends there: all records are
 * there at the next start. */
static void
i6_none_is_lost_when_that_fails(void **state)
{
    (void)state;
    unsigned old = 0, anew = 0, n;
    for (unsigned rest = 0; rest < 2; rest++) {
        for (struct bad_disk d = {.calls = BAD_ALL, .rest = rest, .most = 60};
             bad_disk_next(&d);) {
            old_make();
            bad_disk_arm(&d);
            (void)!records_try(NULL, false, &n);
            bad_disk_disarm(&d);
            assert_int_equal(records_try(NULL, true, &n), 0);
            assert_int_equal(n, RECORDS);
            const bool done = version_get() == 3;
            assert_true(done || d.failed);
            anew += done;
            old += !done;
            for (unsigned i = 0; i < 2; i++) {
                assert_int_equal(records_try(NULL, false, &n), 0);
                assert_int_equal(n, RECORDS);
                assert_int_equal(version_get(), 3);
            }
        }
    }
    print_message("  %u times as before, %u times sealed anew\n", old, anew);
    assert_true(old > 0 && anew > 0);
}

const struct CMUnitTest test_master[] = {
    FOLDER_TEST(a_passphrase_is_set_changed_and_removed),
    FOLDER_TEST(two_do_not_change_it_at_once),
    FOLDER_TEST(i10_a_damaged_file_is_refused),
    FOLDER_TEST(i11_a_file_cannot_ask_for_all_memory),
    FOLDER_TEST(i8_what_it_was_is_overwritten),
    FOLDER_TEST(i8_what_a_kill_leaves_is_overwritten),
    FOLDER_TEST(i6_a_change_is_whole_or_undone),
    FOLDER_TEST(i10_nothing_opens_without_the_master_key),
    FOLDER_TEST(i10_a_passphrase_keeps_records),
    FOLDER_TEST(i8_records_of_before_are_sealed_anew),
    FOLDER_TEST(i6_none_is_lost_when_that_fails),
};
TEST_SUITE(test_master);
