/* tests/scenario/test_i10_links.c - I10: what is lost between two relays costs
 * the link between them, and no relay its place by the word of a few.
 *
 * Thirty relays send their loops, tell of their links before each vote, and the
 * authorities' judgement (directory/blame.h) is the next consensus. */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory/blame.h"
#include "network/schedule.h"
#include "tests/rogue_relay.h"

enum {
    GATEWAYS = 3,
    LAYERS = 3,
    MIXES = 8,
    STORES = 3,
    RELAYS = GATEWAYS + LAYERS * MIXES + STORES,
    EPOCH_S = 600,
    AUTHORITIES = 4
};

/* In an epoch of ten minutes half as many loops as else in one of an hour. */
static void
short_epochs(struct params *p)
{
    params_default(p, EPOCH_S);
    p->relay_loop_mhz = 1500;
}

/* A network with its authorities: they hear each relay before the votes. */
struct course {
    struct world *world;
    uint32_t first; /* epoch */
    struct link_told told[RELAYS][LINKS_TOLD_MAX];
    struct blame_word word[RELAYS];
    /* what relay i says in place of its own, when set: so many links, of the
     * relays that follow `lies_of`, have lost all */
    unsigned lies[RELAYS];
    uint32_t lies_of[RELAYS];
    unsigned out[RELAYS]; /* consensuses that it was left out of */
    unsigned cut[RELAYS]; /* its links, in the newest */
    unsigned epochs;
};

static void
consensus_judge(void *ctx, struct consensus *next)
{
    struct course *s = ctx;
    free(next->cut);
    free(next->left_out);
    next->cut = NULL;
    next->left_out = NULL;
    next->n_cut = next->n_left_out = 0;
    assert_int_equal(blame_judge(next, s->word), 0);
    memset(s->cut, 0, sizeof s->cut);
    for (size_t i = 0; i < next->n_cut; i++) {
        s->cut[next->cut[i].a]++;
        s->cut[next->cut[i].b]++;
    }
    for (size_t i = 0; i < RELAYS; i++)
        s->out[i] += next->relays[i].out;
    s->epochs++;
}

static struct course *
course_new(uint64_t seed, const uint32_t *bandwidth,
           void (*params)(struct params *p))
{
    struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                  .gateways = GATEWAYS,
                                  .layers = LAYERS,
                                  .mixes = MIXES,
                                  .stores = STORES,
                                  .params = params,
                                  .bandwidth = bandwidth,
                                  .seed = test_seed() + seed};
    struct course *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->world = world_new(&config);
    s->first = s->world->net.consensus->epoch;
    s->world->net.change = consensus_judge;
    s->world->net.change_ctx = s;
    return s;
}

static void
course_free(struct course **s)
{
    world_free(&(*s)->world);
    free(*s);
    *s = NULL;
}

/* Run until so many seconds after the start of the first epoch. */
static void
course_until(struct course *s, double at_s)
{
    const double now_s =
        (double)(env_now_wall_ms(s->world->relay[0].env)) / 1000 -
        (double)(s->world->net.consensus->valid_after_s) +
        (double)(s->world->net.consensus->epoch - s->first) * EPOCH_S;
    if (at_s > now_s)
        world_run_s(s->world, at_s - now_s);
}

static void
relay_hear(struct course *s, uint32_t i)
{
    int n = 0;
    if (s->lies[i])
        for (; n < (int)s->lies[i]; n++) {
            struct link_told *l = &s->told[i][n];
            const uint32_t of = (s->lies_of[i] + (uint32_t)n) % RELAYS;
            memcpy(l->identity, s->world->net.consensus->relays[of].identity,
                   sizeof l->identity);
            l->sent = l->lost = UINT16_MAX;
        }
    else
        n = relay_links_tell(s->world->relay[i].relay, s->told[i]);
    assert_true(n >= 0);
    s->word[i] = (struct blame_word){(size_t)n, s->told[i]};
}

/* Run one epoch, number `epoch` from 0 on: it is heard what relays say when
 * they make their descriptors, the next consensus is there a twentieth before
 * it begins. */
