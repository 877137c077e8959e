/* tests/unit/test_client_files.c - a client's two files and their journal: what is not
 * theirs is refused, and nothing of theirs is lost to it. */
#include "tests/runner.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/daemon/outbox_sqlite.h"
#include "lib/codec.h"
#include "lib/os/files.h"
#include "tests/folder.h"

enum { VALUE_LEN = 300 };

static const char *const dir = folder_path;
static uint64_t ticket; /* of the life that runs */

static void
file_put(const char *name, const uint8_t *bytes, size_t len)
{
    char path[FILES_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    unlink(path);
    if (bytes)
        assert_int_equal(files_write(path, bytes, len), 0);
}

static void
file_get(const char *name, uint8_t **bytes, size_t *len)
{
    char path[FILES_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(files_read(path, 1 << 22, bytes, len), 0);
}

/* Keep a record of this number, all of whose bytes are `value`. */
static void
record_keep(struct outbox_sqlite *o, uint8_t number, uint8_t value)
{
    uint8_t group[VALUE_LEN + 8] = {JOURNAL_PUT, 2, 'r', number};
    struct env_store_req r = {.op = ENV_STORE_APPEND,
                              .ticket = ++ticket,
                              .letter = group,
                              .letter_len = sizeof group};
    codec_put32(group + 4, VALUE_LEN);
    memset(group + 8, value, VALUE_LEN);
    outbox_sqlite_run(o, &r);
    assert_int_equal(r.err, 0);
}

static int
record_check(void *ctx, const uint8_t *key, size_t key_len,
             const uint8_t *value, size_t len)
{
    const uint8_t *want = ctx;
    (void)key;
    assert_int_equal(key_len, 2);
    assert_int_equal(len, VALUE_LEN);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(value[i], *want);
    return 0;
}

static int
client_open(struct outbox_sqlite **o, bool look)
{
    char path[FILES_PATH_MAX];
    snprintf(path, sizeof path, "%s/client.db", dir);
    ticket = 0;
    return look ? outbox_sqlite_look(o, path, NULL)
                : outbox_sqlite_new(o, path, NULL);
}

/* Open the files as a start does, or a look, with all records, which are of these
 * bytes. */
static int
client_try(bool look, uint8_t value)
{
    struct outbox_sqlite *o;
    int err = client_open(&o, look);
    if (!err)
        err = outbox_sqlite_load(o, record_check, &value);
    if (!err && !look)
        outbox_sqlite_settle(o);
    outbox_sqlite_free(&o);
    return err;
}

/* Make a client's files anew with n records of these bytes. */
static void
client_files_make(uint8_t value, unsigned n, uint8_t *bytes[2], size_t len[2])
{
    struct outbox_sqlite *o;
    file_put("client.db", NULL, 0);
    file_put("client.db-keys", NULL, 0);
    assert_int_equal(client_open(&o, false), 0);
    for (unsigned i = 0; i < n; i++)
        record_keep(o, (uint8_t)i, value);
    outbox_sqlite_free(&o);
    file_get("client.db", &bytes[0], &len[0]);
    file_get("client.db-keys", &bytes[1], &len[1]);
}

/* Put these two files there, of which one is not what it should be: the client is
 * refused so, by a look as by a start, and neither file has changed. */
static void
client_is_refused(int want, uint8_t *const bytes[2], const size_t len[2])
{
    static const char *const name[] = {"client.db", "client.db-keys"};
    char path[FILES_PATH_MAX];
    for (unsigned i = 0; i < 2; i++)
        file_put(name[i], bytes[i], len[i]);
    for (unsigned look = 2; look-- > 0;) {
        assert_int_equal(client_try(look, 7), want);
        for (unsigned i = 0; i < 2; i++) {
            uint8_t *now;
            size_t n;
            snprintf(path, sizeof path, "%s/%s", dir, name[i]);
            assert_int_equal(access(path, F_OK), bytes[i] ? 0 : -1);
            if (!bytes[i])
                continue;
            file_get(name[i], &now, &n);
            assert_int_equal(n, len[i]);
            assert_memory_equal(now, bytes[i], n);
            free(now);
        }
    }
}

/* A database of another program, with this version; *bytes is malloc'd. */
static void
foreign_make(unsigned version, uint8_t **bytes, size_t *len)
{
    char path[FILES_PATH_MAX], text[96];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/other.db", dir);
    unlink(path);
    snprintf(text, sizeof text,
             "CREATE TABLE notes(a); INSERT INTO notes VALUES(1);"
             "PRAGMA user_version=%u",
             version);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    file_get("other.db", bytes, len);
    unlink(path);
}

/* Whatever lies in the place of a client's records, or of their keys, wipes nothing,
 * and is refused for what it is; and with the right one there again all is well. */
static void
i10_no_key_is_wiped_for_what_is_anothers(void **state)
{
    (void)state;
    static const size_t cut[] = {0, 1, 31, 100, 4096};
    uint8_t *mine[2], *other[2], *more[2], *foreign;
    size_t len[2], other_len[2], more_len[2], foreign_len;
    client_files_make(9, 40, other, other_len);
    client_files_make(9, 60, more, more_len);
    client_files_make(7, 40, mine, len);
#define REFUSED(want, a, a_len, b, b_len)              \
    client_is_refused(want, (uint8_t *const[2]){a, b}, \
                      (const size_t[2]){a_len, b_len})
    REFUSED(ERR_FOLDER, NULL, 0, mine[1], len[1]);
    REFUSED(ERR_NOT_FOUND, mine[0], len[0], NULL, 0);
    for (size_t i = 0; i < sizeof cut / sizeof cut[0]; i++) {
        REFUSED(ERR_DAMAGED, mine[0], cut[i], mine[1], len[1]);
        if (cut[i] < len[1])
            REFUSED(ERR_MISSING, mine[0], len[0], mine[1], cut[i]);
    }
    REFUSED(ERR_MAC, other[0], other_len[0], mine[1], len[1]);
    REFUSED(ERR_MISSING, more[0], more_len[0], mine[1], len[1]);
    REFUSED(ERR_MAC, mine[0], len[0], more[1], more_len[1]);
    for (unsigned version = 0; version < 3; version++) {
        foreign_make(version, &foreign, &foreign_len);
        const int want = version == 1 ? ERR_VERSION : ERR_DAMAGED;
        REFUSED(want, foreign, foreign_len, mine[1], len[1]);
        REFUSED(want, foreign, foreign_len, NULL, 0);
        free(foreign);
    }
#undef REFUSED
    file_put("client.db", mine[0], len[0]);
    file_put("client.db-keys", mine[1], len[1]);
    assert_int_equal(client_try(true, 7), 0);
    assert_int_equal(client_try(false, 7), 0);
    for (unsigned i = 0; i < 2; i++) {
        free(mine[i]);
        free(other[i]);
        free(more[i]);
    }
}

/* A copy is put back over the files of a client that was killed: what that one left in
 * its journal is not mixed into the copy, before the journal is moved away. */
static void
i10_a_journal_goes_with_its_own_file(void **state)
{
    (void)state;
    char wal[FILES_PATH_MAX];
    struct outbox_sqlite *o;
    uint8_t *copy[2], *killed[3], *now, value = 7;
    size_t len[2], killed_len[3], n;
    snprintf(wal, sizeof wal, "%s/client.db-wal", dir);
    client_files_make(7, 30, copy, len);
    assert_int_equal(client_open(&o, false), 0);
    for (unsigned i = 0; i < 90; i++)
        record_keep(o, (uint8_t)(i % 60), 7);
    file_get("client.db", &killed[0], &killed_len[0]);
    file_get("client.db-keys", &killed[1], &killed_len[1]);
    file_get("client.db-wal", &killed[2], &killed_len[2]);
    outbox_sqlite_free(&o);
    assert_int_equal(access(wal, F_OK), -1);
    file_put("client.db-wal", killed[2], killed_len[2]);
    client_is_refused(ERR_CONFLICT, copy, len);
    file_get("client.db-wal", &now, &n);
    assert_int_equal(n, killed_len[2]);
    assert_memory_equal(now, killed[2], n);
    free(now);
    assert_int_equal(unlink(wal), 0);
    assert_int_equal(client_try(true, 7), 0);
    assert_int_equal(client_try(false, 7), 0);
    /* and with what it had itself it goes on */
    file_put("client.db", killed[0], killed_len[0]);
    file_put("client.db-keys", killed[1], killed_len[1]);
    file_put("client.db-wal", killed[2], killed_len[2]);
    assert_int_equal(client_try(true, 7), 0);
    file_get("client.db-wal", &now, &n); /* a look leaves it */
    assert_int_equal(n, killed_len[2]);
    free(now);
    assert_int_equal(client_open(&o, false), 0);
    assert_int_equal(outbox_sqlite_load(o, record_check, &value), 0);
    outbox_sqlite_settle(o);
    record_keep(o, 59, 7);
    outbox_sqlite_free(&o);
    assert_int_equal(access(wal, F_OK), -1);
    assert_int_equal(client_try(true, 7), 0);
    for (unsigned i = 0; i < 3; i++) {
        free(killed[i]);
        if (i < 2)
            free(copy[i]);
    }
}

/* A look finds nothing where nothing is, and makes nothing. */
static void
a_look_makes_nothing(void **state)
{
    (void)state;
    static const char *const name[] = {"client.db", "client.db-keys",
                                       "client.db-wal"};
    char path[FILES_PATH_MAX];
    assert_int_equal(client_try(true, 7), 0);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, name[i]);
        assert_int_equal(access(path, F_OK), -1);
    }
    file_put("client.db", (const uint8_t *)"", 0); /* killed there once */
    assert_int_equal(client_try(true, 7), 0);
    assert_int_equal(client_try(false, 7), 0);
    assert_int_equal(client_try(true, 7), 0);
}

/* A client that loses its journal after its first records is not taken for new. */
static void
i10_the_first_records_are_in_the_file_itself(void **state)
{
    (void)state;
    struct outbox_sqlite *o;
    uint8_t *killed[2];
    size_t len[2];
    assert_int_equal(client_open(&o, false), 0);
    record_keep(o, 1, 7);
    record_keep(o, 1, 7);
    file_get("client.db", &killed[0], &len[0]);
    file_get("client.db-keys", &killed[1], &len[1]);
    outbox_sqlite_free(&o);
    client_is_refused(ERR_MISSING, killed, len);
    free(killed[0]);
    free(killed[1]);
}

const struct CMUnitTest test_client_files[] = {
    FOLDER_TEST(i10_no_key_is_wiped_for_what_is_anothers),
    FOLDER_TEST(i10_a_journal_goes_with_its_own_file),
    FOLDER_TEST(i10_the_first_records_are_in_the_file_itself),
    FOLDER_TEST(a_look_makes_nothing),
};
TEST_SUITE(test_client_files);
