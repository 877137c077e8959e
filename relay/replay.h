/* relay/replay.h - the packets of the last minutes, so that none passes twice.
 *
 * Exact in practice: a tag is kept as 35 bits of a keyed hash (SipHash) in one
 * of two buckets that other bits of the hash name. With 2^16 buckets or more
 * two tags agree by chance once in 2^49 pairs, so one packet of 2^31 is refused
 * for nothing; and since the key is secret nobody can look for such a pair. A
 * tag lives until its packet's deadline; after it the packet is refused for
 * being late, so the set stays small: 8 bytes a tag, about 7 MiB at 5,000
 * packets/s. No clock that jumps lets a packet pass twice: see replay.c.
 *
 * The set lies in memory of the caller's that a daemon maps from a file, and
 * keeps nothing elsewhere, so the set survives the death of the process at any
 * instruction. Several threads share one set without a lock. */
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

/* Compute the length in bytes of a region with room for `tags` tags alive at
 * once; the set begins to be full (ERR_FULL) somewhere above that. */
size_t replay_region_len(size_t tags);

/* Make an empty set in region (replay_region_len() bytes, aligned to 64).
 * key: 16 fresh random bytes. boot: says which start of the machine this is.
 * doubt: packets may have been accepted that the set does not know. The region
 * stays the caller's and has to outlive *out. */
int replay_create(struct replay **out, void *region, size_t len,
                  const uint8_t key[static 16],
                  const uint8_t boot[static REPLAY_BOOT_LEN],
                  bool doubt) CHECK_RESULT;

/* Take up the set found in region. The set is in doubt when it was written
 * under another start of the machine than `boot`, since its last pages may be
 * missing. Returns 0, or ERR_VERSION, ERR_FORMAT (then make a set, in
 * doubt). */
int replay_open(struct replay **out, void *region, size_t len,
                const uint8_t boot[static REPLAY_BOOT_LEN]) CHECK_RESULT;

/* Tell whether tags may be missing. If so, no packet is to be accepted until
 * the longest deadline has passed, and then replay_trust() is to be called. The
 * doubt outlives the process. */
bool replay_is_in_doubt(const struct replay *r);
/* End the doubt at now_s, when the longest deadline has passed: packets whose
 * tags are missing have been late for long, and stay so. */
void replay_trust(struct replay *r, uint64_t now_s);

void replay_free(struct replay **r);

/* Remember tag until deadline_s. Returns 0 when the tag is new; ERR_REPLAY when
 * seen; ERR_DEADLINE_PAST when its time is over at now_s, or was over at
 * another time at which its place was given away; ERR_DEADLINE_FAR; ERR_FULL
 * when there is no room (the packet must be dropped). now_s may jump in any
 * way. Two threads that offer one tag at the same instant may both be told
 * ERR_REPLAY, never both 0. */
int replay_insert(struct replay *r, const uint8_t tag[static REPLAY_TAG_LEN],
                  uint64_t deadline_s, uint64_t now_s) CHECK_RESULT;

/* Note the moment `ms`, milliseconds since 1970, among those that are kept with
 * the set, as moments_note() does: for one thread, who may do something once for
 * each moment, in whichever life of the process. Returns false when it was noted
 * before. */
bool replay_note_moment(struct replay *r, uint64_t ms, uint64_t near_ms);

/* Tell the floor: nothing with a deadline up to there is accepted any more. */
uint64_t replay_floor_s(const struct replay *r);
#endif
