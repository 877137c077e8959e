/* network/json_network.c - the network file as JSON. No state. */
#include <string.h>

#include "lib/json_text.h"
#include "network/json_internal.h"

static const struct json_field authority_fields[] = {
    F_HEX(network_authority, identity), F_WORD(network_authority, address)};
static const struct json_table authority_table = {
    JSON_FIELDS(authority_fields)};

static const struct json_field gateway_fields[] = {
    F_HEX(network_gateway, identity), F_WORD(network_gateway, address)};
static const struct json_table gateway_table = {JSON_FIELDS(gateway_fields)};

static void
authorities_check(struct json_reader *r, const void *in)
{
    const struct network *n = in;
    for (size_t i = 1; i < n->n_authorities; i++)
        for (size_t k = 0; k < i; k++)
            if (memcmp(n->authorities[i].identity, n->authorities[k].identity,
                       SPHINX_ID_LEN) == 0)
                json_reader_fail(r, ERR_DUPLICATE, "authorities");
}

static const struct json_field network_fields[] = {
    F_WORD(network, name),
    F_INT(network, genesis_s, 0, 1LL << 40),
    F_INT(network, epoch_len_s, 1, 30 * 86400),
    F_GEOMETRY(network),
    F_TABLES(network, authorities, n_authorities, 1, AUTHORITIES_MAX,
             authority_table, NULL),
    F_TABLES(network, gateways, n_gateways, 0, NETWORK_GATEWAYS_MAX,
             gateway_table, NULL)};
static const struct json_table network_table = {JSON_FIELDS(network_fields),
                                                authorities_check};

int
json_write_network(const struct network *n, char **out, size_t *len)
{
    struct json_writer w = {0};
    json_t *root = json_table_make(&w, &network_table, n);
    const int err = json_to_text(w.bad ? NULL : root,
                                 JSON_SORT_KEYS | JSON_INDENT(2), out, len);
    json_decref(root);
    return err;
}

int
json_read_network(struct network *n, const uint8_t *body, size_t len,
                  char where[static JSON_WHERE_LEN])
{
    *n = (struct network){0};
    return json_body_read(&network_table, n, 0, body, len, false, where);
}
