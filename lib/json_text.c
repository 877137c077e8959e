/* lib/json_text.c - see json_text.h.
 *
 * State of each thread: whether jansson has lacked memory of late, and, while
 * jansson reads, a reserve. Once an allocation has failed, the further ones
 * come from the reserve and the text ends, so that jansson stops, and all of
 * the result is thrown away. jansson's functions for memory are set before
 * main(), while there is one thread. */
#include "lib/json_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* After a failure jansson reads on for a chunk at most. The reserve has room
 * for the small values in that chunk, for one word twice over, as long as the
 * text at most, and for the table of an object, 32 bytes for each key. */
enum { CHUNK = 64, RESERVE_MIN = 16384, RESERVE_TIMES = 8, ALIGNMENT = 16 };

static _Thread_local struct {
    bool lacks;
    uint8_t *reserve;
    size_t len, used;
} mine;

static void *
jansson_malloc(size_t len)
{
    void *p = malloc(len);
    if (p)
        return p;
    mine.lacks = true;
    const size_t left = mine.len - mine.used;
    if (len > left || left - len < ALIGNMENT)
        return NULL;
    p = mine.reserve + mine.used;
    mine.used += (len + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return p;
}

static void
jansson_free(void *p)
{
    const uintptr_t at = (uintptr_t)p, from = (uintptr_t)mine.reserve;
    if (at < from || at - from >= mine.len)
        free(p);
}

__attribute__((constructor)) static void
jansson_prepare(void)
{
    json_set_alloc_funcs(jansson_malloc, jansson_free);
}

int
json_to_text(const json_t *root, size_t flags, char **out, size_t *len)
{
    mine.lacks = false;
    char *text = root ? json_dumps(root, flags) : NULL;
    if (mine.lacks) {
        free(text);
        text = NULL;
    }
    *out = text;
    if (len)
        *len = text ? strlen(text) : 0;
    return text ? 0 : ERR_NOMEM;
}

struct source {
    const char *at;
    size_t left;
};

static size_t
source_read(void *to, size_t room, void *ctx)
{
    struct source *s = ctx;
    size_t n = room < CHUNK ? room : CHUNK;
    n = s->left < n ? s->left : n;
    if (mine.lacks)
        return 0;
    memcpy(to, s->at, n);
    s->at += n;
    s->left -= n;
    return n;
}

int
json_from_text(json_t **out, const char *text, size_t len, size_t flags,
               json_error_t *e)
{
    struct source s = {text, len};
    *out = NULL;
    if (len > (SIZE_MAX - RESERVE_MIN) / RESERVE_TIMES)
        return ERR_NOMEM;
    mine.lacks = false;
    mine.used = 0;
    mine.len = RESERVE_MIN + RESERVE_TIMES * len;
    mine.reserve = malloc(mine.len);
    if (!mine.reserve) {
        mine.len = 0;
        return ERR_NOMEM;
    }
    json_t *root = json_load_callback(source_read, &s, flags, e);
    if (mine.lacks) {
        json_decref(root);
        root = NULL;
    }
    free(mine.reserve);
    mine.reserve = NULL;
    mine.len = mine.used = 0;
    *out = root;
    return root ? 0 : mine.lacks ? ERR_NOMEM : ERR_FORMAT;
}
