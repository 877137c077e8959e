/* client/letters/rekey.h - shares of ML-KEM-768 for a pair's ratchet, which travel in the
 * room that letters leave, so that no packet is sent for them.
 *
 * After Apple's PQ3: beside X25519, which each answer steps, a share that a quantum
 * computer does not find is mixed into the root again and again. Of each exchange, whose
 * number is that of its share (ratchet.h),
 *
 *   one side sends a key, LETTER_PARTS parts of 148 bytes; the other, when it has them
 *   all, a ciphertext, parts of 136, until a head says that the share is in the root.
 *
 * Each letter carries the parts that are next and for which it has room, in a circle: so
 * letters may be lost, come late, or twice, and of an empty letter's seven parts any two
 * letters have all. Then the other side is the one that sends a key.
 *
 * Pure: randomness and the library are arguments. All of it is secret. */
#ifndef CLIENT_LETTERS_REKEY_H
#define CLIENT_LETTERS_REKEY_H
#include "client/letters/letter.h"

/* An exchange, by one side. */
struct rekey {
    uint8_t seed[MLKEM_SEED_LEN];    /* of the key that is sent: has_seed */
    uint8_t bytes[MLKEM_PUBLIC_LEN]; /* a key that comes, a ciphertext */
    uint8_t next;                    /* the part to be sent next */
    uint8_t have;                    /* bit i: part i has come */
    bool has_seed;
    bool peer_lacks; /* the other side has said that it has no ML-KEM-768 */
};

/* Begin an exchange of r's: k forgets the one before. */
void rekey_begin(struct rekey *k);

/* Draw the seed of a key that is to be sent, if there is none. */
void rekey_ready(struct rekey *k, const struct ratchet *r,
                 const uint8_t fresh[static MLKEM_SEED_LEN]);

/* Choose what the next letter, which has room for so many bytes, carries. bytes: where the
 * parts are written to. */
struct letter_part rekey_write(struct rekey *k, const struct ratchet *r,
                               const struct mlkem *mlkem, size_t room,
                               uint8_t bytes[static MLKEM_PUBLIC_LEN]);

/* Take what a letter of r's has carried. With the last part r gets its share. fresh:
 * what a ciphertext is made of, MLKEM_MESSAGE_LEN bytes of it. */
void rekey_read(struct rekey *k, struct ratchet *r, const struct mlkem *mlkem,
                const struct letter_part *part,
                const uint8_t fresh[static MLKEM_SEED_LEN]);
#endif
