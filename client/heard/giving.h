/* client/heard/giving.h - does the gateway give what was asked for?
 *
 * A gateway can read all frames of a client and pass on one of a hundred, or name few
 * of them as read, so that few are sent. The answers to loops are therefore compared
 * with the clock's ticks for loops, whether anything was sent on them or not: a *look*
 * lasts GIVING_LOOK_US, and longer while it has fewer than GIVING_TICKS. One in which
 * fewer than half as many answers came is poor; GIVING_LOOKS of them more than good ones,
 * which make up for one each, and the gateway is one to leave. So it gives a quarter of
 * what it is asked for at least.
 *
 * Loops alone count, since no gateway can tell them from other requests, and nobody
 * else which are this client's: did answers to gets count, then a contact's stores,
 * which can refuse them, would make his reader leave, and his gateway saw who that is.
 *
 * Where it is the line, or the network, that loses packets, another gateway changes
 * nothing: each further time takes twice as many looks, GIVING_DOUBLINGS times, so that
 * a client with a bad line moves on every two hours; GIVING_CALM good looks in a row,
 * as often doubled, take one of these back. So nobody can keep one on the move.
 *
 * A look goes on over connections to one gateway. No failure
 * modes: a gap without ticks makes a look longer. Pure. */
#ifndef CLIENT_HEARD_GIVING_H
#define CLIENT_HEARD_GIVING_H
#include <stdbool.h>
#include <stdint.h>

enum {
    GIVING_TICKS = 32,
    GIVING_LOOKS = 2,
    GIVING_CALM = 10,
    GIVING_DOUBLINGS = 6
};
#define GIVING_LOOK_US 60000000ULL

/* A value of the client's, zero at first. */
struct giving {
    uint64_t since_us; /* this look; 0: none has begun */
    uint32_t ticks, answers;
    uint32_t poor; /* looks, less the good ones since */
    uint32_t good; /* looks in a row, until now */
    uint8_t left;  /* gateways for that, but for what is taken back */
};

/* Begins anew with another gateway; was_poor: the last one was left for this. */
void giving_begin(struct giving *g, bool was_poor);

/* Notes a tick for a loop, while the gateway could be sent to, at now_us. */
void giving_tick(struct giving *g, uint64_t now_us);

/* Notes an answer to a loop of such a tick. */
void giving_answer(struct giving *g);

/* Is the gateway one to leave? */
bool giving_is_poor(const struct giving *g);
#endif
