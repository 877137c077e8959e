/* client/later.h - letters that are here and not to be shown yet.
 *
 * What a front has brought, neither announced nor within a lease, is shown when
 * the sweep would have found it (client/pace/fronts.h). Until then it lies here
 * sealed, as it came: in memory alone, since the store keeps it, and named as held
 * without the token that would let the store go of it. What there is no room for
 * stays in its box and comes again. Of each letter there is one at most. */
#ifndef CLIENT_LATER_H
#define CLIENT_LATER_H
#include "client/state.h"

enum { LATER_MAX = 32 }; /* of one conversation */

struct later {
    struct later *next;
    struct letter_place at;
    struct fronts_choice whom; /* the poll that brought it */
    enum store_rank rank;
    uint64_t commit_us, shown_us;
    size_t len;
    uint8_t bytes[];
};

/* Keeps a letter of v, `head` and its sealed bytes. Returns 0, ERR_DUPLICATE,
 * ERR_FULL or ERR_NOMEM. */
int later_keep(struct conversation *v, const struct later *head,
               const uint8_t *bytes) CHECK_RESULT;

/* Takes out the first letter of v that may be shown now, or returns NULL. The
 * caller owns it: later_delete(). */
struct later *later_take(struct conversation *v, uint64_t now_us);

/* Notes that a token of v's was seen: what is here was there by then, and may be
 * shown now. */
void later_announced(struct conversation *v, uint64_t now_us);

/* The letter of this place was shown by another way: it is not kept any more. */
void later_drop(struct conversation *v, struct letter_place at);

/* Wipes and frees a letter that was taken out, or all of v's. */
void later_delete(struct later **l);
void later_free(struct conversation *v);
#endif
