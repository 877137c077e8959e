/* network/json.c - consensuses and descriptors: from canonical JSON to
 * structures, and back.
 *
 * Tables say which key is which field, of what type and range;
 * lib/json_table.c goes through them, for reading and for writing. By hand
 * comes what a table cannot say: pairs of relays, and what has to fit together
 * (role and layer, what a relay may not say of itself). No state, no timers.
 * Failure modes: the first thing that is wrong, with the key at which it is,
 * and no memory. */
#include "network/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network/json_internal.h"

#define F_EPOCH(s, f, lo) F_INT(s, f, lo, UINT32_MAX - 16)

/* ---- what stands in documents of several kinds ---- */

static const struct json_field certificate_fields[] = {
    F_HEX(certificate, key), F_HEX(certificate, share_key),
    F_INT(certificate, from_s, 0, 1LL << 48),
    F_INT(certificate, until_s, 0, 1LL << 48), F_HEX(certificate, signature)};
const struct json_table json_certificate_table = {
    JSON_FIELDS(certificate_fields)};

static const struct json_field standing_fields[] = {
    F_HEX(standing, identity),  F_INT(standing, layer, 0, LAYERS_MAX + 1),
    F_HEX(standing, placement), F_EPOCH(standing, since, 0),
    F_EPOCH(standing, seen, 0), F_INT(standing, counts, 0, DAYS_COUNTS_ALL)};
const struct json_table json_standing_table = {JSON_FIELDS(standing_fields)};

#define RELAY_FIELDS                                                  \
    F_HEX(relay_entry, identity),                                     \
        F_INT(relay_entry, role, ROLE_GATEWAY, ROLE_STORE),           \
        F_INT(relay_entry, layer, 0, LAYERS_MAX + 1),                 \
        F_INT(relay_entry, protocol_min, 1, UINT16_MAX),              \
        F_INT(relay_entry, protocol_max, 1, UINT16_MAX),              \
        F_INT(relay_entry, bandwidth, 0, 100000000),                  \
        F_EPOCH(relay_entry, since, 0),                               \
        F_INT(relay_entry, counts, 0, DAYS_COUNTS_ALL),               \
        F_HEX(relay_entry, family), F_HEX(relay_entry, placement),    \
        F_LIST(relay_entry, addresses, n_addresses, 1, ADDRESSES_MAX, \
               JSON_WORD)

static const struct json_field relay_fields[] = {RELAY_FIELDS};
static const struct json_table relay_table = {JSON_FIELDS(relay_fields)};

static const struct json_field entry_fields[] = {
    RELAY_FIELDS, {"sphinx_key", JSON_KEY, JSON_AT(relay_entry, sphinx_key)}};
const struct json_table json_entry_table = {JSON_FIELDS(entry_fields)};

/* ---- consensuses ---- */

static const struct json_field left_out_fields[] = {
    F_HEX(left_out, identity), F_INT(left_out, cut_permille, 0, 1000)};
static const struct json_table left_out_table = {JSON_FIELDS(left_out_fields)};

static const struct json_field certified_fields[] = {
    F_HEX(certified, identity),
    {"certificate", JSON_MEMBERS, JSON_AT(certified, cert),
     .of = &json_certificate_table}};
static const struct json_table certified_table = {
    JSON_FIELDS(certified_fields)};

/* Read pairs of relays' numbers, one after the other; consensus_index() judges
 * them. */
static void
cut_read(struct json_reader *r, const json_t *list, void *at)
{
    struct consensus *c = at;
    const size_t n = json_array_size(list);
    if (!json_is_array(list))
        json_reader_fail(r, list ? ERR_FORMAT : ERR_MISSING, "cut");
    else if (n % 2 || n > 2 * CUT_MAX)
        json_reader_fail(r, ERR_RANGE, "cut");
    else if (!(c->cut = calloc(n / 2 + 1, sizeof *c->cut)))
        json_reader_fail(r, ERR_NOMEM, "cut");
    for (size_t i = 0; i < n && c->cut && !r->err; i++) {
        const json_t *v = json_array_get(list, i);
        const json_int_t number = json_integer_value(v);
        struct cut_link *l = &c->cut[i / 2];
        if (!json_is_integer(v))
            json_reader_fail(r, ERR_FORMAT, "cut");
        else if (number < 0 || number >= RELAYS_MAX)
            json_reader_fail(r, ERR_RANGE, "cut");
        else if (i % 2)
            l->b = (uint16_t)number;
        else
            l->a = (uint16_t)number;
    }
    c->n_cut = n / 2;
}

static json_t *
cut_make(struct json_writer *w, const void *at)
{
    const struct consensus *c = at;
    json_t *list = json_array();
    for (size_t i = 0; i < c->n_cut; i++) {
        w->bad |= json_array_append_new(list, json_integer(c->cut[i].a));
        w->bad |= json_array_append_new(list, json_integer(c->cut[i].b));
    }
    return list;
}

/* Judge whether role and layer of each relay say the same, and its versions are
 * in order. */
