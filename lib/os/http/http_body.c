/* lib/os/http/http_body.c - a list of bodies, which are compared byte for byte:
 * there are few, and without the list the bytes would be copied. */
#include "lib/os/http/http_body.h"

#include <stdlib.h>
#include <string.h>

struct http_body *
http_body_get(struct http_body **list, const uint8_t *bytes, size_t len)
{
    struct http_body *b = len < HTTP_BODY_SHARED_LEN ? NULL : *list;
    for (; b; b = b->next)
        if (b->len == len && memcmp(b->bytes, bytes, len) == 0) {
            b->readers++;
            return b;
        }
    b = malloc(sizeof *b + len);
    if (!b)
        return NULL;
    *b = (struct http_body){.next = *list, .readers = 1, .len = len};
    memcpy(b->bytes, bytes, len);
    *list = b;
    return b;
}

void
http_body_give(struct http_body **list, struct http_body *b)
{
    if (!b || --b->readers > 0)
        return;
    while (*list != b)
        list = &(*list)->next;
    *list = b->next;
    free(b);
}
