/* client/heard/naming.h - which list is a board's newest, by the word of stores.
 *
 * Every answer names, of each board, the newest list that its store has, and how far
 * back it has all those that this one leads to. Of the
 * NAMING_STORES stores heard last the last word is kept, so that one that says something
 * else each time has one word all the same. Sets of words are bits. Pure. */
#ifndef CLIENT_HEARD_NAMING_H
#define CLIENT_HEARD_NAMING_H
#include "network/consensus.h"
#include "network/list.h"

enum { NAMING_STORES = 16 };

/* Of one board. Zeroed memory is an empty one. */
struct naming {
    struct {
        uint64_t heard_us;        /* monotonic, + 1; 0: free */
        uint32_t interval, since; /* all from `since` on are there */
        uint8_t root[LIST_ROOT_LEN];
        uint8_t store[SPHINX_ID_LEN], family[FAMILY_LEN];
    } word[NAMING_STORES];
};

/* Note which list a store names. */
void naming_note(struct naming *w, const struct relay_entry *store,
                 const struct wire_root *root, uint64_t now_us);

/* The words for the list of this interval and root, and those for another one
 * of the same interval. */
uint32_t naming_for(const struct naming *w, uint32_t interval,
                    const uint8_t root[static LIST_ROOT_LEN]);
uint32_t naming_against(const struct naming *w, uint32_t interval,
                        const uint8_t root[static LIST_ROOT_LEN]);

/* Those of these words that vouch for a list of this interval, which theirs lead
 * to. */
uint32_t naming_reaching(const struct naming *w, uint32_t words,
                         uint32_t interval);

/* The words of stores that are not related to this one. */
uint32_t naming_unrelated(const struct naming *w,
                          const struct relay_entry *store);

/* Count the families among these words; a store without one is one itself. */
unsigned naming_families(const struct naming *w, uint32_t words);

/* Are two relays, of whatever consensus, one or of one family? */
bool naming_are_related(const struct relay_entry *a,
                        const struct relay_entry *b);
#endif
