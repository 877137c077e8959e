/* network/schedule.h - when the authorities do what for an epoch.
 *
 * Of n authorities fewer than a third lie: f = (n - 1) / 3 at most. Epoch e is
 * valid from genesis + (e - 1) * length. Counted back from there, in parts of
 * the length, with rounds of R = 7.5 %:
 *
 *   HELLO    one round before VOTE: certificates, so that all know the keys
 *   VOTE     5 % + (f + 3) R: descriptors are closed, the own vote is sent;
 *            f + 1 rounds follow, in which votes are passed on
 *   OPEN     5 % + 2 R: the votes are fixed; dealt shares are opened
 *   SIGN     5 % + R: the consensus is computed, signed, the signature sent
 *   PUBLISH  5 %: the consensus should be there; authorities without it ask
 *            the others
 *   VALID    0: the next consensus is prepared
 *
 * Clocks may differ by 5 %. A round is longer by half of that, which is the
 * time that a message may take. Pure. */
#ifndef NETWORK_SCHEDULE_H
#define NETWORK_SCHEDULE_H
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

enum schedule_phase {
    SCHEDULE_HELLO,
    SCHEDULE_VOTE,
    SCHEDULE_OPEN,
    SCHEDULE_SIGN,
    SCHEDULE_PUBLISH,
    SCHEDULE_VALID
};
enum { SCHEDULE_ROUND_PERMILLE = 75, SCHEDULE_MARGIN_PERMILLE = 50 };

struct schedule {
    uint64_t genesis_s;
    uint32_t epoch_len_s;
    size_t n; /* authorities */
};

/* Return how many liars n authorities withstand. */
static inline size_t
schedule_faults(size_t n)
{
    return n > 0 ? (n - 1) / 3 : 0;
}

/* Return how long before the epoch is valid phase p begins, in permille of the
 * length of an epoch. */
static inline unsigned
schedule_permille(const struct schedule *s, enum schedule_phase p)
{
    const unsigned rounds = (unsigned)schedule_faults(s->n) + 1;
    const unsigned before[] = {rounds + 3, rounds + 2, 2, 1, 0};
    assert(p <= SCHEDULE_VALID);
    return p == SCHEDULE_VALID
               ? 0
               : SCHEDULE_MARGIN_PERMILLE + before[p] * SCHEDULE_ROUND_PERMILLE;
}

/* Return when epoch is valid from, in seconds since 1970. */
static inline uint64_t
schedule_valid_s(const struct schedule *s, uint32_t epoch)
{
    return s->genesis_s + (uint64_t)(epoch - 1) * s->epoch_len_s;
}

/* Return when phase p of epoch begins, in milliseconds since 1970. */
static inline uint64_t
schedule_ms(const struct schedule *s, uint32_t epoch, enum schedule_phase p)
{
    return schedule_valid_s(s, epoch) * 1000 -
           (uint64_t)s->epoch_len_s * schedule_permille(s, p);
}

/* Return when round r of epoch ends, where r is 1 to f + 1: a vote with r
 * signatures counts until then. */
static inline uint64_t
schedule_round_ms(const struct schedule *s, uint32_t epoch, size_t r)
{
    return schedule_ms(s, epoch, SCHEDULE_VOTE) +
           (uint64_t)s->epoch_len_s * r * SCHEDULE_ROUND_PERMILLE;
}

/* Return the first epoch whose phase p is still to come at now_ms. */
static inline uint32_t
schedule_epoch(const struct schedule *s, enum schedule_phase p, uint64_t now_ms)
{
    const uint64_t shifted =
        now_ms + (uint64_t)s->epoch_len_s * schedule_permille(s, p);
    if (shifted < s->genesis_s * 1000)
        return 1;
    return (uint32_t)((shifted - s->genesis_s * 1000) /
                      ((uint64_t)s->epoch_len_s * 1000)) +
           2;
}
#endif
