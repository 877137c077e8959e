/* tests/unit/test_reload.c - a new configuration: its keys, and SIGHUP to a
 * relay that runs in a child process. */
#include "tests/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/os/clock.h"
#include "lib/os/http/http.h"
#include "lib/secret.h"
#include "network/os/netfile.h"
#include "relay/daemon/reload.h"
#include "relay/operator/status.h"
#include "tests/relay_config.h"

static char dir[64];
static pid_t child; /* 0: none */

static void
file_put(const char *name, const char *text)
{
    char path[FILES_PATH_MAX];
    assert_int_equal(files_path(path, dir, name), 0);
    assert_int_equal(files_write(path, text, strlen(text)), 0);
}

/* A network with one authority, whom nobody answers for. */
static void
network_put(const char *name, uint32_t epoch_len_s, unsigned gateways)
{
    char path[FILES_PATH_MAX];
    struct network n = {.genesis_s = (uint64_t)time(NULL),
                        .epoch_len_s = epoch_len_s,
                        .n_authorities = 1,
                        .n_gateways = gateways};
    n.genesis_s -= n.genesis_s % 100000;
    strcpy(n.name, "reload");
    assert_int_equal(
        sphinx_geometry_init(&n.geometry, SPHINX_SUITE_X25519, 5, 2048, 1000),
        0);
    strcpy(n.authorities[0].address, "127.0.0.1:1");
    for (unsigned i = 0; i < gateways; i++)
        strcpy(n.gateways[i].address, "127.0.0.1:2");
    assert_int_equal(files_path(path, dir, name), 0);
    assert_int_equal(netfile_write(path, &n), 0);
}

static int
setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/brusio-reload-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    network_put("network.json", 3600, 0);
    uint8_t *seed;
    char path[FILES_PATH_MAX];
    if (files_path(path, dir, "identity.key") || files_key(path, &seed))
        return -1;
    secret_free((void **)&seed);
    return 0;
}

