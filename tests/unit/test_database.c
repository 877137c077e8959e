/* tests/unit/test_database.c - SQLite files of ours: lock, version, errors. */
#include "tests/runner.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/os/database.h"

static const struct database_form shared = {
    .pragmas = "PRAGMA page_size=8192;",
    .tables = "CREATE TABLE IF NOT EXISTS t(n INTEGER);",
    .table = "t",
    .version = 2};
static struct database_form alone, newer;

static char dir[64], path[80];

static int
setup(void **state)
{
    (void)state;
    alone = newer = shared;
    alone.alone = true;
    newer.version = 3;
    strcpy(dir, "/tmp/brusio-database-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/t.db", dir);
    return 0;
}

static int
teardown(void **state)
{
    char command[96];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command);
}

/* What another process gets that opens it. */
static int
open_elsewhere(const struct database_form *form)
{
    int status;
    struct sqlite3 *db;
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0)
        _exit(-database_open(&db, path, form));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return -WEXITSTATUS(status);
}

/* Does this process hold a lock on the file, as the kernel sees it? SQLite in a
 * child would believe what it inherits. */
static bool
is_locked(void)
{
    int status;
    const pid_t pid = fork();
    if (pid == 0) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        const int fd = open(path, O_RDWR | O_CLOEXEC);
        _exit(fcntl(fd, F_GETLK, &lock) ? 2 : lock.l_type != F_UNLCK);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
    return WEXITSTATUS(status) == 1;
}

static uint64_t
number(struct sqlite3 *db, const char *text)
{
    uint64_t n;
    assert_int_equal(database_number(db, text, &n), 0);
    return n;
}

