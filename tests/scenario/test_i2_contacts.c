/* tests/scenario/test_i2_contacts.c - I2: what a user does with his contacts shows
 * nowhere.
 *
 * Every store writes down who asks it for which box, and when; everything is the
 * same, to the microsecond, in a world in which the user has removed a contact, one
 * that he writes with often or one that he has not heard for long, withdrawn an
 * invitation, muted, renamed, or allowed pings: there is nothing to have statistics
 * of. As a control, a contact that is forgotten at once, as if there were no defence,
 * is seen. What a contact himself sees is compared in the same way.
 *
 * Defences: conversation_remove() in client/conversations.c, incoming_take() in
 * client/incoming.c. */
#include "tests/runner.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "client/conversations.h"
#include "tests/rogue_relay.h"

enum { STORES = 2, LOOKED_S = 600, CONTACTS = 7, SEEN_MAX = 1 << 16 };

/* All that stores see of a client: a hash of each request. */
struct sight {
    size_t n;
    uint64_t hash[SEEN_MAX];
};

static void
store_see(void *ctx, const struct rogue_sight *seen)
{
    struct sight *s = ctx;
    crypto_generichash_state h;
    uint8_t out[16];
    if (!seen->request)
        return;
    crypto_generichash_init(&h, NULL, 0, sizeof out);
    crypto_generichash_update(&h, (const uint8_t *)&seen->now_us,
                              sizeof seen->now_us);
    crypto_generichash_update(&h, &seen->request->kind, 1);
    crypto_generichash_update(&h, seen->request->box, WIRE_BOX_LEN);
    crypto_generichash_update(&h, (const uint8_t *)&seen->request->held,
                              sizeof seen->request->held);
    crypto_generichash_final(&h, out, sizeof out);
    assert_true(s->n < SEEN_MAX);
    memcpy(&s->hash[s->n++], out, sizeof s->hash[0]);
}

static void
quiet(struct params *p)
{
    p->relay_loop_mhz = 1;
}

static struct world *
small(void)
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 1,
                                        .layers = 3,
                                        .mixes = 1,
                                        .stores = STORES,
                                        .params = quiet,
                                        .seed = test_seed() + 3};
    return world_new(&config);
}

/* A user with seven contacts, n0 to n6, does something with them; what stores see
 * from then on is *out. */
static void
stores_look(int (*act)(struct client *c), struct sight *out)
{
    struct world *w = small();
    struct world_client *a = world_client_add(w, "default", 0);
    struct rogue *r[STORES];
    char name[8], text[INVITE_TEXT_LEN];
    world_run_s(w, 5);
    for (unsigned i = 0; i < CONTACTS; i++) {
        snprintf(name, sizeof name, "n%u", i);
        assert_int_equal(client_invite(a->client, name, text), 0);
    }
    world_run_s(w, 60);
    out->n = 0;
    for (unsigned i = 0; i < STORES; i++) {
        r[i] = rogue_new(w, world_first(w, 4) + i);
        r[i]->spy = store_see;
        r[i]->spy_ctx = out;
    }
    if (act)
        assert_int_equal(act(a->client), 0);
    world_run_s(w, test_proof() ? 5 * LOOKED_S : LOOKED_S);
    for (unsigned i = 0; i < STORES; i++)
        rogue_free(&r[i]);
    world_free(&w);
}

static int
hot_remove(struct client *c)
{
    return client_remove(c, "n6");
}

static int
cold_remove(struct client *c)
{
    return client_remove(c, "n0");
}

static int
some_withdraw(struct client *c)
{
    int err = client_withdraw(c, "n1");
    return err ? err : client_withdraw(c, "n5");
}

static int
others_change(struct client *c)
{
    int err = client_mute(c, "n6", true);
    if (!err)
        err = client_rename(c, "n5", "other");
    return err ? err : client_pings(c, "n4", true);
}

/* The control: it is gone at once. */
static int
cold_forget(struct client *c)
{
    struct conversation *v = conversation_find(c, "n0");
    conversation_unlink(c, &v);
    return 0;
}

