/* directory/json_vote.c - what authorities tell each other, as canonical JSON:
 * the writers and readers of vote.h, and checking a vote's dealing.
 *
 * Tables of fields (network/json_internal.h) say what stands in an object;
 * lists are read by hand, each with its order and its limit. A reader takes
 * nothing but the very bytes that the writer would write.
 *
 * No state, no timer. Failure modes: a body that is not canonical, has a field
 * too many or too few, or is not sorted (FORMAT and the like, `where` names the
 * field); no memory. After an error nothing is left to be freed. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory/vote.h"
#include "lib/codec.h"
#include "lib/json_text.h"
#include "network/json_internal.h"

#define EPOCH(s) F_INT(s, epoch, 1, UINT32_MAX - 16)

static const struct json_field hello_fields[] = {F_TEXT(hello, network),
                                                 EPOCH(hello)};
static const struct json_field claim_fields[] = {
    F_TEXT(claim, network), EPOCH(claim), F_HEX(claim, author),
    F_HEX(claim, digest), F_INT(claim, len, 1, VOTE_LEN_MAX)};
static const struct json_field signature_fields[] = {
    F_TEXT(signature_note, network), EPOCH(signature_note),
    F_HEX(signature_note, hash)};
static const struct json_field shares_fields[] = {F_TEXT(shares, network),
                                                  EPOCH(shares)};
static const struct json_field entry_fields[] = {F_HEX(shares_entry, dealer)};
static const struct json_field opened_fields[] = {
    F_HEX(share_opened, point), F_HEX(share_opened, challenge),
    F_HEX(share_opened, response)};

static const struct json_field vote_fields[] = {
    F_TEXT(vote, network), EPOCH(vote), F_HEX(vote, author),
    F_INT(vote, day, 0, UINT32_MAX)};
static const struct json_field holder_fields[] = {F_HEX(vote_holder, identity)};
enum { CERTIFICATE_FIELDS = 5 };
static const struct json_field dealing_fields[] = {
    F_HEX(share_dealing, challenge)};

/* ---- bodies that are one table ---- */

static int
flat_write(const struct json_field *f, size_t n, const void *in, char **out,
           size_t *len)
{
    json_t *root = json_object();
    int bad = json_object_write(root, f, n, in);
    return json_body_dump(root, bad, out, len);
}

static int
flat_read(const struct json_field *f, size_t n, void *out, const uint8_t *body,
          size_t len, char where[static JSON_WHERE_LEN])
{
    struct json_reader r = {.where = where};
    where[0] = 0;
    json_t *root = json_body_load(&r, body, len);
    if (root)
        json_object_read(&r, root, f, n, 0, out);
    json_canonical_check(&r, root, body, len);
    json_decref(root);
    return r.err;
}

int
json_write_hello(const struct hello *h, char **out, size_t *len)
{
    return flat_write(hello_fields, LEN(hello_fields), h, out, len);
}

int
json_read_hello(struct hello *h, const uint8_t *body, size_t len,
                char where[static JSON_WHERE_LEN])
{
    *h = (struct hello){0};
    return flat_read(hello_fields, LEN(hello_fields), h, body, len, where);
}

int
json_write_claim(const struct claim *c, char **out, size_t *len)
{
    return flat_write(claim_fields, LEN(claim_fields), c, out, len);
}

int
json_read_claim(struct claim *c, const uint8_t *body, size_t len,
                char where[static JSON_WHERE_LEN])
{
    *c = (struct claim){0};
    return flat_read(claim_fields, LEN(claim_fields), c, body, len, where);
}

int
json_write_signature(const struct signature_note *s, char **out, size_t *len)
{
    return flat_write(signature_fields, LEN(signature_fields), s, out, len);
}

int
json_read_signature(struct signature_note *s, const uint8_t *body, size_t len,
                    char where[static JSON_WHERE_LEN])
{
    *s = (struct signature_note){0};
    return flat_read(signature_fields, LEN(signature_fields), s, body, len,
                     where);
}

/* ---- opened shares ---- */

