/* lib/os/config.c - strict configuration files: what the values mean.
 *
 * config_scan() finds each option's values; here they become numbers, booleans,
 * names and lists, and the fields of the caller's structure.
 *
 * State: none. Failure modes: the first value that is out of its range, then the
 * first key that is missing, in the order of the table; nothing is kept then. */
#include "lib/os/config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/address.h"
#include "lib/os/config_scan.h"
#include "lib/words.h"

enum { EXPECTED_LEN = 160, QUOTE_MAX = 40 };

static void *
field_of(const struct config_option *o, void *out)
{
    return (char *)out + o->offset;
}

/* Is its value a char *? */
static bool
is_text(const struct config_option *o)
{
    return o->type == CONFIG_STRING || o->type == CONFIG_LOOPBACK;
}

static void
list_free(struct config_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->item[i]);
    free(list->item);
    *list = (struct config_list){0};
}

static void
field_free(const struct config_option *o, void *out)
{
    if (is_text(o)) {
        free(*(char **)field_of(o, out));
        *(char **)field_of(o, out) = NULL;
    } else if (o->type == CONFIG_LIST)
        list_free(field_of(o, out));
}

static bool
list_same(const struct config_list *a, const struct config_list *b)
{
    bool same = a->n == b->n;
    for (size_t i = 0; same && i < a->n; i++)
        same = strcmp(a->item[i], b->item[i]) == 0;
    return same;
}

static size_t
field_len(const struct config_option *o)
{
    switch (o->type) {
    case CONFIG_INTEGER:
        return sizeof(int64_t);
    case CONFIG_BOOLEAN:
        return sizeof(bool);
    case CONFIG_ENUM:
        return sizeof(int);
    case CONFIG_LIST:
        return sizeof(struct config_list);
    default:
        return sizeof(char *);
    }
}

bool
config_same(const struct config_option *o, const void *a, const void *b)
{
    const void *x = (const char *)a + o->offset,
               *y = (const char *)b + o->offset;
    if (o->type == CONFIG_LIST)
        return list_same(x, y);
    if (is_text(o))
        return strcmp(*(char *const *)x, *(char *const *)y) == 0;
    return memcmp(x, y, field_len(o)) == 0;
}

void
config_swap(const struct config_option *o, void *a, void *b)
{
    char held[sizeof(struct config_list)];
    const size_t len = field_len(o);
    memcpy(held, field_of(o, a), len);
    memcpy(field_of(o, a), field_of(o, b), len);
    memcpy(field_of(o, b), held, len);
}

void
config_free(const struct config_option *table, size_t n, void *out)
{
    for (size_t i = 0; out && i < n; i++)
        field_free(&table[i], out);
}

static void
field_zero(const struct config_option *o, void *out)
{
    switch (o->type) {
    case CONFIG_STRING:
    case CONFIG_LOOPBACK:
        *(char **)field_of(o, out) = NULL;
        break;
    case CONFIG_INTEGER:
        *(int64_t *)field_of(o, out) = 0;
        break;
    case CONFIG_BOOLEAN:
        *(bool *)field_of(o, out) = false;
        break;
    case CONFIG_ENUM:
        *(int *)field_of(o, out) = 0;
        break;
    case CONFIG_LIST:
        *(struct config_list *)field_of(o, out) = (struct config_list){0};
    }
}

/* Say what an option takes, for people: "an integer from 1 to 65535". */
static const char *
value_describe(const struct config_option *o, char text[static EXPECTED_LEN])
{
    size_t at;
    switch (o->type) {
    case CONFIG_INTEGER:
        snprintf(text, EXPECTED_LEN, "an integer from %" PRId64 " to %" PRId64,
                 o->min, o->max);
        break;
    case CONFIG_BOOLEAN:
        snprintf(text, EXPECTED_LEN, "true or false");
        break;
    case CONFIG_STRING:
        snprintf(text, EXPECTED_LEN,
                 "a string of %" PRId64 " to %" PRId64 " bytes", o->min,
                 o->max);
        break;
    case CONFIG_LIST:
        snprintf(text, EXPECTED_LEN,
                 "a list of %" PRId64 " to %" PRId64 " strings", o->min,
                 o->max);
        break;
    case CONFIG_LOOPBACK:
        snprintf(text, EXPECTED_LEN,
                 "a loopback address with its port, as 127.0.0.1:9100 or "
                 "[::1]:9100, or \"\"");
        break;
    case CONFIG_ENUM:
        at = (size_t)snprintf(text, EXPECTED_LEN, "one of");
        for (size_t i = 0; o->names[i] && at < EXPECTED_LEN; i++)
            at += (size_t)snprintf(text + at, EXPECTED_LEN - at, "%s %s",
                                   i ? "," : "", o->names[i]);
    }
    return text;
}

