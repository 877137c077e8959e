/* sphinx/sealed.c - the symmetric part, the same for every suite with
 * cryptography: key derivation, keystream, MAC, payload. The formulas are in
 * sphinx.h. State: none but the caller's cipher objects. */
#include <sodium.h>
#include <string.h>

#include "sphinx/suite.h"

enum { LABEL_LEN = 20, CONTEXT_LEN = SPHINX_KEY_LEN };
static const char hop_label[LABEL_LEN + 1] = "brusio/1 hop context";
static const char seed_label[LABEL_LEN + 1] = "brusio/1 sender seed";

void
sealed_context(const struct suite *s, uint8_t *ctx, const uint8_t *digest,
               const uint8_t *identity, const uint8_t *public_key)
{
    uint8_t in[LABEL_LEN + 1 + SPHINX_DIGEST_LEN + SPHINX_ID_LEN +
               SPHINX_PUBLIC_MAX];
    uint8_t *p = in;
    memcpy(p, hop_label, LABEL_LEN);
    p += LABEL_LEN;
    *p++ = s->id;
    memcpy(p, digest, SPHINX_DIGEST_LEN);
    p += SPHINX_DIGEST_LEN;
    memcpy(p, identity, SPHINX_ID_LEN);
    p += SPHINX_ID_LEN;
    memcpy(p, public_key, s->public_len);
    p += s->public_len;
    crypto_generichash(ctx, CONTEXT_LEN, in, (size_t)(p - in), NULL, 0);
}

/* ChaCha20 under BLAKE2b(key = seed, text | label), so that one seed gives
 * independent streams. */
void
sealed_expand(const uint8_t *seed, uint8_t label, uint8_t *out, size_t len)
{
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
    uint8_t key[crypto_stream_chacha20_KEYBYTES];
    uint8_t in[LABEL_LEN + 1];
    memcpy(in, seed_label, LABEL_LEN);
    in[LABEL_LEN] = label;
    crypto_generichash(key, sizeof key, in, sizeof in, seed, SPHINX_SEED_LEN);
    crypto_stream_chacha20(out, len, nonce, key);
    sodium_memzero(key, sizeof key);
}

int
sealed_hop_keys(const struct suite *s, struct cipher *c, const uint8_t *secret,
                const uint8_t *ctx, const uint8_t *element,
                struct suite_keys *keys)
{
    uint8_t in[CONTEXT_LEN + SPHINX_ELEMENT_MAX];
    uint8_t okm[2 * SPHINX_KEY_LEN];
    uint8_t first[CIPHER_BLOCK_LEN] = {0};
    memcpy(in, ctx, CONTEXT_LEN);
    memcpy(in + CONTEXT_LEN, element, s->element_len);
    crypto_generichash(okm, sizeof okm, in,
                       (size_t)CONTEXT_LEN + s->element_len, secret,
                       SPHINX_KEY_LEN);
    memcpy(keys->header, okm, SPHINX_KEY_LEN);
    memcpy(keys->payload, okm + SPHINX_KEY_LEN, SPHINX_KEY_LEN);
    sodium_memzero(okm, sizeof okm);
    int err = cipher_stream_start(c, keys->header);
    if (!err)
        err = cipher_stream_xor(c, first, sizeof first);
    memcpy(keys->mac, first, SPHINX_KEY_LEN);
    memcpy(keys->replay_tag, first + SPHINX_KEY_LEN, SPHINX_REPLAY_TAG_LEN);
    sodium_memzero(first, sizeof first);
    return err;
}

int
sealed_mac(struct cipher *c, const uint8_t *key, const uint8_t *in, size_t len,
           uint8_t *out)
{
    return cipher_poly1305(c, key, in, len, out);
}

int
sealed_payload(struct cipher *c, const uint8_t *key, uint8_t *buf, size_t len,
               bool encrypt)
{
    return cipher_hpolyc(c, key, NULL, 0, buf, len, encrypt);
}
