/* tests/unit/test_http_head.c - heads of requests: good ones, hostile ones, cut
 * ones and damaged ones. */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/http_head.h"
#include "tests/mutate.h"

enum { BODY_MAX = 1000 };

/* In memory of its own length, so that a read past the end is seen. */
static int
head_read(struct http_head *h, const void *text, size_t len)
{
    uint8_t *exact = malloc(len ? len : 1);
    assert_non_null(exact);
    if (len > 0)
        memcpy(exact, text, len);
    int err = http_head_read(h, exact, len, BODY_MAX);
    free(exact);
    return err;
}

static const char get[] = "GET /v1/consensus HTTP/1.1\r\nHost: x\r\n"
                          "If-None-Match: \"abc\"\r\n\r\n";
static const char post[] = "POST /v1/descriptor HTTP/1.1\r\nHost: x\r\n"
                           "content-length:  12\t\r\n\r\n";

static void
good_heads_are_read(void **state)
{
    (void)state;
    struct http_head h;
    assert_int_equal(head_read(&h, get, sizeof get - 1), 0);
    assert_int_equal(h.len, sizeof get - 1);
    assert_false(h.post);
    assert_string_equal(h.path, "/v1/consensus");
    assert_string_equal(h.tag, "\"abc\"");
    char more[sizeof post + 12];
    memcpy(more, post, sizeof post - 1);
    memset(more + sizeof post - 1, '\n', 13);
    assert_int_equal(head_read(&h, more, sizeof more), 0);
    assert_int_equal(h.len, sizeof post - 1);
    assert_true(h.post);
    assert_int_equal(h.body_len, 12);
    assert_string_equal(h.path, "/v1/descriptor");
    static const char *const good[] = {
        "GET / HTTP/1.0\r\n\r\n",
        "POST /x HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        "POST /x HTTP/1.1\r\nContent-Length: 0001000\r\n\r\n",
        "GET /x HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        "GET /x HTTP/1.1\r\nX:\r\nY: \t \r\n\r\n"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(head_read(&h, good[i], strlen(good[i])), 0);
}

static void
a_cut_head_goes_on(void **state)
{
    (void)state;
    struct http_head h;
    for (size_t i = 0; i < sizeof get - 1; i++)
        assert_int_equal(head_read(&h, get, i), ERR_SHORT);
    for (size_t i = 0; i < sizeof post - 1; i++)
        assert_int_equal(head_read(&h, post, i), ERR_SHORT);
}

static const struct hostile {
    int err;
    const char *text;
} hostile[] = {
    {ERR_FORMAT, "\x16\x03\x01garbage\r\n\r\n"},
    {ERR_FORMAT, "\r\n\r\n"},
    {ERR_FORMAT, "GET\r\n\r\n"},
    {ERR_FORMAT, "GET /\r\n\r\n"},
    {ERR_FORMAT, "GET  / HTTP/1.1\r\n\r\n"},
    {ERR_FORMAT, "GET /  HTTP/1.1\r\n\r\n"},
    {ERR_FORMAT, "GET / HTTP/1.1 \r\n\r\n"},
    {ERR_FORMAT, " GET / HTTP/1.1\r\n\r\n"},
    {ERR_FORMAT, "GET\t/ HTTP/1.1\r\n\r\n"},
    {ERR_FORMAT, "GET / HTTP/2.0\r\n\r\n"},
    {ERR_FORMAT, "GET / http/1.1\r\n\r\n"},
    {ERR_FORMAT, "GET / HTTP/1.1\n\n"},
    {ERR_FORMAT, "GET / HTTP/1.1\r\nHost: x\n\r\n"},
    {ERR_FORMAT, "GET / HTTP/1.1\rHost: x\r\n\r\n"},
    {ERR_FORMAT, "GET / HTTP/1.1\r\r\n\r\n"},
    {ERR_FORMAT, "GET * HTTP/1.1\r\n\r\n"},
    {ERR_FORMAT, "GET http://x/ HTTP/1.1\r\n\r\n"},
    {ERR_FORMAT, "GET x HTTP/1.1\r\n\r\n"},
    {ERR_FORMAT, "GET /a/../b HTTP/1.1\r\n\r\n"},
    {ERR_FORMAT, "GET /a?b HTTP/1.1\r\n\r\n"},
    {ERR_FORMAT, "GET /%2e HTTP/1.1\r\n\r\n"},
    {ERR_FORMAT, "GET /\xc3\xa9 HTTP/1.1\r\n\r\n"},
    {ERR_COMMAND, "get / HTTP/1.1\r\n\r\n"},
    {ERR_COMMAND, "BREW / HTTP/1.1\r\n\r\n"},
    {ERR_COMMAND, "HEAD / HTTP/1.1\r\n\r\n"},
    {ERR_COMMAND, "GETGET / HTTP/1.1\r\n\r\n"},
    {ERR_FORMAT, "GET / HTTP/1.1\r\nHost\r\n\r\n"},
    {ERR_FORMAT, "GET / HTTP/1.1\r\n: x\r\n\r\n"},
    {ERR_FORMAT, "GET / HTTP/1.1\r\nHost : x\r\n\r\n"},
    {ERR_FORMAT, "GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n"},
    {ERR_FORMAT, "GET / HTTP/1.1\r\nHost: x\x01\r\n\r\n"},
    {ERR_FORMAT, "GET / HTTP/1.1\r\nHost: x\x7f\r\n\r\n"},
    {ERR_FORMAT, "GET / HTTP/1.1\r\nContent-Length: 1\r\n\r\n"},
    {ERR_FORMAT, "POST / HTTP/1.1\r\n\r\n"},
    {ERR_FORMAT, "POST / HTTP/1.1\r\nContent-Length:\r\n\r\n"},
    {ERR_FORMAT, "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"},
    {ERR_FORMAT, "POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n"},
    {ERR_FORMAT, "POST / HTTP/1.1\r\nContent-Length: 0x1\r\n\r\n"},
    {ERR_FORMAT, "POST / HTTP/1.1\r\nContent-Length: 1 1\r\n\r\n"},
    {ERR_FORMAT, "POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n"},
    {ERR_FORMAT, "POST / HTTP/1.1\r\nContent-Length: 1\r\n"
                 "Content-Length: 1\r\n\r\n"},
    {ERR_FORMAT, "POST / HTTP/1.1\r\nContent-Length: 1\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n"},
    {ERR_FORMAT, "POST / HTTP/1.1\r\ntransfer-encoding: identity\r\n"
                 "Content-Length: 1\r\n\r\n"},
    {ERR_FORMAT, "GET / HTTP/1.1\r\nIf-None-Match: a\r\n"
                 "If-None-Match: a\r\n\r\n"},
    {ERR_LONG, "POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n"},
    {ERR_LONG, "POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n"},
    {ERR_LONG, "POST / HTTP/1.1\r\nContent-Length: "
               "18446744073709551617\r\n\r\n"},
    {ERR_LONG, "POST / HTTP/1.1\r\nContent-Length: "
               "99999999999999999999999999999999999999\r\n\r\n"},
};

static void
hostile_heads_are_refused(void **state)
{
    (void)state;
    struct http_head h;
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        const char *t = hostile[i].text;
        const int err = head_read(&h, t, strlen(t));
        if (err != hostile[i].err)
            fail_msg("%zu: %s instead of %s", i, error_name(err),
                     error_name(hostile[i].err));
    }
    static const char zeros[] = "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n";
    assert_int_equal(head_read(&h, zeros, sizeof zeros - 1), ERR_FORMAT);
    static const char path[] = "GET /a\0b HTTP/1.1\r\n\r\n";
    assert_int_equal(head_read(&h, path, sizeof path - 1), ERR_FORMAT);
    static const char name[] = "GET / HTTP/1.1\r\nA\0: b\r\n\r\n";
    assert_int_equal(head_read(&h, name, sizeof name - 1), ERR_FORMAT);
}

