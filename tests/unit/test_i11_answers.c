/* tests/unit/test_i11_answers.c - what answers contacts is bounded: by how much contacts
 * write the user's own letters wait no longer than twice, and nothing piles up.
 *
 * A client with contacts who write without end and promise to look, so that each is
 * acknowledged soon; its user writes to a friend. There is no network: ticks of
 * sending are made here, and stores answer them or do not.
 *
 * Defences: answers_last of struct client, in letter_choose(); is_sooner() in
 * client/outgoing.c; one acknowledgement at a time, in ack_stage(). */
#include "tests/runner.h"

#include <stdio.h>
#include <string.h>

#include "client/arrival.h"
#include "client/conversations.h"
#include "client/outgoing.h"
#include "client/places.h"
#include "client/requests.h"
#include "client/staging.h"
#include "lib/rng.h"
#include "tests/client_disk.h"
#include <stdlib.h>

#include "tests/invitee.h"

enum { BOARDS = 4, MALLORIES = 6, TICK_US = 500000 };
#define S 1000000ULL

static struct sim_net net;
static const uint8_t data[64] = {3};

static int
net_make(void **state)
{
    (void)state;
    test_network_month(&net);
    return 0;
}

static int
net_free(void **state)
{
    (void)state;
    test_network_free(&net);
    return 0;
}

struct stage {
    struct client_disk d;
    struct client *c;
    struct conversation *mallory[MALLORIES], *friend;
    struct invitee *invitee; /* MALLORIES */
    uint32_t place[MALLORIES], sequence[MALLORIES];
    bool silent; /* no store answers */
};

static void
stage_set(struct stage *s)
{
    char name[16], line[INVITE_TEXT_LEN];
    memset(s, 0, sizeof *s);
    s->invitee = calloc(MALLORIES, sizeof *s->invitee);
    assert_non_null(s->invitee);
    disk_init(&s->d, test_seed());
    s->c = disk_client(&s->d, &net);
    for (unsigned i = 0; i < MALLORIES; i++) {
        snprintf(name, sizeof name, "m%u", i);
        assert_int_equal(client_invite(s->c, name, line), 0);
        s->mallory[i] = conversation_find(s->c, name);
        s->mallory[i]->muted = true; /* nobody empties the inbox */
        invitee_make(&s->invitee[i], line);
    }
    assert_int_equal(client_invite(s->c, "friend", line), 0);
    s->friend = conversation_find(s->c, "friend");
    invitee_take_up(s->c, "friend", line);
    s->c->boards = BOARDS;
    s->d.test.mono_us += 7200 * S;
}

static void
stage_clear(struct stage *s)
{
    client_free(&s->c);
    disk_free(&s->d);
    free(s->invitee);
}

/* A letter of a mallory's comes, committed long ago. */
static void
mallory_writes(struct stage *s, unsigned i, enum letter_kind kind)
{
    struct conversation *v = s->mallory[i];
    const struct letter_place at = {client_period(s->c), s->place[i]++};
    struct letter l = {.kind = (uint8_t)kind,
                       .sequence = ++s->sequence[i],
                       .count = 1,
                       .total = kind == LETTER_TEXT ? 20 : 0,
                       .data_len = kind == LETTER_TEXT ? 20 : 0,
                       .data = data,
                       .lease_s = (uint32_t)client_time_s(s->c) + 3600};
    for (unsigned k = 0; k < LETTER_ID_LEN && k < 4; k++)
        l.message[k] = (uint8_t)(l.sequence >> 8 * k);
    invitee_write(&s->invitee[i], s->c, v, &l, at);
}

/* Whose letter leaves on the next tick of sending; NULL: nobody's. */
static struct conversation *
send_tick(struct stage *s, bool *answers)
{
    struct client *c = s->c;
    s->d.test.mono_us += TICK_US;
    c->settled = true;
    c->slot_us = env_now_mono_us(c->env);
    window_reset(&c->window);
    staging_run(c);
    requests_prepare(c);
    requests_tick(c, TRAFFIC_SEND);
    const struct asked *a =
        &c->asked[(c->traffic.request - 1) & (c->asked_len - 1)];
    assert_int_equal(a->number, c->traffic.request);
    if (a->kind != WIRE_PUT)
        return NULL;
    struct conversation *v = conversation_by_id(c, a->conversation);
    const struct out_letter *l = *outgoing_find(v, a->at);
    *answers = l->sequence == 0 || l->answers;
    if (!s->silent)
        outgoing_answer(c, v, a->at, STORE_ALONE, WIRE_KEPT);
    return v;
}

