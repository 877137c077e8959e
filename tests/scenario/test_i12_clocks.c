/* tests/scenario/test_i12_clocks.c - I12: the deadlines that a client writes do
 * not show by its clock which boxes are its own.
 *
 * Whoever reads a deadline knows when its packet came, so where the sender's
 * clock stands. A store that estimates that for each box, and a gateway that
 * does for each client, could put together what has the same error. Here the
 * pure parts run that decide it, client/heard/nettime.c and request_deadline(), for
 * clients whose clocks err by up to 5 s and drift by up to 50 ppm, behind lines
 * of 0 to 100 ms, in networks whose stores' clocks err by up to 100 ms and are
 * up to 150 ms further off than others. Two boxes of each client are seen by one
 * store, polled as often as a hottest one, and each of its packets by the
 * gateway.
 *
 * The attacker estimates as well as can be done, by the score of the law (one
 * step from the mean), which is held against the bound of Cramer and Rao. What
 * he can have at best follows from how far the clients' shifts are apart, which
 * is measured without noise, and from his own errors: the distance in variation
 * of (two estimates of one client) and (one each of two), summed on a grid. It
 * has no error of sampling but that of the shifts, 1 / sqrt(2 n) of them, and a
 * quick run, which looks for an hour, reckons his errors down to those of a day.
 * He is also let try, with alarms once in 10^6. How times vary within seconds is
 * left out: the deadlines of so short a time are too few to see it.
 *
 * The control: clients that go by their own clocks.
 *
 * Whole clients are held against this in test_i12_times.c.
 *
 * Defences: request_deadline(), client/heard/nettime.c, NETTIME_MEAN. */
#include "tests/runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/heard/nettime.h"
#include "network/request.h"
#include "tests/network.h"
#include "tests/stats.h"

enum { STORES_MAX = 128, BINS = 8000, BIN_US = 10000, HOUR_S = 3600 };

#define SETTLED_S 120.0              /* looked at after */
#define WALL_US   1700000000000000LL /* at 0 s */
#define OWN_S     5.0                /* clients' clocks err by up to */
#define DRIFT     50e-6
#define LINE_S    0.1 /* clients' lines */
#define STORE_S   0.1 /* stores' clocks err by up to */
#define FAR_S     0.15
#define LINK_S    0.06  /* between relays up to, with a tail of */
#define TAIL_S    0.005 /* this mean */
#define ADVANTAGE 0.01  /* may be had at most in a day */

/* ---- the law, as the attacker knows it ---- */

/* Of a packet that comes at t: deadline - t - slack - shift is x with
 * probability over(x) - over(x - unit). */
struct law {
    double slack_s, third_s, unit_s;
    double information; /* of one deadline, 1/s^2 */
};

/* The distribution of a sum of three uniform draws, and its density. */
static double
sum_below(const struct law *l, double x_s, bool density)
{
    static const double weight[] = {1, -3, 3, -1};
    double sum = 0;
    for (unsigned k = 0; k < 4; k++) {
        const double x = x_s / l->third_s - k;
        if (x > 0)
            sum +=
                weight[k] * (density ? x * x / 2 / l->third_s : x * x * x / 6);
    }
    return sum;
}

/* How the logarithm of what is seen grows with the shift. */
static double
score(const struct law *l, double x_s)
{
    const double p =
        sum_below(l, x_s, false) - sum_below(l, x_s - l->unit_s, false);
    return p > 1e-12 ? -(sum_below(l, x_s, true) -
                         sum_below(l, x_s - l->unit_s, true)) /
                           p
                     : 0;
}

static struct law
law_of(const struct params *p)
{
    struct law l = {p->deadline_slack_s, p->deadline_spread_s / 3.0,
                    p->deadline_unit_s, 0};
    const double step_s = BIN_US / 1e6;
    for (unsigned i = 0; i * step_s < 3 * l.third_s + l.unit_s; i++) {
        const double x = i * step_s, s = score(&l, x);
        l.information +=
            step_s / l.unit_s * s * s *
            (sum_below(&l, x, false) - sum_below(&l, x - l.unit_s, false));
    }
    return l;
}

