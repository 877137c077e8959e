/* lib/slab.h - buffers of one size, known by small numbers.
 *
 * Packets live here while they are mixed, so that no packet is allocated on its
 * own. The slab grows in chunks up to a maximum; a freed buffer is wiped.
 *
 * Several threads share the buffers, each by a view of its own: one may take a
 * buffer and another give that buffer back. A view belongs to one thread and
 * keeps a few free buffers at hand, so that the lock is rarely asked for. */
#ifndef LIB_SLAB_H
#define LIB_SLAB_H
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

#define SLAB_NONE UINT32_MAX

struct slab; /* a view */

/* Make a slab of at most max buffers (max < SLAB_NONE) of item_len bytes, and
 * its first view in *out, which is the caller's. Returns 0, ERR_ARG or
 * ERR_NOMEM. */
int slab_new(struct slab **out, size_t item_len, uint32_t max) CHECK_RESULT;

/* Make another view of the buffers that `of` shows. Returns 0, ERR_FULL or
 * ERR_NOMEM. */
int slab_share(struct slab **out, struct slab *of) CHECK_RESULT;

/* Free the view *s, which may be NULL, and set it to NULL. With the last view
 * all buffers are wiped and freed. */
void slab_free(struct slab **s);

/* Take a free buffer and return its number, or SLAB_NONE at the maximum or when
 * out of memory (other views may have a few free ones then). The contents of
 * the buffer are undefined. */
uint32_t slab_take(struct slab *s) CHECK_RESULT;

/* Tell why slab_take() last returned SLAB_NONE: ERR_FULL or ERR_NOMEM. */
int slab_why(const struct slab *s);

/* Wipe and give back the buffer of this number, whichever view took it. */
void slab_give(struct slab *s, uint32_t number);

/* Return the address of the buffer of this number, which stays the same until
 * slab_give(). */
uint8_t *slab_at(const struct slab *s, uint32_t number);

/* Return how many buffers all views have taken. */
uint32_t slab_count(const struct slab *s);
#endif
