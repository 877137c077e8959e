/* tests/scenario/test_i12_stores.c - I12: what stores see of boxes is one law, for a
 * conversation that has a front and a front that has none, for a contact without a
 * front and a self without one, for a user with one conversation and with ten, for
 * two conversations of one client and of two, for two periods of a pair and of two;
 * over days and restarts.
 *
 * Two whole clients with ten contacts each, who write letters of their own, days of
 * ten minutes, starts again every few minutes. All stores together write down each
 * get: when it came, which box, where it begins, what it names as held, whether it
 * shows its token, which of the box's stores it came to; and each put. Fifty verdicts,
 * each wrong once in 5 * 10^7 runs, are wrong together once in 10^6. What is not
 * alike is seen: the rows of tests/invariants.sh.
 *
 * Defences: client/pace/fronts.h, client/places.h, client/polls.h. */
#include "tests/runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/stats.h"
#include "tests/talks.h"

/* ---- what is compared ---- */

/* Whose gets, with each of the clients. */
enum {
    FREE =
        TALKS_VIEWS_MAX, /* the self of the front that the first contact has not */
    OTHER                /* the self of the one that it has */
};
struct class
{
    const char *name;
    struct talks *x;
    unsigned of; /* a contact, or as above */
    bool older;  /* yesterday's boxes, else today's */
    int days;    /* 0: all; 1, 2: each second one */
};

/* The conversation that a class is at this time with this client; -1: none. */
static int
class_view(const struct class *c, uint8_t client, double at_s)
{
    if (c->of < TALKS_VIEWS_MAX)
        return (int)c->of;
    const double s = at_s - c->x->seen_s + TALKS_BEGIN_S;
    const int front = c->x->player[client].front[(size_t)s];
    return front < 0       ? -1
           : c->of == FREE ? TALKS_CONTACTS + 1 - front
                           : TALKS_CONTACTS + front;
}

/* Is this box of this class? Those of selves are left out in which letters lie that
 * the client wrote to itself: whatever becomes of one lasts for a day. */
static bool
class_has_box(const struct class *c, uint8_t client, double at_s, int of,
              uint32_t period)
{
    const uint32_t today = talks_period(c->x, at_s);
    const uint32_t day = period - c->x->first_period + 1;
    if (of < 0 || of != class_view(c, client, at_s) ||
        period != today - c->older)
        return false;
    if (of >= TALKS_CONTACTS &&
        c->x->player[client].writes[of - TALKS_CONTACTS][day])
        return false;
    return c->days == 0 || today % 2 + 1 == (uint32_t)c->days;
}

static bool
class_has(const struct class *c, const struct talks_get *g)
{
    return g->known && class_has_box(c, g->client, g->at_s, g->of, g->period);
}

static double *
numbers(size_t n)
{
    double *x = calloc(n + 1, sizeof *x);
    assert_non_null(x);
    return x;
}

/* Each statistic fills in numbers, or counts in cells. Returns how many. */
static size_t
gaps_of(const struct class *c, double *out)
{
    const struct talks_get *last[TALKS_CLIENTS] = {NULL};
    size_t n = 0;
    for (size_t i = 0; i < c->x->n; i++) {
        const struct talks_get *g = &c->x->get[i];
        if (!class_has(c, g))
            continue;
        if (last[g->client] && last[g->client]->period == g->period)
            out[n++] = g->at_s - last[g->client]->at_s;
        last[g->client] = g;
    }
    return n;
}

/* From a letter's coming until it is named as held. */
static size_t
readings_of(const struct class *c, double *out)
{
    size_t n = 0;
    for (size_t k = 0; k < c->x->n_puts; k++) {
        const struct talks_put *p = &c->x->put[k];
        if (p->at_s < c->x->seen_s ||
            p->of != class_view(c, p->client, p->at_s))
            continue;
        for (size_t i = 0; i < c->x->n; i++) {
            const struct talks_get *g = &c->x->get[i];
            if (g->at_s < p->at_s || !g->known || g->client != p->client ||
                g->of != p->of || g->period != p->at.period ||
                g->n != p->at.n / LETTER_SLOTS ||
                !(g->held >> p->at.n % LETTER_SLOTS & 1))
                continue;
            out[n++] = g->at_s - p->at_s;
            break;
        }
    }
    return n;
}

