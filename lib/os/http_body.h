/* lib/os/http_body.h - answers on their way, each in memory once, however many
 * ask for it: a consensus has megabytes, and who takes it may be slow. */
#ifndef LIB_OS_HTTP_BODY_H
#define LIB_OS_HTTP_BODY_H
#include <stddef.h>
#include <stdint.h>

enum { HTTP_BODY_SHARED_LEN = 4096 }; /* shorter ones are copied */

struct http_body {
    struct http_body *next;
    uint32_t readers;
    size_t len;
    uint8_t bytes[];
};

/* Get a copy of these bytes from the list, which begins at *list; it is put
 * there if need be. NULL: no memory. To be given back once; b may be NULL. */
struct http_body *http_body_get(struct http_body **list, const uint8_t *bytes,
                                size_t len);
void http_body_give(struct http_body **list, struct http_body *b);
#endif
