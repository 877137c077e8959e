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
    assert_int_equal(replay_create(&s->r, s->region, s->len, key, boot), 0);
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
    const uint8_t a[16] = {1}, b[16] = {2};
    set_make(&s, 100);
    assert_int_equal(replay_insert(s.r, a, 1060, 1000), 0);
    assert_int_equal(replay_insert(s.r, a, 1060, 1000), ERR_REPLAY);
    assert_int_equal(replay_insert(s.r, b, 1060, 1000), 0);
    /* still remembered in the deadline's own second, late right after it */
    assert_int_equal(replay_insert(s.r, a, 1060, 1060), ERR_REPLAY);
    assert_int_equal(replay_insert(s.r, a, 1060, 1061), ERR_DEADLINE_PAST);
    /* a clock set back does not open the window again */
    assert_int_equal(replay_insert(s.r, a, 1060, 1000), ERR_DEADLINE_PAST);
    assert_true(replay_clock_s(s.r) == 1061);
    assert_int_equal(replay_insert(s.r, b, 1061 + 4096, 1061),
                     ERR_DEADLINE_FAR);
    assert_int_equal(replay_insert(s.r, b, 1061 + 4095, 1061), 0);
    set_free(&s);
}

static void
reopening(void **state)
{
    (void)state;
    struct set s;
    const uint8_t a[16] = {1};
    bool rebooted;
    set_make(&s, 100);
    assert_int_equal(replay_insert(s.r, a, 1060, 1000), 0);
    replay_free(&s.r);
    assert_int_equal(replay_open(&s.r, s.region, s.len, boot, &rebooted), 0);
    assert_false(rebooted);
    assert_int_equal(replay_insert(s.r, a, 1060, 999), ERR_REPLAY);
    replay_free(&s.r);
    assert_int_equal(replay_open(&s.r, s.region, s.len, reboot, &rebooted), 0);
    assert_true(rebooted);
    replay_free(&s.r);
    for (size_t i = 0; i < 72; i++) { /* every byte of the header counts */
        ((uint8_t *)s.region)[i] ^= 0x40;
        assert_int_not_equal(
            replay_open(&s.r, s.region, s.len, boot, &rebooted), 0);
        assert_null(s.r);
        ((uint8_t *)s.region)[i] ^= 0x40;
    }
    assert_int_not_equal(replay_open(&s.r, s.region, 127, boot, &rebooted), 0);
    assert_int_not_equal(replay_open(&s.r, s.region, 256, boot, &rebooted), 0);
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
    bool rebooted;
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
            assert_int_equal(
                replay_open(&s.r, s.region, s.len, boot, &rebooted), 0);
        }
    }
    assert_true(again > TAGS / 10 && late > TAGS / 20);
    free(deadline_s);
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
        assert_int_equal(replay_insert(s.r, tag, 1180, 1091), 0);
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
    cmocka_unit_test(full_set_refuses_and_recovers),
    cmocka_unit_test(threads_never_accept_twice),
};
TEST_SUITE(test_replay);
