/* directory/daemon/json_page.c - the same for programs. */
#include <stdlib.h>
#include <string.h>

#include "directory/daemon/page.h"
#include "network/json_internal.h"
#include "network/schedule.h"

static int
number_set(json_t *o, const char *name, uint64_t v)
{
    return json_object_set_new(o, name, json_integer((json_int_t)v));
}

static json_t *
authorities_make(const struct authority_status *st, int *bad)
{
    json_t *list = json_array();
    for (size_t i = 0; i < st->n; i++) {
        json_t *o = json_object();
        *bad |= json_object_set_new(
            o, "identity", json_hex_make(st->other[i].identity, SPHINX_ID_LEN));
        *bad |= number_set(o, "seen_epoch", st->other[i].seen);
        *bad |= number_set(o, "certificate_until_s", st->other[i].until_s);
        *bad |=
            json_object_set_new(o, "voted", json_boolean(st->other[i].voted));
        *bad |= json_object_set_new(o, "signed",
                                    json_boolean(st->other[i].signed_));
        *bad |= json_object_set_new(o, "contradicts_itself",
                                    json_boolean(st->other[i].lies));
        *bad |= json_array_append_new(list, o);
    }
    return list;
}

static json_t *
flags_make(const struct page_relay *r, int *bad)
{
    json_t *flags = json_object();
    for (int i = 0; i < PAGE_FLAGS; i++) {
        json_t *o = json_object();
        *bad |= json_object_set_new(o, "has", json_boolean(r->has[i]));
        if (!r->has[i]) {
            *bad |= json_object_set_new(o, "reason", json_string(r->why[i]));
            *bad |= json_object_set_new(o, "remedy", json_string(r->remedy[i]));
        }
        *bad |= json_object_set_new(flags, page_flag_name[i], o);
    }
    return flags;
}

static json_t *
relays_make(const struct page_relay *r, size_t n, int *bad)
{
    static const char *const role[] = {"?", "gateway", "mix", "store"};
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++, r++) {
        json_t *o = json_object();
        *bad |= json_object_set_new(o, "identity",
                                    json_hex_make(r->identity, SPHINX_ID_LEN));
        *bad |= json_object_set_new(o, "role", json_string(role[r->role & 3]));
        *bad |= json_object_set_new(o, "address", json_string(r->address));
        *bad |= number_set(o, "bandwidth", r->bandwidth);
        *bad |= json_object_set_new(o, "layer", json_integer(r->layer));
        *bad |= json_object_set_new(o, "flags", flags_make(r, bad));
        *bad |= json_array_append_new(list, o);
    }
    return list;
}

static json_t *
layers_make(const struct consensus *c, int *bad)
{
    json_t *list = json_array();
    for (unsigned layer = 0; c && layer < consensus_layers(c); layer++) {
        size_t n;
        consensus_layer(c, layer, &n);
        *bad |= json_array_append_new(list, json_integer((json_int_t)n));
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
    size_t n;
    *out = NULL;
    int err = page_relays(in, &relays, &n);
    if (err)
        return err;
    authority_status(in->authority, &st);
    json_t *root = json_object();
    int bad =
        json_object_set_new(root, "network", json_string(in->network->name));
    bad |= json_object_set_new(
        root, "identity",
        json_hex_make(authority_identity(in->authority), SPHINX_ID_LEN));
    bad |= number_set(root, "epoch", c ? c->epoch : 0);
    bad |= number_set(root, "valid_after_s", c ? c->valid_after_s : 0);
    bad |= number_set(root, "epoch_len_s", in->network->epoch_len_s);
    bad |= number_set(root, "preparing", st.target);
    bad |= number_set(root, "begins_s", schedule_valid_s(&s, st.target));
    bad |=
        json_object_set_new(root, "authorities", authorities_make(&st, &bad));
    bad |= number_set(root, "relays_left_out", c ? c->n_left_out : 0);
    bad |= number_set(root, "links_cut", c ? c->n_cut : 0);
    bad |= json_object_set_new(root, "relays_by_layer", layers_make(c, &bad));
    bad |= json_object_set_new(root, "relays", relays_make(relays, n, &bad));
    free(relays);
    return json_body_dump(root, bad, out, len);
}
