/* lib/wire.h - every byte on a link and inside a payload; one screen.
 *
 * Frame: exactly packet_len bytes, whatever is in it (I1). First byte:
 *   1 WIRE_PACKET   Sphinx packet (up, between relays); down to a client:
 *                   version 1 | SURB id 8 | mark 8 | payload | random
 *   2 WIRE_CONTROL  client to gateway: type 1 | profile 1 | handle 8 | random
 *   3 WIRE_PIECE    gateway to client: type 1 | time 8 | epoch 4 | index 2
 *                   | count 2 | length 2 | data | random
 * The mark of a frame up is its bytes 2..9: of a packet's first element, or the
 * handle. Down, it is that of the last frame that the gateway has read.
 *
 * Request body (geometry.body_len, then padded with random):
 *   kind 1 | slot 1 | held 2 | box 32 | work 16 | SURB surb_len | letter
 * Answer body:
 *   status 1 | slot 1 | full 2 | epoch 4 | digest 32 | time 8 | letter
 * The letter has body_len - WIRE_REQUEST_HEAD_LEN - surb_len bytes in both. */
#ifndef LIB_WIRE_H
#define LIB_WIRE_H
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

enum wire_frame_type { WIRE_PACKET = 1, WIRE_CONTROL = 2, WIRE_PIECE = 3 };
enum wire_request_kind { WIRE_PUT = 1, WIRE_GET = 2, WIRE_LOOP = 3 };

/* Status of an answer; the same length and time whatever it says. */
enum wire_status {
    WIRE_KEPT = 1,  /* put: committed to disk */
    WIRE_RETRY = 2, /* put: not committed in time */
    WIRE_TAKEN = 3, /* put: another letter is in this slot */
    WIRE_FULL = 4,  /* put: the store has no room, for anybody */
    WIRE_WORK =
        5, /* put: opening this box takes more work; its steps in slot */
    WIRE_LETTER = 6, /* get: here it is */
    WIRE_EMPTY = 7   /* get: nothing; loop */
};

enum {
    WIRE_BOX_LEN = 32,
    WIRE_WORK_LEN = 16,
    WIRE_SIGNATURE_LEN = 64,
    WIRE_BOX_SLOTS = 16,
    WIRE_REQUEST_HEAD_LEN = 1 + 1 + 2 + WIRE_BOX_LEN + WIRE_WORK_LEN,
    WIRE_ANSWER_HEAD_LEN = 1 + 1 + 2 + 4 + 32 + 8,
    WIRE_CONTROL_LEN = 1 + 1 + 8,
    WIRE_PIECE_HEAD_LEN = 1 + 8 + 4 + 2 + 2 + 2,
    WIRE_MARK_AT = 2,
    WIRE_MARK_LEN = 8,
    WIRE_DOWN_MARK_AT = 1 + 8,
    WIRE_DOWN_HEAD_LEN = 1 + 8 + WIRE_MARK_LEN
};

struct wire_request {
    uint8_t kind, slot;
    uint16_t held;
    /* into the body; box: of a put the public key of the box (network/box.h), of
     * others its id; signature: of a put, else random */
    const uint8_t *box, *work, *surb, *signature, *letter;
};

struct wire_answer {
    uint8_t status, slot;
    uint16_t full;  /* slots taken, get and put */
    uint32_t epoch; /* newest the store knows */
    const uint8_t *digest;
    uint64_t arrived_ms; /* the request, by the store's wall clock */
    const uint8_t *letter;
};

struct wire_control {
    uint8_t profile; /* index in the consensus */
    uint8_t handle[8];
};

struct wire_piece {
    uint64_t time_ms; /* the gateway's wall clock */
    uint32_t epoch;
    uint16_t index, count, len;
    const uint8_t *data;
};

/* Letter length of a network; 0 if the body is too short. */
static inline size_t
wire_letter_len(size_t body_len, size_t surb_len)
{
    size_t head = WIRE_REQUEST_HEAD_LEN + surb_len + WIRE_SIGNATURE_LEN;
    return body_len > head ? body_len - head : 0;
}

/* Parsers: pointers in the result go into the input. Return 0, ERR_FORMAT,
 * ERR_SHORT or ERR_RANGE. Writers fill the fields only; the caller has filled
 * the buffer with random bytes before (padding is never zeros). A letter,
 * signature, SURB or work that is NULL is left as it stands in the body. */
int wire_request_parse(struct wire_request *r, const uint8_t *body,
                       size_t body_len, size_t surb_len) CHECK_RESULT;
int wire_request_write(uint8_t *body, size_t body_len, size_t surb_len,
                       const struct wire_request *r) CHECK_RESULT;
int wire_answer_parse(struct wire_answer *a, const uint8_t *body,
                      size_t body_len, size_t surb_len) CHECK_RESULT;
int wire_answer_write(uint8_t *body, size_t body_len, size_t surb_len,
                      const struct wire_answer *a) CHECK_RESULT;
int wire_control_parse(struct wire_control *c, const uint8_t *frame,
                       size_t len) CHECK_RESULT;
int wire_control_write(uint8_t *frame, size_t len,
                       const struct wire_control *c) CHECK_RESULT;
int wire_piece_parse(struct wire_piece *p, const uint8_t *frame,
                     size_t len) CHECK_RESULT;
int wire_piece_write(uint8_t *frame, size_t len,
                     const struct wire_piece *p) CHECK_RESULT;
#endif
