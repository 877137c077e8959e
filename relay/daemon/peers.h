/* relay/daemon/peers.h - one link from each relay: the newest.
 *
 * A relay that opens many links would get as many shares; one that lost its old
 * link without a farewell has to be let in at once. So a new link takes the
 * place of the old one, which its worker then closes. Threads may share it. */
#ifndef RELAY_DAEMON_PEERS_H
#define RELAY_DAEMON_PEERS_H
#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"

enum { PEERS_ID_LEN = 32 };

struct peers;
/* A link: its worker, and a number that no other link had. */
struct peers_link {
    uint32_t worker;
    uint64_t ticket;
};

/* Make a table for at most max relays at once. Returns 0 or ERR_NOMEM. */
int peers_new(struct peers **out, uint32_t max) CHECK_RESULT;
void peers_free(struct peers **p);

/* Enter a new link, of this worker, from the relay with this identity; *ticket
 * is the link's number, *old the link that it replaces (ticket 0: none).
 * Returns 0 or ERR_FULL. */
int peers_enter(struct peers *p, const uint8_t identity[static PEERS_ID_LEN],
                uint32_t worker, uint64_t *ticket,
                struct peers_link *old) CHECK_RESULT;
/* Remove the link with this ticket, which is over, unless a newer one has taken
 * its place. */
void peers_leave(struct peers *p, const uint8_t identity[static PEERS_ID_LEN],
                 uint64_t ticket);
#endif
