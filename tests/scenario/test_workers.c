/* tests/scenario/test_workers.c - relays of several workers: in virtual time,
 * where every hand-over is seen, and on real threads, for the sanitizers. */
#include "tests/runner.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/slab.h"
#include "relay/handles.h"
#include "relay/mix.h"
#include "relay/plane.h"
#include "tests/world.h"

static void
fast_switch(struct params *p)
{
    p->switch_window_s = 15;
}

static void
pools(struct params *p)
{
    fast_switch(p);
    p->mix_strategy = MIX_TIMED_POOL;
    p->mix_interval_us = 200000;
    p->mix_keep = 2;
}

/* Ten texts each way: all come, once; every worker has carried some. */
static void
texts_go_round(void (*params)(struct params *p), uint32_t workers)
{
    enum { TEXTS = 10 };
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 2,
                                        .layers = 3,
                                        .mixes = 2,
                                        .stores = 2,
                                        .seed = test_seed() + workers,
                                        .workers = workers,
                                        .params = params};
    struct world *w = world_new(&config);
    struct world_client *k[2] = {world_client_add(w, "default", 0),
                                 world_client_add(w, "default", 1)};
    world_run_s(w, 3);
    world_pair(w, k[0], "b", k[1], "a");
    world_run_s(w, 5);
    for (unsigned i = 0; i < 2 * TEXTS; i++) {
        uint8_t text = (uint8_t)i;
        uint64_t order;
        assert_int_equal(client_send(k[i % 2]->client, i % 2 ? "a" : "b",
                                     LETTER_TEXT, &text, 1, &order),
                         0);
    }
    world_run_s(w, 60);
    unsigned seen[2 * TEXTS] = {0};
    for (unsigned i = 0; i < 2; i++) {
        struct client_received got;
        while (client_next(k[i]->client, NULL, NULL, &got)) {
            assert_int_equal(got.len, 1);
            assert_true(got.data[0] < 2 * TEXTS && got.data[0] % 2 != i);
            seen[got.data[0]]++;
            assert_int_equal(client_release(k[i]->client, NULL, got.order), 0);
        }
    }
    for (unsigned i = 0; i < 2 * TEXTS; i++)
        assert_int_equal(seen[i], 1);
    uint64_t received[8] = {0}, forwarded[8] = {0};
    for (uint32_t i = 0; i < w->n_relays; i++) {
        struct relay_stats sum;
        team_stats(w->relay[i].team, &sum);
        assert_true(sum.loops_returned * 10 > sum.loops_sent * 5);
        for (uint32_t n = 0; n < workers; n++) {
            const struct relay_stats *s =
                relay_stats(team_worker(w->relay[i].team, n));
            received[n] += s->received;
            forwarded[n] += s->forwarded;
            assert_int_equal(s->loops_sent > 0, n == 0);
            for (int err = 1; err < ERROR_COUNT; err++)
                assert_int_equal(s->dropped[err], 0);
        }
    }
    for (uint32_t n = 0; n < workers; n++)
        assert_true(received[n] > 1000 && forwarded[n] > 100);
    world_free(&w);
}

static void
three_workers_carry_texts(void **state)
{
    (void)state;
    texts_go_round(fast_switch, 3);
}

static void
three_workers_share_a_pool(void **state)
{
    (void)state;
    texts_go_round(pools, 3);
}

static unsigned
delivered_count(const struct world_client *k, const uint64_t *order, unsigned n)
{
    unsigned delivered = 0;
    for (unsigned i = 0; i < n; i++) {
        struct client_message m;
        assert_int_equal(client_message(k->client, "b", order[i], &m), 0);
        delivered += m.state == CLIENT_DELIVERED;
    }
    return delivered;
}

/* What is put into a box and what is asked of it is one worker's, which knows how old
 * the letter is: else it would be taken for an old one, and acknowledged when it is
 * read. */
static void
i12_ages_are_known_whoever_works(void **state)
{
    (void)state;
    enum { TEXTS = 12, BOXES = 8, ACK_S = 20, PATIENCE_S = 300 };
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 2,
                                        .layers = 3,
                                        .mixes = 2,
                                        .stores = 3,
                                        .seed = test_seed() + 3,
                                        .workers = 3,
                                        .params = fast_switch};
    struct world *w = world_new(&config);
    struct world_client *a = world_client_add(w, "fast", 0);
    struct world_client *b = world_client_add(w, "fast", 1);
    world_run_s(w, 3);
    world_pair(w, a, "b", b, "a");
    world_run_s(w, 5);
    for (unsigned box = 0; box < BOXES; box++) {
        uint64_t order[TEXTS];
        unsigned t = 0;
        for (unsigned i = 0; i < TEXTS; i++)
            assert_int_equal(client_send(a->client, "b", LETTER_TEXT,
                                         (const uint8_t *)"x", 1, &order[i]),
                             0);
        for (; t < ACK_S; t++) {
            assert_int_equal(delivered_count(a, order, TEXTS), 0);
            world_run_s(w, 1);
        }
        while (delivered_count(a, order, TEXTS) < TEXTS && t++ < PATIENCE_S)
            world_run_s(w, 1);
        assert_true(t < PATIENCE_S);
    }
    world_free(&w);
}

