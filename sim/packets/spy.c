/* sim/packets/spy.c - densities of delays, and the last sends of two
 * clients. */
#include "sim/packets/spy.h"

#include <math.h>
#include <stdlib.h>

enum {
    BINS = 2048,
    DRAWS = 400000,
    SENDS = 1024, /* remembered of each */
    WAYS = 12     /* mean delays that the bins cover */
};
#define FLOOR 1e-9 /* of a density: nothing is quite impossible */

struct spy {
    double bin_us;
    double density[2][BINS]; /* of a send's delay and a poll's */
    uint64_t sent_us[2][SENDS];
    uint32_t n[2];
};

/* Time from the client to the store. */
static double
way_us(const struct topology *t, const struct packet_way *w)
{
    double us = 0;
    for (unsigned i = 0; i + 1 < w->turns; i++)
        us += (double)w->delay[i] * t->scenario->mix.delay_unit_us;
    return us;
}

int
spy_new(struct spy **out, const struct topology *t, struct env *env)
{
    const struct scenario_mix *m = &t->scenario->mix;
    struct spy *s = calloc(1, sizeof *s);
    *out = s;
    if (!s)
        return ERR_NOMEM;
    s->bin_us = WAYS *
                ((double)m->poll_delay_mean_us + (double)m->delay_mean_us * 4) /
                BINS;
    for (unsigned poll = 0; poll < 2; poll++)
        for (unsigned i = 0; i < DRAWS; i++) {
            struct packet_way w;
            topology_way(t, env, 0, poll, &w);
            double bin = way_us(t, &w) / s->bin_us;
            if (bin < BINS)
                s->density[poll][(unsigned)bin] += 1.0 / DRAWS;
        }
    return 0;
}

void
spy_free(struct spy **s)
{
    free(*s);
    *s = NULL;
}

void
spy_sent(struct spy *s, unsigned challenger, uint64_t at_us)
{
    s->sent_us[challenger][s->n[challenger]++ % SENDS] = at_us;
}

static double
spy_weight(const struct spy *s, unsigned client, bool poll, uint64_t at_us)
{
    double sum = FLOOR;
    for (uint32_t i = 0; i < SENDS && i < s->n[client]; i++) {
        double bin =
            ((double)at_us - (double)s->sent_us[client][i]) / s->bin_us;
        if (bin >= 0 && bin < BINS)
            sum += s->density[poll][(unsigned)bin];
    }
    return sum;
}

double
spy_came(const struct spy *s, unsigned challenger, bool poll, uint64_t at_us)
{
    return log(spy_weight(s, challenger, poll, at_us) /
               spy_weight(s, 1 - challenger, poll, at_us));
}
