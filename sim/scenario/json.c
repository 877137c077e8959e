/* sim/scenario/json.c - scenario files.
 *
 * The text becomes a tree of JSON values; for each case a copy of the tree is
 * changed as the case says, and read through the tables (scenario_fields.h)
 * into a structure full of defaults. So a case can say all that a file can, and
 * what is wrong is named where it stands. What a table cannot say of one value
 * is in the functions named _finish here, where it depends on which keys were
 * written, and else in scenario_check(). No state. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json_text.h"
#include "sim/scenario/json_internal.h"
#include "sim/scenario/metrics.h"

enum { TEXT_MAX = 16 * 1024 * 1024, SET_PATH_MAX = 128 };

/* ---- network.weights ---- */

/* A row of weights has at least one above 0. */
static void
row_read(struct reader *r, const struct field *f, const json_t *row,
         double *out)
{
    double sum = 0;
    numbers_read(r, f, row, out);
    for (size_t i = 0; !r->err && i < json_array_size(row); i++)
        sum += out[i];
    if (sum <= 0)
        reader_fail(r, "wants a weight above 0");
}

/* All of one layer alike, in every layer: no need for weights. */
static bool
rows_are_even(const struct scenario_network *n)
{
    for (uint32_t i = 0; i < n->layers; i++)
        for (uint32_t j = 1; j < n->widths[i]; j++)
            if (n->weights[n->weights_start[i] + j] !=
                n->weights[n->weights_start[i]])
                return false;
    return true;
}

static void
starts_fill(struct scenario_network *n)
{
    for (uint32_t i = 1; i < n->layers; i++)
        n->weights_start[i] = n->topology == TOPOLOGY_FREE_ROUTE
                                  ? 0
                                  : n->weights_start[i - 1] + n->widths[i - 1];
}

/* Layer i is as wide as row i % n_rows is long. */
static bool
widths_read(struct reader *r, const struct field *f, const json_t *rows,
            struct scenario_network *n)
{
    size_t n_rows = json_array_size(rows);
    assert(n_rows > 0);
    const struct field row_field = {.kind = FIELD_VALUES,
                                    .min = f->min,
                                    .max = f->max,
                                    .elements = f->elements};
    for (size_t i = 0; i < n_rows && !r->err; i++) {
        size_t mark = reader_enter_element(r, i);
        (void)list_check(r, &row_field, json_array_get(rows, i));
        reader_leave(r, mark);
    }
    for (uint32_t i = 0; i < n->layers && !r->err; i++)
        n->widths[i] =
            (uint32_t)json_array_size(json_array_get(rows, i % n_rows));
    n->width = n->widths[0];
    starts_fill(n);
    return !r->err;
}

static void
rows_read(struct reader *r, const struct field *f, const json_t *rows,
          struct scenario_network *n)
{
    size_t n_rows = json_array_size(rows), last = n->layers - 1;
    n->weights =
        calloc(n->weights_start[last] + n->widths[last], sizeof *n->weights);
    if (!n->weights)
        reader_nomem(r);
    for (size_t i = 0; i < n->layers && !r->err; i++) {
        size_t mark = reader_enter_element(r, i % n_rows);
        row_read(r, f, json_array_get(rows, i % n_rows),
                 n->weights + n->weights_start[i]);
        reader_leave(r, mark);
    }
    if (!r->err && rows_are_even(n)) {
        free(n->weights);
        n->weights = NULL;
    }
}

static void
weights_read(struct reader *r, const struct field *f, const json_t *network,
             struct scenario_network *n)
{
    const json_t *rows = json_object_get(network, f->key);
    bool layered = n->topology == TOPOLOGY_STRATIFIED;
    size_t n_rows = json_array_size(rows);
    if (!json_is_array(rows) || n_rows == 0 || n_rows > SCENARIO_LAYERS_MAX)
        reader_wants(r, f, rows);
    else if (!layered && n_rows != 1)
        reader_fail(r, "wants one list for a cascade or a free route, not %zu",
                    n_rows);
    else if (json_object_get(network, "width"))
        reader_fail(r, "says widths too; leave out width");
    else if (layered && json_object_get(network, "layers"))
        reader_fail(r, "says layers too; leave out layers");
    if (r->err)
        return;
    if (layered)
        n->layers = (uint32_t)n_rows;
    if (widths_read(r, f, rows, n))
        rows_read(r, f, rows, n);
}

