/* tests/unit/test_full_disk.c - a client whose disk takes nothing for a while: what
 * its callers hear, what it takes back, and how it goes on when there is room again,
 * without a restart and without loss. */
#include "tests/runner.h"

#include <string.h>

#include "client/acknowledged.h"
#include "client/conversations.h"
#include "client/outgoing.h"
#include "client/taken.h"
#include "tests/pair.h"

static int
say(struct client *c, const char *name, const char *text, uint64_t *order)
{
    return client_send(c, name, LETTER_TEXT, (const uint8_t *)text,
                       strlen(text), order);
}

static struct client_status
status_of(const struct client *c)
{
    struct client_status s;
    client_status(c, &s);
    return s;
}

/* Letters with content; what takes the place of one has none. */
static size_t
letters_count(const struct conversation *v)
{
    size_t n = 0;
    for (const struct out_letter *l = v->letters; l; l = l->next)
        n += l->sequence > 0 && !l->fills;
    return n;
}

/* Time passes in which the storage is tried again. */
static void
again_pass(struct pair *p)
{
    p->disk[0].test.mono_us += STORE_AGAIN_US;
    disk_client_run(&p->disk[0], p->c[0], 2);
}

/* The disk becomes full: what was asked for just before is taken back. */
static void
disk_fill(struct pair *p)
{
    char line[INVITE_TEXT_LEN];
    struct client_message m;
    uint64_t order, text;
    const size_t letters = letters_count(p->v[0]);
    const struct client_status before = status_of(p->c[0]);
    p->disk[0].full = true;
    const uint64_t mark = client_mark(p->c[0]);
    assert_int_equal(say(p->c[0], "b", "taken back", &text), 0);
    assert_int_equal(client_invite(p->c[0], "nobody", line), 0);
    assert_int_equal(
        client_send(p->c[0], "nobody", LETTER_FILE, (uint8_t *)"x", 1, &order),
        0);
    assert_int_equal(client_kept(p->c[0], mark), 0);
    assert_int_equal(client_kept(p->c[0], client_mark(p->c[0])), ERR_AGAIN);
    disk_release(&p->disk[0]);
    assert_int_equal(client_kept(p->c[0], client_mark(p->c[0])), ERR_ROOM);
    assert_int_equal(status_of(p->c[0]).storage_err, ERR_ROOM);
    assert_int_equal(client_message(p->c[0], "b", text, &m), ERR_NOT_FOUND);
    assert_int_equal(client_contact_id(p->c[0], "nobody"), 0);
    assert_int_equal(status_of(p->c[0]).queued, before.queued);
    assert_int_equal(status_of(p->c[0]).contacts, before.contacts);
    assert_int_equal(letters_count(p->v[0]), letters);
}

/* As long as it is full nothing is taken, and nothing grows. */
static void
disk_is_full(struct pair *p)
{
    char line[INVITE_TEXT_LEN];
    uint64_t order;
    const uint64_t mark = client_mark(p->c[0]);
    const struct out_letter *l = p->v[0]->letters;
    outgoing_answer(p->c[0], p->v[0], l->at, STORE_FIRST, WIRE_KEPT);
    assert_true(l->due_us >= p->disk[0].test.mono_us + KEPT_US);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(say(p->c[0], "b", "no", &order), ERR_ROOM);
        assert_int_equal(client_invite(p->c[0], "nobody", line), ERR_ROOM);
        assert_int_equal(client_mute(p->c[0], "b", true), ERR_ROOM);
        pair_bring_all(p, 0);
        again_pass(p);
    }
    assert_true(client_mark(p->c[0]) == mark);
    assert_int_equal(status_of(p->c[0]).inbox, 0); /* nor acknowledged */
    assert_int_equal(p->v[1]->n_waiting, 1);
}

