/* tests/unit/test_log.c - levels, rate limit, scrubbing. */
#include "tests/runner.h"

#include <stdio.h>
#include <string.h>

#include "lib/os/log.h"

struct capture {
    unsigned lines;
    char last[LOG_LINE_MAX];
};

static void
capture_line(void *ctx, enum log_level level, const char *line)
{
    struct capture *c = ctx;
    (void)level;
    c->lines++;
    snprintf(c->last, sizeof c->last, "%s", line);
}

static void
levels(void **state)
{
    (void)state;
    struct capture c = {0};
    struct log log = {capture_line, &c, LOG_NOTICE}, quiet = {0};
    log_write(&log, LOG_INFO, "mix", "not seen");
    assert_int_equal(c.lines, 0);
    log_write(&log, LOG_NOTICE, "mix", "%d seen\n\x1b", 1);
    assert_string_equal(c.last, "mix: 1 seen??");
    log_write(&quiet, LOG_ERROR, "mix", "nobody listens");
    for (unsigned i = 0; i <= LOG_DEBUG; i++)
        assert_string_equal(log_level_name((enum log_level)i),
                            log_level_names[i]);
    assert_null(log_level_names[LOG_DEBUG + 1]);
    assert_string_equal(log_level_name((enum log_level)99), "?");
    char text[2 * LOG_LINE_MAX];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = 0;
    log_write(&log, LOG_ERROR, "m", "%s", text);
    assert_int_equal(strlen(c.last), LOG_LINE_MAX - 1);
    assert_string_equal(c.last + LOG_LINE_MAX - 5, "a...");
}

static void
rate_limit_counts(void **state)
{
    (void)state;
    struct capture c = {0};
    struct log log = {capture_line, &c, LOG_INFO};
    struct log_limit limit = {0};
    for (unsigned i = 0; i < 100; i++)
        log_write_limited(&log, &limit, 1000 + i, LOG_INFO, "m", "drop");
    assert_int_equal(c.lines, LOG_LIMIT_BURST);
    assert_string_equal(c.last, "m: drop");
    log_write_limited(&log, &limit, 1000 + LOG_LIMIT_PERIOD_US, LOG_INFO, "m",
                      "drop");
    assert_string_equal(c.last, "m: drop (95 more like it)");
    log_write_limited(&log, &limit, 2000 + LOG_LIMIT_PERIOD_US, LOG_INFO, "m",
                      "drop");
    assert_string_equal(c.last, "m: drop");
}

static void
scrubbing(void **state)
{
    (void)state;
    static const char *const table[][2] = {
        {"", ""},
        {"plain words, 17 of them; at 12:30", "plain words, 17 of them; "
                                              "at 12:30"},
        {"to 192.0.2.1:7100 (closed)", "to [scrubbed] (closed)"},
        {"to [2001:db8::1]:7100", "to [scrubbed]"},
        {"key 00112233445566778899aabbccddeeff", "key [scrubbed]"},
        {"tag=00112233445566778", "[scrubbed]"},
        {"x brusio:QUJDREVGR0hJSktMTU5PUA", "x [scrubbed]"},
        {"version 1.2.3 of 10", "version 1.2.3 of 10"},
    };
    char out[128];
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        assert_string_equal(log_scrub(out, sizeof out, table[i][0]),
                            table[i][1]);
    for (size_t len = 1; len < 30; len++) { /* any room is kept to */
        memset(out, 'z', sizeof out);
        log_scrub(out, len, "to 192.0.2.1:7100 it went");
        assert_true(strlen(out) < len);
        assert_int_equal(out[len], 'z');
    }
}

const struct CMUnitTest test_log[] = {
    cmocka_unit_test(levels),
    cmocka_unit_test(rate_limit_counts),
    cmocka_unit_test(scrubbing),
};
TEST_SUITE(test_log);
