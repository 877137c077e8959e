/* tests/unit/test_fronts.c - for whom a poll is: paces against closed forms, and
 * who moves whom. */
#include "tests/runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "client/pace/fronts.h"
#include "lib/rng.h"
#include "tests/heap.h"
#include "tests/network.h"
#include "tests/stats.h"

#define S         1000000ULL
#define POLL_HZ   4.0
#define MARGIN_US (30 * S) /* from what is promised to a front's end */

enum { SAMPLES = 20000, FRIEND = 7, OTHER = 8, THIRD = 9, MALLORY = 10 };

struct watch {
    struct test_env e;
    struct conversation_params p;
    struct fronts *f;
    uint64_t now_us;
    struct fronts_choice got;
};

static void
watch_begin(struct watch *w, unsigned fronts, uint32_t contacts)
{
    memset(w, 0, sizeof *w);
    test_env_init(&w->e, test_seed());
    fronts_params_default(&w->p, fronts);
    assert_int_equal(fronts_new(&w->f, &w->p), 0);
    for (uint32_t i = 1; i <= contacts; i++)
        assert_int_equal(fronts_add(w->f, &w->e.env, 0, i), 0);
}

/* The next tick of a Poisson clock. */
static void
poll(struct watch *w)
{
    w->now_us += rng_exp_us(&w->e.env, (uint64_t)(1e6 / POLL_HZ));
    fronts_pick(w->f, &w->e.env, w->now_us, &w->got);
}

/* Kolmogorov-Smirnov, in units of 1 / sqrt(n), of values against Exp(mean). */
static int
compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static double
exponential_ks(double *x, size_t n, double mean)
{
    double d = 0;
    qsort(x, n, sizeof *x, compare);
    for (size_t i = 0; i < n; i++) {
        const double f = 1 - exp(-x[i] / mean);
        d = fmax(d, fmax(f - (double)i / (double)n,
                         (double)(i + 1) / (double)n - f));
    }
    return d * sqrt((double)n);
}

