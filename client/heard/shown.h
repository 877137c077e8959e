/* client/heard/shown.h - the boards' lists, and which of them to act on.
 *
 * A gateway shows its clients the lists of boards (network/list.h) in slices.
 * What a client does about a list, others may see in time; so a list that only
 * one client were shown would mark that client. Therefore a list is acted on
 * only when it is *sure*:
 *
 *   its signature is the board's, under the consensus of its interval, and
 *   stores of two unrelated families, none of them the board's, have named its
 *   root or a later one that leads back to it by the roots before; where there are
 *   just two such families, any two of these and the board's, whose signature is
 *   its word, so that no single store silences the boards; where there is one,
 *   that one (and the board's own, where there is no other); and fewer have named
 *   others instead.
 *
 * That a later root leads to a list proves that its board has made it, not that
 * anybody else has seen it: a store says with each name how far back it has all
 * those that this one leads to, and for older ones its word does not count. So what
 * is sure was there for all.
 *
 * The gateway's word counts for nothing: lists that so many stores have named
 * and that are not here after three intervals and SHOWN_LATE_US are counted as
 * late, and the gateway is one to leave
 *
 *   when one has not come for SHOWN_STUCK_US, as with answers, or
 *   when this has happened SHOWN_LATE_MAX times on one connection;
 *
 * each further time in a row after twice as long, so that nobody can keep a
 * client on the move. Nothing counts that was named before the connection was
 * there, nor lists of which stores say two things.
 *
 * Two lists of one interval with good signatures are evidence against the
 * board: it is kept, and both lists are, until stores have named one of them. That
 * is all: stores that have evidence name nothing of that board any more, and so
 * nothing more of it is sure for anybody. Did a client judge by itself, a gateway
 * and a board that show evidence to it alone would see, by what it does not act on
 * any more, which contact it is. A list whose consensus is not here yet waits for
 * it.
 *
 * Lists and roots are public and the same for all. Nothing here depends on
 * what the client has to do with any of them. Bounded: SHOWN_INTERVALS lists of
 * each board, twice, SHOWN_WAITING that wait, SHOWN_CHECKS signatures a second. Pure.
 */
#ifndef CLIENT_HEARD_SHOWN_H
#define CLIENT_HEARD_SHOWN_H
#include "lib/wire.h"
#include "network/boards.h"
#include "network/consensus.h"
#include "network/list.h"

enum {
    SHOWN_INTERVALS = 300, /* ten minutes of two seconds */
    SHOWN_WAITING = 300,   /* for their consensus, or a check */
    SHOWN_CHECKS = 64,     /* signatures, in a second */
    SHOWN_SURE = 2,        /* families that have to name a list */
    SHOWN_LATE_INTERVALS = 3,
    SHOWN_LATE_MAX = 8,        /* times on a connection */
    SHOWN_SILENT = 10,         /* intervals, and a board is silent */
    SHOWN_EVIDENCE = 4,        /* pairs kept */
    SHOWN_STUCK_DOUBLINGS = 3, /* to eight minutes */
    SHOWN_KEPT_MS = 600000,    /* older lists are not looked at */
    SHOWN_AHEAD_MS = 20000     /* a list may be dated ahead of a clock that
                                  nobody has agreed to yet (client/heard/nettime.h) */
};
#define SHOWN_LATE_US  6000000ULL
#define SHOWN_STUCK_US 60000000ULL
#define SHOWN_CALM_US  600000000ULL /* nothing late for: a good gateway */

struct shown;

/* What is known at a call. */
struct shown_now {
    const struct consensus *const *view; /* n of them; NULL: none there */
    size_t n;
    const uint8_t *gateway; /* the identity of the one in use, or NULL */
    uint64_t mono_us;
    uint64_t unix_ms; /* by the network's time */
};

/* Since the start. */
struct shown_counts {
    uint64_t seen;     /* lists with a good signature */
    uint64_t sure;     /* of them, that were sure */
    uint64_t late;     /* named by enough stores, and withheld for seconds */
    uint64_t missed;   /* and not here ten minutes after */
    uint64_t again;    /* seen before */
    uint64_t refused;  /* slices and lists */
    uint64_t forked;   /* intervals of which stores said two things */
    uint64_t evidence; /* pairs of lists that no honest board signs */
    uint64_t left;     /* gateways, for all that */
};

/* A list to act on. */
struct sure_list {
    uint32_t epoch, interval;
    uint8_t board;
    size_t n;               /* entries, of LIST_ENTRY_LEN bytes each, */
    const uint8_t *entries; /* until the next call of any of these */
};

/* Make one without lists. Returns 0 or ERR_NOMEM. */
int shown_new(struct shown **out) CHECK_RESULT;
void shown_free(struct shown **l);

/* A connection to a gateway is there; it is gone. */
void shown_link_up(struct shown *l, uint64_t mono_us);
void shown_link_down(struct shown *l);

/* Take a slice. Returns 0, or why it or the list that it made whole was
 * refused: ERR_RANGE, ERR_FORMAT, ERR_SIGNATURE; ERR_EPOCH, ERR_STALE or
 * ERR_FUTURE (its time); ERR_CONFLICT (evidence), ERR_RATE,
 * ERR_NOMEM. */
int shown_slice(struct shown *l, const struct shown_now *now,
                const struct wire_slice *slice) CHECK_RESULT;

/* Note what an answer of `store` names of each board. */
void shown_named(struct shown *l, const struct shown_now *now,
                 const struct relay_entry *store,
                 const struct wire_root root[static BOARDS_MAX]);

/* Look after what waits and what is late; at any time, best on each tick. */
void shown_tick(struct shown *l, const struct shown_now *now);

/* Give out a sure list, the oldest first, each once. Returns false when there is
 * none. */
bool shown_next(struct shown *l, struct sure_list *out);

/* Is the gateway in use one to leave? shown_leave() says that it is left for
 * that. */
bool shown_is_withheld(const struct shown *l, uint64_t mono_us);
void shown_leave(struct shown *l);

/* Is a board of this consensus one to announce to: have enough stores named a
 * list of one of the last SHOWN_SILENT intervals? */
bool shown_has_voice(const struct shown *l, const struct consensus *c,
                     uint8_t board, uint64_t unix_ms);

void shown_count(const struct shown *l, struct shown_counts *out);

/* The i-th piece of evidence that is kept: two lists of len bytes each. Returns
 * false beyond the last. */
bool shown_evidence(const struct shown *l, size_t i, uint32_t *epoch,
                    const uint8_t *list[static 2], size_t *len);
#endif