static void
consensus_check(struct json_reader *r, const void *in)
{
    const struct consensus *c = in;
    for (size_t i = 0; i < c->n_relays; i++) {
        const struct relay_entry *e = &c->relays[i];
        const unsigned role = e->layer == 0                      ? ROLE_GATEWAY
                              : e->layer == c->params.layers + 1 ? ROLE_STORE
                                                                 : ROLE_MIX;
        if (e->layer > c->params.layers + 1 || e->role != role ||
            e->protocol_min > e->protocol_max)
            json_reader_fail(r, ERR_RANGE, "layer");
    }
}

static const struct json_field consensus_fields[] = {
    F_WORD(consensus, network),
    F_EPOCH(consensus, epoch, 0),
    F_INT(consensus, valid_after_s, 0, 1LL << 40),
    F_HEX(consensus, shared_random),
    F_HEX(consensus, work_challenge),
    F_DAYS(consensus, 1),
    F_TABLE(consensus, params, json_params_table),
    F_ROWS(consensus, relays, n_relays, RELAYS_MAX, json_entry_table,
           "identity"),
    F_ROWS(consensus, left_out, n_left_out, RELAYS_MAX, left_out_table,
           "left_out"),
    {"certificates", JSON_LIST,
     JSON_OF(consensus, certificates.of, certificates.n),
     .max = CERTIFICATES_MAX, .element = JSON_TABLE, .of = &certified_table,
     .sorted = "certificates"},
    {"cut", JSON_OTHER, .read = cut_read, .make = cut_make},
    F_ROWS(consensus, away, n_away, RELAYS_MAX, json_standing_table, "away")};
const struct json_table json_consensus_table = {JSON_FIELDS(consensus_fields),
                                                consensus_check};

int
json_read_consensus(struct consensus **out, const uint8_t *body, size_t len,
                    char where[static JSON_WHERE_LEN])
{
    where[0] = 0;
    struct consensus *c = *out = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    int err =
        json_body_read(&json_consensus_table, c, 0, body, len, true, where);
    if (!err && (err = consensus_index(c)))
        snprintf(where, JSON_WHERE_LEN, "layer");
    if (err)
        consensus_free(out);
    return err;
}

int
json_write_consensus(const struct consensus *c, char **out, size_t *len)
{
    return json_body_write(&json_consensus_table, c, 0, out, len);
}

/* ---- descriptors ---- */

static void
link_check(struct json_reader *r, const void *in)
{
    const struct link_told *l = in;
    if (l->lost > l->sent)
        json_reader_fail(r, ERR_RANGE, "lost");
}

static const struct json_field link_fields[] = {
    F_HEX(link_told, identity), F_INT(link_told, sent, 0, UINT16_MAX),
    F_INT(link_told, lost, 0, UINT16_MAX)};
static const struct json_table link_table = {JSON_FIELDS(link_fields),
                                             link_check};

static void
descriptor_check(struct json_reader *r, const void *in)
{
    static const uint8_t zero[PLACEMENT_LEN];
    const struct relay_entry *e = &((const struct descriptor *)in)->relay;
    if (e->protocol_min > e->protocol_max)
        json_reader_fail(r, ERR_RANGE, "protocol_min");
    if (e->layer || e->since || e->counts ||
        memcmp(e->placement, zero, sizeof zero) != 0)
        json_reader_fail(r, ERR_RANGE,
                         "placement"); /* not the relay's to say */
}

static const struct json_field descriptor_fields[] = {
    F_WORD(descriptor, network),
    F_EPOCH(descriptor, epoch, 0),
    F_INT(descriptor, alarms, 0, 1000000),
    F_INT(descriptor, hibernates_until_s, 0, 1LL << 48),
    F_HEX(descriptor, family_signature),
    F_TABLE(descriptor, relay, relay_table),
    {"sphinx_keys", JSON_LIST, JSON_OF(descriptor, keys, n_keys), .min = 1,
     .max = KEYS_AHEAD, .element = JSON_KEY},
    F_TABLES(descriptor, links, n_links, 0, LINKS_TOLD_MAX, link_table,
             "links")};
static const struct json_table descriptor_table = {
    JSON_FIELDS(descriptor_fields), descriptor_check};

int
json_read_descriptor(struct descriptor *d, size_t public_len,
                     const uint8_t *body, size_t len,
                     char where[static JSON_WHERE_LEN])
{
    *d = (struct descriptor){0};
    return json_body_read(&descriptor_table, d, public_len, body, len, true,
                          where);
}

int
json_reread_descriptor(struct descriptor *d, size_t public_len,
                       const uint8_t *body, size_t len,
                       char where[static JSON_WHERE_LEN])
{
    *d = (struct descriptor){0};
    return json_body_read(&descriptor_table, d, public_len, body, len, false,
                          where);
}

int
json_write_descriptor(const struct descriptor *d, size_t public_len, char **out,
                      size_t *len)
{
    return json_body_write(&descriptor_table, d, public_len, out, len);
}
