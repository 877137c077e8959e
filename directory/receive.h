/* directory/receive.h - judging a consensus that came from anywhere. */
#ifndef DIRECTORY_RECEIVE_H
#define DIRECTORY_RECEIVE_H
#include "directory/consensus.h"
#include "directory/document.h"

/* Verify (more than two thirds of the n authorities), read, and judge: of this
 * network, newer than epoch `known`, not expired at now_s, and not further
 * ahead than two epochs. Returns 0, what document_open() and the reader say,
 * ERR_FOREIGN, ERR_STALE, ERR_EXPIRED, ERR_FUTURE. */
int receive_consensus(struct consensus **out, const uint8_t *bytes, size_t len,
                      const char *network,
                      const uint8_t (*authorities)[DOCUMENT_ID_LEN], size_t n,
                      uint32_t known, uint64_t now_s) CHECK_RESULT;
#endif
