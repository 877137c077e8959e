/* tests/unit/test_wheel.c - the timer wheel against a plain sorted list. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "lib/rng_seeded.h"
#include "lib/wheel.h"

enum { MODEL_MAX = 4096 };

struct model {
    struct wheel_entry e[MODEL_MAX];
    size_t n;
};

static void
model_add(struct model *m, uint64_t due_us, uint32_t a, uint32_t b)
{
    size_t i = m->n++;
    for (; i > 0 && m->e[i - 1].due_us > due_us; i--)
        m->e[i] = m->e[i - 1];
    m->e[i] = (struct wheel_entry){due_us, a, b};
}

static void
model_pop(struct model *m, size_t n)
{
    memmove(m->e, m->e + n, (m->n - n) * sizeof *m->e);
    m->n -= n;
}

/* Delays from nothing to many turns ahead, and some that have passed. */
static uint64_t
delay_draw(struct rng_seeded *r)
{
    static const unsigned shift[] = {0, 6, 10, 16, 20, 22, 25, 30};
    uint64_t u = rng_seeded_u64(r);
    return (u >> 8) & ((1ULL << shift[u & 7]) - 1);
}

static void
same_as_sorted_list(void **state)
{
    (void)state;
    static struct model m;
    struct wheel_entry out[64];
    struct rng_seeded r;
    struct wheel *w;
    uint64_t now_us = 1000000;
    m.n = 0;
    rng_seeded_init_u64(&r, test_seed(), "wheel");
    assert_int_equal(wheel_new(&w, MODEL_MAX), 0);
    assert_true(wheel_next_due_us(w) == UINT64_MAX);
    for (uint32_t step = 0; step < 200000; step++) {
        uint64_t u = rng_seeded_u64(&r);
        if (u % 8 < 4 && m.n < 1000) {
            uint64_t due_us = now_us + delay_draw(&r);
            if (u % 64 == 0)
                due_us = now_us - delay_draw(&r) % 1000000;
            assert_int_equal(wheel_add(w, due_us, step, ~step), 0);
            model_add(&m, due_us, step, ~step);
        } else if (u % 8 < 7) {
            size_t max = 1 + (u >> 8) % 64, want = 0;
            now_us += delay_draw(&r) % (1ULL << 23);
            while (want < max && want < m.n && m.e[want].due_us <= now_us)
                want++;
            size_t got = wheel_pop_due(w, now_us, out, max);
            assert_int_equal(got, want);
            for (size_t i = 0; i < got; i++) {
                assert_true(out[i].due_us == m.e[i].due_us);
                assert_int_equal(out[i].a, m.e[i].a);
                assert_int_equal(out[i].b, m.e[i].b);
            }
            model_pop(&m, got);
        }
        assert_int_equal(wheel_count(w), m.n);
        assert_true(wheel_next_due_us(w) == (m.n ? m.e[0].due_us : UINT64_MAX));
    }
    wheel_free(&w);
    wheel_free(&w);
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
    cmocka_unit_test(bounds),
};
TEST_SUITE(test_wheel);
