/* client/proofs.h - proofs of work for the boxes that this client opens and for
 * what it announces (network/work.h).
 *
 * A box costs nothing while nobody writes: a proof is made when a letter waits
 * for it, and one ahead for a conversation that goes on. Who makes them is the
 * maker of an edge, a thread of its own; without one a few thousand nonces are
 * tried in each step. A put never waits in a tick: without its proof it is left
 * out, and a loop goes (I2).
 *
 * What a store demands is remembered for that box alone: were it so for others,
 * the store could tell by the steps that it names which boxes are one client's
 * (I12). */
#ifndef CLIENT_PROOFS_H
#define CLIENT_PROOFS_H
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "network/consensus.h"
#include "network/work.h"

enum {
    PROOFS_MAX = 512,       /* boxes at stores: the longest unused gives way */
    PROOFS_TRIES = 1 << 13, /* in a step, without a maker */
    PROOFS_LIES = 3         /* "work" to a put that has brought enough */
};

struct proofs;

/* A box at a store. */
struct proof_place {
    const uint8_t *box;   /* its id */
    const uint8_t *store; /* its identity */
};

/* maker: NULL, or one that outlives the proofs. */
int proofs_new(struct proofs **out, struct work_maker *maker) CHECK_RESULT;
void proofs_free(struct proofs **p);

/* Go by a consensus, the newest in force; proofs made under one whose epoch is
 * before `oldest` are void. */
void proofs_consensus(struct proofs *p, const struct consensus *newest,
                      uint32_t oldest);

/* Take the nonce of a put. Sets *steps to what it is worth, for proofs_answer().
 * Returns 0, also when the box is open and needs none: then the nonce is left as
 * it is; ERR_AGAIN: it is being made; ERR_QUOTA: the store asks for what nobody
 * has to give, and counts as full. */
int proofs_take(struct proofs *p, struct proof_place at,
                uint8_t nonce[static WORK_NONCE_LEN],
                uint8_t *steps) CHECK_RESULT;

/* Have a proof made after all that letters wait for. */
void proofs_ahead(struct proofs *p, struct proof_place at);

/* Take the nonce of an announcement, which is made ahead (network/work.h): at.box
 * is its token and zeros, at.store its board. It is worth `more` bits beyond the
 * price, the same at each call, and WORK_BITS_MAX at most. Returns 0, also when
 * none is needed: then the nonce is left as it is; ERR_AGAIN: it is being made. */
int proofs_announce(struct proofs *p, struct proof_place at, unsigned more,
                    uint8_t nonce[static WORK_NONCE_LEN]) CHECK_RESULT;

/* Forget it: it has left, or is not wanted. */
void proofs_forget(struct proofs *p, struct proof_place at);

/* Note a store's answer to a put that brought a proof of so many steps; wanted:
 * the steps that "work" names. Returns the status that counts: instead of "work"
 * "retry", or "full" when it is asked for too much or without end. */
uint8_t proofs_answer(struct proofs *p, struct proof_place at, uint8_t status,
                      uint8_t steps, uint8_t wanted);

/* Take what is found, and go on with what is wanted next. */
void proofs_step(struct proofs *p);

/* Tell how many hashes the proofs made so far for boxes cost, about: for tests. */
uint64_t proofs_cost(const struct proofs *p);
#endif
