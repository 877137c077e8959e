/* lib/bucket.h - a token bucket, kept as the one time at which the bucket is
 * full.
 *
 * Each token that is taken puts that time off by as long as a token takes to
 * earn. A token is left while the time is no further ahead than all tokens of a
 * full bucket together take to earn. */
#ifndef LIB_BUCKET_H
#define LIB_BUCKET_H
#include <stdbool.h>
#include <stdint.h>

/* Take one token at now_us from the bucket that is full at *full_us: each_us is
 * the time that earns a token, room_us the time that fills a bucket. Returns
 * false when no token is left; then nothing has changed. */
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
