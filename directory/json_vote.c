/* directory/json_vote.c - votes, and the network file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory/json_internal.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static const struct json_field vote_fields[] = {
    F_TEXT(vote, network), F_INT(vote, epoch, 1, UINT32_MAX - 16),
    F_HEX(vote, previous), F_HEX(vote, random)};

static const struct json_field network_fields[] = {
    F_TEXT(network, name), F_INT(network, genesis_s, 0, 1ULL << 40),
    F_INT(network, epoch_len_s, 1, 30 * 86400)};

static const struct json_field authority_fields[] = {
    F_HEX(network_authority, identity), F_TEXT(network_authority, address)};

static const struct json_field gateway_fields[] = {
    F_HEX(network_gateway, identity), F_TEXT(network_gateway, address)};

void
vote_free(struct vote *v)
{
    for (size_t i = 0; i < v->n; i++)
        free(v->descriptors[i]);
    free(v->descriptors);
    free(v->params_text);
    *v = (struct vote){0};
}

int
json_write_vote(const struct vote *v, char **out, size_t *len)
{
    json_t *root = json_object(), *list = json_array();
    int bad = json_object_write(root, vote_fields, LEN(vote_fields), v);
    json_t *params = json_params_make(&v->params, &bad);
    bad |= json_object_set_new(root, "params", params);
    for (size_t i = 0; i < v->n; i++)
        bad |= json_array_append_new(list, json_string(v->descriptors[i]));
    bad |= json_object_set_new(root, "descriptors", list);
    return json_body_dump(root, bad, out, len);
}

static void
descriptors_read(struct json_reader *r, const json_t *list, struct vote *v)
{
    size_t n = json_array_size(list);
    v->descriptors = calloc(n ? n : 1, sizeof *v->descriptors);
    if (!v->descriptors) {
        json_reader_fail(r, ERR_NOMEM, "descriptors");
        return;
    }
    for (size_t i = 0; i < n && !r->err; i++) {
        const json_t *s = json_array_get(list, i);
        const char *text = json_string_value(s);
        if (!text || strlen(text) != json_string_length(s)) {
            json_reader_fail(r, ERR_FORMAT, "descriptors");
            return;
        }
        if (i > 0 && strcmp(v->descriptors[i - 1], text) >= 0)
            json_reader_fail(r, ERR_DUPLICATE, "descriptors");
        v->descriptors[i] = strdup(text);
        if (!v->descriptors[i]) {
            json_reader_fail(r, ERR_NOMEM, "descriptors");
            return;
        }
        v->n++;
    }
}

int
json_read_vote(struct vote *v, const uint8_t *body, size_t len,
               char where[static JSON_WHERE_LEN])
{
    struct json_reader r = {.where = where};
    *v = (struct vote){0};
    where[0] = 0;
    json_t *root = json_body_load(&r, body, len);
    if (root)
        json_object_read(&r, root, vote_fields, LEN(vote_fields), 2, v);
    const json_t *params = r.err ? NULL : json_object_get(root, "params");
    if (!r.err)
        json_params_read(&r, params, &v->params);
    const json_t *list =
        r.err ? NULL : json_list_get(&r, root, "descriptors", 0, RELAYS_MAX);
    if (list)
        descriptors_read(&r, list, v);
    json_canonical_check(&r, root, body, len);
    if (!r.err) {
        v->params_text = json_dumps(params, JSON_SORT_KEYS | JSON_COMPACT);
        if (!v->params_text)
            json_reader_fail(&r, ERR_NOMEM, "params");
    }
    json_decref(root);
    if (r.err)
        vote_free(v);
    return r.err;
}

int
json_write_network(const struct network *n, char **out, size_t *len)
{
    json_t *root = json_object(), *a = json_array(), *g = json_array();
    int bad = json_object_write(root, network_fields, LEN(network_fields), n);
    for (size_t i = 0; i < n->n_authorities; i++) {
        json_t *o = json_object();
        bad |= json_object_write(o, authority_fields, LEN(authority_fields),
                                 &n->authorities[i]);
        bad |= json_array_append_new(a, o);
    }
    for (size_t i = 0; i < n->n_gateways; i++) {
        json_t *o = json_object();
        bad |= json_object_write(o, gateway_fields, LEN(gateway_fields),
                                 &n->gateways[i]);
        bad |= json_array_append_new(g, o);
    }
    bad |= json_object_set_new(root, "authorities", a);
    bad |= json_object_set_new(root, "gateways", g);
    bad |= json_object_set_new(root, "geometry",
                               json_geometry_make(&n->geometry, &bad));
    *out = bad ? NULL : json_dumps(root, JSON_SORT_KEYS | JSON_INDENT(2));
    *len = *out ? strlen(*out) : 0;
    json_decref(root);
    return *out ? 0 : ERR_NOMEM;
}

int
json_read_network(struct network *n, const uint8_t *body, size_t len,
                  char where[static JSON_WHERE_LEN])
{
    struct json_reader r = {.where = where};
    *n = (struct network){0};
    where[0] = 0;
    json_t *root = json_body_load(&r, body, len);
    if (root)
        json_object_read(&r, root, network_fields, LEN(network_fields), 3, n);
    if (root && !r.err)
        json_geometry_read(&r, root, &n->geometry);
    const json_t *a =
        r.err ? NULL
              : json_list_get(&r, root, "authorities", 1, AUTHORITIES_MAX);
    for (size_t i = 0; a && i < json_array_size(a); i++)
        json_object_read(&r, json_array_get(a, i), authority_fields,
                         LEN(authority_fields), 0,
                         &n->authorities[n->n_authorities++]);
    const json_t *g =
        r.err ? NULL
              : json_list_get(&r, root, "gateways", 0, NETWORK_GATEWAYS_MAX);
    for (size_t i = 0; g && i < json_array_size(g); i++)
        json_object_read(&r, json_array_get(g, i), gateway_fields,
                         LEN(gateway_fields), 0, &n->gateways[n->n_gateways++]);
    for (size_t i = 1; i < n->n_authorities && !r.err; i++)
        for (size_t k = 0; k < i; k++)
            if (memcmp(n->authorities[i].identity, n->authorities[k].identity,
                       SPHINX_ID_LEN) == 0)
                json_reader_fail(&r, ERR_DUPLICATE, "authorities");
    json_decref(root);
    return r.err;
}
