/* tests/unit/test_wipe.c - what is said to be wiped is in no file (I8).
 *
 * Whoever takes a disk reads the blocks of files that were unlinked, too. Here a
 * hard link made beforehand keeps them: what a file held when its name went is
 * read as from the raw disk. A search that cannot find is told from one that
 * need not by what has not been wiped yet. */
#include "tests/runner.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/codec.h"
#include "lib/os/files.h"
#include "lib/os/wipe.h"
#include "lib/rng_seeded.h"
#include "lib/secret.h"
#include "relay/daemon/keys.h"
#include "relay/daemon/store_sqlite.h"

enum { LEN = 1232, DAY = 20000, LETTERS = 64, FILE_MAX = 64 << 20 };

static char dir[64], disk[64];

static int
dirs_make(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/brusio-test-XXXXXX");
    strcpy(disk, "/tmp/brusio-test-XXXXXX");
    return mkdtemp(dir) && mkdtemp(disk) ? 0 : -1;
}

static int
dirs_remove(void **state)
{
    char command[192];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s' '%s'", dir, disk);
    return system(command);
}

/* Keep what the files of dir hold reachable, whatever becomes of their names. */
static void
disk_keep(void)
{
    static unsigned n;
    char from[FILES_PATH_MAX], to[FILES_PATH_MAX];
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(from, sizeof from, "%s/%s", dir, e->d_name);
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
    assert_int_equal(wipe_file(path), ERR_IO);
    assert_int_equal(wipe_file(dir), ERR_IO);
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
    WIPE_TEST(i8_a_changed_letter_is_not_given),
    WIPE_TEST(i8_packet_keys_are_overwritten),
    WIPE_TEST(i8_links_are_not_followed),
};
TEST_SUITE(test_wipe);
