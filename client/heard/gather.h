/* client/heard/gather.h - slices of the downlink become whole lists.
 *
 * The parts of a list may come in any order, between those of others, and some
 * not at all: of so many lists at once the parts are kept, and the list that
 * got none for longest gives way. What is whole is not yet looked at. Bounded,
 * without memory of its own. Pure. */
#ifndef CLIENT_HEARD_GATHER_H
#define CLIENT_HEARD_GATHER_H
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/wire.h"
#include "network/list.h"

enum { GATHER_LISTS = 8, GATHER_PARTS = 256 };

/* Zeroed memory is an empty one. */
struct gather {
    uint64_t turn;
    struct {
        uint32_t interval;
        uint8_t board;
        uint16_t n_have; /* parts; 0: free */
        uint8_t have[GATHER_PARTS / 8];
        size_t len, each; /* of the list, of a part */
        uint64_t turn;    /* of its last part */
        uint8_t bytes[LIST_LEN_MAX];
    } list[GATHER_LISTS];
};

/* Take a slice of a list of len bytes, LIST_LEN_MAX at most. Returns 1 when the
 * list is whole; then *bytes is it, until the next call. 0: not yet; ERR_RANGE: no
 * such part. A part that says something else than the same one before begins the
 * list anew. */
int gather_take(struct gather *g, const struct wire_slice *slice, size_t len,
                const uint8_t **bytes) CHECK_RESULT;
#endif
