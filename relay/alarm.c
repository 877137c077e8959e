/* relay/alarm.c - windows, and three states; see alarm.h. */
#include <assert.h>

#include "relay/alarm.h"

static uint64_t
window_us(const struct alarm *a, uint32_t mhz)
{
    assert(mhz > 0);
    return ALARM_EXPECTED * 1000000000ULL / (mhz * alarm_cover(a));
}

static void
window_begin(struct alarm *a, uint64_t at_us, uint32_t mhz)
{
    a->returned = 0;
    a->begin_us = at_us;
    a->end_us = at_us + window_us(a, mhz);
}

void
alarm_start(struct alarm *a, uint64_t now_us, uint64_t way_us, uint32_t mhz)
{
    *a = (struct alarm){.way_us = way_us};
    if (mhz > 0)
        window_begin(a, now_us + way_us, mhz);
}

void
alarm_returned(struct alarm *a, uint64_t now_us)
{
    a->returned += now_us >= a->begin_us;
}

static void
window_judge(struct alarm *a)
{
    const bool bad = a->returned <= ALARM_EXPECTED / 2;
    a->windows++;
    a->bad += bad;
    a->good = bad ? 0 : a->good + 1;
    if (a->state == ALARM_QUIET && bad) {
        a->state = ALARM_WARY;
    } else if (a->state == ALARM_WARY) {
        a->state = bad ? ALARM_RAISED : ALARM_QUIET;
        a->alarms += bad;
    } else if (a->state == ALARM_RAISED && a->good >= ALARM_CALM) {
        a->state = ALARM_QUIET;
    }
}

bool
alarm_turn(struct alarm *a, uint64_t now_us, uint32_t mhz)
{
    const uint32_t cover = alarm_cover(a);
    const enum alarm_state before = a->state;
    if (mhz == 0) /* nothing can be told from loops that are not sent */
        a->end_us = 0;
    else if (a->end_us == 0)
        window_begin(a, now_us + a->way_us, mhz);
    if (now_us < a->end_us || a->end_us == 0)
        return a->state != before;
    /* longer than it should be, because nobody called: it says nothing */
    if (now_us < a->end_us + window_us(a, mhz) / 4)
        window_judge(a);
    window_begin(a, now_us + (alarm_cover(a) == cover ? 0 : a->way_us), mhz);
    return a->state != before;
}

uint32_t
alarm_cover(const struct alarm *a)
{
    return a->state == ALARM_QUIET ? 1 : ALARM_COVER;
}

uint64_t
alarm_next_us(const struct alarm *a)
{
    return a->end_us ? a->end_us : UINT64_MAX;
}
