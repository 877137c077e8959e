/* tests/unit/test_client_places.c - for whom a client's polls are, and when what they
 * bring is shown: one client with its disk, polls without a network. */
#include "tests/runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/arrival.h"
#include "client/conversations.h"
#include "client/places.h"
#include "client/polls.h"
#include "lib/rng.h"
#include "tests/heap.h"
#include "tests/pair.h"
#include "tests/stats.h"

enum { SECOND_US = 1000000, BOARDS = 4 };
enum { GAPS = 8000, PEOPLE_MAX = 500 };
#define POLL_US (SECOND_US / 4)

static int
net_make(void **state)
{
    (void)state;
    test_network_month(&pair_net);
    return 0;
}

/* ---- polls ---- */

struct stage {
    struct client_disk d;
    struct client *c;
};

static void
stage_set(struct stage *s, unsigned boards, unsigned people)
{
    char name[16], text[INVITE_TEXT_LEN];
    disk_init(&s->d, test_seed());
    s->c = disk_client(&s->d, &pair_net);
    for (unsigned i = 0; i < people; i++) {
        snprintf(name, sizeof name, "n%u", i);
        assert_int_equal(client_invite(s->c, name, text), 0);
    }
    s->c->boards = boards;
    s->c->settled = true;
    s->d.test.mono_us += 3600ULL * SECOND_US; /* no front is held any more */
}

static void
stage_clear(struct stage *s)
{
    client_free(&s->c);
    disk_free(&s->d);
}

/* The next tick of a Poisson clock polls; it is answered at once. */
static void
poll(struct stage *s, struct choice *out)
{
    const uint64_t wait_us = rng_exp_us(&s->d.test.env, POLL_US);
    s->d.test.mono_us += wait_us;
    *out = (struct choice){.at = {.period = client_period(s->c)}};
    places_pick(s->c, out);
    if (out->conversation)
        polls_unasked(out->conversation, out->at, out->request.slot, out->spare,
                      out->whom.place == FRONTS_FRONT);
}

/* Has this poll asked for the first store's box of today of this conversation? */
static bool
is_asked(const struct stage *s, const struct choice *k, uint32_t id)
{
    return k->conversation && k->conversation->id == id && !k->spare &&
           k->at.period == client_period(s->c);
}

static struct conversation *
person(const struct stage *s, unsigned i)
{
    char name[16];
    snprintf(name, sizeof name, "n%u", i);
    return conversation_find(s->c, name);
}

static int
compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov-Smirnov of gaps against an exponential law, in units of 1 / sqrt(n). */
static double
exponential_ks(double *gap, size_t n, double mean)
{
    double d = 0;
    qsort(gap, n, sizeof *gap, compare);
    for (size_t i = 0; i < n; i++) {
        const double f = 1 - exp(-gap[i] / mean);
        d = fmax(d, fmax(f - (double)i / (double)n,
                         (double)(i + 1) / (double)n - f));
    }
    return d * sqrt((double)n);
}

/* What others do while a front is held: write without end, be announced without
 * end, have the user write to them. */
static void
others_act(struct stage *s, unsigned n)
{
    struct conversation *v = person(s, 1 + n % 9);
    const struct fronts_choice lane = {.place = FRONTS_LANE, .contact = v->id};
    places_announced(s->c, v->id, client_period(s->c));
    places_answered(s->c, &lane, n % 2 == 0, n % 3 == 0);
    places_shown(s->c, v, n % 5 == 0, 0);
    if (n % 7 == 0)
        places_took(s->c, v);
}

/* The gaps between gets of one box, of a front that is held or of one that is not. */
static void
gaps_take(double gap[static GAPS], bool held, bool noise)
{
    struct stage s;
    struct choice k;
    stage_set(&s, BOARDS, 10);
    uint32_t id = SELF_FIRST;
    for (unsigned i = 0; i < 400; i++) /* looks are over */
        poll(&s, &k);
    if (held) {
        places_took(s.c, person(&s, 0));
        id = person(&s, 0)->id;
    } else if (noise) {
        /* one front is another's, and this one free */
        places_took(s.c, person(&s, 1));
        id += fronts_of(s.c->fronts, s.d.test.mono_us, person(&s, 1)->id) == 0;
    }
    uint64_t last_us = s.d.test.mono_us;
    for (size_t n = 0, i = 0; n < GAPS; i++) {
        if (held)
            places_took(s.c, person(&s, 0));
        if (noise && held)
            others_act(&s, (unsigned)i);
        else if (noise)
            places_took(s.c, person(&s, 1));
        poll(&s, &k);
        if (!is_asked(&s, &k, id) || k.whom.place != FRONTS_FRONT)
            continue;
        gap[n++] = (double)(s.d.test.mono_us - last_us) / SECOND_US;
        last_us = s.d.test.mono_us;
    }
    stage_clear(&s);
}