/* What one who reads deadlines has of one sender: their x, counted. */
struct view {
    uint32_t n, bin[BINS];
};

static void
view_note(struct view *v, const struct law *l, double came_s, uint16_t deadline)
{
    const double x_us =
        1e6 * (deadline * l->unit_s - came_s - l->slack_s + 2 * OWN_S);
    assert_true(x_us >= 0 && x_us < (double)BINS * BIN_US);
    v->bin[(size_t)(x_us / BIN_US)]++;
    v->n++;
}

/* The sender's shift, in seconds. */
static double
view_estimate(const struct view *v, const struct law *l)
{
    double mean = 0, sum = 0;
    for (size_t i = 0; i < BINS; i++)
        mean += v->bin[i] * ((double)i + .5) * BIN_US / 1e6 / v->n;
    mean -= 2 * OWN_S + (3 * l->third_s + l->unit_s) / 2;
    for (size_t i = 0; i < BINS; i++)
        if (v->bin[i])
            sum += v->bin[i] *
                   score(l, ((double)i + .5) * BIN_US / 1e6 - 2 * OWN_S - mean);
    return mean + sum / (v->n * l->information);
}

/* ---- clients ---- */

struct course {
    unsigned clients, stores;
    double hours;
    bool compares; /* their time with stores' */
    bool sends;    /* every tick that may carries a letter, and is no loop */
};

/* What a store and a gateway can see of some clients, seconds. */
struct seen {
    size_t n;
    double *at_store, *at_gateway;   /* shifts as they are */
    double *box[2], *gateway;        /* as they are estimated */
    double box_count, gateway_count; /* deadlines, each */
};

struct stores {
    unsigned n;
    struct relay_entry entry[STORES_MAX];
    double off_s[STORES_MAX]; /* clock, and way beyond the others' */
};

static double
uniform(struct test_env *e, double low, double high)
{
    uint64_t bits;
    env_random_traffic(&e->env, &bits, sizeof bits);
    return low + (high - low) * (double)(bits >> 11) / 9007199254740992.0;
}

static double
exponential(struct test_env *e, double mean)
{
    return -mean * log(1 - uniform(e, 0, 1));
}

static void
stores_make(struct stores *s, struct test_env *e, unsigned n)
{
    memset(s, 0, sizeof *s);
    s->n = n;
    for (unsigned i = 0; i < n; i++) {
        s->entry[i].role = ROLE_STORE;
        s->entry[i].identity[0] = (uint8_t)(i + 1);
        s->off_s[i] = uniform(e, -STORE_S, STORE_S) + uniform(e, 0, FAR_S);
    }
}

/* One client's view of the time. */
struct person {
    struct nettime time;
    double drift, line_s;
    int64_t own_base_us, base_us;
    bool compares;
};

static uint64_t
mono_us(const struct person *p, double t_s)
{
    return 1000000 + (uint64_t)(t_s * (1 + p->drift) * 1e6);
}

static void
person_make(struct person *p, struct test_env *e, bool compares)
{
    *p = (struct person){.drift = uniform(e, -DRIFT, DRIFT),
                         .line_s = uniform(e, 0, LINE_S),
                         .compares = compares};
    p->own_base_us =
        WALL_US - 1000000 + (int64_t)(1e6 * uniform(e, -OWN_S, OWN_S));
}

/* How far its time is ahead at t. */
static double
ahead_s(struct person *p, const struct stores *s, double t_s, bool anew)
{
    const uint64_t now_us = mono_us(p, t_s);
    const unsigned families = s->n < NETTIME_FAMILIES ? s->n : NETTIME_FAMILIES;
    if (anew)
        p->base_us = p->compares ? nettime_base_us(&p->time, families,
                                                   p->own_base_us, now_us)
                                 : p->own_base_us;
    return (double)((int64_t)now_us + p->base_us - WALL_US) / 1e6 - t_s;
}

/* Draw a deadline as a client does whose time is `ahead` when its packet comes,
 * and show it. */
