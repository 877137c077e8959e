/* tests/unit/test_chains.c - the keys of a direction: one a day, and those of days that
 * are over are nowhere any more (I8, forward secrecy). */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/conversations.h"
#include "client/letters/chain.h"
#include "lib/codec.h"
#include "tests/pair.h"

enum { DAY_S = 86400 };

static int
net_make(void **state)
{
    (void)pair_net_make(state);
    pair_net.consensus->params.epoch_len_s = 30 * DAY_S;
    pair_net.consensus->params.letter_days = 2;
    test_network_sign(&pair_net);
    return 0;
}

/* Find the pair's client again, which knows by now what time it is. */
static void
side_restart(struct pair *p, unsigned side)
{
    pair_restart(p, side);
    p->c[side]->settled = true;
}

static void
chains_pair(struct pair *p)
{
    pair_make(p, &pair_net);
    pair_settle(p);
    p->c[0]->settled = p->c[1]->settled = true;
}

/* The figures are hashlib's. */
static void
a_key_of_a_day_is_the_hash_of_the_one_before(void **state)
{
    (void)state;
    static const char *const want[] = {
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "24d70f1d88fd09310864272f15ca946044391d7f19feddca48d51ee6a520c893",
        "59f2f2e1826ee76351286eee381276e012090d7756dfff7dfca79138646d4d75"};
    struct chain c = {.day = 20000};
    uint8_t key[LETTER_CHAIN_LEN], expected[LETTER_CHAIN_LEN],
        mark[CHAIN_MARK_LEN], mark_expected[CHAIN_MARK_LEN];
    assert_int_equal(codec_unhex(c.key, sizeof c.key, want[0]), 0);
    chain_mark(c.key, mark);
    assert_int_equal(codec_unhex(mark_expected, sizeof mark_expected,
                                 "6bbf7699d82819c6da148b6e19da8857"),
                     0);
    assert_memory_equal(mark, mark_expected, sizeof mark);
    for (uint32_t step = 0; step < 3; step++) {
        chain_step(&c, 20000 + step);
        chain_step(&c, 19999); /* back there is no way */
        assert_int_equal(c.day, 20000 + step);
        for (uint32_t day = 19990; day < 20003; day++) {
            const uint32_t at = day < c.day ? step : day - 20000;
            chain_key(&c, day, key);
            assert_int_equal(codec_unhex(expected, sizeof expected, want[at]),
                             0);
            assert_memory_equal(key, expected, sizeof key);
        }
    }
}

/* Each day a text goes to and fro, then both wait; from each day's end on nothing that
 * either has on its disk or in its chains leads to boxes and letters of days that are
 * not read any more. */
static void
i8_no_key_is_left_of_days_that_are_over(void **state)
{
    (void)state;
    enum { DAYS = 12 };
    struct pair p;
    struct chain past[DAYS][2][CHAIN_WAYS];
    uint64_t order;
    chains_pair(&p);
    const uint32_t first = p.v[0]->chains[CHAIN_OUT].day;
    for (unsigned day = 0; day < DAYS; day++) {
        for (unsigned side = 0; side < 2; side++) {
            const char *to = side ? "a" : "b";
            for (unsigned way = 0; way < CHAIN_WAYS; way++)
                past[day][side][way] = p.v[side]->chains[way];
            assert_int_equal(client_send(p.c[side], to, LETTER_TEXT,
                                         (const uint8_t *)to, 1, &order),
                             0);
        }
        pair_settle(&p);
        for (unsigned side = 0; side < 2; side++) {
            struct client_status s;
            client_status(p.c[side], &s);
            assert_int_equal(s.inbox, day + 1);
            disk_days_pass(&p.disk[side], 1);
            disk_client_run(&p.disk[side], p.c[side], 10);
            if (day % 3 == 2)
                side_restart(&p, side);
        }
        for (unsigned side = 0; side < 2; side++)
            for (unsigned way = 0; way < CHAIN_WAYS; way++) {
                const struct chain *c = &p.v[side]->chains[way];
                assert_int_equal(c->day, first + day + 1);
                assert_true(disk_has(&p.disk[side], c->key, sizeof c->key));
                for (unsigned old = 0; old <= day; old++)
                    assert_false(disk_has(&p.disk[side],
                                          past[old][side][way].key,
                                          sizeof c->key));
            }
        /* the two agree, whatever each has forgotten */
        const struct chain *out = &p.v[0]->chains[CHAIN_OUT];
        uint8_t key[LETTER_CHAIN_LEN];
        chain_key(&p.v[1]->chains[CHAIN_IN], out->day, key);
        assert_memory_equal(key, out->key, sizeof key);
    }
    pair_free(&p);
}