/* From a start until the first get. */
static size_t
starts_of(const struct class *c, double *out)
{
    size_t n = 0;
    for (uint8_t client = 0; client < TALKS_CLIENTS; client++) {
        const struct talks_client *p = &c->x->player[client];
        for (size_t k = 0, i = 0; k < p->starts; k++) {
            while (i < c->x->n && (c->x->get[i].at_s < p->started_s[k] ||
                                   c->x->get[i].client != client ||
                                   !class_has(c, &c->x->get[i])))
                i++;
            if (i < c->x->n)
                out[n++] = c->x->get[i].at_s - p->started_s[k];
        }
    }
    return n;
}

enum { CELLS = LETTER_SLOTS };

/* Where gets of a box begin in which nothing was read. */
static void
slots_of(const struct class *c, double cell[static CELLS])
{
    for (size_t i = 0; i < c->x->n; i++) {
        const struct talks_get *g = &c->x->get[i];
        if (class_has(c, g) && g->held == 0)
            cell[g->slot]++;
    }
}

/* Where the others begin: at a slot that is here, at the first that is not, at the
 * second, at a later one. Where there is no second one it is anywhere, for the rest of
 * the day when that has brought so many letters: that is left out. */
static void
begins_of(const struct class *c, double cell[static CELLS])
{
    for (size_t i = 0; i < c->x->n; i++) {
        const struct talks_get *g = &c->x->get[i];
        const uint16_t wanted = (uint16_t)~g->held;
        const uint16_t second = wanted & (uint16_t)(wanted - 1);
        if (!class_has(c, g) || g->held == 0 || second == 0)
            continue;
        if (g->held >> g->slot & 1)
            cell[0]++;
        else if (g->slot == __builtin_ctz(wanted))
            cell[1]++;
        else if (g->slot == __builtin_ctz(second))
            cell[2]++;
        else
            cell[3]++;
    }
}

/* Does a get come to the same store as the one of this box before it? And does one
 * that names letters as held show its token? */
static void
stores_of(const struct class *c, double cell[static CELLS])
{
    const struct talks_get *last[TALKS_CLIENTS] = {NULL};
    for (size_t i = 0; i < c->x->n; i++) {
        const struct talks_get *g = &c->x->get[i], *l = last[g->client];
        if (!class_has(c, g) || !g->came)
            continue;
        if (l && l->period == g->period && l->n == g->n)
            cell[l->store != g->store]++;
        last[g->client] = g;
    }
}

static void
tokens_of(const struct class *c, double cell[static CELLS])
{
    for (size_t i = 0; i < c->x->n; i++) {
        const struct talks_get *g = &c->x->get[i];
        if (class_has(c, g) && g->came && g->held != 0)
            cell[g->shows]++;
    }
}

static const struct {
    const char *name;
    size_t (*of)(const struct class *c, double *out);
} series[] = {{"between gets", gaps_of},
              {"until a letter is held", readings_of},
              {"from a start to the first get", starts_of}};
static const struct {
    const char *name;
    void (*of)(const struct class *c, double cell[static CELLS]);
} table[] = {{"where gets of an empty box begin", slots_of},
             {"where others begin", begins_of},
             {"which store", stores_of},
             {"tokens shown", tokens_of}};
enum { SERIES = 3, TABLES = 4, CONNECTS_S = 30 };

