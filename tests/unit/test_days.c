/* tests/unit/test_days.c - values of days, and the stores of boxes by them. */
#include <jansson.h>
#include <math.h>
#include <sodium.h>
#include <string.h>

#include "network/days.h"
#include "network/placement.h"
#include "tests/network.h"
#include "tests/runner.h"

enum { EPOCHS_DAY = 24, DAY_S = 86400, STORES_MAX = 24 };

static uint64_t
number(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    assert_true(json_is_integer(v));
    return (uint64_t)json_integer_value(v);
}

static void
unhex(const json_t *v, uint8_t *out, size_t len)
{
    const char *hex = json_string_value(v);
    size_t n = 0;
    assert_non_null(hex);
    assert_int_equal(sodium_hex2bin(out, len, hex, strlen(hex), NULL, &n, NULL),
                     0);
    assert_int_equal(n, len);
}

static void
days_read(const json_t *list, struct days *d)
{
    *d = (struct days){.n = (uint8_t)json_array_size(list)};
    assert_in_range(d->n, 1, DAYS_MAX);
    for (size_t i = 0; i < d->n; i++)
        unhex(json_array_get(list, i), d->value[i], DAYS_VALUE_LEN);
}

static void
waits_look(const json_t *list)
{
    assert_true(json_array_size(list) > 40);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        const char *x = json_string_value(json_object_get(v, "x"));
        assert_int_equal(placement_wait(strtoull(x, NULL, 16)),
                         number(v, "wait"));
    }
}

static void
days_look(const json_t *o)
{
    const json_t *steps = json_object_get(o, "steps");
    struct days d = {0}, want;
    uint32_t before = 0;
    assert_true(json_array_size(steps) > 8);
    for (size_t i = 0; i < json_array_size(steps); i++) {
        const json_t *step = json_array_get(steps, i);
        const json_t *asked = json_object_get(step, "asked");
        const uint32_t period = (uint32_t)number(step, "period");
        uint8_t value[DAYS_VALUE_LEN], expected[DAYS_VALUE_LEN];
        unhex(json_object_get(step, "random"), value, sizeof value);
        days_next(&d, period, number(o, "keep"), value, &d, before);
        days_read(json_object_get(step, "days"), &want);
        assert_int_equal(d.n, want.n);
        assert_memory_equal(d.value, want.value, d.n * sizeof d.value[0]);
        for (size_t k = 0; k < json_array_size(asked); k++) {
            const json_t *one = json_array_get(asked, k);
            days_value(&d, period, (uint32_t)number(one, "period"), value);
            unhex(json_object_get(one, "value"), expected, sizeof expected);
            assert_memory_equal(value, expected, sizeof value);
        }
        before = period;
    }
}

/* A consensus with the stores of the vectors, each by its place among them. */
static void
stores_look(const json_t *o)
{
    const json_t *stores = json_object_get(o, "stores");
    const json_t *boxes = json_object_get(o, "boxes");
    const unsigned n = (unsigned)json_array_size(stores);
    struct sim_net net;
    test_network_make(&net, SPHINX_SUITE_X25519, 1, 1, 1, n);
    struct consensus *c = net.consensus;
    c->epoch = (uint32_t)number(o, "epoch");
    c->valid_after_s = number(o, "valid_after_s");
    c->params.epoch_len_s = (uint32_t)number(o, "epoch_len_s");
    c->params.period_s = (uint32_t)number(o, "period_s");
    days_read(json_object_get(o, "days"), &c->days);
    for (unsigned i = 0; i < n; i++) {
        const json_t *store = json_array_get(stores, i);
        struct relay_entry *e = &c->relays[2 + i];
        unhex(json_object_get(store, "placement"), e->placement, PLACEMENT_LEN);
        e->bandwidth = (uint32_t)number(store, "bandwidth");
        e->counts = (uint16_t)number(store, "counts");
    }
    assert_true(json_array_size(boxes) > 100);
    for (size_t i = 0; i < json_array_size(boxes); i++) {
        const json_t *box = json_array_get(boxes, i);
        uint8_t id[32];
        uint16_t first, second;
        unhex(json_object_get(box, "box"), id, sizeof id);
        assert_int_equal(consensus_store_of(c, (uint32_t)number(box, "period"),
                                            id, &first, &second),
                         0);
        assert_int_equal(first, 2 + number(box, "first"));
        assert_int_equal(second, 2 + number(box, "second"));
    }
    test_network_free(&net);
}