static double
mean_of(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

/* ---- paces ---- */

/* Of 64 polls 25, 25, 11, 3 go to the places, one of 16 to the second store, one
 * of a front's 16 to yesterday (chi-square: 36 of 4 and of 1 degree of freedom
 * comes less than once in a million runs). */
static void
places_have_their_odds(void **state)
{
    (void)state;
    struct watch w;
    const double n = 200000;
    double count[4] = {0}, spare = 0, older = 0, chi2 = 0;
    static const double odds[4] = {25, 25, 11, 3};
    watch_begin(&w, 2, 3);
    for (int i = 0; i < (int)n; i++) {
        poll(&w);
        const bool front = w.got.place == FRONTS_FRONT;
        count[front ? w.got.front : w.got.place == FRONTS_LANE ? 2 : 3]++;
        spare += w.got.spare;
        older += front && w.got.older;
    }
    for (int i = 0; i < 4; i++)
        chi2 += pow(count[i] - n * odds[i] / 64, 2) / (n * odds[i] / 64);
    assert_true(chi2 < 36);
    assert_true(fabs(spare - n / 16) < STATS_ALARM * sqrt(n / 16));
    assert_true(fabs(older - (count[0] + count[1]) / 16) <
                STATS_ALARM * sqrt(n / 16 * 50 / 64));
    fronts_free(&w.f);
}

/* A front's polls are a Poisson process of 4/s * 25/64, whoever else is there. */
static void
a_held_front_is_polled_at_its_pace(void **state)
{
    (void)state;
    static double gap[SAMPLES];
    struct watch w;
    watch_begin(&w, 2, 50);
    uint64_t last_us = 0;
    for (size_t n = 0; n < SAMPLES;) {
        fronts_took(w.f, &w.e.env, w.now_us, FRIEND);
        if (n % 3 == 0)
            fronts_took(w.f, &w.e.env, w.now_us, OTHER);
        fronts_announced(w.f, &w.e.env, w.now_us, MALLORY, false);
        poll(&w);
        if (w.got.contact != FRIEND || w.got.place != FRONTS_FRONT)
            continue;
        gap[n++] = (double)(w.now_us - last_us) / 1e6;
        last_us = w.now_us;
    }
    assert_true(exponential_ks(gap, SAMPLES, 64 / (POLL_HZ * 25)) < 2.8);
    fronts_free(&w.f);
}

/* What was announced is asked for after Exp(64 / (11 * 4/s)). */
static void
the_lane_serves_at_its_pace(void **state)
{
    (void)state;
    static double waited[SAMPLES];
    struct watch w;
    watch_begin(&w, 2, 50);
    for (size_t i = 0; i < SAMPLES; i++) {
        w.now_us += 700 * S; /* the last script is over, another is allowed */
        do
            poll(&w);
        while (w.got.place != FRONTS_LANE || w.got.contact != FRONTS_NOBODY);
        const uint64_t from_us = w.now_us;
        assert_true(fronts_announced(w.f, &w.e.env, from_us, MALLORY, false));
        do
            poll(&w);
        while (w.got.place != FRONTS_LANE);
        assert_int_equal(w.got.contact, MALLORY);
        waited[i] = (double)(w.now_us - from_us) / 1e6;
        fronts_answered(w.f, &w.e.env, w.now_us, &w.got, true, false);
    }
    assert_true(exponential_ks(waited, SAMPLES, 64 / (POLL_HZ * 11)) < 2.8);
    fronts_free(&w.f);
}

/* Times from turn to turn of the sweep of one contact among n. */
static double
sweep_gaps(uint32_t contacts, double *gap, size_t n)
{
    struct watch w;
    watch_begin(&w, 2, contacts);
    uint64_t last_us = 0;
    for (size_t i = 0; i < n;) {
        poll(&w);
        if (w.got.place != FRONTS_SWEEP || w.got.contact != MALLORY ||
            w.got.older)
            continue;
        gap[i++] = (double)(w.now_us - last_us) / 1e6;
        last_us = w.now_us;
    }
    fronts_free(&w.f);
    return mean_of(gap, n);
}

/* One contact's turn comes after Exp(1 h) and a wait for a tick of the sweep,
 * 64 / (3 * 4/s) on average, among 10 as among 100. */
static void
the_sweep_has_one_pace_whatever_their_number(void **state)
{
    (void)state;
    enum { TURNS = 1500 };
    static double few[TURNS], many[TURNS];
    const double turn_s = 3600 + 64 / (POLL_HZ * 3);
    const double sure = STATS_ALARM * turn_s / sqrt(TURNS);
    const double a = sweep_gaps(10, few, TURNS);
    const double b = sweep_gaps(100, many, TURNS);
    assert_true(fabs(a - turn_s) < sure);
    assert_true(fabs(b - turn_s) < sure + 3); /* who waits for others */
    assert_true(exponential_ks(few, TURNS, turn_s) < 2.8);
    assert_true(stats_ks(few, TURNS, many, TURNS) < STATS_KS_ALARM);
}

/* After connecting each contact is looked at once in both periods, today's
 * first, within the time that the pace gives. */
static void
connecting_looks_at_everybody_once(void **state)
{
    (void)state;
    enum { CONTACTS = 50 };
    struct watch w;
    unsigned today[CONTACTS + 1] = {0}, older[CONTACTS + 1] = {0}, left;
    watch_begin(&w, 2, CONTACTS);
    fronts_connected(w.f, &w.e.env, 0);
    for (left = 2 * CONTACTS; left > 0 && w.now_us < 90 * S;) {
        poll(&w);
        if (w.got.place != FRONTS_LOOK || w.got.contact == FRONTS_NOBODY)
            continue;
        left--;
        if (w.got.older)
            assert_int_equal(today[w.got.contact], 1);
        (w.got.older ? older : today)[w.got.contact]++;
    }
    assert_int_equal(left, 0);
    for (size_t i = 1; i <= CONTACTS; i++)
        assert_true(today[i] == 1 && older[i] == 1);
    /* 4/s * (25 + 11 + 3) / 64: 41 s on average */
    assert_true(w.now_us > 25 * S && w.now_us < 65 * S);
    fronts_free(&w.f);
}

/* Who was away for long has more periods to look at, the newest first, and keeps
 * nobody's today waiting. */
static void
looks_are_as_many_as_there_are_periods(void **state)
{
    (void)state;
    struct watch w;
    unsigned next[4] = {0}, n = 0;
    watch_begin(&w, 2, 3);
    fronts_connected(w.f, &w.e.env, 0);
    fronts_looks(w.f, 2, 5);
    fronts_looks(w.f, 3, 0); /* two at least */
    while (n < 9) {
        poll(&w);
        if (w.got.place != FRONTS_LOOK || w.got.contact == FRONTS_NOBODY)
            continue;
        assert_int_equal(w.got.back, next[w.got.contact]++);
        assert_int_equal(w.got.older, w.got.back > 0);
        if (n++ < 3)
            assert_int_equal(w.got.back, 0);
    }
    assert_true(next[1] == 2 && next[2] == 5 && next[3] == 2);
    for (unsigned i = 0; i < 500; i++) {
        poll(&w);
        assert_true(w.got.place != FRONTS_LOOK ||
                    w.got.contact == FRONTS_NOBODY);
    }
    fronts_free(&w.f);
}

/* Each place waits for a time of its own, and a poll that is for nobody has a place
 * all the same. */
static void
places_begin_at_times_of_their_own(void **state)
{
    (void)state;
    struct watch w;
    bool mixed = false;
    unsigned place[4] = {0};
    watch_begin(&w, 2, 3);
    fronts_start(w.f, &w.e.env, 0, 100 * S);
    for (unsigned seen = 0; w.now_us < 101 * S;) {
        poll(&w);
        const unsigned bit = w.got.place == FRONTS_FRONT
                                 ? 1u << w.got.front
                                 : 1u << (1 + w.got.place);
        if (w.got.waits)
            assert_int_equal(w.got.contact, FRONTS_NOBODY);
        else if (w.got.place != FRONTS_LOOK)
            seen |= bit;
        mixed |= w.got.waits && seen; /* one has begun, another waits */
        assert_false(w.got.waits && (seen & bit));
    }
    assert_true(mixed);
    poll(&w);
    assert_false(w.got.waits);
    for (unsigned i = 0; i < 1000; i++) {
        fronts_pass(w.f, &w.e.env, &w.got);
        assert_true(w.got.waits && w.got.contact == FRONTS_NOBODY);
        place[w.got.place]++;
    }
    assert_true(place[FRONTS_FRONT] > 700 && place[FRONTS_LANE] > 110 &&
                place[FRONTS_SWEEP] > 15);
    fronts_free(&w.f);
}

/* Other parameters: one front less is free, and what does not go together is not
 * taken. */
static void
parameters_may_change(void **state)
{
    (void)state;
    struct watch w;
    struct conversation_params one, two;
    watch_begin(&w, 2, 2);
    two = w.p;
    fronts_params_default(&one, 1);
    assert_int_equal(
        fronts_took(w.f, &w.e.env, 0, 1) + fronts_took(w.f, &w.e.env, 0, 2), 1);
    assert_int_equal(fronts_set(w.f, &one), 0);
    assert_int_equal(fronts_of(w.f, 0, 1) + fronts_of(w.f, 0, 2), -1);
    for (unsigned i = 0; i < 500; i++) {
        poll(&w);
        assert_true(w.got.place != FRONTS_FRONT || w.got.front == 0);
    }
    assert_int_equal(fronts_set(w.f, &two), 0);
    assert_int_equal(fronts_of(w.f, 0, 1) + fronts_of(w.f, 0, 2), -1);
    two.lane++;
    assert_int_equal(fronts_set(w.f, &two), ERR_RANGE);
    fronts_free(&w.f);
}

/* ---- who moves whom ---- */

static unsigned
front_polls(struct watch *w, uint32_t contact, unsigned polls)
{
    unsigned n = 0;
    for (unsigned i = 0; i < polls; i++) {
        poll(w);
        n += w->got.place == FRONTS_FRONT && w->got.contact == contact;
    }
    return n;
}

/* What comes, announced or not, and what is answered take no front and end
 * none; the user's own doing does. */
static void
a_front_is_taken_by_the_user_alone(void **state)
{
    (void)state;
    struct watch w;
    const struct fronts_choice asked = {.place = FRONTS_LANE,
                                        .contact = MALLORY};
    watch_begin(&w, 2, 50);
    for (unsigned i = 0; i < 100; i++) {
        fronts_announced(w.f, &w.e.env, w.now_us, MALLORY, false);
        fronts_answered(w.f, &w.e.env, w.now_us, &asked, true, true);
        fronts_leased(w.f, MALLORY, w.now_us + 1000 * S);
        assert_int_equal(front_polls(&w, MALLORY, 10), 0);
    }
    assert_int_equal(fronts_of(w.f, w.now_us, MALLORY), -1);
    assert_int_equal(fronts_lease_us(w.f, w.now_us, MALLORY, false), 0);
    assert_true(fronts_took(w.f, &w.e.env, w.now_us, MALLORY) >= 0);
    assert_true(front_polls(&w, MALLORY, 200) > 40);
    assert_int_equal(fronts_took(w.f, &w.e.env, w.now_us, 999), -1);
    fronts_free(&w.f);
}

/* A third conversation evicts none; each front ends at a time of its own,
 * U(300, 1200) s after the user last wrote, whatever its contact does. */
static void
fronts_end_by_themselves(void **state)
{
    (void)state;
    enum { TIMES = 2000 };
    static double held[TIMES], uniform[TIMES];
    struct watch w;
    watch_begin(&w, 2, 50);
    for (size_t i = 0; i < TIMES; i++) {
        const int a = fronts_took(w.f, &w.e.env, w.now_us, FRIEND);
        const int b = fronts_took(w.f, &w.e.env, w.now_us, OTHER);
        assert_true(a >= 0 && b >= 0 && a != b);
        assert_int_equal(fronts_took(w.f, &w.e.env, w.now_us, THIRD), -1);
        const uint64_t a_us =
            fronts_lease_us(w.f, w.now_us, FRIEND, false) + MARGIN_US;
        const uint64_t b_us =
            fronts_lease_us(w.f, w.now_us, OTHER, false) + MARGIN_US;
        held[i] = (double)(a_us - w.now_us) / 1e6;
        uniform[i] = 300 + 900 * (double)i / TIMES;
        const uint64_t first_us = a_us < b_us ? a_us : b_us;
        const uint64_t last_us = a_us < b_us ? b_us : a_us;
        const uint32_t last = a_us < b_us ? OTHER : FRIEND;
        w.now_us = first_us - 1;
        assert_int_equal(fronts_took(w.f, &w.e.env, w.now_us, THIRD), -1);
        w.now_us = first_us;
        assert_true(a_us == b_us || fronts_of(w.f, w.now_us, last) >= 0);
        w.now_us = last_us;
        assert_int_equal(fronts_of(w.f, w.now_us, last), -1);
    }
    assert_true(stats_ks(held, TIMES, uniform, TIMES) < STATS_KS_ALARM);
    fronts_free(&w.f);
}

/* Writing again never shortens what a letter has promised, nor does a restart. */
static void
a_lease_is_kept(void **state)
{
    (void)state;
    struct watch w;
    watch_begin(&w, 1, 3);
    fronts_took(w.f, &w.e.env, 0, 1);
    for (unsigned i = 0; i < 200; i++) {
        const uint64_t promised_us = fronts_lease_us(w.f, w.now_us, 1, false);
        w.now_us += S;
        fronts_took(w.f, &w.e.env, w.now_us, 1);
        /* what answers says nothing of that */
        assert_int_equal(fronts_lease_us(w.f, w.now_us, 1, true), promised_us);
        assert_true(fronts_lease_us(w.f, w.now_us, 1, false) >= promised_us);
    }
    const uint64_t until_us =
        fronts_lease_us(w.f, w.now_us, 1, false) + MARGIN_US;
    fronts_free(&w.f);
    assert_int_equal(fronts_new(&w.f, &w.p), 0);
    assert_int_equal(fronts_add(w.f, &w.e.env, w.now_us, 1), 0);
    assert_int_equal(fronts_add(w.f, &w.e.env, w.now_us, 2), 0);
    assert_int_equal(fronts_restore(w.f, w.now_us, 1, w.now_us), -1);
    assert_int_equal(fronts_restore(w.f, w.now_us, 1, until_us), 0);
    assert_int_equal(fronts_took(w.f, &w.e.env, until_us - 1, 2), -1);
    assert_int_equal(fronts_took(w.f, &w.e.env, until_us, 2), 0);
    /* the other side's promise */
    assert_false(fronts_may_be_silent(w.f, 1, 0));
    fronts_leased(w.f, 1, 90 * S);
    fronts_leased(w.f, 1, 80 * S);
    assert_true(fronts_may_be_silent(w.f, 1, 90 * S - 1));
    assert_false(fronts_may_be_silent(w.f, 1, 90 * S));
    assert_false(fronts_may_be_silent(w.f, 2, 0));
    fronts_remove(w.f, 2);
    assert_int_equal(fronts_of(w.f, until_us, 2), -1);
    assert_true(fronts_took(w.f, &w.e.env, until_us, 1) == 0);
    fronts_free(&w.f);
}

/* A front shows what was committed within a lease, or before, and nothing else. */
static void
not_announcing_is_no_probe(void **state)
{
    (void)state;
    struct watch w;
    const struct fronts_choice front = {.place = FRONTS_FRONT,
                                        .contact = MALLORY},
                               lane = {.place = FRONTS_LANE,
                                       .contact = MALLORY};
    watch_begin(&w, 2, 50);
    w.now_us = 5 * S;
    fronts_took(w.f, &w.e.env, w.now_us, MALLORY);
    fronts_announced(w.f, &w.e.env, w.now_us, MALLORY, false);
    /* opened, nothing promised */
    assert_false(fronts_may_show(w.f, &front, 0));
    assert_true(fronts_may_show(w.f, &lane, w.now_us));
    const uint64_t lease_us =
        fronts_lease_us(w.f, w.now_us, MALLORY, false) + MARGIN_US;
    assert_true(fronts_may_show(w.f, &front, 0));
    assert_true(fronts_may_show(w.f, &front, lease_us - 1));
    assert_false(fronts_may_show(w.f, &front, lease_us));
    fronts_free(&w.f);
}

/* However it was found: acknowledged no sooner than 20 s after its commit, and
 * alike for all that was read in time. */
static void
acknowledgements_are_timed_from_the_commit(void **state)
{
    (void)state;
    static double soon[SAMPLES], late[SAMPLES];
    struct watch w;
    watch_begin(&w, 2, 1);
    for (size_t i = 0; i < SAMPLES; i++) {
        soon[i] =
            (double)fronts_ack_us(w.f, &w.e.env, 1, 101 * S, 100 * S, false) /
            1e6;
        late[i] =
            (double)fronts_ack_us(w.f, &w.e.env, 1, 109 * S, 100 * S, false) /
            1e6;
        assert_true(soon[i] >= 120 && late[i] >= 120);
        const uint64_t old_us =
            fronts_ack_us(w.f, &w.e.env, 1, 900 * S, 100 * S, false);
        assert_true(old_us >= 900 * S);
    }
    assert_true(stats_ks(soon, SAMPLES, late, SAMPLES) < STATS_KS_ALARM);
    /* within a lease who sends a file knows how he is heard */
    fronts_took(w.f, &w.e.env, 100 * S, 1);
    assert_true(fronts_lease_us(w.f, 100 * S, 1, false) > 101 * S);
    for (size_t i = 0; i < SAMPLES; i++)
        soon[i] =
            (double)fronts_ack_us(w.f, &w.e.env, 1, 101 * S, 100 * S, true) /
                1e6 -
            101;
    assert_true(exponential_ks(soon, SAMPLES, 2) < 2.8);
    fronts_free(&w.f);
}

/* A transfer takes the front that is free, and gives it back with its own. */
static void
a_transfer_may_hold_both_fronts(void **state)
{
    (void)state;
    struct watch w;
    watch_begin(&w, 2, 3);
    assert_int_equal(fronts_transfer(w.f, 0, 1), 0);
    fronts_took(w.f, &w.e.env, 0, 1);
    assert_int_equal(fronts_transfer(w.f, 0, 1), 2);
    assert_int_equal(fronts_lease_us(w.f, 0, 1, true), 0); /* opened alone */
    const uint64_t until_us = fronts_lease_us(w.f, 0, 1, false) + MARGIN_US;
    assert_int_equal(fronts_took(w.f, &w.e.env, 0, 2), -1);
    const unsigned polls = front_polls(&w, 1, 1000);
    assert_true(polls > 700 && polls < 860); /* 781 of 1000 */
    assert_true(fronts_took(w.f, &w.e.env, until_us, 2) >= 0);
    assert_int_equal(fronts_of(w.f, until_us, 1), -1);
    assert_int_equal(fronts_transfer(w.f, until_us, 1), 0);
    /* while parts come both stay */
    w.now_us = until_us + 2000 * S;
    fronts_took(w.f, &w.e.env, w.now_us, 1);
    assert_true(fronts_lease_us(w.f, w.now_us, 1, false) > 0);
    for (unsigned i = 0; i < 3000; i++, w.now_us += S) {
        assert_int_equal(fronts_transfer(w.f, w.now_us, 1), 2);
        assert_true(fronts_lease_us(w.f, w.now_us, 1, true) >=
                    w.now_us + 300 * S - MARGIN_US);
    }
    assert_true(fronts_of(w.f, w.now_us + 298 * S, 1) >= 0);
    assert_int_equal(fronts_took(w.f, &w.e.env, w.now_us + 298 * S, 2), -1);
    assert_int_equal(fronts_of(w.f, w.now_us + 1200 * S, 1), -1);
    fronts_free(&w.f);
}

/* Who sends parts without end holds what the user has given him for three hours from
 * then on, and no longer, nor the other front. */
static void
i11_a_transfer_ends(void **state)
{
    (void)state;
    struct watch w;
    watch_begin(&w, 2, 3);
    for (unsigned i = 0; i < 2; i++) {
        unsigned held_s = 0;
        const uint64_t from_us = w.now_us;
        fronts_took(w.f, &w.e.env, w.now_us, 1);
        (void)fronts_lease_us(w.f, w.now_us, 1, false);
        for (; w.now_us < from_us + 20000 * S; w.now_us += S) {
            (void)fronts_transfer(w.f, w.now_us, 1);
            held_s += fronts_of(w.f, w.now_us, 1) >= 0;
            const uint64_t lease_us = fronts_lease_us(w.f, w.now_us, 1, true);
            assert_true(lease_us <= from_us + 10800 * S - MARGIN_US);
        }
        printf("  parts for 20000 s hold a front for %u s\n", held_s);
        assert_in_range(held_s, 10799, 10801);
        assert_int_equal(fronts_took(w.f, &w.e.env, w.now_us, 2) < 0, 0);
        assert_int_equal(fronts_took(w.f, &w.e.env, w.now_us, 3) < 0, 0);
        w.now_us += 2000 * S;
    }
    fronts_free(&w.f);
}

/* ---- who announces without end ---- */

/* Six scripts at once, then one each 100 s; five gets each. */
static void
scripts_are_rationed(void **state)
{
    (void)state;
    struct watch w;
    unsigned gets = 0;
    watch_begin(&w, 2, 20);
    while (w.now_us < 3600 * S) {
        fronts_announced(w.f, &w.e.env, w.now_us, MALLORY, false);
        poll(&w);
        gets += w.got.place == FRONTS_LANE && w.got.contact == MALLORY;
        if (w.got.contact == MALLORY)
            fronts_answered(w.f, &w.e.env, w.now_us, &w.got, true, true);
    }
    assert_true(gets >= 36);
    /* each with as many more as a box has letters */
    assert_true(gets <= (6 + 36) * (FRONTS_SCRIPT_GETS + 15));
    fronts_free(&w.f);
}

/* Who holds a front has scripts like others: one is over when it has brought what it
 * is for. */
static void
a_front_changes_no_script(void **state)
{
    (void)state;
    struct watch w;
    unsigned gets = 0;
    watch_begin(&w, 2, 20);
    fronts_took(w.f, &w.e.env, w.now_us, MALLORY);
    fronts_announced(w.f, &w.e.env, w.now_us, MALLORY, false);
    while (w.now_us < 280 * S) {
        poll(&w);
        if (w.got.contact != MALLORY)
            continue;
        gets += w.got.place == FRONTS_LANE;
        fronts_answered(w.f, &w.e.env, w.now_us, &w.got,
                        w.got.place == FRONTS_LANE, false);
    }
    assert_int_equal(gets, 1);
    fronts_free(&w.f);
}

/* Tokens of two periods, in either order and before the script's first get or after
 * it: its gets are for both. */
static void
a_script_is_for_both_periods(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 4; way++) {
        struct watch w;
        unsigned gets[2] = {0};
        bool is_second = false;
        watch_begin(&w, 2, 20);
        fronts_announced(w.f, &w.e.env, w.now_us, MALLORY, way & 1);
        const uint64_t until_us = w.now_us + 1200 * S;
        while (w.now_us < until_us) {
            if (!is_second && (way < 2 || gets[0] + gets[1] > 0)) {
                fronts_announced(w.f, &w.e.env, w.now_us, MALLORY, !(way & 1));
                is_second = true;
            }
            poll(&w);
            if (w.got.place == FRONTS_LANE && w.got.contact == MALLORY)
                gets[w.got.older]++;
        }
        assert_true(gets[0] >= 2 && gets[1] >= 2);
        fronts_free(&w.f);
    }
}

