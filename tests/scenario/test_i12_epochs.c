/* tests/scenario/test_i12_epochs.c - I12: the epoch of packets, which every
 * relay reads, does not tie the boxes of one client together.
 *
 * A store notes for each box which epoch each get was made for. Of each change
 * of epoch it finds the moment at which the reader took the new one up: the
 * likeliest, if all packets of a client followed one moment, given how long
 * gets are under way. Then it ties every box to that one of the hottest boxes
 * whose moments are nearest. It may be right by chance: once in as many as
 * there are clients. The alarm is beyond what chance gives once in 10^6 runs.
 *
 * The negative control is the same gets with epochs as they would be if each
 * client drew one moment a window: most boxes are tied.
 *
 * Defence: each packet draws its epoch within the window. */
#include "tests/runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codec.h"
#include "lib/rng.h"
#include "lib/wire.h"
#include "tests/rogue_relay.h"

enum {
    STORES = 2,
    CLIENTS_MAX = 60,
    BOXES_MAX = 8192, /* ten of a contact: gets glance at later ones */
    SWITCHES_MAX = 3,
    GETS_MAX = 1 << 20,
    GETS_LEAST = 100, /* of a box at a store, to be looked at */
    REQUEST_BOX = 4,  /* in a request's body */
    FIRST_EPOCH = 7
};

struct size {
    unsigned clients, epoch_s, window_s, switches;
};
static const struct size quick = {20, 200, 100, 2}, proof = {60, 900, 300, 3};
static const struct size *size;

struct box {
    uint64_t name;
    unsigned client;
    size_t gets; /* of its client */
    bool hot;    /* the one its client asks for most */
};

struct get {
    double s;
    uint32_t box, epoch;
};

struct view {
    struct world *world;
    uint32_t first_client; /* its node */
    struct box box[BOXES_MAX];
    size_t n_boxes;
    struct get *get[STORES];
    size_t n[STORES];
};

static struct box *
box_of(struct view *v, uint64_t name)
{
    for (size_t i = 0; i < v->n_boxes; i++)
        if (v->box[i].name == name)
            return &v->box[i];
    return NULL;
}

/* The truth, which no store sees: whose box is it? The suite null hides
 * nothing. */
static void
truth_see(void *ctx, uint64_t now_us, uint32_t from, uint32_t to,
          const uint8_t *frame, size_t len)
{
    struct view *v = ctx;
    const struct sphinx_geometry *g = &v->world->net.consensus->params.geometry;
    const uint8_t *body = frame + g->header_len + SPHINX_TAG_LEN;
    (void)now_us;
    (void)to;
    (void)len;
    if (from < v->world->n_relays || frame[0] != WIRE_PACKET ||
        body[0] != WIRE_GET)
        return;
    struct box *b = box_of(v, codec_get64(body + REQUEST_BOX));
    if (!b) {
        assert_true(v->n_boxes < BOXES_MAX);
        b = &v->box[v->n_boxes++];
        *b = (struct box){.name = codec_get64(body + REQUEST_BOX),
                          .client = from - v->first_client};
    }
    b->gets++;
}

struct spy {
    struct view *view;
    unsigned store;
};

static void
store_see(void *ctx, const struct rogue_sight *seen)
{
    const struct spy *spy = ctx;
    struct view *v = spy->view;
    if (!seen->request || seen->request->kind != WIRE_GET)
        return;
    const struct box *b = box_of(v, codec_get64(seen->request->box));
    if (!b || v->n[spy->store] == GETS_MAX)
        return; /* under way since before the truth was looked at */
    v->get[spy->store][v->n[spy->store]++] = (struct get){
        (double)seen->now_us / 1e6, (uint32_t)(b - v->box), seen->epoch};
}

/* The law of a get's way to the store, which everybody knows: the chance that
 * it takes less than i steps. */
enum { WAY_STEPS = 2000, WAY_DRAWS = 20000 };
#define WAY_STEP_S 0.01
static double way[WAY_STEPS];

