/* tests/unit/test_keys.c - what a relay keeps in files. */
#include "tests/runner.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/os/clock.h"
#include "lib/os/files.h"
#include "lib/secret.h"
#include "relay/daemon/keys.h"
#include "tests/bad_disk.h"
#include "tests/folder.h"

enum { TAGS = 100000, CHILD_TAGS = 500 };

static const char *const dir = folder_path;

static void
tag_make(uint8_t tag[REPLAY_TAG_LEN], unsigned number)
{
    memset(tag, 0, REPLAY_TAG_LEN);
    memcpy(tag, &number, sizeof number);
}

/* I3: what a process had seen when it was killed with -9, at whichever moment,
 * is seen by the next one. */
static void
i3_replays_are_seen_after_a_kill(void **state)
{
    (void)state;
    uint64_t now_s = clock_wall_s();
    uint8_t tag[REPLAY_TAG_LEN];
    for (unsigned round = 0; round < 10; round++) {
        struct replay_file *f;
        unsigned base = round * CHILD_TAGS, last = base;
        bool wait;
        int fd[2];
        assert_int_equal(pipe(fd), 0);
        pid_t child = fork();
        if (child == 0) {
            if (replay_file_open(&f, dir, TAGS, &wait) || wait)
                _exit(1);
            for (unsigned i = base; i < base + CHILD_TAGS; i++) {
                tag_make(tag, i);
                if (replay_insert(replay_file_set(f), tag, now_s + 60, now_s) ||
                    write(fd[1], &i, sizeof i) != sizeof i)
                    _exit(2);
            }
            pause();
        }
        close(fd[1]);
        unsigned i, want = base + 40 * round + 1;
        while (last < want && read(fd[0], &i, sizeof i) == sizeof i)
            last = i;
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(fd[0], &i, sizeof i) == sizeof i)
            last = i;
        close(fd[0]);
        assert_true(last >= want);
        assert_int_equal(replay_file_open(&f, dir, TAGS, &wait), 0);
        assert_false(wait); /* the machine has not started anew */
        for (i = base; i <= last; i++) {
            tag_make(tag, i);
            assert_int_equal(
                replay_insert(replay_file_set(f), tag, now_s + 60, now_s),
                ERR_REPLAY);
        }
        tag_make(tag, 1u << 30 | round); /* and a new one still passes */
        assert_int_equal(
            replay_insert(replay_file_set(f), tag, now_s + 60, now_s), 0);
        replay_file_close(&f);
    }
}

/* A file that is damaged, or of another size, is begun anew, and the relay is
 * told to wait; two relays never share one. */
static void
damage_is_waited_out(void **state)
{
    (void)state;
    struct replay_file *f, *second;
    char path[FILES_PATH_MAX];
    bool wait;
    assert_int_equal(replay_file_open(&f, dir, TAGS, &wait), 0);
    assert_int_equal(replay_file_open(&second, dir, TAGS, &wait), ERR_AGAIN);
    replay_file_close(&f);
    assert_int_equal(replay_file_open(&f, dir, 2 * TAGS, &wait), 0);
    assert_true(wait);
    replay_file_close(&f);
    assert_int_equal(files_path(path, dir, "replay"), 0);
    FILE *damage = fopen(path, "r+");
    fputs("damage", damage);
    fclose(damage);
    assert_int_equal(replay_file_open(&f, dir, 2 * TAGS, &wait), 0);
    assert_true(wait);
    replay_trust(replay_file_set(f), clock_wall_s());
    replay_file_close(&f);
    assert_int_equal(replay_file_open(&f, dir, 2 * TAGS, &wait), 0);
    assert_false(wait);
    replay_file_close(&f);
}

/* The file is deleted, as people will who look for what ails their relay: with
 * packet keys there it waits, and goes on waiting when it is started again, and
 * stops when the longest deadline is over. Without any key there is nothing to
 * wait for. */