/* A script goes on until all letters that were announced are here. */
static void
a_script_is_for_all_its_tokens(void **state)
{
    (void)state;
    struct watch w;
    watch_begin(&w, 2, 20);
    for (unsigned tokens = 1; tokens <= 3; tokens++) {
        unsigned gets = 0;
        w.now_us += 2000 * S;
        const uint64_t until_us = w.now_us + 600 * S;
        for (unsigned i = 0; i < tokens; i++)
            assert_int_equal(
                fronts_announced(w.f, &w.e.env, w.now_us, MALLORY, false),
                i == 0);
        while (w.now_us < until_us) {
            poll(&w);
            if (w.got.place != FRONTS_LANE || w.got.contact != MALLORY)
                continue;
            gets++;
            fronts_answered(w.f, &w.e.env, w.now_us, &w.got, true, false);
        }
        assert_int_equal(gets, tokens);
    }
    fronts_free(&w.f);
}

/* A token that comes when the ration is used up, and a script has few gets left,
 * has a script as soon as there may be one. */
static void
a_late_token_is_not_forgotten(void **state)
{
    (void)state;
    struct watch w;
    watch_begin(&w, 2, 20);
    for (unsigned left = 1; left < FRONTS_SCRIPT_GETS; left++) {
        unsigned gets = 0;
        w.now_us += 7200 * S;
        while (gets < FRONTS_SCRIPTS * FRONTS_SCRIPT_GETS - left) {
            fronts_announced(w.f, &w.e.env, w.now_us, MALLORY, false);
            do
                poll(&w);
            while (w.got.place != FRONTS_LANE || w.got.contact != MALLORY);
            gets++;
            if (gets % FRONTS_SCRIPT_GETS == 0)
                w.now_us += S;
        }
        fronts_announced(w.f, &w.e.env, w.now_us, MALLORY, false);
        const uint64_t until_us = w.now_us + 1200 * S;
        for (gets = 0; w.now_us < until_us; poll(&w))
            gets += w.got.place == FRONTS_LANE && w.got.contact == MALLORY;
        assert_true(gets > left);
    }
    fronts_free(&w.f);
}

