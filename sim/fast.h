/* sim/fast.h - the fast path: many clients' clocks and mixes, handles only.
 *
 * The clients' struct traffic, the relays' struct mix and the exponential
 * draws are those of the daemons (I5); packets have no bytes and nothing is
 * allocated while it runs. Time advances in steps of one slot of the wheel
 * (256 us): what falls due within a step happens at its end. */
#ifndef SIM_FAST_H
#define SIM_FAST_H
#include <stdint.h>

#include "lib/error.h"

struct fast_config {
    uint64_t seed;
    uint32_t clients;
    uint32_t layers, mixes; /* mixes of each layer */
    uint32_t rate_mhz;      /* of each client, packets per 1,000 s */
    uint32_t delay_mean_us; /* at each mix */
    uint64_t warm_us;       /* not counted */
    uint64_t run_us;        /* virtual time that is counted */
};

struct fast_result {
    uint64_t hops, packets; /* in run_us */
    double wall_s;          /* it took */
    uint64_t in_flight;     /* at the end */
    uint64_t refused;       /* mixes full; 0 in a sound run */
    double latency_mean_s;  /* of packets that arrived in run_us */
};

int fast_run(const struct fast_config *config,
             struct fast_result *result) CHECK_RESULT;
#endif
