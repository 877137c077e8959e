/* tests/unit/test_replay.c - I3: no packet twice. */
#include "tests/runner.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rng_seeded.h"
#include "relay/replay.h"

static const uint8_t key[16] = {1, 2, 3}, boot[16] = {7}, reboot[16] = {8};

struct set {
    void *region;
    size_t len;
    struct replay *r;
};

static void
set_make(struct set *s, size_t tags)
{
    s->len = replay_region_len(tags);
    s->region = aligned_alloc(64, (s->len + 63) / 64 * 64);
    assert_non_null(s->region);
    assert_int_equal(replay_create(&s->r, s->region, s->len, key, boot, false),
                     0);
}

static void
set_free(struct set *s)
{
    replay_free(&s->r);
    free(s->region);
}

static void
edges(void **state)
{
    (void)state;
    struct set s;
    const uint8_t a[16] = {1}, b[16] = {2}, c[16] = {3};
    set_make(&s, 100);
    assert_int_equal(replay_insert(s.r, a, 1060, 1000), 0);
    assert_int_equal(replay_insert(s.r, a, 1060, 1000), ERR_REPLAY);
    assert_int_equal(replay_insert(s.r, b, 1060, 1000), 0);
    /* still remembered in the deadline's own second, late right after it */
    assert_int_equal(replay_insert(s.r, a, 1060, 1060), ERR_REPLAY);
    assert_int_equal(replay_insert(s.r, a, 1060, 1061), ERR_DEADLINE_PAST);
    /* a clock set back does not open the window again */
    assert_int_equal(replay_insert(s.r, a, 1060, 1000), ERR_REPLAY);
    assert_true(replay_floor_s(s.r) == 0);
    assert_int_equal(replay_insert(s.r, c, 1061 + 4096, 1061),
                     ERR_DEADLINE_FAR);
    assert_int_equal(replay_insert(s.r, c, 1061 + 4095, 1061), 0);
    set_free(&s);
}

static void
reopening(void **state)
{
    (void)state;
    struct set s;
    const uint8_t a[16] = {1}, b[16] = {2};
    set_make(&s, 100);
    assert_int_equal(replay_insert(s.r, a, 1060, 1000), 0);
    replay_free(&s.r);
    assert_int_equal(replay_open(&s.r, s.region, s.len, boot), 0);
    assert_false(replay_is_in_doubt(s.r));
    assert_int_equal(replay_insert(s.r, a, 1060, 999), ERR_REPLAY);
    replay_free(&s.r);
    assert_int_equal(replay_open(&s.r, s.region, s.len, reboot), 0);
    assert_true(replay_is_in_doubt(s.r));
    replay_free(&s.r);
    /* the second start after it is as careful as the first */
    assert_int_equal(replay_open(&s.r, s.region, s.len, reboot), 0);
    assert_true(replay_is_in_doubt(s.r));
    replay_trust(s.r, 1100);
    assert_false(replay_is_in_doubt(s.r));
    assert_int_equal(replay_insert(s.r, b, 1099, 1000), ERR_DEADLINE_PAST);
    replay_free(&s.r);
    assert_int_equal(replay_open(&s.r, s.region, s.len, reboot), 0);
    assert_false(replay_is_in_doubt(s.r));
    assert_int_equal(replay_insert(s.r, b, 1099, 1000), ERR_DEADLINE_PAST);
    assert_int_equal(replay_insert(s.r, b, 1100, 1000), 0);
    replay_free(&s.r);
    for (size_t i = 0; i < 72; i++) { /* every byte of the header counts */
        ((uint8_t *)s.region)[i] ^= 0x40;
        assert_int_not_equal(replay_open(&s.r, s.region, s.len, boot), 0);
        assert_null(s.r);
        ((uint8_t *)s.region)[i] ^= 0x40;
    }
    assert_int_not_equal(replay_open(&s.r, s.region, 127, boot), 0);
    assert_int_not_equal(replay_open(&s.r, s.region, 256, boot), 0);
    set_free(&s);
}

/* Ten million tags, a third of them offered again at a random later time, the
 * set taken up anew at times: the answers are those of a plain array that
 * remembers everything. */
#ifdef BRUSIO_DEBUG
enum { TAGS = 1000000 }; /* slow builds look for errors in memory */
#else
enum { TAGS = 10000000 };
#endif

