/* client/pace/fronts.h - for whom a poll is: fronts, lane and sweep.
 *
 * Every poll draws its place by fixed odds, of 64:
 *
 *   a front  asks for one conversation as long as it is held, else for its self,
 *            the conversation that its client has with itself, which for all
 *            else is a contact like others. It is taken by what its user does
 *            alone, writing or opening, never by what comes; a conversation
 *            more evicts none; it ends at a time drawn when the user last wrote.
 *   the lane asks for whom the boards have announced: a script of five gets
 *            at times drawn when the token was seen, six scripts in ten minutes
 *            a contact; who has used least of that goes first.
 *   the sweep asks for each contact once in an exponential time, at a pace of
 *            its own that no other contact changes.
 *
 * So nobody but the user moves a conversation from one pace to another, and how
 * fast one contact is heard depends on no other as long as the lane is not
 * full. After connecting there is one look at each contact in each period that may
 * hold letters, at a pace that is the same for all, in an order drawn anew. Each
 * place begins after a time of its own.
 *
 * A lease is the promise, in a letter of the user's, that its writer's front is
 * held until then: within it the other need not announce. Of what was committed
 * outside of it a front shows nothing (fronts_may_show()); lane, sweep and looks
 * bring that as if there were no front, so that nothing a contact does or leaves
 * tells him that he has one. And acknowledgements are timed from the letter's commit
 * (fronts_ack_us()), so that they do not say how it was found.
 *
 * This object only decides. It keeps no boxes, cursors or tokens: its caller
 * has those, asks fronts_pick() at each poll and tells it what happened. Time is
 * an argument, in microseconds that never step back; of the environment nothing
 * is used but its traffic randomness. Pure.
 *
 * Failure modes: no memory for a contact more (nothing changes); a time that is
 * over is as good as none. */
#ifndef CLIENT_PACE_FRONTS_H
#define CLIENT_PACE_FRONTS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/env.h"
#include "lib/error.h"
#include "network/consensus.h"

enum {
    FRONTS_MAX = 2,
    FRONTS_ODDS = 64,       /* the shares of a poll's places */
    FRONTS_SCRIPT_GETS = 5, /* for a token */
    FRONTS_SCRIPTS = 6,     /* at once, of one contact */
    FRONTS_PARTS_S = 10800, /* parts hold a front so long after the user's last
                               letter; the longest message takes 2.5 h */
    FRONTS_MARGIN_S = 30, /* a front is held so much longer than is promised */
    FRONTS_NOBODY = 0     /* no contact has this number */
};

struct fronts;

enum fronts_place { FRONTS_FRONT = 1, FRONTS_LANE, FRONTS_SWEEP, FRONTS_LOOK };

struct fronts_choice {
    enum fronts_place place;
    uint8_t front;    /* FRONTS_FRONT: which */
    uint32_t contact; /* or FRONTS_NOBODY: any box */
    bool waits;       /* the place has not begun: any box, of a front too */
    bool older;       /* yesterday's period */
    uint8_t back;     /* FRONTS_LOOK: so many periods before today's */
    bool spare;       /* the box's second store */
    bool fourth;      /* FRONTS_LANE: the fourth get of its script */
};

/* Fills in what doc/PARAMETERS.md has settled, for one front or two. */
void fronts_params_default(struct conversation_params *p, unsigned fronts);

/* Do these values go together? Returns 0 or ERR_RANGE. */
int fronts_params_check(const struct conversation_params *p) CHECK_RESULT;

/* Makes fronts of these parameters, without contacts. Returns 0, ERR_RANGE or
 * ERR_NOMEM. */
int fronts_new(struct fronts **out,
               const struct conversation_params *p) CHECK_RESULT;
void fronts_free(struct fronts **f);

/* Takes other parameters, of a new consensus; a front that is no more is free.
 * Returns 0 or ERR_RANGE. */
int fronts_set(struct fronts *f,
               const struct conversation_params *p) CHECK_RESULT;

/* Adds a contact by a number above 0; its first turn of the sweep is drawn.
 * Returns 0, ERR_ARG, ERR_EXISTS or ERR_NOMEM. */
int fronts_add(struct fronts *f, struct env *env, uint64_t now_us,
               uint32_t contact) CHECK_RESULT;

