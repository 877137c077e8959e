/* network/descriptor.c - signing and opening descriptors. No state. */
#include "network/descriptor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network/family.h"

int
descriptor_sign(const struct descriptor *d, size_t public_len,
                const uint8_t seed[static DOCUMENT_SIGN_SEED_LEN],
                uint8_t **out, size_t *len)
{
    struct document *doc = calloc(1, sizeof *doc);
    struct document_key key;
    char *body = NULL;
    *out = NULL;
    if (!doc)
        return ERR_NOMEM;
    int err = json_write_descriptor(d, public_len, &body, &doc->body_len);
    if (!err) {
        doc->kind = DOCUMENT_DESCRIPTOR;
        doc->body = (const uint8_t *)body;
        document_key_direct(&key, seed);
        err = document_sign(doc, &key);
    }
    if (!err)
        err = document_write(doc, out, len);
    free(body);
    free(doc);
    return err;
}

static int
keys_check(const struct descriptor *d, const struct sphinx_geometry *g,
           char where[static JSON_WHERE_LEN])
{
    int err = 0;
    for (unsigned i = 0; i < d->n_keys && !err; i++) {
        err = sphinx_public_check(g, d->keys[i]);
        if (err)
            snprintf(where, JSON_WHERE_LEN, "sphinx_keys.%u", i);
    }
    return err;
}

/* Take the envelope apart. Sets *signer. */
static int
envelope_parse(struct document *doc, const uint8_t *bytes, size_t len,
               uint8_t signer[static DOCUMENT_ID_LEN])
{
    int err = len > DESCRIPTOR_LEN_MAX
                  ? ERR_LONG
                  : document_parse(doc, DOCUMENT_DESCRIPTOR, bytes, len);
    if (!err && doc->n_signers != 1)
        err = ERR_THRESHOLD;
    if (!err && doc->sig[0].certified)
        err = ERR_SIGNATURE; /* relays sign themselves */
    if (!err)
        memcpy(signer, doc->sig[0].signer, DOCUMENT_ID_LEN);
    return err;
}

int
descriptor_open(struct descriptor *d, const struct sphinx_geometry *g,
                const uint8_t *bytes, size_t len,
                char where[static JSON_WHERE_LEN])
{
    struct document *doc = malloc(sizeof *doc);
    uint8_t signer[1][DOCUMENT_ID_LEN];
    where[0] = 0;
    if (!doc)
        return ERR_NOMEM;
    int err = envelope_parse(doc, bytes, len, signer[0]);
    if (!err)
        err = document_open(doc, DOCUMENT_DESCRIPTOR, bytes, len,
                            (const uint8_t(*)[DOCUMENT_ID_LEN])signer, 1, 1);
    if (!err)
        err = json_read_descriptor(d, g->public_len, doc->body, doc->body_len,
                                   where);
    if (!err && memcmp(d->relay.identity, signer[0], DOCUMENT_ID_LEN) != 0)
        err = ERR_PEER;
    if (!err && family_check(d->relay.family, d->relay.identity,
                             d->family_signature) != 0) {
        snprintf(where, JSON_WHERE_LEN, "family_signature");
        err = ERR_SIGNATURE;
    }
    if (!err)
        err = keys_check(d, g, where);
    free(doc);
    return err;
}

int
descriptor_reopen(struct descriptor *d, const struct sphinx_geometry *g,
                  const uint8_t *bytes, size_t len)
{
    char where[JSON_WHERE_LEN];
    struct document *doc = malloc(sizeof *doc);
    uint8_t signer[DOCUMENT_ID_LEN];
    if (!doc)
        return ERR_NOMEM;
    int err = envelope_parse(doc, bytes, len, signer);
    if (!err)
        err = json_reread_descriptor(d, g->public_len, doc->body, doc->body_len,
                                     where);
    free(doc);
    return err;
}
