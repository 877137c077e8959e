/* tests/scenario/test_i12_hoard.c - I12: a store's answers keep the times that
 * their readers drew for them.
 *
 * A store that keeps answers for a minute and sends them together shows an
 * observer of the gateways, by the size of the burst, through which of them a
 * box's reader is connected. Mixes of the way back refuse what is 5 to 8 s late:
 * slack 5 s, a lateness and a deadline's unit of up to 1 s each, and up to 1 s
 * of a clock that counts whole seconds. So at most 8 s of a minute's answers
 * arrive. With deadlines on the way back that allow a minute, the control, the
 * minute arrives and the same bound is missed.
 *
 * Nothing here is left to chance but how many answers there are; each is judged
 * by itself. Figures of counts have margins of 5 deviations (one false alarm in
 * 10^6).
 *
 * Defences: deadlines of the way back in network/request.c, and asked_judge()
 * in client/requests.c, which blames a box's store for that box alone. */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/state.h"
#include "lib/codec.h"
#include "sphinx/packet.h"
#include "tests/rogue_relay.h"

enum {
    LAYERS = 3,
    PLACES = 1 << 18,
    WARM_S = 60,
    HOARD_S = 60,
    HOARD_MS = 60370, /* at all fractions of a second */
    SURELY_S = 5,     /* so late, all come */
    NEVER_S = 8       /* so late, none does */
};

/* An answer that a store keeps, found by its SURB before it leaves and by the
 * end of its padding afterwards (the suite null hides nothing). */
struct kept {
    uint64_t surb, end;
    uint64_t due_us, left_us;
    bool arrived; /* at a gateway */
};

struct hoard {
    const struct world *world;
    uint32_t store;
    struct kept *kept;
    size_t n;
    uint32_t *by_surb, *by_end; /* PLACES: number + 1 */
};

static uint32_t *
place_of(const struct hoard *h, bool end, uint64_t key)
{
    uint32_t *table = end ? h->by_end : h->by_surb;
    size_t i = (key * 0x9e3779b97f4a7c15u >> 40) % PLACES;
    while (table[i] && (end ? h->kept[table[i] - 1].end
                            : h->kept[table[i] - 1].surb) != key)
        i = (i + 1) % PLACES;
    return &table[i];
}

/* A request leaves a client: relays' own loops are not looked at. */
static void
request_leaves(struct hoard *h, const uint8_t *frame)
{
    const struct sphinx_geometry *g = &h->world->net.consensus->params.geometry;
    const uint8_t *surb =
        frame + g->header_len + SPHINX_TAG_LEN + WIRE_REQUEST_HEAD_LEN;
    const uint64_t key = codec_get64(surb + PACKET_ELEMENT_AT);
    uint32_t *place = place_of(h, false, key);
    assert_true(h->n < PLACES / 2);
    h->kept[h->n].surb = key;
    *place = (uint32_t)++h->n;
}

/* The store reads a request. */
static void
request_comes(void *ctx, const struct rogue_sight *seen)
{
    struct hoard *h = ctx;
    if (!seen->request)
        return;
    const uint32_t *place = place_of(
        h, false, codec_get64(seen->request->surb + PACKET_ELEMENT_AT));
    if (*place)
        h->kept[*place - 1].due_us =
            seen->now_us +
            (uint64_t)seen->block->delay *
                h->world->net.consensus->params.geometry.delay_unit_us;
}

static void
hoard_see(void *ctx, uint64_t now_us, uint32_t from, uint32_t to,
          const uint8_t *frame, size_t len)
{
    struct hoard *h = ctx;
    const struct world *w = h->world;
    if (to >= w->n_relays || frame[0] != WIRE_PACKET)
        return;
    if (from >= w->n_relays) {
        request_leaves(h, frame);
        return;
    }
    const uint64_t end = codec_get64(frame + len - 8);
    if (from == h->store) {
        const uint32_t *place =
            place_of(h, false, codec_get64(frame + PACKET_ELEMENT_AT));
        if (!*place || !h->kept[*place - 1].due_us)
            return;
        h->kept[*place - 1].end = end;
        h->kept[*place - 1].left_us = now_us;
        *place_of(h, true, end) = *place;
    } else if (w->net.consensus->relays[to].layer == 0) {
        const uint32_t *place = place_of(h, true, end);
        if (*place)
            h->kept[*place - 1].arrived = true;
    }
}

