/* tests/scenario/test_i11_unfinished.c - I11: what a contact begins and never
 * ends takes that contact's room alone.
 *
 * A contact who writes his letters himself announces messages of the largest
 * size, as many as he likes, and sends a letter of each. Everybody else's texts
 * and files arrive as ever, before and after a restart; his own texts do, too.
 * What had no progress for letter_days is given up, and its room is free again.
 *
 * Defences: gather_has_room(), incoming_expire() in client/incoming.c; a
 * message of one letter takes no room there. */
#include "tests/runner.h"

#include <stdio.h>
#include <string.h>

#include "tests/adversary.h"

enum { ANNOUNCED = 60, PATIENCE_S = 300, SETTLED_S = 60 };

struct stage {
    struct world *w;
    struct world_client *b, *c;
    struct adversary_contact m;
};

static struct stage
stage_set(uint64_t seed, void (*params)(struct params *p))
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 2,
                                        .layers = 3,
                                        .mixes = 1,
                                        .stores = 3,
                                        .params = params,
                                        .seed = test_seed() + seed};
    struct stage s = {.w = world_new(&config)};
    char text[INVITE_TEXT_LEN];
    s.b = world_client_add(s.w, "default", 0);
    s.c = world_client_add(s.w, "default", 1);
    world_run_s(s.w, 5);
    world_pair(s.w, s.b, "c", s.c, "b");
    assert_int_equal(client_invite(s.b->client, "m", text), 0);
    adversary_contact_make(&s.m, s.w, text, test_seed());
    world_run_s(s.w, SETTLED_S);
    return s;
}

/* A file that takes several letters, and a text; returns the seconds until both
 * are delivered, PATIENCE_S: they are not. */
static unsigned
others_s(struct stage *s)
{
    static const uint8_t file[8000] = {1, 'x', 'y'};
    uint64_t order[2];
    unsigned t = 0;
    assert_int_equal(client_send(s->c->client, "b", LETTER_FILE, file,
                                 sizeof file, &order[0]),
                     0);
    order[1] = world_say(s->c, "b", "hello");
    while (t < PATIENCE_S &&
           (world_state(s->c, "b", order[0]) != CLIENT_DELIVERED ||
            world_state(s->c, "b", order[1]) != CLIENT_DELIVERED)) {
        world_run_s(s->w, 5);
        t += 5;
    }
    (void)world_take(s->b, "c");
    return t;
}

/* The contact begins so many; returns how many of his own texts arrive. */
static unsigned
announced_run(unsigned announced)
{
    struct stage s = stage_set(announced, NULL);
    struct letter text = {.kind = LETTER_TEXT,
                          .count = 1,
                          .total = 2,
                          .data_len = 2,
                          .data = (const uint8_t *)"me"};
    const unsigned before_s = others_s(&s);
    for (unsigned i = 0; i < announced; i++)
        adversary_contact_announce(&s.m, LETTER_MESSAGE_MAX);
    adversary_contact_write(&s.m, &text);
    world_run_s(s.w, 120);
    const unsigned after_s = others_s(&s);
    world_client_stop(s.b);
    world_client_start(s.b);
    world_run_s(s.w, SETTLED_S);
    const unsigned restarted_s = others_s(&s);
    printf("  a file and a text of others: %u s; after %u announcements %u s; "
           "after a restart %u s\n",
           before_s, announced, after_s, restarted_s);
    assert_true(before_s < PATIENCE_S);
    assert_true(after_s < PATIENCE_S);
    assert_true(restarted_s < PATIENCE_S);
    const unsigned own = world_take(s.b, "m");
    world_free(&s.w);
    return own;
}

static void
i11_unfinished_messages_silence_nobody(void **state)
{
    (void)state;
    assert_int_equal(announced_run(4), 1);
    (void)announced_run(ANNOUNCED); /* his own are behind what is refused */
}

/* A quiet network: days are cheap. Letters live for a day. What nobody announces the
 * sweep finds, whose turns are each 213 s here, all contacts' and selves' together:
 * within an hour but once in six runs. */
static void
params_quiet(struct params *p)
{
    p->letter_days = 1;
    p->relay_loop_mhz = 1;
    p->list_interval_ms = 60000;
    p->conversations.sweep_mean_s = 300;
    p->profiles[0].send_mhz = p->profiles[0].poll_mhz = 100;
    p->profiles[0].loop_mhz = 1;
    p->profiles[0].down_interval_us = 1000000;
}

static void
hours_pass(struct stage *s, unsigned hours)
{
    const unsigned epoch_s = s->w->net.consensus->params.epoch_len_s;
    for (unsigned i = 0; i < hours; i++) {
        world_epoch(s->w);
        world_run_s(s->w, epoch_s);
    }
}

/* Does m's whole message of three letters arrive, in three hours? */
static bool
arrives_whole(struct stage *s)
{
    const size_t room = letter_data_max(s->m.letter_len);
    (void)world_take(s->b, "m"); /* what was found meanwhile */
    adversary_contact_send(&s->m, (uint32_t)(3 * room), 3);
    hours_pass(s, 3);
    return world_take(s->b, "m") == 1;
}

static void
i11_unfinished_messages_are_given_up(void **state)
{
    (void)state;
    struct stage s = stage_set(2, params_quiet);
    assert_true(arrives_whole(&s));
    for (unsigned i = 0; i < ANNOUNCED; i++)
        adversary_contact_announce(&s.m, LETTER_MESSAGE_MAX);
    hours_pass(&s, 2);
    assert_false(arrives_whole(&s)); /* he has used his room up */
    hours_pass(&s, 3 * 24);
    assert_true(arrives_whole(&s));
    world_free(&s.w);
}

const struct CMUnitTest test_i11_unfinished[] = {
    cmocka_unit_test(i11_unfinished_messages_silence_nobody),
    cmocka_unit_test(i11_unfinished_messages_are_given_up),
};
TEST_SUITE(test_i11_unfinished);
