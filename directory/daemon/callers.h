/* directory/daemon/callers.h - who asks an authority, by the address.
 *
 * Other authorities come from an address of the network file, relays from one
 * of the newest consensus. Everybody else is a stranger, also a relay that
 * sends from another address than it publishes. An address proves only that
 * answers arrive there, and a seat is given for no more than that
 * (lib/seats.h). Loopback is nobody's: in a network on one machine all are
 * strangers. */
#ifndef DIRECTORY_DAEMON_CALLERS_H
#define DIRECTORY_DAEMON_CALLERS_H
#include "lib/blocks.h"
#include "lib/os/http/http_server.h"
#include "network/json.h"

struct callers_list {
    uint8_t (*host)[BLOCKS_HOST_LEN]; /* sorted */
    size_t n;
};
struct callers {
    struct callers_list authorities, relays;
};

/* Take the authorities of the network file other than `self` as authorities,
 * instead of those before. Returns 0, or ERR_NOMEM and all is as it was, like
 * the next. */
int callers_authorities(struct callers *c, const struct network *network,
                        const uint8_t *self) CHECK_RESULT;
/* Take the relays of a consensus as relays, instead of those before. */
int callers_relays(struct callers *c,
                   const struct consensus *consensus) CHECK_RESULT;
/* Tell the class of whoever connects from this address. */
enum seats_class callers_class(const struct callers *c,
                               const struct sockaddr_storage *from);
void callers_clear(struct callers *c);

/* Write the lines of the status that are about connections to `out`, with this
 * much room. Returns what snprintf() does. */
int callers_status(const struct http_server *http, char *out, size_t room);
#endif