/* Returns the worst, in thresholds: from 1 on an alarm. */
static double
compare(const struct class *a, const struct class *b)
{
    double worst = 0;
    printf("  %s, and %s:\n", a->name, b->name);
    for (size_t k = 0; k < SERIES; k++) {
        double *x = numbers(a->x->n), *y = numbers(b->x->n);
        const size_t n = series[k].of(a, x), m = series[k].of(b, y);
        assert_true(n > 0 && m > 0);
        const double ks = stats_ks(x, n, y, m);
        printf("    %s: %zu of median %.2f s, %zu of %.2f s: KS %.2f of its "
               "threshold\n",
               series[k].name, n, x[n / 2], m, y[m / 2],
               ks / STATS_KS_ALARM_MANY);
        worst = fmax(worst, ks / STATS_KS_ALARM_MANY);
        free(x);
        free(y);
    }
    for (size_t k = 0; k < TABLES; k++) {
        double x[CELLS] = {0}, y[CELLS] = {0};
        table[k].of(a, x);
        table[k].of(b, y);
        const double z = stats_chi_z(x, y, CELLS);
        printf("    %s:", table[k].name);
        for (size_t i = 0; i < CELLS; i++)
            if (x[i] + y[i] > 0)
                printf(" %.0f/%.0f", x[i], y[i]);
        printf(": %.2f of its threshold\n", z / STATS_ALARM_MANY);
        worst = fmax(worst, z / STATS_ALARM_MANY);
    }
    return worst;
}

/* ---- boxes without a front ---- */

/* Gets of a class, and of how many days with a client they are. */
static double
count_of(const struct class *c, double *of_days)
{
    double n = 0;
    for (size_t i = 0; i < c->x->n; i++)
        n += class_has(c, &c->x->get[i]);
    *of_days = 0;
    for (uint8_t i = 0; i < TALKS_CLIENTS; i++)
        for (unsigned s = 0; s < talks_days() * TALKS_DAY_S; s++) {
            const double at_s = c->x->seen_s + s;
            const uint32_t period = talks_period(c->x, at_s) - c->older;
            *of_days +=
                class_has_box(c, i, at_s, class_view(c, i, at_s), period) /
                (double)TALKS_DAY_S;
        }
    return n;
}

static double
rates_z(double n, double of_n, double m, double of_m)
{
    const double rate = (n + m) / (of_n + of_m);
    return (n / of_n - m / of_m) / sqrt(rate * (1 / of_n + 1 / of_m));
}

/* ---- two boxes, in one another's light ---- */

/* Has a client connected not long ago? Until all its places have begun, its boxes are
 * silent together: that is stated (doc/PROTOCOL.md, 7.2), and seen by who compares two
 * clients, of which one goes on. */
static bool
is_connecting(const struct talks *x, double at_s)
{
    for (unsigned i = 0; i < TALKS_CLIENTS; i++)
        for (unsigned k = 0; k < x->player[i].starts; k++) {
            const double since_s = at_s - x->player[i].started_s[k];
            if (since_s >= 0 && since_s < CONNECTS_S)
                return true;
        }
    return false;
}

/* Gets of two boxes in the order in which they come: which follows which, and how
 * soon the second one after the first. What one process tells of the other is seen
 * there, as they are both Poisson processes if it tells nothing. */
static size_t
followers(const struct talks *x, const struct class *a, uint8_t client_a,
          const struct class *b, uint8_t client_b, double *after,
          double cell[static CELLS])
{
    const struct talks_get *last = NULL;
    bool last_is_b = false;
    size_t n = 0;
    for (size_t i = 0; i < x->n; i++) {
        const struct talks_get *g = &x->get[i];
        const bool is_a = g->client == client_a && class_has(a, g);
        const bool is_b = g->client == client_b && class_has(b, g);
        if (!is_a && !is_b)
            continue;
        if (is_connecting(x, g->at_s)) {
            last = NULL;
            continue;
        }
        if (last)
            cell[2 * last_is_b + is_b]++;
        if (last && !last_is_b && is_b)
            after[n++] = g->at_s - last->at_s;
        last = g;
        last_is_b = is_b;
    }
    return n;
}

/* Of one client, and of two: are they one law? */
static double
compare_pairs(const struct class *a, const struct class *b)
{
    double *x = numbers(4 * a->x->n), *y = numbers(4 * a->x->n);
    double same[CELLS] = {0}, differs[CELLS] = {0};
    size_t n = 0, m = 0;
    for (uint8_t i = 0; i < TALKS_CLIENTS; i++) {
        n += followers(a->x, a, i, b, i, x + n, same);
        m += followers(a->x, a, i, b, 1 - i, y + m, differs);
    }
    assert_true(n > 0 && m > 0);
    const double ks = stats_ks(x, n, y, m) / STATS_KS_ALARM_MANY;
    const double z = stats_chi_z(same, differs, CELLS) / STATS_ALARM_MANY;
    printf("  %s, then %s: %zu times with one client, %zu with two: KS %.2f, "
           "order %.2f of the threshold\n",
           a->name, b->name, n, m, ks, z);
    free(x);
    free(y);
    return fmax(ks, z);
}

