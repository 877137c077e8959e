/* tests/pair.h - two clients with a disk each, without a network: a invites b, and
 * letters are carried from one to the other by hand. */
#ifndef TESTS_PAIR_H
#define TESTS_PAIR_H
#include "client/state.h"
#include "tests/client_disk.h"

#define PAIR_WAIT_US 30000000ULL

/* What lies in a slot of a box: the letter's nonce, which tells it from all others. */
enum { PAIR_SLOTS = 1024, PAIR_MARK_LEN = 24 };
struct pair_slot {
    unsigned to;
    struct letter_place at;
    uint8_t mark[PAIR_MARK_LEN];
};

struct pair {
    const struct sim_net *net;
    struct client_disk disk[2];
    struct client *c[2];       /* a, b */
    struct conversation *v[2]; /* each one's of the other */
    bool ages_unknown; /* nobody can say when what is brought was committed */
    struct pair_slot slot[PAIR_SLOTS]; /* of the stores, going round */
    size_t n_slots;
};

/* The network of a suite of pairs: two gateways, three layers of one mix, two stores.
 * Fixtures make and free it. */
extern struct sim_net pair_net;
int pair_net_make(void **state);
int pair_net_free(void **state);

/* The same with consensuses that are good for 90 days. */
int pair_net_long_make(void **state);

/* Has one side write "text" to the other; returns its number. */
uint64_t pair_text(struct pair *p, unsigned from);

/* Seals a letter of the other side's for place n of today, whatever it says, and brings it
 * as one that was committed now. */
void pair_forge(struct pair *p, unsigned to, uint32_t n,
                const struct letter *letter);

/* Makes the pair: c[0] calls the other "b", c[1] calls it "a". */
void pair_make(struct pair *p, const struct sim_net *net);
void pair_free(struct pair *p);

/* Lets a write, as if it had seen that b has taken up the invitation; of b's letters it
 * has none yet. */
void pair_open(struct pair *p);

/* Finds v again, after a client was started anew. */
void pair_find(struct pair *p);

/* Ends one side's client and starts it on what its disk has. */
void pair_restart(struct pair *p, unsigned side);

/* Brings l, a letter of the other side's, as it lies in its box. */
void pair_bring(struct pair *p, unsigned to, const struct out_letter *l);

/* Brings all letters that the other side has; of one whose place has another in it, its
 * stores say that it is taken. */
void pair_bring_all(struct pair *p, unsigned to);

/* Lets both clocks go on for PAIR_WAIT_US, in which nearly all is acknowledged
 * that came long after its commit, and both clients tick. */
void pair_wait(struct pair *p);

/* A store keeps the acknowledgements alone of one side: else there is no other. */
void pair_acks_keep(struct pair *p, unsigned side);

/* Carries letters and time to and fro, until all is acknowledged. */
void pair_settle(struct pair *p);
#endif
