/* sim/packets/paths.h - how long until a user's packet takes a way of corrupt
 * relays alone.
 *
 * Counted in packets of one user since the last such way (or his first packet).
 * A run ends while most users wait, so the share that is caught within n
 * packets is estimated from what was at risk at each count (Kaplan and Meier,
 * JASA 1958), its uncertainty by Greenwood's formula. */
#ifndef SIM_PACKETS_PATHS_H
#define SIM_PACKETS_PATHS_H
#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"
#include "sim/stats.h"

struct paths;

/* Make counts for so many clients. Returns 0 or ERR_NOMEM. */
int paths_new(struct paths **out, uint32_t clients) CHECK_RESULT;
/* Free *p. */
void paths_free(struct paths **p);
/* Count a packet of this client, which goes such a way, or not. */
void paths_add(struct paths *p, uint32_t client, bool corrupt);

/* Return the share of such ways among all. */
struct estimate paths_share(const struct paths *p);
/* Return the share of users caught within n packets, and the count within which
 * half are; NAN when the run was too short to tell. */
struct estimate paths_caught(const struct paths *p, uint32_t n);
double paths_median(const struct paths *p);
#endif
