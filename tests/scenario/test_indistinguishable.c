/* tests/scenario/test_indistinguishable.c - I1 and I2: a client that sends and
 * receives back to back cannot be told from one that does nothing, neither by
 * its wire nor by its gateway.
 *
 * Real client and relay objects, suite null, profile fast, 4,400 virtual
 * seconds a side: 200,000 packets up (four times as many where everything is
 * tried). The tap sees what the observer sees
 * (times and sizes on the watched client's wire) and what the gateway can
 * compute: the delay in its own block of each packet, and the answers that
 * mixes bring for the client's handles (with suite null blocks are in the
 * clear). It sees also the delay that the gateway's next mix finds in what comes
 * from there, since whoever runs both must not tell either. Each statistic must keep below its threshold (false alarms: once in
 * 10^6 comparisons, see tests/stats.h) and must exceed it when 2 % of the
 * events are changed. */
#include "tests/runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/announce.h"
#include "client/conversations.h"
#include "client/places.h"
#include "lib/codec.h"
#include "lib/rng_seeded.h"
#include "lib/wire.h"
#include "tests/stats.h"
#include "tests/world.h"

#ifdef BRUSIO_DEBUG
enum { QUICK_S = 300 }; /* slow builds look for errors, not for power */
#else
enum { QUICK_S = 5600 };
#endif
enum {
    WARM_S = 60,
    ANSWERS_HANDLES = 16,
    BIN_MS = 20,
    ANNOUNCED_AT_ONCE = 48, /* each is looked for in lists for a while */
    CROWD = 500,            /* contacts */
    CROWD_TOKENS = 4,       /* of them, each second */
    BLOCK = 34              /* of a packet: after version, epoch, element */
};

/* Seconds that a side is watched, four times as many where everything is tried;
 * and room for what is seen. */
static size_t
watched_s(void)
{
    return test_proof() ? 4 * QUICK_S : QUICK_S;
}

static size_t
events_max(void)
{
    return 90 * watched_s() + 10000; /* 45.5 packets a second up, 68 down */
}

/* What was seen of one client. Times in seconds. */
struct view {
    struct world *world;
    uint32_t node, gateway;
    double from_s;
    size_t up, down, answers, mixed, wrong_size;
    double *up_s, *down_s, *answer_s, *delay, *mix_delay;
    uint64_t *id; /* of answers */
    uint8_t handle[ANSWERS_HANDLES][8];
    size_t handles;
};

static double *
room(void)
{
    double *p = calloc(events_max(), sizeof *p);
    assert_non_null(p);
    return p;
}

static void
view_make(struct view *v)
{
    *v = (struct view){.up_s = room(),
                       .down_s = room(),
                       .answer_s = room(),
                       .delay = room(),
                       .mix_delay = room()};
    v->id = (uint64_t *)(void *)room();
}

static void
view_free(struct view *v)
{
    free(v->up_s);
    free(v->down_s);
    free(v->answer_s);
    free(v->delay);
    free(v->mix_delay);
    free(v->id);
}

static void
see_up(struct view *v, double s, const uint8_t *frame)
{
    if (frame[0] == WIRE_CONTROL) {
        assert_true(v->handles < ANSWERS_HANDLES);
        memcpy(v->handle[v->handles++], frame + 2, 8);
    } else if (s >= v->from_s && v->up < events_max()) {
        v->delay[v->up] = codec_get16(frame + BLOCK + 3);
        v->up_s[v->up++] = s;
    }
}

/* A packet from the gateway to a mix: how long that one is to keep it. */
static void
see_mixed(struct view *v, double s, const uint8_t *frame)
{
    if (frame[BLOCK] == SPHINX_FORWARD && s >= v->from_s &&
        v->mixed < events_max())
        v->mix_delay[v->mixed++] = codec_get16(frame + BLOCK + 3);
}

/* A packet to the gateway: is it an answer for one of the client's handles? */
static void
see_answer(struct view *v, double s, const uint8_t *frame)
{
    if (frame[BLOCK] != SPHINX_DELIVER || s < v->from_s)
        return;
    for (size_t i = 0; i < v->handles; i++)
        if (memcmp(frame + BLOCK + 7, v->handle[i], 8) == 0) {
            v->id[v->answers] = codec_get64(frame + BLOCK + 15);
            v->answer_s[v->answers++] = s;
            return;
        }
}

