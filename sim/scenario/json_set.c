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

/* Make what s has at the path, where that is one value; else an empty text. */
static json_t *
default_find(const struct scenario *s, const char *path)
{
    const struct field_table *t = &scenario_table;
    const uint8_t *at = (const uint8_t *)s;
    char key[KEY_MAX];
    long element;
    while (t && path_next(&path, key, &element)) {
        const struct field *f = field_find(t, key);
        if (!f || f->flags & FIELD_BARE)
            break;
        at += f->offset;
        if (f->kind == FIELD_OBJECTS && element >= (long)s->n_clients)
            break; /* there is no such group */
        if (f->kind == FIELD_OBJECTS && element >= 0)
            at += (size_t)element * f->size;
        if (!*path && f->kind <= FIELD_PROFILE)
            return default_make(f, at);
        t = f->of;
    }
    return json_string("");
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
        json_t *otherwise = v ? NULL : default_find(s, file->set_paths[i]);
        s->set[i] = written_text(v ? v : otherwise);
        json_decref(otherwise);
        if (!s->set[i])
            reader_nomem(r);
    }
    if (!s->set)
        reader_nomem(r);
}