/* Against vectors that other code has made (tests/vectors/stores.py). */
static void
vectors_are_met(void **state)
{
    (void)state;
    json_t *root = json_load_file("tests/vectors/stores.json", 0, NULL);
    assert_non_null(root);
    waits_look(json_object_get(root, "waits"));
    days_look(json_object_get(root, "days"));
    stores_look(json_object_get(root, "stores"));
    json_decref(root);
}

/* The shorter a number, the longer the wait, over the whole range, and never
 * more than four parts from the logarithm; the products of what is compared stay
 * within 64 bits. */
static void
waits_are_logarithms(void **state)
{
    (void)state;
    struct rng_seeded rng;
    const struct placement most = {true, UINT64_C(1) << 36, 100000001};
    rng_seeded_init_u64(&rng, test_seed(), "waits");
    for (unsigned i = 0; i < 20000; i++) {
        const uint64_t x = (rng_seeded_u64(&rng) >> i % 64) | 1;
        const double exact = (64 - log2((double)x)) * (1 << 30);
        const uint64_t wait = placement_wait(x);
        assert_true(fabs((double)wait - exact) < 5);
        assert_true(x == UINT64_MAX || placement_wait(x + 1) <= wait);
        assert_in_range(wait, 1, most.wait);
    }
    assert_int_equal(placement_wait(1), most.wait);
    assert_true(most.wait < UINT64_MAX / most.weight);
    assert_false(placement_is_before(&most, &most));
}

/* A store that does not count comes after the lightest that does. */
static void
what_counts_comes_first(void **state)
{
    (void)state;
    const struct placement light = {true, UINT64_C(1) << 36, 1};
    const struct placement heavy = {false, 1, 100000001};
    assert_true(placement_is_before(&light, &heavy));
    assert_false(placement_is_before(&heavy, &light));
}

/* ---- a network that goes on from day to day ---- */

/* The consensus that follows c, by its epoch's shared value, `epochs` later. */
static void
epochs_pass(struct consensus *c, struct rng_seeded *rng, uint32_t epochs)
{
    const struct days before = c->days;
    const uint32_t period = consensus_period(c);
    uint8_t random[DAYS_VALUE_LEN];
    rng_seeded_bytes(rng, random, sizeof random);
    c->epoch += epochs;
    c->valid_after_s += (uint64_t)epochs * c->params.epoch_len_s;
    days_next(&c->days, consensus_period(c),
              days_keep(c->params.letter_days, c->params.period_s), random,
              &before, period);
    for (size_t i = 0; i < c->n_relays; i++) {
        struct relay_entry *e = &c->relays[i];
        e->counts =
            days_counts(e->counts, consensus_period(c) - period,
                        e->since == 0 || c->epoch - e->since >=
                                             c->params.store_trial_epochs);
    }
}

static struct consensus *
network_begin(struct sim_net *n, struct rng_seeded *rng, unsigned stores,
              const char *stream)
{
    test_network_make(n, SPHINX_SUITE_X25519, 1, 1, 1, stores);
    rng_seeded_init_u64(rng, test_seed(), stream);
    return n->consensus;
}

/* Who writes today and who reads in a week, or at any hour before, with any
 * consensus of then, look for a box at the same two stores; some hours without a
 * consensus, and a whole day, change nothing. */
