/* relay/moments.h - moments at which something was done that may be done once
 * for each of them: lists that a board has signed (relay/spread.c).
 *
 * A clock may be wrong and be set right again, so the moments are runs, four at
 * most, not all those up to the latest. When there would be a fifth, the two
 * that are nearest to each other become one with all that is between them: none
 * that was noted is ever given free.
 *
 * A value that may lie in a file that is mapped: each change is of one word, and
 * whenever the process dies no moment is missing. Zeroed memory has none. One
 * thread writes. Pure. */
#ifndef RELAY_MOMENTS_H
#define RELAY_MOMENTS_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { MOMENTS_RUNS = 4 };

/* Half seconds: those from which a run is, in the upper bits the last of them,
 * below how many more there are; 0: an empty place. */
struct moments {
    _Atomic uint64_t run[MOMENTS_RUNS];
};

/* Tell whether the moment `ms`, in milliseconds since 1970, is noted, or lies
 * between two that are. Moments are half a second or more from each other. */
bool moments_has(const struct moments *m, uint64_t ms);

/* Note the moment `ms`, not before 1971. What lies between it and a run that is
 * not more than near_ms away is noted as well. Returns false when the moment was
 * noted before. */
bool moments_note(struct moments *m, uint64_t ms, uint64_t near_ms);
#endif
