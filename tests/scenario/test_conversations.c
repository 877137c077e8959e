/* tests/scenario/test_conversations.c - conversations under trouble: kills,
 * loss, changes of period, absence, strangers. Suite null: the cryptography
 * has its own tests. */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/world.h"

enum { FILE_LEN = 200000 };

static void
fast_switch(struct params *p)
{
    p->switch_window_s = 15; /* polls start within a second */
}

static void
short_periods(struct params *p)
{
    fast_switch(p);
    p->period_s = 60;
}

static const struct world_config small = {.suite = SPHINX_SUITE_NULL,
                                          .gateways = 2,
                                          .layers = 3,
                                          .mixes = 1,
                                          .stores = 2,
                                          .params = fast_switch};

static struct world *
pair_make(const struct world_config *base, uint64_t seed, const char *profile)
{
    struct world_config config = *base;
    config.seed = test_seed() + seed;
    struct world *w = world_new(&config);
    struct world_client *a = world_client_add(w, profile, 0);
    struct world_client *b = world_client_add(w, profile, 1);
    world_run_s(w, 3);
    world_pair(w, a, "b", b, "a");
    world_run_s(w, 5);
    return w;
}

static uint64_t
text_send(struct world_client *from, const char *to, unsigned number)
{
    char text[32];
    uint64_t order;
    snprintf(text, sizeof text, "text %u", number);
    assert_int_equal(client_send(from->client, to, LETTER_TEXT, (uint8_t *)text,
                                 strlen(text), &order),
                     0);
    return order;
}

/* Take what has come; bit i of the result: text i came. Twice is a failure. */
static uint64_t
texts_take(struct world_client *k, uint64_t seen)
{
    struct client_received r;
    while (client_next(k->client, NULL, NULL, &r)) {
        char text[32] = {0};
        unsigned number;
        assert_true(r.len < sizeof text);
        memcpy(text, r.data, r.len);
        assert_int_equal(sscanf(text, "text %u", &number), 1);
        assert_false(seen >> number & 1);
        seen |= 1ull << number;
        assert_int_equal(client_release(k->client, NULL, r.order), 0);
    }
    return seen;
}

/* A file that arrives whole, once, and is known to have; `trouble` is called
 * at the moment `at_s` after it was sent and 3 s later (again = true). */
static void
file_through(struct world *w, double at_s,
             void (*trouble)(struct world *w, bool again))
{
    static uint8_t file[FILE_LEN];
    struct world_client *a = &w->client[0], *b = &w->client[1];
    struct client_received r;
    struct client_message m = {0};
    uint64_t order;
    unsigned came = 0;
    env_random_crypto(a->env, file, sizeof file);
    assert_int_equal(
        client_send(a->client, "b", LETTER_FILE, file, sizeof file, &order), 0);
    world_run_s(w, at_s);
    trouble(w, false);
    world_run_s(w, 3);
    trouble(w, true);
    for (unsigned s = 0; s < 240 && m.state != CLIENT_DELIVERED; s++) {
        world_run_s(w, 1);
        world_client_watch(a);
        world_client_watch(b);
        while (client_next(b->client, NULL, NULL, &r)) {
            assert_int_equal(r.len, sizeof file);
            assert_memory_equal(r.data, file, sizeof file);
            assert_int_equal(client_release(b->client, NULL, r.order), 0);
            came++;
        }
        assert_int_equal(client_message(a->client, "b", order, &m), 0);
    }
    if (m.state != CLIENT_DELIVERED)
        fail_msg("%s, %u of %u letters acknowledged",
                 client_state_name(m.state), m.acked, m.letters);
    world_run_s(w, 70); /* repeats of what is kept bring nothing twice */
    assert_int_equal(came, 1);
    assert_false(client_next(b->client, NULL, NULL, &r));
}

static void
store_dies(struct world *w, bool again)
{
    for (uint32_t i = 0; i < w->n_relays; i++) {
        bool store = w->net.consensus->relays[i].role == ROLE_STORE;
        if (store && !again)
            world_relay_stop(w, i);
        else if (store)
            world_relay_start(w, i);
    }
}

static void
sender_gateway_dies(struct world *w, bool again)
{
    if (!again) {
        world_relay_stop(w, 0);
        return;
    }
    world_relay_start(w, 0);
    world_client_connect(&w->client[0]);
}

