/* sim/json_parts.c - lists: weights, clients, expectations. No state. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/json_read.h"

enum { RATES_MAX = 1000000 };

static int
layer_weights(struct reader *r, const json_t *layer, uint32_t number,
              struct scenario_network *n, uint32_t *used)
{
    char where[64];
    double sum = 0;
    const size_t width = json_array_size(layer);
    snprintf(where, sizeof where, "network.weights[%u]", number);
    if (width == 0 || width > SCENARIO_WIDTH_MAX)
        return reader_fail(r, where, ": wants a list of 1 to %d weights",
                           SCENARIO_WIDTH_MAX);
    double *more = realloc(n->weights, (*used + width) * sizeof *n->weights);
    if (!more)
        return r->err = ERR_NOMEM;
    n->weights = more;
    n->weights_start[number] = *used;
    n->widths[number] = (uint32_t)width;
    for (size_t i = 0; i < width && !r->err; i++) {
        (void)reader_number(r, where, json_array_get(layer, i), 0, 1e9,
                            &n->weights[*used]);
        sum += n->weights[(*used)++];
    }
    if (!r->err && sum <= 0)
        return reader_fail(r, where, ": at least one weight is above 0");
    return r->err;
}

int
reader_weights(struct reader *r, const json_t *root, struct scenario *s)
{
    struct scenario_network *n = &s->network;
    const json_t *network = json_object_get(root, "network");
    const json_t *weights = json_object_get(network, "weights");
    const size_t layers = json_array_size(weights);
    uint32_t used = 0;
    if (!weights) {
        for (uint32_t i = 0; i < n->layers; i++)
            n->widths[i] = n->width;
        return 0;
    }
    if (json_object_get(network, "layers") || json_object_get(network, "width"))
        return reader_fail(r, "network.weights",
                           ": says layers and width already");
    if (layers == 0 || layers > SCENARIO_LAYERS_MAX)
        return reader_fail(r, "network.weights",
                           ": wants a list for each of 1 to %d layers",
                           SCENARIO_LAYERS_MAX);
    n->layers = (uint32_t)layers;
    for (uint32_t i = 0; i < layers && !r->err; i++)
        (void)layer_weights(r, json_array_get(weights, i), i, n, &used);
    n->width = n->widths[0];
    return r->err;
}

int
reader_corrupt(struct reader *r, const json_t *root, struct scenario *s)
{
    const json_t *list =
        json_object_get(json_object_get(root, "network"), "corrupt_relays");
    const size_t n = json_array_size(list);
    if (list && (n == 0 || n > SCENARIO_CORRUPT_MAX))
        return reader_fail(r, "network.corrupt_relays",
                           ": wants a list of 1 to %d", SCENARIO_CORRUPT_MAX);
    for (size_t i = 0; i < n && !r->err; i++) {
        double relay = 0;
        (void)reader_number(r, "network.corrupt_relays",
                            json_array_get(list, i), 0,
                            scenario_relays(s) - 1.0, &relay);
        s->network.corrupt_relays[s->network.n_corrupt_relays++] =
            (uint16_t)relay;
    }
    return r->err;
}

/* ---- clients ---- */

static int
rates_read(struct reader *r, const char *where, const json_t *rates,
           struct scenario_clients *g)
{
    const size_t n = json_array_size(rates);
    if (n == 0 || n > RATES_MAX)
        return reader_fail(r, where, ".rates: wants a list of 1 to %d",
                           RATES_MAX);
    g->rates_mhz = calloc(n, sizeof *g->rates_mhz);
    if (!g->rates_mhz)
        return r->err = ERR_NOMEM;
    g->n_rates = (uint32_t)n;
    for (size_t i = 0; i < n && !r->err; i++) {
        double hz = 0;
        (void)reader_number(r, where, json_array_get(rates, i), 0, 100000, &hz);
        g->rates_mhz[i] = (uint32_t)lround(hz * 1000);
    }
    return r->err;
}

/* One of profile, rate, rates and trace says when they send. */
static int
sending_read(struct reader *r, const char *where, const json_t *item,
             struct scenario_clients *g)
{
    const json_t *profile = json_object_get(item, "profile");
    const json_t *rate = json_object_get(item, "rate");
    const json_t *rates = json_object_get(item, "rates");
    const bool traced = g->send == SEND_TRACE;
    char place[64];
    double hz;
    if (!!profile + !!rate + !!rates + traced > 1 ||
        traced != (g->trace[0] != '\0'))
        return reader_fail(r, where,
                           ": wants one of profile, rate and rates, or "
                           "\"send\": \"trace\" with a trace");
    if (rates)
        return rates_read(r, where, rates, g);
    if (rate) {
        snprintf(place, sizeof place, "%.40s.rate", where);
        if (reader_number(r, place, rate, 0.001, 100000, &hz))
            return r->err;
        g->profile = (struct profile){.name = "rate",
                                      .send_mhz = (uint32_t)lround(hz * 1000)};
    }
    if (profile) {
        struct params p;
        const char *name = json_string_value(profile);
        params_default(&p, 3600);
        const struct profile *found = name ? params_profile(&p, name) : NULL;
        if (!found)
            return reader_fail(r, where,
                               ".profile: wants default, light or fast");
        g->profile = *found;
    }
    return 0;
}

