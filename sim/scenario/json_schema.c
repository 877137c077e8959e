/* sim/scenario/json_schema.c - the JSON Schema of scenario files, from the
 * tables that read them.
 *
 * Each table is an object, each field a property of its kind, with range, help
 * and default; a structure full of defaults (scenario_defaults()) is what
 * reading begins with, and what is shown. What only json.c and scenario_check()
 * can say, of values that have to go together, is not in it.
 *
 * No state. Failure mode: no memory, and there is no schema. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json_table.h"
#include "lib/json_text.h"
#include "sim/scenario/json_internal.h"

/* jansson reports lack of memory through -1 and NULL, which the json_*_new
 * calls take as values, so `bad` is looked at once, at the end. */
struct writer {
    int bad;
    struct params params;
};

static void
member_put(struct writer *w, json_t *o, const char *key, json_t *v)
{
    w->bad |= json_object_set_new(o, key, v);
}

static void
type_put(struct writer *w, json_t *o, const char *type)
{
    member_put(w, o, "type", json_string(type));
}

/* Whole numbers without a decimal point. */
static json_t *
number_make(double d)
{
    return d == floor(d) && fabs(d) <= 9007199254740991.0
               ? json_integer((json_int_t)d)
               : json_real(d);
}

static void
range_put(struct writer *w, json_t *o, const struct field *f)
{
    type_put(w, o, f->kind == FIELD_WHOLE ? "integer" : "number");
    if (f->min < f->max) {
        member_put(w, o, "minimum", number_make(f->min));
        member_put(w, o, "maximum", number_make(f->max));
    } else
        member_put(w, o, "const", number_make(f->min));
}

static void
names_put(struct writer *w, json_t *o, const struct field *f)
{
    const char *names[FIELD_NAMES_MAX + 1];
    size_t n = field_names(f, &w->params, names);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        w->bad |= json_array_append_new(list, json_string(names[i]));
    type_put(w, o, "string");
    member_put(w, o, "enum", list);
}

/* Lengths are of characters here and of bytes to the reader, so that the
 * schema is the milder one. */
static void
text_put(struct writer *w, json_t *o, size_t max)
{
    type_put(w, o, "string");
    member_put(w, o, "minLength", json_integer(1));
    member_put(w, o, "maxLength", json_integer((json_int_t)max));
}

static void
list_put(struct writer *w, json_t *o, json_t *items, size_t max)
{
    type_put(w, o, "array");
    member_put(w, o, "minItems", json_integer(1));
    member_put(w, o, "maxItems", json_integer((json_int_t)max));
    member_put(w, o, "items", items);
}

static json_t *
numbers_make(struct writer *w, const struct field *f)
{
    json_t *o = json_object();
    const struct field one = {
        .kind = FIELD_NUMBER, .min = f->min, .max = f->max};
    range_put(w, o, &one);
    return o;
}

static void
weights_put(struct writer *w, json_t *o, const struct field *f)
{
    json_t *row = json_object();
    list_put(w, row, numbers_make(w, f), f->elements);
    list_put(w, o, row, SCENARIO_LAYERS_MAX);
}

json_t *
default_make(const struct field *f, const uint8_t *at)
{
    uint64_t name;
    double d;
    switch (f->kind) {
    case FIELD_BOOL:
        return json_boolean(*at);
    case FIELD_WHOLE:
        return number_make((double)json_whole_load(at, f->size));
    case FIELD_THOUSANDTHS:
        return number_make((double)json_whole_load(at, f->size) / 1000);
    case FIELD_NUMBER:
        return memcpy(&d, at, sizeof d), number_make(d);
    case FIELD_NAME:
        name = json_whole_load(at, f->size);
        return json_string(name ? f->names[name - 1] : "");
    default: /* texts; a profile begins with its name */
        return json_string((const char *)at);
    }
}
_Static_assert(offsetof(struct profile, name) == 0, "the name comes first");

static bool
has_default(const struct field *f, const uint8_t *at)
{
    switch (f->kind) {
    case FIELD_BOOL:
    case FIELD_WHOLE:
    case FIELD_THOUSANDTHS:
    case FIELD_NUMBER:
    case FIELD_NAME:
        return !(f->flags & (FIELD_BARE | FIELD_REQUIRED));
    case FIELD_TEXT:
    case FIELD_PATH:
    case FIELD_PROFILE:
        return *at != 0;
    default:
        return false;
    }
}

