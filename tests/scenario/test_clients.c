/* tests/scenario/test_clients.c - real clients through real relays. */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/world.h"

static const struct world_config small = {.suite = SPHINX_SUITE_X25519,
                                          .gateways = 2,
                                          .layers = 3,
                                          .mixes = 2,
                                          .stores = 2};

/* Virtual seconds until the message is in this state; fails after limit_s. */
static double
state_wait(struct world *w, struct world_client *k, const char *name,
           uint64_t order, enum client_state state, double limit_s)
{
    uint64_t start_us = engine_now_us(w->engine);
    for (;;) {
        double s = (double)(engine_now_us(w->engine) - start_us) / 1e6;
        struct client_message m;
        assert_int_equal(client_message(k->client, name, order, &m), 0);
        if (m.state == state)
            return s;
        if (s > limit_s)
            fail_msg("still %s after %.1f s (kept %u, acked %u of %u)",
                     client_state_name(m.state), s, m.kept, m.acked, m.letters);
        world_run_s(w, 0.1);
    }
}

/* The next message of a client, waiting for it; released. */
static double
receive(struct world *w, struct world_client *k, const char *from,
        const uint8_t *data, size_t len, double limit_s)
{
    struct client_received r;
    uint64_t start_us = engine_now_us(w->engine);
    while (!client_next(k->client, NULL, from, &r)) {
        if ((double)(engine_now_us(w->engine) - start_us) / 1e6 > limit_s)
            fail_msg("nothing came within %.1f s", limit_s);
        world_run_s(w, 0.02);
    }
    assert_int_equal(r.len, len);
    assert_memory_equal(r.data, data, len);
    assert_int_equal(client_release(k->client, NULL, r.order), 0);
    return (double)(engine_now_us(w->engine) - start_us) / 1e6;
}

static void
dropped_print(struct world *w, struct world_client *k)
{
    struct client_status s;
    client_status(k->client, &s);
    for (int i = 1; i < ERROR_COUNT; i++)
        if (s.dropped[i] || world_dropped(w, -i))
            printf("  %s: client %llu, relays %llu\n", error_name(-i),
                   (unsigned long long)s.dropped[i],
                   (unsigned long long)world_dropped(w, -i));
}

/* An invitation, texts both ways, delivered and in order. */
static void
texts_arrive(void **state)
{
    (void)state;
    struct world_config config = small;
    uint64_t order;
    config.seed = test_seed();
    struct world *w = world_new(&config);
    struct world_client *a = world_client_add(w, "default", 0);
    struct world_client *b = world_client_add(w, "default", 1);
    world_run_s(w, 2);
    world_pair(w, a, "bob", b, "alice");
    world_run_s(w, 40);
    struct client_contact contact;
    assert_true(client_contact(a->client, 0, &contact));
    assert_true(contact.confirmed);
    assert_string_equal(contact.name, "bob");
    double sum_s = 0;
    for (unsigned i = 0; i < 20; i++) {
        char text[40];
        snprintf(text, sizeof text, "message number %u", i);
        bool there = i % 3 != 0;
        struct world_client *from = there ? a : b, *to = there ? b : a;
        const char *name = there ? "bob" : "alice";
        assert_int_equal(client_send(from->client, name, LETTER_TEXT,
                                     (uint8_t *)text, strlen(text), &order),
                         0);
        sum_s += receive(w, to, there ? "alice" : "bob", (uint8_t *)text,
                         strlen(text), 30);
        state_wait(w, from, name, order, CLIENT_DELIVERED, 240);
    }
    printf("  mean of 20 texts: %.2f s\n", sum_s / 20);
    dropped_print(w, a);
    world_free(&w);
}

/* A file of 200,000 octets between fast clients. */
static void
timed(struct params *p)
{
    p->mix_strategy = 2;
    p->mix_interval_us = 150000;
    p->mix_keep = 2;
}

static void
threshold(struct params *p)
{
    p->mix_strategy = 3;
    p->mix_threshold = 2;
    p->mix_keep = 3;
}

