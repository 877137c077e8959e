/* tests/scenario/test_directory.c - authorities among faults, in virtual time.
 *
 * Houses of four and seven are run for a few epochs each. Up to f of them lie
 * (two objects with the same keys, of which each recipient hears now the one,
 * now the other, late, or nothing), crash and come back with or without their
 * disk, or are cut off; clocks differ by up to 5 % of an epoch, and messages
 * between honest ones take what is left of a round. In every such epoch all
 * honest ones have the same consensus in time. In some epochs more than f are
 * down or cut off, though not lying: then nothing is promised but that there
 * are never two, and that the next epoch has its one again.
 *
 * BRUSIO_TEST_EPOCHS says how many (`make soak-directory`). */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "tests/house.h"

#ifdef __SANITIZE_THREAD__
enum { EPOCHS = 60 };
#elif defined __SANITIZE_ADDRESS__
enum { EPOCHS = 100 };
#else
enum { EPOCHS = 500 };
#endif

enum {
    EPOCHS_EACH = 5,
    SKEW_MS = HOUSE_LEN_S * 50 / 2, /* 5 % between any two */
    TRIP_MS = HOUSE_LEN_S * 25 / 3, /* 2.5 % for claim, question, vote */
    LATE_MS = HOUSE_LEN_S * 1000,
    RELAYS = 5
};

enum fault { SOUND, LIES, CRASHES, IS_CUT_OFF };

struct town {
    struct house house;
    enum fault fault[HOUSE_MAX];
    struct {
        int64_t stop_ms, start_ms;
        bool disk;
    } crash[HOUSE_MAX];
    bool back[HOUSE_MAX]; /* without its disk: abstains, is no help yet */
    unsigned missed;
};

static uint64_t
below(struct town *t, uint64_t n)
{
    return rng_seeded_u64(&t->house.rng) % n;
}

static bool
carry(void *ctx, const struct house_face *from, size_t to,
      enum authority_output what, enum document_kind kind, uint64_t *delay_ms)
{
    struct town *t = ctx;
    const size_t sender = from->seat->number;
    (void)what;
    (void)kind;
    *delay_ms = below(t, TRIP_MS);
    if (t->fault[sender] == IS_CUT_OFF || t->fault[to] == IS_CUT_OFF)
        return false;
    if (t->fault[sender] != LIES)
        return true;
    if (below(t, 3) == 0)
        *delay_ms = below(t, LATE_MS);
    return below(t, 4) > 0;
}

static void
relays_upload(struct town *t, uint32_t epoch)
{
    static const uint8_t role[RELAYS] = {ROLE_GATEWAY, ROLE_MIX, ROLE_MIX,
                                         ROLE_MIX, ROLE_STORE};
    for (uint8_t i = 0; i < RELAYS; i++) {
        const struct house_relay r = {.number = i,
                                      .role = role[i],
                                      .epoch = epoch,
                                      .bandwidth = 100,
                                      .seats = 0xff};
        (void)house_upload(&t->house, &r);
    }
}

/* Who fails in this epoch; liars stay what they are. */
static size_t
faults_draw(struct town *t, uint32_t epoch, size_t most)
{
    const size_t n = t->house.n;
    const int64_t begin_ms = (int64_t)(epoch - 2) * LATE_MS;
    size_t faulty = 0;
    for (size_t i = 0; i < n; i++) {
        faulty += t->fault[i] == LIES || t->back[i];
        if (t->fault[i] != LIES)
            t->fault[i] = SOUND;
    }
    while (faulty < most && below(t, 3) > 0) {
        size_t i = below(t, n);
        if (t->fault[i] != SOUND || t->back[i])
            continue;
        faulty++;
        t->fault[i] = below(t, 2) ? CRASHES : IS_CUT_OFF;
        if (t->fault[i] != CRASHES)
            continue;
        t->crash[i].stop_ms = begin_ms + (int64_t)below(t, LATE_MS);
        t->crash[i].start_ms = t->crash[i].stop_ms + (int64_t)below(t, LATE_MS);
        t->crash[i].disk = below(t, 2);
    }
    return faulty;
}

