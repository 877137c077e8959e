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
    /* The newest certificates that were seen: what they revoke does not count,
     * and those of a consensus that counts are noted, also when it has expired;
     * NULL: nothing was ever seen. */
    struct certificates *seen;
};

/* Verify (more than two thirds of the authorities), read, and judge: of this
 * network with its packets, newer than epoch `known`, not expired at now_s, and
 * not further ahead than two epochs. Returns 0, what document_open() and the
 * reader say, ERR_FOREIGN, ERR_STALE, ERR_EXPIRED, ERR_FUTURE. */
int receive_consensus(struct consensus **out, const struct receive_rules *rules,
                      const uint8_t *bytes, size_t len, uint32_t known,
                      uint64_t now_s) CHECK_RESULT;
#endif
