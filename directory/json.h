/* directory/json.h - the bodies of documents: canonical JSON.
 *
 * Canonical: one line, sorted keys, no white space, integers only, hex in lower
 * case; what is read is written again and has to give the same bytes. Unknown,
 * missing and repeated keys, numbers out of range and lists that are too long
 * are errors. jansson is used here alone. */
#ifndef DIRECTORY_JSON_H
#define DIRECTORY_JSON_H
#include <stddef.h>
#include <stdint.h>

#include "directory/consensus.h"

enum { JSON_WHERE_LEN = 64 };

/* What a relay says of itself, for the epochs `epoch` and following. */
struct descriptor {
    char network[NETWORK_NAME_MAX];
    uint32_t epoch;
    struct relay_entry relay; /* layer 0, placement and sphinx_key unused */
    uint8_t n_keys;           /* 1..KEYS_AHEAD, of epoch, epoch + 1, .. */
    uint8_t keys[KEYS_AHEAD][SPHINX_PUBLIC_MAX];
};

/* Write a body; *out is malloc'd, *len without the final 0. */
int json_write_consensus(const struct consensus *c, char **out,
                         size_t *len) CHECK_RESULT;
int json_write_descriptor(const struct descriptor *d, size_t public_len,
                          char **out, size_t *len) CHECK_RESULT;

/* Read a body. `where` names the key that was wrong, for people. Returns 0,
 * ERR_FORMAT, ERR_RANGE, ERR_MISSING, ERR_UNKNOWN, ERR_DUPLICATE, ERR_LONG,
 * ERR_SUITE or ERR_NOMEM. The digest is left for the caller to fill in; the
 * index is made. */
int json_read_consensus(struct consensus **out, const uint8_t *body, size_t len,
                        char where[static JSON_WHERE_LEN]) CHECK_RESULT;
int json_read_descriptor(struct descriptor *d, size_t public_len,
                         const uint8_t *body, size_t len,
                         char where[static JSON_WHERE_LEN]) CHECK_RESULT;
#endif
