/* lib/os/http.h - documents over HTTP/1.1, on libevent.
 *
 * The server answers GET and POST with whole documents, the client fetches or
 * posts one. Bodies, connections and times are bounded; nothing that tells a
 * machine apart is sent (no Server, Date, User-Agent). */
#ifndef LIB_OS_HTTP_H
#define LIB_OS_HTTP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/error.h"
#include "lib/os/loop.h"

enum { HTTP_PATH_MAX = 256, HTTP_ADDRESS_MAX = 64 };

struct http_server;

/* What to answer; body may be NULL. The body is copied. */
struct http_answer {
    int status;
    const char *type; /* NULL: text/plain */
    const char *etag; /* NULL: none; who has it gets 304 and no body */
    const uint8_t *body;
    size_t len;
};

/* A request came: GET (body NULL) or POST. Fill *answer. */
typedef void (*http_handler_fn)(void *ctx, const char *path,
                                const uint8_t *body, size_t len,
                                struct http_answer *answer);

/* body_max: of a POST. Returns 0, ERR_FORMAT (the address), ERR_SYSTEM. */
int http_server_new(struct http_server **out, struct loop *l,
                    const char *address, size_t body_max,
                    http_handler_fn handler, void *ctx) CHECK_RESULT;
void http_server_free(struct http_server **s);
/* Connections at once and refused, see lib/os/http_guard.h. */
struct http_counts {
    uint32_t open;
    uint64_t refused, expired;
};
void http_server_counts(const struct http_server *s, struct http_counts *out);
/* Whom the request comes from that the handler is called for; false outside of
 * it. A proxy before the server hides it. */
bool http_server_peer(const struct http_server *s,
                      struct sockaddr_storage *from);
/* What was bound. */
const char *http_server_address(const struct http_server *s);

struct http_request;

/* status: 0 when there was no answer; err: 0, ERR_CLOSED, ERR_LONG,
 * ERR_TIMEOUT. The request is over and freed when this returns. */
typedef void (*http_done_fn)(void *ctx, int err, int status,
                             const uint8_t *body, size_t len);

/* Ask. post: body of a POST, NULL for GET. */
int http_ask(struct http_request **out, struct loop *l, const char *address,
             const char *path, const uint8_t *post, size_t post_len,
             size_t answer_max, http_done_fn done, void *ctx) CHECK_RESULT;
/* Give up; done() is not called. *r may be NULL. */
void http_cancel(struct http_request **r);
#endif
