/* tests/unit/test_loss.c - which links a relay tells of, by its own loops. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "relay/loss.h"
#include "tests/heap.h"
#include "tests/network.h"

/* One gateway, 3 x 8 mixes, two stores; told of is the first of the second
 * layer. */
enum {
    MIXES = 8,
    FIRST = 1,
    SELF = FIRST + MIXES,
    THIRD = SELF + MIXES,
    RELAYS = THIRD + MIXES + 2,
    LOOPS = 10 /* by way of each two */
};

struct bench {
    struct sim_net net;
    struct test_env env;
    struct loss_link links[LOSS_WINDOWS][RELAYS];
    struct loss_window window[LOSS_WINDOWS];
    struct link_told told[LINKS_TOLD_MAX];
    int n;
};

static struct bench *
bench_new(void)
{
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    test_network_make(&b->net, SPHINX_SUITE_X25519, 1, 3, MIXES, 2);
    test_env_init(&b->env, test_seed());
    b->window[0] = (struct loss_window){b->net.consensus, b->links[0]};
    return b;
}

static void
bench_free(struct bench **b)
{
    test_network_free(&(*b)->net);
    free(*b);
    *b = NULL;
}

/* Of the loops to (or from) a neighbour by way of each relay beyond it so many
 * have come back, and so many have not. */
static void
loops(struct bench *b, size_t age, size_t neighbour, size_t beyond,
      unsigned returned, unsigned lost)
{
    for (unsigned i = 0; i < returned + lost; i++)
        loss_count(&b->links[age][neighbour], beyond, i < lost);
}

static void
healthy(struct bench *b, size_t age)
{
    for (size_t i = FIRST; i < RELAYS; i++)
        for (size_t beyond = 0; beyond < MIXES; beyond++)
            loops(b, age, i, beyond, LOOPS, 0);
}

static void
tell(struct bench *b)
{
    memset(b->told, 0, sizeof b->told);
    b->n = loss_tell(b->window, SELF, &b->env.env, b->told);
    assert_true(b->n >= 0);
}

/* Is the link told of, and if so what share of it is lost, in permille? */
static int
told_of(const struct bench *b, size_t i)
{
    for (int k = 0; k < b->n; k++)
        if (memcmp(b->told[k].identity, b->net.consensus->relays[i].identity,
                   SPHINX_ID_LEN) == 0)
            return b->told[k].lost * 1000 / b->told[k].sent;
    return -1;
}

static void
a_link_that_loses_is_told_of(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    healthy(b, 0);
    tell(b);
    assert_int_equal(b->n, 0);
    for (size_t beyond = 0; beyond < MIXES; beyond++) {
        loops(b, 0, THIRD + 2, beyond, 0, LOOPS);         /* half */
        loops(b, 0, FIRST + 5, beyond, 4 * LOOPS, LOOPS); /* a sixth */
        loops(b, 0, RELAYS - 1, beyond, 0, 9 * LOOPS);    /* no neighbour */
    }
    tell(b);
    assert_int_equal(b->n, 2);
    assert_in_range(told_of(b, THIRD + 2), 460, 540);
    assert_in_range(told_of(b, FIRST + 5), 140, 195);
    for (int k = 0; k < b->n; k++) /* in whole steps */
        assert_int_equal(
            b->told[k].sent % LOSS_STEP + b->told[k].lost % LOSS_STEP, 0);
    bench_free(&b);
}

/* Two liars of the layer beyond drop all that comes from a neighbour. They are
 * drawn as often as all others together: it is not the neighbour's loss. */
static void
i10_a_liar_beyond_is_not_the_neighbours_loss(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    healthy(b, 0);
    for (size_t liar = 3; liar < 5; liar++)
        loops(b, 0, FIRST + 2, liar, 0, 4 * LOOPS);
    tell(b);
    assert_int_equal(told_of(b, FIRST + 2), -1);
    bench_free(&b);
}

/* Nor where there are no more than three relays beyond, as with three stores; when
 * all three lose, it is. */
static void
i10_two_liars_of_three_beyond_are_not_either(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    for (size_t i = FIRST; i < RELAYS; i++)
        for (size_t beyond = 0; beyond < 3; beyond++)
            loops(b, 0, i, beyond, 3 * LOOPS, 0);
    for (size_t liar = 1; liar < 3; liar++)
        loops(b, 0, FIRST + 2, liar, 0, 12 * LOOPS);
    tell(b);
    assert_int_equal(told_of(b, FIRST + 2), -1);
    loops(b, 0, FIRST + 2, 0, 0, 12 * LOOPS);
    tell(b);
    assert_in_range(told_of(b, FIRST + 2), 760, 840);
    bench_free(&b);
}

/* What is lost further away is lost on all links alike. */
static void
what_all_links_lose_is_told_of_none(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    healthy(b, 0);
    for (size_t i = THIRD; i < THIRD + MIXES; i++)
        for (size_t beyond = 0; beyond < MIXES; beyond++)
            loops(b, 0, i, beyond, 0, LOOPS); /* half, at a store */
    tell(b);
    assert_int_equal(b->n, 0);
    for (size_t beyond = 0; beyond < MIXES; beyond++)
        loops(b, 0, THIRD + 1, beyond, 0, 3 * LOOPS); /* four of five */
    tell(b);
    assert_int_equal(b->n, 1); /* 0.8 = 0.5 + 0.6 of what is left */
    assert_in_range(told_of(b, THIRD + 1), 560, 640);
    bench_free(&b);
}

