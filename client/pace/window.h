/* client/pace/window.h - how far a client may be ahead of its gateway (I2).
 *
 * Each frame that comes down names the last frame up that the gateway has read,
 * by bytes of it that nobody else knows before (WIRE_MARK_LEN of them). Frames
 * handed over and not yet named, nor followed by one that is, are ahead. There
 * are at most `max` of them: then ticks are skipped, whatever holds the frames
 * up, so that a stall of any length is followed by at most `max` frames of
 * before. Kernels and middle boxes that acknowledge what they only keep change
 * nothing in that.
 *
 * It depends on the line, the gateway and the clock, never on use. */
#ifndef CLIENT_PACE_WINDOW_H
#define CLIENT_PACE_WINDOW_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/wire.h"
#include "network/consensus.h"

/* A value of the client's. */
struct window {
    uint32_t max, ahead;
    uint8_t mark[PARAMS_WINDOW_MAX][WIRE_MARK_LEN]; /* `ahead`, oldest first */
};

/* Empties a window: another connection. */
void window_reset(struct window *w);

/* Sets how many frames may be ahead, 1..PARAMS_WINDOW_MAX. */
void window_set_max(struct window *w, uint32_t max);

/* May another frame be handed over? */
bool window_is_open(const struct window *w);

/* Notes a frame that was handed over, while it was open. */
void window_add(struct window *w, const uint8_t *frame);

/* Takes the mark in a frame that came down; one that names none of those ahead
 * changes nothing. */
void window_take(struct window *w, const uint8_t mark[static WIRE_MARK_LEN]);
#endif