static void
i10_a_deleted_set_is_waited_out(void **state)
{
    (void)state;
    struct replay_file *f;
    char path[FILES_PATH_MAX];
    uint8_t *seed;
    bool wait;
    assert_int_equal(replay_file_open(&f, dir, TAGS, &wait), 0);
    assert_false(wait);
    replay_file_close(&f);
    assert_int_equal(keys_seed(dir, 7, &seed), 0);
    secret_free((void **)&seed);
    assert_int_equal(replay_file_open(&f, dir, TAGS, &wait), 0);
    assert_false(wait);
    replay_file_close(&f);
    assert_int_equal(files_path(path, dir, "replay"), 0);
    assert_int_equal(unlink(path), 0);
    for (unsigned starts = 0; starts < 2; starts++) {
        assert_int_equal(replay_file_open(&f, dir, TAGS, &wait), 0);
        assert_true(wait);
        replay_file_close(&f);
    }
    assert_int_equal(replay_file_open(&f, dir, TAGS, &wait), 0);
    replay_trust(replay_file_set(f), clock_wall_s());
    replay_file_close(&f);
    assert_int_equal(replay_file_open(&f, dir, TAGS, &wait), 0);
    assert_false(wait);
    replay_file_close(&f);
    assert_int_equal(keys_forget(dir, 8), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(replay_file_open(&f, dir, TAGS, &wait), 0);
    assert_false(wait);
    replay_file_close(&f);
}

/* A file of holes gets room for each of its bytes and keeps what it holds, also
 * where the file system sets nothing aside by itself. */
static void
room_is_reserved(void **state)
{
    (void)state;
    enum { LEN = 200001, AT = 100000 };
    for (unsigned i = 0; i < 2; i++) {
        char path[FILES_PATH_MAX], got[5] = "";
        struct stat st;
        assert_int_equal(files_path(path, dir, i ? "second" : "first"), 0);
        const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(pwrite(fd, "kept", 4, AT), 4);
        bad_disk_reserves_nothing = i == 1;
        assert_int_equal(files_reserve(fd, LEN), 0);
        bad_disk_reserves_nothing = false;
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(st.st_size, LEN);
        assert_true(st.st_blocks * 512 >= LEN);
        assert_int_equal(pread(fd, got, 4, AT), 4);
        assert_string_equal(got, "kept");
        close(fd);
    }
}

/* On a full disk the set is refused, by whatever the file system does; what
 * there was is unchanged, and with room there is nothing to wait for. */
static void
i10_a_set_without_room_is_refused(void **state)
{
    (void)state;
    bool wait;
    struct replay_file *f;
    struct stat st;
    char path[FILES_PATH_MAX];
    assert_int_equal(files_path(path, dir, "replay"), 0);
    for (unsigned i = 0; i < 2; i++) {
        for (struct bad_disk d = {.calls = BAD_WRITE}; bad_disk_next(&d);) {
            unlink(path);
            bad_disk_arm(&d);
            bad_disk_reserves_nothing = i == 1;
            int err = replay_file_open(&f, dir, TAGS, &wait);
            bad_disk_reserves_nothing = false;
            bad_disk_disarm(&d);
            assert_int_equal(err, d.failed ? ERR_ROOM : 0);
            replay_file_close(&f);
            assert_int_equal(stat(path, &st), 0);
            if (d.n != 0)
                continue;
            assert_int_equal(st.st_size, 0);
            assert_int_equal(replay_file_open(&f, dir, TAGS, &wait), 0);
            assert_false(wait);
            assert_int_equal(stat(path, &st), 0);
            assert_true(st.st_blocks * 512 >= st.st_size);
            replay_file_close(&f);
        }
    }
}

static void
keys_stay_and_go(void **state)
{
    (void)state;
    uint8_t *a, *b;
    assert_int_equal(keys_seed(dir, 7, &a), 0);
    assert_int_equal(keys_seed(dir, 7, &b), 0);
    assert_memory_equal(a, b, 32);
    secret_free((void **)&b);
    assert_int_equal(keys_forget(dir, 7), 0);
    assert_int_equal(keys_seed(dir, 7, &b), 0);
    assert_memory_equal(a, b, 32);
    secret_free((void **)&b);
    assert_int_equal(keys_forget(dir, 8), 0);
    assert_int_equal(keys_seed(dir, 7, &b), 0);
    assert_memory_not_equal(a, b, 32);
    secret_free((void **)&a);
    secret_free((void **)&b);
}

static void
files_are_replaced_whole(void **state)
{
    (void)state;
    char path[FILES_PATH_MAX];
    uint8_t *bytes;
    size_t len;
    assert_int_equal(files_path(path, dir, "file"), 0);
    assert_int_equal(files_read(path, 10, &bytes, &len), ERR_NOT_FOUND);
    assert_int_equal(files_write(path, "0123456789", 10), 0);
    assert_int_equal(files_read(path, 9, &bytes, &len), ERR_LONG);
    assert_int_equal(files_read(path, 10, &bytes, &len), 0);
    assert_int_equal(len, 10);
    assert_string_equal((char *)bytes, "0123456789");
    free(bytes);
    assert_int_equal(files_write("/proc/nowhere/file", "", 0), ERR_FOLDER);
    assert_int_equal(files_read(dir, 10, &bytes, &len), ERR_KIND);
}

/* Two of one directory would sign what contradicts. The lock is gone with its
 * process, however that ends. */
static void
a_directory_is_locked_by_one_process(void **state)
{
    int fd, other, pipe_fd[2];
    char byte;
    (void)state;
    assert_int_equal(pipe(pipe_fd), 0);
    pid_t child = fork();
    if (child == 0) {
        close(pipe_fd[0]);
        alarm(10); /* when the parent fails it is not left */
        if (files_lock(dir, &fd) || write(pipe_fd[1], "x", 1) != 1)
            _exit(1);
        pause();
        _exit(1);
    }
    close(pipe_fd[1]);
    assert_int_equal(read(pipe_fd[0], &byte, 1), 1);
    close(pipe_fd[0]);
    assert_int_equal(files_lock(dir, &fd), ERR_AGAIN);
    assert_int_equal(fd, -1);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(files_lock(dir, &fd), 0);
    assert_int_equal(files_lock(dir, &other), ERR_AGAIN);
    close(fd);
    assert_int_equal(files_lock(dir, &other), 0);
    close(other);
    assert_int_equal(files_lock("/nonexistent", &fd), ERR_FOLDER);
}

const struct CMUnitTest test_keys[] = {
    FOLDER_TEST(a_directory_is_locked_by_one_process),
    FOLDER_TEST(i3_replays_are_seen_after_a_kill),
    FOLDER_TEST(damage_is_waited_out),
    FOLDER_TEST(i10_a_deleted_set_is_waited_out),
    FOLDER_TEST(room_is_reserved),
    FOLDER_TEST(i10_a_set_without_room_is_refused),
    FOLDER_TEST(keys_stay_and_go),
    FOLDER_TEST(files_are_replaced_whole),
};
TEST_SUITE(test_keys);
