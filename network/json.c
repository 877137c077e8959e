/* network/json.c - consensuses and descriptors: from canonical JSON to
 * structures, and back.
 *
 * Tables say which key is which field, of what type and range;
 * network/json_field.c goes through them, for reading and for writing. By hand
 * comes what a table cannot say: lists, and what has to fit together (role and
 * layer, order without doubles, what a relay may not say of itself). A body
 * that was read is written again and has to give the same bytes. No state, no
 * timers. Failure modes: the first thing that is wrong, with the key at which
 * it is (struct json_reader), and no memory. */
#include "network/json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codec.h"
#include "lib/json_text.h"
#include "network/json_internal.h"

static const struct json_field consensus_fields[] = {
    F_TEXT(consensus, network), F_INT(consensus, epoch, 0, UINT32_MAX - 16),
    F_INT(consensus, valid_after_s, 0, 1ULL << 40),
    F_HEX(consensus, shared_random), F_HEX(consensus, work_challenge)};

static const struct json_field certified_fields[] = {
    F_HEX(certified, identity)};
static const struct json_field certificate_fields[] = {
    F_HEX(certificate, key), F_HEX(certificate, share_key),
    F_INT(certificate, from_s, 0, 1ULL << 48),
    F_INT(certificate, until_s, 0, 1ULL << 48), F_HEX(certificate, signature)};

static const struct json_field relay_fields[] = {
    F_HEX(relay_entry, identity),
    F_INT(relay_entry, role, ROLE_GATEWAY, ROLE_STORE),
    F_INT(relay_entry, layer, 0, LAYERS_MAX + 1),
    F_INT(relay_entry, protocol_min, 1, UINT16_MAX),
    F_INT(relay_entry, protocol_max, 1, UINT16_MAX),
    F_INT(relay_entry, bandwidth, 0, 100000000),
    F_INT(relay_entry, since, 0, UINT32_MAX - 16),
    F_INT(relay_entry, counts, 0, DAYS_COUNTS_ALL),
    F_HEX(relay_entry, family),
    F_HEX(relay_entry, placement)};

static const struct json_field standing_fields[] = {
    F_HEX(standing, identity),
    F_INT(standing, layer, 0, LAYERS_MAX + 1),
    F_HEX(standing, placement),
    F_INT(standing, since, 0, UINT32_MAX - 16),
    F_INT(standing, seen, 0, UINT32_MAX - 16),
    F_INT(standing, counts, 0, DAYS_COUNTS_ALL)};

static const struct json_field left_out_fields[] = {
    F_HEX(left_out, identity), F_INT(left_out, cut_permille, 0, 1000)};

static const struct json_field link_fields[] = {
    F_HEX(link_told, identity), F_INT(link_told, sent, 0, UINT16_MAX),
    F_INT(link_told, lost, 0, UINT16_MAX)};

static const struct json_field descriptor_fields[] = {
    F_TEXT(descriptor, network), F_INT(descriptor, epoch, 0, UINT32_MAX - 16),
    F_INT(descriptor, alarms, 0, 1000000),
    F_INT(descriptor, hibernates_until_s, 0, 1ULL << 48),
    F_HEX(descriptor, family_signature)};

static void
addresses_read(struct json_reader *r, const json_t *o, struct relay_entry *e)
{
    const json_t *list = json_list_get(r, o, "addresses", 1, ADDRESSES_MAX);
    for (size_t i = 0; list && i < json_array_size(list); i++) {
        json_text_read(r, json_array_get(list, i), "addresses", e->addresses[i],
                       ADDRESS_MAX);
        e->n_addresses = (uint8_t)(i + 1);
    }
}

/* Tell whether role and layer say the same, and the versions are in order. */
static bool
role_fits(const struct relay_entry *e, unsigned layers)
{
    unsigned role = e->layer == 0            ? ROLE_GATEWAY
                    : e->layer == layers + 1 ? ROLE_STORE
                                             : ROLE_MIX;
    return e->layer <= layers + 1 && e->role == role &&
           e->protocol_min <= e->protocol_max;
}

void
json_entry_read(struct json_reader *r, const json_t *o, struct relay_entry *e,
                size_t key_len)
{
    json_object_read(r, o, relay_fields, LEN(relay_fields), 2, e);
    addresses_read(r, o, e);
    json_hex_read(r, json_object_get(o, "sphinx_key"), "sphinx_key",
                  e->sphinx_key, key_len);
}

