/* tests/unit/test_config.c - configuration files and their messages. */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/os/config.h"
#include "lib/rng_seeded.h"

struct settings {
    char *listen, *name;
    int64_t port, start;
    bool quiet;
    int level;
    struct config_list peers;
};

static const char *const levels[] = {"error", "warning", "notice", NULL};

static const struct config_option table[] = {
    {"listen", CONFIG_STRING, offsetof(struct settings, listen), true,
     "127.0.0.1:7100", 3, 64, NULL, "Address to listen at."},
    {"port", CONFIG_INTEGER, offsetof(struct settings, port), false, "7100", 1,
     65535, NULL, "Port of the second door."},
    {"start_ms", CONFIG_INTEGER, offsetof(struct settings, start), false, "-5",
     INT64_MIN, INT64_MAX, NULL, "When to start."},
    {"name", CONFIG_STRING, offsetof(struct settings, name), false,
     "a \"b\" \\ c", 0, 20, NULL, "What it is called."},
    {"quiet", CONFIG_BOOLEAN, offsetof(struct settings, quiet), false, "false",
     0, 0, NULL, "Say nothing."},
    {"level", CONFIG_ENUM, offsetof(struct settings, level), false, "notice", 0,
     0, levels, "What to log."},
    {"peers", CONFIG_LIST, offsetof(struct settings, peers), false, "one,two",
     0, 3, NULL, "Who else there is."},
};
enum { N = sizeof table / sizeof table[0] };

static const char good[] = "# a comment, with ${VAR} and \"quote\n"
                           "listen = \"[2001:db8::1]:7100\" # door\n"
                           "\n"
                           "port=1\n"
                           "\tstart_ms\t=\t-9223372036854775808\n"
                           "name = \"# \\\"x\\\" \\\\ ='{}$\"\n"
                           "quiet = yes\n"
                           "level = warning\n"
                           "peers = {a.b:1, \"c d\", # the second\n"
                           "    /x_y-z@%}\n";

static int
read_text(const char *text, size_t len, struct settings *s, char *error)
{
    memset(s, 0xee, sizeof *s); /* what was there does not matter */
    return config_read_text(table, N, "f", text, len, s, error);
}

static void
values_arrive(void **state)
{
    (void)state;
    struct settings s;
    char error[CONFIG_ERROR_LEN];
    int err = read_text(good, strlen(good), &s, error);
    assert_string_equal(error, "");
    assert_int_equal(err, 0);
    assert_string_equal(s.listen, "[2001:db8::1]:7100");
    assert_int_equal(s.port, 1);
    assert_true(s.start == INT64_MIN);
    assert_string_equal(s.name, "# \"x\" \\ ='{}$");
    assert_true(s.quiet);
    assert_int_equal(s.level, 1);
    assert_int_equal(s.peers.n, 3);
    assert_string_equal(s.peers.item[0], "a.b:1");
    assert_string_equal(s.peers.item[1], "c d");
    assert_string_equal(s.peers.item[2], "/x_y-z@%");
    config_free(table, N, &s);
    assert_null(s.listen);
    assert_null(s.peers.item);
    config_free(table, N, &s);
    config_free(table, N, NULL);
    /* without a newline at the end, an empty list and an empty string */
    static const char small[] = "listen=::1\nname=\"\"\npeers={}";
    assert_int_equal(read_text(small, strlen(small), &s, error), 0);
    assert_string_equal(s.listen, "::1");
    assert_string_equal(s.name, "");
    assert_int_equal(s.peers.n, 0);
    assert_int_equal(s.port, 7100);
    assert_true(s.start == -5);
    assert_false(s.quiet);
    assert_int_equal(s.level, 2);
    config_free(table, N, &s);
}

/* Every word of the allowed characters means what it says. */
static void
words_are_taken_as_they_stand(void **state)
{
    (void)state;
    static const char set[] = "aZ09_./:@%-";
    struct settings s;
    char error[CONFIG_ERROR_LEN], text[64], word[8];
    for (size_t i = 0; i < 11 * 11 * 11 * 11; i++) {
        snprintf(word, sizeof word, "%c%c%c%c", set[i % 11], set[i / 11 % 11],
                 set[i / 121 % 11], set[i / 1331]);
        int n = snprintf(text, sizeof text, "listen=%s", word);
        int err = read_text(text, (size_t)n, &s, error);
        assert_int_equal(err, 0);
        assert_string_equal(s.listen, word);
        config_free(table, N, &s);
    }
}

