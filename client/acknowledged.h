/* client/acknowledged.h - what a letter that came says of letters that went. */
#ifndef CLIENT_ACKNOWLEDGED_H
#define CLIENT_ACKNOWLEDGED_H
#include "client/disk/records.h"
#include "client/state.h"

/* Looks whether l, a letter from v, acknowledges what was never sent: then the
 * records here are an older copy, and another life has used these numbers for other
 * letters. Numbers go on behind them, and what has such a one is to get another.
 * Returns 0 or the journal's error: then l is to come again. */
int acknowledged_catch_up(struct client *c, struct conversation *v,
                          const struct letter *l) CHECK_RESULT;

/* Notes that a letter of v's did not open: ahead: it is further on than the records here
 * can be; else either side's are an older copy. Both are, and the user is told of it,
 * when stores call places taken where this life has put nothing. */
void acknowledged_broken(struct client *c, struct conversation *v, bool ahead);

/* Goes on behind the numbers that another life may have used, in the caller's group,
 * once in each life and while the reader is not in step: a store has called a place of
 * v's taken where this life has put nothing. Returns 0 or the journal's error. */
int acknowledged_doubt(struct client *c, struct conversation *v) CHECK_RESULT;

/* Journals what l, a letter from v that was committed at sure_us (0: nobody can
 * say), acknowledges, within the caller's group, as v is before anything else of l is
 * taken. What was moved to a place and never put there leaves a letter without content
 * at it. As long as nothing shows that v has what this life has sent, a letter from
 * before one of ours speaks of another's that had its number. Returns 0, ERR_NOMEM or
 * the journal's error. */
int acknowledged_note(struct client *c, struct conversation *v,
                      const struct letter *l, uint64_t sure_us) CHECK_RESULT;

/* Takes back what acknowledged_note() made, when its group is. */
void acknowledged_undo(const struct client *c, struct conversation *v);

/* Drops what l acknowledges, as is journalled. */
void acknowledged_drop(struct client *c, struct conversation *v,
                       const struct letter *l);
#endif
