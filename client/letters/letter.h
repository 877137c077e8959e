/* client/letters/letter.h - what lies in a slot of a box: one sealed fragment.
 *
 *   letter = nonce 24 | head 48 + 16 | body + 16
 *
 * XChaCha20-Poly1305 twice. The head's key belongs to one direction and one
 * position, so that a letter opens nowhere else, and whoever reads the pair's letters
 * can tell one of the pair's from what a store has made up, also when the body's key,
 * which comes from the ratchet (session.h), is gone. The head:
 *
 *   version and seal 1 | generation 4 | step 4 | key 32 | number 3 | previous 3
 *   | mixed 1
 *
 * The nonce is a hash of all that is sealed, under the body's key: the same letter is
 * the same bytes, and two that differ never meet under one nonce, whatever a machine
 * that was set back repeats. The body:
 *
 *   ack 4 | map 32 | floor 4 | previous period 4 | its letters 4
 *   | sequence 4 | message 8 | kind 1 | index 4 | total 4 | after 4
 *   | announced 1 | tokens 2 | lease 4 | length 2 | data | part | 0..
 *   part = kind 1 | exchange 4 | first 1 | count 1 | bytes
 *
 * A part is some of an ML-KEM-768 key, or ciphertext, in the room that data leaves
 * (rekey.h); of kind 0 and 3 the kind alone.
 *
 * A message's id: of a text or file its number 4 with its writer | when it was
 * written 4, in seconds since 1970, 0 while nobody knew; of others at random.
 *
 * Positions: a box holds 16 letters, so letter n of a period is in slot n mod
 * 16 of box n / 16. Box ids and keys come from the key that the direction's chain has
 * for the day on which the period begins (chain.h):
 *
 *   seed   = BLAKE2b-256(chain; "brusio/1 box" | period 4 | n / 16 4), of the
 *            box's key pair, which its id is a hash of (network/box.h)
 *   keys   = BLAKE2b-512(chain; "brusio/1 letter" | period 4 | n 4 | pair 32)
 *            -> head key 32 | body key 32, the latter where there is no ratchet
 *   token  = BLAKE2b-128(chain; "brusio/1 announce" | period 4 | k 4), the one
 *            with number k = 0, 1, .. of a period: what a board is told when a
 *            letter is to be announced. Each is used once.
 *
 * pair: what two contacts alone know, or zeros while one of them does not (session.h). */
#ifndef CLIENT_LETTER_H
#define CLIENT_LETTER_H
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/letters/ratchet.h"
#include "lib/error.h"
#include "sphinx/mlkem.h"

enum {
    LETTER_CHAIN_LEN = 32,
    LETTER_BOX_LEN = 32,
    LETTER_SLOTS = 16,
    LETTER_MAP_LEN = 32, /* 256 sequence numbers after the acknowledged one */
    LETTER_WINDOW = 8 * LETTER_MAP_LEN,
    LETTER_OVERHEAD = 24 + 48 + 16 + 16,
    LETTER_BODY_HEAD_LEN =
        4 + 32 + 4 + 4 + 4 + 4 + 8 + 1 + 4 + 4 + 4 + 1 + 2 + 4 + 2,
    LETTER_TOKEN_LEN = 16,
    LETTER_TOKENS_MAX = UINT16_MAX, /* of a direction, in a period */
    LETTER_LEN_MAX = 16384,         /* in any geometry */
    LETTER_KEY_LEN = 32,
    LETTER_ID_LEN = 8,
    LETTER_PARTS = 8, /* of a key, or a ciphertext, all alike */
    LETTER_PART_HEAD_LEN = 1 + 4 + 1 + 1,
    LETTER_MESSAGE_MAX = 16 << 20 /* bytes of one message */
};

