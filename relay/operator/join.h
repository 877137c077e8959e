/* relay/operator/join.h - `brusio-relay join` and `leave`: ask the authorities
 * to be let in, or to list this relay no more. */
#ifndef RELAY_OPERATOR_JOIN_H
#define RELAY_OPERATOR_JOIN_H
#include "relay/daemon/daemon.h"

/* Send the descriptor to each of them and print what it says. Returns the exit
 * status: 0 when more than half took it. */
int join_run(const char *dir, const struct relay_settings *config, bool leave);
#endif