static const struct {
    const char *text;
    int err;
    const char *message;
} wrong[] = {
    {"", ERR_MISSING,
     "f:1: 'listen' is missing; expected a string of 3 to 64 bytes"},
    {"port = 1\n#\n\n", ERR_MISSING,
     "f:4: 'listen' is missing; expected a string of 3 to 64 bytes"},
    {"\nprot = 1\n", ERR_UNKNOWN,
     "f:2: unknown key 'prot'; expected a key of the example file; did you "
     "mean 'port'?"},
    {"Port = 1\n", ERR_UNKNOWN,
     "f:1: unknown key 'Port'; expected a key of the example file; did you "
     "mean 'port'?"},
    {"elephant = 1\n", ERR_UNKNOWN,
     "f:1: unknown key 'elephant'; expected a key of the example file"},
    {"port = 1\nport = 1\n", ERR_DUPLICATE,
     "f:2: 'port' is given again; expected it once, it stands in line 1 "
     "already"},
    {"port = 0", ERR_RANGE,
     "f:1: 'port' is '0'; expected an integer from 1 to 65535"},
    {"port = 99999999999999999999", ERR_RANGE,
     "f:1: 'port' is '99999999999999999999'; expected an integer from 1 to "
     "65535"},
    {"port = 0x10", ERR_FORMAT,
     "f:1: 'port' is '0x10'; expected an integer from 1 to 65535"},
    {"port = 010", ERR_FORMAT,
     "f:1: 'port' is '010'; expected an integer from 1 to 65535"},
    {"port = -0", ERR_FORMAT,
     "f:1: 'port' is '-0'; expected an integer from 1 to 65535"},
    {"port = \"\"", ERR_FORMAT,
     "f:1: 'port' is ''; expected an integer from 1 to 65535"},
    {"quiet = maybe", ERR_FORMAT,
     "f:1: 'quiet' is 'maybe'; expected true or false"},
    {"level = notcie", ERR_UNKNOWN,
     "f:1: 'level' is 'notcie'; expected one of error, warning, notice; did "
     "you mean 'notice'?"},
    {"level = loud", ERR_UNKNOWN,
     "f:1: 'level' is 'loud'; expected one of error, warning, notice"},
    {"name = \"0123456789012345678901234567890123456789x\"", ERR_RANGE,
     "f:1: 'name' is '0123456789012345678901234567890123456789' and more; "
     "expected a string of 0 to 20 bytes"},
    {"\npeers = {a,b,c,d}", ERR_RANGE,
     "f:2: 'peers' has 4 elements; expected a list of 0 to 3 strings"},
    {"peers = a", ERR_FORMAT,
     "f:1: 'peers' is not a list; expected a list {\"a\", \"b\"}"},
    {"port = {1}", ERR_FORMAT,
     "f:1: 'port' is a list; expected one value without braces"},
    {"peers = {a b}", ERR_FORMAT,
     "f:1: 'b' in the list 'peers'; expected ',' or '}'"},
    {"peers = {a\n", ERR_FORMAT,
     "f:2: the end of the file in the list 'peers'; expected ',' or '}'"},
    {"peers = {a,}", ERR_FORMAT,
     "f:1: '}' where the value of 'peers' should be; expected a word or a "
     "\"string\""},
    {"port\n", ERR_FORMAT,
     "f:1: the end of the line after 'port'; expected "
     "'='"},
    {"port =\n", ERR_FORMAT,
     "f:1: the end of the line where the value of 'port' should be; expected "
     "a word or a \"string\""},
    {"port = '1'", ERR_FORMAT,
     "f:1: ''' where the value of 'port' should be; expected a word or a "
     "\"string\""},
    {"port = 1 2", ERR_FORMAT,
     "f:1: '2' after the value of 'port'; expected the end of the line, or "
     "the value in double quotes"},
    {"port = 1;", ERR_FORMAT,
     "f:1: ';' after the value of 'port'; expected the end of the line, or "
     "the value in double quotes"},
    {"port += 1", ERR_FORMAT, "f:1: '+' after 'port'; expected '='"},
    {"include(\"x\")", ERR_FORMAT, "f:1: '(' after 'include'; expected '='"},
    {"port {\n}\n", ERR_FORMAT, "f:1: '{' after 'port'; expected '='"},
    {"}", ERR_FORMAT,
     "f:1: '}' at the beginning of an entry; expected 'key = value' or a "
     "comment with '#'"},
    {"\xc3\xa4 = 1", ERR_FORMAT,
     "f:1: a character outside ASCII at the beginning of an entry; expected "
     "'key = value' or a comment with '#'"},
    {"name = \"a\nlisten = \"b\"", ERR_FORMAT,
     "f:1: string is not closed; expected '\"' before the end of the line"},
    {"name = \"a", ERR_FORMAT,
     "f:1: string is not closed; expected '\"' before the end of the line"},
    {"name = \"a\\n\"", ERR_FORMAT,
     "f:1: unknown escape; expected \\\" or \\\\ after a backslash"},
    {"name = \"a\\", ERR_FORMAT,
     "f:1: unknown escape; expected \\\" or \\\\ after a backslash"},
    {"name = \"${HOME}\"", ERR_FORMAT,
     "f:1: '${' is not allowed; expected the value itself, nothing is taken "
     "from the environment"},
    {"name = ${HOME}", ERR_FORMAT,
     "f:1: '${' is not allowed; expected the value itself, nothing is taken "
     "from the environment"},
    {"\n${HOME} = a", ERR_FORMAT,
     "f:2: '${' is not allowed; expected the value itself, nothing is taken "
     "from the environment"},
    {"port = 1 // one", ERR_FORMAT,
     "f:1: '/' after the value of 'port'; expected the end of the line, or "
     "the value in double quotes"},
    {"// name = a", ERR_FORMAT,
     "f:1: '/' at the beginning of an entry; expected 'key = value' or a "
     "comment with '#'"},
    {"#\nport = 1\r\n", ERR_FORMAT,
     "f:2: control character 0x0d; expected text with lines that end in a "
     "newline alone"},
};

