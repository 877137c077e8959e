/* tests/unit/test_awaiting.c - which tokens of contacts a client awaits over periods,
 * and how many it renews on a tick. */
#include "tests/runner.h"

#include <stdio.h>
#include <string.h>

#include "client/listed.h"
#include "client/letters/letter.h"
#include "tests/client_disk.h"
#include "tests/day_key.h"
#include "tests/pair.h"

enum { CONTACTS = 61, MOST = 4 /* renewed on a tick */ };

struct scene {
    struct client_disk disk;
    struct client *c;
};

static void
scene_make(struct scene *x)
{
    disk_init(&x->disk, test_seed());
    x->c = disk_client(&x->disk, &pair_net);
    for (unsigned i = 0; i < CONTACTS; i++) {
        char name[8], line[INVITE_TEXT_LEN];
        (void)snprintf(name, sizeof name, "c%u", i);
        assert_int_equal(client_invite(x->c, name, line), 0);
    }
    x->c->period = 1000;
}

static void
scene_free(struct scene *x)
{
    client_free(&x->c);
    disk_free(&x->disk);
}

/* Of how many contacts is this token awaited? */
static unsigned
awaited(const struct scene *x, uint32_t period, uint32_t k)
{
    unsigned n = 0;
    for (const struct conversation *v = x->c->conversations; v; v = v->next) {
        uint8_t token[LETTER_TOKEN_LEN];
        letter_token(day_key(x->c, v, CHAIN_IN, period).key, period, k, token);
        n += !v->self && tokens_find(x->c->tokens, token, NULL);
    }
    return n;
}

/* Tick until nothing is renewed any more. Returns how many ticks it took; none renews
 * more than MOST contacts. */
static unsigned
ticks_until_done(struct scene *x)
{
    for (unsigned ticks = 0;; ticks++) {
        unsigned renewed = 0, before[2] = {0};
        for (unsigned i = 0; i < 2; i++) {
            for (const struct conversation *v = x->c->conversations; v;
                 v = v->next)
                before[i] += v->tokens_period == x->c->period;
            if (i == 0)
                listed_tick(x->c);
        }
        renewed = before[1] - before[0];
        if (renewed == 0)
            return ticks;
        assert_in_range(renewed, 1, MOST);
    }
}

/* Of all contacts the next period's tokens are awaited before it begins, and when it
 * has begun a tick renews a few: its frame is as late as any other's. */
static void
i2_a_period_begins_like_any_other_tick(void **state)
{
    (void)state;
    const unsigned ticks = (CONTACTS + MOST - 1) / MOST;
    struct scene x;
    scene_make(&x);
    struct client *c = x.c;
    assert_int_equal(ticks_until_done(&x), ticks);
    for (unsigned day = 0; day < 3; day++) {
        for (uint32_t k = 0; k < TOKENS_WINDOW; k += TOKENS_WINDOW - 1)
            for (uint32_t period = c->period - 1; period <= c->period + 1;
                 period++)
                assert_int_equal(awaited(&x, period, k), CONTACTS);
        assert_int_equal(awaited(&x, c->period - 2, 0), 0);
        assert_int_equal(awaited(&x, c->period + 2, 0), 0);
        assert_int_equal(tokens_count(c->tokens), 3 * CONTACTS * TOKENS_WINDOW);
        c->period++;
        assert_int_equal(ticks_until_done(&x), ticks);
    }
    /* a clock that steps, either way */
    for (unsigned i = 0; i < 2; i++) {
        c->period += i ? (uint32_t)-5 : 9;
        assert_int_equal(ticks_until_done(&x), ticks);
        assert_int_equal(awaited(&x, c->period, 0), CONTACTS);
        assert_int_equal(tokens_count(c->tokens), 3 * CONTACTS * TOKENS_WINDOW);
    }
    scene_free(&x);
}

/* Of whom a letter says which tokens it used is renewed first, and keeps what is
 * awaited of other periods. */
