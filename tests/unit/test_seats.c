/* tests/unit/test_seats.c - seats against a model that is a list in the order
 * of coming. */
#include "tests/runner.h"

#include <string.h>

#include "lib/rng_seeded.h"
#include "lib/seats.h"
#include "tests/heap.h"

enum { COUNT = 24, RELAYS = 8, AUTHORITIES = 4, STEPS = 20000, NAMES = 7 };

static const struct seats_config config = {
    .count = COUNT,
    .relays = RELAYS,
    .authorities = AUTHORITIES,
    .each = {[SEATS_STRANGER] = 5, [SEATS_RELAY] = 3, [SEATS_AUTHORITY] = 2}};

/* Who sits there, the oldest first. */
struct model {
    size_t n;
    struct guest {
        uint32_t seat;
        enum seats_class class;
        uint8_t name; /* 0: none */
    } guest[COUNT];
};

static size_t
model_count(const struct model *m, enum seats_class class, uint8_t name)
{
    size_t n = 0;
    for (size_t i = 0; i < m->n; i++)
        n += m->guest[i].class == class && (!name || m->guest[i].name == name);
    return n;
}

static uint32_t
model_oldest(const struct model *m, enum seats_class class, uint8_t name)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->guest[i].class == class && (!name || m->guest[i].name == name))
            return m->guest[i].seat;
    return SEATS_NONE;
}

/* The oldest of the name that has most of a class; who has none is alone. */
static uint32_t
model_first(const struct model *m, enum seats_class class)
{
    size_t most = 0;
    uint32_t first = SEATS_NONE;
    for (size_t i = 0; i < m->n; i++) {
        const struct guest *g = &m->guest[i];
        const size_t n = g->name ? model_count(m, class, g->name) : 1;
        if (g->class == class && n > most) {
            most = n;
            first = g->seat;
        }
    }
    return first;
}

static uint32_t
model_gone_for(const struct model *m, enum seats_class class, uint8_t name)
{
    const size_t most = class == SEATS_AUTHORITY ? AUTHORITIES
                        : class == SEATS_RELAY   ? RELAYS
                                                 : COUNT;
    if (name && model_count(m, class, name) == config.each[class])
        return model_oldest(m, class, name);
    if (model_count(m, class, 0) == most)
        return model_first(m, class);
    return m->n < COUNT ? SEATS_NONE : model_first(m, SEATS_STRANGER);
}

static void
model_leave(struct model *m, uint32_t seat)
{
    size_t i = 0;
    while (m->guest[i].seat != seat)
        i++;
    m->n--;
    memmove(&m->guest[i], &m->guest[i + 1], (m->n - i) * sizeof m->guest[0]);
}

static enum seats_class
model_class(const struct model *m, uint32_t seat)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->guest[i].seat == seat)
            return m->guest[i].class;
    fail_msg("nobody sits at %u", seat);
    return SEATS_STRANGER;
}

static void
name_make(uint8_t name[SEATS_NAME_LEN], uint8_t number)
{
    memset(name, 0, SEATS_NAME_LEN);
    name[SEATS_NAME_LEN - 1] = number;
}

/* One comes. Returns the class that gave way, or -1. */
static int
step_come(struct seats *s, struct model *m, enum seats_class class,
          uint8_t number)
{
    uint8_t bytes[SEATS_NAME_LEN];
    const uint8_t *name = number ? bytes : NULL;
    int lost = -1;
    name_make(bytes, number);
    const uint32_t gone = seats_gone_for(s, class, name);
    assert_int_equal(gone, model_gone_for(m, class, number));
    if (gone != SEATS_NONE) {
        lost = (int)model_class(m, gone);
        assert_int_equal(seats_take(s, class, name), SEATS_NONE);
        model_leave(m, gone);
        seats_leave(s, gone);
    }
    const uint32_t seat = seats_take(s, class, name);
    assert_in_range(seat, 0, COUNT - 1);
    for (size_t i = 0; i < m->n; i++)
        assert_int_not_equal(m->guest[i].seat, seat);
    m->guest[m->n++] = (struct guest){seat, class, number};
    return lost;
}