static void
i6_writer_and_reader_agree_for_a_week(void **state)
{
    (void)state;
    enum { BOXES = 64, HOURS = 7 * EPOCHS_DAY + 23 };
    static uint16_t first[BOXES], second[BOXES];
    static uint8_t box[BOXES][32];
    struct sim_net n;
    struct rng_seeded rng;
    struct consensus *c = network_begin(&n, &rng, 7, "week");
    for (unsigned gap = 1; gap < 40; gap += gap < 4 ? 1 : 29) {
        for (unsigned day = 0; day < 9; day++)
            epochs_pass(c, &rng, EPOCHS_DAY);
        while (c->valid_after_s % DAY_S != 0)
            epochs_pass(c, &rng, 1);
        const uint32_t period = consensus_period(c);
        for (size_t i = 0; i < BOXES; i++) {
            rng_seeded_bytes(&rng, box[i], sizeof box[i]);
            assert_int_equal(
                consensus_store_of(c, period, box[i], &first[i], &second[i]),
                0);
        }
        for (unsigned hour = 0; hour + gap <= HOURS; hour += gap) {
            epochs_pass(c, &rng, gap);
            for (size_t i = 0; i < BOXES; i++) {
                uint16_t a, b;
                assert_int_equal(consensus_store_of(c, period, box[i], &a, &b),
                                 0);
                assert_int_equal(a, first[i]);
                assert_int_equal(b, second[i]);
            }
        }
    }
    test_network_free(&n);
}

/* What becomes of a box that a client writes into while no consensus is made:
 * by the one it has, of the day before, and by each that comes later. */
static void
i6_missed_days_have_one_value(void **state)
{
    (void)state;
    struct sim_net n;
    struct rng_seeded rng;
    struct consensus *c = network_begin(&n, &rng, 9, "missed");
    while (c->valid_after_s % DAY_S != 23 * 3600)
        epochs_pass(c, &rng, 1);
    const uint32_t last = consensus_period(c);
    struct consensus before = *c;
    epochs_pass(c, &rng, 3 * EPOCHS_DAY + 5);
    assert_int_equal(consensus_period(c), last + 4);
    for (uint32_t period = last - 3; period <= last + 4; period++)
        for (unsigned i = 0; i < 64; i++) {
            uint8_t box[32];
            uint16_t a, b, a2, b2;
            rng_seeded_bytes(&rng, box, sizeof box);
            assert_int_equal(consensus_store_of(&before, period, box, &a, &b),
                             0);
            assert_int_equal(consensus_store_of(c, period, box, &a2, &b2), 0);
            assert_int_equal(a, a2);
            assert_int_equal(b, b2);
        }
    test_network_free(&n);
}

/* Of 4,000 boxes a store has its weight's share, as first and as second, whatever
 * the number of those that share it: sixteen that claim little have no more than
 * that little together (five standard deviations either way). */
static void
i11_many_light_stores_see_little(void **state)
{
    (void)state;
    enum { BOXES = 4000, HONEST = 8, SYBILS = 16 };
    const double share = (double)SYBILS * 11 / (SYBILS * 11 + HONEST * 1001);
    struct sim_net n;
    struct rng_seeded rng;
    unsigned theirs = 0, fallback = 0;
    struct consensus *c = network_begin(&n, &rng, HONEST + SYBILS, "sybils");
    for (size_t i = 0; i < SYBILS; i++)
        c->relays[2 + HONEST + i].bandwidth = 10;
    for (unsigned i = 0; i < BOXES; i++) {
        uint8_t box[32];
        uint16_t a, b;
        rng_seeded_bytes(&rng, box, sizeof box);
        assert_int_equal(
            consensus_store_of(c, consensus_period(c), box, &a, &b), 0);
        theirs += a >= 2 + HONEST;
        fallback += b >= 2 + HONEST;
    }
    const double sigma = sqrt(BOXES * share * (1 - share));
    print_message("  16 of 24 stores, 2.1 %% of the weight: %u and %u of %u\n",
                  theirs, fallback, BOXES);
    assert_true(fabs(theirs - BOXES * share) < 5 * sigma);
    /* a box whose first is heavy leaves them a little more to be second of */
    assert_true(fallback < BOXES * share * HONEST / (HONEST - 1.0) + 6 * sigma);
    test_network_free(&n);
}

/* A contact knows the boxes of tomorrow. As soon as the value is known that decides
 * who has them it joins as store after store until one would have the box, were it
 * to count; it never does before the box's day is over. */
