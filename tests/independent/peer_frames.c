/* tests/independent/peer_frames.c - frames, requests' and answers' bodies
 * (PROTOCOL.md 4 and 5). Makers write over bytes that the request gives. */
#include "lib/wire.h"
#include "tests/independent/peer.h"

static int
control_make(struct peer *p)
{
    size_t len;
    struct wire_control c = {
        .profile = (uint8_t)peer_get_number(p, "profile", UINT8_MAX)};
    const uint8_t *handle = peer_get_exact(p, "handle", sizeof c.handle);
    uint8_t *frame = peer_get_bytes(p, "over", &len);
    for (size_t i = 0; i < sizeof c.handle; i++)
        c.handle[i] = handle[i];
    int err = wire_control_write(frame, len, &c);
    if (!err)
        peer_say_bytes(p, "frame", frame, len);
    return err;
}

static int
control_read(struct peer *p)
{
    size_t len;
    struct wire_control c;
    const uint8_t *frame = peer_get_bytes(p, "frame", &len);
    int err = wire_control_parse(&c, frame, len);
    if (err)
        return err;
    peer_say_number(p, "profile", c.profile);
    peer_say_bytes(p, "handle", c.handle, sizeof c.handle);
    peer_say_bytes(p, "mark", frame + WIRE_MARK_AT, WIRE_MARK_LEN);
    return 0;
}

static int
piece_make(struct peer *p)
{
    size_t len, data_len;
    struct wire_piece piece = {
        .time_ms = peer_get_number(p, "time_ms", INT64_MAX),
        .epoch = (uint32_t)peer_get_number(p, "epoch", UINT32_MAX),
        .index = (uint16_t)peer_get_number(p, "index", UINT16_MAX),
        .count = (uint16_t)peer_get_number(p, "count", UINT16_MAX),
        .data = peer_get_bytes(p, "data", &data_len)};
    uint8_t *frame = peer_get_bytes(p, "over", &len);
    piece.len = (uint16_t)data_len;
    int err = wire_piece_write(frame, len, &piece);
    if (!err)
        peer_say_bytes(p, "frame", frame, len);
    return err;
}

static int
piece_read(struct peer *p)
{
    size_t len;
    struct wire_piece piece;
    const uint8_t *frame = peer_get_bytes(p, "frame", &len);
    int err = wire_piece_parse(&piece, frame, len);
    if (err)
        return err;
    peer_say_number(p, "time_ms", piece.time_ms);
    peer_say_number(p, "epoch", piece.epoch);
    peer_say_number(p, "index", piece.index);
    peer_say_number(p, "count", piece.count);
    peer_say_bytes(p, "data", piece.data, piece.len);
    return 0;
}

static int
list_frame_make(struct peer *p)
{
    size_t len;
    struct wire_list l;
    l.list = peer_get_bytes(p, "list", &l.len);
    uint8_t *frame = peer_get_bytes(p, "over", &len);
    int err = wire_list_write(frame, len, &l);
    if (!err)
        peer_say_bytes(p, "frame", frame, len);
    return err;
}

static int
list_frame_read(struct peer *p)
{
    size_t len;
    struct wire_list l;
    const uint8_t *frame = peer_get_bytes(p, "frame", &len);
    int err = wire_list_parse(&l, frame, len,
                              peer_get_number(p, "list_len", UINT16_MAX));
    if (!err)
        peer_say_bytes(p, "list", l.list, l.len);
    return err;
}

static int
slice_make(struct peer *p)
{
    size_t len, data_len;
    struct wire_slice s = {
        .kind = (uint8_t)peer_get_number(p, "kind", UINT8_MAX),
        .interval = (uint32_t)peer_get_number(p, "interval", UINT32_MAX),
        .board = (uint8_t)peer_get_number(p, "board", UINT8_MAX),
        .part = (uint8_t)peer_get_number(p, "part", UINT8_MAX),
        .data = peer_get_bytes(p, "data", &data_len)};
    uint8_t *rest = peer_get_bytes(p, "over", &len);
    s.len = data_len;
    int err = wire_slice_write(rest, len, &s);
    if (!err)
        peer_say_bytes(p, "slice", rest, len);
    return err;
}

static int
slice_read(struct peer *p)
{
    size_t len;
    struct wire_slice s;
    const uint8_t *rest = peer_get_bytes(p, "slice", &len);
    int err = wire_slice_parse(&s, rest, len);
    if (err)
        return err;
    peer_say_number(p, "kind", s.kind);
    if (s.kind == WIRE_SLICE_NONE)
        return 0;
    peer_say_number(p, "interval", s.interval);
    peer_say_number(p, "board", s.board);
    peer_say_number(p, "part", s.part);
    peer_say_bytes(p, "data", s.data, s.len);
    return 0;
}

/* Where things lie in frames down, and how many parts a list has. */
static int
lengths(struct peer *p)
{
    size_t packet_len = peer_get_number(p, "packet_len", UINT16_MAX);
    size_t payload_len = peer_get_number(p, "payload_len", UINT16_MAX);
    size_t room = wire_slice_room(packet_len, payload_len);
    peer_say_number(p, "room", room);
    peer_say_number(p, "data_len", wire_slice_data_len(room));
    peer_say_number(
        p, "parts",
        wire_slice_parts(peer_get_number(p, "list_len", UINT16_MAX), room));
    peer_say_number(
        p, "letter_len",
        wire_letter_len(peer_get_number(p, "body_len", UINT16_MAX),
                        peer_get_number(p, "surb_len", UINT16_MAX)));
    peer_say_number(p, "mark_at", WIRE_DOWN_MARK_AT);
    peer_say_number(p, "payload_at", WIRE_DOWN_HEAD_LEN);
    return 0;
}

