/* tests/scenario/test_i2_rate.c - I2: a tick ends in exactly one frame, also
 * when the request that it was meant for cannot be made.
 *
 * Whoever runs a gateway and a store, or a store alone, can see to it that no
 * packet can be made for that store: by calling both one family, or by a packet
 * key of low order. What a client asks that store for depends on whom its user
 * talks with, so a tick that sends nothing tells the wire. A gateway that the
 * consensus lists no more has the same effect.
 *
 * The user of a `fast` client writes to a contact whose box lies at the bad
 * store, then to one whose box does not, and so on; the wire sees times of
 * frames alone. For each contact they are held against the law of the profile's
 * clock: their number (Poisson) and the times between them (exponential), with
 * a false alarm in 10^6. In five minutes a frame missing out of twenty is seen,
 * in a quick run's two one out of twelve.
 *
 * Defence: requests_tick() makes a loop of what cannot be sent. */
#include "tests/runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rng.h"
#include "lib/wire.h"
#include "tests/adversary.h"
#include "tests/stats.h"

enum {
    GATEWAYS = 2,
    STORES = 4,
    RELAYS = GATEWAYS + 3 + STORES,
    BAD = RELAYS - 1, /* the last store */
    PEOPLE = 4,       /* of each kind */
    FRAMES_MAX = 1 << 20,
    EPOCH_S = 300
};

/* Times of the frames of one client that the wire sees. */
struct wire {
    uint32_t node;
    size_t n;
    double *at_s;
};

static void
wire_see(void *ctx, uint64_t now_us, uint32_t from, uint32_t to,
         const uint8_t *frame, size_t len)
{
    struct wire *x = ctx;
    (void)to;
    (void)len;
    if (from == x->node && frame[0] == WIRE_PACKET && x->n < FRAMES_MAX)
        x->at_s[x->n++] = (double)now_us / 1e6;
}

/* Gaps between the frames [first, end) */
static double *
gaps(const struct wire *x, size_t first, size_t end)
{
    double *g = calloc(end - first + 1, sizeof *g);
    assert_non_null(g);
    for (size_t i = first + 1; i < end; i++)
        g[i - first - 1] = x->at_s[i] - x->at_s[i - 1];
    return g;
}

/* How far the frames [first, end) of seconds of the wire are from a Poisson
 * clock of this rate, in thresholds. */
static double
clock_alarm(const struct wire *x, size_t first, size_t end, double seconds,
            double rate)
{
    const double want = rate * seconds, n = (double)(end - first);
    const double count = fabs(n - want) / sqrt(want) / STATS_ALARM;
    const size_t m = 4 * (size_t)want;
    struct rng_seeded rng;
    if (end - first < 3)
        return INFINITY;
    double *law = calloc(m, sizeof *law);
    assert_non_null(law);
    rng_seeded_init_u64(&rng, test_seed(), "law");
    for (size_t i = 0; i < m; i++)
        law[i] =
            (double)rng_exp_from(rng_seeded_u64(&rng), (uint64_t)(1e9 / rate)) /
            1e9;
    double *g = gaps(x, first, end);
    const double ks = stats_ks(g, end - first - 1, law, m) / STATS_KS_ALARM;
    free(g);
    free(law);
    return count > ks ? count : ks;
}

static double
rate_of(const struct world *w, const char *profile)
{
    const struct profile *p =
        params_profile(&w->net.consensus->params, profile);
    return (double)(p->send_mhz + p->poll_mhz + p->loop_mhz) / 1000;
}

/* ---- a course ---- */

struct course {
    uint8_t suite;
    const char *profile;
    unsigned phases, phase_s;
    const uint8_t *family;
    const bool *zero_key;
    bool gateway_leaves; /* the consensus */
};

static void
epochs_short(struct params *p)
{
    p->epoch_len_s = EPOCH_S;
    p->switch_window_s = EPOCH_S / 12;
}

/* Contacts of both kinds, the same number of each: of the first the boxes lie
 * at good stores. name[bad][i] is what the user calls them. */
struct people {
    char name[2][PEOPLE][16];
};

