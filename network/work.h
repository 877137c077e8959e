/* network/work.h - what opening a box costs, and announcing a letter.
 *
 * The first put into a box brings a proof: a nonce whose hash, with the newest
 * consensus's challenge, the store and the box, begins with so many zero bits.
 * Finding one takes 2^bits hashes, checking it takes one. A proof counts at one
 * store, for one box, and while its consensus is one of the newest WORK_EPOCHS:
 * nobody can gather them for longer.
 *
 * How many bits: those of the consensus, and more as the store fills. A store
 * names the number of steps that it wants (WIRE_WORK), WORK_STEPS_MAX at most. */
#ifndef NETWORK_WORK_H
#define NETWORK_WORK_H
#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"

enum {
    WORK_CHALLENGE_LEN = 16,
    WORK_NONCE_LEN = 8, /* the first bytes of a request's work */
    WORK_TOKEN_LEN = 16,
    /* Of a consensus: with all steps 2^32 hashes, some ten minutes of a core for
     * a box. Whatever authorities and stores ask for, no client does more. */
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

/* Say what the proof of an announcement is for: a token of 16 bytes for the board
 * of this identity, with 16 zeros after it in the place of the box. It has
 * params.announce_bits of the consensus that the challenge is of, and counts as
 * long as other proofs. */
void work_announce_task(struct work_task *task,
                        const uint8_t challenge[static WORK_CHALLENGE_LEN],
                        const uint8_t board[static 32],
                        const uint8_t token[static WORK_TOKEN_LEN]);

/* Tell how many zero bits this nonce is worth:
 * BLAKE2b-256("brusio/1 work" | challenge | store | box | nonce). */
unsigned work_bits(const struct work_task *task,
                   const uint8_t nonce[static WORK_NONCE_LEN]);

/* Try `tries` nonces from the one given on. Returns whether one was worth `bits`:
 * that one, or where to go on, is then in nonce. */
bool work_search(const struct work_task *task, unsigned bits, uint64_t tries,
                 uint8_t nonce[static WORK_NONCE_LEN]);

/* Tell how many steps more a store wants that has `used` of `room`: none up to
 * the half of it, then one for each sixteenth. */
unsigned work_steps(uint64_t used, uint64_t room);

/* May the first letter be put into a box? base: the bits of the consensus, 0: all
 * may; given: those that its proof is worth; used, room: of the store. Returns 0,
 * or ERR_WORK with the steps that it takes in *steps. */
int work_judge(unsigned base, unsigned given, uint64_t used, uint64_t room,
               uint8_t *steps) CHECK_RESULT;

/* Who makes proofs beside the clock: an edge's thread. One task at a time. */
struct work_maker {
    /* Begin with a task, at the nonce `from`. What was begun before is given up. */
    void (*start)(struct work_maker *maker, const struct work_task *task,
                  unsigned bits, const uint8_t from[static WORK_NONCE_LEN]);
    /* Is it found? Then in nonce; else nonce is where to go on. */
    bool (*found)(struct work_maker *maker,
                  uint8_t nonce[static WORK_NONCE_LEN]);
};
#endif