static void
relays_read(struct json_reader *r, const json_t *list, struct consensus *c)
{
    size_t n = json_array_size(list);
    c->relays = calloc(n ? n : 1, sizeof *c->relays);
    if (!c->relays) {
        json_reader_fail(r, ERR_NOMEM, "relays");
        return;
    }
    c->n_relays = n;
    for (size_t i = 0; i < n && !r->err; i++) {
        struct relay_entry *e = &c->relays[i];
        json_entry_read(r, json_array_get(list, i), e,
                        c->params.geometry.public_len);
        if (!r->err && !role_fits(e, c->params.layers))
            json_reader_fail(r, ERR_RANGE, "layer");
        /* sorted by identity, so that none stands twice */
        if (!r->err && i > 0 &&
            memcmp(e[-1].identity, e->identity, SPHINX_ID_LEN) >= 0)
            json_reader_fail(r, ERR_DUPLICATE, "identity");
    }
}

static void
left_out_read(struct json_reader *r, const json_t *list, struct consensus *c)
{
    size_t n = json_array_size(list);
    c->left_out = calloc(n ? n : 1, sizeof *c->left_out);
    if (!c->left_out) {
        json_reader_fail(r, ERR_NOMEM, "left_out");
        return;
    }
    for (size_t i = 0; i < n && !r->err; i++) {
        struct left_out *l = &c->left_out[c->n_left_out++];
        json_object_read(r, json_array_get(list, i), left_out_fields,
                         LEN(left_out_fields), 0, l);
        if (i > 0 && memcmp(l[-1].identity, l->identity, SPHINX_ID_LEN) >= 0)
            json_reader_fail(r, ERR_DUPLICATE, "left_out");
    }
}

void
json_certificate_read(struct json_reader *r, const json_t *o, size_t others,
                      struct certificate *c)
{
    json_object_read(r, o, certificate_fields, LEN(certificate_fields), others,
                     c);
}

static void
certificates_read(struct json_reader *r, const json_t *list,
                  struct certificates *c)
{
    for (size_t i = 0; i < json_array_size(list) && !r->err; i++) {
        const json_t *o = json_array_get(list, i);
        struct certified *k = &c->of[c->n++];
        json_object_read(r, o, certified_fields, LEN(certified_fields),
                         LEN(certificate_fields), k);
        json_certificate_read(r, o, LEN(certified_fields), &k->cert);
        if (i > 0 &&
            memcmp(k[-1].identity, k->identity, CERTIFICATE_ID_LEN) >= 0)
            json_reader_fail(r, ERR_DUPLICATE, "certificates");
    }
}

/* Read pairs of relays' numbers, one after the other; consensus_index() judges
 * them. */
