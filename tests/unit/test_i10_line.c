/* tests/unit/test_i10_line.c - whoever has seen the line of an invitation, on any later day:
 * he can seal letters that the invitee opens by their place, and that is all (doc/PROTOCOL.md
 * 8.10). */
#include "tests/runner.h"

#include <sodium.h>
#include <string.h>

#include "client/arrival.h"
#include "client/conversations.h"
#include "client/sealing.h"
#include "tests/day_key.h"
#include "tests/invitee.h"
#include "tests/pair.h"

/* pair_make(), and the line, which a thief has. */
static void
pair_make_line(struct pair *p, char line[static INVITE_TEXT_LEN])
{
    p->net = &pair_net;
    p->ages_unknown = false;
    p->n_slots = 0;
    for (unsigned i = 0; i < 2; i++) {
        disk_init(&p->disk[i], test_seed() + i);
        p->c[i] = disk_client(&p->disk[i], &pair_net);
    }
    assert_int_equal(client_invite(p->c[0], "b", line), 0);
    assert_int_equal(client_add(p->c[1], "a", line), 0);
    pair_find(p);
}

/* What a thief of the line alone puts into a free place of the box that b reads. */
static void
thief_says_used(struct pair *p, const char *line, const struct letter *l,
                uint32_t n)
{
    static uint8_t bytes[LETTER_LEN_MAX];
    static const uint8_t zeros[LETTER_KEY_LEN];
    const struct letter_head head = {.seal = LETTER_BY_PLACE};
    struct invite invite;
    struct chain inviter, invitee;
    struct letter_keys keys;
    struct client *c = p->c[1];
    const struct letter_place at = {client_period(c), n};
    assert_int_equal(invite_read(&invite, line), 0);
    invite_chains(&invite, &inviter, &invitee);
    const struct day_key key =
        day_key_of(&inviter, &c->current->params, at.period);
    letter_place_keys(key.key, at, zeros, &keys);
    assert_int_equal(letter_seal(l, &head, &keys, at, bytes, c->letter_len), 0);
    const struct arrival came = {
        .at = at,
        .rank = STORE_FIRST,
        .whom = {.place = FRONTS_SWEEP, .contact = p->v[1]->id},
        .sure_us = p->disk[1].test.mono_us};
    (void)arrival_letter(c, p->v[1], &came, bytes);
}

/* A thief of the line, days after the pair has met, has b believe that a text which
 * nobody has read was delivered. */
static void
thief_acknowledges_nothing(uint32_t sequence)
{
    struct pair p;
    char line[INVITE_TEXT_LEN];
    pair_make_line(&p, line);
    pair_settle(&p);
    assert_true(p.v[1]->session->answered);
    (void)pair_text(&p, 1);
    disk_client_run(&p.disk[1], p.c[1], 5);
    assert_true(p.v[1]->n_waiting == 1);
    for (struct out_letter *l = p.v[1]->letters; l; l = l->next)
        l->tried = true; /* put, and lost, or under way */
    for (uint32_t n = 1; n < 20; n++)
        thief_says_used(&p, line,
                        &(struct letter){.kind = LETTER_USED,
                                         .count = 1,
                                         .sequence = sequence * 200,
                                         .floor = 1,
                                         .ack = n},
                        40 + n);
    assert_int_equal(p.v[0]->n_received, 0);
    assert_int_equal(p.v[1]->n_waiting, 1); /* it was not delivered */
    pair_free(&p);
}

static void
i10_a_thief_of_the_line_acknowledges_nothing(void **state)
{
    (void)state;
    for (uint32_t sequence = 0; sequence < 2; sequence++)
        thief_acknowledges_nothing(sequence);
}

/* The same thief says that numbers are waited for no more: what a writes then is taken
 * for what had come, and the pair never reads again. */
static void
thief_ends_nothing(uint32_t sequence)
{
    struct pair p;
    char line[INVITE_TEXT_LEN];
    pair_make_line(&p, line);
    pair_settle(&p);
    thief_says_used(&p, line,
                    &(struct letter){.kind = LETTER_USED,
                                     .count = 1,
                                     .sequence = sequence * 0xf0000000,
                                     .floor = 0xf0000000},
                    40);
    (void)pair_text(&p, 0);
    for (unsigned i = 0; i < 40; i++) {
        pair_wait(&p);
        for (unsigned k = 0; k < 2; k++)
            pair_bring_all(&p, k);
    }
    assert_int_equal(p.v[1]->n_received, 1);
    pair_free(&p);
}

static void
i10_a_thief_of_the_line_ends_nothing(void **state)
{
    (void)state;
    for (uint32_t sequence = 0; sequence < 2; sequence++)
        thief_ends_nothing(sequence);
}

