/* client/letters/ratchet.h - the Double Ratchet: a key for each letter, which no key
 * of a later one leads back to, and fresh secrets with each answer.
 *
 * After "The Double Ratchet Algorithm", revision 4, sections 3.1 to 3.5, with X25519
 * and keyed BLAKE2b:
 *
 *   root' | chain = BLAKE2b-512(root; "brusio/1 root" | X25519(own secret, peer's key)
 *                               | share 32, of steps that mix one in)
 *   key of a letter = BLAKE2b-256(chain; byte 1)
 *   chain'          = BLAKE2b-256(chain; byte 2)
 *
 * Who *offers* has a key pair that the other side knows, and writes nothing before he
 * has read something. Who *takes* the offer writes at once. Each side counts the key
 * pairs it has had, its *step*, and says the number in each head: a reader sees from
 * it whether a letter is behind, ahead by one, or so far ahead that its own state is
 * an old copy.
 *
 * *Shares* of ML-KEM-768 are mixed into the root one after the other (rekey.h). The two
 * sides take turns: of share 1, 3, .. it is the taker who sends a key and, when he has
 * the share, mixes it with his next key pair; of the others the offerer. The other side,
 * who made the share, has it before that, so that nobody ever meets a letter for which
 * he lacks it. A head says how many are in the root.
 *
 * Pure: no state of its own, and randomness is an argument. */
#ifndef CLIENT_LETTERS_RATCHET_H
#define CLIENT_LETTERS_RATCHET_H
#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"

enum {
    RATCHET_KEY_LEN = 32,
    RATCHET_SKIP_MAX = 1024, /* letters that may be missing before one */
    RATCHET_NUMBER_MAX = (1 << 24) - 1 /* of letters in a chain */
};

/* One side's state: secret. */
struct ratchet {
    uint8_t root[RATCHET_KEY_LEN];
    uint8_t own_secret[RATCHET_KEY_LEN]; /* of X25519 */
    uint8_t own_key[RATCHET_KEY_LEN];    /* its public key */
    uint8_t peer_key[RATCHET_KEY_LEN];   /* while it has_peer */
    uint8_t out[RATCHET_KEY_LEN];        /* the chain written with: can_write */
    uint8_t in[RATCHET_KEY_LEN];         /* the chain read with: can_read */
    uint8_t share[RATCHET_KEY_LEN];      /* the one to mix next: has_share */
    bool has_peer, can_write, can_read, has_share;
    bool hardened;  /* the root is closed to who knows all secrets of X25519 */
    uint32_t mixed; /* shares that are in the root */
    uint32_t own_step, peer_step;
    uint32_t n_out, n_in; /* numbers of the next letters of these chains */
    uint32_t n_previous;  /* letters of the chain written with before */
};

/* What a letter's head says of its place in the ratchet. */
struct ratchet_head {
    uint32_t step; /* which of the writer's keys this is */
    uint8_t key[RATCHET_KEY_LEN];
    uint32_t n;        /* in its chain */
    uint32_t previous; /* letters of the chain before */
    uint8_t mixed; /* shares that are in the root of its chain, modulo 256 */
};

/* A stretch of a chain whose letters have not come: they have the numbers n, n + 1, ..
 * below end, and the first of their keys comes from chain. */
struct ratchet_gap {
    uint32_t step, n, end;
    uint8_t chain[RATCHET_KEY_LEN];
};

/* What following a head leads to: all of it secret. */
struct ratchet_step {
    struct ratchet next;          /* the state once the letter has opened */
    uint8_t key[RATCHET_KEY_LEN]; /* of the letter */
    struct ratchet_gap
        gap[2]; /* of the chain before, of this one; maybe empty */
};

/* Begin r as the side that offers: the key of own_secret is known to the other one,
 * and secret to both. */
void ratchet_offer(struct ratchet *r,
                   const uint8_t secret[static RATCHET_KEY_LEN],
                   const uint8_t own_secret[static RATCHET_KEY_LEN]);

/* Begin r as the side that takes an offer of peer_key; own_secret is fresh. Returns 0
 * or ERR_POINT. */
int ratchet_take(struct ratchet *r,
                 const uint8_t secret[static RATCHET_KEY_LEN],
                 const uint8_t peer_key[static RATCHET_KEY_LEN],
                 const uint8_t own_secret[static RATCHET_KEY_LEN]) CHECK_RESULT;

/* Is it r's side that sends the key of the next share, and mixes that? */
bool ratchet_sends_key(const struct ratchet *r);

/* Take the next key of the chain that r writes with, and what the letter's head says.
 * r can write. Returns 0, or ERR_FULL: the chain has no number left. */
int ratchet_write(struct ratchet *r, struct ratchet_head *head,
                  uint8_t key[static RATCHET_KEY_LEN]) CHECK_RESULT;

/* Find what a head leads to from r, which stays as it is. fresh: a secret for the next
 * key pair. Returns 0; ERR_DUPLICATE: the letter is behind, and its key, if it has
 * not come yet, was in a gap; ERR_STALE: it is ahead of what r can know; ERR_CONFLICT:
 * another key has this step, or a share is in it that r does not have; ERR_RANGE: too many letters are missing; ERR_POINT. */
int ratchet_read(const struct ratchet *r, const struct ratchet_head *head,
                 const uint8_t fresh[static RATCHET_KEY_LEN],
                 struct ratchet_step *step) CHECK_RESULT;

/* Take the next key of a gap. Returns false at its end. */
bool ratchet_gap_next(struct ratchet_gap *gap, uint32_t *n,
                      uint8_t key[static RATCHET_KEY_LEN]);
#endif
