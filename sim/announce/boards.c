/* sim/announce/boards.c - see boards.h. No state but what boards_make() has
 * worked out. */
#include "sim/announce/boards.h"

#include <math.h>

#include "lib/rng.h"

enum {
    WAITS_MAX = 4,           /* intervals, of a token that has no room */
    SPREAD_LEAST_US = 50000, /* signed, passed on layer by layer */
    SPREAD_MOST_US = 400000,
    CANDIDATES = 16
};
#define OVERFLOWS  1e-4
#define DOWN_OF_UP 1.5 /* a gateway's clock to a client, of the client's own */

uint32_t
boards_entries(double mean, double chance)
{
    /* from the top down, so that small terms are added first */
    const double top = mean + 12 * sqrt(mean + 1) + 12;
    double tail = 0;
    int sign; /* lgamma() would write it where other threads do */
    for (uint32_t k = (uint32_t)top; k > 0; k--) {
        tail += exp(k * log(mean) - mean - lgamma_r(k + 1.0, &sign));
        if (tail >= chance)
            return k;
    }
    return 1;
}

static double
up_hz(const struct scenario *s)
{
    const struct profile *p = &s->clients[0].profile;
    const double poll_mhz =
        s->announce.poll_mhz ? s->announce.poll_mhz : p->poll_mhz;
    return (p->send_mhz + poll_mhz + p->loop_mhz) / 1000;
}

double
boards_down_hz(const struct scenario *s)
{
    return up_hz(s) * DOWN_OF_UP;
}

void
boards_make(struct boards *b, const struct scenario *s)
{
    const struct scenario_announce *a = &s->announce;
    const double each_hz =
        (a->per_hour_m + a->cover_per_hour_m) / 1000.0 / 3600;
    *b = (struct boards){.boards = a->boards,
                         .families = s->network.stores,
                         .interval_us = a->interval_us,
                         .answers_hz = up_hz(s),
                         .mix_us = s->mix.delay_mean_us,
                         .hops_back = s->network.layers + 1,
                         .confirm = a->confirm};
    const double interval_s = (double)b->interval_us / 1e6;
    b->tokens = each_hz * scenario_clients_count(s) * interval_s / b->boards;
    b->entries = boards_entries(fmax(b->tokens, 1e-9), OVERFLOWS);
    b->list_len = BOARD_HEAD_LEN + (double)BOARD_ENTRY_LEN * b->entries;
    const double pieces =
        b->boards *
        ceil(b->list_len / (BOARD_SPARE_LEN - BOARD_PIECE_HEAD_LEN));
    b->lists_hz = pieces * BOARD_SPARE_LEN / interval_s;
    b->spare_hz = boards_down_hz(s) * BOARD_SPARE_LEN;
    b->stream_us = (uint64_t)(pieces / boards_down_hz(s) * 1e6);
}

/* When two answers of other families that left after `there_us` are here. */
static uint64_t
confirmed_us(const struct boards *b, struct env *env, uint64_t there_us)
{
    uint64_t first_us = UINT64_MAX, second_us = UINT64_MAX, left_us = there_us;
    uint64_t first_of = 0;
    for (int i = 0; i < CANDIDATES; i++) {
        left_us += rng_exp_us(env, (uint64_t)(1e6 / b->answers_hz));
        uint64_t at_us = left_us;
        for (uint32_t k = 0; k < b->hops_back; k++)
            at_us += rng_exp_us(env, b->mix_us);
        const uint64_t family = rng_below(env, b->families);
        if (at_us < first_us) {
            if (family != first_of)
                second_us = first_us;
            first_us = at_us;
            first_of = family;
        } else if (at_us < second_us && family != first_of) {
            second_us = at_us;
        }
    }
    return second_us < UINT64_MAX ? second_us : first_us;
}

uint64_t
boards_listed_us(const struct boards *b, struct env *env, uint64_t at_us)
{
    uint64_t end_us = (at_us / b->interval_us + 1) * b->interval_us;
    /* of the others, as many as chance has it; who has no room waits */
    for (int i = 0; i < WAITS_MAX; i++) {
        const double others = b->tokens + sqrt(b->tokens) *
                                              sqrt(-2 * log(rng_unit(env))) *
                                              cos(2 * M_PI * rng_unit(env));
        if (rng_unit(env) * (others + 1) <= b->entries)
            break;
        end_us += b->interval_us;
    }
    const uint64_t spread_us = SPREAD_MOST_US - SPREAD_LEAST_US;
    const uint64_t store_us =
        end_us + SPREAD_LEAST_US + rng_below(env, spread_us + 1);
    const uint64_t gateway_us =
        end_us + SPREAD_LEAST_US + rng_below(env, spread_us + 1);
    const uint64_t turn = 1 + rng_below(env, b->boards);
    const uint64_t here_us = gateway_us + b->stream_us * turn / b->boards;
    if (!b->confirm)
        return here_us;
    const uint64_t sure_us = confirmed_us(b, env, store_us);
    return sure_us > here_us ? sure_us : here_us;
}