static void
long_heads_are_refused(void **state)
{
    (void)state;
    static char text[HTTP_HEAD_MAX + 100];
    struct http_head h;
    memset(text, 'a', sizeof text);
    assert_int_equal(head_read(&h, text, HTTP_HEAD_MAX - 1), ERR_SHORT);
    assert_int_equal(head_read(&h, text, HTTP_HEAD_MAX), ERR_LONG);
    memcpy(text, "GET / HTTP/1.1\r\nX: ", 19);
    assert_int_equal(head_read(&h, text, sizeof text), ERR_LONG);
    /* one that ends with the last byte that there is room for */
    memcpy(text + HTTP_HEAD_MAX - 4, "\r\n\r\n", 4);
    assert_int_equal(head_read(&h, text, sizeof text), 0);
    assert_int_equal(h.len, HTTP_HEAD_MAX);
    memset(text + HTTP_HEAD_MAX - 4, 'a', 4);
    memcpy(text + HTTP_HEAD_MAX - 3, "\r\n\r\n", 4);
    assert_int_equal(head_read(&h, text, sizeof text), ERR_LONG);
    /* fields without end */
    size_t n = (size_t)sprintf(text, "GET / HTTP/1.1\r\n");
    for (unsigned i = 0; i < HTTP_HEAD_FIELDS_MAX; i++)
        n += (size_t)sprintf(text + n, "A: b\r\n");
    strcpy(text + n, "\r\n");
    assert_int_equal(head_read(&h, text, n + 2), 0);
    strcpy(text + n, "A: b\r\n\r\n");
    assert_int_equal(head_read(&h, text, n + 8), ERR_LONG);
    /* a path, and a tag that is none of ours */
    memset(text, 'a', sizeof text);
    memcpy(text, "GET /", 5);
    memcpy(text + 5 + HTTP_PATH_MAX - 1, " HTTP/1.1\r\n\r\n", 14);
    assert_int_equal(head_read(&h, text, strlen(text)), ERR_FORMAT);
    memset(text, 'a', sizeof text);
    memcpy(text, "GET / HTTP/1.1\r\nIf-None-Match: ", 31);
    memcpy(text + 31 + HTTP_TAG_MAX, "\r\n\r\n", 5);
    assert_int_equal(head_read(&h, text, strlen(text)), 0);
    assert_string_equal(h.tag, "");
}