/* What stands before an announced letter costs no get of its script; a box full of
 * such letters is read through, and no more. */
static void
what_stands_before_is_read_too(void **state)
{
    (void)state;
    struct watch w;
    watch_begin(&w, 2, 20);
    for (unsigned before = 0; before < 40; before += 3) {
        unsigned gets = 0;
        w.now_us += 2000 * S;
        fronts_announced(w.f, &w.e.env, w.now_us, MALLORY, false);
        const uint64_t until_us = w.now_us + 600 * S;
        while (w.now_us < until_us) {
            poll(&w);
            if (w.got.place != FRONTS_LANE || w.got.contact != MALLORY)
                continue;
            gets++;
            fronts_answered(w.f, &w.e.env, w.now_us, &w.got, gets == before + 1,
                            gets <= before);
            if (gets == before + 1)
                break;
        }
        if (before <= 15)
            assert_int_equal(gets, before + 1);
        poll(&w);
        assert_true(gets <= 41);
    }
    fronts_free(&w.f);
}

/* Forty contacts who announce without end fill the lane (40 * 5 gets in 100 s
 * and 0.69 ticks a second); a friend, who has used nothing of his ration, waits as
 * if they were not there. */
static void
many_who_announce_keep_nobody_waiting(void **state)
{
    (void)state;
    enum { LIARS = 40, TEXTS = 300 };
    struct watch w;
    static double waited[TEXTS];
    watch_begin(&w, 2, LIARS + 1);
    for (size_t i = 0; i < TEXTS; i++) {
        const uint64_t from_us = w.now_us;
        bool found = false;
        fronts_announced(w.f, &w.e.env, w.now_us, LIARS + 1, false);
        while (!found || w.now_us < from_us + 120 * S) {
            for (uint32_t k = 1; k <= LIARS; k++)
                fronts_announced(w.f, &w.e.env, w.now_us, k, false);
            poll(&w);
            if (w.got.contact >= 1 && w.got.contact <= LIARS)
                fronts_answered(w.f, &w.e.env, w.now_us, &w.got, true, true);
            if (found || w.got.contact != LIARS + 1 ||
                w.got.place != FRONTS_LANE)
                continue;
            found = true;
            waited[i] = (double)(w.now_us - from_us) / 1e6;
            fronts_answered(w.f, &w.e.env, w.now_us, &w.got, true, false);
        }
    }
    assert_true(exponential_ks(waited, TEXTS, 64 / (POLL_HZ * 11)) < 2.8);
    fronts_free(&w.f);
}

