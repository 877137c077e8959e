/* network/json_network.c - the network file as JSON. No state. */
#include <stdlib.h>
#include <string.h>

#include "lib/json_text.h"
#include "network/json_internal.h"

static const struct json_field network_fields[] = {
    F_TEXT(network, name), F_INT(network, genesis_s, 0, 1ULL << 40),
    F_INT(network, epoch_len_s, 1, 30 * 86400)};

static const struct json_field authority_fields[] = {
    F_HEX(network_authority, identity), F_TEXT(network_authority, address)};

static const struct json_field gateway_fields[] = {
    F_HEX(network_gateway, identity), F_TEXT(network_gateway, address)};

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
    const int err = json_to_text(bad ? NULL : root,
                                 JSON_SORT_KEYS | JSON_INDENT(2), out, len);
    json_decref(root);
    return err;
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
