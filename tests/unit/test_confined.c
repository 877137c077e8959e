/* tests/unit/test_confined.c - a real client and a real authority, each in a
 * child, under their sandboxes: what they do all day works, and no thread of
 * theirs can do more.
 *
 * That is asked of each thread itself: the child has a handler of SIGUSR2 that
 * tries what is forbidden, and the signal is sent to one thread after the
 * other. With a network: tests/e2e/authorities.sh, page.sh, kills.sh. */
#include "tests/runner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client/daemon/daemon.h"
#include "directory/daemon/disk.h"
#include "directory/daemon/server.h"
#include "lib/os/confine.h"
#include "lib/os/files.h"
#include "lib/os/host.h"
#include "lib/os/http/http.h"
#include "lib/secret.h"
#include "network/os/netfile.h"
#include "tests/folder.h"

enum { WAIT_MS = 20000, EPOCH_LEN_S = 10, DAY_S = 86400 };

/* What a thread could do; the bits of one answer. */
enum {
    READS_OUTSIDE = 1,
    WRITES_OUTSIDE = 2,
    EXECUTES = 4,
    CALLS_BUSES = 8, /* makes a local socket */
    SIGNALS = 16,
    LISTENS = 32,
    WRITES_INSIDE = 64 /* and that it has to */
};

static char dir[FOLDER_LEN], outside[96];
static pid_t child; /* 0: none */
static int verdicts[2], reports[2];
static char inside[128];
static const char *user; /* whom an authority shall become */