static void
binomial(struct params *p)
{
    p->mix_strategy = 4;
    p->mix_interval_us = 150000;
    p->mix_permille = 700;
}

/* Networks whose mixes are pools carry a text too. */
static void
pools_carry_texts(void **state)
{
    (void)state;
    static void (*const strategies[])(struct params *) = {timed, threshold,
                                                          binomial};
    for (size_t i = 0; i < sizeof strategies / sizeof strategies[0]; i++) {
        struct world_config config = small;
        uint64_t order;
        config.seed = test_seed();
        config.params = strategies[i];
        struct world *w = world_new(&config);
        struct world_client *a = world_client_add(w, "fast", 0);
        struct world_client *b = world_client_add(w, "fast", 1);
        world_run_s(w, 2);
        world_pair(w, a, "bob", b, "alice");
        world_run_s(w, 20);
        assert_int_equal(client_send(a->client, "bob", LETTER_TEXT,
                                     (const uint8_t *)"hello", 5, &order),
                         0);
        double s = receive(w, b, "alice", (const uint8_t *)"hello", 5, 60);
        state_wait(w, a, "bob", order, CLIENT_DELIVERED, 240);
        printf("  strategy %zu: a text in %.1f s\n", i + 2, s);
        world_free(&w);
    }
}

static void
a_file_arrives(void **state)
{
    (void)state;
    struct world_config config = small;
    uint64_t order;
    static uint8_t file[200000];
    config.seed = test_seed();
    struct world *w = world_new(&config);
    struct world_client *a = world_client_add(w, "fast", 0);
    struct world_client *b = world_client_add(w, "fast", 1);
    world_run_s(w, 2);
    world_pair(w, a, "bob", b, "alice");
    world_run_s(w, 40);
    env_random_crypto(a->env, file, sizeof file);
    assert_int_equal(
        client_send(a->client, "bob", LETTER_FILE, file, sizeof file, &order),
        0);
    double s = receive(w, b, "alice", file, sizeof file, 120);
    double d = state_wait(w, a, "bob", order, CLIENT_DELIVERED, 240);
    printf("  200 kB in %.1f s, delivered %.1f s later\n", s, d);
    dropped_print(w, a);
    dropped_print(w, b);
    world_free(&w);
}

/* A file is given up in the middle, while letters of it are ready that no store has:
 * what is written then is read as soon as ever, since no place stays free. */
static void
what_is_given_up_holds_up_nothing(void **state)
{
    (void)state;
    enum { PATIENCE_S = 60 };
    const unsigned turns = test_proof() ? 5 : 2;
    static uint8_t file[200000];
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 2,
                                        .layers = 3,
                                        .mixes = 1,
                                        .stores = 3,
                                        .seed = test_seed() + 77};
    struct world *w = world_new(&config);
    struct world_client *a = world_client_add(w, "default", 0);
    struct world_client *b = world_client_add(w, "default", 1);
    world_run_s(w, 30);
    world_pair(w, a, "b", b, "a");
    (void)world_say(b, "a", "I look at what you write");
    world_run_s(w, 20);
    for (unsigned turn = 0; turn < turns; turn++) {
        uint64_t order;
        unsigned t = 0;
        assert_int_equal(
            client_send(a->client, "b", LETTER_FILE, file, sizeof file, &order),
            0);
        world_run_s(w, 10);
        assert_int_equal(client_cancel(a->client, "b", order), 0);
        (void)world_say(a, "b", "after it");
        while (world_take(b, "a") == 0 && t++ < PATIENCE_S)
            world_run_s(w, 1);
        printf("  read after %u s\n", t);
        assert_true(t < PATIENCE_S);
        world_run_s(w, 20);
    }
    world_free(&w);
}

const struct CMUnitTest test_clients[] = {
    cmocka_unit_test(what_is_given_up_holds_up_nothing),
    cmocka_unit_test(texts_arrive),
    cmocka_unit_test(pools_carry_texts),
    cmocka_unit_test(a_file_arrives),
};
TEST_SUITE(test_clients);
