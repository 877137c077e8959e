/* lib/wire.h - every byte on a link and inside a payload.
 *
 * Frame: exactly packet_len bytes, whatever is in it (I1). First byte:
 *   1 WIRE_PACKET   Sphinx packet (up, between relays); down to a client:
 *                   version 1 | SURB id 8 | mark 8 | payload | slice
 *   2 WIRE_CONTROL  client to gateway: type 1 | profile 1 | handle 8 | random
 *   3 WIRE_PIECE    gateway to client: type 1 | time 8 | epoch 4 | index 2
 *                   | count 2 | length 2 | data | random
 *   4 WIRE_LIST     between relays: type 1 | list of a board | random
 * A slice is a part of a list (network/list.h), or says that there is none:
 *   kind 1 | interval 4 | board 1 | part 1 | data, up to the frame's end
 * The mark of a frame up is its bytes 2..9, which belong to a packet's first
 * element or to the handle. The mark in a frame down is the mark of the last
 * frame that the gateway has read.
 *
 * Request body (geometry.body_len, then padded with random):
 *   kind 1 | slot 1 | held 2 | box 32 | work 16 | SURB surb_len
 *   | signature 64 | letter
 * where an announcement has token 16 | random 16 as its box and nonce 8 |
 * random 8 as its work.
 * Answer body:
 *   status 1 | slot 1 | full 2 | epoch 4 | digest 32 | time 8 | age 1
 *   | 4 times (interval 4 | root 16 | back 2) | letter
 * In both the letter has wire_letter_len() bytes, which is body_len -
 * WIRE_REQUEST_HEAD_LEN - surb_len - WIRE_SIGNATURE_LEN. */
#ifndef LIB_WIRE_H
#define LIB_WIRE_H
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

enum wire_frame_type {
    WIRE_PACKET = 1,
    WIRE_CONTROL = 2,
    WIRE_PIECE = 3,
    WIRE_LIST = 4
};
enum wire_request_kind {
    WIRE_PUT = 1,
    WIRE_GET = 2,
    WIRE_LOOP = 3,
    WIRE_ANNOUNCE = 4 /* answered as a loop is */
};
enum wire_slice_kind { WIRE_SLICE_NONE = 0, WIRE_SLICE_PART = 1 };

/* Status of an answer; length and time of the answer are the same for all. */
enum wire_status {
    WIRE_KEPT = 1,  /* put: committed to disk */
    WIRE_RETRY = 2, /* put: not committed in time */
    WIRE_TAKEN = 3, /* put: another letter is in this slot */
    WIRE_FULL = 4,  /* put: the store has no room, for anybody */
    WIRE_WORK =
        5, /* put: opening this box takes more work; its steps in slot */
    WIRE_LETTER = 6, /* get: here it is */
    WIRE_EMPTY = 7   /* get: nothing; loop; announcement */
};

enum {
    WIRE_BOX_LEN = 32,
    WIRE_WORK_LEN = 16,
    WIRE_SIGNATURE_LEN = 64,
    WIRE_BOX_SLOTS = 16,
    WIRE_TOKEN_LEN = 16, /* of an announcement, in the place of the box */
    WIRE_NONCE_LEN = 8,  /* its proof, in the place of the work */
    WIRE_BOARDS = 4,     /* of which an answer names the newest list */
    WIRE_ROOT_LEN = 16,
    WIRE_BACK_MOST = UINT16_MAX,
    WIRE_AGE_MAX_S = 240,   /* the age of an older letter is not told */
    WIRE_AGE_MOST = 254,    /* the highest age that is written */
    WIRE_AGE_UNKNOWN = 255, /* not known, or above WIRE_AGE_MAX_S */
    WIRE_REQUEST_HEAD_LEN = 1 + 1 + 2 + WIRE_BOX_LEN + WIRE_WORK_LEN,
    WIRE_ANSWER_HEAD_LEN =
        1 + 1 + 2 + 4 + 32 + 8 + 1 + WIRE_BOARDS * (4 + WIRE_ROOT_LEN + 2),
    WIRE_CONTROL_LEN = 1 + 1 + 8,
    WIRE_PIECE_HEAD_LEN = 1 + 8 + 4 + 2 + 2 + 2,
    WIRE_MARK_AT = 2,
    WIRE_MARK_LEN = 8,
    WIRE_DOWN_MARK_AT = 1 + 8,
    WIRE_DOWN_HEAD_LEN = 1 + 8 + WIRE_MARK_LEN,
    WIRE_LIST_HEAD_LEN = 1,
    WIRE_SLICE_HEAD_LEN = 1 + 4 + 1 + 1
};
/* These are what other implementations count with (doc/PROTOCOL.md). */
_Static_assert(WIRE_REQUEST_HEAD_LEN == 52, "kind, slot, held, box, work");
_Static_assert(WIRE_ANSWER_HEAD_LEN == 137,
               "status, slot, full, epoch, digest, time, age, four roots");
_Static_assert(WIRE_CONTROL_LEN == 10, "type, profile, handle");
_Static_assert(WIRE_PIECE_HEAD_LEN == 19,
               "type, time, epoch, index, count, length");