static void
see(void *ctx, uint64_t now_us, uint32_t from, uint32_t to,
    const uint8_t *frame, size_t len)
{
    struct view *v = ctx;
    double s = (double)now_us / 1e6;
    v->wrong_size += len != WORLD_PACKET;
    if (from == v->node && to == v->gateway)
        see_up(v, s, frame);
    else if (from == v->gateway && to == v->node && s >= v->from_s &&
             frame[0] == WIRE_PACKET)
        v->down_s[v->down++] = s;
    else if (from == v->gateway && to < v->world->n_relays)
        see_mixed(v, s, frame);
    else if (to == v->gateway && from < v->world->n_relays)
        see_answer(v, s, frame);
}

struct course {
    bool busy, stall, announces, crowded;
    uint64_t seed;
    size_t fronts; /* conversations that had a front when they were looked at */
    size_t announced; /* tokens sent */
    size_t letters;   /* puts and letters read, to show that it was busy */
};

/* A store withholds the answers about one box, ten seconds of every minute. */
static void
stall(struct world *w, unsigned second)
{
    if (second % 60 != 0)
        return;
    for (uint32_t i = 0; i < w->n_relays; i++) {
        struct world_relay *r = &w->relay[i];
        if (!r->store || store_memory_count(r->store) == 0)
            continue;
        memcpy(r->stalled, r->last_box, sizeof r->stalled);
        r->stalled_until_us = engine_now_us(w->engine) + 10000000;
    }
}

/* One consensus for all of a course: 12 hours of it. */
static void
epoch_long(struct params *p)
{
    p->epoch_len_s = 4 * 3600;
}

/* And fronts that are taken and left all the time. */
static void
fronts_short(struct params *p)
{
    epoch_long(p);
    p->conversations.hold_min_s = 5;
    p->conversations.hold_max_s = 20;
}

static void
crowd_invite(struct client *c)
{
    char name[16], text[INVITE_TEXT_LEN];
    for (unsigned i = 0; i < CROWD; i++) {
        snprintf(name, sizeof name, "n%u", i);
        assert_int_equal(client_invite(c, name, text), 0);
    }
}

/* The user looks at one conversation after another, and the lane is full of those
 * that were announced. */
static void
crowd_stir(struct client *c, unsigned second, struct course *course)
{
    char name[16];
    for (unsigned i = 0; i < CROWD_TOKENS; i++) {
        snprintf(name, sizeof name, "n%u", (CROWD_TOKENS * second + i) % CROWD);
        places_announced(c, client_contact_id(c, name), client_period(c));
    }
    if (second % 7 != 0)
        return;
    snprintf(name, sizeof name, "n%u", 31 * second % CROWD);
    assert_int_equal(client_open(c, name), 0);
    course->fronts += fronts_of(c->fronts, env_now_mono_us(c->env),
                                client_contact_id(c, name)) >= 0;
}

static void
run(struct view *v, struct course *c)
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 2,
                                        .layers = 3,
                                        .mixes = 1,
                                        .stores = 2,
                                        .params = c->crowded ? fronts_short
                                                             : epoch_long,
                                        .seed = c->seed};
    struct client_status s;
    struct world *w = world_new(&config);
    view_make(v);
    v->world = w;
    v->from_s = WARM_S;
    v->node = w->n_relays; /* the first client's */
    engine_tap(w->engine, see, v);
    struct world_client *a = world_client_add(w, "fast", 0);
    struct world_client *b = world_client_add(w, "fast", 1);
    assert_int_equal(a->node, v->node);
    world_run_s(w, 5);
    world_pair(w, a, "b", b, "a");
    if (c->crowded)
        crowd_invite(a->client);
    world_run_s(w, WARM_S - 5);
    for (unsigned i = 0; i < watched_s(); i++) {
        if (c->busy)
            world_keep_busy(a, "b", b, "a");
        if (c->stall)
            stall(w, i);
        if (c->crowded)
            crowd_stir(a->client, i, c);
        while (c->announces && announce_count(a->client) < ANNOUNCED_AT_ONCE)
            announce_left(a->client, announce_self(a->client, NULL));
        world_run_s(w, 1);
    }
    client_status(a->client, &s);
    c->letters = s.puts;
    c->announced = s.announced;
    engine_tap(w->engine, NULL, NULL);
    world_free(&w);
}