static void
what_letters_say_is_renewed_first(void **state)
{
    (void)state;
    struct scene x;
    scene_make(&x);
    struct client *c = x.c;
    const struct letter l = {.announced = true, .tokens = 40};
    (void)ticks_until_done(&x);
    struct conversation *last = c->conversations;
    while (last->next && !last->next->self)
        last = last->next;
    c->period++;
    listed_letter(last, c->period - 1, &l);
    assert_int_equal(last->tokens_period, 0);
    listed_tick(c);
    assert_int_equal(last->tokens_period, c->period);
    assert_int_equal(awaited(&x, c->period - 1, 40), 1);
    assert_int_equal(awaited(&x, c->period - 1, 0), CONTACTS - 1);
    assert_int_equal(awaited(&x, c->period, 0), CONTACTS);
    assert_int_equal(awaited(&x, c->period + 1, 0), MOST);
    scene_free(&x);
}

/* Show and name a list of the first board, with this entry, so that it is sure. */
static void
list_make_sure(struct scene *x, const uint8_t *token)
{
    const struct consensus *n = client_consensus(x->c);
    const struct consensus *const view[1] = {n};
    const struct shown_now now = {.view = view,
                                  .n = 1,
                                  .mono_us = env_now_mono_us(x->c->env),
                                  .unix_ms = client_now_us(x->c) / 1000};
    uint8_t entry[LIST_ENTRIES_MAX * LIST_ENTRY_LEN] = {0};
    uint8_t bytes[LIST_LEN_MAX], root[LIST_ROOT_LEN];
    for (size_t i = 0; i + 1 < n->params.list_entries; i++)
        entry[i * LIST_ENTRY_LEN + 4] = (uint8_t)i;
    memcpy(entry + (n->params.list_entries - 1u) * LIST_ENTRY_LEN, token,
           LIST_ENTRY_LEN);
    const struct board_list l = {
        .interval = list_interval(&n->params, now.unix_ms), .entries = entry};
    const size_t len = list_len(&n->params), each = 500;
    list_write(bytes, &n->params, &l);
    list_sign(bytes, len, n, pair_net.identity_seed[n->boards.relay[0]]);
    list_root(bytes, len, root);
    const struct wire_root named[BOARDS_MAX] = {
        {.interval = l.interval, .back = WIRE_BACK_MOST, .root = root}};
    for (size_t at = 0; at < len; at += each) {
        const struct wire_slice slice = {.kind = WIRE_SLICE_PART,
                                         .interval = l.interval,
                                         .part = (uint8_t)(at / each),
                                         .data = bytes + at,
                                         .len =
                                             len - at < each ? len - at : each};
        assert_int_equal(shown_slice(x->c->shown, &now, &slice), 0);
    }
    for (size_t i = 0; i < n->n_relays; i++)
        if (n->relays[i].role == ROLE_STORE)
            shown_named(x->c->shown, &now, &n->relays[i], named);
}

/* After a start what a list says of the contact who is renewed last is not lost: the
 * list waits. */
static void
i9_lists_wait_until_all_contacts_are_awaited(void **state)
{
    (void)state;
    struct scene x;
    uint8_t token[LETTER_TOKEN_LEN];
    scene_make(&x);
    struct client *c = x.c;
    const struct conversation *last = c->conversations;
    while (last->next && !last->next->self)
        last = last->next;
    letter_token(day_key(c, last, CHAIN_IN, c->period).key, c->period, 0,
                 token);
    list_make_sure(&x, token);
    listed_tick(c);
    struct client_lists count;
    listed_count(c, &count);
    assert_int_equal(count.sure, 1);
    assert_int_equal(count.tokens, 0);
    (void)ticks_until_done(&x);
    listed_count(c, &count);
    assert_int_equal(count.tokens, 1);
    scene_free(&x);
}

#define AWAITING_TEST(f) \
    cmocka_unit_test_setup_teardown(f, pair_net_make, pair_net_free)
const struct CMUnitTest test_awaiting[] = {
    AWAITING_TEST(i2_a_period_begins_like_any_other_tick),
    AWAITING_TEST(what_letters_say_is_renewed_first),
    AWAITING_TEST(i9_lists_wait_until_all_contacts_are_awaited),
};
TEST_SUITE(test_awaiting);
