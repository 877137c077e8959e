/* tests/fuzz/test_backups.c - mutated backups and key files: from outside, and with the
 * check, or the seal, made anew, so that they get inside.
 *
 * Backups are written from the words of client/daemon/backup.h (backup_seal.h); the
 * first is read whole, so that those words are right. */
#include "tests/runner.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/daemon/backup.h"
#include "client/daemon/master.h"
#include "lib/codec.h"
#include "lib/os/files.h"
#include "tests/folder.h"
#include "tests/fuzz/backup_seal.h"
#include "tests/mutate.h"

enum { KEY_PAGE_LEN = 4096 };

static const struct passphrase_cost cheap = {.ops = 1, .mem = 8192};
static const char word[] = "correct horse";

static const char *
path_of(const char *name)
{
    static char path[FILES_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder_path, name);
    return path;
}

static void
file_put(const char *name, const uint8_t *bytes, size_t len)
{
    FILE *f = fopen(path_of(name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static size_t
entry_put(uint8_t *out, uint8_t kind, const char *name, const void *data,
          size_t len)
{
    const size_t name_len = strlen(name);
    out[0] = kind;
    out[1] = (uint8_t)name_len;
    codec_put32(out + 2, (uint32_t)len);
    memcpy(out + 6, name, name_len);
    if (len > 0)
        memcpy(out + 6 + name_len, data, len);
    return 6 + name_len + len;
}

/* What a small client is: two files, records of some lengths, one of them over the end of
 * the first message, and that it had a passphrase. Returns the bytes that are used. */
static size_t
plain_make(uint8_t plain[static BACKUP_PLAIN_LEN])
{
    static uint8_t value[70000];
    size_t n = 0;
    memset(plain, 0, BACKUP_PLAIN_LEN);
    memset(value, 7, sizeof value);
    n += entry_put(plain + n, BACKUP_FILE, "profile", "default", 7);
    n += entry_put(plain + n, BACKUP_FILE, "network.json", "{}", 2);
    n += entry_put(plain + n, BACKUP_SEALED, "", NULL, 0);
    n += entry_put(plain + n, BACKUP_RECORD, "k1", value, 0);
    n += entry_put(plain + n, BACKUP_RECORD, "k2", value, 100);
    n += entry_put(plain + n, BACKUP_RECORD, "k3", value, sizeof value);
    return n + entry_put(plain + n, BACKUP_END, "", NULL, 0);
}

struct seen {
    unsigned entries;
    uint64_t sum; /* all bytes are there to be read */
};

static int
entry_see(void *ctx, enum backup_kind kind, const uint8_t *name,
          size_t name_len, const uint8_t *data, size_t len)
{
    struct seen *s = ctx;
    assert_true(kind > BACKUP_END && kind <= BACKUP_SEALED);
    s->entries++;
    for (size_t i = 0; i < name_len; i++)
        s->sum += name[i];
    for (size_t i = 0; i < len; i++)
        s->sum += data[i];
    return 0;
}

static int
backup_read(struct seen *seen)
{
    struct backup *b;
    struct passphrase p;
    *seen = (struct seen){0};
    int err = backup_open(&b, path_of("b"));
    if (err)
        return err;
    assert_int_equal(passphrase_set(&p, word, sizeof word - 1), 0);
    err = backup_unlock(b, &p);
    for (unsigned i = 0; i < 2 && !err; i++) { /* once to look, once to take */
        seen->entries = 0;
        err = backup_each(b, entry_see, seen);
    }
    passphrase_free(&p);
    backup_free(&b);
    return err;
}

static void
backups(void **state)
{
    (void)state;
    static uint8_t plain[BACKUP_PLAIN_LEN], good[BACKUP_PLAIN_LEN],
        file[BACKUP_FILE_LEN + 300];
    struct tally t = {.parser = "backup_each"};
    struct rng_seeded rng;
    struct seen seen;
    const size_t used = plain_make(good);
    rng_seeded_init_u64(&rng, test_seed(), "fuzz backups");
    assert_int_equal(backup_seal(file, good, word, &cheap, BACKUP_CHUNKS - 1),
                     0);
    file_put("b", file, BACKUP_FILE_LEN);
    assert_int_equal(backup_read(&seen), 0);
    assert_int_equal(seen.entries, 6);
    for (unsigned i = 0; i < mutate_inputs(MUTATE_BACKUPS); i++) {
        const bool inside = i % 2;
        size_t len = BACKUP_FILE_LEN;
        memcpy(plain, good, BACKUP_PLAIN_LEN);
        if (inside) /* its entries say otherwise, and the seal is right */
            mutate_bytes(&rng, plain, i % 4 == 1 ? 60 : used);
        const unsigned last = mutate_below(&rng, 16)
                                  ? BACKUP_CHUNKS - 1
                                  : (unsigned)mutate_below(&rng, 3);
        assert_int_equal(backup_seal(file, plain, word, &cheap, last), 0);
        if (!inside && i % 4 == 0) {
            mutate_input(&rng, file, &len, BACKUP_FILE_LEN + 300);
        } else if (
            !inside) { /* its head, whose check is right again at times */
            mutate_bytes(&rng, file, BACKUP_HEAD_LEN);
            codec_put64(file + BACKUP_LABEL_LEN + 25,
                        8192 << mutate_below(&rng, 3));
            if (i % 8 == 2)
                backup_head_check(file);
        }
        file_put("b", file, len);
        tally_add(&t, backup_read(&seen), inside);
    }
    tally_report(&t, mutate_inputs(MUTATE_BACKUPS), 5);
}

/* ---- the file of the master key ---- */

static void
page_check(uint8_t *page)
{
    crypto_generichash(page + KEY_PAGE_LEN - 32, 32, page, KEY_PAGE_LEN - 32,
                       NULL, 0);
}

static int
key_read(void)
{
    struct master *m;
    struct passphrase p;
    int err = master_read(&m, path_of("client.db"), false);
    if (err || master_is_open(m)) {
        master_free(&m);
        return err;
    }
    assert_int_equal(passphrase_set(&p, word, sizeof word - 1), 0);
    err = master_kind(m) == MASTER_SEALED ? master_open(m, &p) : ERR_MISSING;
    assert_true(err != 0 || master_is_open(m));
    passphrase_free(&p);
    master_free(&m);
    return err;
}

static void
key_files(void **state)
{
    (void)state;
    static uint8_t good[2][KEY_PAGE_LEN], page[KEY_PAGE_LEN + 300];
    struct tally t = {.parser = "master_read"};
    struct rng_seeded rng;
    struct passphrase p;
    rng_seeded_init_u64(&rng, test_seed(), "fuzz key files");
    assert_int_equal(passphrase_set(&p, word, sizeof word - 1), 0);
    for (unsigned i = 0; i < 2; i++) {
        struct master *m;
        uint8_t *bytes;
        size_t len;
        assert_int_equal(master_read(&m, path_of("client.db"), false), 0);
        assert_int_equal(master_make(m), 0);
        assert_int_equal(master_write(m, i ? &p : NULL, &cheap), 0);
        master_free(&m);
        assert_int_equal(
            files_read(path_of("client.db-seal"), KEY_PAGE_LEN, &bytes, &len),
            0);
        assert_int_equal(len, KEY_PAGE_LEN);
        memcpy(good[i], bytes, len);
        free(bytes);
        assert_int_equal(key_read(), 0);
        assert_int_equal(unlink(path_of("client.db-seal")), 0);
    }
    passphrase_free(&p);
    for (unsigned i = 0; i < mutate_inputs(MUTATE_KEY_FILES); i++) {
        const bool inside = i % 4 != 0;
        size_t len = KEY_PAGE_LEN;
        memcpy(page, good[mutate_below(&rng, 4) ? 1 : 0], KEY_PAGE_LEN);
        if (inside) {
            mutate_bytes(&rng, page, i % 8 == 1 ? KEY_PAGE_LEN : 140);
            page_check(page);
        } else {
            mutate_input(&rng, page, &len, KEY_PAGE_LEN + 300);
        }
        if (codec_get64(page + 40) > 8192 && page[15] == 1)
            codec_put64(page + 40, 8192 << mutate_below(&rng, 4));
        if (inside)
            page_check(page);
        file_put("client.db-seal", page, len);
        tally_add(&t, key_read(), inside);
    }
    tally_report(&t, mutate_inputs(MUTATE_KEY_FILES), 4);
}

const struct CMUnitTest test_backups[] = {
    FOLDER_TEST(backups),
    FOLDER_TEST(key_files),
};
TEST_SUITE(test_backups);