/* ---- bad input, and memory ---- */

static void
what_does_not_go_together_is_refused(void **state)
{
    (void)state;
    struct conversation_params good, p;
    struct fronts *f;
    struct test_env e;
    test_env_init(&e, test_seed());
    for (unsigned n = 1; n <= 2; n++) {
        fronts_params_default(&good, n);
        assert_int_equal(fronts_params_check(&good), 0);
        p = good;
        p.lane++;
        assert_int_equal(fronts_new(&f, &p), ERR_RANGE);
        assert_null(f);
        p = good;
        p.hold_max_s = p.hold_min_s - 1;
        assert_int_equal(fronts_params_check(&p), ERR_RANGE);
        p = good;
        p.spare_of = 0;
        assert_int_equal(fronts_params_check(&p), ERR_RANGE);
        p = good;
        p.sweep_mean_s = 0;
        assert_int_equal(fronts_params_check(&p), ERR_RANGE);
    }
    good.fronts = 3;
    assert_int_equal(fronts_params_check(&good), ERR_RANGE);
    fronts_params_default(&good, 2);
    assert_int_equal(fronts_new(&f, &good), 0);
    assert_int_equal(fronts_add(f, &e.env, 0, FRONTS_NOBODY), ERR_ARG);
    assert_int_equal(fronts_add(f, &e.env, 0, 5), 0);
    assert_int_equal(fronts_add(f, &e.env, 0, 5), ERR_EXISTS);
    fronts_remove(f, 6);
    assert_false(fronts_announced(f, &e.env, 0, 6, false));
    fronts_leased(f, 6, 1);
    fronts_free(&f);
    fronts_free(&f);
}

