/* tests/unit/test_outbox.c - what waits to be delivered: listed, estimated, given up. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "client/conversations.h"
#include "tests/invitee.h"
#include "tests/pair.h"

static uint64_t
say(struct pair *p, enum letter_kind kind, size_t len)
{
    static uint8_t data[60000];
    uint64_t order;
    assert_true(len <= sizeof data);
    assert_int_equal(client_send(p->c[0], "b", kind, data, len, &order), 0);
    return order;
}

/* What the outbox of a tells, in order. */
struct told {
    size_t n;
    struct client_message m[16];
};

static void
told_take(void *ctx, uint32_t id, const char *name,
          const struct client_message *m)
{
    struct told *t = ctx;
    assert_string_equal(name, "b");
    assert_true(id > 0 && t->n < 16);
    t->m[t->n++] = *m;
}

static struct told
outbox(const struct pair *p)
{
    struct told t = {.n = 0};
    client_outbox(p->c[0], told_take, &t);
    return t;
}

static int
net_make(void **state)
{
    (void)pair_net_make(state);
    pair_net.consensus->params.epoch_len_s = 30 * 86400;
    test_network_sign(&pair_net);
    return 0;
}

static void
setup(struct pair *p)
{
    pair_make(p, &pair_net);
    pair_settle(p);
}

/* Texts and files are listed until they are over, pings never; each takes longer
 * than what is before it; and what was said beforehand is what comes true of it. */
static void
what_waits_is_listed_and_estimated(void **state)
{
    (void)state;
    struct pair p;
    struct client_message m;
    uint64_t letters, seconds;
    setup(&p);
    assert_int_equal(outbox(&p).n, 0);
    assert_int_equal(client_estimate(p.c[0], "x", 1, &letters, &seconds),
                     ERR_NOT_FOUND);
    assert_int_equal(client_estimate(p.c[0], "b", 50000, &letters, &seconds),
                     0);
    const uint64_t file = say(&p, LETTER_FILE, 50000);
    assert_int_equal(client_message(p.c[0], "b", file, &m), 0);
    assert_int_equal(m.letters, letters);
    /* of the letters that are made already none is kept */
    assert_int_equal(m.estimate_s, seconds);
    assert_true(seconds > 10 && seconds < 100);
    const uint64_t text = say(&p, LETTER_TEXT, 5);
    (void)say(&p, LETTER_PING, 0);
    const struct told t = outbox(&p);
    assert_int_equal(t.n, 2);
    assert_true(t.m[0].order == file && t.m[0].kind == LETTER_FILE &&
                t.m[0].len == 50000 && t.m[0].state == CLIENT_QUEUED);
    assert_true(t.m[1].order == text && t.m[1].kind == LETTER_TEXT &&
                t.m[1].len == 5 && t.m[1].letters == 1);
    assert_true(t.m[1].estimate_s >= t.m[0].estimate_s);
    pair_settle(&p);
    assert_int_equal(outbox(&p).n, 0);
    assert_int_equal(client_message(p.c[0], "b", file, &m), 0);
    assert_true(m.state == CLIENT_DELIVERED && m.estimate_s == 0);
    pair_free(&p);
}

/* What is given up leaves nothing in memory or on disk, holds up nothing behind it,
 * and is told as what it is. */
static void
what_is_given_up_is_gone(void **state)
{
    (void)state;
    struct pair p;
    struct client_message m;
    struct client_received r;
    setup(&p);
    const uint64_t file = say(&p, LETTER_FILE, 50000);
    const uint64_t text = say(&p, LETTER_TEXT, 5);
    assert_int_equal(client_cancel(p.c[0], "b", 999), ERR_NOT_FOUND);
    assert_int_equal(client_cancel(p.c[0], "x", file), ERR_NOT_FOUND);
    assert_int_equal(client_cancel(p.c[0], "b", file), 0);
    assert_int_equal(client_cancel(p.c[0], "b", file), ERR_USED);
    assert_int_equal(client_message(p.c[0], "b", file, &m), 0);
    assert_int_equal(m.state, CLIENT_EXPIRED);
    assert_int_equal(p.c[0]->queue_len, 5);
    assert_int_equal(outbox(&p).n, 1);
    pair_settle(&p);
    assert_int_equal(client_message(p.c[0], "b", text, &m), 0);
    assert_int_equal(m.state, CLIENT_DELIVERED);
    assert_int_equal(client_cancel(p.c[0], "b", text), ERR_USED);
    assert_true(client_next(p.c[1], NULL, NULL, &r));
    assert_true(r.kind == LETTER_TEXT && r.len == 5);
    assert_int_equal(client_release(p.c[1], NULL, r.order), 0);
    assert_false(client_next(p.c[1], NULL, NULL, &r));
    assert_int_equal(disk_count(&p.disk[0], 'L', NULL), 0);
    assert_int_equal(p.c[0]->queue_len, 0);
    /* and stays so */
    pair_restart(&p, 0);
    assert_int_equal(client_message(p.c[0], "b", file, &m), 0);
    assert_int_equal(m.state, CLIENT_EXPIRED);
    pair_free(&p);
}

/* On a disk that keeps nothing nothing is given up. */
static void
i6_a_full_disk_gives_nothing_up(void **state)
{
    (void)state;
    struct pair p;
    struct client_message m;
    setup(&p);
    const uint64_t file = say(&p, LETTER_FILE, 50000);
    p.disk[0].full = true;
    (void)!client_cancel(p.c[0], "b", file);
    pair_wait(&p);
    assert_true(client_cancel(p.c[0], "b", file) != 0);
    p.disk[0].full = false;
    pair_restart(&p, 0);
    assert_int_equal(client_message(p.c[0], "b", file, &m), 0);
    assert_int_equal(m.state, CLIENT_QUEUED);
    assert_int_equal(client_cancel(p.c[0], "b", file), 0);
    pair_free(&p);
}

/* However many letters of one contact wait, each other has one ready at once. */
static void
i11_one_contacts_letters_hold_up_no_other(void **state)
{
    (void)state;
    static const char *const name[] = {"b", "x", "y", "z"};
    struct client_disk d;
    char line[INVITE_TEXT_LEN];
    uint64_t order;
    static uint8_t data[60000];
    disk_init(&d, test_seed());
    struct client *c = disk_client(&d, &pair_net);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(client_invite(c, name[i], line), 0);
        invitee_take_up(c, name[i], line);
    }
    assert_int_equal(
        client_send(c, "b", LETTER_FILE, data, sizeof data, &order), 0);
    for (size_t i = 1; i < 4; i++) {
        assert_int_equal(client_send(c, name[i], LETTER_TEXT, data, 5, &order),
                         0);
        const struct out_letter *l = conversation_find(c, name[i])->letters;
        assert_non_null(l);
        assert_int_equal(l->order, order);
    }
    client_free(&c);
    disk_free(&d);
}

#define OUTBOX_TEST(f) \
    cmocka_unit_test_setup_teardown(f, net_make, pair_net_free)
const struct CMUnitTest test_outbox[] = {
    OUTBOX_TEST(what_waits_is_listed_and_estimated),
    OUTBOX_TEST(what_is_given_up_is_gone),
    OUTBOX_TEST(i6_a_full_disk_gives_nothing_up),
    OUTBOX_TEST(i11_one_contacts_letters_hold_up_no_other),
};
TEST_SUITE(test_outbox);
