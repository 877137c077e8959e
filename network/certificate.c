/* network/certificate.c - signing, checking and ordering certificates. No
 * state. */
#include "network/certificate.h"

#include <sodium.h>
#include <string.h>

#include "lib/codec.h"

static const char label[] = "brusio/1 certificate\n";
enum { LABEL_LEN = sizeof label - 1, SIGNED_LEN = LABEL_LEN + 32 + 32 + 8 + 8 };

static void
signed_write(const struct certificate *c, uint8_t out[static SIGNED_LEN])
{
    memcpy(out, label, LABEL_LEN);
    out += LABEL_LEN;
    memcpy(out, c->key, 32);
    memcpy(out + 32, c->share_key, 32);
    codec_put64(out + 64, c->from_s);
    codec_put64(out + 72, c->until_s);
}

void
certificate_sign(struct certificate *c, const uint8_t identity_seed[static 32])
{
    uint8_t text[SIGNED_LEN], identity[32], secret[crypto_sign_SECRETKEYBYTES];
    signed_write(c, text);
    crypto_sign_seed_keypair(identity, secret, identity_seed);
    crypto_sign_detached(c->signature, NULL, text, sizeof text, secret);
    sodium_memzero(secret, sizeof secret);
}

int
certificate_check(const struct certificate *c,
                  const uint8_t identity[static CERTIFICATE_ID_LEN])
{
    uint8_t text[SIGNED_LEN];
    if (c->until_s < c->from_s)
        return ERR_RANGE;
    signed_write(c, text);
    return crypto_sign_verify_detached(c->signature, text, sizeof text,
                                       identity) == 0
               ? 0
               : ERR_SIGNATURE;
}

bool
certificate_is_newer(const struct certificate *c,
                     const struct certificate *than)
{
    return c->from_s != than->from_s
               ? c->from_s > than->from_s
               : memcmp(c->key, than->key, sizeof c->key) > 0;
}

/* Return the place at which identity stands, or would stand. */
static size_t
place_find(const struct certificates *list, const uint8_t *identity)
{
    size_t at = 0;
    while (at < list->n &&
           memcmp(list->of[at].identity, identity, CERTIFICATE_ID_LEN) < 0)
        at++;
    return at;
}

static bool
is_at(const struct certificates *list, size_t at, const uint8_t *identity)
{
    return at < list->n &&
           memcmp(list->of[at].identity, identity, CERTIFICATE_ID_LEN) == 0;
}

void
certificates_note(struct certificates *list,
                  const uint8_t identity[static CERTIFICATE_ID_LEN],
                  const struct certificate *c, uint64_t now_s)
{
    const size_t at = place_find(list, identity);
    struct certified *k = &list->of[at];
    if (c->from_s > now_s)
        return;
    if (is_at(list, at, identity)) {
        if (certificate_is_newer(c, &k->cert) || k->cert.from_s > now_s)
            k->cert = *c;
        return;
    }
    if (list->n == CERTIFICATES_MAX)
        return; /* so many authorities there are at most */
    memmove(k + 1, k, (list->n++ - at) * sizeof *k);
    memcpy(k->identity, identity, sizeof k->identity);
    k->cert = *c;
}

static bool
is_among(const uint8_t *identity, const uint8_t (*of)[CERTIFICATE_ID_LEN],
         size_t n)
{
    size_t i = 0;
    while (i < n && memcmp(of[i], identity, CERTIFICATE_ID_LEN) != 0)
        i++;
    return i < n;
}

void
certificates_merge(struct certificates *list, const struct certificates *from,
                   const uint8_t (*of)[CERTIFICATE_ID_LEN], size_t n,
                   uint64_t now_s)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->n; i++)
        if (is_among(list->of[i].identity, of, n))
            list->of[kept++] = list->of[i];
    list->n = kept;
    for (size_t i = 0; i < from->n; i++) {
        const struct certified *k = &from->of[i];
        const struct certificate *known = certificates_find(list, k->identity);
        if (is_among(k->identity, of, n) &&
            !(known && memcmp(known, &k->cert, sizeof *known) == 0) &&
            certificate_check(&k->cert, k->identity) == 0)
            certificates_note(list, k->identity, &k->cert, now_s);
    }
}

const struct certificate *
certificates_find(const struct certificates *list,
                  const uint8_t identity[static CERTIFICATE_ID_LEN])
{
    const size_t at = place_find(list, identity);
    return is_at(list, at, identity) ? &list->of[at].cert : NULL;
}

bool
certificates_revoke(const struct certificates *list,
                    const uint8_t identity[static CERTIFICATE_ID_LEN],
                    const struct certificate *c, uint64_t at_s)
{
    const struct certificate *known = certificates_find(list, identity);
    return known && known->from_s <= at_s && certificate_is_newer(known, c) &&
           memcmp(known->key, c->key, sizeof c->key) != 0;
}
