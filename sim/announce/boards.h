/* sim/announce/boards.h - from a token that is on its way to a board, to the
 * moment when a client acts on it; and what lists cost in bytes.
 *
 * Each interval every board lists the tokens it got, padded to a number that
 * the network's size gives, so that too many come once in 10,000 intervals. The
 * list goes to stores and gateways; gateways put all lists of an interval, one
 * after the other, into the bytes that their frames to clients have left. A
 * client acts on it when the list is there and answers of two stores of other
 * families have left them after the list came there. */
#ifndef SIM_ANNOUNCE_BOARDS_H
#define SIM_ANNOUNCE_BOARDS_H
#include "lib/env.h"
#include "sim/scenario/scenario.h"

enum {
    BOARD_ENTRY_LEN = 5,
    BOARD_HEAD_LEN = 84, /* board, interval, root before; signature */
    BOARD_SPARE_LEN = 316,
    BOARD_PIECE_HEAD_LEN = 8 /* of these: which piece of which list */
};

struct boards {
    uint32_t boards, families;
    uint64_t interval_us;
    uint32_t entries; /* of each list */
    double tokens;    /* of others, in a list on average */
    double list_len;  /* bytes */
    double lists_hz,
        spare_hz;       /* bytes a second: all lists; there is room for */
    uint64_t stream_us; /* an interval's lists take in the downlink */
    double answers_hz;  /* of one client */
    uint64_t mix_us;
    uint32_t hops_back;
    bool confirm;
};

/* Work out for the scenario s what b has: rooms, rates and times. */
void boards_make(struct boards *b, const struct scenario *s);

/* Draw from env when a client acts on a token that comes to a board at `at_us`.
 */
uint64_t boards_listed_us(const struct boards *b, struct env *env,
                          uint64_t at_us);

/* Return the least k with P(Poisson(mean) > k) < chance. */
uint32_t boards_entries(double mean, double chance);

/* Return the frames a second that a client of s gets, with those that are there
 * for lists alone. */
double boards_down_hz(const struct scenario *s);
#endif
