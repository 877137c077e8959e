/* lib/os/clock.h - this machine's clocks, for edges only. */
#ifndef LIB_OS_CLOCK_H
#define LIB_OS_CLOCK_H
#include <stdint.h>

/* CLOCK_MONOTONIC in microseconds; CLOCK_REALTIME in milliseconds and seconds
 * since 1970. */
uint64_t clock_mono_us(void);
uint64_t clock_wall_ms(void);
uint64_t clock_wall_s(void);
#endif
