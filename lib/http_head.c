/* lib/http_head.c - reading the head of a request, line by line.
 *
 * A head is a request line and fields, each line ended by CR LF, and an empty
 * line. No state and no timers: each call reads from the start, since a head
 * has 8 KiB at most, and the server bounds the time. Failure modes, each an
 * error of its own for the answer: the head has not come as a whole
 * (ERR_SHORT), is too long, has another method than GET and POST, or can be
 * understood in two ways. */
#include "lib/http_head.h"

#include <string.h>
#include <strings.h>

/* A part of the head, without a final 0. */
struct head_span {
    const char *at;
    size_t len;
};

bool
http_path_is_good(const char *path)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-_.";
    const size_t len = strlen(path);
    return len > 0 && len < HTTP_PATH_MAX && path[0] == '/' &&
           strspn(path, allowed) == len && !strstr(path, "..");
}

static bool
span_is(struct head_span s, const char *text)
{
    return s.len == strlen(text) && strncasecmp(s.at, text, s.len) == 0;
}

/* Tell whether s has only the characters of a field's name (RFC 9110, 5.6.2).
 */
static bool
name_is_good(struct head_span s)
{
    static const char signs[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < s.len; i++) {
        const char c = s.at[i];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && (c == 0 || !strchr(signs, c)))
            return false;
    }
    return s.len > 0;
}

static bool
value_is_good(struct head_span s)
{
    for (size_t i = 0; i < s.len; i++) {
        const unsigned char c = (unsigned char)s.at[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static struct head_span
span_trim(struct head_span s)
{
    while (s.len > 0 && (*s.at == ' ' || *s.at == '\t')) {
        s.at++;
        s.len--;
    }
    while (s.len > 0 && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
        s.len--;
    return s;
}

static bool
span_copy(char *out, size_t room, struct head_span s)
{
    if (s.len >= room || memchr(s.at, 0, s.len))
        return false;
    memcpy(out, s.at, s.len);
    out[s.len] = 0;
    return true;
}

/* Read a line like "GET /path HTTP/1.1". */
static int
request_line_read(struct http_head *h, struct head_span line)
{
    const char *first = memchr(line.at, ' ', line.len);
    if (!first)
        return ERR_FORMAT;
    const struct head_span method = {line.at, (size_t)(first - line.at)};
    const size_t rest = line.len - method.len - 1;
    const char *second = memchr(first + 1, ' ', rest);
    if (!second || !name_is_good(method))
        return ERR_FORMAT;
    const struct head_span path = {first + 1, (size_t)(second - first - 1)};
    const struct head_span version = {second + 1, rest - path.len - 1};
    if (version.len != 8 || (memcmp(version.at, "HTTP/1.1", 8) != 0 &&
                             memcmp(version.at, "HTTP/1.0", 8) != 0))
        return ERR_FORMAT;
    h->post = method.len == 4 && memcmp(method.at, "POST", 4) == 0;
    if (!h->post && !(method.len == 3 && memcmp(method.at, "GET", 3) == 0))
        return ERR_COMMAND;
    return span_copy(h->path, sizeof h->path, path) &&
                   http_path_is_good(h->path)
               ? 0
               : ERR_FORMAT;
}

/* Read a length: digits alone, and so few that nothing overflows. */
static int
length_read(size_t *out, struct head_span s)
{
    *out = 0;
    if (s.len == 0)
        return ERR_FORMAT;
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] < '0' || s.at[i] > '9')
            return ERR_FORMAT;
        if (*out > SIZE_MAX / 16)
            return ERR_LONG;
        *out = *out * 10 + (size_t)(s.at[i] - '0');
    }
    return 0;
}

struct fields {
    unsigned count;
    bool length, tag; /* were given */
};

static int
field_read(struct http_head *h, struct fields *seen, struct head_span line)
{
    const char *colon = memchr(line.at, ':', line.len);
    if (++seen->count > HTTP_HEAD_FIELDS_MAX)
        return ERR_LONG;
    if (!colon)
        return ERR_FORMAT;
    const struct head_span name = {line.at, (size_t)(colon - line.at)};
    const struct head_span value =
        span_trim((struct head_span){colon + 1, line.len - name.len - 1});
    if (!name_is_good(name) || !value_is_good(value))
        return ERR_FORMAT;
    if (span_is(name, "Transfer-Encoding"))
        return ERR_FORMAT;
    if (span_is(name, "Content-Length")) {
        if (seen->length)
            return ERR_FORMAT;
        seen->length = true;
        return length_read(&h->body_len, value);
    }
    if (span_is(name, "If-None-Match")) {
        if (seen->tag)
            return ERR_FORMAT;
        seen->tag = true;
        if (!span_copy(h->tag, sizeof h->tag, value))
            h->tag[0] = 0; /* none of ours */
    }
    return 0;
}

/* Take a line that ends with CR LF off *left. Returns ERR_SHORT when there is
 * no such line yet, ERR_FORMAT when CR or LF stands alone. */
static int
line_take(struct head_span *left, struct head_span *line)
{
    for (size_t i = 0; i < left->len; i++) {
        const char c = left->at[i];
        if (c == '\n')
            return ERR_FORMAT;
        if (c != '\r')
            continue;
        if (i + 1 == left->len)
            return ERR_SHORT;
        if (left->at[i + 1] != '\n')
            return ERR_FORMAT;
        *line = (struct head_span){left->at, i};
        left->at += i + 2;
        left->len -= i + 2;
        return 0;
    }
    return ERR_SHORT;
}

static int
head_read(struct http_head *h, struct head_span *left, size_t body_max)
{
    struct fields seen = {0};
    struct head_span line;
    int err = line_take(left, &line);
    if (!err)
        err = request_line_read(h, line);
    while (!err) {
        err = line_take(left, &line);
        if (err || line.len == 0)
            break;
        err = field_read(h, &seen, line);
    }
    if (err)
        return err;
    /* a body whose length is not said, and one that nobody asked for */
    if (h->post != seen.length && (h->post || h->body_len > 0))
        return ERR_FORMAT;
    return h->body_len > body_max ? ERR_LONG : 0;
}

int
http_head_read(struct http_head *h, const uint8_t *bytes, size_t len,
               size_t body_max)
{
    const size_t most = len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX;
    struct head_span left = {(const char *)bytes, most};
    memset(h, 0, sizeof *h);
    int err = head_read(h, &left, body_max);
    if (err == ERR_SHORT && most == HTTP_HEAD_MAX)
        err = ERR_LONG;
    if (err)
        memset(h, 0, sizeof *h);
    else
        h->len = most - left.len;
    return err;
}

const char *
http_status_text(int status)
{
    return status == 200   ? "OK"
           : status == 304 ? "Not Modified"
           : status == 404 ? "Not Found"
           : status == 413 ? "Content Too Large"
           : status == 429 ? "Too Many Requests"
           : status == 501 ? "Not Implemented"
           : status == 503 ? "Service Unavailable"
                           : "Bad Request";
}