/* The same with a contact for whom this front asks while nobody holds it. */
int fronts_add_self(struct fronts *f, struct env *env, uint64_t now_us,
                    unsigned front, uint32_t contact) CHECK_RESULT;

/* Forgets a contact; its front is free. */
void fronts_remove(struct fronts *f, uint32_t contact);

/* Lets each place wait for a time of its own, uniform in `within_us`, before it
 * asks for anybody. Without this call none waits. */
void fronts_start(struct fronts *f, struct env *env, uint64_t now_us,
                  uint64_t within_us);

/* Notes that the link is up: one look at each contact, in two periods. */
void fronts_connected(struct fronts *f, struct env *env, uint64_t now_us);

/* Has so many looks follow for this contact, of a period each, the newest first;
 * two at least. */
void fronts_looks(struct fronts *f, uint32_t contact, unsigned looks);

/* Chooses for whom the poll of this tick is. */
void fronts_pick(struct fronts *f, struct env *env, uint64_t now_us,
                 struct fronts_choice *out);

/* Chooses the place of a poll that may be for nobody: it waits. */
void fronts_pass(struct fronts *f, struct env *env, struct fronts_choice *out);

/* ---- what it is told ---- */

/* Notes that the user has written to this contact, or opened the conversation:
 * it holds its front for longer, or takes one of those that are free. Returns
 * the front, or -1 when others have them. */
int fronts_took(struct fronts *f, struct env *env, uint64_t now_us,
                uint32_t contact);

/* Holds a front until then, as an earlier life has promised. Returns the front,
 * or -1. */
int fronts_restore(struct fronts *f, uint64_t now_us, uint32_t contact,
                   uint64_t until_us);

/* Notes a part of a transfer, either way, with a contact that has a front: it is
 * held for the shortest time from now at least, and so are those that are free; not
 * beyond FRONTS_PARTS_S after the user has written or opened last.
 * One without a front gets none. Returns how many it has. */
unsigned fronts_transfer(struct fronts *f, uint64_t now_us, uint32_t contact);

/* Notes a token of this contact in a list that may be acted on. older: it is of
 * yesterday's period. Returns whether a script began. */
bool fronts_announced(struct fronts *f, struct env *env, uint64_t now_us,
                      uint32_t contact, bool older);

/* Notes the answer to a poll. announced: it brought a letter that was not here
 * and says that there is a token of it; more: it names others that are not held. A
 * script is over when it has brought what it is for. */
void fronts_answered(struct fronts *f, struct env *env, uint64_t now_us,
                     const struct fronts_choice *asked, bool announced,
                     bool more);

/* Notes that a letter of this contact's promises a lease until then; a promise
 * never shortens an earlier one. */
void fronts_leased(struct fronts *f, uint32_t contact, uint64_t until_us);

/* ---- what it says ---- */

/* Tells the front that a contact has, a self one that is free, or -1. */
int fronts_of(const struct fronts *f, uint64_t now_us, uint32_t contact);

/* Tells until when a letter that leaves now may promise the front of its reader,
 * half a minute before it ends, so that what is committed in time is read; 0: not
 * at all. The promise is remembered. is_answer: it is no doing of the user's, and
 * says no more than the last that was and what its reader's own parts have done
 * since; else it would tell that the user has opened the conversation. */
uint64_t fronts_lease_us(struct fronts *f, uint64_t now_us, uint32_t contact,
                         bool is_answer);

/* May a letter to this contact, committed at about `commit_us`, go without an
 * announcement? To be asked when it leaves. */
bool fronts_may_be_silent(const struct fronts *f, uint32_t contact,
                          uint64_t commit_us);

/* May a letter that this poll has brought be shown? By a front alone when it was
 * committed within a lease, or before; else another poll has to bring it. */
bool fronts_may_show(const struct fronts *f, const struct fronts_choice *asked,
                     uint64_t commit_us);

/* Draws when what was shown then is to be acknowledged, or its ping answered: no
 * sooner than a time after the commit. part: it is of a transfer; within a lease
 * that is acknowledged soon, since its sender knows how he is heard. */
uint64_t fronts_ack_us(const struct fronts *f, struct env *env,
                       uint32_t contact, uint64_t shown_us, uint64_t commit_us,
                       bool part);
#endif