static int
teardown(void **state)
{
    static const char *const names[] = {
        "network.json", "other.json", "relay.conf",  "identity.key",
        "replay",       "bound",      "status.json", "log"};
    char path[FILES_PATH_MAX];
    (void)state;
    if (child > 0) { /* a test has failed */
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        child = 0;
    }
    assert_int_equal(keys_forget(dir, UINT32_MAX), 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (files_path(path, dir, names[i]) == 0)
            unlink(path);
    return rmdir(dir);
}

static void
keys_change_or_wait_for_a_restart(void **state)
{
    (void)state;
    struct relay_settings a =
        test_relay_config("role = mix\naddresses = {x, y}\n");
    struct relay_settings b =
        test_relay_config("role = mix\naddresses = {x, y}\n");
    struct reload r;
    reload_apply(&r, &a, &b);
    assert_string_equal(r.applied, "");
    assert_string_equal(r.next, "");
    assert_string_equal(r.restart, "");
    test_relay_config_free(&b);
    b = test_relay_config(
        "role = store\nlisten = \"127.0.0.1:1\"\n"
        "addresses = {x, z}\nnetwork = n\nfamily = f\n"
        "bandwidth = 7\npackets_max = 100\nclients_max = 1\n"
        "disk_max = 1\nreplay_tags = 1000\nlog_level = debug\n"
        "metrics = \"127.0.0.1:9\"\n");
    reload_apply(&r, &a, &b);
    assert_string_equal(r.applied, "log_level, metrics");
    assert_string_equal(r.next, "addresses, family, bandwidth");
    assert_string_equal(r.restart, "role, listen, network, packets_max, "
                                   "clients_max, disk_max, replay_tags");
    assert_int_equal(a.role, 1);
    assert_string_equal(a.listen, "127.0.0.1:7100");
    assert_int_equal(a.packets_max, 20000);
    assert_int_equal(a.bandwidth, 7);
    assert_string_equal(a.family, "f");
    assert_string_equal(a.addresses.item[1], "z");
    assert_string_equal(a.metrics, "127.0.0.1:9");
    assert_int_equal(a.log_level, LOG_DEBUG);
    test_relay_config_free(&a);
    test_relay_config_free(&b);
}

static void
everything_is_read_before_anything_changes(void **state)
{
    (void)state;
    char path[FILES_PATH_MAX], error[NETFILE_ERROR_LEN];
    struct relay_settings c = {0};
    struct network n;
    enum reload_network changed;
    assert_int_equal(netfile_read_in(dir, "network.json", &n, error), 0);
    file_put("relay.conf", "role = mix\n");
    assert_int_equal(reload_read(&c, dir, &n, &changed, error), 0);
    assert_int_equal(changed, RELOAD_NETWORK_SAME);
    test_relay_config_free(&c);
    file_put("relay.conf", "role = mix\n\nbandwidth = many\n");
    assert_int_equal(reload_read(&c, dir, &n, &changed, error), ERR_FORMAT);
    assert_non_null(strstr(error, "relay.conf:3: 'bandwidth' is 'many'"));
    assert_null(c.listen);
    file_put("relay.conf", "role = mix\nnetwork = other.json\n");
    assert_int_equal(reload_read(&c, dir, &n, &changed, error), ERR_NOT_FOUND);
    assert_non_null(strstr(error, "other.json: cannot be read"));
    assert_null(c.listen);
    network_put("other.json", 3600, 1); /* a gateway more is all the same */
    assert_int_equal(reload_read(&c, dir, &n, &changed, error), 0);
    assert_int_equal(changed, RELOAD_NETWORK_SAME);
    test_relay_config_free(&c);
    network_put("other.json", 1800, 0);
    assert_int_equal(reload_read(&c, dir, &n, &changed, error), 0);
    assert_int_equal(changed, RELOAD_NETWORK_CHANGED);
    test_relay_config_free(&c);
    /* what is there and cannot be opened: here, because it is a folder */
    file_put("relay.conf", "role = mix\nnetwork = \"/tmp\"\n");
    assert_int_equal(reload_read(&c, dir, &n, &changed, error), 0);
    assert_int_equal(changed, RELOAD_NETWORK_CLOSED);
    test_relay_config_free(&c);
    assert_int_equal(files_path(path, dir, "relay.conf"), 0);
    unlink(path);
    assert_int_equal(reload_read(&c, dir, &n, &changed, error), ERR_IO);
    assert_non_null(strstr(error, "No such file"));
}

/* ---- a relay in a child ---- */

static pid_t
relay_spawn(const char *conf)
{
    char path[FILES_PATH_MAX];
    file_put("relay.conf", conf);
    assert_int_equal(files_path(path, dir, "log"), 0);
    const pid_t self = getpid();
    child = fork();
    assert_true(child >= 0);
    if (child > 0)
        return child;
    host_harden((long)self);
    struct relay_settings c = test_relay_config(conf);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
        _exit(99);
    int status = relay_run(dir, &c, -1);
    test_relay_config_free(&c);
    _exit(status);
}

/* Wait until a file holds this text; the text after it, until the end of the
 * line, goes to rest. */
static void
wait_for(const char *name, const char *what, char rest[static 128])
{
    const uint64_t until_us = clock_mono_us() + 10000000;
    char path[FILES_PATH_MAX], last[4096] = "";
    assert_int_equal(files_path(path, dir, name), 0);
    while (clock_mono_us() < until_us) {
        uint8_t *text;
        size_t len;
        if (files_read(path, 1 << 16, &text, &len) == 0) {
            char *at = strstr((char *)text, what);
            if (at) {
                at += strlen(what);
                snprintf(rest, 128, "%.*s", (int)strcspn(at, "\n"), at);
                free(text);
                return;
            }
            snprintf(last, sizeof last, "%s", (char *)text);
            free(text);
        }
        usleep(20000);
    }
    fail_msg("'%s' does not come in %s:\n%s", what, name, last);
}

struct answer {
    struct loop *loop;
    int status;
    char text[8192];
};

static void
answered(void *ctx, int err, int status, const uint8_t *body, size_t len)
{
    struct answer *a = ctx;
    a->status = err ? err : status;
    snprintf(a->text, sizeof a->text, "%.*s", (int)len, (const char *)body);
    loop_stop(a->loop);
}

static int
http_get(const char *address, const char *path, struct answer *a)
{
    struct http_request *r;
    memset(a, 0, sizeof *a);
    assert_int_equal(loop_new(&a->loop), 0);
    assert_int_equal(
        http_ask(&r, a->loop, address, path, NULL, 0, 8000, answered, a), 0);
    assert_int_equal(loop_run(a->loop), 0);
    loop_stop(a->loop);
    assert_int_equal(loop_run(a->loop), 0);
    loop_free(&a->loop);
    return a->status;
}

static void
sighup_takes_a_good_file_and_keeps_the_old_for_a_bad_one(void **state)
{
    (void)state;
    static struct answer a;
    char rest[128], address[128], again[128];
    int status;
    pid_t pid = relay_spawn("role = mix\nlisten = \"127.0.0.1:0\"\n"
                            "metrics = \"127.0.0.1:0\"\n");
    wait_for("log", "metrics at http://", address);
    address[strcspn(address, "/")] = 0;
    wait_for("log", "accepts links at", rest);
    wait_for("status.json", "\"running\": true", rest);
    assert_int_equal(http_get(address, "/metrics", &a), 200);
    assert_non_null(strstr(a.text, "\nbrusio_relay_in_consensus 0\n"));
    assert_int_equal(http_get(address, "/", &a), 404);

    /* a bad file: what is wrong is told, and nothing changes */
    file_put("relay.conf", "role = mix\nmetrics = \"\"\nlog_level = loud\n");
    assert_int_equal(kill(pid, SIGHUP), 0);
    wait_for("log", "the old configuration stays: ", rest);
    assert_non_null(strstr(rest, "relay.conf:3: 'log_level' is 'loud'"));
    assert_int_equal(http_get(address, "/metrics", &a), 200);

    /* metrics where a port is taken: nothing changes either */
    char conf[256], bound[128];
    wait_for("bound", "127.0.0.1:", bound);
    snprintf(conf, sizeof conf,
             "role = mix\nlog_level = error\nmetrics = \"127.0.0.1:%s\"\n",
             bound);
    file_put("relay.conf", conf);
    assert_int_equal(kill(pid, SIGHUP), 0);
    wait_for("log", "metrics cannot be served at", rest);
    wait_for("log", "the old configuration stays\n", rest);
    assert_int_equal(http_get(address, "/metrics", &a), 200);

    /* a good one: metrics go elsewhere, the rest is named */
    file_put("relay.conf", "role = mix\nlisten = \"127.0.0.1:0\"\n"
                           "metrics = \"127.0.0.2:0\"\npackets_max = 5000\n"
                           "bandwidth = 99\n");
    assert_int_equal(kill(pid, SIGHUP), 0);
    wait_for("log", "metrics at http://127.0.0.2:", again);
    wait_for("log", "in force now: ", rest);
    assert_string_equal(rest, "metrics");
    wait_for("log", "in force with the next descriptor: ", rest);
    assert_string_equal(rest, "bandwidth");
    wait_for("log", "only after a restart: ", rest);
    assert_string_equal(rest, "packets_max");
    assert_true(http_get(address, "/metrics", &a) != 200);
    snprintf(address, sizeof address, "127.0.0.2:%.*s",
             (int)strcspn(again, "/"), again);
    assert_int_equal(http_get(address, "/metrics", &a), 200);

    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    child = 0;
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    wait_for("status.json", "\"running\": false", rest);
}

const struct CMUnitTest test_reload[] = {
    cmocka_unit_test_setup_teardown(keys_change_or_wait_for_a_restart, setup,
                                    teardown),
    cmocka_unit_test_setup_teardown(everything_is_read_before_anything_changes,
                                    setup, teardown),
    cmocka_unit_test_setup_teardown(
        sighup_takes_a_good_file_and_keeps_the_old_for_a_bad_one, setup,
        teardown),
};
TEST_SUITE(test_reload);