/* ---- the statistics; each takes two views and gives one number ---- */

static double *
gaps(const double *at, size_t n)
{
    double *g = room();
    for (size_t i = 1; i < n; i++)
        g[i - 1] = at[i] - at[i - 1];
    return g;
}

static double
ks_of_gaps(const double *a, size_t n, const double *b, size_t m)
{
    double *x = gaps(a, n), *y = gaps(b, m);
    double d = stats_ks(x, n - 1, y, m - 1) / STATS_KS_ALARM;
    free(x);
    free(y);
    return d;
}

static double
send_gaps(const struct view *a, const struct view *b)
{
    return ks_of_gaps(a->up_s, a->up, b->up_s, b->up);
}

static double
arrival_gaps(const struct view *a, const struct view *b)
{
    return ks_of_gaps(a->down_s, a->down, b->down_s, b->down);
}

static double
answer_gaps(const struct view *a, const struct view *b)
{
    return ks_of_gaps(a->answer_s, a->answers, b->answer_s, b->answers);
}

static double *
counts(const double *at, size_t n, double bin_s, size_t bins)
{
    double *c = calloc(bins, sizeof *c);
    assert_non_null(c);
    for (size_t i = 0; i < n; i++) {
        size_t k = (size_t)((at[i] - WARM_S) / bin_s);
        if (k < bins)
            c[k]++;
    }
    return c;
}

/* Events in every second: their mean. */
static double
send_counts(const struct view *a, const struct view *b)
{
    double *x = counts(a->up_s, a->up, 1, watched_s());
    double *y = counts(b->up_s, b->up, 1, watched_s());
    double z = stats_mean_z(x, watched_s(), y, watched_s()) / STATS_ALARM;
    free(x);
    free(y);
    return fabs(z);
}

/* One interval tells nothing of the next. */
static double
send_memory(const struct view *a, const struct view *b)
{
    size_t n = (a->up < b->up ? a->up : b->up) - 2;
    double *x = gaps(a->up_s, a->up), *y = gaps(b->up_s, b->up);
    double z = stats_correlation_z(stats_correlation(x, x, n, 1),
                                   stats_correlation(y, y, n, 1), n);
    free(x);
    free(y);
    return fabs(z) / STATS_ALARM;
}

static double
ks_of_delays(const double *a, size_t n, const double *b, size_t m)
{
    double *x = room(), *y = room();
    memcpy(x, a, n * sizeof *x);
    memcpy(y, b, m * sizeof *y);
    double d = stats_ks(x, n, y, m) / STATS_KS_ALARM;
    free(x);
    free(y);
    return d;
}

/* The delay in the gateway's own block. */
static double
delays(const struct view *a, const struct view *b)
{
    return ks_of_delays(a->delay, a->up, b->delay, b->up);
}

/* The delay in the first mix's block. */
static double
mix_delays(const struct view *a, const struct view *b)
{
    return ks_of_delays(a->mix_delay, a->mixed, b->mix_delay, b->mixed);
}

/* Lags from every packet out to the answers of the next eight seconds, each
 * tenth packet: the cross-correlogram's shape. Pairs of one packet depend on
 * each other little at this rate, so they are compared by blocks of time. */
