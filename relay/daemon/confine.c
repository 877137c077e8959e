/* relay/daemon/confine.c - what a running relay gives up (lib/os/confine.h). No
 * state.
 *
 * It has not settled: it listens anew when SIGHUP changes 'metrics'. */
#include "lib/os/confine.h"
#include "relay/daemon/daemon.h"

int
daemon_confine(struct relay_daemon *d)
{
    const struct confine c = {.module = "relay",
                              .conf = "relay.conf",
                              .dir = d->dir,
                              .file = {d->config->network},
                              .user = d->config->user,
                              .sandbox = d->config->sandbox};
    return confine(&d->host.log, &c);
}