/* The first letter that a has for b, as a store keeps it. */
static struct out_letter *
letter_copy(const struct pair *p)
{
    const size_t len = sizeof(struct out_letter) + p->c[0]->letter_len;
    struct out_letter *l = malloc(len);
    assert_non_null(l);
    memcpy(l, p->v[0]->letters, len);
    return l;
}

/* What was put as long ago as letters live is read, though its reader's keys were
 * stepped meanwhile. */
static void
i6_what_lies_as_long_as_letters_may_is_read(void **state)
{
    (void)state;
    struct pair p;
    struct client_received r;
    struct out_letter *lies;
    uint64_t order;
    chains_pair(&p);
    const uint64_t hour_s = p.disk[0].test.wall_s % DAY_S;
    disk_days_pass(&p.disk[0], 1 - (double)(hour_s + 3600) / DAY_S);
    disk_days_pass(&p.disk[1], 1 - (double)(hour_s + 3600) / DAY_S);
    const uint32_t written = client_period(p.c[0]);
    assert_int_equal(client_send(p.c[0], "b", LETTER_TEXT,
                                 (const uint8_t *)"old", 3, &order),
                     0);
    disk_client_run(&p.disk[0], p.c[0], 10);
    assert_non_null(p.v[0]->letters);
    assert_int_equal(p.v[0]->letters->at.period, written);
    lies = letter_copy(&p);
    disk_days_pass(&p.disk[1], 1.9);
    disk_client_run(&p.disk[1], p.c[1], 10);
    side_restart(&p, 1);
    assert_int_equal(client_period(p.c[1]), written + 2);
    pair_bring(&p, 1, lies);
    assert_true(client_next(p.c[1], NULL, "a", &r));
    free(lies);
    pair_free(&p);
}

/* Of many contacts one is stepped in a tick, and all are before long. */
static void
i2_a_days_first_tick_is_no_longer_for_many_contacts(void **state)
{
    (void)state;
    enum { CONTACTS = 40 };
    struct client_disk d;
    char name[8], line[INVITE_TEXT_LEN];
    disk_init(&d, test_seed());
    struct client *c = disk_client(&d, &pair_net);
    disk_client_run(&d, c, 100);
    c->settled = true;
    for (unsigned i = 0; i < CONTACTS; i++) {
        snprintf(name, sizeof name, "n%u", i);
        assert_int_equal(client_invite(c, name, line), 0);
    }
    const uint32_t first = c->conversations->chains[CHAIN_IN].day;
    disk_days_pass(&d, 1);
    unsigned was = 0, n = 0;
    for (unsigned tick = 0; tick < 2 * CONTACTS && n < CONTACTS; tick++) {
        disk_client_run(&d, c, 1);
        n = 0;
        for (const struct conversation *v = c->conversations; v; v = v->next)
            if (!v->self) {
                n += v->chains[CHAIN_IN].day == first + 1;
                assert_in_range(v->chains[CHAIN_IN].day, first, first + 1);
            }
        assert_in_range(n, was, was + 1);
        was = n;
    }
    assert_int_equal(n, CONTACTS);
    client_free(&c);
    disk_free(&d);
}

/* A disk that keeps nothing leaves the chains as they are: what is in memory is not
 * ahead of it, and every step comes when there is room. */
static void
a_step_that_is_not_kept_is_none(void **state)
{
    (void)state;
    enum { CONTACTS = 3 };
    struct client_disk d;
    struct chain was[CONTACTS];
    char name[] = "n0", line[INVITE_TEXT_LEN];
    disk_init(&d, test_seed());
    struct client *c = disk_client(&d, &pair_net);
    disk_client_run(&d, c, 100);
    c->settled = true;
    for (; name[1] < '0' + CONTACTS; name[1]++)
        assert_int_equal(client_invite(c, name, line), 0);
    const struct conversation *v = c->conversations;
    for (unsigned i = 0; i < CONTACTS; i++, v = v->next)
        was[i] = v->chains[CHAIN_OUT];
    disk_days_pass(&d, 1);
    d.full = true;
    disk_client_run(&d, c, 20);
    d.full = false;
    disk_days_pass(&d, 0.1); /* until it is tried again */
    disk_client_run(&d, c, 40);
    v = c->conversations;
    for (unsigned i = 0; i < CONTACTS; i++, v = v->next) {
        assert_int_equal(v->chains[CHAIN_OUT].day, was[i].day + 1);
        assert_false(disk_has(&d, was[i].key, sizeof was[i].key));
    }
    client_free(&c);
    disk_free(&d);
}