/* A few loops say nothing. */
static void
little_evidence_is_not_told(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    loops(b, 0, FIRST, 0, 0, 3);
    loops(b, 0, FIRST + 1, 0, 3, 4);
    loops(b, 0, FIRST + 2, 0, 97, 3);
    for (size_t i = 3; i < MIXES; i++)
        loops(b, 0, FIRST + i, 0, 100, 0);
    tell(b);
    assert_int_equal(b->n, 0);
    loops(b, 0, FIRST + 1, 0, 1, 0);
    tell(b);
    assert_int_equal(b->n, 1);
    assert_true(told_of(b, FIRST + 1) > 0);
    bench_free(&b);
}

/* Of an epoch's losses an eighth counts in the next; relays are known by
 * identity, whatever their numbers are. */
static void
what_was_is_forgotten(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct consensus *old;
    assert_int_equal(sim_net_next(&b->net, &old), 0);
    b->window[0].consensus = b->net.consensus;
    b->window[1] = (struct loss_window){old, b->links[1]};
    /* all have one relay more before them */
    struct relay_entry *more = calloc(RELAYS + 1, sizeof *more);
    assert_non_null(more);
    memcpy(more + 1, b->net.consensus->relays, RELAYS * sizeof *more);
    free(b->net.consensus->relays);
    b->net.consensus->relays = more;
    struct loss_link moved[RELAYS + 1] = {0};
    healthy(b, 0);
    memcpy(moved + 1, b->links[0], RELAYS * sizeof *moved);
    b->window[0].links = moved;
    b->net.consensus->n_relays++;
    healthy(b, 1);
    for (size_t beyond = 0; beyond < MIXES; beyond++)
        loops(b, 1, THIRD + 1, beyond, 0, 9 * LOOPS);
    b->n = loss_tell(b->window, SELF + 1, &b->env.env, b->told);
    /* an eighth of 10 loops of 90 lost, beside 10: 90/180 of the weight */
    assert_int_equal(b->n, 1);
    assert_in_range(told_of(b, THIRD + 2), 480, 520);
    b->window[2] = b->window[1];
    b->window[1] = (struct loss_window){0};
    b->n = loss_tell(b->window, SELF + 1, &b->env.env, b->told);
    /* a 64th: 90/740 */
    assert_int_equal(b->n, 1);
    assert_in_range(told_of(b, THIRD + 2), 100, 140);
    consensus_free(&old);
    bench_free(&b);
}

/* The worst are told, when there are too many. */
static void
the_worst_are_told(void **state)
{
    (void)state;
    enum { MANY = 3 * LINKS_TOLD_MAX };
    struct sim_net n;
    struct test_env env;
    struct link_told told[LINKS_TOLD_MAX];
    test_network_make(&n, SPHINX_SUITE_X25519, 1, 2, MANY, 1);
    test_env_init(&env, test_seed());
    struct loss_link *links = calloc(n.consensus->n_relays, sizeof *links);
    assert_non_null(links);
    for (size_t i = 0; i < MANY; i++)
        for (unsigned k = 0; k < 1000; k++)
            loss_count(&links[1 + MANY + i], 0,
                       i < MANY / 2 - 1 && k < 300 + 4 * i);
    const struct loss_window w[LOSS_WINDOWS] = {{n.consensus, links}};
    assert_int_equal(loss_tell(w, 1, &env.env, told), LINKS_TOLD_MAX);
    for (size_t i = 0; i < LINKS_TOLD_MAX; i++)
        assert_memory_equal(
            told[i].identity,
            n.consensus->relays[1 + MANY + MANY / 2 - 1 - LINKS_TOLD_MAX + i]
                .identity,
            SPHINX_ID_LEN);
    free(links);
    test_network_free(&n);
}

static int
tell_call(void *ctx)
{
    struct bench *b = ctx;
    const int n = loss_tell(b->window, SELF, &b->env.env, b->told);
    return n < 0 ? n : 0;
}

static void
telling_without_memory(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    healthy(b, 0);
    heap_try(tell_call, b);
    bench_free(&b);
}

const struct CMUnitTest test_loss[] = {
    cmocka_unit_test(a_link_that_loses_is_told_of),
    cmocka_unit_test(i10_a_liar_beyond_is_not_the_neighbours_loss),
    cmocka_unit_test(i10_two_liars_of_three_beyond_are_not_either),
    cmocka_unit_test(what_all_links_lose_is_told_of_none),
    cmocka_unit_test(little_evidence_is_not_told),
    cmocka_unit_test(what_was_is_forgotten),
    cmocka_unit_test(the_worst_are_told),
    cmocka_unit_test(telling_without_memory),
};
TEST_SUITE(test_loss);
