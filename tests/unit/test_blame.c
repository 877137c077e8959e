/* tests/unit/test_blame.c - which links and relays a consensus leaves out, by
 * what relays say of each other. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "directory/blame.h"
#include "lib/rng_seeded.h"
#include "tests/heap.h"
#include "tests/network.h"

enum {
    GATEWAYS = 3,
    MIXES = 8,
    STORES = 3,
    RELAYS = GATEWAYS + 3 * MIXES + STORES,
    FIRST = GATEWAYS,
    SECOND = FIRST + MIXES,
    THIRD = SECOND + MIXES,
    STORE = THIRD + MIXES
};

/* Thirty relays, and what they say. */
struct court {
    struct sim_net net;
    struct link_told told[RELAYS][LINKS_TOLD_MAX];
    struct blame_word word[RELAYS];
};

static struct court *
court_new(void)
{
    struct court *k = calloc(1, sizeof *k);
    assert_non_null(k);
    test_network_make(&k->net, SPHINX_SUITE_X25519, GATEWAYS, 3, MIXES, STORES);
    for (size_t i = 0; i < RELAYS; i++)
        k->word[i].links = k->told[i];
    return k;
}

static void
court_free(struct court **k)
{
    test_network_free(&(*k)->net);
    free(*k);
    *k = NULL;
}

static void
says(struct court *k, size_t i, size_t other, uint16_t sent, uint16_t lost)
{
    struct link_told *l = &k->told[i][k->word[i].n++];
    assert_true(k->word[i].n <= LINKS_TOLD_MAX);
    memcpy(l->identity, k->net.consensus->relays[other].identity,
           sizeof l->identity);
    l->sent = sent;
    l->lost = lost;
}

static struct consensus *
judged(struct court *k)
{
    struct consensus *c = k->net.consensus;
    free(c->cut);
    free(c->left_out);
    c->cut = NULL;
    c->left_out = NULL;
    c->n_cut = c->n_left_out = 0;
    assert_int_equal(blame_judge(c, k->word), 0);
    assert_int_equal(consensus_index(c), 0); /* it is one that may be read */
    return c;
}

/* Either end's word cuts a link, from a fifth on and with enough loops; words
 * about relays that are no neighbours, or do not exist, are none. */
static void
one_word_costs_one_link(void **state)
{
    (void)state;
    struct court *k = court_new();
    says(k, FIRST, SECOND, 100, 20);
    says(k, FIRST, SECOND + 1, 100, 19);
    says(k, FIRST, SECOND + 2, 7, 7);
    says(k, FIRST, FIRST + 1, 100, 100);
    says(k, FIRST, THIRD, 100, 100);
    says(k, FIRST, FIRST, 100, 100);
    says(k, STORE, FIRST + 3, 8, 8);
    says(k, FIRST + 3, STORE, 100, 100); /* both say so: one link */
    says(k, THIRD, 0, 100, 100);
    k->told[FIRST][k->word[FIRST].n++] =
        (struct link_told){.identity = {0xff}, .sent = 9, .lost = 9};
    const struct consensus *c = judged(k);
    assert_int_equal(c->n_left_out, 0);
    assert_int_equal(c->n_cut, 3);
    assert_true(consensus_is_cut(c, SECOND, FIRST));
    assert_true(consensus_is_cut(c, FIRST + 3, STORE));
    assert_true(consensus_is_cut(c, 0, THIRD));
    court_free(&k);
}

/* Liars of one layer say of all their neighbours that they lose all: they are
 * out, and nobody else is, nor is a link of anybody else cut. */
static void
i10_who_disagrees_with_most_is_out(void **state)
{
    (void)state;
    struct court *k = court_new();
    for (size_t liar = SECOND; liar < SECOND + 2; liar++)
        for (size_t i = 0; i < MIXES; i++) {
            says(k, liar, FIRST + i, 1000, 1000);
            says(k, liar, THIRD + i, 1000, 1000);
        }
    const struct consensus *c = judged(k);
    assert_int_equal(c->n_left_out, 2);
    assert_true(c->relays[SECOND].out && c->relays[SECOND + 1].out);
    assert_int_equal(c->left_out[0].cut_permille, 1000);
    assert_int_equal(c->n_cut, 0);
    court_free(&k);
}

