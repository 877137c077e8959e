/* tests/unit/test_lives.c - what restarts, older copies, messages that were given up and
 * contacts who lie do to order, numbers and places. */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/arrival.h"
#include "client/conversations.h"
#include "client/outgoing.h"
#include "client/polls.h"
#include "client/staging.h"
#include "lib/rng.h"
#include "client/sealing.h"
#include "tests/invitee.h"
#include "tests/pair.h"

static uint8_t contents[100000];

static struct client_status
status_of(const struct client *c)
{
    struct client_status s;
    client_status(c, &s);
    return s;
}

static uint64_t
write_one(struct pair *p, enum letter_kind kind, size_t len)
{
    uint64_t order;
    assert_int_equal(client_send(p->c[0], "b", kind, contents, len, &order), 0);
    disk_client_run(&p->disk[0], p->c[0], 1);
    return order;
}

static const struct out_letter *
letter_of(const struct pair *p, uint64_t order, uint32_t index)
{
    const struct out_letter *l = p->v[0]->letters;
    while (l && (l->sequence == 0 || l->order != order || l->index != index))
        l = l->next;
    assert_non_null(l);
    return l;
}

static uint32_t
take(struct pair *p, const char *from, struct client_received *r)
{
    if (!client_next(p->c[1], NULL, from, r))
        return 0;
    assert_int_equal(client_release(p->c[1], NULL, r->order), 0);
    return r->number;
}

/* What a hostile contact v of b's writes: a letter at place n. */
static void
forge(struct pair *p, struct conversation *v, const struct letter *l,
      struct letter_place at)
{
    static uint8_t bytes[LETTER_LEN_MAX];
    const struct arrival came = {
        .at = at,
        .rank = STORE_FIRST,
        .whom = {.place = FRONTS_SWEEP, .contact = v->id}};
    assert_int_equal(sealing_seal(p->c[0], p->v[0], l, at, bytes), 0);
    (void)arrival_letter(p->c[1], v, &came, bytes);
}

/* ---- the number of a released message is given again after a restart ---- */

static void
i6_an_order_is_given_once(void **state)
{
    (void)state;
    struct pair p;
    struct client_received r;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    assert_int_equal(client_keep(p.c[1], 0), 0);
    (void)write_one(&p, LETTER_TEXT, 1);
    pair_settle(&p);
    assert_true(client_next(p.c[1], NULL, "a", &r));
    const uint64_t order = r.order;
    /* released, and the answer is lost, since the client is stopped */
    assert_int_equal(client_release(p.c[1], NULL, order), 0);
    pair_restart(&p, 1);
    (void)write_one(&p, LETTER_TEXT, 2);
    pair_settle(&p);
    /* the program asks again: "NOT_FOUND when .. it is released already" */
    assert_int_equal(client_release(p.c[1], NULL, order), ERR_NOT_FOUND);
    assert_true(client_next(p.c[1], NULL, "a", &r));
    pair_free(&p);
}

/* ---- cancelled after a restart, two letters go to one place ---- */

static void
i6_a_place_has_one_letter(void **state)
{
    (void)state;
    struct pair p;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    const uint64_t text = write_one(&p, LETTER_TEXT, 1);
    struct out_letter *l = (struct out_letter *)letter_of(&p, text, 0);
    const struct letter_place at = l->at;
    static uint8_t was[LETTER_LEN_MAX];
    memcpy(was, l->bytes, p.c[0]->letter_len);
    outgoing_asked(p.c[0], l,
                   p.disk[0].test.mono_us + 5000000); /* it was put */
    pair_restart(&p, 0);
    assert_int_equal(client_cancel(p.c[0], "b", text), 0);
    l = *outgoing_find(p.v[0], at);
    assert_true(!l || memcmp(l->bytes, was, p.c[0]->letter_len) == 0);
    pair_free(&p);
}

/* A letter moves before its put. Its reader looks at the place that it leaves: does
 * something come there, and after a restart, which may follow a put, what was there? */
static void
i6_a_place_that_is_left_is_filled(void **state)
{
    (void)state;
    for (unsigned loaded = 0; loaded < 2; loaded++) {
        struct pair p;
        static uint8_t was[LETTER_LEN_MAX];
        pair_make(&p, &pair_net);
        pair_settle(&p);
        const uint64_t text = write_one(&p, LETTER_TEXT, 1);
        const struct letter_place at = letter_of(&p, text, 0)->at;
        if (loaded)
            pair_restart(&p, 0);
        struct out_letter **l = outgoing_find(p.v[0], at);
        memcpy(was, (*l)->bytes, p.c[0]->letter_len);
        journal_begin(p.c[0]->journal);
        const int err = staging_move(p.c[0], p.v[0], l);
        assert_int_equal(journal_finish(p.c[0]->journal, err), 0);
        assert_true(letter_of(&p, text, 0)->at.n != at.n);
        const struct out_letter *filler = *outgoing_find(p.v[0], at);
        assert_true(filler && filler->fills);
        assert_int_equal(memcmp(filler->bytes, was, p.c[0]->letter_len) == 0,
                         loaded);
        pair_free(&p);
    }
}

