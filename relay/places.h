/* relay/places.h - the places for held packets, shared out by incoming link and
 * by how long they are asked for.
 *
 * A link may hold twice as many packets as there are places free, by the
 * dynamic thresholds of Choudhury and Hahne ("Dynamic queue length thresholds
 * for shared-memory packet switches", IEEE/ACM Transactions on Networking 6(2),
 * 1998). One link alone has two thirds of the places; n that want all they can
 * get have 2 / (2n + 1) each and leave as much as half of that free, so that
 * whoever holds little always finds room (I11). Nothing has to be known of how
 * many links there are.
 *
 * All links of one layer may carry an adversary's packets beside honest ones.
 * An adversary fills most places with packets that stay longest, so the longest
 * delay that is still taken falls with the free places, from what the consensus
 * allows with all places free to nothing: P places and R packets a second leave
 * the adversary delays of P / R, and shorter delays are not touched. Within
 * what one link may hold the longest delay falls likewise, with what of that
 * share is free: else a relay that has all packets from one other would refuse
 * the short with the long when that share is full.
 *
 * Each client of each worker has a number of its own. Relays are numbered by a
 * keyed hash of their identity into PLACES_RELAYS: two share a number by chance
 * alone, and then share what one may hold.
 *
 * All workers of a relay use one object; counts are atomic, and a packet may be
 * given back by another worker than the one that took the place. */
#ifndef RELAY_PLACES_H
#define RELAY_PLACES_H
#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"
#include "sphinx/sphinx.h"

enum { PLACES_RELAYS = 4096 };
#define PLACES_OWN UINT32_MAX /* the relay's own packets, which count nowhere */

struct places;

/* Make the shares of `max` places among relays and `clients` clients; key is
 * random. Returns 0 or ERR_NOMEM. */
int places_new(struct places **out, uint32_t max, uint32_t clients,
               const uint8_t key[static 16]) CHECK_RESULT;
void places_free(struct places **p);

/* Tell the number of the link of the relay with this identity. */
uint32_t places_relay(const struct places *p,
                      const uint8_t identity[static SPHINX_ID_LEN]);
/* Tell the number of a client's link, client < clients. */
uint32_t places_client(const struct places *p, uint32_t client);

/* Take a place for this link, for a packet that is held for delay_us of at most
 * delay_max_us. Returns 0; ERR_SHARE when the link holds its share; ERR_DELAY
 * when too few places, or too few of the link's share, are free for so long a
 * delay. PLACES_OWN is never refused nor counted. */
int places_take(struct places *p, uint32_t link, uint64_t delay_us,
                uint64_t delay_max_us) CHECK_RESULT;
/* Give back a place that was taken for this link. */
void places_give(struct places *p, uint32_t link);
/* Tell how many this link holds. */
uint32_t places_held(const struct places *p, uint32_t link);
#endif
