/* sim/scenario/json_values.c - from JSON values to fields, and what is said
 * about those that are wrong.
 *
 * object_read() goes through a table and reads each key by its kind; what is
 * wrong is told with the path from the top of the file, what is wanted there
 * and what was found. A key that is in no table is an error, with the one that
 * is nearest.
 *
 * State: the reader, which knows where it is. The first error stays, and what
 * comes after it is not read; no memory is an error like others. */
#include "sim/scenario/json_internal.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json_table.h"
#include "lib/json_text.h"
#include "lib/words.h"

enum { FOUND_LEN = 64, WANTED_LEN = 192, NEAR = 2 };

/* ---- where, and what is wrong ---- */

size_t
reader_enter(struct reader *r, const char *key)
{
    size_t mark = strlen(r->path);
    snprintf(r->path + mark, sizeof r->path - mark, "%s%s", mark ? "." : "",
             key);
    return mark;
}

size_t
reader_enter_element(struct reader *r, size_t i)
{
    size_t mark = strlen(r->path);
    snprintf(r->path + mark, sizeof r->path - mark, "[%zu]", i);
    return mark;
}

void
reader_leave(struct reader *r, size_t mark)
{
    r->path[mark] = 0;
}

static void
problem_say(struct reader *r, const char *format, va_list args)
{
    char *text = r->problem->text;
    size_t room = sizeof r->problem->text;
    if (r->err)
        return;
    r->err = ERR_FORMAT;
    int n = snprintf(text, room, "%s%s: ", r->in_case,
                     r->path[0] ? r->path : "the file");
    if (n >= 0 && (size_t)n < room)
        vsnprintf(text + n, room - (size_t)n, format, args);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = '?'; /* a name in the file is not to steer a terminal */
}

void
reader_fail(struct reader *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    problem_say(r, format, args);
    va_end(args);
}

void
reader_fail_at(struct reader *r, const char *key, const char *format, ...)
{
    va_list args;
    size_t mark = reader_enter(r, key);
    va_start(args, format);
    problem_say(r, format, args);
    va_end(args);
    reader_leave(r, mark);
}

void
reader_nomem(struct reader *r)
{
    if (r->err)
        return;
    r->err = ERR_NOMEM;
    snprintf(r->problem->text, sizeof r->problem->text, "%s",
             error_text(ERR_NOMEM));
}

/* What was found, in few words. */
static void
found_print(char out[static FOUND_LEN], const json_t *v)
{
    char *text = NULL;
    if (json_is_object(v))
        snprintf(out, FOUND_LEN, "an object");
    else if (json_is_array(v))
        snprintf(out, FOUND_LEN, "a list of %zu", json_array_size(v));
    else if (json_is_number(v))
        snprintf(out, FOUND_LEN, "%.16g", json_number_value(v));
    else if (!json_to_text(v, JSON_ENCODE_ANY, &text, NULL))
        snprintf(out, FOUND_LEN, strlen(text) < FOUND_LEN ? "%s" : "%.60s..",
                 text);
    else
        snprintf(out, FOUND_LEN, "that");
    free(text);
}

/* "a", "b" or "c" */
static void
names_list(const struct reader *r, const struct field *f,
           char out[static WANTED_LEN])
{
    const char *names[FIELD_NAMES_MAX + 1];
    size_t n = field_names(f, &r->params, names), len = 0;
    out[0] = 0;
    for (size_t i = 0; i < n && len < WANTED_LEN; i++)
        len += (size_t)snprintf(out + len, WANTED_LEN - len, "%s\"%s\"",
                                i == 0       ? ""
                                : i == n - 1 ? " or "
                                             : ", ",
                                names[i]);
}

static void
wanted_print(const struct reader *r, const struct field *f,
             char out[static WANTED_LEN])
{
    switch (f->kind) {
    case FIELD_BOOL:
        snprintf(out, WANTED_LEN, "true or false");
        break;
    case FIELD_WHOLE:
        if (f->min < f->max)
            snprintf(out, WANTED_LEN, "a whole number from %.16g to %.16g",
                     f->min, f->max);
        else
            snprintf(out, WANTED_LEN, "%.16g", f->min);
        break;
    case FIELD_NUMBER:
    case FIELD_THOUSANDTHS:
    case FIELD_VALUE:
        snprintf(out, WANTED_LEN, "a number from %.16g to %.16g", f->min,
                 f->max);
        break;
    case FIELD_NAME:
    case FIELD_PROFILE:
        names_list(r, f, out);
        break;
    case FIELD_TEXT:
    case FIELD_PATH:
    case FIELD_LONG_TEXT:
        snprintf(out, WANTED_LEN, "a line of text of 1 to %zu bytes",
                 f->kind == FIELD_LONG_TEXT ? SCENARIO_ABOUT_MAX : f->size - 1);
        break;
    case FIELD_RATES:
    case FIELD_VALUES:
    case FIELD_WEIGHTS:
        snprintf(out, WANTED_LEN,
                 "a list of 1 to %zu %snumbers from %.16g to %.16g",
                 f->kind == FIELD_WEIGHTS ? SCENARIO_LAYERS_MAX : f->elements,
                 f->kind == FIELD_WEIGHTS ? "lists of " : "", f->min, f->max);
        break;
    case FIELD_OBJECTS:
    case FIELD_CASES:
        snprintf(out, WANTED_LEN, "a list of 1 to %zu objects", f->elements);
        break;
    case FIELD_OBJECT:
    case FIELD_SET:
        snprintf(out, WANTED_LEN, "an object");
    }
}

