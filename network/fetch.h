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

/* A document of which pieces have come. Zeroed memory has none. */
struct fetch {
    uint32_t epoch; /* being gathered; 0 none */
    uint16_t count, have;
    size_t room; /* bytes of every piece but the last */
    size_t len;  /* known once the last piece is there */
    uint8_t *bytes, *seen;
};

/* Take piece, of a document for an epoch after `known`, which came in a frame
 * of packet_len bytes. Returns 0 (more to come), 1 (f->bytes and f->len are
 * complete: judge them, then call fetch_reset()), ERR_STALE, ERR_CONFLICT
 * (another count than before), ERR_RANGE, ERR_NOMEM. */
int fetch_piece(struct fetch *f, uint32_t known, size_t packet_len,
                const struct wire_piece *piece) CHECK_RESULT;

/* Forget the pieces in f. */
void fetch_reset(struct fetch *f);
#endif
