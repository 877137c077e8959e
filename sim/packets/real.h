/* sim/packets/real.h - real Sphinx packets for the level "packets".
 *
 * Each relay has a key, each packet its bytes beside its record. Requests of a
 * round trip carry a SURB which the store uses; a way without stores ends at
 * its last mix. All randomness is from the crypto stream, so that the course
 * is that of a run without. */
#ifndef SIM_PACKETS_REAL_H
#define SIM_PACKETS_REAL_H
#include <stdint.h>

#include "lib/env.h"
#include "lib/error.h"
#include "sim/packets/topology.h"

struct real;

/* hops_max: of any way. Returns 0; ERR_RANGE when a header has no room for so
 * many hops, ERR_NOMEM, ERR_SUITE. */
int real_new(struct real **out, const struct topology *t, struct env *env,
             uint32_t hops_max) CHECK_RESULT;
void real_free(struct real **r);

/* Make the packet with this number, on its way. */
int real_make(struct real *r, uint32_t number,
              const struct packet_way *w) CHECK_RESULT;
/* Relay `relay` unwraps it: its delay, and the relay it goes to next
 * (UINT16_MAX: it ends here). Returns an ERR_* when it is none of this relay's.
 */
int real_unwrap(struct real *r, uint32_t number, uint16_t relay,
                uint16_t *delay, uint16_t *next) CHECK_RESULT;
/* The store answers with the SURB in it; *next is the first of the way back. */
int real_turn(struct real *r, uint32_t number, uint16_t *next) CHECK_RESULT;
void real_give(struct real *r, uint32_t number);
#endif