static void
i6_a_full_disk_heals(void **state)
{
    (void)state;
    for (unsigned asked = 0; asked < 2; asked++) {
        struct pair p;
        struct client_received r;
        struct client_message m;
        uint64_t first, second, third;
        pair_make(&p, &pair_net);
        pair_settle(&p);
        assert_int_equal(say(p.c[0], "b", "before", &first), 0);
        assert_int_equal(say(p.c[1], "a", "to a full disk", &second), 0);
        disk_fill(&p);
        disk_is_full(&p);
        p.disk[0].full = false;
        if (asked) { /* at once, when somebody asks */
            p.disk[0].test.mono_us += STORE_ASKED_US;
        } else {
            again_pass(&p);
            assert_int_equal(status_of(p.c[0]).storage_err, 0);
        }
        assert_int_equal(say(p.c[0], "b", "after", &third), 0);
        assert_int_equal(client_kept(p.c[0], client_mark(p.c[0])), 0);
        pair_settle(&p);
        for (unsigned life = 0; life < 2; life++) {
            assert_int_equal(client_message(p.c[0], "b", first, &m), 0);
            assert_int_equal(m.state, CLIENT_DELIVERED);
            assert_int_equal(client_message(p.c[0], "b", third, &m), 0);
            assert_int_equal(m.state, CLIENT_DELIVERED);
            assert_true(client_next(p.c[0], NULL, "b", &r));
            assert_int_equal(r.len, strlen("to a full disk"));
            assert_int_equal(status_of(p.c[0]).queued, 0);
            assert_int_equal(status_of(p.c[1]).inbox, 2);
            assert_int_equal(client_contact_id(p.c[0], "nobody"), 0);
            pair_restart(&p, 0);
        }
        pair_free(&p);
    }
}

/* A process that ends while its disk is full is like one that was killed then. */
static void
i9_a_restart_on_a_full_disk_costs_nothing(void **state)
{
    (void)state;
    struct pair p;
    struct client_message m;
    uint64_t first, second;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    assert_int_equal(say(p.c[0], "b", "before", &first), 0);
    assert_int_equal(say(p.c[1], "a", "to a full disk", &second), 0);
    disk_fill(&p);
    disk_is_full(&p);
    pair_restart(&p, 0);
    p.disk[0].full = false;
    again_pass(&p);
    pair_settle(&p);
    assert_int_equal(client_message(p.c[0], "b", first, &m), 0);
    assert_int_equal(m.state, CLIENT_DELIVERED);
    assert_int_equal(status_of(p.c[0]).inbox, 1);
    assert_int_equal(status_of(p.c[1]).inbox, 1);
    pair_free(&p);
}

/* Messages that nobody ever takes are given up, and then forgotten. */
static void
what_is_given_up_is_forgotten(void **state)
{
    (void)state;
    enum { ROUNDS = 5, EACH = 40 };
    struct client_disk d;
    char line[INVITE_TEXT_LEN];
    uint64_t order;
    disk_init(&d, test_seed());
    struct client *c = disk_client(&d, &pair_net);
    assert_int_equal(client_invite(c, "dead", line), 0);
    struct conversation *v = conversation_find(c, "dead");
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < EACH; i++)
            assert_int_equal(say(c, "dead", "are you there?", &order), 0);
        for (struct message *m = v->messages; m; m = m->next)
            m->created_s = 1; /* long ago */
        outgoing_expire(c);
        assert_int_equal(status_of(c).queued, 0);
        assert_true(v->n_messages <= 64);
        assert_int_equal(disk_count(&d, 'M', NULL), v->n_messages);
        /* no more than letters without content, for the places that are taken */
        assert_int_equal(letters_count(v), 0);
        assert_in_range(disk_count(&d, 'L', NULL), 0, 2 * STAGED_MAX);
    }
    client_free(&c);
    disk_free(&d);
}

/* ---- an older copy ---- */

enum { SINCE = 5 };

/* a's disk is what it was SINCE texts ago, and a begins anew. */
static void
copy_comes_back(struct pair *p)
{
    struct client_disk old;
    uint64_t order;
    pair_make(p, &pair_net);
    pair_settle(p);
    assert_int_equal(say(p->c[0], "b", "first", &order), 0);
    pair_settle(p);
    disk_init(&old, test_seed());
    disk_copy(&old, &p->disk[0]);
    for (unsigned i = 0; i < SINCE; i++) {
        assert_int_equal(say(p->c[0], "b", "since", &order), 0);
        pair_settle(p);
    }
    disk_copy(&p->disk[0], &old);
    disk_free(&old);
    pair_restart(p, 0);
    assert_int_equal(status_of(p->c[1]).inbox, 1 + SINCE);
}

