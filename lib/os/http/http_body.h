/* lib/os/http/http_body.h - answers on their way, each in memory once, however many
 * clients ask for the same: a consensus has megabytes, and clients may be slow.
 */
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

/* Find the body that has these len bytes in the list that begins at *list, or
 * add a copy to that list. The body is to be given back once. Returns NULL when
 * out of memory. */
struct http_body *http_body_get(struct http_body **list, const uint8_t *bytes,
                                size_t len);

/* Give back b, which may be NULL; without readers b leaves *list and is freed.
 */

/* Give back b, which may be NULL; without readers b leaves *list and is freed.
 */
void http_body_give(struct http_body **list, struct http_body *b);
#endif
