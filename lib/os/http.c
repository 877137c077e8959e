/* lib/os/http.c - a thin layer over evhttp. */
#include "lib/os/http.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/address.h"
#include "lib/os/socket.h"
#include "lib/os/http_guard.h"

enum { TIMEOUT_S = 10, HEADERS_MAX = 8192 };

struct http_server {
    struct evhttp *http;
    struct http_guard *guard;
    char address[ADDRESS_TEXT_MAX];
    http_handler_fn handler;
    void *ctx;
    struct evhttp_request *current; /* while the handler runs */
};

struct http_request {
    struct evhttp_connection *connection;
    struct evhttp_request *request;
    struct event *later; /* to be freed in a turn of its own */
    http_done_fn done;
    void *ctx;
    bool answered;
};

/* Letters, digits and a few signs; no "..". */
static bool
path_is_good(const char *path)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-_.";
    size_t len = strlen(path);
    return len > 0 && len < HTTP_PATH_MAX && path[0] == '/' &&
           strspn(path, allowed) == len && !strstr(path, "..");
}

static void
answer_send(struct evhttp_request *r, const struct http_answer *a)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(r);
    struct evbuffer *body = evbuffer_new();
    bool bad = !body;
    const char *known = evhttp_find_header(evhttp_request_get_input_headers(r),
                                           "If-None-Match");
    const bool same = a->etag && known && strcmp(a->etag, known) == 0;
    if (a->etag)
        bad |= evhttp_add_header(headers, "ETag", a->etag) != 0;
    /* one request each, so that the guard's limits are limits of requests */
    bad |= evhttp_add_header(headers, "Connection", "close") != 0;
    bad |= evhttp_add_header(headers, "Content-Type",
                             a->type ? a->type : "text/plain") != 0;
    /* evhttp adds a Date of its own unless there is one */
    bad |= evhttp_add_header(headers, "Date",
                             "Thu, 01 Jan 1970 00:00:00 GMT") != 0;
    if (!bad && a->len > 0 && !same)
        bad = evbuffer_add(body, a->body, a->len) != 0;
    if (bad) /* rather nothing than part of an answer, or one with our time */
        shutdown(bufferevent_getfd(evhttp_connection_get_bufferevent(
                     evhttp_request_get_connection(r))),
                 SHUT_RDWR);
    evhttp_send_reply(r, same ? 304 : a->status, NULL, body);
    if (body)
        evbuffer_free(body);
}

static void
server_request(struct evhttp_request *r, void *ctx)
{
    struct http_server *s = ctx;
    struct http_answer a = {.status = 400};
    const char *path = evhttp_request_get_uri(r);
    enum evhttp_cmd_type command = evhttp_request_get_command(r);
    if (path && path_is_good(path)) {
        struct evbuffer *in = evhttp_request_get_input_buffer(r);
        size_t len = evbuffer_get_length(in);
        const uint8_t *body = NULL;
        a.status = 404;
        if (command == EVHTTP_REQ_POST)
            body = len ? evbuffer_pullup(in, -1) : (const uint8_t *)"";
        s->current = r;
        if (command == EVHTTP_REQ_GET || body)
            s->handler(s->ctx, path, body, body ? len : 0, &a);
        s->current = NULL;
    }
    answer_send(r, &a);
}

int
http_server_new(struct http_server **out, struct loop *l, const char *address,
                size_t body_max, http_handler_fn handler, void *ctx)
{
    int fd;
    struct http_server *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return ERR_NOMEM;
    s->handler = handler;
    s->ctx = ctx;
    int err = socket_listen(&fd, address, s->address);
    if (err) {
        free(s);
        return err;
    }
    s->http = evhttp_new(loop_base(l));
    struct evhttp_bound_socket *bound =
        s->http ? evhttp_accept_socket_with_handle(s->http, fd) : NULL;
    if (!bound)
        close(fd);
    err = bound ? http_guard_new(&s->guard, l, s->http, bound) : ERR_NOMEM;
    if (err) {
        http_server_free(&s);
        return err;
    }
    evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
    evhttp_set_timeout(s->http, TIMEOUT_S);
    evhttp_set_max_headers_size(s->http, HEADERS_MAX);
    evhttp_set_max_body_size(s->http, (ev_ssize_t)body_max);
    evhttp_set_gencb(s->http, server_request, s);
    *out = s;
    return 0;
}

void
http_server_free(struct http_server **sp)
{
    struct http_server *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    if (s->http)
        evhttp_free(s->http);
    http_guard_free(&s->guard);
    free(s);
}

void
http_server_counts(const struct http_server *s, struct http_counts *out)
{
    struct http_guard_counts c;
    http_guard_counts(s->guard, &c);
    *out = (struct http_counts){c.open, c.refused, c.expired};
}

bool
http_server_peer(const struct http_server *s, struct sockaddr_storage *from)
{
    socklen_t len = sizeof *from;
    if (!s->current)
        return false;
    struct bufferevent *b = evhttp_connection_get_bufferevent(
        evhttp_request_get_connection(s->current));
    return getpeername(bufferevent_getfd(b), (struct sockaddr *)from, &len) ==
           0;
}

const char *
http_server_address(const struct http_server *s)
{
    return s->address;
}

static void
request_free(struct http_request *q)
{
    if (q->connection)
        evhttp_connection_free(q->connection);
    if (q->later)
        event_free(q->later);
    free(q);
}

/* Freeing the connection inside evhttp's callback is not allowed: put it off
 * to a turn of its own. */
static void
request_later(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    request_free(ctx);
}

static void
client_answer(struct evhttp_request *r, void *ctx)
{
    struct http_request *q = ctx;
    int status = r ? evhttp_request_get_response_code(r) : 0;
    q->answered = true;
    if (!q->done)
        return; /* cancelled */
    if (status == 0) {
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

/* "127.0.0.1:80" in its parts; IPv6 without brackets, as evhttp wants it. */
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
    evhttp_connection_set_timeout(q->connection, TIMEOUT_S);
    evhttp_connection_set_max_body_size(q->connection, (ev_ssize_t)answer_max);
    evhttp_connection_set_max_headers_size(q->connection, HEADERS_MAX);
    *out = q;
    if (evhttp_make_request(q->connection, q->request,
                            post ? EVHTTP_REQ_POST : EVHTTP_REQ_GET, path)) {
        /* evhttp has freed the request */
        q->done = NULL;
        *out = NULL;
        request_free(q);
        return ERR_SYSTEM;
    }
    return 0;
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
