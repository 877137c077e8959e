/* network/json_diff.c - diffs of consensuses: making and applying them.
 *
 * Relays are sorted by identity in every consensus, so that one walk over two
 * of them tells which relays are gone, new or changed, and another walk puts
 * changed entries in their places. No state, no timers. Failure modes: a diff
 * that starts from another consensus (ERR_CONFLICT), one that contradicts
 * itself or names what is not there, no memory. A wrong diff can cost no more
 * than the reading of two consensuses: the result is written as a document, and
 * judged like any other. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "network/diff.h"
#include "network/json_internal.h"

/* Tell whether two entries of one relay differ in nothing but the packet key.
 */
static bool
entries_agree(const struct relay_entry *a, const struct relay_entry *b)
{
    bool agree = a->role == b->role && a->layer == b->layer &&
                 a->n_addresses == b->n_addresses &&
                 a->protocol_min == b->protocol_min &&
                 a->protocol_max == b->protocol_max &&
                 a->bandwidth == b->bandwidth && a->since == b->since &&
                 a->counts == b->counts &&
                 memcmp(a->family, b->family, FAMILY_LEN) == 0 &&
                 memcmp(a->placement, b->placement, PLACEMENT_LEN) == 0;
    for (uint8_t i = 0; i < a->n_addresses && agree; i++)
        agree = strcmp(a->addresses[i], b->addresses[i]) == 0;
    return agree;
}

/* ---- making ---- */

/* Compare the relays of two consensuses in one walk: both are sorted by
 * identity. */
static void
relays_compare(const struct consensus *from, const struct consensus *to,
               json_t *gone, json_t *keys, json_t *changed,
               struct json_writer *w)
{
    size_t i = 0, k = 0;
    while (i < from->n_relays || k < to->n_relays) {
        const struct relay_entry *a = &from->relays[i], *b = &to->relays[k];
        int order = i == from->n_relays ? 1
                    : k == to->n_relays
                        ? -1
                        : memcmp(a->identity, b->identity, SPHINX_ID_LEN);
        if (order < 0) {
            w->bad |= json_array_append_new(gone, json_integer((json_int_t)i));
        } else if (order > 0 || !entries_agree(a, b)) {
            w->bad |= json_array_append_new(
                changed, json_table_make(w, &json_entry_table, b));
        }
        if (order == 0)
            w->bad |= json_array_append_new(
                keys, json_hex_make(b->sphinx_key, w->key_len));
        i += order <= 0;
        k += order >= 0;
    }
}

int
diff_make(const struct consensus *from, const struct consensus *to,
          const uint8_t *document, size_t document_len, uint8_t **out,
          size_t *len)
{
    json_t *root = json_object(), *gone = json_array(), *keys = json_array();
    json_t *changed = json_array();
    struct document *d = malloc(sizeof *d);
    struct consensus head = *to;
    char *body = NULL;
    struct json_writer w = {.bad = !d,
                            .key_len = to->params.geometry.public_len};
    *out = NULL;
    relays_compare(from, to, gone, keys, changed, &w);
    head.n_relays = 0;
    json_member_put(&w, root, "base",
                    json_hex_make(from->digest, SPHINX_DIGEST_LEN));
    json_member_put(&w, root, "gone", gone);
    json_member_put(&w, root, "keys", keys);
    json_member_put(&w, root, "changed", changed);
    json_member_put(&w, root, "consensus",
                    json_table_make(&w, &json_consensus_table, &head));
    size_t body_len = 0;
    int err = json_body_dump(root, w.bad, &body, &body_len);
    if (!err)
        err = document_parse(d, DOCUMENT_CONSENSUS, document, document_len);
    if (!err) {
        assert(d); /* without it the body was bad */
        d->kind = DOCUMENT_DIFF;
        d->body = (const uint8_t *)body;
        d->body_len = body_len;
        err = document_write(d, out, len);
    }
    free(body);
    free(d);
    return err;
}

/* ---- applying ---- */

/* Keep the relays of the base that stay, with their new keys. */
static void
base_keep(struct json_reader *r, const struct consensus *from,
          const json_t *root, struct consensus *c)
{
    const json_t *gone = json_list_get(r, root, "gone", 0, from->n_relays);
    const json_t *keys =
        r->err ? NULL : json_list_get(r, root, "keys", 0, RELAYS_MAX);
    size_t g = 0, n = 0;
    assert(c->relays);
    for (size_t i = 0; i < from->n_relays && !r->err; i++) {
        const json_t *next = json_array_get(gone, g);
        if (next && !json_is_integer(next))
            json_reader_fail(r, ERR_FORMAT, "gone");
        else if (next && json_integer_value(next) == (json_int_t)i) {
            g++;
            continue;
        }
        struct relay_entry *e = &c->relays[c->n_relays++];
        *e = from->relays[i];
        memset(e->sphinx_key, 0, sizeof e->sphinx_key);
        json_hex_read(r, json_array_get(keys, n++), "keys", e->sphinx_key,
                      c->params.geometry.public_len);
    }
    if (!r->err && (g != json_array_size(gone) || n != json_array_size(keys)))
        json_reader_fail(r, ERR_RANGE, "gone");
}

