/* tests/scenario/test_i12_deadlines.c - I12: the deadlines that the hops of one
 * round trip read have nothing in common.
 *
 * A hop knows when a packet came and how late it may be. If two hops' deadlines
 * depended on each other given both times, packets between them could be
 * matched through honest mixes. Here all nine blocks of each round trip are
 * read (the suite null hides nothing). What a deadline says beyond the hop's
 * own time is its rank among those of packets that came at the same fraction of
 * the unit, equal ones in random order: uniform, and independent of the time.
 * For each two hops the mutual information of their ranks is estimated: sixteen
 * classes each, the bias of the estimate taken off (Miller 1955). Independent
 * ranks give a chi-square of 225; the alarm is beyond what that gives once in
 * 10^6 runs of all 36 comparisons, 0.0018 bit in a quick run's 55,000 trips.
 *
 * The negative control: in one trip of twenty both hops have one draw.
 *
 * Defence: request_deadline() in network/request.c draws for each hop. */
#include "tests/runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codec.h"
#include "lib/wire.h"
#include "sphinx/packet.h"
#include "tests/world.h"

enum {
    LAYERS = 3,
    HOPS = 2 * (LAYERS + 1) + 1, /* out: gateway, mixes, store; and back */
    PLACES = 1 << 20,
    CLASSES = 16,
    FRACTIONS = 50, /* of a deadline's unit that are told apart */
    WARM_S = 60
};

#define ALARM 6.3 /* deviations of chi-square */

/* A round trip, found by its SURB on the way out, by the end of the answer's
 * padding on the way back. */
struct trip {
    uint64_t out, back;
    unsigned seen; /* hops */
    double came_s[HOPS];
    uint16_t deadline[HOPS];
};

struct trips {
    struct world *world;
    double from_s, unit_s;
    struct trip *trip;
    size_t n, max;
    uint32_t *by_out, *by_back; /* PLACES: number + 1 */
};

static uint32_t *
place_of(const struct trips *t, uint32_t *table, uint64_t key, bool out)
{
    size_t i = (key * 0x9e3779b97f4a7c15u >> 40) % PLACES;
    while (table[i] && (out ? t->trip[table[i] - 1].out
                            : t->trip[table[i] - 1].back) != key)
        i = (i + 1) % PLACES;
    return &table[i];
}

/* Note what the hop that gets this frame reads in its block. */
static void
hop_note(const struct trips *t, struct trip *trip, unsigned hop, double now_s,
         const uint8_t *frame)
{
    const struct sphinx_geometry *g = &t->world->net.consensus->params.geometry;
    const uint8_t *block = frame + PACKET_ELEMENT_AT + g->element_len;
    trip->deadline[hop] = codec_get16(block + BLOCK_DEADLINE_AT);
    trip->came_s[hop] = now_s;
    trip->seen |= 1u << hop;
}

static void
trips_see(void *ctx, uint64_t now_us, uint32_t from, uint32_t to,
          const uint8_t *frame, size_t len)
{
    struct trips *t = ctx;
    const struct world *w = t->world;
    const struct sphinx_geometry *g = &w->net.consensus->params.geometry;
    const double now_s = (double)now_us / 1e6;
    if (to >= w->n_relays || frame[0] != WIRE_PACKET)
        return;
    const unsigned layer = w->net.consensus->relays[to].layer;
    const uint8_t *surb =
        frame + g->header_len + SPHINX_TAG_LEN + WIRE_REQUEST_HEAD_LEN;
    const uint64_t out = codec_get64(surb + PACKET_ELEMENT_AT);
    const uint64_t back = codec_get64(frame + len - 8);
    uint32_t *place = place_of(t, t->by_out, out, true);
    if (from >= w->n_relays && now_s >= t->from_s && t->n < t->max) {
        struct trip *trip = &t->trip[t->n++];
        *place = (uint32_t)t->n;
        trip->out = out;
        hop_note(t, trip, 0, now_s, frame);
        return;
    }
    if (*place && layer > 0) {
        hop_note(t, &t->trip[*place - 1], layer, now_s, frame);
        return;
    }
    /* a store sends what it found in the request */
    if (from < w->n_relays &&
        w->net.consensus->relays[from].layer == LAYERS + 1) {
        place = place_of(t, t->by_out, codec_get64(frame + PACKET_ELEMENT_AT),
                         true);
        if (!*place)
            return;
        t->trip[*place - 1].back = back;
        *place_of(t, t->by_back, back, false) = *place;
    }
    place = place_of(t, t->by_back, back, false);
    if (*place)
        hop_note(t, &t->trip[*place - 1], layer ? LAYERS + 1 + layer : HOPS - 1,
                 now_s, frame);
}

static void
trips_make(struct trips *t, unsigned clients, double seconds)
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 2,
                                        .layers = LAYERS,
                                        .mixes = 1,
                                        .stores = 3,
                                        .seed = test_seed() + 1};
    struct world *w = world_new(&config);
    *t = (struct trips){.world = w, .from_s = WARM_S, .max = PLACES / 2};
    t->trip = calloc(t->max, sizeof *t->trip);
    t->by_out = calloc(PLACES, sizeof *t->by_out);
    t->by_back = calloc(PLACES, sizeof *t->by_back);
    assert_true(t->trip && t->by_out && t->by_back);
    engine_tap(w->engine, trips_see, t);
    for (unsigned i = 0; i < clients; i++)
        (void)world_client_add(w, "fast", i % 2);
    world_run_s(w, WARM_S + seconds);
    engine_tap(w->engine, NULL, NULL);
    t->unit_s = w->net.consensus->params.deadline_unit_s;
    world_free(&w);
    t->world = NULL;
}