int
reader_clients(struct reader *r, const json_t *root, struct scenario *s)
{
    const json_t *list = json_object_get(root, "clients");
    const size_t n = json_array_size(list);
    if (n == 0 || n > SCENARIO_GROUPS_MAX)
        return reader_fail(r, "clients", ": wants a list of 1 to %d groups",
                           SCENARIO_GROUPS_MAX);
    for (size_t i = 0; i < n && !r->err; i++) {
        struct scenario_clients *g = &s->clients[i];
        const json_t *item = json_array_get(list, i);
        char where[32];
        snprintf(where, sizeof where, "clients[%zu]", i);
        scenario_group_defaults(g);
        s->n_clients = (uint32_t)i + 1;
        if (!reader_object(r, scenario_table("clients"), where, item, g))
            (void)sending_read(r, where, item, g);
    }
    return r->err;
}

/* ---- expectations ---- */

static int
values_read(struct reader *r, const char *where, const json_t *item,
            size_t n_cases, struct scenario_expect *e)
{
    const json_t *value = json_object_get(item, "value");
    const json_t *values = json_object_get(item, "values");
    const size_t n = value ? 1 : json_array_size(values);
    if (!value == !values || (values && n != n_cases))
        return reader_fail(r, where,
                           ": wants a \"value\", or \"values\", one for each "
                           "of the %zu cases",
                           n_cases);
    e->values = calloc(n, sizeof *e->values);
    if (!e->values)
        return r->err = ERR_NOMEM;
    e->n_values = n;
    for (size_t i = 0; i < n && !r->err; i++)
        (void)reader_number(r, where, value ? value : json_array_get(values, i),
                            -1e12, 1e12, &e->values[i]);
    return r->err;
}

static int
expect_read(struct reader *r, const char *where, const json_t *item,
            size_t n_cases, struct scenario_expect *e)
{
    static const char *const keys[] = {"metric",    "value",    "values",
                                       "tolerance", "relative", "false_alarm"};
    const char *metric = json_string_value(json_object_get(item, "metric"));
    const char *name;
    json_t *v;
    json_object_foreach((json_t *)item, name, v)
    {
        size_t k = 0;
        while (k < 6 && strcmp(keys[k], name) != 0)
            k++;
        if (k == 6)
            return reader_fail(r, where, ".%.60s: there is no such key", name);
    }
    if (!metric || strlen(metric) >= SCENARIO_NAME_MAX)
        return reader_fail(r, where, ".metric: wants a figure's name");
    snprintf(e->metric, sizeof e->metric, "%s", metric);
    e->false_alarm = 1e-4;
    const struct {
        const char *name;
        double max, *out;
    } number[] = {{"tolerance", 1e12, &e->tolerance},
                  {"relative", 1, &e->relative},
                  {"false_alarm", 1, &e->false_alarm}};
    for (size_t k = 0; k < 3 && !r->err; k++)
        if ((v = json_object_get(item, number[k].name)))
            (void)reader_number(r, where, v, 0, number[k].max, number[k].out);
    if (!r->err && e->tolerance <= 0 && e->relative <= 0)
        return reader_fail(r, where,
                           ": wants a \"tolerance\", or a "
                           "\"relative\" one");
    return r->err ? r->err : values_read(r, where, item, n_cases, e);
}

int
reader_expects(struct reader *r, const json_t *root, struct scenario_file *f)
{
    const json_t *list = json_object_get(root, "expect");
    const size_t n = json_array_size(list);
    if (list && (n == 0 || n > SCENARIO_EXPECTS_MAX))
        return reader_fail(r, "expect", ": wants a list of 1 to %d",
                           SCENARIO_EXPECTS_MAX);
    for (size_t i = 0; i < n && !r->err; i++) {
        char where[32];
        snprintf(where, sizeof where, "expect[%zu]", i);
        f->n_expects = i + 1;
        (void)expect_read(r, where, json_array_get(list, i), f->n_cases,
                          &f->expects[i]);
    }
    return r->err;
}