static void
no_memory_changes_nothing(void **state)
{
    (void)state;
    struct conversation_params p;
    struct test_env e;
    fronts_params_default(&p, 2);
    test_env_init(&e, test_seed());
    for (struct heap h = {0}; heap_next(&h);) {
        struct fronts *f;
        uint32_t n = 0;
        heap_arm(&h);
        int err = fronts_new(&f, &p);
        for (uint32_t i = 1; i <= 40 && !err; i++) {
            err = fronts_add(f, &e.env, 0, i);
            n += !err;
        }
        heap_disarm(&h);
        assert_int_equal(err, h.failed ? ERR_NOMEM : 0);
        if (!f)
            continue;
        for (uint32_t i = 1; i <= 40; i++)
            assert_int_equal(fronts_add(f, &e.env, 0, i),
                             i <= n ? ERR_EXISTS : 0);
        fronts_free(&f);
    }
}

/* What a network sets by default is what has been settled, and passes both
 * checks. */
static void
networks_set_what_is_settled(void **state)
{
    (void)state;
    struct conversation_params f;
    struct params p;
    fronts_params_default(&f, 2);
    params_default(&p, 3600);
    const struct conversation_params *c = &p.conversations;
    assert_true(
        c->fronts == f.fronts && c->front == f.front && c->lane == f.lane &&
        c->sweep == f.sweep && c->spare_of == f.spare_of &&
        c->older_of == f.older_of && c->hold_min_s == f.hold_min_s &&
        c->hold_max_s == f.hold_max_s && c->sweep_mean_s == f.sweep_mean_s &&
        c->script_every_s == f.script_every_s && c->look_s == f.look_s &&
        c->ack_s == f.ack_s && c->ack_noise_s == f.ack_noise_s);
    assert_int_equal(fronts_params_check(&f), 0);
    assert_int_equal(p.profiles[0].poll_mhz, 4000);
}