static void
i10_no_store_is_put_onto_tomorrows_box(void **state)
{
    (void)state;
    enum { HONEST = 8, DAYS = 30 };
    struct sim_net n;
    struct rng_seeded rng;
    unsigned won = 0, few = 0;
    struct consensus *c = network_begin(&n, &rng, HONEST + 1, "tomorrow");
    struct relay_entry *own = &c->relays[2 + HONEST];
    while (c->valid_after_s % DAY_S != 0)
        epochs_pass(c, &rng, 1);
    for (unsigned day = 0; day < DAYS; day++) {
        const uint32_t target = consensus_period(c) + 1;
        const struct consensus morning = *c;
        uint8_t box[32];
        uint16_t a, b;
        unsigned tries = 0;
        rng_seeded_bytes(&rng, box, sizeof box);
        /* the value that decides is known: a placement that has the box */
        own->since = c->epoch + 1;
        own->counts = DAYS_COUNTS_ALL; /* if it counted */
        do { /* more than n tries go with probability 8 / (8 + n) */
            rng_seeded_bytes(&rng, own->placement, PLACEMENT_LEN);
            assert_int_equal(consensus_store_of(c, target, box, &a, &b), 0);
            tries++;
        } while (a != 2 + HONEST);
        few += tries <= HONEST;
        own->counts = 0;
        for (unsigned hour = 0; hour < 2 * EPOCHS_DAY - 1; hour++) {
            epochs_pass(c, &rng, 1);
            assert_int_equal(consensus_store_of(c, target, box, &a, &b), 0);
            won += a == 2 + HONEST || b == 2 + HONEST;
        }
        c->days = morning.days;
        c->epoch = morning.epoch;
        c->valid_after_s = morning.valid_after_s;
        epochs_pass(c, &rng, EPOCHS_DAY);
    }
    print_message(
        "  8 tries do on %u of 30 days, were it to count at once; as it "
        "is it has the box %u times\n",
        few, won);
    assert_int_equal(won, 0);
    test_network_free(&n);
}

/* Where no store counts all do, and where one counts the next is its fallback. */
static void
there_is_always_a_store(void **state)
{
    (void)state;
    struct sim_net n;
    struct rng_seeded rng;
    uint16_t a, b, firsts = 0;
    uint8_t box[32];
    struct consensus *c = network_begin(&n, &rng, 3, "always");
    for (size_t i = 2; i < 5; i++)
        c->relays[i].counts = 0;
    for (unsigned i = 0; i < 64; i++) {
        rng_seeded_bytes(&rng, box, sizeof box);
        assert_int_equal(
            consensus_store_of(c, consensus_period(c), box, &a, &b), 0);
        assert_in_range(a, 2, 4);
        assert_in_range(b, 2, 4);
        firsts |= (uint16_t)(1u << a);
    }
    assert_int_equal(firsts, 7 << 2);
    c->relays[3].counts = DAYS_COUNTS_ALL;
    assert_int_equal(consensus_store_of(c, consensus_period(c), box, &a, &b),
                     0);
    assert_int_equal(a, 3);
    assert_true(b == 2 || b == 4);
    test_network_free(&n);
}

/* A store that carries nearly all comes at some hour of a day. It has been there for
 * a day at the next midnight but one (or the next, if it came at midnight), so it has
 * the boxes of the day after that, and those of no earlier day, whoever asks when. */
static void
i10_a_new_store_counts_after_its_trial(void **state)
{
    (void)state;
    struct sim_net n;
    struct rng_seeded rng;
    struct consensus *c = network_begin(&n, &rng, 2, "trial");
    struct relay_entry *young = &c->relays[3];
    young->bandwidth = 100000000;
    c->relays[2].bandwidth = 0;
    for (uint32_t hour = 0; hour < EPOCHS_DAY; hour += 7) {
        while (c->valid_after_s % DAY_S != 0)
            epochs_pass(c, &rng, 1);
        const uint32_t today = consensus_period(c);
        epochs_pass(c, &rng, hour);
        young->since = c->epoch;
        young->counts = 0;
        for (unsigned at = 0; at < 9 * EPOCHS_DAY;
             at++, epochs_pass(c, &rng, 1))
            for (uint32_t period = consensus_period(c) - 7;
                 period <= consensus_period(c) + 1; period++) {
                const uint8_t box[32] = {(uint8_t)hour, (uint8_t)period};
                uint16_t a, b;
                assert_int_equal(consensus_store_of(c, period, box, &a, &b), 0);
                assert_int_equal(a,
                                 period >= today + (hour > 0 ? 3 : 2) ? 3 : 2);
            }
    }
    test_network_free(&n);
}