static void
same_as_a_plain_set(void **state)
{
    (void)state;
    enum { PER_S = TAGS / 2000, LIFE_S = 90, BACK = PER_S * 100 };
    struct set s;
    struct rng_seeded rng;
    unsigned again = 0, late = 0;
    set_make(&s, PER_S * (LIFE_S + 2));
    uint32_t *deadline_s = calloc(TAGS, sizeof *deadline_s);
    assert_non_null(deadline_s);
    rng_seeded_init_u64(&rng, test_seed(), "replay");
    for (uint32_t i = 0; i < TAGS; i++) {
        uint32_t now_s = 5000 + i / PER_S;
        uint64_t u = rng_seeded_u64(&rng);
        uint8_t tag[16] = {0};
        memcpy(tag, &i, sizeof i);
        deadline_s[i] = now_s + (uint32_t)(u % LIFE_S);
        assert_int_equal(replay_insert(s.r, tag, deadline_s[i], now_s), 0);
        if (u >> 32 & 1) {
            uint32_t span = i + 1 < BACK ? i + 1 : BACK;
            uint32_t k = i - (uint32_t)((u >> 33) % span);
            memcpy(tag, &k, sizeof k);
            int want = deadline_s[k] < now_s ? ERR_DEADLINE_PAST : ERR_REPLAY;
            assert_int_equal(replay_insert(s.r, tag, deadline_s[k], now_s),
                             want);
            again += want == ERR_REPLAY;
            late += want != ERR_REPLAY;
        }
        if (i % 70001 == 0) {
            replay_free(&s.r);
            assert_int_equal(replay_open(&s.r, s.region, s.len, boot), 0);
        }
    }
    assert_true(again > TAGS / 10 && late > TAGS / 20);
    free(deadline_s);
    set_free(&s);
}

/* One look at a clock that is a minute to a hundred years off, either way: what
 * comes after it is judged as if nothing had been. */
static void
i10_one_look_at_a_wrong_clock_changes_nothing(void **state)
{
    (void)state;
    static const uint64_t year_s = 31557600, now_s = 1800000000;
    const uint64_t off_s[] = {
        120,        600,    3600,       86400,       604800,      30 * 86400,
        year_s / 2, year_s, 8 * year_s, 20 * year_s, 40 * year_s, 100 * year_s};
    for (size_t i = 0; i < 2 * sizeof off_s / sizeof off_s[0]; i++) {
        const uint64_t by_s = off_s[i / 2];
        const uint64_t wrong_s = i % 2          ? now_s + by_s
                                 : by_s < now_s ? now_s - by_s
                                                : 0;
        const uint8_t a[16] = {1}, b[16] = {2}, c[16] = {3};
        struct set s;
        set_make(&s, 100);
        assert_int_equal(replay_insert(s.r, a, now_s + 60, now_s), 0);
        assert_int_equal(replay_insert(s.r, b, now_s + 60, wrong_s),
                         i % 2          ? ERR_DEADLINE_PAST
                         : by_s == 120  ? 0
                         : by_s == 600  ? 0
                         : by_s == 3600 ? 0
                                        : ERR_DEADLINE_FAR);
        assert_int_equal(replay_insert(s.r, a, now_s + 60, now_s), ERR_REPLAY);
        assert_int_equal(replay_insert(s.r, c, now_s + 60, now_s), 0);
        set_free(&s);
    }
}

enum { JUMP_TAGS = 300000, JUMP_AHEAD_S = 90 };

/* Right, behind by anything from a second to 17 years, or ahead by up to
 * 2^most. */
static uint64_t
jump_draw(struct rng_seeded *rng, uint64_t right_s, unsigned most)
{
    const uint64_t u = rng_seeded_u64(rng), kind = u & 3;
    const uint64_t bits = 1 + (u >> 2) % (kind == 1 ? 29 : most);
    const uint64_t by_s = (u >> 32) % (1u << bits);
    return kind == 0 ? right_s : kind == 1 ? right_s - by_s : right_s + by_s;
}

/* A clock that jumps every few packets; packets for all the times that it has
 * shown, each offered again and again, so that a small set has to give places
 * away: none is accepted twice. Returns how many were accepted. */
static unsigned
jumps_run(unsigned most)
{
    struct set s;
    struct rng_seeded rng;
    unsigned accepted = 0, again = 0;
    uint64_t now_s = 1800000000;
    uint64_t *deadline_s = calloc(JUMP_TAGS, sizeof *deadline_s);
    uint8_t *was = calloc(JUMP_TAGS, 1);
    assert_non_null(deadline_s);
    assert_non_null(was);
    rng_seeded_init_u64(&rng, test_seed() + most, "replay jumps");
    set_make(&s, 500);
    for (uint32_t i = 0; i < JUMP_TAGS; i++) {
        const uint64_t u = rng_seeded_u64(&rng), right_s = 1800000000 + i / 3;
        now_s =
            u % 50 == 0 ? jump_draw(&rng, right_s, most) : now_s + (u % 3 == 0);
        deadline_s[i] = now_s + (u >> 8) % JUMP_AHEAD_S;
        for (unsigned k = 0; k < 4; k++) {
            const uint32_t span = i < 1000 ? i + 1 : 1000;
            const uint32_t n =
                k ? i - (uint32_t)(rng_seeded_u64(&rng) % span) : i;
            uint8_t tag[16] = {0};
            memcpy(tag, &n, sizeof n);
            int err = replay_insert(s.r, tag, deadline_s[n], now_s);
            assert_false(err == 0 && was[n]);
            again += err == ERR_REPLAY;
            was[n] |= err == 0;
            accepted += err == 0;
        }
        if (i % 7001 == 0) {
            replay_free(&s.r);
            assert_int_equal(replay_open(&s.r, s.region, s.len, boot), 0);
        }
    }
    assert_true(again > 100 && replay_floor_s(s.r) > 1800000000);
    free(deadline_s);
    free(was);
    set_free(&s);
    return accepted;
}

