/* directory/daemon/served.h - published consensuses, ready to be served.
 *
 *   /v1/consensus           the newest, as it is
 *   /v1/consensus.z         compressed (lib/pack.h)
 *   /v1/diff/DIGEST.z       from the one with this digest to the newest, too
 *
 * Diffs lead from each of the SERVED_KEPT consensuses before; each diff is made
 * when it is first asked for. */
#ifndef DIRECTORY_DAEMON_SERVED_H
#define DIRECTORY_DAEMON_SERVED_H
#include "network/consensus.h"

enum { SERVED_KEPT = 3, SERVED_ETAG_LEN = 67 };

struct served {
    struct consensus *newest, *before[SERVED_KEPT];
    uint8_t *document, *packed, *diff[SERVED_KEPT];
    size_t document_len, packed_len, diff_len[SERVED_KEPT];
    char etag[SERVED_ETAG_LEN]; /* the newest's digest, in quotes */
};

/* Serve a published consensus, whose document of len bytes is known to be good.
 * Returns 0, or an error, and all is as it was. */
int served_put(struct served *s, const uint8_t *document,
               size_t len) CHECK_RESULT;
/* Find what stands at a path, *len bytes; NULL when nothing does. *current:
 * that would be a diff from the newest to itself. */
const uint8_t *served_find(struct served *s, const char *path, size_t *len,
                           bool *current);
void served_clear(struct served *s);
#endif
