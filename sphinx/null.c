/* sphinx/null.c - the suite without cryptography, for tests and simulator.
 *
 * Packets have the layout and the lengths of x25519; nothing in them is secret.
 * A daemon never calls sphinx_null_register(), and then the linker leaves this
 * object out. What a simulation needs is kept: elements are random, so the
 * replay tag (the element's first 16 bytes) is new for every hop and packet,
 * and the MAC depends on digest, relay and key, so a stale view still fails at
 * the first hop. A changed bit goes unnoticed.
 *
 * State: none. */
#include "sphinx/null.h"
#include "sphinx/suite.h"

#include <string.h>

enum { NULL_ELEMENT_LEN = 32 };

/* The step of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014). */
static uint64_t
splitmix_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void
null_expand(const uint8_t *seed, uint8_t label, uint8_t *out, size_t len)
{
    uint64_t state = label;
    for (size_t i = 0; i < SPHINX_SEED_LEN; i += 8) {
        uint64_t word;
        memcpy(&word, seed + i, sizeof word);
        state = splitmix_next(&state) ^ word;
    }
    for (size_t i = 0; i < len; i += 8) {
        uint64_t word = splitmix_next(&state);
        memcpy(out + i, &word, len - i < 8 ? len - i : 8);
    }
}

static int
null_keypair(uint8_t *public_key, const uint8_t *seed)
{
    memcpy(public_key, seed, NULL_ELEMENT_LEN);
    return 0;
}

static void
null_context(const struct suite *s, uint8_t *ctx, const uint8_t *digest,
             const uint8_t *identity, const uint8_t *public_key)
{
    (void)s;
    for (size_t i = 0; i < SPHINX_KEY_LEN; i++)
        ctx[i] = (uint8_t)(digest[i] ^ identity[(i + 1) % SPHINX_KEY_LEN] ^
                           public_key[(i + 2) % SPHINX_KEY_LEN]);
}

static void
null_encapsulate(struct suite_kem *jobs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        memcpy(jobs[i].element, jobs[i].seed, NULL_ELEMENT_LEN);
        memset(jobs[i].secret, 0, SPHINX_KEY_LEN);
        jobs[i].err = 0;
    }
}

static void
null_decapsulate(struct suite_kem *jobs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        memset(jobs[i].secret, 0, SPHINX_KEY_LEN);
        jobs[i].err = 0;
    }
}

static int
null_hop_keys(const struct suite *s, struct cipher *c, const uint8_t *secret,
              const uint8_t *ctx, const uint8_t *element,
              struct suite_keys *keys)
{
    (void)s;
    (void)c;
    (void)secret;
    memset(keys, 0, sizeof *keys);
    for (size_t i = 0; i < SPHINX_MAC_LEN; i++)
        keys->mac[i] = ctx[i] ^ ctx[i + SPHINX_MAC_LEN] ^ element[i];
    memcpy(keys->replay_tag, element, SPHINX_REPLAY_TAG_LEN);
    return 0;
}

static int
null_stream(struct cipher *c, uint8_t *buf, size_t len)
{
    (void)c;
    (void)buf;
    (void)len;
    return 0;
}

static int
null_mac(struct cipher *c, const uint8_t *key, const uint8_t *in, size_t len,
         uint8_t *out)
{
    (void)c;
    (void)in;
    (void)len;
    memcpy(out, key, SPHINX_MAC_LEN);
    return 0;
}

static int
null_payload(struct cipher *c, const uint8_t *key, uint8_t *buf, size_t len,
             bool encrypt)
{
    (void)c;
    (void)key;
    (void)buf;
    (void)len;
    (void)encrypt;
    return 0;
}

static const struct suite null_suite = {
    .id = SPHINX_SUITE_NULL,
    .element_len = NULL_ELEMENT_LEN,
    .public_len = NULL_ELEMENT_LEN,
    .keypair = null_keypair,
    .context = null_context,
    .encapsulate = null_encapsulate,
    .decapsulate = null_decapsulate,
    .expand = null_expand,
    .hop_keys = null_hop_keys,
    .stream = null_stream,
    .mac = null_mac,
    .payload = null_payload,
};

void
sphinx_null_register(void)
{
    suite_set_null(&null_suite);
}
