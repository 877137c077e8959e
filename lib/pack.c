/* lib/pack.c - zlib. No state. */
#include "lib/pack.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

enum { ROOM_MIN = 4096 };

int
pack_deflate(const uint8_t *bytes, size_t len, uint8_t **out, size_t *out_len)
{
    uLongf n = compressBound((uLong)len);
    *out = malloc(n);
    if (!*out)
        return ERR_NOMEM;
    if (compress2(*out, &n, bytes, (uLong)len, Z_BEST_COMPRESSION) != Z_OK) {
        free(*out);
        *out = NULL;
        return ERR_NOMEM;
    }
    *out_len = n;
    return 0;
}

/* Make room for more, but only for one byte beyond max, to see whether that
 * comes. */
static int
room_grow(uint8_t **out, size_t *room, size_t max)
{
    size_t more = *room ? 2 * *room : ROOM_MIN;
    if (*room > max)
        return ERR_LONG;
    if (more > max + 1)
        more = max + 1;
    uint8_t *bytes = realloc(*out, more + 1);
    if (!bytes)
        return ERR_NOMEM;
    *out = bytes;
    *room = more;
    return 0;
}

int
pack_inflate(const uint8_t *bytes, size_t len, size_t max, uint8_t **out,
             size_t *out_len)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)len};
    size_t room = 0, n = 0;
    int err = len > UINT_MAX || max >= UINT_MAX ? ERR_LONG : 0, status = Z_OK;
    *out = NULL;
    if (!err && inflateInit(&z) != Z_OK)
        err = ERR_NOMEM;
    if (err)
        return err;
    while (!err && status == Z_OK) {
        if (n == room)
            err = room_grow(out, &room, max);
        if (err)
            break;
        z.next_out = *out + n;
        z.avail_out = (uInt)(room - n);
        status = inflate(&z, Z_NO_FLUSH);
        n = room - z.avail_out;
        if (status == Z_MEM_ERROR)
            err = ERR_NOMEM;
        else if (status == Z_BUF_ERROR ||
                 (status == Z_OK && n < room && z.avail_in == 0))
            err = ERR_SHORT;
        else if (status != Z_OK && status != Z_STREAM_END)
            err = ERR_FORMAT;
    }
    if (!err && n > max)
        err = ERR_LONG;
    if (!err && z.avail_in > 0)
        err = ERR_FORMAT;
    inflateEnd(&z);
    if (err) {
        free(*out);
        *out = NULL;
        return err;
    }
    (*out)[n] = 0;
    *out_len = n;
    return 0;
}