static void
reader_gateway_dies(struct world *w, bool again)
{
    if (!again) {
        world_relay_stop(w, 1);
        return;
    }
    world_relay_start(w, 1);
    world_client_connect(&w->client[1]);
}

static void
sender_dies(struct world *w, bool again)
{
    if (again)
        world_client_start(&w->client[0]);
    else
        world_client_stop(&w->client[0]);
}

static void
reader_dies(struct world *w, bool again)
{
    if (again)
        world_client_start(&w->client[1]);
    else
        world_client_stop(&w->client[1]);
}

static void
nothing_dies(struct world *w, bool again)
{
    (void)w;
    (void)again;
}

static void
i6_kills_in_the_middle(void **state)
{
    (void)state;
    void (*const trouble[])(struct world *, bool) = {
        store_dies, sender_gateway_dies, reader_gateway_dies, sender_dies,
        reader_dies};
    for (size_t i = 0; i < sizeof trouble / sizeof trouble[0]; i++)
        for (unsigned k = 0; k < 3; k++) {
            struct world *w = pair_make(&small, 10 * i + k, "fast");
            file_through(w, 2 + 5.3 * k, trouble[i]);
            world_free(&w);
        }
}

static void
i6_loss(void **state)
{
    (void)state;
    struct world_config lossy = small;
    lossy.loss_ppm = 5000; /* of every link */
    struct world *w = pair_make(&lossy, 0, "fast");
    file_through(w, 1, nothing_dies);
    world_free(&w);
}

/* Many letters at once: more than the window of 256. */
static void
windows_move_on(void **state)
{
    (void)state;
    static uint8_t big[400000];
    struct world *w = pair_make(&small, 1, "fast");
    struct world_client *a = &w->client[0], *b = &w->client[1];
    struct client_received r;
    uint64_t order;
    env_random_crypto(a->env, big, sizeof big);
    assert_int_equal(
        client_send(a->client, "b", LETTER_TEXT, big, sizeof big, &order), 0);
    for (unsigned s = 0; s < 120 && !client_next(b->client, NULL, "a", &r); s++)
        world_run_s(w, 1);
    assert_true(client_next(b->client, NULL, "a", &r));
    assert_int_equal(r.len, sizeof big);
    assert_memory_equal(r.data, big, sizeof big);
    world_free(&w);
}

/* A text every ten seconds, periods of sixty: all arrive, none twice. */
static void
periods_change(void **state)
{
    (void)state;
    struct world_config config = small;
    config.params = short_periods;
    struct world *w = pair_make(&config, 2, "default");
    uint64_t seen[2] = {0};
    for (unsigned i = 0; i < 40; i++) {
        text_send(&w->client[i % 2], i % 2 ? "a" : "b", i);
        world_run_s(w, 10);
        for (unsigned k = 0; k < 2; k++)
            seen[k] = texts_take(&w->client[k], seen[k]);
    }
    world_run_s(w, 60);
    for (unsigned k = 0; k < 2; k++)
        seen[k] = texts_take(&w->client[k], seen[k]);
    assert_true((seen[0] | seen[1]) == (1ull << 40) - 1);
    world_free(&w);
}

/* The reader is away for three periods, the writer goes on. */
static void
absence_is_made_up(void **state)
{
    (void)state;
    struct world_config config = small;
    config.params = short_periods;
    struct world *w = pair_make(&config, 3, "default");
    uint64_t seen = 0;
    text_send(&w->client[0], "b", 0);
    world_run_s(w, 20);
    seen = texts_take(&w->client[1], seen);
    assert_true(seen == 1);
    world_run_s(w, 0.1); /* the release reaches the disk */
    world_client_stop(&w->client[1]);
    for (unsigned i = 1; i < 20; i++) {
        text_send(&w->client[0], "b", i);
        world_run_s(w, 10);
    }
    world_client_start(&w->client[1]);
    for (unsigned s = 0; s < 300 && seen != (1u << 20) - 1; s++) {
        world_run_s(w, 1);
        seen = texts_take(&w->client[1], seen);
    }
    assert_true(seen == (1u << 20) - 1);
    world_free(&w);
}

