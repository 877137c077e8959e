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

/* Relays at once, at most max. */
int peers_new(struct peers **out, uint32_t max) CHECK_RESULT;
void peers_free(struct peers **p);

/* The link of this relay is now one of this worker's; *ticket is its number.
 * *old: what it replaces, ticket 0 for nothing. Returns 0 or ERR_FULL. */
int peers_enter(struct peers *p, const uint8_t identity[static PEERS_ID_LEN],
                uint32_t worker, uint64_t *ticket,
                struct peers_link *old) CHECK_RESULT;
/* It is over, unless a newer one has taken its place. */
void peers_leave(struct peers *p, const uint8_t identity[static PEERS_ID_LEN],
                 uint64_t ticket);
#endif