static json_t *object_make(struct writer *w, const struct field_table *t,
                           const struct field_table *also, const void *base,
                           const void *also_base);

static json_t *
field_make(struct writer *w, const struct field *f, const uint8_t *base)
{
    static const struct scenario_set no_set;
    const uint8_t *at = base + f->offset;
    bool of_object = f->kind == FIELD_OBJECT;
    json_t *o =
        of_object ? object_make(w, f->of, NULL, at, NULL) : json_object();
    switch (f->kind) {
    case FIELD_BOOL:
        type_put(w, o, "boolean");
        break;
    case FIELD_WHOLE:
    case FIELD_NUMBER:
    case FIELD_THOUSANDTHS:
    case FIELD_VALUE:
        range_put(w, o, f);
        break;
    case FIELD_NAME:
    case FIELD_PROFILE:
        names_put(w, o, f);
        break;
    case FIELD_TEXT:
    case FIELD_PATH:
        text_put(w, o, f->size - 1);
        break;
    case FIELD_LONG_TEXT:
        text_put(w, o, SCENARIO_ABOUT_MAX);
        break;
    case FIELD_RATES:
    case FIELD_VALUES:
        list_put(w, o, numbers_make(w, f), f->elements);
        break;
    case FIELD_WEIGHTS:
        weights_put(w, o, f);
        break;
    case FIELD_OBJECTS: /* the first of the list has the defaults of all */
        list_put(w, o, object_make(w, f->of, NULL, at, NULL), f->elements);
        break;
    case FIELD_CASES:
        list_put(w, o, object_make(w, f->of, NULL, &no_set, NULL), f->elements);
        break;
    case FIELD_SET:
        type_put(w, o, "object");
        break;
    case FIELD_OBJECT:
        break;
    }
    member_put(w, o, "description", json_string(f->help));
    if (has_default(f, at))
        member_put(w, o, "default", default_make(f, at));
    return o;
}

static void
fields_put(struct writer *w, const struct field_table *t, const void *base,
           json_t *properties, json_t *required)
{
    for (size_t i = 0; t && i < t->n; i++) {
        const struct field *f = &t->fields[i];
        member_put(w, properties, f->key, field_make(w, f, base));
        if (f->flags & FIELD_REQUIRED)
            w->bad |= json_array_append_new(required, json_string(f->key));
    }
}

static json_t *
object_make(struct writer *w, const struct field_table *t,
            const struct field_table *also, const void *base,
            const void *also_base)
{
    json_t *o = json_object(), *properties = json_object(),
           *required = json_array();
    w->bad |=
        !required; /* an empty one is left out, so member_put() may not see it */
    fields_put(w, t, base, properties, required);
    fields_put(w, also, also_base, properties, required);
    type_put(w, o, "object");
    member_put(w, o, "additionalProperties", json_false());
    if (json_array_size(required) > 0)
        member_put(w, o, "required", required);
    else
        json_decref(required);
    member_put(w, o, "properties", properties);
    return o;
}

char *
scenario_schema(void)
{
    struct writer w = {.bad = 0};
    struct scenario *s = malloc(sizeof *s);
    struct scenario_file *f = malloc(sizeof *f);
    char *text = NULL;
    json_t *root = NULL;
    if (!s || !f)
        goto out;
    params_default(&w.params, 3600);
    scenario_defaults(s, LEVEL_PACKETS, 0);
    scenario_file_defaults(f);
    root = object_make(&w, &scenario_file_table, &scenario_table, f, s);
    member_put(&w, root, "$schema",
               json_string("https://json-schema.org/draft/2020-12/schema"));
    member_put(&w, root, "title", json_string("Scenario of brusio-sim"));
    const size_t flags = JSON_INDENT(2) | JSON_REAL_PRECISION(15);
    if (json_to_text(w.bad ? NULL : root, flags, &text, NULL))
        text = NULL;
out:
    json_decref(root);
    free(s);
    free(f);
    return text;
}