/* A text is lost, and its writer is told that it was delivered. */
static void
thief_loses_nothing(uint32_t sequence)
{
    struct pair p;
    char line[INVITE_TEXT_LEN];
    pair_make_line(&p, line);
    pair_settle(&p);
    (void)pair_text(&p, 0);
    disk_client_run(&p.disk[0], p.c[0], 5);
    for (struct out_letter *l = p.v[0]->letters; l; l = l->next)
        l->tried = true; /* it was put, and is on its way */
    const uint32_t next = p.v[0]->next_sequence; /* a small number: guessed */
    thief_says_used(&p, line,
                    &(struct letter){.kind = LETTER_USED,
                                     .count = 1,
                                     .sequence = sequence * 1,
                                     .floor = next},
                    40);
    for (unsigned i = 0; i < 10; i++) {
        pair_wait(&p);
        for (unsigned k = 0; k < 2; k++)
            pair_bring_all(&p, k);
    }
    assert_true(p.v[1]->n_received == 1 || p.v[0]->n_waiting > 0);
    pair_free(&p);
}

static void
i10_a_thief_of_the_line_loses_nothing(void **state)
{
    (void)state;
    for (uint32_t sequence = 0; sequence < 2; sequence++)
        thief_loses_nothing(sequence);
}

/* A thief of the line tells the invitee, before the inviter has answered, that the
 * invitation was used; the inviter answers then. The two are a pair, and can talk. */
static void
thief_silences_nobody(uint32_t sequence)
{
    struct pair p;
    char line[INVITE_TEXT_LEN];
    uint64_t order;
    pair_make_line(&p, line);
    pair_wait(&p); /* the hello is there */
    assert_non_null(p.v[1]->letters);
    thief_says_used(&p, line,
                    &(struct letter){.kind = LETTER_USED,
                                     .count = 1,
                                     .sequence = sequence * 1,
                                     .floor = 1,
                                     .message = "anybody"},
                    40);
    for (unsigned i = 0; i < 24; i++) {
        pair_wait(&p);
        for (unsigned k = 0; k < 2; k++)
            pair_bring_all(&p, k);
        for (unsigned k = 0; k < 2; k++)
            pair_acks_keep(&p, k);
        if (i == 12 && session_is_open(p.v[0]->session))
            (void)pair_text(&p, 0);
    }
    assert_int_equal(client_send(p.c[1], "a", LETTER_TEXT,
                                 (const uint8_t *)"text", 4, &order),
                     0);
    pair_free(&p);
}

static void
i10_a_thief_of_the_line_silences_nobody(void **state)
{
    (void)state;
    for (uint32_t sequence = 0; sequence < 2; sequence++)
        thief_silences_nobody(sequence);
}

/* What the inviter tells a second one who has the invitation: nothing of the pair. */
static void
i10_the_word_that_an_invitation_was_used_tells_nothing_else(void **state)
{
    (void)state;
    static const uint8_t zeros[LETTER_KEY_LEN];
    struct pair p;
    struct invite invite;
    struct chain inviter, invitee;
    struct letter_keys keys;
    struct letter_head head;
    struct letter l;
    char line[INVITE_TEXT_LEN];
    pair_make_line(&p, line);
    pair_settle(&p);
    for (unsigned i = 0; i < 3; i++) {
        (void)pair_text(&p, 1);
        (void)pair_text(&p, 0);
        pair_settle(&p);
    }
    (void)pair_text(&p, 0); /* a is there, and talks with b */
    disk_client_run(&p.disk[0], p.c[0], 5);
    p.v[0]->warn_us = 1; /* a second one's letter came */
    disk_client_run(&p.disk[0], p.c[0], 5);
    const struct out_letter *out = p.v[0]->letters;
    while (out && out->kind != LETTER_USED)
        out = out->next;
    assert_non_null(out);
    assert_int_equal(invite_read(&invite, line), 0);
    invite_chains(&invite, &inviter, &invitee);
    const struct day_key key =
        day_key_of(&inviter, &p.c[0]->current->params, out->at.period);
    letter_place_keys(key.key, out->at, zeros, &keys);
    static uint8_t bytes[LETTER_LEN_MAX];
    memcpy(bytes, out->bytes, p.c[0]->letter_len);
    assert_int_equal(
        letter_open_head(&head, keys.head, out->at, bytes, p.c[0]->letter_len),
        0);
    assert_int_equal(letter_open_body(&l, &head, keys.body, out->at, bytes,
                                      p.c[0]->letter_len),
                     0);
    assert_int_equal(l.ack + l.tokens + l.lease_s, 0);
    pair_free(&p);
}

#define ATTACK(f) \
    cmocka_unit_test_setup_teardown(f, pair_net_long_make, pair_net_free)
const struct CMUnitTest test_i10_line[] = {
    ATTACK(i10_a_thief_of_the_line_acknowledges_nothing),
    ATTACK(i10_a_thief_of_the_line_ends_nothing),
    ATTACK(i10_a_thief_of_the_line_loses_nothing),
    ATTACK(i10_a_thief_of_the_line_silences_nobody),
    ATTACK(i10_the_word_that_an_invitation_was_used_tells_nothing_else),
};
TEST_SUITE(test_i10_line);