static void
course_epoch(struct course *s, unsigned epoch)
{
    const struct schedule plan = {0, EPOCH_S, AUTHORITIES};
    const double vote = schedule_permille(&plan, SCHEDULE_VOTE) / 1000.0;
    course_until(s, (epoch + 1 - vote - 0.05) * EPOCH_S);
    for (uint32_t i = 0; i < RELAYS; i++)
        relay_hear(s, i);
    course_until(s, (epoch + 0.95) * EPOCH_S);
    world_epoch(s->world);
    course_until(s, (epoch + 1) * EPOCH_S);
}

/* ---- liars ---- */

enum {
    BEFORE = GATEWAYS + 3,            /* of the first layer, */
    AFTER = GATEWAYS + 2 * MIXES + 3, /* of the third */
    VICTIM = GATEWAYS + MIXES,        /* the first of the second */
    VICTIM_EPOCHS = 3,
    SLANDERED = 5
};

/* The two say nothing to, and hear nothing from, one of the second layer, and
 * another every three hours; by what they claim to be they are drawn as often as
 * may be. Besides each says of a few honest ones that they lose all. */
static void
liars_turn(struct course *s, struct rogue *before, struct rogue *after,
           unsigned epoch)
{
    const uint32_t victim = VICTIM + epoch / VICTIM_EPOCHS % MIXES;
    before->link_to = after->link_from = victim;
    s->lies[BEFORE] = s->lies[AFTER] = SLANDERED;
    s->lies_of[BEFORE] = VICTIM + (epoch + 1) % 3;
    s->lies_of[AFTER] = VICTIM + (epoch + 2) % 3;
}

/* Whoever is shunned by two of thirty loses his links with these two. */
static void
i10_two_liars_evict_no_honest_relay(void **state)
{
    (void)state;
    const unsigned epochs = test_proof() ? 24 : 7;
    uint32_t bandwidth[RELAYS];
    for (size_t i = 0; i < RELAYS; i++) /* as much as may be claimed */
        bandwidth[i] = i == BEFORE || i == AFTER ? 4003 : 1000;
    struct course *s = course_new(100, bandwidth, short_epochs);
    struct rogue *before = rogue_new(s->world, BEFORE);
    struct rogue *after = rogue_new(s->world, AFTER);
    before->vices = after->vices = VICE_DROPS_BY_LINK;
    unsigned worst = 0, most_cut = 0, shunned = 0;
    for (unsigned e = 0; e < epochs; e++) {
        liars_turn(s, before, after, e);
        course_epoch(s, e);
        const struct consensus *c = s->world->net.consensus;
        const uint16_t victim = (uint16_t)before->link_to;
        shunned += consensus_is_cut(c, BEFORE, victim) &&
                   consensus_is_cut(c, victim, AFTER);
        for (uint32_t i = 0; i < RELAYS; i++)
            if (i != BEFORE && i != AFTER && s->cut[i] > most_cut)
                most_cut = s->cut[i];
    }
    for (uint32_t i = 0; i < RELAYS; i++)
        if (i != BEFORE && i != AFTER && s->out[i] > worst)
            worst = s->out[i];
    printf(
        "  two of %d lie for %u epochs: an honest relay is left out of %u at "
        "most, has %u links cut at most; those with whom the liars shun are "
        "cut in %u epochs; the liars are left out of %u and %u\n",
        RELAYS, epochs, worst, most_cut, shunned, s->out[BEFORE],
        s->out[AFTER]);
    rogue_free(&before);
    rogue_free(&after);
    course_free(&s);
    assert_in_range(worst, 0, epochs / 24);
    assert_in_range(most_cut, 0, 4);
    assert_in_range(shunned, epochs - 1, epochs);
}

/* Two liars, and whom they shun. */
struct pair_row {
    uint32_t liar[2], victim;
    bool from; /* they hear nothing from it; else they say nothing to it */
};

/* Wherever the two are. Two of three stores are most of those that are beyond a
 * mix of the last layer for all who send to it, or before one of the first. */