static void
network_finish(struct reader *r, const json_t *root, struct scenario_network *n)
{
    const struct field *f =
        field_find(field_find(&scenario_table, "network")->of, "weights");
    const json_t *o = json_object_get(root, "network");
    if (json_object_get(o, f->key)) {
        size_t mark = reader_enter(r, "network");
        (void)reader_enter(r, f->key);
        weights_read(r, f, o, n);
        reader_leave(r, mark);
        return;
    }
    for (uint32_t i = 0; i < n->layers; i++)
        n->widths[i] = n->width;
    starts_fill(n);
}

/* ---- clients ---- */

/* How a group sends is said by one key of four; what follows from it. */
static void
group_finish(struct reader *r, const json_t *o, struct scenario_clients *c)
{
    static const char *const ways[] = {"profile", "rate", "rates", "trace"};
    const char *way = NULL;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (!json_object_get(o, ways[i]))
            continue;
        if (way)
            reader_fail(r, "has %s and %s; give one", way, ways[i]);
        way = ways[i];
    }
    bool trace = way && strcmp(way, "trace") == 0;
    if (way && strcmp(way, "profile") != 0) {
        uint32_t rate = strcmp(way, "rate") ? 0 : c->profile.send_mhz;
        memset(&c->profile, 0, sizeof c->profile);
        snprintf(c->profile.name, sizeof c->profile.name, "%s", way);
        c->profile.send_mhz = rate;
    }
    if (trace && !json_object_get(o, "send"))
        c->send = SEND_TRACE;
    if (!trace && !json_object_get(o, "count"))
        reader_fail_at(r, "count", "is missing");
}

static void
clients_finish(struct reader *r, const json_t *root, struct scenario *s)
{
    const json_t *list = json_object_get(root, "clients");
    size_t mark = reader_enter(r, "clients");
    for (uint32_t i = 0; i < s->n_clients && !r->err; i++) {
        size_t inner = reader_enter_element(r, i);
        group_finish(r, json_array_get(list, i), &s->clients[i]);
        reader_leave(r, inner);
    }
    reader_leave(r, mark);
}

/* ---- one scenario ---- */

/* What the key of this name will be read as, 0: nothing that is known. Level
 * and trip are wanted before all else, because defaults depend on them. */
static unsigned
name_peek(const struct field_table *t, const char *key, const json_t *o)
{
    const struct field *f = field_find(t, key);
    const char *s = json_string_value(json_object_get(o, key));
    for (unsigned i = 0; s && f->names[i]; i++)
        if (strcmp(f->names[i], s) == 0)
            return i + 1;
    return 0;
}

static void
scenario_read(struct reader *r, json_t *root, struct scenario *s)
{
    const struct field *network = field_find(&scenario_table, "network");
    unsigned level = name_peek(&scenario_table, "level", root),
             trip = name_peek(network->of, "trip",
                              json_object_get(root, "network"));
    scenario_defaults(s, level ? (enum scenario_level)level : LEVEL_PACKETS,
                      (enum scenario_trip)trip);
    object_read(r, &scenario_table, root, s);
    if (!r->err)
        network_finish(r, root, &s->network);
    if (!r->err)
        clients_finish(r, root, s);
    struct scenario_problem problem;
    if (r->err || scenario_check(s, &problem) == 0)
        return;
    r->err = ERR_FORMAT;
    snprintf(r->problem->text, sizeof r->problem->text, "%s%.400s", r->in_case,
             problem.text);
}

/* ---- cases ---- */

static void
value_put(struct reader *r, json_t *o, const char *key, json_t *value)
{
    if (json_is_null(value))
        (void)json_object_del(o, key); /* if it is there */
    else if (json_object_set_new(o, key, json_deep_copy(value)))
        reader_nomem(r);
}

/* The member of this name, made if it is not there. NULL: error. */
static json_t *
member_get(struct reader *r, const struct field *f, json_t *o)
{
    json_t *v = json_object_get(o, f->key);
    if (!v) {
        v = f->kind == FIELD_OBJECTS ? json_array() : json_object();
        if (json_object_set_new(o, f->key, v)) {
            reader_nomem(r);
            return NULL;
        }
    }
    return v;
}

/* Past "[7]" at *path to element 7 of the list. */
static json_t *
element_get(struct reader *r, json_t *list, const char **path)
{
    char *end;
    unsigned long i = strtoul(*path + 1, &end, 10);
    json_t *v = json_array_get(list, i);
    if (end == *path + 1 || (*path)[1] < '0' || (*path)[1] > '9' ||
        *end != ']') {
        reader_fail(r, "wants [number] after it");
        return NULL;
    }
    (void)reader_enter_element(r, i);
    if (!v)
        reader_fail(r, "there is no such element");
    *path = end + 1;
    return v;
}

