/* lib/json_table.c - see json_table.h.
 *
 * An object is read in two steps: what has one value, then, when nothing is
 * unknown, what has parts. No state. */
#include "lib/json_table.h"

#include <stdlib.h>
#include <string.h>

#include "lib/codec.h"

union number {
    uint8_t v8;
    uint16_t v16;
    uint32_t v32;
    uint64_t v64;
};

uint64_t
json_whole_load(const void *at, size_t size)
{
    union number u = {.v64 = 0};
    if (size > sizeof u)
        return 0;
    memcpy(&u, at, size);
    return size == 1 ? u.v8 : size == 2 ? u.v16 : size == 4 ? u.v32 : u.v64;
}

void
json_whole_keep(void *at, size_t size, uint64_t v)
{
    union number u = {.v64 = v};
    if (size == 1)
        u.v8 = (uint8_t)v;
    else if (size == 2)
        u.v16 = (uint16_t)v;
    else if (size == 4)
        u.v32 = (uint32_t)v;
    memcpy(at, &u, size);
}

/* ---- reading ---- */

void
json_reader_fail(struct json_reader *r, int err, const char *where)
{
    if (r->err)
        return;
    r->err = err;
    r->where = where;
}

/* Read a whole number from min to max; 0 after an error. */
static int64_t
number_read(struct json_reader *r, const json_t *v, const char *name,
            int64_t min, int64_t max)
{
    const json_int_t n = json_integer_value(v);
    if (!json_is_integer(v))
        json_reader_fail(r, ERR_FORMAT, name);
    else if (n < min || n > max)
        json_reader_fail(r, ERR_RANGE, name);
    else
        return n;
    return 0;
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

static void
text_read(struct json_reader *r, const json_t *v, const struct json_field *f,
          char *at)
{
    const char *s = json_string_value(v);
    const size_t len = json_string_length(v);
    bool good = s && strlen(s) == len && (len > 0 || f->kind == JSON_TEXT);
    if (good && len >= f->size) {
        json_reader_fail(r, ERR_LONG, f->name);
        return;
    }
    for (size_t i = 0; good && f->kind == JSON_WORD && i < len; i++)
        good = s[i] > ' ' && s[i] <= '~';
    if (good)
        memcpy(at, s, len + 1);
    else
        json_reader_fail(r, ERR_FORMAT, f->name);
}

static void
owned_read(struct json_reader *r, const json_t *v, const char *name, char **at)
{
    const char *s = json_string_value(v);
    if (!s || strlen(s) != json_string_length(v))
        json_reader_fail(r, ERR_FORMAT, name);
    else if (!(*at = strdup(s)))
        json_reader_fail(r, ERR_NOMEM, name);
}

/* Read numbers by names: all of f->names, or those of errors that are there. */
static void
counts_read(struct json_reader *r, const json_t *o, const struct json_field *f,
            uint64_t *at)
{
    const bool errors = f->kind == JSON_ERRORS;
    const int n = errors ? ERROR_COUNT : (int)f->max;
    size_t known = 0;
    for (int i = errors; i < n && !r->err; i++) {
        const char *name = errors ? error_name(-i) : f->names[i];
        const json_t *v = json_object_get(o, name);
        if (v || !errors)
            at[i] = (uint64_t)number_read(r, v, name, 0, INT64_MAX);
        known += v != NULL;
    }
    if (!json_is_object(o) || known != json_object_size(o))
        json_reader_fail(r, ERR_UNKNOWN, f->name);
}

static void table_read(struct json_reader *r, const struct json_table *t,
                       const json_t *o, void *out, bool whole);

/* Read v, which is there or is NULL, to its place. */
static void
value_read(struct json_reader *r, const struct json_field *f, const json_t *v,
           void *at)
{
    switch (f->kind) {
    case JSON_WHOLE:
    case JSON_INT:
        json_whole_keep(at, f->size,
                        (uint64_t)number_read(r, v, f->name, f->min, f->max));
        break;
    case JSON_BOOL:
        *(bool *)at = json_is_true(v);
        if (!json_is_boolean(v))
            json_reader_fail(r, ERR_FORMAT, f->name);
        break;
    case JSON_HEX:
    case JSON_KEY:
        json_hex_read(r, v, f->name, at,
                      f->kind == JSON_KEY ? r->key_len : f->size);
        break;
    case JSON_WORD:
    case JSON_TEXT:
        text_read(r, v, f, at);
        break;
    case JSON_OWNED:
        owned_read(r, v, f->name, at);
        break;
    case JSON_COUNTS:
    case JSON_ERRORS:
        counts_read(r, v, f, at);
        break;
    case JSON_OTHER:
        f->read(r, v, at);
        break;
    default:
        table_read(r, f->of, v, at, f->kind != JSON_MEMBERS);
    }
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

void
json_list_read(struct json_reader *r, const struct json_field *f,
               const json_t *o, void *out)
{
    uint8_t *base = out;
    const json_t *list =
        json_list_get(r, o, f->name, (size_t)f->min, (size_t)f->max);
    const size_t n = json_array_size(list);
    uint8_t *at = base + f->offset;
    if (list && f->kind == JSON_ROWS) {
        at = calloc(n ? n : 1, f->size);
        memcpy(base + f->offset, &at, sizeof at);
        if (!at)
            json_reader_fail(r, ERR_NOMEM, f->name);
    }
    struct json_field one = *f;
    one.kind = f->element;
    for (size_t i = 0; i < n && !r->err; i++, at += f->size) {
        value_read(r, &one, json_array_get(list, i), at);
        json_whole_keep(base + f->count_offset, f->count_size, i + 1);
        if (!f->sorted || i == 0)
            continue;
        const struct json_field *key = f->of->field;
        if (memcmp(at - f->size + key->offset, at + key->offset, key->size) >=
            0)
            json_reader_fail(r, ERR_DUPLICATE, f->sorted);
    }
}

static size_t
members_count(const struct json_table *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++)
        n += t->field[i].kind == JSON_MEMBERS ? members_count(t->field[i].of)
                                              : 1;
    return n;
}

/* Read o by t. Others have members of o too, unless it is whole. */
static void
table_read(struct json_reader *r, const struct json_table *t, const json_t *o,
           void *out, bool whole)
{
    if (!json_is_object(o))
        json_reader_fail(r, ERR_FORMAT, t->field[0].name);
    for (size_t i = 0; i < t->n && !r->err; i++) {
        const struct json_field *f = &t->field[i];
        const json_t *v = json_object_get(o, f->name);
        if (f->kind >= JSON_KEY)
            continue;
        if (v)
            value_read(r, f, v, (uint8_t *)out + f->offset);
        else
            json_reader_fail(r, ERR_MISSING, f->name);
    }
    /* every known key is there, so more of them are unknown ones */
    if (!r->err && whole && json_object_size(o) > members_count(t))
        json_reader_fail(r, ERR_UNKNOWN, t->field[0].name);
    for (size_t i = 0; i < t->n && !r->err; i++) {
        const struct json_field *f = &t->field[i];
        uint8_t *at = (uint8_t *)out + f->offset;
        if (f->kind == JSON_LIST || f->kind == JSON_ROWS)
            json_list_read(r, f, o, out);
        else if (f->kind == JSON_MEMBERS)
            value_read(r, f, o, at);
        else if (f->kind >= JSON_KEY)
            value_read(r, f, json_object_get(o, f->name), at);
    }
    if (!r->err && t->check)
        t->check(r, out);
}

void
json_table_read(struct json_reader *r, const struct json_table *t,
                const json_t *o, void *out)
{
    table_read(r, t, o, out, true);
}

/* ---- writing ---- */

void
json_member_put(struct json_writer *w, json_t *o, const char *name, json_t *v)
{
    w->bad |= json_object_set_new(o, name, v);
}

json_t *
json_hex_make(const uint8_t *data, size_t len)
{
    char *hex = malloc(2 * len + 1);
    if (!hex)
        return NULL;
    codec_hex(hex, data, len);
    json_t *v = json_string(hex);
    free(hex);
    return v;
}

static json_t *
counts_make(struct json_writer *w, const struct json_field *f,
            const uint64_t *at)
{
    const bool errors = f->kind == JSON_ERRORS;
    const int n = errors ? ERROR_COUNT : (int)f->max;
    json_t *o = json_object();
    for (int i = errors; i < n; i++)
        if (at[i] || !errors)
            json_member_put(w, o, errors ? error_name(-i) : f->names[i],
                            json_integer((json_int_t)at[i]));
    return o;
}

static json_t *
value_make(struct json_writer *w, const struct json_field *f, const void *at)
{
    switch (f->kind) {
    case JSON_WHOLE:
        return json_integer((json_int_t)json_whole_load(at, f->size));
    case JSON_INT:
        return json_integer(*(const int *)at);
    case JSON_BOOL:
        return json_boolean(*(const bool *)at);
    case JSON_HEX:
    case JSON_KEY:
        return json_hex_make(at, f->kind == JSON_KEY ? w->key_len : f->size);
    case JSON_WORD:
    case JSON_TEXT:
        return json_string(at);
    case JSON_OWNED:
        return json_string(*(char *const *)at);
    case JSON_COUNTS:
    case JSON_ERRORS:
        return counts_make(w, f, at);
    case JSON_OTHER:
        return f->make(w, at);
    default:
        return json_table_make(w, f->of, at);
    }
}

static json_t *
list_make(struct json_writer *w, const struct json_field *f,
          const uint8_t *base)
{
    json_t *list = json_array();
    const uint64_t n = json_whole_load(base + f->count_offset, f->count_size);
    const uint8_t *at = base + f->offset;
    if (f->kind == JSON_ROWS)
        memcpy(&at, base + f->offset, sizeof at);
    struct json_field one = *f;
    one.kind = f->element;
    for (uint64_t i = 0; i < n; i++, at += f->size)
        w->bad |= json_array_append_new(list, value_make(w, &one, at));
    return list;
}

static void
members_put(struct json_writer *w, json_t *o, const struct json_table *t,
            const uint8_t *in)
{
    for (size_t i = 0; i < t->n && !w->bad; i++) {
        const struct json_field *f = &t->field[i];
        if (f->kind == JSON_MEMBERS)
            members_put(w, o, f->of, in + f->offset);
        else if (f->kind == JSON_LIST || f->kind == JSON_ROWS)
            json_member_put(w, o, f->name, list_make(w, f, in));
        else
            json_member_put(w, o, f->name, value_make(w, f, in + f->offset));
    }
}

json_t *
json_table_make(struct json_writer *w, const struct json_table *t,
                const void *in)
{
    json_t *o = json_object();
    w->bad |= !o;
    members_put(w, o, t, in);
    return o;
}
