/* tests/scenario/test_i6_stores.c - I6: what a store does to letters delays
 * them, and nothing is said to be delivered that was not.
 *
 * A letter that a store says to have is put again, after a minute and then
 * after twice as long each time, an hour at most, at both of its box's stores in
 * turn, and announced again; after a day it goes into another box, whose stores are others. A store
 * that fills with rubbish all boxes that it is asked for is asked less, and what
 * it calls taken is put at the other one; the invitation whose first place it
 * has burnt is taken up all the same. Nothing is called delivered that did not
 * come.
 *
 * Defences: client/taken.c; announce_kept() in client/announce.c; outgoing_pick() in
 * client/outgoing.c; staging_letter_is_old() in client/staging.c; polls_bad(),
 * polls_answer() in client/polls.c. */
#include "tests/runner.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "client/state.h"
#include "tests/rogue_relay.h"

enum { STORES = 4, PATIENCE_S = 3600, PAIR_S = 120 };

/* Two clients, one invited by the other, and the stores where a looks for b's
 * letters, first and second. */
struct pair {
    struct world *w;
    struct world_client *a, *b;
    uint8_t box[LETTER_BOX_LEN];
    struct rogue *store[2];
};

/* Relays' own loops are not what is looked at. */
static void
params_idle(struct params *p)
{
    p->relay_loop_mhz = 1;
}

/* The second store of a box. */
static uint16_t
store_second(const struct world *w, const uint8_t *box)
{
    uint16_t first, second;
    const struct consensus *c = w->net.consensus;
    assert_int_equal(
        consensus_store_of(c, consensus_period(c), box, &first, &second), 0);
    assert_true(second != UINT16_MAX);
    return second;
}

/* a has written an invitation for b to text, and the stores where he looks for
 * the first letter are the adversary's, honest so far. */
static struct pair
pair_invite(uint64_t seed, unsigned stores, bool lists,
            char text[static INVITE_TEXT_LEN])
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 2,
                                        .layers = 3,
                                        .mixes = 1,
                                        .stores = stores,
                                        .params = lists ? NULL : params_idle,
                                        .seed = test_seed() + seed};
    struct pair p = {.w = world_new(&config)};
    p.a = world_client_add(p.w, "default", 0);
    p.b = world_client_add(p.w, "default", 1);
    world_run_s(p.w, 30);
    assert_int_equal(client_invite(p.a->client, "b", text), 0);
    p.store[0] = rogue_new(p.w, world_first_box(p.w, text, p.box));
    p.store[1] = rogue_new(p.w, store_second(p.w, p.box));
    for (unsigned i = 0; i < 2; i++)
        memcpy(p.store[i]->box, p.box, sizeof p.box);
    return p;
}

/* burnt: so many of the two burn the box before the invitation is taken up; then b
 * writes a text at once. */
static struct pair
pair_make(uint64_t seed, unsigned stores, unsigned burnt)
{
    char text[INVITE_TEXT_LEN];
    struct pair p = pair_invite(seed, stores, false, text);
    for (unsigned i = 0; i < burnt; i++)
        p.store[i]->vices = VICE_BURNS_BOXES;
    world_run_s(p.w, burnt ? 120 : 0);
    p.store[0]->vices = p.store[1]->vices = 0;
    assert_int_equal(client_add(p.b->client, "a", text), 0);
    if (burnt)
        (void)world_say(p.b, "a", "hello");
    world_run_s(p.w, burnt ? 0 : PAIR_S);
    return p;
}

static void
pair_free(struct pair *p)
{
    for (size_t i = 0; i < 2; i++)
        rogue_free(&p->store[i]);
    world_free(&p->w);
}

/* Wait until b's message has come to a. Returns the seconds, or PATIENCE_S. */
static unsigned
wait_s(struct pair *p)
{
    for (unsigned t = 0; t < PATIENCE_S; t += 5) {
        world_run_s(p->w, 5);
        if (world_take(p->a, "b") > 0)
            return t + 5;
    }
    return PATIENCE_S;
}

static void
i6_what_a_store_did_not_keep_is_put_again(void **state)
{
    (void)state;
    const unsigned bad_s = test_proof() ? 1800 : 300;
    struct pair p = pair_make(1, STORES, 0);
    p.store[0]->vices = p.store[1]->vices = VICE_KEEPS_NOTHING;
    const uint64_t order = world_say(p.b, "a", "hello");
    world_run_s(p.w, bad_s);
    const enum client_state said = world_state(p.b, "a", order);
    const unsigned came = world_take(p.a, "b");
    p.store[0]->vices = p.store[1]->vices = 0;
    const unsigned late_s = wait_s(&p);
    /* who wrote that long ago may not look any more, and is told within an hour
     * or with what he writes next */
    (void)world_say(p.b, "a", "hello again");
    world_run_s(p.w, WORLD_ACKED_S);
    const enum client_state at_last = world_state(p.b, "a", order);
    printf("  kept by nobody for %u s: %s; then there after %u s: %s\n", bad_s,
           client_state_name(said), late_s, client_state_name(at_last));
    assert_true(p.store[0]->done[__builtin_ctz(VICE_KEEPS_NOTHING)] > 0);
    pair_free(&p);
    assert_int_equal(came, 0);
    assert_int_equal(said, CLIENT_SENT);
    assert_true(late_s <= bad_s + 60 + 30);
    assert_int_equal(at_last, CLIENT_DELIVERED);
}

