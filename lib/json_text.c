/* lib/json_text.c - see json_text.h.
 *
 * State of each thread: whether jansson has lacked memory of late. Its functions
 * for memory are set before main(), while there is one thread. */
#include "lib/json_text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local bool lacks;

static void *
jansson_malloc(size_t len)
{
    void *p = malloc(len);
    lacks |= !p;
    return p;
}

__attribute__((constructor)) static void
jansson_prepare(void)
{
    json_set_alloc_funcs(jansson_malloc, free);
}

int
json_to_text(const json_t *root, size_t flags, char **out, size_t *len)
{
    lacks = false;
    char *text = root ? json_dumps(root, flags) : NULL;
    if (lacks) {
        free(text);
        text = NULL;
    }
    *out = text;
    if (len)
        *len = text ? strlen(text) : 0;
    return text ? 0 : ERR_NOMEM;
}

int
json_from_text(json_t **out, const char *text, size_t len, size_t flags,
               json_error_t *e)
{
    lacks = false;
    json_t *root = json_loadb(text, len, flags, e);
    if (lacks) {
        json_decref(root);
        root = NULL;
    }
    *out = root;
    return root ? 0 : lacks ? ERR_NOMEM : ERR_FORMAT;
}
