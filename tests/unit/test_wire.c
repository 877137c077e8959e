/* tests/unit/test_wire.c - the formats inside payloads and on client links. */
#include "tests/runner.h"

#include <string.h>

#include "lib/rng_seeded.h"
#include "lib/wire.h"

enum { BODY = 1707, SURB = 359, LETTER = 1232, FRAME = 2048 };

static void
request_round_trip(void **state)
{
    (void)state;
    uint8_t body[BODY], box[32], work[16], surb[SURB], letter[LETTER],
        signature[WIRE_SIGNATURE_LEN];
    struct rng_seeded rng;
    rng_seeded_init_u64(&rng, test_seed(), "wire request");
    assert_int_equal(wire_letter_len(BODY, SURB), LETTER);
    for (uint8_t kind = WIRE_PUT; kind <= WIRE_ANNOUNCE; kind++) {
        uint8_t padding[WIRE_BOX_LEN + WIRE_WORK_LEN];
        rng_seeded_bytes(&rng, body, sizeof body);
        memcpy(padding, body + 4, sizeof padding);
        rng_seeded_bytes(&rng, box, sizeof box);
        rng_seeded_bytes(&rng, work, sizeof work);
        rng_seeded_bytes(&rng, surb, sizeof surb);
        rng_seeded_bytes(&rng, signature, sizeof signature);
        rng_seeded_bytes(&rng, letter, sizeof letter);
        struct wire_request in, out = {.kind = kind,
                                       .slot = 15,
                                       .held = 0x8001,
                                       .box = box,
                                       .work = work,
                                       .surb = surb,
                                       .signature = signature,
                                       .letter = letter};
        assert_int_equal(wire_request_write(body, BODY, SURB, &out), 0);
        assert_int_equal(wire_request_parse(&in, body, BODY, SURB), 0);
        assert_int_equal(in.kind, kind);
        if (kind == WIRE_PUT || kind == WIRE_GET)
            assert_int_equal(in.slot, 15);
        if (kind == WIRE_GET)
            assert_int_equal(in.held, 0x8001);
        if (kind == WIRE_ANNOUNCE) { /* what is no token or nonce is random */
            memcpy(box + 16, padding + 16, 16);
            memcpy(work + 8, padding + 32 + 8, 8);
        }
        assert_memory_equal(in.box, box, 32);
        assert_memory_equal(in.work, work, 16);
        assert_memory_equal(in.surb, surb, SURB);
        assert_memory_equal(in.signature, signature, sizeof signature);
        assert_memory_equal(in.letter, letter, LETTER);
        assert_ptr_equal(in.letter + LETTER, body + BODY);
    }
}

static void
request_refusals(void **state)
{
    (void)state;
    uint8_t body[BODY] = {0};
    struct wire_request r;
    assert_int_equal(wire_request_parse(&r, body, BODY, SURB), ERR_FORMAT);
    body[0] = WIRE_ANNOUNCE + 1;
    assert_int_equal(wire_request_parse(&r, body, BODY, SURB), ERR_FORMAT);
    body[0] = WIRE_PUT;
    body[1] = 16;
    assert_int_equal(wire_request_parse(&r, body, BODY, SURB), ERR_RANGE);
    body[0] = WIRE_GET;
    assert_int_equal(wire_request_parse(&r, body, BODY, SURB), ERR_RANGE);
    body[0] = WIRE_LOOP; /* the slot of a loop is random */
    assert_int_equal(wire_request_parse(&r, body, BODY, SURB), 0);
    body[0] = WIRE_ANNOUNCE;
    assert_int_equal(wire_request_parse(&r, body, BODY, SURB), 0);
    for (size_t len = 0; len <= 52 + SURB; len++)
        assert_int_equal(wire_request_parse(&r, body, len, SURB), ERR_SHORT);
    assert_int_equal(wire_request_write(body, 52 + SURB, SURB, &r), ERR_SHORT);
}