static void
cut_read(struct json_reader *r, const json_t *list, struct consensus *c)
{
    const size_t n = json_array_size(list);
    c->cut = calloc(n / 2 + 1, sizeof *c->cut);
    if (!c->cut)
        json_reader_fail(r, ERR_NOMEM, "cut");
    else if (n % 2)
        json_reader_fail(r, ERR_RANGE, "cut");
    for (size_t i = 0; c->cut && i < n && !r->err; i++) {
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

void
json_days_read(struct json_reader *r, const json_t *o, size_t least,
               struct days *d)
{
    const json_t *list =
        r->err ? NULL : json_list_get(r, o, "days", least, DAYS_MAX);
    for (size_t i = 0; list && i < json_array_size(list); i++) {
        json_hex_read(r, json_array_get(list, i), "days", d->value[i],
                      DAYS_VALUE_LEN);
        d->n = (uint8_t)(i + 1);
    }
}

void
json_standings_read(struct json_reader *r, const json_t *o, const char *name,
                    size_t most, struct standing **out, size_t *n)
{
    const json_t *list = r->err ? NULL : json_list_get(r, o, name, 0, most);
    const size_t count = json_array_size(list);
    *n = 0;
    *out = calloc(count ? count : 1, sizeof **out);
    if (!*out) {
        json_reader_fail(r, ERR_NOMEM, name);
        return;
    }
    for (size_t i = 0; i < count && !r->err; i++) {
        struct standing *s = &(*out)[(*n)++];
        json_object_read(r, json_array_get(list, i), standing_fields,
                         LEN(standing_fields), 0, s);
        if (i > 0 && memcmp(s[-1].identity, s->identity, SPHINX_ID_LEN) >= 0)
            json_reader_fail(r, ERR_DUPLICATE, name);
    }
}

void
json_consensus_read(struct json_reader *r, const json_t *o, struct consensus *c)
{
    json_object_read(r, o, consensus_fields, LEN(consensus_fields), 7, c);
    json_days_read(r, o, 1, &c->days);
    if (!r->err)
        json_params_read(r, json_object_get(o, "params"), &c->params);
    const json_t *list =
        r->err ? NULL : json_list_get(r, o, "relays", 0, RELAYS_MAX);
    if (list)
        relays_read(r, list, c);
    list = r->err ? NULL : json_list_get(r, o, "left_out", 0, RELAYS_MAX);
    if (list)
        left_out_read(r, list, c);
    list = r->err ? NULL
                  : json_list_get(r, o, "certificates", 0, CERTIFICATES_MAX);
    if (list)
        certificates_read(r, list, &c->certificates);
    list = r->err ? NULL : json_list_get(r, o, "cut", 0, 2 * CUT_MAX);
    if (list)
        cut_read(r, list, c);
    json_standings_read(r, o, "away", RELAYS_MAX, &c->away, &c->n_away);
}

int
json_read_consensus(struct consensus **out, const uint8_t *body, size_t len,
                    char where[static JSON_WHERE_LEN])
{
    struct json_reader r = {.where = where};
    *out = NULL;
    where[0] = 0;
    struct consensus *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    json_t *root = json_body_load(&r, body, len);
    if (root)
        json_consensus_read(&r, root, c);
    json_canonical_check(&r, root, body, len);
    json_decref(root);
    int err = r.err ? 0 : consensus_index(c);
    if (err)
        json_reader_fail(&r, err, "layer");
    if (r.err)
        consensus_free(&c);
    *out = c;
    return r.err;
}

static void
links_read(struct json_reader *r, const json_t *list, struct descriptor *d)
{
    for (size_t i = 0; i < json_array_size(list) && !r->err; i++) {
        struct link_told *l = &d->links[d->n_links++];
        json_object_read(r, json_array_get(list, i), link_fields,
                         LEN(link_fields), 0, l);
        if (!r->err && l->lost > l->sent)
            json_reader_fail(r, ERR_RANGE, "lost");
        if (i > 0 && memcmp(l[-1].identity, l->identity, SPHINX_ID_LEN) >= 0)
            json_reader_fail(r, ERR_DUPLICATE, "links");
    }
}

static int
descriptor_read(struct descriptor *d, size_t public_len, const uint8_t *body,
                size_t len, bool is_canonical,
                char where[static JSON_WHERE_LEN])
{
    struct json_reader r = {.where = where};
    *d = (struct descriptor){0};
    where[0] = 0;
    json_t *root = json_body_load(&r, body, len);
    if (root)
        json_object_read(&r, root, descriptor_fields, LEN(descriptor_fields), 3,
                         d);
    const json_t *o = r.err ? NULL : json_object_get(root, "relay");
    if (!r.err) {
        json_object_read(&r, o, relay_fields, LEN(relay_fields), 1, &d->relay);
        addresses_read(&r, o, &d->relay);
    }
    const json_t *list =
        r.err ? NULL : json_list_get(&r, root, "sphinx_keys", 1, KEYS_AHEAD);
    for (size_t i = 0; list && i < json_array_size(list); i++) {
        json_hex_read(&r, json_array_get(list, i), "sphinx_keys", d->keys[i],
                      public_len);
        d->n_keys = (uint8_t)(i + 1);
    }
    list = r.err ? NULL : json_list_get(&r, root, "links", 0, LINKS_TOLD_MAX);
    if (list)
        links_read(&r, list, d);
    if (!r.err && d->relay.protocol_min > d->relay.protocol_max)
        json_reader_fail(&r, ERR_RANGE, "protocol_min");
    static const uint8_t zero[PLACEMENT_LEN];
    if (d->relay.layer || d->relay.since || d->relay.counts ||
        memcmp(d->relay.placement, zero, sizeof zero) != 0)
        json_reader_fail(&r, ERR_RANGE,
                         "placement"); /* not the relay's to say */
    if (!is_canonical)
        json_canonical_check(&r, root, body, len);
    json_decref(root);
    return r.err;
}

int
json_read_descriptor(struct descriptor *d, size_t public_len,
                     const uint8_t *body, size_t len,
                     char where[static JSON_WHERE_LEN])
{
    return descriptor_read(d, public_len, body, len, false, where);
}

int
json_reread_descriptor(struct descriptor *d, size_t public_len,
                       const uint8_t *body, size_t len,
                       char where[static JSON_WHERE_LEN])
{
    return descriptor_read(d, public_len, body, len, true, where);
}

/* ---- writing: json_internal.h ---- */

static json_t *
relay_make(const struct relay_entry *e, int *bad)
{
    json_t *o = json_object(), *list = json_array();
    *bad |= json_object_write(o, relay_fields, LEN(relay_fields), e);
    for (size_t i = 0; i < e->n_addresses; i++)
        *bad |= json_array_append_new(list, json_string(e->addresses[i]));
    *bad |= json_object_set_new(o, "addresses", list);
    return o;
}

json_t *
json_entry_make(const struct relay_entry *e, size_t key_len, int *bad)
{
    json_t *o = relay_make(e, bad);
    *bad |= json_object_set_new(o, "sphinx_key",
                                json_hex_make(e->sphinx_key, key_len));
    return o;
}

int
json_certificate_write(json_t *o, const struct certificate *c)
{
    return json_object_write(o, certificate_fields, LEN(certificate_fields), c);
}

static json_t *
certificates_make(const struct certificates *c, int *bad)
{
    json_t *list = json_array();
    for (size_t i = 0; i < c->n; i++) {
        json_t *o = json_object();
        *bad |= json_object_write(o, certified_fields, LEN(certified_fields),
                                  &c->of[i]);
        *bad |= json_certificate_write(o, &c->of[i].cert);
        *bad |= json_array_append_new(list, o);
    }
    return list;
}

json_t *
json_days_make(const struct days *d, int *bad)
{
    json_t *list = json_array();
    for (size_t i = 0; i < d->n; i++)
        *bad |= json_array_append_new(
            list, json_hex_make(d->value[i], DAYS_VALUE_LEN));
    return list;
}

json_t *
json_standings_make(const struct standing *s, size_t n, int *bad)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *o = json_object();
        *bad |=
            json_object_write(o, standing_fields, LEN(standing_fields), &s[i]);
        *bad |= json_array_append_new(list, o);
    }
    return list;
}

