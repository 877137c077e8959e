/* tests/sides.h - sessions without clients: whoever has one keeps what client/sealing.c
 * does, and letters go from hand to hand. A period is a day. */
#ifndef TESTS_SIDES_H
#define TESTS_SIDES_H
#include "client/letters/chain.h"
#include "client/letters/invite.h"
#include "client/letters/session.h"
#include "lib/rng_seeded.h"

enum { SIDE_LEN = 1232, SIDE_KEPT = 2048, SIDE_DAY = 20000 };

/* The key of a letter that has not come. */
struct side_key {
    uint32_t generation, step, n;
    uint8_t key[LETTER_KEY_LEN];
};

struct side {
    struct session session;
    struct chain chains[CHAIN_WAYS];
    struct side_key kept[SIDE_KEPT];
    size_t n_kept;
    struct letter_place at; /* of the next letter; its period is today */
    uint32_t latest;        /* no offer of a higher generation is taken */
    struct rng_seeded rng;
};

/* A letter as it lies in its box. */
struct posted {
    struct letter_place at;
    uint8_t bytes[SIDE_LEN];
};

/* Make an invitation, and be its inviter, or one who takes it up, of this name. */
void side_invite(struct side *s, struct invite *invite, const char *name);
void side_accept(struct side *s, const struct invite *invite, const char *name);

/* Make an inviter and an invitee; let both read a letter of the other's. */
enum { INVITER, INVITEE };
void sides_make(struct side s[2]);
void sides_meet(struct side s[2]);

/* Seal for the next place, whatever it has been used for. */
struct posted side_seal(struct side *s, const struct letter *l);
/* A text, and what has no content. */
struct posted side_write(struct side *s, const char *text);
struct posted side_hello(struct side *s);

/* Offer a ratchet of this generation, and write a letter with it. */
struct posted side_offer(struct side *s, uint32_t generation);

/* Open a letter, and leave s as it is: returns what session_open() does. The letter's
 * data is there until the next. */
int side_try(const struct side *s, const struct posted *p,
             struct session_step *step);

/* The same, and do what follows from it. */
int side_open(struct side *s, const struct posted *p,
              struct session_step *step);

/* Do that with one that has to open and have this text; that has this verdict; that is
 * none of the pair's. */
void side_reads(struct side *s, const struct posted *p, const char *text);
void side_judges(struct side *s, const struct posted *p,
                 enum session_verdict want);
void side_refuses(const struct side *s, const struct posted *p, int want);
#endif
