/* relay/operator/join.h - `brusio-relay join` and `leave`: ask the authorities
 * to be let in, or to list this relay no more. */
#ifndef RELAY_OPERATOR_JOIN_H
#define RELAY_OPERATOR_JOIN_H
#include "relay/daemon/daemon.h"

/* Send the descriptor of the relay of dir to each authority and print what each
 * says; leave: the descriptor says that the relay leaves. Returns the exit
 * status: 0 when more than half took the descriptor. */
int join_run(const char *dir, const struct relay_settings *config, bool leave);
#endif
