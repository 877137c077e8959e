/* tests/unit/test_scenario_schema.c - the schema of scenario files says what
 * the reader does. */
#include "tests/runner.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/scenario/scenario.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static json_t *
schema_load(void)
{
    json_error_t e;
    char *text = scenario_schema();
    assert_non_null(text);
    json_t *schema = json_loads(text, JSON_REJECT_DUPLICATES, &e);
    assert_non_null(schema);
    free(text);
    return schema;
}

static const char *const keys[] = {"format",
                                   "name",
                                   "about",
                                   "level",
                                   "seed",
                                   "runs",
                                   "network",
                                   "network.topology",
                                   "network.trip",
                                   "network.layers",
                                   "network.width",
                                   "network.weights",
                                   "network.gateways",
                                   "network.stores",
                                   "network.latency",
                                   "network.latency.law",
                                   "network.latency.fixed_ms",
                                   "network.latency.mean_ms",
                                   "network.latency.file",
                                   "network.loss",
                                   "network.corrupt",
                                   "network.corrupt_of_layer",
                                   "mix",
                                   "mix.strategy",
                                   "mix.delay_mean_ms",
                                   "mix.delay_unit_us",
                                   "mix.poll_delay_mean_ms",
                                   "mix.store_delay_fixed_ms",
                                   "mix.store_delay_mean_ms",
                                   "mix.interval_ms",
                                   "mix.threshold",
                                   "mix.keep",
                                   "mix.share",
                                   "mix.loop_rate",
                                   "clients",
                                   "clients[0].name",
                                   "clients[0].count",
                                   "clients[0].send",
                                   "clients[0].profile",
                                   "clients[0].rate",
                                   "clients[0].rates",
                                   "clients[0].trace",
                                   "clients[0].stay_mean_s",
                                   "clients[0].away_mean_s",
                                   "clients[0].challenger",
                                   "clients[0].message_rate",
                                   "clients[0].target",
                                   "run",
                                   "run.warmup_s",
                                   "run.measure_s",
                                   "run.batches",
                                   "measure",
                                   "measure.latency",
                                   "measure.occupancy",
                                   "measure.mix_entropy",
                                   "measure.epsilon",
                                   "measure.alarm",
                                   "measure.watch",
                                   "measure.targets",
                                   "measure.kinds",
                                   "measure.at_once",
                                   "measure.drained",
                                   "measure.path_messages",
                                   "measure.texts",
                                   "measure.text_gap_mean_s",
                                   "measure.contacts",
                                   "measure.first",
                                   "attack",
                                   "attack.kind",
                                   "attack.relay",
                                   "attack.share",
                                   "attack.block_s",
                                   "cases",
                                   "cases[0].name",
                                   "cases[0].set",
                                   "expect",
                                   "expect[0].metric",
                                   "expect[0].values",
                                   "expect[0].value",
                                   "expect[0].tolerance",
                                   "expect[0].relative",
                                   "expect[0].false_alarm",
                                   "announce",
                                   "announce.use",
                                   "announce.schedule",
                                   "announce.probe",
                                   "announce.contacts",
                                   "announce.poll_rate",
                                   "announce.fronts",
                                   "announce.front_share",
                                   "announce.lane_share",
                                   "announce.sweep_share",
                                   "announce.boards",
                                   "announce.interval_ms",
                                   "announce.per_hour",
                                   "announce.cover_per_hour",
                                   "announce.confirm",
                                   "announce.read_before_ms",
                                   "announce.window",
                                   "announce.ack_s",
                                   "announce.ack_noise_s",
                                   "announce.think_ms",
                                   "announce.others"};

/* The step of a path that *path is at, without "[0]"; *path is then past it. */
static void
step(char key[static 64], bool *element, const char **path)
{
    size_t len = strcspn(*path, ".[");
    snprintf(key, 64, "%.*s", (int)len, *path);
    *path += len;
    *element = **path == '[';
    *path += *element ? 3 : 0;
    *path += **path == '.';
}

/* The schema of the key at this path. */
static const json_t *
schema_at(const json_t *schema, const char *path)
{
    char key[64];
    bool element;
    const char *rest = path;
    const json_t *o = schema;
    while (*rest) {
        step(key, &element, &rest);
        o = json_object_get(json_object_get(o, "properties"), key);
        o = element ? json_object_get(o, "items") : o;
    }
    if (!o)
        fail_msg("the schema has no %s", path);
    return o;
}

