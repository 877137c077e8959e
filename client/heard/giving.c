/* client/heard/giving.c - see giving.h. */
#include "client/heard/giving.h"

void
giving_begin(struct giving *g, bool was_poor)
{
    uint8_t left = g->left;
    if (was_poor && left < GIVING_DOUBLINGS)
        left++;
    *g = (struct giving){.left = left};
}

/* End the look that is going on. */
static void
giving_judge(struct giving *g, uint64_t now_us)
{
    if (2 * (uint64_t)g->answers < g->ticks) {
        g->poor++;
        g->good = 0;
    } else {
        g->poor -= g->poor > 0;
        g->good++;
    }
    if (g->left > 0 && g->good >= (uint32_t)GIVING_CALM << g->left) {
        g->good = 0;
        g->left--;
    }
    g->ticks = g->answers = 0;
    g->since_us = now_us;
}

void
giving_tick(struct giving *g, uint64_t now_us)
{
    if (g->since_us == 0)
        g->since_us = now_us;
    if (now_us - g->since_us >= GIVING_LOOK_US && g->ticks >= GIVING_TICKS)
        giving_judge(g, now_us);
    g->ticks++;
}

void
giving_answer(struct giving *g)
{
    g->answers += g->answers < UINT32_MAX;
}

bool
giving_is_poor(const struct giving *g)
{
    return g->poor >= (uint32_t)GIVING_LOOKS << g->left;
}
