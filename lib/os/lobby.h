/* lib/os/lobby.h - accepted connections on one loop, until their handshake is
 * over. A listener has a lobby; a program with several loops has a lobby for
 * each and spreads the listener's connections over them. */
#ifndef LIB_OS_LOBBY_H
#define LIB_OS_LOBBY_H
#include "lib/os/link.h"

struct lobby;

/* Make a lobby for at most max connections, each given to accept(ctx) as by
 * listener_new(). The caller owns *out. Returns 0 or ERR_NOMEM. */
int lobby_new(struct lobby **out, struct loop *loop, struct tls *tls,
              const struct link_config *config, uint32_t max,
              listener_accept_fn accept, void *ctx) CHECK_RESULT;

/* Close all connections in *l, which may be NULL, free it and set it to NULL.
 */
void lobby_free(struct lobby **l);

/* Take in fd, a connection that was accepted, with its entry block of
 * config.blocks, which is given back with the link. Returns 0; ERR_FULL,
 * ERR_NOMEM, ERR_TLS: fd and block stay the caller's. */
int lobby_enter(struct lobby *l, int fd, uint32_t block) CHECK_RESULT;

/* Return how many connections are in l; any thread may ask. */
uint32_t lobby_count(const struct lobby *l);

/* Return how many handshakes failed, by -err. */
const uint64_t *lobby_refused(const struct lobby *l);

/* Take fd, an accepted connection, with its entry block. Returns 0, or an error
 * to be counted: then the listener closes fd. */
typedef int (*listener_place_fn)(void *ctx, int fd, uint32_t block);

/* Have l give each accepted connection to place(ctx) in place of its own lobby.
 */
void listener_spread(struct listener *l, listener_place_fn place, void *ctx);
#endif
