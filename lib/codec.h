/* lib/codec.h - integers, hex and base64url; bounded reading and writing.
 *
 * Reader and writer keep the first error and do nothing after it, so that a
 * parser checks once at its end. All integers are big endian. */
#ifndef LIB_CODEC_H
#define LIB_CODEC_H
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

static inline uint16_t
codec_get16(const uint8_t *p)
{
    return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}
static inline uint32_t
codec_get32(const uint8_t *p)
{
    return (uint32_t)codec_get16(p) << 16 | codec_get16(p + 2);
}
static inline uint64_t
codec_get64(const uint8_t *p)
{
    return (uint64_t)codec_get32(p) << 32 | codec_get32(p + 4);
}
static inline void
codec_put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}
static inline void
codec_put32(uint8_t *p, uint32_t v)
{
    codec_put16(p, (uint16_t)(v >> 16));
    codec_put16(p + 2, (uint16_t)v);
}
static inline void
codec_put64(uint8_t *p, uint64_t v)
{
    codec_put32(p, (uint32_t)(v >> 32));
    codec_put32(p + 4, (uint32_t)v);
}

/* A reader goes through bytes of the caller's from front to back. */
struct codec_reader {
    const uint8_t *at;
    size_t left;
    int err; /* 0, ERR_SHORT, or what the parser set */
};
struct codec_writer {
    uint8_t *at;
    size_t left;
    int err; /* 0 or ERR_LONG */
};

/* Begin to read len bytes at data. */
void codec_reader_init(struct codec_reader *r, const void *data, size_t len);

/* Read the next integer of r; return 0 after an error. */
uint8_t codec_read8(struct codec_reader *r);
uint16_t codec_read16(struct codec_reader *r);
uint32_t codec_read32(struct codec_reader *r);
uint64_t codec_read64(struct codec_reader *r);

/* Pass over the next len bytes of r. Returns a pointer to them in the input,
 * NULL after an error. */
const uint8_t *codec_read_bytes(struct codec_reader *r, size_t len);

/* Begin to write to out, which has room for len bytes. */
void codec_writer_init(struct codec_writer *w, void *out, size_t len);

/* Write the integer v to w; do nothing after an error. */
void codec_write8(struct codec_writer *w, uint8_t v);
void codec_write16(struct codec_writer *w, uint16_t v);
void codec_write32(struct codec_writer *w, uint32_t v);
void codec_write64(struct codec_writer *w, uint64_t v);

/* Write the len bytes of data to w. data may be NULL: then the next len bytes
 * of the output are passed over and stay as they are. */
void codec_write_bytes(struct codec_writer *w, const void *data, size_t len);

/* Write len bytes of data to out as hex in lower case, in constant time. out
 * has 2 * len + 1 bytes. */
void codec_hex(char *out, const uint8_t *data, size_t len);

/* Read exactly len bytes from hex, exactly 2 * len digits, into out. Returns 0,
 * ERR_SHORT, ERR_LONG or ERR_FORMAT. */
int codec_unhex(uint8_t *out, size_t len, const char *hex) CHECK_RESULT;

#define CODEC_BASE64_LEN(n) (((n)*4 + 2) / 3 + 1) /* with the final 0 */

/* Write len bytes of data to out as base64url without padding (RFC 4648,
 * section 5), in constant time. out has out_len bytes, CODEC_BASE64_LEN(len) at
 * least. */
void codec_base64(char *out, size_t out_len, const uint8_t *data, size_t len);

/* Read base64url from text into out, at most max bytes; *len is how many.
 * Returns 0, ERR_LONG or ERR_FORMAT. */
int codec_unbase64(uint8_t *out, size_t max, size_t *len,
                   const char *text) CHECK_RESULT;
#endif