static void
i10_two_liars_of_any_role_evict_nobody(void **state)
{
    (void)state;
    enum { L1 = GATEWAYS, L2 = L1 + MIXES, L3 = L2 + MIXES, ST = L3 + MIXES };
    static const struct pair_row row[] = {
        {{ST, ST + 2}, L3, true},  {{ST, ST + 1}, L1, false},
        {{L3, L3 + 5}, ST, false}, {{L1, L1 + 7}, ST, true},
        {{L3, ST}, L2, true},      {{0, 2}, L3, true}};
    enum { EPOCHS = 3 };
    const size_t rows = test_proof() ? sizeof row / sizeof row[0] : 2;
    for (size_t k = 0; k < rows; k++) {
        uint32_t bandwidth[RELAYS];
        struct rogue *liar[2];
        unsigned worst = 0;
        for (size_t i = 0; i < RELAYS; i++)
            bandwidth[i] =
                i == row[k].liar[0] || i == row[k].liar[1] ? 4003 : 1000;
        struct course *s = course_new(300 + k, bandwidth, short_epochs);
        for (unsigned i = 0; i < 2; i++) {
            liar[i] = rogue_new(s->world, row[k].liar[i]);
            liar[i]->vices = VICE_DROPS_BY_LINK;
        }
        for (unsigned i = 0; i < 2; i++)
            *(row[k].from ? &liar[i]->link_from : &liar[i]->link_to) =
                row[k].victim;
        for (unsigned e = 0; e < EPOCHS; e++)
            course_epoch(s, e);
        for (uint32_t i = 0; i < RELAYS; i++)
            if (i != row[k].liar[0] && i != row[k].liar[1] && s->out[i] > worst)
                worst = s->out[i];
        printf("  %u and %u shun %u: an honest relay is left out of %u of %d\n",
               row[k].liar[0], row[k].liar[1], row[k].victim, worst, EPOCHS);
        assert_int_equal(worst, 0);
        rogue_free(&liar[0]);
        rogue_free(&liar[1]);
        course_free(&s);
    }
}

/* ---- a relay that is broken ---- */

/* Of what comes to a relay it loses a part from some time of the first epoch on, and
 * nothing any more from the same time of another on. */
static void
broken_course(double part, uint32_t relay, uint32_t permille, double *out_h,
              double *back_h)
{
    enum { REPAIR = 4, LAST = 6 };
    struct course *s =
        course_new(200 + (uint64_t)(part * 100), NULL, short_epochs);
    struct rogue *r = rogue_new(s->world, relay);
    r->link_from = ROGUE_EVERYBODY;
    r->drop_permille = permille;
    *out_h = *back_h = 99;
    for (unsigned e = 0; e <= LAST; e++) {
        course_until(s, (e + part) * EPOCH_S);
        r->vices = e < REPAIR ? VICE_DROPS_BY_LINK : 0;
        course_epoch(s, e);
        const bool out = s->world->net.consensus->relays[relay].out;
        if (out && e<REPAIR && * out_h> 98)
            *out_h = e + 1 - part;
        /* it is tested, and stays out while it is broken */
        assert_true(out || e >= REPAIR || *out_h > 98);
        if (!out && e >= REPAIR && *back_h > 98)
            *back_h = e + 1 - REPAIR - part;
    }
    /* nobody else has gone */
    for (uint32_t i = 0; i < RELAYS; i++)
        if (i != relay)
            assert_int_equal(s->out[i], 0);
    printf("  relay %u loses %u permille from %.2f of an epoch on: out after "
           "%.2f, back %.2f after its repair, left out of %u\n",
           relay, permille, part, *out_h, *back_h, s->out[relay]);
    rogue_free(&r);
    course_free(&s);
}

static void
i10_a_broken_relay_is_out_and_comes_back(void **state)
{
    (void)state;
    const unsigned step = test_proof() ? 1 : 10;
    for (unsigned i = test_proof() ? 0 : 4; i < 10; i += step) {
        double out_h, back_h;
        broken_course(i / 10.0, GATEWAYS + (i * 7) % (LAYERS * MIXES + STORES),
                      i % 3 == 2 ? 1000 : 500, &out_h, &back_h);
        assert_true(out_h <= 2);
        assert_true(back_h <= 2);
    }
}

