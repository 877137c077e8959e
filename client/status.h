/* client/status.h - what a client says of itself. */
#ifndef CLIENT_STATUS_H
#define CLIENT_STATUS_H
#include "client/state.h"

/* What keeps the client from sending now; CLIENT_SENDS: nothing. */
enum client_wait client_waits(const struct client *c);

static inline bool
client_is_sending(const struct client *c)
{
    return client_waits(c) == CLIENT_SENDS;
}

/* The newest epoch that stores agree on; 0: none. */
uint32_t client_named(const struct client *c);

/* Is the epoch after n, a consensus, over_s seconds old by now? */
bool client_next_is_old(const struct client *c, const struct consensus *n,
                        uint64_t over_s);
#endif