static void
i6_an_older_copy_swallows_nothing(void **state)
{
    (void)state;
    for (unsigned early = 0; early < 3; early++) {
        struct pair p;
        struct client_message m;
        uint64_t order[4], hello;
        copy_comes_back(&p);
        for (unsigned i = 0; i < 2 && early; i++) /* before b is heard */
            assert_int_equal(say(p.c[0], "b", "anew", &order[i]), 0);
        if (early == 2) { /* and a store has the other life's there */
            disk_client_run(&p.disk[0], p.c[0], 2);
            struct out_letter *l = p.v[0]->letters;
            while (l && l->sequence == 0)
                l = l->next;
            l->tried = true;
            taken_answer(p.c[0], p.v[0], l->at, STORE_FIRST);
            assert_true(p.v[0]->doubted);
        }
        assert_int_equal(say(p.c[1], "a", "what have you?", &hello), 0);
        pair_bring_all(&p, 0);
        for (unsigned i = early ? 2 : 0; i < 4; i++)
            assert_int_equal(say(p.c[0], "b", "anew", &order[i]), 0);
        for (unsigned i = 0; i < 4; i++) {
            assert_int_equal(client_message(p.c[0], "b", order[i], &m), 0);
            assert_int_equal(m.state, CLIENT_QUEUED);
        }
        pair_settle(&p);
        assert_int_equal(status_of(p.c[0]).overtaken, 1);
        assert_int_equal(status_of(p.c[1]).inbox, 1 + SINCE + 4);
        for (unsigned i = 0; i < 4; i++) {
            assert_int_equal(client_message(p.c[0], "b", order[i], &m), 0);
            assert_int_equal(m.state, CLIENT_DELIVERED);
        }
        pair_restart(&p, 0); /* it is over */
        assert_int_equal(say(p.c[0], "b", "and on", &order[0]), 0);
        pair_settle(&p);
        assert_int_equal(status_of(p.c[1]).inbox, 1 + SINCE + 5);
        assert_int_equal(status_of(p.c[0]).overtaken, 0);
        pair_free(&p);
    }
}

/* So it is when the copy is started again, and again in the middle of its repair,
 * before its contact is heard. */
static void
i6_an_older_copy_is_repaired_over_restarts(void **state)
{
    (void)state;
    struct pair p;
    struct client_message m;
    uint64_t order[2], hello;
    copy_comes_back(&p);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(say(p.c[0], "b", "anew", &order[i]), 0);
        disk_client_run(&p.disk[0], p.c[0], 2);
    }
    pair_restart(&p, 0);
    assert_int_equal(say(p.c[1], "a", "what have you?", &hello), 0);
    pair_bring_all(&p, 0);
    pair_restart(&p, 0); /* it knows, and no letter has another number yet */
    pair_settle(&p);
    assert_int_equal(status_of(p.c[1]).inbox, 1 + SINCE + 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(client_message(p.c[0], "b", order[i], &m), 0);
        assert_int_equal(m.state, CLIENT_DELIVERED);
    }
    assert_int_equal(say(p.c[0], "b", "and on", &order[0]), 0);
    pair_restart(&p, 0);
    const uint32_t next = p.v[0]->next_sequence;
    pair_settle(&p); /* nothing is numbered anew that was heard of */
    assert_int_equal(p.v[0]->next_sequence, next);
    assert_int_equal(status_of(p.c[1]).inbox, 1 + SINCE + 3);
    pair_free(&p);
}

/* A letter from b that was committed then acknowledges all numbers up to this one. */
static void
acknowledge(struct pair *p, uint32_t ack, uint64_t commit_us)
{
    struct conversation *v = p->v[0];
    const struct letter l = {.ack = ack};
    journal_begin(p->c[0]->journal);
    assert_int_equal(acknowledged_note(p->c[0], v, &l, commit_us), 0);
    acknowledged_drop(p->c[0], v, &l);
    (void)journal_end(p->c[0]->journal);
}

static enum client_state
state_of(const struct pair *p, uint64_t order)
{
    struct client_message m;
    assert_int_equal(client_message(p->c[0], "b", order, &m), 0);
    return m.state;
}

/* What b wrote before a letter of a's was made speaks of another's that had its
 * number, as long as nothing shows that b has what this life of a's has sent. */