enum letter_kind {
    LETTER_ACK = 0, /* carries its acknowledgement only; sequence 0 */
    LETTER_HELLO,   /* the first of a pair: the invitation was taken up */
    LETTER_TEXT,    /* UTF-8 */
    LETTER_FILE,    /* name length 1 | name | contents */
    LETTER_PING,    /* to be answered with a pong of the same message id */
    LETTER_PONG,
    LETTER_USED, /* to whoever has the invitation: it was used; sequence 0 */
    LETTER_KINDS
};

/* What the body of a letter is sealed with. */
enum letter_seal {
    LETTER_BY_PLACE = 0, /* the key of its place: nobody else has that chain */
    LETTER_BY_OFFER,     /* likewise, and the head offers a new ratchet */
    LETTER_BY_RATCHET,
    LETTER_SEALS
};

/* What a part of a letter is. Of other kinds nothing is read. */
enum letter_part_kind {
    LETTER_PART_NONE = 0,
    LETTER_PART_KEY,        /* of an encapsulation key */
    LETTER_PART_CIPHERTEXT, /* of a ciphertext */
    LETTER_PART_LACKS       /* the writer has no ML-KEM-768 */
};

/* The head of a letter: which key of which ratchet opens its body. Zeros by place. */
struct letter_head {
    uint8_t seal;                /* enum letter_seal */
    uint32_t generation;         /* of the pair's ratchets */
    struct ratchet_head ratchet; /* of an offer the key alone */
};

/* The keys of a letter: secret. */
struct letter_keys {
    uint8_t head[LETTER_KEY_LEN], body[LETTER_KEY_LEN];
};

/* Is it something to be read, a text or a file? */
static inline bool
letter_is_content(uint8_t kind)
{
    return kind == LETTER_TEXT || kind == LETTER_FILE;
}

struct letter_place {
    uint32_t period; /* time / period_s */
    uint32_t n;      /* in the period */
};

/* Parts of what an exchange needs: those with the numbers first, first + 1, .., modulo
 * LETTER_PARTS. */
struct letter_part {
    uint8_t kind;      /* enum letter_part_kind */
    uint32_t exchange; /* number of the share that it is for: 1, 2, .. */
    uint8_t first, count;
    const uint8_t *bytes;
};

struct letter {
    uint32_t ack; /* all sequence numbers up to this one have come, */
    uint8_t map[LETTER_MAP_LEN]; /* bit i (byte i / 8): ack + 1 + i too */
    uint32_t floor;           /* the sender keeps nothing below; wait no more */
    uint32_t previous_period; /* the sender's last period with letters, */
    uint32_t previous_count;  /* and how many there were; 0: none */
    uint32_t sequence;        /* 1, 2, .. of letters with content; 0: ack */
    uint8_t message[LETTER_ID_LEN];
    uint8_t kind;          /* enum letter_kind */
    uint32_t index, count; /* fragment; the count follows from the total */
    uint32_t total;        /* bytes of the whole message */
    uint32_t after;  /* of a text or file: it is to be shown after that message
                       whose last letter has this number; 0: at once */
    bool announced;  /* there is a token of this letter, */
    uint16_t tokens; /* and so many of its period are used, with that one */
    uint32_t
        lease_s; /* until then, since 1970, the writer's front on its reader
                         is held; 0: nothing is promised */
    uint16_t data_len;
    const uint8_t *data;
    struct letter_part part; /* the session's alone: session_seal() */
};

/* The number of a text or file with its writer, and when it was written, in seconds
 * since 1970 (0: nobody knew), by the id of its letters. */
uint32_t letter_number(const uint8_t id[static LETTER_ID_LEN]);
uint32_t letter_sent_s(const uint8_t id[static LETTER_ID_LEN]);

/* Was a, the id of a text or file, written before b? Of two with numbers that
 * contradict their times by more than an hour, since their writer has counted some of
 * them twice, neither is. */
bool letter_id_is_before(const uint8_t a[static LETTER_ID_LEN],
                         const uint8_t b[static LETTER_ID_LEN]);

