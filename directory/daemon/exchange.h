/* directory/daemon/exchange.h - the edge between authorities, over HTTP.
 *
 *   POST /v1/documents       several at once: length 4 (big-endian) | document
 *   GET  /v1/documents       all of the epoch being prepared, written alike
 *   GET  /v1/vote/DIGEST     a vote, by the hex of its digest
 *   GET  /v1/consensus       the newest one
 *
 * To each other authority one POST is under way at a time; what is to be sent
 * meanwhile waits and goes together. A POST that fails is tried again for a
 * while. A vote is asked of one authority after another until one has it. */
#ifndef DIRECTORY_DAEMON_EXCHANGE_H
#define DIRECTORY_DAEMON_EXCHANGE_H
#include "lib/os/loop.h"
#include "network/json.h"

enum { EXCHANGE_POST_MAX = 1 << 20 };

struct exchange;
struct exchange_config {
    struct loop *loop;
    const struct network *network; /* stays the caller's */
    const uint8_t *self;           /* identity */
    /* What came of asking; bytes are theirs. */
    int (*document)(void *ctx, const uint8_t *bytes, size_t len);
    void (*vote)(void *ctx, const uint8_t *bytes, size_t len);
    void (*consensus)(void *ctx, const uint8_t *bytes, size_t len);
    void *ctx;
};

/* Make an exchange by this config. Returns 0 or ERR_NOMEM. */
int exchange_new(struct exchange **out,
                 const struct exchange_config *config) CHECK_RESULT;
void exchange_free(struct exchange **x);

/* Send a document of len bytes to all other authorities. Returns 0, ERR_NOMEM,
 * or ERR_FULL when there was no room for one of them. */
int exchange_send(struct exchange *x, const uint8_t *document,
                  size_t len) CHECK_RESULT;
/* Ask for the vote with this digest, unless it is being asked for. Returns also
 * ERR_FULL. */
int exchange_want(struct exchange *x,
                  const uint8_t digest[static 32]) CHECK_RESULT;
/* Ask all for their consensus and documents. */
void exchange_ask(struct exchange *x);

/* Call each() with ctx for each of the documents written one after the other in
 * `bytes`, until each() returns an error. Returns that error, ERR_SHORT when
 * the last document is cut, ERR_LONG when there are too many. */
int exchange_each(const uint8_t *bytes, size_t len,
                  int (*each)(void *ctx, const uint8_t *bytes, size_t len),
                  void *ctx) CHECK_RESULT;
struct exchange_buffer {
    uint8_t *bytes;
    size_t len;
};
/* Append a document of len bytes to a growing buffer. */
int exchange_append(struct exchange_buffer *b, const uint8_t *document,
                    size_t len) CHECK_RESULT;
#endif