static void
every_error_has_its_message(void **state)
{
    (void)state;
    struct settings s;
    static const struct settings zero;
    char error[CONFIG_ERROR_LEN];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int err = read_text(wrong[i].text, strlen(wrong[i].text), &s, error);
        assert_string_equal(error, wrong[i].message);
        assert_int_equal(err, wrong[i].err);
        assert_ptr_equal(s.listen, zero.listen);
        assert_ptr_equal(s.name, zero.name);
        assert_ptr_equal(s.peers.item, zero.peers.item);
        assert_int_equal(s.port, 0);
    }
    assert_int_equal(read_text("port\0=1", 7, &s, error), ERR_FORMAT);
    assert_string_equal(error, "f:1: control character 0x00; expected text "
                               "with lines that end in a newline alone");
}

static void
bounds_hold(void **state)
{
    (void)state;
    struct settings s;
    char error[CONFIG_ERROR_LEN], key[80];
    char *text = malloc(CONFIG_FILE_MAX + 1);
    assert_non_null(text);
    memset(text, '#', CONFIG_FILE_MAX + 1);
    assert_int_equal(read_text(text, CONFIG_FILE_MAX + 1, &s, error), ERR_LONG);
    assert_string_equal(error,
                        "f:1: file is too long; expected at most 65536 bytes");
    memcpy(text, "listen=abc\n", 11);
    assert_int_equal(read_text(text, CONFIG_FILE_MAX, &s, error), 0);
    config_free(table, N, &s);
    int n = snprintf(text, 16, "peers={a");
    for (int i = 0; i < CONFIG_LIST_MAX; i++, n += 2)
        memcpy(text + n, ",a", 2);
    assert_int_equal(read_text(text, (size_t)n, &s, error), ERR_RANGE);
    assert_string_equal(error, "f:1: list 'peers' is too long; expected at "
                               "most 256 elements");
    memset(key, 'k', sizeof key);
    assert_int_equal(read_text(key, sizeof key, &s, error), ERR_FORMAT);
    static struct config_option many[CONFIG_OPTIONS_MAX + 1];
    assert_int_equal(
        config_read_text(many, CONFIG_OPTIONS_MAX + 1, "f", "", 0, &s, error),
        ERR_ARG);
    free(text);
}

