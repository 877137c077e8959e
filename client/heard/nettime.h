/* client/heard/nettime.h - the network's time, as this client's packets need it.
 *
 * Deadlines are counted from it. They say to whoever sees them when the sender
 * thinks that a packet arrives; so a clock that is off by some milliseconds is
 * a mark that all boxes of one client share (Murdoch, "Hot or Not", CCS 2006).
 * Therefore each answer says when its request arrived, and a client corrects
 * its idea of the time until requests arrive when it expects them to: the
 * latency of its own line is corrected along with its clock. What a clock drifts
 * while the words of a store come is seen in deadlines for as long as it drifts:
 * so words count for NETTIME_SPAN_US, of which half is the lag, 5 ms with a clock
 * of 50 ppm.
 *
 * Nobody's word is final. Every store has one sample, the median of what its
 * last answers said, so that a mix which holds packets too long, or not long
 * enough, moves it by no more than latency varies while it has fewer than half
 * of them; with a mean each such packet would show at once in the deadlines of
 * all of a client's boxes. Stores of one family have one sample together; the
 * median of at least NETTIME_FAMILIES families counts, of as many as there are
 * where the network has fewer. Until then the own clock counts, or, when that is off by
 * more than NETTIME_FAR_US, what the gateway said on connecting, which a liar
 * among gateways can use for nothing but to get no answers.
 *
 * What cannot be undone (periods, expiry) is never decided by this time alone:
 * see client_time_s() and client_sure_time_s() in client/state.h.
 *
 * All times here are *bases*: microseconds since 1970 minus the monotonic
 * clock. A wall clock that jumps leaves them alone. Pure. */
#ifndef CLIENT_NETTIME_H
#define CLIENT_NETTIME_H
#include <stdbool.h>
#include <stdint.h>

#include "network/consensus.h"

enum {
    NETTIME_STORES = 16,
    NETTIME_FAMILIES = 3,
    NETTIME_WORDS = 32, /* of a store, at most */
    NETTIME_LEAST = 3   /* of a store, however old */
};

#define NETTIME_FAR_US  15000000LL /* of the own clock: the gateway's counts */
#define NETTIME_OLD_US  3600000000LL /* a sample is forgotten after */
#define NETTIME_SPAN_US 100000000ULL /* words that are older do not count */

struct nettime_sample {
    uint8_t store[SPHINX_ID_LEN], family[FAMILY_LEN];
    int64_t base_us;   /* the median of its words */
    uint64_t heard_us; /* monotonic; 0: free */
    uint32_t count;    /* of words, of which the last are here */
    struct {
        int64_t base_us;
        uint64_t heard_us;
    } word[NETTIME_WORDS]; /* word i at i modulo NETTIME_WORDS */
};

/* Zeroed memory knows nothing. */
struct nettime {
    struct nettime_sample sample[NETTIME_STORES];
    int64_t start_base_us; /* the gateway's word */
    bool has_start;
};

/* Note the word of the gateway, time_ms since 1970, come at now_us. It counts
 * until enough stores have spoken, and only when the own clock is far off. */
void nettime_start(struct nettime *n, uint64_t time_ms, uint64_t now_us);

/* Note that a request to `store`, expected there at expected_us, arrived at
 * arrived_ms by the store's own clock. All clients have to hear all stores
 * alike, so only requests to stores that were drawn at random count: one that
 * a client asks more than others do would mark its time. */
void nettime_note(struct nettime *n, const struct relay_entry *store,
                  uint64_t arrived_ms, uint64_t expected_us, uint64_t now_us);

/* Count the families of stores in c that can have samples of their own,
 * NETTIME_FAMILIES at most: so many are needed. */
unsigned nettime_families(const struct consensus *c);

/* Find the base that so many families agree on. Returns false, and leaves
 * *base_us alone, when fewer have spoken in the last hour. Where one or two are
 * all there are, the one that is nearest to own_base_us counts, unless it is
 * further from it than NETTIME_FAR_US: then own_base_us. */
bool nettime_agreed(const struct nettime *n, unsigned families,
                    int64_t own_base_us, uint64_t now_us, int64_t *base_us);

/* The base to count deadlines from: what stores agree on, else the gateway's
 * word when the own clock is far from it, else the own clock. */
int64_t nettime_base_us(const struct nettime *n, unsigned families,
                        int64_t own_base_us, uint64_t now_us);
#endif
