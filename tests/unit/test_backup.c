/* tests/unit/test_backup.c - a client in one file: all of it comes back, nothing of
 * what was cut or changed, and a full disk leaves no part. */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/daemon/backup.h"
#include "client/daemon/master.h"
#include "client/daemon/outbox_sqlite.h"
#include "client/daemon/restore.h"
#include "lib/codec.h"
#include "lib/os/files.h"
#include "tests/bad_disk.h"
#include "tests/folder.h"

/* The last record is longer than a message of a backup, and holds this. */
enum { RECORDS = 12, LONG_LEN = 150000 };
static const char known[] = "a text that is known";

static const struct passphrase_cost cheap = {.ops = 1, .mem = 8192};

static const char *
at(const char *name)
{
    static char path[4][FILES_PATH_MAX];
    static unsigned turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder_path, name);
    return path[turn];
}

static void
file_put(const char *name, const void *bytes, size_t len)
{
    FILE *f = fopen(at(name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static size_t
value_make(uint8_t *value, uint8_t number)
{
    const size_t len = number == RECORDS - 1 ? LONG_LEN : 10u * number;
    memset(value, number, len);
    if (len > sizeof known)
        memcpy(value + len - sizeof known, known, sizeof known);
    return len;
}

static void
record_keep(struct outbox_sqlite *o, uint8_t number)
{
    static uint8_t group[LONG_LEN + 8];
    memset(group, 0, 8);
    group[0] = JOURNAL_PUT;
    group[1] = 2;
    group[2] = 'r';
    group[3] = number;
    const size_t len = value_make(group + 8, number);
    struct env_store_req r = {.op = ENV_STORE_APPEND,
                              .ticket = number + 1u,
                              .letter = group,
                              .letter_len = len + 8};
    codec_put32(group + 4, (uint32_t)len);
    outbox_sqlite_run(o, &r);
    assert_int_equal(r.err, 0);
}

/* Make a client in the folder, open. */
static struct outbox_sqlite *
client_make(void)
{
    struct outbox_sqlite *o;
    file_put("client.conf", "profile = \"default\"\n", 20);
    file_put("profile", "default", 7);
    file_put("network.json", "{}", 2);
    assert_int_equal(outbox_sqlite_new(&o, at("client.db"), NULL), 0);
    for (uint8_t i = 0; i < RECORDS; i++)
        record_keep(o, i);
    return o;
}

static int
write_at(const char *name, struct outbox_sqlite *o, bool sealed,
         const char *text)
{
    const struct backup_source from = {.dir = folder_path,
                                       .network = "network.json",
                                       .sealed = sealed,
                                       .outbox = o};
    struct passphrase p;
    assert_int_equal(passphrase_set(&p, text, strlen(text)), 0);
    const int err = backup_write(at(name), &from, &p, &cheap);
    passphrase_free(&p);
    return err;
}

/* ---- reading ---- */

struct seen {
    unsigned files, records, sealed;
};

static int
entry_see(void *ctx, enum backup_kind kind, const uint8_t *name,
          size_t name_len, const uint8_t *data, size_t len)
{
    static uint8_t want[LONG_LEN];
    struct seen *s = ctx;
    s->files += kind == BACKUP_FILE;
    s->sealed += kind == BACKUP_SEALED;
    if (kind == BACKUP_FILE && name_len == 7 && memcmp(name, "profile", 7) == 0)
        assert_memory_equal(data, "default", len);
    if (kind != BACKUP_RECORD)
        return 0;
    assert_int_equal(name_len, 2);
    assert_int_equal(name[1], s->records);
    assert_int_equal(len, value_make(want, name[1]));
    assert_memory_equal(data, want, len);
    s->records++;
    return 0;
}

static int
read_at(const char *name, const char *text, struct seen *seen)
{
    struct passphrase p;
    struct backup *b;
    *seen = (struct seen){0};
    int err = backup_open(&b, at(name));
    if (err)
        return err;
    assert_int_equal(passphrase_set(&p, text, strlen(text)), 0);
    err = backup_unlock(b, &p);
    passphrase_free(&p);
    for (unsigned i = 0; i < 2 && !err; i++) { /* it may be read again */
        *seen = (struct seen){0};
        err = backup_each(b, entry_see, seen);
    }
    backup_free(&b);
    return err;
}

static void
a_backup_has_all(void **state)
{
    (void)state;
    struct outbox_sqlite *o = client_make();
    struct seen seen;
    struct stat st;
    assert_int_equal(write_at("b", o, true, "one"), 0);
    assert_int_equal(stat(at("b"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(read_at("b", "one", &seen), 0);
    assert_int_equal(seen.files, 3);
    assert_int_equal(seen.records, RECORDS);
    assert_int_equal(seen.sealed, 1);
    assert_int_equal(read_at("b", "two", &seen), ERR_PASSPHRASE);
    assert_int_equal(read_at("b", "", &seen), ERR_PASSPHRASE);
    assert_int_equal(read_at("none", "", &seen), ERR_NOT_FOUND);
    /* what is there is not replaced */
    assert_int_equal(write_at("profile", o, true, "one"), ERR_EXISTS);
    outbox_sqlite_free(&o);
}

/* Whatever byte is changed, and wherever it is cut: it is refused by its name. */
static void
i10_what_was_changed_is_refused(void **state)
{
    (void)state;
    enum { HEAD = 122, LABEL = 16, MESSAGE = 65553 };
    struct outbox_sqlite *o = client_make();
    struct seen seen;
    uint8_t *bytes;
    size_t len;
    assert_int_equal(write_at("b", o, false, "one"), 0);
    outbox_sqlite_free(&o);
    assert_int_equal(files_read(at("b"), 1 << 22, &bytes, &len), 0);
    assert_true(len > HEAD + MESSAGE && (len - HEAD) % MESSAGE == 0);
    const size_t step = test_proof() ? 1 : 1009;
    for (size_t i = 0; i < len; i += i < HEAD + 64 ? 1 : step) {
        bytes[i] ^= (uint8_t)(1 << i % 8);
        file_put("b", bytes, len);
        assert_int_equal(read_at("b", "one", &seen),
                         i < LABEL ? ERR_FORMAT : ERR_DAMAGED);
        bytes[i] ^= (uint8_t)(1 << i % 8);
    }
    for (size_t n = 0; n < len; n += n < HEAD + 64 ? 1 : step) {
        file_put("b", bytes, n);
        assert_int_equal(read_at("b", "one", &seen),
                         n < LABEL ? ERR_FORMAT : ERR_SHORT);
    }
    for (size_t n = HEAD; n < len; n += MESSAGE) {
        file_put("b", bytes, n);
        assert_int_equal(read_at("b", "one", &seen), ERR_SHORT);
    }
    uint8_t *more = calloc(1, len + 1);
    memcpy(more, bytes, len);
    file_put("b", more, len + 1);
    assert_int_equal(read_at("b", "one", &seen), ERR_DAMAGED);
    free(more);
    file_put("b", bytes, len);
    assert_int_equal(read_at("b", "one", &seen), 0);
    free(bytes);
}

static void
a_full_disk_leaves_no_part(void **state)
{
    (void)state;
    struct outbox_sqlite *o = client_make();
    for (unsigned rest = 0; rest < 2; rest++)
        for (struct bad_disk d = {.calls = BAD_WRITE | BAD_SYNC,
                                 .rest = rest,
                                 .most = 40};
             bad_disk_next(&d);) {
            unlink(at("b"));
            bad_disk_arm(&d);
            const int err = write_at("b", o, false, "one");
            bad_disk_disarm(&d);
            assert_int_equal(!err, !d.failed);
            assert_int_equal(access(at("b"), F_OK), err ? -1 : 0);
        }
    outbox_sqlite_free(&o);
}

static void
what_nobody_fetched_is_removed(void **state)
{
    (void)state;
    file_put(BACKUP_PART "0123456789abcdef", "x", 1);
    file_put("client.backup", "x", 1);
    backup_tidy(folder_path);
    assert_int_equal(access(at(BACKUP_PART "0123456789abcdef"), F_OK), -1);
    assert_int_equal(access(at("client.backup"), F_OK), 0);
}

/* ---- restoring ---- */

static int
restore_by(const char *dir, const char *name, const char *text)
{
    file_put("phrase", text, strlen(text));
    const struct passphrase_source from = {.program = "brusio-client",
                                           .file = at("phrase"),
                                           .option = "passphrase-file",
                                           .what = "?"};
    return restore_run(at(dir), at(name), &from);
}

static int
record_see(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
           size_t len)
{
    return entry_see(ctx, BACKUP_RECORD, key, key_len, value, len);
}

/* Open what was restored, of this kind and by this passphrase: all is there. */
static void
restored_check(const char *dir, enum master_kind kind, const char *text)
{
    char path[FILES_PATH_MAX];
    struct passphrase p;
    struct master *m;
    struct outbox_sqlite *o;
    struct seen seen = {0};
    snprintf(path, sizeof path, "%s/client.db", at(dir));
    assert_int_equal(master_read(&m, path, false), 0);
    assert_int_equal(master_kind(m), kind);
    assert_int_equal(passphrase_set(&p, text, strlen(text)), 0);
    assert_int_equal(kind == MASTER_SEALED ? master_open(m, &p) : 0, 0);
    passphrase_free(&p);
    assert_int_equal(outbox_sqlite_new(&o, path, m), 0);
    assert_int_equal(outbox_sqlite_load(o, record_see, &seen), 0);
    outbox_sqlite_free(&o);
    master_free(&m);
    assert_int_equal(seen.records, RECORDS);
}

static void
a_directory_is_made_of_a_backup(void **state)
{
    (void)state;
    static const char *const files[] = {"r/client.conf", "r/profile",
                                        "r/network.json"};
    struct outbox_sqlite *o = client_make();
    struct stat st;
    struct master *mine, *its;
    assert_int_equal(write_at("plain", o, false, "one"), 0);
    assert_int_equal(write_at("sealed", o, true, "one"), 0);
    outbox_sqlite_free(&o);
    assert_int_equal(restore_by("r", "plain", "one"), 0);
    assert_int_equal(stat(at("r"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(access(at(files[i]), F_OK), 0);
    restored_check("r", MASTER_PLAIN, "");
    /* with a key of its own */
    assert_int_equal(master_read(&mine, at("client.db"), false), 0);
    assert_int_equal(master_read(&its, at("r/client.db"), false), 0);
    assert_false(master_is_same(mine, its));
    master_free(&mine);
    master_free(&its);
    /* not over another */
    assert_int_equal(restore_by("r", "sealed", "one"), 1);
    restored_check("r", MASTER_PLAIN, "");
    /* but into an empty one */
    assert_int_equal(mkdir(at("s"), 0755), 0);
    assert_int_equal(restore_by("s", "sealed", "one"), 0);
    assert_int_equal(stat(at("s"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    restored_check("s", MASTER_SEALED, "one");
}

/* Nothing is written of a backup that is wrong, nor stays where the disk fails. */
static void
i10_nothing_is_restored_by_halves(void **state)
{
    (void)state;
    struct outbox_sqlite *o = client_make();
    uint8_t *bytes;
    size_t len;
    unsigned failures = 0;
    assert_int_equal(write_at("b", o, false, "one"), 0);
    outbox_sqlite_free(&o);
    assert_int_equal(files_read(at("b"), 1 << 22, &bytes, &len), 0);
    assert_int_equal(restore_by("r", "b", "two"), 1);
    assert_int_equal(access(at("r"), F_OK), -1);
    bytes[len - 1] ^= 1;
    file_put("c", bytes, len);
    assert_int_equal(restore_by("r", "c", "one"), 1);
    assert_int_equal(access(at("r"), F_OK), -1);
    file_put("c", bytes, len - 1);
    assert_int_equal(restore_by("r", "c", "one"), 1);
    assert_int_equal(access(at("r"), F_OK), -1);
    free(bytes);
    for (unsigned rest = 0; rest < 2; rest++)
        for (struct bad_disk d = {.calls = BAD_ALL, .rest = rest, .most = 20};
             bad_disk_next(&d);) {
            bad_disk_arm(&d);
            const int status = restore_by("r", "b", "one");
            bad_disk_disarm(&d);
            failures += status != 0;
            assert_true(d.failed || status == 0);
            assert_int_equal(access(at("r"), F_OK), status ? -1 : 0);
            if (status == 0) {
                char path[FOLDER_LEN + 8];
                restored_check("r", MASTER_PLAIN, "");
                snprintf(path, sizeof path, "%s", at("r"));
                assert_int_equal(folder_remove(path), 0);
            }
        }
    assert_true(failures > 10);
}

const struct CMUnitTest test_backup[] = {
    FOLDER_TEST(a_backup_has_all),
    FOLDER_TEST(i10_what_was_changed_is_refused),
    FOLDER_TEST(a_full_disk_leaves_no_part),
    FOLDER_TEST(what_nobody_fetched_is_removed),
    FOLDER_TEST(a_directory_is_made_of_a_backup),
    FOLDER_TEST(i10_nothing_is_restored_by_halves),
};
TEST_SUITE(test_backup);