/* One step of a path: to the object that the rest of it is about, with *t for
 * its table; NULL: it was the last, or error. */
static json_t *
path_step(struct reader *r, const struct field_table **t, json_t *o,
          const char **path, json_t *value)
{
    char key[SET_PATH_MAX];
    size_t len = strcspn(*path, ".[");
    snprintf(key, sizeof key, "%.*s", (int)len, *path);
    const struct field *f = field_find(*t, key);
    const char *rest = *path + len;
    if (!f) {
        const struct field_table alone = {(*t)->fields, (*t)->n, NULL};
        reader_unknown(r, &alone, key);
        return NULL;
    }
    (void)reader_enter(r, key);
    if (!*rest) {
        value_put(r, o, key, value);
        return NULL;
    }
    if (*rest != (f->kind == FIELD_OBJECTS ? '[' : '.') || !f->of) {
        reader_fail(r, "\"%.60s\" cannot follow", rest);
        return NULL;
    }
    json_t *v = member_get(r, f, o);
    if (v && f->kind == FIELD_OBJECTS)
        v = element_get(r, v, &rest);
    if (!v || r->err)
        return NULL;
    if (*rest != '.' || !json_is_object(v)) {
        reader_fail(r, "wants an object, and .key after it");
        return NULL;
    }
    *path = rest + 1;
    *t = f->of;
    return v;
}

static void
path_set(struct reader *r, json_t *root, const char *path, json_t *value)
{
    const struct field_table *t = &scenario_table;
    if (strlen(path) >= SET_PATH_MAX) {
        reader_fail_at(r, "set", "a path is longer than %d bytes",
                       SET_PATH_MAX - 1);
        return;
    }
    for (json_t *o = root; o;)
        o = path_step(r, &t, o, &path, value);
    reader_leave(r, 0);
}

/* The tree of one case; to be released. It shares nothing that is changed. */
static json_t *
case_tree(struct reader *r, const json_t *root, json_t *set)
{
    json_t *own = json_object(), *tree = NULL, *value;
    const char *path;
    int bad = !own;
    for (size_t i = 0; i < scenario_table.n && !bad; i++) {
        const char *key = scenario_table.fields[i].key;
        json_t *v = json_object_get(root, key);
        bad = v && json_object_set(own, key, v);
    }
    if (!bad)
        tree = json_deep_copy(own);
    json_decref(own);
    if (!tree)
        reader_nomem(r);
    else if (set)
        json_object_foreach(set, path, value) if (!r->err)
            path_set(r, tree, path, value);
    return tree;
}

/* One scenario more, of this name; set: NULL, or what is other in it. */
static void
case_read(struct reader *r, struct scenario_file *file, const json_t *root,
          const char *name, json_t *set)
{
    json_t *tree = case_tree(r, root, set);
    struct scenario *s = r->err ? NULL : calloc(1, sizeof *s);
    if (s) {
        file->cases[file->n_cases++] = s;
        scenario_read(r, tree, s);
        set_values_fill(r, file, tree, s);
        snprintf(s->name, sizeof s->name, "%s", name);
    } else if (!r->err)
        reader_nomem(r);
    json_decref(tree);
}

/* The name of each case, which is only its own, and what it sets. */
static void
sets_read(struct reader *r, const json_t *list, struct scenario_set *sets)
{
    const struct field *f = field_find(&scenario_file_table, "cases");
    size_t mark = reader_enter(r, f->key);
    size_t n = list_check(r, f, list) ? json_array_size(list) : 0;
    for (size_t i = 0; i < n && !r->err; i++) {
        size_t inner = reader_enter_element(r, i);
        object_read(r, f->of, json_array_get(list, i), &sets[i]);
        for (size_t j = 0; j < i && !r->err; j++)
            if (strcmp(sets[i].name, sets[j].name) == 0)
                reader_fail_at(r, "name", "cases[%zu] has it already", j);
        reader_leave(r, inner);
    }
    reader_leave(r, mark);
}

