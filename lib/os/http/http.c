/* lib/os/http/http.c - a thin layer over the client of evhttp. Timer: the end of the
 * time that a request has as a whole. */
#include "lib/os/http/http.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/address.h"
#include "lib/os/system.h"

enum { TIMEOUT_S = 10, HEADERS_MAX = 8192 };

struct http_request {
    struct evhttp_connection *connection;
    struct evhttp_request *request;
    struct event *later; /* to be freed in a turn of its own, or given up */
    http_done_fn done;
    void *ctx;
    bool asking; /* http_ask() has not returned */
    bool answered;
    int failed; /* before http_ask() has returned; the system's number */
};

static void
request_free(struct http_request *q)
{
    if (q->connection)
        evhttp_connection_free(q->connection);
    if (q->later)
        event_free(q->later);
    free(q);
}

/* Free the request in a turn of its own, since a connection must not be freed
 * inside evhttp's callback; or end a request that takes too long, since
 * evhttp's times begin anew with every byte; or tell of one that failed before
 * http_ask() had returned. */
static void
request_later(evutil_socket_t fd, short what, void *ctx)
{
    struct http_request *q = ctx;
    const bool untold = !q->answered || q->failed;
    (void)fd;
    (void)what;
    if (!q->answered)
        evhttp_cancel_request(q->request);
    if (untold && q->done)
        q->done(q->ctx, q->failed ? system_error_of(q->failed) : ERR_TIMEOUT, 0,
                NULL, 0);
    request_free(q);
}

static void
client_answer(struct evhttp_request *r, void *ctx)
{
    struct http_request *q = ctx;
    int status = r ? evhttp_request_get_response_code(r) : 0;
    q->answered = true;
    if (!q->done)
        return; /* cancelled */
    if (q->asking) {
        q->failed = errno ? errno : ECONNREFUSED;
    } else if (status == 0) {
        q->done(q->ctx, ERR_CLOSED, 0, NULL, 0);
    } else {
        struct evbuffer *in = evhttp_request_get_input_buffer(r);
        size_t len = evbuffer_get_length(in);
        const uint8_t *body =
            len ? evbuffer_pullup(in, -1) : (const uint8_t *)"";
        q->done(q->ctx, 0, status, body, len);
    }
    event_active(q->later, EV_TIMEOUT, 0);
}

/* Split an address like "127.0.0.1:80" into its parts; IPv6 comes without
 * brackets, as evhttp wants it. */
static int
address_split(const char *address, char *host, size_t host_len,
              unsigned short *port)
{
    struct sockaddr_storage a;
    socklen_t len;
    int err = address_parse(&a, &len, address);
    if (err)
        return err;
    const char *colon = strrchr(address, ':');
    size_t skip = address[0] == '[', n = (size_t)(colon - address) - 2 * skip;
    if (n >= host_len)
        return ERR_FORMAT;
    memcpy(host, address + skip, n);
    host[n] = 0;
    *port = (unsigned short)atoi(colon + 1);
    return 0;
}

static int
request_fill(struct evhttp_request *r, const uint8_t *post, size_t post_len)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(r);
    int bad = evhttp_add_header(headers, "Host", "brusio");
    bad |= evhttp_add_header(headers, "Connection", "close");
    if (post)
        bad |=
            evbuffer_add(evhttp_request_get_output_buffer(r), post, post_len);
    return bad ? ERR_NOMEM : 0;
}

int
http_ask(struct http_request **out, struct loop *l, const char *address,
         const char *path, const uint8_t *post, size_t post_len,
         size_t answer_max, http_done_fn done, void *ctx)
{
    char host[ADDRESS_TEXT_MAX];
    unsigned short port;
    *out = NULL;
    int err = address_split(address, host, sizeof host, &port);
    if (err)
        return err;
    struct http_request *q = calloc(1, sizeof *q);
    if (!q)
        return ERR_NOMEM;
    q->done = done;
    q->ctx = ctx;
    q->connection = evhttp_connection_base_new(loop_base(l), NULL, host, port);
    q->request = evhttp_request_new(client_answer, q);
    q->later = event_new(loop_base(l), -1, 0, request_later, q);
    if (!q->connection || !q->request || !q->later ||
        request_fill(q->request, post, post_len)) {
        if (q->request)
            evhttp_request_free(q->request);
        request_free(q);
        return ERR_NOMEM;
    }
    http_within(q, HTTP_WHOLE_S);
    evhttp_connection_set_timeout(q->connection, TIMEOUT_S);
    evhttp_connection_set_max_body_size(q->connection, (ev_ssize_t)answer_max);
    evhttp_connection_set_max_headers_size(q->connection, HEADERS_MAX);
    errno = 0;
    q->asking = true; /* evhttp tells at once of a socket that fails at once */
    const int bad =
        evhttp_make_request(q->connection, q->request,
                            post ? EVHTTP_REQ_POST : EVHTTP_REQ_GET, path);
    q->asking = false;
    if (bad) { /* evhttp has freed the request */
        err = system_error();
        q->done = NULL;
        request_free(q);
        return err;
    }
    *out = q;
    return 0;
}

void
http_within(struct http_request *q, unsigned seconds)
{
    const struct timeval tv = {.tv_sec = (time_t)seconds};
    if (!q || q->answered)
        return; /* a time set now would put off what has been decided */
    /* without memory for it evhttp's own times are left */
    (void)event_add(q->later, &tv);
}

unsigned
http_turn_s(uint32_t epoch_len_s)
{
    return epoch_len_s / 60 < TIMEOUT_S      ? TIMEOUT_S
           : epoch_len_s / 60 < HTTP_WHOLE_S ? epoch_len_s / 60
                                             : HTTP_WHOLE_S;
}

void
http_cancel(struct http_request **qp)
{
    struct http_request *q = *qp;
    *qp = NULL;
    if (!q)
        return;
    q->done = NULL;
    if (!q->answered)
        evhttp_cancel_request(q->request);
    request_free(q);
}