static void
i10_no_packet_twice_whatever_the_clock_does(void **state)
{
    (void)state;
    /* ahead by up to a minute, hours, years: the more the floor is driven up,
     * the fewer pass */
    assert_true(jumps_run(6) > JUMP_TAGS / 2);
    assert_true(jumps_run(13) > 1000);
    assert_true(jumps_run(29) > 100);
}

/* Somebody floods the set while its clock is ahead, so that every place that
 * there is changes hands; when the clock is right again, what was accepted
 * before is refused all the same, and what is new passes as soon as its
 * deadline is later than those were. */
static void
i10_a_flood_in_a_wrong_hour_does_not_last(void **state)
{
    (void)state;
    enum { N = 4000, NOW_S = 1800000000, HOUR_S = 3600 };
    struct set s;
    unsigned passed = 0;
    set_make(&s, N);
    for (uint32_t i = 0; i < 3 * N; i++) {
        uint8_t tag[16] = {(uint8_t)(i / N)};
        memcpy(tag + 1, &i, sizeof i);
        const uint64_t now_s = i < N ? NOW_S : NOW_S + HOUR_S;
        int err = replay_insert(s.r, tag, now_s + JUMP_AHEAD_S, now_s);
        assert_true(err == 0 || err == ERR_FULL);
    }
    assert_in_range(replay_floor_s(s.r), NOW_S + 1, NOW_S + JUMP_AHEAD_S + 8);
    for (uint32_t i = 0; i < N; i++) {
        uint8_t tag[16] = {0};
        memcpy(tag + 1, &i, sizeof i);
        assert_int_not_equal(
            replay_insert(s.r, tag, NOW_S + JUMP_AHEAD_S, NOW_S + 1), 0);
    }
    for (uint32_t i = 0; i < N; i++) { /* its places until that hour comes */
        uint8_t tag[16] = {7};
        memcpy(tag + 1, &i, sizeof i);
        int err = replay_insert(s.r, tag, NOW_S + JUMP_AHEAD_S + 9, NOW_S + 9);
        assert_true(err == 0 || err == ERR_FULL);
        passed += err == 0;
    }
    assert_true(passed < N);
    set_free(&s);
}

static void
full_set_refuses_and_recovers(void **state)
{
    (void)state;
    struct set s;
    set_make(&s, 1000);
    uint32_t i = 0, room = 0;
    int err = 0;
    while (!err && i < 100000) {
        uint8_t tag[16] = {0};
        memcpy(tag, &i, sizeof i);
        err = replay_insert(s.r, tag, 1090, 1000);
        room += !err;
        i++;
    }
    assert_int_equal(err, ERR_FULL);
    assert_true(room >= 1000);
    for (uint32_t k = 0; k < 1000; k++) { /* all are over: room again */
        uint8_t tag[16] = {0xff};
        memcpy(tag + 1, &k, sizeof k);
        assert_int_equal(replay_insert(s.r, tag, 1180, 1097), 0);
    }
    set_free(&s);
}

enum { THREADS = 2, SHARED_TAGS = 300000 };
struct race {
    struct replay *r;
    _Atomic uint8_t *accepted;
};

static void *
race_run(void *arg)
{
    struct race *race = arg;
    for (uint32_t i = 0; i < SHARED_TAGS; i++) {
        uint8_t tag[16] = {0};
        memcpy(tag, &i, sizeof i);
        if (replay_insert(race->r, tag, 1090, 1000) == 0)
            atomic_fetch_add(&race->accepted[i], 1);
    }
    return NULL;
}

/* All threads offer the same tags in the same order: each is accepted at most
 * once, and hardly any by none. */
static void
threads_never_accept_twice(void **state)
{
    (void)state;
    struct set s;
    pthread_t thread[THREADS];
    unsigned none = 0;
    set_make(&s, SHARED_TAGS);
    struct race race = {s.r, calloc(SHARED_TAGS, 1)};
    assert_non_null(race.accepted);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, race_run, &race), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    for (uint32_t i = 0; i < SHARED_TAGS; i++) {
        assert_true(race.accepted[i] <= 1);
        none += race.accepted[i] == 0;
    }
    assert_true(none < SHARED_TAGS / 10);
    free((void *)race.accepted);
    set_free(&s);
}

const struct CMUnitTest test_replay[] = {
    cmocka_unit_test(edges),
    cmocka_unit_test(reopening),
    cmocka_unit_test(same_as_a_plain_set),
    cmocka_unit_test(i10_one_look_at_a_wrong_clock_changes_nothing),
    cmocka_unit_test(i10_no_packet_twice_whatever_the_clock_does),
    cmocka_unit_test(i10_a_flood_in_a_wrong_hour_does_not_last),
    cmocka_unit_test(full_set_refuses_and_recovers),
    cmocka_unit_test(threads_never_accept_twice),
};
TEST_SUITE(test_replay);
