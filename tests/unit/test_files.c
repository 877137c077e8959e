/* tests/unit/test_files.c - files among those of other people. */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/os/files.h"

static char dir[] = "/tmp/brusio-files-XXXXXX";

static const char *
path_of(const char *name)
{
    static char path[2][FILES_PATH_MAX];
    static unsigned next;
    char *out = path[next++ % 2];
    snprintf(out, FILES_PATH_MAX, "%s/%s", dir, name);
    return out;
}

static void
holds(const char *name, const char *text)
{
    uint8_t *got;
    size_t len;
    assert_int_equal(files_read(path_of(name), 100, &got, &len), 0);
    assert_string_equal((char *)got, text);
    free(got);
}

/* Returns how many names there are. */
static unsigned
names_count(void)
{
    char command[FILES_PATH_MAX], line[16] = "";
    snprintf(command, sizeof command, "ls -A %s | wc -l", dir);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    pclose(f);
    return (unsigned)atoi(line);
}

/* What a contact sends, under a name of his choice, replaces nothing, and nothing
 * beside it; nor is anything written through a link. */
static void
i10_a_saved_file_harms_no_other(void **state)
{
    (void)state;
    struct stat st;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(files_save(path_of("notes.new"), "mine", 4, false), 0);
    assert_int_equal(files_save(path_of("other"), "mine", 4, false), 0);
    assert_int_equal(symlink(path_of("other"), path_of("link")), 0);
    assert_int_equal(symlink(path_of("absent"), path_of("hanging")), 0);
    assert_int_equal(symlink(path_of("other"), path_of("notes2.new")), 0);
    assert_int_equal(files_save(path_of("notes"), "his", 3, false), 0);
    assert_int_equal(files_save(path_of("notes"), "again", 5, false),
                     ERR_EXISTS);
    assert_int_equal(files_save(path_of("link"), "his", 3, false), ERR_EXISTS);
    assert_int_equal(files_save(path_of("hanging"), "his", 3, false),
                     ERR_EXISTS);
    assert_int_equal(files_save(path_of("notes2"), "his", 3, true), 0);
    holds("notes.new", "mine");
    holds("other", "mine");
    holds("notes", "his");
    holds("notes2", "his");
    assert_int_equal(access(path_of("absent"), F_OK), -1);
    /* where it may replace a link it does that, not what the link leads to */
    assert_int_equal(files_save(path_of("link"), "his", 3, true), 0);
    holds("link", "his");
    holds("other", "mine");
    assert_int_equal(stat(path_of("notes"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(names_count(), 7);
    /* what cannot be written leaves nothing behind */
    assert_int_equal(files_save(path_of("no/where"), "his", 3, false),
                     ERR_FOLDER);
    assert_int_equal(files_save(path_of("no/where"), "his", 3, true),
                     ERR_FOLDER);
    /* the programs' own files go through no link either */
    assert_int_equal(files_write(path_of("notes2"), "own", 3), ERR_KIND);
    holds("other", "mine");
    assert_int_equal(names_count(), 7);
    char command[FILES_PATH_MAX];
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

const struct CMUnitTest test_files[] = {
    cmocka_unit_test(i10_a_saved_file_harms_no_other),
};
TEST_SUITE(test_files);