/* Half of a relay's neighbours may say what they like of it. */
static void
i10_half_of_the_neighbours_evict_nobody(void **state)
{
    (void)state;
    for (unsigned more = 0; more < 2; more++) {
        struct court *k = court_new();
        for (size_t i = 0; i < MIXES / 2; i++) {
            says(k, FIRST + i, SECOND, 1000, 1000);
            says(k, THIRD + i, SECOND, 1000, 1000);
        }
        if (more)
            says(k, THIRD + MIXES - 1, SECOND, 1000, 1000);
        const struct consensus *c = judged(k);
        assert_int_equal(c->n_left_out, more);
        assert_int_equal(c->relays[SECOND].out, more);
        assert_int_equal(c->n_cut, more ? 0 : MIXES);
        court_free(&k);
    }
}

/* A family that runs most of a layer counts as one neighbour, however many of it
 * speak, and by the share that does. */
static void
i10_a_family_is_one_neighbour(void **state)
{
    (void)state;
    for (unsigned honest = 0; honest < 2; honest++) {
        struct court *k = court_new();
        for (size_t i = 0; i < 6; i++) {
            k->net.consensus->relays[FIRST + i].family[0] = 1;
            k->net.consensus->relays[THIRD + i].family[0] = 2;
            says(k, FIRST + i, SECOND, 100, 100);
            says(k, THIRD + i, SECOND, 100, 100);
        }
        /* with them 2 of 6 neighbours; the rest would be needed too */
        says(k, FIRST + 6, SECOND, 100, 100);
        if (honest)
            says(k, THIRD + 6, SECOND, 100, 100);
        const struct consensus *c = judged(k);
        assert_int_equal(c->n_left_out, honest);
        /* and no more than half of its links with a layer are cut */
        assert_int_equal(c->n_cut, honest ? 0 : MIXES);
        court_free(&k);
    }
}

/* When all lose all it is the network. No layer loses more than a quarter, nor
 * a relay more than half of its links with one, nor two layers more than a
 * quarter of those between them; gateways stay. */
static void
i10_whatever_is_said_layers_stay(void **state)
{
    (void)state;
    struct court *k = court_new();
    const struct consensus *c = k->net.consensus;
    for (size_t i = 0; i < RELAYS; i++)
        for (size_t o = 0; o < RELAYS; o++)
            if (c->relays[i].layer < c->relays[o].layer)
                says(k, i, o, 1000, (uint16_t)(999 - i));
    c = judged(k);
    size_t in[5] = {0}, cut[5][5] = {{0}}, of[RELAYS][5] = {{0}};
    static const size_t least[5] = {GATEWAYS, 6, 6, 6, 2};
    for (unsigned l = 0; l < 5; l++) {
        consensus_layer(c, l, &in[l]);
        assert_int_equal(in[l], least[l]);
    }
    for (size_t i = 0; i < c->n_cut; i++) {
        const uint16_t a = c->cut[i].a, b = c->cut[i].b;
        cut[c->relays[a].layer][c->relays[b].layer]++;
        of[a][c->relays[b].layer]++;
        of[b][c->relays[a].layer]++;
    }
    for (unsigned a = 0; a < 5; a++)
        for (unsigned b = 0; b < 5; b++)
            assert_true(4 * cut[a][b] <= in[a] * in[b]);
    for (size_t i = 0; i < RELAYS; i++)
        for (unsigned l = 0; l < 5; l++)
            assert_true(2 * of[i][l] <= in[l]);
    assert_true(c->n_cut > 20);
    court_free(&k);
}

/* Mark what is reached from the relays marked, one layer on. */
static void
reach_on(const struct consensus *c, bool *reached, unsigned from, unsigned to)
{
    for (uint16_t i = 0; i < c->n_relays; i++)
        for (uint16_t o = 0; o < c->n_relays && c->relays[i].layer == to; o++)
            reached[i] |= reached[o] && c->relays[o].layer == from &&
                          !c->relays[i].out && !consensus_is_cut(c, i, o);
}