int
json_write_shares(const struct shares *s, char **out, size_t *len)
{
    json_t *root = json_object(), *list = json_array();
    int bad = json_object_write(root, shares_fields, LEN(shares_fields), s);
    for (size_t i = 0; i < s->n; i++) {
        const struct shares_entry *e = &s->entry[i];
        json_t *o = json_object();
        bad |= json_object_write(o, entry_fields, LEN(entry_fields), e);
        bad |=
            json_object_write(o, opened_fields, LEN(opened_fields), &e->opened);
        bad |= json_array_append_new(list, o);
    }
    bad |= json_object_set_new(root, "shares", list);
    return json_body_dump(root, bad, out, len);
}

int
json_read_shares(struct shares *s, const uint8_t *body, size_t len,
                 char where[static JSON_WHERE_LEN])
{
    struct json_reader r = {.where = where};
    *s = (struct shares){0};
    where[0] = 0;
    json_t *root = json_body_load(&r, body, len);
    if (root)
        json_object_read(&r, root, shares_fields, LEN(shares_fields), 1, s);
    const json_t *list =
        r.err ? NULL : json_list_get(&r, root, "shares", 0, SHARE_MAX);
    for (size_t i = 0; list && i < json_array_size(list) && !r.err; i++) {
        struct shares_entry *e = &s->entry[s->n++];
        const json_t *o = json_array_get(list, i);
        json_object_read(&r, o, entry_fields, LEN(entry_fields),
                         LEN(opened_fields), e);
        json_object_read(&r, o, opened_fields, LEN(opened_fields),
                         LEN(entry_fields), &e->opened);
        if (i > 0 && memcmp(e[-1].dealer, e->dealer, SPHINX_ID_LEN) >= 0)
            json_reader_fail(&r, ERR_DUPLICATE, "dealer");
    }
    json_canonical_check(&r, root, body, len);
    json_decref(root);
    return r.err;
}

/* ---- votes ---- */

void
vote_free(struct vote *v)
{
    for (size_t i = 0; i < v->n; i++)
        free(v->descriptors[i]);
    free(v->descriptors);
    free(v->known);
    free(v->params_text);
    *v = (struct vote){0};
}

