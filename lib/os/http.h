/* lib/os/http.h - a document fetched or posted over HTTP/1.1, on libevent.
 *
 * Bodies and times are bounded; nothing that tells a machine apart is sent (no
 * User-Agent). The server: lib/os/http_server.h. */
#ifndef LIB_OS_HTTP_H
#define LIB_OS_HTTP_H
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/os/loop.h"

enum { HTTP_WHOLE_S = 120 /* as a server allows (http_server.h) */ };

struct http_request;

/* status: 0 when there was no answer; err: 0, ERR_CLOSED, ERR_LONG,
 * ERR_TIMEOUT. The request is over and freed when this returns. */
typedef void (*http_done_fn)(void *ctx, int err, int status,
                             const uint8_t *body, size_t len);

/* Ask. post: body of a POST, NULL for GET. */
int http_ask(struct http_request **out, struct loop *l, const char *address,
             const char *path, const uint8_t *post, size_t post_len,
             size_t answer_max, http_done_fn done, void *ctx) CHECK_RESULT;
/* Have it over, with ERR_TIMEOUT, after so many seconds from now; HTTP_WHOLE_S
 * after it began, else. Who sends a byte now and then is not waited for. */
void http_within(struct http_request *r, unsigned seconds);
/* Tell what is long enough for one of those asked in turn, in a network whose
 * epochs have this length: a minute of an hour's, 10 s at least. */
unsigned http_turn_s(uint32_t epoch_len_s);
/* Give up; done() is not called. *r may be NULL. */
void http_cancel(struct http_request **r);
#endif