static void
trips_free(struct trips *t)
{
    free(t->trip);
    free(t->by_out);
    free(t->by_back);
}

/* ---- how much one value tells of another ---- */

/* What a hop read of one trip. */
struct reading {
    size_t trip;
    unsigned fraction;
    int64_t ahead; /* units */
    uint64_t tie;
};

static int
by_reading(const void *a, const void *b)
{
    const struct reading *x = a, *y = b;
    if (x->fraction != y->fraction)
        return x->fraction < y->fraction ? -1 : 1;
    if (x->ahead != y->ahead)
        return x->ahead < y->ahead ? -1 : 1;
    return x->tie < y->tie ? -1 : x->tie > y->tie;
}

static struct reading
reading_of(const struct trips *t, size_t i, unsigned hop,
           struct rng_seeded *rng)
{
    const double units = t->trip[i].came_s[hop] / t->unit_s;
    return (struct reading){
        .trip = i,
        .fraction = (unsigned)((units - floor(units)) * FRACTIONS),
        .ahead = t->trip[i].deadline[hop] - (int64_t)floor(units),
        .tie = rng_seeded_u64(rng)};
}

/* The class of each trip at this hop: where its deadline stands among those
 * that came at the same fraction of the unit. Trips that the hop did not see
 * have none (CLASSES). */
static uint8_t *
classes_make(const struct trips *t, unsigned hop)
{
    struct reading *r = malloc(t->n * sizeof *r);
    uint8_t *class = malloc(t->n);
    struct rng_seeded rng;
    size_t n = 0;
    assert_true(r && class);
    rng_seeded_init_u64(&rng, test_seed() + hop, "ties");
    memset(class, CLASSES, t->n);
    for (size_t i = 0; i < t->n; i++)
        if (t->trip[i].seen >> hop & 1)
            r[n++] = reading_of(t, i, hop, &rng);
    qsort(r, n, sizeof *r, by_reading);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && r[end].fraction == r[i].fraction; end++)
            ;
        for (size_t k = i; k < end; k++)
            class[r[k].trip] = (uint8_t)((k - i) * CLASSES / (end - i));
    }
    free(r);
    return class;
}

struct told {
    double bits; /* less the bias */
    double z;    /* how far chi-square is above its mean, in deviations */
    size_t n;
};

/* How much the classes at one hop tell of those at another. */
static struct told
information(const uint8_t *a, const uint8_t *b, size_t n)
{
    double joint[CLASSES][CLASSES] = {{0}}, row[CLASSES] = {0},
           column[CLASSES] = {0}, bits = 0, sum = 0;
    const double freedom = (CLASSES - 1) * (CLASSES - 1);
    for (size_t i = 0; i < n; i++) {
        if (a[i] == CLASSES || b[i] == CLASSES)
            continue;
        joint[a[i]][b[i]]++;
        row[a[i]]++;
        column[b[i]]++;
        sum++;
    }
    for (size_t i = 0; i < CLASSES; i++)
        for (size_t k = 0; k < CLASSES; k++)
            if (joint[i][k] > 0)
                bits += joint[i][k] / sum *
                        log2(joint[i][k] * sum / (row[i] * column[k]));
    return (struct told){.bits = bits - freedom / (2 * sum * log(2)),
                         .z = (2 * sum * log(2) * bits - freedom) /
                              sqrt(2 * freedom),
                         .n = (size_t)sum};
}

static void
i12_deadlines_of_two_hops_have_nothing_in_common(void **state)
{
    (void)state;
    struct trips t;
    uint8_t *class[HOPS];
    struct told worst = {0}, planted;
    trips_make(&t, test_proof() ? 6 : 2, test_proof() ? 1500 : 600);
    size_t least = t.n;
    for (unsigned i = 0; i < HOPS; i++)
        class[i] = classes_make(&t, i);
    for (unsigned i = 0; i < HOPS; i++)
        for (unsigned k = 0; k < i; k++) {
            const struct told told = information(class[i], class[k], t.n);
            if (told.z >= ALARM)
                printf("  hops %u and %u: %.4f bits, %.1f deviations\n", k, i,
                       told.bits, told.z);
            least = told.n < least ? told.n : least;
            worst = told.z > worst.z ? told : worst;
        }
    printf("  %zu trips, %zu of them seen by any two hops: at most %.4f bits, "
           "%.1f deviations\n",
           t.n, least, worst.bits, worst.z);
    for (size_t i = 0; i < t.n; i += 20)
        class[1][i] = class[4][i];
    planted = information(class[1], class[4], t.n);
    printf("  one draw in twenty shared: %.4f bits, %.1f deviations\n",
           planted.bits, planted.z);
    for (unsigned i = 0; i < HOPS; i++)
        free(class[i]);
    assert_true(least > t.n * 9 / 10 && least > 45000);
    trips_free(&t);
    assert_true(planted.z > ALARM);
    assert_true(worst.z < ALARM);
}

const struct CMUnitTest test_i12_deadlines[] = {
    cmocka_unit_test(i12_deadlines_of_two_hops_have_nothing_in_common),
};
TEST_SUITE(test_i12_deadlines);
