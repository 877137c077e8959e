/* relay/daemon/reload.h - a new configuration for a relay that runs.
 *
 * The file is read and checked whole before anything changes. Some keys take
 * effect at once; the others wait for a restart and are named. */
#ifndef RELAY_DAEMON_RELOAD_H
#define RELAY_DAEMON_RELOAD_H
#include "network/os/netfile.h"
#include "relay/daemon/daemon.h"

enum { RELOAD_LIST_LEN = 256 };

/* Names of keys, with commas; "": none. */
struct reload {
    char applied[RELOAD_LIST_LEN]; /* in force now */
    char next[RELOAD_LIST_LEN];    /* in the next descriptor */
    char restart[RELOAD_LIST_LEN]; /* only after a restart */
};

/* The network file never changes for a relay that runs; what of it would wait
 * for a restart. */
enum reload_network {
    RELOAD_NETWORK_SAME,
    RELOAD_NETWORK_CHANGED,
    RELOAD_NETWORK_CLOSED /* replaced where a confined relay may not look */
};

/* Read relay.conf of dir into *next, zeroed by the caller and freed with
 * config_free(), and compare the network file that it names with the running
 * one: *network. On an error *next is empty, and error is a line for people. */
int reload_read(struct relay_settings *next, const char *dir,
                const struct network *running, enum reload_network *network,
                char error[static NETFILE_ERROR_LEN]) CHECK_RESULT;

/* Exchange what may change between *now and *next, and name in *r what differs;
 * the rest of *now stays the same. */
void reload_apply(struct reload *r, struct relay_settings *now,
                  struct relay_settings *next);
#endif
