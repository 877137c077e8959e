/* lib/codec.c - bounded reading and writing; text forms over libsodium. */
#include "lib/codec.h"

#include <sodium.h>
#include <string.h>

void
codec_reader_init(struct codec_reader *r, const void *data, size_t len)
{
    *r = (struct codec_reader){.at = data, .left = len};
}

const uint8_t *
codec_read_bytes(struct codec_reader *r, size_t len)
{
    if (!r->err && r->left < len)
        r->err = ERR_SHORT;
    if (r->err)
        return NULL;
    const uint8_t *p = r->at;
    r->at += len;
    r->left -= len;
    return p;
}

uint8_t
codec_read8(struct codec_reader *r)
{
    const uint8_t *p = codec_read_bytes(r, 1);
    return p ? p[0] : 0;
}

uint16_t
codec_read16(struct codec_reader *r)
{
    const uint8_t *p = codec_read_bytes(r, 2);
    return p ? codec_get16(p) : 0;
}

uint32_t
codec_read32(struct codec_reader *r)
{
    const uint8_t *p = codec_read_bytes(r, 4);
    return p ? codec_get32(p) : 0;
}

uint64_t
codec_read64(struct codec_reader *r)
{
    const uint8_t *p = codec_read_bytes(r, 8);
    return p ? codec_get64(p) : 0;
}

void
codec_writer_init(struct codec_writer *w, void *out, size_t len)
{
    *w = (struct codec_writer){.at = out, .left = len};
}

static uint8_t *
writer_take(struct codec_writer *w, size_t len)
{
    if (!w->err && w->left < len)
        w->err = ERR_LONG;
    if (w->err)
        return NULL;
    uint8_t *p = w->at;
    w->at += len;
    w->left -= len;
    return p;
}

void
codec_write8(struct codec_writer *w, uint8_t v)
{
    uint8_t *p = writer_take(w, 1);
    if (p)
        p[0] = v;
}

void
codec_write16(struct codec_writer *w, uint16_t v)
{
    uint8_t *p = writer_take(w, 2);
    if (p)
        codec_put16(p, v);
}

void
codec_write32(struct codec_writer *w, uint32_t v)
{
    uint8_t *p = writer_take(w, 4);
    if (p)
        codec_put32(p, v);
}

void
codec_write64(struct codec_writer *w, uint64_t v)
{
    uint8_t *p = writer_take(w, 8);
    if (p)
        codec_put64(p, v);
}

void
codec_write_bytes(struct codec_writer *w, const void *data, size_t len)
{
    uint8_t *p = writer_take(w, len);
    if (p && data && len > 0)
        memcpy(p, data, len);
}

void
codec_hex(char *out, const uint8_t *data, size_t len)
{
    sodium_bin2hex(out, 2 * len + 1, data, len);
}

int
codec_unhex(uint8_t *out, size_t len, const char *hex)
{
    size_t digits = strlen(hex), got = 0;
    if (digits != 2 * len)
        return digits < 2 * len ? ERR_SHORT : ERR_LONG;
    if (sodium_hex2bin(out, len, hex, digits, NULL, &got, NULL) != 0 ||
        got != len)
        return ERR_FORMAT;
    return 0;
}

void
codec_base64(char *out, size_t out_len, const uint8_t *data, size_t len)
{
    sodium_bin2base64(out, out_len, data, len,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

int
codec_unbase64(uint8_t *out, size_t max, size_t *len, const char *text)
{
    size_t chars = strlen(text);
    const char *end = NULL;
    *len = 0;
    if (chars > max / 3 * 4 + 4)
        return ERR_LONG;
    if (sodium_base642bin(out, max, text, chars, NULL, len, &end,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        end != text + chars)
        return ERR_FORMAT;
    return 0;
}
