/* network/json_field.c - fields of bodies by tables, and bodies by their text.
 *
 * Tables say which key is which field, of what type and range; one reader and
 * one writer go through them. No state. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codec.h"
#include "lib/json_text.h"
#include "network/json_internal.h"

void
json_reader_fail(struct json_reader *r, int err, const char *where)
{
    if (r->err)
        return;
    r->err = err;
    snprintf(r->where, JSON_WHERE_LEN, "%s", where);
}

static uint64_t
int_load(const void *at, size_t size)
{
    uint8_t v8;
    uint16_t v16;
    uint32_t v32;
    uint64_t v64;
    switch (size) {
    case 1:
        return memcpy(&v8, at, 1), v8;
    case 2:
        return memcpy(&v16, at, 2), v16;
    case 4:
        return memcpy(&v32, at, 4), v32;
    default:
        return memcpy(&v64, at, 8), v64;
    }
}

static void
int_keep(void *at, size_t size, uint64_t v)
{
    uint8_t v8 = (uint8_t)v;
    uint16_t v16 = (uint16_t)v;
    uint32_t v32 = (uint32_t)v;
    switch (size) {
    case 1:
        memcpy(at, &v8, 1);
        break;
    case 2:
        memcpy(at, &v16, 2);
        break;
    case 4:
        memcpy(at, &v32, 4);
        break;
    default:
        memcpy(at, &v, 8);
    }
}

static void
int_read(struct json_reader *r, const json_t *v, const struct json_field *f,
         uint8_t *at)
{
    if (!json_is_integer(v)) {
        json_reader_fail(r, ERR_FORMAT, f->name);
        return;
    }
    json_int_t n = json_integer_value(v);
    if (n < 0 || (uint64_t)n < f->min || (uint64_t)n > f->max)
        json_reader_fail(r, ERR_RANGE, f->name);
    else
        int_keep(at, f->size, (uint64_t)n);
}

void
json_hex_read(struct json_reader *r, const json_t *v, const char *name,
              uint8_t *at, size_t len)
{
    const char *s = json_string_value(v);
    if (!s || strlen(s) != json_string_length(v) ||
        strspn(s, "0123456789abcdef") != strlen(s) || codec_unhex(at, len, s))
        json_reader_fail(r, ERR_FORMAT, name);
}

void
json_text_read(struct json_reader *r, const json_t *v, const char *name,
               char *at, size_t size)
{
    const char *s = json_string_value(v);
    size_t len = json_string_length(v);
    if (!s || len == 0 || strlen(s) != len) {
        json_reader_fail(r, ERR_FORMAT, name);
        return;
    }
    if (len >= size) {
        json_reader_fail(r, ERR_LONG, name);
        return;
    }
    for (size_t i = 0; i < len; i++)
        if (s[i] <= ' ' || s[i] > '~') {
            json_reader_fail(r, ERR_FORMAT, name);
            return;
        }
    memcpy(at, s, len + 1);
}

void
json_object_read(struct json_reader *r, const json_t *o,
                 const struct json_field *f, size_t n, size_t others, void *out)
{
    if (!json_is_object(o)) {
        json_reader_fail(r, ERR_FORMAT, n ? f[0].name : "object");
        return;
    }
    for (size_t i = 0; i < n && !r->err; i++) {
        const json_t *v = json_object_get(o, f[i].name);
        uint8_t *at = (uint8_t *)out + f[i].offset;
        if (!v)
            json_reader_fail(r, ERR_MISSING, f[i].name);
        else if (f[i].type == T_INT)
            int_read(r, v, &f[i], at);
        else if (f[i].type == T_HEX)
            json_hex_read(r, v, f[i].name, at, f[i].size);
        else
            json_text_read(r, v, f[i].name, (char *)at, f[i].size);
    }
    /* every known key is there, so more of them are unknown ones */
    if (!r->err && json_object_size(o) > n + others)
        json_reader_fail(r, ERR_UNKNOWN, n ? f[0].name : "object");
}

const json_t *
json_list_get(struct json_reader *r, const json_t *o, const char *name,
              size_t lo, size_t hi)
{
    const json_t *v = json_object_get(o, name);
    if (!v)
        json_reader_fail(r, ERR_MISSING, name);
    else if (!json_is_array(v))
        json_reader_fail(r, ERR_FORMAT, name);
    else if (json_array_size(v) < lo || json_array_size(v) > hi)
        json_reader_fail(r, ERR_RANGE, name);
    return r->err ? NULL : v;
}

/* Values take up to a hundred times as much memory as their text: {}, for one.
 * So a longer body, signed or not, may have no more values than relays have in
 * as many bytes: a table has 64 bytes at least, any value 16. */
enum { TABLES_MIN = 1024, TABLE_LEN = 64, VALUES_MIN = 32768, VALUE_LEN = 16 };

static bool
body_is_sparse(const uint8_t *body, size_t len)
{
    const size_t most_tables = TABLES_MIN + len / TABLE_LEN;
    const size_t most_values = VALUES_MIN + len / VALUE_LEN;
    size_t tables = 0, values = 0;
    bool text = false;
    for (size_t i = 0; i < len; i++) {
        const uint8_t ch = body[i];
        if (text && ch == '\\')
            i++;
        else if (ch == '"')
            text = !text;
        else if (!text) {
            tables += ch == '{' || ch == '[';
            values += ch == ',';
        }
    }
    return tables <= most_tables && values <= most_values;
}

json_t *
json_body_load(struct json_reader *r, const uint8_t *body, size_t len)
{
    json_t *root = NULL;
    int err = body_is_sparse(body, len)
                  ? json_from_text(&root, (const char *)body, len,
                                   JSON_REJECT_DUPLICATES, NULL)
                  : ERR_RANGE;
    if (err)
        json_reader_fail(r, err, "JSON");
    return root;
}

void
json_canonical_check(struct json_reader *r, const json_t *root,
                     const uint8_t *body, size_t len)
{
    if (r->err)
        return;
    char *text;
    size_t text_len;
    int err =
        json_to_text(root, JSON_SORT_KEYS | JSON_COMPACT, &text, &text_len);
    if (err)
        json_reader_fail(r, err, "JSON");
    else if (text_len != len || memcmp(text, body, len) != 0)
        json_reader_fail(r, ERR_FORMAT, "not canonical");
    free(text);
}

/* ---- writing: json_internal.h ---- */

json_t *
json_hex_make(const uint8_t *data, size_t len)
{
    char hex[2 * SPHINX_PUBLIC_MAX + 1];
    codec_hex(hex, data, len);
    return json_string(hex);
}

int
json_object_write(json_t *o, const struct json_field *f, size_t n,
                  const void *in)
{
    int bad = !o;
    for (size_t i = 0; i < n && !bad; i++) {
        const uint8_t *at = (const uint8_t *)in + f[i].offset;
        json_t *v = f[i].type == T_INT
                        ? json_integer((json_int_t)int_load(at, f[i].size))
                    : f[i].type == T_HEX ? json_hex_make(at, f[i].size)
                                         : json_string((const char *)at);
        bad = json_object_set_new(o, f[i].name, v);
    }
    return bad;
}

int
json_body_dump(json_t *root, int bad, char **out, size_t *len)
{
    const int err = json_to_text(bad ? NULL : root,
                                 JSON_SORT_KEYS | JSON_COMPACT, out, len);
    json_decref(root);
    return err;
}
