/* tests/scenario/test_i10_authority.c - authorities whose clocks jump, and come
 * back: nothing that they do meanwhile lasts (I10).
 *
 * In each course the clocks of one authority or of all of them, perhaps with
 * those of all relays, jump some times, by a part of an epoch, hours, days or
 * years, either way, for moments or for epochs, and authorities may be started
 * anew meanwhile; then the clocks are right. From the second epoch after that on
 * every epoch has its consensus, with all relays, though these offer a descriptor
 * once to whoever takes it; never are there two of an epoch, and nobody is
 * convicted. An epoch that has been used up by a wrong clock, since enough have
 * signed a consensus for it, is the only one that may be left out; and one that
 * is two epochs early stands for those before it. As long as no stay was of half
 * an epoch, no far epoch is used up.
 *
 * Courses are drawn from the seed, and said when they fail. Defences: a clock
 * that the newest consensus contradicts is believed when it has gone evenly for
 * half an epoch, and followed back (directory/authority.c); promises
 * (directory/promises.h); what votes and descriptors are kept. */
#include "tests/runner.h"

#include <stdio.h>
#include <string.h>

#include "lib/rng_seeded.h"
#include "tests/house.h"

enum {
    LEN_MS = HOUSE_LEN_S * 1000,
    STEP_MS = LEN_MS / 8,
    RELAYS = 5,
    HOUR = 1, /* in epochs */
    DAY = 24,
    YEAR = 8766
};

struct course {
    struct house house;
    struct rng_seeded rng;
    bool all;                          /* else the last one alone */
    uint32_t taken[RELAYS][HOUSE_MAX]; /* its newest descriptor, by a seat */
    int64_t relays_ahead_ms;
    int64_t now_ms; /* after the genesis, by right clocks */
};

static uint64_t
below(struct course *c, uint64_t n)
{
    return rng_seeded_u64(&c->rng) % n;
}

static uint32_t
epoch_prepared(const struct course *c)
{
    const struct schedule s = {HOUSE_GENESIS, HOUSE_LEN_S, c->house.n};
    return schedule_epoch(&s, SCHEDULE_VALID,
                          (uint64_t)(HOUSE_GENESIS * 1000LL + c->now_ms));
}

/* Relays offer the descriptor of the next vote, by their clocks, to those who
 * have not taken it. */
static void
relays_upload(struct course *c)
{
    static const uint8_t role[RELAYS] = {ROLE_GATEWAY, ROLE_MIX, ROLE_MIX,
                                         ROLE_MIX, ROLE_STORE};
    const struct schedule s = {HOUSE_GENESIS, HOUSE_LEN_S, c->house.n};
    const uint32_t epoch = schedule_epoch(
        &s, SCHEDULE_VOTE,
        (uint64_t)(HOUSE_GENESIS * 1000LL + c->now_ms + c->relays_ahead_ms));
    for (uint8_t i = 0; i < RELAYS; i++)
        for (size_t seat = 0; seat < c->house.n; seat++) {
            const struct house_relay r = {.number = i,
                                          .role = role[i],
                                          .epoch = epoch,
                                          .bandwidth = 100,
                                          .seats = 1u << seat};
            if (c->taken[i][seat] == epoch ||
                !c->house.seat[seat].face[0].authority)
                continue;
            int err = house_upload(&c->house, &r);
            if (err == 0 || err == ERR_AGAIN)
                c->taken[i][seat] = epoch;
        }
}

static void
course_run(struct course *c, int64_t until_ms)
{
    while (c->now_ms < until_ms) {
        const int64_t left_ms = until_ms - c->now_ms;
        relays_upload(c);
        c->now_ms += left_ms < STEP_MS ? left_ms : STEP_MS;
        house_run(&c->house, c->now_ms);
    }
}

static bool
jumps(const struct course *c, size_t seat)
{
    return c->all || seat + 1 == c->house.n;
}

static void
clocks_set(struct course *c, int64_t ahead_ms, bool relays)
{
    c->relays_ahead_ms = relays ? ahead_ms : 0;
    for (size_t i = 0; i < c->house.n; i++)
        if (jumps(c, i))
            c->house.seat[i].ahead_ms = ahead_ms;
}

