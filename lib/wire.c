/* lib/wire.c - the formats of lib/wire.h, read and written in one place.
 *
 * Readers are strict: an unknown kind or a field out of range is an error.
 * Writers touch the fields alone, since all else must stay random. */
#include "lib/wire.h"

#include <stdbool.h>

#include "lib/codec.h"

int
wire_request_parse(struct wire_request *r, const uint8_t *body, size_t body_len,
                   size_t surb_len)
{
    struct codec_reader in;
    size_t letter_len = wire_letter_len(body_len, surb_len);
    if (letter_len == 0)
        return ERR_SHORT;
    codec_reader_init(&in, body, body_len);
    r->kind = codec_read8(&in);
    r->slot = codec_read8(&in);
    r->held = codec_read16(&in);
    r->box = codec_read_bytes(&in, WIRE_BOX_LEN);
    r->work = codec_read_bytes(&in, WIRE_WORK_LEN);
    r->surb = codec_read_bytes(&in, surb_len);
    r->signature = codec_read_bytes(&in, WIRE_SIGNATURE_LEN);
    r->letter = codec_read_bytes(&in, letter_len);
    if (in.err)
        return in.err;
    if (r->kind < WIRE_PUT || r->kind > WIRE_ANNOUNCE)
        return ERR_FORMAT;
    if ((r->kind == WIRE_PUT || r->kind == WIRE_GET) &&
        r->slot >= WIRE_BOX_SLOTS)
        return ERR_RANGE;
    return 0;
}

/* Write the first `own` of len bytes; the others stay. */
static void
bytes_write(struct codec_writer *out, const uint8_t *p, size_t own, size_t len)
{
    codec_write_bytes(out, p, own);
    codec_write_bytes(out, NULL, len - own);
}

int
wire_request_write(uint8_t *body, size_t body_len, size_t surb_len,
                   const struct wire_request *r)
{
    struct codec_writer out;
    const bool is_announcement = r->kind == WIRE_ANNOUNCE;
    size_t letter_len = wire_letter_len(body_len, surb_len);
    if (letter_len == 0)
        return ERR_SHORT;
    codec_writer_init(&out, body, body_len);
    codec_write8(&out, r->kind);
    if (r->kind == WIRE_PUT || r->kind == WIRE_GET)
        codec_write8(&out, r->slot);
    else
        codec_write_bytes(&out, NULL, 1);
    if (r->kind == WIRE_GET)
        codec_write16(&out, r->held);
    else
        codec_write_bytes(&out, NULL, 2);
    bytes_write(&out, r->box, is_announcement ? WIRE_TOKEN_LEN : WIRE_BOX_LEN,
                WIRE_BOX_LEN);
    bytes_write(&out, r->work, is_announcement ? WIRE_NONCE_LEN : WIRE_WORK_LEN,
                WIRE_WORK_LEN);
    codec_write_bytes(&out, r->surb, surb_len);
    codec_write_bytes(&out, r->signature, WIRE_SIGNATURE_LEN);
    codec_write_bytes(&out, r->letter, letter_len);
    return out.err;
}

int
wire_answer_parse(struct wire_answer *a, const uint8_t *body, size_t body_len,
                  size_t surb_len)
{
    struct codec_reader in;
    size_t letter_len = wire_letter_len(body_len, surb_len);
    if (letter_len == 0)
        return ERR_SHORT;
    codec_reader_init(&in, body, body_len);
    a->status = codec_read8(&in);
    a->slot = codec_read8(&in);
    a->full = codec_read16(&in);
    a->epoch = codec_read32(&in);
    a->digest = codec_read_bytes(&in, 32);
    a->arrived_ms = codec_read64(&in);
    a->age = codec_read8(&in);
    for (size_t i = 0; i < WIRE_BOARDS; i++) {
        a->root[i].interval = codec_read32(&in);
        a->root[i].root = codec_read_bytes(&in, WIRE_ROOT_LEN);
        a->root[i].back = codec_read16(&in);
    }
    a->letter = codec_read_bytes(&in, letter_len);
    if (in.err)
        return in.err;
    if (a->status < WIRE_KEPT || a->status > WIRE_EMPTY)
        return ERR_FORMAT;
    if (a->status == WIRE_LETTER && a->slot >= WIRE_BOX_SLOTS)
        return ERR_RANGE;
    if (a->status != WIRE_LETTER)
        a->age = WIRE_AGE_UNKNOWN;
    return 0;
}