/* From each gateway to each store there is a way, and back. */
static void
ways_check(const struct consensus *c)
{
    for (uint16_t i = 0; i < c->n_relays; i++) {
        bool reached[RELAYS] = {false};
        const unsigned start = c->relays[i].layer, end = start ? 0 : 4;
        if (c->relays[i].out || (start != 0 && start != 4))
            continue;
        reached[i] = true;
        reach_on(c, reached, start, 1);
        reach_on(c, reached, 1, 2);
        reach_on(c, reached, 2, 3);
        reach_on(c, reached, 3, end);
        for (size_t o = 0; o < c->n_relays; o++)
            assert_true(c->relays[o].layer != end || c->relays[o].out ||
                        reached[o]);
    }
}

static void
i10_whatever_is_said_there_is_a_way(void **state)
{
    (void)state;
    struct rng_seeded rng;
    unsigned cut = 0;
    rng_seeded_init_u64(&rng, test_seed(), "ways");
    for (unsigned i = 0; i < 400; i++) {
        struct court *k = calloc(1, sizeof *k);
        assert_non_null(k);
        test_network_make(&k->net, SPHINX_SUITE_X25519, 1 + i % 4, 3,
                          1 + i / 4 % 4, 1 + i / 16 % 3);
        const struct consensus *c = k->net.consensus;
        const uint64_t percent = rng_seeded_u64(&rng) % 100;
        for (size_t a = 0; a < c->n_relays; a++) {
            k->word[a].links = k->told[a];
            for (size_t b = 0; b < c->n_relays; b++)
                if (a != b && rng_seeded_u64(&rng) % 100 < percent)
                    says(k, a, b, 1000,
                         (uint16_t)(rng_seeded_u64(&rng) % 1001));
        }
        c = judged(k);
        cut += c->n_cut > 0;
        ways_check(c);
        court_free(&k);
    }
    assert_true(cut > 100);
}

/* Nor does it count that a relay is linked with its own family, over which no way
 * of it goes: of its links with all others in a layer half stay. */
static void
i10_whatever_is_said_of_families_there_is_a_way(void **state)
{
    (void)state;
    struct rng_seeded rng;
    unsigned cut = 0;
    rng_seeded_init_u64(&rng, test_seed(), "families");
    for (unsigned run = 0; run < 200; run++) {
        struct court *k = court_new();
        struct relay_entry *r = k->net.consensus->relays;
        for (size_t i = 0; i < RELAYS; i++)
            r[i].family[0] = (uint8_t)(rng_seeded_u64(&rng) % (2 + run % 2));
        for (size_t a = 0; a < RELAYS; a++)
            for (size_t m = 0; m < LINKS_TOLD_MAX; m++)
                says(k, a, rng_seeded_u64(&rng) % RELAYS, 1000, 1000);
        const struct consensus *c = judged(k);
        size_t of[RELAYS][5] = {{0}}, linked[RELAYS][5] = {{0}};
        for (size_t i = 0; i < c->n_cut; i++) {
            of[c->cut[i].a][c->relays[c->cut[i].b].layer]++;
            of[c->cut[i].b][c->relays[c->cut[i].a].layer]++;
        }
        for (uint16_t i = 0; i < RELAYS; i++)
            for (uint16_t o = 0; o < RELAYS; o++)
                linked[i][r[o].layer] +=
                    !r[o].out && !consensus_are_related(c, i, o);
        for (size_t i = 0; i < RELAYS; i++)
            for (unsigned l = 0; l < 5 && r[i].role != ROLE_MIX; l++)
                assert_true(2 * of[i][l] <= linked[i][l]);
        cut += c->n_cut > 0;
        court_free(&k);
    }
    assert_true(cut > 100);
}

/* A liar that says of half a layer that it loses all does not keep what is said
 * of itself from being heard. */
static void
i10_lies_shield_no_link(void **state)
{
    (void)state;
    struct court *k = court_new();
    for (size_t i = 0; i < 5; i++)
        says(k, SECOND, THIRD + i, 1000, 1000);
    says(k, THIRD + 6, SECOND, 1000, 300);
    const struct consensus *c = judged(k);
    assert_int_equal(c->n_left_out, 0);
    assert_int_equal(c->n_cut, MIXES / 2 + 1);
    assert_true(consensus_is_cut(c, SECOND, THIRD + 6));
    court_free(&k);
}

