/* client/heard/shown_internal.h - what the files of client/heard/shown.h share.
 *
 *   shown_said   what stores say; gateways that withhold; the timer
 *   shown_taken  what the gateway shows
 *   shown        life; which lists are kept, and which of them are sure
 *
 * None calls one above it. */
#ifndef CLIENT_HEARD_SHOWN_INTERNAL_H
#define CLIENT_HEARD_SHOWN_INTERNAL_H
#include "client/heard/gather.h"
#include "client/heard/shown.h"
#include "client/heard/naming.h"

enum { LIARS = 8 * BOARDS_MAX, BEFORE_AT = 4 + 1 };

struct kept {
    uint32_t epoch, interval;
    uint8_t *bytes; /* NULL: the list is not here */
    uint8_t *other; /* one more, signed as well; NULL: none */
    size_t len;
    uint8_t root[LIST_ROOT_LEN]; /* of bytes */
    uint8_t other_root[LIST_ROOT_LEN];
    bool sure, given;
    bool named, forked, late;
    uint8_t said[LIST_ROOT_LEN]; /* the root that stores have named */
    uint64_t named_us, late_us;  /* then, and so long it may take */
};

struct kept_board {
    struct kept kept[SHOWN_INTERVALS];
    struct naming words;
    size_t n_unsure;                  /* of kept */
    uint32_t epoch, newest;           /* the newest interval that is here */
    uint32_t said_epoch, said_newest; /* and that enough stores have named */
};

struct kept_back {
    uint8_t *bytes; /* NULL: free */
    size_t len;
};

struct kept_pair {
    uint32_t epoch;
    size_t len;
    uint8_t *list[2];
};

struct shown {
    struct kept_board board[BOARDS_MAX];
    struct gather gather;
    struct kept_back waiting[SHOWN_WAITING];
    size_t next_waiting;
    struct {
        uint32_t epoch;
        uint8_t board;
    } liar[LIARS]; /* epoch 0: free */
    size_t next_liar;
    struct kept_pair evidence[SHOWN_EVIDENCE];
    size_t n_evidence, n_sure; /* sure and not given */
    uint64_t checks_us;        /* bucket of signatures */
    uint64_t look_us;          /* when was looked last */
    bool linked, is_stuck;
    uint64_t linked_us, late_us; /* the last list became late at */
    uint8_t times, leaves;       /* late on this connection; left in a row */
    struct shown_counts counts;
};

/* Copy bytes that are to be kept; NULL: no memory. */
uint8_t *shown_copy(const uint8_t *bytes, size_t len);

/* The consensus that an interval belongs to, or NULL; and the newest. */
const struct consensus *shown_view(const struct shown_now *now,
                                   uint32_t interval);
const struct consensus *shown_view_newest(const struct shown_now *now);

/* May a list of this interval, where p holds, be looked at at unix_ms? Returns 0,
 * ERR_FUTURE or ERR_STALE. */
int shown_judge_interval(const struct params *p, uint32_t interval,
                         uint64_t unix_ms) CHECK_RESULT;

/* Whose word counts for a board's lists, and how many families' it takes. */
struct shown_jury {
    const struct relay_entry *board;
    unsigned need;
    bool own;    /* the board's family is one of them, */
    bool signer; /* and for a list that is here its signature is its word */
};

/* Find the families whose stores name lists of a board: not the gateway's, which is
 * asked for nothing, and not the board's, unless there are fewer than three others.
 * Where there are two, any two of all three: one alone that is silent or lies
 * silences nobody. Where there is one, that one; where there is none, the board's. */
struct shown_jury shown_jury(const struct consensus *c,
                             const struct relay_entry *board,
                             const uint8_t *gateway);

/* Are these words for a list enough, and more families' than those against it?
 * `is_here`: it is, and its signature is good. */
bool shown_is_enough(const struct shown_jury *j, const struct naming *w,
                     uint32_t good, uint32_t bad, bool is_here);

/* Take the place of an interval, from an older one. Returns NULL when it is too
 * old itself. */
struct kept *kept_take(struct shown *l, uint8_t board, uint32_t epoch,
                       uint32_t interval);
/* Find it; NULL: nothing is known of that interval. */
struct kept *kept_find(struct shown *l, uint8_t board, uint32_t epoch,
                       uint32_t interval);

/* Of two lists of an interval let that of this root be the one that may be sure.
 * Returns false when neither is. */
bool kept_choose(struct kept *k, const uint8_t root[static LIST_ROOT_LEN]);

/* Find out which lists of a board and epoch are sure, now that something about
 * the one of interval `at` is new. From the newest back, what was said of a list
 * counts for those that it leads to as well, until the chain is cut. */
void kept_prove(struct shown *l, const struct shown_now *now,
                const struct consensus *c, uint8_t board, uint32_t at);

/* Take lists whose consensus has come, as fast as signatures may be checked, and
 * forget those that are too old. */
void shown_take_waiting(struct shown *l, const struct shown_now *now);
#endif