/* An invitation whose chains would begin on a day to come is refused. */
static void
an_invitation_of_a_time_to_come_is_refused(void **state)
{
    (void)state;
    struct client_disk d;
    struct invite i;
    char line[INVITE_TEXT_LEN];
    disk_init(&d, test_seed());
    struct client *c = disk_client(&d, &pair_net);
    disk_client_run(&d, c, 100);
    c->settled = true;
    assert_int_equal(client_invite(c, "n", line), 0);
    assert_int_equal(invite_read(&i, line), 0);
    i.seed[0] ^= 1; /* another one */
    i.expiry_h = (uint32_t)(client_time_s(c) / 3600 + 24 * (INVITE_DAYS + 1));
    invite_write(&i, line);
    assert_int_equal(client_add(c, "a", line), ERR_FUTURE);
    i.expiry_h -= 24;
    invite_write(&i, line);
    assert_int_equal(client_add(c, "a", line), 0);
    client_free(&c);
    disk_free(&d);
}

/* A clock that is days ahead until stores are heard takes no key that is of use. */
static void
i6_a_clock_that_is_mended_costs_no_letter(void **state)
{
    (void)state;
    struct pair p;
    struct client_received r;
    struct out_letter *lies;
    uint64_t order;
    chains_pair(&p);
    assert_int_equal(client_send(p.c[0], "b", LETTER_TEXT,
                                 (const uint8_t *)"old", 3, &order),
                     0);
    disk_client_run(&p.disk[0], p.c[0], 10);
    lies = letter_copy(&p);
    disk_days_pass(&p.disk[1], 1);
    p.disk[1].test.wall_s += 5 * DAY_S;
    pair_restart(&p, 1);
    disk_client_run(&p.disk[1], p.c[1], 5);
    assert_false(p.c[1]->settled); /* no store was heard */
    p.disk[1].test.wall_s -= 5 * DAY_S;
    side_restart(&p, 1);
    disk_client_run(&p.disk[1], p.c[1], 5);
    pair_bring(&p, 1, lies);
    assert_true(client_next(p.c[1], NULL, "a", &r));
    free(lies);
    pair_free(&p);
}

/* A contact that is removed has no key to write with; asking for its boxes, as what was
 * under way then does, costs no more steps than of others. */
static void
a_removed_contact_has_no_long_chain(void **state)
{
    (void)state;
    struct pair p;
    static const uint8_t zeros[LETTER_CHAIN_LEN];
    chains_pair(&p);
    const uint32_t day = p.v[0]->chains[CHAIN_OUT].day;
    assert_int_equal(conversation_remove(p.c[0], p.v[0]), 0);
    for (unsigned life = 0; life < 2; life++) {
        assert_int_equal(p.v[0]->chains[CHAIN_OUT].day, day + life);
        assert_memory_equal(p.v[0]->chains[CHAIN_OUT].key, zeros, sizeof zeros);
        disk_days_pass(&p.disk[0], 1);
        disk_client_run(&p.disk[0], p.c[0], 5);
        side_restart(&p, 0);
    }
    pair_free(&p);
}

#define CHAINS_TEST(f) \
    cmocka_unit_test_setup_teardown(f, net_make, pair_net_free)
const struct CMUnitTest test_chains[] = {
    cmocka_unit_test(a_key_of_a_day_is_the_hash_of_the_one_before),
    CHAINS_TEST(i8_no_key_is_left_of_days_that_are_over),
    CHAINS_TEST(i6_what_lies_as_long_as_letters_may_is_read),
    CHAINS_TEST(i2_a_days_first_tick_is_no_longer_for_many_contacts),
    CHAINS_TEST(an_invitation_of_a_time_to_come_is_refused),
    CHAINS_TEST(i6_a_clock_that_is_mended_costs_no_letter),
    CHAINS_TEST(a_removed_contact_has_no_long_chain),
    CHAINS_TEST(a_step_that_is_not_kept_is_none),
};
TEST_SUITE(test_chains);
