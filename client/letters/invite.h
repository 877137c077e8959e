/* client/letters/invite.h - an invitation: one line of text that makes a pair.
 *
 *   brusio1: base64url( version 1 | network 8 | expiry 4 | seed 32 | key 32
 *                       | check 4 )
 *
 * network: first bytes of BLAKE2b-256(network name | 0 | identities of its
 * authorities, ascending). expiry: hours since 1970. check: first bytes of BLAKE2b-256
 * over what stands before it, against typing errors. The chain keys of the two
 * directions come from the seed:
 *
 *   chain = BLAKE2b-256(seed; "brusio/1 chain inviter" or ".. invitee")
 *
 * key: the inviter's first public key, whose secret he alone has (session.h): who has
 * the line reads nothing of what another who took it up has written.
 *
 * It is single-use: a second taker is told apart by his own key, on any day, and both
 * others hear of him. Whoever has the line first can be taken for the one it was meant
 * for, so it is handed over in private. */
#ifndef CLIENT_INVITE_H
#define CLIENT_INVITE_H
#include <stddef.h>
#include <stdint.h>

#include "client/letters/chain.h"
#include "lib/error.h"
#include "sphinx/sphinx.h"

enum {
    INVITE_SEED_LEN = 32,
    INVITE_NETWORK_LEN = 8,
    INVITE_DAYS = 400, /* longer than any invitation lives, or letter */
    INVITE_TEXT_LEN = 8 + 108 + 1 /* with the final 0 */
};

struct invite {
    uint8_t network[INVITE_NETWORK_LEN];
    uint32_t expiry_h;
    uint8_t seed[INVITE_SEED_LEN];
    uint8_t key[RATCHET_KEY_LEN];
};

/* Compute the id of the network of this name with these n authorities, whatever their
 * order in its file: two who have been given it differently are in the same one. */
void invite_network(uint8_t id[static INVITE_NETWORK_LEN], const char *name,
                    const uint8_t (*authorities)[SPHINX_ID_LEN], size_t n);

void invite_write(const struct invite *i, char text[static INVITE_TEXT_LEN]);

/* Blanks around the line are forgiven. Returns 0, ERR_FORMAT, ERR_VERSION,
 * ERR_SHORT, ERR_LONG. Network and expiry are for the caller to judge. */
int invite_read(struct invite *i, const char *text) CHECK_RESULT;

/* Write the chains of the two directions, as they begin INVITE_DAYS before the
 * invitation is over: no letter is of a day before, whoever makes up expiries. */
void invite_chains(const struct invite *i, struct chain *inviter,
                   struct chain *invitee);
#endif