static void
answer_round_trip_and_refusals(void **state)
{
    (void)state;
    uint8_t body[BODY], digest[32], letter[LETTER], root[2][WIRE_ROOT_LEN];
    struct rng_seeded rng;
    rng_seeded_init_u64(&rng, test_seed(), "wire answer");
    rng_seeded_bytes(&rng, root, sizeof root);
    rng_seeded_bytes(&rng, body, sizeof body);
    rng_seeded_bytes(&rng, digest, sizeof digest);
    rng_seeded_bytes(&rng, letter, sizeof letter);
    struct wire_answer in, out = {.status = WIRE_LETTER,
                                  .slot = 15,
                                  .full = 0xfedc,
                                  .epoch = 0x01020304,
                                  .digest = digest,
                                  .arrived_ms = 0x0102030405060708,
                                  .age = 253,
                                  .root = {{0x0a0b0c0d, root[0], 0x0e0f},
                                           /* none: not written */
                                           {0, root[1], 7},
                                           {0, NULL, 0},
                                           {1, root[1], WIRE_BACK_MOST}},
                                  .letter = letter};
    assert_int_equal(wire_answer_write(body, BODY, SURB, &out), 0);
    assert_int_equal(wire_answer_parse(&in, body, BODY, SURB), 0);
    assert_int_equal(in.slot, 15);
    assert_int_equal(in.full, 0xfedc);
    assert_int_equal(in.epoch, 0x01020304);
    assert_true(in.arrived_ms == out.arrived_ms);
    assert_memory_equal(in.digest, digest, 32);
    assert_memory_equal(in.letter, letter, LETTER);
    assert_int_equal(in.age, 253);
    assert_int_equal(in.root[0].interval, 0x0a0b0c0d);
    assert_memory_equal(in.root[0].root, root[0], WIRE_ROOT_LEN);
    assert_int_equal(in.root[0].back, 0x0e0f);
    assert_int_equal(in.root[1].interval, 0);
    assert_memory_not_equal(in.root[1].root, root[1], WIRE_ROOT_LEN);
    assert_int_equal(in.root[3].interval, 1);
    assert_memory_equal(in.root[3].root, root[1], WIRE_ROOT_LEN);
    assert_int_equal(in.root[3].back, WIRE_BACK_MOST);
    assert_ptr_equal(in.letter, body + WIRE_ANSWER_HEAD_LEN);
    out.status = WIRE_EMPTY; /* nothing has an age: the byte is left random */
    out.age = 7;
    assert_int_equal(wire_answer_write(body, BODY, SURB, &out), 0);
    assert_int_equal(body[48], 253);
    assert_int_equal(wire_answer_parse(&in, body, BODY, SURB), 0);
    assert_int_equal(in.age, WIRE_AGE_UNKNOWN);
    body[0] = WIRE_LETTER;
    body[1] = 16;
    assert_int_equal(wire_answer_parse(&in, body, BODY, SURB), ERR_RANGE);
    body[0] = 0;
    assert_int_equal(wire_answer_parse(&in, body, BODY, SURB), ERR_FORMAT);
    body[0] = WIRE_EMPTY + 1;
    assert_int_equal(wire_answer_parse(&in, body, BODY, SURB), ERR_FORMAT);
    assert_int_equal(wire_answer_parse(&in, body, 100, SURB), ERR_SHORT);
    assert_int_equal(wire_answer_write(body, 100, SURB, &out), ERR_SHORT);
}

static void
control_round_trip_and_refusals(void **state)
{
    (void)state;
    uint8_t frame[FRAME] = {0};
    struct wire_control in,
        out = {.profile = 2, .handle = {1, 2, 3, 4, 5, 6, 7, 8}};
    assert_int_equal(wire_control_parse(&in, frame, FRAME), ERR_FORMAT);
    for (size_t len = 0; len < WIRE_CONTROL_LEN; len++)
        assert_int_equal(wire_control_write(frame, len, &out), ERR_LONG);
    assert_int_equal(wire_control_write(frame, FRAME, &out), 0);
    for (size_t len = 0; len < WIRE_CONTROL_LEN; len++)
        assert_int_equal(wire_control_parse(&in, frame, len), ERR_SHORT);
    assert_int_equal(wire_control_parse(&in, frame, FRAME), 0);
    assert_int_equal(in.profile, 2);
    assert_memory_equal(in.handle, out.handle, 8);
}

static void
piece_round_trip_and_refusals(void **state)
{
    (void)state;
    uint8_t frame[FRAME] = {0}, data[FRAME] = {7};
    struct wire_piece in, out = {.epoch = 9,
                                 .index = 1,
                                 .count = 2,
                                 .len = FRAME - WIRE_PIECE_HEAD_LEN,
                                 .data = data};
    assert_int_equal(wire_piece_parse(&in, frame, FRAME), ERR_FORMAT);
    assert_int_equal(wire_piece_write(frame, FRAME, &out), 0);
    assert_int_equal(wire_piece_parse(&in, frame, FRAME), 0);
    assert_int_equal(in.epoch, 9);
    assert_int_equal(in.len, out.len);
    assert_memory_equal(in.data, data, in.len);
    for (size_t len = 0; len < FRAME; len++)
        assert_int_equal(wire_piece_parse(&in, frame, len), ERR_SHORT);
    out.len++;
    assert_int_equal(wire_piece_write(frame, FRAME, &out), ERR_LONG);
    out.len = 0;
    out.index = 2; /* counted from 0 */
    assert_int_equal(wire_piece_write(frame, FRAME, &out), 0);
    assert_int_equal(wire_piece_parse(&in, frame, FRAME), ERR_RANGE);
}

