/* lib/slab.h - buffers of one size, known by small numbers.
 *
 * Packets live here while they are mixed, so that no packet is allocated on
 * its own. Grows in chunks up to a maximum; a freed buffer is wiped. */
#ifndef LIB_SLAB_H
#define LIB_SLAB_H
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

#define SLAB_NONE UINT32_MAX

struct slab;

/* Buffers of item_len bytes, at most max of them (max < SLAB_NONE). */
int slab_new(struct slab **out, size_t item_len, uint32_t max) CHECK_RESULT;
/* Wipes all; *s may be NULL. */
void slab_free(struct slab **s);

/* A free buffer's number, or SLAB_NONE when at the maximum or out of memory.
 * Its contents are undefined. */
uint32_t slab_take(struct slab *s) CHECK_RESULT;
/* Wipe and return a buffer that was taken. */
void slab_give(struct slab *s, uint32_t number);

/* The buffer's address; stays the same until slab_give. */
uint8_t *slab_at(const struct slab *s, uint32_t number);

/* Buffers taken now. */
uint32_t slab_count(const struct slab *s);
#endif