enum { LAG_BINS = 2000, BLOCKS = 100 };
static void
lags_fill(const struct view *v, double (*density)[BLOCKS])
{
    size_t first = 0;
    double pairs[BLOCKS] = {0};
    memset(density, 0, sizeof(double[LAG_BINS][BLOCKS]));
    for (size_t i = 0; i < v->up; i++) {
        size_t block = (size_t)((v->up_s[i] - WARM_S) * BLOCKS /
                                ((double)watched_s() + 1));
        while (first < v->answers && v->answer_s[first] < v->up_s[i])
            first++;
        for (size_t k = first; k < v->answers; k++) {
            double lag = v->answer_s[k] - v->up_s[i];
            if (lag >= 8 || block >= BLOCKS)
                break;
            density[(size_t)(lag / 8 * LAG_BINS)][block]++;
            pairs[block]++;
        }
    }
    for (size_t b = 0; b < LAG_BINS; b++)
        for (size_t k = 0; k < BLOCKS; k++)
            density[b][k] /= pairs[k] > 0 ? pairs[k] : 1;
}

static double
lags(const struct view *a, const struct view *b)
{
    static double x[LAG_BINS][BLOCKS], y[LAG_BINS][BLOCKS];
    double worst = 0;
    lags_fill(a, x);
    lags_fill(b, y);
    for (size_t i = 0; i < LAG_BINS; i++) {
        /* 2,000 bins, and Student's law of 200 blocks: 7.2 for 10^-6 in all */
        double z = fabs(stats_mean_z(x[i], BLOCKS - 1, y[i], BLOCKS - 1)) / 7.2;
        if (z > worst)
            worst = z;
    }
    return worst;
}

/* Packets out in one bin of 20 ms, answers in the next. */
static double
cross_correlation(const struct view *a, const struct view *b)
{
    const size_t bins = watched_s() * 1000 / BIN_MS;
    double *x = counts(a->up_s, a->up, BIN_MS / 1e3, bins);
    double *xa = counts(a->answer_s, a->answers, BIN_MS / 1e3, bins);
    double *y = counts(b->up_s, b->up, BIN_MS / 1e3, bins);
    double *ya = counts(b->answer_s, b->answers, BIN_MS / 1e3, bins);
    double z = stats_correlation_z(stats_correlation(x, xa, bins, 1),
                                   stats_correlation(y, ya, bins, 1), bins);
    free(x);
    free(xa);
    free(y);
    free(ya);
    return fabs(z) / STATS_ALARM;
}

/* Every packet has one answer; those of the last seconds are under way. */
static double
answered(const struct view *a, const struct view *b)
{
    double p = (double)a->answers / (double)a->up;
    double q = (double)b->answers / (double)b->up;
    return fabs(p - q) / 0.01;
}

static const struct {
    const char *name;
    double (*of)(const struct view *a, const struct view *b);
} statistic[] = {{"intervals between packets out", send_gaps},
                 {"intervals between frames in", arrival_gaps},
                 {"packets out each second", send_counts},
                 {"memory of intervals", send_memory},
                 {"delay at the gateway", delays},
                 {"intervals between answers", answer_gaps},
                 {"lag from packet to answers", lags},
                 {"packets out against answers", cross_correlation},
                 {"answers of a packet", answered},
                 {"delay at the first mix", mix_delays}};
enum { STATISTICS = sizeof statistic / sizeof statistic[0] };

/* ---- planted changes of 2 % ---- */

static void
view_copy(struct view *to, const struct view *from)
{
    view_make(to);
    to->up = from->up;
    to->down = from->down;
    to->answers = from->answers;
    to->mixed = from->mixed;
    memcpy(to->up_s, from->up_s, from->up * sizeof(double));
    memcpy(to->delay, from->delay, from->up * sizeof(double));
    memcpy(to->mix_delay, from->mix_delay, from->mixed * sizeof(double));
    memcpy(to->down_s, from->down_s, from->down * sizeof(double));
    memcpy(to->answer_s, from->answer_s, from->answers * sizeof(double));
}

