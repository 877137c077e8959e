/* sim/json_schema.c - the JSON Schema of scenario files, made of the tables
 * that read them. No state. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "sim/json_internal.h"

static json_t *
enum_list(const char *names)
{
    json_t *list = json_array();
    const char *name;
    size_t len;
    for (int i = 1; (name = scenario_enum_name(names, i, &len)); i++)
        (void)json_array_append_new(list, json_stringn(name, len));
    return list;
}

/* What a file that says nothing of this key has. */
static json_t *
default_of(const struct scenario_key *k, const char *at)
{
    size_t len;
    const char *name;
    switch (k->kind) {
    case KEY_BOOL:
        return json_boolean(*(const bool *)at);
    case KEY_ENUM:
        name =
            scenario_enum_name(k->names, *(const int *)(const void *)at, &len);
        return name ? json_stringn(name, len) : NULL;
    case KEY_DOUBLE:
        return json_real(*(const double *)(const void *)at / k->scale);
    case KEY_U32:
        return json_real(*(const uint32_t *)(const void *)at / k->scale);
    case KEY_U64:
    case KEY_INTERVAL:
        return json_real((double)*(const uint64_t *)(const void *)at /
                         k->scale);
    default:
        return NULL;
    }
}

static json_t *object_schema(const char *name, const struct scenario *s,
                             const struct scenario_clients *group);

static json_t *
other_schema(const struct scenario_key *k, const struct scenario *s,
             const struct scenario_clients *group)
{
    const struct scenario_table *t = scenario_table(k->name);
    if (t && strcmp(k->name, "clients") == 0)
        return json_pack("{s:s, s:o, s:i}", "type", "array", "items",
                         object_schema(k->name, s, group), "minItems", 1);
    if (t)
        return object_schema(k->name, s, group);
    if (strcmp(k->name, "format") == 0)
        return json_pack("{s:i}", "const", 1);
    if (strcmp(k->name, "rate") == 0)
        return json_pack("{s:s, s:f, s:f}", "type", "number", "minimum", k->min,
                         "maximum", k->max);
    if (strcmp(k->name, "profile") == 0)
        return json_pack("{s:[sss], s:s}", "enum", "default", "light", "fast",
                         "default", "default");
    if (strcmp(k->name, "weights") == 0)
        return json_pack("{s:s, s:{s:s, s:{s:s, s:i}}}", "type", "array",
                         "items", "type", "array", "items", "type", "number",
                         "minimum", 0);
    if (strcmp(k->name, "rates") == 0 || strcmp(k->name, "corrupt_relays") == 0)
        return json_pack("{s:s, s:{s:s, s:i}}", "type", "array", "items",
                         "type", "number", "minimum", 0);
    if (strcmp(k->name, "cases") == 0)
        return json_pack("{s:s, s:{s:s, s:b, s:[ss], s:{s:{s:s}, s:{s:s}}}}",
                         "type", "array", "items", "type", "object",
                         "additionalProperties", 0, "required", "name", "set",
                         "properties", "name", "type", "string", "set", "type",
                         "object");
    if (strcmp(k->name, "expect") == 0)
        return json_pack(
            "{s:s, s:{s:s, s:b, s:[s], s:{s:{s:s}, s:{s:s}, s:{s:s, "
            "s:{s:s}}, s:{s:s}, s:{s:s}, s:{s:s}}}}",
            "type", "array", "items", "type", "object", "additionalProperties",
            0, "required", "metric", "properties", "metric", "type", "string",
            "value", "type", "number", "values", "type", "array", "items",
            "type", "number", "tolerance", "type", "number", "relative", "type",
            "number", "false_alarm", "type", "number");
    return json_pack("{s:s}", "type", "string");
}

static json_t *
key_schema(const struct scenario_key *k, const char *base,
           const struct scenario *s, const struct scenario_clients *group)
{
    const bool text = k->kind == KEY_TEXT || k->kind == KEY_FILE;
    json_t *v;
    if (k->kind == KEY_OTHER) {
        v = other_schema(k, s, group);
    } else if (k->kind == KEY_ENUM) {
        v = json_pack("{s:o}", "enum", enum_list(k->names));
    } else if (k->kind == KEY_BOOL || text) {
        v = json_pack("{s:s}", "type", text ? "string" : "boolean");
    } else {
        const bool whole =
            (k->kind == KEY_U32 || k->kind == KEY_U64) && k->scale == 1;
        v = json_pack("{s:s, s:f, s:f}", "type", whole ? "integer" : "number",
                      "minimum", k->min, "maximum", k->max);
    }
    json_t *fallback =
        k->kind == KEY_OTHER ? NULL : default_of(k, base + k->offset);
    if (fallback)
        (void)json_object_set_new(v, "default", fallback);
    (void)json_object_set_new(v, "description", json_string(k->help));
    return v;
}

static json_t *
object_schema(const char *name, const struct scenario *s,
              const struct scenario_clients *group)
{
    const struct scenario_table *t = scenario_table(name);
    const char *base = strcmp(name, "clients") == 0
                           ? (const char *)group
                           : (const char *)s + t->offset;
    json_t *properties = json_object();
    for (size_t i = 0; i < t->n; i++)
        (void)json_object_set_new(properties, t->keys[i].name,
                                  key_schema(&t->keys[i], base, s, group));
    return json_pack("{s:s, s:b, s:o}", "type", "object",
                     "additionalProperties", 0, "properties", properties);
}

char *
scenario_schema(void)
{
    static const char id[] = "https://json-schema.org/draft/2020-12/schema";
    struct scenario *s = malloc(sizeof *s);
    struct scenario_clients group;
    char *text = NULL;
    if (!s)
        return NULL;
    scenario_defaults(s, LEVEL_PACKETS, TRIP_ONE_WAY);
    scenario_group_defaults(&group);
    json_t *schema = object_schema("", s, &group);
    json_t *required = json_pack("[ss]", "format", "clients");
    if (schema && required) {
        (void)json_object_set_new(schema, "$schema", json_string(id));
        (void)json_object_set(schema, "required", required);
        text = json_dumps(schema, JSON_INDENT(2) | JSON_SORT_KEYS |
                                      JSON_REAL_PRECISION(12));
    }
    json_decref(required);
    json_decref(schema);
    free(s);
    return text;
}
