/* tests/unit/test_i6_holes.c - I6: who keeps nothing of one box keeps nobody from the
 * letters of later ones.
 *
 * A slot of a box stays free: its stores lose what they take, have let go of what a
 * reader had read who comes back with an older copy of his disk, say nothing, lie, or
 * name as there what they never give. Letters of later boxes are read all the same, by
 * polls that glance at these whatever was found (client/polls.c).
 *
 * Here is a client without a network, 4 polls a second, each answered at once. */
#include "tests/runner.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "client/arrival.h"
#include "client/conversations.h"
#include "client/places.h"
#include "client/polls.h"
#include "client/sealing.h"
#include "tests/pair.h"
#include "tests/stats.h"

#define S 1000000ULL
enum {
    BOXES = 12,
    LETTERS = BOXES * LETTER_SLOTS,
    BASE = 48, /* the reader has had as many letters before */
    HOUR_POLLS = 4 * 3600
};

enum store_vice { NO_VICE, IS_SILENT, LIES, NAMES_ALL };

/* What a reader's stores have, and what he asks for. */
struct stores {
    struct pair p;
    struct client *c;
    struct conversation *v; /* of the writer */
    uint32_t period, sequence;
    enum store_vice vice; /* of the first box's */
    bool there[LETTERS], is_read[LETTERS];
    unsigned asked[BOXES], last; /* the last poll that brought a letter */
};

static int
net_make(void **state)
{
    (void)state;
    test_network_month(&pair_net);
    return 0;
}

static void
stores_make(struct stores *s, unsigned boards)
{
    memset(s, 0, sizeof *s);
    pair_make(&s->p, &pair_net);
    pair_settle(&s->p);
    s->c = s->p.c[1];
    s->v = s->p.v[1];
    s->v->muted = true; /* nobody empties the inbox */
    s->c->boards = boards;
    s->c->settled = true;
    s->period = client_period(s->c);
    while (s->v->cursor[0].base < BASE / LETTER_SLOTS) {
        s->v->cursor[0].held[0] = UINT16_MAX;
        polls_hold(s->v, (struct letter_place){s->period, s->v->cursor[0].base *
                                                              LETTER_SLOTS});
    }
    s->sequence = s->v->ack + 1;
    assert_int_equal(client_open(s->c, "a"), 0);
}

/* The letters from `from` to before `to` are there, or are not. */
static void
stores_set(struct stores *s, unsigned from, unsigned to, bool there)
{
    for (unsigned i = from; i < to; i++)
        s->there[i] = there;
}

static struct wire_answer
store_answer(const struct stores *s, const struct choice *k, unsigned box)
{
    struct wire_answer a = {.status = WIRE_EMPTY};
    for (unsigned i = 0; i < LETTER_SLOTS; i++) {
        const unsigned slot = (k->request.slot + i) % LETTER_SLOTS;
        if (!s->there[box * LETTER_SLOTS + slot])
            continue;
        a.full |= (uint16_t)(1u << slot);
        if (a.status == WIRE_EMPTY && !(k->request.held >> slot & 1)) {
            a.status = WIRE_LETTER;
            a.slot = (uint8_t)slot;
        }
    }
    if (box == 0 && s->vice == NAMES_ALL && a.status == WIRE_LETTER)
        a.full = UINT16_MAX;
    if (box == 0 && s->vice == LIES)
        a = (struct wire_answer){.status = WIRE_EMPTY, .full = UINT16_MAX};
    return a;
}

/* A letter is brought. */
static void
stores_give(struct stores *s, const struct choice *k, unsigned n)
{
    static const uint8_t data[64];
    uint8_t bytes[LETTER_LEN_MAX];
    const struct arrival came = {
        .at = {s->period, BASE + n}, .whom = k->whom, .commit_us = 1};
    const struct letter l = {.kind = LETTER_TEXT,
                             .data = data,
                             .data_len = 20,
                             .count = 1,
                             .total = 20,
                             .sequence = s->sequence + n};
    assert_int_equal(sealing_seal(s->p.c[0], s->p.v[0], &l, came.at, bytes), 0);
    (void)arrival_letter(s->c, s->v, &came, bytes);
    s->is_read[n] = true;
}

/* The next poll: what it asks for, and its answer (as client/requests.c has it). */
static void
stores_poll(struct stores *s, unsigned number)
{
    struct choice k = {.at = {.period = client_period(s->c)}};
    s->p.disk[1].test.mono_us += S / 4;
    places_pick(s->c, &k);
    if (!k.conversation)
        return;
    const bool front = k.whom.place == FRONTS_FRONT;
    const unsigned box = (k.at.n - BASE) / LETTER_SLOTS;
    polls_unasked(k.conversation, k.at, k.request.slot, k.spare, front);
    if (k.conversation != s->v || k.at.period != s->period || box >= BOXES)
        return;
    s->asked[box] += !k.spare;
    const struct wire_answer a = store_answer(s, &k, box);
    const enum store_rank rank = k.spare ? STORE_SECOND : STORE_FIRST;
    if ((box == 0 && s->vice == IS_SILENT) ||
        polls_answer(s->v, k.at, k.request.held, rank, front, &a) ||
        a.status != WIRE_LETTER) {
        polls_missed(s->c, s->v, k.at, front);
        return;
    }
    stores_give(s, &k, box * LETTER_SLOTS + a.slot);
    s->last = number;
}

