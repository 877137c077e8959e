/* sim/packets/spy.h - a store that also watches clients' links.
 *
 * It sees when requests for one box come, and when each client sends. A client
 * sends at Poisson times whatever he does, so one request says little; but the
 * owner's packet left him a delay before, whose law is known. For each request
 * of a challenger the store weighs him against the other one:
 *
 *   nats = ln(sum over his sends s of f(t - s)) - ln(the same for the other)
 *
 * where f is the density of the delay from client to store. By Wald's
 * sequential test about ln(N) / (mean nats) requests single one out of N. */
#ifndef SIM_PACKETS_SPY_H
#define SIM_PACKETS_SPY_H
#include <stdbool.h>
#include <stdint.h>

#include "sim/packets/topology.h"

struct spy;

/* Make a spy of the network t; env draws delays, of which f is made. Returns 0
 * or ERR_NOMEM. */
int spy_new(struct spy **out, const struct topology *t,
            struct env *env) CHECK_RESULT;
/* Free *s. */
void spy_free(struct spy **s);

/* Note that challenger 0 or 1 sends, at at_us. */
void spy_sent(struct spy *s, unsigned challenger, uint64_t at_us);
/* Weigh a request of his, a poll or a send, that comes to the store at at_us.
 * Returns the nats that it gives. */
double spy_came(const struct spy *s, unsigned challenger, bool poll,
                uint64_t at_us);
#endif
