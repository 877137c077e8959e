/* sim/json.c - a scenario file's text to scenarios.
 *
 * A case is the file with some places of it set; each is read as a whole, so
 * that nothing can be said in a case that could not stand in a file. The first
 * thing that is wrong ends the reading, with its place. */
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/json_internal.h"
#include "sim/json_read.h"

enum { TEXT_MAX = 16 << 20, FORMAT = 1 };

/* ---- problems ---- */

int
reader_fail(struct reader *r, const char *where, const char *format, ...)
{
    char what[400];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (!r->err)
        snprintf(r->problem->text, sizeof r->problem->text, "%s%s%s%s%s",
                 r->in_case ? "case " : "", r->in_case ? r->in_case : "",
                 r->in_case ? ": " : "", where, what);
    return r->err = ERR_FORMAT;
}

static const char *
found_text(const json_t *v, char out[static 64])
{
    switch (json_typeof(v)) {
    case JSON_STRING:
        snprintf(out, 64, "\"%.50s\"", json_string_value(v));
        break;
    case JSON_INTEGER:
    case JSON_REAL:
        snprintf(out, 64, "%.15g", json_number_value(v));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        return json_is_true(v) ? "true" : "false";
    case JSON_NULL:
        return "null";
    default:
        return json_is_array(v) ? "a list" : "an object";
    }
    return out;
}

static int
value_fail(struct reader *r, const char *where, const char *wants,
           const json_t *v)
{
    char found[64];
    return reader_fail(r, where, ": wants %s, not %s", wants,
                       found_text(v, found));
}

