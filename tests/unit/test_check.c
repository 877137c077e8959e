/* tests/unit/test_check.c - findings about the machine. */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/address.h"
#include "lib/os/socket.h"
#include "lib/os/files.h"
#include "lib/secret.h"
#include "relay/operator/check.h"
#include "relay/operator/setup.h"
#include "tests/relay_config.h"

/* The first finding with this text is of this level. */
static void
found(const struct findings *f, enum finding_level level, const char *what)
{
    for (size_t i = 0; i < f->n; i++)
        if (strstr(f->found[i].text, what)) {
            assert_int_equal(f->found[i].level, level);
            /* whoever is told of something is told what to do */
            if (level == FINDING_ERROR)
                assert_non_null(strstr(f->found[i].text, "; "));
            return;
        }
    fail_msg("nothing found like '%s'", what);
}

static void
keys_are_closed_to_others(void **state)
{
    (void)state;
    char dir[] = "/tmp/brusio-check-XXXXXX", path[FILES_PATH_MAX];
    struct findings f = {0};
    assert_non_null(mkdtemp(dir));
    check_keys(&f, dir);
    found(&f, FINDING_ERROR, "identity.key: No such file");
    static const char *const names[] = {"identity.key", "packet-7.key",
                                        "packet-8.key.new"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(files_path(path, dir, names[i]), 0);
        assert_int_equal(files_write(path, "x", 1), 0);
    }
    f.n = 0;
    check_keys(&f, dir);
    found(&f, FINDING_ERROR, "identity.key cannot be used: input ends too");
    uint8_t *seed;
    assert_int_equal(files_path(path, dir, "identity.key"), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(files_key(path, &seed), 0);
    secret_free((void **)&seed);
    f.n = 0;
    check_keys(&f, dir);
    assert_int_equal(f.n, 1);
    found(&f, FINDING_OK, "keys: 2, readable");
    assert_int_equal(files_path(path, dir, "packet-7.key"), 0);
    assert_int_equal(chmod(path, 0640), 0);
    f.n = 0;
    check_keys(&f, dir);
    found(&f, FINDING_ERROR, "packet-7.key is open to other users (mode 640)");
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(chmod(dir, 0755), 0);
    f.n = 0;
    check_keys(&f, dir);
    found(&f, FINDING_ERROR, "is open to other users (mode 755)");
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(files_path(path, dir, names[i]), 0);
        unlink(path);
    }
    rmdir(dir);
}

static void
addresses_are_tried(void **state)
{
    (void)state;
    char bound[ADDRESS_TEXT_MAX], text[200];
    struct findings f = {0};
    int fd;
    assert_int_equal(socket_listen(&fd, "127.0.0.1:0", bound), 0);
    snprintf(text, sizeof text, "role = mix\nlisten = \"%s\"\n", bound);
    struct relay_settings c = test_relay_config(text);
    check_addresses(&f, &c, false);
    found(&f, FINDING_ERROR, "cannot be bound: Address already in use");
    found(&f, FINDING_WARNING, "only programs of this machine");
    f.n = 0;
    check_addresses(&f, &c, true); /* by the relay itself */
    found(&f, FINDING_OK, "the relay runs");
    close(fd);
    f.n = 0;
    check_addresses(&f, &c, false);
    found(&f, FINDING_OK, "is free");
    test_relay_config_free(&c);
    c = test_relay_config("role = mix\nlisten = \"0.0.0.0:0\"\n"
                          "metrics = \"127.0.0.1:0\"\n");
    f.n = 0;
    check_addresses(&f, &c, false);
    found(&f, FINDING_OK, "'metrics': 127.0.0.1:0 is free");
    test_relay_config_free(&c);
    c = test_relay_config("role = mix\nlisten = \"0.0.0.0:0\"\n"
                          "addresses = {\"127.0.0.1:7\", \"example.org:7\"}\n");
    f.n = 0;
    check_addresses(&f, &c, false);
    found(&f, FINDING_WARNING, "127.0.0.1:7 is loopback");
    found(&f, FINDING_ERROR, "'example.org:7' is not an address");
    found(&f, FINDING_WARNING, "IPv6: no address is offered");
    test_relay_config_free(&c);
    c = test_relay_config("role = mix\nlisten = \"localhost\"\n");
    f.n = 0;
    check_addresses(&f, &c, false);
    found(&f, FINDING_ERROR, "'listen' is 'localhost', which is not");
    test_relay_config_free(&c);
}