static int
string_keep(char **to, const char *value)
{
    *to = strdup(value);
    return *to ? 0 : ERR_NOMEM;
}

static int
value_refuse(const struct config_run *run, const struct config_option *o,
             int err, unsigned line, const char *value)
{
    char text[EXPECTED_LEN];
    return config_fail(run, err, line, "'%s' is '%.*s'%s; expected %s", o->name,
                       QUOTE_MAX, value,
                       strlen(value) > QUOTE_MAX ? " and more" : "",
                       value_describe(o, text));
}

static int
integer_keep(const struct config_run *run, const struct config_option *o,
             unsigned line, const char *value, int64_t *to)
{
    const char *digits = value + (value[0] == '-');
    size_t len = strlen(digits);
    /* one way to write a number: no sign, space or zero before it, no octal */
    if (len == 0 || strspn(digits, "0123456789") != len ||
        (digits[0] == '0' && (len > 1 || digits > value)))
        return value_refuse(run, o, ERR_FORMAT, line, value);
    errno = 0;
    long long v = strtoll(value, NULL, 10);
    if (errno || v < o->min || v > o->max)
        return value_refuse(run, o, ERR_RANGE, line, value);
    *to = v;
    return 0;
}

static int
enum_keep(const struct config_run *run, const struct config_option *o,
          unsigned line, const char *value, int *to)
{
    char text[EXPECTED_LEN];
    unsigned best = UINT32_MAX;
    int nearest = 0;
    for (int i = 0; o->names[i]; i++) {
        unsigned d = words_distance(value, o->names[i]);
        if (d < best) {
            best = d;
            nearest = i;
        }
    }
    if (best > 0 && !words_are_near(value, best))
        return value_refuse(run, o, ERR_UNKNOWN, line, value);
    if (best > 0)
        return config_fail(run, ERR_UNKNOWN, line,
                           "'%s' is '%.*s'; expected %s; did you mean '%s'?",
                           o->name, QUOTE_MAX, value, value_describe(o, text),
                           o->names[nearest]);
    *to = nearest;
    return 0;
}

/* A value that is not a list to its field. */
static int
value_keep(const struct config_run *run, const struct config_option *o,
           unsigned line, const char *value, void *out)
{
    size_t len = strlen(value);
    bool is_true = !strcmp(value, "true") || !strcmp(value, "yes");
    switch (o->type) {
    case CONFIG_INTEGER:
        return integer_keep(run, o, line, value, field_of(o, out));
    case CONFIG_ENUM:
        return enum_keep(run, o, line, value, field_of(o, out));
    case CONFIG_BOOLEAN:
        if (!is_true && strcmp(value, "false") != 0 && strcmp(value, "no") != 0)
            return value_refuse(run, o, ERR_FORMAT, line, value);
        *(bool *)field_of(o, out) = is_true;
        return 0;
    case CONFIG_LOOPBACK:
        if (value[0] && !address_is_loopback(value))
            return value_refuse(run, o, ERR_RANGE, line, value);
        return string_keep(field_of(o, out), value);
    default:
        if (len < (uint64_t)o->min || len > (uint64_t)o->max)
            return value_refuse(run, o, ERR_RANGE, line, value);
        return string_keep(field_of(o, out), value);
    }
}

static int
list_keep(const struct config_run *run, const struct config_option *o,
          void *out)
{
    struct config_list *list = field_of(o, out);
    const size_t n = run->n_values[o - run->table];
    const char *value = run->value[o - run->table];
    char text[EXPECTED_LEN];
    if (n < (uint64_t)o->min || n > (uint64_t)o->max)
        return config_fail(run, ERR_RANGE, run->line[o - run->table],
                           "'%s' has %zu elements; expected %s", o->name, n,
                           value_describe(o, text));
    list->item = calloc(n ? n : 1, sizeof *list->item);
    int err = list->item ? 0 : ERR_NOMEM;
    for (; list->n < n && !err; value += strlen(value) + 1)
        if (!(err = string_keep(&list->item[list->n], value)))
            list->n++;
    return err;
}

/* The default "a,b" of a list. */
static int
list_default(const struct config_option *o, struct config_list *list)
{
    size_t n = 1;
    for (const char *p = o->value; *p; p++)
        n += *p == ',';
    list->item = calloc(n, sizeof *list->item);
    if (!list->item)
        return ERR_NOMEM;
    for (const char *p = o->value; *p;) {
        size_t len = strcspn(p, ",");
        if (!(list->item[list->n] = strndup(p, len)))
            return ERR_NOMEM;
        list->n++;
        p += len + (p[len] == ',');
    }
    return 0;
}