static void
i2_what_is_done_with_contacts_shows_at_no_store(void **state)
{
    (void)state;
    static struct sight before, after;
    static int (*const act[])(struct client * c) = {
        hot_remove, cold_remove, some_withdraw, others_change, cold_forget};
    stores_look(NULL, &before);
    assert_true(before.n > LOOKED_S);
    for (size_t i = 0; i < sizeof act / sizeof act[0]; i++) {
        size_t same = 0;
        stores_look(act[i], &after);
        while (same < before.n && same < after.n &&
               before.hash[same] == after.hash[same])
            same++;
        printf("  %zu requests at stores, %zu alike\n", before.n, same);
        if (act[i] == cold_forget)
            assert_true(same < before.n);
        else
            assert_true(same == before.n && after.n == before.n);
    }
}

/* ---- what a contact sees ---- */

enum { TALKED_S = 1200, TEXT_EVERY_S = 60, TEXTS = TALKED_S / TEXT_EVERY_S };

/* What m learns: when he knew that his texts had come, in tenths of a second, and
 * his pings answered. */
struct learnt {
    unsigned delivered[TEXTS];
    uint64_t rtt_us[TEXTS];
};

/* m writes to b, and pings, while b does this with him. */
static void
contact_look(bool muted, bool pings, bool removed, struct learnt *out)
{
    struct world *w = small();
    struct world_client *b = world_client_add(w, "default", 0);
    struct world_client *m = world_client_add(w, "default", 0);
    uint64_t text[TEXTS], ping[TEXTS];
    struct client_message one;
    unsigned n = 0;
    memset(out, 0, sizeof *out);
    world_run_s(w, 5);
    world_pair(w, b, "m", m, "b");
    world_run_s(w, 60);
    assert_int_equal(client_mute(b->client, "m", muted), 0);
    assert_int_equal(client_pings(b->client, "m", pings), 0);
    if (removed)
        assert_int_equal(client_remove(b->client, "m"), 0);
    /* b has promised no front: what is beyond six scripts waits for a ration */
    for (unsigned t = 0; t < 10 * TALKED_S + 6000; t++) {
        if (t % (10 * TEXT_EVERY_S) == 0 && n < TEXTS) {
            text[n] = world_say(m, "b", "are you there?");
            assert_int_equal(
                client_send(m->client, "b", LETTER_PING, NULL, 0, &ping[n]), 0);
            n++;
        }
        world_run_s(w, 0.1);
        (void)world_take(b, NULL);
        for (unsigned i = 0; i < n; i++) {
            if (!out->delivered[i] &&
                world_state(m, "b", text[i]) == CLIENT_DELIVERED)
                out->delivered[i] = t + 1;
            assert_int_equal(client_message(m->client, "b", ping[i], &one), 0);
            out->rtt_us[i] = one.rtt_us;
        }
    }
    world_free(&w);
}

static void
i2_a_contact_sees_the_same_of_who_mutes_him(void **state)
{
    (void)state;
    static struct learnt heard, muted;
    for (unsigned pings = 0; pings < 2; pings++) {
        contact_look(false, pings, false, &heard);
        contact_look(true, pings, false, &muted);
        for (unsigned i = 0; i < TEXTS; i++) {
            assert_true(heard.delivered[i] > 0);
            assert_true((heard.rtt_us[i] > 0) == pings);
        }
        assert_memory_equal(&heard, &muted, sizeof heard);
    }
}

static void
i2_who_is_removed_sees_one_who_is_away(void **state)
{
    (void)state;
    static struct learnt seen, nothing;
    contact_look(false, true, true, &seen);
    assert_memory_equal(&seen, &nothing, sizeof seen);
}

const struct CMUnitTest test_i2_contacts[] = {
    cmocka_unit_test(i2_what_is_done_with_contacts_shows_at_no_store),
    cmocka_unit_test(i2_a_contact_sees_the_same_of_who_mutes_him),
    cmocka_unit_test(i2_who_is_removed_sees_one_who_is_away),
};
TEST_SUITE(test_i2_contacts);
