/* relay/board.h - what a store that is a board does: take the tokens that are
 * announced, and make one list of them for each interval (network/list.h),
 * which leaves when the interval is over.
 *
 * A list has the same number of entries whatever came: those of the tokens
 * whose work is worth most, and random ones. Tokens for which there was no room
 * wait for BOARD_WAIT more lists and are then given up. Among tokens of one
 * worth the order is drawn, so that whoever fills the board beforehand gets a
 * fair share and no more. A token that was listed is remembered for as long as
 * its work counts, or one piece of work would fill any number of lists.
 *
 * No interval is listed twice, nor one that had begun when the board did. The
 * caller knows what an earlier life has listed (relay/spread.c). Each board's
 * chain of roots begins anew with its life and with each epoch, and when the
 * clock has stepped back.
 *
 * Pure; used by worker 0 alone. */
#ifndef RELAY_BOARD_H
#define RELAY_BOARD_H
#include "network/consensus.h"
#include "network/list.h"

enum {
    BOARD_WAIT = 4, /* lists more than the first */
    BOARD_NEAR = 2  /* what was left out for so many intervals stays so */
};

struct board;

/* Make a board that begins now, by the clocks of env. */
int board_new(struct board **out, struct env *env) CHECK_RESULT;
void board_free(struct board **b);

/* Take a token that came in this interval of c, whose work is of so many bits.
 * Returns 0; ERR_USED when the token was listed before; ERR_DUPLICATE
 * when it waits already, or another with the same entry does; ERR_FULL when a
 * token of the least worth, this one or another, was given up for want of
 * places; ERR_NOMEM. */
int board_take(struct board *b, const struct consensus *c, uint32_t interval,
               const uint8_t token[static LIST_TOKEN_LEN],
               uint8_t worth) CHECK_RESULT;

/* Tell whether the board may list this interval: not one that was listed, nor one
 * that had begun, by the clock as it is now, when the board did. */
bool board_may_list(const struct board *b, const struct params *p,
                    uint32_t interval);

/* What became of the tokens. */
struct board_closed {
    uint32_t listed, lost;
    bool short_of_memory; /* none was listed for that, and they wait on */
};

/* Write the list of an interval of c, in which the board has this index, to
 * `list` (list_len() bytes), and sign it with the seed of the board's identity.
 * *closed says what became of the tokens. */
void board_close(struct board *b, const struct consensus *c, uint8_t index,
                 uint32_t interval, const uint8_t seed[static SPHINX_SEED_LEN],
                 uint8_t *list, struct board_closed *closed);

/* Tell how many tokens wait. */
size_t board_waiting(const struct board *b);
#endif