/* What is published of this configuration, in a network whose authority is there. */
static void
published(const char *text, const char *authority, enum finding_level level,
          const char *what)
{
    struct findings f = {0};
    struct relay_settings c = test_relay_config(text);
    struct network n = {.n_authorities = 1};
    strcpy(n.authorities[0].address, authority);
    check_published(&f, "/nowhere", &c, &n);
    if (what)
        found(&f, level, what);
    else
        assert_int_equal(f.n, 0);
    test_relay_config_free(&c);
}

static void
what_is_published_can_be_reached(void **state)
{
    (void)state;
    static const char everywhere[] = "role = mix\nlisten = \"0.0.0.0:7100\"\n";
    char text[200];
    published(everywhere, "127.0.0.1:1", FINDING_OK,
              "published is 127.0.0.1:7100");
    published("role = mix\nlisten = \"127.0.0.1:7100\"\n", "127.0.0.1:1",
              FINDING_OK, NULL);
    published("role = mix\nlisten = \"127.0.0.1:7100\"\n", "192.0.2.1:1",
              FINDING_ERROR, "127.0.0.1:7100 is an address of this machine");
    published("role = mix\nlisten = \"10.0.0.1:7100\"\n", "10.0.0.2:1",
              FINDING_OK, NULL);
    published("role = mix\nlisten = \"10.0.0.1:7100\"\n", "192.0.2.1:1",
              FINDING_ERROR, "10.0.0.1:7100 is a private address");
    published("role = mix\nlisten = \"10.0.0.1:0\"\n", "192.0.2.1:1",
              FINDING_OK, NULL); /* of a port that is not known */
    snprintf(text, sizeof text, "%saddresses = {\"0.0.0.0:7100\"}\n",
             everywhere);
    published(text, "127.0.0.1:1", FINDING_ERROR, "0.0.0.0:7100 is no address");
    snprintf(text, sizeof text,
             "%saddresses = {\"192.0.2.1:7100\", \"192.168.1.1:7100\"}\n",
             everywhere);
    published(text, "192.0.2.9:1", FINDING_ERROR,
              "192.168.1.1:7100 is a private address");
}

static void
disk_and_files_are_measured(void **state)
{
    (void)state;
    struct relay_settings c =
        test_relay_config("role = store\ndisk_max = 137\n");
    struct findings f = {0};
    check_disk(&f, &c, 220000000, 1000); /* 67 MB, 8 MB and 143 MB */
    assert_int_equal(f.n, 1);
    found(&f, FINDING_OK, "disk: 220 MB are free; it may need 218 MB");
    check_disk(&f, &c, 217000000, 999);
    assert_int_equal(f.found[1].level, FINDING_WARNING);
    found(&f, FINDING_ERROR, "room for only 999 more files");
    f.n = 0;
    check_disk(&f, &c, 1000000, 1000);
    found(&f, FINDING_ERROR, "1 MB are free");
    test_relay_config_free(&c);
    c = test_relay_config("role = gateway\nclients_max = 5000\n");
    f.n = 0;
    check_files(&f, &c, 6000);
    check_files(&f, &c, 5999);
    assert_int_equal(f.found[0].level, FINDING_OK);
    assert_int_equal(f.found[1].level, FINDING_WARNING);
    assert_non_null(strstr(f.found[1].text, "LimitNOFILE=6000"));
    c.role = 1; /* a mix has no clients */
    check_files(&f, &c, 1024);
    assert_int_equal(f.found[2].level, FINDING_OK);
    test_relay_config_free(&c);
}

static void
more_memory_than_there_is_is_an_error(void **state)
{
    (void)state;
    struct relay_settings c =
        test_relay_config("role = mix\nmemory_max = 1024\n");
    struct findings f = {0};
    check_memory(&f, &c, 1024 << 20);
    check_memory(&f, &c, (1024 << 20) - 1);
    assert_int_equal(f.found[0].level, FINDING_OK);
    assert_int_equal(f.found[1].level, FINDING_ERROR);
    assert_non_null(strstr(f.found[1].text, "has 1023"));
    test_relay_config_free(&c);
}

static void
the_user_is_looked_up(void **state)
{
    (void)state;
    struct relay_settings c =
        test_relay_config("role = mix\nuser = no-such-user-7\n");
    struct findings f = {0};
    check_user(&f, &c, true);
    found(&f, FINDING_ERROR, "no user 'no-such-user-7'");
    test_relay_config_free(&c);
    c = test_relay_config("role = mix\n");
    f.n = 0;
    check_user(&f, &c, false);
    assert_int_equal(f.n, 0);
    check_user(&f, &c, true);
    found(&f, FINDING_WARNING, "runs as root");
    test_relay_config_free(&c);
}