static void
a_file_is_ours_and_stays_inside(void **state)
{
    (void)state;
    struct sqlite3 *db;
    struct stat st;
    const mode_t before = umask(0);
    assert_int_equal(database_open(&db, path, &shared), 0);
    umask(before);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(number(db, "PRAGMA page_size"), 8192);
    assert_int_equal(number(db, "PRAGMA synchronous"), 2);
    assert_int_equal(number(db, "PRAGMA temp_store"), 2); /* in memory */
    assert_int_equal(number(db, "PRAGMA user_version"), 2);
    assert_int_equal(database_run(db, "INSERT INTO t VALUES(7);"), 0);
    char journal[96];
    snprintf(journal, sizeof journal, "%s-wal", path);
    assert_int_equal(stat(journal, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(open_elsewhere(&shared), 0);
    database_close(&db);
    assert_null(db);
    assert_int_equal(database_open(&db, path, &shared), 0);
    assert_int_equal(number(db, "SELECT n FROM t"), 7);
    database_close(&db);
    database_close(&db); /* of nothing */
}

/* Nobody else, whatever this process tries meanwhile. */
static void
a_lock_holds(void **state)
{
    (void)state;
    struct sqlite3 *db, *second;
    char index[96];
    assert_int_equal(database_open(&db, path, &alone), 0);
    assert_int_equal(open_elsewhere(&alone), ERR_AGAIN);
    assert_int_equal(open_elsewhere(&shared), ERR_AGAIN);
    assert_int_equal(database_open(&second, path, &alone), ERR_AGAIN);
    assert_null(second);
    assert_true(is_locked());
    assert_int_equal(open_elsewhere(&alone), ERR_AGAIN);
    snprintf(index, sizeof index, "%s-shm", path);
    assert_int_not_equal(access(index, F_OK), 0);
    database_close(&db);
    assert_false(is_locked());
    assert_int_equal(open_elsewhere(&alone), 0);
}

static void
another_version_is_left_alone(void **state)
{
    (void)state;
    struct sqlite3 *db;
    assert_int_equal(database_open(&db, path, &newer), 0);
    database_close(&db);
    assert_int_equal(database_open(&db, path, &shared), ERR_VERSION);
    assert_null(db);
    assert_int_equal(database_open(&db, path, &alone), ERR_VERSION);
    assert_int_equal(database_open(&db, path, &newer), 0);
    assert_int_equal(number(db, "PRAGMA user_version"), 3);
    database_close(&db);
}

static void
errors_are_told(void **state)
{
    (void)state;
    struct sqlite3 *db;
    struct sqlite3_stmt *st;
    uint64_t n = 5;
    assert_int_equal(database_open(&db, "/nowhere/t.db", &shared), ERR_FOLDER);
    assert_int_equal(database_open(&db, dir, &shared), ERR_KIND);
    assert_int_equal(database_open(&db, path, &shared), 0);
    assert_int_equal(database_run(db, "INSERT INTO u VALUES(1)"), ERR_DB);
    assert_int_equal(database_prepare(db, "SELECT x FROM t", &st), ERR_DB);
    assert_int_equal(database_number(db, "SELECT x FROM t", &n), ERR_DB);
    assert_int_equal(database_number(db, "SELECT n FROM t", &n), ERR_DB);
    assert_int_equal(database_number(db, "SELECT -1", &n), ERR_DB);
    assert_int_equal(n, 0);
    database_close(&db);
    FILE *f = fopen(path, "w");
    fputs("this is no database, whatever its name says, and it is long enough",
          f);
    fclose(f);
    assert_int_equal(database_open(&db, path, &shared), ERR_DAMAGED);
    assert_non_null(strstr(database_remedy(ERR_DAMAGED), "damaged"));
    assert_non_null(strstr(database_remedy(ERR_ROOM), "make room"));
    assert_non_null(strstr(database_remedy(ERR_AGAIN), "another program"));
    assert_non_null(strstr(database_remedy(ERR_VERSION), "another version"));
    assert_string_equal(database_remedy(ERR_NOMEM), error_text(ERR_NOMEM));
}

/* One that has been there, and is gone, is not made anew. */
static void
what_was_there_is_not_made(void **state)
{
    (void)state;
    struct sqlite3 *db;
    struct database_form there = alone;
    there.there = true;
    assert_int_equal(database_open(&db, path, &there), ERR_FOLDER);
    assert_null(db);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(database_open(&db, path, &alone), 0);
    database_close(&db);
    assert_int_equal(database_open(&db, path, &there), 0);
    database_close(&db);
}

static uint64_t
size_of_file(void)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return (uint64_t)st.st_size;
}

/* What another program has made is not taken, whatever number it bears; nor is a
 * single byte, which SQLite takes for an empty file, nor an empty file in the place of
 * one that was full. */
static void
what_is_anothers_is_left_alone(void **state)
{
    (void)state;
    struct sqlite3 *db;
    struct database_form there = alone;
    there.there = true;
    for (unsigned version = 0; version < 3; version += 2) {
        unlink(path);
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(database_run(db, "CREATE TABLE notes(a)"), 0);
        if (version)
            assert_int_equal(database_run(db, "PRAGMA user_version=2"), 0);
        database_close(&db);
        assert_int_equal(database_open(&db, path, &alone), ERR_DAMAGED);
        assert_null(db);
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(number(db, "PRAGMA user_version"), version);
        assert_int_equal(number(db, "SELECT count(*) FROM sqlite_master"), 1);
        database_close(&db);
    }
    for (int size = 0; size < 2; size++) {
        FILE *f = fopen(path, "w");
        fputs(size ? "x" : "", f);
        fclose(f);
        assert_int_equal(database_open(&db, path, &there), ERR_DAMAGED);
        assert_int_equal(database_open(&db, path, size ? &alone : &there),
                         ERR_DAMAGED);
        assert_int_equal(size_of_file(), size);
    }
}

const struct CMUnitTest test_database[] = {
    cmocka_unit_test_setup_teardown(a_file_is_ours_and_stays_inside, setup,
                                    teardown),
    cmocka_unit_test_setup_teardown(a_lock_holds, setup, teardown),
    cmocka_unit_test_setup_teardown(another_version_is_left_alone, setup,
                                    teardown),
    cmocka_unit_test_setup_teardown(errors_are_told, setup, teardown),
    cmocka_unit_test_setup_teardown(what_was_there_is_not_made, setup,
                                    teardown),
    cmocka_unit_test_setup_teardown(what_is_anothers_is_left_alone, setup,
                                    teardown),
};
TEST_SUITE(test_database);
