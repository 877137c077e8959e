/* relay/downlink.h - what a gateway sends to one client, and when (I1, I2).
 *
 * A clock of constant interval: each tick takes the oldest waiting answer,
 * else a dummy; ticks that could not be kept are skipped, never caught up. A
 * second constant clock carries the consensus in equal pieces, the same number
 * for every client. Nothing here depends on what the client does but the start:
 * the first clock runs from the client's control frame on, in the profile it
 * names, the second from the connection on. */
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

/* A control frame came: remember the handle; start the clock at a uniform
 * point of the first interval (phase: 64 random bits), or change its interval
 * when the profile changed. */
void downlink_control(struct downlink *d, const uint8_t handle[static 8],
                      uint32_t interval_us, uint64_t now_us, uint64_t phase);

/* Is this one of the client's handles? */
bool downlink_has_handle(const struct downlink *d,
                         const uint8_t handle[static 8]);

/* Queue an answer. Returns 0 or ERR_FULL; the caller keeps the packet then. */
int downlink_push(struct downlink *d, uint32_t packet) CHECK_RESULT;

/* Has the answers' clock ticked? Then *packet is the oldest answer, or
 * UINT32_MAX: a dummy is due. Call once a tick of the gateway. */
bool downlink_pop(struct downlink *d, uint64_t now_us, uint32_t *packet);

/* What was popped last, *packet, could not be sent: this tick is skipped, and an
 * answer stays the oldest one. */
void downlink_again(struct downlink *d, uint32_t packet);

/* Start sending the pieces of a (new) document from the first one. */
void downlink_pieces_start(struct downlink *d, uint64_t now_us);

/* Is a piece due, of `count`? Then *piece is its index. */
bool downlink_piece_pop(struct downlink *d, uint64_t now_us, uint16_t count,
                        uint32_t interval_us, uint16_t *piece);

/* The piece that was popped last could not be sent: its turn comes again. */
void downlink_piece_again(struct downlink *d, uint64_t now_us,
                          uint32_t interval_us);

/* Earliest tick of both clocks, UINT64_MAX when none runs. */
uint64_t downlink_next_us(const struct downlink *d);
#endif
