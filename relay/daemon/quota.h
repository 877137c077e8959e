/* relay/daemon/quota.h - so many bytes a month, and leaving in time.
 *
 *   open -> leaving -> spent -> open (the next month)
 *
 * open     all is as usual leaving  what is left is needed to serve the epochs
 * for which the relay is
 *          announced: the next descriptors say that it hibernates until the
 *          month is over, and the authorities leave it out of what is to come
 * spent    links are closed until then
 *
 * A month begins on a day of the calendar (UTC), and ends when the clock and
 * the newest consensus both say so: no jump of a clock gives a month's bytes
 * away a second time, or takes them. Pure: times and bytes come in; the caller
 * keeps `used` on disk. */
#ifndef RELAY_DAEMON_QUOTA_H
#define RELAY_DAEMON_QUOTA_H
#include <stdbool.h>
#include <stdint.h>

enum quota_state { QUOTA_OPEN = 1, QUOTA_LEAVING, QUOTA_SPENT };

struct quota {
    uint64_t limit;                /* bytes a month; 0: none */
    unsigned day;                  /* of the month on which one begins, 1..28 */
    uint64_t begin_s, end_s, used; /* 0, 0: it is not known which month */
    uint64_t window_s, window_used, rate; /* bytes a second of late */
    enum quota_state state;
};

/* Begin with this limit in months that begin on this day. The month that has
 * begin_s in it has used `used` bytes already; 0, 0: nothing is known, and
 * quota_step() will learn which month it is. mono_s: seconds that never
 * step. */
void quota_init(struct quota *q, uint64_t limit, unsigned day, uint64_t begin_s,
                uint64_t used, uint64_t mono_s);
/* Count so many bytes more that went over the wire, and judge the state.
 * past_s: what time has come beyond doubt, 0: unknown, and nothing is judged.
 * mono_s: seconds that never step. serve_s: how long the relay has to go on
 * once it announces that it leaves. Returns whether the state has changed. */
bool quota_step(struct quota *q, uint64_t bytes, uint64_t past_s,
                uint64_t mono_s, uint64_t serve_s);
#endif
