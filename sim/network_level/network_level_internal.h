/* sim/network_level/network_level_internal.h - between the files of the network
 * level. */
#ifndef SIM_NETWORK_LEVEL_NETWORK_LEVEL_INTERNAL_H
#define SIM_NETWORK_LEVEL_NETWORK_LEVEL_INTERNAL_H
#include "sim/engine/world.h"
#include "sim/scenario/scenario.h"
#include "sim/stats.h"

/* whole_plan.c: what world a scenario asks for. */
struct whole_plan {
    struct sim_world_plan world;
    uint32_t widths[LAYERS_MAX];
    uint32_t *bandwidth;                                 /* owned, or NULL */
    char profile[SCENARIO_GROUPS_MAX][PROFILE_NAME_MAX]; /* of each group */
};
int whole_plan_make(struct whole_plan *p, const struct scenario *s,
                    bool real_crypto,
                    struct scenario_problem *problem) CHECK_RESULT;
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
/* Pairs of the world's clients, in their order. To be freed in any case, after
 * the world. Returns 0 or ERR_NOMEM. */
int whole_pairs_make(struct whole_pairs *all, const struct scenario *s,
                     struct world *w) CHECK_RESULT;
void whole_pairs_free(struct whole_pairs *all);
/* What is called once a second; what fails is in `err`. */
void whole_pairs_watch(struct whole_pairs *all);
/* From now on texts count. */
void whole_pairs_measure(struct whole_pairs *all);
/* Have all texts arrived, or were given up? */
bool whole_pairs_are_done(const struct whole_pairs *all);
/* The world's `committed`. */
void whole_pairs_committed(void *ctx, struct world_client *k);

/* network_level_stats.c: half widths are of 95 % intervals, NAN where there is
 * none. Of independent samples. */
struct estimate whole_mean(const double *x, size_t n);
/* Of a series whose neighbours depend on each other, by batch means. */
struct estimate whole_batch_mean(const double *x, size_t n, size_t batches);
/* Of events of a Poisson process in a time. */
struct estimate whole_rate(uint64_t events, double over);
#endif
