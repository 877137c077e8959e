/* lib/slab.h - buffers of one size, known by small numbers.
 *
 * Packets live here while they are mixed, so that no packet is allocated on
 * its own. Grows in chunks up to a maximum; a freed buffer is wiped.
 *
 * Several threads share the buffers, each by a view of its own: one may take a
 * buffer and another give it back. A view belongs to one thread; it keeps a few
 * free buffers at hand, so that the lock is rarely asked for. */
#ifndef LIB_SLAB_H
#define LIB_SLAB_H
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

#define SLAB_NONE UINT32_MAX

struct slab; /* a view */

/* Buffers of item_len bytes, at most max of them (max < SLAB_NONE), and the
 * first view of them. */
int slab_new(struct slab **out, size_t item_len, uint32_t max) CHECK_RESULT;
/* Another view of the same buffers. */
int slab_share(struct slab **out, struct slab *of) CHECK_RESULT;
/* The last view wipes all; *s may be NULL. */
void slab_free(struct slab **s);

/* A free buffer's number, or SLAB_NONE when at the maximum or out of memory
 * (other views may have a few free ones then). Its contents are undefined. */
uint32_t slab_take(struct slab *s) CHECK_RESULT;
/* Which of them it was the last time: ERR_FULL or ERR_NOMEM. */
int slab_why(const struct slab *s);
/* Wipe and return a buffer that was taken, by whichever view. */
void slab_give(struct slab *s, uint32_t number);

/* The buffer's address; stays the same until slab_give. */
uint8_t *slab_at(const struct slab *s, uint32_t number);

/* Buffers taken now, by all views. */
uint32_t slab_count(const struct slab *s);
#endif
