/* network/descriptor.h - a relay's signed word about itself. */
#ifndef NETWORK_DESCRIPTOR_H
#define NETWORK_DESCRIPTOR_H
#include <stddef.h>
#include <stdint.h>

#include "network/document.h"
#include "network/json.h"

enum { DESCRIPTOR_LEN_MAX = 16384 };

/* Write d as a document, signed with the Ed25519 seed of d->relay.identity;
 * packet keys have public_len bytes. *out is malloc'd and the caller's. Returns
 * 0 or ERR_NOMEM. */
int descriptor_sign(const struct descriptor *d, size_t public_len,
                    const uint8_t seed[static DOCUMENT_SIGN_SEED_LEN],
                    uint8_t **out, size_t *len) CHECK_RESULT;

/* Verify a descriptor of len bytes and read it into *d: it is signed by exactly
 * the relay that it speaks of, and has packet keys of geometry g. `where` is as
 * in json_read_descriptor(). Returns what document_open() and the reader
 * return, ERR_PEER when somebody else signed it, ERR_LONG, and ERR_POINT for a
 * packet key that no relay may have: clients could not build requests to that
 * relay, and would show that they wanted to. */
int descriptor_open(struct descriptor *d, const struct sphinx_geometry *g,
                    const uint8_t *bytes, size_t len,
                    char where[static JSON_WHERE_LEN]) CHECK_RESULT;

/* Read into *d a descriptor that descriptor_open() has taken before; nothing is
 * verified. Returns what the reader returns. */
int descriptor_reopen(struct descriptor *d, const struct sphinx_geometry *g,
                      const uint8_t *bytes, size_t len) CHECK_RESULT;
#endif