static void
cases_read(struct reader *r, json_t *root, struct scenario_file *file)
{
    const json_t *list = json_object_get(root, "cases");
    struct scenario_set sets[SCENARIO_CASES_MAX] = {{.set = NULL}};
    if (list)
        sets_read(r, list, sets);
    if (r->err)
        return;
    size_t n = list ? json_array_size(list) : 1;
    file->cases = calloc(n, sizeof(struct scenario *));
    if (!file->cases) {
        reader_nomem(r);
        return;
    }
    if (!list)
        case_read(r, file, root, file->name, NULL);
    for (size_t i = 0; list && i < n && !r->err; i++)
        set_paths_read(r, file,
                       json_object_get(json_array_get(list, i), "set"));
    for (size_t i = 0; list && i < n && !r->err; i++) {
        snprintf(r->in_case, sizeof r->in_case, "case \"%s\": ", sets[i].name);
        case_read(r, file, root, sets[i].name,
                  json_object_get(json_array_get(list, i), "set"));
    }
    r->in_case[0] = 0;
}

/* ---- expectations ---- */

/* "value" holds in every case. */
static void
value_spread(struct reader *r, struct scenario_expect *e, size_t n)
{
    double *values = calloc(n, sizeof *values);
    if (!values) {
        reader_nomem(r);
        return;
    }
    for (size_t i = 0; i < n; i++)
        values[i] = e->values[0];
    free(e->values);
    e->values = values;
    e->n_values = n;
}

/* Is it a figure that there is, and is it measured in every case? */
static void
expect_metric_check(struct reader *r, const struct scenario_expect *e,
                    const struct scenario_file *file)
{
    const struct metric *m = metric_find(e->metric);
    const char *near = m ? NULL : metric_near(e->metric);
    if (!m)
        reader_fail_at(r, "metric",
                       "no metric is named \"%s\"%s%s%s; 'brusio-sim metrics' "
                       "lists them",
                       e->metric, near ? "; did you mean \"" : "",
                       near ? near : "", near ? "\"?" : "");
    for (size_t i = 0; m && i < file->n_cases; i++)
        if (!metric_is_measured(m, file->cases[i])) {
            reader_fail_at(
                r, "metric", "\"%s\" is not measured in \"%s\": it is %s",
                e->metric, file->cases[i]->name, metric_when_text(m));
            return;
        }
}

static void
expect_finish(struct reader *r, const json_t *o, struct scenario_expect *e,
              const struct scenario_file *file)
{
    const size_t n_cases = file->n_cases;
    expect_metric_check(r, e, file);
    if (!e->values)
        reader_fail(r, "wants value or values");
    else if (!json_object_get(o, "tolerance") ==
             !json_object_get(o, "relative"))
        reader_fail(r, "wants tolerance or relative, one of them");
    else if (json_object_get(o, "value"))
        value_spread(r, e, n_cases);
    else if (e->n_values != n_cases)
        reader_fail_at(r, "values", "has %zu, but there are %zu cases",
                       e->n_values, n_cases);
}

static void
expects_finish(struct reader *r, const json_t *root, struct scenario_file *f)
{
    const json_t *list = json_object_get(root, "expect");
    size_t mark = reader_enter(r, "expect");
    for (size_t i = 0; i < f->n_expects && !r->err; i++) {
        size_t inner = reader_enter_element(r, i);
        expect_finish(r, json_array_get(list, i), &f->expects[i], f);
        reader_leave(r, inner);
    }
    reader_leave(r, mark);
}

/* ---- the file ---- */

/* Numbers are all read as real ones: the tables say which are whole. */
static json_t *
tree_load(struct reader *r, const char *text, size_t len)
{
    json_error_t e;
    json_t *root;
    if (len > TEXT_MAX) {
        reader_fail(r, "has %zu bytes; at most %d", len, TEXT_MAX);
        return NULL;
    }
    int err = json_from_text(
        &root, text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &e);
    if (err == ERR_NOMEM)
        reader_nomem(r);
    else if (err)
        reader_fail(r, "line %d, column %d: %s", e.line, e.column, e.text);
    return root;
}

int
scenario_parse(struct scenario_file **out, const char *text, size_t len,
               const char *directory, struct scenario_problem *problem)
{
    struct reader r = {.problem = problem, .directory = directory};
    *out = NULL;
    problem->text[0] = 0;
    params_default(&r.params, 3600);
    json_t *root = tree_load(&r, text, len);
    struct scenario_file *f = root ? malloc(sizeof *f) : NULL;
    if (f) {
        scenario_file_defaults(f);
        object_read(&r, &scenario_file_table, root, f);
        if (!r.err)
            cases_read(&r, root, f);
        if (!r.err)
            expects_finish(&r, root, f);
    } else if (!r.err)
        reader_nomem(&r);
    json_decref(root);
    if (r.err)
        scenario_free(&f);
    *out = f;
    return r.err;
}