/* ---- selves ---- */

enum { SELF = 100 };

/* A poll for this contact in this place, out of so many. */
static bool
is_polled(struct watch *w, enum fronts_place place, uint32_t contact,
          unsigned polls)
{
    while (polls-- > 0) {
        poll(w);
        if (w->got.place == place && w->got.contact == contact)
            return true;
    }
    return false;
}

/* While its front is free it has that; else it is heard by its tokens, swept, and
 * looked at after connecting, like a contact without a front. */
static void
a_self_is_a_contact_but_on_its_front(void **state)
{
    (void)state;
    enum { HOURS = 40 };
    struct watch w;
    unsigned swept[3] = {0};
    watch_begin(&w, 2, 2);
    for (unsigned i = 0; i < FRONTS_MAX; i++)
        assert_int_equal(fronts_add_self(w.f, &w.e.env, 0, i, SELF + i), 0);
    assert_int_equal(fronts_add_self(w.f, &w.e.env, 0, 2, SELF + 2), ERR_ARG);
    assert_int_equal(fronts_add_self(w.f, &w.e.env, 0, 0, SELF), ERR_EXISTS);
    for (unsigned i = 0; i < 1000; i++) {
        poll(&w);
        if (w.got.place == FRONTS_FRONT)
            assert_int_equal(w.got.contact, SELF + w.got.front);
        assert_false(w.got.place == FRONTS_LANE &&
                     w.got.contact != FRONTS_NOBODY);
    }
    assert_int_equal(fronts_of(w.f, w.now_us, SELF), 0);
    const int front = fronts_took(w.f, &w.e.env, w.now_us, 1);
    const uint32_t self = SELF + (uint32_t)front;
    assert_true(front >= 0);
    assert_int_equal(fronts_of(w.f, w.now_us, 1), front);
    assert_int_equal(fronts_of(w.f, w.now_us, self), -1);
    assert_true(fronts_announced(w.f, &w.e.env, w.now_us, self, false));
    assert_true(is_polled(&w, FRONTS_LANE, self, 400));
    fronts_connected(w.f, &w.e.env, w.now_us);
    assert_true(is_polled(&w, FRONTS_LOOK, self, 400));
    for (const uint64_t end_us = w.now_us + HOURS * 3600 * S;
         w.now_us < end_us;) {
        poll(&w);
        if (w.got.place == FRONTS_SWEEP && w.got.contact >= SELF)
            swept[w.got.contact - SELF]++;
        else if (w.got.place == FRONTS_SWEEP && w.got.contact == 2)
            swept[2]++;
    }
    printf("  turns of the sweep in %d hours: selves %u and %u, a contact %u\n",
           HOURS, swept[0], swept[1], swept[2]);
    const double mean = HOURS * 1.25;
    for (unsigned i = 0; i < 3; i++)
        assert_true(fabs(swept[i] - mean) < STATS_ALARM * sqrt(1.4 * mean));
    fronts_remove(w.f, SELF);
    assert_int_equal(fronts_of(w.f, w.now_us, SELF), -1);
    do
        poll(&w);
    while (w.got.place != FRONTS_FRONT || w.got.front != 0);
    assert_int_equal(w.got.contact, FRONTS_NOBODY);
    fronts_free(&w.f);
}