_Static_assert(WIRE_DOWN_HEAD_LEN == 17, "version, SURB id, mark");
_Static_assert(WIRE_MARK_AT + WIRE_MARK_LEN <= WIRE_CONTROL_LEN,
               "the mark of a control frame is its handle");
_Static_assert(WIRE_SLICE_HEAD_LEN == 7, "kind, interval, board, part");
_Static_assert(WIRE_TOKEN_LEN <= WIRE_BOX_LEN, "a token stands in the box");
_Static_assert(WIRE_NONCE_LEN <= WIRE_WORK_LEN, "a nonce stands in the work");
_Static_assert(WIRE_AGE_MAX_S <= WIRE_AGE_MOST, "every age told has a byte");

struct wire_request {
    uint8_t kind;
    uint8_t slot; /* put: where; get: the first wanted slot from here on, going
                     round, is served */
    uint16_t held;
    /* Pointers into the body. box: the public key of the box for a put
     * (network/box.h), the token for an announcement, else the id of the box;
     * signature: of a put, else random. Of an announcement a writer takes
     * WIRE_TOKEN_LEN bytes of box and WIRE_NONCE_LEN bytes of work, and leaves
     * the other bytes of both fields as they are. */
    const uint8_t *box, *work, *surb, *signature, *letter;
};

/* The newest list that a store has of the board with this index: the list of
 * the highest interval. The interval tells the epoch, whose consensus need not
 * be the newest, since stores have the newest consensus before that begins. */
struct wire_root {
    uint32_t interval; /* 0: none, and root and back are random */
    const uint8_t *root;
    uint16_t back; /* the store has all lists that this one leads back to, of
                      so many intervals; WIRE_BACK_MOST: from the first on */
};

struct wire_answer {
    uint8_t status, slot;
    uint16_t full;  /* slots taken, get and put */
    uint32_t epoch; /* newest the store knows */
    const uint8_t *digest;
    uint64_t arrived_ms; /* the request, by the store's wall clock */
    uint8_t age; /* of a letter: seconds since its commit, or WIRE_AGE_UNKNOWN;
                    of all else WIRE_AGE_UNKNOWN (random on the wire) */
    struct wire_root root[WIRE_BOARDS]; /* by the board's index in its epoch */
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

/* A list on its way between relays. */
struct wire_list {
    const uint8_t *list;
    size_t len;
};

/* What comes down beside an answer or a dummy. */
struct wire_slice {
    uint8_t kind; /* enum wire_slice_kind; NONE: nothing else is set */
    uint32_t interval;
    uint8_t board; /* index, below WIRE_BOARDS */
    uint8_t part;
    const uint8_t *data; /* wire_slice_data_len(), of the last part padded */
    size_t len; /* write: at most that many, what is left stays random */
};

/* Return the room for a slice in a frame of packet_len bytes: the slice follows
 * the payload, at WIRE_DOWN_HEAD_LEN + payload_len. */
static inline size_t
wire_slice_room(size_t packet_len, size_t payload_len)
{
    const size_t head = WIRE_DOWN_HEAD_LEN + payload_len;
    return packet_len > head ? packet_len - head : 0;
}

/* Return how many bytes of a list go into a slice that has this room; 301 by
 * default. */
static inline size_t
wire_slice_data_len(size_t room)
{
    return room > WIRE_SLICE_HEAD_LEN ? room - WIRE_SLICE_HEAD_LEN : 0;
}

/* Return in how many parts a list of list_len bytes comes, in slices that have
 * this room; 0 when there is room for none. */
static inline size_t
wire_slice_parts(size_t list_len, size_t room)
{
    const size_t each = wire_slice_data_len(room);
    return each > 0 ? (list_len + each - 1) / each : 0;
}

/* Return the length of a letter in a body of body_len bytes; 0 if the body is
 * too short. */
static inline size_t
wire_letter_len(size_t body_len, size_t surb_len)
{
    size_t head = WIRE_REQUEST_HEAD_LEN + surb_len + WIRE_SIGNATURE_LEN;
    return body_len > head ? body_len - head : 0;
}

/* Parse body or frame into a structure whose pointers go into the input; or
 * write a structure to body or frame. Both return 0, ERR_FORMAT, ERR_SHORT,
 * ERR_RANGE; a writer also ERR_LONG. Writers fill the fields only: the caller
 * has filled the buffer with random bytes before (padding is never zeros). A
 * letter, signature, SURB or work that is NULL stays as it stands in the body.
 */
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

/* Parse or write a list on its way between relays. All lists of a consensus
 * have list_len bytes (network/list.h). */
int wire_list_parse(struct wire_list *l, const uint8_t *frame, size_t len,
                    size_t list_len) CHECK_RESULT;
int wire_list_write(uint8_t *frame, size_t len,
                    const struct wire_list *l) CHECK_RESULT;

/* Parse or write the slice at rest, the wire_slice_room() bytes after the
 * payload. */
int wire_slice_parse(struct wire_slice *s, const uint8_t *rest,
                     size_t rest_len) CHECK_RESULT;
int wire_slice_write(uint8_t *rest, size_t rest_len,
                     const struct wire_slice *s) CHECK_RESULT;
#endif
