/* relay/downlink.h - what a gateway sends to one client, and when (I1, I2).
 *
 * A clock of constant interval: each tick takes the oldest waiting answer,
 * else a dummy; ticks that could not be kept are skipped, never caught up. A
 * second constant clock carries the consensus in equal pieces, the same number
 * for every client. Nothing here depends on what the client does but the start:
 * the first clock runs from the client's control frame on, in the profile that
 * the frame names, the second from the connection on. */
#ifndef RELAY_DOWNLINK_H
#define RELAY_DOWNLINK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

enum {
    DOWNLINK_HANDLES = 3,   /* the newest are kept */
    DOWNLINK_QUEUE_MAX = 64 /* answers waiting; more are dropped */
};

/* One client's state; a value in the gateway's table. Zeroed memory is a
 * client that has only just connected. */
struct downlink {
    uint64_t next_us;  /* tick of the answers' clock; 0 not running */
    uint64_t piece_us; /* tick of the pieces' clock; 0 not running */
    uint32_t interval_us;
    uint16_t piece; /* next to be sent */
    uint8_t n_handles, newest_handle;
    uint8_t queue_head, queue_count;
    uint8_t handle[DOWNLINK_HANDLES][8];
    uint32_t queue[DOWNLINK_QUEUE_MAX]; /* the gateway's packet numbers */
};

/* Take a control frame that came at now_us: remember the handle; start the
 * answers' clock at a uniform point of the first interval_us (phase: 64 random
 * bits), or change the clock's interval when the profile changed. */
void downlink_control(struct downlink *d, const uint8_t handle[static 8],
                      uint32_t interval_us, uint64_t now_us, uint64_t phase);

/* Tell whether this is one of the client's handles. */
bool downlink_has_handle(const struct downlink *d,
                         const uint8_t handle[static 8]);

/* Queue the answer with this packet number. Returns 0 or ERR_FULL; the caller
 * then keeps the packet. */
int downlink_push(struct downlink *d, uint32_t packet) CHECK_RESULT;

/* Tell whether the answers' clock has ticked by now_us. If so, *packet is the
 * oldest answer, or UINT32_MAX: a dummy is due. Call once a tick of the
 * gateway. */
bool downlink_pop(struct downlink *d, uint64_t now_us, uint32_t *packet);

/* Take back `packet`, which was popped last and could not be sent: this tick is
 * skipped, and an answer stays the oldest one. */
void downlink_again(struct downlink *d, uint32_t packet);

/* Start to send the pieces of a (new) document at now_us, from the first
 * one. */
void downlink_pieces_start(struct downlink *d, uint64_t now_us);

/* Tell whether one of `count` pieces is due at now_us, by a clock of
 * interval_us. If so, *piece is its index. */
bool downlink_piece_pop(struct downlink *d, uint64_t now_us, uint16_t count,
                        uint32_t interval_us, uint16_t *piece);

/* Take back the piece that was popped last and could not be sent: its turn
 * comes again, interval_us after now_us. */
void downlink_piece_again(struct downlink *d, uint64_t now_us,
                          uint32_t interval_us);

/* Tell the earliest tick of both clocks, UINT64_MAX when none runs. */
uint64_t downlink_next_us(const struct downlink *d);
#endif
