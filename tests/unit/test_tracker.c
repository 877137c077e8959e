/* tests/unit/test_tracker.c - the tracker against all that could have
 * happened.
 *
 * A history says what an observer sees: a packet comes to a mix, from outside
 * or from the other; one leaves a mix, for the other or for outside. Which one
 * it is he does not see. The exact posterior counts every course that fits, a
 * mix of n letting each go with chance 1/n. */
#include "tests/runner.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rng_seeded.h"
#include "sim/packets/tracker.h"
#include "tests/heap.h"

enum { MIXES = 2, EVENTS_MAX = 24, PACKETS_MAX = 12, LABELS = 2 };
enum act { ACT_COME, ACT_MOVE, ACT_OUT };

struct event {
    enum act act;
    uint32_t mix, number; /* number: of those that come, or go out */
};

struct history {
    struct event event[EVENTS_MAX];
    uint32_t n, came, out, held[MIXES];
};

static uint64_t
below(struct rng_seeded *r, uint64_t n)
{
    return rng_seeded_u64(r) % n;
}

static void
history_add(struct history *h, enum act act, uint32_t mix)
{
    struct event *e = &h->event[h->n++];
    *e = (struct event){act, mix, 0};
    if (act == ACT_COME)
        e->number = h->came++;
    else if (act == ACT_OUT)
        e->number = h->out++;
    if (act != ACT_COME)
        h->held[mix]--;
    if (act != ACT_OUT)
        h->held[act == ACT_MOVE ? 1 - mix : mix]++;
}

/* `steps` events at random, then everybody leaves. */
static void
history_draw(struct history *h, struct rng_seeded *r, uint32_t packets,
             uint32_t steps)
{
    *h = (struct history){0};
    while (h->n < steps && h->out < packets) {
        const uint32_t mix = (uint32_t)below(r, MIXES);
        const enum act act = (enum act)below(r, 3);
        if (act == ACT_COME ? h->came < packets : h->held[mix] > 0)
            history_add(h, act, mix);
    }
    for (uint32_t mix = 0; mix < MIXES; mix++)
        while (h->held[mix] > 0)
            history_add(h, ACT_OUT, mix);
    assert_true(h->n <= EVENTS_MAX && h->came <= PACKETS_MAX);
}

/* ---- all courses ---- */

/* Where each packet is, and what came of the tagged one so far. */
struct course {
    uint32_t in[MIXES][PACKETS_MAX], n[MIXES];
    bool corrupt[MIXES];
    const struct history *h;
    double *posterior; /* [packet * PACKETS_MAX + place] */
};

/* Carry out event i and all after it with each possible choice. A corrupt mix
 * has no choice: the first that came goes. */
static void
courses_count(struct course *c, uint32_t i, double chance)
{
    if (i == c->h->n)
        return;
    const struct event *e = &c->h->event[i];
    if (e->act == ACT_COME) {
        struct course after = *c;
        after.in[e->mix][after.n[e->mix]++] = e->number;
        courses_count(&after, i + 1, chance);
        return;
    }
    const uint32_t n = c->n[e->mix], choices = c->corrupt[e->mix] ? 1 : n;
    for (uint32_t k = 0; k < choices; k++) {
        struct course after = *c;
        const uint32_t p = c->in[e->mix][k], to = 1 - e->mix;
        for (uint32_t j = k + 1; j < n; j++)
            after.in[e->mix][j - 1] = c->in[e->mix][j];
        after.n[e->mix]--;
        if (e->act == ACT_MOVE)
            after.in[to][after.n[to]++] = p;
        else
            c->posterior[p * PACKETS_MAX + e->number] += chance / choices;
        courses_count(&after, i + 1, chance / choices);
    }
}

/* ---- the tracker ---- */

/* What the tracker gives each place, packets p and q being tagged. The packets
 * truly go first in, first out: it is not to matter. */
static void
tracker_follow(const struct history *h, const bool corrupt[static MIXES],
               const uint32_t tag[static LABELS],
               double place[static LABELS][PACKETS_MAX])
{
    float mass[PACKETS_MAX][LABELS] = {{0}};
    uint8_t label[PACKETS_MAX];
    uint32_t in[MIXES][PACKETS_MAX], n[MIXES] = {0};
    struct target_found found;
    struct tracker *t;
    memset(label, TRACKER_NONE, sizeof label);
    assert_int_equal(tracker_new(&t, MIXES, LABELS, false, 1e-5), 0);
    for (uint32_t k = 0; k < LABELS; k++) {
        label[tag[k]] = tracker_tag(t, mass[tag[k]]);
        assert_int_equal(label[tag[k]], k);
    }
    for (uint32_t i = 0; i < h->n; i++) {
        const struct event *e = &h->event[i];
        uint32_t p = e->number, to = e->mix;
        if (e->act != ACT_COME) {
            p = in[e->mix][0];
            if (!corrupt[e->mix])
                tracker_leave(t, e->mix, n[e->mix], 0, mass[p]);
            memmove(in[e->mix], in[e->mix] + 1, --n[e->mix] * sizeof p);
            to = 1 - e->mix;
        }
        if (e->act == ACT_OUT) {
            for (uint32_t k = 0; k < LABELS; k++)
                place[k][e->number] = (double)mass[p][k];
            tracker_out(t, mass[p], label[p]);
            continue;
        }
        in[to][n[to]++] = p;
        if (!corrupt[to])
            tracker_enter(t, to, mass[p]);
    }
    assert_int_equal(tracker_done(t, &found), 0); /* all is out */
    tracker_free(&t);
}

