/* lib/os/http/http.h - a document fetched or posted over HTTP/1.1, on libevent.
 *
 * Bodies and times are bounded; nothing that tells a machine apart is sent (no
 * User-Agent). The server: lib/os/http/http_server.h. */
#ifndef LIB_OS_HTTP_H
#define LIB_OS_HTTP_H
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/os/loop.h"

enum { HTTP_WHOLE_S = 120 /* as a server allows (http_server.h) */ };

struct http_request;

/* Take an answer: len bytes at body with this status, which is 0 when there was
 * no answer; err is 0, ERR_CLOSED, ERR_LONG, ERR_TIMEOUT or ERR_SYSTEM
 * (system.h: no route, no descriptor). The request is over
 * and is freed when this function returns. */
typedef void (*http_done_fn)(void *ctx, int err, int status,
                             const uint8_t *body, size_t len);

/* Ask the server at address for path, by GET, or by POST with post_len bytes of
 * post when that is not NULL; an answer has at most answer_max bytes. done(ctx)
 * is called once unless the request is cancelled, and never before http_ask()
 * has returned, also when no socket can be had or no route leads there. Returns
 * 0, ERR_FORMAT (the address), ERR_NOMEM or ERR_SYSTEM; *out is NULL then. */
int http_ask(struct http_request **out, struct loop *l, const char *address,
             const char *path, const uint8_t *post, size_t post_len,
             size_t answer_max, http_done_fn done, void *ctx) CHECK_RESULT;

/* End r, which may be NULL, with ERR_TIMEOUT after so many seconds from now, in
 * place of HTTP_WHOLE_S after its beginning. A server that sends a byte now and then
 * gains no time. */
void http_within(struct http_request *r, unsigned seconds);

/* Tell how many seconds to give each server when several are asked in turn, in
 * a network whose epochs last epoch_len_s: a minute for epochs of an hour, 10 s
 * at least. */
unsigned http_turn_s(uint32_t epoch_len_s);

/* Give up *r, which may be NULL, and set it to NULL; done() is not called. */
void http_cancel(struct http_request **r);
#endif
