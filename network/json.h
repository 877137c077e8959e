/* network/json.h - the bodies of documents: canonical JSON.
 *
 * Canonical: one line, sorted keys, no white space, integers only, hex in lower
 * case; what is read is written again and has to give the same bytes. Unknown,
 * missing and repeated keys, numbers out of range and lists that are too long
 * are errors. jansson is used here alone. */
#ifndef NETWORK_JSON_H
#define NETWORK_JSON_H
#include <stddef.h>
#include <stdint.h>

#include "network/consensus.h"

enum { JSON_WHERE_LEN = 64 };

/* What a relay says of the link to or from a neighbour: `sent` of its own loops
 * went over that link, and `lost` more of them got lost than by way of others.
 */
struct link_told {
    uint8_t identity[SPHINX_ID_LEN];
    uint16_t sent, lost;
};
enum { LINKS_TOLD_MAX = 32 };

/* What a relay says of itself, for the epoch `epoch` and those that follow. */
struct descriptor {
    char network[NETWORK_NAME_MAX];
    uint32_t epoch;
    struct relay_entry
        relay;      /* layer, since, counts 0; no placement, sphinx_key */
    uint8_t n_keys; /* 1..KEYS_AHEAD, of epoch, epoch + 1, .. */
    uint8_t keys[KEYS_AHEAD][SPHINX_PUBLIC_MAX];
    uint32_t alarms; /* of its own loops, since it started (relay/alarm.h) */
    uint8_t n_links;
    struct link_told links[LINKS_TOLD_MAX]; /* sorted by identity, none twice */
    uint64_t hibernates_until_s;  /* takes no part until then; 0: it does */
    uint8_t family_signature[64]; /* network/family.h; zeros: no family */
};

/* Write a body to *out, which is malloc'd and the caller's; *len is its length
 * without the final 0. Packet keys have public_len bytes. Returns 0 or
 * ERR_NOMEM. */
int json_write_consensus(const struct consensus *c, char **out,
                         size_t *len) CHECK_RESULT;
int json_write_descriptor(const struct descriptor *d, size_t public_len,
                          char **out, size_t *len) CHECK_RESULT;

/* Read body, of len bytes, into *out, which the caller owns; the index is made,
 * the digest is left for the caller to fill in. `where` names the key that was
 * wrong, for people. Returns 0, ERR_FORMAT, ERR_RANGE, ERR_MISSING,
 * ERR_UNKNOWN, ERR_DUPLICATE, ERR_LONG, ERR_SUITE or ERR_NOMEM. */
int json_read_consensus(struct consensus **out, const uint8_t *body, size_t len,
                        char where[static JSON_WHERE_LEN]) CHECK_RESULT;

/* Read body, of len bytes, into *d; packet keys have public_len bytes. `where`
 * and what is returned are as with json_read_consensus(). */
int json_read_descriptor(struct descriptor *d, size_t public_len,
                         const uint8_t *body, size_t len,
                         char where[static JSON_WHERE_LEN]) CHECK_RESULT;

/* Read a descriptor that was read before, and so is known to be canonical: to
 * see that again would take as long as reading. */
int json_reread_descriptor(struct descriptor *d, size_t public_len,
                           const uint8_t *body, size_t len,
                           char where[static JSON_WHERE_LEN]) CHECK_RESULT;

/* What a client or relay starts with. The file is for people too: white space
 * is free, and fields may stand in any order. */
struct network_authority {
    uint8_t identity[SPHINX_ID_LEN];
    char address[ADDRESS_MAX]; /* of its HTTP server */
};
struct network_gateway {
    uint8_t identity[SPHINX_ID_LEN];
    char address[ADDRESS_MAX];
};
enum { NETWORK_GATEWAYS_MAX = 16 };
struct network {
    char name[NETWORK_NAME_MAX];
    uint64_t genesis_s; /* epoch e starts at genesis + (e - 1) * length */
    uint32_t epoch_len_s;
    struct sphinx_geometry geometry; /* of every packet, for ever */
    size_t n_authorities, n_gateways;
    struct network_authority authorities[AUTHORITIES_MAX];
    struct network_gateway gateways[NETWORK_GATEWAYS_MAX];
};

/* Write n to *out, which is malloc'd and the caller's; *len is its length
 * without the final 0. Returns 0 or ERR_NOMEM. */
int json_write_network(const struct network *n, char **out,
                       size_t *len) CHECK_RESULT;

/* Read body, of len bytes, into *n. `where` and what is returned are as with
 * json_read_consensus(). */
int json_read_network(struct network *n, const uint8_t *body, size_t len,
                      char where[static JSON_WHERE_LEN]) CHECK_RESULT;
#endif
