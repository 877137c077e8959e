/* tests/unit/test_files.c - files among those of other people. */
#include "tests/runner.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/commands/received.h"
#include "client/commands/terminal.h"
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

/* Save as `recv` does, with what it says kept from the terminal. Returns its result;
 * where it went is in went. */
static char went[FILES_PATH_MAX];
static int
save(const char *place, const char *name, const char *text)
{
    bool made;
    const int err = received_save(went, &made, place, name, text, strlen(text));
    struct stat st;
    assert_int_equal(made, !err && stat(went, &st) == 0 && S_ISREG(st.st_mode));
    return err;
}

/* What a contact sends, under a name of his choice, replaces nothing, and nothing
 * beside it; nor is anything written through a link. */
static void
i10_a_saved_file_harms_no_other(void **state)
{
    (void)state;
    struct stat st;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(save(path_of("notes.new"), "", "mine"), 0);
    assert_int_equal(save(path_of("other"), "", "mine"), 0);
    assert_int_equal(symlink(path_of("other"), path_of("link")), 0);
    assert_int_equal(symlink(path_of("absent"), path_of("hanging")), 0);
    assert_int_equal(save(dir, "notes", "his"), 0);
    assert_string_equal(went, path_of("notes"));
    assert_int_equal(save(path_of("notes"), "", "again"), -1);
    assert_int_equal(save(path_of("link"), "", "his"), -1);
    assert_int_equal(save(path_of("hanging"), "", "his"), -1);
    holds("notes.new", "mine");
    holds("other", "mine");
    holds("notes", "his");
    assert_int_equal(access(path_of("absent"), F_OK), -1);
    assert_int_equal(stat(path_of("notes"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(names_count(), 5);
    /* in a directory the next name that is free is taken */
    assert_int_equal(save(dir, "notes", "his second"), 0);
    assert_string_equal(went, path_of("notes (2)"));
    assert_int_equal(save(dir, "link", "his"), 0);
    assert_string_equal(went, path_of("link (2)"));
    holds("notes", "his");
    holds("other", "mine");
    /* what cannot be written leaves nothing behind */
    assert_int_equal(save(path_of("no/where"), "", "his"), -1);
    /* the programs' own files go through no link either */
    assert_int_equal(symlink(path_of("other"), path_of("own.new")), 0);
    assert_int_equal(files_write(path_of("own"), "own", 3), ERR_KIND);
    holds("other", "mine");
    assert_int_equal(names_count(), 8);
    char command[FILES_PATH_MAX];
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

/* A pipe or a device is written to, not replaced; what has no room is told, and
 * nothing of it is left. */
static void
files_go_into_what_is_no_file(void **state)
{
    (void)state;
    struct stat st;
    char place[] = "/tmp/brusio-files-XXXXXX", fifo[64], got[8] = "";
    assert_non_null(mkdtemp(place));
    snprintf(fifo, sizeof fifo, "%s/fifo", place);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    const int fd = open(fifo, O_RDONLY | O_NONBLOCK);
    assert_true(fd >= 0);
    assert_int_equal(save(fifo, "", "his"), 0);
    assert_int_equal(read(fd, got, sizeof got), 3);
    assert_memory_equal(got, "his", 3);
    assert_int_equal(stat(fifo, &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    assert_int_equal(save("/dev/full", "", "his"), -1);
    assert_true(received_takes_many(fifo) && received_takes_many(place) &&
                received_takes_many("-") && received_takes_many(NULL));
    assert_false(received_takes_many("/tmp/brusio-absent"));
    close(fd);
    assert_int_equal(unlink(fifo), 0);
    assert_int_equal(rmdir(place), 0);
}

/* Names as they come, and what becomes of them. */
static void
names_from_outside_are_made_safe(void **state)
{
    (void)state;
    static const struct {
        const char *given, *made;
    } row[] = {{"photo.jpg", "photo.jpg"},
               {"../../etc/passwd", "passwd"},
               {"a/", "file"},
               {"", "file"},
               {".bashrc", "file"},
               {"..", "file"},
               {"-rf", "_rf"},
               {"x/--help", "_-help"},
               {"a\nb", "a_b"},
               {"x\xe2\x80\xaegpj.exe", "x_gpj.exe"},
               {"x\xe2\x80\x8fy", "x_y"},
               {"x\xd8\x9cy", "x_y"},
               {"x\xc2\x9by", "x_y"},
               {"x\x7fy", "x_y"},
               {"caf\xc3\xa9", "caf\xc3\xa9"},
               {"\xd8\xa7", "\xd8\xa7"}};
    char name[TERMINAL_NAME_MAX], longest[400], cut[64];
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        terminal_file_name(name, sizeof name, row[i].given);
        assert_string_equal(name, row[i].made);
    }
    /* too long: the ending stays, no character is cut in two */
    memset(longest, 'a', sizeof longest);
    memcpy(longest + 390, ".tar.gz", 8);
    terminal_file_name(name, sizeof name, longest);
    assert_int_equal(strlen(name), TERMINAL_NAME_MAX - 1);
    assert_string_equal(name + strlen(name) - 3, ".gz");
    for (size_t i = 0; i < sizeof longest - 1; i += 2)
        memcpy(longest + i, "\xc3\xa9", 2);
    longest[398] = 0;
    for (size_t len = 30; len < 34; len++) {
        terminal_file_name(cut, len, longest);
        assert_int_equal(strlen(cut), (len - 1) / 2 * 2);
    }
    terminal_file_name_next(name, sizeof name, "a.b.txt", 1);
    assert_string_equal(name, "a.b (2).txt");
    terminal_file_name_next(name, sizeof name, "Makefile", 9);
    assert_string_equal(name, "Makefile (10)");
}

/* A text from outside steers no terminal, whatever bytes it has. */
static void
i10_texts_steer_no_terminal(void **state)
{
    (void)state;
    static const struct {
        const char *given;
        size_t len;
        const char *made;
    } row[] = {{"hello", 5, "hello"},
               {"a\nb: c", 6, "a\n    b: c"},
               {"a\0b", 3, "a?b"},
               {"\x1b[2J", 4, "?[2J"},
               {"\xc2\x9b"
                "2J",
                4, "?2J"},
               {"a\r\b\x7f", 4, "a???"},
               {"\xe2\x80\xa8", 3, "?"},
               {"\xe2\x80\xaex\xe2\x81\xa9", 7, "?x?"},
               {"\xe2\x80", 2, "\xe2\x80"},
               {"\t\xf0\x9f\x98\x80", 5, "\t\xf0\x9f\x98\x80"}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        char *made = NULL;
        size_t len;
        FILE *out = open_memstream(&made, &len);
        assert_non_null(out);
        terminal_text(out, row[i].given, row[i].len);
        fclose(out);
        assert_string_equal(made, row[i].made);
        free(made);
    }
}

const struct CMUnitTest test_files[] = {
    cmocka_unit_test(i10_a_saved_file_harms_no_other),
    cmocka_unit_test(files_go_into_what_is_no_file),
    cmocka_unit_test(names_from_outside_are_made_safe),
    cmocka_unit_test(i10_texts_steer_no_terminal),
};
TEST_SUITE(test_files);
