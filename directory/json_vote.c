/* directory/json_vote.c - what authorities tell each other, as canonical JSON:
 * the writers and readers of vote.h, and checking a vote's dealing.
 *
 * Tables of fields (lib/json_table.h) say what stands in an object. A reader
 * takes nothing but the very bytes that the writer would write.
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
#include "network/json_internal.h"

#define EPOCH(s) F_INT(s, epoch, 1, UINT32_MAX - 16)

/* ---- bodies that are one table ---- */

static const struct json_field hello_fields[] = {F_WORD(hello, network),
                                                 EPOCH(hello)};
static const struct json_table hello_table = {JSON_FIELDS(hello_fields)};

int
json_write_hello(const struct hello *h, char **out, size_t *len)
{
    return json_body_write(&hello_table, h, 0, out, len);
}

int
json_read_hello(struct hello *h, const uint8_t *body, size_t len,
                char where[static JSON_WHERE_LEN])
{
    *h = (struct hello){0};
    return json_body_read(&hello_table, h, 0, body, len, true, where);
}

static const struct json_field claim_fields[] = {
    F_WORD(claim, network), EPOCH(claim), F_HEX(claim, author),
    F_HEX(claim, digest), F_INT(claim, len, 1, VOTE_LEN_MAX)};
static const struct json_table claim_table = {JSON_FIELDS(claim_fields)};

int
json_write_claim(const struct claim *c, char **out, size_t *len)
{
    return json_body_write(&claim_table, c, 0, out, len);
}

int
json_read_claim(struct claim *c, const uint8_t *body, size_t len,
                char where[static JSON_WHERE_LEN])
{
    *c = (struct claim){0};
    return json_body_read(&claim_table, c, 0, body, len, true, where);
}

static const struct json_field signature_fields[] = {
    F_WORD(signature_note, network), EPOCH(signature_note),
    F_HEX(signature_note, hash)};
static const struct json_table signature_table = {
    JSON_FIELDS(signature_fields)};

int
json_write_signature(const struct signature_note *s, char **out, size_t *len)
{
    return json_body_write(&signature_table, s, 0, out, len);
}

int
json_read_signature(struct signature_note *s, const uint8_t *body, size_t len,
                    char where[static JSON_WHERE_LEN])
{
    *s = (struct signature_note){0};
    return json_body_read(&signature_table, s, 0, body, len, true, where);
}

static const struct json_field opened_fields[] = {
    F_HEX(share_opened, point), F_HEX(share_opened, challenge),
    F_HEX(share_opened, response)};
static const struct json_table opened_table = {JSON_FIELDS(opened_fields)};

static const struct json_field entry_fields[] = {F_HEX(shares_entry, dealer),
                                                 {"opened", JSON_MEMBERS,
                                                  JSON_AT(shares_entry, opened),
                                                  .of = &opened_table}};
static const struct json_table entry_table = {JSON_FIELDS(entry_fields)};

static const struct json_field shares_fields[] = {
    F_WORD(shares, network),
    EPOCH(shares),
    {"shares", JSON_LIST, JSON_OF(shares, entry, n), .max = SHARE_MAX,
     .element = JSON_TABLE, .of = &entry_table, .sorted = "dealer"}};
static const struct json_table shares_table = {JSON_FIELDS(shares_fields)};

int
json_write_shares(const struct shares *s, char **out, size_t *len)
{
    return json_body_write(&shares_table, s, 0, out, len);
}