static int
by_time(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static bool
fiftieth(size_t i)
{
    return i % 50 == 7;
}

/* Change 2 % of the events in the way that statistic k is to see. */
static void
plant(struct view *v, size_t k)
{
    size_t n = 0;
    switch (k) {
    case 0: /* 2 % go out right after the one before */
    case 3: /* and so does the next: short ones follow short ones */
        for (size_t i = 3; i < v->up; i++)
            if (fiftieth(i)) {
                v->up_s[i] = v->up_s[i - 1] + 1e-6;
                if (k == 3 && i + 1 < v->up)
                    v->up_s[i + 1] += 0.15;
            }
        qsort(v->up_s, v->up, sizeof(double), by_time);
        break;
    case 1: /* 2 % of the frames come half an interval late */
        for (size_t i = 0; i < v->down; i++)
            if (fiftieth(i))
                v->down_s[i] += 0.007;
        break;
    case 2: /* 2 % more packets */
        n = v->up;
        for (size_t i = 0; i < n; i++)
            if (fiftieth(i))
                v->up_s[v->up++] = v->up_s[i];
        break;
    case 4: /* 2 % do not wait */
        for (size_t i = 0; i < v->up; i++)
            if (fiftieth(i))
                v->delay[i] = 0;
        break;
    case 5: /* 2 % of the answers come two at a time */
        for (size_t i = 1; i < v->answers; i++)
            if (fiftieth(i))
                v->answer_s[i] = v->answer_s[i - 1];
        break;
    case 6: /* 2 % are answered after exactly one second */
    case 7: /* or at once */
        for (size_t i = 0; i < v->up && i < v->answers; i++)
            if (fiftieth(i))
                v->answer_s[i] = v->up_s[i] + (k == 6 ? 1 : BIN_MS / 1e3);
        qsort(v->answer_s, v->answers, sizeof(double), by_time);
        break;
    case 9: /* 2 % do not wait there */
        for (size_t i = 0; i < v->mixed; i++)
            if (fiftieth(i))
                v->mix_delay[i] = 0;
        break;
    default: /* 2 % are not answered */
        v->answers -= v->answers / 50;
    }
}

static void
compare(const char *what, const struct view *a, const struct view *b)
{
    unsigned alarms = 0;
    for (size_t k = 0; k < STATISTICS; k++) {
        double z = statistic[k].of(a, b);
        printf("  %s, %s: %.2f of the threshold\n", what, statistic[k].name, z);
        alarms += z >= 1;
    }
    assert_int_equal(alarms, 0);
}

static int
by_id(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Numbers of answers: none twice, none out of the client's own. */
static void
ids_differ(struct view *v)
{
    size_t twice = 0;
    qsort(v->id, v->answers, sizeof *v->id, by_id);
    for (size_t i = 1; i < v->answers; i++)
        twice += v->id[i] == v->id[i - 1];
    assert_int_equal(twice, 0);
}

static struct view idle, busy, stalled, announcing, crowded;

static int
courses_run(void **state)
{
    (void)state;
    struct course c[5] = {
        {.seed = test_seed()},
        {.busy = true, .seed = test_seed() + 100},
        {.busy = true, .stall = true, .seed = test_seed() + 200},
        {.announces = true, .seed = test_seed() + 300},
        {.crowded = true, .seed = test_seed() + 400}};
    run(&idle, &c[0]);
    run(&busy, &c[1]);
    run(&stalled, &c[2]);
    run(&announcing, &c[3]);
    run(&crowded, &c[4]);
    printf("  packets out: idle %zu, busy %zu, stalled %zu; puts %zu, %zu, "
           "%zu\n",
           idle.up, busy.up, stalled.up, c[0].letters, c[1].letters,
           c[2].letters);
    printf("  announced: idle %zu, busy %zu, announcing %zu\n", c[0].announced,
           c[1].announced, c[3].announced);
    printf("  of %u contacts %zu had a front\n", (unsigned)CROWD, c[4].fronts);
    /* the busy ones really were, the idle one, who writes to itself twice in an hour,
     * was not */
    return c[0].letters < 10 + watched_s() / 500 &&
                   c[1].letters > 5 * watched_s() &&
                   c[2].letters > 3 * watched_s() &&
                   c[3].announced > watched_s() / 8 &&
                   c[4].fronts > watched_s() / 20
               ? 0
               : -1;
}

static int
courses_free(void **state)
{
    (void)state;
    view_free(&idle);
    view_free(&busy);
    view_free(&stalled);
    view_free(&announcing);
    view_free(&crowded);
    return 0;
}

static void
i1_i2_busy_looks_idle(void **state)
{
    (void)state;
    assert_true(QUICK_S < 4400 || (idle.up >= 100000 && busy.up >= 100000));
    assert_int_equal(idle.wrong_size + busy.wrong_size, 0); /* I1 */
    compare("busy", &busy, &idle);
    ids_differ(&busy);
    ids_differ(&idle);
}

static void
i2_a_withholding_store_does_not_show(void **state)
{
    (void)state;
    assert_true(QUICK_S < 4400 || stalled.up >= 100000);
    compare("stalled", &stalled, &idle);
}

/* Loops and idle ticks of sending that are announcements: neither wire nor gateway
 * nor first mix can tell. */
static void
i2_who_announces_looks_idle(void **state)
{
    (void)state;
    assert_true(QUICK_S < 4400 || announcing.up >= 100000);
    assert_int_equal(announcing.wrong_size, 0);
    compare("announcing", &announcing, &idle);
}

/* 500 contacts, of whom one after the other has a front for some seconds, and whose
 * tokens come all the time, against one. */
static void
i2_five_hundred_contacts_look_like_one(void **state)
{
    (void)state;
    assert_true(QUICK_S < 4400 || crowded.up >= 100000);
    assert_int_equal(crowded.wrong_size, 0);
    compare("crowded", &crowded, &idle);
}

/* Every statistic sees 2 %. */
static void
two_per_cent_are_seen(void **state)
{
    (void)state;
    if (QUICK_S < 4400) {
        puts("  not looked at in this build");
        return;
    }
    for (size_t k = 0; k < STATISTICS; k++) {
        struct view v;
        view_copy(&v, &busy);
        plant(&v, k);
        double z = statistic[k].of(&v, &idle);
        printf("  2 %% planted, %s: %.2f of the threshold\n", statistic[k].name,
               z);
        if (z < 1)
            fail_msg("a change of 2 %% in '%s' is not seen: %.2f",
                     statistic[k].name, z);
        view_free(&v);
    }
}

/* What must not be done is seen: a rate that follows the load (a packet more
 * for each message), and loops that are answered sooner than messages. */
static void
rules_broken_are_seen(void **state)
{
    (void)state;
    if (QUICK_S < 4400) {
        puts("  not looked at in this build");
        return;
    }
    struct view v;
    size_t n = busy.up;
    view_copy(&v, &busy);
    for (size_t i = 0; i < n && v.up < events_max(); i += 20)
        v.up_s[v.up++] = v.up_s[i] + 0.001;
    qsort(v.up_s, v.up, sizeof(double), by_time);
    assert_true(send_counts(&v, &idle) >= 1);
    assert_true(send_gaps(&v, &idle) >= 1);
    view_free(&v);
    view_copy(&v, &busy);
    for (size_t i = 0; i < v.up && i < v.answers; i += 4)
        v.answer_s[i] = v.up_s[i] + 0.7;
    qsort(v.answer_s, v.answers, sizeof(double), by_time);
    assert_true(lags(&v, &idle) >= 1);
    view_free(&v);
    /* a loop that is shorter than a message: the tap counts sizes */
    uint8_t frame[WORLD_PACKET] = {WIRE_PACKET};
    struct view tap = {.node = 1, .gateway = 2, .from_s = 1e9};
    see(&tap, 0, 1, 2, frame, WORLD_PACKET);
    assert_int_equal(tap.wrong_size, 0);
    see(&tap, 0, 1, 2, frame, WORLD_PACKET - 16);
    assert_int_equal(tap.wrong_size, 1);
}

const struct CMUnitTest test_indistinguishable[] = {
    cmocka_unit_test_setup_teardown(i1_i2_busy_looks_idle, courses_run, NULL),
    cmocka_unit_test(i2_a_withholding_store_does_not_show),
    cmocka_unit_test(i2_who_announces_looks_idle),
    cmocka_unit_test(i2_five_hundred_contacts_look_like_one),
    cmocka_unit_test(two_per_cent_are_seen),
    cmocka_unit_test_setup_teardown(rules_broken_are_seen, NULL, courses_free),
};
TEST_SUITE(test_indistinguishable);
