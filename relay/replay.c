/* relay/replay.c - the replay set.
 *
 * State. A header of 128 bytes, then buckets of 8 words, one cache line each.
 * A word is 0 (never used) or hash 35 | time 29: the packet's deadline in units
 * of 8 seconds since 1970, rounded up, so that it is one and the same moment
 * until the year 2106, whatever any clock says. The header holds the floor:
 * nothing with a deadline up to it is accepted.
 *
 * A word is dead by a clock that has passed its time, and a dead word's place
 * may be taken; before it is, the floor is raised to its time. That is all that
 * clocks do here, and it is why none of them can let a packet pass twice (I3):
 *
 *   what was accepted stands in a word of its own, or that word was taken and
 *   the floor is at its deadline or above; the floor never falls. So a packet
 *   that comes again is found, or it is too old, by whichever clock it is
 *   judged, on this machine's next start too.
 *
 * What a jump does, then. Forward: packets are refused as late for as long as
 * it lasts. Nothing is forgotten unless somebody sends packets whose deadlines
 * lie in that future; these may take the places of all words there are, and
 * raise the floor to the latest of their deadlines, which is deadline_ahead_s
 * beyond the moment of the jump. Back: what was accepted is still in its words,
 * nothing is admitted again, and within deadline_ahead_s everything is as it
 * was. The words of that future keep their places until it has come, and a
 * second jump there could raise the floor to it: so callers judge by no clock
 * that contradicts their newest consensus (consensus_judge_time()), which
 * bounds either harm by the time for which that one is usable.
 *
 * Inserting looks through both buckets of a tag, swaps its word into a free
 * place of the emptier one, and looks again: of two threads that put in the
 * same tag at once at least one sees the other (all operations are
 * sequentially consistent), and whoever sees another refuses the packet. The
 * floor is looked at again last: who did not find a word because its place was
 * taken meanwhile sees the floor that was raised before.
 *
 * Doubt. Where tags may be missing (the machine has started anew, the memory is
 * fresh though packets were accepted before), the set says so until
 * replay_trust(), in the memory itself, so that a second start in between is as
 * careful as the first.
 *
 * Failure modes: both buckets full (ERR_FULL); death at any point leaves
 * either the word or not, which is the packet's fate too, since nothing is
 * sent before the insertion has returned. */
#include "relay/replay.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "relay/moments.h"

enum { BUCKET_WORDS = 8, HEADER_LEN = 128, CHECKSUM_LEN = 16, VERSION = 2 };
enum { TIME_BITS = 29, TIME_UNIT_S = 8 };

static const uint64_t time_mask = (1u << TIME_BITS) - 1;

#define MAGIC 0x31796c7065526d42ULL /* "BmReply1" in memory */

struct header {
    uint64_t magic;
    uint64_t version;
    uint64_t buckets; /* a power of two */
    uint8_t key[16];
    uint8_t boot[REPLAY_BOOT_LEN];
    uint8_t checksum[CHECKSUM_LEN]; /* of all before it */
    _Atomic uint64_t floor_s;
    _Atomic uint64_t doubt; /* tags may be missing */
    _Atomic uint64_t mark;  /* all moments up to it, noted before `moments` was
                               here; 0: there are none */
    struct moments moments; /* replay_note_moment() */
};
_Static_assert(sizeof(struct header) <= HEADER_LEN, "header fits");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "words need no lock");

struct replay {
    struct header *header;
    _Atomic uint64_t *word;
    uint64_t bucket_mask;
};

static uint64_t
buckets_for(size_t tags)
{
    uint64_t buckets = 1;
    /* at most 3/4 full: then two buckets of eight overflow hardly ever */
    while (buckets * BUCKET_WORDS * 3 / 4 < tags)
        buckets *= 2;
    return buckets;
}

size_t
replay_region_len(size_t tags)
{
    return HEADER_LEN + buckets_for(tags) * BUCKET_WORDS * sizeof(uint64_t);
}

static void
header_checksum(const struct header *h, uint8_t out[static CHECKSUM_LEN])
{
    crypto_generichash(out, CHECKSUM_LEN, (const uint8_t *)h,
                       offsetof(struct header, checksum), NULL, 0);
}

static int
replay_attach(struct replay **out, struct header *h)
{
    struct replay *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    r->header = h;
    r->word = (_Atomic uint64_t *)(void *)((uint8_t *)h + HEADER_LEN);
    r->bucket_mask = h->buckets - 1;
    *out = r;
    return 0;
}

int
replay_create(struct replay **out, void *region, size_t len,
              const uint8_t key[static 16],
              const uint8_t boot[static REPLAY_BOOT_LEN], bool doubt)
{
    *out = NULL;
    if ((uintptr_t)region % 64 != 0 ||
        len < HEADER_LEN + BUCKET_WORDS * sizeof(uint64_t))
        return ERR_ARG;
    struct header *h = region;
    uint64_t buckets = 1, room = (len - HEADER_LEN) / 64;
    while (buckets * 2 <= room)
        buckets *= 2;
    h->magic = 0; /* not to be taken for a set while it is being made */
    memset((uint8_t *)region + sizeof h->magic, 0, len - sizeof h->magic);
    h->version = VERSION;
    h->buckets = buckets;
    memcpy(h->key, key, sizeof h->key);
    memcpy(h->boot, boot, sizeof h->boot);
    atomic_store(&h->doubt, doubt);
    int err = replay_attach(out, h);
    if (err)
        return err; /* it stays what is no set */
    h->magic = MAGIC;
    header_checksum(h, h->checksum);
    return 0;
}