static bool
opens(const char *path, int flags)
{
    int fd = open(path, flags, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Of the child: what can the thread do that this came to? */
static void
attempt(int number)
{
    char *const argv[] = {(char *)"false", NULL};
    const int saved = errno, fd = socket(AF_UNIX, SOCK_STREAM, 0);
    unsigned char bits = 0;
    (void)number;
    bits |= opens("/etc/group", O_RDONLY) ? READS_OUTSIDE : 0;
    bits |= opens(outside, O_RDWR | O_CREAT) ? WRITES_OUTSIDE : 0;
    /* it fails either way: there is no such program */
    bits |= execv("/nowhere/false", argv) && errno == ENOENT ? EXECUTES : 0;
    bits |= fd >= 0 ? CALLS_BUSES : 0;
    bits |= kill(getppid(), 0) == 0 ? SIGNALS : 0;
    bits |= listen(-1, 1) && errno == EBADF ? LISTENS : 0;
    bits |= opens(inside, O_RDWR | O_CREAT) ? WRITES_INSIDE : 0;
    if (fd >= 0)
        close(fd);
    (void)!write(verdicts[1], &bits, 1);
    errno = saved;
}

/* ---- files ---- */

static const char *
path_of(const char *name)
{
    static char path[FILES_PATH_MAX];
    assert_int_equal(files_path(path, dir, name), 0);
    return path;
}

static void
file_put(const char *name, const char *text)
{
    assert_int_equal(files_write(path_of(name), text, strlen(text)), 0);
}

static bool
is_there(const char *name)
{
    return access(path_of(name), F_OK) == 0;
}

/* Does a file hold this text? */
static bool
holds(const char *name, const char *what)
{
    uint8_t *text;
    size_t len;
    if (files_read(path_of(name), 1 << 20, &text, &len))
        return false;
    const bool yes = strstr((char *)text, what) != NULL;
    free(text);
    return yes;
}

static void
wait_for(const char *name, const char *what)
{
    for (int ms = 0; ms < WAIT_MS; ms += 20) {
        if (holds(name, what))
            return;
        usleep(20000);
    }
    fail_msg("'%s' does not come in %s/%s", what, dir, name);
}

static void
network_put(const uint8_t *authority, const char *address)
{
    struct network n = {.genesis_s = (uint64_t)time(NULL) - EPOCH_LEN_S / 2,
                        .epoch_len_s = EPOCH_LEN_S,
                        .n_authorities = 1,
                        .n_gateways = 1};
    strcpy(n.name, "confined");
    assert_int_equal(
        sphinx_geometry_init(&n.geometry, SPHINX_SUITE_X25519, 5, 2048, 1000),
        0);
    strcpy(n.authorities[0].address, address);
    memcpy(n.authorities[0].identity, authority, SPHINX_ID_LEN);
    strcpy(n.gateways[0].address, "127.0.0.1:1");
    assert_int_equal(netfile_write(path_of("network.json"), &n), 0);
}

static int
setup(void **state)
{
    (void)state;
    if (folder_make(dir) || pipe(verdicts) || pipe(reports))
        return -1;
    snprintf(outside, sizeof outside, "%s-outside", dir);
    snprintf(inside, sizeof inside, "%s/inside", dir);
    user = "";
    return secret_init();
}

static int
teardown(void **state)
{
    (void)state;
    if (child > 0) { /* a test has failed */
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        child = 0;
    }
    for (size_t i = 0; i < 2; i++) {
        close(verdicts[i]);
        close(reports[i]);
    }
    const int left = folder_remove(dir);
    return access(outside, F_OK) == 0 && folder_remove(outside) ? -1 : left;
}

/* ---- a daemon in a child ---- */

static int
client_child(void)
{
    char error[CONFIG_ERROR_LEN];
    struct daemon_config c = {0};
    if (config_read_text(client_options, client_options_len, "f", "", 0, &c,
                         error))
        return 98;
    int status = client_run(dir, &c, reports[1]);
    config_free(client_options, client_options_len, &c);
    return status;
}

static int
authority_child(void)
{
    char error[CONFIG_ERROR_LEN], text[128];
    struct server_config c = {0};
    snprintf(text, sizeof text, "listen = \"127.0.0.1:0\"\nuser = \"%s\"\n",
             user);
    if (config_read_text(server_options, server_options_len, "f", text,
                         strlen(text), &c, error))
        return 98;
    int status = server_run(dir, &c, reports[1]);
    config_free(server_options, server_options_len, &c);
    return status;
}

static void
daemon_spawn(int (*run)(void))
{
    const pid_t self = getpid();
    fflush(NULL);
    child = fork();
    assert_true(child >= 0);
    if (child > 0)
        return;
    host_harden((long)self);
    char log[FILES_PATH_MAX];
    snprintf(log, sizeof log, "%s/log", dir);
    int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    if (fd < 0 || dup2(fd, STDERR_FILENO) < 0 ||
        signal(SIGUSR2, attempt) == SIG_ERR)
        _exit(99);
    _exit(run());
}

/* What it said when it was ready: "NAME VALUE". */
static void
report_read(const char *name, char value[static 128])
{
    struct pollfd p = {.fd = reports[0], .events = POLLIN};
    char line[256];
    assert_int_equal(poll(&p, 1, WAIT_MS), 1);
    const ssize_t n = read(reports[0], line, sizeof line - 1);
    assert_true(n > 0);
    line[n] = 0;
    line[strcspn(line, "\n")] = 0;
    assert_int_equal(strncmp(line, name, strlen(name)), 0);
    snprintf(value, 128, "%.127s", line + strlen(name) + 1);
}

static void
daemon_end(void)
{
    int status;
    assert_int_equal(kill(child, SIGTERM), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    child = 0;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static unsigned char
thread_ask(pid_t thread)
{
    struct pollfd p = {.fd = verdicts[0], .events = POLLIN};
    unsigned char bits;
    assert_int_equal(syscall(SYS_tgkill, child, thread, SIGUSR2), 0);
    assert_int_equal(poll(&p, 1, WAIT_MS), 1);
    assert_int_equal(read(verdicts[0], &bits, 1), 1);
    return bits;
}

static void
hear(void *ctx, enum log_level level, const char *line)
{
    (void)level;
    *(bool *)ctx |= strstr(line, "(Landlock) yes; calls (seccomp) yes") != NULL;
}

/* Can this build be confined by this kernel? Asked of a child. */
static bool
can_confine(void)
{
    int status;
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        bool yes = false;
        const struct log log = {hear, &yes, LOG_NOTICE};
        const struct confine c = {
            .module = "test", .conf = "f", .dir = dir, .sandbox = true};
        _exit(confine(&log, &c) ? 2 : yes);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
    return WEXITSTATUS(status) == 1;
}

/* Ask every thread, of which there are so many at least. */
static void
threads_are_confined(unsigned n_min)
{
    char tasks[32];
    unsigned n = 0;
    snprintf(tasks, sizeof tasks, "/proc/%d/task", (int)child);
    const bool confined = can_confine();
    DIR *d = opendir(tasks);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        const pid_t thread = (pid_t)atol(e->d_name);
        if (thread <= 0)
            continue;
        const unsigned char bits = thread_ask(thread);
        n++;
        if (confined)
            assert_int_equal(bits, WRITES_INSIDE);
        else
            assert_true(bits & WRITES_INSIDE && bits & READS_OUTSIDE);
    }
    closedir(d);
    assert_true(n >= n_min);
    if (!confined)
        puts("  not confined here: no such kernel, or a sanitizer");
}

/* ---- the client ---- */

static void
call(const char *request, const char *answer)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    char text[4096];
    size_t len = 0;
    ssize_t n;
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(a.sun_path, sizeof a.sun_path, "%.60s/client.sock", dir);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(write(fd, request, strlen(request)), strlen(request));
    while (len + 1 < sizeof text &&
           (n = read(fd, text + len, sizeof text - 1 - len)) > 0) {
        len += (size_t)n;
        if (text[len - 1] == '\n')
            break;
    }
    close(fd);
    text[len] = 0;
    if (!strstr(text, answer))
        fail_msg("'%s' is not in the answer: %s", answer, text);
}

#define CALL(method, params)                             \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method \
    "\",\"params\":" params "}\n"

static void
a_client_lives_in_its_directory(void **state)
{
    (void)state;
    char path[128];
    static const uint8_t nobody[SPHINX_ID_LEN] = {1};
    network_put(nobody, "127.0.0.1:1");
    daemon_spawn(client_child);
    report_read("socket", path);
    threads_are_confined(3);
    call(CALL("contacts", "{}"), "\"result\":[]");
    call(CALL("status", "{}"), "\"connected\":false");
    assert_true(is_there("client.db-wal"));
    threads_are_confined(3);
    wait_for("log", "no link to the gateway"); /* it tries to connect */
    daemon_end();
    assert_false(is_there("client.sock"));
    assert_false(is_there("client.db-wal"));

    /* again, from what is there */
    daemon_spawn(client_child);
    report_read("socket", path);
    call(CALL("contacts", "{}"), "\"result\":[]");
    /* killed, it leaves journal and socket, which the next life takes over */
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_true(is_there("client.sock") && is_there("client.db-wal"));
    daemon_spawn(client_child);
    report_read("socket", path);
    call(CALL("contacts", "{}"), "\"result\":[]");
    daemon_end();
    assert_false(is_there("client.db-wal"));
}

/* ---- the authority ---- */

/* Keys and a certificate of which a fifth of the time is left. */
static void
keys_put(uint8_t identity[SPHINX_ID_LEN])
{
    struct disk_keys k;
    uint8_t *seed;
    assert_int_equal(files_key(path_of("authority.key"), &seed), 0);
    secret_free((void **)&seed);
    assert_int_equal(disk_begin(dir), 0);
    assert_int_equal(disk_keys(&k, dir,
                               (uint64_t)time(NULL) -
                                   (uint64_t)(CERTIFICATE_DAYS - 6) * DAY_S,
                               DISK_KEEP),
                     0);
    memcpy(identity, k.identity, SPHINX_ID_LEN);
    disk_keys_free(&k);
}

struct answer {
    struct loop *loop;
    int status;
};

static void
answered(void *ctx, int err, int status, const uint8_t *body, size_t len)
{
    struct answer *a = ctx;
    (void)body;
    (void)len;
    a->status = err ? err : status;
    loop_stop(a->loop);
}

static void
page_get(const char *address, const char *path)
{
    struct http_request *r;
    struct answer a = {0};
    assert_int_equal(loop_new(&a.loop), 0);
    assert_int_equal(
        http_ask(&r, a.loop, address, path, NULL, 0, 1 << 20, answered, &a), 0);
    assert_int_equal(loop_run(a.loop), 0);
    loop_free(&a.loop);
    assert_int_equal(a.status, 200);
}

static void
an_authority_lives_in_its_directory(void **state)
{
    (void)state;
    char address[128], away[FILES_PATH_MAX];
    uint8_t identity[SPHINX_ID_LEN];
    keys_put(identity);
    network_put(identity, "127.0.0.1:1");
    /* kept elsewhere, as on a stick: what was there at the start can be read */
    snprintf(away, sizeof away, "%s", path_of("decisions"));
    assert_int_equal(files_write(outside, "nonsense\n", 9), 0);
    assert_int_equal(symlink(outside, away), 0);
    daemon_spawn(authority_child);
    report_read("http", address);
    threads_are_confined(1);
    wait_for("log", "1 lines of the decisions are not understood");
    assert_true(is_there("working-old.key")); /* renewed */
    assert_int_equal(unlink(away), 0);
    assert_int_equal(symlink("/etc/services", away), 0);
    if (can_confine())
        wait_for("log", "the decisions cannot be taken");
    file_put("decisions", "nonsense\nand more\n");
    wait_for("log", "2 lines of the decisions are not understood");
    assert_true(is_there("pending")); /* since the first look at them */
    page_get(address, "/");
    page_get(address, "/v1/status");
    threads_are_confined(1);
    daemon_end();
}

/* Started as root it becomes its user before it reads a key or writes. */
static void
an_authority_gives_up_root(void **state)
{
    (void)state;
    char address[128], command[128];
    uint8_t identity[SPHINX_ID_LEN];
    struct stat st;
    if (geteuid() != 0) {
        puts("  only root can give it up");
        return;
    }
    keys_put(identity);
    network_put(identity, "127.0.0.1:1");
    user = "nobody";
    daemon_spawn(authority_child);
    wait_for("log", "user 'nobody' cannot write in");
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    child = 0;
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    snprintf(command, sizeof command, "chown -R nobody '%s'", dir);
    assert_int_equal(system(command), 0);
    daemon_spawn(authority_child);
    report_read("http", address);
    snprintf(command, sizeof command, "/proc/%d/status", (int)child);
    FILE *f = fopen(command, "r");
    unsigned real = 0, effective = 0;
    while (f && fgets(command, sizeof command, f))
        if (sscanf(command, "Uid: %u %u", &real, &effective) == 2)
            break;
    assert_non_null(f);
    fclose(f);
    assert_true(real != 0 && effective == real);
    threads_are_confined(1);
    assert_int_equal(stat(path_of("working-old.key"), &st), 0);
    assert_int_equal(stat(path_of("working.key"), &st), 0);
    assert_int_equal(st.st_uid, real); /* renewed by it */
    daemon_end();
}

const struct CMUnitTest test_confined[] = {
    cmocka_unit_test_setup_teardown(a_client_lives_in_its_directory, setup,
                                    teardown),
    cmocka_unit_test_setup_teardown(an_authority_lives_in_its_directory, setup,
                                    teardown),
    cmocka_unit_test_setup_teardown(an_authority_gives_up_root, setup,
                                    teardown),
};
TEST_SUITE(test_confined);
