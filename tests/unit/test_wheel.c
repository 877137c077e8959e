/* tests/unit/test_wheel.c - the timer wheel against a plain sorted list. */
#include "tests/runner.h"

#include <stdbool.h>
#include <string.h>

#include "lib/rng_seeded.h"
#include "lib/wheel.h"
#include "tests/heap.h"

enum { MODEL_MAX = 6000, POP_MAX = 4096 };
#define TURN_US ((uint64_t)WHEEL_SLOTS * WHEEL_SLOT_US)

struct model {
    struct rng_seeded r;
    struct wheel *w;
    uint64_t now_us;
    uint32_t number; /* of the next entry */
    long refused;
    size_t n;
    struct wheel_entry e[MODEL_MAX];
};

static void
model_start(struct model *m, const char *label)
{
    *m = (struct model){.now_us = 3 * TURN_US};
    rng_seeded_init_u64(&m->r, test_seed(), label);
    assert_int_equal(wheel_new(&m->w, MODEL_MAX), 0);
    assert_true(wheel_next_due_us(m->w) == UINT64_MAX);
}

static uint64_t
draw(struct model *m, uint64_t below)
{
    return rng_seeded_u64(&m->r) % below;
}

static void
model_insert(struct model *m, struct wheel_entry e)
{
    size_t i = m->n++;
    for (; i > 0 && m->e[i - 1].due_us > e.due_us; i--)
        m->e[i] = m->e[i - 1];
    m->e[i] = e;
}

static void
model_next_due(struct model *m)
{
    assert_int_equal(wheel_count(m->w), m->n);
    assert_true(wheel_next_due_us(m->w) ==
                (m->n ? m->e[0].due_us : UINT64_MAX));
}

/* Add to both. If it is to be hard, each allocation fails in its turn, which
 * must not be noticed. */
static void
model_add(struct model *m, uint64_t due_us, bool hard)
{
    struct wheel_entry e = {due_us, m->number, ~m->number};
    for (long n = 0;; n++) {
        heap_fail(hard ? n : -1, 0);
        int err = wheel_add(m->w, e.due_us, e.a, e.b);
        if (!heap_stop()) {
            assert_int_equal(err, 0);
            break;
        }
        assert_int_equal(err, ERR_NOMEM);
        m->refused++;
        model_next_due(m);
    }
    m->number++;
    model_insert(m, e);
}

/* Pop from both, and nothing is allocated for it. */
static void
model_pop(struct model *m, size_t max)
{
    static struct wheel_entry out[POP_MAX];
    size_t want = 0;
    while (want < max && want < m->n && m->e[want].due_us <= m->now_us)
        want++;
    long before = heap_count();
    size_t got = wheel_pop_due(m->w, m->now_us, out, max);
    assert_int_equal(heap_count(), before);
    assert_int_equal(got, want);
    for (size_t i = 0; i < got; i++) {
        assert_true(out[i].due_us == m->e[i].due_us);
        assert_int_equal(out[i].a, m->e[i].a);
        assert_int_equal(out[i].b, m->e[i].b);
    }
    memmove(m->e, m->e + got, (m->n - got) * sizeof *m->e);
    m->n -= got;
    assert_int_equal(wheel_count(m->w), m->n);
}

static void
model_end(struct model *m)
{
    m->now_us = UINT64_MAX >> 1;
    while (m->n > 0)
        model_pop(m, 100);
    wheel_free(&m->w);
    wheel_free(&m->w);
}

/* Delays from nothing to many turns ahead. */
static uint64_t
delay_draw(struct model *m)
{
    static const unsigned shift[] = {0, 6, 10, 16, 20, 22, 25, 30};
    return draw(m, 1ULL << shift[draw(m, 8)]);
}

static void
same_as_sorted_list(void **state)
{
    (void)state;
    static struct model m;
    model_start(&m, "wheel");
    for (uint32_t step = 0; step < 200000; step++) {
        uint64_t what = draw(&m, 64);
        if (what < 32 && m.n < 1000) {
            uint64_t due_us = m.now_us + delay_draw(&m);
            if (what == 0)
                due_us = m.now_us - delay_draw(&m) % 1000000;
            model_add(&m, due_us, false);
        } else if (what < 56) {
            m.now_us += delay_draw(&m) % (1ULL << 23);
            model_pop(&m, 1 + draw(&m, 64));
        }
        if (what % 2)
            model_next_due(&m);
    }
    model_end(&m);
}