static void
way_make(const struct params *p)
{
    struct rng_seeded rng;
    rng_seeded_init_u64(&rng, test_seed(), "way");
    for (unsigned i = 0; i < WAY_DRAWS; i++) {
        uint64_t us =
            rng_exp_from(rng_seeded_u64(&rng), p->delay_mean_us) + 25000;
        for (unsigned k = 0; k < p->layers; k++)
            us += rng_exp_from(rng_seeded_u64(&rng),
                               p->poll_delay_mean_us / p->layers);
        const size_t step = (size_t)((double)us / 1e6 / WAY_STEP_S) + 1;
        if (step < WAY_STEPS)
            way[step] += 1.0 / WAY_DRAWS;
    }
    for (unsigned i = 1; i < WAY_STEPS; i++)
        way[i] += way[i - 1];
}

static void
params_change(struct params *p)
{
    p->epoch_len_s = size->epoch_s;
    p->switch_window_s = size->window_s;
}

/* Let all epochs pass before the eyes of both stores. */
static void
view_fill(struct view *v)
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 2,
                                        .layers = 3,
                                        .mixes = 1,
                                        .stores = STORES,
                                        .params = params_change,
                                        .seed = test_seed() + 1};
    struct world *w = world_new(&config);
    struct rogue *r[STORES];
    struct spy spy[STORES];
    v->world = w;
    for (unsigned i = 0; i < size->clients; i++) {
        const struct world_client *k = world_client_add(w, "default", i % 2);
        if (i == 0)
            v->first_client = k->node;
    }
    for (unsigned i = 0; i < STORES; i++) {
        v->get[i] = calloc(GETS_MAX, sizeof(struct get));
        assert_non_null(v->get[i]);
        spy[i] = (struct spy){v, i};
        r[i] = rogue_new(w, world_first(w, 4) + i);
        r[i]->spy = store_see;
        r[i]->spy_ctx = &spy[i];
    }
    engine_tap(w->engine, truth_see, v);
    for (unsigned e = 0; e < size->switches; e++) {
        world_run_s(w, e ? size->epoch_s : size->epoch_s - 30);
        world_epoch(w); /* twenty seconds before valid-after */
    }
    world_run_s(w, size->window_s + 50);
    way_make(&w->net.consensus->params);
    engine_tap(w->engine, NULL, NULL);
    for (unsigned i = 0; i < STORES; i++)
        rogue_free(&r[i]);
    world_free(&w);
}

static void
hot_boxes_find(struct view *v)
{
    for (unsigned k = 0; k < size->clients; k++) {
        struct box *hot = NULL;
        for (size_t i = 0; i < v->n_boxes; i++)
            if (v->box[i].client == k && (!hot || v->box[i].gets > hot->gets))
                hot = &v->box[i];
        assert_non_null(hot);
        hot->hot = true;
    }
}

/* ---- what a store makes of it ---- */

/* When a box changed to each of the epochs that follow the first. */
struct moments {
    size_t gets;
    double s[SWITCHES_MAX];
};

/* How likely an epoch is, that came so long after the moment. */
static double
log_likely(double after_s, bool is_new)
{
    double before = 0; /* the chance that it was sent before the moment */
    if (after_s < 0)
        before = 1;
    else if (after_s < WAY_STEPS * WAY_STEP_S)
        before = 1 - way[(size_t)(after_s / WAY_STEP_S)];
    return log(0.001 + 0.998 * (is_new ? 1 - before : before));
}

/* The likeliest moment at which the sender of these gets took `epoch` up, in
 * the window that began at start_s. */
static double
moment_find(const struct get *get, size_t n, uint32_t epoch, double start_s)
{
    double best = 0, most = -INFINITY;
    for (double at = 0; at <= size->window_s; at += 0.25) {
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            if (get[i].s > start_s - 20 &&
                get[i].s < start_s + size->window_s + 20)
                sum +=
                    log_likely(get[i].s - start_s - at, get[i].epoch >= epoch);
        if (sum > most) {
            most = sum;
            best = at;
        }
    }
    return best;
}

static int
by_box(const void *a, const void *b)
{
    const struct get *x = a, *y = b;
    if (x->box != y->box)
        return x->box < y->box ? -1 : 1;
    return x->s < y->s ? -1 : x->s > y->s;
}

/* The world begins ten seconds after valid-after. */
static double
window_start_s(unsigned change)
{
    return (change + 1.0) * size->epoch_s - 10;
}

/* How many of the cold boxes at this store are tied to their client's hot one,
 * of how many, by chance how many. */
struct tied {
    unsigned right, of;
    double chance;
};

