/* client/arrival.h - a letter that came: all that it says, in one group of the
 * journal. */
#ifndef CLIENT_ARRIVAL_H
#define CLIENT_ARRIVAL_H
#include "client/state.h"

/* How a letter came. */
struct arrival {
    struct letter_place at;    /* its place */
    enum store_rank rank;      /* of the store that had it */
    struct fronts_choice whom; /* the poll that brought it */
    uint64_t commit_us; /* since then it lies there, about; what is older than
                           stores remember, or of one that has forgotten, for long */
    uint64_t sure_us;   /* it was committed no earlier; 0: nobody knows */
};

/* Takes a letter of v's, unless it is not to be shown yet. bytes have the client's
 * letter length; they are opened in place, and wiped. Returns whether it was not here
 * and says that there is a token of it. */
bool arrival_letter(struct client *c, struct conversation *v,
                    const struct arrival *a, uint8_t *bytes);
#endif