/* ---- clients ---- */

/* The least loops that may be: what goes over links is the clients' traffic. */
static void
few_loops(struct params *p)
{
    params_default(p, EPOCH_S);
    p->relay_loop_mhz = 1;
}

/* Every third link is said to be bad, and one mix by all. */
static void
much_is_said(struct course *s)
{
    const struct consensus *c = s->world->net.consensus;
    for (uint32_t i = 0; i < RELAYS; i++) {
        size_t n = 0;
        for (uint32_t o = i + 1; o < RELAYS && n < LINKS_TOLD_MAX; o++) {
            if ((i + o) % 3 && o != VICTIM && i != VICTIM)
                continue;
            memcpy(s->told[i][n].identity, c->relays[o].identity,
                   SPHINX_ID_LEN);
            s->told[i][n].sent = 100;
            s->told[i][n++].lost = 100;
        }
        s->word[i] = (struct blame_word){n, s->told[i]};
    }
}

struct seen {
    const struct course *course;
    uint64_t frames, before, cut, out;
};

static void
frame_see(void *ctx, uint64_t now_us, uint32_t from, uint32_t to,
          const uint8_t *frame, size_t len)
{
    struct seen *s = ctx;
    const struct consensus *c = s->course->world->net.consensus;
    (void)now_us;
    (void)len;
    if (frame[0] != WIRE_PACKET || from >= RELAYS || to >= RELAYS)
        return;
    s->frames++;
    if (frame[1] != (uint8_t)c->epoch) {
        s->before++;
        return;
    }
    s->cut += consensus_is_cut(c, (uint16_t)from, (uint16_t)to);
    s->out += c->relays[from].out || c->relays[to].out;
}

/* Under a consensus no packet of a client goes over a link that it has cut, or
 * to a relay that it has left out. */
static void
i10_no_client_uses_what_is_cut(void **state)
{
    (void)state;
    struct course *s = course_new(300, NULL, few_loops);
    struct world_client *a = world_client_add(s->world, "fast", 0);
    struct world_client *b = world_client_add(s->world, "fast", 1);
    struct seen seen = {.course = s};
    unsigned taken = 0;
    course_until(s, 30);
    world_pair(s->world, a, "b", b, "a");
    much_is_said(s);
    course_until(s, 0.95 * EPOCH_S);
    world_epoch(s->world);
    const struct consensus *c = s->world->net.consensus;
    assert_true(c->relays[VICTIM].out);
    assert_true(c->n_cut > 40);
    engine_tap(s->world->engine, frame_see, &seen);
    for (unsigned i = 0; i < 12; i++) {
        (void)world_say(a, "b", "hello");
        course_until(s, (1 + 0.02 * i) * EPOCH_S);
        taken += world_take(b, "a");
    }
    /* b answers nothing: the last ones wait for a's ration of scripts */
    course_until(s, 1.35 * EPOCH_S);
    taken += world_take(b, "a");
    engine_tap(s->world->engine, NULL, NULL);
    printf("  %zu links cut: of %llu frames between relays %llu under it, %llu "
           "over them, %llu to or from who is left out\n",
           c->n_cut, (unsigned long long)seen.frames,
           (unsigned long long)(seen.frames - seen.before),
           (unsigned long long)seen.cut, (unsigned long long)seen.out);
    assert_true(seen.frames - seen.before > 10000);
    /* a loop in a quarter of an hour each, one of eight of which is a test */
    assert_in_range(seen.cut + seen.out, 0, 40);
    assert_int_equal(taken, 12);
    course_free(&s);
}

const struct CMUnitTest test_i10_links[] = {
    cmocka_unit_test(i10_two_liars_evict_no_honest_relay),
    cmocka_unit_test(i10_two_liars_of_any_role_evict_nobody),
    cmocka_unit_test(i10_a_broken_relay_is_out_and_comes_back),
    cmocka_unit_test(i10_no_client_uses_what_is_cut),
};
TEST_SUITE(test_i10_links);