static void
store_tie(const struct view *v, unsigned store, struct tied *t)
{
    struct moments *m = calloc(v->n_boxes, sizeof *m);
    unsigned hot = 0;
    assert_non_null(m);
    for (size_t i = 0; i < v->n[store]; i++)
        m[v->get[store][i].box].gets++;
    const struct get *get = v->get[store];
    for (size_t b = 0; b < v->n_boxes; get += m[b++].gets) {
        if (m[b].gets < GETS_LEAST)
            continue;
        for (unsigned e = 0; e < size->switches; e++)
            m[b].s[e] = moment_find(get, m[b].gets, FIRST_EPOCH + 1 + e,
                                    window_start_s(e));
        hot += v->box[b].hot && m[b].gets >= GETS_LEAST;
    }
    for (size_t b = 0; b < v->n_boxes; b++) {
        double least = INFINITY;
        unsigned of = UINT32_MAX, own = 0;
        if (v->box[b].hot || m[b].gets < GETS_LEAST)
            continue;
        for (size_t h = 0; h < v->n_boxes; h++) {
            double far = 0;
            if (!v->box[h].hot || m[h].gets < GETS_LEAST)
                continue;
            own += v->box[h].client == v->box[b].client;
            for (unsigned e = 0; e < size->switches; e++)
                far += (m[h].s[e] - m[b].s[e]) * (m[h].s[e] - m[b].s[e]);
            if (far < least) {
                least = far;
                of = v->box[h].client;
            }
        }
        if (own == 0)
            continue; /* its client's hot one lies elsewhere */
        t->of++;
        t->right += of == v->box[b].client;
        t->chance += 1.0 / hot;
    }
    free(m);
}

static struct tied
stores_tie(const char *what, const struct view *v)
{
    struct tied t = {0};
    for (unsigned i = 0; i < STORES; i++)
        store_tie(v, i, &t);
    printf("  %s: %u of %u boxes tied to the right one, by chance %.1f\n", what,
           t.right, t.of, t.chance);
    assert_true(t.of >= size->clients);
    return t;
}

static double
way_draw_s(struct rng_seeded *rng)
{
    const double u = (double)(rng_seeded_u64(rng) % 1000000) / 1e6;
    unsigned i = 0;
    while (i + 1 < WAY_STEPS && way[i + 1] < u)
        i++;
    return i * WAY_STEP_S;
}

/* The same gets, if each client had one moment a window for all of them. */
static void
moments_plant(struct view *v)
{
    struct rng_seeded rng;
    double moment[CLIENTS_MAX][SWITCHES_MAX];
    rng_seeded_init_u64(&rng, test_seed(), "moments");
    for (unsigned k = 0; k < size->clients; k++)
        for (unsigned e = 0; e < size->switches; e++)
            moment[k][e] =
                (e + 1.0) * size->epoch_s - 10 +
                (double)(rng_seeded_u64(&rng) % 1000000) / 1e6 * size->window_s;
    for (unsigned i = 0; i < STORES; i++)
        for (size_t g = 0; g < v->n[i]; g++) {
            struct get *get = &v->get[i][g];
            const double sent_s = get->s - way_draw_s(&rng);
            get->epoch = FIRST_EPOCH;
            for (unsigned e = 0; e < size->switches; e++)
                get->epoch += sent_s >= moment[v->box[get->box].client][e];
        }
}

static void
i12_the_epoch_ties_no_boxes(void **state)
{
    (void)state;
    static struct view v;
    memset(&v, 0, sizeof v);
    size = test_proof() ? &proof : &quick;
    view_fill(&v);
    hot_boxes_find(&v);
    for (unsigned i = 0; i < STORES; i++)
        qsort(v.get[i], v.n[i], sizeof v.get[i][0], by_box);
    const struct tied seen = stores_tie("seen", &v);
    moments_plant(&v);
    const struct tied planted = stores_tie("one moment a client", &v);
    for (unsigned i = 0; i < STORES; i++)
        free(v.get[i]);
    assert_true(planted.right > planted.of / 2);
    assert_true(seen.right < seen.chance + 4.9 * sqrt(seen.chance) + 4);
}

const struct CMUnitTest test_i12_epochs[] = {
    cmocka_unit_test(i12_the_epoch_ties_no_boxes),
};
TEST_SUITE(test_i12_epochs);