/* Run to the end of an epoch, stopping and starting on the way. */
static void
crashes_run(struct town *t, int64_t end_ms)
{
    for (;;) {
        int64_t at_ms = end_ms;
        size_t who = HOUSE_MAX;
        for (size_t i = 0; i < t->house.n; i++) {
            const bool up = t->house.seat[i].face[0].authority != NULL;
            int64_t next_ms = up ? t->crash[i].stop_ms : t->crash[i].start_ms;
            if (t->fault[i] != CRASHES || next_ms < 0 || next_ms >= at_ms)
                continue;
            at_ms = next_ms;
            who = i;
        }
        house_run(&t->house, at_ms);
        if (who == HOUSE_MAX)
            return;
        if (t->house.seat[who].face[0].authority) {
            house_stop(&t->house, who);
            t->crash[who].stop_ms = -1;
        } else {
            t->house.seat[who].lost_disk = !t->crash[who].disk;
            house_start(&t->house, who, 1);
            t->crash[who].start_ms = -1;
        }
    }
}

static void
epoch_check(struct town *t, uint32_t epoch, bool promised)
{
    const struct consensus *first = NULL;
    bool all = true;
    for (size_t i = 0; i < t->house.n; i++) {
        const struct consensus *c = t->house.seat[i].newest;
        if (t->fault[i] != SOUND)
            continue;
        all = all && c && c->epoch == epoch;
        if (!c || c->epoch != epoch)
            continue;
        if (!first)
            first = c;
        assert_memory_equal(c->digest, first->digest, sizeof c->digest);
        assert_int_equal(c->n_relays, RELAYS);
    }
    assert_true(all || !promised);
    t->missed += !all;
    house_check_safety(&t->house);
}

/* All are up again and tell each other when the next epoch begins. */
static void
all_restore(struct town *t)
{
    for (size_t i = 0; i < t->house.n; i++) {
        struct house_seat *s = &t->house.seat[i];
        const bool lost = t->fault[i] == CRASHES && !t->crash[i].disk;
        t->back[i] = lost;
        if (t->fault[i] == LIES || s->face[0].authority)
            continue;
        s->lost_disk = lost;
        house_start(&t->house, i, 1);
    }
}

static void
town_run(size_t n, uint64_t seed, unsigned *missed, unsigned *excluded)
{
    static struct town t;
    const size_t f = schedule_faults(n);
    memset(&t, 0, sizeof t);
    house_make(&t.house, n, seed);
    t.house.carry = carry;
    t.house.ctx = &t;
    for (size_t left = below(&t, f + 1); left > 0; left--)
        t.fault[below(&t, n)] = LIES;
    for (size_t i = 0; i < n; i++) {
        t.house.seat[i].ahead_ms =
            (int64_t)below(&t, 2 * SKEW_MS) - (int64_t)SKEW_MS;
        house_start(&t.house, i, t.fault[i] == LIES ? 2 : 1);
    }
    bool broken = false;
    for (uint32_t epoch = 1; epoch <= EPOCHS_EACH; epoch++) {
        const bool beyond = epoch > 1 && !broken && below(&t, 5) == 0;
        const size_t faulty = faults_draw(&t, epoch, beyond ? n : f);
        broken = faulty > f;
        relays_upload(&t, epoch);
        crashes_run(&t, house_ms(&t.house, epoch, SCHEDULE_VALID) + SKEW_MS);
        epoch_check(&t, epoch, !broken);
        all_restore(&t);
        relays_upload(&t, epoch + 1);
    }
    for (size_t i = 0; i < n; i++) {
        const struct house_seat *s = &t.house.seat[i];
        *excluded += s->evidence != 0;
        for (size_t k = 0; k < n; k++) /* only liars are accused */
            assert_true(t.fault[i] == LIES || !(s->evidence >> k & 1) ||
                        t.fault[k] == LIES);
    }
    *missed += t.missed;
    house_free(&t.house);
}

static void
towns_run(size_t n, unsigned epochs)
{
    unsigned missed = 0, accusers = 0;
    for (unsigned i = 0; i < epochs / EPOCHS_EACH; i++)
        town_run(n, test_seed() * 1000003 + n * 100003 + i, &missed, &accusers);
    print_message(
        "  %zu authorities, %u epochs: %u came to nothing, all beyond "
        "the bound; %u times a liar was found out\n",
        n, epochs, missed, accusers);
}

/* Twenty times as many are `make soak-directory`, half an hour of a core. */
static unsigned
epochs_wanted(void)
{
    const char *text = getenv("BRUSIO_TEST_EPOCHS");
    if (text)
        return (unsigned)strtoul(text, NULL, 10);
    return EPOCHS;
}

static void
four_among_faults(void **state)
{
    (void)state;
    towns_run(4, epochs_wanted() * 3 / 4);
}

static void
seven_among_faults(void **state)
{
    (void)state;
    towns_run(7, epochs_wanted() / 4);
}

const struct CMUnitTest test_directory[] = {
    cmocka_unit_test(four_among_faults),
    cmocka_unit_test(seven_among_faults),
};
TEST_SUITE(test_directory);