/* ---- files that were given up in the middle ---- */

/* b gets the first letter of each of 32 files, which a gives up then; is another one
 * taken in, with all that a ever keeps being acknowledged? */
static void
i11_what_was_given_up_leaves_room(void **state)
{
    (void)state;
    struct pair p;
    struct client_message m;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    for (unsigned i = 0; i < 32; i++) {
        const uint64_t file = write_one(&p, LETTER_FILE, 5000);
        struct out_letter *l = (struct out_letter *)letter_of(&p, file, 0);
        pair_bring(&p, 1, l);
        l->tried = true;
        assert_int_equal(client_cancel(p.c[0], "b", file), 0);
        pair_settle(&p);
    }
    const uint64_t file = write_one(&p, LETTER_FILE, 5000);
    const uint64_t text = write_one(&p, LETTER_TEXT, 3000);
    for (unsigned i = 0; i < 40; i++) {
        pair_wait(&p);
        pair_bring_all(&p, 1);
        pair_bring_all(&p, 0);
        pair_acks_keep(&p, 0);
        pair_acks_keep(&p, 1);
    }
    unsigned parts = 0;
    for (const struct incoming *in = p.v[1]->incoming; in; in = in->next)
        parts++;
    assert_int_equal(client_message(p.c[0], "b", file, &m), 0);
    const int file_state = m.state;
    assert_int_equal(client_message(p.c[0], "b", text, &m), 0);
    printf("unfinished at b: %u; FULL %u; file %s, long text %s\n", parts,
           (unsigned)status_of(p.c[1]).dropped[-ERR_FULL],
           client_state_name(file_state), client_state_name(m.state));
    assert_int_equal(m.state, CLIENT_DELIVERED);
    pair_free(&p);
}

/* A text given up in the middle, then a file under way: do texts wait for the file? */
static void
i11_a_text_given_up_holds_up_no_text(void **state)
{
    (void)state;
    struct pair p;
    struct client_received r;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    const uint64_t half = write_one(&p, LETTER_TEXT, 3000);
    struct out_letter *l = (struct out_letter *)letter_of(&p, half, 0);
    pair_bring(&p, 1, l);
    assert_int_equal(client_cancel(p.c[0], "b", half), 0);
    pair_settle(&p); /* all that is left of it is acknowledged */
    assert_int_equal(take(&p, "a", &r), 0);
    const uint64_t file = write_one(&p, LETTER_FILE, 60000); /* under way */
    for (struct out_letter *o = p.v[0]->letters; o; o = o->next)
        o->tried = true;
    const uint64_t first = write_one(&p, LETTER_TEXT, 1);
    for (struct out_letter *o = p.v[0]->letters; o; o = o->next)
        o->tried = true;
    const uint64_t second = write_one(&p, LETTER_TEXT, 2);
    for (struct out_letter *o = p.v[0]->letters; o; o = o->next)
        o->tried = true;
    disk_client_run(&p.disk[0], p.c[0], 2);
    (void)file;
    pair_bring(&p, 1, letter_of(&p, first, 0));
    pair_bring(&p, 1, letter_of(&p, second, 0));
    assert_int_equal(take(&p, "a", &r), first);
    assert_int_equal(take(&p, "a", &r), second);
    pair_free(&p);
}

/* ---- a contact places what he writes before another's ---- */