/* One of the two keeps nothing, for ever: a repeat goes to the other. */
static void
i6_what_one_store_did_not_keep_the_other_has(void **state)
{
    (void)state;
    struct pair p = pair_make(20, STORES, 0);
    p.store[0]->vices = VICE_KEEPS_NOTHING;
    const uint64_t order = world_say(p.b, "a", "hello");
    const unsigned late_s = wait_s(&p);
    world_run_s(p.w, 300); /* the acknowledgement, by such a way too */
    const enum client_state at_last = world_state(p.b, "a", order);
    printf("  kept by one of two: there after %u s, %s\n", late_s,
           client_state_name(at_last));
    assert_true(p.store[0]->done[__builtin_ctz(VICE_KEEPS_NOTHING)] > 0);
    pair_free(&p);
    assert_true(late_s <= 240);
    assert_int_equal(at_last, CLIENT_DELIVERED);
}

/* The same, when nobody looks any more: the letter is announced, and what its token
 * sends finds nothing. The repeat at the other store is announced again, and is not
 * left to the sweep, which comes once in an hour. */
static void
i6_what_is_put_again_is_announced_again(void **state)
{
    (void)state;
    enum { LEASES_S = 1300 }; /* none runs for so long */
    struct pair p = pair_make(30, STORES, 0);
    struct client_status before, after;
    world_run_s(p.w, LEASES_S);
    p.store[0]->vices = VICE_KEEPS_NOTHING;
    client_status(p.b->client, &before);
    (void)world_say(p.b, "a", "hello");
    const unsigned late_s = wait_s(&p);
    client_status(p.b->client, &after);
    printf("  kept by one of two, and nobody looks: there after %u s\n",
           late_s);
    assert_true(p.store[0]->done[__builtin_ctz(VICE_KEEPS_NOTHING)] > 0);
    pair_free(&p);
    assert_true(after.announced - before.announced >= 2);
    assert_true(late_s <= 480);
}

/* Both of a box's stores keep nothing, for ever. Two days later the letter is in
 * a box of another day, whose two stores are these two by chance once in 276. */
static void
i6_what_neither_store_keeps_goes_to_another_box(void **state)
{
    (void)state;
    enum { HOURS = 49 };
    struct pair p = pair_make(42, 8, 0);
    p.store[0]->vices = p.store[1]->vices = VICE_KEEPS_NOTHING;
    const uint64_t order = world_say(p.b, "a", "hello");
    world_run_s(p.w, 300);
    const enum client_state before = world_state(p.b, "a", order);
    world_client_stop(p.a);
    world_client_stop(p.b);
    for (unsigned i = 0; i < HOURS; i++) {
        world_run_s(p.w, 3600);
        world_epoch(p.w);
    }
    world_client_start(p.a);
    world_client_start(p.b);
    const unsigned late_s = wait_s(&p);
    printf("  kept by neither, and two days off: %s; then there after %u s\n",
           client_state_name(before), late_s);
    pair_free(&p);
    assert_int_equal(before, CLIENT_SENT);
    assert_true(late_s <= 600);
}

/* The first store says that all slots of the box hold letters, and gives none:
 * two polls of the box believe it. Of those that follow one in sixteen asks there,
 * as one in sixteen asked the second store before. */
static void
i6_false_slots_pin_no_reader(void **state)
{
    (void)state;
    enum { SECONDS = 300, LIES = __builtin_ctz(VICE_FALSE_SLOTS) };
    struct pair p = pair_make(100, STORES, 0);
    struct client_status before, after;
    p.store[0]->vices = VICE_FALSE_SLOTS;
    p.store[0]->box_only = true;
    (void)world_say(p.b, "a", "hello");
    client_status(p.a->client, &before);
    const unsigned late_s = wait_s(&p);
    world_run_s(p.w, SECONDS);
    client_status(p.a->client, &after);
    const uint64_t lies = p.store[0]->done[LIES];
    /* 25 in 64 polls are for this box while it has a front, and 14, that are for all
     * where there are no boards; one of sixteen there; 5 deviations */
    const double gets = (double)(after.gets - before.gets) * 39 / 64;
    const double most = gets / 16 + 5 * sqrt(gets / 16) + 4;
    printf(
        "  false slots: %llu of %.0f polls heard them; a text is there after "
        "%u s\n",
        (unsigned long long)lies, gets, late_s);
    assert_int_equal(memcmp(p.store[0]->box, p.box, sizeof p.box), 0);
    pair_free(&p);
    assert_true(lies >= 2 && (double)lies < most);
    assert_true(late_s <= 240);
}

