/* client/pace/traffic.h - the one clock of a client (I2).
 *
 * A Poisson clock whose rate is the sum of the profile's three; each tick draws
 * its kind by fixed odds. Times and kinds depend on nothing but the profile
 * and the random stream: never on what there is to send, on answers, or on
 * how late a tick is served. Ticks that were missed are skipped.
 *
 * It also numbers requests. From a request's number come its SURB id (a keyed
 * permutation, so that an answer's id leads back to the number without a
 * table) and its SURB seed. */
#ifndef CLIENT_PACE_TRAFFIC_H
#define CLIENT_PACE_TRAFFIC_H
#include <stdint.h>

#include "lib/env.h"
#include "network/consensus.h"

enum traffic_kind { TRAFFIC_SEND = 1, TRAFFIC_POLL, TRAFFIC_LOOP };

/* A value of the client's, wiped by it. */
struct traffic {
    uint64_t next_us;
    uint64_t mean_us;
    uint64_t request; /* number of the next request */
    uint32_t send_mhz, poll_mhz, loop_mhz;
    uint8_t id_key[16];
    uint8_t seed_key[32];
};
_Static_assert(sizeof(struct traffic) <= 128, "a client's traffic state");

/* Start the clock now; the first tick comes after an exponential time. */
void traffic_init(struct traffic *t, const struct profile *profile,
                  struct env *env);

/* A new consensus may change the profile's rates; the next tick stays. */
void traffic_rates(struct traffic *t, const struct profile *profile);

/* Has the clock ticked by now? Then *kind is drawn and the next tick set: from
 * the old tick when it is still to come, else from now. Returns 1 or 0. */
int traffic_tick(struct traffic *t, struct env *env, uint64_t now_us,
                 enum traffic_kind *kind);

/* Take the next request's number. */
uint64_t traffic_number(struct traffic *t);

/* The SURB id of a number, and the number of an id. An id that is not ours
 * gives a number that was never taken, but for chance. */
void traffic_surb_id(const struct traffic *t, uint64_t number,
                     uint8_t id[static 8]);
uint64_t traffic_surb_number(const struct traffic *t,
                             const uint8_t id[static 8]);

/* The SURB seed of a number. */
void traffic_surb_seed(const struct traffic *t, uint64_t number,
                       uint8_t seed[static SPHINX_SEED_LEN]);
#endif
