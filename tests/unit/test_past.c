/* tests/unit/test_past.c - what a consensus takes from those before: the values of
 * days, and since when a relay is there. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "directory/newcomers.h"
#include "directory/past.h"
#include "tests/house.h"

enum { ALL = 0xff, VOTES = 4, NEED = 2, PERIOD = 1000, PERIOD_S = 100 };

/* ---- rings of votes ---- */

struct ballot {
    struct vote vote[VOTES];
    struct vote *votes[VOTES];
    struct consensus c;
};

static void
ballot_init(struct ballot *b)
{
    *b = (struct ballot){
        .c = {.valid_after_s = PERIOD * PERIOD_S,
              .params = {.period_s = PERIOD_S, .letter_days = 1}}};
    memset(b->c.shared_random, 0xee, sizeof b->c.shared_random);
    for (size_t i = 0; i < VOTES; i++)
        b->votes[i] = &b->vote[i];
}

/* The vote of i knows the values first, first - 1, .. of `day` and before. */
static void
ring_say(struct ballot *b, size_t i, uint32_t day, uint8_t n, uint8_t first)
{
    b->vote[i].day = day;
    b->vote[i].days.n = n;
    for (uint8_t k = 0; k < n; k++)
        memset(b->vote[i].days.value[k], first - k, DAYS_VALUE_LEN);
}

static void
days_make(struct ballot *b)
{
    struct past past;
    assert_int_equal(past_make(&past, b->votes, VOTES, NEED, &b->c), 0);
    past_free(&past);
}

static void
value_is(const struct ballot *b, size_t i, uint8_t value)
{
    uint8_t want[DAYS_VALUE_LEN];
    memset(want, value, sizeof want);
    assert_true(i < b->c.days.n);
    assert_memory_equal(b->c.days.value[i], want, sizeof want);
}

static void
without_a_past_there_is_one_value(void **state)
{
    (void)state;
    struct ballot b;
    ballot_init(&b);
    days_make(&b);
    assert_int_equal(b.c.days.n, 1);
    value_is(&b, 0, 0xee);
    ring_say(&b, 0, PERIOD - 1, 3, 9); /* one alone says nothing */
    days_make(&b);
    assert_int_equal(b.c.days.n, 1);
}

/* The first consensus of a period gives its value, and the next ones keep it. */
static void
a_period_has_the_value_of_its_first_consensus(void **state)
{
    (void)state;
    struct ballot b;
    ballot_init(&b);
    for (size_t i = 0; i < VOTES; i++)
        ring_say(&b, i, PERIOD - 1, 3, 9);
    days_make(&b);
    assert_int_equal(b.c.days.n, 4);
    value_is(&b, 0, 0xee);
    value_is(&b, 1, 9);
    value_is(&b, 3, 7);
    for (size_t i = 0; i < VOTES; i++)
        ring_say(&b, i, PERIOD, 3, 9);
    days_make(&b);
    assert_int_equal(b.c.days.n, 3);
    value_is(&b, 0, 9);
}

/* Half of the authorities have missed the first consensus of a period: its value
 * stands. A liar's ring, of whatever period, is nobody's; a ring that wrong
 * clocks have brought from the future is not gone on with. */
static void
i10_liars_change_no_value(void **state)
{
    (void)state;
    struct ballot b;
    ballot_init(&b);
    ring_say(&b, 0, PERIOD - 1, 3, 9);
    ring_say(&b, 1, PERIOD - 1, 3, 9);
    ring_say(&b, 2, PERIOD, 4, 10);
    ring_say(&b, 3, PERIOD, 4, 10);
    days_make(&b);
    value_is(&b, 0, 10);
    assert_int_equal(b.c.days.n, 4);
    ring_say(&b, 3, PERIOD, 4, 77);
    days_make(&b);
    value_is(&b, 0, 0xee);
    value_is(&b, 1, 9);
    ring_say(&b, 2, PERIOD + 1, 4, 10);
    ring_say(&b, 3, PERIOD + 1, 4, 10);
    days_make(&b);
    value_is(&b, 0, 0xee);
    value_is(&b, 1, 9);
}

/* Two rings of one period that enough have, which only a broken network brings
 * about: everybody takes the same, in whatever order the votes come. */
