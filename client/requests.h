/* client/requests.h - the packet of a tick, and what its answer says. */
#ifndef CLIENT_REQUESTS_H
#define CLIENT_REQUESTS_H
#include "client/state.h"

/* Sends the one packet of a tick of this kind. */
void requests_tick(struct client *c, enum traffic_kind kind);

/* Makes ready what later ticks need: proofs of work. After the tick's frame, so
 * that no frame is late by it. */
void requests_prepare(struct client *c);

/* Takes a packet from the gateway: an answer or a dummy. Changed in place. */
void requests_answer(struct client *c, uint8_t *frame, size_t len);
#endif