/* Whoever takes an invitation up second is told, and disturbs nobody. */
static void
invitations_work_once(void **state)
{
    (void)state;
    struct world_config config = small;
    config.seed = test_seed() + 4;
    struct world *w = world_new(&config);
    struct world_client *k[3];
    struct client_contact contact;
    char text[INVITE_TEXT_LEN];
    uint64_t order;
    for (unsigned i = 0; i < 3; i++)
        k[i] = world_client_add(w, "default", i % 2);
    world_run_s(w, 3);
    assert_int_equal(client_invite(k[0]->client, "b", text), 0);
    assert_int_equal(client_invite(k[0]->client, "b", text), ERR_EXISTS);
    assert_int_equal(client_invite(k[0]->client, "no name", text), ERR_ARG);
    assert_int_equal(client_invite(k[0]->client, "c", text), 0);
    assert_int_equal(client_add(k[0]->client, "self", text), ERR_USED);
    /* away: whoever reads its answer to the first takes that for its own */
    world_run_s(w, 0.1); /* the contacts reach the disk */
    world_client_stop(k[0]);
    assert_int_equal(client_add(k[1]->client, "a", text), 0);
    assert_int_equal(client_add(k[1]->client, "again", text), ERR_USED);
    world_run_s(w, 20);
    assert_int_equal(client_add(k[2]->client, "a", text), 0);
    world_run_s(w, 20);
    assert_true(client_contact(k[2]->client, 0, &contact));
    assert_true(contact.refused);
    world_client_start(k[0]);
    assert_int_equal(client_send(k[2]->client, "a", LETTER_TEXT,
                                 (const uint8_t *)"x", 1, &order),
                     ERR_USED);
    text_send(k[1], "a", 5);
    world_run_s(w, 60);
    assert_true(texts_take(k[0], 0) == 1 << 5);
    world_free(&w);
}

/* Nine contacts: also the least recent one is heard. */
static void
the_rest_is_polled(void **state)
{
    (void)state;
    struct world_config config = small;
    char name[8], text[INVITE_TEXT_LEN];
    config.seed = test_seed() + 5;
    struct world *w = world_new(&config);
    struct world_client *hub = world_client_add(w, "default", 0), *k[9];
    for (unsigned i = 0; i < 9; i++)
        k[i] = world_client_add(w, "default", i % 2);
    world_run_s(w, 3);
    for (unsigned i = 0; i < 9; i++) {
        snprintf(name, sizeof name, "k%u", i);
        assert_int_equal(client_invite(hub->client, name, text), 0);
        assert_int_equal(client_add(k[i]->client, "hub", text), 0);
    }
    world_run_s(w, 120);
    for (unsigned i = 0; i < 9; i++)
        text_send(k[i], "hub", i);
    world_run_s(w, 180);
    assert_true(texts_take(hub, 0) == 0x1ff);
    world_free(&w);
}

static void
pings_come_back(void **state)
{
    (void)state;
    struct world *w = pair_make(&small, 6, "default");
    struct client_message m;
    uint64_t order;
    assert_int_equal(client_pings(w->client[1].client, "a", true), 0);
    assert_int_equal(
        client_send(w->client[0].client, "b", LETTER_PING, NULL, 0, &order), 0);
    world_run_s(w, 240); /* answered like all that is acknowledged */
    assert_int_equal(client_message(w->client[0].client, "b", order, &m), 0);
    assert_in_range(m.rtt_us, 2000000, 200000000);
    assert_int_equal(m.state, CLIENT_DELIVERED);
    world_free(&w);
}

/* Kept by stores, and the reader away: sent, and it stays so. */
static void
sent_is_not_delivered(void **state)
{
    (void)state;
    struct world *w = pair_make(&small, 7, "default");
    struct client_message m;
    world_client_stop(&w->client[1]);
    uint64_t order = text_send(&w->client[0], "b", 1);
    world_run_s(w, 200);
    assert_int_equal(client_message(w->client[0].client, "b", order, &m), 0);
    assert_int_equal(m.state, CLIENT_SENT);
    world_client_start(&w->client[1]);
    world_run_s(w, 60);
    assert_int_equal(client_message(w->client[0].client, "b", order, &m), 0);
    assert_int_equal(m.state, CLIENT_DELIVERED);
    world_free(&w);
}

const struct CMUnitTest test_conversations[] = {
    cmocka_unit_test(i6_kills_in_the_middle),
    cmocka_unit_test(i6_loss),
    cmocka_unit_test(windows_move_on),
    cmocka_unit_test(periods_change),
    cmocka_unit_test(absence_is_made_up),
    cmocka_unit_test(invitations_work_once),
    cmocka_unit_test(the_rest_is_polled),
    cmocka_unit_test(pings_come_back),
    cmocka_unit_test(sent_is_not_delivered),
};
TEST_SUITE(test_conversations);
