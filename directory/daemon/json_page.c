/* directory/daemon/json_page.c - the same for programs. */
#include <stdlib.h>
#include <string.h>

#include "directory/daemon/page.h"
#include "network/json_internal.h"
#include "network/schedule.h"

static void
number_put(struct json_writer *w, json_t *o, const char *name, uint64_t v)
{
    json_member_put(w, o, name, json_integer((json_int_t)v));
}

static void
identity_put(struct json_writer *w, json_t *o, const uint8_t *identity)
{
    json_member_put(w, o, "identity", json_hex_make(identity, SPHINX_ID_LEN));
}

static json_t *
authorities_make(const struct authority_status *st, struct json_writer *w)
{
    json_t *list = json_array();
    for (size_t i = 0; i < st->n; i++) {
        json_t *o = json_object();
        identity_put(w, o, st->other[i].identity);
        number_put(w, o, "seen_epoch", st->other[i].seen);
        number_put(w, o, "certificate_until_s", st->other[i].until_s);
        json_member_put(w, o, "voted", json_boolean(st->other[i].voted));
        json_member_put(w, o, "signed", json_boolean(st->other[i].signed_));
        json_member_put(w, o, "contradicts_itself",
                        json_boolean(st->other[i].lies));
        w->bad |= json_array_append_new(list, o);
    }
    return list;
}

static json_t *
flags_make(const struct page_relay *r, struct json_writer *w)
{
    json_t *flags = json_object();
    for (int i = 0; i < PAGE_FLAGS; i++) {
        json_t *o = json_object();
        json_member_put(w, o, "has", json_boolean(r->has[i]));
        if (!r->has[i]) {
            json_member_put(w, o, "reason", json_string(r->why[i]));
            json_member_put(w, o, "remedy", json_string(r->remedy[i]));
        }
        json_member_put(w, flags, page_flag_name[i], o);
    }
    return flags;
}

static json_t *
relays_make(const struct page_relay *r, size_t n, struct json_writer *w)
{
    static const char *const role[] = {"?", "gateway", "mix", "store"};
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++, r++) {
        json_t *o = json_object();
        identity_put(w, o, r->identity);
        json_member_put(w, o, "role", json_string(role[r->role & 3]));
        json_member_put(w, o, "address", json_string(r->address));
        number_put(w, o, "bandwidth", r->bandwidth);
        json_member_put(w, o, "layer", json_integer(r->layer));
        json_member_put(w, o, "flags", flags_make(r, w));
        w->bad |= json_array_append_new(list, o);
    }
    return list;
}

static json_t *
layers_make(const struct consensus *c, struct json_writer *w)
{
    json_t *list = json_array();
    for (unsigned layer = 0; c && layer < consensus_layers(c); layer++) {
        size_t n;
        consensus_layer(c, layer, &n);
        w->bad |= json_array_append_new(list, json_integer((json_int_t)n));
    }
    return list;
}

int
page_json(const struct page_input *in, char **out, size_t *len)
{
    const struct schedule s = {in->network->genesis_s, in->network->epoch_len_s,
                               in->network->n_authorities};
    const struct consensus *c = authority_newest(in->authority);
    struct page_relay *relays;
    struct authority_status st;
    struct json_writer writer = {0}, *w = &writer;
    size_t n;
    *out = NULL;
    int err = page_relays(in, &relays, &n);
    if (err)
        return err;
    authority_status(in->authority, &st);
    json_t *root = json_object();
    json_member_put(w, root, "network", json_string(in->network->name));
    identity_put(w, root, authority_identity(in->authority));
    number_put(w, root, "epoch", c ? c->epoch : 0);
    number_put(w, root, "valid_after_s", c ? c->valid_after_s : 0);
    number_put(w, root, "epoch_len_s", in->network->epoch_len_s);
    number_put(w, root, "preparing", st.target);
    number_put(w, root, "begins_s", schedule_valid_s(&s, st.target));
    json_member_put(w, root, "authorities", authorities_make(&st, w));
    number_put(w, root, "relays_left_out", c ? c->n_left_out : 0);
    number_put(w, root, "links_cut", c ? c->n_cut : 0);
    json_member_put(w, root, "relays_by_layer", layers_make(c, w));
    json_member_put(w, root, "relays", relays_make(relays, n, w));
    free(relays);
    return json_body_dump(root, w->bad, out, len);
}
