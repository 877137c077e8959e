/* lib/pack.h - whole documents, compressed: one zlib stream (RFC 1950). */
#ifndef LIB_PACK_H
#define LIB_PACK_H
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

/* Compress len bytes into *out, which is malloc'd and the caller's. Returns 0
 * or ERR_NOMEM. */
int pack_deflate(const uint8_t *bytes, size_t len, uint8_t **out,
                 size_t *out_len) CHECK_RESULT;

/* Unpack len bytes into *out, at most max bytes and a 0 after them; *out is
 * malloc'd and the caller's. Memory is taken as it is needed, so that few bytes
 * that claim to be many cost nothing. Returns 0, ERR_FORMAT (no such stream, or
 * more after the stream), ERR_SHORT, ERR_LONG, ERR_NOMEM. */
int pack_inflate(const uint8_t *bytes, size_t len, size_t max, uint8_t **out,
                 size_t *out_len) CHECK_RESULT;
#endif