/* A box of a front is asked for as a Poisson process of 4/s * 25/64 * 15/16 * 15/16,
 * whether a contact has the front or nobody, whatever others do (Kolmogorov-Smirnov:
 * four verdicts, each wrong once in a million). */
static void
i12_boxes_of_fronts_are_a_poisson_process(void **state)
{
    (void)state;
    static double gap[GAPS];
    const double mean = 64. / (4 * 25) * 16 / 15 * 16 / 15;
    for (unsigned k = 0; k < 4; k++) {
        gaps_take(gap, k & 1, k & 2);
        const double d = exponential_ks(gap, GAPS, mean);
        printf("  %s front, others %s: KS %.2f\n",
               k & 1 ? "a held" : "an empty", k & 2 ? "act" : "are silent", d);
        assert_true(d < STATS_KS_ALARM);
    }
}

/* Without boards everybody is asked for alike, whoever wrote, of 64 polls 14 for all
 * (chi^2 of 19 degrees of freedom, above 65 once in a million). */
static void
i12_without_boards_all_are_asked_for_alike(void **state)
{
    (void)state;
    enum { PEOPLE = 20, POLLS = 60000 };
    unsigned count[PEOPLE] = {0}, all = 0;
    struct stage s;
    struct choice k;
    double chi2 = 0;
    struct conversation *v[PEOPLE];
    stage_set(&s, 0, PEOPLE);
    for (unsigned n = 0; n < PEOPLE; n++)
        v[n] = person(&s, n);
    for (unsigned i = 0; i < 400; i++)
        poll(&s, &k);
    for (unsigned i = 0; i < POLLS; i++) {
        if (i % 50 == 0) /* some are heard, and hold no front by that */
            v[i / 50 % 3]->letter_us = s.d.test.mono_us;
        poll(&s, &k);
        for (unsigned n = 0; n < PEOPLE; n++)
            count[n] += k.conversation == v[n];
    }
    for (unsigned n = 0; n < PEOPLE; n++)
        all += count[n];
    for (unsigned n = 0; n < PEOPLE; n++)
        chi2 += pow(count[n] - (double)all / PEOPLE, 2) / all * PEOPLE;
    printf("  of %u polls %u for %u people: chi^2 %.1f\n", (unsigned)POLLS, all,
           (unsigned)PEOPLE, chi2);
    assert_true(fabs(all - POLLS * 14. / 64) <
                STATS_ALARM * sqrt(POLLS * 14. / 64));
    assert_true(chi2 < 65);
    stage_clear(&s);
}

/* With boards a contact that nobody announces is asked for once in an hour, with a
 * look at yesterday one time in four, whoever else is there. */
static void
i12_the_sweep_counts_no_contacts(void **state)
{
    (void)state;
    const unsigned hours = test_proof() ? 200 : 20;
    for (unsigned people = 2; people <= 20; people *= 10) {
        struct stage s;
        struct choice k;
        unsigned n = 0;
        stage_set(&s, BOARDS, people);
        for (unsigned i = 0; i < 400; i++)
            poll(&s, &k);
        const struct conversation *v = person(&s, 0);
        const uint64_t end_us = s.d.test.mono_us + hours * 3600ULL * SECOND_US;
        while (s.d.test.mono_us < end_us) {
            poll(&s, &k);
            n += k.conversation == v;
        }
        printf("  one of %u contacts: %u gets in %u hours\n", people, n, hours);
        const double mean = hours * 1.25;
        assert_true(fabs(n - mean) < STATS_ALARM * sqrt(1.4 * mean));
        stage_clear(&s);
    }
}

/* After connecting each contact is asked for in each period that may hold letters,
 * and soon: 10 contacts in two periods within a minute. */