int
wire_answer_write(uint8_t *body, size_t body_len, size_t surb_len,
                  const struct wire_answer *a)
{
    struct codec_writer out;
    size_t letter_len = wire_letter_len(body_len, surb_len);
    if (letter_len == 0)
        return ERR_SHORT;
    codec_writer_init(&out, body, body_len);
    codec_write8(&out, a->status);
    codec_write8(&out, a->slot);
    codec_write16(&out, a->full);
    codec_write32(&out, a->epoch);
    codec_write_bytes(&out, a->digest, 32);
    codec_write64(&out, a->arrived_ms);
    if (a->status == WIRE_LETTER)
        codec_write8(&out, a->age);
    else
        codec_write_bytes(&out, NULL, 1);
    for (size_t i = 0; i < WIRE_BOARDS; i++) {
        codec_write32(&out, a->root[i].interval);
        if (a->root[i].interval == 0) {
            codec_write_bytes(&out, NULL, WIRE_ROOT_LEN + 2);
            continue;
        }
        codec_write_bytes(&out, a->root[i].root, WIRE_ROOT_LEN);
        codec_write16(&out, a->root[i].back);
    }
    codec_write_bytes(&out, a->letter, letter_len);
    return out.err;
}

/* Begin to read a frame after its type; note an error when the type is another.
 */
static struct codec_reader
frame_begin(const uint8_t *frame, size_t len, uint8_t type)
{
    struct codec_reader in;
    codec_reader_init(&in, frame, len);
    if (codec_read8(&in) != type && !in.err)
        in.err = ERR_FORMAT;
    return in;
}

int
wire_control_parse(struct wire_control *c, const uint8_t *frame, size_t len)
{
    struct codec_reader in = frame_begin(frame, len, WIRE_CONTROL);
    c->profile = codec_read8(&in);
    for (size_t i = 0; i < sizeof c->handle; i++)
        c->handle[i] = codec_read8(&in);
    return in.err;
}

int
wire_control_write(uint8_t *frame, size_t len, const struct wire_control *c)
{
    struct codec_writer out;
    codec_writer_init(&out, frame, len);
    codec_write8(&out, WIRE_CONTROL);
    codec_write8(&out, c->profile);
    codec_write_bytes(&out, c->handle, sizeof c->handle);
    return out.err;
}

int
wire_piece_parse(struct wire_piece *p, const uint8_t *frame, size_t len)
{
    struct codec_reader in = frame_begin(frame, len, WIRE_PIECE);
    p->time_ms = codec_read64(&in);
    p->epoch = codec_read32(&in);
    p->index = codec_read16(&in);
    p->count = codec_read16(&in);
    p->len = codec_read16(&in);
    p->data = codec_read_bytes(&in, p->len);
    if (in.err)
        return in.err;
    return p->index < p->count ? 0 : ERR_RANGE;
}

int
wire_piece_write(uint8_t *frame, size_t len, const struct wire_piece *p)
{
    struct codec_writer out;
    codec_writer_init(&out, frame, len);
    codec_write8(&out, WIRE_PIECE);
    codec_write64(&out, p->time_ms);
    codec_write32(&out, p->epoch);
    codec_write16(&out, p->index);
    codec_write16(&out, p->count);
    codec_write16(&out, p->len);
    codec_write_bytes(&out, p->data, p->len);
    return out.err;
}

int
wire_list_parse(struct wire_list *l, const uint8_t *frame, size_t len,
                size_t list_len)
{
    struct codec_reader in = frame_begin(frame, len, WIRE_LIST);
    l->list = codec_read_bytes(&in, list_len);
    l->len = list_len;
    return in.err;
}

int
wire_list_write(uint8_t *frame, size_t len, const struct wire_list *l)
{
    struct codec_writer out;
    codec_writer_init(&out, frame, len);
    codec_write8(&out, WIRE_LIST);
    codec_write_bytes(&out, l->list, l->len);
    return out.err;
}

int
wire_slice_parse(struct wire_slice *s, const uint8_t *rest, size_t rest_len)
{
    struct codec_reader in;
    *s = (struct wire_slice){.kind = WIRE_SLICE_NONE};
    codec_reader_init(&in, rest, rest_len);
    const uint8_t kind = codec_read8(&in);
    if (!in.err && kind > WIRE_SLICE_PART)
        in.err = ERR_FORMAT;
    if (in.err || kind == WIRE_SLICE_NONE)
        return in.err;
    s->interval = codec_read32(&in);
    s->board = codec_read8(&in);
    s->part = codec_read8(&in);
    s->len = wire_slice_data_len(rest_len);
    s->data = codec_read_bytes(&in, s->len);
    if (in.err || s->len == 0)
        return ERR_SHORT;
    if (s->board >= WIRE_BOARDS)
        return ERR_RANGE;
    s->kind = kind;
    return 0;
}

int
wire_slice_write(uint8_t *rest, size_t rest_len, const struct wire_slice *s)
{
    struct codec_writer out;
    codec_writer_init(&out, rest, rest_len);
    codec_write8(&out, s->kind);
    if (s->kind == WIRE_SLICE_NONE)
        return out.err;
    codec_write32(&out, s->interval);
    codec_write8(&out, s->board);
    codec_write8(&out, s->part);
    codec_write_bytes(&out, s->data, s->len);
    return out.err;
}