static void
i11_nobody_jumps_the_queue_of_others(void **state)
{
    (void)state;
    struct pair p;
    struct client_received r;
    char line[INVITE_TEXT_LEN];
    pair_make(&p, &pair_net);
    pair_settle(&p);
    assert_int_equal(client_invite(p.c[1], "c", line), 0);
    struct conversation *a = p.v[1], *c = conversation_find(p.c[1], "c");
    struct invitee invitee;
    invitee_make(&invitee, line);
    struct letter l = {.kind = LETTER_TEXT,
                       .count = 1,
                       .total = 2,
                       .data_len = 2,
                       .data = (const uint8_t *)"hi"};
    struct letter_place at = {client_period(p.c[1]), 0};
    uint32_t n = 40, seq = a->ack + 1;
    /* a's, then c's */
    letter_id(l.message, 1000000, 0);
    l.sequence = seq++;
    forge(&p, a, &l, (struct letter_place){at.period, n++});
    letter_id(l.message, 1, 0);
    l.sequence = 1;
    invitee_write(&invitee, p.c[1], c, &l, at);
    /* a's go on with lower numbers; b takes one for each that comes */
    bool c_shown = false;
    for (unsigned i = 0; i < 500 && !c_shown; i++) {
        letter_id(l.message, 999999 - i, 0);
        l.sequence = seq++;
        forge(&p, a, &l, (struct letter_place){at.period, n++});
        assert_true(take(&p, NULL, &r));
        c_shown = strcmp(r.contact, "c") == 0;
    }
    assert_true(c_shown);
    pair_free(&p);
}

/* ---- an hour at most ---- */

static void
i11_an_hour_is_an_hour_over_restarts(void **state)
{
    (void)state;
    struct pair p;
    struct client_received r;
    struct sim_net month;
    test_network_month(&month);
    pair_make(&p, &month);
    pair_settle(&p);
    (void)write_one(&p, LETTER_TEXT, 1);
    const uint64_t second = write_one(&p, LETTER_TEXT, 2);
    pair_bring(&p, 1, letter_of(&p, second, 0));
    uint32_t got = 0;
    for (unsigned i = 0; i < 12 && !got; i++) { /* ten hours, 50 min each */
        p.disk[1].test.mono_us += 3000000000ULL;
        p.disk[1].test.wall_s += 3000;
        disk_client_run(&p.disk[1], p.c[1], 2);
        got = take(&p, "a", &r);
        if (!got)
            pair_restart(&p, 1);
    }
    assert_int_equal(got, second);
    pair_free(&p);
    test_network_free(&month);
}

/* ---- one contact is one ---- */

static void
i10_overtaken_counts_contacts(void **state)
{
    (void)state;
    struct pair p;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    for (unsigned i = 0; i < 50; i++) {
        struct letter l = {.ack = p.v[1]->next_sequence, .count = 1};
        forge(&p, p.v[1], &l,
              (struct letter_place){client_period(p.c[1]), 40 + i});
    }
    assert_true(status_of(p.c[1]).overtaken <= 1);
    pair_free(&p);
}

/* ---- a copy that has an open letter ---- */

static void
i6_a_copy_with_an_open_letter_shows_nothing_twice(void **state)
{
    (void)state;
    struct pair p;
    struct client_disk old;
    struct client_received r;
    uint64_t hello;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    pair_restart(&p, 0); /* the machine was started this morning */
    const uint64_t x = write_one(&p, LETTER_TEXT, 7);
    disk_init(&old, test_seed());
    disk_copy(&old, &p.disk[0]); /* the copy is made */
    unsigned times = 0;
    for (unsigned i = 0; i < 3; i++) {
        pair_settle(&p);
        (void)write_one(&p, LETTER_TEXT, 1);
    }
    pair_settle(&p);
    while (take(&p, "a", &r))
        times += r.number == x && r.len == 7;
    assert_int_equal(times, 1);
    disk_copy(&p.disk[0], &old);
    pair_restart(&p, 0);
    assert_int_equal(client_send(p.c[1], "a", LETTER_TEXT, contents, 1, &hello),
                     0);
    disk_client_run(&p.disk[1], p.c[1], 2);
    pair_settle(&p);
    while (take(&p, "a", &r)) {
        times += r.number == x && r.len == 7;
    }
    assert_int_equal(times, 1);
    pair_free(&p);
    disk_free(&old);
}

/* ---- a record at the head that cannot be read ---- */

static void
i6_what_cannot_be_read_blocks_nothing(void **state)
{
    (void)state;
    struct pair p;
    struct client_received r;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    (void)write_one(&p, LETTER_TEXT, 5);
    pair_settle(&p);
    (void)write_one(&p, LETTER_TEXT, 6);
    pair_settle(&p);
    struct received *first = p.v[1]->received;
    assert_non_null(first);
    assert_non_null(first->next);
    /* it is on disk alone, and there it is damaged */
    free(first->data);
    first->data = NULL;
    p.c[1]->inbox_held -= first->len;
    for (size_t i = 0; i < p.disk[1].n; i++)
        if (p.disk[1].record[i].key[0] == 'X') {
            p.disk[1].record[i].value[0] = 99;
            break;
        }
    unsigned damaged = 0, shown = 0;
    for (unsigned i = 0; i < 100 && !shown; i++) {
        disk_client_run(&p.disk[1], p.c[1], 1);
        if (!client_next(p.c[1], NULL, "a", &r))
            continue;
        damaged += r.damaged;
        shown += !r.damaged && r.len == 6;
        assert_int_equal(client_release(p.c[1], NULL, r.order), 0);
    }
    assert_true(damaged == 1 && shown == 1);
    pair_free(&p);
}