static void
everybody_is_looked_at_after_connecting(void **state)
{
    (void)state;
    enum { PEOPLE = 10 };
    struct stage s;
    struct choice k;
    unsigned seen = 0;
    stage_set(&s, BOARDS, PEOPLE);
    const uint64_t end_us = s.d.test.mono_us + 60ULL * SECOND_US;
    while (s.d.test.mono_us < end_us) {
        poll(&s, &k);
        for (unsigned n = 0; n < PEOPLE; n++)
            if (k.conversation == person(&s, n) && k.whom.place == FRONTS_LOOK)
                seen |= 1u << (2 * n + (k.at.period < client_period(s.c)));
    }
    assert_int_equal(seen, (1u << 2 * PEOPLE) - 1);
    stage_clear(&s);
}

/* The self-conversations are made once and stay, with their boxes; no contact is
 * one, and none is counted. */
static void
selves_stay_over_restarts(void **state)
{
    (void)state;
    struct stage s;
    struct choice k;
    struct client_contact contact;
    struct chain chain[2];
    stage_set(&s, BOARDS, 1);
    assert_null(conversation_by_id(s.c, SELF_FIRST));
    poll(&s, &k);
    for (unsigned i = 0; i < 2; i++) {
        struct conversation *v = conversation_by_id(s.c, SELF_FIRST + i);
        assert_non_null(v);
        chain[i] = v->chains[CHAIN_OUT];
        assert_memory_equal(&v->chains[CHAIN_IN], &chain[i], sizeof chain[i]);
    }
    assert_memory_not_equal(chain[0].key, chain[1].key, LETTER_CHAIN_LEN);
    client_free(&s.c);
    s.c = disk_client(&s.d, &pair_net);
    s.c->settled = true;
    poll(&s, &k);
    for (unsigned i = 0; i < 2; i++)
        assert_memory_equal(conversation_by_id(s.c, SELF_FIRST + i)->chains,
                            &chain[i], sizeof chain[i]);
    assert_int_equal(s.c->n_conversations, 1);
    assert_true(client_contact(s.c, 0, &contact));
    assert_false(client_contact(s.c, 1, &contact));
    assert_null(conversation_find(s.c, ""));
    assert_int_equal(client_open(s.c, ""), ERR_NOT_FOUND);
    assert_true(s.c->conversations == person(&s, 0));
    stage_clear(&s);
}

/* Memory fails as the first conversation of a client with itself is made: its front
 * asks for a random box, until the next connection. */
static void
no_memory_for_a_self_is_a_random_box(void **state)
{
    (void)state;
    for (struct heap h = {0}; heap_next(&h);) {
        struct stage s;
        struct choice k = {0};
        stage_set(&s, BOARDS, 2);
        heap_arm(&h);
        places_pick(s.c, &k);
        heap_disarm(&h);
        const bool all = conversation_by_id(s.c, SELF_FIRST) &&
                         conversation_by_id(s.c, SELF_FIRST + 1);
        assert_int_equal(all, !h.failed);
        assert_int_equal(s.c->status.dropped[-ERR_NOMEM], h.failed);
        for (unsigned i = 0; i < 100; i++)
            poll(&s, &k);
        places_start(s.c);
        poll(&s, &k);
        assert_non_null(conversation_by_id(s.c, SELF_FIRST));
        assert_non_null(conversation_by_id(s.c, SELF_FIRST + 1));
        stage_clear(&s);
    }
}

/* ---- fronts ---- */

static int
front_of(const struct stage *s, unsigned i)
{
    return fronts_of(s->c->fronts, s->d.test.mono_us, person(s, i)->id);
}

/* Writing and opening take a front, and nothing that comes; a third conversation
 * evicts none. */
static void
i12_only_what_the_user_does_takes_fronts(void **state)
{
    (void)state;
    struct stage s;
    uint64_t order;
    stage_set(&s, BOARDS, 3);
    places_announced(s.c, person(&s, 0)->id, client_period(s.c));
    places_shown(s.c, person(&s, 0), true, client_time_s(s.c) + 600);
    assert_int_equal(front_of(&s, 0), -1);
    assert_int_equal(client_open(s.c, "n0"), 0);
    assert_true(front_of(&s, 0) >= 0);
    assert_int_equal(
        client_send(s.c, "n1", LETTER_TEXT, (const uint8_t *)"x", 1, &order),
        0);
    assert_true(front_of(&s, 1) >= 0);
    assert_int_equal(client_open(s.c, "n2"), 0);
    assert_int_equal(front_of(&s, 2), -1);
    assert_true(front_of(&s, 0) >= 0 && front_of(&s, 1) >= 0);
    s.d.test.mono_us += 1201ULL * SECOND_US;
    assert_int_equal(front_of(&s, 0), -1);
    assert_int_equal(client_open(s.c, "nobody"), ERR_NOT_FOUND);
    stage_clear(&s);
}