/* The largest difference between the two, over all places. */
static double
history_compare(const struct history *h, const bool corrupt[static MIXES],
                const uint32_t tag[static LABELS])
{
    static double exact[PACKETS_MAX * PACKETS_MAX];
    double place[LABELS][PACKETS_MAX] = {{0}}, worst = 0;
    struct course c = {.h = h, .posterior = exact};
    memcpy(c.corrupt, corrupt, sizeof c.corrupt);
    memset(exact, 0, sizeof exact);
    courses_count(&c, 0, 1);
    tracker_follow(h, corrupt, tag, place);
    for (uint32_t k = 0; k < LABELS; k++)
        for (uint32_t i = 0; i < h->out; i++)
            worst = fmax(worst,
                         fabs(place[k][i] - exact[tag[k] * PACKETS_MAX + i]));
    return worst;
}

static void
posterior_exact(void **state)
{
    (void)state;
    static const bool cases[][MIXES] = {
        {false, false}, {true, false}, {false, true}, {true, true}};
    struct rng_seeded r;
    struct history h;
    rng_seeded_init_u64(&r, test_seed(), "histories");
    for (int k = 0; k < 400; k++) {
        do
            history_draw(&h, &r, 5, 4 + (uint32_t)below(&r, 9));
        while (h.came < LABELS);
        const uint32_t first = (uint32_t)below(&r, h.came);
        const uint32_t tag[LABELS] = {first, (first + 1) % h.came};
        assert_true(history_compare(&h, cases[k % 4], tag) < 1e-6);
    }
}

/* Two corrupt mixes: it is where it is. */
static void
corrupt_keeps(void **state)
{
    (void)state;
    static const bool corrupt[MIXES] = {true, true};
    static const uint32_t tag[LABELS] = {1, 2};
    struct history h = {0};
    double place[LABELS][PACKETS_MAX] = {{0}};
    for (int i = 0; i < 4; i++)
        history_add(&h, ACT_COME, 0);
    for (int i = 0; i < 3; i++)
        history_add(&h, ACT_MOVE, 0);
    for (uint32_t i = 0; i < 4; i++)
        history_add(&h, ACT_OUT, i == 3 ? 0 : 1);
    tracker_follow(&h, corrupt, tag, place);
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(place[0][i] == (i == 1 ? 1.0 : 0.0));
        assert_true(place[1][i] == (i == 2 ? 1.0 : 0.0));
    }
}

/* ---- conservation ---- */

struct flow {
    struct tracker *t;
    float mass[64][LABELS];
    bool inside[64]; /* in a mix */
    uint32_t at[64], held[MIXES];
    double gone[LABELS]; /* out, or ruled out */
};

static void
flow_step(struct flow *f, struct rng_seeded *r, uint32_t p)
{
    if (!f->inside[p]) {
        f->at[p] = (uint32_t)below(r, MIXES);
        f->held[f->at[p]]++;
        f->inside[p] = true;
        tracker_enter(f->t, f->at[p], f->mass[p]);
        return;
    }
    /* own loops are as likely to leave: what they take is ruled out below */
    const double beside = below(r, 2) ? 0 : 0.25;
    tracker_leave(f->t, f->at[p], f->held[f->at[p]], beside, f->mass[p]);
    f->held[f->at[p]] -= 1;
    f->inside[p] = false;
    const uint64_t what = below(r, 4);
    if (what > 1)
        return; /* it is on a link */
    for (uint32_t k = 0; k < LABELS; k++)
        f->gone[k] += (double)f->mass[p][k];
    if (what == 0)
        tracker_out(f->t, f->mass[p], TRACKER_NONE);
    else
        tracker_rule_out(f->t, f->mass[p], TRACKER_NONE);
    memset(f->mass[p], 0, sizeof f->mass[p]);
}

/* All that a label has is out, ruled out, on a packet under way, or in a mix:
 * the mixes are emptied in the end, one of one packet giving all it has. */