/* Read bytes that a maker may leave out. */
static const uint8_t *
bytes_or_null(struct peer *p, const char *key)
{
    size_t len;
    return peer_has(p, key) ? peer_get_bytes(p, key, &len) : NULL;
}

static int
request_body_make(struct peer *p)
{
    size_t len, surb_len;
    struct wire_request r = {
        .kind = (uint8_t)peer_get_number(p, "kind", UINT8_MAX),
        .slot = (uint8_t)peer_get_number(p, "slot", UINT8_MAX),
        .held = (uint16_t)peer_get_number(p, "held", UINT16_MAX),
        .box = bytes_or_null(p, "box"),
        .work = bytes_or_null(p, "work"),
        .surb = peer_get_bytes(p, "surb", &surb_len),
        .signature = bytes_or_null(p, "signature"),
        .letter = bytes_or_null(p, "letter")};
    uint8_t *body = peer_get_bytes(p, "over", &len);
    int err = wire_request_write(body, len, surb_len, &r);
    if (!err)
        peer_say_bytes(p, "body", body, len);
    return err;
}

static int
request_body_read(struct peer *p)
{
    size_t len, surb_len = peer_get_number(p, "surb_len", UINT16_MAX);
    struct wire_request r;
    const uint8_t *body = peer_get_bytes(p, "body", &len);
    int err = wire_request_parse(&r, body, len, surb_len);
    if (err)
        return err;
    peer_say_number(p, "kind", r.kind);
    peer_say_number(p, "slot", r.slot);
    peer_say_number(p, "held", r.held);
    peer_say_bytes(p, "box", r.box, WIRE_BOX_LEN);
    peer_say_bytes(p, "work", r.work, WIRE_WORK_LEN);
    peer_say_bytes(p, "surb", r.surb, surb_len);
    peer_say_bytes(p, "signature", r.signature, WIRE_SIGNATURE_LEN);
    peer_say_bytes(p, "letter", r.letter, wire_letter_len(len, surb_len));
    return 0;
}

static int
answer_body_make(struct peer *p)
{
    size_t len, surb_len = peer_get_number(p, "surb_len", UINT16_MAX);
    struct wire_answer a = {
        .status = (uint8_t)peer_get_number(p, "status", UINT8_MAX),
        .slot = (uint8_t)peer_get_number(p, "slot", UINT8_MAX),
        .full = (uint16_t)peer_get_number(p, "full", UINT16_MAX),
        .epoch = (uint32_t)peer_get_number(p, "epoch", UINT32_MAX),
        .digest = peer_get_exact(p, "digest", 32),
        .arrived_ms = peer_get_number(p, "arrived_ms", INT64_MAX),
        .age = (uint8_t)peer_get_number(p, "age", UINT8_MAX),
        .letter = bytes_or_null(p, "letter")};
    const json_t *roots = peer_get_list(p, "roots");
    for (size_t i = 0; i < WIRE_BOARDS; i++) {
        const json_t *root = json_array_get(roots, i);
        uint8_t *bytes = peer_alloc(p, WIRE_ROOT_LEN);
        peer_unhex(root, "root", bytes, WIRE_ROOT_LEN);
        a.root[i].root = bytes;
        a.root[i].interval =
            (uint32_t)json_integer_value(json_object_get(root, "interval"));
        a.root[i].back =
            (uint16_t)json_integer_value(json_object_get(root, "back"));
    }
    uint8_t *body = peer_get_bytes(p, "over", &len);
    int err = wire_answer_write(body, len, surb_len, &a);
    if (!err)
        peer_say_bytes(p, "body", body, len);
    return err;
}

static int
answer_body_read(struct peer *p)
{
    size_t len, surb_len = peer_get_number(p, "surb_len", UINT16_MAX);
    struct wire_answer a;
    const uint8_t *body = peer_get_bytes(p, "body", &len);
    int err = wire_answer_parse(&a, body, len, surb_len);
    if (err)
        return err;
    peer_say_number(p, "status", a.status);
    peer_say_number(p, "slot", a.slot);
    peer_say_number(p, "full", a.full);
    peer_say_number(p, "epoch", a.epoch);
    peer_say_bytes(p, "digest", a.digest, 32);
    peer_say_number(p, "arrived_ms", a.arrived_ms);
    peer_say_number(p, "age", a.age);
    json_t *roots = json_array();
    for (size_t i = 0; i < WIRE_BOARDS; i++) {
        const struct wire_root *r = &a.root[i];
        const int is_there = r->interval != 0;
        json_array_append_new(
            roots,
            json_pack("{s:I, s:o, s:i}", "interval", (json_int_t)r->interval,
                      "root", peer_hex(r->root, is_there ? WIRE_ROOT_LEN : 0),
                      "back", is_there ? r->back : 0));
    }
    peer_say(p, "roots", roots);
    peer_say_bytes(p, "letter", a.letter, wire_letter_len(len, surb_len));
    return 0;
}

const struct peer_command peer_frames[] = {
    {"control_make", control_make},
    {"control_read", control_read},
    {"piece_make", piece_make},
    {"piece_read", piece_read},
    {"list_frame_make", list_frame_make},
    {"list_frame_read", list_frame_read},
    {"slice_make", slice_make},
    {"slice_read", slice_read},
    {"lengths", lengths},
    {"request_body_make", request_body_make},
    {"request_body_read", request_body_read},
    {"answer_body_make", answer_body_make},
    {"answer_body_read", answer_body_read},
    {NULL, NULL},
};
