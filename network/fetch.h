/* network/fetch.h - a document that comes in pieces.
 *
 * Whoever sends the pieces is not believed: a complete document is only bytes,
 * for network/document.h to judge. Memory is bounded by DOCUMENT_BODY_MAX
 * and taken once a document. */
#ifndef NETWORK_FETCH_H
#define NETWORK_FETCH_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/wire.h"

/* Of a document when it is unpacked, signatures included. */
enum { FETCH_DOCUMENT_MAX = (16 << 20) + 65536 };

/* Zeroed memory is an empty one. */
struct fetch {
    uint32_t epoch; /* being gathered; 0 none */
    uint16_t count, have;
    size_t room; /* octets of every piece but the last */
    size_t len;  /* known once the last piece is there */
    uint8_t *bytes, *seen;
};

/* Take a piece of a document for an epoch after `known`. packet_len: of the
 * frame it came in. Returns 0 (more to come), 1 (bytes and len are complete:
 * judge them, then fetch_reset), ERR_STALE, ERR_CONFLICT (other count than
 * before), ERR_RANGE, ERR_NOMEM. */
int fetch_piece(struct fetch *f, uint32_t known, size_t packet_len,
                const struct wire_piece *piece) CHECK_RESULT;

/* Forget what was gathered. */
void fetch_reset(struct fetch *f);
#endif
