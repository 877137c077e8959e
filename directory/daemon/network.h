/* directory/daemon/network.h - making the network file of a new network, from
 * what `init` of its authorities and gateways has printed. */
#ifndef DIRECTORY_DAEMON_NETWORK_H
#define DIRECTORY_DAEMON_NETWORK_H
#include "network/json.h"

enum {
    NETWORK_EPOCH_MIN_S = 30,
    NETWORK_EPOCH_MAX_S = 86400,
    NETWORK_EPOCH_S = 3600
};

/* All texts are the caller's. */
struct network_wish {
    /* "ADDRESS=IDENTITY" each; one more than there may be is kept of each */
    const char *authority[AUTHORITIES_MAX + 1];
    const char *gateway[NETWORK_GATEWAYS_MAX + 1];
    size_t n_authorities, n_gateways;
    const char *name, *suite; /* NULL: the default */
    uint32_t epoch_len_s;
    uint64_t genesis_s;
};

/* Print the network file that *w asks for, or what is wrong. Returns the exit
 * status. */
int network_print(const struct network_wish *w);
#endif