const struct CMUnitTest test_fronts[] = {
    cmocka_unit_test(networks_set_what_is_settled),
    cmocka_unit_test(places_have_their_odds),
    cmocka_unit_test(a_held_front_is_polled_at_its_pace),
    cmocka_unit_test(the_lane_serves_at_its_pace),
    cmocka_unit_test(the_sweep_has_one_pace_whatever_their_number),
    cmocka_unit_test(connecting_looks_at_everybody_once),
    cmocka_unit_test(looks_are_as_many_as_there_are_periods),
    cmocka_unit_test(places_begin_at_times_of_their_own),
    cmocka_unit_test(parameters_may_change),
    cmocka_unit_test(a_front_is_taken_by_the_user_alone),
    cmocka_unit_test(fronts_end_by_themselves),
    cmocka_unit_test(a_lease_is_kept),
    cmocka_unit_test(not_announcing_is_no_probe),
    cmocka_unit_test(acknowledgements_are_timed_from_the_commit),
    cmocka_unit_test(a_transfer_may_hold_both_fronts),
    cmocka_unit_test(i11_a_transfer_ends),
    cmocka_unit_test(scripts_are_rationed),
    cmocka_unit_test(a_front_changes_no_script),
    cmocka_unit_test(a_script_is_for_both_periods),
    cmocka_unit_test(a_script_is_for_all_its_tokens),
    cmocka_unit_test(a_late_token_is_not_forgotten),
    cmocka_unit_test(what_stands_before_is_read_too),
    cmocka_unit_test(many_who_announce_keep_nobody_waiting),
    cmocka_unit_test(what_does_not_go_together_is_refused),
    cmocka_unit_test(no_memory_changes_nothing),
    cmocka_unit_test(a_self_is_a_contact_but_on_its_front),
};
TEST_SUITE(test_fronts);
