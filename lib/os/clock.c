/* lib/os/clock.c - the only reader of the system's clocks. */
#include "lib/os/clock.h"

#include <time.h>

/* A machine that slept has aged: what was measured against this clock before
 * (the network's time, above all) stays right. */
#ifdef CLOCK_BOOTTIME
#define CLOCK_STEADY CLOCK_BOOTTIME
#else
#define CLOCK_STEADY CLOCK_MONOTONIC
#endif

uint64_t
clock_mono_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_STEADY, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t
clock_wall_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint64_t
clock_wall_ms(void)
{
    return clock_wall_ns() / 1000000;
}

uint64_t
clock_wall_s(void)
{
    return clock_wall_ms() / 1000;
}

const char *
clock_text(char out[static CLOCK_TEXT_LEN], uint64_t at_s)
{
    const time_t t = (time_t)at_s;
    struct tm tm;
    if (!gmtime_r(&t, &tm) ||
        strftime(out, CLOCK_TEXT_LEN, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
        out[0] = 0;
    return out;
}
