/* lib/os/lobby.h - accepted connections on one loop, until their handshake is
 * over. A listener has one; a program with several loops has one for each and
 * spreads the listener's connections over them. */
#ifndef LIB_OS_LOBBY_H
#define LIB_OS_LOBBY_H
#include "lib/os/link.h"

struct lobby;
/* At most max connections in it; accept() as for listener_new(). */
int lobby_new(struct lobby **out, struct loop *loop, struct tls *tls,
              const struct link_config *config, uint32_t max,
              listener_accept_fn accept, void *ctx) CHECK_RESULT;
void lobby_free(struct lobby **l);

/* Take in a connection that was accepted; block: its entry in config.blocks,
 * given back with the link. Returns 0; ERR_FULL, ERR_NOMEM, ERR_TLS: fd and
 * block stay the caller's. */
int lobby_enter(struct lobby *l, int fd, uint32_t block) CHECK_RESULT;
/* Connections in it; any thread. */
uint32_t lobby_count(const struct lobby *l);
/* The handshakes that failed, by -err. */
const uint64_t *lobby_refused(const struct lobby *l);

/* Give each accepted connection to this function instead of the listener's own
 * lobby. Returns 0, or an error to be counted; then the listener closes it. */
typedef int (*listener_place_fn)(void *ctx, int fd, uint32_t block);
void listener_spread(struct listener *l, listener_place_fn place, void *ctx);
#endif
