/* lib/bucket.h - a token bucket, kept as the one time at which it is full.
 *
 * Each token taken puts that time off by what it takes to earn one; there is
 * one left while the time is no further ahead than all of them are worth. */
#ifndef LIB_BUCKET_H
#define LIB_BUCKET_H
#include <stdbool.h>
#include <stdint.h>

/* Take one token. each_us: the time that earns one; room_us: that of a whole
 * bucket. False when there is none; then nothing has changed. */
static inline bool
bucket_take(uint64_t *full_us, uint64_t now_us, uint64_t each_us,
            uint64_t room_us)
{
    uint64_t then_us = (*full_us > now_us ? *full_us : now_us) + each_us;
    if (then_us > now_us + room_us)
        return false;
    *full_us = then_us;
    return true;
}
#endif
