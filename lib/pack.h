/* lib/pack.h - whole documents, compressed: one zlib stream (RFC 1950). */
#ifndef LIB_PACK_H
#define LIB_PACK_H
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

/* *out is malloc'd. Returns 0 or ERR_NOMEM. */
int pack_deflate(const uint8_t *bytes, size_t len, uint8_t **out,
                 size_t *out_len) CHECK_RESULT;

/* Of at most max octets, with a 0 after them; memory is taken as it is needed,
 * so that few octets that claim to be many cost nothing. Returns 0, ERR_FORMAT
 * (no such stream, or more after it), ERR_SHORT, ERR_LONG, ERR_NOMEM. */
int pack_inflate(const uint8_t *bytes, size_t len, size_t max, uint8_t **out,
                 size_t *out_len) CHECK_RESULT;
#endif
