/* client/letters/session.h - what the letters of a pair are sealed with: its secret,
 * its ratchets, and how they begin.
 *
 * An invitation holds a seed and the inviter's first public key. Its *generation 0* is
 * a ratchet that the inviter offers and the invitee takes (ratchet.h), so that the
 * invitee's first letter is for the inviter alone, also when others have the line:
 *
 *   secret = BLAKE2b-256(seed; "brusio/1 first")
 *   pair   = BLAKE2b-256(secret; "brusio/1 both" | X25519 of the two first keys)
 *
 * The inviter writes nothing before he has read one of the invitee's. *pair* stays: it
 * is in the keys of all heads (letter.h), but of the invitee's until he has read one of
 * the inviter's. A head without it that has another key is that of a second who has
 * used the invitation: he reads nothing, and both others hear of him.
 *
 * A letter of the pair's that does not open means that one of the two has come back
 * with an older copy of his records. Whoever meets it offers a ratchet of a higher
 * generation, in the head of a letter that opens by its place and pair alone, and in
 * which nothing is said but what was read:
 *
 *   secret = BLAKE2b-256(pair; "brusio/1 again" | generation 4 | lasting 32)
 *
 * *lasting* is the first share that was mixed into the pair's ratchets (rekey.h), so that
 * not the line and X25519 alone lead to it; without one it is left out. A head that offers
 * says which it is. Who has another, or none, since his copy is older than that, forgets
 * it and offers without: then both have none, and the next share is the lasting one.
 *
 * The other takes it with the next letter. Of two offers the higher counts, of two
 * alike that of the inviter. The ratchet of before is kept for what is under way.
 *
 * Pure: randomness and the keys of places are arguments. All of it is secret. */
#ifndef CLIENT_LETTERS_SESSION_H
#define CLIENT_LETTERS_SESSION_H
#include "client/letters/letter.h"
#include "client/letters/ratchet.h"
#include "client/letters/rekey.h"
#include "lib/codec.h"

enum {
    SESSION_RECORD_FIRST_LEN = 440, /* before there were shares of ML-KEM-768 */
    SESSION_RECORD_LEN = SESSION_RECORD_FIRST_LEN + 2 * (4 + 32 + 32) + 32 + 2 +
                         4 + LETTER_KEY_LEN + MLKEM_SEED_LEN + MLKEM_PUBLIC_LEN
};

enum session_state {
    SESSION_NONE = 0, /* letters are sealed by place: with oneself, or of a pair
                         that was made before there were ratchets */
    SESSION_OFFERED,  /* a ratchet that nobody has taken yet */
    SESSION_OPEN,
    SESSION_STATES
};

struct session {
    uint8_t state; /* enum session_state */
    bool inviter;
    bool paired;     /* pair and first are known */
    bool answered;   /* the other side is known to know pair, too */
    bool verified;   /* the user has compared the safety number */
    bool has_before; /* there is a ratchet of an earlier generation, */
    bool has_lasting;
    uint32_t generation, before_generation;
    uint32_t before_day;              /* which was left on this day */
    uint8_t pair[LETTER_KEY_LEN];     /* while paired, else zeros */
    uint8_t first[RATCHET_KEY_LEN];   /* the invitee's first public key */
    uint8_t lasting[RATCHET_KEY_LEN]; /* while it has_lasting */
    /* Of an invitation that nobody has taken up, so that it can be shown again; else
     * zeros. */
    uint8_t seed[LETTER_KEY_LEN];
    uint32_t expiry_h; /* hours since 1970 */
    struct ratchet now, before;
    struct rekey rekey;        /* of now */
    const struct mlkem *mlkem; /* this side's, NULL: none; it is not kept */
};

/* Are letters closed to who will break X25519, and why not? */
enum session_quantum {
    SESSION_QUANTUM_YES = 0,
    SESSION_QUANTUM_SOON,       /* when a few more letters have gone each way */
    SESSION_QUANTUM_HERE_LACKS, /* this side has no ML-KEM-768 */
    SESSION_QUANTUM_PEER_LACKS, /* the other has none */
    SESSION_QUANTUM_NEVER       /* a pair that was made without ratchets */
};

/* What a letter that came is, by its head and its body's key. */
enum session_verdict {
    SESSION_READ = 0, /* it opens: the caller has the letter */
    SESSION_SECOND,   /* one by a second who has used the invitation */
    SESSION_USED, /* one by whoever has the invitation: it was used, and by whom
                         letter.message says; nothing else of it counts */
    SESSION_PASSED, /* the pair's, and not for us any more, or what cannot be */
    SESSION_BROKEN  /* the pair's, of an older copy or beyond ours */
};