static json_t *
dealing_make(const struct vote *v, int *bad)
{
    const struct share_dealing *d = &v->dealing;
    json_t *o = json_object(), *c = json_array(), *h = json_array();
    *bad |= json_object_write(o, dealing_fields, LEN(dealing_fields), d);
    for (size_t j = 0; d->n > 0 && j <= d->degree; j++)
        *bad |= json_array_append_new(
            c, json_hex_make(d->commitment[j], SHARE_LEN));
    for (size_t k = 0; k < d->n; k++) {
        json_t *one = json_object();
        *bad |= json_object_write(one, holder_fields, LEN(holder_fields),
                                  &v->holder[k]);
        *bad |= json_certificate_write(one, &v->holder[k].cert);
        *bad |= json_object_set_new(one, "share",
                                    json_hex_make(d->share[k], SHARE_LEN));
        *bad |= json_object_set_new(one, "response",
                                    json_hex_make(d->response[k], SHARE_LEN));
        *bad |= json_array_append_new(h, one);
    }
    *bad |= json_object_set_new(o, "commitments", c);
    *bad |= json_object_set_new(o, "holders", h);
    return o;
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
    bad |= json_object_set_new(root, "known",
                               json_standings_make(v->known, v->n_known, &bad));
    bad |= json_object_set_new(root, "days", json_days_make(&v->days, &bad));
    bad |= json_object_set_new(root, "dealing", dealing_make(v, &bad));
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

static void
holder_read(struct json_reader *r, const json_t *o, struct vote *v, size_t k)
{
    struct share_dealing *d = &v->dealing;
    json_object_read(r, o, holder_fields, LEN(holder_fields),
                     CERTIFICATE_FIELDS + 2, &v->holder[k]);
    json_certificate_read(r, o, LEN(holder_fields) + 2, &v->holder[k].cert);
    json_hex_read(r, json_object_get(o, "share"), "share", d->share[k],
                  SHARE_LEN);
    json_hex_read(r, json_object_get(o, "response"), "response", d->response[k],
                  SHARE_LEN);
    if (k > 0 && memcmp(v->holder[k - 1].identity, v->holder[k].identity,
                        SPHINX_ID_LEN) >= 0)
        json_reader_fail(r, ERR_DUPLICATE, "holders");
}

static void
dealing_read(struct json_reader *r, const json_t *o, struct vote *v)
{
    struct share_dealing *d = &v->dealing;
    json_object_read(r, o, dealing_fields, LEN(dealing_fields), 2, d);
    const json_t *c =
        r->err ? NULL : json_list_get(r, o, "commitments", 0, SHARE_MAX);
    const json_t *h =
        r->err ? NULL : json_list_get(r, o, "holders", 0, SHARE_MAX);
    if (!c || !h)
        return;
    const size_t m = json_array_size(c), n = json_array_size(h);
    if ((m == 0) != (n == 0) || m > n) {
        json_reader_fail(r, ERR_RANGE, "commitments");
        return;
    }
    for (size_t j = 0; j < m; j++)
        json_hex_read(r, json_array_get(c, j), "commitments", d->commitment[j],
                      SHARE_LEN);
    for (size_t k = 0; k < n && !r->err; k++)
        holder_read(r, json_array_get(h, k), v, k);
    d->n = (uint8_t)n;
    d->degree = (uint8_t)(m ? m - 1 : 0);
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
        json_object_read(&r, root, vote_fields, LEN(vote_fields), 5, v);
    if (root)
        json_days_read(&r, root, 0, &v->days);
    const json_t *params = r.err ? NULL : json_object_get(root, "params");
    if (!r.err)
        json_params_read(&r, params, &v->params);
    if (!r.err)
        dealing_read(&r, json_object_get(root, "dealing"), v);
    const json_t *list =
        r.err ? NULL : json_list_get(&r, root, "descriptors", 0, RELAYS_MAX);
    if (list)
        descriptors_read(&r, list, v);
    json_standings_read(&r, root, "known", VOTE_KNOWN_MAX, &v->known,
                        &v->n_known);
    json_canonical_check(&r, root, body, len);
    if (!r.err && json_to_text(params, JSON_SORT_KEYS | JSON_COMPACT,
                               &v->params_text, NULL))
        json_reader_fail(&r, ERR_NOMEM, "params");
    json_decref(root);
    if (r.err)
        vote_free(v);
    return r.err;
}

/* ---- the dealing in a vote ---- */

void
vote_dealing_context(const struct vote *v,
                     uint8_t context[static SHARE_CONTEXT_LEN])
{
    static const char label[] = "brusio/1 deal";
    crypto_generichash_state h;
    uint8_t epoch[4];
    codec_put32(epoch, v->epoch);
    crypto_generichash_init(&h, NULL, 0, SHARE_CONTEXT_LEN);
    crypto_generichash_update(&h, (const uint8_t *)label, sizeof label - 1);
    crypto_generichash_update(&h, epoch, sizeof epoch);
    crypto_generichash_update(&h, v->author, sizeof v->author);
    crypto_generichash_update(&h, (const uint8_t *)v->network,
                              strlen(v->network));
    crypto_generichash_final(&h, context, SHARE_CONTEXT_LEN);
}

int
vote_dealing_check(struct vote *v, const uint8_t (*ids)[SPHINX_ID_LEN],
                   size_t n, uint64_t valid_after_s,
                   uint8_t context[static SHARE_CONTEXT_LEN])
{
    struct share_dealing *d = &v->dealing;
    const size_t faults = n ? (n - 1) / 3 : 0;
    size_t at = 0;
    vote_dealing_context(v, context);
    if (d->n == 0)
        return ERR_MISSING;
    if (d->n + faults < n || d->degree != faults)
        return ERR_THRESHOLD;
    for (size_t k = 0; k < d->n; k++, at++) {
        const struct vote_holder *h = &v->holder[k];
        while (at < n && memcmp(ids[at], h->identity, SPHINX_ID_LEN) != 0)
            at++;
        if (at == n)
            return ERR_PEER;
        int err = certificate_check(&h->cert, h->identity);
        if (err)
            return err;
        if (!certificate_covers(&h->cert, valid_after_s))
            return ERR_EXPIRED;
        d->at[k] = (uint8_t)(at + 1);
        memcpy(d->key[k], h->cert.share_key, SHARE_LEN);
    }
    return share_check(d, context);
}
