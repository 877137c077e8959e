/* tests/adversary.h - what may be wrong with whom a user depends on: relays,
 * contacts and strangers that deviate by a table of vices.
 *
 * Whoever runs them is not limited to what honest programs can do, and honest
 * code knows nothing of them. Relays are in rogue_relay.h; what a consensus
 * says falsely is part of a world's plan (sim/engine/net.h); authorities with
 * two faces are in house.h. */
#ifndef TESTS_ADVERSARY_H
#define TESTS_ADVERSARY_H
#include "client/letters/invite.h"
#include "client/letters/session.h"
#include "lib/wire.h"
#include "tests/world.h"

enum vice {
    VICE_LIES_ABOUT_TIME = 1 << 0,
    VICE_FALSE_EPOCH = 1 << 1,
    VICE_FALSE_FAMILY = 1 << 2,
    VICE_ZERO_KEY = 1 << 3,
    VICE_KEEPS_NOTHING = 1 << 4,
    VICE_BURNS_BOXES = 1 << 5,
    VICE_HOARDS_ANSWERS = 1 << 6,
    VICE_WITHHOLDS = 1 << 7,
    VICE_DROPS_BY_LINK = 1 << 8,
    VICE_ASKS_LONG_DELAYS = 1 << 9,
    VICE_FALSE_BANDWIDTH = 1 << 10,
    VICE_IDLE_SOCKETS = 1 << 11,
    VICE_NEVER_FINISHES = 1 << 12,
    VICE_REPLAYS = 1 << 13,
    VICE_DELAYS = 1 << 14,
    VICE_FALSE_SLOTS = 1 << 15,
    VICE_ASKS_FOR_WORK = 1 << 16,
    VICE_FALSE_STATUS = 1 << 17,
    VICES = 18 /* how many */
};

/* A line of the table: who does what, what it costs an honest user at most, and
 * the test that says so. Where more than that is wanted, not_yet is the test
 * that shows what can still be done, and is expected to fail. */
struct vice_row {
    enum vice vice;
    const char *name, *who, *does, *bound, *test, *not_yet;
};
extern const struct vice_row adversary_vices[VICES];

/* Count that a vice was given way to. */
static inline void
adversary_count(uint64_t done[static VICES], enum vice v)
{
    done[__builtin_ctz(v)]++;
}

/* ---- a contact who writes letters by himself ---- */

/* He took an invitation up, and puts what he likes into the boxes that are read
 * for him. */
struct adversary_contact {
    struct world *world;
    struct chain chain; /* of what he writes */
    struct session session;
    struct letter_place at; /* of the next letter */
    uint32_t sequence;
    size_t letter_len;
    struct rng_seeded rng;
};
/* Make him from the line that his victim's client made. */
void adversary_contact_make(struct adversary_contact *a, struct world *w,
                            const char *invitation, uint64_t seed);
/* Seal a letter for the next place and put it into its store. Sequence and
 * floor are set here. */
void adversary_contact_write(struct adversary_contact *a, struct letter *l);
/* A file of `total` bytes, of which only the first so many letters come. */
void adversary_contact_send(struct adversary_contact *a, uint32_t total,
                            uint32_t letters);
/* never_finishes: the first fragment of a message of `total` bytes whose others
 * never come. */
void adversary_contact_announce(struct adversary_contact *a, uint32_t total);

/* ---- a stranger with sockets ---- */

/* idle_sockets: connect n times to an address of loopback, say half a request
 * on each, and nothing more. Returns how many were let in; fd has n places, -1
 * where there is none. */
size_t adversary_sockets_open(const char *address, int *fd, size_t n);
/* Say one more byte on each; returns how many are still let. */
size_t adversary_sockets_hold(int *fd, size_t n);
/* An answer that never ends: take a connection to a listening socket (*fd is -1
 * before) and begin to answer, or say one more byte. */
void adversary_answer_slowly(int listening, int *fd);
void adversary_sockets_close(int *fd, size_t n);
#endif