/* A front that is promised is held as long as that, over a restart too; one that is
 * not is gone. */
static void
a_restart_keeps_what_was_promised(void **state)
{
    (void)state;
    for (unsigned promised = 0; promised < 2; promised++) {
        struct stage s;
        stage_set(&s, BOARDS, 2);
        assert_int_equal(client_open(s.c, "n1"), 0);
        const uint64_t now_s = client_time_s(s.c);
        uint64_t lease_s = 0;
        if (promised) {
            lease_s = places_lease_s(s.c, person(&s, 1), false);
            assert_true(lease_s >= now_s + 270 && lease_s <= now_s + 1200);
            assert_int_equal(places_lease_s(s.c, person(&s, 0), false), 0);
            journal_begin(s.c->journal);
            assert_int_equal(conversation_save(s.c, person(&s, 1)), 0);
            (void)journal_end(s.c->journal);
        }
        client_free(&s.c);
        s.d.test.mono_us = 7ULL * SECOND_US; /* another clock begins */
        s.d.test.wall_s += 100;
        s.c = disk_client(&s.d, &pair_net);
        s.c->boards = BOARDS;
        assert_int_equal(front_of(&s, 1) >= 0, promised);
        assert_int_equal(front_of(&s, 0), -1);
        if (promised) {
            s.d.test.mono_us += (lease_s - now_s - 100) * SECOND_US;
            assert_true(front_of(&s, 1) >= 0);
            s.d.test.mono_us += (FRONTS_MARGIN_S + 1ULL) * SECOND_US;
            assert_int_equal(front_of(&s, 1), -1);
        }
        stage_clear(&s);
    }
}

/* ---- letters that are shown later ---- */

struct late {
    struct pair p;
    const struct out_letter *l; /* a text of a's, for b */
    struct arrival came;
};

/* b holds a front for a, by having opened it, and a writes a text. */
static void
late_set(struct late *k)
{
    uint64_t order;
    pair_make(&k->p, &pair_net);
    pair_settle(&k->p);
    k->p.disk[1].test.mono_us += 3600ULL * SECOND_US;
    k->p.c[1]->boards = BOARDS;
    k->p.c[1]->settled = true;
    for (unsigned i = 0; i < 400;
         i++) { /* no look or turn of the sweep is due */
        struct choice ask = {.spare = false};
        places_pick(k->p.c[1], &ask);
        if (ask.conversation)
            polls_unasked(ask.conversation, ask.at, ask.request.slot, ask.spare,
                          ask.whom.place == FRONTS_FRONT);
    }
    assert_int_equal(client_open(k->p.c[1], "a"), 0);
    assert_int_equal(client_send(k->p.c[0], "b", LETTER_TEXT,
                                 (const uint8_t *)"hello", 5, &order),
                     0);
    disk_client_run(&k->p.disk[0], k->p.c[0], 3);
    k->l = k->p.v[0]->letters;
    while (k->l && k->l->sequence == 0)
        k->l = k->l->next;
    assert_non_null(k->l);
    k->came = (struct arrival){
        .at = k->l->at,
        .rank = STORE_FIRST,
        .whom = {.place = FRONTS_FRONT, .contact = k->p.v[1]->id},
        .commit_us = k->p.disk[1].test.mono_us,
        .sure_us = k->p.disk[1].test.mono_us};
}

static void
late_bring(struct late *k)
{
    uint8_t bytes[LETTER_LEN_MAX];
    memcpy(bytes, k->l->bytes, k->p.c[1]->letter_len);
    (void)arrival_letter(k->p.c[1], k->p.v[1], &k->came, bytes);
}

static bool
late_is_shown(struct late *k)
{
    struct client_received r;
    return client_next(k->p.c[1], NULL, "a", &r) ||
           client_next(k->p.c[1], NULL, "a", &r);
}

/* What b asks for by its front: is the letter named as held, and is the token that
 * lets the store go of it kept back? */
static void
late_asks(struct late *k, bool *held, bool *hides)
{
    struct choice ask = {
        .whom = {.place = FRONTS_FRONT, .contact = k->p.v[1]->id}};
    polls_ask(k->p.c[1], k->p.v[1], 0, 0, &ask);
    polls_unasked(k->p.v[1], ask.at, ask.request.slot, false,
                  ask.whom.place == FRONTS_FRONT);
    *held = ask.request.held >> k->l->at.n % LETTER_SLOTS & 1;
    *hides = ask.hides;
}