static void
people_make(struct people *p, struct world *w, struct world_client *a,
            struct world_client *other)
{
    unsigned made[2] = {0};
    for (unsigned i = 0; made[0] + made[1] < 2 * PEOPLE; i++) {
        char text[INVITE_TEXT_LEN], name[16], back[16];
        uint8_t box[LETTER_BOX_LEN];
        snprintf(name, sizeof name, "try%u", i);
        snprintf(back, sizeof back, "back%u", i);
        assert_int_equal(client_invite(a->client, name, text), 0);
        const bool bad = world_first_box(w, text, box) == BAD;
        if (made[bad] == PEOPLE)
            continue; /* of this kind there are enough */
        memcpy(p->name[bad][made[bad]++], name, sizeof name);
        assert_int_equal(client_add(other->client, back, text), 0);
    }
}

static void
leave(void *ctx, struct consensus *next)
{
    (void)ctx;
    /* somebody else of the same place in the order */
    next->relays[0].identity[SPHINX_ID_LEN - 1] ^= 1;
}

/* Let the time pass as a daemon does. */
static void
watched_run(struct world *w, struct world_client *a, unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        world_client_watch(a);
        world_epoch_due(w);
        world_run_s(w, 1);
    }
}

static void
course_run(const struct course *c)
{
    const struct world_config config = {.suite = c->suite,
                                        .gateways = GATEWAYS,
                                        .layers = 3,
                                        .mixes = 1,
                                        .stores = STORES,
                                        .family = c->family,
                                        .zero_key = c->zero_key,
                                        .params = epochs_short,
                                        .seed = test_seed() + 1};
    struct wire x = {.at_s = calloc(FRAMES_MAX, sizeof(double))};
    struct world *w = world_new(&config);
    struct world_client *a = world_client_add(w, c->profile, 0);
    struct world_client *other = world_client_add(w, "light", 1);
    struct people people;
    unsigned alarms = 0;
    assert_non_null(x.at_s);
    x.node = a->node;
    watched_run(w, a, 30);
    people_make(&people, w, a, other);
    if (c->gateway_leaves) {
        w->net.change = leave;
        world_epoch(w);
        w->net.change = NULL;
        watched_run(w, a, EPOCH_S + EPOCH_S / 12);
    }
    watched_run(w, a, 20);
    const double rate = rate_of(w, c->profile);
    engine_tap(w->engine, wire_see, &x);
    for (unsigned phase = 0; phase < c->phases; phase++) {
        const bool bad = phase % 2;
        (void)world_say(a, people.name[bad][phase / 2 % PEOPLE], "hello");
        watched_run(w, a, 10);
        const size_t first = x.n;
        watched_run(w, a, c->phase_s);
        const double alarm = clock_alarm(&x, first, x.n, c->phase_s, rate);
        printf("  %s: %.2f frames/s of %.2f, %.2f of the threshold\n",
               bad ? "box at the bad store" : "box elsewhere",
               (double)(x.n - first) / c->phase_s, rate, alarm);
        alarms += alarm >= 1;
    }
    engine_tap(w->engine, NULL, NULL);
    free(x.at_s);
    world_free(&w);
    assert_int_equal(alarms, 0);
}

static unsigned
phases(void)
{
    return test_proof() ? 2 * PEOPLE : 2;
}

static void
i2_a_family_does_not_show(void **state)
{
    (void)state;
    static const uint8_t family[RELAYS] = {[0] = 7, [BAD] = 7};
    const struct course c = {.suite = SPHINX_SUITE_NULL,
                             .profile = "fast",
                             .phases = phases(),
                             .phase_s = test_proof() ? 300 : 120,
                             .family = family};
    course_run(&c);
}

static void
i2_a_zero_key_does_not_show(void **state)
{
    (void)state;
    static const bool zero_key[RELAYS] = {[BAD] = true};
    const struct course c = {.suite = SPHINX_SUITE_X25519,
                             .profile = "fast",
                             .phases = phases(),
                             .phase_s = test_proof() ? 300 : 40,
                             .zero_key = zero_key};
    course_run(&c);
}

/* For three stores of four nothing can be made: most loops fail as well. */
static void
i2_zero_keys_of_most_stores_do_not_show(void **state)
{
    (void)state;
    static const bool zero_key[RELAYS] = {
        [BAD] = true, [BAD - 1] = true, [BAD - 2] = true};
    const struct course c = {.suite = SPHINX_SUITE_X25519,
                             .profile = "fast",
                             .phases = phases(),
                             .phase_s = test_proof() ? 300 : 20,
                             .zero_key = zero_key};
    course_run(&c);
}

