/* relay/replay.c - the replay set.
 *
 * State. A header of 128 bytes, then buckets of 8 words, one cache line each.
 * A word is 0 (never used) or hash 48 | deadline 16, where the deadline is in
 * seconds modulo 2^16: it is alive while (deadline - clock) mod 2^16 is less
 * than REPLAY_AHEAD_MAX_S. A word whose time is over is free to be replaced.
 *
 * Inserting looks through both buckets of a tag, swaps its word into a free
 * place of the emptier one, and looks again: of two threads that put in the
 * same tag at once at least one sees the other (all operations are
 * sequentially consistent), and whoever sees another refuses the packet.
 *
 * Failure modes: both buckets full (ERR_FULL); death at any point leaves
 * either the word or not, which is the packet's fate too, since nothing is
 * sent before the insertion has returned. A word that has been dead for 18
 * hours looks alive again for an hour, and costs its place. */
#include "relay/replay.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKET_WORDS = 8, HEADER_LEN = 128, CHECKSUM_LEN = 16, VERSION = 1 };

#define MAGIC 0x31796c7065526d42ULL /* "BmReply1" in memory */

struct header {
    uint64_t magic;
    uint64_t version;
    uint64_t buckets; /* a power of two */
    uint8_t key[16];
    uint8_t boot[REPLAY_BOOT_LEN];
    uint8_t checksum[CHECKSUM_LEN]; /* of all before it */
    _Atomic uint64_t clock_s;
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
              const uint8_t boot[static REPLAY_BOOT_LEN])
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
    h->magic = MAGIC;
    header_checksum(h, h->checksum);
    return replay_attach(out, h);
}

int
replay_open(struct replay **out, void *region, size_t len,
            const uint8_t boot[static REPLAY_BOOT_LEN], bool *rebooted)
{
    struct header *h = region;
    uint8_t checksum[CHECKSUM_LEN];
    *out = NULL;
    *rebooted = true;
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
    *rebooted = memcmp(h->boot, boot, REPLAY_BOOT_LEN) != 0;
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
replay_clock_s(const struct replay *r)
{
    return atomic_load(&r->header->clock_s);
}

/* Bring the clock forward to now_s; returns what it says then. */
static uint64_t
clock_advance(struct replay *r, uint64_t now_s)
{
    uint64_t clock_s = atomic_load(&r->header->clock_s);
    while (clock_s < now_s &&
           !atomic_compare_exchange_weak(&r->header->clock_s, &clock_s, now_s))
        ;
    return clock_s > now_s ? clock_s : now_s;
}

static bool
word_is_alive(uint64_t word, uint64_t clock_s)
{
    return word != 0 &&
           (uint16_t)((uint16_t)word - (uint16_t)clock_s) < REPLAY_AHEAD_MAX_S;
}

struct scan {
    unsigned same;       /* living words with this hash */
    unsigned free_count; /* of this bucket */
    unsigned free_at;    /* first free place, BUCKET_WORDS if none */
    uint64_t free_word;  /* what stands there */
};

static struct scan
bucket_scan(const _Atomic uint64_t *bucket, uint64_t hash48, uint64_t clock_s)
{
    struct scan s = {.free_at = BUCKET_WORDS};
    for (unsigned i = 0; i < BUCKET_WORDS; i++) {
        uint64_t word = atomic_load(&bucket[i]);
        if (word_is_alive(word, clock_s)) {
            s.same += word >> 16 == hash48;
            continue;
        }
        if (s.free_count++ == 0) {
            s.free_at = i;
            s.free_word = word;
        }
    }
    return s;
}

int
replay_insert(struct replay *r, const uint8_t tag[static REPLAY_TAG_LEN],
              uint64_t deadline_s, uint64_t now_s)
{
    uint64_t clock_s = clock_advance(r, now_s), hash[2];
    if (deadline_s < clock_s)
        return ERR_DEADLINE_PAST;
    if (deadline_s - clock_s >= REPLAY_AHEAD_MAX_S)
        return ERR_DEADLINE_FAR;
    crypto_shorthash_siphashx24((uint8_t *)hash, tag, REPLAY_TAG_LEN,
                                r->header->key);
    uint64_t hash48 = hash[0] >> 16;
    uint64_t one = hash[1] & r->bucket_mask;
    uint64_t two = (hash[1] >> 32) & r->bucket_mask;
    _Atomic uint64_t *bucket[2] = {r->word + one * BUCKET_WORDS,
                                   r->word + two * BUCKET_WORDS};
    if (hash48 == 0)
        hash48 = 1; /* a word must not look unused */
    const uint64_t word = hash48 << 16 | (deadline_s & 0xffff);
    for (;;) {
        struct scan s[2];
        for (int i = 0; i < 2; i++) {
            s[i] = bucket_scan(bucket[i], hash48, clock_s);
            if (s[i].same > 0)
                return ERR_REPLAY;
        }
        int pick = s[1].free_count > s[0].free_count;
        if (s[pick].free_count == 0)
            return ERR_FULL;
        if (atomic_compare_exchange_strong(&bucket[pick][s[pick].free_at],
                                           &s[pick].free_word, word))
            break;
    }
    unsigned same = bucket_scan(bucket[0], hash48, clock_s).same;
    if (one != two)
        same += bucket_scan(bucket[1], hash48, clock_s).same;
    return same == 1 ? 0 : ERR_REPLAY;
}