/* ---- the shared parts, by threads ---- */

enum { THREADS = 4, ROUNDS = 20000, BUFFERS = 1000 };

struct hammer {
    struct plane *plane;
    struct slab *slab;
    uint32_t number;
    uint64_t given, taken; /* sums of what was handed over */
    uint32_t got;
};

static void
nothing(struct env *env)
{
    (void)env;
}

/* Take a buffer, mark it, hand it to the next; check and free what comes. */
static void
inbox_empty(struct hammer *h)
{
    uint32_t number[HAND_MAX], n;
    while ((n = plane_take(h->plane, h->number, number, HAND_MAX)) > 0)
        for (uint32_t i = 0; i < n; i++) {
            uint64_t mark;
            memcpy(&mark, slab_at(h->slab, number[i]), sizeof mark);
            h->taken += mark;
            h->got++;
            slab_give(h->slab, number[i]);
        }
}

static void *
hammer_run(void *ctx)
{
    struct hammer *h = ctx;
    uint8_t handle[8] = {(uint8_t)h->number};
    for (uint32_t i = 0; i < ROUNDS; i++) {
        uint32_t number = slab_take(h->slab);
        inbox_empty(h);
        if (number == SLAB_NONE)
            continue;
        uint64_t mark = (uint64_t)h->number * ROUNDS + i;
        memcpy(slab_at(h->slab, number), &mark, sizeof mark);
        if (plane_put(h->plane, (h->number + 1 + i % (THREADS - 1)) % THREADS,
                      &number, 1, 0) == 1)
            h->given += mark;
        else
            slab_give(h->slab, number);
        memcpy(handle + 1, &i, sizeof i);
        if (handles_add(h->plane->handles, handle, h->number) == 0 && i % 2)
            handles_remove(h->plane->handles, handle, h->number);
        (void)plane_arm(h->plane, h->number, i);
    }
    return NULL;
}

static void
bytes(struct env *env, void *out, size_t len)
{
    (void)env;
    memset(out, 7, len);
}

static void
buffers_and_inboxes_keep_all(void **state)
{
    (void)state;
    static const struct env_ops ops = {.random_crypto = bytes, .wake = nothing};
    struct env env = {&ops};
    const struct relay_config config = {.env = &env,
                                        .packets_max = BUFFERS,
                                        .clients_max = THREADS * ROUNDS,
                                        .workers = THREADS};
    struct hammer h[THREADS] = {0};
    pthread_t thread[THREADS];
    struct plane *p;
    struct slab *first;
    assert_int_equal(plane_new(&p, &config), 0);
    assert_int_equal(slab_new(&first, 64, BUFFERS), 0);
    for (uint32_t i = 0; i < THREADS; i++) {
        p->worker[i].env = &env;
        h[i].plane = p;
        h[i].number = i;
        assert_int_equal(slab_share(&h[i].slab, first), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, hammer_run, &h[i]),
                         0);
    uint64_t given = 0, taken = 0;
    for (uint32_t i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    for (uint32_t i = 0; i < THREADS; i++) {
        inbox_empty(&h[i]);
        given += h[i].given;
        taken += h[i].taken;
        assert_true(h[i].got > 0);
    }
    assert_int_equal(given, taken);
    assert_int_equal(slab_count(first), 0);
    for (uint32_t i = 0; i < THREADS; i++)
        for (uint32_t k = 0; k < ROUNDS; k++) {
            uint8_t handle[8] = {(uint8_t)i};
            memcpy(handle + 1, &k, sizeof k);
            uint32_t found = handles_find(p->handles, handle);
            assert_true(found == (k % 2 ? HANDLES_NONE : i) ||
                        found == HANDLES_NONE);
        }
    /* every buffer is free again, in whichever hand it is */
    for (uint32_t i = 0; i < THREADS; i++)
        slab_free(&h[i].slab);
    for (uint32_t i = 0; i < BUFFERS; i++)
        assert_true(slab_take(first) != SLAB_NONE);
    assert_true(slab_take(first) == SLAB_NONE);
    slab_free(&first);
    plane_free(&p);
}

const struct CMUnitTest test_workers[] = {
    cmocka_unit_test(three_workers_carry_texts),
    cmocka_unit_test(three_workers_share_a_pool),
    cmocka_unit_test(i12_ages_are_known_whoever_works),
    cmocka_unit_test(buffers_and_inboxes_keep_all),
};
const size_t test_workers_len = sizeof test_workers / sizeof test_workers[0];