static void
the_clock_is_compared(void **state)
{
    (void)state;
    static const struct {
        int err;
        uint64_t now_s;
        enum finding_level level;
    } cases[] = {
        {0, 10000, FINDING_OK},
        {0, 9550, FINDING_OK}, /* published 12.5 % early */
        {0, 9369, FINDING_OK}, /* by clocks that may differ by 5 % */
        {0, 9368, FINDING_ERROR},
        {0, 17199, FINDING_OK},
        {0, 17200, FINDING_WARNING},
        {ERR_FUTURE, 1, FINDING_ERROR},
        {ERR_EXPIRED, 90000, FINDING_ERROR},
        {ERR_NOT_FOUND, 1, FINDING_WARNING},
        {ERR_SIGNATURE, 1, FINDING_WARNING},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct findings f = {0};
        check_clock(&f, cases[i].err, 10000, 3600, cases[i].now_s);
        assert_int_equal(f.n, 1);
        found(&f, cases[i].level, "clock: ");
    }
}

static void
metrics_are_for_loopback_alone(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "0.0.0.0:9100",       "192.0.2.1:9100", "[::]:9100",
        "127.0.0.1",          "localhost:9100", "128.0.0.1:9100",
        "[2001:db8::1]:9100", ":9100",          "[::ffff:127.0.0.1]:1"};
    static const char *const fine[] = {"", "127.0.0.1:9100", "127.9.9.9:0",
                                       "[::1]:9100"};
    struct relay_settings c;
    char text[100], error[CONFIG_ERROR_LEN];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, "role = mix\nmetrics = \"%s\"\n", bad[i]);
        assert_int_equal(config_read_text(relay_options, relay_options_len, "f",
                                          text, strlen(text), &c, error),
                         ERR_RANGE);
        assert_non_null(strstr(error, "f:2: 'metrics' is"));
        assert_non_null(strstr(error, "expected a loopback address"));
    }
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        snprintf(text, sizeof text, "role = mix\nmetrics = \"%s\"\n", fine[i]);
        c = test_relay_config(text);
        assert_string_equal(c.metrics, fine[i]);
        test_relay_config_free(&c);
    }
    c = test_relay_config("role = mix\n");
    assert_string_equal(c.metrics, "");
    test_relay_config_free(&c);
}

static void
init_asks_until_it_understands(void **state)
{
    (void)state;
    char said[2048] = "";
    struct setup s = {.network = "given.json"};
    char answers[] = "king\n\nlocalhost\n192.0.2.1:7100\n";
    FILE *in = fmemopen(answers, strlen(answers), "r");
    FILE *out = fmemopen(said, sizeof said - 1, "w");
    assert_true(in && out);
    assert_true(setup_ask(&s, in, out));
    assert_string_equal(s.role, "mix");
    assert_string_equal(s.listen, "192.0.2.1:7100");
    assert_string_equal(s.network, "given.json");
    assert_string_equal(s.address, ""); /* that one is enough */
    s = (struct setup){.role = "mix", .listen = "0.0.0.0:7100"};
    char more[] = "here\n0.0.0.0:1\n\nnet.json\n";
    FILE *other = fmemopen(more, strlen(more), "r");
    assert_non_null(other);
    assert_true(setup_ask(&s, other, out));
    assert_string_equal(s.address, setup_found);
    assert_string_equal(s.network, "net.json");
    fclose(other);
    s = (struct setup){.role = "mix"};
    assert_false(setup_ask(&s, in, out)); /* the input has ended */
    fclose(in);
    fclose(out);
    assert_non_null(strstr(said, "expected one of gateway, mix, store"));
    assert_non_null(strstr(said, "expected an address with its port"));
    assert_non_null(strstr(said, "others reach it [found by itself]"));
}

const struct CMUnitTest test_check[] = {
    cmocka_unit_test(keys_are_closed_to_others),
    cmocka_unit_test(addresses_are_tried),
    cmocka_unit_test(what_is_published_can_be_reached),
    cmocka_unit_test(disk_and_files_are_measured),
    cmocka_unit_test(more_memory_than_there_is_is_an_error),
    cmocka_unit_test(the_user_is_looked_up),
    cmocka_unit_test(the_clock_is_compared),
    cmocka_unit_test(init_asks_until_it_understands),
    cmocka_unit_test(metrics_are_for_loopback_alone),
};
TEST_SUITE(test_check);
