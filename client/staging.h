/* client/staging.h - messages to letters: their places, their seals, and the
 * list in which they are from then on. */
#ifndef CLIENT_STAGING_H
#define CLIENT_STAGING_H
#include "client/state.h"

/* So often it is told that an invitation was used. */
enum { STAGING_WARNS = 6 };

/* Keeps STAGED_MAX letters ready, contacts taking turns. */
void staging_run(struct client *c);

/* Gives a letter another place, or forgets it when it has no content, in the
 * caller's group. Returns 0, ERR_NOMEM or the journal's error: then it stays. */
int staging_move(struct client *c, struct conversation *v,
                 struct out_letter **letter) CHECK_RESULT;

/* Tells whether it is time for another place for l, a letter of v's. What no store
 * kept: when its reader looks at its place no more, which is today's and yesterday's.
 * What was kept and nobody has acknowledged: after a day of repeats, or with each when
 * it is in doubt or what acknowledges it may be older, when the next one is due, so
 * that the letters of a client do not move together. */
bool staging_letter_is_old(const struct conversation *v,
                           const struct out_letter *l, uint32_t period,
                           uint64_t now_us);

/* Is l, of v's, a letter whose place another life may have used, so that its reader
 * looks there no more? Each of its repeats is put at another place. */
bool staging_letter_is_in_doubt(const struct conversation *v,
                                const struct out_letter *l);

/* Has a life that the records do not know used l's number for another letter? */
bool staging_letter_is_overtaken(const struct conversation *v,
                                 const struct out_letter *l);

/* Makes a letter with this head, in no list; returns NULL without memory. */
struct out_letter *staging_letter_new(const struct client *c,
                                      const struct out_letter *head);

/* Puts l at the end of v's list. */
void staging_letter_link(struct conversation *v, struct out_letter *l);

/* Takes the letter at this place of its list out, wipes and frees it. */
void staging_letter_unlink(const struct client *c, struct out_letter **at);

/* Makes a letter with no content that takes the place of l, which was never put, and
 * journals it in the caller's group; *out is in no list yet. A place that stays free
 * for ever would hold up its reader, who has no word of it. sequence: that of l, when
 * its reader has not had it and may wait for it; else 0. Returns 0, ERR_NOMEM or the
 * journal's error. */
int staging_letter_empty(struct client *c, struct conversation *v,
                         const struct out_letter *l, uint32_t sequence,
                         struct out_letter **out) CHECK_RESULT;

/* Puts what staging_letter_empty() made for the letter at this place of its list
 * there; that one is wiped and freed. */
void staging_letter_replace(const struct client *c, struct out_letter **at,
                            struct out_letter *empty);

/* The same as staging_letter_unlink(), once its erasure is journalled in the caller's group. Returns 0 or the
 * journal's error: then it stays. */
int staging_letter_erase(struct client *c, const struct conversation *v,
                         struct out_letter **at) CHECK_RESULT;
#endif