/* Whatever is accepted is within its bounds, and is accepted again when more
 * comes behind it. */
static void
damaged_heads_stay_bounded(void **state)
{
    (void)state;
    struct rng_seeded rng;
    unsigned taken = 0, refused = 0;
    rng_seeded_init_u64(&rng, test_seed(), "heads");
    for (unsigned i = 0; i < mutate_inputs(MUTATE_HEADS); i++) {
        uint8_t bytes[400];
        struct http_head h;
        const char *from = i % 2 ? get : post;
        size_t len = strlen(from);
        memcpy(bytes, from, len);
        mutate_input(&rng, bytes, &len, sizeof bytes);
        const int err = head_read(&h, bytes, len);
        if (err) {
            assert_true(err == ERR_SHORT || err == ERR_FORMAT ||
                        err == ERR_LONG || err == ERR_COMMAND);
            assert_int_equal(h.len, 0);
            refused++;
            continue;
        }
        taken++;
        assert_in_range(h.len, 18, len);
        assert_in_range(h.body_len, 0, BODY_MAX);
        assert_true(http_path_is_good(h.path));
        assert_int_equal(head_read(&h, bytes, h.len), 0);
        assert_int_equal(head_read(&h, bytes, h.len - 1), ERR_SHORT);
    }
    assert_true(taken > 50 && refused > 50);
}

const struct CMUnitTest test_http_head[] = {
    cmocka_unit_test(good_heads_are_read),
    cmocka_unit_test(a_cut_head_goes_on),
    cmocka_unit_test(hostile_heads_are_refused),
    cmocka_unit_test(long_heads_are_refused),
    cmocka_unit_test(damaged_heads_stay_bounded),
};
TEST_SUITE(test_http_head);