static void
list_frames_and_slices(void **state)
{
    (void)state;
    enum { LIST = 285, PAYLOAD = 1723, ROOM = 308 };
    uint8_t frame[FRAME], list[LIST], before[ROOM];
    uint8_t *rest = frame + FRAME - ROOM;
    struct rng_seeded rng;
    struct wire_list l = {list, LIST};
    struct wire_slice s = {.kind = WIRE_SLICE_PART,
                           .interval = 0x01020304,
                           .board = 3,
                           .part = 255,
                           .data = list},
                      in;
    rng_seeded_init_u64(&rng, test_seed(), "wire list");
    rng_seeded_bytes(&rng, frame, sizeof frame);
    rng_seeded_bytes(&rng, list, sizeof list);
    memcpy(before, rest, ROOM);
    assert_int_equal(wire_list_write(frame, FRAME, &l), 0);
    assert_memory_equal(rest, before, ROOM); /* padding stays */
    l = (struct wire_list){0};
    assert_int_equal(wire_list_parse(&l, frame, FRAME, LIST), 0);
    assert_int_equal(l.len, LIST);
    assert_memory_equal(l.list, list, LIST);
    assert_int_equal(wire_list_parse(&l, frame, LIST, LIST), ERR_SHORT);
    frame[0] = WIRE_PACKET;
    assert_int_equal(wire_list_parse(&l, frame, FRAME, LIST), ERR_FORMAT);

    assert_int_equal(wire_slice_room(FRAME, PAYLOAD), ROOM);
    assert_int_equal(wire_slice_data_len(ROOM), 301);
    assert_int_equal(wire_slice_parts(301, ROOM), 1);
    assert_int_equal(wire_slice_parts(302, ROOM), 2);
    assert_int_equal(wire_slice_parts(302, WIRE_SLICE_HEAD_LEN), 0);
    assert_int_equal(wire_slice_room(PAYLOAD, PAYLOAD), 0);
    s.len = LIST;
    assert_int_equal(wire_slice_write(rest, ROOM, &s), 0);
    assert_memory_equal(rest + 7 + LIST, before + 7 + LIST, 301 - LIST);
    assert_int_equal(wire_slice_parse(&in, rest, ROOM), 0);
    assert_true(in.kind == WIRE_SLICE_PART && in.interval == 0x01020304 &&
                in.board == 3 && in.part == 255 && in.len == 301);
    assert_ptr_equal(in.data, rest + 7);
    assert_memory_equal(in.data, list, LIST);
    for (size_t len = 0; len <= WIRE_SLICE_HEAD_LEN; len++)
        assert_int_equal(wire_slice_parse(&in, rest, len), ERR_SHORT);
    s.len = 302;
    assert_int_equal(wire_slice_write(rest, ROOM, &s), ERR_LONG);
    rest[5] = WIRE_BOARDS;
    assert_int_equal(wire_slice_parse(&in, rest, ROOM), ERR_RANGE);
    rest[0] = WIRE_SLICE_PART + 1;
    assert_int_equal(wire_slice_parse(&in, rest, ROOM), ERR_FORMAT);
    s.kind = WIRE_SLICE_NONE; /* nothing else is looked at or written */
    memcpy(before, rest, ROOM);
    assert_int_equal(wire_slice_write(rest, ROOM, &s), 0);
    assert_memory_equal(rest + 1, before + 1, ROOM - 1);
    assert_int_equal(wire_slice_parse(&in, rest, ROOM), 0);
    assert_true(in.kind == WIRE_SLICE_NONE && !in.data);
}

/* 200,000 random bodies and frames of random length: an error or pointers
 * into the input, never a read past its end (the buffers end at the heap's). */
static void
random_input_is_refused_or_inside(void **state)
{
    (void)state;
    struct rng_seeded rng;
    uint8_t body[BODY];
    unsigned accepted = 0;
    rng_seeded_init_u64(&rng, test_seed(), "wire random");
    rng_seeded_bytes(&rng, body, sizeof body);
    for (int i = 0; i < 200000; i++) {
        struct wire_request r;
        struct wire_answer a;
        struct wire_control c;
        struct wire_piece p;
        struct wire_list l;
        struct wire_slice s;
        rng_seeded_bytes(&rng, body, 12);
        body[0] &= 7; /* so that half of them reach the inner fields */
        size_t len = rng_seeded_u64(&rng) % (BODY + 1);
        if (i & 1)
            len = BODY;
        if (wire_request_parse(&r, body, len, SURB) == 0) {
            assert_true(r.letter + wire_letter_len(len, SURB) == body + len);
            accepted++;
        }
        if (wire_answer_parse(&a, body, len, SURB) == 0)
            assert_true(a.letter + wire_letter_len(len, SURB) <= body + len);
        if (wire_piece_parse(&p, body, len) == 0)
            assert_true(p.data + p.len <= body + len && p.index < p.count);
        (void)!wire_control_parse(&c, body, len);
        if (wire_list_parse(&l, body, len, 285) == 0)
            assert_true(l.list + l.len <= body + len);
        if (wire_slice_parse(&s, body, len) == 0 && s.kind)
            assert_true(s.data + s.len == body + len);
    }
    assert_true(accepted > 1000);
}

const struct CMUnitTest test_wire[] = {
    cmocka_unit_test(request_round_trip),
    cmocka_unit_test(request_refusals),
    cmocka_unit_test(answer_round_trip_and_refusals),
    cmocka_unit_test(control_round_trip_and_refusals),
    cmocka_unit_test(piece_round_trip_and_refusals),
    cmocka_unit_test(list_frames_and_slices),
    cmocka_unit_test(random_input_is_refused_or_inside),
};
TEST_SUITE(test_wire);
