/* network/receive.h - judging a consensus that came from anywhere. */
#ifndef NETWORK_RECEIVE_H
#define NETWORK_RECEIVE_H
#include "network/consensus.h"
#include "network/document.h"

/* What is known of the network beforehand. Pointers stay the caller's. */
struct receive_rules {
    const char *network;
    const struct sphinx_geometry *geometry; /* of its packets; NULL: any */
    const uint8_t (*authorities)[DOCUMENT_ID_LEN];
    size_t n_authorities;
    /* The newest certificates that were seen. What they revoke does not count;
     * the certificates of a consensus that counts are noted, also when that
     * consensus has expired. NULL: nothing was ever seen. */
    struct certificates *seen;
};

/* Verify a consensus of len bytes (more than two thirds of the authorities
 * signed), read it into *out, which the caller owns, and judge it by rules: it
 * is of this network and has packets of this network, is newer than epoch
 * `known`, has not expired at now_s, and is not further ahead than two epochs.
 * Returns 0, what document_open() and the reader say, ERR_FOREIGN, ERR_STALE,
 * ERR_EXPIRED, ERR_FUTURE. */
int receive_consensus(struct consensus **out, const struct receive_rules *rules,
                      const uint8_t *bytes, size_t len, uint32_t known,
                      uint64_t now_s) CHECK_RESULT;
#endif
