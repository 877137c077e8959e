/* client/network.h - the consensus: gathering it, judging it, moving over. */
#ifndef CLIENT_NETWORK_H
#define CLIENT_NETWORK_H
#include "client/state.h"

/* Takes a signed consensus; the caller ticks afterwards. Returns 0, ERR_STALE,
 * or what is wrong with it. */
int network_take_document(struct client *c, const uint8_t *bytes,
                          size_t len) CHECK_RESULT;

/* Takes a piece of one from the gateway; with the last one the newest consensus
 * changes. Returns 0 or what is wrong with it. */
int network_take_piece(struct client *c, const uint8_t *frame,
                       size_t len) CHECK_RESULT;

/* Takes up a newer consensus when its time has come. */
void network_switch(struct client *c);

/* Draws the consensus of the next packet: within the window of a new one, it or
 * the one before, with odds that follow the time. */
const struct consensus *network_draw(struct client *c);

/* Tells the last epoch that can have begun by now. */
uint32_t network_epoch(const struct client *c);

/* Is the newest consensus over, by the own clock and by the network's time? */
bool network_is_expired(const struct client *c);

/* Hands a frame over to the gateway. Returns 0, ERR_CLOSED, or ERR_FULL when
 * what went before is still on its way: then this tick is skipped. */
int network_send(struct client *c, const uint8_t *frame) CHECK_RESULT;

/* Tells the gateway the profile and a fresh handle; c->controlled says whether
 * that went out. */
void network_control(struct client *c);
#endif
