/* lib/http_head.h - the head of an HTTP/1.1 request, read strictly.
 *
 * The reader takes what a server of documents needs and nothing else: GET or
 * POST, a path of few characters, a length. Whatever two readers might
 * understand in two ways (bare line feeds, folded lines, a length given twice,
 * chunks) is an error, not a guess. Pure. */
#ifndef LIB_HTTP_HEAD_H
#define LIB_HTTP_HEAD_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

enum {
    HTTP_PATH_MAX = 256, /* with the final 0 */
    HTTP_TAG_MAX = 128,  /* likewise */
    HTTP_HEAD_MAX = 8192,
    HTTP_HEAD_FIELDS_MAX = 64
};

struct http_head {
    size_t len; /* of the head; the body follows */
    bool post;
    size_t body_len;          /* 0 for GET */
    char path[HTTP_PATH_MAX]; /* good, see http_path_is_good() */
    char tag[HTTP_TAG_MAX];   /* of If-None-Match; "" when there is none */
};

/* Read into h the head of a request of which a peer has sent the first len
 * bytes, and whose body has at most body_max bytes. Returns 0; ERR_SHORT: the
 * head goes on, call again with more; ERR_LONG: the head or the body is too
 * long; ERR_COMMAND: another method than GET and POST; ERR_FORMAT: anything
 * else, and then the answer is 400. */
int http_head_read(struct http_head *h, const uint8_t *bytes, size_t len,
                   size_t body_max) CHECK_RESULT;

/* Tell whether path begins with a slash and consists of letters, digits and a
 * few signs, without "..". */
bool http_path_is_good(const char *path);

/* Return what status is called in an answer (static): "Not Found". */
const char *http_status_text(int status);
#endif