static void
of_equal_rings_all_take_the_same(void **state)
{
    (void)state;
    struct ballot b;
    for (unsigned turn = 0; turn < 2; turn++) {
        ballot_init(&b);
        ring_say(&b, 0, PERIOD, 3, turn ? 9 : 8);
        ring_say(&b, 1, PERIOD, 3, turn ? 8 : 9);
        ring_say(&b, 2, PERIOD, 3, 9);
        ring_say(&b, 3, PERIOD, 3, 8);
        days_make(&b);
        value_is(&b, 0, 8);
        b.vote[3].days.n = 0;
        days_make(&b);
        value_is(&b, 0, 9);
    }
}

/* ---- where relays stood ---- */

static struct standing
standing(uint8_t number, uint8_t layer, uint32_t since, uint32_t seen)
{
    return (struct standing){.identity = {number},
                             .layer = layer,
                             .placement = {number},
                             .since = since,
                             .seen = seen};
}

/* What one vote says is nothing; of what two say each thing is taken alone, and of
 * the last sight what two have seen. */
static void
i10_two_votes_say_where_a_relay_stood(void **state)
{
    (void)state;
    struct ballot b;
    struct past past;
    struct standing said[VOTES][3];
    ballot_init(&b);
    b.c.params.layers = 3;
    for (size_t i = 0; i < VOTES; i++) {
        said[i][0] = standing(1, 2, 5, 10 + (uint32_t)i);
        said[i][1] = standing(2, 4, i < 2 ? 7 : 8, 10);
        said[i][2] = standing(i == 3 ? 9 : 3, 0, 6, 10);
        b.vote[i].known = said[i];
        b.vote[i].n_known = 3;
    }
    assert_int_equal(past_make(&past, b.votes, VOTES, NEED, &b.c), 0);
    assert_false(past.is_empty);
    assert_int_equal(past.n, 3); /* nobody but one knows 9 */
    assert_int_equal(past.known[0].seen, 12);
    assert_int_equal(past.known[0].since, 5);
    assert_int_equal(past.known[1].since, 7);
    assert_null(past_find(&past, said[0][0].identity, ROLE_STORE));
    assert_non_null(past_find(&past, said[0][0].identity, ROLE_MIX));
    assert_non_null(past_find(&past, said[0][1].identity, ROLE_STORE));
    assert_non_null(past_find(&past, said[0][2].identity, ROLE_GATEWAY));
    assert_null(past_find(&past, said[3][2].identity, ROLE_GATEWAY));
    past_free(&past);
    b.vote[0].n_known = b.vote[1].n_known = b.vote[2].n_known = 0;
    assert_int_equal(past_make(&past, b.votes, VOTES, NEED, &b.c), 0);
    assert_true(past.is_empty);
    assert_int_equal(past.n, 0);
    past_free(&past);
}

/* Who is away is known for as long as letters live. */
static void
the_away_are_forgotten_in_time(void **state)
{
    (void)state;
    struct standing known[3] = {standing(1, 2, 0, 76), standing(2, 2, 0, 75),
                                standing(3, 2, 0, 99)};
    struct relay_entry in = {.identity = {3}};
    const struct past past = {.layers = 3, .n = 3, .known = known};
    struct consensus c = {
        .epoch = 100,
        .params = {.letter_days = 1, .epoch_len_s = 3600, .period_s = 86400},
        .n_relays = 1,
        .relays = &in};
    assert_int_equal(past_away(&past, &c), 0);
    assert_int_equal(c.n_away, 1);
    assert_int_equal(c.away[0].identity[0], 1);
    free(c.away);
}

/* ---- newcomers ---- */

enum { EPOCH = 1000, DAY = 24 };

/* A consensus of so many relays of a role, of which `old` are known for long and
 * `recent` for a day; how many may stay. */
static size_t
room_for(uint8_t role, uint32_t permille, size_t old, size_t recent,
         size_t fresh, bool is_empty)
{
    static struct relay_entry relay[512];
    static struct standing known[512];
    static bool waits[512];
    const uint8_t layer = role == ROLE_GATEWAY ? 0 : role == ROLE_MIX ? 2 : 4;
    struct past past = {.is_empty = is_empty, .layers = 3, .known = known};
    struct consensus c = {.epoch = EPOCH,
                          .params = {.epoch_len_s = 3600,
                                     .period_s = DAY * 3600,
                                     .newcomer_permille = permille},
                          .relays = relay};
    size_t in = 0;
    for (; c.n_relays < old + recent + fresh; c.n_relays++) {
        struct relay_entry *r = &relay[c.n_relays];
        *r = (struct relay_entry){.role = role};
        r->identity[0] = (uint8_t)(c.n_relays >> 8);
        r->identity[1] = (uint8_t)c.n_relays;
        if (c.n_relays >= old + recent)
            continue;
        known[past.n] = (struct standing){
            .layer = layer,
            .since = c.n_relays < old ? EPOCH - DAY : EPOCH - DAY + 1};
        memcpy(known[past.n++].identity, r->identity, SPHINX_ID_LEN);
    }
    assert_int_equal(newcomers_find(&c, &past, waits), 0);
    for (size_t i = 0; i < c.n_relays; i++) {
        assert_true(i >= old + recent || !waits[i]);
        in += i >= old + recent && !waits[i];
    }
    return in;
}