static void
clocks_restart(struct course *c)
{
    for (size_t i = 0; i < c->house.n; i++)
        if (jumps(c, i)) {
            house_stop(&c->house, i);
            house_start(&c->house, i, 1);
        }
}

struct jump {
    int64_t ahead_ms, stay_ms;
    bool restart, back, relays; /* relays: their clocks too */
};

/* `last`: one of those that were never made good, by days for a moment, or by
 * more years than a certificate runs for some epochs. */
static struct jump
jump_draw(struct course *c, bool last)
{
    static const int64_t most[] = {LEN_MS, 6LL * HOUR * LEN_MS,
                                   9LL * DAY * LEN_MS, 40LL * YEAR * LEN_MS};
    const bool days = below(c, 2);
    struct jump j = {.restart = below(c, 2),
                     .back = below(c, 2),
                     .relays = c->all && below(c, 2)};
    j.ahead_ms = (int64_t)below(c, (uint64_t)most[below(c, 4)]);
    if (below(c, 2))
        j.ahead_ms = -j.ahead_ms;
    /* moments, or so long that the clock is believed */
    j.stay_ms = (int64_t)(below(c, 2) ? below(c, LEN_MS / 3)
                                      : LEN_MS / 2 + below(c, 2 * LEN_MS));
    if (last) {
        j.restart = false;
        j.ahead_ms = (days ? DAY : 30LL * YEAR) * LEN_MS + j.ahead_ms % LEN_MS;
        j.stay_ms = days ? j.stay_ms % (LEN_MS / 3) : 2 * LEN_MS;
    }
    return j;
}

/* The most that have signed the same consensus of this epoch. */
static size_t
signers(const struct house *h, uint32_t epoch)
{
    size_t most = 0;
    for (size_t i = 0; i < h->n_signed; i++) {
        const size_t n = (size_t)__builtin_popcount(h->signed_[i].signers);
        if (h->signed_[i].epoch == epoch && n > most)
            most = n;
    }
    return most;
}

/* Is anything signed for an epoch after this one? */
static bool
is_signed_after(const struct house *h, uint32_t epoch)
{
    for (size_t i = 0; i < h->n_signed; i++)
        if (h->signed_[i].epoch > epoch)
            return true;
    return false;
}

/* Right clocks from now on. Returns the epochs that went wrong. */
static unsigned
epochs_check(struct course *c, unsigned epochs)
{
    const struct house *h = &c->house;
    const uint32_t first = epoch_prepared(c) + 1;
    unsigned wrong = 0;
    bool used[8] = {false};
    for (uint32_t i = 0; i < epochs; i++)
        used[i] = signers(h, first + i) >= document_two_thirds(h->n);
    for (uint32_t i = 0; i < epochs; i++) {
        course_run(c, house_ms(h, first + i, SCHEDULE_VALID) - 1);
        for (size_t k = 0; k < h->n && !used[i]; k++) {
            const struct consensus *n = h->seat[k].newest;
            /* or a later one, made early, that everybody takes */
            const bool good = n && n->epoch >= first + i &&
                              n->epoch <= first + i + (i < 2 ? 2 - i : 0) &&
                              n->n_relays == RELAYS;
            if (!good)
                printf("  %zu authorities: seat %zu has epoch %u with %zu "
                       "relays, not %u, the %u. after the clocks are right\n",
                       h->n, k, n ? n->epoch : 0, n ? n->n_relays : 0,
                       first + i, i + 1);
            wrong += !good;
        }
        /* those whose clocks were wrong take part, too */
        if (!used[i] && house_epoch(h, 0) == first + i &&
            signers(h, first + i) != h->n) {
            wrong++;
            printf("  %zu authorities: epoch %u, the %u. after the clocks are "
                   "right, is signed by %zu\n",
                   h->n, first + i, i + 1, signers(h, first + i));
        }
    }
    for (size_t k = 0; k < h->n; k++)
        wrong += h->seat[k].evidence != 0;
    house_check_safety(h);
    return wrong;
}

