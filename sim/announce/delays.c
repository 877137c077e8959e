/* sim/announce/delays.c - sums of exponentials, one a mix; see delays.h. No
 * state: random numbers are from the people's stream of traffic. */
#include "sim/announce/delays.h"

#include <math.h>

#include "lib/rng.h"

static uint64_t
mixes_us(struct people *p, uint32_t hops, uint64_t mean_us)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < hops; i++)
        sum += rng_exp_us(&p->env, mean_us);
    return sum;
}

static uint64_t
links_us(const struct people *p)
{
    return p->scenario->network.latency_fixed_us *
           (p->scenario->network.layers + 2);
}

uint64_t
delays_out_us(struct people *p, bool poll)
{
    const struct scenario_mix *m = &p->scenario->mix;
    const uint32_t layers = p->scenario->network.layers;
    const uint64_t each_us =
        poll ? m->poll_delay_mean_us / layers : m->delay_mean_us;
    return links_us(p) + rng_exp_us(&p->env, m->delay_mean_us) +
           mixes_us(p, layers, each_us);
}

uint64_t
delays_back_us(struct people *p)
{
    const double down_hz = boards_down_hz(p->scenario);
    return links_us(p) +
           mixes_us(p, p->scenario->network.layers + 1,
                    p->scenario->mix.delay_mean_us) +
           rng_below(&p->env, (uint64_t)(1e6 / down_hz) + 1);
}

bool
delays_lose(struct people *p)
{
    const double loss = p->scenario->network.loss;
    const double stays = pow(1 - loss, p->scenario->network.layers + 2);
    return loss > 0 && rng_unit(&p->env) > stays;
}