static void
seats_follow_the_model(void **state)
{
    (void)state;
    struct seats *s;
    struct model m = {0};
    struct rng_seeded rng;
    unsigned lost[SEATS_CLASSES] = {0};
    rng_seeded_init_u64(&rng, test_seed(), "seats");
    assert_int_equal(seats_new(&s, &config), 0);
    for (unsigned i = 0; i < STEPS; i++) {
        const uint64_t u = rng_seeded_u64(&rng);
        /* long spells of many who come, and of many who go */
        if (m.n > 0 && u % 8 < (i / 500 % 2 ? 6u : 1u)) {
            const uint32_t seat = m.guest[(u >> 8) % m.n].seat;
            model_leave(&m, seat);
            seats_leave(s, seat);
        } else {
            const enum seats_class class = (u >> 8) % SEATS_CLASSES;
            const int gone =
                step_come(s, &m, class, (uint8_t)((u >> 16) % (NAMES + 1)));
            /* nobody gives way to a lesser one */
            assert_true(gone <= (int)class);
            if (gone >= 0)
                lost[gone]++;
        }
        for (unsigned c = 0; c < SEATS_CLASSES; c++)
            assert_int_equal(seats_taken(s, c), model_count(&m, c, 0));
        for (unsigned c = 0; c < SEATS_CLASSES; c++)
            assert_int_equal(seats_first_to_go(s, c), model_first(&m, c));
    }
    for (unsigned c = 0; c < SEATS_CLASSES; c++)
        assert_true(lost[c] > 50); /* it was full often enough */
    seats_free(&s);
}

/* However many strangers come, whoever has a seat set aside keeps it. */
static void
i11_strangers_push_out_strangers(void **state)
{
    (void)state;
    struct seats *s;
    struct model m = {0};
    assert_int_equal(seats_new(&s, &config), 0);
    for (unsigned i = 0; i < RELAYS; i++)
        assert_int_equal(step_come(s, &m, SEATS_RELAY, 0), -1);
    for (unsigned i = 0; i < 1000; i++)
        assert_true(step_come(s, &m, SEATS_STRANGER, 0) <= SEATS_STRANGER);
    assert_int_equal(seats_taken(s, SEATS_RELAY), RELAYS);
    for (unsigned i = 0; i < AUTHORITIES; i++)
        assert_int_equal(step_come(s, &m, SEATS_AUTHORITY, 0), SEATS_STRANGER);
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(step_come(s, &m, SEATS_STRANGER, 0), SEATS_STRANGER);
    assert_int_equal(seats_taken(s, SEATS_RELAY), RELAYS);
    assert_int_equal(seats_taken(s, SEATS_AUTHORITY), AUTHORITIES);
    /* one name pushes out itself, while others sit there that are older */
    for (unsigned i = 0; i < 100; i++)
        (void)step_come(s, &m, SEATS_STRANGER, 1);
    assert_in_range(model_count(&m, SEATS_STRANGER, 1), 1,
                    config.each[SEATS_STRANGER]);
    seats_free(&s);
}

/* Two names of a class have together all that is set aside for it, and come
 * again and again: one that has a single seat keeps it. */
static void
i11_few_seats_are_not_lost_to_many(void **state)
{
    (void)state;
    enum { HONEST = 5, LIARS = 2 };
    const enum seats_class class = SEATS_AUTHORITY;
    struct seats *s;
    struct model m = {0};
    assert_int_equal(seats_new(&s, &config), 0);
    (void)step_come(s, &m, class, HONEST);
    for (unsigned i = 0; i < 300; i++)
        (void)step_come(s, &m, class, (uint8_t)(1 + i / 10 % LIARS));
    assert_int_equal(seats_taken(s, class), AUTHORITIES);
    assert_int_equal(model_count(&m, class, HONEST), 1);
    seats_free(&s);
}

static int
seats_make(void *ctx)
{
    struct seats *s;
    int err = seats_new(&s, ctx);
    seats_free(&s);
    return err;
}

static void
seats_are_there_or_not(void **state)
{
    (void)state;
    struct seats_config c = config;
    heap_try(seats_make, &c);
    c.authorities = COUNT - RELAYS;
    assert_int_equal(seats_make(&c), ERR_ARG);
    c.relays = COUNT;
    assert_int_equal(seats_make(&c), ERR_ARG);
    c = config;
    c.each[SEATS_RELAY] = 0;
    assert_int_equal(seats_make(&c), ERR_ARG);
}

const struct CMUnitTest test_seats[] = {
    cmocka_unit_test(seats_follow_the_model),
    cmocka_unit_test(i11_strangers_push_out_strangers),
    cmocka_unit_test(i11_few_seats_are_not_lost_to_many),
    cmocka_unit_test(seats_are_there_or_not),
};
TEST_SUITE(test_seats);