/* Writes the id of the text or file with this number, written at sent_s. */
void letter_id(uint8_t id[static LETTER_ID_LEN], uint32_t number,
               uint32_t sent_s);

/* Octets of a message in each letter but the last. 0: letter_len too short. */
static inline size_t
letter_data_max(size_t letter_len)
{
    size_t head = LETTER_OVERHEAD + LETTER_BODY_HEAD_LEN;
    return letter_len > head ? letter_len - head : 0;
}

/* Letters that a message of `total` bytes takes; one for an empty one. */
static inline uint32_t
letter_count(size_t total, size_t letter_len)
{
    size_t room = letter_data_max(letter_len);
    assert(room > 0);
    return total == 0 ? 1 : (uint32_t)((total + room - 1) / room);
}

/* Bytes of one part of this kind; 0: none. */
static inline size_t
letter_part_len(uint8_t kind)
{
    return kind == LETTER_PART_KEY ? MLKEM_PUBLIC_LEN / LETTER_PARTS
           : kind == LETTER_PART_CIPHERTEXT
               ? MLKEM_CIPHERTEXT_LEN / LETTER_PARTS
               : 0;
}

/* Bytes behind the data of a letter. */
static inline size_t
letter_part_room(size_t data_len, size_t letter_len)
{
    const size_t max = letter_data_max(letter_len);
    return data_len < max ? max - data_len : 0;
}

/* The seed of the box of a place, which makes its key pair: secret. */
void letter_box_seed(const uint8_t chain[static LETTER_CHAIN_LEN],
                     struct letter_place at,
                     uint8_t seed[static LETTER_BOX_LEN]);

/* The id of the box of a place. */
void letter_box(const uint8_t chain[static LETTER_CHAIN_LEN],
                struct letter_place at, uint8_t box[static LETTER_BOX_LEN]);

/* The token with number k of a period: secret until it is announced. */
void letter_token(const uint8_t chain[static LETTER_CHAIN_LEN], uint32_t period,
                  uint32_t k, uint8_t token[static LETTER_TOKEN_LEN]);

/* Write the keys of a place. pair: as above. */
void letter_place_keys(const uint8_t chain[static LETTER_CHAIN_LEN],
                       struct letter_place at,
                       const uint8_t pair[static LETTER_KEY_LEN],
                       struct letter_keys *keys);

/* Seal l under a head for its place, with these keys. out has letter_len bytes.
 * Returns 0, or ERR_LONG when the data does not fit. */
int letter_seal(const struct letter *l, const struct letter_head *head,
                const struct letter_keys *keys, struct letter_place at,
                uint8_t *out, size_t letter_len) CHECK_RESULT;

/* Open the head of a letter, which stays as it is. Returns 0, ERR_MAC, ERR_VERSION, or
 * what the head violates: ERR_FORMAT. */
int letter_open_head(struct letter_head *head,
                     const uint8_t key[static LETTER_KEY_LEN],
                     struct letter_place at, const uint8_t *letter,
                     size_t letter_len) CHECK_RESULT;

/* Open the body of a letter whose head has opened, in place; l->data points into
 * letter. After ERR_MAC, with another key than it was sealed with, the body is gone.
 * Returns 0, ERR_MAC, or what the body violates: ERR_FORMAT, ERR_RANGE, .. */
int letter_open_body(struct letter *l, const struct letter_head *head,
                     const uint8_t key[static LETTER_KEY_LEN],
                     struct letter_place at, uint8_t *letter,
                     size_t letter_len) CHECK_RESULT;

/* Checks whether sequence, kind, token and fragment agree with each other. Returns 0,
 * ERR_UNKNOWN (kind), ERR_LONG, ERR_RANGE or ERR_FORMAT. */
int letter_check(const struct letter *l, size_t letter_len) CHECK_RESULT;

/* The body alone, for tests of the parser. */
int letter_parse(struct letter *l, const uint8_t *body, size_t body_len,
                 size_t letter_len) CHECK_RESULT;
#endif