static void
i6_what_another_life_was_told_is_not_believed(void **state)
{
    (void)state;
    struct pair p;
    uint64_t order[3];
    copy_comes_back(&p);
    const uint64_t before_us = p.disk[0].test.mono_us - 1000000;
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(say(p.c[0], "b", "anew", &order[i]), 0);
    disk_client_run(&p.disk[0], p.c[0], 2);
    const uint32_t last = p.v[0]->next_sequence - 1;
    acknowledge(&p, last, before_us);
    assert_int_equal(state_of(&p, order[0]), CLIENT_QUEUED);
    pair_restart(&p, 0); /* and so after a restart */
    acknowledge(&p, last, before_us);
    assert_int_equal(state_of(&p, order[1]), CLIENT_QUEUED);
    acknowledge(&p, last - 1, p.disk[0].test.mono_us + 1000000);
    assert_int_equal(state_of(&p, order[0]), CLIENT_DELIVERED);
    acknowledge(&p, last, before_us); /* it is b's, who has what came */
    assert_int_equal(state_of(&p, order[1]), CLIENT_DELIVERED);
    pair_free(&p);
}

/* Places that another life has used are passed over as one of their stores says so,
 * whether that life is known of or not: the other store may not have had what lay
 * there, and what it keeps is not looked for. Once the reader is in step, one store's
 * word is not enough. */
static void
i6_places_of_another_life_are_passed_over(void **state)
{
    (void)state;
    struct pair p;
    uint64_t order, hello;
    copy_comes_back(&p);
    assert_int_equal(say(p.c[1], "a", "what have you?", &hello), 0);
    for (unsigned known = 0; known < 3; known++) {
        p.v[0]->in_step = known == 2;
        assert_int_equal(say(p.c[0], "b", "anew", &order), 0);
        disk_client_run(&p.disk[0], p.c[0], 2);
        struct out_letter *l = p.v[0]->letters;
        while (l->order != order)
            l = l->next;
        l->tried = true;
        const struct letter_place at = l->at;
        taken_answer(p.c[0], p.v[0], at, STORE_FIRST);
        assert_int_equal(*outgoing_find(p.v[0], at) == NULL, known < 2);
        pair_bring_all(&p, 0); /* then it is known, and a ratchet is offered, */
        pair_settle(&p);       /* which b takes */
    }
    pair_free(&p);
}

/* One who acknowledges what nobody can have sent changes nothing. */
static void
i10_a_liar_moves_no_numbers_far(void **state)
{
    (void)state;
    struct pair p;
    struct letter l = {.ack = UINT32_MAX - 1};
    pair_make(&p, &pair_net);
    pair_settle(&p);
    const uint32_t next = p.v[0]->next_sequence;
    assert_int_equal(acknowledged_catch_up(p.c[0], p.v[0], &l), 0);
    l.ack = next + (1 << 20);
    assert_int_equal(acknowledged_catch_up(p.c[0], p.v[0], &l), 0);
    memset(l.map, 0xff, sizeof l.map);
    l.ack = UINT32_MAX - 1;
    assert_int_equal(acknowledged_catch_up(p.c[0], p.v[0], &l), 0);
    assert_int_equal(p.v[0]->next_sequence, next);
    assert_int_equal(status_of(p.c[0]).overtaken, 0);
    pair_free(&p);
}

const struct CMUnitTest test_full_disk[] = {
    cmocka_unit_test_setup_teardown(i6_a_full_disk_heals, pair_net_make,
                                    pair_net_free),
    cmocka_unit_test_setup_teardown(i9_a_restart_on_a_full_disk_costs_nothing,
                                    pair_net_make, pair_net_free),
    cmocka_unit_test_setup_teardown(what_is_given_up_is_forgotten,
                                    pair_net_make, pair_net_free),
    cmocka_unit_test_setup_teardown(i6_an_older_copy_swallows_nothing,
                                    pair_net_make, pair_net_free),
    cmocka_unit_test_setup_teardown(i6_an_older_copy_is_repaired_over_restarts,
                                    pair_net_make, pair_net_free),
    cmocka_unit_test_setup_teardown(
        i6_what_another_life_was_told_is_not_believed, pair_net_make,
        pair_net_free),
    cmocka_unit_test_setup_teardown(i6_places_of_another_life_are_passed_over,
                                    pair_net_make, pair_net_free),
    cmocka_unit_test_setup_teardown(i10_a_liar_moves_no_numbers_far,
                                    pair_net_make, pair_net_free),
};
TEST_SUITE(test_full_disk);
