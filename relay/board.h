/* relay/board.h - what a store that is a board does: it takes tokens that are
 * announced to it, and makes one list of them for each interval (network/list.h),
 * which leaves when the interval is over.
 *
 * A list has the same number of entries whatever came: those of the tokens whose
 * work is worth most, and random ones. Tokens for which there was no room wait for
 * BOARD_WAIT more lists and are then given up; of one worth it is drawn who is
 * first, so that who fills the board beforehand gets his share and no more. A token
 * that was listed is remembered for as long as its work counts, or one piece of
 * work would fill any number of lists.
 *
 * No interval is listed twice, nor one that had begun when the board did. What an
 * earlier life has listed is known to the caller (relay/spread.c). Each board's chain of roots
 * begins anew with its life and with each epoch.
 *
 * Pure; of worker 0 alone. */
#ifndef RELAY_BOARD_H
#define RELAY_BOARD_H
#include "network/consensus.h"
#include "network/list.h"

enum { BOARD_WAIT = 4 /* lists more than the first */ };

struct board;

/* Make a board that begins now, by the clocks of env. */
int board_new(struct board **out, struct env *env) CHECK_RESULT;
void board_free(struct board **b);

/* Take a token that came in an interval of c, with work that is worth so many
 * bits. Returns 0; ERR_USED, it was listed before; ERR_DUPLICATE, it waits already,
 * or another one with the same entry does; ERR_FULL, one of those that are worth
 * least was given up for want of places: this one or another; ERR_NOMEM. */
int board_take(struct board *b, const struct consensus *c, uint32_t interval,
               const uint8_t token[static LIST_TOKEN_LEN],
               uint8_t worth) CHECK_RESULT;

/* May it list this interval? Not one that it has listed, nor one before that, nor
 * one that had begun when it did. */
bool board_may_list(const struct board *b, const struct params *p,
                    uint32_t interval);

/* What became of the tokens. */
struct board_closed {
    uint32_t listed, lost;
    bool short_of_memory; /* none was listed for that, and they wait on */
};

/* Write the list of an interval of c, in which the board has this index, and sign
 * it with the seed of its identity. list: list_len() bytes. */
void board_close(struct board *b, const struct consensus *c, uint8_t index,
                 uint32_t interval, const uint8_t seed[static SPHINX_SEED_LEN],
                 uint8_t *list, struct board_closed *closed);

/* How many tokens wait. */
size_t board_waiting(const struct board *b);
#endif