/* A burst of 50: a tenth of the role comes in in a day, one at least, and all of
 * them only where there was nothing before. */
static void
i11_a_burst_of_newcomers_waits(void **state)
{
    (void)state;
    for (uint8_t role = ROLE_GATEWAY; role <= ROLE_STORE; role++) {
        assert_int_equal(room_for(role, 100, 100, 0, 50, false), 10);
        assert_int_equal(room_for(role, 100, 100, 7, 50, false), 3);
        assert_int_equal(room_for(role, 100, 100, 12, 50, false), 0);
        assert_int_equal(room_for(role, 100, 3, 0, 50, false), 1);
        assert_int_equal(room_for(role, 100, 3, 1, 50, false), 0);
        assert_int_equal(room_for(role, 100, 0, 0, 50, false), 1);
        assert_int_equal(room_for(role, 100, 100, 0, 4, false), 4);
        assert_int_equal(room_for(role, 1000000, 3, 0, 50, false), 50);
        assert_int_equal(room_for(role, 100, 0, 0, 50, true), 50);
    }
}

/* ---- in a house ---- */

static uint8_t
role_of(uint8_t number)
{
    return number < 2 ? ROLE_GATEWAY : number < 11 ? ROLE_MIX : ROLE_STORE;
}

static void
relay_upload(struct house *h, uint8_t number, uint32_t epoch)
{
    const struct house_relay r = {.number = number,
                                  .role = role_of(number),
                                  .epoch = epoch,
                                  .bandwidth = 100,
                                  .seats = ALL};
    assert_int_equal(house_upload(h, &r), 0);
}

static const struct relay_entry *
entry_of(const struct house *h, uint8_t number)
{
    uint8_t id[32];
    house_relay_id(number, id);
    const int at = consensus_find(h->seat[0].newest, id);
    assert_true(at >= 0);
    return &h->seat[0].newest->relays[at];
}

/* Four authorities, periods of three epochs. After every consensus its values are
 * those which anybody makes who has seen all; in some epochs there is none, once
 * for two whole periods; one authority is away for a while and comes back with
 * what it knew. A store that comes later is known to, and goes on to be. */
static void
values_go_on_over_missed_epochs(void **state)
{
    (void)state;
    enum { EPOCHS = 34 };
    static struct house h;
    struct days want = {0};
    uint32_t before = 0, seen = 0;
    uint16_t young = 0;
    house_make(&h, 4, test_seed());
    h.params.period_s = 3 * HOUSE_LEN_S;
    h.params.newcomer_permille = 1000;
    h.params.store_trial_epochs = 4;
    house_start_all(&h);
    for (uint32_t epoch = 1; epoch <= EPOCHS; epoch++) {
        const bool none = epoch == 5 || (epoch >= 13 && epoch < 22);
        if (epoch == 8)
            house_stop(&h, 3);
        if (epoch == 12)
            house_start(&h, 3, 1);
        for (size_t i = 0; i < 2 && none; i++)
            house_stop(&h, i);
        for (uint8_t i = 0; i < (epoch < 9 ? 13 : 14) && !none; i++)
            relay_upload(&h, i, epoch);
        house_run(&h, house_ms(&h, epoch, SCHEDULE_VALID) + 1);
        for (size_t i = 0; i < 2 && none; i++)
            house_start(&h, i, 1);
        const struct consensus *c = h.seat[0].newest;
        assert_int_equal(c->epoch == epoch, !none);
        if (none)
            continue;
        seen++;
        days_next(&want, consensus_period(c),
                  days_keep(c->params.letter_days, c->params.period_s),
                  c->shared_random, &want, before);
        const uint32_t passed = consensus_period(c) - before;
        before = consensus_period(c);
        assert_int_equal(c->days.n, want.n);
        assert_memory_equal(c->days.value, want.value,
                            want.n * sizeof want.value[0]);
        assert_int_equal(entry_of(&h, 12)->since, 0);
        assert_int_equal(entry_of(&h, 12)->counts, DAYS_COUNTS_ALL);
        if (epoch < 9)
            continue;
        young = days_counts(young, passed, epoch - 9 >= 4);
        assert_int_equal(entry_of(&h, 13)->since, 9);
        assert_int_equal(entry_of(&h, 13)->counts, young);
    }
    assert_int_equal(seen, EPOCHS - 10);
    assert_int_equal(want.n, 12);
    assert_in_range(young, 1, DAYS_COUNTS_ALL - 1);
    house_free(&h);
}