static void
files_are_read(void **state)
{
    (void)state;
    struct settings s;
    char error[CONFIG_ERROR_LEN], path[] = "/tmp/brusio-config-XXXXXX";
    assert_int_equal(config_read(table, N, "/nowhere/x.conf", &s, error),
                     ERR_IO);
    assert_string_equal(error, "/nowhere/x.conf:0: No such file or directory; "
                               "expected a configuration file");
    assert_null(s.listen);
    assert_int_equal(config_read(table, N, "/", &s, error), ERR_IO);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, good, strlen(good)), strlen(good));
    assert_int_equal(config_read(table, N, path, &s, error), 0);
    assert_int_equal(s.peers.n, 3);
    config_free(table, N, &s);
    char *zeros = calloc(1, CONFIG_FILE_MAX);
    assert_non_null(zeros);
    assert_int_equal(write(fd, zeros, CONFIG_FILE_MAX), CONFIG_FILE_MAX);
    assert_int_equal(config_read(table, N, path, &s, error), ERR_LONG);
    free(zeros);
    close(fd);
    unlink(path);
}

static void
settings_are_defaults(const char *text, size_t len)
{
    struct settings s;
    char error[CONFIG_ERROR_LEN];
    int err = read_text(text, len, &s, error);
    assert_string_equal(error, "");
    assert_int_equal(err, 0);
    assert_string_equal(s.listen, "127.0.0.1:7100");
    assert_int_equal(s.port, 7100);
    assert_true(s.start == -5);
    assert_string_equal(s.name, "a \"b\" \\ c");
    assert_int_equal(s.level, 2);
    assert_int_equal(s.peers.n, 2);
    assert_string_equal(s.peers.item[1], "two");
    config_free(table, N, &s);
}

/* As it is written, and with every default uncommented. */
static void
example_round_trip(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);
    assert_non_null(to);
    config_write_example(table, N, to);
    assert_int_equal(fclose(to), 0);
    static const char head[] =
        "# Address to listen at.\n"
        "# Takes a string of 3 to 64 bytes; required.\n"
        "listen = \"127.0.0.1:7100\"\n"
        "\n"
        "# Port of the second door.\n"
        "# Takes an integer from 1 to 65535; this is the default.\n"
        "#port = 7100\n";
    assert_memory_equal(text, head, sizeof head - 1);
    assert_non_null(strstr(text, "\n#peers = {\"one\", \"two\"}\n"));
    settings_are_defaults(text, len);
    for (char *p = text; (p = strstr(p, "\n#")) != NULL; p++)
        if (p[2] != ' ')
            p[1] = ' ';
    assert_non_null(strstr(text, "\n port = 7100\n"));
    settings_are_defaults(text, len);
    free(text);
}

/* 20,000 files with bytes changed, moved or left out: read, or refused with a
 * message and nothing kept. */
static void
mutations_are_read_or_refused(void **state)
{
    (void)state;
    static const char set[] = "\"\\'#${}()=+, \n\t\r/*0az\xff";
    enum { LEN = sizeof good - 1 };
    struct rng_seeded rng;
    struct settings s;
    char error[CONFIG_ERROR_LEN], text[LEN];
    unsigned accepted = 0;
    rng_seeded_init_u64(&rng, test_seed(), "config");
    for (int i = 0; i < 20000; i++) {
        size_t len = LEN;
        memcpy(text, good, LEN);
        for (uint64_t k = rng_seeded_u64(&rng) % 4 + 1; k > 0; k--) {
            uint64_t u = rng_seeded_u64(&rng);
            size_t at = u % len, from = (u >> 16) % len;
            size_t n = len - (at > from ? at : from);
            if (u >> 60 & 1)
                text[at] = set[(u >> 32) % (sizeof set - 1)];
            else if (u >> 61 & 1)
                memmove(text + at, text + from, n > 20 ? 20 : n);
            else
                len -= at > 1 ? (u >> 40) % 3 : 0;
        }
        int err = read_text(text, len, &s, error);
        accepted += err == 0;
        assert_true((err == 0) == (error[0] == 0));
        assert_true((err == 0) == (s.listen != NULL));
        config_free(table, N, &s);
    }
    assert_true(accepted > 200 && accepted < 19000);
}

const struct CMUnitTest test_config[] = {
    cmocka_unit_test(values_arrive),
    cmocka_unit_test(words_are_taken_as_they_stand),
    cmocka_unit_test(every_error_has_its_message),
    cmocka_unit_test(bounds_hold),
    cmocka_unit_test(files_are_read),
    cmocka_unit_test(example_round_trip),
    cmocka_unit_test(mutations_are_read_or_refused),
};
TEST_SUITE(test_config);