json_t *
json_consensus_make(const struct consensus *c, int *bad)
{
    json_t *root = json_object(), *list = json_array();
    *bad |= json_object_write(root, consensus_fields, LEN(consensus_fields), c);
    *bad |= json_object_set_new(root, "days", json_days_make(&c->days, bad));
    *bad |=
        json_object_set_new(root, "params", json_params_make(&c->params, bad));
    for (size_t i = 0; i < c->n_relays; i++)
        *bad |= json_array_append_new(
            list,
            json_entry_make(&c->relays[i], c->params.geometry.public_len, bad));
    *bad |= json_object_set_new(root, "relays", list);
    list = json_array();
    for (size_t i = 0; i < c->n_left_out; i++) {
        json_t *o = json_object();
        *bad |= json_object_write(o, left_out_fields, LEN(left_out_fields),
                                  &c->left_out[i]);
        *bad |= json_array_append_new(list, o);
    }
    *bad |= json_object_set_new(root, "left_out", list);
    *bad |= json_object_set_new(root, "certificates",
                                certificates_make(&c->certificates, bad));
    list = json_array();
    for (size_t i = 0; i < c->n_cut; i++) {
        *bad |= json_array_append_new(list, json_integer(c->cut[i].a));
        *bad |= json_array_append_new(list, json_integer(c->cut[i].b));
    }
    *bad |= json_object_set_new(root, "cut", list);
    *bad |= json_object_set_new(root, "away",
                                json_standings_make(c->away, c->n_away, bad));
    return root;
}

int
json_write_consensus(const struct consensus *c, char **out, size_t *len)
{
    int bad = 0;
    json_t *root = json_consensus_make(c, &bad);
    return json_body_dump(root, bad, out, len);
}

int
json_write_descriptor(const struct descriptor *d, size_t public_len, char **out,
                      size_t *len)
{
    json_t *root = json_object(), *list = json_array();
    int bad =
        json_object_write(root, descriptor_fields, LEN(descriptor_fields), d);
    json_t *relay = relay_make(&d->relay, &bad);
    bad |= json_object_set_new(root, "relay", relay);
    for (size_t i = 0; i < d->n_keys; i++)
        bad |=
            json_array_append_new(list, json_hex_make(d->keys[i], public_len));
    bad |= json_object_set_new(root, "sphinx_keys", list);
    list = json_array();
    for (size_t i = 0; i < d->n_links; i++) {
        json_t *o = json_object();
        bad |=
            json_object_write(o, link_fields, LEN(link_fields), &d->links[i]);
        bad |= json_array_append_new(list, o);
    }
    bad |= json_object_set_new(root, "links", list);
    return json_body_dump(root, bad, out, len);
}