static size_t
mixes_of(const struct house *h)
{
    size_t n = 0;
    for (size_t i = 0; i < h->seat[0].newest->n_relays; i++)
        n += h->seat[0].newest->relays[i].role == ROLE_MIX;
    return n;
}

/* From the third epoch on 50 mixes knock. One comes in in a period of six epochs,
 * of which nine were there; a mix and a store that stop for five epochs and come
 * back have the place that they had, and need wait for nobody. */
static void
i11_who_was_there_comes_back_before_newcomers(void **state)
{
    (void)state;
    enum { EPOCHS = 20, SYBIL = 100, AWAY_MIX = 4, AWAY_STORE = 12 };
    static struct house h;
    struct relay_entry before[2];
    uint8_t id[2][32];
    house_make(&h, 4, test_seed());
    h.params.period_s = 6 * HOUSE_LEN_S;
    house_start_all(&h);
    house_relay_id(AWAY_MIX, id[0]);
    house_relay_id(AWAY_STORE, id[1]);
    for (uint32_t epoch = 1; epoch <= EPOCHS; epoch++) {
        const bool away = epoch >= 6 && epoch < 13;
        for (uint8_t i = 0; i < 13; i++)
            if (!away || (i != AWAY_MIX && i != AWAY_STORE))
                relay_upload(&h, i, epoch);
        for (uint8_t i = 0; i < 50 && epoch >= 3; i++) {
            const struct house_relay r = {.number = SYBIL + i,
                                          .role = ROLE_MIX,
                                          .epoch = epoch,
                                          .bandwidth = 100,
                                          .seats = ALL};
            assert_int_equal(house_upload(&h, &r), 0);
        }
        house_run(&h, house_ms(&h, epoch, SCHEDULE_VALID) + 1);
        const struct consensus *c = h.seat[0].newest;
        assert_int_equal(c->epoch, epoch);
        /* a period begins with 11, when the store is away, and one with 17 */
        const unsigned counts[] = {0, epoch < 11   ? DAYS_COUNTS_ALL
                                      : epoch < 17 ? 0xfffe
                                                   : 0xfffd};
        /* those away have keys for two epochs more */
        const bool gone = epoch >= 8 && epoch < 13;
        assert_int_equal(c->n_away, gone ? 2 : 0);
        assert_int_equal(mixes_of(&h) + gone,
                         epoch < 3 ? 9 : 10 + (epoch - 3) / 6);
        for (size_t i = 0; i < 2; i++) {
            const int at = consensus_find(c, id[i]);
            assert_int_equal(at < 0, gone);
            if (gone) {
                assert_int_equal(c->away[i].seen, 7);
                assert_int_equal(c->away[i].counts, counts[i]);
                continue;
            }
            assert_int_equal(c->relays[at].counts, counts[i]);
            if (epoch == 1)
                before[i] = c->relays[at];
            assert_int_equal(c->relays[at].layer, before[i].layer);
            assert_int_equal(c->relays[at].since, 0);
            assert_memory_equal(c->relays[at].placement, before[i].placement,
                                PLACEMENT_LEN);
        }
    }
    house_free(&h);
}

const struct CMUnitTest test_past[] = {
    cmocka_unit_test(without_a_past_there_is_one_value),
    cmocka_unit_test(a_period_has_the_value_of_its_first_consensus),
    cmocka_unit_test(i10_liars_change_no_value),
    cmocka_unit_test(of_equal_rings_all_take_the_same),
    cmocka_unit_test(values_go_on_over_missed_epochs),
    cmocka_unit_test(i10_two_votes_say_where_a_relay_stood),
    cmocka_unit_test(the_away_are_forgotten_in_time),
    cmocka_unit_test(i11_a_burst_of_newcomers_waits),
    cmocka_unit_test(i11_who_was_there_comes_back_before_newcomers),
};
TEST_SUITE(test_past);