/* ---- how many puts a contact can have go before another's text ---- */

static void
i11_renumbering_holds_up_nobody_else(void **state)
{
    (void)state;
    struct pair p;
    uint64_t order;
    char line[INVITE_TEXT_LEN];
    pair_make(&p, &pair_net);
    pair_settle(&p);
    struct client *c = p.c[1];
    struct conversation *a = p.v[1];
    assert_int_equal(client_invite(c, "c", line), 0);
    invitee_take_up(c, "c", line);
    assert_int_equal(
        client_send(c, "a", LETTER_FILE, contents, sizeof contents, &order), 0);
    for (unsigned i = 0; i < 60;
         i++) { /* as many letters as may be open are kept */
        for (struct out_letter *l = a->letters; l; l = l->next)
            if (!l->kept) {
                outgoing_asked(c, l, p.disk[1].test.mono_us + 5000000);
                outgoing_answer(c, a, l->at, STORE_FIRST, WIRE_KEPT);
            }
        disk_client_run(&p.disk[1], c, 1);
    }
    unsigned open = 0, due = 0, rounds = 0, puts = 0;
    for (struct out_letter *l = a->letters; l; l = l->next)
        open += l->sequence > 0;
    const uint32_t n_before = a->at.n;
    struct conversation *of = NULL;
    /* one letter of a's, and then a text to c */
    struct letter lie = {.ack = a->next_sequence, .count = 1};
    forge(&p, a, &lie, (struct letter_place){client_period(c), 60});
    disk_client_run(&p.disk[1], c, 1);
    p.disk[1].test.mono_us += 1000000;
    assert_int_equal(client_send(c, "c", LETTER_TEXT, contents, 3, &order), 0);
    disk_client_run(&p.disk[1], c, 1);
    p.disk[1].test.mono_us += 1000000;
    for (struct out_letter *l = a->letters; l; l = l->next)
        due += l->sequence > 0 && l->due_us <= p.disk[1].test.mono_us;
    for (; puts < 1000; puts++) {
        bool spare = false;
        struct out_letter *l = outgoing_pick(c, true, &spare, &of);
        if (!l || strcmp(of->name, "c") == 0)
            break;
        outgoing_asked(c, l, p.disk[1].test.mono_us + 5000000);
        outgoing_answer(c, of, l->at, STORE_FIRST, WIRE_KEPT);
        p.disk[1].test.mono_us += 1000;
        rounds++;
    }
    printf("open %u, due at once %u, places used %u by one letter; puts before "
           "c's %u\n",
           open, due, a->at.n - n_before, puts);
    assert_true(puts < 16);
    pair_free(&p);
}

/* ---- how many contacts there are ---- */

/* Is a part of a contact's unfinished file taken, who has so many bytes of others here
 * already, while all contacts together have what there is room for? */
static bool
part_is_taken(unsigned others, size_t mine)
{
    struct pair p;
    char name[16], line[INVITE_TEXT_LEN];
    pair_make(&p, &pair_net);
    pair_settle(&p);
    struct client *c = p.c[1];
    struct conversation *v = p.v[1];
    const size_t len = letter_data_max(c->letter_len);
    for (unsigned i = 0; i < others; i++) {
        snprintf(name, sizeof name, "n%u", i);
        assert_int_equal(client_invite(c, name, line), 0);
    }
    struct letter l = {.kind = LETTER_FILE,
                       .count = 2,
                       .total = (uint32_t)(2 * len),
                       .data_len = (uint16_t)len,
                       .data = contents,
                       .sequence = v->ack + 1};
    letter_id(l.message, 1000, 0);
    const size_t all_before = c->gathered_len, before = v->gathered_len;
    const uint32_t ack = v->ack;
    c->gathered_len = 64U << 20;
    v->gathered_len = mine;
    forge(&p, v, &l, (struct letter_place){client_period(c), 40});
    const bool taken = v->ack > ack;
    c->gathered_len = all_before + (taken ? len : 0);
    v->gathered_len = before + (taken ? len : 0);
    pair_free(&p);
    return taken;
}

