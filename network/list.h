/* network/list.h - what a board lists: every byte, who signs a list, what
 * proves that a board lies.
 *
 *   list = interval 4 | board 1 | root before 16 | params.list_entries times 5
 *          | signature 64
 *
 * interval = floor(milliseconds since 1970 / params.list_interval_ms), above
 * 0. A list has the announcements that came in its interval by the board's
 * clock, and leaves when the interval is over. The list belongs to the
 * consensus in whose epoch the interval begins; board is the index in the
 * boards of that consensus. An entry is the first 5 bytes of a token of 16.
 * Entries ascend and none stands twice; those for which nothing was announced
 * are random. So all lists of a consensus are of one length, whatever was
 * announced.
 *
 *   root      = BLAKE2b-128("brusio/1 list root" | list without signature)
 *   signature = Ed25519(identity key of the board; BLAKE2b-512("brusio/1 list"
 *               | digest of that consensus 32 | list without signature))
 *
 * root before is the root of the board's earlier list in the same epoch,
 * which need not be of the interval before; zeros in the board's first list,
 * and in its first after a restart. A root has 16 bytes, so that making two
 * lists of one root takes 2^64 hashes. Two good lists of one board and interval
 * whose roots differ prove that the board says different things to different
 * people. Pure. */
#ifndef NETWORK_LIST_H
#define NETWORK_LIST_H
#include "network/consensus.h"

enum {
    LIST_ROOT_LEN = WIRE_ROOT_LEN,
    LIST_TOKEN_LEN = WIRE_TOKEN_LEN,
    LIST_ENTRY_LEN = 5,
    LIST_HEAD_LEN = 4 + 1 + LIST_ROOT_LEN,
    LIST_ENTRIES_MAX = 384,
    LIST_SIGNATURE_LEN = 64,
    LIST_LEN_MAX =
        LIST_HEAD_LEN + LIST_ENTRIES_MAX * LIST_ENTRY_LEN + LIST_SIGNATURE_LEN
};

/* A list that was read or is to be written. */
struct board_list {
    uint32_t interval;
    uint8_t board;
    const uint8_t *before;    /* LIST_ROOT_LEN; NULL in list_write(): zeros */
    const uint8_t *entries;   /* params.list_entries times LIST_ENTRY_LEN */
    const uint8_t *signature; /* list_write() does not look at it */
};

/* Return the length in bytes of each list under the parameters p. */
static inline size_t
list_len(const struct params *p)
{
    return LIST_HEAD_LEN + (size_t)p->list_entries * LIST_ENTRY_LEN +
           LIST_SIGNATURE_LEN;
}

/* Return the interval to which the time unix_ms belongs; 0 when that is before
 * the first, or beyond the last that 4 bytes hold. */
uint32_t list_interval(const struct params *p, uint64_t unix_ms);

/* Return when interval begins, in milliseconds since 1970. */
uint64_t list_interval_start_ms(const struct params *p, uint32_t interval);

/* Tell whether c is the consensus to which lists of this interval belong. */
bool list_is_of(const struct consensus *c, uint32_t interval);

/* Write l, whose entries are in order, to out: list_len(p) bytes, of which the
 * signature is left as it is. */
void list_write(uint8_t *out, const struct params *p,
                const struct board_list *l);

/* Sign a list of len bytes that list_write() has written: c is the consensus to
 * which the list belongs, seed the board's Ed25519 seed. In suite 0, which
 * tests and the simulator alone have, a hash of all but the seed stands in the
 * place of the signature. */
void list_sign(uint8_t *list, size_t len, const struct consensus *c,
               const uint8_t seed[static 32]);

/* Read a list of len bytes into *l, whose pointers go into the input. Nothing
 * is verified. Returns 0, ERR_SHORT or ERR_LONG (not list_len(p) bytes),
 * ERR_RANGE (interval 0, board BOARDS_MAX or above), ERR_FORMAT (entries that
 * do not ascend). */
int list_parse(struct board_list *l, const struct params *p,
               const uint8_t *list, size_t len) CHECK_RESULT;

/* Judge whether a board of c has signed a list of len bytes. Returns 0, what
 * list_parse() says, ERR_EPOCH (the list belongs to another consensus),
 * ERR_NOT_FOUND (no such board), ERR_SIGNATURE. */
int list_verify(const struct consensus *c, const uint8_t *list,
                size_t len) CHECK_RESULT;

/* Compute the root of a list of len bytes, LIST_SIGNATURE_LEN at least. */
void list_root(const uint8_t *list, size_t len,
               uint8_t root[static LIST_ROOT_LEN]);

/* Judge whether the lists a and b, of list_len() bytes each, prove that a board
 * of c lies. Returns 0 when they do, what list_verify() says of either, or
 * ERR_ARG: they are of different boards or intervals, or have one root. */
int list_judge_pair(const struct consensus *c, const uint8_t *a,
                    const uint8_t *b) CHECK_RESULT;
#endif
