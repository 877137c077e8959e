/* relay/handles.h - whose handle is this? A gateway's table from the 8 random
 * bytes that a client chose to the client's number. The table's places are
 * keyed, so nobody can choose handles that collide. Threads may share a
 * table. */
#ifndef RELAY_HANDLES_H
#define RELAY_HANDLES_H
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

#define HANDLES_NONE UINT32_MAX

struct handles;

/* Make a table with room for max handles, all of whose memory is taken at once
 * (16 bytes each, twice over); key is random. Returns 0 or ERR_NOMEM. */
int handles_new(struct handles **out, size_t max,
                const uint8_t key[static 16]) CHECK_RESULT;
void handles_free(struct handles **h);

/* Enter a handle of this client. Returns 0, ERR_EXISTS when another client has
 * the handle, ERR_FULL. */
int handles_add(struct handles *h, const uint8_t handle[static 8],
                uint32_t client) CHECK_RESULT;
/* Remove a handle if this client has it. */
void handles_remove(struct handles *h, const uint8_t handle[static 8],
                    uint32_t client);
/* Find the number of the client with this handle, or HANDLES_NONE. */
uint32_t handles_find(struct handles *h, const uint8_t handle[static 8]);
#endif
