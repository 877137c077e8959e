/* lib/os/http_guard.h - how many connections an HTTP server has at once, from
 * whom, and for how long; evhttp itself takes them all.
 *
 * Every connection is entered when evhttp makes its bufferevent. One too many
 * from a block of addresses is shut at once; while all places are taken nothing
 * is accepted; one that lasts too long is shut, whatever it does. */
#ifndef LIB_OS_HTTP_GUARD_H
#define LIB_OS_HTTP_GUARD_H
#include <event2/http.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/os/loop.h"

enum {
    HTTP_GUARD_MAX = 128,      /* connections */
    HTTP_GUARD_BLOCK_MAX = 16, /* of them from one block of addresses */
    HTTP_GUARD_AGE_S = 120
};

struct http_guard;

/* bound: where http accepts; all stays the caller's. Free it after http. */
int http_guard_new(struct http_guard **out, struct loop *l, struct evhttp *http,

                   struct evhttp_bound_socket *bound) CHECK_RESULT;
void http_guard_free(struct http_guard **g);

struct http_guard_counts {
    uint32_t open;
    uint64_t refused, expired; /* for their block; for their age */
};
void http_guard_counts(const struct http_guard *g,
                       struct http_guard_counts *out);
#endif