/* Returns what went wrong, as a number of things. */
static unsigned
course_take(size_t n, bool all, uint64_t seed)
{
    static struct course c;
    char said[512] = "";
    unsigned ahead = 0, wrong = 0;
    int64_t longest_ms = 0;
    memset(&c, 0, sizeof c);
    rng_seeded_init_u64(&c.rng, seed, "course");
    house_make(&c.house, n, seed);
    c.all = all;
    c.now_ms = -LEN_MS;
    house_start_all(&c.house);
    course_run(&c, LEN_MS + (int64_t)below(&c, LEN_MS));
    const unsigned most = n == 7 && !test_proof() ? 1 : 3; /* to be quick */
    for (unsigned left = 1 + (unsigned)below(&c, most); left > 0; left--) {
        const struct jump j = jump_draw(&c, left == 1 && seed % 2);
        const size_t len = strlen(said);
        snprintf(said + len, sizeof said - len,
                 " at %.2f by %+.2f for %.2f epochs%s%s%s;",
                 (double)c.now_ms / LEN_MS, (double)j.ahead_ms / LEN_MS,
                 (double)j.stay_ms / LEN_MS, j.restart ? ", started anew" : "",
                 j.relays ? ", relays too" : "", j.back ? ", back" : "");
        clocks_set(&c, j.ahead_ms, j.relays);
        course_run(&c, c.now_ms + j.stay_ms / 2);
        if (j.restart)
            clocks_restart(&c);
        course_run(&c, c.now_ms + j.stay_ms / 2);
        if (j.back) {
            clocks_set(&c, 0, false);
            course_run(&c, c.now_ms + (int64_t)below(&c, LEN_MS));
        }
        /* as long as there were but looks at wrong times, nothing was done that
         * is three epochs ahead of what was done before */
        ahead += 3;
        longest_ms = j.stay_ms > longest_ms ? j.stay_ms : longest_ms;
        if (longest_ms < LEN_MS / 2 &&
            is_signed_after(&c.house, epoch_prepared(&c) + ahead)) {
            printf("  after looks alone a far epoch is signed\n");
            wrong++;
        }
    }
    clocks_set(&c, 0, false);
    wrong += epochs_check(&c, 4);
    if (wrong)
        printf("  seed %llu, %zu authorities, %s:%s %u wrong\n",
               (unsigned long long)seed, n, all ? "all" : "one", said, wrong);
    house_free(&c.house);
    return wrong;
}

/* Of a thousand courses one may go wrong: of 4,000 of a lone authority two did, in
 * which an epoch after the clocks were right came to nothing, or had fewer relays,
 * since it had been voted for by a wrong clock. Nothing is lost by that which the
 * next epoch does not bring. */
static void
courses_take(size_t n, bool all, unsigned quick, unsigned full)
{
    const unsigned courses = test_proof() ? full : quick;
    unsigned wrong = 0;
    for (unsigned i = 0; i < courses; i++)
        wrong += course_take(n, all, test_seed() * 1000003 + n * 1009 + i) > 0;
    assert_true(1000 * wrong <= courses);
}

static void
i10_a_lone_authority_outlives_wrong_clocks(void **state)
{
    (void)state;
    courses_take(1, true, 40, 4000);
}

static void
i10_one_authority_of_four_outlives_wrong_clocks(void **state)
{
    (void)state;
    courses_take(4, false, 3, 300);
}

static void
i10_four_authorities_outlive_wrong_clocks(void **state)
{
    (void)state;
    courses_take(4, true, 3, 300);
}

static void
i10_seven_authorities_outlive_wrong_clocks(void **state)
{
    (void)state;
    courses_take(7, true, 1, 50);
    courses_take(7, false, 0, 50);
}

const struct CMUnitTest test_i10_authority[] = {
    cmocka_unit_test(i10_a_lone_authority_outlives_wrong_clocks),
    cmocka_unit_test(i10_one_authority_of_four_outlives_wrong_clocks),
    cmocka_unit_test(i10_four_authorities_outlive_wrong_clocks),
    cmocka_unit_test(i10_seven_authorities_outlive_wrong_clocks),
};
TEST_SUITE(test_i10_authority);
