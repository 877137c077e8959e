/* client/disk/records_received.c - records of what was received, and of who has read it:
 * their writers and readers, side by side. records.h has their formats. */
#include <string.h>

#include "client/disk/records.h"
#include "client/disk/records_internal.h"
#include "lib/codec.h"

enum {
    RECEIVED_VERSION = 3,
    RECEIVED_VERSION_CAME = 3, /* the first that says when it came */
    RECEIVED_VERSION_ID = 2,
    RECEIVED_HEAD_LEN = 1 + 4 + 1 + LETTER_ID_LEN + 4 + 8 + 4,
    SHOWN_LEN = 8 + 4,
    SETTINGS_VERSION = 1,
    SETTINGS_LEN = 1 + 4,
    READER_VERSION = 1
};

/* ---- a message that was received ---- */

static struct record_key
received_key(uint64_t order)
{
    return (struct record_key){RECORD_RECEIVED, 0, order, 0};
}

int
record_received_save(struct journal *j, const struct record_received *r)
{
    struct codec_writer w;
    int err = record_open(j, &w, received_key(r->order),
                          (size_t)RECEIVED_HEAD_LEN + r->len);
    if (err)
        return err;
    codec_write8(&w, RECEIVED_VERSION);
    codec_write32(&w, r->contact);
    codec_write8(&w, r->kind);
    codec_write_bytes(&w, r->id, sizeof r->id);
    codec_write32(&w, r->after);
    codec_write64(&w, r->came_s);
    codec_write32(&w, r->len);
    codec_write_bytes(&w, r->data, r->len);
    return record_close(&w);
}

int
record_received_read(struct record_received *out, const struct record_key *key,
                     const uint8_t *value, size_t len)
{
    struct codec_reader r;
    codec_reader_init(&r, value, len);
    *out = (struct record_received){.order = key->a};
    const uint8_t version = codec_read8(&r);
    if (version < 1 || version > RECEIVED_VERSION)
        return r.err ? r.err : ERR_VERSION;
    out->contact = codec_read32(&r);
    out->kind = codec_read8(&r);
    if (version >= RECEIVED_VERSION_ID) {
        const uint8_t *id = codec_read_bytes(&r, LETTER_ID_LEN);
        out->after = codec_read32(&r);
        if (version >= RECEIVED_VERSION_CAME)
            out->came_s = codec_read64(&r);
        if (r.err)
            return r.err;
        memcpy(out->id, id, LETTER_ID_LEN);
    }
    out->len = codec_read32(&r);
    out->data = codec_read_bytes(&r, out->len);
    int err = record_read_end(&r);
    if (err)
        return err;
    return out->kind == LETTER_TEXT || out->kind == LETTER_FILE ? 0
                                                                : ERR_FORMAT;
}

static struct record_key
shown_key(uint64_t order)
{
    return (struct record_key){RECORD_SHOWN, 0, order, 0};
}

int
record_received_delete(struct journal *j, uint64_t order)
{
    const int err = record_delete(j, shown_key(order));
    return err ? err : record_delete(j, received_key(order));
}

int
record_shown_save(struct journal *j, uint64_t order, uint64_t event,
                  uint32_t late_after)
{
    struct codec_writer w;
    int err = record_open(j, &w, shown_key(order), SHOWN_LEN);
    if (err)
        return err;
    codec_write64(&w, event);
    codec_write32(&w, late_after);
    return record_close(&w);
}

int
record_shown_read(uint64_t *event, uint32_t *late_after, const uint8_t *value,
                  size_t len)
{
    struct codec_reader r;
    codec_reader_init(&r, value, len);
    *event = codec_read64(&r);
    *late_after = codec_read32(&r);
    const int err = record_read_end(&r);
    return err ? err : *event == 0 ? ERR_RANGE : 0;
}

/* ---- who reads it ---- */

int
record_settings_save(struct journal *j, uint32_t keep_days)
{
    struct codec_writer w;
    int err = record_open(j, &w, (struct record_key){.type = RECORD_SETTINGS},
                          SETTINGS_LEN);
    if (err)
        return err;
    codec_write8(&w, SETTINGS_VERSION);
    codec_write32(&w, keep_days);
    return record_close(&w);
}

int
record_settings_read(uint32_t *keep_days, const uint8_t *value, size_t len)
{
    struct codec_reader r;
    codec_reader_init(&r, value, len);
    const uint8_t version = codec_read8(&r);
    if (version != SETTINGS_VERSION)
        return r.err ? r.err : ERR_VERSION;
    *keep_days = codec_read32(&r);
    return record_read_end(&r);
}

static struct record_key
reader_key(uint32_t number)
{
    return (struct record_key){RECORD_READER, 0, number, 0};
}

int
record_reader_save(struct journal *j, uint32_t number, const char *name)
{
    struct codec_writer w;
    const size_t len = strlen(name);
    int err = record_open(j, &w, reader_key(number), 1 + len);
    if (err)
        return err;
    codec_write8(&w, READER_VERSION);
    codec_write_bytes(&w, (const uint8_t *)name, len);
    return record_close(&w);
}

int
record_reader_read(char *name, const uint8_t *value, size_t len)
{
    struct codec_reader r;
    codec_reader_init(&r, value, len);
    const uint8_t version = codec_read8(&r);
    if (version != READER_VERSION)
        return r.err ? r.err : ERR_VERSION;
    if (r.left == 0 || r.left >= CLIENT_NAME_MAX ||
        memchr(value + 1, 0, r.left))
        return ERR_FORMAT;
    memcpy(name, value + 1, r.left);
    name[r.left] = '\0';
    return 0;
}

int
record_reader_delete(struct journal *j, uint32_t number)
{
    return record_delete(j, reader_key(number));
}

static struct record_key
seen_key(uint32_t contact, uint32_t reader)
{
    return (struct record_key){RECORD_SEEN, contact, reader, 0};
}

int
record_seen_save(struct journal *j, uint32_t contact, uint32_t reader,
                 uint64_t event)
{
    struct codec_writer w;
    int err = record_open(j, &w, seen_key(contact, reader), 8);
    if (err)
        return err;
    codec_write64(&w, event);
    return record_close(&w);
}

int
record_seen_read(uint64_t *event, const uint8_t *value, size_t len)
{
    struct codec_reader r;
    codec_reader_init(&r, value, len);
    *event = codec_read64(&r);
    return record_read_end(&r);
}

int
record_seen_delete(struct journal *j, uint32_t contact, uint32_t reader)
{
    return record_delete(j, seen_key(contact, reader));
}