static void
i2_a_gateway_that_leaves_does_not_show(void **state)
{
    (void)state;
    const struct course c = {.suite = SPHINX_SUITE_NULL,
                             .profile = "fast",
                             .phases = phases(),
                             .phase_s = test_proof() ? 300 : 120,
                             .gateway_leaves = true};
    course_run(&c);
}

/* In the next consensus a mix that every way has is of all stores' family. */
static void
ways_end(void *ctx, struct consensus *next)
{
    (void)ctx;
    memset(next->relays[GATEWAYS].family, 7, FAMILY_LEN);
    for (size_t i = 0; i < STORES; i++)
        memset(next->relays[RELAYS - 1 - i].family, 7, FAMILY_LEN);
}

/* Not even cover can be made any more: the clock goes on with the loops kept
 * while there are any, and then the link is left. No tick passes in silence. */
static void
i2_where_nothing_can_be_made_the_link_is_left(void **state)
{
    (void)state;
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = GATEWAYS,
                                        .layers = 3,
                                        .mixes = 1,
                                        .stores = STORES,
                                        .params = epochs_short,
                                        .seed = test_seed() + 2};
    struct wire x = {.at_s = calloc(FRAMES_MAX, sizeof(double))};
    struct world *w = world_new(&config);
    struct world_client *a = world_client_add(w, "fast", 0);
    unsigned seconds = 0;
    assert_non_null(x.at_s);
    x.node = a->node;
    world_run_s(w, 60);
    w->net.change = ways_end;
    world_epoch(w);
    engine_tap(w->engine, wire_see, &x);
    for (size_t n = 0; client_leave(a->client) == CLIENT_STAY; n = x.n) {
        world_run_s(w, 1);
        assert_true(++seconds < 2 * EPOCH_S);
        assert_true(x.n > n); /* 45 a second: by chance never */
    }
    assert_int_equal(client_leave(a->client), CLIENT_BROKEN);
    assert_true(seconds > EPOCH_S / 2);
    const double rate = rate_of(w, "fast");
    assert_true(clock_alarm(&x, 0, x.n, x.at_s[x.n - 1] - x.at_s[0], rate) < 1);
    const size_t left = x.n;
    world_run_s(w, 10);
    assert_int_equal(x.n, left);
    engine_tap(w->engine, NULL, NULL);
    free(x.at_s);
    world_free(&w);
}

/* The statistic: a right clock passes, one that misses a frame out of twenty
 * does not. */
static void
one_frame_of_twenty_is_missed(void **state)
{
    (void)state;
    enum { S = 300 };
    const double rate = 45.5;
    struct wire x = {.at_s = calloc(FRAMES_MAX, sizeof(double))},
                y = {.at_s = calloc(FRAMES_MAX, sizeof(double))};
    struct rng_seeded rng;
    assert_true(x.at_s && y.at_s);
    rng_seeded_init_u64(&rng, test_seed(), "clock");
    for (double s = 0; s < S; x.n++) {
        x.at_s[x.n] = s;
        if (x.n % 20 != 7)
            y.at_s[y.n++] = s;
        s +=
            (double)rng_exp_from(rng_seeded_u64(&rng), (uint64_t)(1e9 / rate)) /
            1e9;
    }
    const double good = clock_alarm(&x, 0, x.n, S, rate),
                 bad = clock_alarm(&y, 0, y.n, S, rate);
    printf("  a right clock %.2f of the threshold, a thinned one %.2f\n", good,
           bad);
    assert_true(good < 1);
    assert_true(bad >= 1);
    free(x.at_s);
    free(y.at_s);
}

const struct CMUnitTest test_i2_rate[] = {
    cmocka_unit_test(one_frame_of_twenty_is_missed),
    cmocka_unit_test(i2_a_family_does_not_show),
    cmocka_unit_test(i2_a_zero_key_does_not_show),
    cmocka_unit_test(i2_zero_keys_of_most_stores_do_not_show),
    cmocka_unit_test(i2_a_gateway_that_leaves_does_not_show),
    cmocka_unit_test(i2_where_nothing_can_be_made_the_link_is_left),
};
TEST_SUITE(test_i2_rate);
