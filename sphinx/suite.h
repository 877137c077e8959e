/* sphinx/suite.h - what distinguishes one suite from another.
 *
 * Internal to sphinx. A suite is a constant table of functions. Key exchange
 * works on arrays, so that a suite can run many at once; the rest is called
 * once a hop. The symmetric part is in the table too, because the suite `null`
 * has none. */
#ifndef SPHINX_SUITE_H
#define SPHINX_SUITE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sphinx/cipher.h"
#include "sphinx/sphinx.h"

/* One key exchange. Encapsulation reads `seed` and `public_key` (the relay's)
 * and writes `element` and `secret`; decapsulation reads `seed` (the relay's),
 * `expanded` and `element` and writes `secret`. */
struct suite_kem {
    const uint8_t *seed;       /* SPHINX_SEED_LEN */
    const uint8_t *public_key; /* public_len */
    void *expanded;            /* of key_expand(), if the suite has it */
    uint8_t *element;          /* element_len */
    uint8_t *secret;           /* SPHINX_KEY_LEN */
    int err;                   /* out: 0, or ERR_POINT */
};

/* All that a hop's shared secret becomes. */
struct suite_keys {
    uint8_t header[SPHINX_KEY_LEN];
    uint8_t payload[SPHINX_KEY_LEN];
    uint8_t mac[SPHINX_KEY_LEN];
    uint8_t replay_tag[SPHINX_REPLAY_TAG_LEN];
};

struct suite {
    uint8_t id; /* enum sphinx_suite */
    uint16_t element_len;
    uint16_t public_len;
    /* Compute the public key of seed. */
    int (*keypair)(uint8_t *public_key, const uint8_t *seed);
    /* Make of a relay's seed, once for all packets, what decapsulation takes,
     * and free that; both NULL where the seed itself is used. Several threads
     * may use *expanded at once. */
    int (*key_expand)(void **expanded, const uint8_t *seed);
    void (*key_forget)(void *expanded);
    /* Compute the hop context ctx of sphinx.h, 32 bytes. */
    void (*context)(const struct suite *s, uint8_t *ctx, const uint8_t *digest,
                    const uint8_t *identity, const uint8_t *public_key);
    /* Do the key exchanges of n jobs, for a sender and for a relay. */
    void (*encapsulate)(struct suite_kem *jobs, size_t n);
    void (*decapsulate)(struct suite_kem *jobs, size_t n);
    /* Fill out with len bytes from a sender's seed; each label gives others. */
    void (*expand)(const uint8_t *seed, uint8_t label, uint8_t *out,
                   size_t len);
    /* Derive the keys and leave the keystream of c at its block 1. */
    int (*hop_keys)(const struct suite *s, struct cipher *c,
                    const uint8_t *secret, const uint8_t *ctx,
                    const uint8_t *element, struct suite_keys *keys);
    /* Combine buf with the keystream, compute a MAC, decrypt or encrypt a
     * payload. */
    int (*stream)(struct cipher *c, uint8_t *buf, size_t len);
    int (*mac)(struct cipher *c, const uint8_t *key, const uint8_t *in,
               size_t len, uint8_t *out);
    int (*payload)(struct cipher *c, const uint8_t *key, uint8_t *buf,
                   size_t len, bool encrypt);
};

/* Find the suite of this number. Returns NULL when this build lacks it. */
const struct suite *suite_find(uint8_t id);

/* Make null_suite known; for sphinx_null_register() only. */
void suite_set_null(const struct suite *null_suite);

/* suite_x25519.c */
extern const struct suite suite_x25519;

/* suite_mlkem.c; there only where a library has ML-KEM-768. */
extern const struct suite suite_mlkem;

/* Tell whether a library has ML-KEM-768. */
bool suite_mlkem_works(void);

/* sealed.c: the symmetric part of every suite but `null`. */
void sealed_context(const struct suite *s, uint8_t *ctx, const uint8_t *digest,
                    const uint8_t *identity, const uint8_t *public_key);
void sealed_expand(const uint8_t *seed, uint8_t label, uint8_t *out,
                   size_t len);
int sealed_hop_keys(const struct suite *s, struct cipher *c,
                    const uint8_t *secret, const uint8_t *ctx,
                    const uint8_t *element, struct suite_keys *keys);
int sealed_mac(struct cipher *c, const uint8_t *key, const uint8_t *in,
               size_t len, uint8_t *out);
int sealed_payload(struct cipher *c, const uint8_t *key, uint8_t *buf,
                   size_t len, bool encrypt);
#define SUITE_SEALED                                          \
    .context = sealed_context, .expand = sealed_expand,       \
    .hop_keys = sealed_hop_keys, .stream = cipher_stream_xor, \
    .mac = sealed_mac, .payload = sealed_payload
#endif
