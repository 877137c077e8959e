/* network/draw.h - numbers drawn for each relay by the shared value, and relays
 * in the order of these numbers ("draw" in doc/PROTOCOL.md 9.3). Pure. */
#ifndef NETWORK_DRAW_H
#define NETWORK_DRAW_H
#include <stddef.h>
#include <stdint.h>

#include "network/consensus.h"

/* Draw len bytes, 32 at most, for the relay of this identity by the shared
 * value of c: the first bytes of BLAKE2b-256(label | value | identity). */
void draw_bytes(const struct consensus *c, const char *label,
                const uint8_t identity[static SPHINX_ID_LEN], uint8_t *out,
                size_t len);

/* A relay of a consensus, by its number, and its place in a drawn order. */
struct draw_rank {
    uint64_t value; /* the first 8 bytes drawn */
    size_t relay;
};

/* Draw the rank of c's relay of this number, under label. */
struct draw_rank draw_rank(const struct consensus *c, const char *label,
                           size_t relay);

/* Sort the n ranks at rank, the smallest value first. */
void draw_ranks_sort(struct draw_rank *rank, size_t n);
#endif