static void
deadline_show(struct view *v, const struct params *p, const struct law *l,
              struct test_env *e, double came_s, double ahead)
{
    const double after_s = fmod(came_s, HOUR_S) + 2 * OWN_S;
    view_note(v, l, after_s,
              request_deadline(p, &e->env, (uint64_t)(1e6 * (after_s + ahead)),
                               false));
}

/* The kinds of a tick that matter here. */
enum tick { TICK_OTHER, TICK_LOOP, TICK_WATCHED };

/* The clock of the profile `default`, one poll in eight to the fallback
 * store. */
static enum tick
tick_draw(struct test_env *e, const struct profile *p, bool sends)
{
    const double at_mhz =
        uniform(e, 0, p->send_mhz + p->poll_mhz + p->loop_mhz);
    if (at_mhz >= p->poll_mhz)
        return sends && at_mhz < p->poll_mhz + p->send_mhz ? TICK_OTHER
                                                           : TICK_LOOP;
    return at_mhz < p->poll_mhz * 35.0 / 64 * 7 / 8 ? TICK_WATCHED : TICK_OTHER;
}

/* A client for some hours, whose boxes are both at the first store. */
static void
person_live(struct person *p, const struct course *c, const struct stores *s,
            const struct params *params, const struct law *l,
            struct test_env *e, struct view *view, double shift_s[static 2])
{
    const struct profile *profile = params_profile(params, "default");
    const double rate =
        (profile->send_mhz + profile->poll_mhz + profile->loop_mhz) / 1e3;
    double sum[2] = {0};
    for (double t = 0; (t += exponential(e, 1 / rate)) < c->hours * HOUR_S;) {
        const enum tick tick = tick_draw(e, profile, c->sends);
        const double to_gateway_s = p->line_s;
        double to_store_s = to_gateway_s + exponential(e, TAIL_S);
        for (unsigned i = 0; i < 3; i++)
            to_store_s += uniform(e, 0, LINK_S);
        if (tick == TICK_LOOP && p->compares) {
            const unsigned i = (unsigned)uniform(e, 0, s->n);
            const uint64_t now_us = mono_us(p, t);
            nettime_note(&p->time, &s->entry[i],
                         (uint64_t)(WALL_US / 1000) +
                             (uint64_t)(1e3 * (t + to_store_s + s->off_s[i])),
                         now_us, now_us);
        }
        const double ahead = ahead_s(p, s, t, tick == TICK_WATCHED);
        if (t < SETTLED_S)
            continue;
        deadline_show(&view[2], params, l, e, t + to_gateway_s,
                      ahead - to_gateway_s);
        sum[1] += ahead - to_gateway_s;
        if (tick != TICK_WATCHED)
            continue;
        for (unsigned i = 0; i < 2; i++)
            deadline_show(&view[i], params, l, e, t + to_store_s,
                          ahead - to_store_s);
        sum[0] += ahead - to_store_s;
    }
    shift_s[0] = sum[0] / view[0].n;
    shift_s[1] = sum[1] / view[2].n;
}

static void
seen_make(struct seen *s, const struct course *c, uint64_t seed)
{
    struct view *view = calloc(3, sizeof *view);
    double *memory = calloc(5 * c->clients, sizeof *memory);
    struct test_env e;
    struct stores stores;
    struct params params;
    assert_true(view && memory);
    params_default(&params, HOUR_S);
    const struct law law = law_of(&params);
    test_env_init(&e, test_seed() + seed);
    stores_make(&stores, &e, c->stores);
    *s =
        (struct seen){.n = c->clients,
                      .at_store = memory,
                      .at_gateway = memory + c->clients,
                      .box = {memory + 2 * c->clients, memory + 3 * c->clients},
                      .gateway = memory + 4 * c->clients};
    for (size_t i = 0; i < c->clients; i++) {
        struct person p;
        double shift_s[2];
        memset(view, 0, 3 * sizeof *view);
        person_make(&p, &e, c->compares);
        person_live(&p, c, &stores, &params, &law, &e, view, shift_s);
        s->at_store[i] = shift_s[0];
        s->at_gateway[i] = shift_s[1];
        s->box[0][i] = view_estimate(&view[0], &law);
        s->box[1][i] = view_estimate(&view[1], &law);
        s->gateway[i] = view_estimate(&view[2], &law);
        s->box_count += (double)view[0].n / c->clients;
        s->gateway_count += (double)view[2].n / c->clients;
    }
    free(view);
}

