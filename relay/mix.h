/* relay/mix.h - the mixing strategy, behind one pure interface.
 *
 * A mix holds handles (the caller's packet numbers), not packets, so that the
 * simulator runs the very same code and pays for no bytes. It owns no clock:
 * time comes in as an argument, in microseconds of the monotonic clock. */
#ifndef RELAY_MIX_H
#define RELAY_MIX_H
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

struct mix;
typedef uint32_t mix_handle;

enum mix_strategy {
    MIX_POISSON = 1 /* delays chosen by the sender, exponential */
};

/* Make a mix for at most capacity handles, growing as needed. */
int mix_new(struct mix **out, enum mix_strategy strategy,
            size_t capacity) CHECK_RESULT;
void mix_free(struct mix **m);

/* Queue handle for relay next, due delay_us after now_us. Returns 0, ERR_FULL
 * or ERR_NOMEM; the caller keeps the handle then. */
int mix_push(struct mix *m, mix_handle handle, uint32_t next, uint64_t now_us,
             uint64_t delay_us) CHECK_RESULT;

struct mix_out {
    mix_handle handle;
    uint32_t next;
};

/* Take out what is due at now_us, at most max, earliest first. Returns how
 * many. */
size_t mix_pop_due(struct mix *m, uint64_t now_us, struct mix_out *out,
                   size_t max);

/* Time of the earliest due handle, UINT64_MAX when empty. */
uint64_t mix_next_due(const struct mix *m);

size_t mix_count(const struct mix *m);
#endif