/* A letter that came. */
struct session_step {
    struct session next;  /* the session when it is taken */
    struct letter letter; /* when it is SESSION_READ */
    enum session_verdict verdict;
    bool
        ahead; /* what is broken is further on than s can be: s is an older copy */
    bool by_pair; /* its head opened by pair: the two have met */
    bool
        behind; /* its writer goes on with what the pair has left: he is to hear of
                     that */
    bool unmet;      /* it offers what s cannot take: another offer is due */
    int violation;   /* why what opened is passed over; 0: it is not */
    bool by_ratchet; /* its key is of a ratchet; */
    bool is_kept;    /* the key was one that had been kept */
    uint32_t told;   /* which generation a head that has pair tells; 0 */
    uint32_t generation;      /* of its ratchet, */
    struct ratchet_head head; /* and the place in it */
    uint8_t key[LETTER_KEY_LEN];
    struct ratchet_gap gap[2]; /* letters that have not come */
};

/* Look for the key of a letter that is late: write it to key, and return whether it was
 * kept. */
typedef bool session_kept(void *ctx, uint32_t generation, uint32_t step,
                          uint32_t n, uint8_t key[static LETTER_KEY_LEN]);

/* What opening a letter needs besides. */
struct session_context {
    uint32_t day;         /* of today, since 1970 */
    uint32_t latest;      /* no offer of a higher generation is taken */
    const uint8_t *fresh; /* a secret for the next key pair, RATCHET_KEY_LEN, */
    const uint8_t *fresh_share; /* and one for a share, MLKEM_SEED_LEN */
    session_kept *kept;
    void *ctx; /* of kept */
};

/* Begin s as the inviter, or the invitee, of an invitation, which is over at expiry_h.
 * own_secret: of the key in the invitation, or one that is fresh; fresh_share:
 * MLKEM_SEED_LEN. mlkem is the caller's to set. Returns 0 or ERR_POINT. */
void session_invite(struct session *s,
                    const uint8_t seed[static LETTER_KEY_LEN],
                    uint32_t expiry_h,
                    const uint8_t own_secret[static RATCHET_KEY_LEN]);
int
session_accept(struct session *s, const uint8_t seed[static LETTER_KEY_LEN],
               const uint8_t key[static RATCHET_KEY_LEN],
               const uint8_t own_secret[static RATCHET_KEY_LEN],
               const uint8_t fresh_share[static MLKEM_SEED_LEN]) CHECK_RESULT;

/* Offer a ratchet of this generation, which is higher than all before. day: of today,
 * for the one that is left. */
void session_offer(struct session *s, uint32_t generation, uint32_t day,
                   const uint8_t own_secret[static RATCHET_KEY_LEN]);

/* May what a user writes be sealed now? Else acknowledgements alone are, in heads that
 * offer, and an inviter whom nobody has answered writes nothing. */
bool session_is_open(const struct session *s);
bool session_may_write(const struct session *s);

/* Seal l for its place, of chain's day, and step the ratchet. One of LETTER_USED is
 * sealed for whoever has the invitation. Returns 0, ERR_LONG or ERR_FULL; then s may
 * have changed. */
int session_seal(struct session *s, const struct letter *l,
                 const uint8_t chain[static LETTER_CHAIN_LEN],
                 struct letter_place at, uint8_t *out,
                 size_t letter_len) CHECK_RESULT;

/* Read the head that one of our own letters was sealed with. Returns as
 * letter_open_head() does. */
int session_own_head(const struct session *s,
                     const uint8_t chain[static LETTER_CHAIN_LEN],
                     struct letter_place at, const uint8_t *letter,
                     size_t letter_len, struct letter_head *head) CHECK_RESULT;

/* Open a letter in place; step is what it leads to, and s stays as it is. Returns 0 with
 * a verdict; else the letter is none of the pair's, or its head cannot be:
 * letter_open_head(). */
int session_open(const struct session *s,
                 const uint8_t chain[static LETTER_CHAIN_LEN],
                 struct letter_place at, const struct session_context *context,
                 uint8_t *letter, size_t letter_len,
                 struct session_step *step) CHECK_RESULT;

/* Make of a box's seed that of the token which lets its store forget what was read
 * (PROTOCOL 8.6), of what s reads or writes: who has the invitation knows boxes, and
 * is not to have letters forgotten. */
void session_held_seed(const struct session *s,
                       uint8_t seed[static LETTER_BOX_LEN]);

/* Forget the seed of an invitation. */
void session_uninvite(struct session *s);

/* Write the safety number of a pair that s, which is paired, has: 12 groups of 5 digits,
 * alike on both sides if nobody stands between them. */
enum { SESSION_SAFETY_LEN = 12 * 6 }; /* with the final 0 */
void session_safety(const struct session *s,
                    char text[static SESSION_SAFETY_LEN]);

/* Tell how s stands to a quantum computer. */
enum session_quantum session_quantum(const struct session *s);

/* Write what LETTER_USED is told with: whose invitation it was, by the first key. */
void session_first_mark(const uint8_t first[static RATCHET_KEY_LEN],
                        uint8_t id[static LETTER_ID_LEN]);

/* Write a session, SESSION_RECORD_LEN bytes; read one, of len bytes: that, or
 * SESSION_RECORD_FIRST_LEN. Returns 0, ERR_SHORT or ERR_FORMAT. */
void session_encode(struct codec_writer *w, const struct session *s);
int session_decode(struct codec_reader *r, size_t len,
                   struct session *s) CHECK_RESULT;
#endif
