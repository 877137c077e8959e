/* directory/listing.h - the descriptors that an authority has taken.
 *
 * Of a relay one for each epoch: the one for the epoch after next stands beside
 * the one that the next vote needs. */
#ifndef DIRECTORY_LISTING_H
#define DIRECTORY_LISTING_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "network/json.h"

struct listed {
    uint8_t identity[SPHINX_ID_LEN];
    uint32_t epoch;
    char *text; /* the signed document */
    uint64_t taken_ms;
};

/* One that changes its mind faster is told to wait: each change is written to
 * disk. */
enum { LISTING_CHANGE_MS = 2000 };

/* Zeroed memory is an empty one. */
struct listing {
    /* Sorted by identity, then epoch: whatever is asked takes log n steps, and a
     * new one moves 8 bytes for each that is behind, so that relays which nobody
     * knows cannot make an authority slow. */
    struct listed **item;
    size_t n, room;
};

/* Take a descriptor (verified; bytes hold no 0) while votes for `target` are to
 * come; it replaces one of the same relay and epoch. Returns 0, ERR_STALE (a
 * newer one serves the target), ERR_EXISTS (this very one is there), ERR_RATE,
 * ERR_FULL, ERR_NOMEM. */
int listing_put(struct listing *l, const struct descriptor *d,
                const uint8_t *bytes, size_t len, uint32_t target,
                uint64_t now_ms) CHECK_RESULT;

/* The texts for a vote, sorted, of each relay the newest with a key for the
 * target: those of the relays of the newest consensus (NULL: there is none)
 * first, before others those that need no more than their share of the room; then
 * strangers'; each by identity, as many as RELAYS_MAX and so many bytes of room in
 * the vote hold. A vote that strangers have made too long would be none. *texts is
 * malloc'd, the texts are the list's. */
int listing_texts(const struct listing *l, uint32_t target,
                  const struct consensus *newest, size_t room, char ***texts,
                  size_t *n) CHECK_RESULT;

/* Is there one of this relay that a vote for the target can use? */
bool listing_has(const struct listing *l, const uint8_t *identity,
                 uint32_t target);
/* Is there one of any relay? */
bool listing_serves(const struct listing *l, uint32_t target);
/* Drop all of one relay. */
void listing_drop(struct listing *l, const uint8_t *identity);
/* Drop those without a key for `needed`, the target or an epoch before it, and
 * those that only relays whose clocks are wrong have posted. */
void listing_prune(struct listing *l, uint32_t target, uint32_t needed);
void listing_free(struct listing *l);
#endif
