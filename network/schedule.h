/* network/schedule.h - when the authorities do what for an epoch.
 *
 * n authorities, of which fewer than a third lie: f = (n - 1) / 3 at most.
 * Epoch e is valid from genesis + (e - 1) * length. Counted back from there, in
 * parts of the length, with rounds of R = 7.5 %:
 *
 *   HELLO    one round before VOTE: certificates, so that all know the keys
 *   VOTE     5 % + (f + 3) R: descriptors are closed, the own vote is sent;
 *            f + 1 rounds follow, in which votes are passed on
 *   OPEN     5 % + 2 R: the votes are fixed; dealt shares are opened
 *   SIGN     5 % + R: the consensus is computed, signed, the signature sent
 *   PUBLISH  5 %: it should be there; who has none asks the others
 *   VALID    0: the next one is prepared
 *
 * A round is longer than clocks may differ (5 %) by half as much again, which
 * is what a message may take. Pure. */
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

/* Liars that n authorities stand. */
static inline size_t
schedule_faults(size_t n)
{
    return n > 0 ? (n - 1) / 3 : 0;
}

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

static inline uint64_t
schedule_valid_s(const struct schedule *s, uint32_t epoch)
{
    return s->genesis_s + (uint64_t)(epoch - 1) * s->epoch_len_s;
}

/* Wall time of a phase of this epoch. */
static inline uint64_t
schedule_ms(const struct schedule *s, uint32_t epoch, enum schedule_phase p)
{
    return schedule_valid_s(s, epoch) * 1000 -
           (uint64_t)s->epoch_len_s * schedule_permille(s, p);
}

/* The end of round r, 1..f + 1: a vote with r signatures counts until then. */
static inline uint64_t
schedule_round_ms(const struct schedule *s, uint32_t epoch, size_t r)
{
    return schedule_ms(s, epoch, SCHEDULE_VOTE) +
           (uint64_t)s->epoch_len_s * r * SCHEDULE_ROUND_PERMILLE;
}

/* The first epoch for which this phase is still to come. */
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