/* So many polls; are all letters that are there read then? */
static bool
stores_are_read(struct stores *s, const char *what, unsigned polls)
{
    unsigned n = 0, could = 0;
    for (unsigned i = 0; i < polls; i++)
        stores_poll(s, i);
    for (unsigned i = 0; i < LETTERS; i++) {
        n += s->is_read[i];
        could += s->there[i];
    }
    printf("  %-28s %u of %u letters read, in %.1f min; gets of boxes", what, n,
           could, s->last / 240.);
    for (unsigned i = 0; i < BOXES; i++)
        printf(" %u", s->asked[i]);
    printf("\n");
    return n == could;
}

/* Of ten boxes one letter of the first is nowhere, or all, or those of two boxes and
 * of half of one more; or the box's stores have another vice. By front and sweep, half
 * an hour. */
static void
i6_letters_behind_a_box_that_is_not_kept_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        unsigned from, to;
        enum store_vice vice;
    } c[] = {
        {"all are there", 0, 0, NO_VICE},
        {"one is nowhere", 5, 6, NO_VICE},
        {"a box is nowhere", 0, 16, NO_VICE},
        {"two boxes and a half are", 0, 40, NO_VICE},
        {"a box's stores are silent", 0, 16, IS_SILENT},
        {"a box's stores lie", 0, 16, LIES},
        {"a store names what is not", 1, 16, NAMES_ALL},
    };
    static struct stores s;
    unsigned mute = 0;
    for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
        stores_make(&s, 0);
        s.vice = c[i].vice;
        stores_set(&s, 0, 160, true);
        stores_set(&s, c[i].from, c[i].to, false);
        mute += !stores_are_read(&s, c[i].what, HOUR_POLLS / 2);
        pair_free(&s.p);
    }
    assert_int_equal(mute, 0);
}

/* Letters from `from` on are put, one when the one before was read; how many polls does
 * that take? */
static unsigned
letters_take_polls(struct stores *s, unsigned from, unsigned n)
{
    unsigned polls = 0;
    assert_int_equal(client_open(s->c, "a"), 0);
    for (unsigned i = from; i < from + n; i++) {
        s->there[i] = true;
        for (; !s->is_read[i] && polls < HOUR_POLLS; polls++)
            stores_poll(s, polls);
    }
    return polls;
}

/* A reader comes back with a copy of his disk, and stores have let go of what he has
 * read since, 20 letters or 100: what is written now he hears within minutes, and when
 * half an hour is over, each letter as soon as ever (six of them in ten seconds
 * on average). */
static void
i6_a_reader_with_an_older_copy_hears_what_is_new(void **state)
{
    (void)state;
    static struct stores s;
    unsigned mute = 0;
    for (unsigned gone = 20; gone <= 100; gone += 80) {
        stores_make(&s, 0);
        stores_set(&s, gone, gone + 6, true);
        mute += !stores_are_read(&s, gone == 20 ? "20 let go" : "100 let go",
                                 HOUR_POLLS / 2);
        const unsigned polls = letters_take_polls(&s, gone + 6, 6);
        printf("  then six more: %.1f s each\n", polls / 6. / 4);
        mute += polls > 6 * 40;
        pair_free(&s.p);
    }
    assert_int_equal(mute, 0);
}

/* Which box a front's get glances at is drawn whatever is there: of one to whom nobody
 * writes, of one who writes all the time, and of one whose first box has a hole, of 1536
 * gets 6 are for the box after the one that is asked for, and one for each of the six
 * behind it (of each of 7 boxes, a verdict wrong once in a million). */
static void
i12_glances_do_not_depend_on_what_is_there(void **state)
{
    (void)state;
    enum { POLLS = 160000 };
    static struct stores s;
    for (unsigned writes = 0; writes < 2; writes++) {
        unsigned all = 0;
        stores_make(&s, 0);
        if (writes)
            stores_set(&s, 0, 10, true);
        for (unsigned i = 0; i < POLLS; i++)
            stores_poll(&s, i);
        for (unsigned i = 0; i < BOXES; i++)
            all += s.asked[i];
        printf("  who %s: of %u gets", writes ? "writes" : "is silent", all);
        for (unsigned i = 1; i < 8; i++)
            printf(" %u", s.asked[i]);
        printf(" are for later boxes\n");
        for (unsigned i = 1; i < 8; i++) {
            const double mean = all * (i == 1 ? 6. : 1.) / 1536;
            assert_true(fabs(s.asked[i] - mean) < STATS_ALARM * sqrt(mean));
        }
        pair_free(&s.p);
    }
}

#define HOLES_TEST(f) \
    cmocka_unit_test_setup_teardown(f, net_make, pair_net_free)
const struct CMUnitTest test_i6_holes[] = {
    HOLES_TEST(i6_letters_behind_a_box_that_is_not_kept_are_read),
    HOLES_TEST(i6_a_reader_with_an_older_copy_hears_what_is_new),
    HOLES_TEST(i12_glances_do_not_depend_on_what_is_there),
};
TEST_SUITE(test_i6_holes);
