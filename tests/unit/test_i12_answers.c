/* tests/unit/test_i12_answers.c - what a contact's letter leads to, other than an
 * acknowledgement: it is done when that letter would have been acknowledged, so that he does
 * not see when it was read (doc/PROTOCOL.md 8.8). */
#include "tests/runner.h"

#include <sodium.h>
#include <string.h>

#include "client/arrival.h"
#include "client/conversations.h"
#include "client/sealing.h"
#include "tests/day_key.h"
#include "tests/pair.h"

/* A contact names numbers that nobody has used: when he is answered by an offer tells him
 * no more than an acknowledgement does (8.8, 8.10), as with what does not open. */
static void
i12_who_names_numbers_that_nobody_has_is_answered_no_sooner(void **state)
{
    (void)state;
    struct pair p;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    struct client *c = p.c[1];
    const struct letter l = {.kind = LETTER_HELLO,
                             .sequence = p.v[0]->next_sequence,
                             .floor = 1,
                             .count = 1,
                             .ack = p.v[1]->next_sequence + 5};
    pair_forge(&p, 1, 100, &l);
    disk_client_run(&p.disk[1], c, 3);
    assert_int_equal(p.v[1]->session->generation, 0);
    pair_free(&p);
}

/* A contact leaves a text of b's unacknowledged, makes b offer a ratchet, and takes it when
 * he likes: the text is sealed anew for another place. When tells him no more of when his
 * letter was read than an acknowledgement does. */
static void
i12_who_takes_an_offer_does_not_see_when_that_is_read(void **state)
{
    (void)state;
    struct pair p;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    struct client *c = p.c[1];
    struct conversation *v = p.v[1];
    (void)pair_text(&p, 1); /* which the contact does not acknowledge */
    disk_client_run(&p.disk[1], c, 5);
    assert_non_null(v->letters);
    v->letters->tried = true;
    v->renew_us = 1; /* he wrote what does not open, a while ago */
    disk_client_run(&p.disk[1], c, 5);
    assert_int_equal(v->session->state, SESSION_OFFERED);
    struct out_letter *offer = v->letters;
    while (offer && offer->kind != LETTER_HELLO)
        offer = offer->next;
    assert_non_null(offer);
    pair_bring(&p, 0, offer); /* he reads, and takes it */
    pair_wait(&p);
    assert_int_equal(p.v[0]->session->state, SESSION_OPEN);
    const uint32_t generation = p.v[0]->session->generation;
    const struct letter l = {.count = 1}; /* nothing is acknowledged */
    const uint64_t now_us = p.disk[1].test.mono_us;
    pair_forge(&p, 1, 100, &l);
    assert_int_equal(v->session->state, SESSION_OPEN);
    disk_client_run(&p.disk[1], c, 3);
    for (const struct out_letter *o = v->letters; o; o = o->next) {
        if (o->kind != LETTER_TEXT)
            continue;
        assert_false(o->generation == generation &&
                     o->due_us < now_us + 1000000);
    }
    pair_free(&p);
}

/* The same without an offer of b's: the contact offers himself, with each letter another
 * ratchet, and b's unacknowledged text moves with each read of his. */
static void
i12_who_offers_with_each_letter_does_not_see_when_that_is_read(void **state)
{
    (void)state;
    static const uint8_t secret[RATCHET_KEY_LEN] = {7};
    struct pair p;
    unsigned moved = 0;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    struct client *c = p.c[1];
    struct conversation *v = p.v[1];
    (void)pair_text(&p, 1);
    disk_client_run(&p.disk[1], c, 5);
    for (unsigned i = 0; i < 5; i++) {
        assert_non_null(v->letters);
        for (struct out_letter *o = v->letters; o; o = o->next)
            o->tried = true; /* a store has it */
        session_offer(p.v[0]->session, 1000 + i, 1, secret);
        const struct letter l = {.count = 1};
        const uint64_t now_us = p.disk[1].test.mono_us;
        pair_forge(&p, 1, 100 + i, &l);
        disk_client_run(&p.disk[1], c, 3);
        for (const struct out_letter *o = v->letters; o; o = o->next)
            moved += o->kind == LETTER_TEXT && o->generation == 1000 + i &&
                     o->due_us < now_us + 1000000;
    }
    assert_int_equal(moved, 0);
    pair_free(&p);
}

/* The same by acknowledging each hello of an offer that is never taken. */
static void
i12_who_acknowledges_hellos_does_not_see_when_that_is_read(void **state)
{
    (void)state;
    struct pair p;
    unsigned at_once = 0;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    struct client *c = p.c[1];
    struct conversation *v = p.v[1];
    v->renew_us = 1; /* the contact wrote what does not open, a while ago */
    disk_client_run(&p.disk[1], c, 5);
    assert_int_equal(v->session->state, SESSION_OFFERED);
    for (unsigned i = 0; i < 5; i++) {
        for (struct out_letter *o = v->letters; o; o = o->next)
            o->tried = true; /* a store has it */
        const uint32_t last = v->next_sequence - 1;
        const struct letter l = {.count = 1, .ack = last};
        const uint64_t now_us = p.disk[1].test.mono_us;
        pair_forge(&p, 1, 100 + i, &l);
        disk_client_run(&p.disk[1], c, 3);
        for (const struct out_letter *o = v->letters; o; o = o->next)
            at_once += o->kind == LETTER_HELLO && o->sequence > last &&
                       o->due_us < now_us + 1000000;
    }
    assert_int_equal(at_once, 0);
    pair_free(&p);
}

/* A contact acknowledges none of twelve texts, then some: what there was no token for is
 * announced. When tells him no more of when his letter was read than 8.8 does. */
static void
i12_who_acknowledges_late_does_not_see_when_that_is_read(void **state)
{
    (void)state;
    struct pair p;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    struct client *c = p.c[1];
    struct conversation *v = p.v[1];
    const uint32_t first = v->next_sequence;
    for (unsigned i = 0; i < 12; i++)
        (void)pair_text(&p, 1);
    for (unsigned i = 0; i < 40; i++) {
        disk_client_run(&p.disk[1], c, 1);
        for (struct out_letter *o = v->letters; o; o = o->next)
            o->tried = o->kept = true;
    }
    const uint32_t used = v->tokens_used;
    const struct letter l = {.count = 1, .ack = first + 3};
    for (unsigned i = 0; i < 5; i++)
        disk_client_run(&p.disk[1], c, 1);
    assert_int_equal(v->tokens_used, used); /* nothing without the letter */
    pair_forge(&p, 1, 100, &l);
    disk_client_run(&p.disk[1], c, 3);
    assert_int_equal(v->tokens_used, used);
    for (unsigned i = 0; i < 10; i++) {
        p.disk[1].test.mono_us += PAIR_WAIT_US;
        disk_client_run(&p.disk[1], c, 3);
    }
    assert_true(v->tokens_used > used); /* but it comes */
    pair_free(&p);
}

#define ATTACK(f) \
    cmocka_unit_test_setup_teardown(f, pair_net_long_make, pair_net_free)
const struct CMUnitTest test_i12_answers[] = {
    ATTACK(i12_who_names_numbers_that_nobody_has_is_answered_no_sooner),
    ATTACK(i12_who_takes_an_offer_does_not_see_when_that_is_read),
    ATTACK(i12_who_offers_with_each_letter_does_not_see_when_that_is_read),
    ATTACK(i12_who_acknowledges_hellos_does_not_see_when_that_is_read),
    ATTACK(i12_who_acknowledges_late_does_not_see_when_that_is_read),
};
TEST_SUITE(test_i12_answers);