/* So many keys are in it, all told. */
static size_t
schema_count(const json_t *schema)
{
    size_t n = 0;
    const char *key;
    json_t *v, *properties = json_object_get(schema, "properties");
    if (json_object_get(schema, "items"))
        n += schema_count(json_object_get(schema, "items"));
    if (properties)
        assert_true(
            json_is_false(json_object_get(schema, "additionalProperties")));
    json_object_foreach(properties, key, v) n += 1 + schema_count(v);
    return n;
}

static const char minimal[] = "{\"format\":1,\"clients\":[{\"count\":1}]}";
/* Something of every object there is. */
static const char everything[] =
    "{\"format\":1,\"clients\":[{\"count\":1}],\"cases\":[{\"name\":\"a\"}],"
    "\"expect\":[{\"metric\":\"m\",\"tolerance\":1,\"value\":1}],"
    "\"network\":{\"latency\":{}},\"mix\":{},\"run\":{},\"measure\":{},"
    "\"attack\":{},\"announce\":{}}";

/* Does the reader know the key? It says that a list in a list is wrong there,
 * for which there is no place in a scenario. */
static void
key_is_read(const char *path)
{
    char key[64];
    bool element;
    const char *rest = path;
    struct scenario_file *f;
    struct scenario_problem p;
    json_error_t e;
    json_t *root = json_loads(everything, 0, &e), *o = root;
    assert_non_null(root);
    for (step(key, &element, &rest); *rest; step(key, &element, &rest)) {
        o = json_object_get(o, key);
        o = element ? json_array_get(o, 0) : o;
    }
    assert_int_equal(json_object_set_new(o, key, json_pack("[[]]")), 0);
    char *changed = json_dumps(root, 0);
    assert_int_equal(scenario_parse(&f, changed, strlen(changed), "", &p),
                     ERR_FORMAT);
    if (!strstr(p.text, path) || strstr(p.text, "unknown"))
        fail_msg("%s: '%s'", path, p.text);
    free(changed);
    json_decref(root);
}

static void
schema_lists_all(void **state)
{
    (void)state;
    json_t *schema = schema_load();
    for (size_t i = 0; i < LEN(keys); i++) {
        const json_t *o = schema_at(schema, keys[i]);
        const char *help = json_string_value(json_object_get(o, "description"));
        assert_true(help && *help);
        assert_true(json_is_string(json_object_get(o, "type")));
        key_is_read(keys[i]);
    }
    assert_int_equal(schema_count(schema), LEN(keys));
    const json_t *o = schema_at(schema, "network.topology");
    assert_int_equal(json_array_size(json_object_get(o, "enum")), 3);
    o = schema_at(schema, "clients[0].rate");
    assert_true(json_number_value(json_object_get(o, "minimum")) == 0.001);
    assert_true(json_number_value(json_object_get(o, "maximum")) == 100000);
    assert_null(json_object_get(o, "default"));
    assert_int_equal(json_array_size(json_object_get(schema, "required")), 2);
    json_decref(schema);
}

/* An object of all defaults in a schema. */
static json_t *
defaults_make(const json_t *schema, unsigned *n)
{
    const char *key;
    json_t *v, *o = json_object();
    json_object_foreach(json_object_get(schema, "properties"), key, v)
    {
        json_t *value = json_object_get(v, "default");
        if (value)
            json_object_set(o, key, value);
        else if (json_object_get(v, "properties"))
            json_object_set_new(o, key, defaults_make(v, n));
        *n += value != NULL;
    }
    return o;
}

/* To say all defaults is to say nothing. */
static void
schema_defaults(void **state)
{
    (void)state;
    unsigned n = 0;
    json_t *schema = schema_load(), *o = defaults_make(schema, &n);
    json_object_set_new(o, "format", json_integer(1));
    json_object_set_new(
        o, "clients",
        json_pack("[o]", defaults_make(schema_at(schema, "clients[0]"), &n)));
    assert_int_equal(n, 78);
    char *text = json_dumps(o, 0);
    struct scenario_file *said, *unsaid;
    struct scenario_problem p;
    assert_int_equal(scenario_parse(&unsaid, minimal, strlen(minimal), "", &p),
                     0);
    if (scenario_parse(&said, text, strlen(text), "", &p))
        fail_msg("%s", p.text);
    assert_string_equal(said->name, unsaid->name);
    assert_memory_equal(said->cases[0], unsaid->cases[0],
                        sizeof(struct scenario));
    scenario_free(&said);
    scenario_free(&unsaid);
    free(text);
    json_decref(o);
    json_decref(schema);
}

const struct CMUnitTest test_scenario_schema[] = {
    cmocka_unit_test(schema_lists_all),
    cmocka_unit_test(schema_defaults),
};
TEST_SUITE(test_scenario_schema);