void
reader_wants(struct reader *r, const struct field *f, const json_t *v)
{
    char want[WANTED_LEN], have[FOUND_LEN];
    wanted_print(r, f, want);
    found_print(have, v);
    reader_fail(r, "wants %s, not %s", want, have);
}

void
reader_unknown(struct reader *r, const struct field_table *t, const char *key)
{
    const char *near = NULL;
    unsigned nearest = NEAR + 1;
    for (size_t i = 0; i < t->n + (t->also ? t->also->n : 0); i++) {
        const char *k =
            i < t->n ? t->fields[i].key : t->also->fields[i - t->n].key;
        unsigned d = words_distance(key, k);
        if (d < nearest && d < strlen(key)) {
            nearest = d;
            near = k;
        }
    }
    if (near)
        reader_fail_at(r, key, "unknown key; did you mean \"%s\"?", near);
    else
        reader_fail_at(r, key, "unknown key");
}

/* ---- values ---- */

_Static_assert(sizeof(size_t) == 8 || sizeof(size_t) == 4, "counts fit");
_Static_assert(sizeof(enum scenario_level) == 4, "names fit");

/* A number in f's range, or false and an error. */
static bool
number_get(struct reader *r, const struct field *f, const json_t *v,
           double *out)
{
    double d = json_number_value(v);
    *out = d;
    if (json_is_number(v) && isfinite(d) && d >= f->min && d <= f->max &&
        (f->kind != FIELD_WHOLE || d == floor(d)))
        return true;
    reader_wants(r, f, v);
    return false;
}

static void
number_read(struct reader *r, const struct field *f, const json_t *v, void *at)
{
    double d;
    if (!number_get(r, f, v, &d))
        return;
    if (f->kind == FIELD_NUMBER)
        memcpy(at, &d, sizeof d);
    else if (f->kind == FIELD_THOUSANDTHS && d > 0 && llround(d * 1000) == 0)
        reader_fail(r, "wants 0 or at least 0.001, not %.6g", d);
    else if (f->kind == FIELD_THOUSANDTHS)
        json_whole_keep(at, f->size, (uint64_t)llround(d * 1000));
    else if (f->size > 0)
        json_whole_keep(at, f->size, (uint64_t)d);
}

static void
bool_read(struct reader *r, const struct field *f, const json_t *v, void *at)
{
    bool b = json_is_true(v);
    if (!json_is_boolean(v))
        reader_wants(r, f, v);
    else
        memcpy(at, &b, sizeof b);
}

static void
name_read(struct reader *r, const struct field *f, const json_t *v, void *at)
{
    const char *names[FIELD_NAMES_MAX + 1], *s = json_string_value(v);
    size_t n = field_names(f, &r->params, names);
    for (size_t i = 0; s && i < n; i++)
        if (strcmp(s, names[i]) == 0) {
            if (f->kind == FIELD_PROFILE)
                memcpy(at, &r->params.profiles[i], sizeof(struct profile));
            else
                json_whole_keep(at, f->size, i + 1);
            return;
        }
    reader_wants(r, f, v);
}

/* A text without control characters of 1 to max bytes; else NULL and an
 * error. jansson has checked that it is UTF-8 and ends at its first 0. */
static const char *
text_get(struct reader *r, const struct field *f, const json_t *v, size_t max)
{
    const char *s = json_string_value(v);
    bool good = s && s[0] && json_string_length(v) <= max;
    for (size_t i = 0; good && s[i]; i++)
        good = (unsigned char)s[i] >= ' ' && s[i] != 127;
    if (!good)
        reader_wants(r, f, v);
    return good ? s : NULL;
}

static void
text_read(struct reader *r, const struct field *f, const json_t *v, char *at)
{
    const char *s = text_get(r, f, v, f->size - 1);
    if (s)
        snprintf(at, f->size, "%s", s);
}

static void
path_read(struct reader *r, const struct field *f, const json_t *v, char *at)
{
    const char *s = text_get(r, f, v, f->size - 1);
    if (!s)
        return;
    bool alone = s[0] == '/' || !r->directory[0];
    int n = snprintf(at, f->size, "%s%s%s", alone ? "" : r->directory,
                     alone ? "" : "/", s);
    if (n < 0 || (size_t)n >= f->size)
        reader_fail(r, "with its directory longer than %zu bytes", f->size - 1);
}

static void
long_text_read(struct reader *r, const struct field *f, const json_t *v,
               char **at)
{
    const char *s = text_get(r, f, v, SCENARIO_ABOUT_MAX);
    if (s && !(*at = strdup(s)))
        reader_nomem(r);
}

/* ---- lists ---- */