/* So many stores of an invitation's box put rubbish where its first letter goes, before
 * the one it is for has come and written a text at once. What he wrote himself, into the
 * next place of that box, is not taken for another's, and is not left behind there: the
 * inviter would find it, and wait for the first letter. Returns when the text came. */
static unsigned
invitation_run(uint64_t seed, unsigned burnt)
{
    struct client_contact contact;
    struct pair p = pair_make(seed, STORES, burnt);
    const unsigned late_s = wait_s(&p);
    assert_true(client_contact(p.b->client, 0, &contact));
    assert_true(p.store[0]->done[__builtin_ctz(VICE_BURNS_BOXES)] > 0);
    pair_free(&p);
    assert_false(contact.refused);
    return late_s;
}

/* That in so many courses; one in three of the first draft took ten minutes and more.
 * The longest of 48 is 160 s. */
static void
invitations_run(uint64_t seed, unsigned burnt)
{
    const unsigned courses = test_proof() ? 24 : 4;
    unsigned longest_s = 0;
    for (unsigned i = 0; i < courses; i++) {
        const unsigned late_s = invitation_run(seed + i, burnt);
        longest_s = late_s > longest_s ? late_s : longest_s;
    }
    printf(
        "  %u invitations that nobody has used, burnt by %u of two: a text is "
        "there after %u s or less\n",
        courses, burnt, longest_s);
    assert_true(longest_s <= 240);
}

static void
i10_an_invitation_is_not_burnt(void **state)
{
    (void)state;
    invitations_run(60, 1);
}

static void
i10_an_invitation_is_not_burnt_by_both(void **state)
{
    (void)state;
    invitations_run(80, 2);
}

/* So many of the two stores of an invitation's box call its first place taken,
 * and are silent to all who look. He who took it up looks there no longer than
 * the answers would take, and hears the inviter. */
static void
silent_run(uint64_t seed, unsigned liars)
{
    char text[INVITE_TEXT_LEN];
    struct client_contact contact;
    struct pair p = pair_invite(seed, 2 * STORES, true, text);
    for (unsigned i = 0; i < liars; i++) {
        p.store[i]->vices = VICE_FALSE_STATUS | VICE_WITHHOLDS;
        p.store[i]->false_status = WIRE_TAKEN;
        p.store[i]->withheld = ROGUE_GETS;
        p.store[i]->box_only = true;
    }
    assert_int_equal(client_add(p.b->client, "a", text), 0);
    (void)world_say(p.b, "a", "hello");
    world_run_s(p.w, 60);
    (void)world_say(p.a, "b", "hello yourself");
    unsigned late_s = 0;
    while (late_s < PATIENCE_S && world_take(p.b, "a") == 0) {
        world_run_s(p.w, 5);
        late_s += 5;
    }
    assert_true(client_contact(p.b->client, 0, &contact));
    printf("  %u of two say taken and show nothing: the inviter is heard after "
           "%u s\n",
           liars, late_s);
    const uint64_t lies = p.store[0]->done[__builtin_ctz(VICE_FALSE_STATUS)];
    pair_free(&p);
    assert_true(lies > 0);
    assert_false(contact.refused);
    assert_true(late_s <= 240);
}

static void
i10_a_silent_store_stops_no_invitation(void **state)
{
    (void)state;
    silent_run(110, 1);
}

static void
i10_silent_stores_stop_no_invitation(void **state)
{
    (void)state;
    silent_run(120, 2);
}

/* The first store has no room, it says, for ever. Most of the time the letter is
 * put at the second one next. */
static void
i6_one_full_store_costs_a_repeat(void **state)
{
    (void)state;
    enum { TEXTS = 8 };
    struct pair p = pair_make(130, STORES, 0);
    unsigned most_s = 0;
    p.store[0]->vices = VICE_FALSE_STATUS;
    p.store[0]->false_status = WIRE_FULL;
    p.store[0]->box_only = true;
    for (unsigned i = 0; i < TEXTS; i++) {
        (void)world_say(p.b, "a", "hello");
        const unsigned late_s = wait_s(&p);
        most_s = late_s > most_s ? late_s : most_s;
    }
    printf("  of %u texts for a store that is full the last is there after %u "
           "s\n",
           TEXTS, most_s);
    assert_true(p.store[0]->done[__builtin_ctz(VICE_FALSE_STATUS)] > 0);
    pair_free(&p);
    assert_true(most_s <= 120);
}

