/* relay/daemon/panel.h - the operator's side of a relay that runs: status.json
 * every few seconds, metrics on loopback, a new configuration on SIGHUP. */
#ifndef RELAY_DAEMON_PANEL_H
#define RELAY_DAEMON_PANEL_H
#include "relay/daemon/daemon.h"
#include "relay/operator/status.h"

struct panel;

/* Make the operator's side of d, which has its relay, net and directory. config
 * is what d runs with, and is changed by SIGHUP. Returns 0, or what kept the
 * metrics from being served (logged). */
int panel_new(struct panel **out, struct relay_daemon *d,
              struct relay_settings *config) CHECK_RESULT;
/* Write a last status and free *p. */
void panel_free(struct panel **p);

/* Write and publish what is due; call several times a second. */
void panel_step(struct panel *p);
#endif