static void
nothing_is_lost(void **state)
{
    (void)state;
    struct rng_seeded r;
    rng_seeded_init_u64(&r, test_seed(), "flow");
    for (int round = 0; round < 50; round++) {
        struct flow f = {0};
        float last[LABELS];
        assert_int_equal(tracker_new(&f.t, MIXES, LABELS, false, 0.01), 0);
        for (uint32_t k = 0; k < LABELS; k++)
            assert_int_equal(tracker_tag(f.t, f.mass[k]), k);
        for (int i = 0; i < 500; i++)
            flow_step(&f, &r, (uint32_t)below(&r, 64));
        for (uint32_t mix = 0; mix < MIXES; mix++) {
            tracker_leave(f.t, mix, 1, 0, last);
            for (uint32_t k = 0; k < LABELS; k++)
                f.gone[k] += (double)last[k];
            tracker_leave(f.t, mix, 1, 0, last); /* there is no more */
            for (uint32_t k = 0; k < LABELS; k++)
                assert_true(fabs((double)last[k]) < 1e-7);
        }
        for (uint32_t k = 0; k < LABELS; k++) {
            double sum = f.gone[k];
            for (uint32_t p = 0; p < 64; p++)
                sum += f.inside[p] ? 0 : (double)f.mass[p][k];
            assert_true(fabs(sum - 1) < 1e-5);
        }
        tracker_free(&f.t);
    }
}

/* A loop beside a pool of 3 takes its share, and the pool keeps the rest. */
static void
loops_take_shares(void **state)
{
    (void)state;
    float p[1] = {0}, q[1] = {0}, loop[1] = {0};
    struct tracker *t;
    assert_int_equal(tracker_new(&t, 1, 1, false, 0.01), 0);
    assert_int_equal(tracker_tag(t, p), 0);
    tracker_enter(t, 0, p);
    tracker_enter(t, 0, q);
    tracker_enter(t, 0, q);
    tracker_leave(t, 0, 3, 1, loop);
    assert_true(fabs((double)loop[0] - 0.25) < 1e-6);
    tracker_leave(t, 0, 3, 1, p);
    assert_true(fabs((double)p[0] - 0.75 / 4) < 1e-6);
    tracker_free(&t);
}

/* ---- labels ---- */

static void
labels_are_few(void **state)
{
    (void)state;
    float mass[4][4] = {{0}}, left[4];
    struct target_found found;
    double p[2];
    struct tracker *t;
    assert_int_equal(tracker_new(&t, 1, 2, true, 0.01), 0);
    assert_int_equal(tracker_labels(t), 4);
    assert_int_equal(tracker_tag(t, mass[0]), 0);
    assert_int_equal(tracker_tag(t, mass[1]), 1);
    assert_int_equal(tracker_tag(t, mass[2]), TRACKER_NONE);
    assert_true(mass[0][0] == 1 && mass[1][1] == 1 && mass[2][0] == 0);
    tracker_challenge(t, 1, mass[1]);
    for (int i = 0; i < 3; i++)
        tracker_enter(t, 0, mass[i]);
    assert_int_equal(tracker_done(t, &found), TRACKER_NONE);
    tracker_clear(t, 0);
    tracker_leave(t, 0, 3, 0, left);
    assert_true(left[0] == 0); /* nothing of the label is left */
    assert_true(fabs((double)left[1] - 1 / 3.0) < 1e-6);
    tracker_challengers(t, left, p);
    assert_true(p[0] == 0 && fabs(p[1] - 1 / 3.0) < 1e-6);
    assert_int_equal(tracker_tag(t, mass[2]), 0); /* free again */
    assert_int_equal(tracker_tag(t, mass[3]), TRACKER_NONE);
    tracker_free(&t);
    assert_null(t);
    tracker_free(&t);
}

/* No memory: an error, and nothing to be freed. */
static void
memory_short(void **state)
{
    (void)state;
    for (struct heap h = {0}; heap_next(&h);) {
        struct tracker *t = (void *)1;
        heap_arm(&h);
        const int err = tracker_new(&t, 3, 4, false, 0.01);
        heap_disarm(&h);
        assert_int_equal(err, h.failed ? ERR_NOMEM : 0);
        assert_true((t == NULL) == h.failed);
        tracker_free(&t);
    }
}

/* ---- figures ---- */

/* A tagged packet and n - 1 others come to one mix and all leave, the tagged
 * one in place `at`; ruled: the first to leave reaches where it cannot have. */
static struct target_found
uniform(uint32_t n, uint32_t at, bool ruled)
{
    struct target_found found;
    float mass[16][1] = {{0}};
    struct tracker *t;
    assert_int_equal(tracker_new(&t, 1, 1, false, 1e-5), 0);
    assert_int_equal(tracker_tag(t, mass[at]), 0);
    for (uint32_t i = 0; i < n; i++)
        tracker_enter(t, 0, mass[i]);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(tracker_done(t, &found), TRACKER_NONE);
        tracker_leave(t, 0, n - i, 0, mass[i]);
        if (i == 0 && ruled)
            tracker_rule_out(t, mass[i], TRACKER_NONE);
        else
            tracker_out(t, mass[i], i == at ? 0 : TRACKER_NONE);
    }
    assert_int_equal(tracker_done(t, &found), 0);
    tracker_clear(t, 0);
    tracker_free(&t);
    return found;
}

