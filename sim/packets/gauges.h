/* sim/packets/gauges.h - what is measured of a run, in batches of equal length.
 *
 * Sums are kept for each batch, so that every figure comes with the interval
 * that the batches' spread gives it (sim/stats.h). */
#ifndef SIM_PACKETS_GAUGES_H
#define SIM_PACKETS_GAUGES_H
#include <stdint.h>

#include "sim/packets/paths.h"
#include "sim/packets/tracker.h"
#include "sim/result.h"
#include "sim/stats.h"

/* Epsilons at which delta is measured: 0.5, 1 and 2. */
enum { GAUGE_DELTAS = 3 };

struct gauge_batch {
    struct stats_times latency, to_store;
    uint64_t sent, out, lost, hops, loops_back;
    double entropy_sum; /* of departures from mixes */
    uint64_t entropy_n;
    double held_sum, held_squares; /* packets in a mix, sampled */
    uint64_t held_n;
    double inside_sum, online_sum;
    uint64_t samples;
    struct gauge_loss {
        double sum; /* of |ln p0/p1| where it is finite */
        uint64_t n, infinite;
    } loss, own;
    double beyond[GAUGE_DELTAS]; /* of own packets, what delta is the mean of */
    double watched_nats[2];      /* by sends and by polls */
    uint64_t watched[2];
};

struct gauges {
    const struct scenario *scenario;
    uint32_t n_batches;
    uint64_t begin_us, length_us; /* of all batches; begin 0: not yet */
    struct gauge_batch *batch;
    struct gauge_batch *found_batch; /* found last, with its times */
    uint64_t found_us, found_len_us;
    struct target_found *found; /* of each target that is done */
    uint32_t n_found, found_room;
    double *scratch;     /* as much as any figure takes when it is made */
    struct paths *paths; /* NULL: not asked for */
};

/* Make gauges for what s measures, of so many clients. Returns 0 or ERR_NOMEM.
 */
int gauges_new(struct gauges **out, const struct scenario *s,
               uint32_t clients) CHECK_RESULT;
/* Free *g. */
void gauges_free(struct gauges **g);

/* Begin at now_us: what came before was warming up. */
void gauges_begin(struct gauges *g, uint64_t now_us);
/* Find the batch of this time; NULL before the first and after the last. */
struct gauge_batch *gauges_find(struct gauges *g, uint64_t now_us);
static inline struct gauge_batch *
gauges_at(struct gauges *g, uint64_t now_us)
{
    /* nearly always the one of the last call */
    return now_us - g->found_us < g->found_len_us ? g->found_batch
                                                  : gauges_find(g, now_us);
}

/* Count a target that is done; where it has NAN it does not count. */
void gauges_found(struct gauges *g, const struct target_found *f);
/* Count a packet that has come out of an honest mix, by the probabilities p0
 * and p1 of its being from either challenger. */
void gauges_loss(struct gauge_batch *b, double p0, double p1);
/* Count a challenger's packet that has come out, wherever, by the probability
 * of its being his own, and the other's. */
void gauges_own(struct gauge_batch *b, double own, double other);

/* Add all figures of g to r. */
void gauges_report(const struct gauges *g, struct sim_result *r);
#endif
