/* sim/network_level/network_level_internal.h - between the files of the network
 * level. */
#ifndef SIM_NETWORK_LEVEL_NETWORK_LEVEL_INTERNAL_H
#define SIM_NETWORK_LEVEL_NETWORK_LEVEL_INTERNAL_H
#include "sim/engine/world.h"
#include "sim/scenario/scenario.h"
#include "sim/stats.h"

/* network_level_plan.c: what world a scenario asks for. */
struct whole_plan {
    struct sim_world_plan world;
    uint32_t widths[LAYERS_MAX];
    uint32_t *bandwidth;                                 /* owned, or NULL */
    char profile[SCENARIO_GROUPS_MAX][PROFILE_NAME_MAX]; /* of each group */
};
/* Make the plan p for s. Returns 0; ERR_UNSUPPORTED and ERR_RANGE with problem;
 * ERR_NOMEM. */
int whole_plan_make(struct whole_plan *p, const struct scenario *s,
                    bool real_crypto,
                    struct scenario_problem *problem) CHECK_RESULT;
/* Free what p has. */
void whole_plan_free(struct whole_plan *p);

/* network_level_pairs.c: the pairs, their texts, and what came of those. */
struct whole_pair;
struct whole_pairs {
    const struct scenario *scenario;
    struct world *world;
    struct whole_pair *pair;
    uint32_t n, n_warm;
    bool measuring;
    double *took_s; /* of each text that has arrived */
    uint64_t sent, arrived, lost, twice;
    int err;
};
/* Make pairs of the clients of w, in their order. `all` is to be freed in any
 * case, after the world. Returns 0 or ERR_NOMEM. */
int whole_pairs_make(struct whole_pairs *all, const struct scenario *s,
                     struct world *w) CHECK_RESULT;
/* Free what `all` has. */
void whole_pairs_free(struct whole_pairs *all);
/* Look at all pairs, once a second; what fails is in all->err. */
void whole_pairs_watch(struct whole_pairs *all);
/* Begin to count texts. */
void whole_pairs_measure(struct whole_pairs *all);
/* Tell whether all texts have arrived, or were given up. */
bool whole_pairs_are_done(const struct whole_pairs *all);
/* Take what has become durable: the world's `committed`. */
void whole_pairs_committed(void *ctx, struct world_client *k);

/* network_level_stats.c: half widths are of 95 % intervals, NAN where there is
 * none. Estimate the mean of n independent samples. */
struct estimate whole_mean(const double *x, size_t n);
/* Estimate the mean of a series whose neighbours depend on each other, by the
 * means of so many batches. */
struct estimate whole_batch_mean(const double *x, size_t n, size_t batches);
/* Estimate the rate of a Poisson process of so many events in a time. */
struct estimate whole_rate(uint64_t events, double over);
#endif
