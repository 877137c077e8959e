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

/* Make keys for the relays of t, and geometry for ways of hops_max hops, drawn
 * from env. Returns 0; ERR_RANGE when a header has no room for so many hops,
 * ERR_NOMEM, ERR_SUITE. */
int real_new(struct real **out, const struct topology *t, struct env *env,
             uint32_t hops_max) CHECK_RESULT;
/* Free *r. */
void real_free(struct real **r);

/* Make the packet with this number, for the way w. */
int real_make(struct real *r, uint32_t number,
              const struct packet_way *w) CHECK_RESULT;
/* Unwrap the packet with this number at `relay`: *delay is its delay, *next the
 * relay that it goes to (UINT16_MAX: it ends here). Returns an ERR_* when it is
 * none of this relay's. */
int real_unwrap(struct real *r, uint32_t number, uint16_t relay,
                uint16_t *delay, uint16_t *next) CHECK_RESULT;
/* Answer with the SURB in the packet, as the store; *next is the first relay of
 * the way back. */
int real_turn(struct real *r, uint32_t number, uint16_t *next) CHECK_RESULT;
/* Forget the packet with this number. */
void real_give(struct real *r, uint32_t number);
#endif
