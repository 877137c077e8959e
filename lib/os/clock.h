/* lib/os/clock.h - this machine's clocks, for edges only. */
#ifndef LIB_OS_CLOCK_H
#define LIB_OS_CLOCK_H
#include <stdint.h>

/* Read a clock that never steps, in microseconds: CLOCK_BOOTTIME where there is
 * one, which goes on while the machine sleeps. */
uint64_t clock_mono_us(void);

/* Read CLOCK_REALTIME, in nanoseconds, milliseconds or seconds since 1970. */
uint64_t clock_wall_ns(void);
uint64_t clock_wall_ms(void);
uint64_t clock_wall_s(void);

enum { CLOCK_TEXT_LEN = 32 };

/* Write seconds since 1970 to out as "2026-01-31 23:59:59 UTC". Returns out. */
const char *clock_text(char out[static CLOCK_TEXT_LEN], uint64_t at_s);
#endif