static void
i12_no_contact_counts_contacts(void **state)
{
    (void)state;
    for (size_t mine = 1024; mine < 48U << 20; mine *= 2)
        assert_int_equal(part_is_taken(2, mine), part_is_taken(7, mine));
    assert_true(part_is_taken(7, 1024));
    assert_false(part_is_taken(7, 32U << 20));
}

/* ---- an answer that nobody can date ---- */

/* Carries letters to and fro but for that of place n, which b has had, until a has no
 * text open. Returns after how many waits. */
static unsigned
rounds_until_told(struct pair *p, uint32_t n)
{
    unsigned rounds = 0;
    for (; p->v[0]->n_waiting > 0 && rounds < 12; rounds++) {
        pair_wait(p);
        for (const struct out_letter *l = p->v[0]->letters; l; l = l->next)
            if (l->at.n != n)
                pair_bring(p, 1, l);
        pair_bring_all(p, 0);
        pair_acks_keep(p, 1);
    }
    assert_int_equal(p->v[0]->n_waiting, 0);
    return rounds;
}

/* After a restart a's text is acknowledged at once, but a looks late, at a letter of
 * unknown age, which may speak of another life's text. Is b asked again within minutes,
 * though it writes nothing? */
static void
i6_an_answer_without_age_is_asked_for_again(void **state)
{
    (void)state;
    struct pair p;
    unsigned rounds;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    pair_restart(&p, 0);
    const uint64_t text = write_one(&p, LETTER_TEXT, 1);
    const struct letter_place at = letter_of(&p, text, 0)->at;
    pair_bring(&p, 1, letter_of(&p, text, 0));
    outgoing_answer(p.c[0], p.v[0], at, STORE_ALONE, WIRE_KEPT);
    pair_wait(&p);
    p.ages_unknown = true;
    pair_bring_all(&p, 0);
    pair_acks_keep(&p, 1);
    assert_int_equal(p.v[0]->n_waiting, 1);

    p.ages_unknown = false;
    rounds = rounds_until_told(&p, at.n);
    assert_true(rounds * (PAIR_WAIT_US / 1000000) >= 60); /* no burst */
    pair_free(&p);
}

/* Its number is a new one, since another life had used the first. Is what names it no
 * answer to it as long as no store has it? */
static void
i6_a_new_number_counts_when_a_store_has_it(void **state)
{
    (void)state;
    struct pair p;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    pair_restart(&p, 0);
    const uint64_t text = write_one(&p, LETTER_TEXT, 1);
    struct out_letter *l = (struct out_letter *)letter_of(&p, text, 0);
    const struct letter_place at = l->at;
    l->renumbered = true;
    pair_bring(&p, 1, l);
    pair_wait(&p);
    pair_bring_all(&p, 0);
    pair_acks_keep(&p, 1);
    assert_int_equal(p.v[0]->n_waiting, 1);
    outgoing_answer(p.c[0], p.v[0], at, STORE_ALONE, WIRE_KEPT);
    for (unsigned i = 0; i < 12 && p.v[0]->n_waiting > 0; i++) {
        pair_wait(&p);
        pair_bring_all(&p, 1);
        pair_bring_all(&p, 0);
        pair_acks_keep(&p, 1);
    }
    assert_int_equal(p.v[0]->n_waiting, 0);
    pair_free(&p);
}

#define LIVES_TEST(name) \
    cmocka_unit_test_setup_teardown(name, pair_net_make, pair_net_free)

const struct CMUnitTest test_lives[] = {
    LIVES_TEST(i6_an_order_is_given_once),
    LIVES_TEST(i6_an_answer_without_age_is_asked_for_again),
    LIVES_TEST(i6_a_new_number_counts_when_a_store_has_it),
    LIVES_TEST(i6_a_place_has_one_letter),
    LIVES_TEST(i6_a_place_that_is_left_is_filled),
    LIVES_TEST(i11_what_was_given_up_leaves_room),
    LIVES_TEST(i11_a_text_given_up_holds_up_no_text),
    LIVES_TEST(i11_nobody_jumps_the_queue_of_others),
    LIVES_TEST(i11_an_hour_is_an_hour_over_restarts),
    LIVES_TEST(i10_overtaken_counts_contacts),
    LIVES_TEST(i6_a_copy_with_an_open_letter_shows_nothing_twice),
    LIVES_TEST(i6_what_cannot_be_read_blocks_nothing),
    LIVES_TEST(i11_renumbering_holds_up_nobody_else),
    LIVES_TEST(i12_no_contact_counts_contacts),
};
TEST_SUITE(test_lives);