int
json_read_shares(struct shares *s, const uint8_t *body, size_t len,
                 char where[static JSON_WHERE_LEN])
{
    *s = (struct shares){0};
    return json_body_read(&shares_table, s, 0, body, len, true, where);
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

/* A dealing as it is written: what a holder has stands together. */
struct dealt {
    uint8_t challenge[SHARE_LEN];
    size_t n_commitments, n_holders;
    uint8_t commitments[SHARE_MAX][SHARE_LEN];
    struct dealt_holder {
        struct vote_holder who;
        uint8_t share[SHARE_LEN], response[SHARE_LEN];
    } holders[SHARE_MAX];
};

static const struct json_field holder_fields[] = {
    {"identity", JSON_HEX, JSON_IN(dealt_holder, who.identity)},
    F_HEX(dealt_holder, share),
    F_HEX(dealt_holder, response),
    {"certificate", JSON_MEMBERS, JSON_AT(dealt_holder, who.cert),
     .of = &json_certificate_table}};
static const struct json_table holder_table = {JSON_FIELDS(holder_fields)};

static void
dealt_check(struct json_reader *r, const void *in)
{
    const struct dealt *d = in;
    if ((d->n_commitments == 0) != (d->n_holders == 0) ||
        d->n_commitments > d->n_holders)
        json_reader_fail(r, ERR_RANGE, "commitments");
}

static const struct json_field dealt_fields[] = {
    F_HEX(dealt, challenge),
    F_LIST(dealt, commitments, n_commitments, 0, SHARE_MAX, JSON_HEX),
    F_TABLES(dealt, holders, n_holders, 0, SHARE_MAX, holder_table, "holders")};
static const struct json_table dealt_table = {JSON_FIELDS(dealt_fields),
                                              dealt_check};

static json_t *
dealing_make(struct json_writer *w, const void *at)
{
    const struct vote *v = at;
    const struct share_dealing *d = &v->dealing;
    struct dealt t = {.n_holders = d->n,
                      .n_commitments = d->n ? d->degree + 1u : 0};
    memcpy(t.challenge, d->challenge, SHARE_LEN);
    memcpy(t.commitments, d->commitment, sizeof t.commitments);
    for (size_t k = 0; k < d->n; k++) {
        t.holders[k].who = v->holder[k];
        memcpy(t.holders[k].share, d->share[k], SHARE_LEN);
        memcpy(t.holders[k].response, d->response[k], SHARE_LEN);
    }
    return json_table_make(w, &dealt_table, &t);
}

static void
dealing_read(struct json_reader *r, const json_t *o, void *at)
{
    struct vote *v = at;
    struct share_dealing *d = &v->dealing;
    struct dealt t = {0};
    json_table_read(r, &dealt_table, o, &t);
    if (r->err)
        return;
    d->n = (uint8_t)t.n_holders;
    d->degree = (uint8_t)(t.n_commitments ? t.n_commitments - 1 : 0);
    memcpy(d->challenge, t.challenge, SHARE_LEN);
    memcpy(d->commitment, t.commitments, sizeof t.commitments);
    for (size_t k = 0; k < d->n; k++) {
        v->holder[k] = t.holders[k].who;
        memcpy(d->share[k], t.holders[k].share, SHARE_LEN);
        memcpy(d->response[k], t.holders[k].response, SHARE_LEN);
    }
}

static void
descriptors_check(struct json_reader *r, const void *in)
{
    const struct vote *v = in;
    for (size_t i = 1; i < v->n; i++)
        if (strcmp(v->descriptors[i - 1], v->descriptors[i]) >= 0)
            json_reader_fail(r, ERR_DUPLICATE, "descriptors");
}

static const struct json_field vote_fields[] = {
    F_WORD(vote, network),
    EPOCH(vote),
    F_HEX(vote, author),
    F_INT(vote, day, 0, UINT32_MAX),
    F_DAYS(vote, 0),
    F_TABLE(vote, params, json_params_table),
    {"dealing", JSON_OTHER, .read = dealing_read, .make = dealing_make},
    {"descriptors", JSON_ROWS, JSON_OF(vote, descriptors, n), .max = RELAYS_MAX,
     .element = JSON_OWNED},
    F_ROWS(vote, known, n_known, VOTE_KNOWN_MAX, json_standing_table, "known")};
static const struct json_table vote_table = {JSON_FIELDS(vote_fields),
                                             descriptors_check};

int
json_write_vote(const struct vote *v, char **out, size_t *len)
{
    return json_body_write(&vote_table, v, 0, out, len);
}

int
json_read_vote(struct vote *v, const uint8_t *body, size_t len,
               char where[static JSON_WHERE_LEN])
{
    *v = (struct vote){0};
    int err = json_body_read(&vote_table, v, 0, body, len, true, where);
    if (!err && (err = json_body_write(&json_params_table, &v->params, 0,
                                       &v->params_text, NULL)))
        snprintf(where, JSON_WHERE_LEN, "params");
    if (err)
        vote_free(v);
    return err;
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