/* Many at once in a few slots, of several turns, and many of them at the same
 * time; then they come out a few at a time while others are added late. */
static void
model_burst(struct model *m, bool hard)
{
    static const unsigned grain[] = {0, 3, 9, WHEEL_SLOT_BITS};
    uint64_t base_us = m->now_us + draw(m, 2 * TURN_US);
    uint64_t n = 1ULL << draw(m, 13), turns = 1 + draw(m, 3);
    unsigned low = grain[draw(m, 4)];
    for (uint64_t i = 0; i < n && m->n < MODEL_MAX; i++) {
        uint64_t due_us = base_us + draw(m, 3 * WHEEL_SLOT_US);
        due_us += draw(m, turns) * TURN_US;
        model_add(m, due_us >> low << low, hard);
    }
    while (m->n > 0) {
        if (m->e[0].due_us > m->now_us)
            m->now_us = m->e[0].due_us + draw(m, WHEEL_SLOT_US / 2);
        model_pop(m, 1 + draw(m, n < 32 ? 3 : n / 8));
        for (uint64_t late = draw(m, 4); late > 0 && n > 16 && m->n < MODEL_MAX;
             late--, n--)
            model_add(m, m->now_us + WHEEL_SLOT_US / 2 - draw(m, WHEEL_SLOT_US),
                      hard);
        if (draw(m, 2))
            model_next_due(m);
        if (draw(m, 400) == 0)
            break; /* the next burst comes on top */
    }
}

static void
bursts(void **state)
{
    (void)state;
    static struct model m;
    model_start(&m, "bursts");
    for (int i = 0; i < 200; i++)
        model_burst(&m, false);
    model_end(&m);
}

/* Small wheels grow as they are used; each allocation fails once. */
static void
memory_lacks(void **state)
{
    (void)state;
    static struct model m;
    struct wheel *w;
    long refused = 0;
    if (heap_count() < 0)
        return;
    for (struct heap h = {0}; heap_next(&h); wheel_free(&w)) {
        heap_arm(&h);
        const int err = wheel_new(&w, 1);
        heap_disarm(&h);
        assert_int_equal(err, h.failed ? ERR_NOMEM : 0);
        assert_true((w == NULL) == h.failed);
    }
    for (int i = 0; i < 60; i++) {
        model_start(&m, "memory lacks");
        for (int skip = 0; skip < i; skip++)
            (void)draw(&m, 1);
        model_burst(&m, true);
        refused += m.refused;
        model_end(&m);
    }
    assert_true(refused > 200);
}

static void
bounds(void **state)
{
    (void)state;
    struct wheel *w;
    struct wheel_entry out[4];
    assert_int_equal(wheel_new(&w, 0), ERR_ARG);
    assert_int_equal(wheel_new(&w, UINT32_MAX), ERR_ARG);
    assert_int_equal(wheel_new(&w, 3), 0);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(wheel_add(w, 500, i, 0), 0);
    assert_int_equal(wheel_add(w, 500, 3, 0), ERR_FULL);
    assert_int_equal(wheel_pop_due(w, 499, out, 4), 0);
    assert_int_equal(wheel_pop_due(w, 500, out, 4), 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(out[i].a, i); /* equal times: as they came */
    assert_int_equal(wheel_add(w, 1ULL << 40, 9, 0), 0);
    assert_int_equal(wheel_pop_due(w, (1ULL << 40) - 1, out, 4), 0);
    assert_int_equal(wheel_pop_due(w, 1ULL << 40, out, 4), 1);
    wheel_free(&w);
}

const struct CMUnitTest test_wheel[] = {
    cmocka_unit_test(same_as_sorted_list),
    cmocka_unit_test(bursts),
    cmocka_unit_test(memory_lacks),
    cmocka_unit_test(bounds),
};
TEST_SUITE(test_wheel);
