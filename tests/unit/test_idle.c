/* tests/unit/test_idle.c - what a tick of an idle client costs does not grow with its
 * contacts where it need not. Times are `make bench`'s; here what is asked of the
 * environment is counted, which no busy machine changes.
 *
 * Defences: client/staging.c, client/announce.c. */
#include "tests/runner.h"

#include <stdio.h>

#include "tests/client_disk.h"

enum { TICKS = 200, FEW = 1, MANY = 500 };

static uint64_t asked; /* for the time, by either clock */

static const struct env_ops *real;

static uint64_t
mono_count(struct env *env)
{
    asked++;
    return real->now_mono_us(env);
}

static uint64_t
wall_count(struct env *env)
{
    asked++;
    return real->now_wall_ms(env);
}

/* How often a client with so many contacts looks at a clock, in TICKS ticks. */
static uint64_t
clock_looks(const struct sim_net *n, unsigned contacts)
{
    struct client_disk d;
    char name[16], text[INVITE_TEXT_LEN];
    disk_init(&d, 1);
    real = d.test.env.ops;
    struct env_ops counting = *real;
    counting.now_mono_us = mono_count;
    counting.now_wall_ms = wall_count;
    struct client *c = disk_client(&d, n);
    for (unsigned i = 0; i < contacts; i++) {
        snprintf(name, sizeof name, "c%u", i);
        assert_int_equal(client_invite(c, name, text), 0);
    }
    disk_client_run(&d, c, TICKS); /* tokens are awaited from here on */
    asked = 0;
    d.test.env.ops = &counting;
    disk_client_run(&d, c, TICKS);
    d.test.env.ops = real;
    client_free(&c);
    disk_free(&d);
    return asked;
}

/* The time is one for all contacts, and so is the period: neither is asked for
 * once for each. */
static void
contacts_do_not_look_at_clocks(void **state)
{
    (void)state;
    struct sim_net n;
    test_network_make(&n, SPHINX_SUITE_NULL, 2, 3, 2, 2);
    const uint64_t few = clock_looks(&n, FEW), many = clock_looks(&n, MANY);
    assert_true(few >= TICKS);
    if (many > few + 2 * TICKS)
        fail_msg("%llu looks with %d contact, %llu with %d",
                 (unsigned long long)few, FEW, (unsigned long long)many, MANY);
    test_network_free(&n);
}

const struct CMUnitTest test_idle[] = {
    cmocka_unit_test(contacts_do_not_look_at_clocks),
};
TEST_SUITE(test_idle);