/* What became of the answers that a store kept. */
struct fate {
    unsigned left, arrived;     /* of all */
    unsigned early, early_came; /* less than SURELY_S late */
    unsigned never_came;        /* NEVER_S late or more, and arrived */
    double latest_s;            /* of those that arrived */
};

/* Of those due in this time. */
static struct fate
fate_of(const struct hoard *h, uint64_t from_us, uint64_t until_us)
{
    struct fate f = {0};
    for (size_t i = 0; i < h->n; i++) {
        const struct kept *k = &h->kept[i];
        if (!k->left_us || k->due_us < from_us || k->due_us >= until_us)
            continue;
        const double late_s = (double)(k->left_us - k->due_us) / 1e6;
        f.left++;
        f.arrived += k->arrived;
        f.early += late_s < SURELY_S;
        f.early_came += late_s < SURELY_S && k->arrived;
        f.never_came += late_s >= NEVER_S && k->arrived;
        if (k->arrived && late_s > f.latest_s)
            f.latest_s = late_s;
    }
    return f;
}

/* A store hoards the answers of its clients. */
static struct fate
hoard_run(void (*params)(struct params *p), unsigned hoards)
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 2,
                                        .layers = LAYERS,
                                        .mixes = 1,
                                        .stores = 2,
                                        .params = params,
                                        .seed = test_seed() + 1};
    struct world *w = world_new(&config);
    struct hoard h = {.world = w, .store = world_first(w, LAYERS + 1)};
    h.kept = calloc(PLACES / 2, sizeof *h.kept);
    h.by_surb = calloc(PLACES, sizeof *h.by_surb);
    h.by_end = calloc(PLACES, sizeof *h.by_end);
    assert_true(h.kept && h.by_surb && h.by_end);
    for (unsigned i = 0; i < 4; i++)
        (void)world_client_add(w, "default", i % 2);
    struct rogue *r = rogue_new(w, h.store);
    r->spy = request_comes;
    r->spy_ctx = &h;
    world_run_s(w, WARM_S);
    engine_tap(w->engine, hoard_see, &h);
    world_run_s(w, 10);
    const uint64_t from_us = engine_now_us(w->engine);
    r->hoard_us = HOARD_MS * 1000ULL;
    r->vices = VICE_HOARDS_ANSWERS;
    world_run_s(w, hoards * HOARD_MS / 1000.0);
    const uint64_t until_us = engine_now_us(w->engine);
    r->vices = 0;
    world_run_s(w, HOARD_S + 20); /* the last of them leave, and arrive */
    engine_tap(w->engine, NULL, NULL);
    const struct fate f = fate_of(&h, from_us, until_us);
    rogue_free(&r);
    world_free(&w);
    free(h.kept);
    free(h.by_surb);
    free(h.by_end);
    return f;
}

/* Minutes of deadlines on the way back. */
static void
patient_mixes(struct params *p)
{
    p->deadline_back_s = HOARD_S + 1;
}

static void
fate_print(const char *name, const struct fate *f)
{
    printf("  %s: of %u answers kept for up to %u s %u arrived, the latest "
           "%.1f s late; %.1f s of a minute's; of those less than %u s late "
           "%u of %u\n",
           name, f->left, HOARD_S, f->arrived, f->latest_s,
           HOARD_MS / 1e3 * f->arrived / f->left, SURELY_S, f->early_came,
           f->early);
}

/* The bound of "hoards_answers". */
static bool
fate_is_bounded(const struct fate *f)
{
    return f->never_came == 0 && f->latest_s < NEVER_S;
}

static void
i12_hoarded_answers_are_refused(void **state)
{
    (void)state;
    const unsigned hoards = test_proof() ? 20 : 3;
    const struct fate f = hoard_run(NULL, hoards);
    const struct fate control = hoard_run(patient_mixes, hoards);
    fate_print("mixes refuse", &f);
    fate_print("mixes wait a minute", &control);
    assert_true(f.left > 200 * hoards && f.early > 0);
    assert_int_equal(f.early_came, f.early); /* and nothing else is lost */
    assert_true(fate_is_bounded(&f));
    assert_false(fate_is_bounded(&control));
    assert_int_equal(control.arrived, control.left);
}

/* ---- who hoards is avoided ---- */

enum { STORES = 4, CONTACTS = 2, LOOK_S = 300, OPEN_S = 60 };

/* Gets of the boxes in which the user's contacts write, at one store. */
struct gets {
    uint8_t box[CONTACTS][LETTER_BOX_LEN];
    char name[CONTACTS][16];
    unsigned n[CONTACTS];
};