/* Levenshtein distance, at most 3. */
static unsigned
distance(const char *a, const char *b)
{
    unsigned row[65], m = (unsigned)strlen(b);
    if (m > 64 || strlen(a) > 64)
        return 3;
    for (unsigned j = 0; j <= m; j++)
        row[j] = j;
    for (unsigned i = 1; a[i - 1]; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= m; j++) {
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[m] < 3 ? row[m] : 3;
}

static const struct scenario_key *
key_find(struct reader *r, const struct scenario_table *t, const char *where,
         const char *name)
{
    const struct scenario_key *near = NULL;
    unsigned least = 3;
    for (size_t i = 0; i < t->n; i++) {
        if (strcmp(t->keys[i].name, name) == 0)
            return &t->keys[i];
        if (distance(t->keys[i].name, name) < least) {
            least = distance(t->keys[i].name, name);
            near = &t->keys[i];
        }
    }
    if (near)
        reader_fail(r, where, "%s%.60s: there is no such key; is it \"%s\"?",
                    where[0] ? "." : "", name, near->name);
    else
        reader_fail(r, where, "%s%.60s: there is no such key",
                    where[0] ? "." : "", name);
    return NULL;
}

/* ---- values ---- */

static void
number_wants(char out[static 96], double min, double max, bool whole)
{
    snprintf(out, 96, "%s from %.10g to %.10g",
             whole ? "a whole number" : "a number", min, max);
}

int
reader_number(struct reader *r, const char *where, const json_t *v, double min,
              double max, double *out)
{
    char wants[96];
    *out = json_number_value(v);
    if (json_is_number(v) && *out >= min && *out <= max)
        return 0;
    number_wants(wants, min, max, false);
    return value_fail(r, where, wants, v);
}

static int
enum_read(struct reader *r, const struct scenario_key *k, const char *where,
          const json_t *v, int *out)
{
    const char *text = json_string_value(v), *name;
    size_t len;
    for (int i = 1; text && (name = scenario_enum_name(k->names, i, &len)); i++)
        if (strlen(text) == len && memcmp(text, name, len) == 0) {
            *out = i;
            return 0;
        }
    return value_fail(r, where, k->names, v);
}

static int
text_read(struct reader *r, const struct scenario_key *k, const char *where,
          const json_t *v, char *out)
{
    const char *text = json_string_value(v);
    const bool joined =
        k->kind == KEY_FILE && text && text[0] != '/' && r->directory[0];
    if (!text || text[0] == '\0')
        return value_fail(r, where, "text", v);
    int n = snprintf(out, k->size, "%s%s%s", joined ? r->directory : "",
                     joined ? "/" : "", text);
    if (n < 0 || (size_t)n >= k->size)
        return reader_fail(r, where, ": is longer than %zu octets",
                           k->size - 1);
    return 0;
}

static int
key_read(struct reader *r, const struct scenario_key *k, const char *where,
         const json_t *v, char *at)
{
    const bool whole =
        k->kind == KEY_U64 || (k->kind == KEY_U32 && k->scale == 1);
    double number = 0;
    char wants[96];
    int err = 0;
    switch (k->kind) {
    case KEY_ENUM:
        return enum_read(r, k, where, v, (int *)(void *)at);
    case KEY_TEXT:
    case KEY_FILE:
        return text_read(r, k, where, v, at);
    case KEY_BOOL:
        if (!json_is_boolean(v))
            return value_fail(r, where, "true or false", v);
        *(bool *)at = json_is_true(v);
        return 0;
    default:
        err = reader_number(r, where, v, k->min, k->max, &number);
        break;
    }
    if (err)
        return err;
    if (whole && number != floor(number)) {
        number_wants(wants, k->min, k->max, true);
        return value_fail(r, where, wants, v);
    }
    if (k->kind == KEY_DOUBLE)
        *(double *)(void *)at = number * k->scale;
    else if (k->kind == KEY_U32)
        *(uint32_t *)(void *)at = (uint32_t)llround(number * k->scale);
    else
        *(uint64_t *)(void *)at = (uint64_t)llround(number * k->scale);
    return 0;
}

/* All keys of an object that the table reads; those of KEY_OTHER are the
 * caller's. */
int
reader_object(struct reader *r, const struct scenario_table *t,
              const char *where, const json_t *object, void *base)
{
    const char *name;
    json_t *v;
    if (!json_is_object(object))
        return value_fail(r, where, "an object", object);
    json_object_foreach((json_t *)object, name, v)
    {
        char place[160];
        const struct scenario_key *k = key_find(r, t, where, name);
        if (!k)
            return r->err;
        snprintf(place, sizeof place, "%s%s%s", where, where[0] ? "." : "",
                 name);
        if (k->kind != KEY_OTHER &&
            key_read(r, k, place, v, (char *)base + k->offset))
            return r->err;
    }
    return 0;
}

/* ---- one scenario ---- */

/* Level and trip come first: other defaults depend on them. */
static int
defaults_read(struct reader *r, const json_t *root, struct scenario *s)
{
    int level = LEVEL_PACKETS, trip = 0;
    const json_t *network = json_object_get(root, "network"), *v;
    const struct scenario_table *t = scenario_table("network");
    if ((v = json_object_get(root, "level")))
        (void)enum_read(r, key_find(r, scenario_table(""), "", "level"),
                        "level", v, &level);
    if (!r->err && (v = json_object_get(network, "trip")))
        (void)enum_read(r, key_find(r, t, "network", "trip"), "network.trip", v,
                        &trip);
    if (trip == 0)
        trip = level == LEVEL_NETWORK ? TRIP_ROUND : TRIP_ONE_WAY;
    scenario_defaults(s, (enum scenario_level)level, (enum scenario_trip)trip);
    return r->err;
}

static int
parts_read(struct reader *r, const json_t *root, struct scenario *s)
{
    static const char *const parts[] = {"network", "mix", "run", "measure",
                                        "attack"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts && !r->err; i++) {
        const json_t *v = json_object_get(root, parts[i]);
        const struct scenario_table *t = scenario_table(parts[i]);
        if (v)
            (void)reader_object(r, t, parts[i], v, (char *)s + t->offset);
    }
    const json_t *network = json_object_get(root, "network");
    const json_t *latency = json_object_get(network, "latency");
    if (!r->err && latency)
        (void)reader_object(r, scenario_table("latency"), "network.latency",
                            latency, &s->network);
    return r->err;
}

static int
scenario_read(struct reader *r, const json_t *root, const char *name,
              struct scenario *s)
{
    if (reader_object(r, scenario_table(""), "", root, s) ||
        defaults_read(r, root, s) ||
        reader_object(r, scenario_table(""), "", root, s) ||
        parts_read(r, root, s))
        return r->err;
    snprintf(s->name, sizeof s->name, "%s", name);
    if (reader_weights(r, root, s) || reader_corrupt(r, root, s) ||
        reader_clients(r, root, s))
        return r->err;
    return scenario_check(r, s);
}

/* ---- cases ---- */

/* Take "clients[0].rate" apart, one step: an object's key or a list's place. */
static json_t *
step_into(json_t *at, char **path, char *last, size_t last_len)
{
    size_t n = strcspn(*path, ".[");
    if (n >= last_len)
        return NULL;
    memcpy(last, *path, n);
    last[n] = '\0';
    *path += n;
    if (**path == '\0')
        return at;
    json_t *next = json_object_get(at, last);
    if (!next && **path == '.') {
        next = json_object();
        (void)json_object_set_new(at, last, next);
    }
    if (**path == '[') {
        char *end;
        unsigned long i = strtoul(*path + 1, &end, 10);
        next = *end == ']' ? json_array_get(next, i) : NULL;
        *path = end + 1;
    }
    if (!next || **path != '.')
        return NULL;
    (*path)++;
    return next;
}

static int
place_set(struct reader *r, json_t *root, const char *place, json_t *value)
{
    char copy[160], last[64], *path = copy;
    json_t *at = root;
    snprintf(copy, sizeof copy, "%s", place);
    for (const char *before = NULL; at && *path && path != before;) {
        before = path;
        at = step_into(at, &path, last, sizeof last);
    }
    if (!at || !json_is_object(at) || strcmp(last, "cases") == 0)
        return reader_fail(r, place, ": there is no such place to set");
    return json_object_set(at, last, value) ? ERR_NOMEM : 0;
}

static int
case_read(struct reader *r, const json_t *root, const json_t *item,
          struct scenario *s)
{
    const char *name = json_string_value(json_object_get(item, "name")), *place;
    json_t *set = json_object_get(item, "set"), *v, *copy;
    if (!name || !json_is_object(set) || json_object_size(item) != 2 ||
        strlen(name) >= SCENARIO_NAME_MAX)
        return reader_fail(r, "cases",
                           ": each wants a \"name\", shorter than %d octets, "
                           "and what to \"set\"",
                           SCENARIO_NAME_MAX);
    copy = json_deep_copy(root);
    if (!copy)
        return r->err = ERR_NOMEM;
    r->in_case = name;
    json_object_foreach(set, place, v)
    {
        int err = place_set(r, copy, place, v);
        if (err && !r->err)
            r->err = err;
        if (r->err)
            break;
    }
    if (!r->err)
        (void)scenario_read(r, copy, name, s);
    r->in_case = NULL;
    json_decref(copy);
    return r->err;
}

static int
cases_read(struct reader *r, const json_t *root, struct scenario_file *f)
{
    const json_t *cases = json_object_get(root, "cases");
    const size_t n = cases ? json_array_size(cases) : 1;
    if (n == 0 || n > SCENARIO_CASES_MAX)
        return reader_fail(r, "cases", ": wants a list of 1 to %d",
                           SCENARIO_CASES_MAX);
    f->cases = calloc(n, sizeof(struct scenario *));
    for (size_t i = 0; i < n && !r->err; i++) {
        struct scenario *s = f->cases ? calloc(1, sizeof *s) : NULL;
        if (!s)
            return r->err = ERR_NOMEM;
        f->cases[f->n_cases++] = s;
        if (cases)
            (void)case_read(r, root, json_array_get(cases, i), s);
        else
            (void)scenario_read(r, root, f->name, s);
    }
    return r->err;
}

/* ---- the file ---- */

static int
head_read(struct reader *r, const json_t *root, struct scenario_file *f)
{
    const json_t *format = json_object_get(root, "format");
    const json_t *name = json_object_get(root, "name");
    const json_t *about = json_object_get(root, "about");
    if (!json_is_object(root))
        return reader_fail(r, "", "a scenario is an object");
    if (!json_is_integer(format) || json_integer_value(format) != FORMAT)
        return reader_fail(r, "format",
                           ": wants %d: this program reads no "
                           "other version",
                           FORMAT);
    if ((name && !json_is_string(name)) || (about && !json_is_string(about)) ||
        (name && json_string_length(name) >= SCENARIO_NAME_MAX))
        return reader_fail(r, "name",
                           " and about: want text; a name is "
                           "shorter than %d octets",
                           SCENARIO_NAME_MAX);
    snprintf(f->name, sizeof f->name, "%s",
             name ? json_string_value(name) : "scenario");
    f->about = about ? strdup(json_string_value(about)) : NULL;
    if (about && !f->about)
        return r->err = ERR_NOMEM;
    return 0;
}

int
scenario_parse(struct scenario_file **out, const char *text, size_t len,
               const char *directory, struct scenario_problem *problem)
{
    struct reader r = {.problem = problem, .directory = directory};
    struct scenario_file *f = calloc(1, sizeof *f);
    json_error_t error;
    json_t *root = NULL;
    *out = NULL;
    problem->text[0] = '\0';
    if (!f)
        return ERR_NOMEM;
    if (len > TEXT_MAX)
        reader_fail(&r, "", "is longer than 16 MiB");
    else if (!(root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error)))
        reader_fail(&r, "", "line %d, column %d: %s", error.line, error.column,
                    error.text);
    if (!r.err && !head_read(&r, root, f) && !cases_read(&r, root, f))
        (void)reader_expects(&r, root, f);
    json_decref(root);
    if (r.err)
        scenario_free(&f);
    *out = f;
    return r.err;
}