static void
friend_text(struct stage *s)
{
    uint64_t order;
    assert_int_equal(client_send(s->c, "friend", LETTER_TEXT, data, 20, &order),
                     0);
}

/* Six contacts write each second, and every one of them looks: the user's letters
 * have a half of the ticks. */
static void
i11_the_users_letters_have_half_of_the_ticks(void **state)
{
    (void)state;
    enum { TICKS = 240 };
    struct stage s;
    unsigned answers = 0, own = 0;
    stage_set(&s);
    for (unsigned i = 0; i < 100; i++)
        friend_text(&s);
    for (unsigned i = 0; i < TICKS; i++) {
        bool is_answer = false;
        for (unsigned m = 0; m < MALLORIES && i % 2 == 0; m++)
            mallory_writes(&s, m, LETTER_TEXT);
        const struct conversation *v = send_tick(&s, &is_answer);
        answers += v && is_answer;
        own += v == s.friend && !is_answer;
    }
    printf("  of %u ticks %u answer six contacts, %u are the user's\n",
           (unsigned)TICKS, answers, own);
    assert_true(answers >= 80 && answers <= TICKS / 2);
    assert_true(own >= 55); /* the rest: announcements, copies */
    stage_clear(&s);
}

/* Who may ping and does so without end keeps no other from his answer: contacts take
 * turns. */
static void
i11_who_pings_keeps_no_other_from_his_answer(void **state)
{
    (void)state;
    struct stage s;
    bool is_answer;
    unsigned ticks = 0;
    stage_set(&s);
    s.silent = true; /* they are never kept */
    s.mallory[0]->pings = true;
    for (unsigned i = 0; i < 200; i++) {
        mallory_writes(&s, 0, LETTER_PING);
        (void)send_tick(&s, &is_answer);
    }
    mallory_writes(&s, 1, LETTER_TEXT);
    for (const struct conversation *v = NULL; v != s.mallory[1]; ticks++) {
        assert_true(ticks < 400);
        v = send_tick(&s, &is_answer);
    }
    printf("  answered after %.1f s\n", ticks * TICK_US / 1e6);
    assert_true(ticks <= 44); /* Exp(2 s) until it is due, e^-10; and turns */
    stage_clear(&s);
}

/* No store answers: of what acknowledges one contact there is one letter. */
static void
i7_acknowledgements_do_not_pile_up(void **state)
{
    (void)state;
    struct stage s;
    bool is_answer;
    size_t n = 0;
    stage_set(&s);
    s.silent = true;
    for (unsigned i = 0; i < 300; i++) {
        mallory_writes(&s, 0, LETTER_TEXT);
        (void)send_tick(&s, &is_answer);
    }
    for (const struct out_letter *l = s.mallory[0]->letters; l; l = l->next)
        n++;
    printf("  %zu letters, %zu on disk\n", n, disk_count(&s.d, 'L', NULL));
    assert_int_equal(n, 1);
    s.silent = false; /* and the next one tells all */
    for (unsigned i = 0; i < 60; i++)
        (void)send_tick(&s, &is_answer);
    assert_int_equal(acks_count(s.mallory[0]->acks), 0);
    stage_clear(&s);
}

#define ANSWERS_TEST(f) cmocka_unit_test_setup_teardown(f, net_make, net_free)
const struct CMUnitTest test_i11_answers[] = {
    ANSWERS_TEST(i11_the_users_letters_have_half_of_the_ticks),
    ANSWERS_TEST(i11_who_pings_keeps_no_other_from_his_answer),
    ANSWERS_TEST(i7_acknowledgements_do_not_pile_up),
};
TEST_SUITE(test_i11_answers);