static int
entry_order(const void *a, const void *b)
{
    return memcmp(((const struct relay_entry *)a)->identity,
                  ((const struct relay_entry *)b)->identity, SPHINX_ID_LEN);
}

/* Put each of the n changed entries in its place, over the entry of the same
 * relay if there is one. Both lists are sorted, so one walk is enough, and a
 * long diff makes nobody move a list again and again. */
static int
entries_merge(struct consensus *c, const struct relay_entry *changed, size_t n)
{
    size_t i = 0, k = 0, made = 0;
    struct relay_entry *both = calloc(c->n_relays + n + 1, sizeof *both);
    if (!both)
        return ERR_NOMEM;
    while (i < c->n_relays || k < n) {
        const int order = i == c->n_relays ? 1
                          : k == n         ? -1
                                   : entry_order(&c->relays[i], &changed[k]);
        both[made++] = order < 0 ? c->relays[i] : changed[k];
        i += order <= 0;
        k += order >= 0;
    }
    free(c->relays);
    c->relays = both;
    c->n_relays = made;
    return 0;
}

/* The changed entries of a diff. */
struct changes {
    struct relay_entry *relays; /* owned; sorted by identity */
    size_t n;
};
static const struct json_field changed_field = {"changed",
                                                JSON_ROWS,
                                                JSON_OF(changes, relays, n),
                                                .max = RELAYS_MAX,
                                                .element = JSON_TABLE,
                                                .of = &json_entry_table,
                                                .sorted = "changed"};

static void
relays_apply(struct json_reader *r, const struct consensus *from,
             const json_t *root, struct consensus *c)
{
    struct changes changed = {0};
    if (c->n_relays > 0)
        json_reader_fail(r, ERR_RANGE, "relays");
    free(c->relays);
    c->relays = calloc(from->n_relays + 1, sizeof *c->relays);
    if (!c->relays)
        json_reader_fail(r, ERR_NOMEM, "relays");
    if (!r->err)
        base_keep(r, from, root, c);
    json_list_read(r, &changed_field, root, &changed);
    int err = r->err ? 0 : entries_merge(c, changed.relays, changed.n);
    if (err)
        json_reader_fail(r, err, "changed");
    free(changed.relays);
}

static int
body_apply(const struct consensus *from, const struct document *d, char **out,
           size_t *len)
{
    struct json_reader r = {0};
    struct consensus *c = calloc(1, sizeof *c);
    uint8_t base[SPHINX_DIGEST_LEN];
    if (!c)
        return ERR_NOMEM;
    json_t *root = json_body_load(&r, d->body, d->body_len);
    if (root)
        json_hex_read(&r, json_object_get(root, "base"), "base", base,
                      sizeof base);
    if (!r.err && memcmp(base, from->digest, sizeof base) != 0)
        json_reader_fail(&r, ERR_CONFLICT, "base");
    if (!r.err)
        json_table_read(&r, &json_consensus_table,
                        json_object_get(root, "consensus"), c);
    if (!r.err)
        relays_apply(&r, from, root, c);
    if (!r.err && json_object_size(root) != 5)
        json_reader_fail(&r, ERR_UNKNOWN, "diff");
    json_canonical_check(&r, root, d->body, d->body_len);
    json_decref(root);
    int err = r.err;
    if (!err)
        err = json_write_consensus(c, out, len);
    consensus_free(&c);
    return err;
}

int
diff_apply(const struct consensus *from, const uint8_t *diff, size_t len,
           uint8_t **out, size_t *out_len)
{
    struct document *d = malloc(sizeof *d);
    char *body = NULL;
    size_t body_len;
    *out = NULL;
    int err = d ? document_parse(d, DOCUMENT_DIFF, diff, len) : ERR_NOMEM;
    if (!err)
        err = body_apply(from, d, &body, &body_len);
    if (!err) {
        d->kind = DOCUMENT_CONSENSUS;
        d->body = (const uint8_t *)body;
        d->body_len = body_len;
        err = document_write(d, out, out_len);
    }
    free(body);
    free(d);
    return err;
}
