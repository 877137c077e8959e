/* network/descriptor.h - a relay's signed word about itself. */
#ifndef NETWORK_DESCRIPTOR_H
#define NETWORK_DESCRIPTOR_H
#include <stddef.h>
#include <stdint.h>

#include "network/document.h"
#include "network/json.h"

enum { DESCRIPTOR_LEN_MAX = 16384 };

/* Sign d with the Ed25519 seed of d->relay.identity. *out is malloc'd. */
int descriptor_sign(const struct descriptor *d, size_t public_len,
                    const uint8_t seed[static DOCUMENT_SIGN_SEED_LEN],
                    uint8_t **out, size_t *len) CHECK_RESULT;

/* Verify and read one: signed by exactly the relay it speaks of, with packet
 * keys of geometry g. `where` as in json_read_descriptor(). Returns what
 * document_open() and the reader return, ERR_PEER when somebody else signed it,
 * ERR_LONG, and ERR_POINT for a packet key that no relay may have: requests to
 * it could not be built, and clients would show that they wanted to. */
int descriptor_open(struct descriptor *d, const struct sphinx_geometry *g,
                    const uint8_t *bytes, size_t len,
                    char where[static JSON_WHERE_LEN]) CHECK_RESULT;

/* Read again what descriptor_open() has taken before: nothing of it is verified.
 * Returns as that. */
int descriptor_reopen(struct descriptor *d, const struct sphinx_geometry *g,
                      const uint8_t *bytes, size_t len) CHECK_RESULT;
#endif
