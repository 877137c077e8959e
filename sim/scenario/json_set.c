/* sim/scenario/json_set.c - what each case's values are of all that the cases
 * set, for whoever plots one against the other.
 *
 * A value is what is written at the path, in the case or in the file; where
 * nothing is, the default, if it is a single one. What a case sets is checked
 * elsewhere: a path that leads nowhere has an empty value here. No state. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json_text.h"
#include "sim/scenario/json_internal.h"

enum { KEY_MAX = 64, VALUE_MAX = 64 };

/* ---- paths ---- */

/* Take a key off the path, and the [number] after it. Returns false at the end.
 */
static bool
path_next(const char **path, char key[static KEY_MAX], long *element)
{
    const size_t len = strcspn(*path, ".[");
    *element = -1;
    if (!**path || len >= KEY_MAX)
        return false;
    snprintf(key, KEY_MAX, "%.*s", (int)len, *path);
    *path += len;
    if (**path == '[') {
        char *end;
        *element = strtol(*path + 1, &end, 10);
        *path = *end == ']' ? end + 1 : end;
    }
    *path += **path == '.';
    return true;
}

static bool
path_is_known(const struct scenario_file *file, const char *path)
{
    for (size_t i = 0; i < file->n_set; i++)
        if (strcmp(file->set_paths[i], path) == 0)
            return true;
    return false;
}

void
set_paths_read(struct reader *r, struct scenario_file *file, json_t *set)
{
    const char *path;
    json_t *value;
    if (!file->set_paths) {
        file->n_set = 0;
        file->set_paths = calloc(SCENARIO_SET_MAX, sizeof *file->set_paths);
    }
    if (!file->set_paths) {
        reader_nomem(r);
        return;
    }
    json_object_foreach(set, path, value)
    {
        if (r->err || file->n_set == SCENARIO_SET_MAX ||
            path_is_known(file, path))
            continue;
        char *copy = strdup(path);
        if (copy)
            file->set_paths[file->n_set++] = copy;
        else
            reader_nomem(r);
    }
}

/* ---- values ---- */

/* As it is written at the path; NULL: nothing is. */
static const json_t *
written_find(const json_t *root, const char *path)
{
    char key[KEY_MAX];
    long element;
    const json_t *v = root;
    while (v && path_next(&path, key, &element)) {
        v = json_object_get(v, key);
        if (v && element >= 0)
            v = json_array_get(v, (size_t)element);
    }
    return v == root ? NULL : v;
}

static char *
written_text(const json_t *v)
{
    char number[VALUE_MAX], *text = NULL;
    if (json_is_string(v))
        return strdup(json_string_value(v));
    if (json_is_number(v)) {
        snprintf(number, sizeof number, "%.16g", json_number_value(v));
        return strdup(number);
    }
    return json_to_text(v, JSON_ENCODE_ANY | JSON_COMPACT, &text, NULL) ? NULL
                                                                        : text;
}

static uint64_t
whole_get(const void *at, size_t size)
{
    uint32_t v32 = 0;
    uint64_t v64 = 0;
    if (size == sizeof v64)
        memcpy(&v64, at, sizeof v64);
    else
        memcpy(&v32, at, sizeof v32);
    return size == sizeof v64 ? v64 : v32;
}

static void
default_print(const struct field *f, const uint8_t *at,
              char out[static VALUE_MAX])
{
    double d = 0;
    const uint64_t whole = f->kind == FIELD_WHOLE ||
                                   f->kind == FIELD_THOUSANDTHS ||
                                   f->kind == FIELD_NAME
                               ? whole_get(at, f->size)
                               : 0;
    switch (f->kind) {
    case FIELD_BOOL:
        snprintf(out, VALUE_MAX, "%s", *(const bool *)at ? "true" : "false");
        break;
    case FIELD_NUMBER:
        memcpy(&d, at, sizeof d);
        snprintf(out, VALUE_MAX, "%.16g", d);
        break;
    case FIELD_WHOLE:
        snprintf(out, VALUE_MAX, "%.16g", (double)whole);
        break;
    case FIELD_THOUSANDTHS:
        snprintf(out, VALUE_MAX, "%.16g", (double)whole / 1000);
        break;
    case FIELD_NAME:
        snprintf(out, VALUE_MAX, "%s", whole ? f->names[whole - 1] : "");
        break;
    case FIELD_PROFILE:
        snprintf(out, VALUE_MAX, "%s", ((const struct profile *)at)->name);
        break;
    default: /* no single value */
        break;
    }
}

/* What s has at the path, where that is one value; else nothing. */
static void
default_find(const struct scenario *s, const char *path,
             char out[static VALUE_MAX])
{
    const struct field_table *t = &scenario_table;
    const uint8_t *at = (const uint8_t *)s;
    char key[KEY_MAX];
    long element;
    out[0] = 0;
    while (t && path_next(&path, key, &element)) {
        const struct field *f = field_find(t, key);
        if (!f || f->flags & FIELD_BARE)
            return;
        at += f->offset;
        if (f->kind == FIELD_OBJECTS && element >= (long)s->n_clients)
            return; /* there is no such group */
        if (f->kind == FIELD_OBJECTS && element >= 0)
            at += (size_t)element * f->size;
        if (!*path)
            default_print(f, at, out);
        t = f->of;
    }
}

void
set_values_fill(struct reader *r, const struct scenario_file *file,
                const json_t *tree, struct scenario *s)
{
    if (file->n_set == 0 || r->err)
        return;
    s->set = calloc(file->n_set, sizeof *s->set);
    for (size_t i = 0; s->set && !r->err && i < file->n_set; i++) {
        const json_t *v = written_find(tree, file->set_paths[i]);
        char value[VALUE_MAX];
        if (!v)
            default_find(s, file->set_paths[i], value);
        s->set[i] = v ? written_text(v) : strdup(value);
        if (!s->set[i])
            reader_nomem(r);
    }
    if (!s->set)
        reader_nomem(r);
}