bool
list_check(struct reader *r, const struct field *f, const json_t *v)
{
    size_t n = json_array_size(v);
    if (json_is_array(v) && n > 0 && n <= f->elements)
        return true;
    reader_wants(r, f, v);
    return false;
}

void
numbers_read(struct reader *r, const struct field *f, const json_t *list,
             double *out)
{
    const struct field one = {
        .kind = FIELD_NUMBER, .min = f->min, .max = f->max};
    for (size_t i = 0; i < json_array_size(list) && !r->err; i++) {
        size_t mark = reader_enter_element(r, i);
        (void)number_get(r, &one, json_array_get(list, i), &out[i]);
        reader_leave(r, mark);
    }
}

/* One number or a list of them; *n is how many. To be freed. */
static double *
values_make(struct reader *r, const struct field *f, const json_t *v, size_t *n)
{
    bool list = f->kind != FIELD_VALUE;
    *n = list ? json_array_size(v) : 1;
    if (list && !list_check(r, f, v))
        return NULL;
    double *out = calloc(*n, sizeof *out);
    if (!out)
        reader_nomem(r);
    else if (list)
        numbers_read(r, f, v, out);
    else
        (void)number_get(r, f, v, out);
    return out;
}

static void
values_read(struct reader *r, const struct field *f, const json_t *v,
            uint8_t *base)
{
    size_t n;
    double *values = values_make(r, f, v, &n);
    if (!values)
        return;
    if (*(double **)(base + f->offset)) /* "value" and "values" */
        reader_fail(r, "value and values are there; give one");
    else {
        *(double **)(base + f->offset) = values;
        json_whole_keep(base + f->count_offset, f->count_size, n);
        return;
    }
    free(values);
}

static void
rates_read(struct reader *r, const struct field *f, const json_t *v,
           uint8_t *base)
{
    size_t n;
    double *values = values_make(r, f, v, &n);
    uint32_t *rates = values ? calloc(n, sizeof *rates) : NULL;
    if (values && !rates)
        reader_nomem(r);
    for (size_t i = 0; rates && !r->err && i < n; i++)
        rates[i] = (uint32_t)llround(values[i] * 1000);
    *(uint32_t **)(base + f->offset) = rates;
    if (rates)
        json_whole_keep(base + f->count_offset, f->count_size, n);
    free(values);
}

static void
objects_read(struct reader *r, const struct field *f, const json_t *v,
             uint8_t *base)
{
    if (!list_check(r, f, v))
        return;
    for (size_t i = 0; i < json_array_size(v) && !r->err; i++) {
        size_t mark = reader_enter_element(r, i);
        object_read(r, f->of, json_array_get(v, i),
                    base + f->offset + i * f->size);
        reader_leave(r, mark);
    }
    json_whole_keep(base + f->count_offset, f->count_size, json_array_size(v));
}

/* ---- objects ---- */

static void
field_read(struct reader *r, const struct field *f, json_t *v, uint8_t *base)
{
    uint8_t *at = base + f->offset;
    switch (f->kind) {
    case FIELD_BOOL:
        bool_read(r, f, v, at);
        break;
    case FIELD_WHOLE:
    case FIELD_NUMBER:
    case FIELD_THOUSANDTHS:
        number_read(r, f, v, at);
        break;
    case FIELD_NAME:
    case FIELD_PROFILE:
        name_read(r, f, v, at);
        break;
    case FIELD_TEXT:
        text_read(r, f, v, (char *)at);
        break;
    case FIELD_PATH:
        path_read(r, f, v, (char *)at);
        break;
    case FIELD_LONG_TEXT:
        long_text_read(r, f, v, (char **)at);
        break;
    case FIELD_RATES:
        rates_read(r, f, v, base);
        break;
    case FIELD_VALUES:
    case FIELD_VALUE:
        values_read(r, f, v, base);
        break;
    case FIELD_OBJECT:
        object_read(r, f->of, v, at);
        break;
    case FIELD_OBJECTS:
        objects_read(r, f, v, base);
        break;
    case FIELD_SET:
        if (!json_is_object(v))
            reader_wants(r, f, v);
        memcpy(at, &v, sizeof v);
        break;
    case FIELD_WEIGHTS: /* these two later, when more is known */
    case FIELD_CASES:
        break;
    }
}

void
object_read(struct reader *r, const struct field_table *t, json_t *o,
            void *base)
{
    static const struct field whole = {.kind = FIELD_OBJECT};
    const char *key;
    json_t *v;
    if (!json_is_object(o)) {
        reader_wants(r, &whole, o);
        return;
    }
    json_object_foreach(o, key, v) if (!field_find(t, key) &&
                                       !(t->also && field_find(t->also, key)))
        reader_unknown(r, t, key);
    for (size_t i = 0; i < t->n && !r->err; i++) {
        const struct field *f = &t->fields[i];
        size_t mark = reader_enter(r, f->key);
        v = json_object_get(o, f->key);
        if (v)
            field_read(r, f, v, base);
        else if (f->flags & FIELD_REQUIRED)
            reader_fail(r, "is missing");
        reader_leave(r, mark);
    }
}
