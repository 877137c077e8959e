/* directory/shelf.h - published consensuses, ready to be served.
 *
 *   /v1/consensus           the newest, as it is
 *   /v1/consensus.z         compressed (lib/pack.h)
 *   /v1/diff/DIGEST.z       from the one with this digest to the newest, too
 *
 * Diffs lead from each of the SHELF_KEPT before; each is made when it is first
 * asked for. */
#ifndef DIRECTORY_SHELF_H
#define DIRECTORY_SHELF_H
#include "network/consensus.h"

enum { SHELF_KEPT = 3, SHELF_ETAG_LEN = 67 };

struct shelf {
    struct consensus *newest, *before[SHELF_KEPT];
    uint8_t *document, *packed, *diff[SHELF_KEPT];
    size_t document_len, packed_len, diff_len[SHELF_KEPT];
    char etag[SHELF_ETAG_LEN]; /* the newest's digest, in quotes */
};

/* A consensus was published; its document is known to be good. Returns 0, or
 * an error, and then it is as it was. */
int shelf_put(struct shelf *s, const uint8_t *document,
              size_t len) CHECK_RESULT;
/* What stands at a path, NULL when nothing does. *current: it would be a diff
 * from the newest to itself. */
const uint8_t *shelf_find(struct shelf *s, const char *path, size_t *len,
                          bool *current);
void shelf_clear(struct shelf *s);
#endif
