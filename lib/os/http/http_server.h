/* lib/os/http/http_server.h - answers GET and POST with whole documents.
 *
 * A connection carries one request. Heads, bodies, memory and times are
 * bounded, and so are connections. Each connection has a seat (lib/seats.h), of
 * a class that the server's owner tells by the address; a newcomer who finds no
 * seat gets a stranger's. The memory for requests that are not whole is counted
 * for each class alone. Seats are fewer than the descriptors that the process
 * may have, by as many as the rest of the process needs. If descriptors run out
 * all the same, a stranger gives way, or nothing is accepted for a moment.
 * Nothing that tells a machine apart is sent (no Server, no Date). */
#ifndef LIB_OS_HTTP_SERVER_H
#define LIB_OS_HTTP_SERVER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/error.h"
#include "lib/os/loop.h"
#include "lib/seats.h"

enum {
    HTTP_SEATS_MAX = 512,
    HTTP_SEATS_BLOCK = 16, /* strangers of one block (/24, /48), at least */
    HTTP_SEATS_RELAY = 16, /* connections of one relay's address */
    HTTP_HEAD_S = 10,      /* a head has to be whole after */
    HTTP_REQUEST_S = 30,   /* and the request */
    HTTP_AGE_S = 120,      /* and the answer be taken */
    HTTP_IDLE_S = 10,      /* nothing was read or written for */
    HTTP_HELD_MAX =
        32 << 20 /* bytes of a class's requests that are not whole */
};

struct http_server;

/* What to answer; body may be NULL. The body is copied. */
struct http_answer {
    int status;
    const char *type; /* NULL: text/plain */
    const char *etag; /* NULL: none; who has it gets 304 and no body */
    const uint8_t *body;
    size_t len;
};

/* Fill *answer to a request for path: GET (body is NULL), or POST with len
 * bytes at body. */
typedef void (*http_handler_fn)(void *ctx, const char *path,
                                const uint8_t *body, size_t len,
                                struct http_answer *answer);

/* Tell the class of a connection from this address. */
typedef enum seats_class (*http_classify_fn)(
    void *ctx, const struct sockaddr_storage *from);

/* Listen at address and answer requests by handler(ctx); the body of a POST has
 * at most body_max bytes. The caller owns *out. Returns 0, ERR_FORMAT (the
 * address), ERR_SYSTEM (see socket_listen_why()), ERR_NOMEM. */
int http_server_new(struct http_server **out, struct loop *l,
                    const char *address, size_t body_max,
                    http_handler_fn handler, void *ctx) CHECK_RESULT;

/* Close all connections of *s, which may be NULL, free it and set it to NULL.
 */
void http_server_free(struct http_server **s);

/* Have classify, called with the handler's ctx, tell the class of each
 * connection from now on; without classify all are strangers. */
void http_server_classify(struct http_server *s, http_classify_fn classify);

struct http_counts {
    uint32_t open;
    uint64_t refused;  /* they came too often, or no descriptor */
    uint64_t starved;  /* of these, no descriptor */
    uint64_t expired;  /* too slow */
    uint64_t gave_way; /* to a newcomer */
};

/* Write to *out what s has counted. */
void http_server_counts(const struct http_server *s, struct http_counts *out);

/* Return how many connections s has at most. */
uint32_t http_server_seats(const struct http_server *s);

/* Write to *from the address that the request comes from whose handler is
 * running. Returns false outside of a handler. A proxy before the server hides
 * the address. */
bool http_server_peer(const struct http_server *s,
                      struct sockaddr_storage *from);

/* Return the address that was bound. */
const char *http_server_address(const struct http_server *s);
#endif
