/* relay/daemon/outs.h - the links of one worker to other relays.
 *
 * One link to each relay that this one may send to and whose link is this worker's,
 * made when a consensus names it, and kept while any consensus in use does. Frames go
 * out alone: what comes this way is counted as refused. */
#ifndef RELAY_DAEMON_OUTS_H
#define RELAY_DAEMON_OUTS_H
#include "lib/os/link.h"
#include "network/consensus.h"

struct out_link;

/* Set all but `first`; what they name outlives this. */
struct outs {
    struct loop *loop;
    struct tls *tls;
    const struct link_config *config;
    uint64_t *refused; /* why links ended, ERROR_COUNT counts by -error */
    struct out_link *first;
};

/* Which of a consensus's relays are sent to. */
struct outs_part {
    int self;             /* this relay's number; -1: none, nobody is sent to */
    const uint8_t *owner; /* by relay: the worker whose link it is */
    uint32_t worker;
};

/* Find or make the links to those of c's relays that are of `part`, and write them to
 * *out, by relay number; NULL: not sent to. outs_view_drop() gives them up, after an
 * error too. Returns 0 or ERR_NOMEM. */
int outs_view(struct outs *l, const struct consensus *c,
              const struct outs_part *part,
              struct out_link ***out) CHECK_RESULT;

/* Give up the links of a view of n relays: those that no other view names end at the
 * next upkeep. out may be NULL. */
void outs_view_drop(struct out_link **out, size_t n);

/* Send a frame. Returns as link_send(), or ERR_CLOSED while the link is down. */
int outs_send(struct out_link *o, const uint8_t *frame);

/* Close the links of relays that take nothing. */
void outs_look(struct outs *l, uint64_t now_us);

/* Free links that no view names, and try those again that are down and due, where
 * `connects` allows. */
void outs_upkeep(struct outs *l, bool connects);

/* Close all; they are due at once when they may be made again. */
void outs_close(struct outs *l);

/* Add to *all how many there are, to *up how many of them are up. */
void outs_count(const struct outs *l, size_t *all, size_t *up);

void outs_free(struct outs *l);
#endif