/* By a front, outside of a lease: nothing of it is taken, announced or not. Fronts
 * name it as held, and keep the token back by which the store would let go of it. */
static void
i12_what_a_front_may_not_show_is_left(void **state)
{
    (void)state;
    struct late k;
    bool held, hides;
    late_set(&k);
    const size_t owed = acks_count(k.p.v[1]->acks);
    late_bring(&k);
    places_announced(k.p.c[1], k.p.v[1]->id, client_period(k.p.c[1]));
    late_bring(&k);
    assert_false(late_is_shown(&k));
    assert_int_equal(acks_count(k.p.v[1]->acks), owed);
    late_asks(&k, &held, &hides);
    assert_true(held && hides);
    k.came.whom.place = FRONTS_SWEEP;
    late_bring(&k);
    assert_true(late_is_shown(&k));
    assert_true(acks_count(k.p.v[1]->acks) > owed);
    late_asks(&k, &held, &hides);
    assert_true(held && !hides);
    pair_free(&k.p);
}

/* The sweep, the lane or a look brings it: then it is shown. */
static void
what_else_brings_it_shows_it(void **state)
{
    (void)state;
    static const enum fronts_place places[] = {FRONTS_SWEEP, FRONTS_LANE,
                                               FRONTS_LOOK};
    for (size_t i = 0; i < 3; i++) {
        struct late k;
        late_set(&k);
        late_bring(&k);
        assert_false(late_is_shown(&k));
        k.came.whom.place = places[i];
        late_bring(&k);
        assert_true(late_is_shown(&k));
        pair_free(&k.p);
    }
}

/* Within the lease that the user has given, or where there are no boards, a front
 * shows it; what was there before the lease it asks for again. */
static void
within_a_lease_it_is_shown_at_once(void **state)
{
    (void)state;
    struct late k;
    bool held, hides;
    late_set(&k);
    late_bring(&k);
    late_asks(&k, &held, &hides);
    assert_true(held && hides);
    assert_int_equal(places_lease_s(k.p.c[1], k.p.v[1], true), 0);
    assert_true(places_lease_s(k.p.c[1], k.p.v[1], false) > 0);
    late_asks(&k, &held, &hides);
    assert_true(!held && !hides);
    late_bring(&k);
    assert_true(late_is_shown(&k));
    pair_free(&k.p);
    late_set(&k);
    k.p.c[1]->boards = 0;
    late_bring(&k);
    assert_true(late_is_shown(&k));
    pair_free(&k.p);
}

/* ---- how much it is ---- */

static void
polls_of_many_contacts_cost_little(void **state)
{
    (void)state;
    enum { TICKS = 20000 };
    struct stage s;
    struct choice k;
    struct timespec from, to;
    stage_set(&s, BOARDS, PEOPLE_MAX);
    for (unsigned i = 0; i < 3000; i++)
        poll(&s, &k);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    for (unsigned i = 0; i < TICKS; i++)
        poll(&s, &k);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    const double us = ((double)(to.tv_sec - from.tv_sec) * 1e9 +
                       (double)(to.tv_nsec - from.tv_nsec)) /
                      1e3 / TICKS;
    printf("  %u contacts: %.1f us a poll\n", (unsigned)PEOPLE_MAX, us);
    assert_true(us < 2000); /* 8 ms a second of 4 polls, in the slowest build */
    stage_clear(&s);
}

#define PLACES_TEST(f) \
    cmocka_unit_test_setup_teardown(f, net_make, pair_net_free)

const struct CMUnitTest test_client_places[] = {
    PLACES_TEST(i12_boxes_of_fronts_are_a_poisson_process),
    PLACES_TEST(i12_without_boards_all_are_asked_for_alike),
    PLACES_TEST(i12_the_sweep_counts_no_contacts),
    PLACES_TEST(everybody_is_looked_at_after_connecting),
    PLACES_TEST(selves_stay_over_restarts),
    PLACES_TEST(no_memory_for_a_self_is_a_random_box),
    PLACES_TEST(i12_only_what_the_user_does_takes_fronts),
    PLACES_TEST(a_restart_keeps_what_was_promised),
    PLACES_TEST(i12_what_a_front_may_not_show_is_left),
    PLACES_TEST(what_else_brings_it_shows_it),
    PLACES_TEST(within_a_lease_it_is_shown_at_once),
    PLACES_TEST(polls_of_many_contacts_cost_little),
};
TEST_SUITE(test_client_places);
