/* relay/lists.h - what a relay does with the lists of boards (network/list.h):
 * judge those that come, keep those of the last ten minutes, and say which are
 * to be passed on.
 *
 *   judge    what costs nothing: is the list of these minutes, is it new, has
 *            the link checks left
 *   verify   the board's signature
 *   keep     in the order of coming, and pass on once
 *
 * Two good lists of one board and interval that differ are evidence that the
 * board lies: the second is kept and passed on as well, so that clients have
 * both, and this board's roots are named no more in that epoch. One such pair
 * is kept for each board and epoch, and further differences are not looked at.
 *
 * From here a store takes what its answers name: the root of each board's
 * newest list, and how far back the chain of lists is here without a gap. A
 * gateway takes what its frames carry beside answers and dummies: lists cut
 * into slices. Each client has a place in the lists, which is a value: new
 * lists come first, in the order in which they came; while there are no new
 * ones, those follow that had come before the client did, the newest first, ten
 * minutes back. All clients are served from the same lists by the same rule;
 * nothing depends on what clients do.
 *
 * All workers of a relay use one object, which has a lock; signatures are
 * verified without it. Pure: times come in. */
#ifndef RELAY_LISTS_H
#define RELAY_LISTS_H
#include <stdbool.h>
#include <stdint.h>

#include "network/consensus.h"
#include "network/list.h"

enum {
    LISTS_KEPT_MS = 600000,    /* older ones are not shown to newcomers, */
    LISTS_SHOWING_MS = 300000, /* who have them within so much time */
    LISTS_AHEAD_MS = 5000,     /* so far a board's clock may be ahead, */
    LISTS_BEHIND_MS =
        10000, /* or behind, beyond two intervals: a board that may
                                  list what was left out for ten minutes could
                                  fill the frames of clients that have few */
    LISTS_PASSING_MS = 5000, /* more, of a list that its board did not bring
                                itself: passing on, and the clocks of relays,
                                take less, so that all take what one took */
    LISTS_TURN_MS =
        20000, /* of an epoch, in which the last lists of the one before
                              are named too */
    LISTS_LINKS = 4096, /* links are told apart, as relay/places.h does */
    LISTS_CHECKS = 2,   /* that a link may cause, of each board and interval, */
    /* and at once lists_burst() */
    LISTS_EVIDENCE_MAX = BOARDS_MAX * (EPOCHS_USABLE + 1)
};
#define LISTS_OWN UINT32_MAX /* as a link: the relay's own list */

struct lists;

/* Tell how many lists of a board a link may bring at once: all of different
 * intervals that the board may bring at one moment, and one that contradicts. So
 * none that a carrier took lacks checks elsewhere, whoever had which first. */
unsigned lists_burst(const struct params *p);

int lists_new(struct lists **out) CHECK_RESULT;
void lists_free(struct lists **l);

/* Make room for lists of the parameters p. If there was less room before, the
 * kept lists are forgotten. Returns 0 or ERR_NOMEM; all is then as it was. */
int lists_fit(struct lists *l, const struct params *p) CHECK_RESULT;

/* Judge a list of this interval by its time. more_ms is 0 where it comes from its
 * own board, and LISTS_PASSING_MS otherwise. Returns 0, ERR_STALE or ERR_FUTURE. */
int lists_judge_time(const struct params *p, uint32_t interval, uint64_t now_ms,
                     uint64_t more_ms) CHECK_RESULT;

/* Take a list of list_len() bytes, of consensus c, that came over this link at
 * now_ms, milliseconds since 1970, and now_us by the clock that never steps
 * back. Returns 0: the list is new and to be passed on; ERR_CONFLICT: the list
 * is to be passed on too, and together with another list is evidence;
 * ERR_EXISTS: the list is known. Else the list is refused: ERR_STALE or
 * ERR_FUTURE (LISTS_PASSING_MS are allowed), ERR_RATE (the link has had its
 * share of checks), or as list_verify() says. */
int lists_take(struct lists *l, const struct consensus *c, const uint8_t *list,
               uint32_t link, uint64_t now_ms, uint64_t now_us) CHECK_RESULT;

/* Fill root[] with what a store names of each board in one answer: the board's
 * newest list. Until LISTS_TURN_MS after the last list of an epoch there are
 * two to choose from: `older` says which, and is a fair coin of this answer's
 * own. */
struct lists_root {
    uint32_t interval; /* 0: none */
    uint16_t back;     /* the lists of so many intervals before are all here;
                          WIRE_BACK_MOST: from the first on */
    uint8_t root[LIST_ROOT_LEN];
};
void lists_name(struct lists *l, bool older,
                struct lists_root root[static BOARDS_MAX]);

/* Copy the pair of lists that is evidence and has this number to *out, each
 * list of `len` bytes, list_len() of their epoch. Returns false when there are
 * not so many pairs. */
struct lists_evidence {
    uint32_t epoch;
    size_t len;
    uint8_t list[2][LIST_LEN_MAX];
};
bool lists_evidence(struct lists *l, size_t number, struct lists_evidence *out);

/* A client's place. */
struct lists_place {
    uint64_t next; /* list of those that come */
    uint64_t back; /* 1 + the list of those that had come; 0: no more of them */
    uint64_t back_ms; /* none is shown whose interval began before */
    uint8_t next_part, back_part;
};
/* Make the place of a client that has only just come, at now_ms. */
struct lists_place lists_enter(struct lists *l, uint64_t now_ms);

/* Write the slice for a client at the place `at` into the rest of its frame,
 * `room` random bytes (wire_slice_room()). Returns the client's place once that
 * frame is sent. */
struct lists_place lists_slice(struct lists *l, struct lists_place at,
                               uint8_t *rest, size_t room);
#endif
