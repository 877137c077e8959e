/* relay/alarm.h - do a relay's own loops come back as they should?
 *
 * An n-1 attacker withholds all packets but one target's from a relay. The
 * attacker cannot tell the relay's own loops from the rest, so the loops stay
 * away with the others (Danezis and Sassaman, "Heartbeat traffic to counter
 * (n-1) attacks", WPES 2003; Loopix, USENIX Security 2017, section 4.2). Time
 * is cut into windows in which ALARM_EXPECTED loops are expected back, at
 * Poisson times; a window with half of that or fewer is bad. With 20 expected
 * and nothing withheld a window is bad by chance once in 92; with 50, 70, 90 %
 * withheld, 58, 95.7, 99.999 % of the windows are bad (the Poisson law).
 *
 * One bad window raises the relay's own cover, which harms nobody when the
 * window was bad by chance. Two in a row are an alarm (by chance once in
 * 8,600), which ends with the third good window in a row.
 *
 *   quiet -bad-> wary -bad-> alarm
 *     ^-good------'   `-----3 good-> quiet
 *
 * Pure: time and returns come in as arguments. */
#ifndef RELAY_ALARM_H
#define RELAY_ALARM_H
#include <stdbool.h>
#include <stdint.h>

enum { ALARM_EXPECTED = 20, ALARM_CALM = 3, ALARM_COVER = 2 };
enum alarm_state { ALARM_QUIET, ALARM_WARY, ALARM_RAISED };

struct alarm {
    enum alarm_state state;
    uint64_t way_us;           /* from sending to return */
    uint64_t begin_us, end_us; /* of this window; 0: none is planned */
    uint32_t returned;
    uint32_t good; /* windows in a row, while raised */
    uint32_t windows, bad, alarms;
};

/* Begin to count when the loops that are sent at now_us come back, way_us
 * later; mhz: as in alarm_turn(). */
void alarm_start(struct alarm *a, uint64_t now_us, uint64_t way_us,
                 uint32_t mhz);
/* Count a loop that came back at now_us. */
void alarm_returned(struct alarm *a, uint64_t now_us);
/* Judge the window if it has ended by now_us; mhz: loops sent in a thousand
 * seconds, before alarm_cover(). While mhz is 0, no loop is sent, no window
 * runs and the state stays. Returns whether the state has changed; loops are
 * then sent at another rate, and the next window begins when those come
 * back. */
bool alarm_turn(struct alarm *a, uint64_t now_us, uint32_t mhz);
/* Tell how many times the usual rate of own loops is called for. */
uint32_t alarm_cover(const struct alarm *a);
/* Tell when alarm_turn() is next of use. */
uint64_t alarm_next_us(const struct alarm *a);
#endif