/* The reader passes over boxes of rubbish, and the writer over places that are
 * taken; they may miss each other, for that day. What is said stays true. */
static void
i6_burnt_boxes_are_not_called_delivered(void **state)
{
    (void)state;
    enum { TEXTS = 5 };
    struct pair p = pair_make(5, STORES, 0);
    uint64_t order[TEXTS];
    unsigned delivered = 0, given_up = 0;
    p.store[0]->burn_slots = LETTER_SLOTS;
    p.store[0]->vices = VICE_BURNS_BOXES;
    world_run_s(p.w, 60);
    for (unsigned i = 0; i < TEXTS; i++) {
        order[i] = world_say(p.b, "a", "hello");
        world_run_s(p.w, test_proof() ? 600 : 60);
    }
    for (unsigned i = 0; i < TEXTS; i++) {
        const enum client_state said = world_state(p.b, "a", order[i]);
        delivered += said == CLIENT_DELIVERED;
        given_up += said == CLIENT_EXPIRED;
    }
    const unsigned came = world_take(p.a, "b");
    const uint64_t burnt = p.store[0]->done[__builtin_ctz(VICE_BURNS_BOXES)];
    printf("  %llu slots burnt: of %u texts %u came, %u are called delivered, "
           "%u are given up\n",
           (unsigned long long)burnt, TEXTS, came, delivered, given_up);
    pair_free(&p);
    assert_true(burnt > LETTER_SLOTS);
    assert_true(delivered <= came && came <= TEXTS);
    assert_int_equal(given_up, 0);
}

/* How many of 40 texts does a have, held for others or not,
 * some minutes after the last
 * of them? Both stores of b's first box have this vice. promised: to look, by a text of
 * a's before. *kept: what stores have. */
static unsigned
texts_here(unsigned vice, bool promised, unsigned *kept)
{
    enum { TEXTS = 40, WAIT_S = 420, UNPROMISED_S = 1800 };
    struct pair p = pair_make(60, STORES + 1, 0);
    for (unsigned i = 0; i < 2; i++) {
        p.store[i]->box_only = true;
        p.store[i]->false_status = WIRE_FULL;
        p.store[i]->vices = vice;
    }
    if (promised)
        (void)world_say(p.a, "b", "write to me");
    world_run_s(p.w, 20);
    for (unsigned i = 0; i < TEXTS; i++) {
        (void)world_say(p.b, "a", "hello");
        world_run_s(p.w, 2);
    }
    world_run_s(p.w, promised ? WAIT_S : UNPROMISED_S);
    const unsigned n = p.a->client->conversations->n_received;
    *kept = 0;
    for (const struct message *m = p.b->client->conversations->messages; m;
         m = m->next)
        *kept += m->kind == LETTER_TEXT && m->state != CLIENT_QUEUED;
    printf("  %s%s: of %u texts %u are kept by stores, %u are here\n",
           vice ? "no room" : "honest", promised ? ", promised" : "",
           (unsigned)TEXTS, *kept, n);
    pair_free(&p);
    return n;
}

/* Both stores of a box have no room for it: what later boxes have is read, by a front
 * within a lease, by the lane otherwise. */
static void
i6_two_full_stores_of_one_box_keep_nobody_from_the_next(void **state)
{
    (void)state;
    unsigned kept, n = texts_here(0, false, &kept);
    assert_true(n + 2 >= kept && kept > 30);
    for (unsigned promised = 0; promised < 2; promised++) {
        n = texts_here(VICE_FALSE_STATUS, promised, &kept);
        assert_true(n + 2 >= kept && kept > 10);
    }
}

const struct CMUnitTest test_i6_stores[] = {
    cmocka_unit_test(i6_what_a_store_did_not_keep_is_put_again),
    cmocka_unit_test(i6_what_one_store_did_not_keep_the_other_has),
    cmocka_unit_test(i6_what_is_put_again_is_announced_again),
    cmocka_unit_test(i6_what_neither_store_keeps_goes_to_another_box),
    cmocka_unit_test(i6_false_slots_pin_no_reader),
    cmocka_unit_test(i10_an_invitation_is_not_burnt),
    cmocka_unit_test(i10_an_invitation_is_not_burnt_by_both),
    cmocka_unit_test(i10_a_silent_store_stops_no_invitation),
    cmocka_unit_test(i10_silent_stores_stop_no_invitation),
    cmocka_unit_test(i6_one_full_store_costs_a_repeat),
    cmocka_unit_test(i6_burnt_boxes_are_not_called_delivered),
    cmocka_unit_test(i6_two_full_stores_of_one_box_keep_nobody_from_the_next),
};
TEST_SUITE(test_i6_stores);
