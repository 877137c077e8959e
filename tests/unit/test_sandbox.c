/* tests/unit/test_sandbox.c - what a daemon gives up is gone, and what it needs
 * is not. Each in a child of its own, whose exit status is the verdict. */
#include "tests/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/os/confine.h"
#include "lib/os/files.h"
#include "lib/os/sandbox.h"
#include "tests/folder.h"

enum { MISSING = 77 }; /* the kernel lacks it */

/* Returns 0, or the line of the child that went wrong. */
static int
in_child(int (*run)(const char *dir))
{
    char dir[FOLDER_LEN];
    assert_int_equal(folder_make(dir), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(run(dir));
    int status = 0;
    waitpid(pid, &status, 0);
    assert_int_equal(folder_remove(dir), 0);
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

/* What every daemon does all day. */
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
    int fd = open(path, O_RDWR);
    if (fd < 0 || ftruncate(fd, 10) || rename(path, other) || unlink(other) ||
        close(fd))
        return 2;
    if (mkdir(path, 0700) || files_write(other, "x", 1) || rmdir(path) ||
        unlink(other))
        return 8;
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
        fd = socket(family ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
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
    sqlite3_close(db); /* the journal goes */
    snprintf(path, sizeof path, "%s/letters-wal", dir);
    if (access(path, F_OK) == 0 || raise(SIGURG))
        return 9;
    return 0;
}

/* Files of kinds that no daemon makes, and ways out of its own folder. */
static int
stays_inside(const char *dir)
{
    char path[128], out[128];
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(path, sizeof path, "%s/thing", dir);
    snprintf(out, sizeof out, "%s-out", dir);
    snprintf(a.sun_path, sizeof a.sun_path, "%.100s", path);
    if (symlink("/etc/group", path) == 0 || errno != EACCES)
        return 50;
    if (mkfifo(path, 0600) == 0 || errno != EACCES)
        return 51;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) == 0 ||
        errno != EACCES)
        return 52;
    close(fd);
    if (opens(path, O_RDWR | O_CREAT))
        return 53;
    if (rename(path, out) == 0 || (errno != EXDEV && errno != EACCES))
        return 54;
    if (link(path, out) == 0 || (errno != EXDEV && errno != EACCES))
        return 55;
    if (mkdir(out, 0700) == 0 || errno != EACCES)
        return 56;
    return unlink(path) ? 57 : 0;
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
    err = stays_inside(dir);
    return err ? err : works(dir);
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
    if (ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0 || errno != EPERM)
        return 36;
    if (ioctl(-1, TIOCSTI, "x") == 0 || errno != EPERM)
        return 37;
    if (ioctl(-1, TIOCLINUX, "x") == 0 || errno != EPERM)
        return 38;
    if (ioctl(-1, FIONREAD, &err) == 0 || errno != EBADF)
        return 39;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), one = -1;
    const struct sockaddr_in a = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    one = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(one, (const struct sockaddr *)&a, sizeof a) ||
        listen(one, 1))
        return 30;
    return works(dir);
}

/* One that has settled: calls whose arguments would do nothing, so that whoever
 * lets them through is told by another error. */
static int
settled_child(const char *dir)
{
    char path[128];
    int pair[2], out, fd[2];
    pid_t other = getppid();
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(path, sizeof path, "%s/file", dir);
    snprintf(a.sun_path, sizeof a.sun_path, "%s/sock", dir);
    fd[0] = socket(AF_UNIX, SOCK_STREAM, 0);
    fd[1] = socket(AF_UNIX, SOCK_STREAM, 0);
    if (opens(path, O_RDWR | O_CREAT) ||
        bind(fd[0], (struct sockaddr *)&a, sizeof a) || listen(fd[0], 1))
        return 60;
    int err = sandbox_calls(true);
    if (err)
        return err == ERR_UNSUPPORTED ? MISSING : 61;
    /* who calls is taken in still */
    if (connect(fd[1], (struct sockaddr *)&a, sizeof a) ||
        (out = accept(fd[0], NULL, NULL)) < 0 || write(out, "x", 1) != 1 ||
        pipe(pair))
        return 62;
#define REFUSED(call, line)             \
    errno = 0;                          \
    if ((call) != -1 || errno != EPERM) \
    return line
    REFUSED(socket(AF_UNIX, SOCK_STREAM, 0), 63);
    REFUSED(socket(AF_UNIX, SOCK_DGRAM, 0), 64);
    REFUSED(socket(AF_NETLINK, SOCK_RAW, 0), 65);
    REFUSED(listen(-1, 1), 66);
    REFUSED(bind(-1, (struct sockaddr *)&a, sizeof a), 67);
    REFUSED(kill(other, 0), 68);
    REFUSED(syscall(SYS_tgkill, other, other, 0), 69);
    REFUSED(syscall(SYS_tkill, other, 0), 70);
    REFUSED(chmod(path, 0777), 71);
    REFUSED(truncate(path, 0), 72);
    REFUSED(chown(path, 0, 0), 73);
    REFUSED(setxattr(path, "user.x", "x", 1, 0), 74);
    REFUSED(shmget(IPC_PRIVATE, 4096, 0600), 75);
    REFUSED(execl("/bin/true", "true", (char *)NULL), 78);
    REFUSED(ptrace(PTRACE_ATTACH, other, NULL, NULL), 79);
#undef REFUSED
    return works(dir);
}

