/* relay/replay.h - the packets of the last minutes, so that none passes twice.
 *
 * Exact in practice: a tag is kept as 48 bits of a keyed hash (SipHash) in one
 * of two buckets that other bits of the hash name. With 2^16 buckets or more
 * two tags agree by chance once in 2^63 pairs, and since the key is secret
 * nobody can look for such a pair. A tag lives until its packet's deadline;
 * after it the packet is refused for being late, so the set stays small: 8
 * bytes a tag, about 7 MiB at 5,000 packets/s.
 *
 * The set lies in memory of the caller's that a daemon maps from a file, and
 * keeps nothing elsewhere, so it survives the death of the process at any
 * instruction. Several threads share it without a lock. */
#ifndef RELAY_REPLAY_H
#define RELAY_REPLAY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

enum {
    REPLAY_TAG_LEN = 16,
    REPLAY_BOOT_LEN = 16,
    REPLAY_AHEAD_MAX_S = 4096 /* a deadline lies at most this far ahead */
};

struct replay;

/* Bytes of a region with room for `tags` tags alive at once; it starts to be
 * full (ERR_FULL) somewhere above that. */
size_t replay_region_len(size_t tags);

/* Make an empty set in region (replay_region_len() bytes, aligned to 64).
 * key: 16 fresh random bytes. boot: says which start of the machine this is.
 * The region stays the caller's and has to outlive *out. */
int replay_create(struct replay **out, void *region, size_t len,
                  const uint8_t key[static 16],
                  const uint8_t boot[static REPLAY_BOOT_LEN]) CHECK_RESULT;

/* Take up the set found in region. *rebooted says that it was written under
 * another start of the machine: its last pages may be missing, and the caller
 * has to wait out the longest deadline. Returns 0, or ERR_VERSION, ERR_FORMAT
 * (then replay_create() and wait likewise). */
int replay_open(struct replay **out, void *region, size_t len,
                const uint8_t boot[static REPLAY_BOOT_LEN],
                bool *rebooted) CHECK_RESULT;

void replay_free(struct replay **r);

/* Remember tag until deadline_s. Returns 0 when it is new; ERR_REPLAY when
 * seen; ERR_DEADLINE_PAST when its time is over by the set's own clock, which
 * never steps back; ERR_DEADLINE_FAR; ERR_FULL when there is no room (the
 * packet must be dropped). Two threads that offer one tag at the same instant
 * may both be told ERR_REPLAY, never both 0. */
int replay_insert(struct replay *r, const uint8_t tag[static REPLAY_TAG_LEN],
                  uint64_t deadline_s, uint64_t now_s) CHECK_RESULT;

/* The set's clock: the latest now_s it has seen. */
uint64_t replay_clock_s(const struct replay *r);
#endif