static bool
near(double a, double b)
{
    return fabs(a - b) < 1e-5;
}

static void
figures_simple(void **state)
{
    (void)state;
    struct target_found f = uniform(1, 0, false);
    assert_true(near(f.shannon, 0) && near(f.min, 0) && f.degree == 0);
    assert_true(near(f.guess, 1) && near(f.truth, 1) && near(f.collision, 1));
    assert_true(near(f.first, 1));
    for (uint32_t n = 2; n <= 16; n++) {
        f = uniform(n, n / 2, false);
        assert_true(near(f.shannon, log2(n)) && near(f.min, log2(n)));
        assert_true(near(f.degree, 1) && near(f.guess, 1.0 / n));
        assert_true(near(f.truth, 1.0 / n) && near(f.collision, 1.0 / n));
        assert_true(near(f.first, 1.0 / n));
        if (n == 2)
            continue;
        f = uniform(n, n - 1, true); /* what is left is normalised */
        assert_true(near(f.shannon, log2(n - 1)));
        assert_true(near(f.guess, 1.0 / (n - 1)));
        assert_true(near(f.truth, 1.0 / (n - 1)));
        assert_true(near(f.collision, 1.0 / (n - 1)));
    }
}

/* Two stay with 1/2 each, of which one comes to a mix with another: 1/2, 1/4,
 * 1/4: 1.5 bits of log2 3. */
static void
figures_uneven(void **state)
{
    (void)state;
    struct target_found found;
    float p[1] = {0}, q[1] = {0}, other[1] = {0};
    struct tracker *t;
    assert_int_equal(tracker_new(&t, 2, 1, false, 1e-5), 0);
    assert_int_equal(tracker_tag(t, p), 0);
    tracker_enter(t, 0, p);
    tracker_enter(t, 0, q);
    tracker_leave(t, 0, 2, 0, q);
    tracker_out(t, q, TRACKER_NONE);
    tracker_leave(t, 0, 1, 0, p);
    tracker_enter(t, 1, p);
    tracker_enter(t, 1, other);
    tracker_leave(t, 1, 2, 0, other);
    tracker_out(t, other, TRACKER_NONE);
    tracker_leave(t, 1, 1, 0, p);
    tracker_out(t, p, 0);
    assert_int_equal(tracker_done(t, &found), 0);
    assert_true(near(found.shannon, 1.5) && near(found.min, 1));
    assert_true(near(found.degree, 1.5 / log2(3)));
    assert_true(near(found.guess, 0.5) && near(found.truth, 0.25));
    assert_true(near(found.collision, 0.375) && near(found.first, 0.5));
    tracker_free(&t);
}

/* Lost before anything came out there is nothing to tell; lost later, there is
 * a set without a right one in it. */
static void
figures_lost(void **state)
{
    (void)state;
    struct target_found found;
    float p[1] = {0}, q[1] = {0};
    struct tracker *t;
    assert_int_equal(tracker_new(&t, 1, 1, false, 1e-5), 0);
    assert_int_equal(tracker_tag(t, p), 0);
    tracker_rule_out(t, p, 0);
    assert_int_equal(tracker_done(t, &found), 0);
    assert_true(isnan(found.shannon) && isnan(found.truth));
    assert_true(isnan(found.min) && isnan(found.first));
    tracker_clear(t, 0);
    assert_int_equal(tracker_tag(t, p), 0);
    tracker_enter(t, 0, p);
    tracker_enter(t, 0, q);
    tracker_leave(t, 0, 2, 0, p);
    tracker_rule_out(t, p, 0);
    tracker_leave(t, 0, 1, 0, q);
    tracker_out(t, q, TRACKER_NONE);
    assert_int_equal(tracker_done(t, &found), 0);
    assert_true(isnan(found.truth) && near(found.guess, 1));
    assert_true(near(found.shannon, 0) && near(found.first, 0.5));
    tracker_free(&t);
}

const struct CMUnitTest test_tracker[] = {
    cmocka_unit_test(posterior_exact), cmocka_unit_test(corrupt_keeps),
    cmocka_unit_test(nothing_is_lost), cmocka_unit_test(loops_take_shares),
    cmocka_unit_test(labels_are_few),  cmocka_unit_test(memory_short),
    cmocka_unit_test(figures_simple),  cmocka_unit_test(figures_uneven),
    cmocka_unit_test(figures_lost),
};
TEST_SUITE(test_tracker);
