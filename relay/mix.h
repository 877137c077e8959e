/* relay/mix.h - the mixing strategy, behind one pure interface.
 *
 *   poisson         each packet leaves after the delay its sender drew: an
 *                   M/M/infinity queue when these are exponential
 *   timed-pool      every interval all leave but `keep`, drawn at random
 *   threshold-pool  when keep + threshold are there, threshold leave at once
 *   binomial        every interval each leaves with probability permille/1000
 *
 * (Serjantov and Danezis, PET 2002; Serjantov, Dingledine and Syverson, IH
 * 2002; Diaz and Serjantov, PET 2003.) A pool that keeps 0 is the plain timed
 * or threshold mix. Pools draw who leaves uniformly.
 *
 * A mix holds handles (the caller's packet numbers), not packets, so that the
 * simulator runs the very same code and pays for no bytes. A mix owns no clock:
 * time comes in as an argument, in microseconds of the monotonic clock. */
#ifndef RELAY_MIX_H
#define RELAY_MIX_H
#include <stddef.h>
#include <stdint.h>

#include "lib/env.h"
#include "lib/error.h"

struct mix;
typedef uint32_t mix_handle;

enum mix_strategy {
    MIX_POISSON = 1,
    MIX_TIMED_POOL,
    MIX_THRESHOLD_POOL,
    MIX_BINOMIAL
};

/* From the consensus; each strategy reads its own. */
struct mix_params {
    enum mix_strategy strategy;
    uint64_t interval_us; /* timed-pool, binomial */
    uint32_t threshold;   /* threshold-pool */
    uint32_t keep;        /* timed-pool, threshold-pool */
    uint32_t permille;    /* binomial */
};

/* Make a mix of these parameters for at most capacity handles, growing as
 * needed. env gives pools their draws (the traffic stream); NULL will do for
 * poisson. Returns 0, ERR_UNSUPPORTED (strategy), ERR_ARG, ERR_NOMEM. */
int mix_new(struct mix **out, const struct mix_params *params, size_t capacity,
            struct env *env) CHECK_RESULT;
void mix_free(struct mix **m);

/* Queue handle for relay next. With poisson the handle is due delay_us after
 * now_us; pools do not look at delay_us. Returns 0, ERR_FULL or ERR_NOMEM; the
 * caller keeps the handle then. */
int mix_push(struct mix *m, mix_handle handle, uint32_t next, uint64_t now_us,
             uint64_t delay_us) CHECK_RESULT;

/* Fetch the memory that mix_push() will touch for a packet that is due at
 * due_us. Nothing is changed. */
void mix_prefetch(const struct mix *m, uint64_t due_us);

struct mix_out {
    mix_handle handle;
    uint32_t next;
};

/* Take out what is due at now_us, at most max handles, into `out`; with poisson
 * the earliest first. Returns how many. */
size_t mix_pop_due(struct mix *m, uint64_t now_us, struct mix_out *out,
                   size_t max);

/* Tell when something is due next: 0 for now, UINT64_MAX when m is empty. */
uint64_t mix_next_due(const struct mix *m);

size_t mix_count(const struct mix *m);
#endif
