/* tests/unit/test_sandbox.c - what a daemon gives up is gone, and what it needs
 * is not. Each in a child of its own, whose exit status is the verdict. */
#include "tests/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <pwd.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/os/sandbox.h"

enum { MISSING = 77 }; /* the kernel lacks it */

/* Returns 0, or the line of the child that went wrong. */
static int
in_child(int (*run)(const char *dir))
{
    char dir[] = "/tmp/brusio-sandbox-XXXXXX", command[64];
    assert_non_null(mkdtemp(dir));
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(run(dir));
    int status = 0;
    waitpid(pid, &status, 0);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
    if (!WIFEXITED(status))
        fail_msg("the child died of signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) == MISSING)
        puts("  this kernel lacks it");
    else if (WEXITSTATUS(status))
        fail_msg("check %d of the child failed", WEXITSTATUS(status));
    return 0;
}

static int
opens(const char *path, int flags)
{
    int fd = open(path, flags, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0 ? 0 : errno;
}

static void *
nothing(void *x)
{
    return x;
}

/* What a relay does all day. */
static int
works(const char *dir)
{
    char path[128], other[128];
    uint8_t bytes[16];
    pthread_t thread;
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/file", dir);
    snprintf(other, sizeof other, "%s/other", dir);
    if (opens(path, O_RDWR | O_CREAT))
        return 1;
    if (truncate(path, 10) || rename(path, other) || unlink(other))
        return 2;
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return 3;
    if (pthread_create(&thread, NULL, nothing, NULL) ||
        pthread_join(thread, NULL))
        return 4;
    void *map = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED || mlock(map, 4096))
        return 5;
    for (int family = 0; family < 2; family++) {
        int fd = socket(family ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
        if (fd < 0 && errno != EAFNOSUPPORT)
            return 6;
        close(fd);
    }
    snprintf(path, sizeof path, "%s/letters", dir);
    if (sqlite3_open(path, &db) ||
        sqlite3_exec(db,
                     "PRAGMA journal_mode=WAL; CREATE TABLE t(x);"
                     "INSERT INTO t VALUES(1);",
                     NULL, NULL, NULL))
        return 7;
    sqlite3_close(db);
    return 0;
}

static int
files_child(const char *dir)
{
    const char *const rw[] = {dir, NULL};
    const char *const ro[] = {"/etc/passwd", "/usr/lib", "/nowhere", NULL};
    char *const argv[] = {(char *)"true", NULL};
    if (opens("/etc/group", O_RDONLY)) /* before: yes */
        return 20;
    int err = sandbox_files(rw, ro);
    if (err)
        return err == ERR_UNSUPPORTED ? MISSING : 21;
    if (opens("/etc/group", O_RDONLY) != EACCES)
        return 22;
    if (opens("/etc/passwd", O_RDONLY))
        return 23;
    if (opens("/etc/passwd", O_RDWR) != EACCES)
        return 24;
    if (opens("/tmp/brusio-sandbox-other", O_RDWR | O_CREAT) != EACCES)
        return 25;
    execv("/bin/true", argv);
    if (errno != EACCES)
        return 26;
    return works(dir);
}

static int
calls_child(const char *dir)
{
    char *const argv[] = {(char *)"true", NULL};
    int err = sandbox_calls(false);
    if (err)
        return err == ERR_UNSUPPORTED ? MISSING : 31;
    execv("/bin/true", argv);
    if (errno != EPERM)
        return 32;
    if (socket(AF_NETLINK, SOCK_RAW, 0) >= 0 || errno != EPERM)
        return 33;
    if (socket(AF_PACKET, SOCK_RAW, 0) >= 0 || errno != EPERM)
        return 34;
    if (chroot("/") == 0 || errno != EPERM)
        return 35;
    return works(dir);
}

static int
user_child(const char *dir)
{
    (void)dir;
    if (sandbox_user("no-such-user-here") != ERR_NOT_FOUND)
        return 41;
    if (geteuid() != 0)
        return sandbox_user("root") == 0 ? 42 : 0;
    if (sandbox_user("nobody"))
        return 43;
    const struct passwd *p = getpwnam("nobody");
    if (!p || getuid() != p->pw_uid || geteuid() != p->pw_uid)
        return 44;
    if (setuid(0) == 0 || opens("/etc/shadow", O_RDONLY) == 0)
        return 45;
    return sandbox_user("nobody") == 0 ? 0 : 46; /* it is that already */
}

static void
files_are_closed(void **state)
{
    (void)state;
    in_child(files_child);
}

static void
calls_are_closed(void **state)
{
    (void)state;
    in_child(calls_child);
}

static void
root_is_given_up(void **state)
{
    (void)state;
    in_child(user_child);
}

const struct CMUnitTest test_sandbox[] = {
    cmocka_unit_test(files_are_closed),
    cmocka_unit_test(calls_are_closed),
    cmocka_unit_test(root_is_given_up),
};
TEST_SUITE(test_sandbox);