/* A broken one goes before a liar, and what was said with it is void. */
static void
the_worst_goes_first(void **state)
{
    (void)state;
    struct court *k = court_new();
    for (size_t i = 0; i < MIXES; i++) { /* SECOND is broken, */
        says(k, FIRST + i, SECOND, 100, 50);
        says(k, THIRD + i, SECOND, 100, 50);
    }
    for (size_t i = 0; i < 2; i++) /* and THIRD says so of stores */
        says(k, THIRD, STORE + i, 100, 100);
    for (size_t i = 1; i < 4; i++) /* and some of the layer */
        says(k, THIRD, SECOND + i, 100, 100);
    const struct consensus *c = judged(k);
    /* without SECOND 3 of 7 and 2 of 3 are more than half */
    assert_true(c->relays[SECOND].out && c->relays[THIRD].out);
    assert_int_equal(c->n_left_out, 2);
    k->word[THIRD].n--; /* 3 of 8 and 2 of 3 are; without it 2 of 7 are not */
    c = judged(k);
    assert_true(c->relays[SECOND].out && !c->relays[THIRD].out);
    court_free(&k);
}

/* However many gateways there are, or stores. */
static void
i10_many_of_a_kind_are_not_many(void **state)
{
    (void)state;
    enum { MANY = 40, MIX = MANY, LAST = MIX + 12 };
    static struct link_told told[2][MANY];
    struct blame_word word[LAST + MANY] = {{0}};
    struct sim_net n;
    test_network_make(&n, SPHINX_SUITE_X25519, MANY, 3, 4, MANY);
    struct consensus *c = n.consensus;
    for (size_t i = 0; i < MANY;
         i++) { /* all say so of one of the first layer */
        struct link_told *l = &told[0][i];
        *l = (struct link_told){.sent = 100, .lost = 100};
        memcpy(l->identity, c->relays[MIX].identity, sizeof l->identity);
        told[1][i] = *l;
        word[i] = (struct blame_word){1, l};
        word[LAST + i] = (struct blame_word){1, &told[1][i]};
    }
    assert_int_equal(blame_judge(c, word), 0);
    assert_int_equal(c->n_left_out, 0);
    free(c->cut);
    free(c->left_out);
    c->n_cut = c->n_left_out = 0;
    word[MIX + 4] = word[0]; /* and one of the second, which makes it most */
    assert_int_equal(blame_judge(c, word), 0);
    assert_int_equal(c->n_left_out, 1);
    test_network_free(&n);
}

/* ---- as it is written ---- */

static bool
is_family(const struct relay_entry *a, const struct relay_entry *b)
{
    static const uint8_t none[FAMILY_LEN];
    return memcmp(a->family, none, FAMILY_LEN) != 0 &&
           memcmp(a->family, b->family, FAMILY_LEN) == 0;
}

/* Does a say that its link with b is bad, and is there one? */
static bool
is_said(const struct court *k, size_t a, size_t b)
{
    const struct relay_entry *r = k->net.consensus->relays;
    const unsigned low = r[a].layer < r[b].layer ? r[a].layer : r[b].layer;
    const unsigned high = r[a].layer < r[b].layer ? r[b].layer : r[a].layer;
    if (is_family(&r[a], &r[b]) ||
        !(high == low + 1 || (low == 1 && high == 4)))
        return false;
    for (size_t m = 0; m < k->word[a].n; m++)
        if (memcmp(k->told[a][m].identity, r[b].identity, SPHINX_ID_LEN) == 0)
            return true;
    return false;
}

/* The neighbours of a layer, each by its first relay, and the members of b's. */
static size_t
members_as_written(const struct court *k, const bool *gone, size_t b,
                   bool *is_first)
{
    const struct relay_entry *r = k->net.consensus->relays;
    size_t members = 0, first = RELAYS;
    for (size_t i = RELAYS; i-- > 0;)
        if (!gone[i] && r[i].layer == r[b].layer &&
            (i == b || is_family(&r[i], &r[b]))) {
            members++;
            first = i;
        }
    *is_first = first == b;
    return members;
}

