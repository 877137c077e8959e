/* relay/downlink.c - the downlink clock.
 *
 * Timers: next_us (answers and dummies) and piece_us (documents), both served
 * by the relay's one timer. Failure mode: a full queue drops the newest
 * answer, which its client counts as lost and asks for again. */
#include "relay/downlink.h"

#include <string.h>

/* Tell the tick after `at_us` that lies in the future: missed ticks are
 * skipped, and the grid stays the same. */
static uint64_t
tick_after(uint64_t at_us, uint64_t now_us, uint32_t interval_us)
{
    if (at_us > now_us)
        return at_us;
    return at_us + ((now_us - at_us) / interval_us + 1) * interval_us;
}

void
downlink_control(struct downlink *d, const uint8_t handle[static 8],
                 uint32_t interval_us, uint64_t now_us, uint64_t phase)
{
    d->newest_handle = (uint8_t)((d->newest_handle + 1) % DOWNLINK_HANDLES);
    memcpy(d->handle[d->newest_handle], handle, 8);
    if (d->n_handles < DOWNLINK_HANDLES)
        d->n_handles++;
    if (d->interval_us == interval_us)
        return;
    d->interval_us = interval_us;
    d->next_us = now_us + 1 + phase % interval_us;
}

bool
downlink_has_handle(const struct downlink *d, const uint8_t handle[static 8])
{
    for (unsigned i = 0; i < d->n_handles; i++) {
        unsigned at =
            (d->newest_handle + DOWNLINK_HANDLES - i) % DOWNLINK_HANDLES;
        if (memcmp(d->handle[at], handle, 8) == 0)
            return true;
    }
    return false;
}

int
downlink_push(struct downlink *d, uint32_t packet)
{
    if (d->queue_count == DOWNLINK_QUEUE_MAX)
        return ERR_FULL;
    d->queue[(d->queue_head + d->queue_count++) % DOWNLINK_QUEUE_MAX] = packet;
    return 0;
}

bool
downlink_pop(struct downlink *d, uint64_t now_us, uint32_t *packet)
{
    if (d->next_us == 0 || now_us < d->next_us)
        return false;
    d->next_us = tick_after(d->next_us, now_us, d->interval_us);
    *packet = UINT32_MAX;
    if (d->queue_count > 0) {
        *packet = d->queue[d->queue_head];
        d->queue_head = (uint8_t)((d->queue_head + 1) % DOWNLINK_QUEUE_MAX);
        d->queue_count--;
    }
    return true;
}

void
downlink_again(struct downlink *d, uint32_t packet)
{
    if (packet == UINT32_MAX)
        return;
    d->queue_head = (uint8_t)((d->queue_head + DOWNLINK_QUEUE_MAX - 1) %
                              DOWNLINK_QUEUE_MAX);
    d->queue[d->queue_head] = packet;
    d->queue_count++;
}

void
downlink_pieces_start(struct downlink *d, uint64_t now_us)
{
    d->piece = 0;
    d->piece_us = now_us + 1;
}

bool
downlink_piece_pop(struct downlink *d, uint64_t now_us, uint16_t count,
                   uint32_t interval_us, uint16_t *piece)
{
    if (d->piece_us == 0 || now_us < d->piece_us)
        return false;
    if (d->piece >= count) {
        d->piece_us = 0;
        return false;
    }
    *piece = d->piece++;
    d->piece_us =
        d->piece < count ? tick_after(d->piece_us, now_us, interval_us) : 0;
    return true;
}

void
downlink_piece_again(struct downlink *d, uint64_t now_us, uint32_t interval_us)
{
    if (d->piece == 0)
        return;
    d->piece--;
    d->piece_us = now_us + interval_us;
}

uint64_t
downlink_next_us(const struct downlink *d)
{
    uint64_t a = d->next_us ? d->next_us : UINT64_MAX;
    uint64_t b = d->piece_us ? d->piece_us : UINT64_MAX;
    return a < b ? a : b;
}
