/* network/work.h - what opening a box costs, and announcing a letter.
 *
 * The first put into a box brings a proof: a nonce whose hash, with the newest
 * consensus's challenge, the store and the box, begins with so many zero bits.
 * Finding a proof takes 2^bits hashes, checking a proof takes one. A proof
 * counts at one store, for one box, and while its consensus is one of the
 * newest WORK_EPOCHS: nobody can gather proofs for longer.
 *
 * The number of bits is that of the consensus, and grows as the store fills. A
 * store names the number of steps that it wants (WIRE_WORK), WORK_STEPS_MAX at
 * most. */
#ifndef NETWORK_WORK_H
#define NETWORK_WORK_H
#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"

enum {
    WORK_CHALLENGE_LEN = 16,
    WORK_NONCE_LEN = 8, /* the first bytes of a request's work */
    WORK_TOKEN_LEN = 16,
    /* Of a consensus: with all steps 2^32 hashes, some ten minutes of a core
     * for a box. Whatever authorities and stores ask for, no client does more.
     */
    WORK_BITS_MAX = 24,
    WORK_STEPS_MAX = 8, /* each is one bit */
    WORK_EPOCHS = 3     /* one that is to begin, one in force, one before */
};

/* What a proof is for. */
struct work_task {
    uint8_t challenge[WORK_CHALLENGE_LEN]; /* of the consensus */
    uint8_t store[32];                     /* its identity */
    uint8_t box[32];                       /* the box's id */
};

/* Fill *task for the proof of an announcement: token for the board of this
 * identity, with 16 zeros after the token in the place of the box. The proof
 * has params.announce_bits of the consensus from which challenge is, and counts
 * as long as other proofs. */
void work_announce_task(struct work_task *task,
                        const uint8_t challenge[static WORK_CHALLENGE_LEN],
                        const uint8_t board[static 32],
                        const uint8_t token[static WORK_TOKEN_LEN]);

/* Tell how many zero bits nonce is worth for task:
 * BLAKE2b-256("brusio/1 work" | challenge | store | box | nonce). */
unsigned work_bits(const struct work_task *task,
                   const uint8_t nonce[static WORK_NONCE_LEN]);

/* Try `tries` nonces from nonce on. Returns whether one was worth `bits` for
 * task; then nonce is that one, else nonce is where to go on. */
bool work_search(const struct work_task *task, unsigned bits, uint64_t tries,
                 uint8_t nonce[static WORK_NONCE_LEN]);

/* Tell how many steps more a store wants that has used `used` of `room`: none
 * up to half of the room, then one for each sixteenth. */
unsigned work_steps(uint64_t used, uint64_t room);

/* Judge whether the first letter may be put into a box: base are the bits of
 * the consensus (0: every letter may), given those that the letter's proof is
 * worth, used and room those of the store. Returns 0, or ERR_WORK with the
 * steps that the store wants in *steps. */
int work_judge(unsigned base, unsigned given, uint64_t used, uint64_t room,
               uint8_t *steps) CHECK_RESULT;

/* Makes proofs beside the clock: an edge's thread, one task at a time. */
struct work_maker {
    /* Begin with task, of so many bits, at the nonce `from`, and give up the
     * task before. */
    void (*start)(struct work_maker *maker, const struct work_task *task,
                  unsigned bits, const uint8_t from[static WORK_NONCE_LEN]);
    /* Tell whether a proof was found: then nonce is that proof, else nonce is
     * where to go on. */
    bool (*found)(struct work_maker *maker,
                  uint8_t nonce[static WORK_NONCE_LEN]);
};
#endif