/* ---- tests ---- */

static struct talks one, ten;

static int
courses_make(void **state)
{
    (void)state;
    talks_run(&one, false, 1);
    talks_name(&one);
    talks_run(&ten, true, 2);
    talks_name(&ten);
    return 0;
}

static int
courses_free(void **state)
{
    (void)state;
    talks_free(&one);
    talks_free(&ten);
    return 0;
}

static void
i12_a_front_with_a_talk_is_like_one_without(void **state)
{
    (void)state;
    for (unsigned older = 0; older < 2; older++) {
        const struct class talk = {"a talk", &one, 0, older, 0};
        const struct class free = {older ? "none, yesterday's" : "none", &one,
                                   FREE, older, 0};
        assert_true(compare(&talk, &free) < 1);
    }
}

static void
i12_one_talk_is_like_one_of_ten(void **state)
{
    (void)state;
    for (unsigned older = 0; older < 2; older++) {
        const struct class alone = {"the only talk", &one, 0, older, 0};
        const struct class among = {older ? "one of ten, yesterday's"
                                          : "one of ten",
                                    &ten, 0, older, 0};
        assert_true(compare(&alone, &among) < 1);
    }
}

static void
i12_a_talk_is_the_same_each_day(void **state)
{
    (void)state;
    const struct class odd = {"a talk on one day", &ten, 0, false, 1};
    const struct class even = {"on the next", &ten, 0, false, 2};
    assert_true(compare(&odd, &even) < 1);
}

static void
i12_no_two_boxes_tell_that_they_are_one_clients(void **state)
{
    (void)state;
    const struct class a = {"a talk", &ten, 0, false, 0};
    const struct class b = {"another", &ten, 1, false, 0};
    const struct class before = {"its yesterday's box", &ten, 0, true, 0};
    const struct class talk = {"a talk", &one, 0, false, 0};
    const struct class free = {"an empty front", &one, FREE, false, 0};
    assert_true(compare_pairs(&a, &b) < 1);
    assert_true(compare_pairs(&a, &before) < 1);
    assert_true(compare_pairs(&talk, &free) < 1);
}

/* A self whose front somebody has is asked for as often as a contact without one. */
static void
i12_a_self_is_like_a_contact(void **state)
{
    (void)state;
    double n = 0, contacts = 0, of_self = 0, of_contacts = 0, of;
    for (unsigned older = 0; older < 2; older++) {
        const struct class self = {"self", &one, OTHER, older, 0};
        n += count_of(&self, &of);
        of_self += of;
        for (unsigned i = 1; i < TALKS_CONTACTS; i++) {
            const struct class contact = {"contact", &one, i, older, 0};
            contacts += count_of(&contact, &of);
            of_contacts += of;
        }
    }
    assert_true(of_self > 0 && contacts > 0);
    const double z = rates_z(n, of_self, contacts, of_contacts);
    printf(
        "  a day's gets of a box without a front: of selves %.1f, of contacts "
        "%.1f; z %.1f\n",
        n / of_self, contacts / of_contacts, z);
    assert_true(fabs(z) < STATS_ALARM_MANY);
}

const struct CMUnitTest test_i12_stores[] = {
    cmocka_unit_test_setup_teardown(i12_a_front_with_a_talk_is_like_one_without,
                                    courses_make, NULL),
    cmocka_unit_test(i12_one_talk_is_like_one_of_ten),
    cmocka_unit_test(i12_a_talk_is_the_same_each_day),
    cmocka_unit_test(i12_no_two_boxes_tell_that_they_are_one_clients),
    cmocka_unit_test_setup_teardown(i12_a_self_is_like_a_contact, NULL,
                                    courses_free),
};
TEST_SUITE(test_i12_stores);