static void
seen_free(struct seen *s)
{
    free(s->at_store);
}

/* ---- what can be had of it ---- */

static double
deviation(const double *x, const double *less, size_t n)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = x[i] - (less ? less[i] : 0);
        sum += d;
        squares += d * d;
    }
    return sqrt((squares - sum * sum / (double)n) / ((double)n - 1));
}

enum { GRID = 121 }; /* from -6 to 6 deviations beyond the shifts */

/* Densities on the grid of estimates whose errors have this deviation, for each
 * of n shifts. */
static double *
densities(const double *shift_s, size_t n, double error_s, double *step)
{
    double *d = calloc(n * GRID, sizeof *d), mean = 0, far = 0;
    assert_non_null(d);
    for (size_t i = 0; i < n; i++)
        mean += shift_s[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        far = fmax(far, fabs(shift_s[i] - mean) / error_s);
    *step = 2 * (6 + far) / (GRID - 1);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < GRID; k++) {
            const double x = *step * ((double)k - (GRID - 1) / 2.0) -
                             (shift_s[i] - mean) / error_s;
            d[i * GRID + k] = exp(-x * x / 2) / sqrt(2 * acos(-1));
        }
    return d;
}

/* The best advantage in telling two estimates of one client from one each of
 * two, when errors have these deviations. */
static double
advantage(const double *a_s, double a_error_s, const double *b_s,
          double b_error_s, size_t n)
{
    double step_a, step_b, sum = 0;
    double *a = densities(a_s, n, a_error_s, &step_a);
    double *b = densities(b_s, n, b_error_s, &step_b);
    for (size_t x = 0; x < GRID; x++)
        for (size_t y = 0; y < GRID; y++) {
            double same = 0, one = 0, other = 0;
            for (size_t i = 0; i < n; i++) {
                same += a[i * GRID + x] * b[i * GRID + y];
                one += a[i * GRID + x];
                other += b[i * GRID + y];
            }
            sum += fabs(same - one * other / (double)n) / (double)n;
        }
    free(a);
    free(b);
    return sum / 2 * step_a * step_b;
}

/* How well estimates a and b of one client are told from those of two by how
 * near they are: the advantage, and (*ks) how many alarms' worth that is. */
static double
attempt(const double *a, const double *b, size_t n, double *ks)
{
    enum { OTHERS = 8 };
    double *same = calloc(n, sizeof *same);
    double *other = calloc(n * OTHERS, sizeof *other);
    size_t m = 0;
    double shift = 0; /* between a store's estimates and a gateway's */
    assert_true(same && other);
    for (size_t i = 0; i < n; i++)
        shift += (b[i] - a[i]) / (double)n;
    for (size_t i = 0; i < n; i++) {
        same[i] = fabs(a[i] - b[i] + shift);
        for (size_t k = 1; k <= OTHERS; k++)
            other[m++] = fabs(a[i] - b[(i + k) % n] + shift);
    }
    const double d = stats_ks(same, n, other, m);
    *ks = d / STATS_KS_ALARM;
    free(same);
    free(other);
    return d / sqrt((double)n * (double)m / (double)(n + m));
}

static void
tried_print(const char *who, const double *a, const double *b, size_t n,
            double *advantage_had, double *ks)
{
    *advantage_had = attempt(a, b, n, ks);
    printf("    %s tries: advantage %.3f, %.2f of the alarm\n", who,
           *advantage_had, *ks);
}