/* ---- confine(), with its words ---- */

static char said[512];

static void
hear(void *ctx, enum log_level level, const char *line)
{
    (void)ctx;
    (void)level;
    snprintf(said, sizeof said, "%.500s", line);
}
static const struct log hearing = {hear, NULL, LOG_DEBUG};

static int
confine_child(const char *dir)
{
    char link[128], away[128];
    const struct confine c = {.module = "test",
                              .conf = "test.conf",
                              .dir = dir,
                              .file = {"elsewhere", "/etc/passwd"},
                              .sandbox = true,
                              .settled = true};
    snprintf(link, sizeof link, "%s/elsewhere", dir);
    snprintf(away, sizeof away, "%s/away", dir);
    if (symlink("/etc/hostname", link) || symlink("/etc/group", away))
        return 80;
    const int there = opens("/etc/hostname", O_RDONLY);
    if (confine(&hearing, &c))
        return 81;
    if (!said[0] || strstr(said, "no, this kernel cannot"))
        return MISSING; /* or a build with a sanitizer */
    if (strcmp(said, "test: confined: files (Landlock) yes; "
                     "calls (seccomp) yes") != 0)
        return 82;
    if (opens(link, O_RDONLY) != there || opens("/etc/passwd", O_RDONLY) ||
        opens("/etc/passwd", O_RDWR) != EACCES)
        return 83;
    if (opens(away, O_RDONLY) != EACCES || /* a link opens nothing by itself */
        opens("/etc/group", O_RDONLY) != EACCES)
        return 84;
    if (listen(-1, 1) == 0 || errno != EPERM)
        return 85;
    return works(dir);
}

/* A kernel without Landlock, or a container that forbids it: its first call fails
 * with this errno. */
static int
landlock_missing(uint32_t with)
{
    struct sock_filter f[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | with),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const struct sock_fprog program = {.len = 4, .filter = f};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int
half_confined(const char *dir, uint32_t with, const char *why)
{
    const struct confine c = {.module = "test",
                              .conf = "test.conf",
                              .dir = dir,
                              .sandbox = true,
                              .settled = true};
    if (landlock_missing(with))
        return MISSING;
    if (confine(&hearing, &c))
        return 100;
    if (!said[0])
        return MISSING; /* a build with a sanitizer */
    if (!strstr(said, why) || !strstr(said, "; calls (seccomp) yes"))
        return 101;
    if (opens("/etc/group", O_RDONLY) || listen(-1, 1) == 0 || errno != EPERM)
        return 102;
    return works(dir);
}

static int
old_kernel_child(const char *dir)
{
    return half_confined(dir, ENOSYS,
                         "files (Landlock) no, this kernel cannot");
}

static int
turned_off_child(const char *dir)
{
    return half_confined(dir, EOPNOTSUPP, "no, this kernel cannot");
}

static int
container_child(const char *dir)
{
    return half_confined(dir, EPERM, "files (Landlock) no, it was refused");
}

static int
unconfined_child(const char *dir)
{
    struct confine c = {.module = "test", .conf = "test.conf", .dir = dir};
    if (confine(&hearing, &c))
        return 90;
    if (said[0] && !strstr(said, "not confined: test.conf has sandbox = false"))
        return 91;
    if (opens("/etc/group", O_RDONLY) || listen(-1, 1) == 0 || errno != EBADF)
        return 92;
    if (geteuid() == 0) {
        c.user = "no-such-user-here";
        if (confine(&hearing, &c) != ERR_NOT_FOUND ||
            !strstr(said, "no user 'no-such-user-here'"))
            return 93;
    }
    return 0;
}

static int
user_child(const char *dir)
{
    (void)dir;
    if (sandbox_user("no-such-user-here") != ERR_NOT_FOUND)
        return 41;
    if (geteuid() != 0)
        return sandbox_user("root") == 0 ? 42 : 0;
    int signal = 0;
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) || sandbox_user("nobody"))
        return 43;
    if (prctl(PR_GET_PDEATHSIG, &signal) || signal != SIGTERM)
        return 47; /* it ends with its parent still */
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
settled_calls_are_closed(void **state)
{
    (void)state;
    in_child(settled_child);
}

static void
what_is_given_up_is_said(void **state)
{
    (void)state;
    in_child(confine_child);
    in_child(unconfined_child);
    in_child(old_kernel_child);
    in_child(turned_off_child);
    in_child(container_child);
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
    cmocka_unit_test(settled_calls_are_closed),
    cmocka_unit_test(what_is_given_up_is_said),
    cmocka_unit_test(root_is_given_up),
};
TEST_SUITE(test_sandbox);
