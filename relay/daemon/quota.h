/* relay/daemon/quota.h - so many octets a month, and leaving in time.
 *
 *   open -> leaving -> spent -> open (the next month)
 *
 * open     all is as usual
 * leaving  what is left is needed to serve the epochs for which the relay is
 *          announced: the next descriptors say that it hibernates until the
 *          month is over, and the authorities leave it out of what is to come
 * spent    links are closed until then
 *
 * A month begins on a day of the calendar (UTC). Pure: time and octets come in;
 * the caller keeps `used` on disk. */
#ifndef RELAY_DAEMON_QUOTA_H
#define RELAY_DAEMON_QUOTA_H
#include <stdbool.h>
#include <stdint.h>

enum quota_state { QUOTA_OPEN = 1, QUOTA_LEAVING, QUOTA_SPENT };

struct quota {
    uint64_t limit; /* octets a month; 0: none */
    unsigned day;   /* of the month on which one begins, 1..28 */
    uint64_t begin_s, end_s, used;
    uint64_t window_s, window_used, rate; /* octets a second of late */
    enum quota_state state;
};

/* A month with this begin_s has used so much already; 0, 0: nothing known. */
void quota_init(struct quota *q, uint64_t limit, unsigned day, uint64_t begin_s,
                uint64_t used, uint64_t now_s);
/* So much more went over the wire. serve_s: how long the relay has to go on
 * once it announces that it leaves. Returns whether the state has changed. */
bool quota_step(struct quota *q, uint64_t octets, uint64_t now_s,
                uint64_t serve_s);
#endif
