/* directory/listing.h - the descriptors that an authority has taken.
 *
 * A relay may have one for each epoch: the one for the epoch after next stands
 * beside the one that the next vote needs. */
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

/* A relay that changes its descriptor faster is told to wait: each change is
 * written to disk. */
enum { LISTING_CHANGE_MS = 2000 };

/* Zeroed memory is an empty one. */
struct listing {
    /* Sorted by identity, then epoch: a search takes log n steps, and a new
     * item moves 8 bytes for each one behind it, so that relays which nobody
     * knows cannot make an authority slow. */
    struct listed **item;
    size_t n, room;
};

/* Take the descriptor d, written in `bytes` (verified, without a 0), at now_ms,
 * while votes for `target` are to come; replace one of the same relay and
 * epoch. Returns 0, ERR_STALE (a newer one serves the target), ERR_EXISTS (this
 * very one is there), ERR_RATE, ERR_FULL, ERR_NOMEM. */
int listing_put(struct listing *l, const struct descriptor *d,
                const uint8_t *bytes, size_t len, uint32_t target,
                uint64_t now_ms) CHECK_RESULT;

/* List the texts for a vote, sorted: of each relay the newest one with a key
 * for the target, as many as RELAYS_MAX and `room` bytes of the vote hold. The
 * room goes first to the relays of the newest consensus (NULL: there is none),
 * among them first to those that need no more than their share; then to
 * strangers; in each turn by identity. A vote that strangers have made too long
 * would not count. *texts, of which there are *n, is malloc'd; the texts
 * themselves stay l's. */
int listing_texts(const struct listing *l, uint32_t target,
                  const struct consensus *newest, size_t room, char ***texts,
                  size_t *n) CHECK_RESULT;

/* Tell whether a vote for the target can use a descriptor of the relay with
 * this identity. */
bool listing_has(const struct listing *l, const uint8_t *identity,
                 uint32_t target);
/* Tell whether a vote for the target can use a descriptor of any relay. */
bool listing_serves(const struct listing *l, uint32_t target);
/* Drop all descriptors of the relay with this identity. */
void listing_drop(struct listing *l, const uint8_t *identity);
/* Drop the descriptors without a key for `needed`, the target or an epoch
 * before it, and those so far ahead that only a wrong clock can have made
 * them. */
void listing_prune(struct listing *l, uint32_t target, uint32_t needed);
void listing_free(struct listing *l);
#endif
