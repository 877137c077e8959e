/* client/heard/tokens.h - which entries of lists are for this client?
 *
 * Who writes a letter announces it by a token, used once, that only the two of
 * a pair can make: by the chain key of the direction, for k = 0, 1, .. of a
 * period (client/letters/letter.h). A list has the first LIST_ENTRY_LEN bytes of each. Of
 * each contact the next
 * TOKENS_WINDOW tokens are awaited, of the period that is, of the one before and of the
 * next (client/listed.h), and of those that were passed over, since boards list in no order, any
 * of the last TOKENS_BEHIND. Five bytes are met by chance: of so many awaited
 * tokens and so many entries, one in 2^40.
 *
 * One table by these bytes, so that a list costs as many looks as it has
 * entries, whatever is awaited; of an awaited token no more than these bytes is
 * in it. By contact as well, so that what changes for one costs the same however many
 * there are. It grows with the contacts and never beyond TOKENS_MAX. Pure. */
#ifndef CLIENT_HEARD_TOKENS_H
#define CLIENT_HEARD_TOKENS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "network/list.h"

enum {
    TOKENS_CHAIN_LEN = 32,
    TOKENS_WINDOW = 32, /* eight letters, three times each, and repeats */
    TOKENS_BEHIND = 8,
    TOKENS_PERIODS = 2,
    TOKENS_MAX =
        262144 /* awaited, all together: of 2,184 contacts at least, with
                           three periods of each */
};

struct tokens;

/* A token that is awaited. */
struct token {
    uint8_t prefix[LIST_ENTRY_LEN];
    uint32_t contact, period, k;
    uint32_t next; /* of the same bucket, or free; the table's own */
    uint32_t mate; /* of the same bucket of contacts, likewise */
};

/* Make an empty table. Returns 0 or ERR_NOMEM. */
int tokens_new(struct tokens **out) CHECK_RESULT;
/* Wipe and free it; NULL is fine. */
void tokens_free(struct tokens **t);

/* What is awaited of a contact's period. */
struct awaited {
    uint32_t period;
    uint32_t next;  /* this token and those after it, */
    uint8_t behind; /* and, where bit i is set, next - 1 - i */
};

/* Note that token k is used, and awaited no more: as a list or a letter says. Those
 * that are passed over for it are awaited behind. */
void awaited_note(struct awaited *a, uint32_t k);

/* Await these tokens of a contact, by the chain on which it writes, instead of
 * those awaited of that period so far. Returns 0, ERR_NOMEM or ERR_FULL; then
 * nothing has changed. */
int tokens_set(struct tokens *t, uint32_t contact,
               const uint8_t chain[static TOKENS_CHAIN_LEN],
               const struct awaited *a) CHECK_RESULT;

/* Await no token of this contact any more. */
void tokens_remove(struct tokens *t, uint32_t contact);

/* Await no token of this contact and a period before `oldest` any more. */
void tokens_expire(struct tokens *t, uint32_t contact, uint32_t oldest);

/* Make room for so many, TOKENS_MAX at most, so that it need not be made later. */
int tokens_reserve(struct tokens *t, size_t n) CHECK_RESULT;

/* The awaited token that an entry may stand for; `after`: the one found last,
 * NULL: none yet. More than one when two begin alike. NULL: no more. The result
 * stays until the table changes. */
const struct token *tokens_find(const struct tokens *t,
                                const uint8_t prefix[static LIST_ENTRY_LEN],
                                const struct token *after);

/* How many are awaited. */
size_t tokens_count(const struct tokens *t);
#endif