/* Of the best estimates errors are 1 / sqrt(n I); *day_s: after a day. */
static void
errors_check(const char *who, const struct seen *s, const double *estimate,
             const double *is, double count, double hours, double *day_s)
{
    struct params params;
    params_default(&params, HOUR_S);
    const double bound_s = 1 / sqrt(count * law_of(&params).information);
    const double error_s = deviation(estimate, is, s->n);
    *day_s = error_s * sqrt(hours / 24);
    printf("    %s, %.0f deadlines: errors %.1f ms, by the bound %.1f\n", who,
           count, error_s * 1e3, bound_s * 1e3);
    /* of n normal errors; the step from the mean loses next to nothing */
    assert_true(fabs(error_s / bound_s - 1) <
                STATS_ALARM / sqrt(2 * ((double)s->n - 1)) + 0.01);
}

static void
course_hold(const struct course *c)
{
    struct seen s;
    double store_s, gateway_s, had, ks;
    seen_make(&s, c, c->stores);
    printf("  %u clients%s, %u stores, %.0f h\n", c->clients,
           c->sends ? " that send all the time" : "", c->stores, c->hours);
    errors_check("a store", &s, s.box[0], s.at_store, s.box_count, c->hours,
                 &store_s);
    errors_check("a gateway", &s, s.gateway, s.at_gateway, s.gateway_count,
                 c->hours, &gateway_s);
    const double apart_s = deviation(s.at_store, NULL, s.n);
    const double alone =
        advantage(s.at_store, store_s, s.at_store, store_s, s.n);
    const double both =
        advantage(s.at_store, store_s, s.at_gateway, gateway_s, s.n);
    printf("    clients' times are %.2f ms apart (a gateway's %.2f); best "
           "advantage after 24 h: store %.4f, store and gateway %.4f; by the "
           "formula %.4f, %.4f\n",
           apart_s * 1e3, deviation(s.at_gateway, NULL, s.n) * 1e3, alone, both,
           apart_s * apart_s / acos(-1) / store_s / store_s,
           apart_s * apart_s / acos(-1) / store_s / gateway_s);
    tried_print("a store", s.box[0], s.box[1], s.n, &had, &ks);
    assert_true(ks < 1);
    tried_print("a store and a gateway", s.box[0], s.gateway, s.n, &had, &ks);
    assert_true(ks < 1);
    seen_free(&s);
    assert_true(alone < ADVANTAGE);
    assert_true(both < ADVANTAGE);
}

static void
i12_a_days_deadlines_tie_no_boxes(void **state)
{
    (void)state;
    /* sixteen is the worst: each store is heard, and each seldom */
    static const struct course course[] = {
        {.clients = 1000, .stores = NETTIME_STORES, .compares = true},
        {.clients = 250, .stores = 3, .compares = true},
        {.clients = 250,
         .stores = NETTIME_STORES,
         .compares = true,
         .sends = true},
        {.clients = 250, .stores = 100, .compares = true}};
    for (size_t i = 0; i < sizeof course / sizeof course[0]; i++) {
        struct course c = course[i];
        c.hours = test_proof() ? 24 : 1;
        c.clients = test_proof() ? c.clients : 100;
        course_hold(&c);
    }
}

/* Who goes by its own clock is known by it. */
static void
i12_clocks_that_are_not_compared_tie_boxes(void **state)
{
    (void)state;
    const struct course c = {
        .clients = 100, .stores = 3, .hours = test_proof() ? 24 : 1};
    struct seen s;
    double store, both, ks;
    seen_make(&s, &c, 7);
    printf("  %u clients with clocks of their own, %.0f h\n", c.clients,
           c.hours);
    tried_print("a store", s.box[0], s.box[1], s.n, &store, &ks);
    tried_print("a store and a gateway", s.box[0], s.gateway, s.n, &both, &ks);
    seen_free(&s);
    assert_true(store > 0.8 && both > 0.8);
}

const struct CMUnitTest test_i12_clocks[] = {
    cmocka_unit_test(i12_a_days_deadlines_tie_no_boxes),
    cmocka_unit_test(i12_clocks_that_are_not_compared_tie_boxes),
};
TEST_SUITE(test_i12_clocks);