/* The sum of relay a over those not gone, as doc/PROTOCOL.md says. */
static uint64_t
sum_as_written(const struct court *k, const bool *gone, size_t a)
{
    const struct relay_entry *r = k->net.consensus->relays;
    uint64_t sum = 0;
    for (unsigned layer = 1; layer <= 4; layer++) {
        uint64_t x = 0, neighbours = 0;
        for (size_t b = 0; b < RELAYS; b++) {
            bool is_first;
            if (gone[b] || r[b].layer != layer)
                continue;
            const size_t members = members_as_written(k, gone, b, &is_first);
            neighbours += is_first;
            if (is_said(k, a, b) || is_said(k, b, a))
                x += 1000000000 / members;
        }
        sum += neighbours > 0 ? x / neighbours : 0;
    }
    return sum;
}

/* One after the other the worst, of equal ones the first. All but gateways have
 * links with two layers, so half is a whole of one. */
static void
leave_out_as_written(const struct court *k, bool *gone)
{
    const struct relay_entry *r = k->net.consensus->relays;
    size_t left[LAYERS_MAX + 2] = {0}, worst;
    do {
        uint64_t most = 1000000000;
        worst = RELAYS;
        for (size_t i = FIRST; i < RELAYS; i++) {
            const size_t in = r[i].role == ROLE_STORE ? STORES : MIXES;
            const uint64_t sum = gone[i] ? 0 : sum_as_written(k, gone, i);
            if (left[r[i].layer] < (in + 1) / 4 && sum > most) {
                worst = i;
                most = sum;
            }
        }
        if (worst < RELAYS) {
            gone[worst] = true;
            left[r[worst].layer]++;
        }
    } while (worst < RELAYS);
}

static void
relays_are_left_out_as_written(void **state)
{
    (void)state;
    struct rng_seeded rng;
    size_t out = 0;
    rng_seeded_init_u64(&rng, test_seed(), "as written");
    for (unsigned run = 0; run < 60; run++) {
        struct court *k = court_new();
        struct relay_entry *r = k->net.consensus->relays;
        bool gone[RELAYS] = {false};
        for (size_t i = 0; i < RELAYS; i++) {
            const uint64_t family = rng_seeded_u64(&rng) % 6;
            r[i].family[0] = (uint8_t)(family < 4 ? family : 0);
        }
        for (size_t i = 0; i < RELAYS; i++)
            for (size_t m = rng_seeded_u64(&rng) % LINKS_TOLD_MAX; m > 0; m--)
                says(k, i, rng_seeded_u64(&rng) % RELAYS, 100, 100);
        leave_out_as_written(k, gone);
        const struct consensus *c = judged(k);
        for (size_t i = 0; i < RELAYS; i++) {
            assert_int_equal(c->relays[i].out, gone[i]);
            out += gone[i];
        }
        court_free(&k);
    }
    assert_in_range(out, 60, 60 * RELAYS / 4);
}

static int
judge_call(void *ctx)
{
    struct court *k = ctx;
    struct consensus *c = k->net.consensus;
    free(c->cut);
    free(c->left_out);
    c->cut = NULL;
    c->left_out = NULL;
    c->n_cut = c->n_left_out = 0;
    return blame_judge(c, k->word);
}

static void
judging_without_memory(void **state)
{
    (void)state;
    struct court *k = court_new();
    says(k, FIRST, SECOND, 100, 100);
    heap_try(judge_call, k);
    assert_int_equal(k->net.consensus->n_cut, 1);
    court_free(&k);
}

const struct CMUnitTest test_blame[] = {
    cmocka_unit_test(one_word_costs_one_link),
    cmocka_unit_test(i10_who_disagrees_with_most_is_out),
    cmocka_unit_test(i10_half_of_the_neighbours_evict_nobody),
    cmocka_unit_test(i10_a_family_is_one_neighbour),
    cmocka_unit_test(i10_whatever_is_said_layers_stay),
    cmocka_unit_test(i10_whatever_is_said_there_is_a_way),
    cmocka_unit_test(i10_whatever_is_said_of_families_there_is_a_way),
    cmocka_unit_test(i10_lies_shield_no_link),
    cmocka_unit_test(the_worst_goes_first),
    cmocka_unit_test(i10_many_of_a_kind_are_not_many),
    cmocka_unit_test(relays_are_left_out_as_written),
    cmocka_unit_test(judging_without_memory),
};
TEST_SUITE(test_blame);
