/* relay/operator/publish.c - rounding counts before anybody sees them.
 *
 * State: what was shown, the counts of the last minute, and a ring of minutes
 * for what is shown as a share or a rate. */
#include "relay/operator/publish.h"

#include <string.h>

#include "lib/rng.h"

const char *const publish_counter_name[PUBLISH_COUNTERS] = {
    "received", "forwarded", "delivered", "answered", "dummies", "pieces"};

const char *const publish_list_name[PUBLISH_LISTS] = {
    "announced",   "announced_bad", "announced_lost", "lists_made",
    "lists_taken", "lists_passed",  "lists_refused"};

/* Take a step. A number is drawn also for a minute that brought nothing, so
 * that the draws of others do not depend on that. */
static uint64_t
step_take(struct publish *p, struct publish_step *s, uint64_t count,
          uint64_t step)
{
    const uint64_t up = rng_below(p->env, step);
    s->shown += (count - s->counted + up) / step * step;
    s->counted = count;
    return s->shown;
}

static uint64_t
level_take(struct publish *p, struct publish_level *l, uint64_t n,
           uint64_t step)
{
    uint64_t off = n > l->shown ? n - l->shown : l->shown - n;
    if (off >= l->slack) {
        l->shown = n / step * step;
        l->slack = step + rng_below(p->env, step);
    }
    return l->shown;
}

int
publish_percent(uint64_t part, uint64_t whole, int step)
{
    if (whole == 0)
        return 0;
    uint64_t percent = part >= whole ? 100 : part * 100 / whole;
    return (int)percent / step * step;
}

void
publish_init(struct publish *p, struct env *env, uint64_t now_us)
{
    memset(p, 0, sizeof *p);
    p->env = env;
    p->at_us = now_us + PUBLISH_PERIOD_US;
    p->clients.slack = PUBLISH_CLIENTS + rng_below(env, PUBLISH_CLIENTS);
    p->out.loops_percent = -1;
}

/* Take the shares, which go over several minutes. */
static void
shares_take(struct publish *p, const struct publish_in *in)
{
    enum { ROOM = PUBLISH_MINUTES + 1 };
    struct publish_out *o = &p->out;
    const uint64_t m = o->minutes;
    const uint64_t last = m - 1, hour = m < ROOM ? 0 : m - PUBLISH_MINUTES;
    const uint64_t ten =
        m < PUBLISH_RATE_MINUTES ? 0 : m - PUBLISH_RATE_MINUTES;
    p->minute[m % ROOM].returned = in->loops_returned;
    p->minute[m % ROOM].lost = in->loops_lost;
    p->minute[m % ROOM].received = o->count[PUBLISH_RECEIVED];
    p->minute[m % ROOM].cpu_us = in->cpu_us;
    uint64_t returned = in->loops_returned - p->minute[hour % ROOM].returned;
    uint64_t ended = returned + in->loops_lost - p->minute[hour % ROOM].lost;
    if (ended >= PUBLISH_LOOPS_MIN)
        o->loops_percent =
            publish_percent(returned, ended, PUBLISH_LOOPS_PERCENT);
    o->rate = (o->count[PUBLISH_RECEIVED] - p->minute[ten % ROOM].received) /
              ((m - ten) * 60);
    uint64_t cpu_us = in->cpu_us - p->minute[last % ROOM].cpu_us;
    o->cpu_percent = (int)(cpu_us / (PUBLISH_PERIOD_US / 100)) /
                     PUBLISH_CPU_PERCENT * PUBLISH_CPU_PERCENT;
}

bool
publish_take(struct publish *p, const struct publish_in *in, uint64_t now_us)
{
    struct publish_out *o = &p->out;
    if (now_us < p->at_us)
        return false;
    p->at_us += PUBLISH_PERIOD_US;
    if (p->at_us <= now_us) /* minutes were slept through */
        p->at_us = now_us + PUBLISH_PERIOD_US;
    o->minutes++;
    for (size_t i = 0; i < PUBLISH_COUNTERS; i++)
        o->count[i] = step_take(p, &p->count[i], in->count[i], PUBLISH_PACKETS);
    for (size_t i = 0; i < PUBLISH_LISTS; i++)
        o->list[i] =
            step_take(p, &p->list[i], in->list[i],
                      i < PUBLISH_LISTS_MADE ? PUBLISH_PACKETS : PUBLISH_LINKS);
    o->equivocations = in->equivocations;
    for (size_t i = 0; i < ERROR_COUNT; i++) {
        o->dropped[i] =
            step_take(p, &p->dropped[i], in->dropped[i], PUBLISH_PACKETS);
        o->link[i] = step_take(p, &p->link[i], in->link[i], PUBLISH_LINKS);
        o->refused[i] =
            step_take(p, &p->refused[i], in->refused[i], PUBLISH_LINKS);
    }
    o->clients = level_take(p, &p->clients, in->clients, PUBLISH_CLIENTS);
    o->held_percent =
        publish_percent(in->held, in->held_max, PUBLISH_HELD_PERCENT);
    shares_take(p, in);
    return true;
}
