/* sphinx/suite.c - the suite x25519, and the list of suites.
 *
 * State: one pointer for the whole process, to the suite `null`; NULL until
 * sphinx_null_register(), which programs call before they start a thread.
 * No timers. Failure: ERR_POINT for an element of low order. */
#include "sphinx/suite.h"
#include "sphinx/x25519.h"

#include <sodium.h>
#include <string.h>

enum { LABEL_LEN = 20, CONTEXT_LEN = 32 };
static const char hop_label[LABEL_LEN + 1] = "brusio/1 hop context";
static const char seed_label[LABEL_LEN + 1] = "brusio/1 sender seed";

static int
x25519_keypair(uint8_t *public_key, const uint8_t *seed)
{
    return crypto_scalarmult_base(public_key, seed) == 0 ? 0 : ERR_CRYPTO;
}

static void
x25519_context(uint8_t *ctx, const uint8_t *digest, const uint8_t *identity,
               const uint8_t *public_key)
{
    uint8_t in[LABEL_LEN + 1 + SPHINX_DIGEST_LEN + SPHINX_ID_LEN +
               crypto_scalarmult_BYTES];
    uint8_t *p = in;
    memcpy(p, hop_label, LABEL_LEN);
    p += LABEL_LEN;
    *p++ = SPHINX_SUITE_X25519;
    memcpy(p, digest, SPHINX_DIGEST_LEN);
    p += SPHINX_DIGEST_LEN;
    memcpy(p, identity, SPHINX_ID_LEN);
    p += SPHINX_ID_LEN;
    memcpy(p, public_key, crypto_scalarmult_BYTES);
    crypto_generichash(ctx, CONTEXT_LEN, in, sizeof in, NULL, 0);
}

static void
x25519_encapsulate(struct suite_kem *jobs, size_t n)
{
    static const uint8_t base[crypto_scalarmult_BYTES] = {9};
    struct x25519_job x[2 * SPHINX_HOPS_MAX];
    for (size_t done = 0; done < n; done += SPHINX_HOPS_MAX) {
        size_t m = n - done < SPHINX_HOPS_MAX ? n - done : SPHINX_HOPS_MAX;
        for (size_t i = 0; i < m; i++) {
            const struct suite_kem *j = &jobs[done + i];
            x[2 * i] = (struct x25519_job){j->seed, base, j->element, 0};
            x[2 * i + 1] =
                (struct x25519_job){j->seed, j->public_key, j->secret, 0};
        }
        x25519_batch(x, 2 * m);
        for (size_t i = 0; i < m; i++)
            jobs[done + i].err = x[2 * i].err ? x[2 * i].err : x[2 * i + 1].err;
    }
}

/* The shared secret is zero exactly for elements of low order. */
static void
x25519_decapsulate(struct suite_kem *jobs, size_t n)
{
    struct x25519_job x[SPHINX_BATCH_MAX];
    for (size_t done = 0; done < n; done += SPHINX_BATCH_MAX) {
        size_t m = n - done < SPHINX_BATCH_MAX ? n - done : SPHINX_BATCH_MAX;
        for (size_t i = 0; i < m; i++) {
            const struct suite_kem *j = &jobs[done + i];
            x[i] = (struct x25519_job){j->seed, j->element, j->secret, 0};
        }
        x25519_batch(x, m);
        for (size_t i = 0; i < m; i++)
            jobs[done + i].err = x[i].err;
    }
}

/* ---- the symmetric part, the same for every suite with cryptography ---- */

/* ChaCha20 under BLAKE2b(key = seed, text | label), so that one seed gives
 * independent streams. */
static void
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

static int
sealed_hop_keys(struct cipher *c, const uint8_t *secret, const uint8_t *ctx,
                const uint8_t *element, size_t element_len,
                struct suite_keys *keys)
{
    uint8_t in[CONTEXT_LEN + SPHINX_ELEMENT_MAX];
    uint8_t okm[2 * SPHINX_KEY_LEN];
    uint8_t first[CIPHER_BLOCK_LEN] = {0};
    memcpy(in, ctx, CONTEXT_LEN);
    memcpy(in + CONTEXT_LEN, element, element_len);
    crypto_generichash(okm, sizeof okm, in, CONTEXT_LEN + element_len, secret,
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

static int
x25519_hop_keys(struct cipher *c, const uint8_t *secret, const uint8_t *ctx,
                const uint8_t *element, struct suite_keys *keys)
{
    return sealed_hop_keys(c, secret, ctx, element, crypto_scalarmult_BYTES,
                           keys);
}

static int
sealed_mac(struct cipher *c, const uint8_t *key, const uint8_t *in, size_t len,
           uint8_t *out)
{
    return cipher_poly1305(c, key, in, len, out);
}

static int
sealed_payload(struct cipher *c, const uint8_t *key, uint8_t *buf, size_t len,
               bool encrypt)
{
    return cipher_hpolyc(c, key, NULL, 0, buf, len, encrypt);
}

static const struct suite x25519 = {
    .id = SPHINX_SUITE_X25519,
    .element_len = crypto_scalarmult_BYTES,
    .public_len = crypto_scalarmult_BYTES,
    .keypair = x25519_keypair,
    .context = x25519_context,
    .encapsulate = x25519_encapsulate,
    .decapsulate = x25519_decapsulate,
    .expand = sealed_expand,
    .hop_keys = x25519_hop_keys,
    .stream = cipher_stream_xor,
    .mac = sealed_mac,
    .payload = sealed_payload,
};

static const struct suite *null_suite_known;

const struct suite *
suite_find(uint8_t id)
{
    if (id == SPHINX_SUITE_X25519)
        return &x25519;
    return id == SPHINX_SUITE_NULL ? null_suite_known : NULL;
}

void
suite_set_null(const struct suite *null_suite)
{
    null_suite_known = null_suite;
}