/* One that is away when the value of a day becomes known counts for no box that it
 * decides, though it comes back; for all others it does as before. So whoever has
 * many identities gains nothing by choosing who comes back. */
static void
i10_who_was_away_cannot_choose_when_to_come_back(void **state)
{
    (void)state;
    assert_int_equal(days_counts(0xffff, 0, false), 0xffff);
    assert_int_equal(days_counts(0xffff, 1, false), 0xfffe);
    assert_int_equal(days_counts(0xfffe, 1, true), 0xfffd);
    /* days without a consensus have values that were known before */
    assert_int_equal(days_counts(0xfffd, 3, false), 0xfffe & 0xffee);
    assert_int_equal(days_counts(0xfffe, 3, true), 0xfff1);
    assert_int_equal(days_counts(1, 1000000, false), 0xfffe);
    assert_int_equal(days_counts(0, 1000000, true), 1);
    assert_int_equal(days_counts_bit(20, 22), 0);
    assert_int_equal(days_counts_bit(20, 21), 0);
    assert_int_equal(days_counts_bit(20, 20), 1);
    assert_int_equal(days_counts_bit(20, 14), 7);
    assert_int_equal(days_counts_bit(20, 0), DAYS_MAX - 1);
    assert_int_equal(days_counts_bit(0, 0), 0);
}

/* Days go on likewise wherever they are counted from: in the last periods that have a
 * number, in the first, of which a list that is told may have more than there were, and
 * from the first to the last. */
static void
days_go_on_at_both_ends(void **state)
{
    (void)state;
    static const struct {
        uint32_t before, later;
    } row[] = {{20000, 0},
               {20000, 3},
               {0, 0},
               {0, 1},
               {0, 3},
               {2, 0},
               {2, 3},
               {2, UINT32_MAX - 2},
               {UINT32_MAX - 3, 3},
               {UINT32_MAX - 1, 1},
               {UINT32_MAX, 0}};
    struct days before = {.n = 5};
    uint8_t random[DAYS_VALUE_LEN] = {99};
    for (uint8_t i = 0; i < before.n; i++)
        before.value[i][0] = (uint8_t)(i + 1);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct days d;
        const uint32_t later = row[i].later, period = row[i].before + later;
        days_next(&d, period, 7, random, &before, row[i].before);
        assert_int_equal(d.n, later > 2 ? 7 : 5 + later);
        assert_memory_equal(d.value[0], later ? random : before.value[0],
                            DAYS_VALUE_LEN);
        for (uint32_t k = 1; k < d.n; k++) {
            uint8_t missed[DAYS_VALUE_LEN];
            if (k < later)
                days_value(&before, row[i].before, period - k, missed);
            assert_memory_equal(d.value[k],
                                k < later ? missed : before.value[k - later],
                                DAYS_VALUE_LEN);
        }
    }
}

static void
as_many_days_as_letters_live(void **state)
{
    (void)state;
    assert_int_equal(days_keep(7, DAY_S), 9);
    assert_int_equal(days_keep(7, DAY_S + 1), 9);
    assert_int_equal(days_keep(7, DAY_S - 1), 10);
    assert_int_equal(days_keep(1, 366 * DAY_S), 3);
    assert_int_equal(days_keep(366, 60), DAYS_MAX);
}

const struct CMUnitTest test_days[] = {
    cmocka_unit_test(vectors_are_met),
    cmocka_unit_test(waits_are_logarithms),
    cmocka_unit_test(what_counts_comes_first),
    cmocka_unit_test(i6_writer_and_reader_agree_for_a_week),
    cmocka_unit_test(i6_missed_days_have_one_value),
    cmocka_unit_test(i11_many_light_stores_see_little),
    cmocka_unit_test(i10_no_store_is_put_onto_tomorrows_box),
    cmocka_unit_test(there_is_always_a_store),
    cmocka_unit_test(i10_a_new_store_counts_after_its_trial),
    cmocka_unit_test(i10_who_was_away_cannot_choose_when_to_come_back),
    cmocka_unit_test(days_go_on_at_both_ends),
    cmocka_unit_test(as_many_days_as_letters_live),
};
TEST_SUITE(test_days);