static int
option_keep(const struct config_run *run, const struct config_option *o,
            void *out)
{
    if (o->type == CONFIG_LIST)
        return list_keep(run, o, out);
    return value_keep(run, o, run->line[o - run->table],
                      run->value[o - run->table], out);
}

static int
default_keep(const struct config_run *run, const struct config_option *o,
             void *out)
{
    char text[EXPECTED_LEN];
    if (o->required)
        return config_fail(run, ERR_MISSING, run->last_line,
                           "'%s' is missing; expected %s", o->name,
                           value_describe(o, text));
    if (o->type == CONFIG_LIST)
        return list_default(o, field_of(o, out));
    return value_keep(run, o, 0, o->value, out);
}

/* Put what config_scan() found, and the defaults, into the fields of out. */
static int
options_keep(const struct config_run *run, void *out)
{
    int err = 0;
    /* what is wrong is told before what is missing */
    for (size_t i = 0; i < run->n && !err; i++)
        if (run->line[i])
            err = option_keep(run, &run->table[i], out);
    for (size_t i = 0; i < run->n && !err; i++)
        if (!run->line[i])
            err = default_keep(run, &run->table[i], out);
    return err;
}

int
config_read_text(const struct config_option *table, size_t n, const char *name,
                 const char *text, size_t len, void *out,
                 char error[static CONFIG_ERROR_LEN])
{
    struct config_run run = {
        .table = table, .n = n, .name = name, .error = error};
    error[0] = 0;
    if (n > CONFIG_OPTIONS_MAX)
        return config_fail(&run, ERR_ARG, 0, "table is too long");
    for (size_t i = 0; i < n; i++)
        field_zero(&table[i], out);
    if (len > CONFIG_FILE_MAX)
        return config_fail(&run, ERR_LONG, 1,
                           "file is too long; expected at most %d bytes",
                           CONFIG_FILE_MAX);
    char *copy = malloc(len + 1);
    int err = copy ? 0 : ERR_NOMEM;
    if (copy) {
        memcpy(copy, text, len);
        copy[len] = 0;
        err = config_scan(&run, copy, len);
    }
    if (!err)
        err = options_keep(&run, out);
    free(copy);
    if (err == ERR_NOMEM)
        (void)config_fail(&run, err, 1, "%s", error_text(err));
    for (size_t i = 0; err && i < n; i++) {
        field_free(&table[i], out);
        field_zero(&table[i], out);
    }
    return err;
}

int
config_read(const struct config_option *table, size_t n, const char *path,
            void *out, char error[static CONFIG_ERROR_LEN])
{
    struct config_run run = {.name = path, .error = error};
    char *text = malloc(CONFIG_FILE_MAX + 1);
    FILE *in = text ? fopen(path, "r") : NULL;
    size_t len = in ? fread(text, 1, CONFIG_FILE_MAX + 1, in) : 0;
    int err = 0;
    if (!in || ferror(in)) {
        for (size_t i = 0; i < n; i++)
            field_zero(&table[i], out);
        err = config_fail(&run, text ? ERR_IO : ERR_NOMEM, 0,
                          "%s; expected a configuration file", strerror(errno));
    } else
        err = config_read_text(table, n, path, text, len, out, error);
    if (in)
        fclose(in);
    free(text);
    return err;
}

static void
quoted_write(const char *value, size_t len, FILE *to)
{
    fputc('"', to);
    for (size_t i = 0; i < len; i++) {
        if (value[i] == '"' || value[i] == '\\')
            fputc('\\', to);
        fputc(value[i], to);
    }
    fputc('"', to);
}

static void
value_write(const struct config_option *o, FILE *to)
{
    if (is_text(o))
        quoted_write(o->value, strlen(o->value), to);
    else if (o->type != CONFIG_LIST)
        fputs(o->value, to);
    else {
        fputc('{', to);
        for (const char *p = o->value; *p;) {
            size_t len = strcspn(p, ",");
            quoted_write(p, len, to);
            fputs(p[len] ? ", " : "", to);
            p += len + (p[len] == ',');
        }
        fputc('}', to);
    }
}

void
config_write_example(const struct config_option *table, size_t n, FILE *to)
{
    char text[EXPECTED_LEN];
    for (size_t i = 0; i < n; i++) {
        const struct config_option *o = &table[i];
        fprintf(to, "%s# %s\n# Takes %s; %s.\n%s%s = ", i ? "\n" : "", o->help,
                value_describe(o, text),
                o->required ? "required" : "this is the default",
                o->required ? "" : "#", o->name);
        value_write(o, to);
        fputc('\n', to);
    }
}
