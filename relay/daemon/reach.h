/* relay/daemon/reach.h - which of its addresses a relay may publish: those at
 * which it has reached itself, by a link with its own key at the other end.
 *
 *   untested -> reached <-> doubted -> unreached -> reached
 *
 * A reached address is tested again once an epoch, and is lost after two
 * failures in a row. An unreached one is tried again after 5 s, doubled up to 5
 * minutes. Pure: time comes in as an argument, the caller connects. */
#ifndef RELAY_DAEMON_REACH_H
#define RELAY_DAEMON_REACH_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "network/consensus.h"

struct reach {
    size_t n;
    struct {
        char address[ADDRESS_MAX];
        bool tested, reached;
        unsigned failures; /* in a row */
        int err;           /* the last failure's */
        uint64_t next_us, wait_us;
    } at[ADDRESSES_MAX];
};

enum { REACH_NONE = -1 };

/* Set the n addresses to be tested; what is known of those kept stays. */
void reach_set(struct reach *r, char (*address)[ADDRESS_MAX], size_t n);
/* Find an address that is due to be tested at now_us, or REACH_NONE. */
int reach_next(const struct reach *r, uint64_t now_us);
/* Note how the test of address i ended, err 0: well. again_us: when to look
 * again at a reached one. */
void reach_result(struct reach *r, size_t i, int err, uint64_t now_us,
                  uint64_t again_us);
/* Tell whether each address has been tested. */
bool reach_is_known(const struct reach *r);
/* Copy the addresses that were reached; returns how many. */
size_t reach_good(const struct reach *r, char (*address)[ADDRESS_MAX]);
/* Find the first address that was not reached, or NULL; *err says why. */
const char *reach_bad(const struct reach *r, int *err);
#endif