int
replay_open(struct replay **out, void *region, size_t len,
            const uint8_t boot[static REPLAY_BOOT_LEN])
{
    struct header *h = region;
    uint8_t checksum[CHECKSUM_LEN];
    *out = NULL;
    if ((uintptr_t)region % 64 != 0)
        return ERR_ARG;
    if (len < HEADER_LEN || h->magic != MAGIC)
        return ERR_FORMAT;
    header_checksum(h, checksum);
    if (memcmp(checksum, h->checksum, CHECKSUM_LEN) != 0)
        return ERR_FORMAT;
    if (h->version != VERSION)
        return ERR_VERSION;
    if (h->buckets == 0 || (h->buckets & (h->buckets - 1)) != 0 ||
        h->buckets > (len - HEADER_LEN) / 64)
        return ERR_FORMAT;
    if (memcmp(h->boot, boot, REPLAY_BOOT_LEN) != 0)
        atomic_store(&h->doubt, 1);
    memcpy(h->boot, boot, REPLAY_BOOT_LEN);
    header_checksum(h, h->checksum);
    return replay_attach(out, h);
}

void
replay_free(struct replay **r)
{
    free(*r);
    *r = NULL;
}

uint64_t
replay_floor_s(const struct replay *r)
{
    return atomic_load(&r->header->floor_s);
}

static void
floor_raise(struct replay *r, uint64_t to_s)
{
    uint64_t floor_s = atomic_load(&r->header->floor_s);
    while (floor_s < to_s &&
           !atomic_compare_exchange_weak(&r->header->floor_s, &floor_s, to_s))
        ;
}

bool
replay_note_moment(struct replay *r, uint64_t ms, uint64_t near_ms)
{
    return atomic_load(&r->header->mark) < ms &&
           moments_note(&r->header->moments, ms, near_ms);
}

bool
replay_is_in_doubt(const struct replay *r)
{
    return atomic_load(&r->header->doubt) != 0;
}

void
replay_trust(struct replay *r, uint64_t now_s)
{
    if (now_s > 0)
        floor_raise(r, now_s - 1);
    atomic_store(&r->header->doubt, 0);
}

struct scan {
    unsigned same;       /* living words with this hash */
    unsigned free_count; /* of this bucket */
    unsigned free_at;    /* first free place, BUCKET_WORDS if none */
    uint64_t free_word;  /* what stands there */
};

/* now: in units. */
static struct scan
bucket_scan(const _Atomic uint64_t *bucket, uint64_t hash, uint64_t now)
{
    struct scan s = {.free_at = BUCKET_WORDS};
    for (unsigned i = 0; i < BUCKET_WORDS; i++) {
        uint64_t word = atomic_load(&bucket[i]);
        if ((word & time_mask) >= now) {
            s.same += word >> TIME_BITS == hash;
            continue;
        }
        if (s.free_count++ == 0) {
            s.free_at = i;
            s.free_word = word;
        }
    }
    return s;
}

static uint64_t
time_units(uint64_t s)
{
    return (s + TIME_UNIT_S - 1) / TIME_UNIT_S;
}

int
replay_insert(struct replay *r, const uint8_t tag[static REPLAY_TAG_LEN],
              uint64_t deadline_s, uint64_t now_s)
{
    const uint64_t now = now_s ? time_units(now_s) : 1; /* 0: never used */
    uint64_t hash[2];
    if (deadline_s < now_s || deadline_s <= replay_floor_s(r))
        return ERR_DEADLINE_PAST;
    if (deadline_s - now_s >= REPLAY_AHEAD_MAX_S ||
        time_units(deadline_s) > time_mask)
        return ERR_DEADLINE_FAR;
    crypto_shorthash_siphashx24((uint8_t *)hash, tag, REPLAY_TAG_LEN,
                                r->header->key);
    const uint64_t mine = hash[0] >> TIME_BITS;
    const uint64_t word = mine << TIME_BITS | time_units(deadline_s);
    uint64_t one = hash[1] & r->bucket_mask;
    uint64_t two = (hash[1] >> 32) & r->bucket_mask;
    _Atomic uint64_t *bucket[2] = {r->word + one * BUCKET_WORDS,
                                   r->word + two * BUCKET_WORDS};
    for (;;) {
        struct scan s[2];
        for (int i = 0; i < 2; i++) {
            s[i] = bucket_scan(bucket[i], mine, now);
            if (s[i].same > 0)
                return ERR_REPLAY;
        }
        int pick = s[1].free_count > s[0].free_count;
        if (s[pick].free_count == 0)
            return ERR_FULL;
        floor_raise(r, (s[pick].free_word & time_mask) * TIME_UNIT_S);
        if (atomic_compare_exchange_strong(&bucket[pick][s[pick].free_at],
                                           &s[pick].free_word, word))
            break;
    }
    unsigned same = bucket_scan(bucket[0], mine, now).same;
    if (one != two)
        same += bucket_scan(bucket[1], mine, now).same;
    if (deadline_s <= replay_floor_s(r))
        return ERR_DEADLINE_PAST;
    return same == 1 ? 0 : ERR_REPLAY;
}
