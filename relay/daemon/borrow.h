/* relay/daemon/borrow.h - a consensus from a gateway, as its clients get it,
 * for when no authority has one.
 *
 * The relay connects without showing who it is, takes the pieces that a gateway
 * tells every newcomer (network/fetch.h), and sends nothing. So every gateway
 * is a mirror of the newest consensus, for relays as for clients, and
 * authorities may be shut to strangers without the network standing still. */
#ifndef RELAY_DAEMON_BORROW_H
#define RELAY_DAEMON_BORROW_H
#include <stdbool.h>

#include "lib/os/loop.h"
#include "network/json.h"

/* Called when a request is over, and its link too. err: 0 and a document, to be
 * judged; ERR_STALE: the gateway has none that is newer; else, why there is
 * none. */
typedef void (*borrow_done_fn)(void *ctx, int err, const uint8_t *document,
                               size_t len);

struct borrow;
/* Make a borrower on this loop, which calls done() with ctx; frame_len is that
 * of the network's links. Returns 0 or ERR_NOMEM. */
int borrow_new(struct borrow **out, struct loop *loop, size_t frame_len,
               borrow_done_fn done, void *ctx) CHECK_RESULT;
void borrow_free(struct borrow **b);

/* Ask the gateway at this address, which has to show this identity, for a
 * consensus newer than the epoch `known`; 0: for any. Returns what
 * link_connect() does; after an error done() is not called. */
int borrow_start(struct borrow *b, const char *address,
                 const uint8_t identity[static SPHINX_ID_LEN],
                 uint32_t known) CHECK_RESULT;
bool borrow_is_under_way(const struct borrow *b);
/* Give up when nothing has come for long; call now and then. */
void borrow_step(struct borrow *b);
#endif