/* Fronts are free soon, of those whose invitation nobody takes up. */
static void
fronts_short(struct params *p)
{
    p->conversations.hold_min_s = OPEN_S + 30;
    p->conversations.hold_max_s = OPEN_S + 40;
}

static void
gets_see(void *ctx, const struct rogue_sight *seen)
{
    struct gets *g = ctx;
    for (size_t i = 0; i < CONTACTS && seen->request; i++)
        g->n[i] += seen->request->kind == WIRE_GET &&
                   memcmp(seen->request->box, g->box[i], LETTER_BOX_LEN) == 0;
}

/* Give a contacts whose boxes lie at one store; returns it. */
static uint32_t
contacts_make(struct world *w, struct world_client *a, struct world_client *b,
              struct gets *g)
{
    const uint32_t store = world_first(w, LAYERS + 1);
    unsigned n = 0;
    for (unsigned i = 0; n < CONTACTS; i++) {
        char text[INVITE_TEXT_LEN], name[16], back[16];
        snprintf(name, sizeof name, "try%u", i);
        snprintf(back, sizeof back, "back%u", i);
        assert_int_equal(client_invite(a->client, name, text), 0);
        if (world_first_box(w, text, g->box[n]) != store)
            continue;
        assert_int_equal(client_add(b->client, back, text), 0);
        memcpy(g->name[n++], name, sizeof name);
    }
    return store;
}

/* Lets time pass while the user looks at the contacts, so that each has a front. */
static void
looked_run(struct world *w, struct world_client *k, const struct gets *g,
           unsigned seconds)
{
    for (unsigned t = 0; t < seconds; t += OPEN_S) {
        for (size_t i = 0; i < CONTACTS; i++)
            assert_int_equal(client_open(k->client, g->name[i]), 0);
        world_run_s(w, OPEN_S);
    }
}

/* Counts the gets for a while. */
static struct gets
gets_count(struct world *w, struct world_client *k, struct rogue *r,
           struct gets *g)
{
    memset(g->n, 0, sizeof g->n);
    r->spy = gets_see;
    r->spy_ctx = g;
    looked_run(w, k, g, LOOK_S);
    r->spy = NULL;
    return *g;
}

/* A store hoards the answers of one box: its reader takes late ones for late
 * (2 s), and after 16 of them asks the other store, but for one poll in 16
 * (the share of that store before). Of no other box does it so; else the store
 * learned which are one client's. */
static void
i12_who_hoards_is_avoided_for_that_box(void **state)
{
    (void)state;
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 2,
                                        .layers = LAYERS,
                                        .mixes = 1,
                                        .stores = STORES,
                                        .params = fronts_short,
                                        .seed = test_seed() + 2};
    struct world *w = world_new(&config);
    struct world_client *a = world_client_add(w, "fast", 0);
    struct world_client *b = world_client_add(w, "default", 1);
    struct client_status st;
    struct gets g;
    world_run_s(w, WARM_S);
    struct rogue *r = rogue_new(w, contacts_make(w, a, b, &g));
    world_run_s(w, 2 * OPEN_S); /* both have written, no front is taken */
    const struct gets honest = gets_count(w, a, r, &g);
    client_status(a->client, &st);
    const uint64_t late = st.late;
    memcpy(r->box, g.box[0], sizeof r->box);
    r->box_only = true;
    r->hoard_us = HOARD_MS * 1000ULL;
    r->vices = VICE_HOARDS_ANSWERS;
    looked_run(w, a, &g, WARM_S);
    const struct gets hoarded = gets_count(w, a, r, &g);
    client_status(a->client, &st);
    printf("  gets in %u s at a store that hoards one box's answers: of it %u, "
           "then %u; of another %u, then %u; late answers %llu\n",
           LOOK_S, honest.n[0], hoarded.n[0], honest.n[1], hoarded.n[1],
           (unsigned long long)(st.late - late));
    rogue_free(&r);
    world_free(&w);
    assert_true(honest.n[0] > 200 && honest.n[1] > 200);
    assert_true(st.late - late >= QUALITY_ASKED / 2);
    assert_true(hoarded.n[0] < honest.n[0] / 3);
    assert_true(hoarded.n[1] > honest.n[1] / 3 * 2);
}

const struct CMUnitTest test_i12_hoard[] = {
    cmocka_unit_test(i12_hoarded_answers_are_refused),
    cmocka_unit_test(i12_who_hoards_is_avoided_for_that_box),
};
TEST_SUITE(test_i12_hoard);
