/* relay/daemon/quota.c - months, and the rate of late.
 *
 * The rate is that of the last whole window of ten minutes, or of the one under
 * way when that is higher: a relay that has just become busy leaves in time,
 * one that was busy yesterday does not leave for that. It is measured by a
 * clock that never steps; months turn by what the caller knows beyond doubt. */
#include "relay/daemon/quota.h"

#include <string.h>
#include <time.h>

enum { WINDOW_S = 600, WINDOW_MIN_S = 60, RESERVE_PERCENT = 5 };

/* Find the month that now_s lies in. */
static void
month_of(unsigned day, uint64_t now_s, uint64_t *begin_s, uint64_t *end_s)
{
    time_t now = (time_t)now_s;
    struct tm tm;
    gmtime_r(&now, &tm);
    if (tm.tm_mday < (int)day)
        tm.tm_mon--;
    tm.tm_mday = (int)day;
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    struct tm next = tm;
    next.tm_mon++;
    *begin_s = (uint64_t)timegm(&tm);
    *end_s = (uint64_t)timegm(&next);
}

void
quota_init(struct quota *q, uint64_t limit, unsigned day, uint64_t begin_s,
           uint64_t used, uint64_t mono_s)
{
    memset(q, 0, sizeof *q);
    q->limit = limit;
    q->day = day;
    q->state = QUOTA_OPEN;
    q->window_s = mono_s;
    q->used = used;
    if (begin_s)
        month_of(day, begin_s, &q->begin_s, &q->end_s);
}

static void
rate_note(struct quota *q, uint64_t bytes, uint64_t mono_s)
{
    q->window_used += bytes;
    const uint64_t span_s = mono_s - q->window_s;
    uint64_t rate = span_s >= WINDOW_MIN_S ? q->window_used / span_s : 0;
    if (rate > q->rate)
        q->rate = rate;
    if (span_s < WINDOW_S)
        return;
    q->rate = rate;
    q->window_s = mono_s;
    q->window_used = 0;
}

/* Turn to the month that has begun. There is no way back: a clock that is
 * behind would begin this month anew when it is right again. */
static void
month_turn(struct quota *q, uint64_t past_s)
{
    if (q->end_s) {
        q->used = 0;
        q->state = QUOTA_OPEN;
    }
    month_of(q->day, past_s, &q->begin_s, &q->end_s);
}

bool
quota_step(struct quota *q, uint64_t bytes, uint64_t past_s, uint64_t mono_s,
           uint64_t serve_s)
{
    const enum quota_state was = q->state;
    if (q->limit == 0)
        return false;
    if (past_s && past_s >= q->end_s)
        month_turn(q, past_s);
    q->used += bytes;
    rate_note(q, bytes, mono_s);
    const uint64_t left = q->used < q->limit ? q->limit - q->used : 0;
    const uint64_t need = q->rate * serve_s + q->limit / 100 * RESERVE_PERCENT;
    if (!past_s)
        return false;
    if (left == 0)
        q->state = QUOTA_SPENT;
    else if (q->state == QUOTA_OPEN && left <= need)
        q->state = QUOTA_LEAVING;
    return q->state != was;
}
