/* tests/scenario/test_i6_week.c - I6: a reader that was away for a week of days, in
 * which stores came and went, finds what was written for it. Days are ten minutes,
 * of two epochs each, so that the course takes no longer than it has to. */
#include "tests/runner.h"

#include <stdio.h>

#include "tests/world.h"

enum { DAY_S = 600, DAYS = 6, STORES = 5 };

static void
params_short_days(struct params *p)
{
    p->epoch_len_s = DAY_S / 2;
    p->period_s = DAY_S;
    p->switch_window_s = 25;
    p->store_trial_epochs = 4;
    p->relay_loop_mhz = 1;
}

static void
run_s(struct world *w, unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        world_run_s(w, 1);
        world_epoch_due(w);
    }
}

/* The last store is on trial, and says that it carries most. */
static void
stores_change(void *ctx, struct consensus *c)
{
    const size_t first = c->n_relays - STORES;
    (void)ctx;
    c->relays[first + STORES - 1].counts = 0;
    c->relays[first + STORES - 1].bandwidth = 100000;
}

static void
texts_are_found(uint64_t seed, bool change)
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 2,
                                        .layers = 3,
                                        .mixes = 1,
                                        .stores = STORES,
                                        .seed = test_seed() + seed,
                                        .params = params_short_days};
    struct world *w = world_new(&config);
    struct world_client *a = world_client_add(w, "default", 0);
    struct world_client *b = world_client_add(w, "default", 1);
    unsigned took_s = 0, texts = 0;
    if (change)
        w->net.change = stores_change;
    run_s(w, 5);
    world_pair(w, a, "b", b, "a");
    run_s(w, 60);
    world_take(b, "a");
    world_client_stop(b);
    for (unsigned day = 0; day < DAYS; day++) {
        char text[16];
        snprintf(text, sizeof text, "day %u", day);
        world_say(a, "b", text);
        run_s(w, DAY_S);
    }
    world_client_stop(a); /* nothing is put again any more */
    world_client_start(b);
    for (; texts < DAYS && took_s < 300; took_s++) {
        run_s(w, 1);
        texts += world_take(b, "a");
    }
    print_message("  %u of %u texts of a week in %u s\n", texts, DAYS, took_s);
    assert_int_equal(texts, DAYS);
    world_free(&w);
}

static void
i6_a_week_of_letters_is_found(void **state)
{
    (void)state;
    texts_are_found(1, false);
}

/* A store that carries a hundred times as much as the others is on trial all the
 * time; no box is anywhere else for that. */
static void
i6_a_store_on_trial_hides_no_letter(void **state)
{
    (void)state;
    texts_are_found(2, true);
}

const struct CMUnitTest test_i6_week[] = {
    cmocka_unit_test(i6_a_week_of_letters_is_found),
    cmocka_unit_test(i6_a_store_on_trial_hides_no_letter),
};
TEST_SUITE(test_i6_week);
