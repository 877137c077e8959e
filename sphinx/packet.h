/* sphinx/packet.h - offsets, a worker's scratch, and making headers.
 *
 * Internal to sphinx, its tests and its tool. */
#ifndef SPHINX_PACKET_H
#define SPHINX_PACKET_H
#include <stddef.h>
#include <stdint.h>

#include "sphinx/cipher.h"
#include "sphinx/sphinx.h"
#include "sphinx/suite.h"

enum {
    PACKET_EPOCH_AT = 1,
    PACKET_ELEMENT_AT = 2, /* the routing follows the element */
    BLOCK_COMMAND_AT = 0,
    BLOCK_NEXT_AT = 1,
    BLOCK_DELAY_AT = 3,
    BLOCK_DEADLINE_AT = 5,
    BLOCK_ELEMENT_AT = 7, /* the next MAC follows the next element */
    BLOCK_FIXED_LEN = BLOCK_ELEMENT_AT + SPHINX_MAC_LEN,
    BLOCK_MAX = BLOCK_FIXED_LEN + SPHINX_ELEMENT_MAX,
    STREAM_MAX = (SPHINX_HOPS_MAX + 1) * BLOCK_MAX,
    FILL_MAX = SPHINX_HOPS_MAX * BLOCK_MAX
};

/* Labels of a sender's seed (suite.expand). */
enum packet_label {
    PACKET_LABEL_ELEMENTS = 1, /* an ephemeral secret per hop */
    PACKET_LABEL_FILL = 2,     /* padding and unused fields */
    PACKET_LABEL_SURB_KEY = 3
};

/* What the key exchange of each hop gives. */
struct packet_shared {
    uint8_t element[SPHINX_HOPS_MAX][SPHINX_ELEMENT_MAX];
    uint8_t secret[SPHINX_HOPS_MAX][SPHINX_KEY_LEN];
};

/* What a sender knows of each hop of one packet besides. */
struct packet_hops {
    uint8_t ctx[SPHINX_HOPS_MAX][SPHINX_KEY_LEN];
    struct suite_keys keys[SPHINX_HOPS_MAX];
    uint8_t stream[SPHINX_HOPS_MAX][STREAM_MAX]; /* (hops + 1) blocks each */
};

struct sphinx_worker {
    struct cipher *cipher;
    /* only touched when sending, so a relay's pages stay untouched */
    struct packet_shared shared[SPHINX_ORDERS_MAX];
    struct packet_hops hops; /* of the packet that is being made */
    uint8_t fill[FILL_MAX];
};

/* Write v at p, or read the number at p, big endian. */
static inline void
packet_put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline uint16_t
packet_get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

/* Do the key exchanges of all hops of m orders (at most SPHINX_ORDERS_MAX) at
 * once, into w->shared, and set the err of each order: 0, ERR_RANGE (n),
 * ERR_SUITE, ERR_POINT (a relay's key), ERR_CRYPTO. */
void packet_exchange(struct sphinx_worker *w, const struct sphinx_view *view,
                     struct sphinx_order *orders, size_t m);

/* Derive the keys and keystreams of o, to which shared belongs, into w->hops.
 * The caller ends with packet_wipe(). Returns 0 or ERR_CRYPTO. */
int packet_derive(struct sphinx_worker *w, const struct sphinx_view *view,
                  const struct sphinx_order *o,
                  const struct packet_shared *shared) CHECK_RESULT;

/* Return how many random bytes a header of n hops takes: padding of the unused
 * slots, then next relay, next element and next MAC of the last block. */
size_t packet_fill_len(const struct sphinx_geometry *g, size_t n);

/* Write the header, of header_len bytes, from shared, w->hops and w->fill to
 * o->out. Returns 0 or ERR_CRYPTO. */
int packet_header(struct sphinx_worker *w, const struct sphinx_view *view,
                  const struct sphinx_order *o,
                  const struct packet_shared *shared) CHECK_RESULT;

/* Derive the keys of o, draw w->fill from its seed, and write its header. On
 * success w->hops is kept for the caller, who ends with packet_wipe(). Returns
 * 0 or ERR_CRYPTO. */
int packet_begin(struct sphinx_worker *w, const struct sphinx_view *view,
                 const struct sphinx_order *o,
                 const struct packet_shared *shared) CHECK_RESULT;

/* Wipe the keys of the n hops in w->hops. */
void packet_wipe(struct sphinx_worker *w, const struct sphinx_geometry *g,
                 size_t n);

/* Wipe the secrets of m orders in w->shared. */
void packet_forget(struct sphinx_worker *w, size_t m);
#endif
