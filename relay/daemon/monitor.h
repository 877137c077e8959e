/* relay/daemon/monitor.h - the operator's side of a relay that runs:
 * status.json every few seconds, metrics on loopback, a new configuration on
 * SIGHUP. */
#ifndef RELAY_DAEMON_MONITOR_H
#define RELAY_DAEMON_MONITOR_H
#include "relay/daemon/daemon.h"
#include "relay/operator/status.h"

struct monitor;

/* Make the operator's side of d, which has its relay, net and directory. config
 * is what d runs with, and is changed by SIGHUP. Returns 0, or what kept the
 * metrics from being served (logged). */
int monitor_new(struct monitor **out, struct relay_daemon *d,
                struct relay_settings *config) CHECK_RESULT;
/* Write a last status and free *m. */
void monitor_free(struct monitor **m);

/* Write and publish what is due; call several times a second. */
void monitor_step(struct monitor *m);
#endif
