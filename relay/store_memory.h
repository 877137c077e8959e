/* relay/store_memory.h - letters in memory, for tests and the simulator.
 *
 * The same answers as the SQLite storage gives, without a disk. Requests are
 * carried out and answered when the caller says, so that a slow or stalled
 * disk can be played. */
#ifndef RELAY_STORE_MEMORY_H
#define RELAY_STORE_MEMORY_H
#include <stddef.h>
#include <stdint.h>

#include "lib/env.h"
#include "lib/error.h"

struct store_memory;

/* Make an empty store for letters of letter_len bytes; beyond letters_max of
 * them puts answer ERR_QUOTA. Returns 0 or ERR_NOMEM. */
int store_memory_new(struct store_memory **out, size_t letter_len,
                     size_t letters_max) CHECK_RESULT;
/* Free *s; outstanding requests are dropped without being answered. */
void store_memory_free(struct store_memory **s);

/* Queue a request; for env_ops.store. */
void store_memory_request(struct store_memory *s, struct env_store_req *req);

/* Carry out and answer at most max requests, the oldest first. Their owners may
 * be called back. Returns how many. */
size_t store_memory_run(struct store_memory *s, size_t max);

/* Destroy the letters whose day is before `day`. Returns how many. */
size_t store_memory_expire(struct store_memory *s, uint32_t day);

size_t store_memory_count(const struct store_memory *s);
#endif
